"""What a school lends: the catalogue, the day, the week of a resource, asking for it (R6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Response as FlaskResponse
from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import select
from werkzeug.wrappers import Response

from app.errors import RuleViolationError
from app.extensions import db, now
from app.models import Personne, Ressource
from app.operations import images
from app.operations import reservations as acts
from app.operations.reservations import ConflitsError, Demande, Resultat, duration
from app.queries import creneaux
from app.queries import reservations as reads
from app.security.permissions import Resource
from app.views.actors import actor, deployment
from app.views.acts import run_act, show_refusal
from app.views.arguments import text_arg
from app.views.base import PreauBaseView
from app.views.reservation_commun import (
    clock_of,
    day_arg,
    day_of,
    enter,
    frame,
    long_day,
    opening_lines,
    resource_here,
)
from app.views.reservation_formulaires import DemandeForm
from app.views.reservation_regles import rules_html
from app.views.reservation_semaine import week

PAGE = 60
MOST = 500


@dataclass(frozen=True)
class Fiche:
    """A resource of the catalogue, and whether it may be had."""

    item: Ressource
    libres: int
    mot: str
    ton: str


class Reservations(PreauBaseView):
    """What anybody with a role in the service reads and asks."""

    resource = Resource.RESERVATION
    route_base = "/etablissements"
    default_view = "catalogue"

    @expose("/<uai>/reservations/")
    @has_access
    @permission_name("lire")
    def catalogue(self, uai: str) -> str:
        """Show what the school lends, and what is free now or at the hours asked for."""
        school, access = enter(uai)
        session = db.session()
        wanted, wrong = _slot_args()
        q, categorie = text_arg("q"), text_arg("categorie")
        statement = reads.resources(school.id, q, categorie, withdrawn=access.gerer)
        items = list(session.scalars(statement.order_by(Ressource.nom, Ressource.id).limit(MOST)))
        cards = _cards(items, wanted)
        if wanted is not None or request.args.get("libre") == "1":
            cards = [one for one in cards if one.libres > 0]
        start = text_arg("apres")
        later = [one for one in cards if one.item.nom > start]
        shown = later[:PAGE]
        return self.render_template(
            "reservation/catalogue.html",
            title="Réservation de matériel",
            fiches=shown,
            total=len(cards),
            suivante=shown[-1].item.nom if len(later) > PAGE else "",
            debut=start,
            q=q,
            categorie=categorie,
            categories=reads.categories(session, school.id),
            creneau=wanted,
            creneau_faux=wrong,
            filtre=any(request.args.get(name) for name in ("q", "categorie", "libre", "jour", "de", "a")),
            **frame(school, access, "catalogue"),
        )

    @expose("/<uai>/reservations/jour")
    @has_access
    @permission_name("lire")
    def jour(self, uai: str) -> str:
        """Show a day: each resource with who has it when."""
        school, access = enter(uai)
        session, day = db.session(), day_arg()
        items = list(
            session.scalars(
                reads.resources(school.id).order_by(Ressource.categorie, Ressource.nom).limit(MOST)
            )
        )
        start, end = creneaux.bounds(day)
        rows = reads.between(session, school.id, reads.Filtres(etats=reads.TENUES, du=start, au=end))
        held = reads.held(session, [one.id for one in items], start, end)
        by_item = {
            one.id: week(
                one,
                [day],
                [row for row in rows if row.ressource_id == one.id],
                [row for row in held if row.ressource_id == one.id],
                now(),
            ).jours[0]
            for one in items
        }
        return self.render_template(
            "reservation/jour.html",
            title=f"Réservations du {day:%d/%m/%Y}",
            jour=day,
            jour_long=long_day(day),
            ressources=items,
            jours=by_item,
            occupees=len({row.ressource_id for row in rows}),
            avant=day - timedelta(days=1),
            apres=day + timedelta(days=1),
            aujourdhui=creneaux.today(now()),
            **frame(school, access, "jour"),
        )

    @expose("/<uai>/reservations/ressources/<int:pk>")
    @has_access
    @permission_name("lire")
    def ressource(self, uai: str, pk: int) -> str:
        """Show a resource: its rules, its week."""
        school, access = enter(uai)
        item = resource_here(school, pk, access)
        session, monday = db.session(), creneaux.monday(day_arg("semaine"))
        start, end = creneaux.bounds(monday, 7)
        filtres = reads.Filtres(etats=reads.TENUES, ressource_id=item.id, du=start, au=end)
        return self.render_template(
            "reservation/ressource.html",
            title=item.nom,
            item=item,
            regles=rules_html(item.regles),
            semaine=week(
                item,
                [monday + timedelta(days=n) for n in range(7)],
                reads.between(session, school.id, filtres),
                reads.held(session, [item.id], start, end),
                now(),
            ),
            lundi=monday,
            dimanche=monday + timedelta(days=6),
            avant=monday - creneaux.SEMAINE,
            apres=monday + creneaux.SEMAINE,
            cette_semaine=creneaux.monday(creneaux.today(now())),
            ouvertures=opening_lines(item.ouvertures),
            fiche=_cards([item], None)[0],
            duree=duration,
            jour_long=long_day,
            **frame(school, access),
        )

    @expose("/<uai>/reservations/ressources/<int:pk>/photo")
    @has_access
    @permission_name("lire")
    def photo(self, uai: str, pk: int) -> FlaskResponse:
        """Send the picture of a resource, as we wrote it."""
        school, access = enter(uai)
        item = resource_here(school, pk, access)
        found = reads.photo(db.session(), school.id, item.id)
        if found is None:
            abort(404)
        answer = FlaskResponse(bytes(found.photo), mimetype=images.WEBP)
        answer.headers["Cache-Control"] = "private, max-age=86400"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.set_etag(found.photo_empreinte)
        return answer.make_conditional(request)  # type: ignore[return-value]

    @expose("/<uai>/reservations/ressources/<int:pk>/demander", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def demander(self, uai: str, pk: int) -> str | Response:
        """Ask for a resource; what cannot be had is named, with what is free nearby."""
        school, access = enter(uai, "demander")
        item = resource_here(school, pk, access)
        form = DemandeForm()
        form.prepare(item)
        refusal: Any = None
        if form.validate_on_submit() and (wanted := form.read()) is not None:
            done, refusal = run_act(lambda: _ask(uai, pk, wanted))
            if refusal is None:
                flash(_done_words(done), "success")
                return redirect(url_for("MesReservations.liste"))
            show_refusal(refusal, form)
            school, access = enter(uai, "demander")
            item = resource_here(school, pk, access)
        conflict = refusal if isinstance(refusal, ConflitsError) else None
        return self.render_template(
            "reservation/demander.html",
            title=f"Demander : {item.nom}",
            item=item,
            form=form,
            regles=rules_html(item.regles),
            ouvertures=opening_lines(item.ouvertures),
            duree=duration,
            conflit=conflict,
            libres=[_link_slot(*slot) for slot in conflict.libres] if conflict else [],
            local=creneaux.local,
            **frame(school, access),
        )


def _ask(uai: str, pk: int, wanted: Demande) -> Resultat:
    school, access = enter(uai, "demander")
    item = resource_here(school, pk, access)
    person = db.session.scalars(select(Personne).where(Personne.id == access.personne_id)).first()
    if person is None:
        raise RuleViolationError("Votre compte n’est lié à personne de l’annuaire : il ne réserve pas.")
    return acts.demander(db.session(), item, person, wanted, acteur=actor(), deployment=deployment())


def _done_words(done: Resultat) -> str:
    count = len(done.reservations)
    if done.deja:
        return "Cette demande était déjà enregistrée : rien n’a été fait deux fois."
    waiting = done.reservations[0].etat == "demandee"
    if count == 1:
        return (
            "Demande envoyée. Le créneau vous est gardé ; un courriel vous dira la réponse."
            if waiting
            else "Réservation enregistrée."
        )
    left = f", {len(done.conflits)} laissées car déjà prises" if len(done.conflits) > 1 else ""
    left = ", une laissée car déjà prise" if len(done.conflits) == 1 else left
    return f"{count} {'demandes envoyées' if waiting else 'réservations enregistrées'}{left}."


def _link_slot(start: datetime, end: datetime) -> tuple[str, dict[str, str]]:
    """Return a free slot in words, and the arguments that fill the form with it."""
    a, b = creneaux.local(start), creneaux.local(end)
    words = f"{creneaux.JOURS[a.weekday()]} {a:%d/%m}, {a:%H:%M}\u00a0–\u00a0{b:%H:%M}"
    return words, {"jour": f"{a:%Y-%m-%d}", "debut": f"{a:%H:%M}", "fin": f"{b:%H:%M}"}


def _slot_args() -> tuple[tuple[datetime, datetime] | None, str]:
    """Return the slot the catalogue is searched for, or what is wrong with it."""
    raw = [request.args.get(name, "").strip() for name in ("jour", "de", "a")]
    if not any(raw):
        return None, ""
    day, a, b = day_of(raw[0]), clock_of(raw[1]), clock_of(raw[2])
    if day is None or a is None or b is None:
        return None, "Pour chercher un créneau, donnez le jour et les deux heures."
    try:
        start, end = creneaux.instant_at(day, a), creneaux.instant_at(day, b)
    except RuleViolationError as error:
        return None, error.message
    return ((start, end), "") if start < end else (None, "La fin doit venir après le début.")


def _cards(items: list[Ressource], slot: tuple[datetime, datetime] | None) -> list[Fiche]:
    """Tell of each resource whether it may be had, now or at a slot."""
    moment = now()
    start, end = slot or (moment, creneaux.bounds(creneaux.today(moment))[1])
    held = reads.held(db.session(), [one.id for one in items], start, end)
    cards = []
    for item in items:
        mine = [row for row in held if row.ressource_id == item.id]
        if not item.active:
            cards.append(Fiche(item, 0, "Retirée du catalogue", ""))
        elif slot is not None:
            opened = creneaux.is_open(item.ouvertures, start, end)
            free = len(creneaux.free_units(item.quantite, mine, start, end)) if opened else 0
            cards.append(
                Fiche(item, free, _free_words(item, free, "Libre à ces heures"), "ok" if free else "")
            )
        else:
            cards.append(_now(item, mine, moment))
    return cards


def _now(item: Ressource, held: list[Any], moment: datetime) -> Fiche:
    soon = moment + timedelta(minutes=1)
    if not creneaux.is_open(item.ouvertures, moment, soon):
        here = creneaux.local(moment).time()
        later = [a for a, _ in creneaux.open_hours(item.ouvertures, creneaux.today(moment)) if a > here]
        return Fiche(item, 0, f"Ouvre à {later[0]:%H:%M}" if later else "Fermée à cette heure", "")
    free = len(creneaux.free_units(item.quantite, held, moment, soon))
    if free:
        following = min((row.debut for row in held if row.debut > moment), default=None)
        until = f" jusqu’à {creneaux.local(following):%H:%M}" if following and item.quantite == 1 else ""
        return Fiche(item, free, _free_words(item, free, f"Libre maintenant{until}"), "ok")
    end = min(row.fin for row in held if row.debut <= soon)
    here_end = creneaux.local(end)
    same_day = here_end.date() == creneaux.today(moment)
    until = f"jusqu’à {here_end:%H:%M}" if same_day else f"jusqu’au {here_end:%d/%m, %H:%M}"
    return Fiche(item, 0, f"Occupée {until}", "warn")


def _free_words(item: Ressource, free: int, alone: str) -> str:
    if not free:
        return "Prise ou fermée à ces heures"
    return alone if item.quantite == 1 else f"{free} sur {item.quantite} {'libres' if free > 1 else 'libre'}"


def register(appbuilder: Any) -> None:
    """Add the pages; they are reached through the tree of the school and «Mon espace»."""
    appbuilder.add_view_no_menu(Reservations)
