"""People: search by what one knows, the sheet and where it comes from, «Suppressions», «Mon espace»."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest

from app.extensions import now
from app.models import Attribution, Compte, Identifiant, Personne, Rattachement, Responsabilite
from app.queries.noms import personne_key
from tests.views.conftest import rows, soup

URL = "/referentiel/personnes"


@pytest.fixture
def famille(session, ecoles):
    """Pupil of school A, mother, a father who left, a namesake in school B."""
    made = SimpleNamespace()
    for name, nom, prenom, ecole, profil in (
        ("eleve", "LE GOFF", "Maël", "a", "eleve"),
        ("mere", "D’Œillet", "Claire", "a", "responsable"),
        ("parti", "LE GOFF", "Yann", "a", "responsable"),
        ("autre", "LE GOFF", "Zoé", "b", "eleve"),
    ):
        row = Personne(nom=nom, prenom=prenom, nom_recherche=personne_key(nom, prenom), source="siecle")
        row.date_naissance = date(2013, 6, 4) if profil == "eleve" else None
        session.add(row)
        session.flush()
        session.add(
            Rattachement(
                personne_id=row.id, etablissement_id=getattr(ecoles, f"ecole_{ecole}"), profil=profil,
                division_id=ecoles.classe_a if name == "eleve" else None, source="siecle",
            )
        )  # fmt: skip
        setattr(made, name, row.id)
    eleve, parti = session.get(Personne, made.eleve), session.get(Personne, made.parti)
    eleve.login, eleve.email, parti.supprime_le = "mael.legoff", "mael@exemple.fr", now()
    session.add(Identifiant(personne_id=eleve.id, type="ine", valeur="123456789AB", source="siecle"))
    session.add(Responsabilite(eleve_id=made.eleve, responsable_id=made.mere, code_parente="10", niveau=1))
    session.commit()
    return made


def names(answer):
    return [f"{line['Nom']} {line['Prénom']}" for line in rows(answer)]


class TestSearch:
    @pytest.mark.parametrize(
        "typed", ["le gof", "LE-GOFF", "Le Goff Ma", "123456789ab", "mael.leg", "mael@exemple.fr"]
    )
    def test_by_first_letters_ine_login_or_email(self, admin, famille, typed):
        assert "LE GOFF Maël" in names(admin.get(URL + "/list/", query_string={"q": typed}))

    def test_ligatures_and_particles_do_not_count(self, admin, famille):
        assert names(admin.get(URL + "/list/", query_string={"q": "d'oeil"})) == ["D’Œillet Claire"]

    @pytest.mark.parametrize("typed", ["%", "_", "*", "goff", "ael@exemple.fr", "\ud83d\ude00", "'; DROP"])
    def test_what_matches_nothing_finds_nobody(self, admin, famille, typed):
        assert (
            names(
                admin.get(
                    URL + "/list/",
                    query_string={"q": typed.encode("utf-16", "surrogatepass").decode("utf-16")},
                )
            )
            == []
        )

    def test_stops_at_the_perimeter(self, sign_in, ecoles, famille):
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        assert names(client.get(f"{URL}/list/?q=le+goff")) == ["LE GOFF Maël", "LE GOFF Yann"]
        assert client.get(f"{URL}/show/{famille.autre}").status_code == 404


class TestSheet:
    def test_says_where_it_comes_from_and_who_is_related(self, admin, famille):
        page = soup(admin.get(f"{URL}/show/{famille.eleve}"))
        text = page.select_one("main").get_text(" ", strip=True)
        assert "Fournie par l’annuaire (SIECLE" in text
        assert "Mère, représentant légal" in text
        assert page.select_one(f"a[href='{URL}/show/{famille.mere}']")
        assert rows(admin.get(f"{URL}/show/{famille.eleve}"))[0]["Classe"] == "6A"
        assert "Enfants" in admin.get(f"{URL}/show/{famille.mere}").get_data(as_text=True)

    def test_nothing_can_be_written(self, admin, famille):
        for page in (f"{URL}/edit/{famille.eleve}", f"{URL}/delete/{famille.eleve}", f"{URL}/add"):
            assert admin.get(page).status_code == 404

    def test_costs_little(self, admin, famille, statements):
        admin.get(f"{URL}/show/{famille.eleve}")
        statements.clear()
        admin.get(f"{URL}/show/{famille.eleve}")
        assert len(statements) <= 12, "\n".join(statements)


class TestSuppressions:
    def test_lists_who_left_and_only_them(self, admin, famille):
        assert names(admin.get("/referentiel/suppressions/list/")) == ["LE GOFF Yann"]
        assert admin.get(f"/referentiel/suppressions/show/{famille.parti}").status_code == 200
        assert admin.get(f"/referentiel/suppressions/show/{famille.eleve}").status_code == 404


class TestMonEspace:
    def test_shows_oneself_and_nobody_else(self, sign_in, session, famille):
        client = sign_in("eleve")
        account = session.query(Compte).filter_by(username="eleve0").one()
        account.personne_id = famille.eleve
        session.commit()
        page = soup(client.get("/mon-espace/"))
        shown = {field["id"]: field["value"] for field in page.select("main input[readonly]")}
        assert (shown["nom"], shown["prenom"], shown["naissance"]) == ("LE GOFF", "Maël", "04/06/2013")
        assert "Fourni par l’annuaire (SIECLE" in page.select_one("#origine").text
        assert "Collège A" in page.select_one("main").text
        assert "Claire" not in page.select_one("main .pr-cols").text
        assert page.select_one("a[href='/mon-espace/mot-de-passe']")

    def test_an_account_made_by_hand_says_so(self, sign_in, ecoles):
        assert "créé à la main" in sign_in("invite").get("/mon-espace/").get_data(as_text=True)

    def test_who_administers_a_school_and_teaches_in_another_keeps_them_apart(
        self, sign_in, session, ecoles, famille
    ):
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        account = session.query(Compte).filter_by(username="correspondant1").one()
        me = Personne(nom="MONTAGNÉ", prenom="Claire", nom_recherche="montagne claire")
        session.add(me)
        session.flush()
        account.personne_id = me.id
        session.add(Rattachement(personne_id=me.id, etablissement_id=ecoles.ecole_b, profil="enseignant"))
        session.add(Attribution(compte_id=account.id, role="enseignant"))
        session.commit()
        page = soup(client.get("/mon-espace/"))
        held, schools = (
            page.select_one("[aria-labelledby=roles]"),
            page.select_one("[aria-labelledby=ecoles]"),
        )
        assert [one.get_text(" ", strip=True) for one in held.select("li")] == [
            "Administrateur local / Correspondant ENT Collège A"
        ]
        assert client.get(held.select_one("a")["href"]).status_code == 200
        assert "Collège B" in schools.text
        for closed in (
            "/etablissements/0180001B/",
            f"/personnes/{me.id}",
            f"/referentiel/personnes/show/{me.id}",
        ):
            assert client.get(closed).status_code == 404
        assert "Collège B" not in client.get("/etablissements/").text
