"""The second password, digits only, asked before school-life services; three wrong tries lock them (U11).

It is kept as a slow digest of a keyed digest: a million values would be tried in a day without the key
that stays outside the database (K4).
"""

from __future__ import annotations

from itertools import pairwise

from sqlalchemy import CursorResult, case, select, update
from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.extensions import now
from app.models import Compte, MotDePasseScolarite, Personne, Rattachement, SessionCompte
from app.operations import coffre, comptes, liens
from app.operations.deployment import Deployment
from app.operations.messages import send
from app.operations.saisies import Actor
from app.operations.titulaires import Titulaire

MIN, MAX = 6, 12
ESSAIS = 3
PROFILS = ("enseignant", "personnel")
"""Who is asked for it: teachers, heads and education staff; pupils and families are not."""
USE = "mot-de-passe-scolarite"
EXEMPT = {"synchronize_session": False, "hors_perimetre": True}


def asked_of(session: Session, personne_id: int | None) -> bool:
    """Tell whether school-life services ask this person for a second password."""
    if personne_id is None:
        return False
    places = (
        select(Rattachement.id)
        .where(
            Rattachement.personne_id == personne_id,
            Rattachement.profil.in_(PROFILS),
            Rattachement.fin.is_(None),
        )
        .limit(1)
        .execution_options(hors_perimetre=True)
    )
    return session.execute(places).first() is not None


def of_account(session: Session, compte_id: int) -> MotDePasseScolarite | None:
    """Return the second password of an account."""
    return session.get(MotDePasseScolarite, compte_id, execution_options={"hors_perimetre": True})


def check_digits(text: str, naissance: object = None) -> None:
    """Refuse what anybody would try first.

    :raises RuleViolationError: on the field ``nouveau``.
    """
    if not text.isascii() or not text.isdigit() or not MIN <= len(text) <= MAX:
        raise RuleViolationError(f"Choisissez de {MIN} à {MAX} chiffres, rien d’autre.", field="nouveau")
    steps = {int(b) - int(a) for a, b in pairwise(text)}
    born = getattr(naissance, "strftime", None)
    dates = {born(form) for form in ("%d%m%Y", "%d%m%y", "%Y%m%d")} if born else set()
    if len(set(text)) < 3 or (len(steps) == 1 and abs(steps.copy().pop()) == 1) or text in dates:
        raise RuleViolationError("Ces chiffres se devinent. Choisissez-en d’autres.", field="nouveau")


def peppered(compte_id: int, digits: str, deployment: Deployment) -> str:
    """Return what is hashed instead of the digits."""
    return coffre.keyed_digest(deployment.cle, USE, f"{compte_id}:{digits}")


def poser(session: Session, compte: Compte, empreinte: str, *, acteur: Actor, deployment: Deployment) -> None:
    """Make it the chosen one, unlocked; sessions open with the old one ask for it again; tell its holder."""
    row = of_account(session, compte.id)
    if row is None:
        row = MotDePasseScolarite(compte_id=compte.id, empreinte=empreinte)
        session.add(row)
    row.empreinte, row.essais, row.verrouille_le, row.change_le = empreinte, 0, None, now()
    _close_everywhere(session, compte.id)
    comptes.record(session, "compte.changer_scolarite", compte, acteur)
    liens.tell_changed(session, Titulaire(compte.personne, compte), deployment, scolarite=True)


def choisir(session: Session, token: str, empreinte: str, *, deployment: Deployment) -> Compte:
    """Spend the link of a mail and make the digits it was given for the second password.

    :raises RuleViolationError: the link has served or expired meanwhile, or the account is suspended.
    """
    found = liens.find(session, token)
    if found is None or found[0].usage != liens.SCOLARITE or found[1].compte is None:
        raise RuleViolationError(liens.PERIME)
    lien, who = found
    if who.suspension:
        raise RuleViolationError(who.suspension)
    liens.spend(session, lien)
    account = found[1].compte
    poser(session, account, empreinte, acteur=Actor(str(account), account.id), deployment=deployment)
    return account


def demander_lien(session: Session, compte: Compte, personne: Personne, deployment: Deployment) -> None:
    """Send oneself the link to choose the first one; once it is locked, an administrator renews it.

    :raises RuleViolationError: there is one already, no e-mail address, or three mails in the hour.
    """
    if of_account(session, compte.id) is not None:
        raise RuleViolationError(
            "Vous avez déjà un mot de passe scolarité. Oublié, ou bloqué\u00a0: demandez-en un nouveau à"
            " l’administrateur local de votre établissement."
        )
    me = Actor(str(compte), compte.id)
    liens.nouveau_mot_de_passe_scolarite(session, personne, me, deployment=deployment, demande="titulaire")


def count_try(session: Session, compte_id: int) -> MotDePasseScolarite | None:
    """Count one try before it is looked at; return the password to compare, None when it is locked."""
    done = session.execute(
        update(MotDePasseScolarite)
        .where(
            MotDePasseScolarite.compte_id == compte_id,
            MotDePasseScolarite.verrouille_le.is_(None),
            MotDePasseScolarite.essais < ESSAIS,
        )
        .values(essais=MotDePasseScolarite.essais + 1)
        .execution_options(**EXEMPT)
    )
    if not isinstance(done, CursorResult) or not done.rowcount:
        return None
    row = of_account(session, compte_id)
    if row is not None:
        session.refresh(row)
    return row


def succeed(session: Session, compte_id: int, session_id: int) -> None:
    """Open school-life services in this session; forget the wrong tries."""
    session.execute(
        update(MotDePasseScolarite)
        .where(MotDePasseScolarite.compte_id == compte_id, MotDePasseScolarite.verrouille_le.is_(None))
        .values(essais=0)
        .execution_options(**EXEMPT)
    )
    session.execute(
        update(SessionCompte)
        .where(SessionCompte.id == session_id, SessionCompte.compte_id == compte_id)
        .values(scolarite_le=now())
        .execution_options(**EXEMPT)
    )


def fail(session: Session, compte: Compte, deployment: Deployment) -> int:
    """Lock the services at the third wrong try, once, in every session; return how many tries are left."""
    instant = now()
    session.execute(
        update(MotDePasseScolarite)
        .where(MotDePasseScolarite.compte_id == compte.id)
        .values(
            verrouille_le=case(
                (MotDePasseScolarite.essais >= ESSAIS, instant), else_=MotDePasseScolarite.verrouille_le
            )
        )
        .execution_options(**EXEMPT)
    )
    row = of_account(session, compte.id)
    if row is None:
        return 0
    session.refresh(row)
    if row.verrouille_le is None:
        return ESSAIS - row.essais
    _close_everywhere(session, compte.id)
    comptes.record(session, "compte.verrouiller_scolarite", compte, Actor(str(compte), compte.id))
    who = Titulaire(compte.personne, compte)
    if who.address:
        send(
            session,
            "courriels/scolarite_verrouillee.html",
            who.address,
            deployment,
            qui=who.call_name,
            quand=liens.in_words(instant),
        )
    return 0


def _close_everywhere(session: Session, compte_id: int) -> None:
    """Close school-life services in every session of an account: each asks for the digits again."""
    session.execute(
        update(SessionCompte)
        .where(SessionCompte.compte_id == compte_id)
        .values(scolarite_le=None)
        .execution_options(**EXEMPT)
    )
