"""Asking for a resource: taken once, whoever asks at the same time; refused with what is free nearby (R6)."""

import threading
from datetime import date, datetime, time, timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.errors import RuleViolationError, UserError
from app.extensions import PARIS, db
from app.models import Courriel, Journal, Occupation, Personne, Reservation, Ressource
from app.operations import reservations as acts
from app.operations import reservations_suivi as suivi
from app.operations import ressources
from app.operations.reservations import ConflitsError, Demande
from app.security.perimetres import TOUT, perimetre
from app.views.acts import constraint_of
from tests.support.reservations import ICI, QUI, a, lundi, membre, ressource

pytestmark = pytest.mark.usefixtures("catalogue")


@pytest.fixture
def dupont(session, cast):
    made = membre(session, cast.ecole_a, "DUPONT")
    session.commit()
    return made.personne


@pytest.fixture
def salle(session, cast):
    row = ressource(session, cast.ecole_a, "Salle info", categorie="Salles")
    session.commit()
    return row


def ask(session, item, who, demande):
    return acts.demander(session, item, who, demande, acteur=QUI, deployment=ICI)


def held(session, item):
    return session.scalar(select(func.count(Occupation.id)).where(Occupation.ressource_id == item.id))


class TestDemander:
    def test_a_request_holds_its_slot_and_is_told(self, session, salle, dupont):
        row = ask(session, salle, dupont, a("10:00", "11:00", motif="Exposés 4e B")).reservations[0]
        assert (row.etat, row.motif, row.serie) == ("demandee", "Exposés 4e B", None)
        assert row.debut == datetime.combine(lundi(), time(10), PARIS)
        assert held(session, salle) == 1
        line = session.scalars(select(Journal).where(Journal.acte == "reservation.demander")).one()
        assert (line.etablissement_id, line.apres["ressource"]) == (salle.etablissement_id, "Salle info")

    def test_without_validation_it_is_accepted_at_once(self, session, salle, dupont):
        salle.a_valider = False
        assert ask(session, salle, dupont, a("10:00", "11:00")).reservations[0].etat == "validee"

    def test_a_conflict_names_who_has_it_and_what_is_free_nearby(self, session, salle, dupont):
        ask(session, salle, dupont, a("10:00", "11:00"))
        with pytest.raises(ConflitsError) as refused:
            ask(session, salle, dupont, a("10:30", "11:30"))
        assert refused.value.message == "Déjà réservé de 10:00 à 11:00 par Mme Dupont."
        free = [start.astimezone(PARIS).strftime("%a %H:%M") for start, _end in refused.value.libres]
        assert free == ["Mon 09:00", "Mon 11:00", "Tue 10:30", "Wed 10:30"]
        assert held(session, salle) == 1

    def test_one_ends_when_the_next_starts(self, session, salle, dupont):
        for hours in (("10:00", "11:00"), ("11:00", "12:00"), ("09:00", "10:00")):
            ask(session, salle, dupont, a(*hours))
        assert held(session, salle) == 3

    def test_refused_or_withdrawn_gives_the_slot_back(self, session, salle, dupont):
        for close in ("refuser", "annuler"):
            row = ask(session, salle, dupont, a("10:00", "11:00")).reservations[0]
            if close == "refuser":
                suivi.decider(
                    session, salle.etablissement_id, row.id, accepter=False, reponse="Panne", acteur=QUI,
                    deployment=ICI,
                )  # fmt: skip
            else:
                suivi.annuler(
                    session,
                    salle.etablissement_id,
                    row.id,
                    titulaire_id=dupont.id,
                    acteur=QUI,
                    deployment=ICI,
                )
            assert held(session, salle) == 0

    def test_the_same_form_twice_is_one_booking(self, session, salle, dupont):
        first = ask(session, salle, dupont, a("10:00", "11:00", cle="f1"))
        again = ask(session, salle, dupont, a("10:00", "11:00", cle="f1"))
        assert again.deja
        assert [row.id for row in again.reservations] == [row.id for row in first.reservations]
        assert session.scalar(select(func.count(Reservation.id))) == 1

    @pytest.mark.parametrize(
        ("demande", "field", "said"),
        [
            (lambda: a("07:00", "09:00"), "debut", "de 08:00 à 18:00"),
            (lambda: a("17:00", "18:30"), "debut", "de 08:00 à 18:00"),
            (lambda: a("10:00", "11:00", jours=6), "jour", "dimanche"),
            (lambda: a("11:00", "10:00"), "fin", "après le début"),
            (lambda: a("11:00", "11:00"), "fin", "après le début"),
            (lambda: a("10:00", "15:00"), "fin", "4 h au plus"),
            (lambda: a("10:00", "11:00", nombre=2), "nombre", "de 1 à 1"),
            (lambda: a("10:00", "11:00", nombre=0), "nombre", "de 1 à 1"),
            (lambda: a("10:00", "11:00", nombre=-3), "nombre", "de 1 à 1"),
            (lambda: a("10:00", "11:00", motif="x" * 201), "motif", "200 au plus"),
            (lambda: a("10:00", "11:00", motif="a\0b"), "motif", "invisible"),
            (lambda: Demande(lundi(-2), time(10), time(11)), "debut", "déjà commencé"),
            (lambda: Demande(date(2098, 1, 6), time(10), time(11)), "jour", "trop lointaine"),
            (lambda: a("10:00", "11:00", jusqua=lundi(200)), "jusqua", "45 au plus"),
            (lambda: a("10:00", "11:00", jusqua=lundi(0)), "jusqua", "précède"),
        ],
    )
    def test_each_rule_is_refused_on_its_field(self, session, salle, dupont, demande, field, said):
        salle.duree_max = 240
        session.flush()
        with pytest.raises(RuleViolationError, match=said) as refused:
            ask(session, salle, dupont, demande())
        assert refused.value.field == field
        assert held(session, salle) == 0

    def test_a_thing_is_not_held_for_a_century(self, session, salle, dupont):
        with pytest.raises(RuleViolationError, match="trop lointaine") as refused:
            ask(session, salle, dupont, a("10:00", "11:00", dernier=lundi(52 * 70)))
        assert refused.value.field == "dernier"

    def test_asked_and_withdrawn_again_and_again_ends_with_the_day(self, session, salle, dupont, monkeypatch):
        monkeypatch.setattr(acts, "MOST_A_DAY", 2)
        for _ in range(2):
            row = ask(session, salle, dupont, a("10:00", "11:00")).reservations[0]
            suivi.annuler(
                session, salle.etablissement_id, row.id, titulaire_id=dupont.id, acteur=QUI, deployment=ICI
            )
        with pytest.raises(RuleViolationError, match="2 demandes par jour"):
            ask(session, salle, dupont, a("10:00", "11:00"))

    def test_withdrawn_from_the_catalogue_or_asked_too_late(self, session, salle, dupont):
        salle.preavis = 60 * 24 * 20
        session.flush()
        with pytest.raises(RuleViolationError, match="20 jours à l’avance"):
            ask(session, salle, dupont, a("10:00", "11:00"))
        salle.active = False
        session.flush()
        with pytest.raises(RuleViolationError, match="retirée du catalogue"):
            ask(session, salle, dupont, a("10:00", "11:00"))

    def test_a_car_goes_for_several_days_from_opening_to_opening(self, session, salle, dupont):
        row = ask(
            session, salle, dupont, a("09:00", "17:00", dernier=lundi() + timedelta(days=2))
        ).reservations[0]
        assert row.fin - row.debut == timedelta(days=2, hours=8)
        with pytest.raises(ConflitsError, match="Déjà réservé du"):
            ask(session, salle, dupont, a("10:00", "11:00", jours=1))


class TestPlusieursExemplaires:
    def test_as_many_as_there_are_and_no_more(self, session, cast, dupont):
        tablets = ressource(session, cast.ecole_a, "Tablettes", quantite=5)
        ask(session, tablets, dupont, a("10:00", "11:00", nombre=3))
        ask(session, tablets, dupont, a("10:30", "12:00", nombre=2))
        with pytest.raises(ConflitsError, match="Aucun n’est libre sur 5"):
            ask(session, tablets, dupont, a("10:30", "11:30"))
        with pytest.raises(ConflitsError, match="3 seulement sont libres sur 5"):
            ask(session, tablets, dupont, a("11:00", "12:00", nombre=4))
        ask(session, tablets, dupont, a("11:00", "12:00", nombre=3))
        with pytest.raises(RuleViolationError, match="exemplaires en trop") as refused:
            ressources.enregistrer(session, tablets, {**values_of(tablets), "quantite": 2}, acteur=QUI)
        assert refused.value.field == "quantite"


def values_of(item):
    columns = Ressource.__table__.columns
    return {one.name: getattr(item, one.name) for one in columns if not one.name.startswith("photo")}


class TestChaqueSemaine:
    def test_dates_in_conflict_are_reported_then_left_out(self, session, salle, dupont):
        ask(session, salle, dupont, Demande(lundi(2), time(10), time(11)))
        wanted = {"jusqua": lundi(4), "cle": "s"}
        with pytest.raises(ConflitsError, match="Une date sur 4") as refused:
            ask(session, salle, dupont, a("10:00", "11:00", **wanted))
        assert [one.debut.astimezone(PARIS).date() for one in refused.value.conflits] == [lundi(2)]
        done = ask(session, salle, dupont, a("10:00", "11:00", sans_conflits=True, **wanted))
        assert [row.debut.astimezone(PARIS).date() for row in done.reservations] == [
            lundi(1),
            lundi(3),
            lundi(4),
        ]
        assert len({row.serie for row in done.reservations}) == 1
        assert len(done.conflits) == 1

    def test_every_date_taken_is_refused_whole(self, session, salle, dupont):
        for week in (1, 2):
            ask(session, salle, dupont, Demande(lundi(week), time(10), time(11)))
        with pytest.raises(ConflitsError):
            ask(session, salle, dupont, a("10:00", "11:00", jusqua=lundi(2), sans_conflits=True))

    def test_the_hour_of_paris_stays_when_clocks_change(self, session, salle, dupont):
        with time_machine.travel(datetime(2026, 10, 12, 9, tzinfo=PARIS), tick=False):
            demande = Demande(date(2026, 10, 19), time(10), time(11), jusqua=date(2026, 11, 2))
            rows = ask(session, salle, dupont, demande).reservations
        assert [row.debut.hour for row in rows] == [8, 9, 9]
        assert {row.debut.astimezone(PARIS).hour for row in rows} == {10}

    def test_an_hour_that_does_not_exist_is_refused(self, session, cast, dupont):
        night = ressource(session, cast.ecole_a, "Télescope", ouvertures=[[6, "00:00", "24:00"]])
        with time_machine.travel(datetime(2026, 3, 20, 9, tzinfo=PARIS), tick=False):
            with pytest.raises(UserError, match="02:30 n’existe pas le 29/03/2026"):
                ask(session, night, dupont, Demande(date(2026, 3, 29), time(2, 30), time(4)))
            row = ask(session, night, dupont, Demande(date(2026, 3, 29), time(1), time(4))).reservations[0]
        assert row.fin - row.debut == timedelta(hours=2)


class TestLaBaseRefuse:
    def test_two_of_one_unit_at_one_time_whoever_writes_them(self, session, salle, dupont):
        row = ask(session, salle, dupont, a("10:00", "11:00")).reservations[0]
        half = timedelta(minutes=30)
        other = Occupation(
            reservation_id=row.id, ressource_id=salle.id, exemplaire=2, debut=row.debut, fin=row.fin
        )
        session.add(other)
        session.flush()
        session.commit()
        for change in (
            lambda: session.add(
                Occupation(
                    reservation_id=row.id,
                    ressource_id=salle.id,
                    exemplaire=1,
                    debut=row.debut + half,
                    fin=row.fin + half,
                )
            ),
            lambda: setattr(session.merge(other), "exemplaire", 1),
        ):
            change()
            with pytest.raises(IntegrityError) as refused:
                session.flush()
            session.rollback()
            assert constraint_of(refused.value) in {
                "ex_occupation_libre",
                "uq_occupation_reservation_id_exemplaire",
            }

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        slots=st.lists(
            st.tuples(st.integers(0, 39), st.integers(1, 12), st.integers(1, 3)), min_size=1, max_size=10
        )
    )
    def test_whatever_is_asked_no_unit_is_had_twice(self, session, cast, dupont, slots):
        session.execute(delete(Ressource).where(Ressource.nom == "Essai"))
        item = ressource(session, cast.ecole_a, "Essai", quantite=3, a_valider=False)
        start = datetime.combine(lundi(), time(8))
        for quarter, length, nombre in slots:
            debut = start + timedelta(minutes=15 * quarter)
            fin = min(debut + timedelta(minutes=15 * length), start.replace(hour=18))
            wanted = Demande(debut.date(), debut.time(), fin.time(), nombre=nombre)
            before = held(session, item)
            try:
                ask(session, item, dupont, wanted)
            except ConflitsError:
                assert held(session, item) == before
        rows = session.scalars(select(Occupation).where(Occupation.ressource_id == item.id)).all()
        for one in rows:
            assert 1 <= one.exemplaire <= 3
            for two in rows:
                if one is not two and one.exemplaire == two.exemplaire:
                    assert one.fin <= two.debut or two.fin <= one.debut
        session.execute(delete(Occupation))
        session.execute(delete(Reservation))


class TestEnMemeTemps:
    """Threads that start at a barrier, each with its own transaction, on both engines."""

    THREADS = 8

    def together(self, app, item_id, people, demande):
        with app.app_context():
            engine = db.engine
        gate, told = threading.Barrier(self.THREADS), []

        def run(rank):
            with Session(engine) as own, perimetre(own, TOUT):
                item, who = own.get(Ressource, item_id), own.get(Personne, people[rank % len(people)])
                own.rollback()
                gate.wait()
                try:
                    result = acts.demander(own, item, who, demande(rank), acteur=QUI, deployment=ICI)
                    own.commit()
                    told.append("deja" if result.deja else "faite")
                except UserError as error:
                    own.rollback()
                    told.append(error.message)

        threads = [threading.Thread(target=run, args=(rank,)) for rank in range(self.THREADS)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        return told

    def test_one_room_one_winner(self, app, session, cast, salle):
        people = [membre(session, cast.ecole_a, f"QUI{n}").id for n in range(self.THREADS)]
        session.commit()
        told = self.together(app, salle.id, people, lambda _rank: a("10:00", "11:00"))
        assert told.count("faite") == 1
        assert sum("Déjà réservé de 10:00 à 11:00" in one for one in told) == self.THREADS - 1
        session.rollback()
        assert held(session, salle) == 1

    def test_five_tablets_five_winners(self, app, session, cast, dupont):
        tablets = ressource(session, cast.ecole_a, "Tablettes", quantite=5)
        session.commit()
        told = self.together(app, tablets.id, [dupont.id], lambda _rank: a("10:00", "11:00"))
        assert told.count("faite") == 5
        session.rollback()
        units = session.scalars(select(Occupation.exemplaire)).all()
        assert sorted(units) == [1, 2, 3, 4, 5]

    def test_the_same_form_from_several_tabs_is_one_booking(self, app, session, salle, dupont):
        told = self.together(app, salle.id, [dupont.id], lambda _rank: a("10:00", "11:00", cle="onglets"))
        assert (told.count("faite"), told.count("deja")) == (1, self.THREADS - 1)
        session.rollback()
        assert session.scalar(select(func.count(Reservation.id))) == 1


class TestCourriels:
    def test_those_who_answer_are_told_and_nobody_else(self, session, cast, salle, dupont):
        membre(session, cast.ecole_a, "AGENT", "personnel")
        membre(session, cast.ecole_a, "COLLEGUE")
        membre(session, cast.ecole_b, "AILLEURS", "personnel")
        gone = membre(session, cast.ecole_a, "SUSPENDU", "personnel")
        gone.personne.suspendu_le = datetime(2026, 1, 1, tzinfo=PARIS)
        session.flush()
        ask(session, salle, dupont, a("10:00", "11:00", motif="Exposés", jusqua=lundi(3)))
        mail = session.scalars(select(Courriel)).one()
        assert mail.destinataire == "agent@exemple.fr"
        assert mail.objet == "Salle info\u00a0: une demande de Mme Dupont"
        for said in ("de 10:00 à 11:00", "3 dates", "Exposés", "/reservations/a-valider"):
            assert said in mail.texte

    def test_the_author_reads_the_answer_and_a_withdrawal_with_its_reason(self, session, salle, dupont):
        first = ask(session, salle, dupont, a("10:00", "11:00")).reservations[0]
        second = ask(session, salle, dupont, a("14:00", "15:00")).reservations[0]
        more = {"acteur": QUI, "deployment": ICI}
        school = salle.etablissement_id
        suivi.decider(session, school, first.id, accepter=True, reponse="", **more)
        suivi.decider(session, school, second.id, accepter=False, reponse="Travaux", **more)
        suivi.annuler(session, school, first.id, titulaire_id=None, motif="Panne", **more)
        mails = session.scalars(select(Courriel).order_by(Courriel.id)).all()
        assert [mail.objet for mail in mails] == [
            "Salle info\u00a0: demande acceptée",
            "Salle info\u00a0: demande refusée",
            "Salle info\u00a0: réservation annulée",
        ]
        assert {mail.destinataire for mail in mails} == {"dupont@exemple.fr"}
        assert "Travaux" in mails[1].texte
        assert "Panne" in mails[2].texte


class TestDecider:
    def test_twice_is_refused_and_names_who_did(self, session, salle, dupont):
        row = ask(session, salle, dupont, a("10:00", "11:00")).reservations[0]
        more = {"reponse": "non", "acteur": QUI, "deployment": ICI}
        suivi.decider(session, salle.etablissement_id, row.id, accepter=True, **more)
        with pytest.raises(RuleViolationError, match="déjà acceptée"):
            suivi.decider(session, salle.etablissement_id, row.id, accepter=False, **more)

    def test_several_with_one_that_cannot_be(self, session, salle, dupont, cast):
        rows = [
            ask(session, salle, dupont, a(f"{h}:00", f"{h + 1}:00")).reservations[0].id for h in (10, 12, 14)
        ]
        more = {"acteur": QUI, "deployment": ICI, "reponse": "Travaux"}
        suivi.annuler(session, cast.ecole_a, rows[1], titulaire_id=dupont.id, acteur=QUI, deployment=ICI)
        told = suivi.decider_plusieurs(session, cast.ecole_a, [*rows, 10**6], accepter=False, **more)
        assert [one.faite for one in told] == [True, False, True, False]
        assert "annulée" in told[1].message
        with pytest.raises(RuleViolationError, match="Dites pourquoi"):
            suivi.decider_plusieurs(session, cast.ecole_a, rows, accepter=False, **{**more, "reponse": " "})

    def test_of_another_school_or_of_somebody_else_is_unknown(self, session, salle, dupont, cast):
        row = ask(session, salle, dupont, a("10:00", "11:00")).reservations[0]
        more = {"acteur": QUI, "deployment": ICI}
        with pytest.raises(UserError, match="n’existe pas"):
            suivi.decider(session, cast.ecole_b, row.id, accepter=True, reponse="", **more)
        with pytest.raises(UserError, match="n’existe pas"):
            suivi.annuler(session, cast.ecole_a, row.id, titulaire_id=cast.deux, **more)
