"""Figures of schools: what counts, at which level, and what they are worth after a feed."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from app.exports.fictif import Options, generate
from app.extensions import now
from app.jobs import alimentation as steps
from app.jobs import bilans as job
from app.models import (
    Alimentation,
    AlimentationEtablissement,
    Attribution,
    BilanEtablissement,
    BilanNiveau,
    Compte,
    Division,
    Ecart,
    Etablissement,
    Mef,
    Personne,
    Rattachement,
)
from app.operations import bilans
from app.operations.saisies import SYSTEME
from app.operations.services import basculer
from app.queries.droits import services_of


def account(session, login, **more):
    row = Compte(
        username=login, first_name="A", last_name=login, email=f"{login}@exemple.fr",
        active=True, password="", **more,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def attach(session, school, profil, *, name="Noël", mef=None, fin=None):
    person = Personne(nom=name, prenom="Zoé", nom_recherche=f"{name.lower()} zoe", source="manuel")
    session.add(person)
    session.flush()
    session.add(
        Rattachement(
            personne_id=person.id,
            etablissement_id=school.id,
            profil=profil,
            source="manuel",
            mef_id=mef.id if mef else None,
            fin=fin,
        )
    )
    session.flush()
    return person


@pytest.fixture
def monde(session):
    made = SimpleNamespace()
    for letter in "ab":
        school = Etablissement(
            uai=f"0190001{letter.upper()}", nom=f"Collège {letter}", nom_recherche=f"college {letter}"
        )
        session.add(school)
        setattr(made, letter, school)
    made.mef = Mef(code="10010012110", libelle="6EME", niveau="6EME")
    session.add(made.mef)
    session.flush()
    return made


def of(session, school):
    session.expire_all()
    return session.get(BilanEtablissement, school.id)


class TestCalculer:
    def test_present_people_count_once_per_profile_and_the_gone_not_at_all(self, session, monde):
        attach(session, monde.a, "eleve", mef=monde.mef)
        attach(session, monde.a, "eleve", mef=monde.mef, fin=now())
        teacher = attach(session, monde.a, "enseignant")
        session.add(
            Rattachement(
                personne_id=teacher.id, etablissement_id=monde.a.id, profil="responsable", source="manuel"
            )
        )
        attach(session, monde.b, "invite")
        session.add_all(
            [
                Division(etablissement_id=monde.a.id, code="6A"),
                Division(etablissement_id=monde.a.id, code="6B", active=False),
            ]
        )
        bilans.calculer(session, [monde.a.id, monde.b.id])
        a, b = of(session, monde.a), of(session, monde.b)
        assert (a.eleves, a.enseignants, a.personnels, a.responsables, a.invites) == (1, 1, 0, 1, 0)
        assert (b.eleves, b.invites) == (0, 1)
        assert (a.divisions, b.divisions) == (1, 0)

    def test_who_has_an_account_is_active_unless_it_was_deleted(self, session, monde):
        for login, deleted in (("present", None), ("efface", now())):
            person = attach(session, monde.a, "eleve", mef=monde.mef)
            account(session, login, personne_id=person.id, supprime_le=deleted)
        attach(session, monde.a, "eleve")
        bilans.calculer(session, [monde.a.id])
        assert of(session, monde.a).actives == 1
        levels = {row.niveau: (row.eleves, row.actives) for row in session.scalars(select(BilanNiveau))}
        assert levels == {"6EME": (2, 1), bilans.SANS_NIVEAU: (1, 0)}

    def test_administrators_are_those_who_can_act_today(self, session, monde):
        held = {
            "tient": {},
            "futur": {"depuis": now() + timedelta(days=1)},
            "passe": {"jusqua": now() - timedelta(days=1)},
            "chef": {"role": "chef_etablissement"},
        }
        for login, more in held.items():
            where = {"role": "correspondant", "etablissement_id": monde.a.id, **more}
            session.add(Attribution(compte_id=account(session, login).id, **where))
        someone = Personne(nom="X", prenom="Y", nom_recherche="x y", suspendu_le=now())
        session.add(someone)
        session.flush()
        closed = {"suspendu_seul_le": now()}, {"supprime_le": now()}, {"personne_id": someone.id}
        for number, state in enumerate(closed):
            row = account(session, f"ferme{number}", **state)
            session.add(Attribution(compte_id=row.id, role="correspondant", etablissement_id=monde.a.id))
        session.flush()
        bilans.calculer(session, [monde.a.id])
        assert of(session, monde.a).administrateurs == 1

    def test_services_off_are_the_optional_ones_the_school_is_offered(self, session, monde, catalogue):
        bilans.calculer(session, [monde.a.id, monde.b.id])
        before = of(session, monde.a).services_inactifs
        offered = [one for one in services_of(session, monde.a.id) if one.nature == "optionnel"]
        assert before == len(offered) > 3
        basculer(session, monde.a.id, "chat", True, acteur=SYSTEME)
        session.expire_all()
        assert of(session, monde.a).services_inactifs == before - 1
        bilans.calculer(session, [monde.a.id, monde.b.id])
        session.expire_all()
        off = [of(session, school).services_inactifs for school in (monde.a, monde.b)]
        assert off == [before - 1, before]

    def test_anomalies_are_those_of_the_last_feed_applied(self, session, monde):
        moment = now()
        for age, anomalies in ((9, 5), (2, 2), (None, 7)):
            feed = Alimentation(source="aaf", cle_portee="aaf:19", etat="appliquee")
            session.add(feed)
            session.flush()
            applied = None if age is None else moment - timedelta(days=age)
            session.add(
                AlimentationEtablissement(
                    alimentation_id=feed.id, etablissement_id=monde.a.id, uai=monde.a.uai, applique_le=applied
                )
            )
            session.add_all(
                Ecart(alimentation_id=feed.id, nature="anomalie", objet="eleve", cle=str(n), uai=monde.a.uai)
                for n in range(anomalies)
            )
        session.flush()
        bilans.calculer(session, [monde.a.id, monde.b.id])
        assert of(session, monde.a).anomalies == 2
        assert of(session, monde.a).alimente_le == moment - timedelta(days=2)
        assert of(session, monde.b).alimente_le is None

    def test_doing_it_again_replaces_and_touches_no_other_school(self, session, monde):
        attach(session, monde.a, "eleve", mef=monde.mef)
        attach(session, monde.b, "eleve", mef=monde.mef)
        bilans.calculer(session, [monde.a.id, monde.b.id], moment=now() - timedelta(hours=1))
        before = of(session, monde.b).calcule_le
        attach(session, monde.a, "eleve", mef=monde.mef)
        bilans.calculer(session, [monde.a.id])
        assert of(session, monde.a).eleves == 2
        assert of(session, monde.b).calcule_le == before


@pytest.fixture
def export(tmp_path):
    return generate(tmp_path / "aaf", Options(3, 60, 11)).fichiers[0]


class TestFeeds:
    def test_a_feed_leaves_the_figures_of_its_schools_true_and_so_does_undoing_it(self, session, export):
        feed = steps.read_and_compare(session, [export], acteur="Essai")
        steps.apply(session, feed, acteur="Essai")
        pupils = session.query(Rattachement).filter_by(profil="eleve", fin=None).count()
        assert sum(session.scalars(select(BilanEtablissement.eleves))) == pupils
        assert sum(session.scalars(select(BilanNiveau.eleves))) == pupils
        assert all(session.scalars(select(BilanEtablissement.alimente_le)))
        steps.undo(session, feed, acteur="Essai")
        session.expire_all()
        assert sum(session.scalars(select(BilanEtablissement.eleves))) == 0
        assert not any(session.scalars(select(BilanEtablissement.alimente_le)))


class TestRounds:
    def test_every_school_is_computed_lot_after_lot(self, session, monde, monkeypatch):
        monkeypatch.setattr(bilans, "LOT", 1)
        told = []
        assert job.refresh(session, progress=lambda done, total: told.append((done, total))) == 2
        assert told == [(1, 2), (2, 2)]
        assert session.query(BilanEtablissement).count() == 2

    def test_the_periodic_round_is_done_once(self, app, session, monde):
        session.commit()
        assert job.refresh_due(app) == 2
        assert job.refresh_due(app) == 0
        session.query(BilanEtablissement).filter_by(etablissement_id=monde.a.id).update(
            {"calcule_le": now() - timedelta(hours=1)}
        )
        session.commit()
        assert job.refresh_due(app) == 2

    def test_the_command_says_how_many(self, app, session, monde):
        session.commit()
        assert "2 établissements" in app.test_cli_runner().invoke(args=["preau", "bilans"]).output
