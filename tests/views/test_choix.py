"""«Changer d'établissement», favourites, and choices of look."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.models import Academie, Etablissement, Favori, Preference
from app.operations.console import MOST_FAVOURITES
from app.queries.noms import ecole_key, search_key
from app.views.surligner import marked
from tests.views.conftest import post, soup

CHOICE = "/etablissements/choisir"
SCHOOLS = {
    "0370001A": ("Collège Honoré de Balzac", "Montreuil-les-Ormes"),
    "0370002B": ("Lycée Jacqueline-Auriol", "Été-sur-Mer"),
    "0370003C": ("École d’Œuvre", "Balzac-le-Bois"),
}


@pytest.fixture
def voisins(session):
    academie = Academie(code="37", nom="Touraine")
    session.add(academie)
    session.flush()
    for uai, (nom, commune) in SCHOOLS.items():
        keys = {"nom_recherche": search_key(nom), "recherche": ecole_key(nom, commune, uai)}
        session.add(Etablissement(uai=uai, nom=nom, commune=commune, academie_id=academie.id, **keys))
    session.commit()
    return academie.id


@pytest.fixture
def assistant(sign_in, ecoles, voisins):
    return sign_in("assistant_plateforme", academie_id=voisins)


def options(client, **arguments):
    answer = client.get(CHOICE, query_string=arguments, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return {
        group.div.get_text(strip=True): [one["href"].split("/")[2] for one in group.select("[role=option]")]
        for group in soup(answer).select("[role=group]")
    }


class TestChoice:
    @pytest.mark.parametrize(
        ("typed", "found"),
        [
            ("balzac", ["0370001A", "0370003C"]),
            ("alza", ["0370001A", "0370003C"]),
            ("0370002b", ["0370002B"]),
            ("70002", ["0370002B"]),
            ("ete sur", ["0370002B"]),
            ("auriol jacq", ["0370002B"]),
            ("oeuvre", ["0370003C"]),
            ("montreuil college", ["0370001A"]),
            ("0180001B", []),
            ("%", ["0370001A", "0370003C", "0370002B"]),
            ("x_x", []),
        ],
    )
    def test_any_part_of_name_uai_or_town(self, assistant, typed, found):
        assert [uai for group in options(assistant, q=typed).values() for uai in group] == found

    def test_what_is_at_hand_comes_first(self, assistant, session):
        assistant.get("/etablissements/0370002B/")
        session.rollback()
        assert list(options(assistant)) == ["Récents", "Autres établissements"]
        post_star(assistant, "0370001A")
        assert options(assistant) == {
            "Favoris": ["0370001A"],
            "Récents": ["0370002B"],
            "Autres établissements": ["0370003C"],
        }

    def test_the_page_without_script_shows_the_same(self, assistant):
        page = soup(assistant.get(CHOICE, query_string={"q": "auriol"}))
        assert [link["href"] for link in page.select("main .pr-list a")] == ["/etablissements/0370002B/"]
        assert "Aucun établissement" in soup(assistant.get(f"{CHOICE}?q=zzz")).main.get_text()

    def test_it_keeps_to_the_same_page_of_the_other_school(self, assistant):
        opener = soup(assistant.get("/etablissements/0370001A/")).select_one("a.pr-switch")
        assert "page=fiche" in opener["href"]
        assert "Honoré de Balzac" in opener.get_text()

    @pytest.mark.parametrize("page", ["absente", "../..", "", "fiche%00"])
    def test_an_unknown_page_leads_to_the_sheet(self, assistant, page):
        answer = assistant.get(f"{CHOICE}?page={page}")
        assert answer.status_code in {200, 400}
        if answer.status_code == 200:
            assert "/etablissements/0370001A/" in answer.get_data(as_text=True)

    @pytest.mark.parametrize("typed", ["'", '"><script>', "😀" * 200, "%25_", "\u202e"])
    def test_nothing_typed_breaks_it(self, assistant, typed):
        assert "<script>alert" not in assistant.get(CHOICE, query_string={"q": typed}).get_data(as_text=True)
        options(assistant, q=typed)

    def test_flat(self, assistant, session, statements, voisins):
        def sent():
            statements.clear()
            options(assistant, q="ecole")
            return len(statements)

        few = sent()
        for number in range(30):
            nom = f"École numéro {number}"
            keys = {"nom_recherche": search_key(nom), "recherche": ecole_key(nom, None, "")}
            session.add(Etablissement(uai=f"038{number:04}A", nom=nom, academie_id=voisins, **keys))
        session.commit()
        assert sent() == few <= 4  # session, account and roles, schools


def post_star(client, uai, keep="1"):
    page = f"{CHOICE}?q={uai}"
    return post(client, page, {"garder": keep}, f"/favoris/{uai}")


class TestFavourites:
    def test_the_star_keeps_and_forgets(self, assistant, session):
        assert post_star(assistant, "0370001A").status_code == 302
        session.rollback()
        assert len(session.scalars(select(Favori)).all()) == 1
        post_star(assistant, "0370001A")
        post_star(assistant, "0370001A", "0")
        post_star(assistant, "0370001A", "0")
        session.rollback()
        assert session.scalars(select(Favori)).all() == []

    def test_another_academie_is_not_there(self, assistant, session):
        page = soup(assistant.get(CHOICE))
        token = page.select_one("input[name=csrf_token]")["value"]
        answer = assistant.post("/favoris/0180001B", data={"garder": "1", "csrf_token": token})
        assert answer.status_code == 404
        session.rollback()
        assert session.scalars(select(Favori)).all() == []

    def test_it_never_leads_elsewhere(self, assistant):
        for target in ("https://ailleurs.example/", "//ailleurs.example", "/\\ailleurs"):
            answer = post(assistant, f"{CHOICE}?q=0370001A", {"retour": target}, "/favoris/0370001A")
            assert answer.headers["Location"] == CHOICE

    def test_no_more_than_a_choice(self, assistant, session, ecoles, voisins):
        from app.models import Compte

        account = session.scalars(select(Compte)).first()
        for number in range(MOST_FAVOURITES):
            row = Etablissement(uai=f"039{number:04}A", nom="X", nom_recherche="x", academie_id=voisins)
            session.add(row)
            session.flush()
            session.add(Favori(compte_id=account.id, etablissement_id=row.id))
        session.commit()
        assert post_star(assistant, "0370001A").status_code == 302
        assert "Retirez-en un" in assistant.get(CHOICE).get_data(as_text=True)


class TestPreferences:
    @pytest.fixture
    def keep(self, assistant):
        token = soup(assistant.get(CHOICE)).select_one("input[name=csrf_token]")["value"]

        def post_it(cle, valeur, token=token):
            return assistant.post("/preferences", data={"cle": cle, "valeur": valeur, "csrf_token": token})

        return post_it

    def test_one_value_by_key(self, keep, session):
        assert keep("volet.arbre", "300").status_code == 204
        assert keep("volet.arbre", "320").status_code == 204
        session.rollback()
        assert [row.valeur for row in session.scalars(select(Preference))] == [320]
        assert keep("volet.arbre", "null").status_code == 204
        session.rollback()
        assert session.scalars(select(Preference)).all() == []

    @pytest.mark.parametrize(
        ("cle", "valeur"),
        [
            ("", "1"),
            ("É", "1"),
            ("a" * 41, "1"),
            ("a", ""),
            ("a", "{"),
            ("a", '"' + "x" * 3000 + '"'),
            ("a", "NaN"),
        ],
    )
    def test_nothing_else_is_kept(self, keep, session, cle, valeur):
        assert keep(cle, valeur).status_code == 400
        session.rollback()
        assert session.scalars(select(Preference)).all() == []

    def test_only_from_our_pages(self, keep):
        assert keep("volet.arbre", "300", token="").status_code == 400


@pytest.mark.parametrize(
    ("text", "typed", "shown"),
    [
        ("Collège Honoré", "hon", "Collège <mark>Hon</mark>oré"),
        ("École d’Œuvre", "oeuvre", "École d’<mark>Œuvre</mark>"),
        ("Jean-Éric", "eric jean", "<mark>Jean</mark>-<mark>Éric</mark>"),
        ("Montreuil", "treuil", "Mon<mark>treuil</mark>"),
        ("<b>", "b", "&lt;<mark>b</mark>&gt;"),
        ("Balzac", "", "Balzac"),
        ("Balzac", "zzz", "Balzac"),
    ],
)
def test_marked(text, typed, shown):
    assert str(marked(text, typed)) == shown
