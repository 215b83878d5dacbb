"""Keys over school A, and callers that send one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.models import CleApi, Compte
from app.operations import cles_api
from app.operations.saisies import SYSTEME
from tests.security.conftest import attribuer, cast, compte, session  # noqa: F401  (fixtures)

Call = Callable[..., Any]


@pytest.fixture
def faire_cle(session: Session) -> Callable[..., tuple[CleApi, str]]:  # noqa: F811
    """Return what makes a key of a role, made by somebody who holds that role."""

    def make(role: str = "correspondant", *, ecriture: bool = False, jours: int = 30, **portee: int) -> Any:
        maker = compte(session, f"auteur.n{session.query(Compte).count()}")
        attribuer(session, maker, role, **portee)
        made = cles_api.creer(
            session, nom="Essai", role=role, portee=cles_api.Portee(**portee), ecriture=ecriture,
            jours=jours, compte=maker, acteur=SYSTEME,
        )  # fmt: skip
        session.commit()
        return made

    return make


@pytest.fixture
def appeler(app: Flask) -> Call:
    """Return what calls the API with a key."""

    def call(secret: str, path: str, method: str = "GET", **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        return app.test_client().open(f"/api/v1{path}", method=method, headers=headers, **more)

    return call
