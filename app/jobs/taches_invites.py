"""The work on a file of guests: read it, judge it again, apply it, undo it; each lot is one transaction.

Killed while reading, the file is read again from its start; killed while applying or undoing, the work
goes on after the last line written: the cursor moves in the transaction that writes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson
from flask import current_app
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.database import bulk_insert
from app.errors import NotFoundError, UserError
from app.extensions import Base, now
from app.imports.invites import recognise, records
from app.jobs.context import Contexte, TacheAnnuleeError
from app.jobs.registry import handler
from app.models import Etablissement, ImportInvites, LigneImport
from app.operations import invites_lot, uploads
from app.operations.deployment import Deployment
from app.operations.invites import today
from app.operations.invites_import import ANNULER, APPLIQUER, LIRE, RELIRE
from app.operations.invites_lignes import Juge, Jugee, mended
from app.operations.saisies import Actor, record

LOT = 500
STOPPED = "Import arrêté avant cette ligne."
COLUMNS = ("import_id", "numero", "cellules", "constats", "etat", "choix", "remarque", "personne_id", "creee")


@handler(LIRE)
def read(context: Contexte) -> dict[str, Any]:
    """Read the file put down and judge its lines; the file goes, its lines stay."""
    item, session = _item(context), context.session
    if item.etat != "lecture":
        return {"import_id": item.id}
    folder = current_app.extensions["reglages"].dossier / "depots"
    depot = str(context.parametres["depot"])
    try:
        path = uploads.paths(folder, depot)[0]
        form = recognise(path)
        item.encodage, item.separateur = form.encodage, form.separateur
        item.entetes, item.colonnes = list(form.entetes), list(form.colonnes)
        session.execute(delete(LigneImport).where(LigneImport.import_id == item.id))
        juge, done = Juge(session, item.etablissement_id, today()), 0
        found = records(path, form)
        while lot := list(islice(found, LOT)):
            _insert(session, item, juge.juger(lot, item.colonnes))
            done += len(lot)
            context.progress(done)
        _check_filled(done)
        item.etat = "apercu"
    except UserError as error:
        _refuse(session, item, error.message)
        uploads.discard(folder, depot)
        raise
    except TacheAnnuleeError:
        _refuse(session, item, "Lecture annulée avant la fin.")
        uploads.discard(folder, depot)
        raise
    session.commit()
    uploads.discard(folder, depot)
    return {"import_id": item.id, "lignes": done}


def _check_filled(lines: int) -> None:
    if not lines:
        raise UserError("Ce fichier ne contient que les noms des colonnes. Ajoutez-y des invités.")


def _refuse(session: Session, item: ImportInvites, motif: str) -> None:
    session.rollback()
    session.refresh(item)
    session.execute(delete(LigneImport).where(LigneImport.import_id == item.id))
    item.etat, item.motif = "refuse", motif[:400]
    session.commit()


@handler(RELIRE)
def read_again(context: Contexte) -> dict[str, Any]:
    """Judge every line again; those left out by hand stay out."""
    item, session = _item(context), context.session
    columns, take = list(item.colonnes), bool(context.parametres.get("suggestions"))
    juge, done = Juge(session, item.etablissement_id, today()), 0
    total = _count(session, item)
    for lot in _lots(session, item, ("valide", "erreur", "deja"), 0):
        rows = [
            (ligne.numero, mended(ligne.cellules, columns, ligne.constats) if take else ligne.cellules)
            for ligne in lot
        ]
        for ligne, judged in zip(lot, juge.juger(rows, columns), strict=True):
            ligne.cellules, ligne.constats = judged.cellules, judged.constats()
            ligne.etat, ligne.choix = judged.etat, judged.choix
            ligne.personne_id, ligne.remarque = judged.personne_id, judged.remarque
        done += len(lot)
        context.progress(done, total)
    return {"import_id": item.id, "lignes": done}


@handler(APPLIQUER)
def apply(context: Contexte) -> dict[str, Any]:
    """Create the guests of the good lines; cancelled, what is written stays and the rest is left out."""
    item, session = _item(context), context.session
    if item.etat != "application":
        return {"import_id": item.id}
    ctx = _context(context, item)
    after = int((context.cursor or {}).get("apres", 0))
    made = int((context.cursor or {}).get("faites", 0))
    total = context.total or _count(session, item, "valide")
    juge = Juge(session, item.etablissement_id, today())
    try:
        for lot in _lots(session, item, ("valide",), after):
            made += invites_lot.appliquer_lot(session, ctx, juge, lot)
            context.progress(context.fait + len(lot), total, cursor={"apres": lot[-1].numero, "faites": made})
    except TacheAnnuleeError:
        session.rollback()
        for lot in _lots(session, item, ("valide",), 0):
            for ligne in lot:
                ligne.etat, ligne.choix, ligne.remarque = "ecartee", "", False
                ligne.constats = [{"champ": "nom", "texte": STOPPED, "erreur": False, "suggestion": ""}]
            session.commit()
        _close(session, item, ctx.acteur, made)
        raise
    _close(session, item, ctx.acteur, made)
    return {"import_id": item.id, "invites": made}


def _close(session: Session, item: ImportInvites, acteur: Actor, made: int) -> None:
    item.etat, item.applique_le = "applique", now()
    record(
        session, item, "invites.importer", acteur, etablissement_id=item.etablissement_id,
        changes={"invites": (None, made)},
    )  # fmt: skip
    session.commit()


@handler(ANNULER)
def undo(context: Contexte) -> dict[str, Any]:
    """Take the guests of a file out again."""
    item, session = _item(context), context.session
    if item.etat != "annulation":
        return {"import_id": item.id}
    ctx = _context(context, item)
    after = int((context.cursor or {}).get("apres", 0))
    gone = int((context.cursor or {}).get("defaites", 0))
    total = context.total or _count(session, item, "faite")
    for lot in _lots(session, item, ("faite",), after):
        last, size = lot[-1].numero, len(lot)
        gone += invites_lot.defaire_lot(session, ctx, lot)
        context.progress(context.fait + size, total, cursor={"apres": last, "defaites": gone})
    item.etat = "annule"
    record(
        session, item, "invites.annuler", ctx.acteur, etablissement_id=item.etablissement_id,
        changes={"invites": (None, gone)},
    )  # fmt: skip
    session.commit()
    return {"import_id": item.id, "invites": gone}


def _item(context: Contexte) -> ImportInvites:
    item = context.session.get(ImportInvites, context.parametres["import_id"])
    if item is None:
        raise NotFoundError("Ce fichier n’est plus là.")
    return item


def _context(context: Contexte, item: ImportInvites) -> invites_lot.Contexte:
    school = context.session.get_one(Etablissement, item.etablissement_id)
    acteur = Actor(str(context.parametres["acteur"]), context.parametres["acteur_id"])
    deployment = Deployment.of(current_app.extensions["reglages"])
    return invites_lot.Contexte(item, school, acteur, deployment)


def _count(session: Session, item: ImportInvites, etat: str = "") -> int:
    statement = select(func.count()).where(LigneImport.import_id == item.id)
    if etat:
        statement = statement.where(LigneImport.etat == etat)
    return int(session.scalar(statement) or 0)


def _lots(
    session: Session, item: ImportInvites, etats: tuple[str, ...], after: int
) -> Iterator[list[LigneImport]]:
    """Yield the lines in these states, lot by lot, in the order of the file."""
    while True:
        lot = list(
            session.scalars(
                select(LigneImport)
                .where(
                    LigneImport.import_id == item.id, LigneImport.etat.in_(etats), LigneImport.numero > after
                )
                .order_by(LigneImport.numero)
                .limit(LOT)
            )
        )
        if not lot:
            return
        after = lot[-1].numero
        yield lot
        for ligne in lot:
            if ligne in session:
                session.expunge(ligne)


def _insert(session: Session, item: ImportInvites, lines: list[Jugee]) -> None:
    bulk_insert(
        session,
        Base.metadata.tables["ligne_import"],
        COLUMNS,
        [
            (
                item.id, line.numero, orjson.dumps(line.cellules).decode(),
                orjson.dumps(line.constats()).decode(), line.etat, line.choix, line.remarque,
                line.personne_id, False,
            )
            for line in lines
        ],
    )  # fmt: skip
