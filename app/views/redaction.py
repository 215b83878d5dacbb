"""The blocks of the public page, for its editors and the administrators of the school (P4)."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import Any

from flask import Response as PlainResponse
from flask import abort, jsonify, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import select
from werkzeug.wrappers import Response

from app.errors import ConflictError, UserError
from app.extensions import db
from app.models import Bloc, Etablissement
from app.operations import blocs, images, page_publique
from app.operations.markdown import render
from app.queries import pages as reads
from app.security.permissions import Resource
from app.views.actors import actor
from app.views.acts import run_act
from app.views.arguments import as_id, checked_pk, id_arg
from app.views.base import PreauBaseView, commit_act
from app.views.ecole import current_school
from app.views.pages_ecole import answer_order, order_asked, sent_picture

NEW_TEXT = ""
MOST_COMPARED = 10_000
"""Pairs of lines of two texts compared to show what changed."""


@dataclass
class Saisie:
    """What the form of a block shows."""

    titre: str = ""
    texte: str = NEW_TEXT
    visible: bool = True
    version: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    refusal: str = ""
    theirs: str = ""
    theirs_title: str = ""


class Redaction(PreauBaseView):
    """Blocks: list, order, write, preview, versions."""

    resource = Resource.REDACTION
    route_base = "/etablissements"
    default_view = "liste"

    @expose("/<uai>/pages/contenus", methods=["GET"])
    @has_access
    @permission_name("lire")
    def liste(self, uai: str) -> str:
        """Show the blocks in their order, each as readers see it."""
        school = current_school(uai)
        rows = reads.blocs(db.session(), school.id)
        gone = reads.taken_off(db.session(), Bloc, Bloc.etablissement_id == school.id)
        asked = id_arg("supprime")
        page = page_publique.page_of(db.session(), school.id)
        adresse = page_publique.adresse_of(db.session(), school.id)
        return self.render_template(
            "pages/contenus.html",
            title="Contenus de la page publique",
            school=school,
            blocs=rows,
            auteurs=reads.last_authors(db.session(), [row.id for row in rows]),
            retires=gone,
            retire=next((row for row in gone if row.id == asked), None),
            ouverte=adresse if page is not None and page.active else "",
            au_plus=blocs.MOST,
        )

    @expose("/<uai>/pages/contenus/ajouter", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def ajouter(self, uai: str) -> str | Response:
        """Write a new block."""
        school = current_school(uai)
        seen = Saisie()
        if request.method == "POST":
            seen, id_, back = _typed(), school.id, url_for(".liste", uai=school.uai)
            row, refusal = run_act(
                lambda: blocs.creer(
                    db.session(),
                    id_,
                    titre=seen.titre,
                    texte=seen.texte,
                    visible=seen.visible,
                    acteur=actor(),
                )
            )
            if refusal is None:
                return redirect(f"{back}#bloc-{row.id}")
            _refuse(seen, refusal)
            school = current_school(uai)
        return self._form(school, seen, None, "Ajouter un bloc")

    @expose("/<uai>/pages/contenus/<int:pk>", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def modifier(self, uai: str, pk: int) -> str | Response | tuple[str, int]:
        """Change a block; who read an older version keeps what they typed and sees the other."""
        school = current_school(uai)
        row = bloc_here(school, pk)
        if request.method == "GET":
            return self._form(school, _read_out(row), row, "Modifier le bloc")
        seen, back = _typed(), url_for(".liste", uai=school.uai)
        _none, refusal = run_act(
            lambda: blocs.modifier(
                db.session(),
                row,
                titre=seen.titre,
                texte=seen.texte,
                visible=seen.visible,
                version=seen.version,
                acteur=actor(),
            )
        )
        if refusal is None:
            return redirect(f"{back}#bloc-{pk}")
        _refuse(seen, refusal)
        school = current_school(uai)
        row = bloc_here(school, pk)
        if not isinstance(refusal, ConflictError):
            return self._form(school, seen, row, "Modifier le bloc")
        seen.theirs, seen.theirs_title, seen.version = row.texte, row.titre, row.version
        return self._form(school, seen, row, "Modifier le bloc"), 409

    def _form(self, school: Etablissement, seen: Saisie, row: Bloc | None, title: str) -> str:
        return self.render_template(
            "pages/bloc.html",
            title=title,
            school=school,
            seen=seen,
            row=row,
            rendu=render(seen.texte),
            difference=_difference(seen.theirs, seen.texte) if seen.theirs_title else [],
            back=url_for(".liste", uai=school.uai),
            longest=blocs.LONGEST,
        )

    @expose("/<uai>/pages/contenus/apercu", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def apercu(self, uai: str) -> str:
        """Show what a text will look like."""
        current_school(uai)
        return render(request.form.get("texte", "")[: blocs.LONGEST])

    @expose("/<uai>/pages/contenus/image", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def image(self, uai: str) -> PlainResponse:
        """Keep a picture and say how a text shows it."""
        sent = sent_picture()
        id_ = current_school(uai).id
        row, refusal = run_act(lambda: images.ajouter(db.session(), id_, sent))
        if refusal is not None:
            answer = jsonify(erreur=refusal.message)
            answer.status_code = 422
            return answer
        return jsonify(adresse=url_for("Medias.media", empreinte=row.empreinte))

    @expose("/<uai>/pages/contenus/ordre", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def ordre(self, uai: str) -> Response:
        """Keep the order the blocks were put in; an arrow moves one by one place."""
        school = current_school(uai)
        ids, moved = order_asked()
        back = url_for(".liste", uai=school.uai)
        done = commit_act(lambda: blocs.ordonner(db.session(), school.id, ids, acteur=actor()))
        return answer_order(done, f"{back}#bloc-{moved}" if moved else back)

    @expose("/<uai>/pages/contenus/<int:pk>/supprimer", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def supprimer(self, uai: str, pk: int) -> Response:
        """Take a block off; the list offers it back."""
        school = current_school(uai)
        row, back = bloc_here(school, pk), url_for(".liste", uai=school.uai, supprime=pk)
        commit_act(lambda: blocs.supprimer(db.session(), row, acteur=actor()))
        return redirect(back)

    @expose("/<uai>/pages/contenus/<int:pk>/remettre", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def remettre(self, uai: str, pk: int) -> Response:
        """Put a block back."""
        school = current_school(uai)
        row, back = bloc_here(school, pk, gone=True), url_for(".liste", uai=school.uai)
        commit_act(
            lambda: blocs.remettre(db.session(), row, acteur=actor()), message="Le bloc est de retour."
        )
        return redirect(f"{back}#bloc-{pk}")

    @expose("/<uai>/pages/contenus/<int:pk>/versions", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def versions(self, uai: str, pk: int) -> str | Response:
        """Show what a block said, who wrote it and what each version changed; take one up again."""
        school = current_school(uai)
        row = bloc_here(school, pk)
        if request.method == "POST":
            numero, back = as_id(request.form.get("numero", "")) or 0, url_for(".liste", uai=school.uai)
            commit_act(
                lambda: blocs.reprendre(db.session(), row, numero, acteur=actor()),
                message=f"La version {numero} est reprise.",
            )
            return redirect(f"{back}#bloc-{pk}")
        kept = reads.versions(db.session(), row)
        older = [*kept[1:], None][: len(kept)]
        return self.render_template(
            "pages/versions.html",
            title="Versions",
            school=school,
            row=row,
            versions=[
                (one, _difference(before.texte if before else "", one.texte))
                for one, before in zip(kept, older, strict=True)
            ],
        )


def bloc_here(school: Etablissement, pk: int, *, gone: bool = False) -> Bloc:
    """Return a block of the school, on its page unless ``gone``; 404 for any other."""
    row = db.session.scalars(
        select(Bloc).where(Bloc.id == checked_pk(pk), Bloc.etablissement_id == school.id)
    ).first()
    if row is None or (row.supprime_le is not None and not gone):
        abort(404)
    return row


def _read_out(row: Bloc) -> Saisie:
    return Saisie(row.titre, row.texte, row.visible, row.version)


def _typed() -> Saisie:
    form = request.form
    return Saisie(
        form.get("titre", "")[:1000],
        form.get("texte", "")[: blocs.LONGEST * 2],
        "visible" in form,
        as_id(form.get("_version", "")) or 0,
    )


def _refuse(seen: Saisie, error: UserError) -> None:
    if error.field in {"titre", "texte"}:
        seen.errors[error.field] = error.message
    else:
        seen.refusal = error.message


def _difference(before: str, after: str) -> list[tuple[str, str]]:
    """Return the lines of a text marked as kept (`` ``), taken out (``-``) or put in (``+``)."""
    old, new = before.splitlines(), after.splitlines()
    start = next((rank for rank, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), None)
    start = min(len(old), len(new)) if start is None else start
    gone, come = old[start:], new[start:]
    shown = [(" ", line) for line in old[:start]]
    if len(gone) * len(come) > MOST_COMPARED:  # comparing them all would take minutes
        return [*shown, *(("-", line) for line in gone), *(("+", line) for line in come)]
    for kind, a, b, c, d in difflib.SequenceMatcher(None, gone, come, autojunk=False).get_opcodes():
        if kind == "equal":
            shown += [(" ", line) for line in gone[a:b]]
        else:
            shown += [*(("-", line) for line in gone[a:b]), *(("+", line) for line in come[c:d])]
    return shown


def register(appbuilder: Any) -> None:
    """Add the pages; the tree of the school and «Mon espace» lead to them."""
    appbuilder.add_view_no_menu(Redaction)
