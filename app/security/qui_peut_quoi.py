"""«Qui peut quoi»: which rights somebody holds, and by which rule each (A7).

Each rule that gives rights is explained by a function of ``EXPLAINERS``: it reads what the rule says of one
holder, within the perimeter of the session, and yields rows. A module that gives rights by another rule (a
grid of profiles, a group) writes such a function and adds it to the end of the tuple; nothing else changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.extensions import now
from app.models import Attribution, Compte, EditeurPage, Nomination, Personne, Rattachement
from app.operations.sessions import parti
from app.queries.droits_effectifs import rights_of_person
from app.queries.personnes import PROFIL_LABELS
from app.security.permissions import RESOURCE_LABELS, Resource, Verb
from app.security.roles import RIGHTS, ROLE_LABELS, ROLE_PORTEES, SECOND_FACTEUR, Portee, Role

OUVERT, BIENTOT, FERME, ATTENTE = "ouvert", "bientot", "ferme", "attente"
SOON = timedelta(days=30)


@dataclass(frozen=True)
class Sujet:
    """Whose rights are explained: a person, the account they log in with, or an account that is nobody's.

    ``suspendu``: the account is suspended, though its holder is out of the reader's perimeter.
    """

    personne: Personne | None
    compte: Compte | None
    suspendu: bool = False

    @property
    def ferme(self) -> str:
        """Why nothing is open to them whatever they hold; empty when they may log in."""
        gone = self.personne is not None and self.personne.supprime_le is not None
        if gone and (self.compte is None or parti(self.compte)):
            return "La personne a quitté ses établissements."
        if self.compte is not None and self.compte.supprime_le is not None:
            return "Le compte est supprimé."
        held = self.personne or self.compte
        if held is not None and held.suspendu_le is not None:
            why = (held.motif_suspension or "").strip().rstrip(".")
            return f"Le compte est suspendu{f' : {why}' if why else ''}."
        if self.suspendu:
            return "Le compte est suspendu."
        if self.compte is not None and not self.compte.active:
            return "Le compte est fermé."
        return "" if self.compte is not None else "Le compte n’a pas encore été activé."


@dataclass(frozen=True)
class Droit:
    """One right: what it is, the rule it comes from, over what, given by whom, since when, until when.

    ``etat`` is ``ouvert``, ``bientot`` (it ends within a month), ``attente`` (not open yet) or ``ferme``;
    ``raison`` says why it is not open. ``permet`` says what it allows, in words, ``modules`` which rights
    of the console open it.
    """

    droit: str
    regle: str
    sur: str = ""
    source: str = ""
    depuis: datetime | None = None
    jusqua: datetime | None = None
    etat: str = OUVERT
    raison: str = ""
    permet: tuple[str, ...] = ()
    modules: frozenset[tuple[Verb, Resource]] = frozenset()
    uai: str = ""


Explainer = Callable[[Session, Sujet], Iterator[Droit]]

ALLOWS: dict[tuple[Verb, Resource], str] = {
    (Verb.LIRE, Resource.ETABLISSEMENT): "Lire la fiche des établissements",
    (Verb.ECRIRE, Resource.ETABLISSEMENT): (
        "Modifier la fiche des établissements, nommer et retirer leurs administrateurs locaux"
    ),
    (Verb.LIRE, Resource.PERSONNE): "Chercher les personnes et lire leur fiche",
    (Verb.ECRIRE, Resource.PERSONNE): (
        "Modifier les fiches, suspendre et réactiver des comptes, envoyer de nouveaux mots de passe"
    ),
    (Verb.LIRE, Resource.DIVISION): "Lire les classes et les groupes",
    (
        Verb.ECRIRE,
        Resource.ALIMENTATION,
    ): ("Déposer des fichiers de l’État, appliquer et annuler leurs différences"),
    (Verb.LIRE, Resource.ALIMENTATION): "Lire les alimentations",
    (Verb.ECRIRE, Resource.INVITE): "Ajouter, rattacher et détacher des invités",
    (Verb.LIRE, Resource.INVITE): "Lire les invités",
    (Verb.ECRIRE, Resource.IDENTIFIANT): "Exporter et imprimer les identifiants de première connexion",
    (Verb.LIRE, Resource.IDENTIFIANT): "Lire les identifiants de première connexion",
    (Verb.ECRIRE, Resource.SUPPRESSION): "Restaurer les personnes parties",
    (Verb.ECRIRE, Resource.DOUBLON): "Réunir deux fiches d’une même personne, ou le demander",
    (Verb.ECRIRE, Resource.SERVICE): "Activer des services, donner leurs droits aux profils, les régler",
    (Verb.LIRE, Resource.SERVICE): "Lire l’état des services et leurs droits",
    (Verb.LIRE, Resource.JOURNAL): "Lire le journal",
    (Verb.LIRE, Resource.DONNEES): "Exporter tout ce qui est gardé sur une personne",
    (Verb.ECRIRE, Resource.DONNEES): "Demander une rectification ou un effacement de données personnelles",
    (Verb.LIRE, Resource.COMPTE): "Lire les comptes et leurs rôles",
    (Verb.ECRIRE, Resource.COMPTE): "Réinitialiser le second facteur d’un compte",
    (Verb.ECRIRE, Resource.ADMINISTRATEUR): "Nommer des administrateurs, fixer et retirer leurs droits",
    (Verb.ECRIRE, Resource.CLE_API): "Créer et révoquer des clés d’API, sans dépasser ses propres droits",
    (Verb.LIRE, Resource.MON_ESPACE): "Lire sa propre fiche, changer son mot de passe, fermer ses sessions",
}
"""What a right of the console allows, in words; one that is not here is told by the label of its resource."""
UNSAID = {Resource.NOMENCLATURE, Resource.RATTACHEMENT, Resource.TACHE, Resource.REGISTRE}
"""Resources that only help to read others: saying them would say nothing."""


def explain(session: Session, sujet: Sujet) -> list[Droit]:
    """Return the rights of somebody, rule after rule, as far as the perimeter of the session reaches."""
    return [right for explainer in EXPLAINERS for right in explainer(session, sujet)]


def allowed_by(role: str) -> tuple[str, ...]:
    """Return what a role allows, in words, the widest verb of each resource."""
    rights = RIGHTS[Role(role)]
    found = []
    for resource, label in RESOURCE_LABELS.items():
        if resource in UNSAID or resource is Resource.MON_ESPACE:
            continue
        if (Verb.ECRIRE, resource) in rights:
            found.append(ALLOWS.get((Verb.ECRIRE, resource), f"{label} : lire et modifier"))
        elif (Verb.LIRE, resource) in rights:
            found.append(ALLOWS.get((Verb.LIRE, resource), f"{label} : lire"))
    return tuple(found)


def connection(_session: Session, sujet: Sujet) -> Iterator[Droit]:
    """Tell whether somebody may log in at all."""
    account = sujet.compte
    since = account.created_on if account is not None else None
    yield Droit(
        "Se connecter",
        "Compte activé" if account is not None else "Aucun compte",
        source=f"Identifiant {account.username}" if account is not None else "",
        depuis=since,
        etat=FERME if sujet.ferme else OUVERT,
        raison=sujet.ferme,
        permet=(ALLOWS[Verb.LIRE, Resource.MON_ESPACE],),
        modules=RIGHTS[Role.INVITE],
    )


def profiles(session: Session, sujet: Sujet) -> Iterator[Droit]:
    """Tell what somebody is in each school: the services of a school follow the profile."""
    if sujet.personne is None:
        return
    rows = session.scalars(
        select(Rattachement)
        .where(Rattachement.personne_id == sujet.personne.id, Rattachement.fin.is_(None))
        .options(joinedload(Rattachement.etablissement), joinedload(Rattachement.division))
        .order_by(Rattachement.id)
    ).all()
    for row in rows:
        until = row.dernier_jour
        yield Droit(
            f"Profil {PROFIL_LABELS[row.profil].lower()}",
            f"Place dans l’établissement{f', jusqu’au {until:%d/%m/%Y}' if until else ''}",
            sur=row.etablissement.nom + (f", {row.division}" if row.division else ""),
            source="Saisi à la main" if sujet.personne.source == "manuel" else "Donné par l’annuaire",
            etat=FERME if sujet.ferme else OUVERT,
            raison=sujet.ferme,
            uai=row.etablissement.uai,
        )


def roles(session: Session, sujet: Sujet) -> Iterator[Droit]:
    """Tell the roles held over others, those that ended too."""
    if sujet.compte is None:
        return
    rows = session.scalars(
        select(Attribution)
        .where(Attribution.compte_id == sujet.compte.id)
        .options(
            joinedload(Attribution.etablissement),
            joinedload(Attribution.academie),
            joinedload(Attribution.collectivite),
        )
        .order_by(Attribution.id)
    ).all()
    for row in rows:
        if row.role not in set(Role) or ROLE_PORTEES[Role(row.role)] is Portee.SOI:
            continue
        etat, raison = _stands(row, sujet)
        yield Droit(
            ROLE_LABELS[Role(row.role)],
            "Rôle donné" + (", second facteur demandé" if Role(row.role) in SECOND_FACTEUR else ""),
            sur=_over(row),
            source=f"Autorisé par {row.accordee_par}" if row.accordee_par else "Auteur non noté",
            depuis=row.depuis,
            jusqua=row.jusqua,
            etat=etat,
            raison=raison,
            permet=allowed_by(row.role),
            modules=RIGHTS[Role(row.role)] if etat in {OUVERT, BIENTOT} else frozenset(),
            uai=row.etablissement.uai if row.etablissement else "",
        )


def _stands(row: Attribution, sujet: Sujet) -> tuple[str, str]:
    moment = now()
    if row.jusqua is not None and row.jusqua <= moment:
        return FERME, "L’échéance est passée."
    if sujet.ferme:
        return FERME, sujet.ferme
    if row.depuis > moment:
        return ATTENTE, "Ce rôle n’a pas encore commencé."
    return (BIENTOT if row.jusqua is not None and row.jusqua <= moment + SOON else OUVERT), ""


def _over(row: Attribution) -> str:
    where = row.etablissement or row.academie or row.collectivite
    if where is not None:
        return where.nom
    return "Toute la plate-forme" if ROLE_PORTEES[Role(row.role)] is Portee.PLATEFORME else ""


def promises(session: Session, sujet: Sujet) -> Iterator[Droit]:
    """Tell the roles that wait for the account to be activated."""
    if sujet.personne is None:
        return
    rows = session.scalars(
        select(Nomination)
        .where(Nomination.personne_id == sujet.personne.id)
        .options(joinedload(Nomination.etablissement))
        .order_by(Nomination.id)
    ).all()
    for row in rows:
        yield Droit(
            ROLE_LABELS[Role(row.role)],
            "Rôle promis",
            sur=row.etablissement.nom,
            source=f"Autorisé par {row.accordee_par}",
            depuis=row.accordee_le,
            jusqua=row.jusqua,
            etat=ATTENTE,
            raison="Il s’ouvrira quand le compte sera activé.",
            permet=allowed_by(row.role),
            uai=row.etablissement.uai,
        )


def public_page(session: Session, sujet: Sujet) -> Iterator[Droit]:
    """Tell which schools' public pages somebody writes."""
    if sujet.personne is None:
        return
    rows = session.scalars(
        select(EditeurPage).where(EditeurPage.personne_id == sujet.personne.id).order_by(EditeurPage.id)
    ).all()
    schools = {
        place.etablissement_id: place.etablissement
        for place in session.scalars(
            select(Rattachement)
            .where(Rattachement.personne_id == sujet.personne.id, Rattachement.fin.is_(None))
            .options(joinedload(Rattachement.etablissement))
        )
    }
    for row in rows:
        school = schools.get(row.etablissement_id)
        gone = "La personne n’est plus dans l’établissement." if school is None else sujet.ferme
        yield Droit(
            "Éditeur de la page publique",
            "Désigné sur sa fiche",
            sur=school.nom if school else "",
            source=f"Autorisé par {row.accorde_par}" if row.accorde_par else "Auteur non noté",
            depuis=row.depuis,
            etat=FERME if gone else OUVERT,
            raison=gone,
            permet=("Écrire la page publique de l’établissement",),
            uai=school.uai if school else "",
        )


def services(session: Session, sujet: Sujet) -> Iterator[Droit]:
    """Tell what the profiles of somebody give them in the services of each school, and by which rule."""
    if sujet.personne is None:
        return
    places = session.scalars(
        select(Rattachement)
        .where(Rattachement.personne_id == sujet.personne.id, Rattachement.fin.is_(None))
        .options(joinedload(Rattachement.etablissement))
        .order_by(Rattachement.id)
    )
    for school in dict.fromkeys(place.etablissement for place in places):
        held = [one for one in rights_of_person(session, sujet.personne.id, school.id) if one.accorde]
        if not held:
            continue
        count = len(held)
        yield Droit(
            "Services de l’établissement",
            f"{count} {'droits' if count > 1 else 'droit'} par la grille des profils",
            sur=school.nom,
            etat=FERME if sujet.ferme else OUVERT,
            raison=sujet.ferme,
            permet=tuple(f"{one.service.nom}, {one.role.nom.lower()} – {one.phrase}" for one in held),
            uai=school.uai,
        )


EXPLAINERS: tuple[Explainer, ...] = (connection, profiles, roles, promises, public_page, services)
"""Every rule that gives rights, in the order they are told."""
