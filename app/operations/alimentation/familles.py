"""Guardianship links of one school, and the attachments of guardians that follow them."""

from __future__ import annotations

from typing import Any

import orjson

from app.database import bulk_insert, bulk_update, rows_of
from app.operations.alimentation.champs import attributs_lien
from app.operations.alimentation.ecritures import LIEN, table
from app.operations.alimentation.gens import Contexte, LigneEcart, close, compte_de

TRANCHE = 2000


def appliquer_liens(ctx: Contexte) -> None:
    """Write the links the pupils of the school state, then attach their guardians to it."""
    for start in range(0, len(ctx.liens), TRANCHE):
        _slice(ctx, ctx.liens[start : start + TRANCHE])
    ctx.liens = []


def _slice(ctx: Contexte, stated: list[tuple[int, dict[str, list[Any]], dict[str, list[Any]]]]) -> None:
    keys = {cle for _pid, _all, changes in stated for cle in changes}
    keys |= {cle for _pid, liens, _changes in stated for cle in liens}
    guardians = people_of(ctx, "responsable", keys)
    unresolved = [pid for pid, liens, _changes in stated if any(cle not in guardians for cle in liens)]
    wanted: dict[tuple[int, int], list[Any]] = {}
    removed: set[tuple[int, int]] = set()
    for pid, _liens, changes in stated:
        for cle, (_old, new) in changes.items():
            guardian = guardians.get(cle)
            if guardian is None or guardian == pid:
                continue
            if new is None:
                removed.add((pid, guardian))
            else:
                wanted[pid, guardian] = new
    # a guardian stated under another key too (two people made one) is still their guardian
    stands = {(pid, guardians[cle]) for pid, liens, _c in stated for cle in liens if cle in guardians}
    write_links(ctx, wanted, removed - wanted.keys() - stands)
    attach_guardians(ctx, {guardians[cle] for _pid, liens, _c in stated for cle in liens if cle in guardians})
    if unresolved:
        ctx.compter("responsables_absents", len(unresolved))
        rows_of(
            ctx.session,
            "UPDATE fiche_source SET empreinte = NULL WHERE espace || '' = :espace AND objet || '' = 'eleve'"
            " AND personne_id IN :ids",
            espace=ctx.espace,
            ids=unresolved,
        )


def people_of(ctx: Contexte, kind: str, keys: set[str]) -> dict[str, int]:
    """Return source key → person; the keys this school signed are asked to nobody."""
    found = {cle: ctx.connus[kind, cle] for cle in keys if (kind, cle) in ctx.connus}
    if others := sorted(keys - found.keys()):
        found |= {
            row[0]: row[1]
            for row in rows_of(
                ctx.session,
                "SELECT cle, personne_id FROM fiche_source WHERE espace = :espace AND objet = :objet"
                " AND cle IN :cles AND personne_id IS NOT NULL",
                espace=ctx.espace,
                objet=kind,
                cles=others,
            )
        }
    return found


def write_links(
    ctx: Contexte, wanted: dict[tuple[int, int], list[Any]], removed: set[tuple[int, int]]
) -> None:
    """Insert, change and remove links; a link typed by hand is never removed."""
    pupils = sorted({pair[0] for pair in (*wanted, *removed)})
    if not pupils:
        return
    known = {
        (row[1], row[2]): (row[0], row[3])
        for row in rows_of(
            ctx.session,
            "SELECT id, eleve_id, responsable_id, source FROM responsabilite WHERE eleve_id IN :ids",
            ids=pupils,
        )
    }
    columns = LIEN[2:7]
    bulk_update(
        ctx.session,
        table("responsabilite"),
        "id",
        columns,
        [(*value, known[pair][0]) for pair, value in wanted.items() if pair in known],
    )
    new = [(*pair, *value, ctx.source) for pair, value in wanted.items() if pair not in known]
    if new:
        bulk_insert(ctx.session, table("responsabilite"), LIEN, new)
    gone = [known[pair][0] for pair in removed if pair in known and known[pair][1] == ctx.source]
    if gone:
        rows_of(ctx.session, "DELETE FROM responsabilite WHERE id IN :ids", ids=gone)
    ctx.responsables_touches |= {pair[1] for pair in removed}


def attach_guardians(ctx: Contexte, guardians: set[int]) -> None:
    """Open the guardians' attachment to the school where it is missing or closed."""
    if not guardians:
        return
    here = {
        row[1]: row
        for row in rows_of(
            ctx.session,
            "SELECT id, personne_id, fin FROM rattachement WHERE personne_id IN :ids"
            " AND etablissement_id = :school AND profil = 'responsable'",
            ids=sorted(guardians),
            school=ctx.etablissement_id,
        )
    }
    missing = sorted(guardians - here.keys())
    if missing:
        rows_of(
            ctx.session,
            "INSERT INTO rattachement (personne_id, cle, etablissement_id, profil, source)"
            " SELECT id, nom_recherche, :school, 'responsable', :source FROM personne WHERE id IN :ids",
            ids=missing,
            school=ctx.etablissement_id,
            source=ctx.source,
        )
    closed = sorted(row[0] for row in here.values() if row[2] is not None)
    if closed:
        rows_of(
            ctx.session, "UPDATE rattachement SET fin = NULL, motif_fin = NULL WHERE id IN :ids", ids=closed
        )
    back = missing + [row[1] for row in here.values() if row[2] is not None]
    if back:
        rows_of(ctx.session, "UPDATE personne SET supprime_le = NULL WHERE id IN :ids", ids=back)


def appliquer_lot_liens(ctx: Contexte, lignes: list[LigneEcart]) -> None:
    """Apply links stated apart from the pupils (SIECLE)."""
    records = [(ligne, orjson.loads(ligne.donnees or b"{}")) for ligne in lignes]
    pupils = people_of(ctx, "eleve", {str(record["eleve_cle"]) for _l, record in records})
    guardians = people_of(ctx, "responsable", {str(record["responsable_cle"]) for _l, record in records})
    fiches = {
        row[0]: row[1]
        for row in rows_of(
            ctx.session,
            "SELECT cle, id FROM fiche_source WHERE espace = :espace AND objet = 'lien' AND cle IN :cles",
            espace=ctx.espace,
            cles=[ligne.cle for ligne in lignes],
        )
    }
    wanted: dict[tuple[int, int], list[Any]] = {}
    removed: set[tuple[int, int]] = set()
    for ligne, record in records:
        pupil = pupils.get(str(record["eleve_cle"]))
        guardian = guardians.get(str(record["responsable_cle"]))
        undo: dict[str, Any] = {}
        if pupil is None or guardian is None or pupil == guardian:
            ctx.compter("responsables_absents")
        elif ligne.nature == "depart":
            removed.add((pupil, guardian))
            undo = {"lien": [pupil, guardian]}
        else:
            wanted[pupil, guardian] = attributs_lien(record)
            undo = {"lien": [pupil, guardian], "nouveau": ligne.nature == "cree"}
        _sign_link(ctx, ligne, fiches.get(ligne.cle), pupil, guardian, undo)
    _remember_old(ctx, wanted, removed)
    write_links(ctx, wanted, removed)
    attach_guardians(ctx, {pair[1] for pair in wanted})
    ctx.ecritures.vider()


def _remember_old(
    ctx: Contexte, wanted: dict[tuple[int, int], list[Any]], removed: set[tuple[int, int]]
) -> None:
    """Add to each undo record what the link was before."""
    pairs = {*wanted, *removed}
    old = {
        (row[0], row[1]): [row[2], row[3], *(bool(flag) for flag in row[4:])]
        for row in rows_of(
            ctx.session,
            "SELECT eleve_id, responsable_id, code_parente, niveau, financier, contact, paiement"
            " FROM responsabilite WHERE eleve_id IN :ids",
            ids=sorted({pair[0] for pair in pairs}),
        )
    }
    rows = []
    for school, pid, undo, instant, row_id in ctx.ecritures.ecarts:
        record = orjson.loads(undo)
        if "lien" in record:
            record["avant"] = old.get(tuple(record["lien"]))
        rows.append((school, pid, orjson.dumps(record), instant, row_id))
    ctx.ecritures.ecarts = rows


def _sign_link(
    ctx: Contexte, ligne: LigneEcart, fiche_id: int | None, pupil: int | None, guardian: int | None,
    undo: dict[str, Any],
) -> None:  # fmt: skip
    present = ligne.nature != "depart"
    digest = ligne.empreinte if pupil and guardian else None
    if fiche_id is not None:
        ctx.ecritures.fiches.append((pupil, ctx.etablissement_id, digest, present, None, None, fiche_id))
    elif pupil:
        ctx.ecritures.nouveaux["fiche_source"].append(
            (ctx.espace, "lien", ligne.cle, ctx.etablissement_id, pupil, digest, True, None)
        )
    undo["fiche"] = fiche_id is not None
    ctx.ecritures.ecarts.append(
        (ctx.etablissement_id, pupil, orjson.dumps(undo), ctx.ecritures.instant, ligne.id)
    )
    ctx.compter(compte_de(ligne))


def detacher_responsables(ctx: Contexte) -> None:
    """Close the guardians' attachments that no pupil of the school justifies any more."""
    if ctx.eleves_partis:
        ctx.responsables_touches |= {
            row[0]
            for row in rows_of(
                ctx.session,
                "SELECT responsable_id FROM responsabilite WHERE eleve_id IN :ids",
                ids=ctx.eleves_partis,
            )
        }
    if not ctx.responsables_touches:
        return
    rows = rows_of(
        ctx.session,
        "SELECT r.id, r.personne_id FROM rattachement r WHERE r.etablissement_id = :school"
        " AND r.profil = 'responsable' AND r.fin IS NULL AND r.source <> 'manuel'"
        " AND r.personne_id IN :ids AND NOT EXISTS (SELECT 1 FROM responsabilite l"
        " JOIN rattachement e ON e.personne_id = l.eleve_id AND e.profil = 'eleve'"
        " AND e.etablissement_id = :school AND e.fin IS NULL WHERE l.responsable_id = r.personne_id)",
        school=ctx.etablissement_id,
        ids=sorted(ctx.responsables_touches),
    )
    close(ctx, [row[0] for row in rows])
    ctx.fermees += [row[1] for row in rows]
