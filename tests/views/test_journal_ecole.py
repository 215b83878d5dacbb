"""The journal of a school: its page, its filters, what the pane asks for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.models import Journal
from app.operations import journal
from tests.views.conftest import rows, soup

A, B = "/etablissements/0190001A/journal/", "/etablissements/0180001B/journal/"
FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def lignes(session, ecoles):
    """Five lines in school A, of two people, one in school B."""
    site = {"site_web": "https://ancien.fr"}, {"site_web": "https://neuf.fr"}
    for acte, acteur, objet, values in (
        ("alimentation_appliquee", "Système", "AAF n° 1", (None, {"crees": 621, "departs": 1})),
        ("alimentation.appliquer", "Système", "AAF n° 2", (None, {"crees": 2})),
        ("etablissement.modifier", "Claire Montagné", "Collège A", site),
        ("role.retirer", "Claire Montagné", "g.lebihan", ({"rôle": "correspondant"}, None)),
        ("essai", "<b>Malin</b>", '"><script>', (None, None)),
    ):
        journal.write(
            session, acte=acte, acteur=acteur, objet=objet, avant=values[0], apres=values[1],
            etablissement_id=ecoles.ecole_a,
        )  # fmt: skip
    journal.write(session, acte="essai", objet="AUTRE ÉCOLE", etablissement_id=ecoles.ecole_b)
    session.commit()


@pytest.fixture
def correspondant(sign_in, ecoles, lignes):
    return sign_in("correspondant", etablissement_id=ecoles.ecole_a)


def objects(answer):
    return [row["Objet"] for row in rows(answer)]


def lines(answer):
    return [row.select("td")[3].get_text(strip=True) for row in soup(answer).select("tr[data-ligne]")]


class TestPage:
    def test_what_who_when_before_and_after(self, correspondant):
        seen = {row["Objet"]: row for row in rows(correspondant.get(A))}
        assert list(seen)[-1] == "AAF n° 1"
        assert seen["Collège A"]["Avant → après"] == "Site web\xa0: https://ancien.fr → https://neuf.fr"
        assert seen["AAF n° 1"]["Quoi"] == seen["AAF n° 2"]["Quoi"] == "Alimentation appliquée"
        assert seen["AAF n° 1"]["Avant → après"] == "621 créés, 1 départ"

    def test_nothing_of_another_school(self, correspondant):
        assert "AUTRE" not in correspondant.get(A).get_data(as_text=True)
        assert correspondant.get(B).status_code == 404
        assert correspondant.get(f"{B}export.csv").status_code == 404

    def test_it_needs_the_right(self, sign_in, ecoles, lignes):
        assert sign_in("enseignant").get(A).status_code == 403

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("qui=claire", ["g.lebihan", "Collège A"]),
            ("quoi=alimentation.appliquer", ["AAF n° 2", "AAF n° 1"]),
            ("quoi=alimentation", ["AAF n° 2", "AAF n° 1"]),
            ("objet=lebi", ["g.lebihan"]),
            ("qui=claire&quoi=role.retirer", ["g.lebihan"]),
            ("du=2190-01-01", []),
            ("au=1990-01-01", []),
            ("qui=%25", []),
        ],
    )
    def test_filters(self, correspondant, query, found):
        assert objects(correspondant.get(f"{A}?{query}")) == found

    def test_a_day_is_that_of_paris_both_ends_included(self, correspondant, session):
        line = session.query(Journal).filter_by(objet="g.lebihan").one()
        line.instant = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)  # 00:30 on 1 July in Paris
        session.commit()
        assert objects(correspondant.get(f"{A}?du=2026-07-01&au=2026-07-01")) == ["g.lebihan"]
        assert objects(correspondant.get(f"{A}?du=2026-06-30&au=2026-06-30")) == []

    @pytest.mark.parametrize(
        "query",
        ["du=x", "du=0000-00-00", "du=9999-12-31", "quoi='", "apres=-1", "apres=99999999999", "depuis=x"],
    )
    def test_hostile_arguments(self, correspondant, query):
        assert correspondant.get(f"{A}?{query}").status_code == 200
        assert correspondant.get(f"{A}?{query}", headers=FRAGMENT).status_code == 200

    def test_pages_follow_each_other(self, correspondant, session, ecoles):
        for number in range(60):
            journal.write(session, acte="essai", objet=f"N{number}", etablissement_id=ecoles.ecole_a)
        session.commit()
        first = correspondant.get(A)
        following = soup(first).select_one("a[rel=next]")["href"]
        assert objects(first)[0] == "N59"
        assert len(objects(first)) == 50
        assert objects(correspondant.get(following))[:2] == ["N9", "N8"]

    def test_the_export_says_the_same(self, correspondant):
        text = correspondant.get(f"{A}export.csv?qui=claire").get_data(as_text=True)
        assert "Site web : https://neuf.fr" in text
        assert "AAF" not in text


class TestPane:
    def test_every_page_of_the_school_has_it(self, correspondant):
        pane = soup(correspondant.get("/etablissements/0190001A/")).select_one("details.pr-journal")
        assert pane.has_attr("open")
        assert pane.select_one("[data-journal-direct]")["data-journal-direct"] == A

    def test_who_may_not_read_it_has_no_pane(self, sign_in, ecoles, session):
        from app.models import Collectivite, Etablissement

        row = Collectivite(code="037", nom="Département")
        session.add(row)
        session.flush()
        session.get(Etablissement, ecoles.ecole_a).collectivite_id = row.id
        session.commit()
        page = soup(sign_in("collectivite", collectivite_id=row.id).get("/etablissements/0190001A/"))
        assert page.select("details.pr-journal") == []

    def test_it_asks_for_what_came_since(self, correspondant, session, ecoles):
        first = correspondant.get(A, headers=FRAGMENT)
        assert len(lines(first)) == 5
        last = soup(first).select_one("tr[data-ligne]")["data-ligne"]
        assert lines(correspondant.get(f"{A}?depuis={last}", headers=FRAGMENT)) == []
        session.rollback()
        journal.write(session, acte="essai", objet="NEUF", etablissement_id=ecoles.ecole_a)
        journal.write(session, acte="essai", objet="AILLEURS", etablissement_id=ecoles.ecole_b)
        session.commit()
        assert lines(correspondant.get(f"{A}?depuis={last}", headers=FRAGMENT)) == ["NEUF"]
        assert lines(correspondant.get(f"{A}?depuis={last}&qui=claire", headers=FRAGMENT)) == []

    def test_what_people_typed_is_text(self, correspondant):
        assert "<script>" not in correspondant.get(A, headers=FRAGMENT).get_data(as_text=True).replace(
            "&lt;script&gt;", ""
        )
        assert "<b>Malin" not in correspondant.get(A).get_data(as_text=True)

    def test_it_is_cheap(self, correspondant, statements):
        correspondant.get(A, headers=FRAGMENT)
        statements.clear()
        correspondant.get(f"{A}?depuis=1", headers=FRAGMENT)
        assert len(statements) <= 4  # session, roles, school and visit, lines
