"""Records as readers give them, and a feed run on them from preview to application."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import orjson
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.models import Alimentation, AlimentationEtablissement, Ecart, Personne, Rattachement
from app.operations import alimentation as engine
from app.operations.alimentation.fiches import EnTete, Fiche, Objet

A, B = "0370001A", "0370002B"
TOUS = {Objet.ELEVE, Objet.RESPONSABLE, Objet.PERSONNEL, Objet.DIVISION, Objet.GROUPE, Objet.LIEN}


def fiche(objet: Objet, cle: str, record: dict[str, Any], uai: str | None = None, ligne: int = 1) -> Fiche:
    digest = blake2b(orjson.dumps(record), digest_size=16).digest()
    return Fiche(objet, cle, digest, ligne, lambda: orjson.loads(orjson.dumps(record)), uai)


def ecole(uai: str, nom: str = "Collège Jean Moulin", **more: Any) -> Fiche:
    return fiche(Objet.ETABLISSEMENT, f"S{uai}", {"uai": uai, "nom": nom, "academie_code": "18", **more}, uai)


def eleve(
    cle: str, nom: str, prenom: str, ne: str, *uais: str, ine: str | None = None, division: str = "3A",
    responsables: dict[str, int] | None = None, eleve_id: str | None = None, **more: Any,
) -> Fiche:  # fmt: skip
    identifiants = [["eleve_id", "18", eleve_id or f"E{cle}"], ["jointure", "18", cle]]
    if ine:
        identifiants.append(["ine", "", ine])
    record = {
        "nom": nom, "prenom": prenom, "date_naissance": ne, "identifiants": identifiants,
        "scolarites": [{"uai": uai, "division": division, "mef": "10310019110", "groupes": [], "options": []}
                       for uai in uais or (A,)],
        **more,
    }  # fmt: skip
    if responsables is not None:
        record["responsables"] = [
            {"cle": key, "code_parente": "10", "niveau": niveau, "financier": True, "contact": False,
             "paiement": False}
            for key, niveau in responsables.items()
        ]  # fmt: skip
    return fiche(Objet.ELEVE, cle, record, (uais or (A,))[0])


def responsable(cle: str, nom: str, prenom: str, **more: Any) -> Fiche:
    record = {"nom": nom, "prenom": prenom, "identifiants": [["jointure", "18", cle]], **more}
    return fiche(Objet.RESPONSABLE, cle, record)


def enseignant(cle: str, nom: str, prenom: str, *uais: str, **more: Any) -> Fiche:
    record = {
        "nom": nom, "prenom": prenom, "identifiants": [["jointure", "18", cle]], "profil": "enseignant",
        "etablissements": list(uais or (A,)),
        "fonctions": [{"uai": uai, "code": "ENS", "libelle": "Enseignement", "discipline_code": "L0202",
                       "discipline_libelle": "Lettres modernes"} for uai in uais or (A,)],
        "services": [{"uai": uai, "division": "3A", "matiere": "020700", "matiere_libelle": "Français"}
                     for uai in uais or (A,)],
        "principal_de": [{"uai": (uais or (A,))[0], "division": "3A"}],
        **more,
    }  # fmt: skip
    return fiche(Objet.PERSONNEL, cle, record, (uais or (A,))[0])


def entete(jour: int = 1, **more: Any) -> EnTete:
    values: dict[str, Any] = {
        "source": "aaf", "espace": "aaf:18", "date_export": datetime(2026, 11, jour, tzinfo=UTC),
        "academie": "18", "presents": set(TOUS),
    }  # fmt: skip
    return EnTete(**(values | more))


def apercu(session: Session, fiches: Iterable[Any], head: EnTete | None = None) -> Alimentation:
    head = head or entete()
    feed = engine.ouvrir(session, head, acteur="Test")
    assert feed.etat == "lecture", feed.motif
    order = list(Objet)
    for _read in engine.comparer(session, feed, head, sorted(fiches, key=lambda f: order.index(f.objet))):
        pass
    engine.clore_apercu(session, feed)
    session.commit()
    return feed


def appliquer(session: Session, feed: Alimentation, *, only: str | None = None, accept: bool = False) -> None:
    for line in engine.etablissements_a_appliquer(session, feed):
        if only in (None, line.uai):
            engine.appliquer_etablissement(session, feed, line, accepter_departs=accept, acteur="Test")
            session.commit()
    engine.clore_application(session, feed)
    session.commit()
    session.expire_all()


def alimenter(session: Session, fiches: Iterable[Any], jour: int = 1, **more: Any) -> Alimentation:
    accept = more.pop("accept", False)
    feed = apercu(session, fiches, entete(jour, **more))
    appliquer(session, feed, accept=accept)
    return feed


def annuler(session: Session, feed: Alimentation) -> None:
    for _uai in engine.annuler(session, feed, acteur="Test"):
        session.commit()
    session.commit()
    session.expire_all()


def personne(session: Session, nom: str, prenom: str) -> Personne:
    return session.scalars(select(Personne).where(Personne.nom == nom, Personne.prenom == prenom)).one()


def personnes(session: Session, nom: str) -> list[Personne]:
    return list(session.scalars(select(Personne).where(Personne.nom == nom).order_by(Personne.id)))


def places(session: Session, someone: Personne) -> dict[tuple[str, str], bool]:
    rows = session.scalars(select(Rattachement).where(Rattachement.personne_id == someone.id))
    return {(row.etablissement.uai, row.profil): row.fin is None for row in rows}


def codes(session: Session, feed: Alimentation) -> list[str]:
    return sorted(
        session.scalars(
            select(Ecart.code).where(Ecart.alimentation_id == feed.id, Ecart.nature == "anomalie")
        )
    )


def lignes(session: Session, feed: Alimentation) -> dict[str, AlimentationEtablissement]:
    rows = session.scalars(
        select(AlimentationEtablissement).where(AlimentationEtablissement.alimentation_id == feed.id)
    )
    return {row.uai: row for row in rows}


def photo(session: Session) -> dict[str, list[tuple[Any, ...]]]:
    """What the base says, without surrogate keys and instants: two equal bases give one photo."""
    queries = {
        "personne": "SELECT nom, nom_usage, prenom, CAST(date_naissance AS VARCHAR), login, email, adresse,"
        " nom_recherche, supprime_le IS NULL FROM personne",
        "identifiant": "SELECT p.login, i.type, i.portee, i.valeur FROM identifiant i"
        " JOIN personne p ON p.id = i.personne_id",
        "rattachement": "SELECT p.login, e.uai, r.profil, r.fin IS NULL, d.code, m.code, r.regime"
        " FROM rattachement r JOIN personne p ON p.id = r.personne_id"
        " JOIN etablissement e ON e.id = r.etablissement_id LEFT JOIN division d ON d.id = r.division_id"
        " LEFT JOIN mef m ON m.id = r.mef_id",
        "responsabilite": "SELECT a.login, b.login, l.code_parente, l.niveau, l.financier, l.contact"
        " FROM responsabilite l JOIN personne a ON a.id = l.eleve_id"
        " JOIN personne b ON b.id = l.responsable_id",
        "groupes": "SELECT p.login, g.code FROM eleve_groupe x"
        " JOIN rattachement r ON r.id = x.rattachement_id"
        " JOIN personne p ON p.id = r.personne_id JOIN groupe_enseignement g ON g.id = x.groupe_id",
        "services": "SELECT p.login, e.uai, d.code, g.code, m.code FROM service_enseigne s"
        " JOIN personne p ON p.id = s.personne_id JOIN etablissement e ON e.id = s.etablissement_id"
        " LEFT JOIN division d ON d.id = s.division_id LEFT JOIN groupe_enseignement g ON g.id = s.groupe_id"
        " LEFT JOIN matiere m ON m.id = s.matiere_id",
        "fonctions": "SELECT p.login, f.code, d.code FROM fonction_exercee x"
        " JOIN rattachement r ON r.id = x.rattachement_id JOIN personne p ON p.id = r.personne_id"
        " JOIN fonction f ON f.id = x.fonction_id LEFT JOIN discipline d ON d.id = x.discipline_id",
        "principal": "SELECT p.login, d.code FROM professeur_principal x JOIN personne p"
        " ON p.id = x.personne_id JOIN division d ON d.id = x.division_id",
        "fiche_source": "SELECT espace, objet, cle, empreinte IS NULL, presente FROM fiche_source",
        "etablissement": "SELECT uai, nom FROM etablissement",
        "division": "SELECT e.uai, d.code, d.libelle, d.active FROM division d"
        " JOIN etablissement e ON e.id = d.etablissement_id",
    }
    return {
        name: sorted((_plain(row) for row in session.connection().execute(text(sql))), key=repr)
        for name, sql in queries.items()
    }


def _plain(row: Iterable[Any]) -> tuple[Any, ...]:
    """Engines name booleans differently; their rows must sort alike."""
    return tuple(int(value) if isinstance(value, bool) else value for value in row)
