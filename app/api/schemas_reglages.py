"""What the API answers and reads of the settings of services, as OpenAPI describes it."""

from __future__ import annotations

from marshmallow import RAISE, Schema, fields

from app.api.schemas import REQUIRED, Answer

VALUES = {
    "description": "Valeur de chaque champ, par son code. Un champ absent est vidé, un mot de passe absent"
    " est gardé ; « code-oublier » l’oublie.",
    "additionalProperties": True,
}


class Essai(Answer):
    """A try: under way while ``fini_le`` is empty."""

    id = fields.Integer()
    cible = fields.String(metadata={"description": "Ce qui est essayé."})
    reussi = fields.Boolean(allow_none=True)
    phrase = fields.String(metadata={"description": "Ce qui ne va pas, et quoi faire."})
    statut = fields.Integer(allow_none=True, metadata={"description": "Code HTTP répondu."})
    duree_ms = fields.Integer(allow_none=True)
    demande_le = fields.DateTime()
    fini_le = fields.DateTime(allow_none=True)
    par = fields.String()


class Reglage(Answer):
    """How a service or a component is set; secrets are told by name, never by value."""

    composant = fields.String(allow_none=True, metadata={"description": "Vide pour le service lui-même."})
    nom = fields.String()
    place = fields.String(allow_none=True)
    actif = fields.Boolean()
    abonne = fields.Boolean(metadata={"description": "L’établissement peut l’activer."})
    version = fields.Integer(allow_none=True, metadata={"description": "À renvoyer pour enregistrer."})
    champs = fields.List(fields.Dict(), metadata={"description": "Champs attendus, avec leur type."})
    valeurs = fields.Dict()
    secrets = fields.List(fields.String(), metadata={"description": "Mots de passe enregistrés."})
    teste = fields.Boolean(metadata={"description": "Le dernier essai de ces valeurs a réussi."})
    essai = fields.Nested(Essai, allow_none=True)


class _Sent(Schema):
    class Meta:
        """A field nobody knows is a mistake to tell."""

        unknown = RAISE


class ReglageVoulu(_Sent):
    """Values to save over a version."""

    version = fields.Integer(required=True, strict=True, allow_none=True)
    valeurs = fields.Dict(keys=fields.String(), required=True, error_messages=REQUIRED, metadata=VALUES)
    sans_essai = fields.Boolean(load_default=False)


class EssaiVoulu(_Sent):
    """Values to try, without saving them."""

    valeurs = fields.Dict(keys=fields.String(), required=True, error_messages=REQUIRED, metadata=VALUES)


class EtatComposant(_Sent):
    """A component switched on or off."""

    actif = fields.Boolean(required=True, error_messages=REQUIRED)
    sans_essai = fields.Boolean(load_default=False)


COMPONENTS = (Essai, Reglage, ReglageVoulu, EssaiVoulu, EtatComposant)
