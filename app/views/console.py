"""The home of a school: its sheet, and the fields each role may edit (C5, S1)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from flask import abort, current_app, flash, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from werkzeug.wrappers import Response

from app.errors import ConflictError
from app.extensions import PARIS, db, now
from app.models import Etablissement
from app.operations import etablissements as acts
from app.queries import etablissements as reads
from app.queries.fiche_etablissement import Administrateur
from app.queries.personnes import PROFIL_LABELS
from app.security.champs import ACADEMIQUE, LOCAL, XITI
from app.security.manager import current_account
from app.security.permissions import Resource, Verb
from app.views.actors import actor
from app.views.acts import STALE, commit_act, run_act, show_refusal
from app.views.base import PreauBaseView, kept_values
from app.views.ecole import allowed_here, current_school
from app.views.etablissements import EDITED, EtablissementView
from app.views.fiche_ecole import address, dossier
from app.views.labels import SECTEURS, SOURCES
from app.views.rendering import NOTHING, instant, telephone

REASONS = {
    **dict.fromkeys(LOCAL, "Modifiable par l’administrateur local et par l’académie."),
    **dict.fromkeys(ACADEMIQUE - LOCAL, "Modifiable par l’académie."),
    **dict.fromkeys(XITI, "Modifiable par le correspondant déploiement."),
}
"""Field nobody but some roles may edit → who, said under the greyed field."""
LOCKED_SHOWN = ("email", "site_web", "xiti")


class EtablissementConsole(PreauBaseView):
    """The sheet of a school of the perimeter."""

    resource = Resource.ETABLISSEMENT
    route_base = "/etablissements"
    default_view = "fiche"

    @expose("/<uai>/")
    @has_access
    @permission_name("lire")
    def fiche(self, uai: str) -> str:
        """Show the sheet of a school."""
        school = current_school(uai)
        form = (
            generated().edit_form(obj=school) if allowed_here(Resource.ETABLISSEMENT, Verb.ECRIRE) else None
        )
        return self._sheet(school, form)

    @expose("/<uai>/", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def enregistrer(self, uai: str) -> str | Response | tuple[str, int]:
        """Write the fields this person may edit; a refused or outdated form keeps what was typed."""
        view, found = generated(), current_school(uai)
        school = view.datamodel.get(found.id, for_update=True)
        form = view.edit_form(obj=school)
        version = view.version_of(school)
        if not form.validate():
            return self._sheet(school, form)
        if request.form.get("_version", "") not in {"", version}:
            return self._stale(school, form)
        _done, refusal = run_act(lambda: view.write_edit(school, form))
        if refusal is None:
            flash("Fiche enregistrée.", "success")
            return redirect(url_for(".fiche", uai=school.uai))
        if isinstance(refusal, ConflictError):
            return self._stale(current_school(uai), form)
        show_refusal(refusal, form)
        return self._sheet(current_school(uai), form)

    @expose("/<uai>/champs/<champ>/rendre", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def rendre(self, uai: str, champ: str) -> Response:
        """Let the feeds fill a field again."""
        school = current_school(uai)
        if champ.removesuffix("_id") not in generated().editable(school):
            abort(404)
        label, back = acts.LABELS.get(champ, champ), url_for(".fiche", uai=school.uai)
        commit_act(
            lambda: acts.unlock(db.session(), school, champ, acteur=actor()),
            message=f"« {label} » suivra la prochaine alimentation.",
        )
        return redirect(back)

    def _stale(self, school: Etablissement, form: Any) -> tuple[str, int]:
        form.form_errors = [STALE]
        return self._sheet(school, form, kept=kept_values(form, school)), 409

    def _sheet(self, school: Etablissement, form: Any, *, kept: dict[str, Any] | None = None) -> str:
        editable = [name for name in EDITED if form is not None and name in form]
        account = current_account()
        locks = reads.locks(db.session(), school.id)
        return self.render_template(
            "console/fiche.html",
            title="Fiche de l’établissement",
            school=school,
            form=form if editable else None,
            editable=editable,
            kept=kept or {},
            version=request.form.get("_version")
            if not kept and form is not None and form.errors
            else generated().version_of(school),
            facts=facts(school, editable),
            greyed=[
                (name, acts.LABELS[name], getattr(school, name), REASONS[name])
                for name in LOCKED_SHOWN
                if name not in editable
            ],
            source=source_of(school),
            locks={name.removesuffix("_id"): (name, lock) for name, lock in locks.items()},
            labels=acts.LABELS,
            dossier=dossier(school),
            profils=PROFIL_LABELS,
            lien_personne=link_of,
            initiales=initials,
            dernier_jour=last_day,
            maintenant=now,
            can_edit=form is not None,
            me=account.id if account else None,
        )


def link_of(uai: str, one: Administrateur) -> str:
    """Return the sheet of an administrator among the people of the school, empty when there is none."""
    liste = {"enseignant": "enseignants", "personnel": "personnels", "invite": "invites"}.get(one.profil)
    if liste is None or one.personne_id is None or not allowed_here(Resource.PERSONNE):
        return ""
    return address("Utilisateurs.fiche", uai=uai, liste=liste, pk=one.personne_id)


def initials(nom: str) -> str:
    """Return the two letters of an avatar: «LE BIHAN Gwenaëlle» gives «GL»."""
    words = nom.split()
    return (words[-1][:1] + words[0][:1]).upper() if len(words) > 1 else nom[:2].upper()


def last_day(end: datetime) -> date:
    """Return the last day of Paris before an end, which is a midnight."""
    return (end - timedelta(seconds=1)).astimezone(PARIS).date()


def generated() -> EtablissementView:
    """Return the generated view of schools: its form knows the fields of each role."""
    views = current_app.extensions["appbuilder"].baseviews
    found: EtablissementView = next(view for view in views if isinstance(view, EtablissementView))
    return found


def facts(school: Etablissement, editable: list[str]) -> list[tuple[str, str]]:
    """Return what the sheet states, without the fields its form shows."""
    place = " ".join(part for part in (school.code_postal, school.commune) if part)
    kind = school.type or "Établissement"
    if SECTEURS[school.secteur].lower() not in kind.lower():
        kind = f"{kind}, {SECTEURS[school.secteur].lower()}"
    stated = (
        ("nom", "Nom", school.nom),
        ("type", "Type", kind),
        ("adresse", "Adresse", ", ".join(part for part in (school.adresse, place) if part)),
        ("academie", "Académie", str(school.academie or "")),
        ("collectivite", "Collectivité", str(school.collectivite or "")),
        ("chef", "Chef d’établissement", school.chef or ""),
        ("telephone", "Téléphone", telephone(school.telephone)),
    )
    return [(label, value or NOTHING) for name, label, value in stated if name not in editable]


def source_of(school: Etablissement) -> str:
    """Say who keeps the locked facts up to date."""
    if school.virtuel:
        return "Établissement virtuel, saisi à la main."
    if school.source == "manuel":
        return "Saisi à la main : aucune alimentation ne le tient à jour."
    source = SOURCES.get(school.source, school.source)
    return f"Tenu à jour par la source {source}, modifié le {instant(school.modifie_le)}."


def register(appbuilder: Any) -> None:
    """Add the pages of a school; they are reached through the tree, not through the menu."""
    appbuilder.add_view_no_menu(EtablissementConsole)
