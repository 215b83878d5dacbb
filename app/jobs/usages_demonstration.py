"""The life of the demo académie: accounts activated, administrators named, a few accounts suspended.

Schools differ, as they do: one nobody administers, one that never handed out its codes, others where
most people signed in. Everything follows from the seed, so that two installations show the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from random import Random
from secrets import token_urlsafe

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from app.extensions import now
from app.models import SANS_ADRESSE, Attribution, Compte, Etablissement, Personne, Rattachement
from app.operations import administrateurs, journal, suspensions
from app.operations.saisies import Actor
from app.security.passwords import hash_password

ACTEUR = "Démonstration"
MOI = Actor(ACTEUR, None)
PARTS = {"eleve": 0.62, "enseignant": 0.96, "personnel": 0.9, "responsable": 0.55}
"""Share of each profile that activates in a school where codes were handed out well."""
ELANS = (1.0, 0.9, 0.75, 1.05, 0.4, 0.0)
"""How well each school handed them out, in turn; the last has not begun."""
MOTIFS = ("Compte prêté à un camarade", "Départ en cours d’année signalé par le secrétariat")


def live(session: Session, graine: int) -> None:
    """Activate, name and suspend over every school of the demo."""
    chance = Random(graine)  # noqa: S311
    digest = hash_password(token_urlsafe())
    used = set(session.scalars(select(Compte.personne_id).where(Compte.personne_id.is_not(None))))
    schools = session.scalars(select(Etablissement).order_by(Etablissement.uai.desc())).all()
    lively = [school for school in schools if _people(session, school)]
    for rank, school in enumerate(lively):
        people = [row for row in _people(session, school) if row.id not in used]
        chosen = [row for row in people if chance.random() < PARTS[row.profil] * ELANS[rank % len(ELANS)]]
        used.update(row.id for row in chosen)
        accounts = _activate(session, school, chosen, digest, chance)
        if rank % len(ELANS) < len(ELANS) - 2:
            teachers = [account for account, profil in accounts if profil == "enseignant"]
            _administer(session, school, teachers[: 1 + rank % 2], rank)
    pupils = [row for row in _people(session, lively[0]) if row.profil == "eleve"]
    for motif, row in zip(MOTIFS, chance.sample(pupils, len(MOTIFS)), strict=True):
        person = session.get_one(Personne, row.id)
        suspensions.suspendre(session, person, motif, etablissement_id=lively[0].id, acteur=MOI)


def _people(session: Session, school: Etablissement) -> list[Row[tuple[int, str, str, str | None, str]]]:
    """Return who may activate in a school: (id, nom, prenom, login, profil), once each."""
    current = func.coalesce(Personne.nom_usage, Personne.nom).label("nom")
    rows = session.execute(
        select(Personne.id, current, Personne.prenom, Personne.login, Rattachement.profil)
        .join(Rattachement, Rattachement.personne_id == Personne.id)
        .where(
            Rattachement.etablissement_id == school.id,
            Rattachement.fin.is_(None),
            Rattachement.profil.in_(PARTS),
            Personne.login.is_not(None),
            Personne.suspendu_le.is_(None),
        )
        .order_by(Personne.id)
    )
    return list({row.id: row for row in rows}.values())


def _activate(
    session: Session,
    school: Etablissement,
    people: Iterable[Row[tuple[int, str, str, str | None, str]]],
    digest: str,
    chance: Random,
) -> list[tuple[Compte, str]]:
    """Open the account of each, with their role, seen in the last weeks; return (account, profile)."""
    made = []
    for row in people:
        born = now() - timedelta(days=chance.randint(20, 60), minutes=chance.randint(0, 600))
        seen = born + timedelta(days=chance.randint(0, 19), minutes=chance.randint(1, 500))
        account = Compte(
            personne_id=row.id,
            username=row.login,
            first_name=row.prenom[:64],
            last_name=row.nom[:64],
            email=f"{row.login}{SANS_ADRESSE}",
            active=True,
            password=digest,
            created_on=born.replace(tzinfo=None),
            last_login=seen.replace(tzinfo=None),
        )
        made.append((account, row.profil))
    session.add_all([account for account, _profil in made])
    session.flush()
    session.add_all(
        [Attribution(compte_id=account.id, role=profil, accordee_par=ACTEUR) for account, profil in made]
    )
    journal.write_many(
        session,
        acte="compte.activer",
        acteur=ACTEUR,
        objet_type="compte",
        lignes=[
            journal.Ligne(account.id, account.username, school.id, apres={"profil": [profil]})
            for account, profil in made
        ],
    )
    return made


def _administer(session: Session, school: Etablissement, chosen: Iterable[Compte], rank: int) -> None:
    """Name local administrators; in one school of four the right ends soon."""
    until = (now() + timedelta(days=12)).date() if rank % 4 == 1 else None
    for account in chosen:
        if account.personne is not None:
            administrateurs.nommer(session, school, account.personne, dernier_jour=until, acteur=MOI)
