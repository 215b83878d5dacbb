"""Applying what a feed says of the school itself, its nomenclatures, divisions and groups."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson

from app.database import rows_of
from app.operations.alimentation.champs import Record
from app.operations.alimentation.ecritures import now_of
from app.operations.alimentation.gens import Contexte, LigneEcart
from app.operations.alimentation.references import ensure_academie
from app.operations.alimentation.structures import COMPOSITION, TABLES, changements, comparable, lignes
from app.queries.noms import search_key


def appliquer_ecole(ctx: Contexte, lines: list[LigneEcart]) -> None:
    """Update the school's own sheet, whose row exists by now."""
    for ligne in lines:
        record = orjson.loads(ligne.donnees or b"{}")
        key, champs = comparable("etablissement", record)
        row = lignes(ctx.session, "etablissement", [key])[key]
        changes, _kept = changements(row, champs)
        values = {name: change[1] for name, change in changes.items()}
        if "academie" in values:
            values["academie_id"] = ensure_academie(
                ctx.session, values.pop("academie"), record.get("academie_nom")
            )
        if "mere" in values:
            found = rows_of(
                ctx.session, "SELECT id FROM etablissement WHERE uai = :uai", uai=values.pop("mere")
            )
            if found:
                values["mere_id"] = found[0][0]
        if "nom" in values:
            values["nom_recherche"] = search_key(values["nom"])[:240]
        if values.get("ouvert_le"):
            values["ouvert_le"] = date.fromisoformat(values["ouvert_le"])
        write_school(ctx, row.id, values)
        _sign(ctx, ligne, {"id": row.id, "champs": changes if ligne.nature != "cree" else {}})


def write_school(ctx: Contexte, school_id: int, values: dict[str, Any]) -> None:
    """Change columns of a school."""
    if not values:
        return
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    if ctx.session.get_bind().dialect.name == "sqlite":
        values = {
            key: value.isoformat() if isinstance(value, date) else value for key, value in values.items()
        }
    rows_of(
        ctx.session,
        f"UPDATE etablissement SET {assignments}, modifie_le = :now_ WHERE id = :id_",
        **values,
        now_=now_of(ctx.session),
        id_=school_id,
    )


def appliquer_nomenclature(ctx: Contexte, kind: str, lines: list[LigneEcart]) -> None:
    """Create or rename lines of a nomenclature."""
    records = [(ligne, orjson.loads(ligne.donnees or b"{}")) for ligne in lines]
    staged = [(ligne, *comparable(kind, record)) for ligne, record in records]
    ctx.references.nomenclature(TABLES[kind], {key[1]: champs.get("libelle") for _l, key, champs in staged})
    base = lignes(ctx.session, kind, [key for _ligne, key, _champs in staged])
    for ligne, key, champs in staged:
        row = base.get(key)
        if row is not None:
            changes, _kept = changements(row, champs)
            update_row(ctx, TABLES[kind], row.id, {name: change[1] for name, change in changes.items()})
            _sign(ctx, ligne, {"id": row.id, "champs": changes if ligne.nature != "cree" else {}})


def update_row(ctx: Contexte, table: str, row_id: int, values: Record) -> None:
    """Change columns of one row."""
    if values:
        assignments = ", ".join(f"{name} = :{name}" for name in values)
        rows_of(ctx.session, f"UPDATE {table} SET {assignments} WHERE id = :id_", **values, id_=row_id)


def appliquer_classes(ctx: Contexte, kind: str, lines: list[LigneEcart]) -> None:
    """Create, change, close or reopen divisions and groups of the school."""
    table = TABLES[kind]
    composition = COMPOSITION[kind][0]
    staged = []
    for ligne in lines:
        key, champs = comparable(kind, orjson.loads(ligne.donnees or b"{}"))
        staged.append((ligne, key, {"active": False} if ligne.nature == "depart" else champs))
    ctx.references.classes(table, [key[1] for _ligne, key, _champs in staged])
    ctx.references.forget_classes()
    base = lignes(ctx.session, kind, [key for _ligne, key, _champs in staged])
    for ligne, key, champs in staged:
        row = base.get(key)
        if row is None:
            continue
        changes, _kept = changements(row, champs)
        update_row(
            ctx, table, row.id, {name: change[1] for name, change in changes.items() if name != composition}
        )
        if composition in changes:
            write_composition(ctx, kind, row.id, changes[composition][1])
        _sign(ctx, ligne, {"id": row.id, "champs": changes}, present=ligne.nature != "depart")


def write_composition(ctx: Contexte, kind: str, row_id: int, codes: list[str]) -> None:
    """Write the MEF of a division, or the divisions of a group."""
    _name, joining, own, other, _table = COMPOSITION[kind]
    ids = (
        ctx.references.nomenclature("mef", dict.fromkeys(codes))
        if kind == "division"
        else ctx.references.classes("division", codes)
    )
    width = 11 if kind == "division" else 32
    rows_of(ctx.session, f"DELETE FROM {joining} WHERE {own} = :id", id=row_id)
    wanted = sorted({ids[code[:width]] for code in codes})
    if wanted:
        rows_of(
            ctx.session,
            f"INSERT INTO {joining} ({own}, {other}) SELECT CAST(:id AS INTEGER), value FROM LIST :ids",
            id=row_id,
            ids=wanted,
        )


def _sign(ctx: Contexte, ligne: LigneEcart, undo: dict[str, Any], *, present: bool = True) -> None:
    """Record the digest and that the difference is applied."""
    school = ctx.etablissement_id or None
    found = rows_of(
        ctx.session,
        "SELECT id FROM fiche_source WHERE espace = :espace AND objet = :objet AND cle = :cle",
        espace=ctx.espace,
        objet=ligne.objet,
        cle=ligne.cle,
    )
    if found:
        ctx.ecritures.fiches.append((None, school, ligne.empreinte, present, None, found[0][0]))
    else:
        ctx.ecritures.nouveaux["fiche_source"].append(
            (ctx.espace, ligne.objet, ligne.cle, school, None, ligne.empreinte, present)
        )
    undo["fiche"] = bool(found)
    ctx.ecritures.ecarts.append((school, None, orjson.dumps(undo), ctx.ecritures.instant, ligne.id))
    ctx.compter({"cree": "crees", "depart": "departs", "retour": "retours"}.get(ligne.nature, "modifies"))
