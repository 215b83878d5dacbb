"""Undoing the last feed applied in a scope, school by school, from what applying it wrote down.

What somebody changed since stays: a field edited by hand, a person who has an account or whom
another source also names. Their digest is forgotten, so the same file may be applied again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import bulk_insert, bulk_update, lock, rows_of
from app.errors import ConflictError
from app.extensions import now
from app.models import Alimentation, AlimentationEtablissement, Ecart
from app.operations import journal
from app.operations.alimentation.champs import ORDRE, PERSONNES
from app.operations.alimentation.ecritures import LIEN, Ecritures, now_of, table
from app.operations.alimentation.etablissements import update_row, write_compositions, write_school
from app.operations.alimentation.etats import etats
from app.operations.alimentation.familles import attach_guardians, detacher_responsables, write_links
from app.operations.alimentation.gens import Contexte
from app.operations.alimentation.references import References
from app.operations.alimentation.structures import COMPOSITION, TABLES, lignes
from app.queries.noms import personne_key

LOT = 1000
EVERYWHERE = {"hors_perimetre": True}
"""What another school's part of the same source holds counts too."""


def annuler(session: Session, alimentation: Alimentation, *, acteur: str) -> Iterator[str]:
    """Undo a feed; yield the UAI of each school undone, for the caller to commit.

    Feeds applied since that changed nothing (the same files again) are undone with it.

    :raises ConflictError: a feed applied since in its scope changed something.
    """
    _check_last(session, alimentation)
    lines = session.scalars(
        select(AlimentationEtablissement)
        .where(
            AlimentationEtablissement.alimentation_id == alimentation.id,
            AlimentationEtablissement.applique_le.is_not(None),
        )
        .order_by(AlimentationEtablissement.uai.desc())
    ).all()
    for line in lines:
        lock(session, "alimentation")
        _undo_school(session, alimentation, line, acteur)
        line.applique_le = None
        session.flush()
        yield line.uai
    lock(session, "alimentation")
    _undo_common(session, alimentation)
    for feed in (alimentation, *_later(session, alimentation)):  # the later ones changed nothing
        feed.etat = "annulee"
        feed.annulee_le = now()
    session.flush()


def _check_last(session: Session, alimentation: Alimentation) -> None:
    if alimentation.etat not in ("appliquee", "application"):
        raise ConflictError("Seule une alimentation appliquée peut être annulée.")
    if any(_wrote(session, later.id) for later in _later(session, alimentation)):
        raise ConflictError(
            "Une alimentation plus récente de la même source a été appliquée : annulez-la d’abord."
        )


def _later(session: Session, alimentation: Alimentation) -> Sequence[Alimentation]:
    """Return the feeds of the same scope applied after this one."""
    return session.scalars(
        select(Alimentation).where(
            Alimentation.cle_portee == alimentation.cle_portee,
            Alimentation.id > alimentation.id,
            Alimentation.etat.in_(("appliquee", "application")),
        ),
        execution_options=EVERYWHERE,
    ).all()


def _wrote(session: Session, feed_id: int) -> bool:
    """Tell whether applying a feed changed anything: the same files read again change nothing."""
    schools = select(AlimentationEtablissement.id).where(
        AlimentationEtablissement.alimentation_id == feed_id,
        AlimentationEtablissement.applique_le.is_not(None),
    )
    common = select(Ecart.id).where(
        Ecart.alimentation_id == feed_id, Ecart.uai.is_(None), Ecart.applique_le.is_not(None)
    )
    return any(session.scalar(asked.limit(1), execution_options=EVERYWHERE) for asked in (schools, common))


def _undo_school(
    session: Session, alimentation: Alimentation, line: AlimentationEtablissement, acteur: str
) -> None:
    ctx = _context(session, alimentation, line)
    created: list[int] = []
    for kind in ("lien", *reversed(PERSONNES), "groupe", "division", "etablissement"):
        for rows in _applied(ctx, kind):
            if kind == "lien":
                _undo_links(ctx, rows)
            elif kind in PERSONNES:
                created += _undo_people(ctx, kind, rows)
            else:
                _undo_structures(ctx, kind, rows)
            _forget(ctx, kind, rows)
    detacher_responsables(ctx)
    _remove_created(ctx, created)
    _people_without_place(ctx)
    rows_of(
        session,
        "UPDATE ecart SET applique_le = NULL WHERE alimentation_id = :feed AND uai = :uai",
        feed=alimentation.id,
        uai=line.uai,
    )
    journal.write(
        session,
        acte="alimentation.annuler",
        acteur=acteur,
        objet_type="alimentation",
        objet_id=alimentation.id,
        objet=str(alimentation),
        etablissement_id=line.etablissement_id,
        apres=ctx.comptes,
    )


def _context(
    session: Session, alimentation: Alimentation, line: AlimentationEtablissement | None = None
) -> Contexte:
    school = (line.etablissement_id if line else None) or 0
    references = References(session, alimentation.source)
    references.etablissement_id = school
    return Contexte(
        session=session,
        alimentation_id=alimentation.id,
        source=alimentation.source,
        espace=alimentation.cle_portee,
        uai=line.uai if line else "",
        etablissement_id=school,
        today=now().date().isoformat(),
        references=references,
        ecritures=Ecritures(session, alimentation.source, references),
    )


def _applied(ctx: Contexte, kind: str) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the applied differences of one kind: nature, key, person, what undoing needs."""
    last = 0
    school, values = ("uai = :uai", {"uai": ctx.uai}) if ctx.uai else ("uai IS NULL", {})
    while True:
        rows = rows_of(
            ctx.session,
            "SELECT id, nature, cle, personne_id, defaire FROM ecart WHERE alimentation_id = :feed"
            f" AND {school} AND ordre = :ordre AND applique_le IS NOT NULL AND defaire IS NOT NULL"
            " AND nature <> 'anomalie' AND id > :last ORDER BY id LIMIT :size",
            feed=ctx.alimentation_id,
            ordre=ORDRE[kind],
            last=last,
            size=LOT,
            **values,
        )
        if rows:
            yield [(row[1], row[2], row[3], orjson.loads(row[4])) for row in rows]
        if len(rows) < LOT:
            return
        last = rows[-1][0]


def _undo_people(ctx: Contexte, kind: str, rows: list[tuple[Any, ...]]) -> list[int]:
    """Give people back what they were; return those the feed had created."""
    ids = [pid for _nature, _cle, pid, _undo in rows if pid]
    states = etats(ctx.session, kind, ctx.espace, ids)
    created: list[int] = []
    closed: list[int] = []
    for nature, _cle, pid, undo in rows:
        if pid not in states:
            continue
        if nature == "depart":
            _reopen(ctx, kind, pid, undo.get("fermees") or [])
            continue
        if undo.get("cree"):
            created.append(pid)
        state = states[pid]
        back = {
            name: change[0]
            for name, change in (undo.get("identite") or {}).items()
            if name not in state.verrous and state.identite.get(name) == change[1]
        }
        if {"nom", "nom_usage", "prenom"} & back.keys():
            after = state.identite | back
            back["nom_recherche"] = personne_key(after["nom_usage"] or after["nom"], after["prenom"])[:220]
            ctx.ecritures.variantes(pid, after)
        ctx.ecritures.identite(pid, back)
        _undo_identifiers(ctx, pid, undo)
        place = undo.get("place") or {}
        if place.get("nouvelle") or place.get("rouverte"):
            closed.append(place["id"])
        if place.get("nouvelle") and kind == "personnel":  # services hang on the school, not on the place
            ctx.ecritures.facettes(pid, place["id"], {"fonctions": [], "services": [], "principal": []})
        elif place:
            _undo_facets(ctx, pid, place)
        _undo_liens(ctx, pid, undo.get("liens") or {})
    ctx.ecritures.vider()
    _close_again(ctx, closed, rows)
    ctx.compter(kind, len(rows))
    return created


def _reopen(ctx: Contexte, kind: str, pid: int, places: list[int]) -> None:
    for place_id in places:
        ctx.ecritures.place(place_id, {"fin": None, "motif_fin": None})
    ctx.ecritures.rouvertes.append(pid)
    rows_of(
        ctx.session,
        "UPDATE fiche_source SET presente = true, empreinte = NULL WHERE espace || '' = :espace"
        " AND objet || '' = :objet AND personne_id = :id AND absente_de = :feed",
        espace=ctx.espace,
        objet=kind,
        id=pid,
        feed=ctx.alimentation_id,
    )
    if kind == "eleve" and places:
        guardians = rows_of(
            ctx.session,
            "SELECT l.responsable_id FROM responsabilite l JOIN rattachement r"
            " ON r.personne_id = l.responsable_id AND r.profil = 'responsable'"
            " AND r.etablissement_id = :school WHERE l.eleve_id = :id",
            school=ctx.etablissement_id,
            id=pid,
        )
        attach_guardians(ctx, {row[0] for row in guardians})


def _undo_identifiers(ctx: Contexte, pid: int, undo: dict[str, Any]) -> None:
    for type_, portee, valeur in undo.get("identifiants") or ():
        rows_of(
            ctx.session,
            "DELETE FROM identifiant WHERE personne_id = :id AND type = :type AND portee = :portee"
            " AND valeur = :valeur",
            id=pid,
            type=type_,
            portee=portee,
            valeur=valeur,
        )
    for type_, portee, valeur, source in undo.get("ine") or ():
        bulk_insert(
            ctx.session,
            table("identifiant"),
            ("personne_id", "type", "portee", "valeur", "source"),
            [(pid, type_, portee, valeur, source)],
        )


def _undo_facets(ctx: Contexte, pid: int, place: dict[str, Any]) -> None:
    """Write again what the person did in the school before the feed."""
    before = {
        key: (change[0] or [])
        if key in ("groupes", "options", "fonctions", "services", "principal")
        else change[0]
        for key, change in (place.get("facettes") or {}).items()
        if key != "profil"
    }
    values = ctx.ecritures.colonnes(before)
    if place.get("profil"):
        values["profil"] = place["profil"]
    ctx.ecritures.place(place["id"], values)
    ctx.ecritures.facettes(pid, place["id"], before)
    if place.get("fermee"):
        ctx.ecritures.place(place["fermee"], {"fin": None, "motif_fin": None})


def _undo_liens(ctx: Contexte, pid: int, changes: dict[str, list[Any]]) -> None:
    if not changes:
        return
    guardians = {
        row[0]: row[1]
        for row in rows_of(
            ctx.session,
            "SELECT cle, personne_id FROM fiche_source WHERE espace = :espace AND objet = 'responsable'"
            " AND cle IN :cles",
            espace=ctx.espace,
            cles=sorted(changes),
        )
    }
    back = {(pid, guardians[cle]): change[0] for cle, change in changes.items() if guardians.get(cle)}
    write_links(
        ctx,
        {pair: value for pair, value in back.items() if value},
        {pair for pair, value in back.items() if not value},
    )


def _close_again(ctx: Contexte, places: list[int], rows: list[tuple[Any, ...]]) -> None:
    if not places:
        return
    rows_of(
        ctx.session,
        "UPDATE rattachement SET fin = :instant, motif_fin = 'annulation' WHERE id IN :ids",
        ids=places,
        instant=now_of(ctx.session),
    )
    ctx.fermees += [pid for _nature, _cle, pid, _undo in rows if pid]
    ctx.eleves_partis += [pid for _nature, _cle, pid, _undo in rows if pid]


def _undo_links(ctx: Contexte, rows: list[tuple[Any, ...]]) -> None:
    wanted: dict[tuple[int, int], list[Any]] = {}
    removed: set[tuple[int, int]] = set()
    for nature, cle, _pid, undo in rows:
        pair = tuple(undo.get("lien") or ())
        if len(pair) != len(LIEN[:2]):
            continue
        if undo.get("avant"):
            wanted[pair[0], pair[1]] = undo["avant"]
        else:
            removed.add((pair[0], pair[1]))
        if nature == "depart":
            rows_of(
                ctx.session,
                "UPDATE fiche_source SET presente = true WHERE espace = :espace AND objet = 'lien'"
                " AND cle = :cle",
                espace=ctx.espace,
                cle=cle,
            )
    write_links(ctx, wanted, removed)
    attach_guardians(ctx, {pair[1] for pair in wanted})
    ctx.compter("lien", len(rows))


def _undo_structures(ctx: Contexte, kind: str, rows: list[tuple[Any, ...]]) -> None:
    """Give schools, classes and nomenclature lines back what they said, unless it changed since."""
    compositions: dict[int, list[str]] = {}
    keys = {cle: _key_of(ctx, kind, cle) for _nature, cle, _pid, _undo in rows}
    base = lignes(ctx.session, kind, keys.values())
    for nature, cle, _pid, undo in rows:
        row = base.get(keys[cle])
        before = {
            name: change[0]
            for name, change in (undo.get("champs") or {}).items()
            if row is not None and row.champs.get(name) == change[1]
        }
        if kind == "etablissement":
            write_school(ctx, undo["id"], _school_columns(ctx, before))
            continue
        composition = COMPOSITION[kind][0] if kind in COMPOSITION else ""
        if nature == "cree":
            before = {"active": False} if kind in COMPOSITION else {}
        update_row(
            ctx, TABLES[kind], undo["id"], {key: value for key, value in before.items() if key != composition}
        )
        if composition in before and before[composition] is not None:
            compositions[undo["id"]] = before[composition]
    if kind in COMPOSITION:
        write_compositions(ctx, kind, compositions)
    ctx.compter(kind, len(rows))


def _key_of(ctx: Contexte, kind: str, cle: str) -> tuple[str, str]:
    """Return the key the row of a structure is read by."""
    if kind == "etablissement":
        return "", ctx.uai
    return (ctx.uai, cle.partition("$")[2]) if kind in COMPOSITION else ("", cle)


def _school_columns(ctx: Contexte, before: dict[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in before.items() if name not in ("academie", "mere")}
    for name, column, of in (("academie", "academie_id", "academie"), ("mere", "mere_id", "etablissement")):
        if name not in before:
            continue
        code = "code" if name == "academie" else "uai"
        found = rows_of(ctx.session, f"SELECT id FROM {of} WHERE {code} = :code", code=before[name] or "")
        values[column] = found[0][0] if found else None
    return values


def _undo_common(session: Session, alimentation: Alimentation) -> None:
    """Undo the nomenclature lines, which belong to no school; those it created stay."""
    ctx = _context(session, alimentation)
    for kind in ("mef", "matiere"):
        for rows in _applied(ctx, kind):
            _undo_structures(ctx, kind, rows)
            _forget(ctx, kind, rows)
    rows_of(
        session,
        "UPDATE ecart SET applique_le = NULL WHERE alimentation_id = :feed AND uai IS NULL",
        feed=alimentation.id,
    )


def _forget(ctx: Contexte, kind: str, rows: list[tuple[Any, ...]]) -> None:
    """Forget digests, and the keys this feed was the first to state."""
    first = [cle for nature, cle, _pid, undo in rows if nature != "depart" and not undo.get("fiche")]
    known = [cle for nature, cle, _pid, undo in rows if nature != "depart" and undo.get("fiche")]
    where = "WHERE espace = :espace AND objet = :objet AND cle IN :cles"
    values = {"espace": ctx.espace, "objet": kind}
    if first:
        rows_of(ctx.session, f"DELETE FROM fiche_source {where}", cles=first, **values)
    if known:
        stated = {cle: undo.get("stated") for _nature, cle, _pid, undo in rows}
        ids = rows_of(ctx.session, f"SELECT id, cle FROM fiche_source {where}", cles=known, **values)
        bulk_update(
            ctx.session,
            table("fiche_source"),
            "id",
            ("empreinte", "champs"),
            [(None, stated[cle], row_id) for row_id, cle in ids],
        )


def _remove_created(ctx: Contexte, created: list[int]) -> None:
    """Remove the people the feed created, unless something else refers to them by now."""
    if not created:
        return
    removable = [
        row[0]
        for row in rows_of(
            ctx.session,
            "SELECT p.id FROM personne p WHERE p.id IN :ids"
            " AND NOT EXISTS (SELECT 1 FROM ab_user u WHERE u.personne_id = p.id)"
            " AND NOT EXISTS (SELECT 1 FROM verrou_personne v WHERE v.personne_id = p.id)"
            " AND NOT EXISTS (SELECT 1 FROM fiche_source f WHERE f.personne_id = p.id)"
            " AND NOT EXISTS (SELECT 1 FROM rattachement r WHERE r.personne_id = p.id AND r.fin IS NULL)",
            ids=created,
        )
    ]
    rows_of(ctx.session, "DELETE FROM personne WHERE id IN :ids", ids=removable)
    ctx.fermees = [pid for pid in ctx.fermees if pid not in set(removable)]


def _people_without_place(ctx: Contexte) -> None:
    if ctx.fermees:
        rows_of(
            ctx.session,
            "UPDATE personne SET supprime_le = :instant WHERE id IN :ids AND supprime_le IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM rattachement r WHERE r.personne_id = personne.id"
            " AND r.fin IS NULL)",
            ids=sorted(set(ctx.fermees)),
            instant=now_of(ctx.session),
        )
