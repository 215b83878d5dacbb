"""What the API answers and reads about what schools lend."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from app.api.schemas import REQUIRED, Answer, page_of
from app.extensions import PARIS
from app.queries.reservations import ETATS


class Ressource(Answer):
    """Something a school lends."""

    id = fields.Integer()
    nom = fields.String()
    categorie = fields.String()
    lieu = fields.String()
    description = fields.String()
    regles = fields.String(metadata={"description": "Markdown."})
    quantite = fields.Integer()
    active = fields.Boolean()
    a_valider = fields.Boolean()
    duree_max = fields.Integer(metadata={"description": "Minutes ; 0 : sans limite."})
    preavis = fields.Integer(metadata={"description": "Minutes."})
    ouvertures = fields.List(
        fields.List(fields.Raw()),
        metadata={"description": "[jour (lundi : 0), début, fin], à l’heure de Paris."},
    )


class Reservation(Answer):
    """A booking."""

    id = fields.Integer()
    ressource_id = fields.Integer()
    ressource = fields.String()
    personne_id = fields.Integer()
    nombre = fields.Integer()
    debut = fields.AwareDateTime(default_timezone=PARIS)
    fin = fields.AwareDateTime(default_timezone=PARIS)
    etat = fields.String(validate=validate.OneOf(list(ETATS)))
    motif = fields.String()
    serie = fields.String(allow_none=True)
    demandee_le = fields.AwareDateTime(default_timezone=PARIS)
    decidee_le = fields.AwareDateTime(allow_none=True, default_timezone=PARIS)
    reponse = fields.String()


class _Sent(Schema):
    class Meta:
        """A field nobody knows is a mistake to tell."""

        unknown = RAISE


_INSTANT: dict[str, Any] = {
    "required": True,
    "default_timezone": PARIS,
    "error_messages": {
        **REQUIRED,
        "invalid": "écrivez un instant, par exemple 2026-11-30T10:00:00+01:00.",
        "invalid_awareness": "dites le fuseau horaire.",
    },
}


class DemandeReservation(_Sent):
    """A booking asked for somebody."""

    ressource_id = fields.Integer(required=True, strict=True, error_messages=REQUIRED)
    personne_id = fields.Integer(required=True, strict=True, error_messages=REQUIRED)
    debut = fields.AwareDateTime(**_INSTANT)
    fin = fields.AwareDateTime(**_INSTANT)
    nombre = fields.Integer(load_default=1, strict=True)
    motif = fields.String(load_default="", validate=validate.Length(0, 200))
    cle = fields.String(
        load_default="",
        validate=validate.Regexp(r"^[\x20-\x7e]{0,32}$", error="32 caractères sans accent au plus."),
        metadata={"description": "La même clé deux fois donne la même réservation."},
    )


class DecisionReservation(_Sent):
    """What is answered to a request."""

    accepter = fields.Boolean(required=True, truthy={True}, falsy={False}, error_messages=REQUIRED)
    reponse = fields.String(
        load_default="",
        validate=validate.Length(0, 400),
        metadata={"description": "Nécessaire pour refuser."},
    )


class AnnulationReservation(_Sent):
    """Why a booking is withdrawn."""

    motif = fields.String(required=True, validate=validate.Length(1, 400), error_messages=REQUIRED)


class Ressources(Answer):
    """Everything a school lends."""

    elements = fields.List(fields.Nested(Ressource))


PageReservation = page_of(Reservation)
COMPONENTS = (
    Ressource, Ressources, Reservation, DemandeReservation, DecisionReservation, AnnulationReservation,
    PageReservation,
)  # fmt: skip
