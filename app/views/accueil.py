"""Home: what waits for this person first, then what runs and what is late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import redirect, request, url_for
from flask_appbuilder import BaseView, expose
from werkzeug.routing import BuildError
from werkzeug.wrappers import Response

from app.extensions import PARIS, db, now
from app.operations.invites import today
from app.queries import accueil as reads
from app.queries import doublons as pairs
from app.queries import pages
from app.queries.etablissements import Choix, choices
from app.queries.invites import ending as guests_ending
from app.queries.pages import Accueil
from app.security.manager import allowed, current_account, current_perimetre, use_perimetre_for
from app.security.perimetres import Perimetre, perimetre
from app.security.permissions import Resource, Verb
from app.security.roles import ROLE_LABELS, Role
from app.views.frame import login_url
from app.views.rendering import capped_number, day, instant, number, plural, since

FAILED_SHOWN = timedelta(days=7)
ENDING_SOON = timedelta(days=30)
AT_HAND = 6
LISTES = {
    "eleve": "eleves",
    "enseignant": "enseignants",
    "personnel": "personnels",
    "responsable": "parents",
}
PROFILS = {
    "eleve": "Élèves",
    "enseignant": "Enseignants",
    "personnel": "Personnels",
    "responsable": "Parents et responsables",
}


@dataclass(frozen=True)
class Task:
    """One line of «À faire»."""

    text: str
    detail: str
    url: str
    icon: str
    tone: str = "info"


@dataclass(frozen=True)
class Work:
    """One work under way."""

    text: str
    waiting: bool
    done: int
    total: int | None


@dataclass(frozen=True)
class Late:
    """One school no feed has reached lately."""

    name: str
    uai: str
    url: str
    last: datetime | None


@dataclass(frozen=True)
class Figure:
    """One figure of the perimeter, and the list it counts."""

    label: str
    value: str
    url: str = ""


@dataclass
class Home:
    """Everything the home page shows, read out: the perimeter changes from one read to the next."""

    todo: list[Task] = field(default_factory=list)
    running: Sequence[Work] = ()
    late_count: int = 0
    late: Sequence[Late] = ()
    late_url: str = ""
    schools: int | None = None
    at_hand: Sequence[Choix] = ()
    figures: list[Figure] = field(default_factory=list)


class AccueilView(BaseView):
    """The first page after signing in."""

    route_base = ""
    default_view = "index"

    @expose("/")
    def index(self) -> str | Response:
        """Show home, or the way to sign in."""
        account = current_account()
        if account is None:
            return redirect(login_url(request.full_path.rstrip("?")))
        home = Home()
        _feeds(home)
        _tasks(home)
        _mails(home)
        _schools(home, account.id)
        _accounts(home)
        _roles(home)
        _guests(home)
        _duplicates(home)
        _figures(home)
        use_perimetre_for(None)
        schools = _my_schools(account.personne_id) if home.schools is None or home.schools <= AT_HAND else []
        return self.render_template(
            "accueil/accueil.html",
            title="Accueil",
            home=home,
            first_name=account.first_name,
            espace=allowed(Verb.LIRE, Resource.MON_ESPACE),
            link=link,
            accueils=schools,
        )


def _my_schools(personne_id: int | None) -> list[Accueil]:
    """Return what the schools one belongs to show their users: logos, news, public page (P1, P2)."""
    if personne_id is None:
        return []
    ids = pages.schools_of(db.session(), personne_id)
    with perimetre(db.session(), Perimetre(etablissements=frozenset(ids))):
        return pages.accueils(db.session(), ids)


def link(endpoint: str, **values: Any) -> str:
    """Return the address of a page, empty when this Préau does not have it."""
    try:
        return url_for(endpoint, **values)
    except BuildError:
        return ""


def _feeds(home: Home) -> None:
    if not allowed(Verb.LIRE, Resource.ALIMENTATION):
        return
    use_perimetre_for(Resource.ALIMENTATION)
    confirm = allowed(Verb.ECRIRE, Resource.ALIMENTATION)
    for feed in reads.feeds_to_confirm(db.session()):
        where = f"{feed.etablissement}, " if feed.etablissement else ""
        home.todo.append(
            Task(
                f"{feed} : {'aperçu à confirmer' if confirm else 'aperçu en attente de confirmation'}",
                f"{where}lue le {instant(feed.cree_le)}"
                + (f" par {feed.demandee_par}" if feed.demandee_par else ""),
                link("AlimentationView.show", pk=feed.id),
                "arrow-left-right",
            )
        )


def _tasks(home: Home) -> None:
    if not allowed(Verb.LIRE, Resource.TACHE):
        return
    use_perimetre_for(Resource.TACHE)
    home.running = [
        Work(task.libelle or task.type, task.etat == "attente", task.fait, task.total)
        for task in reads.tasks_running(db.session())
    ]
    for task in reads.tasks_failed(db.session(), since=now() - FAILED_SHOWN):
        home.todo.append(
            Task(
                f"{task.libelle or task.type} : échec",
                f"{task.message or 'Relancez ce travail.'} {instant(task.fin_le)}",
                link("TacheView.show", pk=task.id),
                "exclamation-triangle",
                "bad",
            )
        )


def _mails(home: Home) -> None:
    if not allowed(Verb.LIRE, Resource.COURRIEL):
        return
    use_perimetre_for(Resource.COURRIEL)
    count = reads.mails_failed(db.session())
    if count:
        text = f"{capped_number(count)} {plural(count, 'message')} non {plural(count, 'envoyé')}"
        address = link("CourrielView.list", _flt_1_etat="echec")
        home.todo.append(Task(text, "Vérifiez les adresses, puis renvoyez.", address, "envelope", "warn"))


def _schools(home: Home, compte_id: int) -> None:
    if not allowed(Verb.LIRE, Resource.ETABLISSEMENT):
        return
    use_perimetre_for(Resource.ETABLISSEMENT)
    home.schools = reads.schools(db.session())
    found = choices(db.session(), "", compte_id)
    kept = [one for one in found if one.favori or one.visite]
    home.at_hand = (found if home.schools <= AT_HAND else kept)[:AT_HAND]
    if allowed(Verb.LIRE, Resource.ALIMENTATION):
        home.late_count, late = reads.schools_late(db.session())
        home.late = [
            Late(school.nom, school.uai, link("EtablissementConsole.fiche", uai=school.uai), last)
            for school, last in late
        ]
        home.late_url = link("VueAcademie.liste", alimente="retard")


def _only_school(home: Home) -> str:
    """Return the UAI of the one school of this person, empty when there are several."""
    return home.at_hand[0].uai if home.schools == 1 and home.at_hand else ""


def _people_url(home: Home, profil: str, **more: str) -> str:
    """Return the list of the people counted: of the one school, or of the perimeter."""
    uai = _only_school(home)
    if uai:
        return link("Utilisateurs.liste", uai=uai, liste=LISTES[profil], **more)
    return link("Personnes.liste", profil=profil, **more)


def _accounts(home: Home) -> None:
    """Tell of accounts nobody activated, and of schools nobody administers."""
    if home.schools is None or not allowed(Verb.LIRE, Resource.RATTACHEMENT):
        return
    use_perimetre_for(Resource.RATTACHEMENT)
    found = reads.activation(db.session())
    if found.never:
        text = (
            f"{number(found.never)} {plural(found.never, 'compte jamais activé', 'comptes jamais activés')}"
        )
        detail = (
            f"sur {number(found.people)} personnes. Remettez-leur leurs identifiants de première connexion."
        )
        home.todo.append(Task(text, detail, link("Personnes.liste", etat="jamais"), "key", "warn"))
    if found.without_administrator and allowed(Verb.ECRIRE, Resource.ETABLISSEMENT):
        count, uai = found.without_administrator, _only_school(home)
        address = (
            link("EtablissementConsole.fiche", uai=uai)
            if uai
            else link("VueAcademie.liste", administrateur="sans")
        )
        text = f"{number(count)} {plural(count, 'établissement')} sans administrateur local"
        home.todo.append(Task(text, "Nommez quelqu’un pour chacun.", address, "person-x", "warn"))


def _roles(home: Home) -> None:
    """Tell of the rights that end soon: over schools to who administers them, all to who grants them."""
    grants = allowed(Verb.ECRIRE, Resource.COMPTE)
    if not grants and not allowed(Verb.ECRIRE, Resource.ETABLISSEMENT):
        return
    use_perimetre_for(Resource.COMPTE if grants else Resource.ETABLISSEMENT, Verb.ECRIRE)
    for held in reads.roles_ending(db.session(), until=now() + ENDING_SOON, schools_only=not grants):
        if held.jusqua is None:
            continue
        last = (held.jusqua - timedelta(seconds=1)).astimezone(PARIS).date()
        where = held.etablissement or held.academie or held.collectivite
        home.todo.append(
            Task(
                f"Les droits de {held.compte} s’arrêtent le {day(last)}",
                ROLE_LABELS[Role(held.role)] + (f", {where.nom}" if where else ""),
                link("EtablissementConsole.fiche", uai=held.etablissement.uai)
                if held.etablissement
                else link("CompteView.show", pk=held.compte_id),
                "calendar-event",
                "warn",
            )
        )


def _guests(home: Home) -> None:
    """Tell of the guests whose last day is near, each in the school that expects them."""
    if not allowed(Verb.ECRIRE, Resource.INVITE):
        return
    use_perimetre_for(Resource.INVITE, Verb.ECRIRE)
    for place in guests_ending(db.session(), until=today() + ENDING_SOON):
        person, school = place.personne, place.etablissement
        home.todo.append(
            Task(
                f"L’accès de {person.prenom} {person.nom_courant} s’arrête le {day(place.dernier_jour)}",
                f"Invité, {school.nom}",
                link("Invites.dernier_jour", uai=school.uai, pk=person.id),
                "calendar-event",
                "warn",
            )
        )


def _duplicates(home: Home) -> None:
    """Tell of the people who may be one, and of the merges others ask for."""
    if not allowed(Verb.ECRIRE, Resource.DOUBLON):
        return
    use_perimetre_for(Resource.DOUBLON, Verb.ECRIRE)
    held, uai = current_perimetre(), _only_school(home)
    address = link("Doublons.liste", **({"uai": uai} if uai else {}))
    asked = pairs.count(db.session(), None, ("demande",)) if held.tout or held.academies else 0
    if asked:
        words = plural(asked, "réunion de fiches demandée", "réunions de fiches demandées")
        text = f"{capped_number(asked)} {words}"
        home.todo.append(Task(text, "Comparez-les, puis répondez.", address, "copy", "warn"))
    found = pairs.count(db.session(), None, ("propose",))
    if found:
        text = f"{capped_number(found)} {plural(found, 'doublon possible', 'doublons possibles')}"
        home.todo.append(Task(text, "Comparez les fiches : une seule personne, ou deux ?", address, "copy"))


def _figures(home: Home) -> None:
    """Read the figures of the perimeter: people by profile, classes, last feed."""
    if home.schools is None:
        return
    if home.schools > 1:
        address = link("VueAcademie.liste") or link("EtablissementView.list")
        home.figures.append(Figure("Établissements", capped_number(home.schools), address))
    if allowed(Verb.LIRE, Resource.RATTACHEMENT):
        use_perimetre_for(Resource.RATTACHEMENT)
        for profil, count in zip(PROFILS, reads.people(db.session(), tuple(PROFILS)), strict=True):
            address = _people_url(home, profil)
            home.figures.append(Figure(PROFILS[profil], capped_number(count), address))
    if allowed(Verb.LIRE, Resource.DIVISION):
        use_perimetre_for(Resource.DIVISION)
        count = reads.divisions(db.session())
        uai = _only_school(home)
        address = link("Classes.liste", uai=uai) if uai else link("DivisionView.list")
        home.figures.append(Figure("Classes", capped_number(count), address))
    if allowed(Verb.LIRE, Resource.ALIMENTATION):
        use_perimetre_for(Resource.ALIMENTATION)
        last = since(reads.last_applied(db.session())).partition(",")[0]
        address = link("AlimentationView.list")
        home.figures.append(Figure("Dernière alimentation", last[:1].upper() + last[1:], address))
