"""What the API answers and reads of models of services."""

from __future__ import annotations

from marshmallow import RAISE, Schema, fields, validate

from app.api.schemas import Answer, page_of


class Modele(Answer):
    """A model of services."""

    id = fields.Integer()
    nom = fields.String()
    description = fields.String()
    portee = fields.String(validate=validate.OneOf(["plateforme", "academie", "compte"]))
    academie = fields.String(allow_none=True)
    lignes = fields.Integer(metadata={"description": "Combien d’éléments il fixe."})
    modifie_le = fields.DateTime()
    modifie_par = fields.String()


class EcartModele(Answer):
    """A gap between a school and a model."""

    cle = fields.String()
    element = fields.String()
    etablissement = fields.Raw(allow_none=True, metadata={"description": "Ce qu’a l’établissement."})
    modele = fields.Raw(allow_none=True, metadata={"description": "Ce que dit le modèle."})


class EcartsEtablissement(Answer):
    """What a school has otherwise than a model."""

    uai = fields.String()
    nom = fields.String()
    ecarts = fields.List(fields.Nested(EcartModele))
    non_proposes = fields.List(
        fields.String(), metadata={"description": "Services qu’on ne lui propose pas."}
    )


class ApplicationVoulue(Schema):
    """Which schools a model is to be put on."""

    class Meta:
        """A field nobody knows is a mistake to tell."""

        unknown = RAISE

    etablissements = fields.List(
        fields.String(validate=validate.Length(max=8)),
        validate=validate.Length(max=5000),
        metadata={"description": "UAI des établissements ; absents, tous ceux du périmètre."},
    )


class NombreEtablissements(Answer):
    """Schools of an application, by what becomes of them."""

    a_changer = fields.Integer()
    conformes = fields.Integer()
    en_attente = fields.Integer()
    faits = fields.Integer()
    refuses = fields.Integer()


class Application(Answer):
    """A model put on schools: what it will do, is doing, or did."""

    id = fields.Integer()
    modele = fields.String()
    etat = fields.String(validate=validate.OneOf(["apercu", "en_cours", "finie", "echec", "arretee"]))
    defait = fields.Integer(allow_none=True, metadata={"description": "L’application qu’elle défait."})
    etablissements = fields.Nested(NombreEtablissements)
    changements = fields.Integer()
    refus = fields.Integer()
    gagnent = fields.Integer(metadata={"description": "Personnes qui gagnent un accès."})
    perdent = fields.Integer(metadata={"description": "Personnes qui en perdent un."})
    effets = fields.List(fields.Dict())


PageModele = page_of(Modele)
PageEcartsEtablissement = page_of(EcartsEtablissement)
COMPONENTS = (
    Modele, EcartModele, EcartsEtablissement, ApplicationVoulue, NombreEtablissements, Application,
    PageModele, PageEcartsEtablissement,
)  # fmt: skip
