"""Rights promised before an account is activated: honoured that day, or forgotten (M1)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.extensions import now
from app.models import Attribution, Etablissement, Nomination, Personne, Rattachement
from app.operations import activation
from app.operations.deployment import Deployment


@pytest.fixture
def promis(session):
    """Somebody of a school, who has not activated their account, with a role promised there."""
    school = Etablissement(uai="0371234Y", nom="Collège Balzac", nom_recherche="college balzac")
    person = Personne(nom="BLANC", prenom="Zoé", nom_recherche="blanc zoe", login="zoe.blanc")
    session.add_all([school, person])
    session.flush()
    place = Rattachement(personne_id=person.id, etablissement_id=school.id, profil="enseignant")
    promise = Nomination(
        personne_id=person.id, etablissement_id=school.id, role="correspondant", accordee_par="Claire"
    )
    session.add_all([place, promise])
    session.flush()
    return person, place, promise


def activate(app, session, person):
    here = Deployment.of(app.extensions["reglages"])
    account = activation.activer(session, person, "x", generation=person.code_generation, deployment=here)
    session.flush()
    held = session.scalars(select(Attribution).where(Attribution.compte_id == account.id)).all()
    assert session.scalars(select(Nomination)).all() == []
    return {(row.role, row.accordee_par) for row in held}


class TestHonorer:
    def test_becomes_theirs_the_day_they_activate(self, app, session, promis):
        assert activate(app, session, promis[0]) == {("enseignant", "Système"), ("correspondant", "Claire")}

    def test_is_forgotten_when_they_left_the_school(self, app, session, promis):
        person, place, _promise = promis
        place.fin = now()
        session.flush()
        assert ("correspondant", "Claire") not in activate(app, session, person)

    def test_is_forgotten_when_its_term_is_over(self, app, session, promis):
        person, _place, promise = promis
        promise.jusqua = now() - timedelta(days=1)
        session.flush()
        assert activate(app, session, person) == {("enseignant", "Système")}
