"""One batch of objects to read, by kind: match, compare, and stage the differences."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from app.database import rows_of
from app.operations.alimentation.champs import (
    LARGEURS,
    Record,
    attributs_lien,
    couper,
    identifiant_lu,
    identifiants,
    identite,
    libelle,
    parts,
)
from app.operations.alimentation.champs import liens as liens_de
from app.operations.alimentation.differences import Difference, difference, lisible
from app.operations.alimentation.etats import Etat, etats
from app.operations.alimentation.fiches import Fiche, Operation
from app.operations.alimentation.rapprochement import Candidat, Rapprochement, Verdict
from app.operations.alimentation.structures import changements, comparable, lignes

if TYPE_CHECKING:
    from app.operations.alimentation.comparaison import Comparaison, Connue

GARDE = "Gardé, saisi à la main : "


@dataclass(slots=True)
class Lue:
    """An object to read and what the base last knew of its key."""

    fiche: Fiche
    connue: Connue | None
    uais: tuple[str, ...] = ()


def citees(work: Comparaison, read: list[Lue]) -> list[Lue]:
    """Keep the guardians a pupil cites; give them the schools of these pupils.

    A guardian the base knows is always kept; one that nobody cites is left out and counted.
    """
    by_key: dict[str, list[str]] = defaultdict(list)
    for cle, uai in rows_of(
        work.session,
        "SELECT cle, uai FROM citation_responsable WHERE alimentation_id = :feed AND cle IN :cles"
        " AND eleve_id = 0 ORDER BY uai",
        feed=work.alimentation_id,
        cles=[lue.fiche.cle for lue in read],
    ):
        by_key[cle].append(uai)
    kept = []
    for lue in read:
        lue.uais = tuple(by_key.get(lue.fiche.cle, ()))
        if lue.uais or lue.connue is not None:
            kept.append(lue)
        else:
            work.registre.compter("responsable", "ecartes")
    return kept


@dataclass(slots=True)
class Personne:
    """A person's record, taken apart."""

    lue: Lue
    record: Record
    identite: Record
    identifiants: list[tuple[str, str, str]]
    parts: dict[str, dict[str, Any]] | None
    liens: dict[str, list[Any]] | None
    uais: list[str]


def personnes(work: Comparaison, kind: str, read: list[Lue]) -> None:
    """Match and compare a batch of people."""
    people = []
    for lue in read:
        if lue.fiche.operation is Operation.SUPPRESSION:
            supprimer(work, kind, lue)
        elif (person := _take_apart(work, kind, lue)) is not None:
            people.append(person)
    if not people:
        return
    work.apprendre_ecoles({uai for person in people for uai in person.uais})
    verdicts = Rapprochement(work.session, kind, work.espace).juger(
        [
            Candidat(
                person.lue.fiche.cle,
                person.identite,
                person.identifiants,
                set(person.uais),
                person.lue.connue.personne_id if person.lue.connue else None,
            )
            for person in people
        ]
    )
    states = etats(
        work.session, kind, work.espace, [verdict.personne_id for verdict in verdicts if verdict.personne_id]
    )
    cited: dict[str, set[str]] = defaultdict(set)
    for person, verdict in zip(people, verdicts, strict=True):
        state = states.get(verdict.personne_id) if verdict.personne_id else None
        _stage(work, kind, person, verdict, state)
        if person.liens and work.source in ("aaf", "aaf1d"):
            for uai in person.uais:
                cited[uai].update(person.liens)
    _cite(work, cited)


def _take_apart(work: Comparaison, kind: str, lue: Lue) -> Personne | None:
    """Read a record; a new person without a last name is an anomaly."""
    fiche = lue.fiche
    record = fiche.lire()
    clipped = couper(record, LARGEURS)
    facets = parts(kind, record, fiche.uai or work.entete.uai, work.today)
    if kind == "responsable":
        facets = {uai: {} for uai in lue.uais} | (facets or {})
    if facets is not None and work.limite is not None:
        facets = {uai: part for uai, part in facets.items() if uai in work.limite}
    person = Personne(
        lue, record, identite(record), identifiants(record), facets, liens_de(record),
        list(facets or ()),
    )  # fmt: skip
    if facets is None and fiche.uai:
        person.uais = [fiche.uai]
    known = lue.connue is not None and lue.connue.personne_id is not None
    if fiche.operation is Operation.MODIFICATION and not known:
        _anomaly(work, kind, person, "inconnu", "Cette modification vise une personne inconnue de la base.")
        return None
    if not known and not person.identite.get("nom"):
        _anomaly(work, kind, person, "nom_absent", "Le nom de famille manque : la fiche est écartée.")
        return None
    if clipped:
        _anomaly(work, kind, person, "valeur_coupee", f"Valeur trop longue, coupée : {', '.join(clipped)}.")
    return person


def _anomaly(
    work: Comparaison, kind: str, person: Personne, code: str | None, message: str | None,
    personne_id: int | None = None,
) -> None:  # fmt: skip
    fiche = person.lue.fiche
    work.registre.ajouter(
        "anomalie",
        kind,
        fiche.cle,
        person.uais[:1] or ([fiche.uai] if fiche.uai else []),
        libelle=libelle(kind, person.record, fiche.cle),
        identifiant=identifiant_lu(kind, person.record, fiche.cle),
        personne_id=personne_id,
        ligne=fiche.ligne,
        code=code,
        message=message,
    )


def _stage(work: Comparaison, kind: str, person: Personne, verdict: Verdict, state: Etat | None) -> None:
    fiche, connue = person.lue.fiche, person.lue.connue
    if verdict.divergents:
        work.proteger(verdict.divergents)
        _anomaly(work, kind, person, verdict.code, verdict.message, verdict.divergents[0])
        return
    if verdict.code:
        _anomaly(work, kind, person, verdict.code, verdict.message, verdict.personne_id)
    stored = fiche.empreinte if fiche.operation is Operation.COMPLET else None
    common: dict[str, Any] = {
        "libelle": libelle(kind, person.record, fiche.cle),
        "identifiant": identifiant_lu(kind, person.record, fiche.cle),
        "ligne": fiche.ligne,
        "empreinte": stored,
    }
    if state is None:
        if not person.uais:
            work.registre.compter(kind, "ecartes", fiche.uai)
            return
        work.registre.ajouter(
            "cree", kind, fiche.cle, person.uais, donnees=orjson.dumps(person.record), **common
        )
        return
    diff = difference(
        state,
        person.identite,
        [cle for cle in person.identifiants if cle not in verdict.refuses],
        person.parts,
        person.liens,
        source=work.source,
        entiers=work.entiers if kind != "responsable" else None,
    )
    if not person.identite.get("nom"):
        common["libelle"] = libelle(kind, state.identite, fiche.cle)
    _stage_known(work, kind, person, state, diff, verdict.personne_id, connue, common)


def _stage_known(
    work: Comparaison,
    kind: str,
    person: Personne,
    state: Etat,
    diff: Difference,
    personne_id: int | None,
    connue: Connue | None,
    common: dict[str, Any],
) -> None:
    """Stage what a record changes of a person of the base: returns, changes, schools left."""
    fiche = person.lue.fiche
    back = set(diff.retours)
    if state.supprime or (connue is not None and not connue.presente):
        back |= set(person.uais)
    touched = [uai for uai in person.uais if uai in diff.parts or uai in back]
    link_only = connue is None or connue.personne_id is None
    if diff.commune() or (link_only and not touched):
        touched = person.uais or [place.uai for place in state.ouvertes()]
    for uai in diff.quittes:
        work.registre.ajouter(
            "depart", kind, fiche.cle, [uai], personne_id=personne_id,
            **{**common, "empreinte": None},
        )  # fmt: skip
    if not touched:
        if connue is not None and common["empreinte"] is not None and not diff.quittes:
            work.empreintes.append((common["empreinte"], connue.id))
        if not diff.quittes:
            work.registre.compter(kind, "inchanges", fiche.uai)
        return
    if diff.gardes:
        common["code"] = "champ_garde"
        common["message"] = GARDE + ", ".join(diff.gardes) + "."
    payload = orjson.dumps(person.record)
    nature = "retour" if back & set(touched) else "modifie"
    before: Record = {}
    after: Record = {}
    for uai in touched:
        for target, part in zip((before, after), lisible(diff, uai), strict=True):
            target.update(part)
    work.registre.ajouter(
        nature, kind, fiche.cle, touched, personne_id=personne_id, avant=before, apres=after,
        donnees=payload, **common,
    )  # fmt: skip


def _cite(work: Comparaison, cited: dict[str, set[str]]) -> None:
    for uai, keys in cited.items():
        rows_of(
            work.session,
            "INSERT INTO citation_responsable (alimentation_id, cle, uai, eleve_id)"
            " SELECT CAST(:feed AS INTEGER), value, CAST(:uai AS VARCHAR), 0 FROM LIST :cles WHERE true"
            " ON CONFLICT DO NOTHING",
            feed=work.alimentation_id,
            uai=uai,
            cles=sorted(keys),
        )


def supprimer(work: Comparaison, kind: str, lue: Lue) -> None:
    """A delta removes a key: mark it missed, as a complete feed would."""
    if lue.connue is None:
        return
    rows_of(
        work.session,
        "UPDATE fiche_source SET absente_de = :feed WHERE id = :id AND presente",
        feed=work.alimentation_id,
        id=lue.connue.id,
    )


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
            work.empreintes.append((fiche.empreinte, lue.connue.id))
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
            code="champ_garde" if kept else None,
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
    base = {
        (row[0], row[1]): [row[2], row[3], *(bool(flag) for flag in row[4:])]
        for row in rows_of(
            work.session,
            "SELECT e.cle, r.cle, l.code_parente, l.niveau, l.financier, l.contact, l.paiement"
            " FROM fiche_source e JOIN responsabilite l ON l.eleve_id = e.personne_id"
            " JOIN fiche_source r ON r.personne_id = l.responsable_id"
            " AND r.espace = e.espace AND r.objet = 'responsable'"
            " WHERE e.espace = :espace AND e.objet = 'eleve' AND e.cle IN :eleves",
            espace=work.espace,
            eleves=[str(record["eleve_cle"]) for _lue, record in records],
        )
    }
    for lue, record in records:
        fiche = lue.fiche
        new = attributs_lien(record)
        old = base.get((str(record["eleve_cle"]), str(record["responsable_cle"])))
        back = lue.connue is not None and not lue.connue.presente
        if old == new and lue.connue is not None and not back:
            work.registre.compter("lien", "inchanges", uai)
            work.empreintes.append((fiche.empreinte, lue.connue.id))
            continue
        work.registre.ajouter(
            "retour" if back else "modifie" if old else "cree",
            "lien",
            fiche.cle,
            [uai] if uai else [],
            libelle=f"Élève {record['eleve_cle']} – responsable {record['responsable_cle']}",
            identifiant=fiche.cle[:80],
            ligne=fiche.ligne,
            avant={"lien": old} if old else None,
            apres={"lien": new},
            empreinte=fiche.empreinte,
            donnees=orjson.dumps(record),
        )
