"""People of a school: lists by profile, filters, order, pages, suggestions, sheets, files (U1–U4, U8)."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from app.extensions import now
from app.models import (
    Compte,
    Discipline,
    Fonction,
    FonctionExercee,
    Identifiant,
    Mef,
    Personne,
    ProfesseurPrincipal,
    Rattachement,
    Responsabilite,
    ServiceEnseigne,
    VarianteNom,
)
from app.operations import journal
from app.queries.noms import name_variants, personne_key
from tests.views.conftest import rows, soup

A, B = "/etablissements/0190001A", "/etablissements/0180001B"


def somebody(session, nom, prenom, ecole, profil, *, usage=None, ne=None, fin=None, **place):
    """Write a person found as feeds make them be, and their place in a school."""
    row = Personne(
        nom=nom, nom_usage=usage, prenom=prenom, nom_recherche=personne_key(usage or nom, prenom),
        date_naissance=ne, source="aaf",
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.add_all(VarianteNom(personne_id=row.id, cle=key) for key in name_variants(nom, usage, prenom))
    where = {"etablissement_id": ecole, "profil": profil, "fin": fin, "source": "aaf", **place}
    if fin:
        where["motif_fin"], row.supprime_le = "depart", fin
    session.add(Rattachement(personne_id=row.id, **where))
    session.flush()
    return row


@pytest.fixture
def gens(session, ecoles):
    """A small school A, a namesake in school B."""
    made = SimpleNamespace()
    mef = Mef(code="10310019110", libelle="4EME GENERALE", niveau="4EME")
    session.add(mef)
    session.flush()
    here = {"division_id": ecoles.classe_a, "mef_id": mef.id}
    made.tour = somebody(session, "DE LA TOUR", "Marie", ecoles.ecole_a, "eleve", ne=date(2013, 6, 4), **here)
    made.jean = somebody(session, "DUPONT", "Jean-Éric", ecoles.ecole_a, "eleve", ne=date(2012, 1, 2))
    made.roche = somebody(session, "MARTIN", "Zoé", ecoles.ecole_a, "eleve", usage="MARTIN-ROCHE", **here)
    made.parti = somebody(session, "PARTI", "Yann", ecoles.ecole_a, "eleve", fin=now())
    made.prof = somebody(session, "LE GOFF", "Anne", ecoles.ecole_a, "enseignant", ne=date(1981, 2, 14))
    made.mere = somebody(session, "DE LA TOUR", "Claire", ecoles.ecole_a, "responsable")
    made.pere = somebody(session, "AUBRY", "Luc", ecoles.ecole_b, "responsable")
    made.autre = somebody(session, "DUPONT", "Zoé", ecoles.ecole_b, "eleve")
    made.tour.login, made.tour.email = "marie.delatour", "marie@exemple.fr"
    session.add(Identifiant(personne_id=made.tour.id, type="ine", valeur="123456789AB", source="aaf"))
    for adult in (made.mere, made.pere):
        session.add(
            Responsabilite(eleve_id=made.tour.id, responsable_id=adult.id, code_parente="10", niveau=1)
        )
    discipline, fonction = (
        Discipline(code="L1600", libelle="SVT"),
        Fonction(code="ENS", libelle="Enseignement"),
    )
    session.add_all([discipline, fonction])
    session.flush()
    place = session.query(Rattachement).filter_by(personne_id=made.prof.id).one()
    session.add(
        FonctionExercee(rattachement_id=place.id, fonction_id=fonction.id, discipline_id=discipline.id)
    )
    session.add(
        ServiceEnseigne(
            personne_id=made.prof.id, etablissement_id=ecoles.ecole_a, division_id=ecoles.classe_a
        )
    )
    session.add(ProfesseurPrincipal(personne_id=made.prof.id, division_id=ecoles.classe_a))
    session.add(
        Compte(
            username="anne.legoff", first_name="Anne", last_name="LE GOFF", email="a@exemple.fr", active=True,
            password="", personne_id=made.prof.id,
        )
    )  # fmt: skip
    made.prof.suspendu_le, made.prof.motif_suspension = now(), "Absence"
    made.mere.suspendu_le = now()  # who never activated an account
    session.commit()
    for name, row in vars(made).items():
        setattr(made, name, row.id)
    made.discipline, made.mef = discipline.id, mef.id
    return made


@pytest.fixture
def correspondant(sign_in, ecoles):
    return sign_in("correspondant", etablissement_id=ecoles.ecole_a)


def names(answer):
    return [line["Nom"] for line in rows(answer)]


def text(answer):
    return soup(answer).select_one("main").get_text(" ", strip=True)


class TestList:
    def test_pupils_with_their_class_and_account(self, correspondant, gens):
        answer = correspondant.get(f"{A}/utilisateurs/eleves/")
        assert names(answer) == ["DE LA TOUR Marie", "DUPONT Jean-Éric", "MARTIN-ROCHE Zoé"]
        first = rows(answer)[0]
        assert (first["Naissance"], first["Classe"], first["Niveau"]) == ("04/06/2013", "6A", "4e")
        assert first["Compte"] == "Jamais activé"
        assert "3 élèves" in text(answer)

    def test_teachers_with_discipline_and_classes(self, correspondant, gens):
        (line,) = rows(correspondant.get(f"{A}/utilisateurs/enseignants/"))
        assert line["Fonction ou discipline"] == "SVT"
        assert (line["Classes"], line["Compte"]) == ("6A", "Suspendu")

    def test_parents_with_their_children(self, correspondant, gens):
        answer = correspondant.get(f"{A}/utilisateurs/parents/")
        assert rows(answer)[0]["Enfants"] == "DE LA TOUR Marie 6A"
        assert soup(answer).select_one(f"a[href='{A}/utilisateurs/eleves/{gens.tour}']")

    def test_departures_say_when_why_and_what_next(self, correspondant, gens):
        (line,) = rows(correspondant.get(f"{A}/utilisateurs/suppressions/"))
        assert (line["Nom"], line["Pourquoi"]) == ("PARTI Yann", "Départ lu dans l’alimentation")
        assert line["Et ensuite"].startswith("Sera anonymisé le ")

    def test_an_empty_list_says_the_next_step(self, correspondant, gens):
        answer = correspondant.get(f"{A}/utilisateurs/personnels/")
        assert "Aucun personnel" in text(answer)
        assert soup(answer).select_one(".pr-empty a[href^='/alimentations']")

    def test_the_address_of_the_school_leads_to_its_first_list(self, correspondant, ecoles):
        assert correspondant.get(f"{A}/utilisateurs/").location == f"{A}/utilisateurs/eleves/"

    @pytest.mark.parametrize("role", ["enseignant", "eleve", "collectivite"])
    def test_needs_the_right(self, sign_in, ecoles, gens, role):
        place = {"collectivite_id": None} if role == "collectivite" else {}
        assert sign_in(role, **place).get(f"{A}/utilisateurs/eleves/").status_code == 403

    @pytest.mark.parametrize("page", ["", "eleves/", "eleves/export", "suggestions?q=du", "inconnue/"])
    def test_another_school_does_not_exist(self, correspondant, gens, page):
        assert correspondant.get(f"{B}/utilisateurs/{page}").status_code == 404


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("classe={classe}", ["DE LA TOUR Marie", "MARTIN-ROCHE Zoé"]),
            ("niveau=4EME", ["DE LA TOUR Marie", "MARTIN-ROCHE Zoé"]),
            ("niveau=-", ["DUPONT Jean-Éric"]),
            ("email=sans", ["DUPONT Jean-Éric", "MARTIN-ROCHE Zoé"]),
            ("etat=actif", []),
            ("depuis=2020-01-01&q=du", ["DUPONT Jean-Éric"]),
            ("depuis=2090-01-01", []),
            ("tri=naissance", ["DUPONT Jean-Éric", "DE LA TOUR Marie", "MARTIN-ROCHE Zoé"]),
            ("tri=nom&ordre=desc", ["MARTIN-ROCHE Zoé", "DUPONT Jean-Éric", "DE LA TOUR Marie"]),
        ],
    )
    def test_narrow_and_order_the_list(self, correspondant, ecoles, gens, query, found):
        answer = correspondant.get(f"{A}/utilisateurs/eleves/?{query.format(classe=ecoles.classe_a)}")
        assert names(answer) == found

    def test_each_choice_says_how_many_it_keeps(self, correspondant, gens):
        page = soup(correspondant.get(f"{A}/utilisateurs/eleves/"))
        choices = [choice.text for choice in page.select("form[data-facettes] option")]
        assert {"6A (2)", "4e (2)", "Jamais activé (3)", "Sans e-mail (2)"} <= set(choices)
        staff = soup(correspondant.get(f"{A}/utilisateurs/enseignants/"))
        assert "SVT (1)" in [choice.text for choice in staff.select("form[data-facettes] option")]

    def test_parents_by_the_class_of_their_child(self, correspondant, ecoles, gens):
        url = f"{A}/utilisateurs/parents/"
        assert "6A (1)" in text(correspondant.get(url))
        assert len(names(correspondant.get(f"{url}?classe={ecoles.classe_a}"))) == 1
        assert names(correspondant.get(f"{url}?classe={ecoles.classe_b}")) == []

    def test_by_discipline_and_suspended(self, correspondant, gens):
        url = f"{A}/utilisateurs/enseignants/?discipline={gens.discipline}&etat=suspendu"
        assert names(correspondant.get(url)) == ["LE GOFF Anne"]

    def test_a_filter_in_force_can_be_taken_away(self, correspondant, gens):
        page = soup(correspondant.get(f"{A}/utilisateurs/eleves/?niveau=4EME&q=zo"))
        chips = {chip.get_text(" ", strip=True): chip["href"] for chip in page.select(".pr-chip")}
        assert chips["Retirer le filtre Niveau : 4e"] == f"{A}/utilisateurs/eleves/?q=zo"

    @pytest.mark.parametrize(
        "query",
        [
            "classe=x&niveau=%00&etat=%27&email=oui&depuis=2026-13-45&tri=id&ordre=no&taille=9999999",
            "apres=~~~&avant=%FF",
            "apres=a~b",
            "apres=zz~99999999999999",
            "avant=x~-1",
            "classe=99999999999",
            "tri=naissance&apres=pas-une-date~x~1",
            "tri=depart&apres=2026-01-01T00:00~x~1",
            "q=%25_%00%F0%9F",
            "tri=classe&apres=" + "9" * 3000,
            "profil=x&discipline=-1",
        ],
    )
    @pytest.mark.parametrize("liste", ["eleves", "suppressions", "enseignants"])
    def test_hostile_arguments_are_never_a_fault(self, correspondant, gens, liste, query):
        assert correspondant.get(f"{A}/utilisateurs/{liste}/?{query}").status_code in {200, 400}


class TestPages:
    @pytest.fixture
    def crowd(self, session, ecoles):
        for rank in range(60):
            somebody(
                session,
                f"NOM{rank // 3:02d}",
                "Paul",
                ecoles.ecole_a,
                "eleve",
                ne=date(2012, 1, 1 + rank % 5),
            )
        session.commit()

    def walk(self, client, url, rel):
        """Follow pages in one direction; return the people of each."""
        pages, seen = [], 0
        while url and seen < 10:
            answer = client.get(url)
            links = [a["href"] for a in soup(answer).select("form[data-selection] tbody th a")]
            pages.append(links)
            link = soup(answer).select_one(f"a[rel={rel}]")
            url, seen = link["href"] if link else "", seen + 1
        return pages, answer

    @pytest.mark.parametrize("order", ["", "?tri=nom&ordre=desc", "?tri=naissance", "?tri=classe&ordre=desc"])
    def test_forwards_then_backwards_show_everybody_once(self, correspondant, crowd, order):
        pages, last = self.walk(correspondant, f"{A}/utilisateurs/eleves/{order}", "next")
        assert [len(page) for page in pages] == [25, 25, 10]
        assert len({link.partition("?")[0] for page in pages for link in page}) == 60
        back = soup(last).select_one("a[rel=prev]")["href"]
        returned, _first = self.walk(correspondant, back, "prev")
        assert returned == pages[1::-1]

    def test_somebody_who_arrives_meanwhile_moves_nothing(self, correspondant, session, ecoles, crowd):
        first = soup(correspondant.get(f"{A}/utilisateurs/eleves/"))
        following = first.select_one("a[rel=next]")["href"]
        before = names(correspondant.get(following))
        session.rollback()
        somebody(session, "AAA", "Nouveau", ecoles.ecole_a, "eleve")
        session.commit()
        assert names(correspondant.get(following)) == before

    def test_a_page_that_emptied_is_the_beginning(self, correspondant, crowd):
        assert names(correspondant.get(f"{A}/utilisateurs/eleves/?apres=zzz~1"))[0] == "NOM00 Paul"


class TestSearch:
    @pytest.mark.parametrize(
        ("typed", "found"),
        [
            ("tour", "DE LA TOUR Marie"),
            ("la tour", "DE LA TOUR Marie"),
            ("delatour", "DE LA TOUR Marie"),
            ("marie de la", "DE LA TOUR Marie"),
            ("marie tour", "DE LA TOUR Marie"),
            ("MÂRIE", "DE LA TOUR Marie"),
            ("jeaneric", "DUPONT Jean-Éric"),
            ("jean eric", "DUPONT Jean-Éric"),
            ("jean dupont", "DUPONT Jean-Éric"),
            ("dupont jeaneric", "DUPONT Jean-Éric"),
            ("roche", "MARTIN-ROCHE Zoé"),
            ("martin zo", "MARTIN-ROCHE Zoé"),
            ("martinroche", "MARTIN-ROCHE Zoé"),
            ("123456789ab", "DE LA TOUR Marie"),
            ("marie.delat", "DE LA TOUR Marie"),
            ("marie@ex", "DE LA TOUR Marie"),
        ],
    )
    def test_what_one_may_type(self, correspondant, gens, typed, found):
        answer = correspondant.get(
            f"{A}/utilisateurs/suggestions", query_string={"q": typed, "liste": "eleves"}
        )
        links = [link.find(string=False, recursive=False) or link for link in soup(answer).select("a")]
        assert [link.text for link in links]
        assert found in soup(answer).select_one("a").text
        assert names(correspondant.get(f"{A}/utilisateurs/eleves/", query_string={"q": typed})) == [found]

    def test_each_word_typed_in_turn_finds_its_own_people(self, correspondant, gens):
        """What is typed in one form is answered by one statement, never with the letters of before."""
        for typed, found in (("roche", "MARTIN-ROCHE Zoé"), ("marie", "DE LA TOUR Marie")) * 2:
            answer = correspondant.get(f"{A}/utilisateurs/suggestions?q={typed}&liste=eleves")
            assert [found in link.text for link in soup(answer).select("a")] == [True], typed

    def test_birth_date_class_and_letters_found(self, correspondant, gens):
        answer = correspondant.get(f"{A}/utilisateurs/suggestions?q=la+tour&liste=eleves")
        link = soup(answer).select_one(".pr-results a")
        assert link.text.startswith("DE LA TOUR Marie – 04/06/2013")
        assert link.select_one("mark").text == "LA TOUR"
        assert link.select_one("small").text.startswith("6A")

    def test_everybody_of_the_school_with_their_profile_or_post(self, correspondant, gens):
        answer = correspondant.get(f"{A}/utilisateurs/suggestions?q=goff")
        assert "Enseignant, SVT" in soup(answer).select_one("small").text

    @pytest.mark.parametrize("typed", ["%", "_", "''", "our", "\ud83d\ude00", "x" * 500, " "])
    def test_what_matches_nobody(self, correspondant, gens, typed):
        query = {"q": typed.encode("utf-16", "surrogatepass").decode("utf-16")}
        answer = correspondant.get(f"{A}/utilisateurs/suggestions", query_string=query)
        assert answer.status_code == 200
        assert not soup(answer).select("a")

    def test_stops_at_the_school_even_for_who_sees_both(self, admin, gens):
        assert len(soup(admin.get(f"{A}/utilisateurs/suggestions?q=dupont")).select("a")) == 1


class TestSheet:
    def test_identity_is_locked_and_says_its_source(self, correspondant, gens):
        page = soup(correspondant.get(f"{A}/utilisateurs/eleves/{gens.tour}"))
        locked = {field["id"]: field["value"] for field in page.select("main input[readonly]")}
        assert (locked["f-nom"], locked["f-date_naissance"]) == ("DE LA TOUR", "04/06/2013")
        assert locked["f-classe"] == "6A"
        assert "annuaire (AAF" in page.select_one("#origine").text
        assert "123456789AB" in page.select_one("main").text

    def test_guardians_and_children_lead_to_each_other_in_the_school(self, correspondant, gens):
        child, mother = f"{A}/utilisateurs/eleves/{gens.tour}", f"{A}/utilisateurs/parents/{gens.mere}"
        assert soup(correspondant.get(child)).select_one(f"main a[href='{mother}']")
        assert soup(correspondant.get(mother)).select_one(f"main a[href='{child}']")

    def test_a_guardian_of_another_school_is_not_shown_to_who_does_not_hold_it(
        self, correspondant, admin, gens
    ):
        url = f"{A}/utilisateurs/eleves/{gens.tour}"
        assert "AUBRY" not in correspondant.get(url).text
        assert soup(admin.get(url)).select_one(f"main a[href='/personnes/{gens.pere}']")

    def test_a_teacher_with_posts_classes_and_suspension(self, correspondant, gens, ecoles):
        answer = correspondant.get(f"{A}/utilisateurs/enseignants/{gens.prof}")
        assert "Enseignement – SVT" in text(answer)
        assert "Absence" in text(answer)
        assert soup(answer).select_one(f"main a[href='{A}/classes/{ecoles.classe_a}']")

    def test_next_means_next_in_the_list_one_comes_from(self, correspondant, gens):
        url = f"{A}/utilisateurs/eleves/{gens.tour}?niveau=4EME"
        page = soup(correspondant.get(url))
        assert page.select_one("a[rel=next]")["href"] == f"{A}/utilisateurs/eleves/{gens.roche}?niveau=4EME"
        assert page.select_one("a[rel=prev]") is None
        shown = [link.text.partition(" –")[0] for link in page.select(".pr-voisins .pr-results a")]
        assert shown[0] == "DE LA TOUR Marie"
        assert len(shown) == 2
        assert page.select_one(".pr-voisins a[aria-current]").text.startswith("DE LA TOUR")
        staff = soup(correspondant.get(f"{A}/utilisateurs/enseignants/{gens.prof}"))
        assert "SVT" in staff.select_one(".pr-voisins a[aria-current]").text

    def test_the_journal_of_the_person_and_of_nobody_else(
        self, correspondant, admin, sign_in, session, ecoles, gens
    ):
        reader = sign_in("chef_etablissement", etablissement_id=ecoles.ecole_b)
        for who, school, town in (
            (gens.tour, "a", "Ici"),
            (gens.tour, "b", "Ailleurs"),
            (gens.roche, "a", "Autre"),
        ):
            journal.write(
                session, acte="personne.modifier", acteur="Luc", objet_type="personne", objet_id=who,
                objet="DE LA TOUR Marie", etablissement_id=getattr(ecoles, f"ecole_{school}"),
                avant={"commune": "Avant"}, apres={"commune": town},
            )  # fmt: skip
        session.commit()
        page = soup(correspondant.get(f"{A}/utilisateurs/eleves/{gens.tour}"))
        told = page.select_one("[aria-labelledby=histoire]")
        said = set(told.get_text(" ").split())
        assert "Ici" in said
        assert {"Ailleurs", "Autre"}.isdisjoint(said)
        whole = correspondant.get(told.select_one(".card-footer a")["href"])
        assert [row["Objet"] for row in rows(whole)] == ["DE LA TOUR Marie"]
        assert "Sur DE LA TOUR Marie" in text(whole)
        everywhere = soup(admin.get(f"/personnes/{gens.tour}")).select_one("[aria-labelledby=histoire]")
        assert {"Ici", "Ailleurs"} <= set(everywhere.get_text(" ").split())
        assert "Sur une personne" in text(reader.get(f"{B}/journal/?personne={gens.tour}"))

    def test_who_left_has_a_sheet_among_departures(self, correspondant, gens):
        assert "Départ" in text(correspondant.get(f"{A}/utilisateurs/suppressions/{gens.parti}"))
        assert correspondant.get(f"{A}/utilisateurs/eleves/{gens.parti}").status_code == 404

    def test_out_of_the_list_the_school_or_the_base(self, correspondant, gens):
        for path in (
            f"{A}/utilisateurs/eleves/{gens.autre}", f"{A}/utilisateurs/eleves/{gens.prof}",
            f"{A}/utilisateurs/eleves/0", f"{A}/utilisateurs/eleves/99999999999999999999",
            f"{B}/utilisateurs/eleves/{gens.tour}", f"{B}/utilisateurs/eleves/{gens.autre}",
            f"/personnes/{gens.autre}",
        ):  # fmt: skip
            assert correspondant.get(path).status_code == 404, path


class TestExport:
    def test_every_page_of_what_is_shown_and_no_formula(self, correspondant, session, ecoles, gens):
        somebody(session, "=CMD()", "Eve", ecoles.ecole_a, "eleve")
        session.commit()
        answer = correspondant.get(f"{A}/utilisateurs/eleves/export?email=sans")
        lines = answer.get_data(as_text=True).lstrip("\ufeff").splitlines()
        assert lines[0] == "Nom;Prénom;Naissance;Classe;Niveau;MEF;Identifiant;Compte"
        assert lines[1].startswith("'=CMD();Eve")
        assert lines[-1].startswith("MARTIN-ROCHE;Zoé;;6A;4e;4EME GENERALE;;Jamais activé")
        assert len(lines) == 4

    def test_the_lines_ticked_and_no_other_school(self, correspondant, gens):
        url = f"{A}/utilisateurs/eleves/export?rowid={gens.jean}&rowid={gens.autre}"
        lines = correspondant.get(url).get_data(as_text=True).splitlines()
        assert len(lines) == 2
        assert lines[1].startswith("DUPONT;Jean-Éric")


class TestPerimeterList:
    def test_everybody_once_with_profile_and_school(self, admin, gens):
        answer = admin.get("/personnes/")
        assert names(answer)[:2] == ["AUBRY Luc", "DE LA TOUR Claire"]
        assert len(names(answer)) == 7, "who left is not listed"
        assert rows(answer)[0]["Établissement"] == "Collège B"

    def test_the_menu_and_the_sheet_of_the_directory_lead_to_it(self, admin, gens):
        assert soup(admin.get("/")).select_one(".pr-side a[href='/personnes/']")
        sheet = soup(admin.get(f"/referentiel/personnes/show/{gens.tour}"))
        assert sheet.select_one(f"main a[href='/personnes/{gens.tour}']")

    def test_stops_at_the_perimeter(self, correspondant, gens):
        assert "AUBRY" not in correspondant.get("/personnes/").text
        assert soup(correspondant.get("/personnes/suggestions?q=dupont")).select("a")[1:] == []
        assert "AUBRY" not in correspondant.get("/personnes/export").text
        assert correspondant.get(f"/personnes/{gens.tour}").status_code == 200

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("profil=eleve", 4),
            ("q=dup", 2),
            ("q=jean+dupont", 1),
            ("q=delatour", 2),
            ("etat=suspendu", 2),
            ("etat=jamais", 5),
            ("email=sans&profil=eleve", 3),
            ("q=123456789AB", 1),
            ("depuis=2099-01-01", 0),
        ],
    )
    def test_filters(self, admin, gens, query, count):
        assert len(names(admin.get(f"/personnes/?{query}"))) == count

    @pytest.mark.parametrize(
        ("order", "first"),
        [
            ("tri=nom&ordre=desc", "MARTIN-ROCHE Zoé"),
            ("tri=naissance", "LE GOFF Anne"),
            ("tri=creation&ordre=desc", "DUPONT Zoé"),
        ],
    )
    def test_orders(self, admin, gens, order, first):
        assert names(admin.get(f"/personnes/?{order}"))[0] == first

    def test_by_school(self, admin, ecoles, gens):
        answer = admin.get(f"/personnes/?etablissement={ecoles.ecole_b}")
        assert names(answer) == ["AUBRY Luc", "DUPONT Zoé"]
        assert "2 personnes" in text(answer)
        assert "Établissement : Collège B" in text(answer)

    def test_a_filter_on_a_foreign_school_finds_nobody(self, correspondant, ecoles, gens):
        answer = correspondant.get(f"/personnes/?etablissement={ecoles.ecole_b}")
        assert names(answer) == []
        assert "Collège B" not in answer.text

    def test_the_file_has_every_page(self, admin, session, ecoles, gens):
        for rank in range(30):
            somebody(session, f"NOM{rank:02d}", "Paul", ecoles.ecole_b, "eleve")
        session.commit()
        lines = admin.get("/personnes/export?q=nom").get_data(as_text=True).splitlines()
        assert len(lines) == 31
        assert lines[1].startswith("NOM00;Paul;;Élève;Collège B;;;Jamais activé;")


class TestClasses:
    def test_classes_with_pupils_and_main_teachers(self, correspondant, gens):
        (line,) = rows(correspondant.get(f"{A}/classes/"))
        assert (line["Classe"], line["Élèves"], line["Professeur principal"]) == ("6A", "2", "LE GOFF Anne")

    def test_one_class(self, correspondant, ecoles, gens):
        answer = correspondant.get(f"{A}/classes/{ecoles.classe_a}")
        assert names(answer) == ["DE LA TOUR Marie", "MARTIN-ROCHE Zoé"]
        assert "Professeur principal" in text(answer)

    def test_the_class_of_another_school_does_not_exist(self, correspondant, admin, ecoles, gens):
        for client in (correspondant, admin):
            assert client.get(f"{A}/classes/{ecoles.classe_b}").status_code == 404


class TestCost:
    PAGES = (
        "/utilisateurs/eleves/", "/utilisateurs/eleves/?q=nom&classe=1", "/utilisateurs/enseignants/",
        "/utilisateurs/parents/", "/utilisateurs/suppressions/", "/utilisateurs/suggestions?q=no",
        "/utilisateurs/eleves/{pk}", "/classes/", "/classes/{classe}",
    )  # fmt: skip

    def cost(self, client, statements, path):
        client.get(path)
        statements.clear()
        assert client.get(path).status_code == 200
        return list(statements)

    @pytest.mark.parametrize("page", PAGES)
    def test_few_statements_whatever_the_number_of_people(
        self, correspondant, session, ecoles, gens, statements, page
    ):
        """Three of the frame, then the page itself.

        The frame: the session with its account, roles and choices of look; the school; what the tree
        tells. A sheet adds the person in the list, their relatives, their places and what hangs on them,
        their journal and the people around them. A list adds its page, its counts, its facets and what
        its columns show beyond a line.
        """
        path = A + page.format(pk=gens.tour, classe=ecoles.classe_a)
        few = self.cost(correspondant, statements, path)
        session.rollback()
        for rank in range(30):
            for profil in ("eleve", "enseignant", "responsable"):
                place = {"division_id": ecoles.classe_a} if profil == "eleve" else {}
                somebody(session, f"NOM{rank:02d}", "Paul", ecoles.ecole_a, profil, **place)
        session.commit()
        many = self.cost(correspondant, statements, path)
        assert len(many) <= (8 if "{pk}" in page else 9), "\n\n".join(many)
        assert len(many) <= len(few) + 1, "what an empty list does not ask"

    @pytest.mark.parametrize("page", ["", "?profil=eleve&q=nom", "{pk}", "suggestions?q=no"])
    def test_the_perimeter_too(self, sign_in, session, ecoles, gens, statements, page):
        client = sign_in("assistant_plateforme", academie_id=ecoles.academie_a)
        found = self.cost(client, statements, "/personnes/" + page.format(pk=gens.tour))
        assert len(found) <= 8, "\n\n".join(found)

    def test_the_day_after(self, correspondant, gens):
        tomorrow = (now() + timedelta(days=2)).date().isoformat()
        assert names(correspondant.get(f"{A}/utilisateurs/eleves/?depuis={tomorrow}")) == []
