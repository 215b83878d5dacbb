"""Who calls the API: the key of the ``Authorization`` header, never the cookie of a browser.

The account it stands for is made for the request: no row of its own, the one role of the key, and
only while the maker of the key could still give it (G1, A2).
"""

from __future__ import annotations

from flask import Request, g, has_request_context
from sqlalchemy.orm.attributes import set_committed_value

from app.models import Attribution, CleApi, Compte, Etablissement
from app.operations import cles_api
from app.operations.sessions import may_connect
from app.security.delegation import pouvoirs_of
from app.security.roles import ROLE_PORTEES, Portee, Role
from app.security.transactions import own_reading

BASE = "/api/"


def calls_api(request: Request) -> bool:
    """Tell whether a request is one of a program."""
    return request.path.startswith(BASE)


def load_account(request: Request) -> Compte | None:
    """Return the account the key of a request stands for; ``current_key`` tells which key."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret.strip():
        return None
    with own_reading() as own:
        key = cles_api.find(own, secret.strip())
        if key is None or not may_give(key.compte, key.role, key, key.etablissement):
            return None
        own.expunge_all()
    g.cle_api = key
    return _account_of(key)


def current_key() -> CleApi | None:
    """Return the key of the request."""
    return getattr(g, "cle_api", None) if has_request_context() else None


def may_give(
    compte: Compte, role: str, portee: CleApi | cles_api.Portee, school: Etablissement | None
) -> bool:
    """Tell whether an account holds today every right of a role over a whole perimeter (G1).

    ``school`` is the school of ``portee``, for whoever holds it through its académie.
    """
    if role not in set(Role) or not may_connect(compte) or not fits(role, portee):
        return False
    academie, collectivite = portee.academie_id, portee.collectivite_id
    if school is not None:
        academie, collectivite = school.academie_id, school.collectivite_id
    return any(
        held.covers(role, academie, collectivite, portee.etablissement_id) for held in pouvoirs_of(compte)
    )


def fits(role: str, portee: CleApi | cles_api.Portee) -> bool:
    """Tell whether a role may be held over a perimeter; nobody is given «oneself» of somebody else."""
    held = (portee.academie_id, portee.collectivite_id, portee.etablissement_id)
    wanted = {
        Portee.PLATEFORME: (False, False, False),
        Portee.ACADEMIE: (True, False, False),
        Portee.COLLECTIVITE: (False, True, False),
        Portee.ETABLISSEMENT: (False, False, True),
    }.get(ROLE_PORTEES[Role(role)])
    return tuple(one is not None for one in held) == wanted


def _account_of(key: CleApi) -> Compte:
    account = Compte(
        username=f"cle-api-{key.id}", first_name="Clé d’API", last_name=str(key), email="", active=True
    )
    role = Attribution(
        role=key.role,
        academie_id=key.academie_id,
        collectivite_id=key.collectivite_id,
        etablissement_id=key.etablissement_id,
        depuis=key.creee_le,
        jusqua=key.expire_le,
    )
    for name, rows in {"attributions": [role], "roles": [], "groups": []}.items():
        set_committed_value(account, name, rows)
    return account
