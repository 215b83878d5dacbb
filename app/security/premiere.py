"""First connection: an identifier and an activation code prove who somebody is (K1, K2, W5).

Whatever is wrong, the answer is one sentence. Guessing is slowed per network, per identifier and per
school; a school under attack has an alarm in its journal. The school's delay is told in the same sentence
as a wrong code, so that it shows nobody which identifiers exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from flask import current_app, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import EssaiConnexion, Personne, Rattachement, Responsabilite
from app.operations import connexions, journal
from app.operations.codes import check_code
from app.operations.connexions import Frein
from app.operations.titulaires import Titulaire, holder_of
from app.security import throttle
from app.security.connexion import Issue
from app.security.transactions import own_reading, own_transaction

REFUS = (
    "Ces informations n’ouvrent aucun compte à activer, ou trop d’essais viennent d’être faits pour cet"
    " établissement. Vérifiez-les sur le document remis, attendez une minute, puis recommencez."
)
ALARME = 100
HOUR = timedelta(hours=1)
NOBODY = Personne(id=0, code_generation=0)


@dataclass(frozen=True)
class Saisie:
    """What was typed."""

    identifiant: str
    code: str
    naissance: date | None = None
    code_postal: str = ""


@dataclass(frozen=True)
class Preuve:
    """Who proved they hold a code, and its generation; or why not."""

    issue: Issue
    personne_id: int = 0
    generation: int = 0


def prove(typed: Saisie) -> Preuve:
    """Check what was typed; count the attempt before looking at it."""
    login = typed.identifiant.encode("utf-8", "replace").decode().replace("\0", "").strip().lower()[:64]
    prefix = throttle.address_prefix(request.remote_addr)
    open_to_all = [
        Frein(f"premiere:adresse:{prefix}", libres=20, plafond=timedelta(minutes=5), oubli=HOUR),
        Frein(
            f"premiere:login:{throttle.login_digest(login)}",
            libres=5,
            plafond=timedelta(minutes=2),
            oubli=24 * HOUR,
        ),
    ]
    with own_transaction() as own:
        wait = connexions.attempt(own, open_to_all)
    if wait > timedelta(0):
        text = connexions.wait_text(wait)
        sentence = f"Trop d’essais avec cet identifiant ou depuis ce réseau. Réessayez dans {text}."
        return Preuve(Issue(phrase=sentence, code=429, attente=wait))
    with own_reading() as own:
        who, school, right = _look(own, login, typed)
    of_school = Frein(f"premiere:ecole:{school}", libres=ALARME, plafond=timedelta(seconds=10), oubli=HOUR)
    with own_transaction() as own:
        slowed = connexions.attempt(own, [of_school]) > timedelta(0)
        if who is None or not right or slowed:
            _journal_failure(own, who, school, of_school.cle, slowed=slowed)
            return Preuve(Issue(phrase=REFUS))
        keys = [frein.cle for frein in open_to_all]
        connexions.succeed(own, effacer=keys[1:], rendre=[keys[0], of_school.cle])
    person = who.personne
    if who.suspension or person is None:
        return Preuve(Issue(phrase=who.suspension or REFUS))
    return Preuve(Issue(), person.id, person.code_generation)


def _look(session: Session, login: str, typed: Saisie) -> tuple[Titulaire | None, int, bool]:
    """Return who the identifier names, the number of their school, and whether the code is theirs.

    The same statements and as many codes are worked out for an identifier nobody bears.
    """
    person = session.scalars(select(Personne).where(Personne.login == login)).one_or_none() if login else None
    known = person or NOBODY
    place = session.scalars(
        select(Rattachement.etablissement_id)
        .where(Rattachement.personne_id == known.id, Rattachement.fin.is_(None))
        .order_by(Rattachement.id.desc())
        .limit(1)
    ).first()
    children = session.scalars(
        select(Personne)
        .join(Responsabilite, Responsabilite.eleve_id == Personne.id)
        .where(Responsabilite.responsable_id == known.id)
        .limit(12)
    ).all()
    who = holder_of(session, known)
    key = current_app.extensions["reglages"].code_key()
    own = check_code(known, typed.code, key)
    born = known.date_naissance is None or known.date_naissance == typed.naissance
    childs = any(check_code(child, typed.code, key) for child in children or (NOBODY,))
    home = bool(known.code_postal) and known.code_postal == "".join(typed.code_postal.split())
    session.expunge_all()
    usable = person is not None and not who.deleted and (who.compte is None or who.suspension is not None)
    return (who if person is not None else None), place or 0, usable and ((own and born) or (childs and home))


def _journal_failure(session: Session, who: Titulaire | None, school: int, cle: str, *, slowed: bool) -> None:
    """Write the failure in the school's journal, and an alarm each time a hundred were counted."""
    person = who.personne if who is not None else None
    journal.write(
        session,
        acte="connexion.refuser_code",
        acteur=(person.login or "") if person is not None else "identifiant inconnu",
        objet_type="personne",
        objet_id=person.id if person is not None else None,
        objet=throttle.address_prefix(request.remote_addr),
        etablissement_id=school or None,
    )
    counted = session.scalars(select(EssaiConnexion.echecs).where(EssaiConnexion.cle == cle)).one_or_none()
    if school and not slowed and counted and counted % ALARME == 0:
        journal.write(
            session,
            acte="connexion.alerter",
            objet=f"{counted} codes d’activation faux en peu de temps",
            etablissement_id=school or None,
        )
