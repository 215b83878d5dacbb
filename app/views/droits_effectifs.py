"""Effective rights of a school: «voir comme» a profile, of a person, two dates or schools compared (R10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Response, abort, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name

from app.extensions import PARIS, db, now
from app.models import PROFILS, Etablissement, Personne
from app.queries import console as schools
from app.queries.droits import PROFIL_LABELS, profils_of, services_of
from app.queries.droits_effectifs import (
    Difference,
    DroitExplique,
    differences,
    rights_of_person,
    rights_of_profiles,
)
from app.queries.services import CATEGORIES
from app.security.permissions import Resource
from app.views.arguments import checked_pk, choice_arg, text_arg
from app.views.base import PreauBaseView
from app.views.ecole import allowed_here, current_school
from app.views.services_ici import services_here
from app.views.streams import csv_response

OLDEST = date(2000, 1, 1)
LOOK_BACK = timedelta(days=30)


class DroitsEffectifs(PreauBaseView):
    """What people really may do in the services of one school."""

    resource = Resource.SERVICE
    route_base = "/etablissements"
    default_view = "profil"

    @expose("/<uai>/services/droits/profil")
    @has_access
    @permission_name("lire")
    def profil(self, uai: str) -> str | Response:
        """Show each right of a profile, in effect or not, and why."""
        school = current_school(uai)
        profil = choice_arg("profil", PROFILS, PROFILS[0])
        rights = list(rights_of_profiles(services_here(school.id), [profil]))
        if request.args.get("format") == "csv":
            return _file(f"droits-{profil}-{school.uai}.csv", rights)
        return self.render_template(
            "services/profil.html",
            title=f"Voir comme : {PROFIL_LABELS[profil]}",
            ecole=school,
            profil=profil,
            noms=PROFIL_LABELS,
            **_shown(rights),
        )

    @expose("/<uai>/services/droits/personnes/<int:pk>")
    @has_access
    @permission_name("lire")
    def personne(self, uai: str, pk: int) -> str | Response:
        """Show each right of somebody of the school, and why."""
        school, session = current_school(uai), db.session()
        person = session.get(Personne, checked_pk(pk)) if allowed_here(Resource.PERSONNE) else None
        held = profils_of(session, person.id, school.id) if person is not None else ()
        if person is None or not (held or _was_here(person, school)):
            abort(404)
        rights = rights_of_person(session, person.id, school.id)
        if request.args.get("format") == "csv":
            return _file(f"droits-{person.id}-{school.uai}.csv", rights)
        return self.render_template(
            "services/personne.html",
            title=f"Droits de {person.prenom} {person.nom_courant}",
            ecole=school,
            personne=person,
            profils=[PROFIL_LABELS[profil] for profil in held],
            **_shown(rights),
        )

    @expose("/<uai>/services/droits/comparer")
    @has_access
    @permission_name("lire")
    def comparer(self, uai: str) -> str | Response:
        """Show what differs between two dates, or with another school of the perimeter."""
        school, session = current_school(uai), db.session()
        today = now().astimezone(PARIS).date()
        before, after = _day("avant", today - LOOK_BACK), _day("apres", today)
        typed = text_arg("avec").upper()
        other = schools.school(session, typed[:8], None) if typed else None
        target = other[0] if other else school
        found: Sequence[Difference] = ()
        if not typed or other:
            found = differences(
                services_of(session, school.id, at=_end_of(before, today)),
                services_of(session, target.id, at=_end_of(after, today)),
            )
        if request.args.get("format") == "csv":
            return _differences_file(school, target, found)
        return self.render_template(
            "services/comparer.html",
            title="Comparer les droits",
            ecole=school,
            autre=target,
            avec=typed,
            inconnu=bool(typed) and other is None,
            avant=before,
            apres=after,
            aujourdhui=today,
            differences=found,
            noms=PROFIL_LABELS,
        )


def _was_here(person: Personne, school: Etablissement) -> bool:
    """Tell whether somebody without any right now is, or was, of the school."""
    return any(place.etablissement_id == school.id for place in person.rattachements)


def _shown(rights: Sequence[DroitExplique]) -> dict[str, Any]:
    """Return what the pages of rights draw: lines, filtered, and the figures."""
    only = choice_arg("seulement", ("accordes", "refuses"))
    kept = [one for one in rights if only in {"", "accordes" if one.accorde else "refuses"}]
    return {
        "droits": kept,
        "total": len(rights),
        "accordes": sum(one.accorde for one in rights),
        "seulement": only,
        "categories": CATEGORIES,
        "export": url_for(
            str(request.endpoint), **{**(request.view_args or {}), **request.args, "format": "csv"}
        ),
    }


def _file(filename: str, rights: Sequence[DroitExplique]) -> Response:
    lines: list[list[Any]] = [["Catégorie", "Service", "Droit", "En vigueur", "Règle"]]
    lines += [
        [
            CATEGORIES[one.service.categorie],
            one.service.nom,
            one.role.nom,
            "Oui" if one.accorde else "Non",
            one.phrase,
        ]
        for one in rights
    ]
    return csv_response(filename, lines)


def _differences_file(school: Etablissement, other: Etablissement, found: Sequence[Difference]) -> Response:
    lines: list[list[Any]] = [["Service", "Droit", "Profil", f"{school.uai}, avant", f"{other.uai}, après"]]
    lines += [
        [
            one.service,
            one.role,
            PROFIL_LABELS[one.profil],
            *("Oui" if v else "Non" for v in (one.avant, one.apres)),
        ]
        for one in found
    ]
    return csv_response(f"comparaison-{school.uai}.csv", lines)


def _day(name: str, default: date) -> date:
    """Return a day of the address; one that cannot be read, or to come, is the default."""
    try:
        found = date.fromisoformat(request.args.get(name, "")[:10])
    except ValueError:
        return default
    return found if OLDEST <= found <= now().astimezone(PARIS).date() else default


def _end_of(wanted: date, today: date) -> datetime | None:
    """Return the last instant of a day, None for today: what holds now."""
    return None if wanted == today else datetime.combine(wanted, time(23, 59, 59, 999999), tzinfo=PARIS)


def register(appbuilder: Any) -> None:
    """Add the pages; they are reached from those of the services."""
    appbuilder.add_view_no_menu(DroitsEffectifs)
