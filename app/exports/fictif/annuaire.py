"""The schools in the columns of the open data file ``fr-en-annuaire-education``."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

from app.exports.fictif.lexique import ACADEMIE_CODE, ACADEMIE_NOM, lines
from app.exports.fictif.plan import DEPARTEMENTS, Etablissement, Plan


def write(path: Path, plan: Plan, jour: date) -> int:
    """Write every school of the plan, primary schools included; return how many."""
    schools = [*plan.etablissements, *plan.ecoles]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(
            file, lines("colonnes_annuaire"), delimiter=";", restval="", lineterminator="\r\n"
        )
        writer.writeheader()
        for school in schools:
            writer.writerow(_row(school, jour))
    return len(schools)


def _row(school: Etablissement, jour: date) -> dict[str, str]:
    town, kind = school.commune, school.type
    lycee = kind.annuaire == "Lycée"
    return {
        "Identifiant_de_l_etablissement": school.uai,
        "Nom_etablissement": school.nom,
        "Type_etablissement": kind.annuaire,
        "Statut_public_prive": "Privé" if school.prive else "Public",
        "Adresse_1": school.voie,
        "Adresse_3": f"{town.code_postal} {town.nom.upper()}",
        "Code postal": town.code_postal,
        "Code_commune": town.insee,
        "Nom_commune": town.nom,
        "Code_departement": town.departement,
        "Code_academie": ACADEMIE_CODE,
        "Code_region": "24",
        "Ecole_maternelle": "1" if kind.sigle == "ECOLE" else "",
        "Ecole_elementaire": "1" if kind.sigle == "ECOLE" else "",
        "Voie_generale": _flag(lycee, kind.sigle in ("LGT", "LPO")),
        "Voie_technologique": _flag(lycee, kind.sigle in ("LGT", "LPO")),
        "Voie_professionnelle": _flag(lycee, kind.sigle in ("LP", "LPO")),
        "Telephone": school.telephone,
        "Web": f"https://{school.uai.lower()}.ecoles-touraine-berry.example",
        "Mail": school.courriel,
        "Restauration": "1",
        "Hebergement": "1" if lycee else "0",
        "SIREN_SIRET": school.siret,
        "Nombre_d_eleves": str(school.effectif),
        "Type_contrat_prive": "CONTRAT D'ASSOCIATION TOUTES CLASSES" if school.prive else "SANS OBJET",
        "Libelle_departement": dict(DEPARTEMENTS)[town.departement],
        "Libelle_academie": ACADEMIE_NOM,
        "Libelle_region": "Centre-Val de Loire",
        "date_ouverture": "1975-09-01",
        "date_maj_ligne": jour.isoformat(),
        "etat": "OUVERT",
        "ministere_tutelle": "MINISTERE DE L'EDUCATION NATIONALE",
        "etablissement_multi_lignes": "0",
        "code_nature": kind.code,
        "libelle_nature": kind.nature,
        "Code_type_contrat_prive": "30" if school.prive else "99",
        "code_bassin_formation": f"{ACADEMIE_CODE}{school.bassin:03d}",
        "libelle_bassin_formation": f"BASSIN {school.bassin + 1}",
    }


def _flag(applies: bool, value: bool) -> str:
    return ("1" if value else "0") if applies else ""
