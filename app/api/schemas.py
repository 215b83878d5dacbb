"""What the API answers and reads, as OpenAPI describes it."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, fields, validate

from app.models import PROFILS
from app.queries.droits import Regle
from app.queries.gens import ETATS
from app.queries.services import CATEGORIES, NATURES

REQUIRED = {"required": "ce champ est nécessaire.", "null": "ce champ est nécessaire."}


class Answer(Schema):
    """What an answer holds."""

    class Meta:
        """Fields the rows have beyond these stay out."""

        unknown = EXCLUDE


class Erreur(Answer):
    """A refusal."""

    erreur = fields.String(metadata={"description": "Ce qui ne va pas, et quoi faire."})
    champ = fields.String(metadata={"description": "Le champ en cause, s’il y en a un."})


class Rattachement(Answer):
    """A place in a school."""

    etablissement = fields.String(metadata={"description": "UAI de l’établissement."})
    etablissement_nom = fields.String()
    profil = fields.String(validate=validate.OneOf(PROFILS))
    classe = fields.String(allow_none=True)


class Personne(Answer):
    """A person, as lists give them."""

    id = fields.Integer()
    nom = fields.String()
    nom_usage = fields.String(allow_none=True)
    prenom = fields.String()
    date_naissance = fields.Date(allow_none=True)
    login = fields.String(allow_none=True)
    email = fields.String(allow_none=True)
    etat = fields.String(validate=validate.OneOf(ETATS))
    cree_le = fields.DateTime()
    rattachements = fields.List(fields.Nested(Rattachement))


class Identifiant(Answer):
    """A name an outside system gives the person."""

    type = fields.String()
    portee = fields.String()
    valeur = fields.String()


class Proche(Answer):
    """A guardian, or a child."""

    id = fields.Integer()
    nom = fields.String()
    prenom = fields.String()
    lien = fields.String(validate=validate.OneOf(["responsable", "enfant"]))
    code_parente = fields.String()
    niveau = fields.Integer()


class PersonneComplete(Personne):
    """A person, with what their sheet says."""

    civilite = fields.String(allow_none=True)
    telephone_domicile = fields.String(allow_none=True)
    telephone_portable = fields.String(allow_none=True)
    telephone_travail = fields.String(allow_none=True)
    source = fields.String()
    identifiants = fields.List(fields.Nested(Identifiant))
    proches = fields.List(fields.Nested(Proche))


class Etablissement(Answer):
    """A school."""

    uai = fields.String()
    nom = fields.String()
    type = fields.String(allow_none=True)
    commune = fields.String(allow_none=True)
    code_postal = fields.String(allow_none=True)
    etat = fields.String()
    email = fields.String(allow_none=True)
    telephone = fields.String(allow_none=True)


class Cle(Answer):
    """The key of the call."""

    nom = fields.String()
    role = fields.String()
    ecriture = fields.Boolean()
    expire_le = fields.DateTime()
    academie = fields.String(allow_none=True)
    collectivite = fields.String(allow_none=True)
    etablissement = fields.String(allow_none=True)


class Suspension(Schema):
    """Why an account is suspended."""

    class Meta:
        """A field nobody knows is a mistake to tell."""

        unknown = RAISE

    motif = fields.String(required=True, validate=validate.Length(1, 255), error_messages=REQUIRED)


class Service(Answer):
    """A service offered to a school."""

    code = fields.String()
    nom = fields.String()
    categorie = fields.String(validate=validate.OneOf(CATEGORIES))
    nature = fields.String(validate=validate.OneOf(NATURES))
    actif = fields.Boolean()
    depuis = fields.DateTime(
        allow_none=True, metadata={"description": "Dernière activation ou désactivation."}
    )


class CelluleDroit(Answer):
    """A cell of the grid."""

    role = fields.String()
    profil = fields.String(validate=validate.OneOf(PROFILS))
    accorde = fields.Boolean(metadata={"description": "Ce que dit la grille."})
    fixe = fields.Boolean(metadata={"description": "La plate-forme fixe ce droit."})
    en_vigueur = fields.Boolean(metadata={"description": "Accordé, et le service est actif."})


class ServiceComplet(Service):
    """A service with its grid."""

    version = fields.Integer(metadata={"description": "Change à chaque modification de l’établissement."})
    droits = fields.List(fields.Nested(CelluleDroit))


class DroitVoulu(Schema):
    """A cell to change."""

    class Meta:
        """A field nobody knows is a mistake to tell."""

        unknown = RAISE

    role = fields.String(required=True, validate=validate.Length(1, 40), error_messages=REQUIRED)
    profil = fields.String(required=True, validate=validate.OneOf(PROFILS), error_messages=REQUIRED)
    accorde = fields.Boolean(required=True, error_messages=REQUIRED)


class Droits(Schema):
    """Cells to change, on the grid of this version."""

    class Meta:
        """A field nobody knows is a mistake to tell."""

        unknown = RAISE

    version = fields.Integer(required=True, strict=True, error_messages=REQUIRED)
    droits = fields.List(
        fields.Nested(DroitVoulu), required=True, validate=validate.Length(1, 200), error_messages=REQUIRED
    )


class EtatService(Schema):
    """A service switched on or off."""

    class Meta:
        """A field nobody knows is a mistake to tell."""

        unknown = RAISE

    actif = fields.Boolean(required=True, error_messages=REQUIRED)
    sans_essai = fields.Boolean(
        load_default=False, metadata={"description": "Activer bien qu’aucun essai n’ait atteint l’adresse."}
    )


class DroitEffectif(Answer):
    """A right of somebody, and the rule that decides."""

    service = fields.String()
    role = fields.String()
    accorde = fields.Boolean()
    regle = fields.String(validate=validate.OneOf([str(rule) for rule in Regle]))
    profils = fields.List(fields.String())


def page_of(schema: type[Schema]) -> type[Schema]:
    """Return the page of a list of ``schema``."""
    name = f"Page{schema.__name__}"
    return type(
        name,
        (Answer,),
        {
            "__doc__": "One page of a list, and the addresses of its neighbours.",
            "elements": fields.List(fields.Nested(schema)),
            "suivante": fields.String(allow_none=True),
            "precedente": fields.String(allow_none=True),
        },
    )


PagePersonne = page_of(Personne)
PageEtablissement = page_of(Etablissement)


def _refusal(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Erreur"}}},
    }


RESPONSES = {
    "400": _refusal("La demande est illisible."),
    "401": _refusal("La clé manque, a expiré ou a été révoquée."),
    "403": _refusal("La clé ne donne pas ce droit."),
    "404": _refusal("Rien de tel dans le périmètre de la clé."),
    "409": _refusal("Quelqu’un a changé cela entre-temps."),
    "415": _refusal("Le corps n’est pas annoncé comme du JSON."),
    "422": _refusal("L’acte est refusé : la phrase dit pourquoi."),
    "429": _refusal("Trop d’appels pendant cette minute ; l’en-tête Retry-After dit combien attendre."),
}
COMPONENTS = (
    Erreur, Rattachement, Personne, Identifiant, Proche, PersonneComplete, Etablissement, Cle, Suspension,
    PagePersonne, PageEtablissement, Service, CelluleDroit, ServiceComplet, DroitVoulu, Droits, EtatService,
    DroitEffectif,
)  # fmt: skip
