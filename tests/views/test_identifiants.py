"""«Identifiants»: who is listed, what the files say and never say, who may take them (U14, K4, K5)."""

import csv
import io
import os
from datetime import date

import pypdf
import pytest
from sqlalchemy import select

from app.extensions import now
from app.jobs import runner
from app.models import (
    Compte,
    Division,
    Journal,
    Mef,
    Personne,
    Rattachement,
    Responsabilite,
    Tache,
)
from app.operations import codes, journal, sorties
from app.queries.noms import personne_key
from tests.views.conftest import post, rows, soup

KEY = "une clé de codes pour les essais, hors de la base"


@pytest.fixture
def reglages(reglages):
    return {**reglages, "cle_codes": KEY}


@pytest.fixture
def gens(session, ecoles):
    """Three pupils of two classes, one of whom activated; parents; a teacher; somebody who left; school B."""
    mef = Mef(code="10310019110", libelle="3EME", niveau="3EME")
    other = Division(etablissement_id=ecoles.ecole_a, code="3B", libelle="3e B")
    session.add_all([mef, other])
    session.flush()
    made = {}

    def person(name, prenom, profil="eleve", school=ecoles.ecole_a, **more):
        place = {key: more.pop(key) for key in ("division_id", "mef_id", "fin") if key in more}
        row = Personne(
            nom=name, prenom=prenom, nom_recherche=personne_key(name, prenom),
            login=f"{prenom}.{name}".lower().replace(" ", "")[:60], **more,
        )  # fmt: skip
        session.add(row)
        session.flush()
        session.add(Rattachement(personne_id=row.id, etablissement_id=school, profil=profil, **place))
        session.flush()
        made[prenom] = row
        return row

    six = {"division_id": ecoles.classe_a}
    person("ZOLA", "Anne", date_naissance=date(2012, 3, 4), **six)
    person("ABEL", "Bruno", division_id=other.id, mef_id=mef.id)
    done = person("ACTIF", "Chloé", **six)
    mother = person(
        "ZOLA", "Diane", "responsable", adresse="1 rue de l’Été", code_postal="01000", commune="BOURG"
    )
    contact = person("ZOLA", "Fred", "responsable")
    person("=cmd|' /C calc'!A1", "Eve", "enseignant", email="eve@exemple.fr")
    person("PARTI", "Gil", fin=now(), **six)
    person("VOISIN", "Hugo", school=ecoles.ecole_b)
    session.add(
        Compte(
            username="chloe.actif", first_name="Chloé", last_name="ACTIF", email="c@exemple.fr",
            active=True, password="", personne_id=done.id,
        )
    )  # fmt: skip
    for eleve, adult, niveau in (("Anne", mother, 1), ("Chloé", mother, 2), ("Anne", contact, 3)):
        session.add(Responsabilite(eleve_id=made[eleve].id, responsable_id=adult.id, niveau=niveau))
    session.commit()
    return made


URL = "/etablissements/0190001A/identifiants/"


@pytest.fixture
def local(sign_in, session, ecoles):
    client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    client.get(URL)  # the visit of the school is noted apart
    session.rollback()
    return client


def run(app, session, id_):
    """Do a task as the worker does, in a transaction of its own."""
    session.rollback()
    runner.run(app, id_)
    session.expire_all()


def code(person):
    return codes.written(codes.code_of(person, KEY))


def exported(answer):
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    text = answer.get_data().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


def acts(session, code_):
    return session.scalars(select(Journal).where(Journal.acte == code_).order_by(Journal.id)).all()


class TestListe:
    def test_filters_by_profile_level_class_and_state_sorted_by_class_and_shows_no_code(self, local, gens):
        names = [row["Nom"] for row in rows(local.get(URL))]
        assert names == ["ABEL Bruno", "ACTIF Chloé", "ZOLA Anne"], "3e B first, then 6A"

        def shown(**filters):
            return [row["Nom"].split()[-1] for row in rows(local.get(URL, query_string=filters))]

        assert shown(niveau="3EME") == ["Bruno"]
        assert shown(etat="actif") == ["Chloé"]
        assert shown(etat="inactif") == ["Bruno", "Anne"]
        assert shown(profil="responsable", niveau="3EME") == []
        assert shown(profil="responsable") == ["Diane", "Fred"]
        assert shown(profil="supprime") == ["Gil"]
        assert shown(q="zol") == ["Anne"]
        assert shown(profil="inconnu", classe="abc", etat="x", page="-4", rowid="z") == shown()
        page = local.get(URL).get_data(as_text=True)
        assert not any(code(person) in page for person in gens.values())
        assert "dont 2 attendent leur première connexion" in page

    def test_a_head_of_school_reads_it_and_takes_nothing(self, sign_in, ecoles, gens):
        head = sign_in("chef_etablissement", etablissement_id=ecoles.ecole_a)
        page = head.get(URL)
        assert page.status_code == 200
        assert "Exporter" not in soup(page).main.get_text()
        assert not soup(page).select("main input[name=rowid]")


class TestExport:
    def test_codes_of_those_who_never_activated_and_of_nobody_else(self, local, session, gens):
        found = exported(post(local, URL, {}, URL + "exporter"))
        assert [line["Nom"] for line in found] == ["ABEL", "ACTIF", "ZOLA"]
        by = {line["Prénom"]: line for line in found}
        assert by["Anne"]["Code d’activation"] == code(gens["Anne"])
        assert by["Anne"]["Date de naissance"] == "04/03/2012"
        assert by["Bruno"]["Classe"] == "3e B"
        assert by["Chloé"]["Code d’activation"] == ""
        assert by["Chloé"]["État du compte"] == "Actif"
        line = acts(session, "identifiants.exporter")[-1]
        assert line.apres == {"profil": "eleve", "personnes": 3, "codes": 2}
        assert line.acteur == "Claire Montagné"

    def test_parents_carry_postcode_town_and_the_codes_of_children_they_are_in_charge_of(self, local, gens):
        found = exported(post(local, f"{URL}?profil=responsable", {}, URL + "exporter"))
        by = {line["Prénom"]: line for line in found}
        assert by["Diane"]["Code postal"] == "01000"
        assert by["Diane"]["Commune"] == "BOURG"
        theirs = by["Diane"]["Codes d’activation des enfants"]
        assert theirs == f"ACTIF Chloé : sans code, ZOLA Anne : {code(gens['Anne'])}"
        assert by["Fred"]["Codes d’activation des enfants"] == "", "a contact is not in charge"

    def test_a_name_that_is_a_formula_is_text_and_those_who_left_have_no_code(self, local, gens):
        found = exported(post(local, f"{URL}?profil=enseignant", {}, URL + "exporter"))
        assert found[0]["Nom"] == "'=cmd|' /C calc'!A1"
        gone = exported(post(local, f"{URL}?profil=supprime", {}, URL + "exporter"))
        assert [line["Prénom"] for line in gone] == ["Gil"]
        assert code(gens["Gil"]) not in str(gone)
        assert "Code d’activation" not in gone[0]

    def test_ticked_lines_only_and_the_journal_names_them(self, local, session, gens):
        place = session.scalars(
            select(Rattachement.id).where(Rattachement.personne_id == gens["Anne"].id)
        ).one()
        foreign = session.scalars(
            select(Rattachement.id).where(Rattachement.personne_id == gens["Hugo"].id)
        ).one()
        found = exported(post(local, URL, {"rowid": [place, foreign]}, URL + "exporter"))
        assert [line["Prénom"] for line in found] == ["Anne"]
        assert acts(session, "identifiants.exporter")[-1].apres["noms"] == ["ZOLA Anne"]


class TestCartes:
    def ask(self, client, session, page=f"{URL}cartes", **data):
        answer = post(client, page, data)
        assert answer.status_code == 302, soup(answer).main.get_text(" ", strip=True)
        task = session.scalars(select(Tache).order_by(Tache.id.desc())).first()
        assert answer.location.endswith(f"/identifiants/cartes/{task.id}")
        return task

    def test_the_cards_are_made_in_the_background_and_given_to_who_asked_alone(
        self, app, local, sign_in, session, ecoles, gens
    ):
        task = self.ask(local, session, par_page="8")
        follow = f"{URL}cartes/{task.id}"
        assert "En attente" in local.get(follow).get_data(as_text=True)
        assert local.get(f"{follow}/fichier").status_code == 404
        run(app, session, task.id)
        page = local.get(follow)
        assert "2 cartes sur 1 page" in page.get_data(as_text=True)
        with local.get(soup(page).select_one("a[download]")["href"]) as given:
            assert given.headers["Cache-Control"] == "no-store"
            assert given.mimetype == "application/pdf"
            text = pypdf.PdfReader(io.BytesIO(given.get_data())).pages[0].extract_text()
        assert text.index("ABEL Bruno") < text.index("ZOLA Anne")
        assert code(gens["Anne"]) in text
        assert "ACTIF" not in text
        assert acts(session, "identifiants.imprimer")[-1].apres == {
            "profil": "eleve", "cartes": 2, "par_page": 8, "nouveaux": False,
        }  # fmt: skip
        other = sign_in("chef_etablissement", etablissement_id=ecoles.ecole_a)
        assert other.get(f"{follow}/fichier").status_code == 403
        for stranger in (
            sign_in("assistant_n2"),
            sign_in("accompagnement", academie_id=ecoles.academie_b),
        ):
            assert stranger.get(f"{follow}/fichier").status_code == 404
        self.expire(app, session, task)
        assert local.get(f"{follow}/fichier").status_code == 404
        assert "n’est plus gardé" in local.get(follow).get_data(as_text=True)

    def expire(self, app, session, task):
        session.refresh(task)
        root = app.extensions["reglages"].dossier
        assert sorties.purge(root) == 0
        folder = root / "sorties" / task.resultat["sortie"]
        for path in (folder / task.resultat["fichier"], folder):
            os.utime(path, (1, 1))
        assert sorties.purge(root) == 1
        assert not folder.exists()

    def test_new_codes_replace_the_old_ones_once_even_when_the_work_starts_over(
        self, app, local, session, gens
    ):
        old = {name: codes.code_of(gens[name], KEY) for name in ("Anne", "Bruno", "Chloé")}
        task = self.ask(local, session, par_page="1", nouveaux="1")
        run(app, session, task.id)
        anne = session.get_one(Personne, gens["Anne"].id)
        new = codes.code_of(anne, KEY)
        assert new != old["Anne"]
        assert not codes.check_code(anne, old["Anne"], KEY)
        assert codes.code_of(session.get_one(Personne, gens["Chloé"].id), KEY) == old["Chloé"]
        lines = acts(session, "code.renouveler")
        assert [line.objet for line in lines] == ["ZOLA Anne", "ABEL Bruno"]
        assert new not in str([(line.avant, line.apres, line.objet) for line in lines])
        assert journal.verify(session, gens["Anne"] and task.etablissement_id) is None
        task = session.get_one(Tache, task.id)
        task.etat, task.resultat = "attente", None  # killed after the codes, before its end
        session.commit()
        run(app, session, task.id)
        assert codes.code_of(session.get_one(Personne, gens["Anne"].id), KEY) == new
        with local.get(f"{URL}cartes/{task.id}/fichier") as given:
            pages = pypdf.PdfReader(io.BytesIO(given.get_data())).pages
        assert codes.written(new) in pages[1].extract_text()

    def test_nobody_left_to_give_a_card_to_is_said(self, local, session, gens):
        answer = post(local, f"{URL}cartes?etat=actif", {"par_page": "8"})
        assert "Aucune de ces personnes n’attend de code" in answer.get_data(as_text=True)
        assert "disabled" in str(soup(local.get(f"{URL}cartes?etat=actif")).select_one("main .btn-primary"))
        assert session.scalars(select(Tache)).all() == []

    def test_a_selection_becomes_an_address(self, local, session, gens):
        answer = post(local, URL, {"rowid": ["7", "8"]}, f"{URL}cartes")
        assert answer.location.endswith("/identifiants/cartes?profil=eleve&rowid=7&rowid=8")


def test_another_school_and_an_unknown_one_answer_alike(sign_in, ecoles, gens):
    other = sign_in("correspondant", etablissement_id=ecoles.ecole_b)
    for address in (URL, URL + "cartes", "/etablissements/0999999Z/identifiants/"):
        assert other.get(address).status_code == 404
    page = other.get("/etablissements/0180001B/identifiants/")
    assert [row["Nom"] for row in rows(page)] == ["VOISIN Hugo"]
    token = soup(page).select_one("input[name=csrf_token]")["value"]
    assert other.post(URL + "exporter", data={"csrf_token": token}).status_code == 404
