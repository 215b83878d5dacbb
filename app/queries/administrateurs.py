"""Who holds a role over others, in a perimeter: the list of «Administrateurs», and a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Row,
    Select,
    String,
    Table,
    and_,
    cast,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import Session, joinedload

from app.extensions import Instant, SearchKey, now
from app.models import (
    PROFILS,
    Academie,
    Attribution,
    Collectivite,
    Compte,
    Etablissement,
    Journal,
    Nomination,
    Personne,
    SecondFacteur,
    SessionCompte,
)
from app.queries.curseurs import Tri
from app.queries.noms import search_key

BIENTOT = timedelta(days=30)
LONGTEMPS = timedelta(days=180)
NEVER_ENDS = datetime(9000, 1, 1, tzinfo=UTC)
HISTORY = 20

_PEOPLE: Table = Personne.metadata.tables[Personne.__tablename__]
_FACTORS: Table = SecondFacteur.metadata.tables[SecondFacteur.__tablename__]
TITULAIRE = _PEOPLE.alias("titulaire")
FACTEUR = _FACTORS.alias("facteur")
"""Read as tables: somebody of the académie is attached to no school, and nobody reads another's second
factor. What is read of them belongs to the account, which the wall lets one see: its name, whether it is
open, since when it asks for a code."""


@dataclass(frozen=True)
class Criteres:
    """What the list shows: what is looked for, filtered, in which order."""

    q: str = ""
    role: str = ""
    etablissement_id: int | None = None
    etat: str = ""
    facteur: str = ""
    connexion: str = ""
    tri: str = "nom"
    descendant: bool = False

    @property
    def filtered(self) -> bool:
        """Tell whether something narrows the list."""
        narrowing = (self.q, self.role, self.etablissement_id, self.etat, self.facteur, self.connexion)
        return any(narrowing)


NAME: Any = func.coalesce(
    TITULAIRE.c.nom_recherche,
    cast(func.lower(Compte.last_name + " " + Compte.first_name), SearchKey(220)),
    type_=String(),
)
OVER: Any = func.coalesce(Etablissement.nom, Academie.nom, Collectivite.nom, "", type_=String())
SORTS: dict[str, Any] = {
    "nom": None,
    "role": Attribution.role,
    "portee": OVER,
    "connexion": func.coalesce(cast(Compte.last_login, String), "", type_=String()),
    "echeance": func.coalesce(Attribution.jusqua, literal(NEVER_ENDS, Instant), type_=Instant()),
    "depuis": Attribution.depuis,
}
"""Name of a sort in addresses → what it compares before the name."""


def tri_of(criteres: Criteres) -> Tri:
    """Return the order of the list, names and ids breaking ties."""
    first = SORTS.get(criteres.tri)
    keys = (NAME, Attribution.id)
    return Tri(keys if first is None else (first, *keys), criteres.descendant)


def listed(criteres: Criteres, exigeants: Sequence[str]) -> Select[Any]:
    """Return the roles held over others, one a row, with who holds them and over what.

    ``exigeants`` are the roles that ask for a second factor.
    """
    statement = (
        select(
            Attribution.id,
            Attribution.role,
            Attribution.depuis,
            Attribution.jusqua,
            Attribution.accordee_par,
            Attribution.compte_id,
            func.coalesce(TITULAIRE.c.nom_usage, TITULAIRE.c.nom, Compte.last_name).label("nom"),
            func.coalesce(TITULAIRE.c.prenom, Compte.first_name).label("prenom"),
            Compte.username,
            Compte.last_login,
            Compte.personne_id,
            Etablissement.uai,
            Etablissement.commune,
            OVER.label("portee"),
            _closed().label("ferme"),
            _suspended().label("suspendu"),
            FACTEUR.c.confirme_le.label("facteur_le"),
        )
        .select_from(Attribution)
        .join(Compte, Compte.id == Attribution.compte_id)
        .outerjoin(TITULAIRE, TITULAIRE.c.id == Compte.personne_id)
        .outerjoin(FACTEUR, FACTEUR.c.compte_id == Compte.id)
        .outerjoin(Etablissement, Etablissement.id == Attribution.etablissement_id)
        .outerjoin(Academie, Academie.id == Attribution.academie_id)
        .outerjoin(Collectivite, Collectivite.id == Attribution.collectivite_id)
    )
    return statement.where(Attribution.role.not_in(PROFILS), *_filters(criteres, exigeants))


def _closed() -> ColumnElement[bool]:
    """Tell whether the account opens nothing more: deleted, disabled, or its holder left every school."""
    gone = and_(TITULAIRE.c.supprime_le.is_not(None), Attribution.etablissement_id.is_not(None))
    return or_(Compte.supprime_le.is_not(None), not_(Compte.active), func.coalesce(gone, literal(False)))


def _suspended() -> ColumnElement[bool]:
    return or_(TITULAIRE.c.suspendu_le.is_not(None), Compte.suspendu_seul_le.is_not(None))


def _filters(criteres: Criteres, exigeants: Sequence[str]) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if criteres.q:
        clauses.append(_meant(criteres.q))
    if criteres.role:
        clauses.append(Attribution.role == criteres.role)
    if criteres.etablissement_id is not None:
        clauses.append(Attribution.etablissement_id == criteres.etablissement_id)
    if criteres.etat:
        clauses.append(_in_state(criteres.etat))
    if criteres.facteur:
        asked = Attribution.role.in_(exigeants)
        without = FACTEUR.c.confirme_le.is_(None)
        clauses.append(
            {
                "pose": FACTEUR.c.confirme_le.is_not(None),
                "attendu": and_(without, asked),
                "facultatif": and_(without, not_(asked)),
            }[criteres.facteur]
        )
    if criteres.connexion == "jamais":
        clauses.append(Compte.last_login.is_(None))
    elif criteres.connexion == "longtemps":
        # Flask-AppBuilder dates connections in UTC, without saying so
        long_ago = (now() - LONGTEMPS).replace(tzinfo=None)
        clauses.append(Compte.last_login < literal(long_ago, DateTime()))
    return clauses


def _meant(typed: str) -> ColumnElement[bool]:
    """Return what a search box stands for: letters of a name, a login, an e-mail, a school or its UAI."""
    text, key = typed.strip().lower(), search_key(typed)
    found: list[ColumnElement[bool]] = [
        func.lower(Compte.username).startswith(text, autoescape=True),
        func.lower(Compte.email).startswith(text, autoescape=True),
        func.lower(Compte.last_name).startswith(text, autoescape=True),
        func.lower(Etablissement.uai) == text,
    ]
    if key:
        words = key.split(" ")[:6]
        padded = literal(" ") + func.coalesce(TITULAIRE.c.nom_recherche, "")
        found.append(and_(*[padded.contains(f" {word}", autoescape=True) for word in words]))
        found.append(Etablissement.nom_recherche.contains(key, autoescape=True))
    return or_(*found)


def _in_state(etat: str) -> ColumnElement[bool]:
    """Return the condition of one state; the states of ``etat_of`` share the rows out."""
    moment = now()
    over = and_(Attribution.jusqua.is_not(None), Attribution.jusqua <= moment)
    soon = and_(Attribution.jusqua.is_not(None), Attribution.jusqua <= moment + BIENTOT)
    states = {
        "expire": over,
        "ferme": _closed(),
        "suspendu": _suspended(),
        "bientot": soon,
    }
    before: list[ColumnElement[bool]] = []
    for name, condition in states.items():
        if name == etat:
            return and_(condition, *[not_(one) for one in before])
        before.append(condition)
    return and_(*[not_(one) for one in before])


def etat_of(row: Any) -> str:
    """Return how a role stands: ``expire``, ``ferme``, ``suspendu``, ``bientot`` or ``actif``."""
    moment = now()
    if row.jusqua is not None and row.jusqua <= moment:
        return "expire"
    if row.ferme:
        return "ferme"
    if row.suspendu:
        return "suspendu"
    return "bientot" if row.jusqua is not None and row.jusqua <= moment + BIENTOT else "actif"


def account(session: Session, compte_id: int) -> Compte | None:
    """Return an account that holds, or held, a role over others in the perimeter."""
    held = select(Attribution.id).where(Attribution.compte_id == Compte.id, Attribution.role.not_in(PROFILS))
    statement = select(Compte).where(Compte.id == compte_id, Compte.supprime_le.is_(None), held.exists())
    return session.scalars(statement.options(joinedload(Compte.personne))).first()


def roles_of_account(session: Session, compte_id: int, exigeants: Sequence[str]) -> Sequence[Row[Any]]:
    """Return what an account holds in the perimeter, as the list shows it, the newest first."""
    rows = listed(Criteres(), exigeants).where(Attribution.compte_id == compte_id)
    return session.execute(rows.order_by(Attribution.id.desc())).all()


def last_seen(session: Session, compte_id: int) -> tuple[datetime | None, int]:
    """Return when an account was last seen at work, and how many sessions it has open.

    Nothing else of its sessions is read: neither where from nor on what.
    """
    row = session.execute(
        select(
            func.max(SessionCompte.vue_le, type_=Instant()),
            func.count(SessionCompte.id).filter(SessionCompte.fin.is_(None)),
        ).where(SessionCompte.compte_id == compte_id, SessionCompte.etape.is_(None)),
        execution_options={"hors_perimetre": True},
    ).one()
    return row[0], row[1]


def history(session: Session, compte_id: int, personne_id: int | None) -> Sequence[Journal]:
    """Return what the journal says of the roles of an account, the newest first."""
    about: list[ColumnElement[bool]] = [and_(Journal.objet_type == "compte", Journal.objet_id == compte_id)]
    if personne_id is not None:
        about.append(and_(Journal.objet_type == "personne", Journal.objet_id == personne_id))
    lines = select(Journal).where(
        or_(*about), or_(Journal.acte.startswith("role."), Journal.acte.in_(ACTES_DU_COMPTE))
    )
    return session.scalars(lines.order_by(Journal.id.desc()).limit(HISTORY)).all()


ACTES_DU_COMPTE = (
    "compte.creer",
    "compte.activer",
    "compte.suspendre",
    "compte.retablir",
    "compte.reinitialiser_second_facteur",
    "compte.poser_second_facteur",
    "page.designer",
    "page.retirer",
)
"""Acts beside those on roles that the history of an administrator tells."""


def school(session: Session, etablissement_id: int | None) -> Etablissement | None:
    """Return a school of the perimeter."""
    if not etablissement_id:
        return None
    return session.scalars(select(Etablissement).where(Etablissement.id == etablissement_id)).first()


def among(statement: Select[Any], attribution_ids: Sequence[int]) -> Select[Any]:
    """Return the same list, of these rows only."""
    return statement.where(Attribution.id.in_(attribution_ids))


def chosen(session: Session, attribution_ids: Sequence[int]) -> Sequence[Attribution]:
    """Return these roles, of those held over others in the perimeter, with who holds them and over what."""
    statement = (
        select(Attribution)
        .where(Attribution.id.in_(attribution_ids), Attribution.role.not_in(PROFILS))
        .options(
            joinedload(Attribution.compte),
            joinedload(Attribution.etablissement),
            joinedload(Attribution.academie),
            joinedload(Attribution.collectivite),
        )
        .order_by(Attribution.id)
    )
    return session.scalars(statement).all()


def held(session: Session, attribution_id: int) -> Attribution | None:
    """Return one of them."""
    return next(iter(chosen(session, [attribution_id])), None)


def promises(session: Session, *, before: int | None, limit: int) -> Sequence[Nomination]:
    """Return the roles promised to people of the perimeter who have not activated their account."""
    statement = (
        select(Nomination)
        .options(joinedload(Nomination.personne), joinedload(Nomination.etablissement))
        .order_by(Nomination.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(Nomination.id < before)
    return session.scalars(statement).all()


def promise(session: Session, pk: int) -> Nomination | None:
    """Return one of them."""
    statement = select(Nomination).where(Nomination.id == pk)
    return session.scalars(
        statement.options(joinedload(Nomination.personne), joinedload(Nomination.etablissement))
    ).first()


def promised(session: Session) -> int:
    """Return how many there are."""
    return session.execute(select(func.count()).select_from(Nomination)).scalar_one()


def accounts(session: Session, typed: str, limit: int) -> Sequence[Compte]:
    """Return accounts of the perimeter by the first letters of the name, the login or the e-mail."""
    text = typed.strip()
    columns = (Compte.last_name, Compte.username, Compte.email)
    statement = (
        select(Compte)
        .where(
            Compte.supprime_le.is_(None),
            or_(*[column.istartswith(text, autoescape=True) for column in columns]),
        )
        .order_by(Compte.last_name, Compte.first_name, Compte.id)
        .limit(limit)
    )
    return session.scalars(statement).all()
