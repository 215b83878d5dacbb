"""Command palette: what each kind of search finds, and never outside the perimeter (C6)."""

from __future__ import annotations

import pytest

from app.models import Compte, Division, Etablissement, Favori, Identifiant, Personne, Rattachement
from tests.views.conftest import soup

FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def gens(session, ecoles):
    """One pupil called Noël in each school, with an INE."""
    made = {}
    for letter in ("a", "b"):
        school = getattr(ecoles, f"ecole_{letter}")
        row = session.get(Etablissement, school)
        row.recherche = f"college {letter} ete sur mer {row.uai.lower()}"
        person = Personne(
            nom="Noël", prenom=f"Zoé-{letter.upper()}", nom_recherche=f"noel zoe {letter}", source="manuel"
        )
        session.add(person)
        session.flush()
        session.add(
            Identifiant(
                personne_id=person.id, type="ine", valeur=f"12345678{letter.upper()}", source="manuel"
            )
        )
        session.add(
            Rattachement(
                personne_id=person.id,
                etablissement_id=school,
                profil="eleve",
                source="manuel",
                division_id=getattr(ecoles, f"classe_{letter}"),
            )
        )
        made[letter] = person.id
    session.commit()
    return made


def ask(client, typed, ecole="", headers=FRAGMENT):
    """Return heading → texts of the options."""
    page = soup(client.get("/palette", query_string={"q": typed, "ecole": ecole}, headers=headers))
    return {
        group.select_one("[id]").get_text(): [
            " ".join(part.get_text() for part in one.select("span")) for one in group.select("[role=option]")
        ]
        for group in page.select("[role=group]")
    }


@pytest.fixture
def local(sign_in, ecoles):
    return sign_in("correspondant", etablissement_id=ecoles.ecole_a)


@pytest.fixture
def academie(sign_in, ecoles):
    return sign_in("assistant_plateforme", academie_id=ecoles.academie_a)


@pytest.mark.parametrize("who", ["local", "academie"])
class TestFinds:
    @pytest.fixture(autouse=True)
    def _signed(self, request, who, gens):
        self.client = request.getfixturevalue(who)

    @pytest.mark.parametrize("typed", ["noe", "NOËL", "noel z", "12345678A"])
    def test_people_of_the_perimeter_alone(self, typed, who):
        found = ask(self.client, typed)["Personnes"]
        assert found == ["NOËL Zoé-A Élève, 6A, Collège A"]

    @pytest.mark.parametrize("typed", ["12345678B", "noel zoe b", "college b", "0180001B"])
    def test_nothing_of_another_perimeter(self, typed, who):
        assert not {"Personnes", "Établissements", "Classes"} & set(ask(self.client, typed))

    @pytest.mark.parametrize("typed", ["colleg", "mer", "0190001A", "ete coll"])
    def test_schools_by_any_part(self, typed, who):
        (school,) = ask(self.client, typed)["Établissements"]
        assert school.startswith("Collège A")

    def test_pages_and_actions_by_their_words(self, who):
        found = ask(self.client, "alim")
        assert found["Pages"] == ["Alimentation Alimentation"]
        assert found["Actions"] == ["Déposer des fichiers à alimenter"]

    def test_every_option_can_be_opened(self, who):
        answer = self.client.get("/palette?q=&ecole=0190001A", headers=FRAGMENT)
        addresses = [one["href"] for one in soup(answer).select("[role=option]")]
        addresses += [
            one["href"]
            for typed in ("noel", "6a", "colleg")
            for one in soup(self.client.get(f"/palette?q={typed}&ecole=0190001A", headers=FRAGMENT)).select(
                "[role=option]"
            )
        ]
        assert len(addresses) > 10
        for address in dict.fromkeys(addresses):
            assert self.client.get(address, follow_redirects=True).status_code == 200, address


class TestSchoolOfThePage:
    def test_its_pages_and_classes_come_with_it(self, academie, gens):
        found = ask(academie, "6", "0190001A")
        assert found["Classes"] == ["6A"]
        assert "Fiche de l’établissement" in ask(academie, "", "0190001A")["Dans Collège A"]

    def test_one_out_of_the_perimeter_adds_nothing(self, academie, gens):
        assert ask(academie, "6", "0180001B") == {}
        assert "Collège B" not in str(ask(academie, "", "0180001B"))

    def test_classes_of_the_only_school_one_has(self, local, gens, session, ecoles):
        session.add(Division(etablissement_id=ecoles.ecole_a, code="6Z", active=False))
        session.commit()
        assert ask(local, "6")["Classes"] == ["6A Collège A"]


class TestNothingTyped:
    def test_favourites_and_recents_come_first(self, academie, gens, session, ecoles):
        assert "Récents et favoris" not in ask(academie, "")
        holder = session.query(Compte).filter_by(username="assistant_plateforme1").one().id
        session.add_all(
            Favori(compte_id=holder, etablissement_id=one) for one in (ecoles.ecole_a, ecoles.ecole_b)
        )
        session.commit()
        found = ask(academie, "")
        assert next(iter(found)) == "Récents et favoris"
        assert len(found["Récents et favoris"]) == 1


class TestRights:
    def test_who_has_no_module_finds_their_own_pages(self, sign_in, gens):
        client = sign_in("eleve")
        assert set(ask(client, "")) == {"Pages"}
        assert ask(client, "noel") == {}

    def test_a_collectivite_finds_its_schools_and_nobody(self, sign_in, gens, session, ecoles):
        from app.models import Collectivite

        body = Collectivite(code="41", nom="Autre")
        session.add(body)
        session.flush()
        session.get(Etablissement, ecoles.ecole_a).collectivite_id = body.id
        session.commit()
        client = sign_in("collectivite", collectivite_id=body.id)
        assert set(ask(client, "noel")) == set()
        assert "Établissements" in ask(client, "college")

    def test_a_stranger_signs_in(self, client):
        assert client.get("/palette?q=a").status_code == 302


class TestPage:
    def test_the_same_without_script(self, academie, gens):
        page = soup(academie.get("/rechercher?q=noel"))
        assert page.select_one("main input[name=q]")["value"] == "noel"
        assert "NOËL Zoé-A" in page.main.get_text()
        assert page.select_one("a.pr-search")["href"] == "/rechercher"
        assert "Rien ne correspond" in academie.get("/rechercher?q=zzzz").get_data(as_text=True)

    @pytest.mark.parametrize(
        "typed", ["%", "_", "'", "é" * 500, "@", ".", "1", "a" * 4000, "<script>", "\x7f"]
    )
    def test_hostile_text_is_only_text(self, academie, gens, typed):
        for page in ("/palette", "/rechercher"):
            answer = academie.get(page, query_string={"q": typed, "ecole": typed}, headers=FRAGMENT)
            assert answer.status_code == 200
            assert "<script>" not in answer.get_data(as_text=True).replace("<script nonce", "")

    def test_a_service_of_the_school_with_its_state(self, academie, catalogue):
        found = ask(academie, "cha", ecole="0190001A")["Services"]
        assert found == ["Chat Inactif"]
        assert "Services" not in ask(academie, "cha")

    def test_statements(self, academie, gens, statements):
        academie.get("/palette?q=noel&ecole=0190001A", headers=FRAGMENT)
        statements.clear()
        academie.get("/palette?q=noel&ecole=0190001A", headers=FRAGMENT)
        # session and account, attributions, school of the page, schools, people twice, their places, classes
        assert len(statements) <= 10, "\n".join(statements)
