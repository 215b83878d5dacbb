"""The sheet of a person, read in few statements whatever hangs on them (U3, U4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, String, and_, bindparam, cast, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from app.database import derived
from app.extensions import Instant, now
from app.models import (
    Alimentation,
    AlimentationEtablissement,
    Attribution,
    Compte,
    Discipline,
    Division,
    EditeurPage,
    EleveGroupe,
    Fonction,
    FonctionExercee,
    GroupeEnseignement,
    Identifiant,
    Matiere,
    OptionSuivie,
    Personne,
    ProfesseurPrincipal,
    Rattachement,
    Responsabilite,
    ServiceEnseigne,
    VerrouPersonne,
)
from app.queries import lieux
from app.queries.curseurs import Tri
from app.queries.fiche_etablissement import ROLE
from app.queries.gens import Criteres, school_list
from app.queries.lieux import PERSONNE, Lieu, as_instant

MOST_FACTS = 400
ETABLISSEMENT: Any = bindparam("etablissement")
INSTANT: Any = bindparam("instant", type_=Instant(timezone=True))
"""What statements made once are run with."""


@dataclass(frozen=True)
class Fait:
    """One line of what is known of a person: its kind, up to three texts, the row it names."""

    a: str
    b: str
    c: str
    id: int


@dataclass
class Faits:
    """What hangs on a person, by kind."""

    identifiant: list[Fait] = field(default_factory=list)
    verrou: list[Fait] = field(default_factory=list)
    groupe: list[Fait] = field(default_factory=list)
    option: list[Fait] = field(default_factory=list)
    fonction: list[Fait] = field(default_factory=list)
    service: list[Fait] = field(default_factory=list)
    principal: list[Fait] = field(default_factory=list)
    alimentation: list[Fait] = field(default_factory=list)
    administrateur: list[Fait] = field(default_factory=list)
    editeur: list[Fait] = field(default_factory=list)
    lieux: list[Lieu] = field(default_factory=list)

    @property
    def read_on(self) -> datetime | None:
        """Return the date of the export the last feed of the person's schools came from."""
        return as_instant(self.alimentation[0].b if self.alimentation else "")


def label(model: Any) -> Any:
    """Return how a class or a timetable group is called."""
    return func.coalesce(func.nullif(model.libelle, ""), model.code, "")


def facts(session: Session, personne_id: int, etablissement_id: int | None) -> Faits:
    """Return what hangs on a person, in one statement; in one school when it is given, places apart."""
    found = Faits()
    wanted = {"personne": personne_id, "etablissement": etablissement_id, "instant": now()}
    rows = session.execute(_facts(anywhere=etablissement_id is None), wanted).all()
    found.lieux = lieux.read([row for row in rows if row[0] == lieux.GENRE])
    for kind, a, b, c, *_wider, number in rows:
        if kind != lieux.GENRE:
            getattr(found, kind).append(Fait(a or "", b or "", c or "", number))
    return found


@cache
def _facts(*, anywhere: bool) -> Any:
    branches = [lieux.lines(), *_of_person(), *_of_places(anywhere=anywhere)]
    if not anywhere:
        branches += _of_school()
    return union_all(*branches).limit(MOST_FACTS)


def _line(kind: str, a: Any, b: Any, c: Any, number: Any) -> Select[Any]:
    texts = [literal(text) if isinstance(text, str) else cast(text, String) for text in (a, b, c)]
    return select(literal(kind), *texts, *_padding(), number)


def _padding() -> list[Any]:
    """Return what makes a line of three texts as wide as that of a place; names tell the columns apart."""
    return [literal("").label(f"vide_{rank}") for rank in range(lieux.WIDTH - 3)]


def _of_person() -> list[Select[Any]]:
    mine = (
        select(Rattachement.etablissement_id)
        .where(Rattachement.personne_id == PERSONNE, Rattachement.fin.is_(None))
        .scalar_subquery()
    )
    feed = (
        select(
            literal("alimentation"),
            cast(Alimentation.source, String),
            cast(func.coalesce(Alimentation.date_export, Alimentation.cree_le), String),
            literal("").label("vide"),
            *_padding(),
            Alimentation.id,
        )
        .join(AlimentationEtablissement, AlimentationEtablissement.alimentation_id == Alimentation.id)
        .where(
            AlimentationEtablissement.etablissement_id.in_(mine),
            AlimentationEtablissement.applique_le.is_not(None),
        )
        .order_by(Alimentation.id.desc())
        .limit(1)
        .subquery()
    )
    return [
        _line("identifiant", Identifiant.type, Identifiant.portee, Identifiant.valeur, Identifiant.id).where(
            Identifiant.personne_id == PERSONNE
        ),
        _line("verrou", VerrouPersonne.champ, VerrouPersonne.par, VerrouPersonne.le, VerrouPersonne.id).where(
            VerrouPersonne.personne_id == PERSONNE
        ),
        select(*feed.c),
    ]


def _of_school() -> list[Select[Any]]:
    """Return what the person is trusted with in one school: administering it, writing its public page."""
    return [
        _line("administrateur", Attribution.accordee_par, Attribution.depuis, "", Attribution.id)
        .join(Compte, Compte.id == Attribution.compte_id)
        .where(
            Compte.personne_id == PERSONNE,
            Attribution.etablissement_id == ETABLISSEMENT,
            Attribution.role == ROLE,
            Attribution.depuis <= INSTANT,
            or_(Attribution.jusqua.is_(None), Attribution.jusqua > INSTANT),
        ),
        _line("editeur", EditeurPage.accorde_par, EditeurPage.depuis, "", EditeurPage.id).where(
            EditeurPage.personne_id == PERSONNE, EditeurPage.etablissement_id == ETABLISSEMENT
        ),
    ]


def _of_places(*, anywhere: bool) -> list[Select[Any]]:
    here = [Rattachement.personne_id == PERSONNE, Rattachement.fin.is_(None)]
    taught = [ServiceEnseigne.personne_id == PERSONNE]
    charge = [ProfesseurPrincipal.personne_id == PERSONNE]
    if not anywhere:
        here.append(Rattachement.etablissement_id == ETABLISSEMENT)
        taught.append(ServiceEnseigne.etablissement_id == ETABLISSEMENT)
        charge.append(Division.etablissement_id == ETABLISSEMENT)
    return [
        _line("groupe", label(GroupeEnseignement), GroupeEnseignement.code, "", GroupeEnseignement.id)
        .join(EleveGroupe, EleveGroupe.groupe_id == GroupeEnseignement.id)
        .join(Rattachement, Rattachement.id == EleveGroupe.rattachement_id)
        .where(*here),
        _line("option", Matiere.libelle, "", "", Matiere.id)
        .join(OptionSuivie, OptionSuivie.matiere_id == Matiere.id)
        .join(Rattachement, Rattachement.id == OptionSuivie.rattachement_id)
        .where(*here),
        _line("fonction", Fonction.libelle, Discipline.libelle, "", FonctionExercee.id)
        .select_from(FonctionExercee)
        .join(Rattachement, Rattachement.id == FonctionExercee.rattachement_id)
        .join(Fonction, Fonction.id == FonctionExercee.fonction_id)
        .outerjoin(Discipline, Discipline.id == FonctionExercee.discipline_id)
        .where(*here),
        _line(
            "service",
            Matiere.libelle,
            func.coalesce(func.nullif(Division.libelle, ""), Division.code),
            func.coalesce(func.nullif(GroupeEnseignement.libelle, ""), GroupeEnseignement.code),
            func.coalesce(ServiceEnseigne.division_id, ServiceEnseigne.groupe_id),
        )
        .select_from(ServiceEnseigne)
        .outerjoin(Matiere, Matiere.id == ServiceEnseigne.matiere_id)
        .outerjoin(Division, Division.id == ServiceEnseigne.division_id)
        .outerjoin(GroupeEnseignement, GroupeEnseignement.id == ServiceEnseigne.groupe_id)
        .where(*taught),
        _line("principal", label(Division), "", "", Division.id)
        .join(ProfesseurPrincipal, ProfesseurPrincipal.division_id == Division.id)
        .where(*charge),
    ]


_PERSON = (
    select(Personne, Compte)
    .outerjoin(Compte, and_(Compte.personne_id == Personne.id, Compte.supprime_le.is_(None)))
    .where(Personne.id == PERSONNE, Personne.anonymise_le.is_(None))
)


def person(session: Session, pk: int) -> tuple[Personne, Compte | None] | None:
    """Return a person of the perimeter and their account."""
    row = session.execute(_PERSON, {"personne": pk}).first()
    return None if row is None else (row[0], row[1])


def position(session: Session, criteres: Criteres, tri: Tri, pk: int) -> Row[Any] | None:
    """Return a person's row in a list of a school, its filters left out, None when they are not in it.

    It carries the person and the account, and ends with the keys of the order.
    """
    whole = school_list(Criteres(criteres.etablissement_id, criteres.profil, criteres.departs))

    def make() -> Select[Any]:
        post = _first_post(Rattachement.id).correlate(Rattachement).scalar_subquery().label("poste")
        return whole.add_columns(post, Personne, Compte, *tri.keys).where(Personne.id == PERSONNE).limit(1)

    return session.execute(derived(whole, (tri, "position"), make), {"personne": pk}).first()


def _first_post(place: Any) -> Select[Any]:
    """Return what somebody does in a place: a discipline, or the function without one."""
    return (
        select(func.coalesce(Discipline.libelle, Fonction.libelle))
        .select_from(FonctionExercee)
        .join(Fonction, Fonction.id == FonctionExercee.fonction_id)
        .outerjoin(Discipline, Discipline.id == FonctionExercee.discipline_id)
        .where(FonctionExercee.rattachement_id == place)
        .order_by(FonctionExercee.id)
        .limit(1)
    )


def around(
    session: Session, criteres: Criteres, tri: Tri, row: Row[Any], before: int, after: int
) -> tuple[list[Row[Any]], list[Row[Any]]]:
    """Return the people just before and just after one in a list of a school, in one statement."""
    whole = school_list(criteres)

    def make() -> Any:
        halves = []
        for backwards, size in ((True, before), (False, after)):
            half = (
                whole.add_columns(literal(1 if backwards else 0).label("avant"))
                .where(tri.beyond(backwards=backwards))
                .order_by(*tri.order(backwards=backwards))
                .limit(size)
                .subquery()
            )
            post = _first_post(half.c.place).correlate(half).scalar_subquery().label("poste")
            halves.append(select(*half.c, post))
        return union_all(*halves)

    values = tri.bounds(row[-len(tri.keys) :])
    rows = session.execute(derived(whole, (tri, "around", before, after), make), values).all()
    earlier = [found for found in rows if found.avant]
    return earlier[::-1], [found for found in rows if not found.avant]


def relatives(session: Session, pk: int, etablissement_id: int | None) -> Sequence[Row[Any]]:
    """Return guardians (``sens`` 1) and children (``sens`` 0) of a person, and who is in the school now."""
    rows = session.execute(_relatives(), {"personne": pk, "etablissement": etablissement_id}).all()
    return sorted(rows, key=lambda row: (row.niveau, row.nom_recherche, row.id))


@cache
def _relatives() -> Any:
    halves = []
    for sens, mine, other, profil in (
        (1, Responsabilite.eleve_id, Responsabilite.responsable_id, "responsable"),
        (0, Responsabilite.responsable_id, Responsabilite.eleve_id, "eleve"),
    ):
        halves.append(
            select(
                literal(sens).label("sens"),
                Personne.id,
                Personne.nom,
                Personne.nom_usage,
                Personne.prenom,
                Personne.nom_recherche,
                Personne.email,
                Personne.telephone_portable,
                Responsabilite.code_parente,
                Responsabilite.niveau,
                Responsabilite.contact,
                Responsabilite.financier,
                Rattachement.id.label("place"),
                label(Division).label("classe"),
            )
            .select_from(Responsabilite)
            .join(Personne, Personne.id == other)
            .outerjoin(
                Rattachement,
                and_(
                    Rattachement.personne_id == Personne.id,
                    Rattachement.etablissement_id == ETABLISSEMENT,
                    Rattachement.profil == profil,
                    Rattachement.fin.is_(None),
                ),
            )
            .outerjoin(Division, Division.id == Rattachement.division_id)
            .where(mine == PERSONNE)
        )
    return union_all(*halves)


def posts(session: Session, place_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return what members of staff do, by attachment: disciplines, or the function without one."""
    rows = session.execute(
        select(FonctionExercee.rattachement_id, func.coalesce(Discipline.libelle, Fonction.libelle))
        .join(Fonction, Fonction.id == FonctionExercee.fonction_id)
        .outerjoin(Discipline, Discipline.id == FonctionExercee.discipline_id)
        .where(FonctionExercee.rattachement_id.in_(place_ids))
        .order_by(FonctionExercee.id)
    )
    return _by_first(rows)


def taught(session: Session, personne_ids: Sequence[int], etablissement_id: int) -> dict[int, list[str]]:
    """Return the classes teachers teach in a school, by teacher."""
    rows = session.execute(
        select(ServiceEnseigne.personne_id, label(Division))
        .join(Division, Division.id == ServiceEnseigne.division_id)
        .where(
            ServiceEnseigne.personne_id.in_(personne_ids),
            ServiceEnseigne.etablissement_id == etablissement_id,
        )
        .order_by(label(Division))
    )
    return _by_first(rows)


def children_here(
    session: Session, personne_ids: Sequence[int], etablissement_id: int
) -> dict[int, list[Row[Any]]]:
    """Return the pupils of a school that guardians answer for, by guardian."""
    rows = session.execute(
        select(
            Responsabilite.responsable_id,
            Personne.id,
            Personne.nom,
            Personne.nom_usage,
            Personne.prenom,
            label(Division).label("classe"),
        )
        .select_from(Responsabilite)
        .join(Personne, Personne.id == Responsabilite.eleve_id)
        .join(Rattachement, Rattachement.personne_id == Personne.id)
        .outerjoin(Division, Division.id == Rattachement.division_id)
        .where(
            Responsabilite.responsable_id.in_(personne_ids),
            Rattachement.etablissement_id == etablissement_id,
            Rattachement.profil == "eleve",
            Rattachement.fin.is_(None),
        )
        .order_by(Personne.nom_recherche)
    )
    found: dict[int, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.responsable_id, []).append(row)
    return found


def _by_first(rows: Any) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for key, text in rows:
        texts = found.setdefault(key, [])
        if text and text not in texts:
            texts.append(text)
    return found
