"""Acts on many accounts: chosen across pages, asked before, reported row by row, undone (U7, D1, G1, X5)."""

import csv
import io

import pytest
from flask import g
from sqlalchemy import func, select

from app.jobs import runner
from app.models import (
    ActeEnNombre,
    Compte,
    Courriel,
    Journal,
    LigneActeEnNombre,
    Personne,
    Rattachement,
    Tache,
)
from app.operations import actes_en_nombre as operations
from tests.views.conftest import post, rows, soup

A = "/etablissements/0190001A/utilisateurs"
ACTES = "/personnes/actes/"


@pytest.fixture
def gens(session, ecoles):
    """Thirty pupils in school A, one with a name a spreadsheet would compute, and two in school B."""
    made = []
    for n in range(32):
        nom = "=1+1" if n == 0 else f"N{n:02d}"
        row = Personne(
            nom=nom, prenom="Zoé", nom_recherche=f"n{n:02d} zoe", email="n@x.fr" if n % 2 else None
        )
        session.add(row)
        session.flush()
        school = ecoles.ecole_a if n < 30 else ecoles.ecole_b
        session.add(Rattachement(personne_id=row.id, etablissement_id=school, profil="eleve"))
        made.append(row.id)
    session.commit()
    return made


@pytest.fixture
def correspondant(sign_in, session, ecoles):
    client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    client.get(f"{A}/eleves/")
    session.rollback()
    return client


def choose(client, page, *, to=None, **data):
    """Send the form of the list as a browser does."""
    form = soup(client.get(page)).select_one("form[data-selection]")
    token = form.select_one("[name=csrf_token]")["value"]
    return client.post(to or form["action"], data={"csrf_token": token, **data})


def suspended(session):
    session.rollback()
    count = session.scalar(select(func.count()).where(Personne.suspendu_le.is_not(None)))
    session.rollback()
    return count


def text(answer):
    return soup(answer).select_one("main").get_text(" ", strip=True)


class TestChoose:
    def test_the_lines_ticked_are_asked_about_then_done_then_undone(self, correspondant, session, gens):
        answer = choose(correspondant, f"{A}/eleves/", acte="suspendre", rowid=gens[:3])
        page = correspondant.get(answer.location)
        assert "Suspendre 3 comptes ?" in text(page)
        assert "Collège A" in soup(page).select_one("nav.pr-crumbs").get_text()
        assert soup(page).select_one("nav.pr-tree h2").get_text() == "Vue établissement"
        assert "=1+1 Zoé, N01 Zoé, N02 Zoé" in text(page)
        assert suspended(session) == 0
        refused = post(correspondant, answer.location, {"motif": ""}, f"{answer.location}/confirmer")
        assert "Dites pourquoi" in soup(refused).select_one("#motif-erreur").get_text()
        done = post(correspondant, answer.location, {"motif": "Fermeture"}, f"{answer.location}/confirmer")
        assert "3 comptes suspendus." in text(correspondant.get(done.location))
        assert suspended(session) == 3
        assert session.scalar(select(func.count()).where(Journal.acte == "compte.suspendre")) == 3
        again = correspondant.post(f"{answer.location}/confirmer", data={"csrf_token": token(correspondant)})
        assert "déjà lancé" in soup(correspondant.get(again.location)).get_text()

        back = post(correspondant, answer.location, {}, f"{answer.location}/defaire")
        assert "Réactiver 3 comptes ?" in text(correspondant.get(back.location))
        post(correspondant, back.location, {}, f"{back.location}/confirmer")
        assert suspended(session) == 0
        page = text(correspondant.get(answer.location))
        assert "Défait par" in page
        assert "Défaire cet acte" not in page
        listed = rows(correspondant.get(ACTES))
        assert [line["Acte"] for line in listed] == ["Réactivation de comptes", "Suspension de comptes"]
        assert {line["État"] for line in listed} == {"Fini"}

    def test_the_whole_list_across_pages_and_its_filters(self, correspondant, session, gens):
        page = soup(correspondant.get(f"{A}/eleves/"))
        assert "Tout sélectionner : 30 élèves" in page.select_one("[data-toute-la-liste]").get_text()
        answer = choose(correspondant, f"{A}/eleves/", acte="suspendre", rowid=gens[:1], tout="1")
        assert "Suspendre 30 comptes ?" in text(correspondant.get(answer.location))
        answer = choose(correspondant, f"{A}/eleves/?email=sans", acte="suspendre", rowid=gens[:1], tout="1")
        page = text(correspondant.get(answer.location))
        assert "Suspendre 15 comptes ?" in page
        assert "liste filtrée" in page
        gone = post(correspondant, answer.location, {}, f"{answer.location}/abandonner")
        assert gone.status_code == 302
        assert correspondant.get(answer.location).status_code == 404
        assert suspended(session) == 0

    def test_an_export_is_the_file_of_the_lines(self, correspondant, gens):
        answer = choose(correspondant, f"{A}/eleves/", acte="export", rowid=gens[:2])
        assert "csrf" not in answer.location
        lines = correspondant.get(answer.location).get_data(as_text=True).splitlines()
        assert len(lines) == 3
        answer = choose(correspondant, f"{A}/eleves/?email=sans", acte="export", rowid=gens[:2], tout="1")
        assert len(correspondant.get(answer.location).get_data(as_text=True).splitlines()) == 16

    def test_hostile_choices_do_nothing(self, correspondant, session, ecoles, gens):
        for data in ({"acte": "suspendre"}, {"acte": "suspendre", "rowid": ["x", "-1", "9" * 30, gens[31]]}):
            answer = choose(correspondant, f"{A}/eleves/", **data)
            assert "Cochez au moins une personne" in soup(correspondant.get(answer.location)).get_text()
        for acte in ("detruire", ""):
            assert choose(correspondant, f"{A}/eleves/", acte=acte, rowid=gens[:1]).status_code == 404
        for to in (f"{A}/suppressions/actes", "/etablissements/0180001B/utilisateurs/eleves/actes"):
            assert (
                choose(correspondant, f"{A}/eleves/", to=to, acte="suspendre", rowid=gens).status_code == 404
            )
        assert session.scalars(select(ActeEnNombre)).all() == []

    def test_the_head_reads_reports_and_acts_on_nothing(self, sign_in, correspondant, session, ecoles, gens):
        made = choose(correspondant, f"{A}/eleves/", acte="suspendre", rowid=gens[:2])
        post(correspondant, made.location, {"motif": "x"}, f"{made.location}/confirmer")
        head = sign_in("chef_etablissement", etablissement_id=ecoles.ecole_a)
        form = soup(head.get(f"{A}/eleves/")).select_one("form[data-selection]")
        assert form["method"] == "get"
        page = head.get(made.location)
        assert "2 comptes suspendus" in text(page)
        assert soup(page).select("main form") == []
        data = {"csrf_token": token(head), "acte": "suspendre", "rowid": gens[:1]}
        for url in (
            f"{A}/eleves/actes",
            ACTES,
            *(f"{made.location}/{one}" for one in ("confirmer", "defaire")),
        ):
            assert head.post(url, data=data).status_code == 403


def token(client):
    g.pop("csrf_token", None)  # the test's context outlives requests: another client's would be given
    return soup(client.get("/mon-espace/")).select_one("[name=csrf_token]")["value"]


class TestPerimeter:
    def test_an_academie_acts_on_all_its_schools_and_no_other(self, sign_in, session, ecoles, gens):
        assistant = sign_in("accompagnement", academie_id=ecoles.academie_a)
        assistant.get("/personnes/")
        answer = choose(assistant, "/personnes/", acte="suspendre", rowid=gens[28:32])
        assert "Suspendre 2 comptes ?" in text(assistant.get(answer.location))
        answer = choose(assistant, "/personnes/", acte="suspendre", tout="1")
        assert "Suspendre 30 comptes ?" in text(assistant.get(answer.location))
        post(assistant, answer.location, {"motif": "x"}, f"{answer.location}/confirmer")
        assert suspended(session) == 30
        assert set(
            session.scalars(select(Journal.etablissement_id).where(Journal.acte == "compte.suspendre"))
        ) == {ecoles.ecole_a}

    def test_others_neither_see_nor_carry_on_an_act(self, sign_in, correspondant, session, ecoles, gens):
        made = choose(correspondant, f"{A}/eleves/", acte="suspendre", rowid=gens[:2])
        stranger = sign_in("assistant_plateforme", academie_id=ecoles.academie_b)
        colleague = sign_in("accompagnement", academie_id=ecoles.academie_a)
        assert stranger.get(made.location).status_code == 404
        assert stranger.get(f"{made.location}/compte-rendu.csv").status_code == 404
        assert colleague.get(made.location).status_code == 200
        for client in (stranger, colleague):
            data = {"csrf_token": token(client), "motif": "x"}
            assert client.post(f"{made.location}/confirmer", data=data).status_code == 404
            assert client.post(f"{made.location}/abandonner", data=data).status_code == 404
        assert suspended(session) == 0


class TestReport:
    def test_says_each_row_and_no_spreadsheet_computes_it(self, correspondant, session, ecoles, gens):
        me = session.scalars(select(Compte)).one()
        me.personne_id = gens[1]
        session.commit()
        made = choose(correspondant, f"{A}/eleves/", acte="suspendre", rowid=gens[:3])
        post(correspondant, made.location, {"motif": "x"}, f"{made.location}/confirmer")
        page = correspondant.get(made.location)
        assert "2 comptes suspendus, 1 refusé." in text(page)
        assert [line["Personne"] for line in rows(page)] == ["N01 Zoé"]
        assert "demandez à un autre" in rows(page)[0]["Pourquoi"]
        body = correspondant.get(f"{made.location}/compte-rendu.csv").get_data(as_text=True)
        lines = list(csv.reader(io.StringIO(body.removeprefix("\ufeff")), delimiter=";"))
        assert lines[0] == ["Nom", "Prénom", "Identifiant", "Établissement", "Résultat", "Raison", "Le"]
        assert [line[0] for line in lines[1:]] == ["'=1+1", "N01", "N02"]
        assert [line[4] for line in lines[1:]] == ["Fait", "Refusé", "Fait"]


class TestLong:
    def test_it_is_followed_stopped_taken_up_again(self, app, correspondant, session, gens, monkeypatch):
        monkeypatch.setattr(operations, "TOUT_DE_SUITE", 5)
        made = choose(correspondant, f"{A}/eleves/", acte="suspendre", tout="1")
        post(correspondant, made.location, {"motif": "x"}, f"{made.location}/confirmer")
        page = soup(correspondant.get(made.location))
        assert page.select_one("#suivi")["hx-trigger"] == "every 2s"
        assert page.select_one("progress")["max"] == "30"
        fragment = correspondant.get(made.location, headers={"HX-Request": "true"})
        assert soup(fragment).select_one("html") is None
        task = session.scalars(select(Tache)).one()
        assert task.libelle == "Suspension de comptes : Élèves, Collège A"
        post(correspondant, made.location, {}, f"{made.location}/arreter")
        assert "Arrêté" in text(correspondant.get(made.location))
        post(correspondant, made.location, {}, f"{made.location}/reprendre")
        number = task.id
        session.rollback()
        runner.run(app, number)
        assert suspended(session) == 30
        assert "30 comptes suspendus." in text(correspondant.get(made.location))
        assert session.scalar(select(func.count()).where(LigneActeEnNombre.etat == "fait")) == 30


class TestLinks:
    def test_who_has_an_address_gets_a_link_and_the_others_are_told(self, correspondant, session, gens):
        for key in gens[:4]:
            session.get_one(Personne, key).login = f"zoe.n{key}"
        session.commit()
        made = choose(correspondant, f"{A}/eleves/", acte="mot_de_passe", rowid=gens[:4])
        page = text(correspondant.get(made.location))
        assert "Envoyer un lien à 4 personnes ?" in page
        assert "2 n’ont pas d’e-mail" in page
        post(correspondant, made.location, {}, f"{made.location}/confirmer")
        page = correspondant.get(made.location)
        assert "2 liens envoyés, 2 refusés." in text(page)
        assert "Défaire" not in text(page)
        session.rollback()
        assert session.scalar(select(func.count()).select_from(Courriel)) == 2
