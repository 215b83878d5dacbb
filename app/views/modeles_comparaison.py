"""Schools against a model: the matrix of their gaps, those of one school, and what applying would do (S3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from flask import Response, abort, flash, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from werkzeug.datastructures import MultiDict

from app.extensions import db
from app.models import Etablissement, ModeleServices
from app.operations import applications as acts
from app.queries import comparaison
from app.queries import modeles as reads
from app.queries.academie import SchoolFilter
from app.queries.cibles import Cible, said
from app.queries.comparaison import Modele, now_of
from app.queries.etats_services import Ecole, ServiceCatalogue, catalogue, fill, schools
from app.security.manager import allowed, current_perimetre
from app.security.permissions import Resource, Verb
from app.views.actors import actor
from app.views.acts import run_act
from app.views.arguments import as_id, ids_arg, text_arg
from app.views.base import PreauBaseView
from app.views.cursor_pages import SIZES
from app.views.labels import school_type
from app.views.list_parts import Chip, Facet
from app.views.modeles_communs import model_of, page_of_service
from app.views.rendering import number, plural
from app.views.streams import csv_response

MAX_SELECTION = 100
TRIS = ("ecarts", "nom")
EVERYTHING = SchoolFilter()
COLUMNS = 40
"""Columns of the matrix shown at most; the file has them all."""


@dataclass(frozen=True)
class Choix:
    """Which schools an address compares, and how it shows them."""

    filtre: SchoolFilter = EVERYTHING
    ecoles: tuple[int, ...] = ()
    service: str = ""
    conformes: bool = False
    tri: str = "ecarts"
    page: int = 1
    taille: int = SIZES[0]

    def arguments(self, **changes: Any) -> dict[str, Any]:
        """Return the query string that gives this back, with changes; from the first page."""
        found = {one.name: getattr(self.filtre, one.name) for one in fields(SchoolFilter)}
        found |= {"rowid": list(self.ecoles), "service": self.service, "conformes": int(self.conformes)}
        found |= {"tri": "" if self.tri == "ecarts" else self.tri}
        found |= {"taille": "" if self.taille == SIZES[0] else self.taille}
        return {name: value for name, value in {**found, **changes}.items() if value not in ("", None, 0, [])}

    @property
    def chosen(self) -> dict[str, Any]:
        """Return the part that says which schools."""
        return {
            name: value
            for name, value in self.arguments().items()
            if name not in {"service", "conformes", "tri", "taille"}
        }

    def clauses(self) -> list[Any]:
        """Return the conditions on schools: open ones, filtered or ticked."""
        found: list[Any] = [Etablissement.etat == "ouvert", *self.filtre.clauses()]
        return [*found, Etablissement.id.in_(self.ecoles)] if self.ecoles else found


@dataclass
class Ligne:
    """A school of the matrix."""

    ecole: Ecole
    ecarts: list[Cible]
    absents: list[ServiceCatalogue]
    par_service: Counter[str] = field(default_factory=Counter)


@dataclass
class Matrice:
    """Schools against a model."""

    lu: Modele
    lignes: list[Ligne]
    total: int
    trop: bool = False

    @property
    def differing(self) -> list[Ligne]:
        """Return the schools that differ."""
        return [one for one in self.lignes if one.ecarts]

    @property
    def gaps(self) -> int:
        """Return how many gaps there are in all."""
        return sum(len(one.ecarts) for one in self.lignes)

    def by_service(self) -> list[tuple[ServiceCatalogue, int, int]]:
        """Return the services that differ somewhere: in how many schools, by how many gaps."""
        schools_, gaps = Counter[str](), Counter[str]()
        for one in self.lignes:
            schools_.update(one.par_service.keys())
            gaps.update(one.par_service)
        return [(one, schools_[one.code], gaps[one.code]) for one in self.lu.services if gaps[one.code]]

    def by_line(self) -> list[tuple[Cible, int]]:
        """Return what differs somewhere, and in how many schools."""
        counts = Counter(cible.cle for one in self.lignes for cible in one.ecarts)
        return [(cible, counts[cible.cle]) for cible in self.lu.cibles if counts[cible.cle]]


class Comparaison(PreauBaseView):
    """Schools of the perimeter compared with a model."""

    resource = Resource.MODELE
    route_base = "/modeles"
    default_view = "comparer"

    @expose("/<int:pk>/comparer", methods=["GET"])
    @has_access
    @permission_name("lire")
    def comparer(self, pk: int) -> str:
        """Show the matrix of gaps."""
        modele, choix = model_of(pk), read_choice(request.args)
        matrix = compare(modele, choix)
        lines = _sorted(matrix.lignes if choix.conformes else matrix.differing, choix)
        pages = max(1, -(-len(lines) // choix.taille))
        page = min(choix.page, pages)
        one = matrix.lu.catalogue.get(choix.service)
        services = matrix.by_service()
        columns = matrix.by_line() if one else []

        def here(**changes: Any) -> str:
            return url_for(".comparer", pk=pk, **choix.arguments(**changes))

        return self.render_template(
            "modeles/comparer.html",
            title="Comparer",
            modele=modele,
            choix=choix,
            matrice=matrix,
            lignes=lines[(page - 1) * choix.taille : page * choix.taille],
            nombre=len(lines),
            page=page,
            pages=pages,
            tailles=SIZES,
            service=one,
            services=services[:COLUMNS],
            colonnes=columns[:COLUMNS],
            caches=max(0, len(columns if one else services) - COLUMNS),
            facettes=_facets(choix),
            puces=_chips(choix, here),
            ici=here,
            dit=said,
            tient=now_of,
            adresse=page_of_service,
            ecrit=allowed(Verb.ECRIRE, Resource.MODELE),
        )

    @expose("/<int:pk>/comparer.csv")
    @has_access
    @permission_name("lire")
    def export(self, pk: int) -> Response:
        """Send every gap of every school as a file."""
        modele, choix = model_of(pk), read_choice(request.args)
        matrix = compare(modele, choix)

        def rows() -> Iterator[Sequence[Any]]:
            yield ["UAI", "Établissement", "Service", "Élément", "Dans l’établissement", "Dans le modèle"]
            for line in _sorted(matrix.lignes, choix):
                for cible in line.ecarts:
                    held = said(cible, now_of(line.ecole, cible))
                    wanted = said(cible, matrix.lu.valeurs[cible.key])
                    yield [line.ecole.uai, line.ecole.nom, cible.service.nom, cible.libelle, held, wanted]

        return csv_response(f"ecarts-modele-{pk}.csv", rows())

    @expose("/<int:pk>/comparer/<uai>")
    @has_access
    @permission_name("lire")
    def ecole(self, pk: int, uai: str) -> str:
        """Show what one school has otherwise than the model."""
        modele = model_of(pk)
        read = comparaison.of_model(db.session(), catalogue(db.session()), modele.lignes)
        found = list(schools(db.session(), [Etablissement.uai == uai.upper()[:8]]).values())
        if not found:
            abort(404)
        fill(db.session(), {found[0].id: found[0]}, read.wanted)
        return self.render_template(
            "modeles/ecole.html",
            title=found[0].nom,
            modele=modele,
            lu=read,
            ecole=found[0],
            ecarts=read.gaps(found[0]),
            absents=read.unavailable(found[0]),
            dit=said,
            tient=now_of,
            adresse=page_of_service,
            ecrit=allowed(Verb.ECRIRE, Resource.MODELE),
        )

    @expose("/<int:pk>/appliquer", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def preparer(self, pk: int) -> Any:
        """Work out what the model would change in the schools ticked, or in all those compared."""
        modele, choix = model_of(pk), read_choice(request.form)
        ticked = ids_arg("ecole", request.form, limit=MAX_SELECTION)
        if request.form.get("tout") != "1":
            choix = Choix(ecoles=tuple(ticked) or (0,))
        session = db.session()
        ecoles = schools(session, choix.clauses(), acts.AU_PLUS + 1)
        made, refusal = run_act(
            lambda: acts.preparer(
                session,
                modele,
                ecoles,
                selection=_said(choix, ecoles),
                academie_id=_academie(),
                acteur=actor(),
            )
        )
        if refusal is not None:
            flash(refusal.message, "warning")
            return redirect(url_for(".comparer", pk=pk, **read_choice(request.form).arguments()))
        return redirect(url_for("Applications.fiche", pk=made.id))


def compare(modele: ModeleServices, choix: Choix) -> Matrice:
    """Compare the schools of a choice, one service alone if it says so."""
    session = db.session()
    read = comparaison.of_model(session, catalogue(session), modele.lignes)
    ecoles = schools(session, choix.clauses(), acts.AU_PLUS + 1)
    trop = len(ecoles) > acts.AU_PLUS
    fill(session, ecoles, read.wanted)
    lines = []
    for ecole in ecoles.values():
        gaps = read.gaps(ecole)
        if choix.service:
            gaps = [one for one in gaps if one.service.code == choix.service]
        counts = Counter(one.service.code for one in gaps)
        lines.append(Ligne(ecole, gaps, read.unavailable(ecole), counts))
    return Matrice(read, lines[: acts.AU_PLUS], len(lines), trop)


def read_choice(args: MultiDict[str, str]) -> Choix:
    """Read an address: what cannot be understood counts as absent."""
    size, page = args.get("taille", ""), args.get("page", "")
    tri = args.get("tri", "")
    return Choix(
        SchoolFilter(
            q=text_arg("q", args),
            type=text_arg("type", args),
            collectivite=as_id(args.get("collectivite", "")),
            academie=as_id(args.get("academie", "")),
        ),
        ecoles=tuple(ids_arg("rowid", args, limit=MAX_SELECTION)),
        service=text_arg("service", args),
        conformes=args.get("conformes") == "1",
        tri=tri if tri in TRIS else TRIS[0],
        page=min(as_id(page) or 1, 10_000),
        taille=int(size) if size in {str(one) for one in SIZES} else SIZES[0],
    )


def _sorted(lines: Sequence[Ligne], choix: Choix) -> list[Ligne]:
    """Return schools in the order asked for; they come by name."""
    if choix.tri == "nom":
        return list(lines)
    return sorted(lines, key=lambda one: -len(one.ecarts))


def _facets(choix: Choix) -> list[Facet]:
    """Return the selects worth showing: those that would change something."""
    rows = reads.facets(db.session())
    types = sorted({(row.type, school_type(row.type)) for row in rows if row.type}, key=lambda one: one[1])
    places = sorted({(str(row.collectivite_id), row.nom) for row in rows if row.nom}, key=lambda one: one[1])
    offered = (
        ("type", "Type", choix.filtre.type, types),
        ("collectivite", "Collectivité", str(choix.filtre.collectivite or ""), places),
    )
    return [Facet(*one) for one in offered if len(one[3]) > 1 or one[2]]


def _chips(choix: Choix, here: Any) -> list[Chip]:
    """Return the filters in force, each with the address that removes it."""
    found = []
    labels = {one.name: dict(one.choices) for one in _facets(choix)}
    if choix.ecoles:
        count = len(choix.ecoles)
        found.append(
            Chip(
                f"{number(count)} {plural(count, 'établissement coché', 'établissements cochés')}",
                here(rowid=[]),
            )
        )
    if choix.filtre.q:
        found.append(Chip(f"Recherche : {choix.filtre.q}", here(q="")))
    for name in ("type", "collectivite"):
        value = getattr(choix.filtre, name)
        if value:
            found.append(Chip(labels.get(name, {}).get(str(value), "Introuvable"), here(**{name: ""})))
    return found


def _said(choix: Choix, ecoles: dict[int, Ecole]) -> str:
    """Say which schools were chosen, for the report."""
    if len(ecoles) == 1:
        return next(iter(ecoles.values())).nom
    words = [one.text for one in _chips(choix, lambda **_: "") if not choix.ecoles]
    count = f"{number(len(ecoles))} établissements"
    return f"{count} ({', '.join(words)})" if words else count


def _academie() -> int | None:
    """Return the académie whose assistants will see the act: the actor's, when they are over one."""
    held = current_perimetre(Resource.MODELE, Verb.ECRIRE)
    return next(iter(held.academies)) if len(held.academies) == 1 else None


def register(appbuilder: Any) -> None:
    """Add the pages; models lead to them."""
    appbuilder.add_view_no_menu(Comparaison)
