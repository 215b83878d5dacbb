"""Applying what a feed says of the school itself, its nomenclatures, divisions and groups."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson

from app.database import bulk_insert, rows_of
from app.operations.alimentation.champs import Record
from app.operations.alimentation.ecritures import now_of, table
from app.operations.alimentation.gens import Contexte, LigneEcart, compte_de
from app.operations.alimentation.references import ensure_academie
from app.operations.alimentation.structures import (
    COMPOSITION,
    TABLES,
    Cle,
    Ligne,
    changements,
    comparable,
    lignes,
)
from app.operations.alimentation.structures_accord import accorder_structures
from app.queries.noms import ecole_key, search_key


def appliquer_ecole(ctx: Contexte, lines: list[LigneEcart]) -> None:
    """Update the school's own sheet, whose row exists by now."""
    for ligne in lines:
        record = orjson.loads(ligne.donnees or b"{}")
        key, champs = comparable("etablissement", record)
        row = lignes(ctx.session, "etablissement", [key])[key]
        stated = _agree(ctx, "etablissement", [(ligne, row, champs)])[ligne.cle]
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
        if values.get("ouvert_le"):
            values["ouvert_le"] = date.fromisoformat(values["ouvert_le"])
        write_school(ctx, row.id, values)
        _to_sign(ctx, ligne, row.id, changes if ligne.nature != "cree" else {}, stated)
    sign_all(ctx, "etablissement")


def _agree(ctx: Contexte, kind: str, staged: list[tuple[LigneEcart, Ligne, Record]]) -> dict[str, int]:
    """Take out of records what does not stand against the base; return key → fields stated."""
    ctx.fiches_lues = {
        row[0]: (row[1], row[2])
        for row in rows_of(
            ctx.session,
            "SELECT cle, id, champs FROM fiche_source"
            " WHERE espace = :espace AND objet = :objet AND cle IN :cles",
            espace=ctx.espace,
            objet=kind,
            cles=[ligne.cle for ligne, _row, _champs in staged],
        )
    }
    return accorder_structures(
        ctx.session,
        ctx.espace,
        kind,
        [(ligne.cle, row, champs, ligne.cle in ctx.fiches_lues) for ligne, row, champs in staged],
    )


def _to_sign(
    ctx: Contexte, ligne: LigneEcart, row_id: int, changes: dict[str, list[Any]], stated: int
) -> None:
    ctx.a_signer.append((ligne, {"id": row_id, "champs": changes}, stated))


def write_school(ctx: Contexte, school_id: int, values: dict[str, Any]) -> None:
    """Change columns of a school, and the keys it is sorted and searched by."""
    if not values:
        return
    if "nom" in values or "commune" in values:
        values = {**values, **_keys(ctx, school_id, values)}
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


def _keys(ctx: Contexte, school_id: int, values: dict[str, Any]) -> dict[str, str]:
    row = rows_of(ctx.session, "SELECT nom, commune, uai FROM etablissement WHERE id = :id_", id_=school_id)[
        0
    ]
    nom, commune = values.get("nom", row[0]), values.get("commune", row[1])
    return {"nom_recherche": search_key(nom)[:240], "recherche": ecole_key(nom, commune, row[2])}


def appliquer_nomenclature(ctx: Contexte, kind: str, lines: list[LigneEcart]) -> None:
    """Create or rename lines of a nomenclature."""
    records = [(ligne, orjson.loads(ligne.donnees or b"{}")) for ligne in lines]
    staged = [(ligne, *comparable(kind, record)) for ligne, record in records]
    ctx.references.nomenclature(TABLES[kind], {key[1]: champs.get("libelle") for _l, key, champs in staged})
    base = lignes(ctx.session, kind, [key for _ligne, key, _champs in staged])
    stated = _agree(ctx, kind, [(ligne, base[key], champs) for ligne, key, champs in staged if key in base])
    for ligne, key, champs in staged:
        row = base.get(key)
        if row is not None:
            changes, _kept = changements(row, champs)
            update_row(ctx, TABLES[kind], row.id, {name: change[1] for name, change in changes.items()})
            _to_sign(ctx, ligne, row.id, changes if ligne.nature != "cree" else {}, stated[ligne.cle])
    sign_all(ctx, kind)


def update_row(ctx: Contexte, name: str, row_id: int, values: Record) -> None:
    """Change columns of one row."""
    if values:
        assignments = ", ".join(f"{field} = :{field}" for field in values)
        rows_of(ctx.session, f"UPDATE {name} SET {assignments} WHERE id = :id_", **values, id_=row_id)


def appliquer_classes(ctx: Contexte, kind: str, lines: list[LigneEcart]) -> None:
    """Create, change, close or reopen divisions and groups of the school."""
    staged: list[tuple[LigneEcart, Cle, Record]] = []
    for ligne in lines:
        key, champs = comparable(kind, orjson.loads(ligne.donnees or b"{}"))
        staged.append((ligne, key, {"active": False} if ligne.nature == "depart" else champs))
    name = TABLES[kind]
    composition = COMPOSITION[kind][0]
    _insert_new(ctx, name, [(key[1], champs.get("libelle") or "") for _ligne, key, champs in staged])
    ctx.references.forget_classes()
    base = lignes(ctx.session, kind, [key for _ligne, key, _champs in staged])
    stated = _agree(ctx, kind, [(ligne, base[key], champs) for ligne, key, champs in staged if key in base])
    compositions: dict[int, list[str]] = {}
    for ligne, key, champs in staged:
        row = base.get(key)
        if row is None:
            continue
        changes, _kept = changements(row, champs)
        values = {field: change[1] for field, change in changes.items() if field != composition}
        update_row(ctx, name, row.id, values)
        if composition in changes:
            compositions[row.id] = changes[composition][1]
        _to_sign(ctx, ligne, row.id, changes, stated[ligne.cle])
    write_compositions(ctx, kind, compositions)
    sign_all(ctx, kind)


def _insert_new(ctx: Contexte, name: str, classes: list[tuple[str, str]]) -> None:
    """Insert the divisions or groups the school has not, in one write."""
    known = {
        row[0]
        for row in rows_of(
            ctx.session,
            f"SELECT code FROM {name} WHERE etablissement_id = :school AND code IN :codes",
            school=ctx.etablissement_id,
            codes=[code for code, _libelle in classes],
        )
    }
    new = {code: libelle for code, libelle in classes if code not in known}
    if new:
        bulk_insert(
            ctx.session,
            table(name),
            ("etablissement_id", "code", "libelle", "source", "active"),
            [(ctx.etablissement_id, code, libelle, ctx.source, True) for code, libelle in new.items()],
        )


def write_compositions(ctx: Contexte, kind: str, wanted: dict[int, list[str]]) -> None:
    """Write the MEF of divisions, or the divisions of groups: row id → codes."""
    if not wanted:
        return
    _name, joining, own, other, _table = COMPOSITION[kind]
    codes = sorted({code for listed in wanted.values() for code in listed})
    ids = (
        ctx.references.nomenclature("mef", dict.fromkeys(codes))
        if kind == "division"
        else ctx.references.classes("division", codes)
    )
    width = 11 if kind == "division" else 32
    rows_of(ctx.session, f"DELETE FROM {joining} WHERE {own} IN :ids", ids=sorted(wanted))
    rows = {(row_id, ids[code[:width]]) for row_id, listed in wanted.items() for code in listed}
    if rows:
        bulk_insert(ctx.session, table(joining), (own, other), sorted(rows))


def sign_all(ctx: Contexte, kind: str) -> None:
    """Record the digests of one batch of structures, and that their differences are applied."""
    school = ctx.etablissement_id or None
    signed: set[str] = set()
    for ligne, undo, stated in ctx.a_signer:
        fiche_id, before = ctx.fiches_lues.get(ligne.cle, (None, None))
        present = ligne.nature != "depart"
        if fiche_id is not None:
            undo["stated"] = before
            now_stated = stated if present else before
            ctx.ecritures.fiches.append((None, school, ligne.empreinte, present, None, now_stated, fiche_id))
        elif ligne.cle not in signed:
            ctx.ecritures.nouveaux["fiche_source"].append(
                (ctx.espace, kind, ligne.cle, school, None, ligne.empreinte, present, stated)
            )
        signed.add(ligne.cle)
        undo["fiche"] = fiche_id is not None
        ctx.ecritures.ecarts.append((school, None, orjson.dumps(undo), ctx.ecritures.instant, ligne.id))
        ctx.compter(compte_de(ligne))
    ctx.a_signer = []
