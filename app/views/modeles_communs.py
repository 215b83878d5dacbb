"""What the pages of models share: the model of the address, who may change it, whom it is shown to."""

from __future__ import annotations

from flask import abort, url_for
from sqlalchemy import select
from werkzeug.routing import BuildError

from app.extensions import db
from app.models import Academie, ModeleServices
from app.operations.modeles import Portee
from app.queries import modeles as reads
from app.security.manager import current_perimetre
from app.security.permissions import Resource, Verb
from app.views.arguments import as_id, checked_pk

PORTEES = {"plateforme": "Toute la plate-forme", "academie": "Académie", "compte": "Vous seul"}


def model_of(pk: int, *, write: bool = False) -> ModeleServices:
    """Return the model of the address; one that is not seen, or may not be changed, does not exist."""
    modele = reads.model(db.session(), checked_pk(pk))
    if modele is None or (write and not may_write(modele)):
        abort(404)
    return modele


def may_write(modele: ModeleServices) -> bool:
    """Tell whether this person may change a model: theirs, or one of what they are over as a whole."""
    held = current_perimetre(Resource.MODELE, Verb.ECRIRE)
    if held.tout:
        return True
    if modele.portee == "academie":
        return modele.academie_id in held.academies
    return modele.portee == "compte" and modele.compte_id is not None and modele.compte_id == held.compte_id


def audiences() -> list[tuple[str, str]]:
    """Return whom this person may show a model to: value and label, the widest first."""
    held = current_perimetre(Resource.MODELE, Verb.ECRIRE)
    statement = select(Academie.id, Academie.nom).order_by(Academie.nom)
    if not held.tout:
        statement = statement.where(Academie.id.in_(sorted(held.academies)))
    over = db.session.execute(statement).all() if held.tout or held.academies else ()
    found = [("plateforme", "Toute la plate-forme")] if held.tout else []
    found += [(f"academie-{pk}", f"Tous ceux qui administrent dans l’académie : {nom}") for pk, nom in over]
    return [*found, ("compte", "Moi seul")]


def audience_of(typed: str) -> Portee:
    """Read whom a model is shown to; what may not be asked is oneself alone."""
    if typed not in {value for value, _label in audiences()} or typed == "compte":
        return Portee()
    if typed == "plateforme":
        return Portee("plateforme")
    return Portee("academie", as_id(typed.removeprefix("academie-")))


def audience_value(modele: ModeleServices) -> str:
    """Return the choice that says whom a model is shown to."""
    return f"academie-{modele.academie_id}" if modele.portee == "academie" else modele.portee


def page_of_service(uai: str, code: str) -> str:
    """Return the page of a service of a school, its sheet's while there is none."""
    try:
        return url_for("Services.service", uai=uai, code=code)
    except BuildError:
        return url_for("EtablissementConsole.fiche", uai=uai)
