"""A model put on many schools: worked out and shown, confirmed, done slice by slice, undone (S3).

The rows are the truth: a slice and what it says of its schools are one transaction, so a killed worker
takes up again at the first school that waits and nothing is done twice. What somebody changed in a school
since it was shown is theirs: it is reported and left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.database import bulk_insert, bulk_update, instant, lock_each
from app.errors import RuleViolationError
from app.extensions import now
from app.models import ApplicationModele, Etablissement, EtablissementApplication, ModeleServices
from app.operations import taches
from app.operations.applications_ecriture import Ecriture
from app.operations.obstacles import obstacles
from app.operations.saisies import Actor
from app.queries import cibles as aims
from app.queries import comparaison
from app.queries.cibles import Cible, said
from app.queries.comparaison import Modele, Mouvement, now_of
from app.queries.etats_services import Ecole, catalogue, fill, people, schools

TYPE = "modeles.appliquer"
AU_PLUS = 5000
TOUT_DE_SUITE = 20
"""Up to so many schools the act is done while its author waits; beyond, in the background."""
TRANCHE = 100
GARDE_BROUILLON = timedelta(days=1)
OUTSIDE = {"hors_perimetre": True}
LIGNE = EtablissementApplication.metadata.tables[EtablissementApplication.__tablename__]
HORS_PERIMETRE = "Vous n’agissez pas sur les services de cet établissement."
MODIFIE = "Modifié depuis l’aperçu\u00a0: laissé tel quel."
MODIFIE_APRES = "Modifié depuis l’application\u00a0: laissé tel quel."
DEJA = "C’était déjà fait."
Changement = dict[str, Any]


def preparer(
    session: Session,
    modele: ModeleServices,
    ecoles: Mapping[int, Ecole],
    *,
    selection: str,
    academie_id: int | None = None,
    acteur: Actor,
) -> ApplicationModele:
    """Work out what a model would change in schools of the actor's; nothing happens until confirmed.

    :raises RuleViolationError: no school, too many, or nothing to change in any.
    """
    if not ecoles:
        raise RuleViolationError("Choisissez au moins un établissement.")
    if len(ecoles) > AU_PLUS:
        raise RuleViolationError(
            "Un modèle s’applique à 5\u00a0000 établissements au plus. Affinez la liste, puis recommencez."
        )
    read = comparaison.of_model(session, catalogue(session), modele.lignes)
    fill(session, ecoles, read.wanted)
    moves = {
        pk: [Mouvement(one, read.valeurs[one.key]) for one in read.gaps(ecole)]
        for pk, ecole in ecoles.items()
    }
    made = ApplicationModele(
        modele_id=modele.id,
        modele=modele.nom,
        selection=selection[:240],
        academie_id=academie_id,
        compte_id=acteur.compte_id,
        acteur=acteur.nom[:160],
    )
    _write(session, made, ecoles, moves, fixes=read.fixes, unavailable=read)
    return made


def defaire(session: Session, application: ApplicationModele, *, acteur: Actor) -> ApplicationModele:
    """Work out what gives back to each school what it had, save what changed since; confirmed like any.

    :raises RuleViolationError: it was undone, is not over, is itself a way back, or changed nothing.
    """
    _lock(session, application)
    if application.defait_id is not None or application.fini_le is None:
        raise RuleViolationError("Cette application ne se défait pas.")
    before = select(ApplicationModele).where(ApplicationModele.defait_id == application.id)
    undone = session.scalars(before, execution_options=OUTSIDE).first()
    if undone is not None and undone.confirme_le is not None:
        raise RuleViolationError("Cette application a déjà été défaite.")
    if undone is not None:
        session.delete(undone)
        session.flush()
    rows = session.execute(
        select(EtablissementApplication.etablissement_id, EtablissementApplication.changements).where(
            EtablissementApplication.application_id == application.id,
            EtablissementApplication.etat == "fait",
        )
    )
    done = {pk: [one for one in changes if "refus" not in one] for pk, changes in rows}
    done = {pk: changes for pk, changes in done.items() if changes}
    if not done:
        raise RuleViolationError("Cette application n’a rien changé\u00a0: il n’y a rien à défaire.")
    made = ApplicationModele(
        modele_id=application.modele_id,
        modele=application.modele,
        selection=application.selection,
        academie_id=application.academie_id,
        compte_id=acteur.compte_id,
        acteur=acteur.nom[:160],
        defait_id=application.id,
    )
    known = aims.by_key(catalogue(session))
    ecoles = schools(session, [Etablissement.id.in_(list(done))])
    fill(session, ecoles, _wanted(known, (one["cle"] for changes in done.values() for one in changes)))
    moves: dict[int, list[Mouvement]] = {}
    kept: dict[int, list[Changement]] = {}
    for pk, ecole in ecoles.items():
        for one in done[pk]:
            cible = known.get(one["cle"])
            if cible is None or ecole.own.get(cible.key) != one["apres"]:
                why = comparaison.HORS_CATALOGUE if cible is None else MODIFIE_APRES
                holds = one["sera"] if cible is None else said(cible, now_of(ecole, cible))
                kept.setdefault(pk, []).append(
                    {"cle": one["cle"], "nom": one["nom"], "etait": holds, "sera": one["etait"], "refus": why}
                )
            else:
                moves.setdefault(pk, []).append(Mouvement(cible, one["avant"]))
    _write(session, made, ecoles, moves, kept=kept)
    return made


def confirmer(
    session: Session, application: ApplicationModele, *, commande: bool = False, acteur: Actor
) -> None:
    """Start an act: at once when it is short (``lot`` does it), in the background otherwise.

    ``commande``: asked for from the command line, which writes everywhere.

    :raises RuleViolationError: it was started already, or changes nothing.
    """
    _lock(session, application)
    if application.confirme_le is not None:
        raise RuleViolationError("Cet acte est déjà lancé.")
    if not application.nombre:
        raise RuleViolationError("Il n’y a rien à changer dans ces établissements.")
    application.confirme_le = now()
    if application.nombre > TOUT_DE_SUITE:
        tache = taches.request(
            session,
            TYPE,
            libelle=str(application),
            parametres={
                "application_id": application.id,
                "acteur": acteur.nom,
                "commande": commande,
            },
            compte_id=acteur.compte_id,
        )
        application.tache_id = tache.id
    session.flush()


def abandonner(session: Session, application: ApplicationModele) -> None:
    """Forget an act that was not confirmed.

    :raises RuleViolationError: it was.
    """
    if application.confirme_le is not None:
        raise RuleViolationError("Cet acte est déjà lancé : arrêtez-le, ou défaites-le quand il sera fini.")
    session.delete(application)
    session.flush()


def lot(session: Session, application: ApplicationModele, *, acteur: Actor) -> int:
    """Do the next slice within the perimeter of the session; return how many schools, 0 at the end."""
    waiting = session.execute(
        select(LIGNE.c.id, LIGNE.c.etablissement_id, LIGNE.c.changements)
        .where(LIGNE.c.application_id == application.id, LIGNE.c.etat == "attente")
        .order_by(LIGNE.c.etablissement_id)
        .limit(TRANCHE),
        execution_options=OUTSIDE,
    ).all()
    if not waiting:
        if application.fini_le is None:
            application.fini_le = now()
            session.flush()
        return 0
    lock_each(session, [f"services:{row.etablissement_id}" for row in waiting])
    known = aims.by_key(catalogue(session))
    ecoles = schools(session, [Etablissement.id.in_([row.etablissement_id for row in waiting])])
    fill(session, ecoles, _wanted(known, (one["cle"] for row in waiting for one in row.changements)))
    ecriture = Ecriture(session, acteur)
    back = application.defait_id is not None
    report = []
    for row in waiting:
        ecole = ecoles.get(row.etablissement_id)
        changes = row.changements
        if ecole is not None:
            changes = _do(ecriture, ecole, known, changes, back=back)
        report.append(_reported(session, row.id, changes, HORS_PERIMETRE if ecole is None else None))
    ecriture.write()
    bulk_update(session, LIGNE, "id", ("etat", "changements", "refuses", "raison", "le"), report)
    return len(waiting)


def comptes(session: Session, application_id: int) -> dict[str, int]:
    """Return how many schools of an act wait, are done, are left out."""
    rows = session.execute(
        select(EtablissementApplication.etat, func.count())
        .where(EtablissementApplication.application_id == application_id)
        .group_by(EtablissementApplication.etat)
    )
    counts = {row[0]: row[1] for row in rows}
    return {etat: counts.get(etat, 0) for etat in ("attente", "fait", "refus")}


def _do(
    ecriture: Ecriture, ecole: Ecole, known: Mapping[str, Cible], changes: Sequence[Changement], *, back: bool
) -> list[Changement]:
    """Write what may be of a school; return its changes with what is refused."""
    wanted: dict[str, Mouvement] = {}
    reported = []
    for one in changes:
        cible = known.get(one["cle"])
        raw = None if cible is None else ecole.own.get(cible.key)
        if "refus" in one:
            reported.append(one)
        elif cible is None:
            reported.append({**one, "refus": comparaison.HORS_CATALOGUE})
        elif raw == one["avant"]:
            wanted[one["cle"]] = Mouvement(cible, one["apres"])
            reported.append(one)
        elif now_of(ecole, cible) == Mouvement(cible, one["apres"]).effet:
            reported.append({**one, "refus": DEJA})
        else:
            reported.append({**one, "refus": MODIFIE_APRES if back else MODIFIE})
    refused = obstacles(ecole, list(wanted.values()))
    for rank, one in enumerate(reported):
        move = wanted.get(one["cle"]) if "refus" not in one else None
        if move is not None and move.cible.key in refused:
            reported[rank] = {**one, "refus": refused[move.cible.key]}
            del wanted[one["cle"]]
    ecriture.school(ecole, list(wanted.values()))
    return reported


def _reported(
    session: Session, pk: int, changes: Sequence[Changement], raison: str | None
) -> tuple[Any, ...]:
    refused = sum("refus" in one for one in changes)
    if raison is None and refused == len(changes):
        reasons = {one["refus"] for one in changes}
        raison = reasons.pop() if len(reasons) == 1 else "Rien n’a pu être changé."
    etat = "fait" if raison is None else "refus"
    return (etat, orjson.dumps(changes).decode(), refused, raison, instant(session, now()), pk)


def _lock(session: Session, application: ApplicationModele) -> None:
    """Keep others from starting or undoing this act, and read how it stands."""
    statement = select(ApplicationModele).where(ApplicationModele.id == application.id).with_for_update()
    options = {**OUTSIDE, "populate_existing": True}
    session.scalars(statement, execution_options=options).one()


def _wanted(known: Mapping[str, Cible], cles: Iterable[str]) -> set[tuple[Any, ...]]:
    """Return what must be read of schools to set these, and to say who gains by it."""
    aimed = [known[cle] for cle in set(cles) if cle in known]
    services = {one.service.code: one.service for one in aimed}.values()
    roles = {("droit", role.id, "") for service in services for role in service.roles.values()}
    return {one.key for one in aimed} | roles


def _write(
    session: Session,
    made: ApplicationModele,
    ecoles: Mapping[int, Ecole],
    moves: Mapping[int, Sequence[Mouvement]],
    *,
    fixes: Sequence[Cible] = (),
    unavailable: Modele | None = None,
    kept: Mapping[int, list[Changement]] | None = None,
) -> None:
    """Write a draft and its schools; drafts nobody confirmed for a day go."""
    session.execute(
        delete(ApplicationModele)
        .where(ApplicationModele.confirme_le.is_(None), ApplicationModele.cree_le < now() - GARDE_BROUILLON)
        .execution_options(hors_perimetre=True, synchronize_session=False)
    )
    session.add(made)
    session.flush()
    counts = people(session, [pk for pk, own in moves.items() if own])
    summary = Resume()
    rows = []
    for pk, ecole in ecoles.items():
        own = moves.get(pk, ())
        changes = [*(kept or {}).get(pk, ())]
        absent = unavailable.unavailable(ecole) if unavailable else ()
        changes += [_absent(service.code, service.nom) for service in absent]
        refused = obstacles(ecole, own)
        changes += [_change(ecole, move, refused.get(move.cible.key)) for move in own]
        if not changes:
            made.conformes += 1
            continue
        kept_moves = [move for move in own if move.cible.key not in refused]
        effect = comparaison.effect(ecole, kept_moves, counts.get(pk, {}))
        summary.add(changes, effect.lignes, {move.cible.cle: move.cible.key for move in own})
        count = len(kept_moves)
        rows.append(
            (made.id, pk, "attente", orjson.dumps(changes).decode(), count, len(changes) - count,
             effect.gagnent, effect.perdent)
        )  # fmt: skip
    columns = ("application_id", "etablissement_id", "etat", "changements", "nombre", "refuses", "gagnent",
               "perdent")  # fmt: skip
    bulk_insert(session, LIGNE, columns, rows)
    made.nombre = sum(1 for row in rows if row[4])
    made.effets = [*summary.lines(), *map(_absent_right, fixes)]
    session.flush()


class Resume:
    """What an act does, line by line, over all its schools."""

    def __init__(self) -> None:
        self._lines: dict[tuple[Any, ...], dict[str, Any]] = {}

    def add(
        self,
        changes: Sequence[Changement],
        effects: Mapping[Any, tuple[int, int]],
        keys: Mapping[str, Any],
    ) -> None:
        """Count the changes of one school."""
        for one in changes:
            refus = one.get("refus", "")
            line = self._lines.setdefault(
                (one["cle"], one["sera"], refus),
                {**{name: one[name] for name in ("cle", "nom", "etait", "sera")}, "refus": refus,
                 "ecoles": 0, "gagnent": 0, "perdent": 0},
            )  # fmt: skip
            gagnent, perdent = effects.get(keys.get(one["cle"]), (0, 0))
            line["ecoles"] += 1
            line["gagnent"] += gagnent
            line["perdent"] += perdent
            if line["etait"] != one["etait"]:
                line["etait"] = "divers"

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines: what is done by number of schools, then what is refused."""
        return sorted(self._lines.values(), key=lambda one: (bool(one["refus"]), -one["ecoles"], one["nom"]))


def _change(ecole: Ecole, move: Mouvement, refus: str | None) -> Changement:
    cible = move.cible
    change = {
        "cle": cible.cle,
        "nom": cible.full,
        "avant": ecole.own.get(cible.key),
        "apres": move.apres,
        "etait": said(cible, now_of(ecole, cible)),
        "sera": said(cible, move.effet),
    }
    return change if refus is None else {**change, "refus": refus}


def _absent(code: str, nom: str) -> Changement:
    return {"cle": f"service:{code}", "nom": nom, "etait": "", "sera": "", "refus": comparaison.INDISPONIBLE}


def _absent_right(cible: Cible) -> dict[str, Any]:
    """Say a right of a model that the platform fixes otherwise: it is set nowhere."""
    return {"cle": cible.cle, "nom": cible.full, "etait": said(cible, cible.defaut), "sera": "",
            "refus": comparaison.FIXE, "ecoles": 0, "gagnent": 0, "perdent": 0}  # fmt: skip
