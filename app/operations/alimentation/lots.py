"""One batch of objects to read, by kind: match, compare, and stage the differences."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import text

from app.database import rows_of
from app.operations.alimentation.champs import (
    LARGEURS,
    Part,
    Record,
    ailleurs,
    couper,
    identifiant_lu,
    identifiants,
    identite,
    libelle,
    parts,
    quittees,
)
from app.operations.alimentation.champs import liens as liens_de
from app.operations.alimentation.differences import Difference, difference, lisible
from app.operations.alimentation.etats import Etat, etats
from app.operations.alimentation.fiches import Fiche, Operation
from app.operations.alimentation.proches import adultes_des_enfants
from app.operations.alimentation.provenance import Enonce, accorder, enonces
from app.operations.alimentation.rapprochement import Candidat, Rapprochement, Verdict
from app.operations.alimentation.registre import RECONNU

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
    parts: dict[str, Part] | None
    liens: dict[str, list[Any]] | None
    uais: list[str]
    champs: int = 0


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
    verdicts = _judge(work, kind, people)
    states = etats(
        work.session, kind, work.espace, [verdict.personne_id for verdict in verdicts if verdict.personne_id]
    )
    judged = [
        (person, verdict, states.get(verdict.personne_id) if verdict.personne_id else None)
        for person, verdict in zip(people, verdicts, strict=True)
    ]
    _agree(work, kind, judged)
    work.tenues = _held_by_another_key(work, kind, judged)
    cited: dict[str, set[str]] = defaultdict(set)
    known: list[tuple[str, str, int]] = []
    for person, verdict, state in judged:
        _stage(work, kind, person, verdict, state)
        if person.liens and work.source in ("aaf", "aaf1d"):
            for uai in person.uais:
                cited[uai].update(person.liens)
            if verdict.personne_id:
                known += [(cle, uai, verdict.personne_id) for uai in person.uais for cle in person.liens]
    _cite(work, cited, known)


def _judge(work: Comparaison, kind: str, people: list[Personne]) -> list[Verdict]:
    """Tell who each record is about; remember it when the files are those of one school."""
    near = adultes_des_enfants(
        work.session,
        work.espace,
        {person.lue.fiche.cle: person.record for person in people if _unheard(person)}
        if kind == "responsable"
        else {},
        deja=work.reconnues,
        alimentation_id=work.alimentation_id,
    )
    verdicts = Rapprochement(work.session, kind, work.espace).juger(
        [
            Candidat(
                person.lue.fiche.cle,
                person.identite,
                person.identifiants,
                set(person.uais),
                person.lue.connue.personne_id if person.lue.connue else None,
                near.get(person.lue.fiche.cle, set()),
            )
            for person in people
        ]
    )
    if work.entete.uai:
        work.reconnues.update(
            ((kind, person.lue.fiche.cle), verdict.personne_id)
            for person, verdict in zip(people, verdicts, strict=True)
            if verdict.personne_id and _unheard(person)
        )
    return verdicts


def _unheard(person: Personne) -> bool:
    """Tell whether the source is heard for the first time on this person."""
    return person.lue.connue is None or person.lue.connue.personne_id is None


def _agree(work: Comparaison, kind: str, judged: list[tuple[Personne, Verdict, Etat | None]]) -> None:
    """Spread what a delta says without naming a school; keep what other sources state."""
    stated = []
    for person, verdict, state in judged:
        if state is None or verdict.personne_id is None:
            continue
        if kind == "eleve" and not work.complet:
            _spread(work, person, state)
        stated.append(
            Enonce(
                person.lue.fiche.cle, verdict.personne_id, state, person.identite, person.parts,
                connu=not _unheard(person),
            )
        )  # fmt: skip
    accorder(work.session, work.espace, kind, stated)


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
    if lue.connue is not None:
        person.champs = enonces(
            person.identite, facets, lue.connue.champs, entier=fiche.operation is Operation.COMPLET
        )
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
        entiers=_left(work, kind, person, state, verdict.personne_id),
    )
    if not person.identite.get("nom"):
        common["libelle"] = libelle(kind, state.identite, fiche.cle)
    _stage_known(work, kind, person, state, diff, verdict.personne_id, connue, common)


def _held_by_another_key(
    work: Comparaison, kind: str, judged: list[tuple[Personne, Verdict, Etat | None]]
) -> dict[int, list[tuple[str, str]]]:
    """Return, for people the source states under several keys (two made one), each key and its school."""
    ids = sorted({verdict.personne_id for _p, verdict, _s in judged if verdict.personne_id})
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for pid, cle, uai in rows_of(
        work.session,
        "SELECT f.personne_id, f.cle, e.uai FROM fiche_source f JOIN etablissement e"
        " ON e.id = f.etablissement_id WHERE f.personne_id IN :ids AND f.espace || '' = :espace"
        " AND f.objet || '' = :objet AND f.presente AND EXISTS (SELECT 1 FROM fiche_source o"
        " WHERE o.personne_id = f.personne_id AND o.id <> f.id AND o.presente"
        " AND o.espace || '' = :espace AND o.objet || '' = :objet)",
        ids=ids,
        espace=work.espace,
        objet=kind,
    ):
        found[pid].append((cle, uai))
    return found


def _left(
    work: Comparaison, kind: str, person: Personne, state: Etat, personne_id: int | None
) -> set[str] | None:
    """Return the schools where the person stays only if the record states them.

    Where another key of the source holds them, that key tells.
    """
    if kind == "responsable":
        return None
    if work.complet:
        held = work.tenues.get(personne_id or 0, ())
        return work.entiers - {uai for cle, uai in held if cle != person.lue.fiche.cle}
    left = quittees(person.record, [place.uai for place in state.ouvertes()], work.today)
    return left if work.limite is None else left & work.limite


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
    link_only = _unheard(person)
    if diff.commune() or (link_only and not touched):
        touched = person.uais or [place.uai for place in state.ouvertes()]
    for uai in diff.quittes:
        work.registre.ajouter(
            "depart", kind, fiche.cle, [uai], personne_id=personne_id,
            **{**common, "empreinte": None},
        )  # fmt: skip
    if not touched:
        if connue is not None and common["empreinte"] is not None and not diff.quittes:
            work.empreintes.append((common["empreinte"], person.champs, connue.id))
        if not diff.quittes:
            work.registre.compter(kind, "inchanges", fiche.uai)
        return
    if diff.gardes:
        common["code"] = "champ_garde"
        common["message"] = GARDE + ", ".join(diff.gardes) + "."
    elif link_only and not back and not diff.donnees():
        common["code"] = RECONNU
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


def _spread(work: Comparaison, person: Personne, state: Etat) -> None:
    """What a delta says without naming a school holds for each school of the pupil."""
    left = _left(work, "eleve", person, state, None)
    rest = ailleurs(person.record, work.today)
    if rest is None and not left:
        return
    named = person.parts or {}
    places = [place.uai for place in state.connues_de(work.source)] if rest is not None else []
    person.parts = {
        uai: dict(rest or {})
        for uai in places
        if uai not in named and uai not in (left or ()) and (work.limite is None or uai in work.limite)
    } | named
    person.uais = list(person.parts)


def _cite(work: Comparaison, cited: dict[str, set[str]], known: list[tuple[str, str, int]]) -> None:
    """Keep the guardians pupils name; and, for pupils the base knows, which pupil names them."""
    if known:
        work.session.connection().execute(
            text(
                "INSERT INTO citation_responsable (alimentation_id, cle, uai, eleve_id)"
                " VALUES (:feed, :cle, :uai, :eleve) ON CONFLICT DO NOTHING"
            ),
            [
                {"feed": work.alimentation_id, "cle": cle, "uai": uai, "eleve": eleve}
                for cle, uai, eleve in known
            ],
        )
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
