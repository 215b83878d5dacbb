"""One batch of schools, nomenclature lines, classes, or guardianship links: compare, stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from app.database import rows_of
from app.operations.alimentation.champs import Record, attributs_lien, identifiant_lu, libelle
from app.operations.alimentation.fiches import Operation
from app.operations.alimentation.lots import GARDE, Lue, supprimer
from app.operations.alimentation.registre import RECONNU
from app.operations.alimentation.structures import changements, comparable, lignes
from app.operations.alimentation.structures_accord import accorder_structures

if TYPE_CHECKING:
    from app.operations.alimentation.comparaison import Comparaison


def structures(work: Comparaison, kind: str, read: list[Lue]) -> None:
    """Compare a batch of schools, nomenclature lines, divisions or groups."""
    records = []
    for lue in read:
        if lue.fiche.operation is Operation.SUPPRESSION:
            supprimer(work, kind, lue)
            continue
        record = lue.fiche.lire()
        records.append((lue, record, *comparable(kind, record)))
    base = lignes(work.session, kind, [key for _lue, _record, key, _champs in records])
    bits = accorder_structures(
        work.session,
        work.espace,
        kind,
        [
            (lue.fiche.cle, base[key], champs, lue.connue is not None)
            for lue, _record, key, champs in records
            if key in base
        ],
    )
    for lue, record, key, champs in records:
        fiche = lue.fiche
        uai = (record.get("uai") if kind == "etablissement" else key[0]) or fiche.uai
        if kind == "etablissement" and uai:
            work.noms[uai] = str(champs.get("nom") or uai)
        line = base.get(key)
        changes, kept = changements(line, champs) if line is not None else ({}, [])
        returned = line is not None and lue.connue is not None and not lue.connue.presente
        if line is not None and lue.connue is not None and not (changes or kept or returned):
            work.registre.compter(kind, "inchanges", uai)
            work.empreintes.append((fiche.empreinte, bits[fiche.cle], lue.connue.id))
            continue
        back = returned or changes.get("active") == [False, True]
        work.registre.ajouter(
            "cree" if line is None else "retour" if back else "modifie",
            kind,
            fiche.cle,
            [uai] if uai else [],
            libelle=libelle(kind, record, fiche.cle),
            identifiant=identifiant_lu(kind, record, fiche.cle),
            ligne=fiche.ligne,
            code="champ_garde" if kept else RECONNU if line is not None and not (changes or back) else None,
            message=GARDE + ", ".join(kept) + "." if kept else None,
            avant={name: change[0] for name, change in changes.items()},
            apres={name: change[1] for name, change in changes.items()},
            empreinte=fiche.empreinte if fiche.operation is Operation.COMPLET else None,
            donnees=orjson.dumps(record),
        )


def liens(work: Comparaison, read: list[Lue]) -> None:
    """Compare a batch of guardianship links stated apart from the pupils (SIECLE)."""
    uai = work.entete.uai
    records = []
    for lue in read:
        if lue.fiche.operation is Operation.SUPPRESSION:
            supprimer(work, "lien", lue)
        else:
            records.append((lue, lue.fiche.lire()))
    people = _people(work, records)
    base = {
        (row[0], row[1]): [row[2], row[3], *(bool(flag) for flag in row[4:])]
        for row in rows_of(
            work.session,
            "SELECT eleve_id, responsable_id, code_parente, niveau, financier, contact, paiement"
            " FROM responsabilite WHERE eleve_id IN :eleves",
            eleves=sorted({pid for (kind, _cle), pid in people.items() if kind == "eleve"}),
        )
    }
    for lue, record in records:
        fiche = lue.fiche
        new = attributs_lien(record)
        pair = people.get(("eleve", eleve_cle(record))), people.get(("responsable", adulte_cle(record)))
        old = base.get((pair[0] or 0, pair[1] or 0))
        back = lue.connue is not None and not lue.connue.presente
        if old == new and lue.connue is not None and not back:
            work.registre.compter("lien", "inchanges", uai)
            work.empreintes.append((fiche.empreinte, lue.connue.champs, lue.connue.id))
            continue
        work.registre.ajouter(
            "retour" if back else "modifie" if old else "cree",
            "lien",
            fiche.cle,
            [uai] if uai else [],
            libelle=f"Élève {record['eleve_cle']} – responsable {record['responsable_cle']}",
            identifiant=fiche.cle[:80],
            ligne=fiche.ligne,
            code=RECONNU if old == new and not back else None,
            avant={"lien": old} if old else None,
            apres={"lien": new},
            empreinte=fiche.empreinte,
            donnees=orjson.dumps(record),
        )


def eleve_cle(record: Record) -> str:
    """Return the source's key of the pupil of a link."""
    return str(record["eleve_cle"])


def adulte_cle(record: Record) -> str:
    """Return the source's key of the adult of a link."""
    return str(record["responsable_cle"])


def _people(work: Comparaison, records: list[tuple[Lue, Record]]) -> dict[tuple[str, str], int]:
    """Return kind and key → person, those matched in this very reading included."""
    found = dict(work.reconnues)
    for kind, key in (("eleve", eleve_cle), ("responsable", adulte_cle)):
        for cle, personne_id in rows_of(
            work.session,
            "SELECT cle, personne_id FROM fiche_source WHERE espace = :espace AND objet = :objet"
            " AND cle IN :cles AND personne_id IS NOT NULL",
            espace=work.espace,
            objet=kind,
            cles=sorted({key(record) for _lue, record in records}),
        ):
            found[kind, cle] = personne_id
    return found
