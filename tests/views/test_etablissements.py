"""Schools: who edits what, virtual ones, locks, search, perimeter."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.models import Etablissement, Journal, VerrouEtablissement
from tests.views.conftest import post, rows, soup

URL = "/referentiel/etablissements"


def fields(answer):
    return {field["name"] for field in soup(answer).select("main form [name]")} - {"csrf_token", "_version"}


class TestFields:
    @pytest.mark.parametrize(
        ("role", "over", "expected"),
        [
            ("correspondant", "etablissement", {"email", "site_web"}),
            ("accompagnement", "academie", {"email", "site_web", "telephone", "chef", "collectivite"}),
            (
                "correspondant_deploiement",
                "academie",
                {"email", "site_web", "telephone", "chef", "collectivite", "xiti"},
            ),
        ],
    )
    def test_each_role_has_its_own(self, sign_in, ecoles, role, over, expected):
        held = (
            {"etablissement_id": ecoles.ecole_a}
            if over == "etablissement"
            else {"academie_id": ecoles.academie_a}
        )
        assert fields(sign_in(role, **held).get(f"{URL}/edit/{ecoles.ecole_a}")) == expected

    def test_a_forged_field_changes_nothing(self, sign_in, session, ecoles):
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        forged = {"email": "ce@exemple.fr", "nom": "Piraté", "xiti": "123", "virtuel": "y"}
        post(client, f"{URL}/edit/{ecoles.ecole_a}", forged)
        session.expire_all()
        row = session.get(Etablissement, ecoles.ecole_a)
        assert (row.email, row.nom, row.xiti, row.virtuel) == ("ce@exemple.fr", "Collège A", None, False)

    def test_a_hand_edit_is_locked_told_and_given_back(self, sign_in, session, ecoles):
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        post(client, f"{URL}/edit/{ecoles.ecole_a}", {"email": "ce@exemple.fr"})
        assert session.scalars(select(VerrouEtablissement.champ)).all() == ["email"]
        line = session.scalars(select(Journal).where(Journal.acte == "etablissement.modifier")).one()
        assert (line.avant, line.apres) == ({"email": None}, {"email": "ce@exemple.fr"})
        sheet = f"{URL}/show/{ecoles.ecole_a}"
        (told,) = rows(client.get(sheet))
        assert (told["Champ"], told["Par"]) == ("E-mail", "Claire Montagné")
        session.commit()
        post(client, sheet, action_url=f"{URL}/deverrouiller/{ecoles.ecole_a}/email")
        session.expire_all()
        assert session.scalars(select(VerrouEtablissement)).all() == []

    def test_a_wrong_address_is_refused_and_kept_in_the_form(self, admin, session, ecoles):
        answer = post(
            admin, f"{URL}/edit/{ecoles.ecole_a}", {"site_web": "javascript:alert(1)", "email": "a@b.fr"}
        )
        page = soup(answer)
        assert page.select_one("#site_web")["value"] == "javascript:alert(1)"
        assert page.select_one("#site_web")["aria-invalid"] == "true"
        session.expire_all()
        assert session.get(Etablissement, ecoles.ecole_a).email is None


class TestVirtual:
    def test_a_virtual_school_needs_a_name_and_numbers_itself(self, admin, session, ecoles):
        refused = post(admin, f"{URL}/add", {"nom": "", "secteur": "public"})
        assert refused.status_code == 200
        post(admin, f"{URL}/add", {"nom": "École des ports", "secteur": "public"})
        row = session.scalars(select(Etablissement).where(Etablissement.virtuel)).one()
        assert (row.uai, row.nom_recherche) == ("V0000001", "ecole des ports")

    def test_a_wrong_check_letter_is_told_not_refused(self, admin, session, ecoles):
        post(admin, f"{URL}/add", {"nom": "École", "uai": "0371234A", "secteur": "public"})
        assert session.scalars(select(Etablissement).where(Etablissement.virtuel)).one().uai == "0371234A"
        assert "lettre de contrôle" in admin.get(f"{URL}/list/").get_data(as_text=True)

    def test_a_local_administrator_creates_none(self, sign_in, ecoles):
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        assert client.get(f"{URL}/add").status_code == 403
        assert not soup(client.get(f"{URL}/list/")).select(f"a[href='{URL}/add']")


class TestSearchAndPerimeter:
    @pytest.mark.parametrize("typed", ["coll", "COLLÈGE A", "0190001", "Été"])
    def test_by_name_uai_or_town(self, admin, ecoles, typed):
        found = [line["Établissement"] for line in rows(admin.get(f"{URL}/list/?q={typed}"))]
        assert "Collège A" in found

    def test_another_school_is_absent_everywhere(self, sign_in, session, ecoles):
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        for page in ("show", "edit"):
            assert client.get(f"{URL}/{page}/{ecoles.ecole_b}").status_code == 404
        post(client, f"{URL}/edit/{ecoles.ecole_a}", {"email": "x@y.fr"}, f"{URL}/edit/{ecoles.ecole_b}")
        session.expire_all()
        assert session.get(Etablissement, ecoles.ecole_b).email is None

    def test_readers_edit_nothing(self, sign_in, ecoles):
        client = sign_in("chef_etablissement", etablissement_id=ecoles.ecole_a)
        assert client.get(f"{URL}/show/{ecoles.ecole_a}").status_code == 200
        assert client.get(f"{URL}/edit/{ecoles.ecole_a}").status_code == 403
