"""The school a page is about: read from the address, within the perimeter, never from the session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import abort, g, has_request_context, request

from app.extensions import db, now
from app.models import Etablissement
from app.operations.console import note_visit
from app.queries import console as reads
from app.security.manager import allowed, current_account, current_perimetre
from app.security.permissions import Resource, Verb
from app.security.transactions import own_transaction

VISIT_EVERY = timedelta(minutes=10)


@dataclass(frozen=True)
class Ecole:
    """What the frame says of the school; read out, for the perimeter may change before it is drawn."""

    id: int
    uai: str
    nom: str
    commune: str
    academie: str
    favori: bool
    academie_id: int | None
    collectivite_id: int | None


def current_school(uai: str) -> Etablissement:
    """Return the school of the address and keep it for the frame; 404 when out of the perimeter.

    The visit is noted for the recents of «Changer d'établissement», at most every ten minutes.
    """
    account = current_account()
    found = reads.school(db.session(), uai[:8].upper(), account.id if account else None)
    if found is None:
        abort(404)
    school, seen, favori = found
    g.ecole = Ecole(
        school.id,
        school.uai,
        school.nom,
        school.commune or "",
        str(school.academie or ""),
        favori,
        school.academie_id,
        school.collectivite_id,
    )
    if account is not None and request.method == "GET" and (seen is None or now() - seen > VISIT_EVERY):
        with own_transaction() as own:
            note_visit(own, account.id, school.id)
    return school


def school_of_page() -> Ecole | None:
    """Return the school of the page being drawn, None outside a school."""
    return getattr(g, "ecole", None) if has_request_context() else None


def allowed_here(resource: Resource | str, verb: Verb = Verb.LIRE, school: Ecole | None = None) -> bool:
    """Tell whether this person holds a right over the school of the page, not only over another."""
    here = school or school_of_page()
    if here is None or not allowed(verb, resource):
        return False
    held = current_perimetre(Resource(resource), verb)
    return (
        held.tout
        or here.id in held.etablissements
        or here.academie_id in held.academies
        or here.collectivite_id in held.collectivites
    )
