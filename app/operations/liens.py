"""Links sent by e-mail to choose a password: single use, expiring, never shown to who asks for them (U10).

``nouveau_mot_de_passe`` and ``nouveau_mot_de_passe_scolarite`` are the acts of an administrator on a person
of their perimeter; whoever has not activated their account activates it with the link. The token is 256
random bits: only its digest is kept, and the mail that carries it is sealed until it has left.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.orm import Session, joinedload

from app.database import lock
from app.errors import RuleViolationError
from app.extensions import now
from app.models import Compte, Courriel, LienMotDePasse, Personne
from app.operations import activation, comptes, courriels, journal
from app.operations.deployment import Deployment
from app.operations.liens_ouverts import EXEMPT, close, of
from app.operations.messages import in_words, send
from app.operations.saisies import Actor
from app.operations.sessions import digest
from app.operations.titulaires import Titulaire, holder_of

ENT, SCOLARITE = "ent", "scolarite"
DUREE = timedelta(hours=24)
PAR_HEURE = 3
OUBLIES_APRES = timedelta(days=30)
PERIME = "Ce lien a déjà servi, ou son délai est passé. Demandez-en un nouveau."


def nouveau_mot_de_passe(
    session: Session,
    personne: Personne,
    acteur: Actor,
    *,
    deployment: Deployment,
    etablissement_id: int | None = None,
    duree: timedelta = DUREE,
) -> Courriel:
    """«Nouveau mot de passe ENT»: send a person the link to choose it, or to activate their account.

    :raises RuleViolationError: no e-mail address, suspended, deleted, no login, or three mails in the hour.
    """
    who = holder_of(session, personne)
    _check_reachable(who)
    return issue(
        session, who, ENT, acteur, deployment=deployment, etablissement_id=etablissement_id, duree=duree
    )


def nouveau_mot_de_passe_scolarite(
    session: Session,
    personne: Personne,
    acteur: Actor,
    *,
    deployment: Deployment,
    etablissement_id: int | None = None,
    demande: str = "administrateur",
) -> Courriel:
    """«Nouveau mot de passe scolarité»: send a person the link to choose their second password (U11).

    :raises RuleViolationError: as above, or the account was never activated.
    """
    who = holder_of(session, personne)
    _check_reachable(who)
    if who.compte is None:
        raise RuleViolationError(
            f"{personne} n’a pas encore activé son compte. Envoyez-lui d’abord un nouveau mot de passe ENT."
        )
    return issue(
        session,
        who,
        SCOLARITE,
        acteur,
        deployment=deployment,
        etablissement_id=etablissement_id,
        demande=demande,
    )


USAGES: dict[str, Callable[..., Courriel]] = {
    ENT: nouveau_mot_de_passe,
    SCOLARITE: nouveau_mot_de_passe_scolarite,
}
"""Which password → the act that renews it."""


def issue(
    session: Session,
    who: Titulaire,
    usage: str,
    acteur: Actor,
    *,
    deployment: Deployment,
    etablissement_id: int | None = None,
    duree: timedelta = DUREE,
    demande: str = "administrateur",
) -> Courriel:
    """Write the link, close the older ones, journal, and queue the mail. ``demande``: who wanted it.

    :raises RuleViolationError: three mails have left for this person within the hour (L10).
    """
    if not room(session, who):
        raise RuleViolationError(
            f"{PAR_HEURE} courriels sont déjà partis vers cette personne depuis une heure."
            " Demandez-lui de regarder ses indésirables, ou recommencez plus tard."
        )
    personne_id, compte_id = who.keys
    close(session, personne_id, compte_id, usage=usage)
    token = secrets.token_urlsafe(32)
    lien = LienMotDePasse(
        empreinte=digest(token),
        usage=usage,
        personne_id=personne_id,
        compte_id=compte_id,
        expire_le=now() + duree,
    )
    session.add(lien)
    session.flush()
    journal.write(
        session,
        acte="compte.envoyer_lien" if usage == ENT else "compte.envoyer_lien_scolarite",
        acteur=acteur.nom,
        compte_id=acteur.compte_id,
        objet_type="compte" if personne_id is None else "personne",
        objet_id=personne_id or compte_id,
        objet=str(who.personne or who.compte),
        etablissement_id=etablissement_id,
        apres={"valable_jusque": in_words(lien.expire_le)},
    )
    hours = duree // timedelta(hours=1)
    return send(
        session,
        "courriels/lien_mot_de_passe.html" if usage == ENT else "courriels/lien_scolarite.html",
        who.address,
        deployment,
        cle=f"lien:{lien.id}",
        etablissement_id=etablissement_id,
        secret=f"{deployment.adresse}/connexion/lien/{token}",
        qui=who.call_name,
        login=who.login,
        delai="une heure" if hours <= 1 else f"{hours}\u00a0heures",
        demande=demande,
        activation=who.compte is None,
    )


def find(session: Session, token: str) -> tuple[LienMotDePasse, Titulaire] | None:
    """Return the link of a token and whom it is for, while it may serve."""
    lien = session.scalars(
        select(LienMotDePasse)
        .where(
            LienMotDePasse.empreinte == digest(token),
            LienMotDePasse.servi_le.is_(None),
            LienMotDePasse.expire_le > now(),
        )
        .options(joinedload(LienMotDePasse.personne))
        .options(joinedload(LienMotDePasse.compte).joinedload(Compte.personne))
        .execution_options(hors_perimetre=True)
    ).one_or_none()
    if lien is None:
        return None
    personne = lien.personne
    who = holder_of(session, personne) if personne is not None else Titulaire(None, lien.compte)
    return None if who.deleted or _went_elsewhere(session, lien, who) else (lien, who)


def _went_elsewhere(session: Session, lien: LienMotDePasse, who: Titulaire) -> bool:
    """Tell whether the link left for an address that is no longer its holder's, whoever changed it."""
    sent_to = session.execute(
        select(Courriel.destinataire).where(Courriel.cle == f"lien:{lien.id}"),
        execution_options={"hors_perimetre": True},
    ).scalar_one_or_none()
    return sent_to is not None and sent_to != courriels.normalised(who.address).strip()


def choisir_mot_de_passe(session: Session, token: str, empreinte: str, *, deployment: Deployment) -> Compte:
    """Spend the link: the password becomes the chosen one, every session ends, the holder is told.

    :raises RuleViolationError: the link has served or expired meanwhile, or the account is suspended.
    """
    found = find(session, token)
    if found is None or found[0].usage != ENT:
        raise RuleViolationError(PERIME)
    lien, who = found
    if who.suspension:
        raise RuleViolationError(who.suspension)
    spend(session, lien)
    if who.personne is not None and who.compte is None:
        generation = who.personne.code_generation
        return activation.activer(
            session, who.personne, empreinte, generation=generation, deployment=deployment
        )
    compte = who.compte
    if compte is None:
        raise RuleViolationError(PERIME)
    me = Actor(str(compte), compte.id)
    comptes.changer_mot_de_passe(session, compte, empreinte, sauf_jeton=None, acteur=me)
    tell_changed(session, who, deployment)
    return compte


def tell_changed(
    session: Session, who: Titulaire, deployment: Deployment, *, scolarite: bool = False
) -> None:
    """Queue the mail that says a password has just changed, when there is an address."""
    if who.address:
        send(
            session,
            "courriels/mot_de_passe_change.html",
            who.address,
            deployment,
            qui=who.call_name,
            quand=in_words(now()),
            scolarite=scolarite,
        )


def spend(session: Session, lien: LienMotDePasse) -> None:
    """Mark the link as used, once, and close the others of its holder.

    :raises RuleViolationError: somebody else was faster, or it has just expired.
    """
    instant = now()
    done = session.execute(
        update(LienMotDePasse)
        .where(
            LienMotDePasse.id == lien.id,
            LienMotDePasse.servi_le.is_(None),
            LienMotDePasse.expire_le > instant,
        )
        .values(servi_le=instant)
        .execution_options(**EXEMPT)
    )
    if not isinstance(done, CursorResult) or not done.rowcount:
        raise RuleViolationError(PERIME)
    close(session, lien.personne_id, lien.compte_id, usage=lien.usage)


def room(session: Session, who: Titulaire) -> bool:
    """Tell whether one more mail may leave: three an hour and a person at most, whoever asks (L10)."""
    personne_id, compte_id = who.keys
    lock(session, f"liens:{personne_id}:{compte_id}")
    mine = of(personne_id, compte_id)
    old = LienMotDePasse.expire_le < now() - OUBLIES_APRES
    session.execute(delete(LienMotDePasse).where(*mine, old).execution_options(**EXEMPT))
    recent = (
        select(func.count())
        .select_from(LienMotDePasse)
        .where(*mine, LienMotDePasse.cree_le > now() - timedelta(hours=1))
        .execution_options(hors_perimetre=True)
    )
    return session.execute(recent).scalar_one() < PAR_HEURE


def _check_reachable(who: Titulaire) -> None:
    """Refuse, in the words of an administrator, whoever a link cannot help."""
    name = str(who.personne)
    if who.personne is not None and who.personne.supprime_le is not None:
        raise RuleViolationError(f"{name} est dans «\u00a0Suppressions\u00a0». Restaurez d’abord sa fiche.")
    if who.deleted:
        raise RuleViolationError(f"Le compte de {name} est fermé\u00a0: aucun lien ne peut lui servir.")
    if who.suspension:
        raise RuleViolationError(f"Le compte de {name} est suspendu. Réactivez-le d’abord.")
    if not who.login:
        raise RuleViolationError(f"{name} n’a pas d’identifiant. Saisissez-le d’abord sur sa fiche.")
    if not who.address:
        raise RuleViolationError(
            f"{name} n’a pas d’adresse e-mail\u00a0: aucun lien ne peut partir. Saisissez-la sur sa"
            " fiche, ou remettez-lui ses identifiants de première connexion."
        )
