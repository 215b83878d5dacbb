"""Who makes the request, what they may do, and over which rows. Read once per request.

``request_perimetre`` (``app.security.requete``) states the perimeter before each view method,
from the view's ``resource`` and the verb of the method: a right gained through one role acts
on the perimeter of that role only. A page that needs the perimeter of something else says
``use_perimetre_for(resource, verb)``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flask import g, has_request_context
from sqlalchemy.orm import joinedload

from app.extensions import db, now
from app.models import Attribution, Compte
from app.operations import editeurs
from app.security.mur import RIEN, Perimetre
from app.security.perimetres import KEY, set_perimetre
from app.security.permissions import Resource, Verb
from app.security.roles import EDITEUR, RIGHTS, ROLE_LABELS, ROLE_PORTEES, SECOND_FACTEUR, Portee, Right, Role
from app.security.transactions import own_reading

ONESELF: frozenset[Right] = frozenset(
    {
        (Verb.LIRE, Resource.MON_ESPACE),
        (Verb.MENU, Resource.MON_ESPACE),
        (Verb.LIRE, Resource.RESERVATION),
        (Verb.ECRIRE, Resource.RESERVATION),
    }
)
"""What any open account may do, even without a role. Booking: as far as the service of their school
gives them a role in it (``app.security.reservation``)."""


def current_account() -> Compte | None:
    """Return the account that makes the request, with its roles; nobody outside a request."""
    return getattr(g, "compte", None) if has_request_context() else None


def active_attributions(compte: Compte, at: datetime | None = None) -> list[Attribution]:
    """Return the roles the account holds now."""
    instant = at or now()
    return [
        row
        for row in compte.attributions
        if row.role in set(Role) and row.depuis <= instant and (row.jusqua is None or instant < row.jusqua)
    ]


def rights_of(compte: Compte | None) -> frozenset[Right]:
    """Return every right of the account, whatever the perimeter."""
    if compte is None:
        return frozenset()
    return ONESELF.union(*(RIGHTS[Role(row.role)] for row in active_attributions(compte)))


def second_factor_required(compte: Compte) -> bool:
    """Tell whether a role the account holds asks for a second factor (A5)."""
    return any(Role(row.role) in SECOND_FACTEUR for row in active_attributions(compte))


def outranks(compte_id: int) -> bool:
    """Tell whether the request's account holds every right of another account: it may act on it (G2)."""
    with own_reading() as own:
        other = own.get(Compte, compte_id, options=[joinedload(Compte.attributions)])
        return other is not None and rights_of(other) <= current_rights()


def current_rights() -> frozenset[Right]:
    """Return the rights of the request's account, computed once."""
    if not has_request_context():
        return frozenset()
    if "droits" not in g:
        g.droits = rights_of(current_account()) | (EDITEUR if schools_edited() else frozenset())
    rights: frozenset[Right] = g.droits
    return rights


def allowed(verb: Verb | str, resource: Resource | str) -> bool:
    """Tell whether the request's account holds a right; also a template global."""
    if not has_request_context():
        return False
    if "droits_nommes" not in g:
        g.droits_nommes = {(str(v), str(r)) for v, r in current_rights()}
    named: set[tuple[str, str]] = g.droits_nommes
    asked, what = str(verb), str(resource)
    return (asked, what) in named or (f"can_{asked}", what) in named


def perimetre_of(
    compte: Compte | None, resource: Resource | None = None, verb: Verb = Verb.LIRE
) -> Perimetre:
    """Return the union of the perimeters of the roles that grant the right.

    Without a resource, and for «Mon espace», it is oneself only; for bookings, oneself besides.
    """
    if compte is None:
        return RIEN
    oneself = Perimetre(personne_id=compte.personne_id, compte_id=compte.id)
    if resource is None or resource is Resource.MON_ESPACE:
        return oneself
    granting = [row for row in active_attributions(compte) if (verb, resource) in RIGHTS[Role(row.role)]]
    held = _union(compte, granting)
    if resource is Resource.REDACTION and compte is current_account():
        held |= Perimetre(etablissements=schools_edited())
    return held | oneself if resource is Resource.RESERVATION else held


def schools_edited() -> frozenset[int]:
    """Return the schools whose public page the request's account writes; read on pages that ask for it."""
    held: frozenset[int] = g.get("editeur_de", frozenset()) if has_request_context() else frozenset()
    return held


def read_schools_edited() -> None:
    """Read them, for a page about the contents of public pages."""
    compte = current_account()
    if compte is None or compte.personne_id is None:
        return
    with own_reading() as own:
        g.editeur_de = frozenset(editeurs.schools_of(own, compte.personne_id))


def current_perimetre(resource: Resource | None = None, verb: Verb = Verb.LIRE) -> Perimetre:
    """Return the perimeter of a right; without a resource, the one stated for the page now."""
    if resource is None:
        stated: Perimetre = db.session().info.get(KEY, RIEN)
        return stated
    return _perimetre_now(resource, verb)


def _perimetre_now(resource: Resource | None, verb: Verb) -> Perimetre:
    """Return what a right of the request's account reaches, worked out once for each right."""
    account = current_account()
    if account is None:
        return RIEN
    kept: tuple[Compte, dict[Any, Perimetre]] | None = g.get("perimetres")
    if kept is None or kept[0] is not account:  # somebody else signed in meanwhile
        kept = g.perimetres = (account, {})
    if (resource, verb) not in kept[1]:
        kept[1][resource, verb] = perimetre_of(account, resource, verb)
    return kept[1][resource, verb]


def use_perimetre_for(resource: Resource | None, verb: Verb = Verb.LIRE) -> None:
    """State on the request's session the perimeter of this right, from here on."""
    set_perimetre(db.session(), _perimetre_now(resource, verb))


def role_labels(compte: Compte | None = None) -> list[str]:
    """Return the French names of the roles held, each once, in the order of the matrix."""
    who = compte or current_account()
    held = {row.role for row in active_attributions(who)} if who else set()
    return [label for role, label in ROLE_LABELS.items() if role in held]


def _union(compte: Compte, attributions: Iterable[Attribution]) -> Perimetre:
    union = Perimetre(compte_id=compte.id)
    for row in attributions:
        union |= perimetre_of_role(compte, row)
    return union


def perimetre_of_role(compte: Compte, row: Attribution) -> Perimetre:
    """Return the rows one role reaches; nothing when its perimeter does not fit it."""
    held = (row.academie_id, row.collectivite_id, row.etablissement_id)
    match ROLE_PORTEES[Role(row.role)], held:
        case Portee.PLATEFORME, (None, None, None):
            return Perimetre(tout=True)
        case Portee.ACADEMIE, (int(academie), None, None):
            return Perimetre(academies=frozenset({academie}))
        case Portee.COLLECTIVITE, (None, int(collectivite), None):
            return Perimetre(collectivites=frozenset({collectivite}))
        case Portee.ETABLISSEMENT, (None, None, int(etablissement)):
            return Perimetre(etablissements=frozenset({etablissement}))
        case Portee.SOI, _:
            return Perimetre(personne_id=compte.personne_id)
        case _:
            return RIEN
