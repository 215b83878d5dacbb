"""One act on many accounts: people chosen and frozen, confirmed, done by slices, reported row by row (U7).

The rows are the truth: a slice and what it says of its rows are one transaction, so a killed worker takes
up again at the first row that waits and nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import Row, delete, func, select
from sqlalchemy.orm import Session

from app.database import bulk_insert, bulk_update, instant
from app.errors import RuleViolationError, UserError
from app.extensions import now
from app.models import ActeEnNombre, LigneActeEnNombre, Personne, Rattachement
from app.operations import liens, pouvoirs, taches
from app.operations.comptes import clean_reason
from app.operations.deployment import Deployment
from app.operations.pouvoirs import Pouvoirs
from app.operations.saisies import Actor
from app.operations.suspensions import Bilan, Cible, reactiver_lot, suspendre_lot

TYPE = "comptes.en_nombre"
AU_PLUS = 50_000
TOUT_DE_SUITE = 200
"""Up to so many rows the act is done while its author waits; beyond, in the background."""
TRANCHE = 500
TRANCHE_COURRIEL = 50
CONTRAIRES = {"suspendre": "reactiver", "reactiver": "suspendre"}
HORS_PERIMETRE = "Vous ne pouvez pas agir sur les comptes de son établissement."
GARDE_BROUILLON = timedelta(days=1)
LIGNE = LigneActeEnNombre.metadata.tables[LigneActeEnNombre.__tablename__]


def preparer(
    session: Session,
    acte: str,
    personne_ids: Sequence[int],
    *,
    selection: str,
    etablissement_id: int | None,
    acteur: Actor,
) -> ActeEnNombre:
    """Freeze who an act would be done on; nothing happens until it is confirmed.

    :raises RuleViolationError: nobody, or more people than one act takes.
    """
    if not personne_ids:
        raise RuleViolationError("Cochez au moins une personne, puis choisissez l’action.")
    if len(personne_ids) > AU_PLUS:
        raise RuleViolationError(
            "Un acte porte sur 50\u00a0000 personnes au plus. Affinez la liste, puis recommencez."
        )
    rows = [(key, None, None) for key in sorted(set(personne_ids))]
    return _write(session, acte, rows, selection, etablissement_id, acteur)


def confirmer(session: Session, acte: ActeEnNombre, motif: str, *, acteur: Actor) -> None:
    """Start an act: at once when it is short (``lot`` does it), in the background otherwise.

    :raises RuleViolationError: it was started already, or needs a reason.
    """
    _lock(session, acte)
    if acte.confirme_le is not None:
        raise RuleViolationError("Cet acte est déjà lancé.")
    acte.motif = clean_reason(motif) if acte.acte == "suspendre" else None
    acte.confirme_le = now()
    if acte.nombre > TOUT_DE_SUITE:
        tache = taches.request(
            session,
            TYPE,
            libelle=acte.selection,
            parametres={"acte_en_nombre_id": acte.id, "acteur": acteur.nom},
            compte_id=acteur.compte_id,
            etablissement_id=acte.etablissement_id,
        )
        acte.tache_id = tache.id
    session.flush()


def abandonner(session: Session, acte: ActeEnNombre) -> None:
    """Forget an act that was not confirmed.

    :raises RuleViolationError: it was.
    """
    if acte.confirme_le is not None:
        raise RuleViolationError("Cet acte est déjà lancé : arrêtez-le, ou défaites-le quand il sera fini.")
    session.delete(acte)
    session.flush()


def defaire(session: Session, acte: ActeEnNombre, *, acteur: Actor) -> ActeEnNombre:
    """Prepare the act that puts back, row by row, what this one changed; it is confirmed like any other.

    :raises RuleViolationError: it cannot be undone, was undone, or is not over.
    """
    other = CONTRAIRES.get(acte.acte)
    if other is None or acte.fini_le is None:
        raise RuleViolationError("Cet acte ne se défait pas.")
    _lock(session, acte)
    before = select(ActeEnNombre).where(ActeEnNombre.defait_id == acte.id)
    undone = session.scalars(before, execution_options={"hors_perimetre": True}).first()
    if undone is not None and undone.confirme_le is not None:
        raise RuleViolationError("Cet acte a déjà été défait.")
    if undone is not None:
        session.delete(undone)
        session.flush()
    rows = session.execute(
        select(LIGNE.c.personne_id, LIGNE.c.suspendu_le, LIGNE.c.motif)
        .where(LIGNE.c.acte_id == acte.id, LIGNE.c.etat == "fait")
        .order_by(LIGNE.c.id),
        execution_options={"hors_perimetre": True},
    ).all()
    if not rows:
        raise RuleViolationError("Cet acte n’a rien changé : il n’y a rien à défaire.")
    made = _write(
        session,
        other,
        [(row.personne_id, row.suspendu_le, row.motif) for row in rows],
        f"Retour sur : {acte.selection}",
        acte.etablissement_id,
        acteur,
        defait_id=acte.id,
    )
    made.motif = acte.motif
    return made


def lot(
    session: Session,
    acte: ActeEnNombre,
    *,
    detenus: Pouvoirs = pouvoirs.TOUS,
    deployment: Deployment | None = None,
    acteur: Actor,
) -> int:
    """Do the next slice within the perimeter of the session; return how many rows were dealt with, 0 at
    the end.
    """
    waiting = session.execute(
        select(LIGNE.c.id, LIGNE.c.personne_id, LIGNE.c.suspendu_le, LIGNE.c.motif)
        .where(LIGNE.c.acte_id == acte.id, LIGNE.c.etat == "attente")
        .order_by(LIGNE.c.id)
        .limit(TRANCHE_COURRIEL if acte.acte == "mot_de_passe" else TRANCHE),
        execution_options={"hors_perimetre": True},
    ).all()
    if not waiting:
        if acte.fini_le is None:
            acte.fini_le = now()
            session.flush()
        return 0
    schools = _schools(session, acte, [row.personne_id for row in waiting])
    targets = [
        Cible(row.personne_id, schools[row.personne_id], row.suspendu_le, row.motif)
        for row in waiting
        if row.personne_id in schools
    ]
    if acte.acte == "mot_de_passe" and deployment is not None:
        bilan = _send_links(session, targets, detenus, deployment, acteur)
    else:
        bilan = _do(session, acte, targets, detenus, acteur)
    _report(session, waiting, schools, bilan)
    return len(waiting)


def comptes(session: Session, acte_id: int) -> dict[str, int]:
    """Return how many rows of an act wait, are done, are refused."""
    rows = session.execute(
        select(LigneActeEnNombre.etat, func.count())
        .where(LigneActeEnNombre.acte_id == acte_id)
        .group_by(LigneActeEnNombre.etat)
    )
    counts = {row[0]: row[1] for row in rows}
    return {etat: counts.get(etat, 0) for etat in ("attente", "fait", "refus")}


def _lock(session: Session, acte: ActeEnNombre) -> None:
    """Keep others from starting or undoing this act, and read how it stands."""
    session.execute(select(ActeEnNombre.id).where(ActeEnNombre.id == acte.id).with_for_update())
    session.refresh(acte, ["confirme_le", "fini_le"])


def _write(
    session: Session,
    acte: str,
    rows: Sequence[tuple[int, object, str | None]],
    selection: str,
    etablissement_id: int | None,
    acteur: Actor,
    *,
    defait_id: int | None = None,
) -> ActeEnNombre:
    """Write a draft and its people; drafts nobody confirmed for a day go."""
    session.execute(
        delete(ActeEnNombre)
        .where(ActeEnNombre.confirme_le.is_(None), ActeEnNombre.cree_le < now() - GARDE_BROUILLON)
        .execution_options(hors_perimetre=True, synchronize_session=False)
    )
    made = ActeEnNombre(
        acte=acte,
        etablissement_id=etablissement_id,
        compte_id=acteur.compte_id,
        acteur=acteur.nom[:160],
        selection=selection[:240],
        nombre=len(rows),
        defait_id=defait_id,
    )
    session.add(made)
    session.flush()
    lines = (
        (made.id, key, "attente", None if since is None else instant(session, since), motif)  # type: ignore[arg-type]
        for key, since, motif in rows
    )
    bulk_insert(session, LIGNE, ("acte_id", "personne_id", "etat", "suspendu_le", "motif"), lines)
    return made


def _schools(session: Session, acte: ActeEnNombre, ids: Sequence[int]) -> dict[int, int]:
    """Return, of these people, those the actor reaches now, and in which school."""
    places = (
        select(Rattachement.personne_id, func.min(Rattachement.etablissement_id))
        .where(Rattachement.personne_id.in_(ids), Rattachement.fin.is_(None))
        .group_by(Rattachement.personne_id)
    )
    if acte.etablissement_id is not None:
        places = places.where(Rattachement.etablissement_id == acte.etablissement_id)
    return {row[0]: row[1] for row in session.execute(places)}


def _do(
    session: Session, acte: ActeEnNombre, targets: Sequence[Cible], detenus: Pouvoirs, acteur: Actor
) -> Bilan:
    if acte.acte == "suspendre":
        return suspendre_lot(session, targets, acte.motif or "", detenus=detenus, acteur=acteur)
    return reactiver_lot(session, targets, detenus=detenus, acteur=acteur)


def _send_links(
    session: Session, targets: Sequence[Cible], detenus: Pouvoirs, deployment: Deployment, acteur: Actor
) -> Bilan:
    """Send each person a link to choose a password; one that is refused keeps no other from theirs."""
    bilan = Bilan()
    where = {one.personne_id: one.etablissement_id for one in targets}
    above = pouvoirs.au_dessus(session, where.keys(), detenus)
    for person in session.scalars(select(Personne).where(Personne.id.in_(where)).order_by(Personne.id)).all():
        if person.id in above:
            bilan.refus[person.id] = pouvoirs.REFUS
            continue
        try:
            with session.begin_nested():
                liens.nouveau_mot_de_passe(
                    session, person, acteur, deployment=deployment, etablissement_id=where[person.id]
                )
        except UserError as error:
            bilan.refus[person.id] = error.message[:255]
        else:
            bilan.faits[person.id] = (None, None)
    return bilan


def _report(
    session: Session, waiting: Sequence[Row[tuple[int, ...]]], schools: Mapping[int, int], bilan: Bilan
) -> None:
    moment = instant(session, now())
    rows = []
    for row in waiting:
        key = row.personne_id
        since, motif = bilan.faits.get(key, (row.suspendu_le, row.motif))
        done = key in bilan.faits
        reason = None if done else bilan.refus.get(key, HORS_PERIMETRE)
        stored = None if since is None else instant(session, since)
        rows.append((schools.get(key), "fait" if done else "refus", reason, moment, stored, motif, row.id))
    columns = ("etablissement_id", "etat", "raison", "le", "suspendu_le", "motif")
    bulk_update(session, LIGNE, "id", columns, rows)
