"""``/api/v1/etablissements/<uai>/…``: logos, feeds and public page of a school (P1–P3)."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from flask import Response, current_app, jsonify, url_for
from flask_appbuilder.api import expose
from sqlalchemy import select

from app.api import schemas_pages as schemas
from app.api.base import PreauApi, act, body, problem, refused, right
from app.api.etablissements import ABSENT
from app.errors import NotFoundError, RuleViolationError, UserError
from app.extensions import db
from app.imports import syndication
from app.models import PAGES, Etablissement, Flux, Logo
from app.operations import flux, logos, page_publique
from app.operations.page_publique import Choix
from app.operations.saisies import clean_url
from app.queries import pages as reads
from app.queries.droits import services_of
from app.queries.etablissements import by_uai
from app.security.lectures import count_reading
from app.security.permissions import Resource
from app.views.actors import actor
from app.views.arguments import BIGGEST_ID

NO_LOGO = "Aucun logo de ce numéro dans cet établissement."
NO_FEED = "Aucun flux de ce numéro dans cet établissement."


class PagesApi(PreauApi):
    """Pages of one school."""

    resource = Resource.PAGE
    route_base = "/api/v1/etablissements"
    openapi_spec_tag = "Pages"

    @expose("/<uai>/logos", methods=["GET"])
    @right("lire")
    def logos(self, uai: str) -> Response:
        """List the logos of a school.
        ---
        get:
          summary: Logos de la page d’accueil puis de la page publique, dans l’ordre
          parameters: [uai]
          responses:
            200:
              description: Les logos.
              content:
                application/json:
                  schema:
                    type: array
                    items:
                      $ref: '#/components/schemas/Logo'
        """
        school = by_uai(db.session(), uai)
        if school is None:
            return problem(404, ABSENT)
        rows = [row for page in PAGES for row in reads.logos(db.session(), school.id, page)]
        return jsonify([_logo(row) for row in rows])

    @expose("/<uai>/logos", methods=["POST"])
    @right("ecrire")
    def ajouter_logo(self, uai: str) -> Response:
        """Add a logo.
        ---
        post:
          summary: Ajouter un logo
          parameters: [uai]
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  $ref: '#/components/schemas/LogoVoulu'
          responses:
            200:
              description: Le logo, l’image refaite.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Logo'
        """

        def add() -> Logo:
            school, sent = _known(uai), body(schemas.LogoVoulu())
            return logos.ajouter(
                db.session(),
                school.id,
                sent["page"],
                _bytes(sent["contenu"]),
                texte=sent["texte"],
                url=sent["url"],
                visible=sent["visible"],
                acteur=actor(),
            )

        row, refusal = act(add)
        return refusal or jsonify(_logo(row))

    @expose("/<uai>/logos/<int:pk>", methods=["PUT"])
    @right("ecrire")
    def modifier_logo(self, uai: str, pk: int) -> Response:
        """Change a logo.
        ---
        put:
          summary: Modifier un logo ; sans « contenu », l’image reste
          parameters: [uai, pk]
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  $ref: '#/components/schemas/LogoVoulu'
          responses:
            200:
              description: Le logo tel qu’il est maintenant.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Logo'
        """

        def change() -> Logo:
            row = _mine(Logo, uai, pk, NO_LOGO)
            sent = body(schemas.LogoVoulu())
            logos.modifier(
                db.session(),
                row,
                texte=sent["texte"],
                url=sent["url"],
                visible=sent["visible"],
                sent=_bytes(sent["contenu"]),
                acteur=actor(),
            )
            return row

        row, refusal = act(change)
        return refusal or jsonify(_logo(row))

    @expose("/<uai>/logos/<int:pk>", methods=["DELETE"])
    @right("ecrire")
    def supprimer_logo(self, uai: str, pk: int) -> Response:
        """Take a logo off.
        ---
        delete:
          summary: Retirer un logo de sa page ; la console le garde un mois
          parameters: [uai, pk]
          responses:
            204: {description: Le logo est retiré.}
        """
        _done, refusal = act(
            lambda: logos.supprimer(db.session(), _mine(Logo, uai, pk, NO_LOGO), acteur=actor())
        )
        return refusal or Response(status=204)

    @expose("/<uai>/logos/<page>/ordre", methods=["PUT"])
    @right("ecrire")
    def ordonner_logos(self, uai: str, page: str) -> Response:
        """Put the logos of a page in order.
        ---
        put:
          summary: Ranger les logos d’une page (accueil, publique)
          parameters: [uai, page]
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  $ref: '#/components/schemas/Ordre'
          responses:
            204: {description: L’ordre est gardé.}
        """

        def order() -> None:
            school = _known(uai)
            if page not in PAGES:
                raise NotFoundError("Cette page n’a pas de logos : accueil ou publique.")
            logos.ordonner(db.session(), school.id, page, body(schemas.Ordre())["ids"], acteur=actor())

        _done, refusal = act(order)
        return refusal or Response(status=204)

    @expose("/<uai>/flux", methods=["GET"])
    @right("lire")
    def flux(self, uai: str) -> Response:
        """List the feeds of a school.
        ---
        get:
          summary: Flux des brèves du net, et l’état de leur lecture
          parameters: [uai]
          responses:
            200:
              description: Les flux, dans l’ordre.
              content:
                application/json:
                  schema:
                    type: array
                    items:
                      $ref: '#/components/schemas/Flux'
        """
        school = by_uai(db.session(), uai)
        if school is None:
            return problem(404, ABSENT)
        rows = [row for row, _count in reads.flux_of(db.session(), school.id)]
        return jsonify(schemas.Flux(many=True).dump(rows))

    @expose("/<uai>/flux", methods=["POST"])
    @right("ecrire")
    def ajouter_flux(self, uai: str) -> Response:
        """Read a feed and add it.
        ---
        post:
          summary: Lire un flux, puis l’ajouter
          parameters: [uai]
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  $ref: '#/components/schemas/FluxVoulu'
          responses:
            200:
              description: Le flux, tel qu’il vient d’être lu.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Flux'
        """
        try:
            id_ = _known(uai).id
            url = clean_url(body(schemas.FluxVoulu())["url"], field="url") or ""
            db.session.rollback()  # the site may take its time: no transaction waits for it
            count_reading(id_)
            lu = syndication.read(url, permitted=current_app.extensions["reglages"].permitted_networks())
        except UserError as error:
            return refused(error)
        row, refusal = act(lambda: flux.ajouter(db.session(), id_, url, lu, acteur=actor()))
        return refusal or jsonify(schemas.Flux().dump(row))

    @expose("/<uai>/flux/<int:pk>", methods=["DELETE"])
    @right("ecrire")
    def supprimer_flux(self, uai: str, pk: int) -> Response:
        """Take a feed off.
        ---
        delete:
          summary: Retirer un flux ; la console le garde un mois
          parameters: [uai, pk]
          responses:
            204: {description: Le flux est retiré.}
        """
        _done, refusal = act(
            lambda: flux.supprimer(db.session(), _mine(Flux, uai, pk, NO_FEED), acteur=actor())
        )
        return refusal or Response(status=204)

    @expose("/<uai>/page-publique", methods=["GET"])
    @right("lire")
    def page(self, uai: str) -> Response:
        """Give the settings of the public page.
        ---
        get:
          summary: Réglages de la page publique
          parameters: [uai]
          responses:
            200:
              description: Les réglages ; « version » est à renvoyer avec un changement.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/PagePublique'
        """
        school = by_uai(db.session(), uai)
        return problem(404, ABSENT) if school is None else jsonify(_settings(school))

    @expose("/<uai>/page-publique", methods=["PUT"])
    @right("ecrire")
    def regler(self, uai: str) -> Response:
        """Write the settings of the public page.
        ---
        put:
          summary: Enregistrer les réglages de la page publique
          parameters: [uai]
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  $ref: '#/components/schemas/PagePubliqueVoulue'
          responses:
            200:
              description: Les réglages tels qu’ils sont maintenant.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/PagePublique'
        """

        def save() -> Etablissement:
            school, sent = _known(uai), body(schemas.PagePubliqueVoulue())
            services = None
            if sent["services"] is not None:
                asked = set(sent["services"])
                services = frozenset(
                    one.id for one in services_of(db.session(), school.id) if one.code in asked
                )
            choix = Choix(
                active=sent["active"],
                adresse=sent["adresse"],
                modele=sent["modele"],
                entete=sent["entete"],
                accroche=sent["accroche"] or "",
                services=services,
            )
            page_publique.enregistrer(db.session(), school, choix, version=sent["version"], acteur=actor())
            return school

        school, refusal = act(save)
        return refusal or jsonify(_settings(school))


def _known(uai: str) -> Etablissement:
    found = by_uai(db.session(), uai)
    if found is None:
        raise NotFoundError(ABSENT)
    return found


def _mine(table: Any, uai: str, pk: int, absent: str) -> Any:
    """Return a row of the school that is on its page."""
    school = _known(uai)
    wanted = select(table).where(
        table.id == min(pk, BIGGEST_ID), table.etablissement_id == school.id, table.supprime_le.is_(None)
    )
    row = db.session.scalars(wanted).first()
    if row is None:
        raise NotFoundError(absent)
    return row


def _bytes(sent: str) -> bytes:
    try:
        return base64.b64decode(sent, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RuleViolationError("Envoyez l’image en base64.", field="contenu") from error


def _logo(row: Logo) -> Any:
    address = url_for("Medias.media", empreinte=row.image.empreinte)
    return {**schemas.Logo().dump(row), "image": address}


def _settings(school: Etablissement) -> Any:
    session = db.session()
    page = page_publique.page_of(session, school.id)
    chosen = page_publique.services_of_page(session, school.id)
    codes = [one.code for one in services_of(session, school.id) if one.id in chosen]
    return schemas.PagePublique().dump(
        {
            "active": bool(page and page.active),
            "adresse": page_publique.adresse_of(session, school.id),
            "modele": page.modele if page else "vitrine",
            "entete": page.entete if page else True,
            "accroche": page.accroche if page else None,
            "services": codes,
            "version": page.version if page else 0,
        }
    )
