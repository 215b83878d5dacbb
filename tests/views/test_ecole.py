"""The frame of a school's pages: the school of the address, its tree, its visits."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.extensions import now
from app.models import Alimentation, AlimentationEtablissement, Personne, Rattachement, Visite
from tests.views.conftest import rows, soup

A, B = "/etablissements/0190001A/", "/etablissements/0180001B/"


def tree(answer):
    """Return label → count of the tree, None for a line without one."""
    lines = {}
    for line in soup(answer).select(".pr-side :is(a, summary)"):
        count = line.select_one(".pr-count")
        value = count.extract().get_text(strip=True) if count else None
        lines[line.get_text(" ", strip=True)] = value
    return lines


@pytest.fixture
def correspondant(sign_in, ecoles):
    return sign_in("correspondant", etablissement_id=ecoles.ecole_a)


class TestSchoolOfTheAddress:
    def test_its_page_names_it_in_the_breadcrumb(self, correspondant):
        answer = correspondant.get(A)
        assert answer.status_code == 200
        crumbs = soup(answer).select_one(".pr-crumbs").get_text(" ", strip=True)
        assert "Collège A" in crumbs

    @pytest.mark.parametrize("uai", ["0180001B", "0999999Z", "x", "%27--", "0190001A%00", "🙂", "0" * 300])
    def test_another_school_does_not_exist(self, correspondant, uai):
        assert correspondant.get(f"/etablissements/{uai}/").status_code in {400, 404}

    def test_a_visit_is_noted_once_in_ten_minutes(self, correspondant, session, ecoles):
        correspondant.get(A)
        session.rollback()
        first = session.scalars(select(Visite)).one()
        assert first.etablissement_id == ecoles.ecole_a
        first.le = now() - timedelta(minutes=5)
        session.commit()
        correspondant.get(A)
        session.rollback()
        assert now() - session.scalars(select(Visite)).one().le > timedelta(minutes=4)
        first.le = now() - timedelta(minutes=11)
        session.commit()
        correspondant.get(A)
        session.rollback()
        assert now() - session.scalars(select(Visite)).one().le < timedelta(minutes=1)

    def test_a_refused_school_leaves_no_visit(self, correspondant, session):
        correspondant.get(B)
        assert session.scalars(select(Visite)).all() == []


class TestTree:
    @pytest.fixture
    def gens(self, session, ecoles):
        for place, profil in (("a", "eleve"), ("a", "eleve"), ("b", "eleve"), ("a", "enseignant")):
            row = Personne(nom="Noël", prenom="Zoé", nom_recherche="noel zoe")
            where = {"etablissement_id": getattr(ecoles, f"ecole_{place}"), "profil": profil}
            session.add(Rattachement(personne=row, **where))
        gone = Personne(nom="Parti", prenom="Ailleurs", nom_recherche="parti ailleurs")
        here = {"etablissement_id": ecoles.ecole_a, "profil": "eleve", "fin": now(), "motif_fin": "depart"}
        session.add(Rattachement(personne=gone, **here))
        session.commit()

    def test_it_marks_the_page(self, correspondant):
        current = soup(correspondant.get(A)).select(".pr-side [aria-current=page]")
        assert [line.get_text(strip=True) for line in current] == ["Fiche de l’établissement"]

    def test_no_line_leads_nowhere(self, correspondant):
        links = [line["href"] for line in soup(correspondant.get(A)).select(".pr-side a")]
        assert links
        assert {link: correspondant.get(link).status_code for link in links} == dict.fromkeys(links, 200)

    def test_who_reads_schools_only_sees_no_people(self, sign_in, ecoles, session, gens):
        from app.models import Collectivite, Etablissement

        row = Collectivite(code="037", nom="Département")
        session.add(row)
        session.flush()
        session.get(Etablissement, ecoles.ecole_a).collectivite_id = row.id
        session.commit()
        seen = tree(sign_in("collectivite", collectivite_id=row.id).get(A))
        assert list(seen) == ["Fiche de l’établissement"]


class TestErrors:
    def test_inside_a_school_the_frame_and_the_way_back_stay(self, correspondant):
        answer = correspondant.get(f"{A}utilisateurs/eleves/987654")
        assert answer.status_code == 404
        page = soup(answer)
        assert page.select_one(".pr-side [aria-current], .pr-side summary") is not None
        assert A in [link["href"] for link in page.select("main a")]

    def test_a_refusal_has_a_reference_to_quote_and_says_nothing_of_the_school(self, correspondant):
        for address in (B, "/nulle-part"):
            page = soup(correspondant.get(address))
            assert page.select_one("main .pr-mono").get_text(strip=True)
            assert "Collège B" not in page.get_text()


class TestModules:
    def test_the_pages_of_a_school_belong_to_administration(self, correspondant):
        marked = soup(correspondant.get(A)).select(".pr-modules [aria-current]")
        assert [one.get_text(strip=True) for one in marked] == ["Administration"]


class TestFeeds:
    def test_what_each_feed_did_here(self, correspondant, session, ecoles):
        for letter, uai in (("a", "0190001A"), ("b", "0180001B")):
            school = getattr(ecoles, f"ecole_{letter}")
            feed = Alimentation(source="siecle", cle_portee=f"siecle:{uai}", etat="apercu")
            feed.etablissement_id = school
            session.add(feed)
            session.flush()
            counts = {"eleve": {"crees": 12 if letter == "a" else 99}}
            line = AlimentationEtablissement(alimentation_id=feed.id, uai=uai, comptes=counts)
            line.etablissement_id = school
            session.add(line)
        session.commit()
        answer = correspondant.get(f"{A}alimentation/")
        assert [row["Dans l’établissement"] for row in rows(answer)] == ["12 créés"]
        link = soup(answer).select_one("main tbody a")["href"]
        assert correspondant.get(link).status_code == 200
        assert correspondant.get(f"{B}alimentation/").status_code == 404

    def test_old_ones_are_on_the_pages_that_follow(self, correspondant, session, ecoles):
        for rank in range(60):
            feed = Alimentation(source="siecle", cle_portee=f"siecle:{rank}", etat="apercu")
            session.add(feed)
            session.flush()
            session.add(
                AlimentationEtablissement(
                    alimentation_id=feed.id, uai="0190001A", etablissement_id=ecoles.ecole_a
                )
            )
        session.commit()
        seen, address = [], f"{A}alimentation/"
        while address:
            answer = correspondant.get(address)
            seen += [row["Alimentation"] for row in rows(answer)]
            following = soup(answer).select_one("a[rel=next]")
            address = following["href"] if following else ""
        assert len(seen) == len(set(seen)) == 60
        assert "10 affichées sur 60" in answer.text
