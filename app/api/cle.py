"""``GET /api/v1/cle``: what the key of the call may do, to check a set-up."""

from __future__ import annotations

from flask import Response, jsonify
from flask_appbuilder.api import expose

from app.api import schemas
from app.api.base import PreauApi, right
from app.extensions import db
from app.models import Academie, Collectivite, Etablissement
from app.security.cles import current_key
from app.security.permissions import Resource


class CleCouranteApi(PreauApi):
    """The key of the call."""

    resource = Resource.MON_ESPACE
    resource_name = "cle"
    openapi_spec_tag = "Clé"

    @expose("/", methods=["GET"])
    @right("lire")
    def courante(self) -> Response:
        """Say what the key may do.
        ---
        get:
          summary: Ce que permet la clé employée
          responses:
            200:
              description: Le rôle, le périmètre et la durée de la clé.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Cle'
        """
        key = current_key()
        assert key is not None  # noqa: S101  (``right`` answered otherwise)
        session = db.session()
        academie = session.get(Academie, key.academie_id) if key.academie_id else None
        collectivite = session.get(Collectivite, key.collectivite_id) if key.collectivite_id else None
        school: Etablissement | None = key.etablissement
        return jsonify(
            schemas.Cle().dump(
                {
                    "nom": key.nom,
                    "role": key.role,
                    "ecriture": key.ecriture,
                    "expire_le": key.expire_le,
                    "academie": academie.code if academie else None,
                    "collectivite": collectivite.code if collectivite else None,
                    "etablissement": school.uai if school else None,
                }
            )
        )
