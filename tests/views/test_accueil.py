"""Home: what waits for each role, within its perimeter."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.extensions import now
from app.models import (
    Alimentation,
    Attribution,
    BilanEtablissement,
    Courriel,
    Personne,
    Rattachement,
    Tache,
)
from tests.views.conftest import soup

APP = Path(__file__).resolve().parents[2] / "app"


@pytest.fixture
def suivi(session, ecoles):
    for letter in ("a", "b"):
        school = getattr(ecoles, f"ecole_{letter}")
        where = {"etablissement_id": school}
        session.add(Alimentation(source="siecle", cle_portee=f"siecle:{letter}", etat="apercu", **where))
        session.add(Tache(type="essai", libelle=f"Lecture {letter}", etat="cours", fait=1, total=2, **where))
        session.add(Tache(type="essai", libelle=f"Envoi {letter}", etat="echec", fin_le=now(), **where))
        session.add(Courriel(destinataire="a@b.fr", objet="o", texte="t", cle=letter, etat="echec", **where))
    session.commit()


def cards(answer):
    return {
        card.h2.get_text(strip=True): card.get_text(" ", strip=True) for card in soup(answer).select(".card")
    }


def figures(answer):
    return {
        box.dt.get_text(strip=True): box.dd.get_text(strip=True)
        for box in soup(answer).select(".pr-stats > div")
    }


class TestHome:
    def test_the_highest_role_sees_everything(self, admin, suivi):
        seen = cards(admin.get("/"))
        assert seen["À faire"].count("aperçu à confirmer") == 2
        assert "2 messages non envoyés" in seen["À faire"]
        assert "Lecture a" in seen["Travaux en cours"]
        assert "Lecture b" in seen["Travaux en cours"]
        assert "Collège B" in seen["Établissements en retard"]

    def test_a_school_sees_its_own(self, sign_in, ecoles, suivi):
        answer = sign_in("correspondant", etablissement_id=ecoles.ecole_a).get("/")
        text = answer.get_data(as_text=True)
        assert "1 établissement dans votre périmètre" in text
        assert cards(answer)["À faire"].count("aperçu") == 1
        for foreign in ("Collège B", "Lecture b", "Envoi b", "message"):
            assert foreign not in cards(answer).values().__str__()

    def test_figures_count_the_perimeter_and_lead_to_their_list(self, sign_in, admin, ecoles, session):
        pupil = Personne(nom="Noël", prenom="Zoé", nom_recherche="noel zoe", source="manuel")
        where = {"etablissement_id": ecoles.ecole_b, "profil": "eleve", "source": "manuel"}
        session.add(Rattachement(personne=pupil, **where))
        session.commit()
        inside = sign_in("correspondant", etablissement_id=ecoles.ecole_a).get("/")
        everywhere = figures(admin.get("/"))
        assert everywhere["Établissements"] != "1"
        assert "Établissements" not in figures(inside)
        for label in ("Élèves", "Classes"):
            assert int(figures(inside)[label]) < int(everywhere[label]), label
        ours = {box["href"] for box in soup(inside).select(".pr-stats a")}
        assert "/etablissements/0190001A/utilisateurs/eleves/" in ours
        wide = {box["href"] for box in soup(admin.get("/")).select(".pr-stats a")}
        assert "/personnes/?profil=eleve" in wide
        assert {address: admin.get(address).status_code for address in ours | wide} == dict.fromkeys(
            ours | wide, 200
        )

    def test_what_waits_leads_to_those_it_counts(self, sign_in, ecoles, session):
        for letter in ("a", "b"):
            school = getattr(ecoles, f"ecole_{letter}")
            session.add(BilanEtablissement(etablissement_id=school, eleves=1500, actives=300))
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        session.scalars(select(Attribution)).one().jusqua = now() + timedelta(days=3)
        session.commit()
        answer = client.get("/")
        todo = next(one for one in soup(answer).select(".card") if "À faire" in one.h2.get_text())
        text = todo.get_text(" ", strip=True)
        assert "1\u202f200 comptes jamais activés" in text
        assert "1 établissement sans administrateur local" in text
        assert "Les droits de Montagné Claire s’arrêtent le" in text
        links = [one["href"] for one in todo.select("a")]
        assert "/personnes/?etat=jamais" in links, "whatever their profile"
        assert {one: client.get(one).status_code for one in links} == dict.fromkeys(links, 200)

    def test_my_schools_first_those_at_hand(self, sign_in, ecoles, session):
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        assert "/etablissements/0190001A/" in [one["href"] for one in soup(client.get("/")).select("main a")]
        assert "Collège B" not in client.get("/").get_data(as_text=True)

    def test_who_has_no_module_sees_no_figure(self, sign_in, suivi):
        answer = sign_in("enseignant").get("/")
        assert list(cards(answer)) == ["À faire"]
        assert "Collège" not in answer.get_data(as_text=True)

    def test_who_has_no_module_is_led_to_their_own_space(self, sign_in):
        client = sign_in("enseignant")
        (link,) = soup(client.get("/")).select(".pr-empty a")
        assert client.get(link["href"]).status_code == 200

    def test_a_stranger_is_sent_to_sign_in(self, client):
        assert client.get("/").headers["Location"].endswith("/connexion")


class TestBrowserFiles:
    def test_every_icon_named_is_in_the_sprite(self):
        sprite = set(re.findall(r' id="([^"]+)"', (APP / "static/icons.svg").read_text()))
        sources = [*(APP / "templates").rglob("*.html"), *(APP / "views").glob("*.py")]
        named = {n for path in sources for n in re.findall(r"""icon\(["']([a-z0-9-]+)""", path.read_text())}
        assert named - sprite == set()

    def test_no_template_of_flask_appbuilder_can_be_drawn(self, app):
        names = [name for name in app.jinja_env.list_templates() if name.startswith("appbuilder/")]
        ours = {
            path.relative_to(APP / "templates").as_posix() for path in (APP / "templates").rglob("*.html")
        }
        assert names
        assert set(names) <= ours
