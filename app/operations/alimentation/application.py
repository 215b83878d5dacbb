"""Applying a preview, one school per transaction; running it again goes on where it stopped (X6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import lock, rows_of
from app.errors import ConflictError, RuleViolationError
from app.extensions import now
from app.models import Academie, Alimentation, AlimentationEtablissement, Etablissement
from app.operations import journal
from app.operations.alimentation.apercu import etablissements_a_appliquer
from app.operations.alimentation.avance import PAGE, Avance
from app.operations.alimentation.champs import ORDRE, PERSONNES
from app.operations.alimentation.droits import fermer_droits
from app.operations.alimentation.ecritures import Ecritures, now_of
from app.operations.alimentation.etablissements import (
    appliquer_classes,
    appliquer_ecole,
    appliquer_nomenclature,
)
from app.operations.alimentation.familles import (
    appliquer_liens,
    appliquer_lot_liens,
    detacher_responsables,
)
from app.operations.alimentation.gens import Contexte, LigneEcart, appliquer_lot
from app.operations.alimentation.references import References, ensure_school

LOT = 2000


def appliquer_etablissement(
    session: Session,
    alimentation: Alimentation,
    ligne: AlimentationEtablissement,
    *,
    accepter_departs: bool = False,
    acteur: str,
    avance: Avance | None = None,
) -> dict[str, int]:
    """Apply all that is pending in one school; return the counts. The caller commits.

    ``avance`` prepares the schools to come meanwhile.

    :raises RuleViolationError: when too many people would leave and nobody accepted it (I3).
    """
    if alimentation.etat not in ("apercu", "application"):
        raise ConflictError("Cette alimentation ne peut plus être appliquée.")
    if ligne.applique_le is not None:
        return {}
    if ligne.depart_bloque and not (accepter_departs or ligne.departs_acceptes):
        raise RuleViolationError(
            f"{ligne.nom or ligne.uai} ({ligne.uai}) : trop de départs, l’alimentation est arrêtée."
            " Vérifiez le fichier, puis acceptez explicitement les départs."
        )
    lock(session, "alimentation")
    alimentation.etat = "application"
    if accepter_departs and ligne.depart_bloque:
        ligne.departs_acceptes = True
    ctx = _context(session, alimentation, ligne)
    ctx.avance = avance or Avance(session, alimentation)
    ctx.avance.ouvrir(ligne.uai)
    with ctx.avance.pendant():
        _apply_school(ctx, alimentation, ligne, acteur)
    return ctx.comptes


def _apply_school(
    ctx: Contexte, alimentation: Alimentation, ligne: AlimentationEtablissement, acteur: str
) -> None:
    session = ctx.session
    _apply_common(ctx)
    _apply_all(ctx, ctx.uai)
    appliquer_liens(ctx)
    detacher_responsables(ctx)
    _remove_people_gone(ctx)
    fermer_droits(ctx, acteur)
    ligne.etablissement_id = ctx.etablissement_id
    ligne.applique_le = now()
    rows_of(
        session,
        "UPDATE ecart SET etablissement_id = :school WHERE alimentation_id = :feed AND uai = :uai"
        " AND etablissement_id IS NULL",
        school=ctx.etablissement_id,
        feed=alimentation.id,
        uai=ligne.uai,
    )
    if alimentation.etablissement_id is None and alimentation.cle_portee.endswith(":" + ligne.uai):
        alimentation.etablissement_id = ctx.etablissement_id
    journal.write(
        session,
        acte="alimentation.appliquer",
        acteur=acteur,
        objet_type="alimentation",
        objet_id=alimentation.id,
        objet=str(alimentation),
        etablissement_id=ctx.etablissement_id,
        apres=ctx.comptes,
    )
    session.flush()


def _context(session: Session, alimentation: Alimentation, ligne: AlimentationEtablissement) -> Contexte:
    academie = alimentation.cle_portee.partition(":")[2] if alimentation.source.startswith("aaf") else None
    if alimentation.academie_id:
        academie = session.scalar(select(Academie.code).where(Academie.id == alimentation.academie_id))
    school = ensure_school(
        session,
        ligne.uai,
        ligne.nom,
        alimentation.source,
        academie if academie and len(academie) <= 3 else None,
    )
    references = References(session, alimentation.source)
    references.etablissement_id = school
    return Contexte(
        session=session,
        alimentation_id=alimentation.id,
        source=alimentation.source,
        espace=alimentation.cle_portee,
        uai=ligne.uai,
        etablissement_id=school,
        today=now().date().isoformat(),
        references=references,
        ecritures=Ecritures(session, alimentation.source, references),
        complet=alimentation.mode == "complet",
    )


def _apply_common(ctx: Contexte) -> None:
    """Apply the nomenclature lines, which belong to no school: the first one applied brings them."""
    school, ctx.etablissement_id = ctx.etablissement_id, 0
    _apply_all(ctx, None)
    ctx.etablissement_id = school


def _apply_all(ctx: Contexte, uai: str | None) -> None:
    """Apply what is pending; a kind that takes several batches reads in each what the others wrote."""
    before = None
    for kind, batch in _batches(ctx, uai):
        if kind == before:
            ctx.ecritures.vider()
        _apply_batch(ctx, kind, batch)
        before = kind
    ctx.ecritures.vider(signer=True)


def _batches(ctx: Contexte, uai: str | None) -> Iterator[tuple[str, list[LigneEcart]]]:
    """Yield the pending differences kind by kind, each in slices by id; most schools are read at once."""
    rank = last = -1
    while True:
        rows = _pending(ctx, uai, rank, last)
        for kind, alike in groupby(rows, key=itemgetter(2)):
            lines = [LigneEcart(*row) for row in alike]
            for start in range(0, len(lines), LOT):
                yield kind, lines[start : start + LOT]
        if len(rows) < PAGE:
            return
        last, rank = rows[-1][0], ORDRE[rows[-1][2]]


def _pending(ctx: Contexte, uai: str | None, rank: int, last: int) -> Sequence[Sequence[Any]]:
    """Return a page of differences as ``LigneEcart`` takes them; those read ahead without their record."""
    ahead = ctx.avance if uai and ctx.avance is not None and ctx.avance.utile else None
    school = "uai = :uai" if uai else "uai IS NULL AND objet IN :kinds"
    values = {"uai": uai} if uai else {"kinds": ["mef", "matiere"]}
    rows = rows_of(
        ctx.session,
        "SELECT id, nature, objet, cle, personne_id, partage, empreinte,"
        f" {'CAST(xmin AS VARCHAR)' if ahead else 'donnees'}, code FROM ecart"
        f" WHERE alimentation_id = :feed AND {school} AND (ordre, id) > (:rank, :last)"
        " AND applique_le IS NULL AND nature <> 'anomalie' ORDER BY ordre, id LIMIT :size",
        feed=ctx.alimentation_id,
        rank=rank,
        last=last,
        size=PAGE,
        **values,
    )
    if ahead is None or uai is None:
        return rows
    ready = ahead.prets(uai, ((row[0], row[7]) for row in rows))
    written = [row[0] for row in rows if row[0] not in ready]
    others: dict[int, bytes | None] = {}
    if written:
        others = {
            row[0]: row[1]
            for row in rows_of(ctx.session, "SELECT id, donnees FROM ecart WHERE id IN :ids", ids=written)
        }
    return [
        (*row[:7], pret.donnees if (pret := ready.get(row[0])) else others[row[0]], row[8], pret)
        for row in rows
        if row[0] in ready or row[0] in others
    ]


def _apply_batch(ctx: Contexte, kind: str, batch: list[LigneEcart]) -> None:
    if kind in PERSONNES:
        appliquer_lot(ctx, kind, batch)
    elif kind == "lien":
        ctx.ecritures.vider(signer=True)
        appliquer_lot_liens(ctx, batch)
    elif kind == "etablissement":
        appliquer_ecole(ctx, batch)
    elif kind in ("division", "groupe"):
        appliquer_classes(ctx, kind, batch)
    else:
        appliquer_nomenclature(ctx, kind, batch)


def _remove_people_gone(ctx: Contexte) -> None:
    """Who has no open attachment left enters «Suppressions» (U8)."""
    if ctx.fermees:
        rows_of(
            ctx.session,
            "UPDATE personne SET supprime_le = :instant WHERE id IN :ids AND supprime_le IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM rattachement r WHERE r.personne_id = personne.id"
            " AND r.fin IS NULL)",
            ids=sorted(set(ctx.fermees)),
            instant=now_of(ctx.session),
        )


def clore_application(session: Session, alimentation: Alimentation) -> None:
    """Close the application when no school is left; a school refused keeps the feed open."""
    if alimentation.etat not in ("apercu", "application"):
        raise ConflictError("Cette alimentation n’est pas en cours d’application.")
    if etablissements_a_appliquer(session, alimentation):
        return
    references = References(session, alimentation.source)
    ctx = Contexte(
        session=session,
        alimentation_id=alimentation.id,
        source=alimentation.source,
        espace=alimentation.cle_portee,
        uai="",
        etablissement_id=0,
        today=now().date().isoformat(),
        references=references,
        ecritures=Ecritures(session, alimentation.source, references),
    )
    _apply_common(ctx)
    alimentation.etat = "appliquee"
    alimentation.appliquee_le = now()
    if alimentation.etablissement_id is None and ":" in alimentation.cle_portee:
        uai = alimentation.cle_portee.partition(":")[2]
        alimentation.etablissement_id = session.scalar(
            select(Etablissement.id).where(Etablissement.uai == uai)
        )
    session.flush()
