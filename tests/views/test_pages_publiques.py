"""The sign-in page says whose console it is, and its links lead somewhere for everybody."""

from __future__ import annotations

import json
from contextlib import ExitStack

import pytest
from bs4 import BeautifulSoup

from app.config import ReglageInvalideError, load


def read(client, path="/connexion"):
    answer = client.get(path)
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


def footer(page):
    return {link.get_text(): link["href"] for link in page.select("main > p.text-center a")}


@pytest.fixture
def ouvrir(reglages, lender):
    with ExitStack() as lent:
        yield lambda **values: lent.enter_context(lender.lend({**reglages, **values})).test_client()


class TestSignInPage:
    def test_it_names_the_deployment(self, ouvrir):
        assert "Académie de Touraine-Berry" in read(ouvrir()).select_one(".pr-brand").get_text()
        brand = read(ouvrir(nom="Région <Test>")).select_one(".pr-brand").get_text(" ", strip=True)
        assert brand == "Préau Région <Test>"

    def test_each_link_leads_to_a_page_that_says_something(self, client):
        links = footer(read(client))
        assert list(links) == ["Aide", "Accessibilité", "Données personnelles"]
        for href in links.values():
            page = read(client, href)
            assert page.h1.get_text(strip=True)
            assert page.find("a", href="/connexion")

    def test_a_deployment_has_its_own_pages(self, ouvrir):
        client = ouvrir(lien_aide="https://aide.ac-exemple.fr/preau")
        assert footer(read(client))["Aide"] == "https://aide.ac-exemple.fr/preau"
        assert client.get("/aide").location == "https://aide.ac-exemple.fr/preau"

    @pytest.mark.parametrize("link", ["http://aide.fr", "javascript:alert(1)", "/aide"])
    def test_a_link_in_clear_or_worse_is_refused(self, link):
        with pytest.raises(ReglageInvalideError, match="PREAU_LIEN_AIDE"):
            load(demo=True, lien_aide=link)

    def test_with_a_directory_it_says_which_password_to_type(self, ouvrir, tmp_path):
        path = tmp_path / "ldap.json"
        values = {"serveur": "ldaps://127.0.0.1:1", "recherche": "dc=fr", "nom": "annuaire de la région"}
        path.write_text(json.dumps(values), encoding="utf-8")
        client = ouvrir(authentification="ldap", ldap_fichier=path)
        page = read(client)
        assert "annuaire de la région" in page.form.get_text()
        assert not page.find("a", href=lambda href: "/connexion/guichet" in (href or ""))
        assert "annuaire de la région" in read(client, "/aide").get_text()
