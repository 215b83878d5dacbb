"""«Suppressions»: «Restaurer» somebody who left, a page that says what comes back (U8)."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import select
from werkzeug.wrappers import Response

from app.extensions import db
from app.models import Personne, Rattachement
from app.operations import suppressions as acts
from app.queries.personnes import PROFIL_LABELS
from app.security.permissions import Resource
from app.views.actors import actor
from app.views.arguments import checked_pk
from app.views.base import PreauBaseView, commit_act
from app.views.departs import anonymised_on
from app.views.ecole import current_school
from app.views.labels import MOTIFS_FIN
from app.views.listes_gens import LISTE_DU_PROFIL


class Suppressions(PreauBaseView):
    """What may be done to somebody who left a school."""

    resource = Resource.SUPPRESSION
    route_base = "/etablissements"
    default_view = "restaurer"

    @expose("/<uai>/suppressions/<int:pk>/restaurer", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def restaurer(self, uai: str, pk: int) -> str | Response:
        """Say what restoring gives back; only a post does it."""
        school = current_school(uai)
        place = last_place(checked_pk(pk), school.id)
        if place is None:
            abort(404)
        person = place.personne
        back = url_for("Utilisateurs.liste", uai=school.uai, liste="suppressions")
        if request.method == "POST":
            done = commit_act(
                lambda: acts.restaurer(db.session(), person, school.id, acteur=actor()),
                message=f"{person} est de nouveau dans {school.nom}, avec son compte.",
            )
            sheet = url_for(
                "Utilisateurs.fiche", uai=school.uai, liste=LISTE_DU_PROFIL[place.profil], pk=person.id
            )
            return redirect(sheet if done else back)
        return self.render_template(
            "suppressions/restaurer.html",
            title="Restaurer une personne",
            place=place,
            person=person,
            ecole=school,
            back=back,
            profils=PROFIL_LABELS,
            motifs=MOTIFS_FIN,
            echeance=anonymised_on(person.supprime_le),
        )


def last_place(personne_id: int, etablissement_id: int) -> Rattachement | None:
    """Return the place somebody left last in a school, None for who is there or was emptied."""
    place = db.session.scalars(
        select(Rattachement)
        .join(Personne, Personne.id == Rattachement.personne_id)
        .where(
            Rattachement.personne_id == personne_id,
            Rattachement.etablissement_id == etablissement_id,
            Personne.anonymise_le.is_(None),
        )
        .order_by(Rattachement.fin.is_(None).desc(), Rattachement.fin.desc(), Rattachement.id.desc())
    ).first()
    return None if place is None or place.fin is None else place


def register(appbuilder: Any) -> None:
    """Add the page; it is reached from the list of a school."""
    appbuilder.add_view_no_menu(Suppressions)
