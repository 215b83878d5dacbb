"""«Référentiel»: every generated page, its words, its cost, who may open it."""

from __future__ import annotations

import csv
import io
import re

import pytest
from sqlalchemy import select

from app.models import Academie, Collectivite, Journal, Mef, Personne, Rattachement
from tests.views.conftest import post, rows, soup

BUDGET = 9
PAGES = [
    "/referentiel/academies", "/referentiel/collectivites", "/referentiel/etablissements",
    "/referentiel/personnes", "/referentiel/suppressions", "/referentiel/rattachements",
    "/referentiel/divisions", "/referentiel/groupes", "/referentiel/mefs", "/referentiel/matieres",
    "/referentiel/disciplines", "/referentiel/fonctions", "/referentiel/abonnements", "/referentiel/comptes",
    "/referentiel/attributions", "/suivi/journal", "/suivi/courriels",
]  # fmt: skip
ENGLISH = re.compile(r"\b(List|Show|Add|Edit|Delete|Search|Actions|No records|Id|Name|Created)\b")


def fill(session, ecoles, count):
    """People of school A, each in one class."""
    for number in range(count):
        person = Personne(
            nom=f"NOM{number:03d}", prenom="Éléonore", nom_recherche=f"nom{number:03d} eleonore", source="aaf"
        )
        session.add(person)
        session.flush()
        session.add(
            Rattachement(
                personne_id=person.id,
                etablissement_id=ecoles.ecole_a,
                profil="eleve",
                division_id=ecoles.classe_a,
            )
        )
    session.commit()


@pytest.mark.parametrize("page", PAGES)
class TestEveryList:
    @pytest.mark.parametrize("number", [2**31, 2**63 - 1, 2**63])
    def test_a_number_no_key_reaches_is_absent(self, admin, page, number):
        assert admin.get(f"{page}/show/{number}").status_code == 404

    def test_is_in_french_within_budget(self, admin, ecoles, statements, page):
        admin.get(f"{page}/list/")
        statements.clear()
        answer = admin.get(f"{page}/list/")
        assert answer.status_code == 200
        assert len(statements) <= BUDGET, "\n".join(statements)
        main = soup(answer).select_one("main").get_text(" ")
        assert not ENGLISH.search(main), ENGLISH.search(main)
        assert not any("_" in cell.text for cell in soup(answer).select("thead th"))

    def test_exports_what_it_lists(self, admin, ecoles, page):
        text = admin.get(f"{page}/export").get_data(as_text=True)
        header = next(csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=";"))
        listed = [cell.text.strip() for cell in soup(admin.get(f"{page}/list/")).select("thead th")]
        assert [title for title in listed if title not in header] == []

    def test_is_closed_to_pupils_and_strangers(self, client, sign_in, ecoles, page):
        assert sign_in("eleve").get(f"{page}/list/").status_code == 403
        assert client.get(f"{page}/list/").status_code == 302


@pytest.mark.parametrize(
    "page", ["/referentiel/personnes", "/referentiel/rattachements", "/referentiel/divisions"]
)
def test_lists_cost_the_same_for_3_rows_and_for_25(admin, session, ecoles, statements, page):
    fill(session, ecoles, 3)
    admin.get(f"{page}/list/")
    statements.clear()
    admin.get(f"{page}/list/")
    few = len(statements)
    fill(session, ecoles, 30)
    statements.clear()
    admin.get(f"{page}/list/")
    assert len(statements) == few, "\n".join(statements)


class TestWriting:
    def test_a_nomenclature_line_is_added_and_journalled(self, admin, session):
        post(admin, "/referentiel/mefs/add", {"code": "10010012110", "libelle": "6EME"})
        assert session.scalars(select(Mef)).one().libelle == "6EME"
        assert (
            session.scalars(select(Journal).where(Journal.acte == "mef.creer")).one().acteur
            == "Claire Montagné"
        )

    def test_a_refused_form_keeps_what_was_typed(self, admin, session):
        answer = post(admin, "/referentiel/academies/add", {"code": "XX", "nom": "Touraine"})
        page = soup(answer)
        assert answer.status_code == 200
        assert page.select_one("#nom")["value"] == "Touraine"
        assert page.select_one("#code")["aria-invalid"] == "true"
        assert "deux ou trois chiffres" in page.select_one("main form").text
        assert session.scalars(select(Academie)).all() == []

    def test_the_same_code_twice_is_said_on_its_field(self, admin, session, ecoles):
        answer = post(admin, "/referentiel/academies/add", {"code": "19", "nom": "Autre"})
        assert "Ce code est déjà celui d’une autre académie." in answer.get_data(as_text=True)

    def test_a_collectivite_goes_when_nothing_refers_to_it(self, admin, session, ecoles):
        post(admin, "/referentiel/collectivites/add", {"code": "37", "nom": "Indre", "type": "departement"})
        row = session.scalars(select(Collectivite)).one()
        session.commit()
        post(admin, f"/referentiel/collectivites/delete/{row.id}")
        assert session.scalars(select(Collectivite)).all() == []

    def test_an_academie_with_schools_stays_and_says_why(self, admin, session, ecoles):
        post(admin, f"/referentiel/academies/delete/{ecoles.academie_a}")
        assert session.get(Academie, ecoles.academie_a) is not None
        assert "des établissements en dépendent" in admin.get("/referentiel/academies/list/").get_data(
            as_text=True
        )

    @pytest.mark.parametrize("page", ["academies", "mefs", "matieres", "collectivites"])
    def test_only_the_highest_role_writes(self, sign_in, ecoles, page):
        client = sign_in("assistant_plateforme", academie_id=ecoles.academie_a)
        assert client.get(f"/referentiel/{page}/list/").status_code == 200
        assert client.get(f"/referentiel/{page}/add").status_code == 403

    @pytest.mark.parametrize("page", ["personnes", "rattachements", "divisions", "comptes"])
    def test_what_feeds_write_has_no_form(self, admin, ecoles, page):
        assert admin.get(f"/referentiel/{page}/add").status_code == 404


class TestPerimeter:
    def test_lists_and_sheets_stop_at_the_school(self, sign_in, session, ecoles):
        fill(session, ecoles, 2)
        here = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        there = sign_in("chef_etablissement", etablissement_id=ecoles.ecole_b)
        person = session.scalars(select(Personne.id)).first()
        session.commit()
        assert len(rows(here.get("/referentiel/personnes/list/"))) == 2
        assert rows(there.get("/referentiel/personnes/list/")) == []
        assert here.get(f"/referentiel/personnes/show/{person}").status_code == 200
        assert there.get(f"/referentiel/personnes/show/{person}").status_code == 404
        assert there.get(f"/referentiel/divisions/show/{ecoles.classe_a}").status_code == 404
        assert "Collège A" not in there.get("/referentiel/etablissements/list/").get_data(as_text=True)

    def test_an_academie_shows_its_schools(self, admin, ecoles):
        page = admin.get(f"/referentiel/academies/show/{ecoles.academie_a}")
        assert [line["Établissement"] for line in rows(page)] == ["Collège A"]
