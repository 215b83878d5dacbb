"""What people change of themselves: how to reach them (U5). Pupils ask their school."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.extensions import now
from app.models import Compte, Personne, Rattachement, VerrouPersonne
from app.operations import liens
from app.operations.coordonnees import clean_address, clean_phone
from app.operations.deployment import Deployment
from app.operations.messages import send
from app.operations.saisies import TITULAIRE, Actor, pending_changes, record
from app.operations.titulaires import Titulaire

TELEPHONES = ("telephone_portable", "telephone_domicile")
CHAMPS = ("email", *TELEPHONES)


def may_edit(session: Session, personne: Personne) -> bool:
    """Tell whether the person edits how to reach them: everybody but pupils."""
    pupil = (
        select(Rattachement.id)
        .where(
            Rattachement.personne_id == personne.id,
            Rattachement.profil == "eleve",
            Rattachement.fin.is_(None),
        )
        .limit(1)
        .execution_options(hors_perimetre=True)
    )
    return session.execute(pupil).first() is None


def modifier_coordonnees(
    session: Session,
    personne: Personne,
    compte: Compte,
    valeurs: Mapping[str, str | None],
    *,
    deployment: Deployment,
) -> bool:
    """Write one's own e-mail and telephones, kept from feeds; tell whether anything changed.

    A new address closes the links sent to the old one, which is told of the change.

    :raises RuleViolationError: a pupil, or a value that is not right.
    """
    if not may_edit(session, personne):
        raise RuleViolationError("Demandez la correction au secrétariat de votre établissement.")
    before = Titulaire(personne, compte)
    old = before.address
    with session.no_autoflush:
        personne.email = clean_address(valeurs.get("email"))
        for champ in TELEPHONES:
            setattr(personne, champ, clean_phone(valeurs.get(champ), field=champ))
        changes = {name: pair for name, pair in pending_changes(personne).items() if name in CHAMPS}
        if not changes:
            return False
    _keep_from_feeds(session, personne, changes)
    session.flush()
    me = Actor(str(compte), compte.id)
    record(session, personne, "compte.changer_coordonnees", me, changes=changes)
    if "email" in changes:
        liens.close(session, personne.id, None)
        if old:
            send(
                session,
                "courriels/adresse_changee.html",
                old,
                deployment,
                qui=before.call_name,
                quand=liens.in_words(now()),
            )
    return True


def _keep_from_feeds(session: Session, personne: Personne, changes: Mapping[str, object]) -> None:
    if personne.source == "manuel":  # nobody feeds them, but their address is one nobody vouches for
        changes = {name: pair for name, pair in changes.items() if name == "email"}
    locked = set(
        session.scalars(select(VerrouPersonne.champ).where(VerrouPersonne.personne_id == personne.id))
    )
    for champ in sorted(set(changes) - locked):
        session.add(VerrouPersonne(personne_id=personne.id, champ=champ, par=TITULAIRE))
