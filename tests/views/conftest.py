"""Generated views on real tables, and people signed in with each kind of perimeter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from flask_appbuilder.actions import action
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.extensions import db
from app.models import Academie, Attribution, Compte, Division, Etablissement, Matiere
from app.operations.sessions import open_session
from app.security.permissions import Resource
from app.views.base import DomainInterface, PreauModelView


class EssaiMatiereView(PreauModelView):
    """Plain table without school: everything may be written by the highest role."""

    resource = Resource.NOMENCLATURE
    datamodel = DomainInterface(Matiere)
    route_base = "/essai/matieres"
    list_columns = ["code", "libelle", "libelle_court"]
    search_columns = ["code", "libelle"]
    add_columns = edit_columns = ["code", "libelle", "libelle_court"]
    label_columns = {"code": "Code", "libelle": "Libellé", "libelle_court": "Libellé court"}
    list_title = "Matières d’essai"
    add_title = "Ajouter une matière"
    base_order = ("libelle", "asc")

    def apply_add(self, item: Any) -> None:
        self._check(item)
        super().apply_add(item)

    def apply_edit(self, item: Any) -> None:
        super().apply_edit(item)
        self._check(item)

    def apply_delete(self, item: Any) -> None:
        super().apply_delete(item)
        self._check(item)

    @staticmethod
    def _check(item: Any) -> None:
        if item.libelle == "INTERDIT":
            raise RuleViolationError("Ce libellé est réservé. Choisissez-en un autre.", field="libelle")
        if item.libelle == "BOGUE":
            raise KeyError("détail technique")

    @action("majuscules", "Passer en majuscules", "Les libellés changent pour tout le monde.", "")
    def majuscules(self, items: list[Any]) -> str:
        for item in items:
            item.libelle = item.libelle.upper()
            if item.code == "BLOQUE":
                raise RuleViolationError("La matière BLOQUE ne change pas.")
        return f"{len(items)} libellés changés."


class EssaiDivisionView(PreauModelView):
    """A table inside the wall, with a long relation, a boolean and a rule at the database."""

    resource = Resource.DIVISION
    datamodel = DomainInterface(Division)
    route_base = "/essai/classes"
    list_columns = ["code", "libelle", "etablissement.nom", "active"]
    search_columns = ["code", "libelle", "etablissement", "active"]
    show_columns = ["code", "libelle", "etablissement", "active"]
    add_columns = edit_columns = ["code", "libelle", "etablissement", "active"]
    label_columns = {
        "code": "Code",
        "libelle": "Libellé",
        "etablissement": "Établissement",
        "etablissement.nom": "Établissement",
        "active": "Active",
    }
    list_title = "Classes d’essai"


class EssaiEtablissementView(PreauModelView):
    """A versioned sheet with its related classes."""

    resource = Resource.ETABLISSEMENT
    datamodel = DomainInterface(Etablissement)
    route_base = "/essai/etablissements"
    related_views = [EssaiDivisionView]
    list_columns = ["nom", "uai", "commune", "academie.nom", "etat", "nombre_eleves"]
    search_columns = ["nom", "uai", "academie", "etat", "ouvert_le"]
    show_columns = ["nom", "uai", "commune", "etat"]
    add_columns = ["uai", "nom", "nom_recherche", "academie", "ouvert_le"]
    edit_columns = ["nom", "commune", "nombre_eleves"]
    choices_columns = {"etat": {"ouvert": "Ouvert", "ferme": "Fermé"}}
    label_columns = {"nom": "Nom", "uai": "UAI", "commune": "Commune", "academie": "Académie", "etat": "État"}
    list_title = "Établissements d’essai"


VIEWS = (EssaiMatiereView, EssaiDivisionView, EssaiEtablissementView)


@pytest.fixture
def added_views() -> tuple[type, ...]:
    """The views of this folder."""
    return VIEWS


@pytest.fixture
def ecoles(session: Session) -> SimpleNamespace:
    """Two schools in two académies, one class each, two subjects."""
    made = SimpleNamespace()
    for letter, code in (("a", "19"), ("b", "18")):
        academie = Academie(code=code, nom=f"Académie {letter.upper()}")
        session.add(academie)
        session.flush()
        school = Etablissement(
            uai=f"0{code}0001{letter.upper()}",
            nom=f"Collège {letter.upper()}",
            nom_recherche=f"college {letter}",
            commune="Été-sur-Mer",
            academie_id=academie.id,
        )
        session.add(school)
        session.flush()
        division = Division(etablissement_id=school.id, code=f"6{letter.upper()}")
        session.add(division)
        session.flush()
        for name, row in {"academie": academie, "ecole": school, "classe": division}.items():
            setattr(made, f"{name}_{letter}", row.id)
    session.add_all([Matiere(code="MATHS", libelle="Mathématiques"), Matiere(code="BLOQUE", libelle="Latin")])
    session.commit()
    return made


SignIn = Callable[..., FlaskClient]


@pytest.fixture
def sign_in(app: Flask, session: Session) -> SignIn:
    """Return a client signed in with a role, on a perimeter given by key words."""

    def make(role: str, **perimetre: int) -> FlaskClient:
        row = Compte(
            username=f"{role}{len(perimetre)}", first_name="Claire", last_name="Montagné",
            email=f"{role}@exemple.fr", active=True, password="",
        )  # fmt: skip
        session.add(row)
        session.flush()
        session.add(Attribution(compte_id=row.id, role=role, **perimetre))
        token = open_session(session, row)
        session.commit()
        client = app.test_client()
        with client.session_transaction() as cookie:
            cookie["jeton"] = token
        return client

    return make


@pytest.fixture
def admin(sign_in: SignIn) -> FlaskClient:
    """The highest role, over everything."""
    return sign_in("assistant_n2")


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """Collect the SQL statements sent meanwhile, transaction words left out."""
    sent: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not statement.startswith(("BEGIN", "SAVEPOINT", "PRAGMA", "COMMIT")):
            sent.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def soup(answer: Any) -> BeautifulSoup:
    """Parse a page."""
    return BeautifulSoup(answer.get_data(as_text=True), "html.parser")


def rows(answer: Any) -> list[dict[str, str]]:
    """Return the table a person sees, by column title."""
    table = soup(answer).select_one("table.pr-table")
    if table is None:
        return []
    titles = [cell.get_text(" ", strip=True) for cell in table.select("thead th")]
    return [
        dict(zip(titles, [cell.get_text(" ", strip=True) for cell in line.select("th, td")], strict=True))
        for line in table.select("tbody tr")
    ]


def post(client: FlaskClient, page: str, data: dict[str, Any] | None = None, action_url: str = "") -> Any:
    """Fill the form of a page as a browser would: its token and hidden fields come along."""
    form = soup(client.get(page)).select_one("main form[method=post]")
    assert form is not None, f"{page} has no form"
    sent = {field["name"]: field.get("value", "") for field in form.select("input[type=hidden]")}
    return client.post(action_url or page, data={**sent, **(data or {})})
