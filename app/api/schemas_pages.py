"""What the API answers and reads of the pages of a school."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from app.api.schemas import REQUIRED, Answer
from app.models import MODELES, PAGES
from app.views.arguments import BIGGEST_ID


class Asked(Schema):
    """What a call sends: a field nobody knows is a mistake to tell."""

    class Meta:
        """Nothing else is read."""

        unknown = RAISE


class Logo(Answer):
    """A logo as its page shows it; ``image`` is the address of its picture."""

    id = fields.Integer()
    page = fields.String(validate=validate.OneOf(PAGES))
    texte = fields.String()
    url = fields.String(allow_none=True)
    visible = fields.Boolean()
    image = fields.String()


class LogoVoulu(Asked):
    """A logo to add, or what changes of one; ``contenu`` is the picture in base64."""

    page = fields.String(validate=validate.OneOf(PAGES), load_default="accueil")
    texte = fields.String(required=True, error_messages=REQUIRED)
    url = fields.String(load_default="", allow_none=True)
    visible = fields.Boolean(load_default=True)
    contenu = fields.String(load_default="", metadata={"format": "byte"})


class Ordre(Asked):
    """Numbers, in the order their page shows them."""

    ids = fields.List(
        fields.Integer(), required=True, validate=validate.Length(max=200), error_messages=REQUIRED
    )


class Flux(Answer):
    """A feed and how its reading goes."""

    id = fields.Integer()
    url = fields.String()
    titre = fields.String()
    lu_le = fields.DateTime(allow_none=True)
    en_panne_depuis = fields.DateTime(allow_none=True)
    panne = fields.String(allow_none=True)


class FluxVoulu(Asked):
    """The address of a feed to read and add."""

    url = fields.String(required=True, validate=validate.Length(1, 500), error_messages=REQUIRED)


class PagePublique(Answer):
    """The settings of a public page; ``version`` goes back with a change."""

    active = fields.Boolean()
    adresse = fields.String()
    modele = fields.String(validate=validate.OneOf(MODELES))
    entete = fields.Boolean()
    accroche = fields.String(allow_none=True)
    services = fields.List(fields.String())
    version = fields.Integer()


class PagePubliqueVoulue(Asked):
    """The settings to write, whole."""

    active = fields.Boolean(required=True, error_messages=REQUIRED)
    adresse = fields.String(required=True, error_messages=REQUIRED)
    modele = fields.String(load_default="vitrine", validate=validate.OneOf(MODELES))
    entete = fields.Boolean(load_default=True)
    accroche = fields.String(load_default="", allow_none=True)
    services = fields.List(fields.String(), load_default=None, allow_none=True)
    version = fields.Integer(required=True, error_messages=REQUIRED)


class Bloc(Answer):
    """A block: its Markdown, the HTML it makes, its version."""

    id = fields.Integer()
    titre = fields.String()
    texte = fields.String()
    rendu = fields.String()
    visible = fields.Boolean()
    version = fields.Integer()
    modifie_le = fields.DateTime()


class BlocVoulu(Asked):
    """A block to write; ``version`` is the one that was read, for one that exists."""

    titre = fields.String(required=True, error_messages=REQUIRED)
    texte = fields.String(load_default="")
    visible = fields.Boolean(load_default=True)
    version = fields.Integer(load_default=0, validate=validate.Range(0, BIGGEST_ID))


COMPONENTS: tuple[Any, ...] = (
    Logo, LogoVoulu, Ordre, Flux, FluxVoulu, PagePublique, PagePubliqueVoulue, Bloc, BlocVoulu,
)  # fmt: skip
