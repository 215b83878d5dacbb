"""Pages of what a school lends: each role its part, conflicts named, one booking for one form (R6)."""

import io
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import g
from icalendar import Calendar
from PIL import Image
from sqlalchemy import func, select, update

from app.extensions import PARIS, now
from app.models import (
    AdresseCalendrier,
    Courriel,
    Journal,
    Occupation,
    Personne,
    Rattachement,
    Reservation,
    Ressource,
    ServiceCollectivite,
)
from app.operations import reservations as acts
from app.operations import ressources
from app.operations.sessions import open_session
from app.views.reservation_regles import rules_html
from app.views.reservation_semaine import week
from tests.support.reservations import ICI, QUI, a, lundi, membre, ressource
from tests.views.conftest import soup

A, B = "/etablissements/0190001A/reservations", "/etablissements/0180001B/reservations"
MINE = "/mon-espace/reservations/"


@pytest.fixture
def enter(app, session, ecoles, catalogue):
    """Return what signs somebody of a school in: teachers ask, staff validate and manage."""

    def make(nom, profil="enseignant", school=None):
        session.rollback()
        who = membre(session, school or ecoles.ecole_a, nom, profil)
        token = open_session(session, who.compte)
        session.commit()
        client = app.test_client()
        with client.session_transaction() as cookie:
            cookie["jeton"] = token
        client.personne = who.personne
        return client

    return make


@pytest.fixture
def salle(session, ecoles):
    row = ressource(
        session, ecoles.ecole_a, "Salle info", categorie="Salles", lieu="Bât. B", regles="**Rangez**"
    )
    session.commit()
    return row


def send(client, session, page, **data):
    g.pop("csrf_token", None)  # kept for the next client otherwise: the test holds the application context
    form = soup(client.get(page)).select_one("main form[method=post]")
    hidden = {one["name"]: one.get("value", "") for one in form.select("input[type=hidden]")}
    session.rollback()
    answer = client.post(form.get("action") or page, data={**hidden, **data})
    session.rollback()
    session.expire_all()
    return answer


def text(answer):
    return soup(answer).main.get_text(" ", strip=True)


def slot(debut="10:00", fin="11:00", **more):
    return {"jour": lundi().isoformat(), "debut": debut, "fin": fin, "nombre": "1", **more}


def booked(session):
    return session.scalar(select(func.count(Reservation.id)))


class TestRoles:
    def test_each_profile_by_its_roles_and_nobody_else(self, enter, salle, session):
        teacher, agent = enter("PROF"), enter("AGENT", "personnel")
        pupil, parent = enter("ELEVE", "eleve"), enter("PARENT", "responsable")
        pages = {f"{A}/": "1100", f"{A}/jour": "1100", f"{A}/ressources/{salle.id}": "1100"}
        pages |= {f"{A}/ressources/{salle.id}/demander": "1100", f"{A}/a-valider": "0100"}
        pages |= {f"{A}/historique": "0100", f"{A}/export": "0100", f"{A}/ressources/ajouter": "0100"}
        pages |= {f"{A}/ressources/{salle.id}/modifier": "0100", f"{A}/ressources/{salle.id}/retirer": "0100"}
        for page, wanted in pages.items():
            got = "".join(
                "1" if client.get(page).status_code == 200 else "0"
                for client in (teacher, agent, pupil, parent)
            )
            assert got == wanted, page

    def test_another_school_is_404_and_so_is_its_resource_under_ones_own(self, enter, salle, session, ecoles):
        there = ressource(session, ecoles.ecole_b, "Leur salle")
        session.commit()
        client = enter("PROF")
        for page in (f"{B}/", f"{B}/ressources/{there.id}", f"{A}/ressources/{there.id}", f"{B}/jour"):
            assert client.get(page).status_code == 404
        assert client.get(f"/mon-espace/reservations/calendrier/0180001B/{there.id}.ics").status_code == 404

    def test_a_service_switched_off_shows_to_the_console_only(self, enter, salle, session, ecoles, sign_in):
        client, local = enter("PROF"), sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        session.execute(update(ServiceCollectivite).values(fin=now()))
        session.commit()
        assert client.get(f"{A}/").status_code == 404
        assert client.get(f"{A}/ressources/{salle.id}/demander").status_code == 404
        assert "n’est pas ouvert à cet établissement" in text(local.get(f"{A}/"))

    def test_the_suspended_and_the_gone_lose_it_at_once(self, enter, salle, session):
        client = enter("PROF")
        assert client.get(f"{A}/").status_code == 200
        place = session.scalars(
            select(Rattachement).where(Rattachement.personne_id == client.personne.id)
        ).one()
        place.fin = now()
        session.commit()
        assert client.get(f"{A}/").status_code == 404

    def test_the_console_reaches_it_by_the_tree_and_users_by_their_space(
        self, enter, salle, sign_in, ecoles, session
    ):
        local = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        tree = soup(local.get("/etablissements/0190001A/")).select_one(".pr-tree")
        assert "Réservation de matériel" in tree.select_one(f"a[href='{A}/']").get_text()
        page = soup(enter("PROF").get("/mon-espace/"))
        assert page.select_one(f"main a[href='{A}/']")
        assert not soup(enter("ELEVE", "eleve").get("/mon-espace/")).select_one(f"main a[href='{A}/']")


class TestDemander:
    def test_asked_told_and_listed(self, enter, salle, session):
        enter("AGENT", "personnel")
        client = enter("PROF")
        page = f"{A}/ressources/{salle.id}/demander"
        answer = send(client, session, page, **slot(motif="Exposés"))
        assert answer.location == MINE
        row = session.scalars(select(Reservation)).one()
        assert (row.personne_id, row.etat, row.motif) == (client.personne.id, "demandee", "Exposés")
        assert session.scalars(select(Courriel.destinataire)).all() == ["agent@exemple.fr"]
        said = text(client.get(MINE))
        assert "Salle info" in said
        assert "À valider" in said
        assert "10:00\u00a0–\u00a011:00" in said

    def test_a_conflict_is_named_and_free_slots_fill_the_form(self, enter, salle, session):
        other, client = enter("DUPONT"), enter("PROF")
        page = f"{A}/ressources/{salle.id}/demander"
        send(other, session, page, **slot())
        refused = send(client, session, page, **slot("10:30", "11:30", motif="Chimie"))
        assert refused.status_code == 200
        assert "Déjà réservé de 10:00 à 11:00 par Mme Dupont." in text(refused)
        assert soup(refused).select_one("#motif")["value"] == "Chimie"
        link = soup(refused).select_one(".pr-libres a")["href"]
        filled = soup(client.get(link))
        assert (filled.select_one("#debut")["value"], filled.select_one("#fin")["value"]) == (
            "09:00",
            "10:00",
        )
        assert booked(session) == 1

    def test_the_same_form_twice_is_one_booking(self, enter, salle, session):
        client = enter("PROF")
        page = f"{A}/ressources/{salle.id}/demander"
        form = soup(client.get(page)).select_one("main form[method=post]")
        hidden = {one["name"]: one.get("value", "") for one in form.select("input[type=hidden]")}
        for _ in range(2):
            assert client.post(page, data={**hidden, **slot()}).location == MINE
        assert booked(session) == 1

    def test_a_series_reports_its_taken_dates_then_takes_the_others(self, enter, salle, session):
        client, page = enter("PROF"), f"{A}/ressources/{salle.id}/demander"
        send(client, session, page, **slot(jour=lundi(2).isoformat()))
        wanted = slot("10:00", "11:00", jusqua=lundi(3).isoformat())
        refused = send(client, session, page, **wanted)
        assert "1 date prise sur 3" in text(refused)
        assert f"{lundi(2):%d/%m/%Y}" in text(refused)
        assert send(client, session, page, **wanted, sans_conflits="1").location == MINE
        assert booked(session) == 3

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"jour": "2026-02-31"}, "Cette date n’existe pas"),
            ({"jour": ""}, "Ce champ est nécessaire"),
            ({"debut": "25:99"}, "Écrivez une heure"),
            ({"debut": "\0"}, "Écrivez une heure"),
            ({"fin": "09:00"}, "après le début"),
            ({"jusqua": "demain"}, "Cette date n’existe pas"),
            ({"motif": "x" * 300}, "200 au plus"),
        ],
    )
    def test_what_cannot_be_read_is_said_on_its_field(self, enter, salle, session, wrong, said):
        answer = send(enter("PROF"), session, f"{A}/ressources/{salle.id}/demander", **{**slot(), **wrong})
        assert answer.status_code == 200
        assert said in text(answer)
        assert booked(session) == 0

    def test_a_name_that_bites_stays_text(self, enter, session, ecoles):
        item = ressource(
            session, ecoles.ecole_a, "<img src=x onerror=alert(1)>",
            regles="<script>alert(1)</script> [x](javascript:alert(1)) ![i](https://x.fr/i.png)",
        )  # fmt: skip
        session.commit()
        client = enter("PROF")
        for page in (f"{A}/", f"{A}/ressources/{item.id}", f"{A}/ressources/{item.id}/demander", f"{A}/jour"):
            main = soup(client.get(page)).main
            assert not main.select("img[src], script, a[href^=javascript]")


class TestAnnuler:
    def test_ones_own_is_withdrawn_somebody_elses_is_404(self, enter, salle, session):
        client, other = enter("PROF"), enter("AUTRE")
        send(client, session, f"{A}/ressources/{salle.id}/demander", **slot())
        pk = session.scalars(select(Reservation.id)).one()
        assert other.get(f"{A}/{pk}/annuler").status_code == 404
        assert "Annuler Salle info ?" in text(client.get(f"{A}/{pk}/annuler"))
        assert session.get(Reservation, pk).etat == "demandee"
        session.rollback()
        assert send(client, session, f"{A}/{pk}/annuler").location == MINE
        assert session.get(Reservation, pk).etat == "annulee"
        assert session.scalar(select(func.count(Occupation.id))) == 0

    def test_a_manager_says_why_and_the_author_reads_it(self, enter, salle, session):
        client, manager = enter("PROF"), enter("AGENT", "personnel")
        send(client, session, f"{A}/ressources/{salle.id}/demander", **slot())
        pk = session.scalars(select(Reservation.id)).one()
        assert "Dites pourquoi" in text(send(manager, session, f"{A}/{pk}/annuler", motif=" "))
        send(manager, session, f"{A}/{pk}/annuler", motif="Travaux")
        mail = session.scalars(select(Courriel).where(Courriel.destinataire == "prof@exemple.fr")).one()
        assert "Travaux" in mail.texte

    def test_the_whole_series_at_once(self, enter, salle, session):
        client = enter("PROF")
        send(client, session, f"{A}/ressources/{salle.id}/demander", **slot(jusqua=lundi(3).isoformat()))
        pk = session.scalars(select(Reservation.id).order_by(Reservation.debut)).first()
        send(client, session, f"{A}/{pk}/annuler", serie="1")
        assert set(session.scalars(select(Reservation.etat))) == {"annulee"}


class TestValider:
    @pytest.fixture
    def demandes(self, enter, salle, session):
        client = enter("PROF")
        for start in ("08:00", "10:00", "12:00"):
            end = f"{int(start[:2]) + 1:02}:00"
            send(client, session, f"{A}/ressources/{salle.id}/demander", **slot(start, end))
        return session.scalars(select(Reservation.id).order_by(Reservation.debut)).all()

    def test_one_then_many_with_a_report_of_those_that_could_not(self, enter, session, demandes):
        agent, page = enter("AGENT", "personnel"), f"{A}/a-valider"
        assert "3 demandes attendent" in text(agent.get(page))
        assert send(agent, session, page, decision=f"accepter:{demandes[0]}").status_code == 302
        assert session.get(Reservation, demandes[0]).etat == "validee"
        session.rollback()
        report = send(agent, session, page, rowid=demandes, decision="refuser", reponse="Travaux")
        said = text(report)
        assert "Cette demande est déjà acceptée par Anne AGENT" in said
        assert said.count("Refusée") >= 2
        assert [session.get(Reservation, pk).etat for pk in demandes] == ["validee", "refusee", "refusee"]

    def test_refusing_asks_for_a_reason_and_keeps_what_was_ticked(self, enter, session, demandes):
        agent = enter("AGENT", "personnel")
        page = send(agent, session, f"{A}/a-valider", rowid=demandes[:2], decision="refuser", reponse="")
        assert "Dites pourquoi" in text(page)
        assert len(soup(page).select("input[name=rowid][checked]")) == 2
        assert set(session.scalars(select(Reservation.etat))) == {"demandee"}

    def test_requests_of_another_school_are_unknown(self, enter, session, demandes, ecoles):
        stranger = enter("LOIN", "personnel", school=ecoles.ecole_b)
        assert stranger.get(f"{A}/a-valider").status_code == 404
        item = ressource(session, ecoles.ecole_b, "Leur salle")
        session.commit()
        send(stranger, session, f"{B}/ressources/{item.id}/demander", **slot())
        page = send(stranger, session, f"{B}/a-valider", rowid=[demandes[0]], decision="accepter")
        assert "n’existe pas" in text(page)
        assert session.get(Reservation, demandes[0]).etat == "demandee"


class TestGererLesRessources:
    VALUES = {
        "nom": "Chariot", "categorie": "Informatique", "quantite": "15", "duree_max": "240", "preavis": "60",
        "o_0_0_a": "08:00", "o_0_0_b": "12:00", "o_0_1_a": "13:30", "o_0_1_b": "18:00", "regles": "- Ranger",
    }  # fmt: skip

    def test_added_with_a_photo_made_anew(self, enter, session):
        agent = enter("AGENT", "personnel")
        picture = io.BytesIO()
        exif = Image.Exif()
        exif[0x010E] = "secret du photographe"
        Image.new("RGB", (2000, 1000), "#0b5c63").save(picture, "JPEG", exif=exif)
        sent = {**self.VALUES, "photo": (io.BytesIO(picture.getvalue()), "../x.php")}
        answer = send(agent, session, f"{A}/ressources/ajouter", **sent)
        row = session.scalars(select(Ressource)).one()
        assert answer.location == f"{A}/ressources/{row.id}"
        assert row.ouvertures == [[0, "08:00", "12:00"], [0, "13:30", "18:00"]]
        assert (row.quantite, row.duree_max, row.a_valider) == (15, 240, False)
        photo = agent.get(f"{A}/ressources/{row.id}/photo")
        assert photo.content_type == "image/webp"
        assert b"photographe" not in photo.data
        assert max(Image.open(io.BytesIO(photo.data)).size) <= 1600
        line = session.scalars(select(Journal).where(Journal.acte == "ressource.creer")).one()
        assert line.apres["image"] == "changée"

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"nom": " "}, "Donnez-lui un nom"),
            ({"quantite": "0"}, "nombre entier, de 1 à 500"),
            ({"quantite": "10e9"}, "nombre entier, de 1 à 500"),
            ({"o_0_0_b": "07:00"}, "finit avant de commencer"),
            ({"o_0_1_a": "11:00"}, "se chevauchent"),
            ({"o_0_0_a": ""}, "Écrivez des heures"),
            ({"o_0_0_a": "08+01"}, "Écrivez des heures"),
            ({"photo": b"<?php"}, "pas une image"),
            ({"photo": b"<svg xmlns='http://www.w3.org/2000/svg'/>"}, ""),
            ({"nom": "Salle info"}, "existe déjà ici"),
        ],
    )
    def test_refused_on_its_field_and_nothing_is_written(self, enter, session, salle, wrong, said):
        agent = enter("AGENT", "personnel")
        if "photo" in wrong:
            wrong = {"photo": (io.BytesIO(wrong["photo"]), "x.jpg")}
        page = send(agent, session, f"{A}/ressources/ajouter", **{**self.VALUES, **wrong})
        assert page.status_code == 200
        assert said in text(page)
        assert session.scalars(select(Ressource.nom)).all() == ["Salle info"]

    def test_no_more_than_lists_show(self, enter, session, salle, monkeypatch):
        monkeypatch.setattr(ressources, "MOST_HERE", 1)
        page = send(enter("AGENT", "personnel"), session, f"{A}/ressources/ajouter", **self.VALUES)
        assert "décrit déjà 1 ressources" in text(page)
        assert session.scalars(select(Ressource.nom)).all() == ["Salle info"]

    def test_two_managers_at_once_is_a_conflict(self, enter, session, salle):
        agent = enter("AGENT", "personnel")
        page = f"{A}/ressources/{salle.id}/modifier"
        first = {**self.VALUES, "nom": "Premier", "quantite": "1"}
        send(agent, session, page, **first)
        late = send(agent, session, page, **{**first, "nom": "Second", "_version": "1"})
        assert late.status_code == 409
        assert "Valeur enregistrée entre-temps : Premier" in text(late)
        assert session.get(Ressource, salle.id).nom == "Premier"

    def test_withdrawn_put_back_deleted_or_not(self, enter, session, salle):
        agent, teacher = enter("AGENT", "personnel"), enter("PROF")
        page = f"{A}/ressources/{salle.id}"
        send(agent, session, f"{page}/retirer")
        assert teacher.get(page).status_code == 404
        send(agent, session, page)  # the only form of its page puts it back
        assert teacher.get(page).status_code == 200
        send(teacher, session, f"{page}/demander", **slot())
        send(agent, session, f"{page}/supprimer")
        assert session.get(Ressource, salle.id) is not None
        assert "gardées pour l’historique" in text(agent.get(page))


class TestCalendriers:
    def address(self, client, session, page):
        forms = soup(client.get(page)).select("form[method=post]")
        form = next(one for one in forms if "/adresse" in (one.get("action") or ""))
        answer = client.post(
            form["action"], data={"csrf_token": form.select_one("[name=csrf_token]")["value"]}
        )
        session.rollback()
        return re.search(r"(/calendriers/[\w-]+\.ics)", text(answer))[1]

    def events(self, answer):
        return [str(one["summary"]) for one in Calendar.from_ical(answer.data).walk("VEVENT")]

    def test_secret_read_without_session_replaced_and_closed(self, enter, salle, session, app):
        client, stranger = enter("PROF"), app.test_client()
        send(client, session, f"{A}/ressources/{salle.id}/demander", **slot())
        url = self.address(client, session, MINE)
        assert len(url.removeprefix("/calendriers/").removesuffix(".ics")) >= 22  # 128 bits
        answer = stranger.get(url)
        assert self.events(answer) == ["Salle info (à valider)"]
        assert "Set-Cookie" not in answer.headers
        assert url.split("/")[-1].removesuffix(".ics") not in str(
            session.scalars(select(AdresseCalendrier)).one().empreinte
        )
        again = self.address(client, session, MINE)
        assert stranger.get(url).status_code == client.get(url).status_code == 404
        told = session.scalars(select(Journal.objet).where(Journal.acte == "acces.refuser")).all()
        assert told == ["GET /calendriers/<jeton>.ics"]
        session.rollback()
        assert stranger.get(again).status_code == 200
        form = soup(client.get(MINE)).select_one("form:has(input[value=fermer])")
        client.post(
            form["action"],
            data={"csrf_token": form.select_one("[name=csrf_token]")["value"], "acte": "fermer"},
        )
        assert stranger.get(again).status_code == 404

    def test_of_a_resource_names_who_has_it_until_its_holder_loses_access(self, enter, salle, session, app):
        client, stranger = enter("DUPONT"), app.test_client()
        send(client, session, f"{A}/ressources/{salle.id}/demander", **slot())
        url = self.address(client, session, f"/mon-espace/reservations/calendrier/0190001A/{salle.id}")
        assert self.events(stranger.get(url)) == ["Salle info – Mme Dupont (à valider)"]
        session.get(Personne, client.personne.id).suspendu_le = now()
        session.commit()
        assert stranger.get(url).status_code == 404

    def test_a_file_says_instants_in_utc_and_only_what_holds(self, enter, salle, session):
        client = enter("PROF")
        send(client, session, f"{A}/ressources/{salle.id}/demander", **slot())
        read = Calendar.from_ical(client.get("/mon-espace/reservations/agenda.ics").data).walk("VEVENT")
        wanted = datetime.combine(lundi(), datetime.min.time(), PARIS) + timedelta(hours=10)
        assert read[0]["dtstart"].dt == wanted.astimezone(UTC)
        session.scalars(select(Reservation)).one().etat = "annulee"
        session.commit()
        assert self.events(client.get("/mon-espace/reservations/agenda.ics")) == []


class TestListes:
    def test_history_is_filtered_and_exported_without_formulas(self, enter, salle, session):
        client, agent = enter("PROF"), enter("AGENT", "personnel")
        send(client, session, f"{A}/ressources/{salle.id}/demander", **slot(motif="=2+3"))
        assert "1 réservation" in text(agent.get(f"{A}/historique?etat=demandee"))
        assert "Rien ne correspond" in text(agent.get(f"{A}/historique?etat=refusee"))
        assert "Rien ne correspond" in text(agent.get(f"{A}/historique?au=2020-01-01"))
        content = agent.get(f"{A}/export").get_data(as_text=True)
        assert "Salle info;Salles;Bât. B" in content
        assert "'=2+3" in content

    def test_the_catalogue_finds_what_is_free_at_a_slot(self, enter, salle, session, ecoles):
        ressource(session, ecoles.ecole_a, "Kangoo", categorie="Véhicules")
        session.commit()
        client = enter("PROF")
        send(client, session, f"{A}/ressources/{salle.id}/demander", **slot())

        def found(query):
            return [one.get_text() for one in soup(client.get(f"{A}/?{query}")).select(".pr-catalogue h2")]

        assert found("") == ["Kangoo", "Salle info"]
        assert found(f"jour={lundi()}&de=10:30&a=11:30") == ["Kangoo"]
        assert found(f"jour={lundi()}&de=11:00&a=12:00") == ["Kangoo", "Salle info"]
        assert found("q=B%C3%A2t.+b") == ["Salle info"]
        assert found("categorie=V%C3%A9hicules") == ["Kangoo"]

    def test_hostile_arguments_are_clamped(self, enter, salle):
        client = enter("PROF")
        for query in (
            "jour=9999-99-99",
            "semaine=-1",
            "semaine=0001-01-01",
            "q=%25",
        ):
            for page in (f"{A}/", f"{A}/jour", f"{A}/ressources/{salle.id}"):
                assert client.get(f"{page}?{query}").status_code == 200

    def test_as_many_statements_for_many_resources_as_for_few(self, enter, session, ecoles, statements):
        client = enter("PROF")

        def cost(page):
            statements.clear()
            assert client.get(page).status_code == 200
            return len(statements)

        ressource(session, ecoles.ecole_a, "R0")
        session.commit()
        few = [cost(f"{A}/"), cost(f"{A}/jour")]
        for n in range(1, 25):
            ressource(session, ecoles.ecole_a, f"R{n}")
        session.commit()
        assert [cost(f"{A}/"), cost(f"{A}/jour")] == few


class TestSemaine:
    def cells(self, item, bookings, held, moment):
        return week(item, [lundi() + timedelta(days=n) for n in range(7)], bookings, held, moment)

    def test_each_line_adds_up_to_the_table_whatever_the_edges(self, session, ecoles, enter, salle):
        who = enter("PROF").personne
        for debut, fin in (("08:15", "09:45"), ("09:45", "10:00"), ("13:05", "18:00")):
            acts.demander(session, salle, who, a(debut, fin), acteur=QUI, deployment=ICI)
        session.commit()
        page = soup(enter("AUTRE").get(f"{A}/ressources/{salle.id}?semaine={lundi()}"))
        table = page.select_one("table.pr-semaine")
        lines = table.select("tbody tr")
        columns = len(table.select("thead th")) - 1
        spans = [int(cell["rowspan"]) for cell in table.select("tbody td")]
        assert sum(spans) == columns * len(lines)
        taken = [cell.get_text(" ", strip=True) for cell in table.select("td[data-sorte=pris]")]
        assert len(taken) == 3
        assert all("Mme Prof" in one for one in taken)

    @pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
    def test_the_day_clocks_change_is_drawn_and_booked(self, session, ecoles, enter, day, hours):
        item = ressource(session, ecoles.ecole_a, "Télescope", ouvertures=[[6, "00:00", "24:00"]])
        session.commit()
        with time_machine.travel(datetime.fromisoformat(f"{day}T00:00:00+00:00") - timedelta(days=9)):
            client = enter("PROF")
            page = f"{A}/ressources/{item.id}/demander"
            sent = {"jour": day, "debut": "00:00", "fin": "23:59"}
            send(client, session, page, **sent)
            row = session.scalars(select(Reservation)).one()
            assert row.fin - row.debut == timedelta(hours=hours, minutes=-1)
            seen = client.get(f"{A}/ressources/{item.id}?semaine={day}")
        assert "Mme Prof" in text(seen)


def test_rules_are_markdown_without_anything_that_runs():
    drawn = rules_html("# Titre\n- **gras**\n- [lien](https://x.fr)\n<b onclick=x>html</b> [m](javascript:x)")
    assert "<h3>Titre</h3>" in drawn
    assert 'href="https://x.fr" rel="noopener noreferrer"' in drawn
    assert "<b " not in drawn
    assert 'href="javascript' not in drawn
    many = f"[a]: https://x.fr/{'b' * 2_000}\n\n" + "[a] " * 480
    assert len(rules_html(many)) < 10_000


def test_an_administrator_without_a_person_looks_and_keeps_but_does_not_ask(
    sign_in, salle, ecoles, catalogue
):
    local = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    page = soup(local.get(f"{A}/ressources/{salle.id}"))
    assert page.select_one(f"a[href='{A}/ressources/{salle.id}/modifier']")
    assert not page.select(f"a[href^='{A}/ressources/{salle.id}/demander']")
    assert local.get(f"{A}/ressources/{salle.id}/demander").status_code == 404
