"""«Registre des traitements»: what the console does with personal data, kept by the highest role (U16)."""

from __future__ import annotations

import io
from typing import Any

from flask import Response
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import select

from app.extensions import db
from app.models import Traitement
from app.operations import saisies
from app.security.permissions import Resource
from app.views.actors import actor
from app.views.base import DomainInterface, PreauModelView

CHAMPS = [
    "nom",
    "finalite",
    "base_legale",
    "personnes",
    "donnees",
    "destinataires",
    "conservation",
    "securite",
]
LABELS = {
    "nom": "Traitement",
    "finalite": "Finalité",
    "base_legale": "Base légale",
    "personnes": "Personnes concernées",
    "donnees": "Catégories de données",
    "destinataires": "Destinataires",
    "conservation": "Durée de conservation",
    "securite": "Mesures de sécurité",
    "modifie_le": "Mis à jour le",
}


class RegistreView(PreauModelView):
    """The register of article 30; its versions are in the journal."""

    resource = Resource.REGISTRE
    route_base = "/registre"
    datamodel = DomainInterface(Traitement)
    list_title = "Registre des traitements"
    add_title = "Ajouter un traitement"
    edit_title = "Modifier le traitement"
    list_columns = ["nom", "finalite", "base_legale", "conservation", "modifie_le"]
    order_columns = ["nom", "modifie_le"]
    search_columns = ["nom", "finalite", "donnees"]
    search_hint = "Traitement, finalité ou donnée"
    base_order = ("nom", "asc")
    label_columns = LABELS
    show_columns = [*CHAMPS, "modifie_le"]
    add_columns = edit_columns = CHAMPS
    list_template = "registre/liste.html"
    empty_title = "Aucun traitement"
    empty_text = "Décrivez ici ce qui est fait des données personnelles."

    def nouns(self) -> tuple[str, str]:
        return "traitement", "traitements"

    def apply_add(self, item: Any) -> None:
        saisies.save(db.session(), item, actor())

    def apply_edit(self, item: Any) -> None:
        saisies.save(db.session(), item, actor())

    def apply_delete(self, item: Any) -> None:
        saisies.remove(db.session(), item, actor(), kept=CHAMPS)

    @expose("/registre.pdf")
    @has_access
    @permission_name("lire")
    def pdf(self) -> Response:
        """Send the whole register as a document."""
        from app.exports.registre import write_register

        rows = db.session.scalars(select(Traitement).order_by(Traitement.nom)).all()
        output = io.BytesIO()
        write_register(output, [[(LABELS[name], getattr(row, name)) for name in CHAMPS] for row in rows])
        answer = Response(output.getvalue(), mimetype="application/pdf")
        answer.headers["Content-Disposition"] = 'attachment; filename="registre-des-traitements.pdf"'
        return answer


def register(appbuilder: Any) -> None:
    """Add the page to the menu."""
    appbuilder.add_view(RegistreView, "Registre des traitements", icon="shield-check", category="Droits")
