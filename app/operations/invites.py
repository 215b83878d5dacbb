"""Guests by hand: create, attach, end day, detach (U12). What they were let into closes at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.extensions import PARIS, now
from app.models import Attribution, Etablissement, Personne, Rattachement, VarianteNom
from app.operations import administrateurs, comptes, journal, liens, logins
from app.operations.deployment import Deployment
from app.operations.messages import send
from app.operations.saisies import SYSTEME, Actor, past
from app.operations.sessions import MotifFin, end_all
from app.queries.invites import has_account
from app.queries.noms import name_variants, personne_key

LIEN_VALABLE = timedelta(days=7)
"""A guest does not read their mail every day: their first link serves longer than a forgotten password's."""
LONGTEMPS = timedelta(days=366 * 5)


def today() -> date:
    """Return the day it is in France."""
    return now().astimezone(PARIS).date()


def creer(
    session: Session,
    school: Etablissement,
    valeurs: Mapping[str, Any],
    *,
    dernier_jour: date | None,
    acteur: Actor,
    deployment: Deployment,
) -> Personne:
    """Create a guest, place them in the school, and send them what they first connect with.

    :raises RuleViolationError: the last day is past.
    """
    check_last_day(dernier_jour)
    nom, prenom = str(valeurs["nom"]), str(valeurs["prenom"])
    person = Personne(**valeurs, nom_recherche=personne_key(nom, prenom), source="manuel")
    person.login = logins.allocate(session, [(prenom, nom)])[0]
    session.add(person)
    session.flush()
    session.add_all(VarianteNom(personne_id=person.id, cle=key) for key in name_variants(nom, None, prenom))
    session.add(_place(person, school, dernier_jour))
    session.flush()
    said = {name: valeurs.get(name) for name in ("nom", "prenom", "date_naissance", "email")}
    _write(session, "invite.creer", person, school.id, acteur, apres={**said, **_until(dernier_jour)})
    liens.nouveau_mot_de_passe(
        session, person, acteur, deployment=deployment, etablissement_id=school.id, duree=LIEN_VALABLE
    )
    return person


def rattacher(
    session: Session,
    school: Etablissement,
    person: Personne,
    *,
    dernier_jour: date | None,
    acteur: Actor,
    deployment: Deployment,
) -> Rattachement:
    """Give somebody known a guest's place in the school; what they had been closed out of opens again.

    :raises RuleViolationError: they are there already, or the last day is past.
    """
    check_last_day(dernier_jour)
    held = session.scalars(
        select(Rattachement).where(
            Rattachement.personne_id == person.id, Rattachement.etablissement_id == school.id
        )
    ).all()
    if any(place.fin is None for place in held):
        raise RuleViolationError(f"{person} est déjà dans cet établissement.")
    place = next((one for one in held if one.profil == "invite"), None)
    if place is None:
        place = _place(person, school, dernier_jour)
        session.add(place)
    else:
        place.fin = place.motif_fin = None
        place.dernier_jour = dernier_jour
    back = person.supprime_le is not None
    _reopen(session, person)
    session.flush()
    _write(session, "invite.rattacher", person, school.id, acteur, apres=_until(dernier_jour))
    _tell(session, school, person, dernier_jour, acteur, deployment, back=back)
    return place


def fixer_dernier_jour(
    session: Session, place: Rattachement, dernier_jour: date | None, *, acteur: Actor
) -> None:
    """Say until which day a guest is expected; None when that is not known.

    :raises RuleViolationError: the day is past.
    """
    check_last_day(dernier_jour)
    before = place.dernier_jour
    if before == dernier_jour:
        return
    place.dernier_jour = dernier_jour
    session.flush()
    _write(
        session, "invite.dernier_jour", place.personne, place.etablissement_id, acteur,
        avant={"dernier_jour": before}, apres={"dernier_jour": dernier_jour},
    )  # fmt: skip


def detacher(session: Session, place: Rattachement, *, acteur: Actor) -> None:
    """Take a guest out of the school; their rights there go, their account too when nothing is left.

    :raises RuleViolationError: they are the only local administrator of the school.
    """
    account = has_account(session, place.personne_id)
    for held in _grants(session, account.id if account else None, place.etablissement_id):
        if held.role == administrateurs.ROLE:
            administrateurs.retirer(session, held, soi_confirme=False, acteur=acteur)
    _close(session, place, "manuel", acteur)


def terminer_echus(session: Session, *, limit: int = 100) -> int:
    """Close the places whose last day has passed, whoever holds them; return how many."""
    due = session.scalars(
        select(Rattachement)
        .where(Rattachement.dernier_jour < today(), Rattachement.fin.is_(None))
        .order_by(Rattachement.id)
        .limit(limit)
    ).all()
    for place in due:
        _close(session, place, "echeance", SYSTEME)
    return len(due)


def check_last_day(day: date | None) -> None:
    """Refuse a last day that is past, or so far it must be a slip.

    :raises RuleViolationError: with the field at fault.
    """
    if day is not None and day < today():
        raise past(day)
    if day is not None and day > today() + LONGTEMPS:
        raise RuleViolationError(
            f"Le {day:%d/%m/%Y} est dans plus de cinq ans. Vérifiez l’année.", field="dernier_jour"
        )


def _close(session: Session, place: Rattachement, motif: str, acteur: Actor) -> None:
    person, moment = place.personne, now()
    place.fin, place.motif_fin = moment, motif
    session.flush()
    account = has_account(session, person.id)
    for held in _grants(session, account.id if account else None, place.etablissement_id):
        comptes.retirer(session, held, acteur=acteur)
    acte = "invite.terminer" if motif == "echeance" else "invite.detacher"
    _write(session, acte, person, place.etablissement_id, acteur, avant={"dernier_jour": place.dernier_jour})
    if _present_somewhere(session, person.id):
        if account is not None:
            end_all(session, account.id, MotifFin.DROITS)
        return
    _leave(session, person, moment)
    if account is not None and account.supprime_le is None:
        comptes.supprimer(session, account, acteur=acteur)


def _leave(session: Session, person: Personne, moment: datetime) -> None:
    """Put somebody whom no school holds any more among the departures; their links open nothing."""
    if person.supprime_le is None:
        person.supprime_le = moment
    liens.close(session, person.id, None)
    session.flush()


def _reopen(session: Session, person: Personne) -> None:
    person.supprime_le = None
    account = has_account(session, person.id)
    if account is not None and account.supprime_le is not None:
        account.supprime_le, account.active = None, True


def _present_somewhere(session: Session, personne_id: int) -> bool:
    """Tell whether any school still holds the person, in the perimeter or not."""
    left = select(Rattachement.id).where(Rattachement.personne_id == personne_id, Rattachement.fin.is_(None))
    found = session.scalars(left.limit(1).execution_options(hors_perimetre=True)).first()
    return found is not None


def _grants(session: Session, compte_id: int | None, etablissement_id: int) -> list[Attribution]:
    if compte_id is None:
        return []
    held = select(Attribution).where(
        Attribution.compte_id == compte_id, Attribution.etablissement_id == etablissement_id
    )
    return list(session.scalars(held))


def _place(person: Personne, school: Etablissement, dernier_jour: date | None) -> Rattachement:
    return Rattachement(
        personne_id=person.id, etablissement_id=school.id, profil="invite", source="manuel",
        debut=today(), dernier_jour=dernier_jour,
    )  # fmt: skip


def _tell(
    session: Session,
    school: Etablissement,
    person: Personne,
    dernier_jour: date | None,
    acteur: Actor,
    deployment: Deployment,
    *,
    back: bool,
) -> None:
    """Send who never activated their link; tell the others that one more school has opened."""
    if has_account(session, person.id) is None and person.email:
        liens.nouveau_mot_de_passe(
            session, person, acteur, deployment=deployment, etablissement_id=school.id, duree=LIEN_VALABLE
        )
    elif person.email:
        send(
            session,
            "courriels/invite_rattache.html",
            person.email,
            deployment,
            etablissement_id=school.id,
            qui=f"{person.prenom} {person.nom_courant}",
            ecole=school.nom,
            login=person.login or "",
            jusqua=f"{dernier_jour:%d/%m/%Y}" if dernier_jour else "",
            retour=back,
        )


def _until(day: date | None) -> dict[str, Any]:
    return {"dernier_jour": day} if day else {}


def _write(
    session: Session,
    acte: str,
    person: Personne,
    etablissement_id: int,
    acteur: Actor,
    *,
    avant: Mapping[str, Any] | None = None,
    apres: Mapping[str, Any] | None = None,
) -> None:
    journal.write(
        session,
        acte=acte,
        acteur=acteur.nom,
        compte_id=acteur.compte_id,
        objet_type="personne",
        objet_id=person.id,
        objet=str(person),
        etablissement_id=etablissement_id,
        avant=avant,
        apres=apres,
    )
