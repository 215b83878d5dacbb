"""«Services» of a school: what is on, who has which right, saved cell by cell (R1, R2, R3)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Response, abort, flash, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from werkzeug.wrappers import Response as Redirect

from app.extensions import db
from app.models import PROFILS, Etablissement
from app.operations.droits_services import Changement, ConflitDroitsError, Ecrit, enregistrer_droits
from app.operations.gestionnaires import gestionnaire_of
from app.queries import services as reads
from app.queries.droits import PROFIL_LABELS, ServiceIci
from app.queries.noms import search_key
from app.queries.services import CATEGORIES, NATURES
from app.security.permissions import Resource, Verb
from app.views import panneaux as panels
from app.views.actors import actor
from app.views.acts import run_act
from app.views.arguments import as_id, choice_arg, text_arg
from app.views.base import PreauBaseView
from app.views.ecole import allowed_here, current_school
from app.views.rendering import plural
from app.views.services_ici import active, forget, service_of_page, services_here, with_cells
from app.views.streams import csv_response

GRILLE = ("roles", "acces")
ETATS = {"actif": "Actif", "inactif": "Inactif"}
LONGEST_FORM = 200_000


@dataclass
class Saisie:
    """What somebody ticked, kept when it is refused: cell → what they want, what they saw."""

    voulu: dict[str, bool] = field(default_factory=dict)
    vu: dict[str, bool] = field(default_factory=dict)
    erreur: str = ""
    conflits: Sequence[Ecrit] = ()

    def coche(self, cell: str, now: bool) -> bool:
        """Return what a cell shows: what was typed, else what holds."""
        return self.voulu.get(cell, now)


class Services(PreauBaseView):
    """The services of one school."""

    resource = Resource.SERVICE
    route_base = "/etablissements"
    default_view = "liste"

    @expose("/<uai>/services/")
    @has_access
    @permission_name("lire")
    def liste(self, uai: str) -> str:
        """List the services offered to the school, with their state and who may use them."""
        school = current_school(uai)
        services, counts = services_here(school.id), reads.combinations(db.session(), school.id)
        return self.render_template(
            "services/liste.html",
            title="Services",
            ecole=school,
            services=services,
            lignes=list(filtered(services)),
            actifs=active(services),
            personnes={one.id: reads.people_of(counts, profils_of(one)) for one in services},
            profils={one.id: profils_of(one) for one in services},
            categories=CATEGORIES,
            natures=NATURES,
            etats=ETATS,
            filtres=criteria(),
            ecrire=allowed_here(Resource.SERVICE, Verb.ECRIRE),
            noms=PROFIL_LABELS,
        )

    @expose("/<uai>/services/export")
    @has_access
    @permission_name("lire")
    def export(self, uai: str) -> Response:
        """Send the list as a file, as it is filtered."""
        school = current_school(uai)
        counts = reads.combinations(db.session(), school.id)
        lines: list[list[Any]] = [["Service", "Catégorie", "Nature", "État", "Profils", "Personnes"]]
        for one in filtered(services_here(school.id)):
            held = profils_of(one)
            lines.append(
                [
                    one.nom,
                    CATEGORIES[one.categorie],
                    NATURES[one.nature],
                    "Actif" if one.actif else "Inactif",
                    ", ".join(PROFIL_LABELS[profil] for profil in held),
                    reads.people_of(counts, held),
                ]
            )
        return csv_response(f"services-{school.uai}.csv", lines)

    @expose("/<uai>/services/categorie/<categorie>", methods=["GET"])
    @has_access
    @permission_name("lire")
    def categorie(self, uai: str, categorie: str) -> str:
        """Show every right of a category in one grid."""
        school = current_school(uai)
        return self._grid(school, *self._of_category(school, categorie), Saisie())

    @expose("/<uai>/services/categorie/<categorie>", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def enregistrer_categorie(self, uai: str, categorie: str) -> str | Redirect | tuple[str, int]:
        """Write the cells of a category that were changed."""
        school = current_school(uai)
        title, services = self._of_category(school, categorie)
        return self._save(school, title, services, url_for(".categorie", uai=school.uai, categorie=categorie))

    @expose("/<uai>/services/<code>", methods=["GET"])
    @has_access
    @permission_name("lire")
    def service(self, uai: str, code: str) -> str:
        """Show one service: its state, its rights."""
        school = current_school(uai)
        one = service_of_page(school.id, code)
        return self._grid(school, one.nom, [one], Saisie(), seul=one)

    @expose("/<uai>/services/<code>", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def enregistrer(self, uai: str, code: str) -> str | Redirect | tuple[str, int]:
        """Write the cells of a service that were changed."""
        school = current_school(uai)
        one = service_of_page(school.id, code)
        return self._save(school, one.nom, [one], url_for(".service", uai=school.uai, code=code), seul=one)

    def _of_category(self, school: Etablissement, categorie: str) -> tuple[str, list[ServiceIci]]:
        services = [one for one in services_here(school.id) if one.categorie == categorie]
        if categorie not in CATEGORIES or not services:
            abort(404)
        return CATEGORIES[categorie], services

    def _save(
        self,
        school: Etablissement,
        title: str,
        services: list[ServiceIci],
        back: str,
        *,
        seul: ServiceIci | None = None,
    ) -> str | Redirect | tuple[str, int]:
        saisie = read_form(services)
        changed = [
            Changement(*parse_key(key), accorde=wanted, vu=saisie.vu[key])
            for key, wanted in saisie.voulu.items()
        ]
        if all(one.accorde == one.vu for one in changed):
            flash("Aucun droit n’a été modifié.", "info")
            return redirect(back)
        written, refusal = run_act(
            lambda: enregistrer_droits(db.session(), school.id, changed, acteur=actor())
        )
        if refusal is None:
            count = len(written)
            flash(f"{count} {plural(count, 'droit enregistré', 'droits enregistrés')}.", "success")
            return redirect(back)
        forget()
        saisie.erreur = refusal.message
        saisie.conflits = refusal.cellules if isinstance(refusal, ConflitDroitsError) else ()
        school = current_school(school.uai)
        ids = {one.id for one in services}
        fresh = [one for one in services_here(school.id) if one.id in ids]
        page = self._grid(school, title, fresh, saisie, seul=fresh[0] if seul and fresh else None)
        return (page, 409) if saisie.conflits else page

    def _grid(
        self,
        school: Etablissement,
        title: str,
        services: list[ServiceIci],
        saisie: Saisie,
        *,
        seul: ServiceIci | None = None,
    ) -> str:
        session = db.session()
        counts = reads.combinations(session, school.id)
        return self.render_template(
            "services/droits.html",
            title=title,
            ecole=school,
            services=services,
            seul=seul,
            grille=with_cells(services, *GRILLE),
            annuaire=with_cells(services, "annuaire"),
            ouverts=with_cells(services, "etat"),
            inactifs=[one for one in with_cells(services, *GRILLE, "annuaire") if not one.actif],
            actifs=active(services),
            categories=CATEGORIES,
            natures=NATURES,
            profils=PROFILS,
            noms=PROFIL_LABELS,
            saisie=saisie,
            auteurs=reads.writers(
                session, school.id, [(one.case.role_id, one.case.profil) for one in saisie.conflits]
            )
            if saisie.conflits
            else {},
            derniers=reads.last_changes(session, school.id, [one.id for one in services]),
            combinaisons=json.dumps({"+".join(held): count for held, count in counts.items()}),
            ecrire=allowed_here(Resource.SERVICE, Verb.ECRIRE),
            panneaux=panels.panneaux(school.id, seul) if seul and not saisie.conflits else None,
            **panels.WORDS,
            reprise=gestionnaire_of(session, school.id, seul.id) if seul and seul.reprise_contenus else None,
        )


def parse_key(key: str) -> tuple[int, str]:
    """Read the name of a cell in a form: role and profile."""
    role, _, profil = key.partition(".")
    return int(role), profil


def cell_key(role_id: int, profil: str) -> str:
    """Return the name of a cell in a form."""
    return f"{role_id}.{profil}"


def read_form(services: Sequence[ServiceIci]) -> Saisie:
    """Read the grid as it was sent: the cells it showed, what each said, what is ticked now.

    A cell that is not of this page, or fixed, is left out: the form of the page cannot have sent it.
    """
    known = {
        cell_key(role.id, profil)
        for one in services
        for role in one.roles
        for profil in PROFILS
        if not role.case(profil).fixe
    }
    seen: dict[str, bool] = {}
    for said in request.form.get("vu", "")[:LONGEST_FORM].split(","):
        key, _, value = said.partition(":")
        if key in known and value in {"0", "1"} and as_id(key.partition(".")[0]):
            seen[key] = value == "1"
    ticked = set(request.form.getlist("c"))
    wanted = {key: key in ticked for key in seen}
    for key in seen:
        chosen = request.form.get(f"choix-{key}")
        if chosen in {"0", "1"}:
            wanted[key] = chosen == "1"
    return Saisie(wanted, seen)


def criteria() -> dict[str, str]:
    """Return the filters of the list, as its address says them."""
    return {
        "q": text_arg("q"),
        "categorie": choice_arg("categorie", CATEGORIES),
        "nature": choice_arg("nature", NATURES),
        "etat": choice_arg("etat", ETATS),
        "tri": choice_arg("tri", ("nom", "-nom", "etat", "-etat")),
    }


def filtered(services: Sequence[ServiceIci]) -> Iterator[ServiceIci]:
    """Yield the services the filters let through, in the order the address asks."""
    asked = criteria()
    words, tri = search_key(asked["q"]), asked["tri"]
    kept = [
        one
        for one in services
        if (not words or words in search_key(one.nom))
        and asked["categorie"] in {"", one.categorie}
        and asked["nature"] in {"", one.nature}
        and asked["etat"] in {"", "actif" if one.actif else "inactif"}
    ]
    if tri.endswith("nom"):
        kept.sort(key=lambda one: search_key(one.nom), reverse=tri.startswith("-"))
    elif tri:
        kept.sort(key=lambda one: one.actif, reverse=not tri.startswith("-"))
    yield from kept


def profils_of(service: ServiceIci) -> list[str]:
    """Return the profiles that have some right in a service, as if it were on."""
    return [profil for profil in PROFILS if any(role.case(profil).coche for role in service.roles)]


def register(appbuilder: Any) -> None:
    """Add the pages; they are reached through the tree of the school."""
    appbuilder.add_view_no_menu(Services)
