"""Applying the differences of one school's people: create, change, bring back, close.

The record is matched and compared again with the base as it stands now: a hand edit made since
the preview is kept, and a person created meanwhile by another school's part is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy.orm import Session

from app.database import allocate_many, rows_of
from app.operations import logins
from app.operations.alimentation.accord import agree, near_guardians
from app.operations.alimentation.avance import Avance, Noms, Pret, lire, nommer
from app.operations.alimentation.champs import (
    PROFILS_DE,
    Record,
    ailleurs,
)
from app.operations.alimentation.differences import difference
from app.operations.alimentation.ecritures import Ecritures, now_of, table
from app.operations.alimentation.etats import Etat, Place, etats
from app.operations.alimentation.provenance import enonces
from app.operations.alimentation.rapprochement import Candidat, Rapprochement, Verdict
from app.operations.alimentation.references import References, labels
from app.operations.alimentation.registre import RECONNU
from app.queries.noms import personne_key


@dataclass(slots=True)
class LigneEcart:
    """A difference row to apply."""

    id: int
    nature: str
    objet: str
    cle: str
    personne_id: int | None
    partage: bool
    empreinte: bytes | None
    donnees: bytes | None
    code: str | None = None
    pret: Pret | None = None
    """The row as it was read ahead, taken apart or about to be."""


@dataclass(slots=True)
class Gen:
    """A person's difference row, taken apart for one school."""

    ligne: LigneEcart
    record: Record
    identite: Record
    identifiants: list[tuple[str, str, str]]
    part: dict[str, Any] | None
    liens: dict[str, list[Any]] | None
    fiche_id: int | None = None
    personne_id: int | None = None
    presente: bool = True
    anciens: int | None = None
    """Fields the source had stated before, and those it states now (``provenance``)."""
    champs: int = 0
    partout: bool = False
    """The part names no school: it holds only where the person is by now."""

    def noms(self) -> Noms:
        """Return what a new person is written with."""
        return (self.ligne.pret and self.ligne.pret.noms) or nommer(self.identite)


@dataclass
class Contexte:
    """What applying one school needs and remembers from batch to batch."""

    session: Session
    alimentation_id: int
    source: str
    espace: str
    uai: str
    etablissement_id: int
    today: str
    references: References
    ecritures: Ecritures
    liens: list[tuple[int, dict[str, list[Any]], dict[str, list[Any]]]] = field(default_factory=list)
    """Pupil, what they state of each guardian, what changes (key → [before, after])."""
    eleves_partis: list[int] = field(default_factory=list)
    responsables_touches: set[int] = field(default_factory=set)
    fermees: list[int] = field(default_factory=list)
    a_signer: list[tuple[LigneEcart, dict[str, Any], int]] = field(default_factory=list)
    fiches_lues: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    """Key → row of ``fiche_source`` and fields stated before, of the batch of structures at hand."""
    avance: Avance | None = None
    connus: dict[tuple[str, str], int] = field(default_factory=dict)
    """Kind and key → person, of the keys signed so far."""
    comptes: dict[str, int] = field(default_factory=dict)
    complet: bool = True
    """The files state whole records: not those of a delta."""
    reserve: Iterator[int] = field(default_factory=lambda: iter(()))
    """Ids reserved for the new attachments of the batch at hand."""

    def compter(self, nature: str, nombre: int = 1) -> None:
        """Count what was applied, for the journal."""
        self.comptes[nature] = self.comptes.get(nature, 0) + nombre


def appliquer_lot(ctx: Contexte, kind: str, lignes: list[LigneEcart]) -> None:
    """Apply one batch of one kind of people."""
    leaving = [ligne for ligne in lignes if ligne.nature == "depart"]
    gens = _take_apart(ctx, kind, [ligne for ligne in lignes if ligne.nature != "depart"])
    if gens:
        _write(ctx, kind, gens)
    ctx.ecritures.vider()
    if leaving:
        _leave(ctx, kind, leaving)
        ctx.ecritures.vider()


def _take_apart(ctx: Contexte, kind: str, lignes: list[LigneEcart]) -> list[Gen]:
    known = {
        row[1]: row
        for row in rows_of(
            ctx.session,
            "SELECT id, cle, personne_id, presente, champs FROM fiche_source"
            " WHERE espace = :espace AND objet = :objet AND cle IN :cles",
            espace=ctx.espace,
            objet=kind,
            cles=[ligne.cle for ligne in lignes],
        )
    }
    gens: list[Gen] = []
    done: set[str] = set()
    for ligne in lignes:
        if ligne.cle in done:
            ctx.ecritures.ecarts.append((ctx.etablissement_id, None, None, ctx.ecritures.instant, ligne.id))
            continue
        done.add(ligne.cle)
        if ligne.pret is not None:
            ligne.pret.preparer(ctx.today)
        said = (ligne.pret and ligne.pret.dit) or lire(kind, ligne.donnees, ctx.uai, ctx.today)
        part = {} if kind == "responsable" else (said.parts or {}).get(ctx.uai)
        gen = Gen(ligne, said.record, said.identite, said.identifiants, part, said.liens)
        if part is None and kind == "eleve" and not ctx.complet:
            gen.part = ailleurs(said.record, ctx.today)
            gen.partout = gen.part is not None
        if (fiche := known.get(ligne.cle)) is not None:
            gen.fiche_id, gen.personne_id, gen.presente = fiche[0], fiche[2], bool(fiche[3])
            gen.anciens = fiche[4]
        gen.champs = (
            said.enonce if ctx.complet else enonces(said.identite, said.parts, gen.anciens, entier=False)
        )
        gens.append(gen)
    return gens


def _write(ctx: Contexte, kind: str, gens: list[Gen]) -> None:
    for name, codes in labels(gen.record for gen in gens).items():
        ctx.references.nomenclature(name, codes)
    near = near_guardians(ctx, gens) if kind == "responsable" else {}
    verdicts = Rapprochement(ctx.session, kind, ctx.espace).juger(
        [
            Candidat(
                gen.ligne.cle, gen.identite, gen.identifiants, {ctx.uai}, gen.personne_id,
                near.get(gen.ligne.cle, set()),
            )
            for gen in gens
        ]
    )  # fmt: skip
    pending = _still_shared(ctx, kind, gens)
    known: list[tuple[Gen, Verdict]] = []
    new: list[tuple[Gen, Verdict]] = []
    for gen, verdict in zip(gens, verdicts, strict=True):
        if verdict.divergents:
            _refuse(ctx, gen, verdict)
        elif verdict.personne_id is None:
            new.append((gen, verdict))
        else:
            gen.personne_id = verdict.personne_id
            known.append((gen, verdict))
    places, ids = allocate_many(
        ctx.session, [(table("rattachement"), len(gens)), (table("personne"), len(new))]
    )
    ctx.reserve = iter(places)
    claims = _create(ctx, kind, new, ids, pending)
    ctx.ecritures.vider()
    states = etats(ctx.session, kind, ctx.espace, [gen.personne_id for gen, _v in known if gen.personne_id])
    agree(ctx, kind, [gen for gen, _verdict in known], states)
    for gen, verdict in known:
        if gen.personne_id is not None:
            _change(ctx, kind, gen, verdict, states[gen.personne_id], claims, pending)


def _still_shared(ctx: Contexte, kind: str, gens: list[Gen]) -> set[str]:
    """Return the keys another school has still to apply: their digest waits for it."""
    keys = [gen.ligne.cle for gen in gens if gen.ligne.partage]
    if not keys:
        return set()
    return {
        row[0]
        for row in rows_of(
            ctx.session,
            "SELECT cle FROM ecart WHERE alimentation_id = :feed AND objet = :objet AND partage"
            " AND cle IN :cles AND uai <> :uai AND applique_le IS NULL AND nature <> 'anomalie'",
            feed=ctx.alimentation_id,
            objet=kind,
            cles=keys,
            uai=ctx.uai,
        )
    }


def _refuse(ctx: Contexte, gen: Gen, verdict: Verdict) -> None:
    """What has become ambiguous since the preview is left alone and said."""
    rows_of(
        ctx.session,
        "UPDATE ecart SET nature = 'anomalie', code = :code, message = :message WHERE id = :id",
        id=gen.ligne.id,
        code=verdict.code,
        message=verdict.message,
    )
    ctx.compter("anomalies")


Claims = dict[tuple[str, str, str], tuple[int, str, str | None]]


def _create(
    ctx: Contexte, kind: str, new: list[tuple[Gen, Verdict]], ids: Sequence[int], pending: set[str]
) -> Claims:
    """Create people; two records of one batch with one INE, name and birth date are one person."""
    claims: Claims = {}
    people: list[tuple[Gen, Verdict, Noms]] = []
    twins: list[tuple[Gen, Verdict, tuple[str, str, str]]] = []
    first: dict[tuple[str, str, str], tuple[str, str | None]] = {}
    for gen, verdict in new:
        ine = next((cle for cle in gen.identifiants if cle[0] == "ine"), None) if kind == "eleve" else None
        names = gen.noms()
        if ine is not None:
            who = (names.cle_naissance, gen.identite.get("date_naissance"))
            if ine not in verdict.refuses and first.get(ine) == who and who[1]:
                twins.append((gen, verdict, ine))
                continue
            first.setdefault(ine, who)
        people.append((gen, verdict, names))
    given = logins.allocate_roots(ctx.session, [names.racine for _gen, _verdict, names in people])
    source, stamp = ctx.source, ctx.ecritures.instant
    ctx.ecritures.nouveaux["personne"] += [
        (pid, *names.colonnes, names.cle, login, source, 1, stamp, stamp, 1)
        for (_gen, _verdict, names), pid, login in zip(people, ids, given, strict=False)
    ]
    ctx.ecritures.connaitre([gen.part for gen, _verdict, _names in people if gen.part])
    ctx.ecritures.personnes(pendant=_insert_all(ctx, kind, people, ids, claims, pending), avance=ctx.avance)
    for gen, _verdict, ine in twins:
        gen.personne_id = claims[ine][0]
        _same_person(ctx, gen, claims, pending)
    return claims


def _insert_all(
    ctx: Contexte,
    kind: str,
    people: list[tuple[Gen, Verdict, Noms]],
    ids: Sequence[int],
    claims: Claims,
    pending: set[str],
) -> Iterator[None]:
    """Gather what hangs on new people, one at a time; asks the base nothing."""
    for (gen, verdict, names), pid in zip(people, ids, strict=False):
        gen.personne_id = pid
        _insert(ctx, kind, gen, verdict, names, pid, next(ctx.reserve), claims, pending)
        yield


def _insert(
    ctx: Contexte, kind: str, gen: Gen, verdict: Verdict, names: Noms, pid: int, place_id: int,
    claims: Claims, pending: set[str],
) -> None:  # fmt: skip
    rows = ctx.ecritures.nouveaux
    if names.variantes:
        rows["variante_nom"] += [(pid, key) for key in names.variantes]
    for cle in gen.identifiants:
        if cle not in verdict.refuses and cle not in claims:
            claims[cle] = (pid, names.cle_naissance, gen.identite.get("date_naissance"))
            rows["identifiant"].append((pid, *cle, ctx.source))
    part = gen.part
    undo: dict[str, Any] = {"cree": True}
    if part is not None:
        _attach(ctx, kind, pid, place_id, part, names.cle)
        undo["place"] = {"id": place_id, "nouvelle": True}
    if gen.liens:
        ctx.liens.append((pid, gen.liens, {key: [None, value] for key, value in gen.liens.items()}))
    _sign(ctx, gen, pid, undo, pending)
    ctx.compter("crees")


def _attach(
    ctx: Contexte, kind: str, pid: int, place_id: int, part: dict[str, Any], key: str | None = None
) -> None:
    """Add an attachment; the key of a person who is already there is read when it is written."""
    columns = ctx.ecritures.colonnes(part)
    profil = part.get("profil") or PROFILS_DE[kind][-1]
    ctx.ecritures.nouveaux["rattachement"].append(
        (
            place_id, pid, key, ctx.etablissement_id, profil, ctx.source, part.get("debut"),
            columns.get("mef_id"), columns.get("division_id"), columns.get("regime"),
        )
    )  # fmt: skip
    ctx.ecritures.facettes(pid, place_id, part, neuve=True)


def _same_person(ctx: Contexte, gen: Gen, claims: Claims, pending: set[str]) -> None:
    """A second record of a person created in this batch: its key and identifiers join theirs."""
    pid = gen.personne_id
    for cle in gen.identifiants:
        if cle not in claims:
            claims[cle] = (pid or 0, "", None)
            ctx.ecritures.nouveaux["identifiant"].append((pid, *cle, ctx.source))
    if gen.liens and pid:
        ctx.liens.append((pid, gen.liens, {key: [None, value] for key, value in gen.liens.items()}))
    _sign(ctx, gen, pid, {"cree": False}, pending)
    ctx.compter("modifies")


def _sign(ctx: Contexte, gen: Gen, pid: int | None, undo: dict[str, Any], pending: set[str]) -> None:
    """Record what the source now says of the key, and that the difference is applied."""
    shared = gen.ligne.cle in pending
    digest = None if shared else gen.ligne.empreinte
    if gen.fiche_id is None:
        ctx.ecritures.nouveaux["fiche_source"].append(
            (ctx.espace, gen.ligne.objet, gen.ligne.cle, ctx.etablissement_id, pid, digest, True, gen.champs)
        )
    else:
        ctx.ecritures.fiches.append((pid, ctx.etablissement_id, digest, True, None, gen.champs, gen.fiche_id))
        undo["stated"] = gen.anciens
    if pid is not None:
        ctx.connus[gen.ligne.objet, gen.ligne.cle] = pid
    undo["fiche"] = gen.fiche_id is not None
    ctx.ecritures.ecarts.append(
        (ctx.etablissement_id, pid, orjson.dumps(undo), ctx.ecritures.instant, gen.ligne.id)
    )


def _change(
    ctx: Contexte, kind: str, gen: Gen, verdict: Verdict, state: Etat, claims: Claims, pending: set[str]
) -> None:
    pid = gen.personne_id
    if pid is None:
        return
    diff = difference(
        state,
        gen.identite,
        [cle for cle in gen.identifiants if cle not in verdict.refuses and cle not in claims],
        {ctx.uai: gen.part} if gen.part is not None else None,
        gen.liens,
        source=ctx.source,
    )
    undo: dict[str, Any] = {"identite": diff.identite, "identifiants": diff.identifiants}
    values = {name: change[1] for name, change in diff.identite.items()}
    if {"nom", "nom_usage", "prenom"} & values.keys():
        after = state.identite | values
        values["nom_recherche"] = personne_key(after["nom_usage"] or after["nom"], after["prenom"])[:220]
        ctx.ecritures.variantes(pid, after)
    ctx.ecritures.identite(pid, values)
    for cle in diff.identifiants:
        claims[cle] = (pid, "", None)
        if cle[0] == "ine":
            _replace_ine(ctx, pid, undo)
        ctx.ecritures.nouveaux["identifiant"].append((pid, *cle, ctx.source))
    if gen.part is not None:
        undo["place"] = _place(ctx, kind, pid, state, gen.part, diff.parts.get(ctx.uai, {}))
        if state.supprime:
            ctx.ecritures.rouvertes.append(pid)
            undo["supprime"] = True
    if gen.liens is not None:
        ctx.liens.append((pid, gen.liens, diff.liens))
        undo["liens"] = diff.liens
    _sign(ctx, gen, pid, undo, pending)
    ctx.compter(compte_de(gen.ligne))


def compte_de(ligne: LigneEcart) -> str:
    """Return the name a difference is counted under in the journal."""
    if ligne.code == RECONNU:
        return "reconnus"
    return {"cree": "crees", "depart": "departs", "retour": "retours"}.get(ligne.nature, "modifies")


def _replace_ine(ctx: Contexte, pid: int, undo: dict[str, Any]) -> None:
    """A person has one INE: the new one takes the place of the old."""
    old = [
        list(row)
        for row in rows_of(
            ctx.session,
            "SELECT type, portee, valeur, source FROM identifiant"
            " WHERE personne_id = :id AND type || '' = 'ine'",
            id=pid,
        )
    ]
    if old:
        undo["ine"] = old
        rows_of(ctx.session, "DELETE FROM identifiant WHERE personne_id = :id AND type || '' = 'ine'", id=pid)


def _place(
    ctx: Contexte, kind: str, pid: int, state: Etat, part: dict[str, Any], changes: dict[str, list[Any]]
) -> dict[str, Any]:
    """Open, reopen or change the attachment to the school; return what undoing needs."""
    place = state.places.get(ctx.uai)
    if place is None:
        place_id = next(ctx.reserve)
        _attach(ctx, kind, pid, place_id, part)
        return {"id": place_id, "nouvelle": True}
    undo: dict[str, Any] = {"id": place.id, "facettes": changes}
    values: dict[str, Any] = {}
    profil = part.get("profil")
    if profil and profil != place.profil:
        place, undo = _other_profile(ctx, state, place, profil, undo)
        changes = {key: [None, value] for key, value in part.items() if key != "profil"}
    if not place.ouverte:
        values |= {"fin": None, "motif_fin": None}
        undo["rouverte"] = True
        changes = {key: [place.facettes.get(key), part[key]] for key in part}
        undo["facettes"] = changes
    written = {key: change[1] for key, change in changes.items() if key != "profil"}
    values |= ctx.ecritures.colonnes(written)
    ctx.ecritures.place(place.id, values)
    ctx.ecritures.facettes(pid, place.id, written)
    return undo


def _other_profile(
    ctx: Contexte, state: Etat, place: Place, profil: str, undo: dict[str, Any]
) -> tuple[Place, dict[str, Any]]:
    """A teacher who becomes staff of the same school, or back: one attachment is open at a time."""
    other = next((p for p in state.autres_places if p.uai == ctx.uai and p.profil == profil), None)
    if other is None:
        ctx.ecritures.place(place.id, {"profil": profil})
        return place, undo | {"profil": place.profil}
    if place.ouverte:
        ctx.ecritures.place(place.id, {"fin": ctx.ecritures.instant, "motif_fin": "depart"})
        undo = undo | {"fermee": place.id}
    return other, undo | {"id": other.id}


def _leave(ctx: Contexte, kind: str, lignes: list[LigneEcart]) -> None:
    """Close the attachments of people the feed no longer states in this school."""
    ids = [ligne.personne_id for ligne in lignes if ligne.personne_id]
    closed: dict[int, list[int]] = {}
    for place_id, pid in rows_of(
        ctx.session,
        "SELECT id, personne_id FROM rattachement WHERE personne_id IN :ids"
        " AND etablissement_id = :school AND fin IS NULL AND source = :source AND profil IN :profils",
        ids=ids,
        school=ctx.etablissement_id,
        source=ctx.source,
        profils=list(PROFILS_DE[kind]),
    ):
        closed.setdefault(pid, []).append(place_id)
    close(ctx, [place for places in closed.values() for place in places])
    ctx.fermees += closed
    if kind == "eleve":
        ctx.eleves_partis += closed
    for ligne in lignes:
        undo = {"fermees": closed.get(ligne.personne_id or 0, [])}
        ctx.ecritures.ecarts.append(
            (ctx.etablissement_id, ligne.personne_id, orjson.dumps(undo), ctx.ecritures.instant, ligne.id)
        )
    ctx.compter("departs", len(lignes))
    rows_of(
        ctx.session,
        "UPDATE fiche_source SET presente = false WHERE espace || '' = :espace AND objet || '' = :objet"
        " AND absente_de = :feed AND personne_id IN :ids AND NOT EXISTS (SELECT 1 FROM ecart x"
        " WHERE x.alimentation_id = :feed AND x.objet = :objet AND x.partage AND x.cle = fiche_source.cle"
        " AND x.applique_le IS NULL AND x.uai <> :uai AND x.nature <> 'anomalie')",
        espace=ctx.espace,
        objet=kind,
        feed=ctx.alimentation_id,
        ids=ids,
        uai=ctx.uai,
    )


def close(ctx: Contexte, place_ids: list[int]) -> None:
    """Close attachments: the feed stopped naming these people here."""
    if place_ids:
        rows_of(
            ctx.session,
            "UPDATE rattachement SET fin = :instant, motif_fin = 'depart' WHERE id IN :ids",
            ids=place_ids,
            instant=now_of(ctx.session),
        )
