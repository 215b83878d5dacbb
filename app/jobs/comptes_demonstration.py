"""Accounts of the demo, one per role, held by people of the demo académie where the role is somebody's."""

from __future__ import annotations

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from app.exports.fictif.lexique import uai
from app.extensions import now
from app.models import (
    Academie,
    Attribution,
    Collectivite,
    Compte,
    Discipline,
    Etablissement,
    Fonction,
    FonctionExercee,
    Personne,
    ProfesseurPrincipal,
    Rattachement,
    Responsabilite,
    VarianteNom,
)
from app.operations import journal, logins
from app.queries.noms import name_variants, personne_key
from app.security.passwords import hash_password
from app.security.roles import ROLE_LABELS, Role

MOT_DE_PASSE = "marelle-sous-le-preau"
"""Known to everybody: these accounts exist in demo mode only."""
ACTEUR = "Démonstration"
DOMAINE = "demonstration.example"
COLLEGE = uai("037", 9012)
"""The first school of the fictional plan, where the accounts that belong to a school are."""

ACADEMIQUES = {
    Role.ASSISTANT_N2: ("Vaudémont", "Capucine", "F"),
    Role.ACCOMPAGNEMENT: ("Lestrange-Aubier", "Ghislain", "M"),
    Role.ASSISTANT_PLATEFORME: ("Quatremère", "Yasmina", "F"),
    Role.CORRESPONDANT_DEPLOIEMENT: ("Ollivier-Brac", "Théophane", "M"),
    Role.COLLECTIVITE: ("Montgazon", "Édith", "F"),
    Role.INVITE: ("Vallombreuse", "Héloïse", "F"),
}
COLLECTIVITES = (
    ("D37-FICTIF", "Département du Val-d’Indrelle", "departement", ("340",)),
    ("R24-FICTIF", "Région Touraine-Berry", "region", ("302", "306", "320")),
)


def demo_accounts(session: Session) -> list[tuple[str, str, str]]:
    """Return (role, login, password) of each demo account, in the order of the roles."""
    rows = session.execute(
        select(Attribution.role, Compte.username)
        .join(Compte, Compte.id == Attribution.compte_id)
        .where(Compte.email.endswith(f"@{DOMAINE}"))
        .order_by(Attribution.id)
    )
    found: dict[str, str] = {}
    for role, login in rows:
        found.setdefault(role, login)
    return [(ROLE_LABELS[role], found[role], MOT_DE_PASSE) for role in Role if role in found]


def share_schools(session: Session) -> None:
    """Give the schools to two local authorities: collèges to one, lycées to the other."""
    for code, nom, type_, natures in COLLECTIVITES:
        row = session.scalar(select(Collectivite).where(Collectivite.code == code))
        if row is None:
            row = Collectivite(code=code, nom=nom, type=type_)
            session.add(row)
            session.flush()
        session.execute(
            update(Etablissement)
            .where(Etablissement.code_nature.in_(natures))
            .values(collectivite_id=row.id)
            .execution_options(synchronize_session=False)
        )


def create(session: Session) -> None:
    """Create the accounts; each is written in the journal of its school."""
    school = session.scalars(select(Etablissement).where(Etablissement.uai == COLLEGE)).one()
    digest = hash_password(MOT_DE_PASSE)
    for role in Role:
        person = _somebody(session, role, school)
        _open(session, role, person, school, digest)


def _somebody(session: Session, role: Role, school: Etablissement) -> Personne:
    if role in ACADEMIQUES:
        return _newcomer(session, *ACADEMIQUES[role], school=school if role is Role.INVITE else None)
    found = session.scalars(_choose(role, school).limit(1)).first()
    if found is None:
        raise LookupError(f"the demo académie has nobody for the role {role}")
    return found


def _choose(role: Role, school: Etablissement) -> Select[tuple[Personne]]:
    """Return the people of the school who may hold the role, none of whom has an account yet."""
    taken = select(Compte.personne_id).where(Compte.personne_id.is_not(None))
    here = select(Rattachement.personne_id).where(Rattachement.etablissement_id == school.id)
    people = select(Personne).where(Personne.id.not_in(taken)).order_by(Personne.id)
    posts = (
        select(Rattachement.personne_id)
        .join(FonctionExercee, FonctionExercee.rattachement_id == Rattachement.id)
        .join(Fonction, Fonction.id == FonctionExercee.fonction_id)
        .outerjoin(Discipline, Discipline.id == FonctionExercee.discipline_id)
        .where(Rattachement.etablissement_id == school.id)
    )
    if role is Role.CHEF_ETABLISSEMENT:
        return people.where(Personne.id.in_(posts.where(Discipline.code == "D0010")))
    if role is Role.PERSONNEL:
        return people.where(Personne.id.in_(posts.where(Fonction.code == "EDU")))
    if role is Role.CORRESPONDANT:
        main = select(ProfesseurPrincipal.personne_id)
        return people.where(
            Personne.id.in_(here.where(Rattachement.profil == "enseignant")), Personne.id.in_(main)
        )
    if role is Role.ENSEIGNANT:
        two = (
            select(Rattachement.personne_id)
            .where(Rattachement.profil == "enseignant")
            .group_by(Rattachement.personne_id)
            .having(func.count() > 1)
        )
        return people.where(
            Personne.id.in_(here.where(Rattachement.profil == "enseignant")), Personne.id.in_(two)
        )
    if role is Role.ELEVE:
        place = here.where(Rattachement.profil == "eleve", Rattachement.division_id.is_not(None))
        return people.where(Personne.id.in_(place))
    children = (
        select(Responsabilite.responsable_id)
        .where(Responsabilite.niveau == 1)
        .group_by(Responsabilite.responsable_id)
        .having(func.count() > 1)
    )
    return people.where(
        Personne.id.in_(here.where(Rattachement.profil == "responsable")), Personne.id.in_(children)
    )


def _newcomer(
    session: Session, nom: str, prenom: str, sexe: str, *, school: Etablissement | None
) -> Personne:
    """Write somebody no feed knows: academic staff, or a guest of the school."""
    (login,) = logins.allocate(session, [(prenom, nom)])
    person = Personne(
        nom=nom.upper(),
        prenom=prenom,
        civilite="Mme" if sexe == "F" else "M.",
        sexe=sexe,
        nom_recherche=personne_key(nom, prenom),
        login=login,
    )
    session.add(person)
    session.flush()
    session.add_all(
        [VarianteNom(personne_id=person.id, cle=key) for key in name_variants(person.nom, None, prenom)]
    )
    if school is not None:
        session.add(
            Rattachement(
                personne_id=person.id, etablissement_id=school.id, profil="invite", debut=now().date()
            )
        )
        session.flush()
    return person


def _open(session: Session, role: Role, person: Personne, school: Etablissement, digest: str) -> None:
    compte = Compte(
        username=person.login,
        first_name=person.prenom[:64],
        last_name=(person.nom_usage or person.nom)[:64],
        email=f"{person.login}@{DOMAINE}",
        active=True,
        password=digest,
        personne_id=person.id,
    )
    session.add(compte)
    session.flush()
    for perimeter in _perimeters(session, role, school):
        session.add(Attribution(compte_id=compte.id, role=str(role), accordee_par=ACTEUR, **perimeter))
    session.flush()
    local = role in (Role.CORRESPONDANT, Role.CHEF_ETABLISSEMENT, Role.INVITE)
    journal.write(
        session,
        acte="compte.creer",
        acteur=ACTEUR,
        objet_type="compte",
        objet_id=compte.id,
        objet=str(compte),
        etablissement_id=school.id if local else None,
        apres={"login": compte.username, "role": ROLE_LABELS[role]},
    )


def _perimeters(session: Session, role: Role, school: Etablissement) -> list[dict[str, int | None]]:
    if role in (Role.ACCOMPAGNEMENT, Role.ASSISTANT_PLATEFORME, Role.CORRESPONDANT_DEPLOIEMENT):
        return [{"academie_id": session.scalar(select(Academie.id).where(Academie.code == "18"))}]
    if role in (Role.CORRESPONDANT, Role.CHEF_ETABLISSEMENT):
        return [{"etablissement_id": school.id}]
    if role is Role.COLLECTIVITE:
        codes = [code for code, *_rest in COLLECTIVITES]
        return [
            {"collectivite_id": id_}
            for id_ in session.scalars(select(Collectivite.id).where(Collectivite.code.in_(codes)))
        ]
    return [{}]
