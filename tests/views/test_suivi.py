"""Journal, outgoing mail, tasks: what one sees, filters, exports; stopping and starting again."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from app.models import Compte, Courriel, Journal, Tache
from app.operations import courriels, journal
from tests.views.conftest import post, rows, soup


@pytest.fixture
def lignes(session, ecoles):
    """One act in each school, one of the platform."""
    for school in (ecoles.ecole_a, ecoles.ecole_b, None):
        journal.write(
            session, acte="etablissement.modifier", acteur=f"Acteur {school}", objet="Collège",
            etablissement_id=school, avant={"email": "=1+1"}, apres={"email": "b@exemple.fr"},
        )  # fmt: skip
    session.commit()


class TestJournal:
    def test_in_words_and_within_the_perimeter(self, admin, sign_in, ecoles, lignes):
        assert {line["Acte"] for line in rows(admin.get("/suivi/journal/list/"))} == {"Établissement modifié"}
        local = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        (line,) = rows(local.get("/suivi/journal/list/"))
        assert line["Qui"] == f"Acteur {ecoles.ecole_a}"

    def test_a_line_names_fields_and_roles_as_people_do(self, admin, session, ecoles):
        line = journal.write(
            session, acte="rôle attribué", acteur="Zoé", objet_type="compte", objet="Zoé",
            avant={"role": None}, apres={"role": "chef_etablissement", "login": "zoe.x"},
        )  # fmt: skip
        session.commit()
        page = admin.get(f"/suivi/journal/show/{line.id}")
        after = {row["Champ"]: row["Après"] for row in rows(page)}
        assert after == {"Rôle": "Chef d’établissement", "Identifiant de connexion": "zoe.x"}
        assert "Compte" in [fact.text.strip() for fact in soup(page).select("dl.pr-facts dd")]

    def test_filters_by_who(self, admin, ecoles, lignes):
        assert len(rows(admin.get(f"/suivi/journal/list/?q=Acteur+{ecoles.ecole_b}"))) == 1

    def test_the_export_has_before_and_after_and_never_computes(self, admin, lignes):
        exported = admin.get("/suivi/journal/export").get_data(as_text=True)
        assert "E-mail : =1+1" in exported
        assert exported.count("Établissement modifié") == 3

    def test_a_changed_line_shows_as_a_broken_chain(self, admin, session, ecoles, lignes):
        line = session.scalars(select(Journal).where(Journal.etablissement_id == ecoles.ecole_a)).one()
        page = f"/suivi/journal/show/{line.id}"
        session.commit()
        assert "Chaîne intacte" in admin.get(page).get_data(as_text=True)
        session.connection().execute(
            text("UPDATE journal SET acteur = 'Autre' WHERE id = :id"), {"id": line.id}
        )
        session.commit()
        assert "Chaîne rompue à la ligne 1" in admin.get(page).get_data(as_text=True)

    def test_nothing_is_written_here(self, admin, lignes):
        for method in ("add", "edit/1", "delete/1"):
            assert admin.get(f"/suivi/journal/{method}").status_code == 404


class TestCourriel:
    def test_a_failed_mail_goes_back_in_the_queue(self, admin, session, ecoles):
        mail = courriels.queue(session, destinataire="a@exemple.fr", objet="Bonjour", texte="…")
        mail.etat, mail.erreur = "echec", "550"
        session.commit()
        assert rows(admin.get("/suivi/courriels/list/"))[0]["État"] == "En échec"
        post(admin, f"/suivi/courriels/action/renvoyer/{mail.id}")
        session.expire_all()
        assert session.get(Courriel, mail.id).etat == "attente"
        assert session.scalars(select(Journal).where(Journal.acte == "courriel.renvoyer")).one()

    def test_a_sent_mail_is_refused_with_a_sentence(self, admin, session, ecoles):
        mail = courriels.queue(session, destinataire="a@exemple.fr", objet="Bonjour", texte="…")
        mail.etat = "envoye"
        session.commit()
        post(admin, f"/suivi/courriels/action/renvoyer/{mail.id}")
        assert "Seul un courriel en échec" in admin.get("/suivi/courriels/list/").get_data(as_text=True)

    def test_academic_roles_read_only(self, sign_in, session, ecoles):
        mail = courriels.queue(
            session, destinataire="a@b.fr", objet="X", texte="…", etablissement_id=ecoles.ecole_a
        )
        session.commit()
        client = sign_in("accompagnement", academie_id=ecoles.academie_a)
        assert len(rows(client.get("/suivi/courriels/list/"))) == 1
        assert client.get(f"/suivi/courriels/action/renvoyer/{mail.id}").status_code == 403


class TestTaches:
    def test_progress_result_and_failure_are_told(self, admin, session, ecoles):
        session.add_all(
            [
                Tache(
                    type="essai", libelle="Codes d’accès", etat="cours", fait=1240, total=3104, parametres={}
                ),
                Tache(
                    type="essai",
                    libelle="Envoi",
                    etat="echec",
                    message="Le serveur ne répond pas.",
                    parametres={},
                ),
            ]
        )
        session.commit()
        page = soup(admin.get("/suivi/travaux/"))
        assert page.select_one("progress")["value"] == "39"
        assert "Le serveur ne répond pas." in page.text
        assert page.select_one("#travaux")["hx-get"] == "/suivi/travaux/"
        fragment = admin.get("/suivi/travaux/", headers={"HX-Request": "true"}).get_data(as_text=True)
        assert fragment.lstrip().startswith('<div id="travaux"')

    def test_ones_own_task_is_stopped_and_started_again(self, sign_in, session, ecoles):
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        account = session.query(Compte).filter_by(username="correspondant1").one()
        task = Tache(type="essai", libelle="Lecture", parametres={}, compte_id=account.id)
        session.add(task)
        session.commit()
        page = f"/suivi/travaux/{task.id}"
        post(client, page, action_url=f"{page}/annuler")
        session.expire_all()
        assert task.etat == "annulee"
        post(client, page, action_url=f"{page}/relancer")
        session.expire_all()
        assert task.etat == "attente"
        assert {line.acte for line in session.scalars(select(Journal))} >= {"tache.annuler", "tache.relancer"}

    def test_a_reading_starts_again_within_the_schools_of_today(self, sign_in, session, ecoles):
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        account = session.query(Compte).filter_by(username="correspondant1").one()
        task = Tache(
            type="alimentation.lire", libelle="Lecture", etat="echec", compte_id=account.id,
            parametres={"depot": "x", "limites": {"tout": True}},
        )  # fmt: skip
        session.add(task)
        session.commit()
        page = f"/suivi/travaux/{task.id}"
        post(client, page, action_url=f"{page}/relancer")
        session.expire_all()
        assert task.etat == "attente"
        assert task.parametres["limites"] == {
            "tout": False, "academies": [], "etablissements": [ecoles.ecole_a],
        }  # fmt: skip

    def test_somebody_elses_task_is_not_stopped(self, sign_in, session, ecoles):
        task = Tache(type="essai", libelle="Lecture", parametres={}, etablissement_id=ecoles.ecole_a)
        mine = Tache(type="essai", libelle="Autre", parametres={}, etablissement_id=ecoles.ecole_b)
        session.add_all([task, mine])
        session.commit()
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        assert client.get(f"/suivi/travaux/{task.id}").status_code == 200
        assert client.get(f"/suivi/travaux/{mine.id}").status_code == 404
        token = soup(client.get("/alimentations/nouvelle")).select_one("main input[name=csrf_token]")["value"]
        assert client.post(f"/suivi/travaux/{task.id}/annuler", data={"csrf_token": token}).status_code == 404
        session.expire_all()
        assert task.etat == "attente"

    @pytest.mark.parametrize("arguments", ["etat=x", "apres=-1", "apres=9e9", "etat[]=1"])
    def test_hostile_arguments_are_tamed(self, admin, ecoles, arguments):
        assert admin.get(f"/suivi/travaux/?{arguments}").status_code == 200
