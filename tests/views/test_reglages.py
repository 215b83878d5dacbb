"""Settings of the services of a school: drawn after a schema, saved, tried, switched (R4 to R9)."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from app.extensions import now
from app.jobs import runner
from app.models import (
    Abonnement,
    ComposantEtablissement,
    ComposantService,
    EssaiService,
    EtatService,
    Identifiant,
    Journal,
    Personne,
    Rattachement,
    ReglageService,
    Service,
    Tache,
)
from tests.views.conftest import post, soup

HERE = "/etablissements/0190001A/services/"
FICHIERS, NOTES, BCDI = (
    f"{HERE}{code}/reglages" for code in ("serveur_etablissement", "notes_absences", "bcdi")
)
SAISIE = {"adresse": "fichiers.exemple.fr", "port": "990", "protocole": "ftps"}


@pytest.fixture
def correspondant(sign_in, ecoles, catalogue, session):
    client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    client.get("/etablissements/0190001A/")
    session.rollback()
    return client


def row(session, ecoles):
    session.rollback()
    return session.scalars(select(ReglageService).filter_by(etablissement_id=ecoles.ecole_a)).one_or_none()


class TestPage:
    def test_a_field_of_the_schema_is_a_field_of_the_page(self, correspondant, session):
        bcdi = session.scalars(select(Service).filter_by(code="bcdi")).one()
        bcdi.reglages = [
            {"code": "a", "libelle": "Adresse", "type": "url", "obligatoire": True, "aide": "Celle du CDI."},
            {"code": "b", "libelle": "Port", "type": "port"},
            {"code": "c", "libelle": "Mode", "type": "choix", "choix": [["x", "Express"]]},
            {"code": "d", "libelle": "Phrase", "type": "secret"},
            {"code": "e", "libelle": "Profils", "type": "profils"},
            {"code": "f", "libelle": "Ouvert", "type": "oui_non"},
        ]
        session.commit()
        page = soup(correspondant.get(BCDI))
        assert {one["name"]: one.get("type", one.name) for one in page.select("#bcdi [name]")} == {
            "csrf_token": "hidden", "_version": "hidden", "composant": "hidden", "a": "url", "b": "text",
            "c": "select", "d": "password", "e": "checkbox", "f": "checkbox",
        }  # fmt: skip
        assert "Celle du CDI." in page.text
        sent = {
            "a": "https://cdi.exemple.fr/",
            "b": "81",
            "c": "x",
            "d": "le sapin",
            "e": ["eleve"],
            "f": "1",
        }
        assert post(correspondant, BCDI, sent).status_code == 302
        again = correspondant.get(BCDI).get_data(as_text=True)
        assert "sapin" not in again
        assert "Oublier ce mot de passe" in again

    def test_a_service_without_settings_has_no_page(self, correspondant):
        assert correspondant.get(f"{HERE}forum/reglages").status_code == 404
        assert correspondant.get(f"{HERE}absent/reglages").status_code == 404

    def test_the_head_of_the_school_reads_and_writes_nothing(self, sign_in, ecoles, catalogue):
        head = sign_in("chef_etablissement", etablissement_id=ecoles.ecole_a)
        page = soup(head.get(FICHIERS))
        assert page.select_one("#serveur_etablissement input:not([type=hidden]), #contenu button") is None
        assert post(head, FICHIERS, SAISIE).status_code == 403

    def test_statements(self, correspondant, statements):
        for address in (FICHIERS, NOTES):
            correspondant.get(address)
            statements.clear()
            correspondant.get(address)
            # 3 of the frame, school, services and cells, components, settings, tries
            assert len(statements) <= 10, "\n".join(statements)

    def test_the_page_of_a_service_holds_its_settings_and_its_grid(self, correspondant, statements):
        address = FICHIERS.removesuffix("/reglages")
        correspondant.get(address)
        statements.clear()
        page = soup(correspondant.get(address))
        assert page.select_one("#serveur_etablissement [name=port]") is not None
        assert page.select_one("#droits input[type=checkbox]") is not None
        # as above, with who has which profiles and the last changes of the grid
        assert len(statements) <= 10, "\n".join(statements)
        assert soup(correspondant.get(f"{HERE}forum")).select_one("[data-reglages]") is None


class TestSaving:
    def test_written_with_what_was_before_and_after(self, correspondant, session, ecoles):
        assert post(correspondant, FICHIERS, SAISIE).status_code == 302
        assert row(session, ecoles).valeurs["port"] == 990
        line = session.scalars(select(Journal).filter_by(acte="service.regler")).one()
        assert line.apres["adresse"] == "fichiers.exemple.fr"

    def test_a_refusal_is_on_its_field_and_keeps_what_was_typed(self, correspondant, session, ecoles):
        answer = post(correspondant, FICHIERS, {**SAISIE, "port": "99999"})
        field = soup(answer).select_one("#serveur_etablissement-port")
        assert (answer.status_code, field["value"], field["aria-invalid"]) == (200, "99999", "true")
        assert "1 à 65535" in soup(answer).select_one("#serveur_etablissement-port-erreur").text
        assert row(session, ecoles) is None

    def test_two_at_once_both_values_are_shown(self, correspondant, session, ecoles):
        post(correspondant, FICHIERS, SAISIE)
        post(correspondant, FICHIERS, {**SAISIE, "port": "2121", "_version": "1"})
        answer = post(correspondant, FICHIERS, {**SAISIE, "port": "2122", "_version": "1"})
        page = soup(answer)
        assert answer.status_code == 409
        assert page.select_one("#serveur_etablissement-port")["value"] == "2122"
        assert "entre-temps : 2121" in page.select_one("#serveur_etablissement-port-erreur").text
        assert page.select_one("[name=_version]")["value"] == "2"
        assert row(session, ecoles).valeurs["port"] == 2121

    def test_what_is_on_asks_for_a_try_or_for_a_yes(self, correspondant, session, ecoles):
        post(correspondant, BCDI, {"adresse": "https://un.exemple.fr/"})
        service = session.scalars(select(Service).filter_by(code="bcdi")).one()
        service.nature = "initial"
        session.commit()
        moved = {"adresse": "https://deux.exemple.fr/", "_version": "1"}
        page = soup(post(correspondant, BCDI, moved))
        assert page.select_one("[name=sans_essai]") is not None
        assert post(correspondant, BCDI, {**moved, "sans_essai": "1"}).status_code == 302
        assert row(session, ecoles).valeurs["adresse"] == "https://deux.exemple.fr/"

    def test_switching_on_untried_is_asked_and_answered(self, correspondant, session, ecoles):
        post(correspondant, BCDI, {"adresse": "https://un.exemple.fr/"})
        switch = f"{HERE}bcdi/basculer"
        assert soup(correspondant.get(switch)).select_one("[name=sans_essai]") is not None
        post(correspondant, switch, {"actif": "1"})
        assert session.query(EtatService).count() == 0
        session.rollback()
        post(correspondant, switch, {"actif": "1", "sans_essai": "1"})
        assert session.scalars(select(EtatService.actif)).all() == [True]

    def test_of_another_school_is_not_there(self, sign_in, ecoles, catalogue, session):
        stranger = sign_in("correspondant", etablissement_id=ecoles.ecole_b)
        own = FICHIERS.replace("0190001A", "0180001B")
        for address in (FICHIERS, f"{FICHIERS}/tester", f"{HERE}notes_absences/composants/interne"):
            assert post(stranger, own, SAISIE, address).status_code == 404
        assert session.query(ReglageService).count() == session.query(EssaiService).count() == 0


class TestTrying:
    def test_asked_followed_and_told_while_what_is_typed_stays(self, app, correspondant, session):
        answer = post(correspondant, BCDI, {"adresse": "http://10.0.0.1/pmb"}, f"{BCDI}/tester")
        page = soup(answer)
        waiting = page.select_one("[id^=essai-]")
        assert (waiting["aria-busy"], page.select_one("#bcdi-adresse")["value"]) == (
            "true", "http://10.0.0.1/pmb",
        )  # fmt: skip
        task = session.scalars(select(Tache.id)).one()
        session.rollback()
        runner.run(app, task)
        told = correspondant.get(waiting["hx-get"], headers={"HX-Request": "true"}).get_data(as_text=True)
        assert "hx-get" not in told
        assert "Aucun serveur joignable" in told
        assert "0,1" in told
        assert "Adresse non testée" not in correspondant.get(BCDI).get_data(as_text=True)
        assert session.query(ReglageService).count() == 0

    def test_a_refused_value_is_not_tried(self, correspondant, session):
        page = soup(post(correspondant, BCDI, {"adresse": "file:///etc/passwd"}, f"{BCDI}/tester"))
        assert page.select_one("#bcdi-adresse")["aria-invalid"] == "true"
        assert session.query(EssaiService).count() == 0

    def test_of_another_school_is_not_there(self, correspondant, sign_in, ecoles, session):
        post(correspondant, BCDI, {"adresse": "http://10.0.0.1/"}, f"{BCDI}/tester")
        pk = session.scalars(select(EssaiService.id)).one()
        session.rollback()
        stranger = sign_in("assistant_plateforme", academie_id=ecoles.academie_b)
        for uai in ("0190001A", "0180001B"):
            address = f"/etablissements/{uai}/services/bcdi/reglages/essais/{pk}"
            assert stranger.get(address, headers={"HX-Request": "true"}).status_code == 404


class TestSoftware:
    def test_switched_after_a_question(self, correspondant, session, ecoles):
        address = f"{HERE}notes_absences/composants/interne"
        assert "Activer « Notes et absences de l’ENT » ?" in soup(correspondant.get(address)).h1.text
        assert post(correspondant, address, {"actif": "1"}).status_code == 302
        assert session.scalars(select(ComposantEtablissement.place)).all() == ["interne"]
        assert "1 actif sur 3" in soup(correspondant.get(NOTES)).text
        assert post(correspondant, address, {"actif": "0"}).status_code == 302

    def test_a_second_external_one_is_refused_with_the_name_of_the_first(self, correspondant):
        for code in ("pronote_2009", "pronote_2010"):
            sent = {"adresse": "https://n.exemple.fr/", "composant": code, "_version": ""}
            assert post(correspondant, NOTES, sent).status_code == 302
        post(correspondant, f"{HERE}notes_absences/composants/pronote_2009", {"actif": "1"})
        other = f"{HERE}notes_absences/composants/pronote_2010"
        assert "« Pronote.net 2009 » est actif" in soup(correspondant.get(other)).text
        answer = post(correspondant, other, {"actif": "1"})
        assert (answer.status_code, "Désactivez-le" in soup(answer).text) == (200, True)

    def test_the_address_proposed_and_the_one_used(self, correspondant):
        page = soup(correspondant.get(NOTES))
        proposed = page.select_one("#notes_absences-pronote_2010-adresse")["value"]
        assert "<id>" in proposed
        sent = {"adresse": proposed, "numero": "0190001a", "composant": "pronote_2010"}
        assert post(correspondant, NOTES, sent).status_code == 302
        page = soup(correspondant.get(NOTES.removesuffix("/reglages")))
        used = page.select_one("#notes_absences-pronote_2010 [data-finale]").text
        assert used == "https://0190001a.index-education.net/pronote/"


class TestResources:
    def test_off_by_default_and_closed_to_who_did_not_subscribe(self, correspondant, session):
        page = soup(correspondant.get(f"{HERE}ressources_numeriques/reglages"))
        assert "0 active sur 5" in page.text
        assert [one.text.split()[-1] for one in page.select("[data-confirmer]")] == ["ligne"]
        answer = post(correspondant, f"{HERE}ressources_numeriques/composants/manuels", {"actif": "1"})
        assert "abonné" in soup(answer).text
        assert session.query(ComposantEtablissement).count() == 0


class TestIdentifiers:
    GIBII = f"{HERE}gibii/identifiants/gibii"

    @pytest.fixture
    def paul(self, session, ecoles):
        one = Personne(
            nom="=ÉLÈVE", prenom="Paul", nom_recherche="eleve paul", date_naissance=date(2012, 3, 4)
        )
        gone = Personne(nom="PARTI", prenom="X", nom_recherche="parti x", suspendu_le=now())
        session.add_all([one, gone])
        session.flush()
        for person, profil in ((one, "eleve"), (gone, "eleve"), (one, "responsable")):
            session.add(
                Rattachement(
                    personne_id=person.id,
                    etablissement_id=ecoles.ecole_a,
                    profil=profil,
                    division_id=ecoles.classe_a if profil == "eleve" else None,
                )
            )
        session.add(Identifiant(personne_id=one.id, type="eleve_id", valeur="778899", source="siecle"))
        session.commit()
        return one.id

    def test_opaque_stable_without_formula_and_journalled(self, correspondant, session, paul):
        page = f"{HERE}gibii/reglages"
        first = post(correspondant, page, {}, self.GIBII)
        text = first.get_data(as_text=True)
        assert first.headers["Cache-Control"] == "no-store"
        assert post(correspondant, page, {}, self.GIBII).get_data(as_text=True) == text
        head, line = text.lstrip("\ufeff").splitlines()
        cells = dict(zip(head.split(";"), line.split(";"), strict=True))
        assert cells.pop("Classe")
        assert len(cells.pop("Identifiant")) == 24
        assert cells == {
            "Nom": "'=ÉLÈVE",
            "Prénom": "Paul",
            "Profil": "Élève",
            "Date de naissance": "04/03/2012",
            "Numéro SIECLE": "778899",
            "UAI": "0190001A",
        }
        lines = session.scalars(select(Journal).filter_by(acte="service.exporter")).all()
        assert [one.apres["personnes"] for one in lines] == [1, 1]

    def test_two_lists_cannot_be_compared(self, correspondant, session, ecoles, paul):
        paraschool = session.scalars(select(ComposantService).filter_by(code="paraschool")).one()
        session.add(Abonnement(composant_id=paraschool.id, etablissement_id=ecoles.ecole_a))
        session.commit()
        resources = f"{HERE}ressources_numeriques"
        sent = (
            (f"{HERE}gibii/reglages", self.GIBII),
            (f"{resources}/reglages", f"{resources}/identifiants/paraschool"),
        )
        one, other = [post(correspondant, page, {}, to).get_data(as_text=True) for page, to in sent]
        assert one.splitlines()[1].split(";")[0] != other.splitlines()[1].split(";")[0]
        assert "2012" not in other

    def test_a_list_nobody_asks_for_is_not_there(self, correspondant, session):
        for address in (
            f"{HERE}bcdi/identifiants/gibii",
            f"{HERE}ressources_numeriques/identifiants/paraschool",
        ):
            assert post(correspondant, BCDI, {}, address).status_code == 404
        assert session.query(Journal).filter_by(acte="service.exporter").count() == 0

    def test_an_empty_list_is_not_sent(self, correspondant):
        answer = post(correspondant, f"{HERE}gibii/reglages", {}, self.GIBII)
        assert answer.status_code == 302
