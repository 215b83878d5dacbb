"""Who has which role in a service: one decision, whoever asks, and never against the grid."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from app.extensions import now
from app.models import (
    PROFILS,
    DroitService,
    EtatService,
    Personne,
    Rattachement,
    Service,
    ServiceCollectivite,
)
from app.operations.droits_services import Changement, enregistrer_droits
from app.operations.saisies import Actor
from app.operations.services import basculer
from app.queries.droits import (
    Regle,
    cases_of,
    has_role,
    roles_of_person,
    roles_of_profile,
    services_of,
)
from app.security.mur import Perimetre
from app.security.perimetres import perimetre
from tests.security.conftest import cast

__all__ = ["cast"]
WHO = Actor("Claire Montagné")


def offer(session, code, collectivite_id):
    service = session.scalars(select(Service).filter_by(code=code)).one()
    session.add(ServiceCollectivite(service_id=service.id, collectivite_id=collectivite_id))
    session.flush()


def cell(session, school, service, role, profil):
    (found,) = services_of(session, school, service=service)
    return found.role(role).case(profil)


def toggle(session, school, service, role, profil, value):
    change = Changement(cell(session, school, service, role, profil).role_id, profil, value)
    return enregistrer_droits(session, school, [change], acteur=WHO)


@pytest.mark.usefixtures("catalogue")
class TestAgreement:
    """A right drawn as granted is in effect, and the reverse, whatever was toggled before."""

    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(data=st.data())
    def test_grid_and_decision_agree_for_every_cell(self, session, cast, data):
        services = services_of(session, cast.ecole_a)
        free = [(role.id, case.profil) for _s, role, case in cases_of(services) if not case.fixe]
        flipped = data.draw(st.dictionaries(st.sampled_from(free), st.booleans(), max_size=40))
        enregistrer_droits(
            session, cast.ecole_a, [Changement(*key, value) for key, value in flipped.items()], acteur=WHO
        )
        on = data.draw(st.sets(st.sampled_from(["chat", "notes_absences", "breves"])))
        session.execute(delete(EtatService))
        for code in sorted(on):
            basculer(session, cast.ecole_a, code, True, acteur=WHO)
        drawn = services_of(session, cast.ecole_a)
        for profil in PROFILS:
            told = roles_of_profile(session, cast.ecole_a, profil)
            for service, role, case in cases_of(drawn):
                if case.profil == profil:
                    in_effect = case.coche and service.actif
                    assert (role.code in told.get(service.code, ())) == in_effect
                    wanted = flipped.get((role.id, profil))
                    assert wanted is None or case.coche == wanted
        teacher = roles_of_person(session, cast.deux, cast.ecole_a)
        assert teacher == roles_of_profile(session, cast.ecole_a, "enseignant")
        for service in drawn:
            for role in service.roles:
                asked = has_role(session, cast.deux, cast.ecole_a, service.code, role.code)
                assert asked == (role.code in teacher.get(service.code, ()))
        session.execute(delete(DroitService))


@pytest.mark.usefixtures("catalogue")
class TestRules:
    def test_the_rule_that_decides_is_told(self, session, cast):
        toggle(session, cast.ecole_a, "forum", "lecteur", "responsable", True)
        by_code = {one.code: one for one in services_of(session, cast.ecole_a, unavailable=True)}
        forum, reader = by_code["forum"], by_code["forum"].role("lecteur")
        assert forum.decision(reader, "responsable").regle == Regle.ETABLISSEMENT
        assert forum.decision(reader, "enseignant").regle == Regle.FIXE
        assert forum.decision(reader, "eleve").regle == Regle.DEFAUT
        chat, boticely = by_code["chat"], by_code["boticely"]
        assert chat.decision(chat.roles[0], "eleve").regle == Regle.INACTIF
        assert boticely.decision(boticely.roles[0], "enseignant").regle == Regle.INDISPONIBLE

    def test_a_service_of_a_collectivite_is_of_its_schools_only(self, session, cast):
        offer(session, "boticely", cast.collectivite_a)
        basculer(session, cast.ecole_a, "boticely", True, acteur=WHO)
        assert "boticely" in roles_of_profile(session, cast.ecole_a, "enseignant")
        assert "boticely" not in {one.code for one in services_of(session, cast.ecole_b)}
        session.execute(update(ServiceCollectivite).values(fin=now()))
        session.expire_all()
        assert roles_of_profile(session, cast.ecole_a, "enseignant") == {}

    @pytest.mark.parametrize("column", ["suspendu_le", "supprime_le", "anonymise_le"])
    def test_nobody_suspended_deleted_or_forgotten_has_any(self, session, cast, column):
        assert has_role(session, cast.eleve_a, cast.ecole_a, "forum", "lecteur")
        session.execute(update(Personne).where(Personne.id == cast.eleve_a).values({column: now()}))
        session.expire_all()
        assert roles_of_person(session, cast.eleve_a, cast.ecole_a) == {}

    def test_who_left_or_whose_last_day_is_past_has_none(self, session, cast):
        place = session.scalars(select(Rattachement).filter_by(personne_id=cast.eleve_a)).one()
        place.dernier_jour = now().date() - timedelta(days=2)
        session.flush()
        assert roles_of_person(session, cast.eleve_a, cast.ecole_a) == {}
        place.dernier_jour, place.fin = None, now()
        session.flush()
        assert roles_of_person(session, cast.eleve_a, cast.ecole_a) == {}

    def test_nobody_has_a_right_in_a_school_they_are_not_of(self, session, cast):
        assert roles_of_person(session, cast.eleve_b, cast.ecole_a) == {}

    def test_a_pupil_gets_the_same_answer_about_themselves(self, session, cast):
        """Their perimeter holds no row of the school: the decision is the school's all the same."""
        toggle(session, cast.ecole_a, "blog", "gestionnaire", "eleve", True)
        session.commit()
        with perimetre(session, Perimetre(personne_id=cast.eleve_a)):
            assert has_role(session, cast.eleve_a, cast.ecole_a, "blog", "gestionnaire")

    def test_two_profiles_add_up(self, session, cast):
        session.add(Rattachement(personne_id=cast.deux, etablissement_id=cast.ecole_a, profil="responsable"))
        session.flush()
        toggle(session, cast.ecole_a, "actualites", "gestionnaire", "enseignant", False)
        held = roles_of_person(session, cast.deux, cast.ecole_a)
        assert "actualites" not in held
        assert held["annuaire"] >= roles_of_profile(session, cast.ecole_a, "enseignant")["annuaire"]

    def test_what_held_at_a_date_is_told(self, session, cast):
        before = now()
        toggle(session, cast.ecole_a, "forum", "lecteur", "responsable", True)
        between = now()
        toggle(session, cast.ecole_a, "forum", "lecteur", "responsable", False)
        told = [
            "forum" in roles_of_profile(session, cast.ecole_a, "responsable", at=at)
            for at in (before, between, None)
        ]
        assert told == [False, True, False]
