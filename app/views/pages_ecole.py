"""«Pages» of a school: the logos of its home page and of its public page (P1, P3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import abort, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import select
from werkzeug.wrappers import Response

from app.errors import UserError
from app.extensions import db
from app.models import PAGES, Etablissement, Logo
from app.operations import images, logos
from app.queries import pages as reads
from app.security.permissions import Resource, Verb
from app.views.actors import actor
from app.views.acts import run_act
from app.views.arguments import as_id, checked_pk, id_arg
from app.views.base import PreauBaseView, commit_act
from app.views.ecole import allowed_here, current_school

HOMES = {"accueil": "PagesEcole.accueil", "publique": "ReglagesPagePublique.reglages"}
"""Where the logos of each page are looked after."""
TITLES = {"accueil": "Page d’accueil", "publique": "Page publique"}
FIELDS = {"fichier": "Image", "texte": "Texte de remplacement", "url": "Adresse du lien"}


@dataclass
class Saisie:
    """What the form of a logo shows."""

    typed: dict[str, str] = field(default_factory=dict)
    visible: bool = True
    errors: dict[str, str] = field(default_factory=dict)
    refusal: str = ""

    def refuse(self, error: UserError) -> None:
        """Put a refusal on its field, or at the top."""
        if error.field in FIELDS:
            self.errors[error.field] = error.message
        else:
            self.refusal = error.message


class PagesEcole(PreauBaseView):
    """Logos, page by page."""

    resource = Resource.PAGE
    route_base = "/etablissements"
    default_view = "accueil"

    @expose("/<uai>/pages/accueil", methods=["GET"])
    @has_access
    @permission_name("lire")
    def accueil(self, uai: str) -> str:
        """Show the logos of the home page, and the page as users see it."""
        school = current_school(uai)
        return self.render_template(
            "pages/accueil.html",
            title="Page d’accueil",
            school=school,
            apercu=reads.accueils(db.session(), [school.id]),
            **logos_of(school, "accueil"),
        )

    @expose("/<uai>/pages/<page>/logos/ajouter", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def ajouter(self, uai: str, page: str) -> str | Response:
        """Send a picture, say what it shows and where it leads."""
        sent = sent_picture()
        school = current_school(uai)
        if page not in PAGES:
            abort(404)
        seen = Saisie()
        if request.method == "POST":
            seen, school_uai = _typed(), school.uai
            row, refusal = run_act(
                lambda: logos.ajouter(
                    db.session(),
                    school.id,
                    page,
                    sent,
                    texte=seen.typed["texte"],
                    url=seen.typed["url"],
                    visible=seen.visible,
                    acteur=actor(),
                )
            )
            if refusal is None:
                return redirect(f"{url_for(HOMES[page], uai=school_uai, fait='ajoute')}#logo-{row.id}")
            seen.refuse(refusal)
            school = current_school(uai)
        return self._form(school, page, seen, None, "Ajouter un logo")

    @expose("/<uai>/pages/logos/<int:pk>", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def modifier(self, uai: str, pk: int) -> str | Response:
        """Change a logo."""
        sent = sent_picture()
        school = current_school(uai)
        row = logo_here(school, pk)
        seen = Saisie({"texte": row.texte, "url": row.url or ""}, row.visible)
        if request.method == "POST":
            seen = _typed()
            page, back = row.page, url_for(HOMES[row.page], uai=school.uai)
            _none, refusal = run_act(
                lambda: logos.modifier(
                    db.session(),
                    row,
                    texte=seen.typed["texte"],
                    url=seen.typed["url"],
                    visible=seen.visible,
                    sent=sent,
                    acteur=actor(),
                )
            )
            if refusal is None:
                return redirect(f"{back}#logo-{pk}")
            seen.refuse(refusal)
            school = current_school(uai)
            row = logo_here(school, pk)
            return self._form(school, page, seen, row, "Modifier le logo")
        return self._form(school, row.page, seen, row, "Modifier le logo")

    def _form(self, school: Etablissement, page: str, seen: Saisie, row: Logo | None, title: str) -> str:
        return self.render_template(
            "pages/logo.html",
            title=title,
            school=school,
            page=page,
            page_title=TITLES[page],
            back=url_for(HOMES[page], uai=school.uai),
            seen=seen,
            row=row,
            fields=FIELDS,
            most=images.MOST_BYTES,
        )

    @expose("/<uai>/pages/<page>/logos/ordre", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def ordre(self, uai: str, page: str) -> Response:
        """Keep the order the logos were put in; an arrow moves one by one place."""
        school = current_school(uai)
        if page not in PAGES:
            abort(404)
        ids, moved = order_asked()
        back = url_for(HOMES[page], uai=school.uai)
        done = commit_act(lambda: logos.ordonner(db.session(), school.id, page, ids, acteur=actor()))
        return answer_order(done, f"{back}#logo-{moved}" if moved else f"{back}#logos")

    @expose("/<uai>/pages/logos/<int:pk>/supprimer", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def supprimer(self, uai: str, pk: int) -> Response:
        """Take a logo off; the page offers it back."""
        school = current_school(uai)
        row = logo_here(school, pk)
        back = url_for(HOMES[row.page], uai=school.uai, supprime=pk)
        commit_act(lambda: logos.supprimer(db.session(), row, acteur=actor()))
        return redirect(f"{back}#logos")

    @expose("/<uai>/pages/logos/<int:pk>/remettre", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def remettre(self, uai: str, pk: int) -> Response:
        """Put a logo back."""
        school = current_school(uai)
        row = logo_here(school, pk)
        back = url_for(HOMES[row.page], uai=school.uai)
        commit_act(
            lambda: logos.remettre(db.session(), row, acteur=actor()), message="Le logo est de retour."
        )
        return redirect(f"{back}#logo-{pk}")


def logo_here(school: Etablissement, pk: int) -> Logo:
    """Return a logo of the school; 404 for any other."""
    row = db.session.scalars(
        select(Logo).where(Logo.id == checked_pk(pk), Logo.etablissement_id == school.id)
    ).first()
    return row or abort(404)


def logos_of(school: Etablissement, page: str) -> dict[str, Any]:
    """Return what the card of logos shows: those of a page, and those taken off it lately."""
    mine = (Logo.etablissement_id == school.id, Logo.page == page)
    gone = reads.taken_off(db.session(), Logo, *mine)
    asked = id_arg("supprime")
    return {
        "page": page,
        "logos": reads.logos(db.session(), school.id, page),
        "retires": gone,
        "retire": next((row for row in gone if row.id == asked), None),
        "peut_ecrire": allowed_here(Resource.PAGE, Verb.ECRIRE),
        "logos_au_plus": logos.MOST,
    }


def order_asked() -> tuple[list[int], int | None]:
    """Return the order a form asks for, one row moved by its arrow when it was pressed."""
    ids = [found for raw in request.form.getlist("ordre")[:200] if (found := as_id(raw)) is not None]
    for name, step in (("monter", -1), ("descendre", 1)):
        moved = as_id(request.form.get(name, ""))
        if moved in ids:
            here = ids.index(moved)
            there = min(max(here + step, 0), len(ids) - 1)
            ids.insert(there, ids.pop(here))
            return ids, moved
    return ids, None


def answer_order(done: bool, back: str) -> Response:
    """Answer a drag with nothing to redraw, an arrow with the page."""
    if request.headers.get("X-Requested-With") == "fetch":
        return Response(status=204 if done else 409)
    return redirect(back)


def _typed() -> Saisie:
    typed = {name: request.form.get(name, "")[:1000] for name in ("texte", "url")}
    return Saisie(typed, "visible" in request.form)


def sent_picture() -> bytes | images.Refaite:
    """Return the picture of the form made anew, before a transaction waits for it.

    What is none comes back as it was sent: the act refuses it in its turn.
    """
    sent = _sent_file()
    db.session.rollback()
    try:
        return images.refaire(sent) if sent else b""
    except UserError:
        return sent


def _sent_file() -> bytes:
    """Return the bytes of the file, one more than the most at the most."""
    file = request.files.get("fichier")
    if file is None:
        return b""
    with file.stream as stream:  # a heavy one waits in a file of its own
        return bytes(stream.read(images.MOST_BYTES + 1))


def register(appbuilder: Any) -> None:
    """Add the pages; the tree of the school leads to them."""
    appbuilder.add_view_no_menu(PagesEcole)
