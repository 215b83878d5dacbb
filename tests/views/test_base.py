"""The generated views: lists, forms, acts, exports, on hostile and ordinary requests."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from app.models import Division, Etablissement, Matiere
from tests.views.conftest import post, rows, soup

MATIERES = "/essai/matieres"
ECOLES = "/essai/etablissements"
CLASSES = "/essai/classes"


def libelles(session):
    session.rollback()
    return {row.code: row.libelle for row in session.scalars(select(Matiere)).all()}


class TestList:
    def test_shows_rows_by_column_title_in_order(self, admin, ecoles):
        seen = rows(admin.get(f"{MATIERES}/list/"))
        assert [line["Libellé"] for line in seen] == ["Latin", "Mathématiques"]
        assert seen[0]["Libellé court"] == "–"

    def test_keeps_to_the_perimeter(self, sign_in, ecoles):
        client = sign_in("accompagnement", academie_id=ecoles.academie_a)
        page = client.get(f"{ECOLES}/list/")
        assert [line["Nom"] for line in rows(page)] == ["Collège A"]
        assert "1–1 sur 1" in soup(page).select_one(".pr-pager").get_text(" ", strip=True)
        assert "Collège B" not in page.get_data(as_text=True)

    @pytest.mark.parametrize("method", ["list/", "export", "choix/etablissement", "add"])
    def test_needs_the_right(self, sign_in, ecoles, method):
        client = sign_in("enseignant")
        assert client.get(f"{CLASSES}/{method}").status_code == 403

    def test_a_stranger_is_sent_to_sign_in(self, client, ecoles):
        answer = client.get(f"{MATIERES}/list/")
        assert answer.status_code == 302
        assert "connexion" in answer.headers["Location"]

    def test_orders_on_its_columns_only(self, admin, ecoles):
        asked = "_oc_EssaiMatiereView=code&_od_EssaiMatiereView=desc"
        assert [line["Code"] for line in rows(admin.get(f"{MATIERES}/list/?{asked}"))] == ["MATHS", "BLOQUE"]
        header = soup(admin.get(f"{MATIERES}/list/?{asked}")).select_one("th[aria-sort]")
        assert header["aria-sort"] == "descending"

    def test_search_ignores_accents_and_escapes_wildcards(self, admin, ecoles):
        assert [line["UAI"] for line in rows(admin.get(f"{ECOLES}/list/?q=COLLÈGE b"))] == ["0180001B"]
        assert rows(admin.get(f"{ECOLES}/list/?q=%25")) == []
        assert rows(admin.get(f"{MATIERES}/list/?q=_")) == []
        assert "Aucune ligne ne correspond" in admin.get(f"{MATIERES}/list/?q=zzz").get_data(as_text=True)

    def test_filters_show_as_chips_that_remove_them(self, admin, ecoles):
        page = soup(admin.get(f"{ECOLES}/list/?_flt_1_etat=ferme&_flt_0_academie={ecoles.academie_a}"))
        chips = {chip.get_text(" ", strip=True): chip["href"] for chip in page.select("a.pr-chip")}
        assert set(chips) == {"Retirer le filtre État : Fermé", "Retirer le filtre Académie : Académie A"}
        assert "_flt_1_etat" not in chips["Retirer le filtre État : Fermé"]

    def test_pages_do_not_overlap_and_stop_at_the_last(self, admin, session, ecoles):
        session.add_all([Matiere(code=f"C{n:03}", libelle="Identique") for n in range(30)])
        session.commit()
        seen = []
        for page in range(3):
            args = f"psize_EssaiMatiereView=12&page_EssaiMatiereView={page}"
            seen += [line["Code"] for line in rows(admin.get(f"{MATIERES}/list/?{args}"))]
        assert len(seen) == len(set(seen)) == 32
        beyond = admin.get(f"{MATIERES}/list/?page_EssaiMatiereView=999")
        assert rows(beyond) != []

    def test_more_than_ten_thousand_are_not_counted(self, admin, session, ecoles):
        session.execute(
            Matiere.__table__.insert(), [{"code": f"N{n}", "libelle": f"Matière {n}"} for n in range(10_050)]
        )
        session.commit()
        page = admin.get(f"{MATIERES}/list/")
        assert "plus de 10\u202f000" in page.get_data(as_text=True)

    @pytest.mark.parametrize(
        "args",
        [
            "page_EssaiEtablissementView=abc",
            "page_EssaiEtablissementView=-1",
            "page_EssaiEtablissementView=99999999999999999999999",
            "psize_EssaiEtablissementView=100000000",
            "psize_EssaiEtablissementView=0",
            "psize_EssaiEtablissementView=abc",
            "_oc_EssaiEtablissementView=inconnue&_od_EssaiEtablissementView=asc",
            "_oc_EssaiEtablissementView=nom'&_od_EssaiEtablissementView=desc",
            "_oc_EssaiEtablissementView=academie&_od_EssaiEtablissementView=desc",
            "_flt_0_inconnue=1",
            "_flt_9_nom=a",
            "_flt_x_nom=a",
            "_flt_0_academie=99999999999999999999999999",
            "_flt_0_academie=' OR 1=1",
            "_flt_0_academie.nom=a",
            "_flt_0_ouvert_le=demain",
            "_flt_0_nom=%00",
            "_flt_0_nom=%ED%A0%80",
            "q=%00",
            "q=%ED%A0%80",
            "q=" + "a" * 5000,
            "onglet=inconnu",
        ],
    )
    @pytest.mark.parametrize("method", ["list/", "export"])
    def test_hostile_arguments_are_tamed(self, admin, ecoles, method, args):
        answer = admin.get(f"{ECOLES}/{method}?{args}")
        assert answer.status_code in {200, 400}, args
        assert len(rows(answer)) <= 100

    @pytest.mark.parametrize("pk", ["0", "-1", "abc", "9" * 30, "1e3", "%00", "٣", "1 OR 1=1", "None"])
    @pytest.mark.parametrize("method", ["show", "edit", "delete", "action/majuscules"])
    def test_hostile_keys_lead_nowhere(self, admin, ecoles, method, pk):
        assert admin.get(f"{MATIERES}/{method}/{pk}").status_code in {400, 404}

    def test_costs_the_same_for_three_rows_and_thirty(self, admin, session, ecoles, statements):
        costs = []
        for total in (3, 30):
            have = session.scalar(select(func.count()).select_from(Division))
            for n in range(total - have):
                school = ecoles.ecole_a if n % 2 else ecoles.ecole_b
                session.add(Division(etablissement_id=school, code=f"{total}-{n}"))
            session.commit()
            statements.clear()
            assert len(rows(admin.get(f"{CLASSES}/list/?psize_EssaiDivisionView=50"))) == total
            costs.append(len(statements))
        # the session and its account, the count, the rows, their schools
        assert costs == [costs[0]] * 2
        assert costs[0] <= 5

    def test_says_what_to_do_when_empty(self, admin, session):
        page = soup(admin.get(f"{MATIERES}/list/"))
        assert page.select_one(".pr-empty a")["href"].endswith("/essai/matieres/add")

    def test_two_requests_do_not_share_filters(self, admin, ecoles):
        assert len(rows(admin.get(f"{ECOLES}/list/?_flt_0_nom=college a"))) == 1
        assert len(rows(admin.get(f"{ECOLES}/list/"))) == 2


class TestShow:
    def test_shows_facts_and_related_rows_of_the_perimeter(self, admin, ecoles):
        page = admin.get(f"{ECOLES}/show/{ecoles.ecole_a}")
        assert soup(page).h1.get_text(strip=True) == "Collège A (0190001A)"
        assert [line["Code"] for line in rows(page)] == ["6A"]

    def test_related_rows_need_their_own_right(self, sign_in, ecoles):
        client = sign_in("collectivite", collectivite_id=None)
        assert client.get(f"{ECOLES}/show/{ecoles.ecole_a}").status_code == 404
        from app.security.permissions import Resource, Verb
        from app.security.roles import RIGHTS, Role

        assert (Verb.LIRE, Resource.DIVISION) not in RIGHTS[Role.COLLECTIVITE]

    @pytest.mark.parametrize("method", ["show", "edit", "delete"])
    def test_another_school_is_not_found(self, sign_in, ecoles, method):
        client = sign_in("accompagnement", academie_id=ecoles.academie_a)
        assert client.get(f"{ECOLES}/{method}/{ecoles.ecole_b}").status_code == 404
        assert client.get(f"{ECOLES}/{method}/987654").status_code == 404


class TestAdd:
    def test_writes_once_and_goes_to_the_sheet(self, admin, session, ecoles):
        answer = post(
            admin, f"{MATIERES}/add", {"code": "GREC", "libelle": " Grec ancien ", "libelle_court": ""}
        )
        assert answer.status_code == 302
        assert libelles(session)["GREC"] == "Grec ancien"
        assert "Ajout enregistré." in admin.get(answer.headers["Location"]).get_data(as_text=True)

    def test_a_refusal_stays_on_its_field_and_keeps_what_was_typed(self, admin, session, ecoles):
        answer = post(admin, f"{MATIERES}/add", {"code": "X", "libelle": "INTERDIT", "libelle_court": "Y"})
        page = soup(answer)
        assert answer.status_code == 200
        field = page.select_one("#libelle")
        assert field["aria-invalid"] == "true"
        assert "réservé" in page.select_one(f"#{field['aria-describedby']}").get_text()
        assert page.select_one("[role=alert] a[href='#libelle']")
        assert page.select_one("#libelle_court")["value"] == "Y"
        assert "X" not in libelles(session)

    def test_a_taken_code_is_told_on_its_field(self, admin, ecoles):
        answer = post(admin, f"{MATIERES}/add", {"code": "MATHS", "libelle": "Autre"})
        assert answer.status_code == 200
        assert "Ce code de matière existe déjà." in soup(answer).select_one("#code-erreur").get_text()

    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("libelle", "", "Renseignez ce champ."),
            ("libelle", "a" * 5000, "120 caractères au plus."),
            ("libelle", "a\x00b", "caractère illisible"),
            ("libelle", "a\u202eb\x07", "caractère illisible"),
        ],
    )
    def test_unusable_values_are_refused(self, admin, session, ecoles, field, value, sentence):
        answer = post(admin, f"{MATIERES}/add", {"code": "X", "libelle": "Z", field: value})
        assert answer.status_code == 200
        assert sentence in soup(answer).select_one(f"#{field}-erreur").get_text()
        assert "X" not in libelles(session)

    def test_a_bug_writes_nothing_and_gives_a_reference(self, app, admin, session, ecoles):
        app.config["PROPAGATE_EXCEPTIONS"] = False
        answer = post(admin, f"{MATIERES}/add", {"code": "X", "libelle": "BOGUE"})
        assert answer.status_code == 500
        assert "détail technique" not in answer.get_data(as_text=True)
        assert soup(answer).select_one(".pr-errorpage .pr-mono").get_text(strip=True)
        assert "X" not in libelles(session)

    def test_a_post_without_token_is_refused(self, admin, session, ecoles):
        assert admin.post(f"{MATIERES}/add", data={"code": "X", "libelle": "Y"}).status_code == 400
        assert "X" not in libelles(session)

    def test_a_relation_takes_rows_of_the_perimeter_only(self, admin, session, ecoles):
        form = {"code": "5Z", "libelle": "", "etablissement": "123456"}
        refused = post(admin, f"{CLASSES}/add", form)
        assert "n’existe pas" in soup(refused).select_one("#etablissement-erreur").get_text()
        taken = post(admin, f"{CLASSES}/add", {**form, "etablissement": str(ecoles.ecole_a)})
        assert taken.status_code == 302

    def test_a_relation_is_found_by_its_code_without_script(self, admin, session, ecoles):
        form = {"code": "5Z", "etablissement": "", "etablissement-code": "0180001b"}
        assert post(admin, f"{CLASSES}/add", form).status_code == 302
        session.rollback()
        made = session.scalars(select(Division).where(Division.code == "5Z")).one()
        assert made.etablissement_id == ecoles.ecole_b
        assert made.active is False

    def test_a_page_holds_no_whole_table(self, admin, session, ecoles):
        page = soup(admin.get(f"{CLASSES}/add"))
        assert [option.get_text() for option in page.select("select#etablissement option")] == ["Aucun choix"]
        assert page.select_one("select#etablissement")["data-distant"] == f"{CLASSES}/choix/etablissement"


class TestChoices:
    def test_offers_what_is_typed_within_the_perimeter(self, sign_in, ecoles):
        client = sign_in("accompagnement", academie_id=ecoles.academie_a)
        offered = client.get(f"{CLASSES}/choix/etablissement?q=coll").get_json()
        assert [one["text"] for one in offered] == ["Collège A (0190001A)"]
        assert client.get(f"{CLASSES}/choix/etablissement?q=0180").get_json() == []

    @pytest.mark.parametrize("relation", ["mefs", "code", "inconnue", "__class__"])
    def test_offers_nothing_else(self, admin, ecoles, relation):
        assert admin.get(f"{CLASSES}/choix/{relation}").status_code == 404


class TestEdit:
    def test_changes_the_row(self, admin, session, ecoles):
        page = f"{ECOLES}/edit/{ecoles.ecole_a}"
        answer = post(admin, page, {"nom": "Collège Renommé", "commune": "", "nombre_eleves": "612"})
        assert answer.status_code == 302
        session.rollback()
        school = session.get(Etablissement, ecoles.ecole_a)
        assert (school.nom, school.commune, school.nombre_eleves) == ("Collège Renommé", None, 612)

    @pytest.mark.parametrize("value", ["douze", "9" * 20, "1.5"])
    def test_a_number_must_be_one(self, admin, ecoles, value):
        form = {"nom": "A", "nombre_eleves": value}
        answer = post(admin, f"{ECOLES}/edit/{ecoles.ecole_a}", form)
        assert answer.status_code == 200
        assert soup(answer).select_one("#nombre_eleves")["value"] == value

    def test_a_boolean_can_be_unticked(self, admin, session, ecoles):
        form = {"code": "6A", "etablissement": str(ecoles.ecole_a)}
        assert post(admin, f"{CLASSES}/edit/{ecoles.classe_a}", form).status_code == 302
        session.rollback()
        assert session.get(Division, ecoles.classe_a).active is False

    def test_two_edits_at_once_lose_nothing(self, admin, session, ecoles):
        page = f"{ECOLES}/edit/{ecoles.ecole_a}"
        form = soup(admin.get(page)).select_one("main form")
        opened = {field["name"]: field.get("value", "") for field in form.select("input")}
        assert post(admin, page, {"nom": "Premier", "commune": "Ici"}).status_code == 302
        late = admin.post(page, data={**opened, "nom": "Second", "commune": "Ici"})
        assert late.status_code == 409
        shown = soup(late)
        assert "Premier" in shown.select_one("#nom-erreur").get_text()
        assert shown.select_one("#nom")["value"] == "Second"
        session.rollback()
        assert session.get(Etablissement, ecoles.ecole_a).nom == "Premier"
        fields = {field["name"]: field.get("value", "") for field in shown.select("main form input")}
        assert admin.post(page, data=fields).status_code == 302

    def test_a_refused_edit_leaves_the_row_as_it_was(self, admin, session, ecoles):
        pk = session.scalar(select(Matiere.id).where(Matiere.code == "MATHS"))
        answer = post(admin, f"{MATIERES}/edit/{pk}", {"code": "MATHS", "libelle": "INTERDIT"})
        assert answer.status_code == 200
        assert libelles(session)["MATHS"] == "Mathématiques"


class TestDelete:
    def page(self, session, code="MATHS"):
        return f"{MATIERES}/delete/{session.scalar(select(Matiere.id).where(Matiere.code == code))}"

    def test_a_get_only_asks(self, admin, session, ecoles):
        page = soup(admin.get(self.page(session)))
        assert "Supprimer « Mathématiques » ?" in page.h1.get_text()
        assert "MATHS" in libelles(session)

    def test_a_post_deletes(self, admin, session, ecoles):
        assert post(admin, self.page(session)).status_code == 302
        assert "MATHS" not in libelles(session)

    def test_a_row_in_use_stays(self, admin, session, ecoles):
        answer = post(admin, f"{ECOLES}/delete/{ecoles.ecole_a}")
        page = admin.get(answer.headers["Location"]).get_data(as_text=True)
        assert "rien n’a été supprimé" in page
        session.rollback()
        assert session.get(Etablissement, ecoles.ecole_a) is not None


class TestActions:
    def ids(self, session, *codes):
        return [str(session.scalar(select(Matiere.id).where(Matiere.code == code))) for code in codes]

    def run(self, client, ids, **more):
        data = {"action": "majuscules", "rowid": ids, **more}
        return post(client, f"{MATIERES}/list/", data, f"{MATIERES}/action_post")

    def test_asks_before_a_confirmed_action(self, admin, session, ecoles):
        answer = self.run(admin, self.ids(session, "MATHS"))
        assert "Les libellés changent" in answer.get_data(as_text=True)
        assert libelles(session)["MATHS"] == "Mathématiques"

    def test_does_it_once_confirmed(self, admin, session, ecoles):
        answer = self.run(admin, self.ids(session, "MATHS"), confirme="1")
        assert answer.status_code == 302
        assert libelles(session)["MATHS"] == "MATHÉMATIQUES"

    def test_one_refusal_undoes_all(self, admin, session, ecoles):
        self.run(admin, self.ids(session, "MATHS", "BLOQUE"), confirme="1")
        assert libelles(session) == {"MATHS": "Mathématiques", "BLOQUE": "Latin"}

    @pytest.mark.parametrize("ids", [["987654"], ["abc"], ["9" * 30], ["\x00"]])
    def test_an_unknown_row_stops_everything(self, admin, session, ecoles, ids):
        answer = self.run(admin, [*self.ids(session, "MATHS"), *ids], confirme="1")
        assert answer.status_code in {400, 404}
        assert libelles(session)["MATHS"] == "Mathématiques"

    def test_an_unknown_action_is_not_found(self, admin, session, ecoles):
        assert self.run(admin, self.ids(session, "MATHS"), action="inconnue").status_code == 404

    def test_nothing_ticked_is_told(self, admin, ecoles):
        answer = self.run(admin, [])
        assert "Cochez entre 1 et 100" in admin.get(answer.headers["Location"]).get_data(as_text=True)


class TestExport:
    def test_gives_what_the_list_shows_every_page(self, admin, session, ecoles):
        session.add_all([Matiere(code=f"C{n:03}", libelle=f"Cours {n}") for n in range(150)])
        session.commit()
        answer = admin.get(f"{MATIERES}/export?q=Cours")
        text = answer.get_data().decode("utf-8-sig")
        assert answer.get_data().startswith(b"\xef\xbb\xbf")
        assert text.splitlines()[0] == "Code;Libellé;Libellé court"
        assert len(text.splitlines()) == 151
        assert "attachment" in answer.headers["Content-Disposition"]

    def test_no_cell_computes(self, admin, session, ecoles):
        session.add(Matiere(code="X", libelle="=1+1", libelle_court="@SUM(A1)"))
        session.commit()
        assert "X;'=1+1;'@SUM(A1)" in admin.get(f"{MATIERES}/export").get_data(as_text=True)

    def test_keeps_to_the_perimeter(self, sign_in, ecoles):
        client = sign_in("accompagnement", academie_id=ecoles.academie_a)
        text = client.get(f"{ECOLES}/export").get_data(as_text=True)
        assert "Collège A" in text
        assert "Collège B" not in text


class TestFrame:
    @pytest.mark.parametrize("path", ["list/", "add"])
    def test_every_script_has_a_nonce_and_nothing_is_inline(self, admin, ecoles, path):
        page = soup(admin.get(f"{MATIERES}/{path}"))
        assert page.html["lang"] == "fr"
        assert all(tag.get("nonce") and tag.get("src") for tag in page.select("script"))
        assert not page.select("[style], style")
        assert not [tag for tag in page.find_all(True) if any(name.startswith("on") for name in tag.attrs)]

    def test_markup_in_a_name_is_inert(self, admin, session, ecoles):
        session.add(Matiere(code="X", libelle="<img src=x onerror=alert(1)>"))
        session.commit()
        page = admin.get(f"{MATIERES}/list/")
        assert not soup(page).select("img")
        assert "<img src=x" not in page.get_data(as_text=True)

    @pytest.mark.parametrize(("path", "code"), [("/nulle-part", 404), ("/essai/matieres/list/?q=%00", 400)])
    def test_errors_are_pages_of_the_console(self, admin, ecoles, path, code):
        answer = admin.get(path)
        assert answer.status_code == code
        assert soup(answer).select_one("nav.pr-crumbs")
        assert soup(answer).select_one(".pr-errorpage a")["href"] == "/"

    def test_errors_for_a_stranger_tell_nothing(self, client, ecoles):
        answer = client.get("/nulle-part")
        assert answer.status_code == 404
        assert not soup(answer).select("nav")

    def test_the_theme_of_the_cookie_is_drawn(self, admin, ecoles):
        admin.set_cookie("preau_theme", "dark")
        assert soup(admin.get("/")).html["data-bs-theme"] == "dark"
        admin.set_cookie("preau_theme", '"><script>')
        assert "data-bs-theme" not in soup(admin.get("/")).html.attrs
