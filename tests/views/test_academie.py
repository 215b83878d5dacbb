"""Schools of the perimeter: figures, facets, sort, charts, saved views, columns, export (C7)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.extensions import now
from app.models import (
    Attribution,
    BilanEtablissement,
    BilanNiveau,
    Collectivite,
    Compte,
    Etablissement,
    Preference,
    VueEnregistree,
)
from tests.views.conftest import soup

PAGE = "/etablissements/"


def school(session, ecoles, number, **figures):
    """Add a school of académie A with its figures."""
    about = {name: figures.pop(name) for name in ("nom", "type", "etat", "virtuel") if name in figures}
    nom = about.pop("nom", f"Collège {number:03}")
    row = Etablissement(
        uai=f"019{number:04}Z", nom=nom, nom_recherche=nom.lower(),
        recherche=f"{nom.lower()} 019{number:04}z", academie_id=ecoles.academie_a,
        commune="Blésois", **{"type": "COLLEGE", **about},
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.add(BilanEtablissement(etablissement_id=row.id, **figures))
    session.flush()
    return row


def figures(**more):
    return {"eleves": 10, "actives": 5, "administrateurs": 1, "alimente_le": now(), **more}


@pytest.fixture
def parc(session, ecoles):
    """One healthy school, one late, one without administrator, one never fed, in académie A."""
    school(session, ecoles, 1, nom="Sain", **figures())
    school(session, ecoles, 2, nom="Retard", **figures(alimente_le=now() - timedelta(days=20), actives=1))
    school(session, ecoles, 3, nom="Seul", type="LYCEE POLYVALENT", **figures(administrateurs=0, anomalies=3))
    school(session, ecoles, 4, nom="Jamais", **figures(alimente_le=None, eleves=0, actives=0))
    session.add(BilanEtablissement(etablissement_id=ecoles.ecole_b, **figures(eleves=777)))
    session.commit()
    return ecoles


@pytest.fixture
def academie(sign_in, parc):
    return sign_in("assistant_plateforme", academie_id=parc.academie_a)


def rows(answer):
    """Return the list a person sees, by column title; charts have their tables too."""
    titles = [cell.get_text(" ", strip=True) for cell in soup(answer).select("#liste thead th")]
    return [
        dict(zip(titles, [cell.get_text(" ", strip=True) for cell in line.select("th, td")], strict=True))
        for line in soup(answer).select("#liste tbody tr")
    ]


def names(answer):
    return [row["Établissement"] for row in rows(answer)]


def tabs(answer):
    return {
        tab.find(string=True).strip(): int(tab.select_one(".pr-pill").get_text())
        for tab in soup(answer).select(".pr-tabs a")
    }


def hidden(answer, form):
    form = soup(answer).select_one(form)
    return {field["name"]: field.get("value", "") for field in form.select("input[type=hidden]")}


class TestList:
    def test_shows_each_school_with_its_figures(self, academie):
        answer = academie.get(PAGE)
        shown = {row["Établissement"]: row for row in rows(answer)}
        assert shown["Sain"]["Santé"] == "Sain"
        assert shown["Sain"]["Comptes activés"] == "50\xa0%"
        assert shown["Retard"]["Santé"] == "À surveiller"
        assert shown["Retard"]["Dernière alimentation"] == "il y a 20\xa0jours, en retard"
        assert shown["Seul"]["Administrateurs"] == "aucun"
        assert shown["Seul"]["Anomalies"] == "3"
        assert shown["Jamais"]["Santé"] == "Alerte"
        assert shown["Jamais"]["Dernière alimentation"] == "Jamais"
        assert "Indicateurs calculés le" in answer.get_data(as_text=True)

    def test_a_line_leads_to_its_school(self, academie):
        address = soup(academie.get(PAGE)).select_one("tbody th a[href*='0190001Z']")["href"]
        assert address == "/etablissements/0190001Z/"
        assert academie.get(address).status_code == 200

    def test_nothing_of_another_academie_anywhere(self, academie):
        text = academie.get(PAGE).get_data(as_text=True)
        for foreign in ("Collège B", "777", "Académie B"):
            assert foreign not in text

    def test_tabs_count_what_they_open(self, academie):
        found = tabs(academie.get(PAGE))
        assert found == {"Tous": 5, "À surveiller": 3, "Alimentation en retard": 2, "Sans administrateur": 1}
        for tab in soup(academie.get(PAGE)).select(".pr-tabs a"):
            assert len(rows(academie.get(tab["href"]))) == int(tab.select_one(".pr-pill").get_text())

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("q=reta", ["Retard"]),
            ("q=0190003", ["Seul"]),
            ("type=LYCEE POLYVALENT", ["Seul"]),
            ("sante=alerte", ["Jamais"]),
            ("alimente=mois", ["Retard"]),
            ("alimente=retard", ["Jamais", "Retard"]),
            ("administrateur=sans", ["Seul"]),
            ("anomalies=oui", ["Seul"]),
            ("sante=sain&tri=-nom", ["Sain"]),
            ("q=introuvable", []),
        ],
    )
    def test_facets_narrow_and_say_so(self, academie, query, expected):
        answer = academie.get(f"{PAGE}?{query}")
        assert names(answer) == expected
        assert soup(answer).select(".pr-chip")

    def test_each_column_sorts_both_ways(self, academie):
        every = "colonnes=type,commune,academie,collectivite,secteur,etat,personnes,enseignants"
        headers = soup(academie.get(f"{PAGE}?{every},nom,uai,sante,alimente,activation")).select(
            "th a.pr-sort"
        )
        assert len(headers) == 13
        for header in headers:
            once = academie.get(header["href"])
            again = academie.get(soup(once).select_one("th[aria-sort] a")["href"])
            assert sorted(names(once)) == sorted(names(again))
        assert names(academie.get(f"{PAGE}?tri=alimente"))[0] in {"Jamais", "Collège A"}
        assert names(academie.get(f"{PAGE}?tri=-activation"))[:2] == ["Sain", "Seul"]

    def test_closed_and_virtual_schools_are_neither_late_nor_without(self, academie, session, ecoles):
        never = figures(alimente_le=None, administrateurs=0)
        school(session, ecoles, 8, nom="Fermé", etat="ferme", **never)
        school(session, ecoles, 9, nom="Virtuel", virtuel=True, **figures(alimente_le=None))
        session.commit()
        found = tabs(academie.get(PAGE))
        assert (found["Alimentation en retard"], found["Sans administrateur"]) == (2, 1)

    @pytest.mark.parametrize(
        "query",
        [
            "page=-1", "page=99999999999999999999", "page=x", "taille=0", "taille=100000", "tri=motdepasse",
            "tri=--nom", "collectivite=1 OR 1=1", "collectivite=99999999999", "academie=x", "sante=%01",
            "alimente=jamais'", "q=%25%25%25", "q=" + "é" * 3000, "colonnes=" + "nom," * 2000, "colonnes=mdp",
            "niveau=%01", "etat=ouvert'--", "type=" + "x" * 5000,
        ],
    )  # fmt: skip
    def test_hostile_arguments_are_a_page_like_another(self, academie, query):
        assert academie.get(f"{PAGE}?{query}").status_code == 200
        assert academie.get(f"{PAGE}export?{query}").status_code == 200

    def test_pages_hold_every_school_once(self, academie, session, ecoles):
        for number in range(20, 60):
            school(session, ecoles, number, **figures())
        session.commit()
        first = academie.get(f"{PAGE}?tri=eleves")
        second = academie.get(soup(first).select_one("a[rel=next]")["href"])
        assert len(names(first)) == 25
        assert len(set(names(first)) | set(names(second))) == 45
        assert "20 affichés sur 45" in second.get_data(as_text=True)
        back = academie.get(soup(second).select_one("a[rel=prev]")["href"])
        assert names(back) == names(first)

    @pytest.mark.parametrize("column", ["nom", "-nom", "sante", "-alimente", "activation", "-activation",
                                        "-anomalies", "academie", "-commune", "personnes"])  # fmt: skip
    def test_every_order_goes_on_from_page_to_page(self, academie, session, ecoles, column):
        for number in range(20, 70):
            known = {} if number % 3 else figures(anomalies=number % 2, eleves=number)
            school(session, ecoles, number, **known)
        session.commit()
        whole = names(academie.get(f"{PAGE}?tri={column}&taille=100"))
        seen, address = [], f"{PAGE}?tri={column}"
        while address:
            answer = academie.get(address)
            seen += names(answer)
            following = soup(answer).select_one("a[rel=next]")
            address = following["href"] if following else ""
        assert seen == whole
        assert len(set(seen)) == 55


class TestRights:
    def test_a_collectivite_sees_its_schools_without_anybody_in_them(self, sign_in, session, parc):
        body = Collectivite(code="37", nom="Val-d’Indrois")
        session.add(body)
        session.flush()
        session.query(Etablissement).filter_by(nom="Seul").update({"collectivite_id": body.id})
        session.commit()
        client = sign_in("collectivite", collectivite_id=body.id)
        asked = "tri=-eleves&sante=alerte&alimente=retard&niveau=6EME&colonnes=nom,eleves,activation"
        for query in ("", asked):
            answer = client.get(f"{PAGE}?{query}")
            assert names(answer) == ["Seul"]
            assert not {"Élèves", "Santé", "Dernière alimentation", "Comptes activés"} & set(rows(answer)[0])
            assert not soup(answer).select(".pr-chart")
        assert "Élèves" not in client.get(f"{PAGE}export?{asked}").get_data(as_text=True)

    def test_figures_stay_within_the_role_that_opens_them(self, sign_in, session, parc):
        body = Collectivite(code="41", nom="Autre")
        session.add(body)
        session.flush()
        session.query(Etablissement).filter_by(nom="Sain").update({"collectivite_id": body.id})
        mine = session.query(Etablissement).filter_by(nom="Retard").one().id
        client = sign_in("correspondant", etablissement_id=mine)
        holder = session.query(Compte).filter_by(username="correspondant1").one()
        session.add(Attribution(compte_id=holder.id, role="collectivite", collectivite_id=body.id))
        session.commit()
        shown = {row["Établissement"]: row["Élèves"] for row in rows(client.get(PAGE))}
        assert shown == {"Retard": "10", "Sain": "–"}
        assert "Sain;–" not in client.get(f"{PAGE}export?colonnes=nom,eleves").get_data(as_text=True)

    def test_who_has_no_school_is_refused(self, sign_in):
        assert sign_in("enseignant").get(PAGE).status_code == 403

    def test_one_school_stays_a_useful_page(self, sign_in, session, parc):
        one = session.query(Etablissement).filter_by(nom="Retard").one()
        answer = sign_in("correspondant", etablissement_id=one.id).get(PAGE)
        assert names(answer) == ["Retard"]
        assert soup(answer).h1.get_text() == "Mes établissements"
        assert "académie" not in soup(answer).main.get_text()


class TestCharts:
    @pytest.fixture(autouse=True)
    def _levels(self, session, parc):
        here = session.query(Etablissement).filter_by(nom="Sain").one().id
        for level, active in (("6EME", 8), ("2NDE", 1)):
            session.add(BilanNiveau(etablissement_id=here, niveau=level, eleves=10, actives=active))
        session.add(BilanNiveau(etablissement_id=parc.ecole_b, niveau="CAP", eleves=10, actives=0))
        session.commit()

    def test_each_answers_its_question_in_words_and_figures(self, academie):
        page = soup(academie.get(PAGE))
        said = {
            chart.h2.get_text(): chart.select_one(".pr-figure").get_text(" ")
            for chart in page.select(".pr-charts .card")
        }
        assert [text.split()[0] for text in said.values()] == ["Seconde", "2", "1"]
        told = page.select_one("svg.pr-chart")["aria-label"]
        assert "Seconde : 10\xa0%, 6e : 80\xa0%" in told
        assert "CAP" not in page.get_text()

    def test_each_value_leads_to_the_list_it_counts(self, academie):
        links = soup(academie.get(PAGE)).select(".pr-charts a")
        assert len(links) > 8
        for link in links:
            counted = link.find_parent("tr")
            answer = academie.get(link["href"])
            if counted is not None and "alimente=" in link["href"]:
                assert len(rows(answer)) == int(counted.select_one(".pr-num").get_text())
        assert names(academie.get(f"{PAGE}?niveau=2NDE")) == ["Sain"]


class TestExport:
    def test_holds_what_is_shown(self, academie):
        answer = academie.get(f"{PAGE}export?alimente=retard&tri=-nom&colonnes=nom,uai,eleves")
        lines = answer.get_data(as_text=True).lstrip("\ufeff").split("\r\n")
        assert lines == ["Établissement;UAI;Élèves", "Retard;0190002Z;10", "Jamais;0190004Z;0", ""]

    def test_holds_the_ticked_ones_within_the_perimeter(self, academie, session, parc):
        one = session.query(Etablissement).filter_by(nom="Seul").one().id
        answer = academie.get(f"{PAGE}export?rowid={one}&rowid={parc.ecole_b}&colonnes=nom")
        assert answer.get_data(as_text=True).lstrip("\ufeff").split("\r\n") == ["Établissement", "Seul", ""]


class TestSavedViews:
    def save(self, client, nom, query="alimente=retard&tri=-nom"):
        answer = client.get(f"{PAGE}?{query}")
        return client.post("/vues/", data={**hidden(answer, "#vue form"), "nom": nom})

    def test_a_view_becomes_a_tab_with_its_count(self, academie):
        answer = academie.get(self.save(academie, "Mes retards").headers["Location"])
        assert tabs(answer)["Mes retards"] == 2
        assert (
            soup(answer).select_one(".pr-tabs a[aria-current]").get_text(" ", strip=True) == "Mes retards 2"
        )
        assert names(answer) == ["Retard", "Jamais"]

    @pytest.mark.parametrize("nom", ["", "   ", "x" * 61, "déjà"])
    def test_a_name_is_needed_short_and_new(self, academie, session, nom):
        self.save(academie, "Déjà")
        answer = academie.get(self.save(academie, nom).headers["Location"])
        assert soup(answer).select_one(".pr-note[data-tone=bad]")
        assert session.query(VueEnregistree).count() == 1

    def test_renamed_then_forgotten(self, academie, session):
        answer = academie.get(self.save(academie, "Avant").headers["Location"])
        form = soup(answer).select_one("#vues form")
        data = hidden(answer, "#vues form")
        academie.post(form["action"], data={**data, "nom": "Après"})
        assert "Après" in tabs(academie.get(PAGE))
        academie.post(form["action"], data={**data, "supprimer": "1"})
        assert "Après" not in tabs(academie.get(PAGE))

    def test_nobody_touches_or_sees_those_of_another(self, admin, academie, session):
        owner = session.query(Compte).filter_by(username="assistant_plateforme1").one()
        vue = VueEnregistree(compte_id=owner.id, page="VueAcademie.liste", nom="À moi", arguments="")
        session.add(vue)
        session.commit()
        answer = admin.get(PAGE)
        assert "À moi" not in tabs(answer)
        data = hidden(answer, "#vue form")
        assert admin.post(f"/vues/{vue.id}", data={**data, "supprimer": "1"}).status_code == 404
        assert session.query(VueEnregistree).count() == 1

    @pytest.mark.parametrize(
        "address", ["https://ailleurs.fr/etablissements/", "//x/etablissements/", "/roles/", "", "\x00"]
    )
    def test_only_from_a_list_of_ours(self, academie, address):
        data = {**hidden(academie.get(PAGE), "#vue form"), "adresse": address, "nom": "X"}
        assert academie.post("/vues/", data=data).status_code == 400

    def test_a_stored_view_may_hold_anything(self, academie, session):
        self.save(academie, "Vieille")
        session.query(VueEnregistree).update({"arguments": "tri=disparu&sante=x&collectivite=abc&&==%ff"})
        session.commit()
        assert tabs(academie.get(PAGE))["Vieille"] == 5


class TestColumns:
    def test_chosen_columns_are_remembered(self, academie, session):
        data = hidden(academie.get(PAGE), "#colonnes form")
        academie.post("/vues/colonnes", data={**data, "colonne": ["type", "invites"]})
        assert list(rows(academie.get(PAGE))[0]) == ["", "Établissement", "Type", "Invités"]
        assert list(rows(academie.get(f"{PAGE}?colonnes=uai"))[0]) == ["", "Établissement", "UAI"]
        academie.post("/vues/colonnes", data={**data, "colonne": ["type"], "habituelles": "1"})
        assert "Santé" in rows(academie.get(PAGE))[0]
        assert session.query(Preference).count() == 0


class TestCost:
    def test_statements(self, academie, statements):
        academie.get(PAGE)
        statements.clear()
        academie.get(f"{PAGE}?alimente=retard&tri=-eleves")
        # session and account, attributions, saved views, summary, columns, rows, levels
        assert len(statements) <= 10, "\n".join(statements)

    def test_flat(self, academie, statements, session, ecoles):
        academie.get(PAGE)
        statements.clear()
        academie.get(PAGE)
        few = len(statements)
        for number in range(30, 55):
            school(session, ecoles, number, **figures())
        session.commit()
        statements.clear()
        academie.get(PAGE)
        assert len(statements) == few
