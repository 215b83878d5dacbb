"""Pages of models: recorded, compared, applied with a preview, undone; each over one's own schools only."""

from __future__ import annotations

import csv
import io
import json

import pytest
from sqlalchemy import select

from app.models import ApplicationModele, Attribution, EtablissementApplication, Journal, ModeleServices
from app.operations import modeles as acts
from app.operations.modeles import Portee
from app.queries.droits import services_of
from tests.operations.modeles import CELL, LINES, WHO, case, make, set_cell
from tests.views.conftest import soup

UAI, AUTRE = "0190001A", "0180001B"
EVERYTHING = ["forum", "chat", "blog", "annuaire"]


@pytest.fixture
def enter(sign_in, catalogue):
    return sign_in


@pytest.fixture
def academique(enter, ecoles):
    return enter("assistant_plateforme", academie_id=ecoles.academie_a)


@pytest.fixture
def local(enter, ecoles):
    return enter("correspondant", etablissement_id=ecoles.ecole_a)


@pytest.fixture
def modele(session, catalogue):
    made = make(session)
    session.commit()
    return made


def post(client, address, form):
    """Send a form as a page of ours does."""
    token = soup(client.get("/modeles/")).select_one("[name=csrf_token]")["value"]
    return client.post(address, data={"csrf_token": token, **form})


def text(answer):
    return soup(answer).get_text(" ", strip=True)


def record(client, ecole, **more):
    form = {
        "nom": "Collèges",
        "etablissement": ecole,
        "genre": ["etat", "droit"],
        "service": EVERYTHING,
        **more,
    }
    return post(client, "/modeles/nouveau", form)


def applied(client, session, modele, **form):
    """Prepare and confirm; return the application."""
    answer = post(client, f"/modeles/{modele.id}/appliquer", form)
    number = answer.location.rpartition("/")[2]
    assert post(client, f"/modeles/applications/{number}/confirmer", {}).status_code == 302
    session.expire_all()
    return session.get_one(ApplicationModele, int(number))


class TestModels:
    def test_a_school_is_recorded_then_shown_service_by_service(self, academique, session, ecoles):
        set_cell(session, ecoles.ecole_a, CELL, True)
        session.commit()
        answer = record(academique, ecoles.ecole_a, portee=f"academie-{ecoles.academie_a}")
        assert answer.status_code == 302
        modele = session.scalars(select(ModeleServices)).one()
        assert (modele.portee, modele.academie_id) == ("academie", ecoles.academie_a)
        page = text(academique.get(answer.location))
        assert "Forum" in page
        assert "Collèges" in text(academique.get("/modeles/"))

    def test_a_refusal_keeps_what_was_typed(self, academique, ecoles):
        answer = record(academique, ecoles.ecole_a, nom="", description="Pour tous")
        assert answer.status_code == 200
        page = soup(answer)
        assert page.select_one("#nom")["aria-invalid"] == "true"
        assert page.select_one("#description")["value"] == "Pour tous"

    def test_a_school_out_of_reach_is_as_if_it_were_not_there(self, academique, session, ecoles):
        answer = record(academique, ecoles.ecole_b)
        assert "Choisissez un établissement" in text(answer)
        assert session.scalars(select(ModeleServices)).all() == []

    def test_nobody_shows_a_model_wider_than_what_they_are_over(self, local, session, ecoles):
        record(local, ecoles.ecole_a, portee="plateforme")
        assert session.scalars(select(ModeleServices)).one().portee == "compte"

    def test_one_service_is_changed_and_a_later_editor_is_told(self, academique, session, ecoles):
        record(academique, ecoles.ecole_a)
        modele = session.scalars(select(ModeleServices)).one()
        form = {"version": modele.version, "v:etat:chat": "oui", "v:droit:chat.acces:eleve": ""}
        assert post(academique, f"/modeles/{modele.id}/services/chat", form).status_code == 302
        session.expire_all()
        held = {one.cle: one.valeur for one in modele.lignes}
        assert held["etat:chat"] is True
        assert "droit:chat.acces:eleve" not in held
        late = post(academique, f"/modeles/{modele.id}/services/chat", {**form, "v:etat:chat": "non"})
        assert late.status_code == 409
        assert "modifié entre-temps" in text(late)

    def test_what_one_only_reads_is_copied_not_changed(self, local, session, modele, ecoles):
        for address in (f"/modeles/{modele.id}/services/chat", f"/modeles/{modele.id}/supprimer"):
            assert local.get(address).status_code == 404
            assert post(local, address, {}).status_code == 404
        assert post(local, f"/modeles/{modele.id}", {"nom": "À moi"}).status_code == 404
        assert post(local, f"/modeles/{modele.id}/dupliquer", {}).status_code == 302
        names = session.scalars(select(ModeleServices.nom).order_by(ModeleServices.id)).all()
        assert names == ["Collèges", "Collèges (copie)"]

    def test_somebody_elses_model_is_not_seen(self, local, session, catalogue):
        other = acts.creer(session, nom="Secret", lignes=LINES, portee=Portee("compte"), acteur=WHO)
        session.commit()
        assert local.get(f"/modeles/{other.id}").status_code == 404
        assert "Secret" not in text(local.get("/modeles/"))

    def test_it_goes_out_and_comes_back_as_a_file(self, academique, session, modele):
        sent = academique.get(f"/modeles/{modele.id}/export.json").data
        files = {"fichier": (io.BytesIO(sent), "modele.json")}
        assert post(academique, "/modeles/importer", files).status_code == 302
        both = session.scalars(select(ModeleServices).order_by(ModeleServices.id)).all()
        assert [{one.cle: one.valeur for one in m.lignes} for m in both] == [LINES, LINES]
        bad = post(academique, "/modeles/importer", {"fichier": (io.BytesIO(b"[["), "x.json")})
        assert "n’est pas un modèle" in text(bad)

    def test_it_is_deleted_after_a_question(self, academique, session, ecoles):
        record(academique, ecoles.ecole_a)
        pk = session.scalars(select(ModeleServices.id)).one()
        assert "gardent ce qu’ils ont" in text(academique.get(f"/modeles/{pk}/supprimer"))
        post(academique, f"/modeles/{pk}/supprimer", {})
        assert session.scalars(select(ModeleServices)).all() == []


class TestComparison:
    def test_each_gap_leads_to_the_page_of_its_service(self, academique, modele):
        page = soup(academique.get(f"/modeles/{modele.id}/comparer"))
        links = {a["href"] for a in page.select("tbody a.pr-badge")}
        assert links == {f"/etablissements/{UAI}/services/{code}" for code in ("chat", "forum", "blog")}
        narrowed = soup(academique.get(f"/modeles/{modele.id}/comparer?service=chat"))
        heads = [th.get_text(" ", strip=True) for th in narrowed.select("thead .pr-ecart")]
        assert heads == ["Service modèle : actif · 1", "Élèves, accès modèle : oui · 1"]

    def test_only_schools_of_the_perimeter_are_compared(self, academique, modele, ecoles):
        for query in ("", f"?rowid={ecoles.ecole_b}"):
            page = academique.get(f"/modeles/{modele.id}/comparer{query}").get_data(as_text=True)
            assert AUTRE not in page
        assert academique.get(f"/modeles/{modele.id}/comparer/{AUTRE}").status_code == 404
        assert "Parents, lecteur" in text(academique.get(f"/modeles/{modele.id}/comparer/{UAI}"))

    def test_the_file_holds_every_gap(self, academique, modele):
        body = academique.get(f"/modeles/{modele.id}/comparer.csv").get_data(as_text=True)
        lines = list(csv.reader(io.StringIO(body.lstrip("\ufeff")), delimiter=";"))
        assert [UAI, "Collège A", "Forum", "Parents, lecteur", "non", "oui"] in lines
        assert len(lines) == 1 + len(LINES)

    def test_hostile_arguments_are_as_none(self, academique, modele):
        answer = academique.get(
            f"/modeles/{modele.id}/comparer?page=x&taille=9e9&rowid=-1&tri=zz&service=%E2%80%AE&q=%25_*"
        )
        assert answer.status_code == 200


class TestApplying:
    def test_it_is_shown_confirmed_reported_and_undone(self, academique, session, modele, ecoles):
        shown = post(academique, f"/modeles/{modele.id}/appliquer", {"tout": "1"})
        page = text(academique.get(shown.location))
        assert "Forum : Parents, lecteur" in page.replace("\u00a0", " ")
        assert services_of(session, ecoles.ecole_a, service="chat")[0].actif is False
        application = applied(academique, session, modele, tout="1")
        assert case(session, ecoles.ecole_a).coche is True
        report = academique.get(f"/modeles/applications/{application.id}/compte-rendu.csv").get_data(
            as_text=True
        )
        assert "Forum" in report
        assert "Fait" in report
        back = post(academique, f"/modeles/applications/{application.id}/defaire", {})
        assert post(academique, f"{back.location}/confirmer", {}).status_code == 302
        session.expire_all()
        assert case(session, ecoles.ecole_a).coche is False
        again = post(academique, f"/modeles/applications/{application.id}/defaire", {})
        assert "déjà été défaite" in text(academique.get(again.location))

    def test_schools_named_in_the_form_are_but_those_of_the_perimeter(self, local, session, modele, ecoles):
        application = applied(local, session, modele, ecole=[ecoles.ecole_a, ecoles.ecole_b])
        reached = session.scalars(
            select(EtablissementApplication.etablissement_id).filter_by(application_id=application.id)
        ).all()
        assert reached == [ecoles.ecole_a]
        assert case(session, ecoles.ecole_b).coche is False
        assert session.scalars(select(Journal).filter_by(etablissement_id=ecoles.ecole_b)).all() == []

    def test_a_local_administrator_of_both_acts_on_both(self, local, session, modele, ecoles):
        pk = session.scalars(select(Attribution.compte_id)).first()
        session.add(Attribution(compte_id=pk, role="correspondant", etablissement_id=ecoles.ecole_b))
        session.commit()
        applied(local, session, modele, tout="1")
        assert case(session, ecoles.ecole_a).coche
        assert case(session, ecoles.ecole_b).coche

    def test_another_persons_draft_is_not_theirs_to_confirm(self, academique, session, modele, ecoles):
        shown = post(academique, f"/modeles/{modele.id}/appliquer", {"tout": "1"})
        application = session.scalars(select(ApplicationModele)).one()
        application.compte_id = None
        session.commit()
        assert academique.get(shown.location).status_code == 200  # of the académie: seen, not carried on with
        assert post(academique, f"{shown.location}/confirmer", {}).status_code == 404
        assert case(session, ecoles.ecole_a).coche is False

    def test_what_another_school_prepares_is_not_seen(self, academique, enter, modele, ecoles):
        shown = post(academique, f"/modeles/{modele.id}/appliquer", {"tout": "1"})
        other = enter("correspondant", etablissement_id=ecoles.ecole_a)
        assert other.get(shown.location).status_code == 404

    def test_nothing_is_done_after_all(self, academique, session, modele):
        shown = post(academique, f"/modeles/{modele.id}/appliquer", {"tout": "1"})
        post(academique, f"{shown.location}/abandonner", {})
        assert session.scalars(select(ApplicationModele)).all() == []

    def test_the_head_of_a_school_reads_nothing_here(self, enter, modele, ecoles):
        head = enter("chef_etablissement", etablissement_id=ecoles.ecole_a)
        for address in ("/modeles/", f"/modeles/{modele.id}", f"/modeles/{modele.id}/comparer"):
            assert head.get(address).status_code == 403


def test_a_file_with_the_name_of_a_tag_is_inert(academique, session, catalogue):
    said = {
        "format": acts.FORMAT,
        "version": 1,
        "nom": "<img src=x onerror=alert(1)>",
        "lignes": {"etat:chat": True},
    }
    files = {"fichier": (io.BytesIO(json.dumps(said).encode()), "m.json")}
    post(academique, "/modeles/importer", files)
    assert "<img src=x" not in academique.get("/modeles/").get_data(as_text=True)
