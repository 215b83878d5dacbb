"""Accounts: password, suspension, deletion, roles. Each act ends the sessions it must (L4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.extensions import now
from app.models import Attribution, Compte
from app.operations import journal
from app.operations.sessions import MotifFin, end_all


@dataclass(frozen=True)
class Auteur:
    """Who acts, for the journal."""

    nom: str = "Système"
    compte_id: int | None = None


SYSTEME = Auteur()


def changer_mot_de_passe(
    session: Session, compte: Compte, empreinte: str, *, sauf_jeton: str | None, auteur: Auteur = SYSTEME
) -> None:
    """Store the digest of a new password and end every other session of the account."""
    compte.password = empreinte
    end_all(session, compte.id, MotifFin.MOT_DE_PASSE, sauf_jeton=sauf_jeton)
    _journal(session, "mot de passe changé", compte, auteur)


def suspendre(session: Session, compte: Compte, motif: str, *, auteur: Auteur = SYSTEME) -> None:
    """Suspend an account: its sessions end, its holder will read why."""
    if not motif.strip():
        raise RuleViolationError("Dites pourquoi : la personne le lira en se connectant.", field="motif")
    compte.suspendu_le, compte.motif_suspension = now(), motif.strip()[:255]
    end_all(session, compte.id, MotifFin.SUSPENSION)
    _journal(session, "compte suspendu", compte, auteur, apres={"motif": compte.motif_suspension})


def retablir(session: Session, compte: Compte, *, auteur: Auteur = SYSTEME) -> None:
    """Lift a suspension."""
    compte.suspendu_le = compte.motif_suspension = None
    _journal(session, "compte rétabli", compte, auteur)


def supprimer(session: Session, compte: Compte, *, auteur: Auteur = SYSTEME) -> None:
    """Delete an account: nobody logs in with it, and it looks unknown from outside."""
    compte.supprime_le = now()
    compte.active = False
    end_all(session, compte.id, MotifFin.SUPPRESSION)
    _journal(session, "compte supprimé", compte, auteur)


def attribuer(
    session: Session,
    compte: Compte,
    role: str,
    *,
    academie_id: int | None = None,
    collectivite_id: int | None = None,
    etablissement_id: int | None = None,
    jusqua: datetime | None = None,
    auteur: Auteur = SYSTEME,
) -> Attribution:
    """Give a role over a perimeter; the account logs in again to use it."""
    attribution = Attribution(
        compte_id=compte.id,
        role=role,
        academie_id=academie_id,
        collectivite_id=collectivite_id,
        etablissement_id=etablissement_id,
        jusqua=jusqua,
        accordee_par=auteur.nom[:160],
    )
    session.add(attribution)
    end_all(session, compte.id, MotifFin.DROITS)
    _journal(session, "rôle attribué", compte, auteur, etablissement_id, apres={"rôle": role})
    return attribution


def retirer(session: Session, attribution: Attribution, *, auteur: Auteur = SYSTEME) -> None:
    """Withdraw a role: what it opened closes at once (D5)."""
    compte, role, school = attribution.compte, attribution.role, attribution.etablissement_id
    session.delete(attribution)
    end_all(session, compte.id, MotifFin.DROITS)
    _journal(session, "rôle retiré", compte, auteur, school, avant={"rôle": role})


def _journal(
    session: Session,
    acte: str,
    compte: Compte,
    auteur: Auteur,
    etablissement_id: int | None = None,
    *,
    avant: dict[str, object] | None = None,
    apres: dict[str, object] | None = None,
) -> None:
    session.flush()
    journal.write(
        session,
        acte=acte,
        acteur=auteur.nom,
        compte_id=auteur.compte_id,
        objet_type="compte",
        objet_id=compte.id,
        objet=str(compte.username),
        etablissement_id=etablissement_id,
        avant=avant,
        apres=apres,
    )
