"""Who may be one person: what the search proposes, what it leaves apart, what it never proposes again."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from app.errors import ConflictError, RuleViolationError
from app.extensions import now
from app.jobs import runner
from app.models import (
    Compte,
    Courriel,
    Doublon,
    Etablissement,
    Identifiant,
    Journal,
    Personne,
    Rattachement,
    Responsabilite,
    Tache,
)
from app.operations import doublons, taches
from app.operations.saisies import Actor
from app.queries.noms import personne_key

BORN = date(2012, 3, 4)


@pytest.fixture
def school(session):
    row = Etablissement(uai="0379012V", nom="Collège", nom_recherche="college")
    session.add(row)
    session.flush()
    return row


@pytest.fixture
def someone(session, school):
    def make(nom, prenom, born=BORN, profil="eleve", **more):
        key = personne_key(more.get("nom_usage") or nom, prenom)
        row = Personne(nom=nom, prenom=prenom, date_naissance=born, nom_recherche=key, **more)
        session.add(row)
        session.flush()
        session.add(Rattachement(personne_id=row.id, etablissement_id=school.id, profil=profil))
        session.flush()
        return row

    return make


def search(app, session):
    tache = taches.request(session, doublons.CHERCHER, libelle="", parametres={})
    session.commit()
    runner.run(app, tache.id)
    row = session.get_one(Tache, tache.id, populate_existing=True)
    assert row.etat == "finie", row.message
    found = {
        (pair.personne_a.prenom, pair.personne_b.prenom): pair.motifs
        for pair in session.scalars(select(Doublon).where(Doublon.etat == "propose"))
    }
    session.commit()
    return found


class TestSearch:
    def test_it_proposes_who_is_alike_and_leaves_twins_couples_and_homonyms_apart(
        self, app, session, someone
    ):
        someone("DUPUIS", "Léa")
        someone("Dupuis-Roy", "Lea", nom_usage="Dupuis")
        someone("MOREAU", "Enzo")
        someone("MOREAU", "Lucas")
        someone("GIRARD", "Camille", sexe="F")
        someone("GIRARD", "Camille", sexe="M")
        someone("LE GOFF", "Jean-Éric")
        someone("LEGOFF", "Jean Eric")
        someone("PETIT", "Anna", date(2012, 3, 5))
        someone("PETIT", "Anna", date(2013, 3, 5))
        someone("AUBRY", "Claire", None, "enseignant", email="famille@x.fr")
        someone("AUBRY", "Marc", None, "personnel", email="famille@x.fr")
        someone("AUBRI", "Claire", None, "responsable", email="famille@x.fr")
        assert search(app, session) == {
            ("Léa", "Lea"): ["naissance"],
            ("Jean-Éric", "Jean Eric"): ["naissance"],
            ("Claire", "Claire"): ["courriel"],
        }

    def test_guardians_of_one_child_namesakes_of_one_school_and_two_writings_of_an_ine(
        self, app, session, someone
    ):
        child = someone("NOËL", "Zoé")
        first, second = (someone("NOEL", name, None, "responsable") for name in ("Anne", "ANNE"))
        session.add_all([Responsabilite(eleve_id=child.id, responsable_id=p.id) for p in (first, second)])
        for name, born in (("Luc", None), ("luc", BORN)):
            someone("BRUN", name, born, "invite")
        for born in (BORN, BORN + timedelta(days=1)):
            someone("GUY", "Luc", born, "invite")
        for name, value in (("Ana", "0123456789a"), ("Inès", "0123456789A")):
            person = someone("PIRES", name, BORN + timedelta(days=9))
            session.add(Identifiant(personne_id=person.id, type="ine", valeur=value, source="manuel"))
        assert search(app, session) == {
            ("Anne", "ANNE"): ["enfants", "etablissement"],
            ("Luc", "luc"): ["etablissement"],
            ("Ana", "Inès"): ["ine"],
        }

    def test_told_apart_is_never_proposed_again_and_what_no_longer_holds_goes(self, app, session, someone):
        someone("DUPUIS", "Léa")
        other = someone("DUPUIS", "Lea")
        third = someone("ROUX", "Maxime")
        someone("ROUX", "Maxim")
        assert len(search(app, session)) == 2
        pair = session.scalars(select(Doublon).where(Doublon.personne_b_id == other.id)).one()
        doublons.distinguer(session, pair, acteur=Actor("Moi"))
        third.date_naissance = BORN + timedelta(days=1)
        session.commit()
        assert search(app, session) == {}
        kept = session.scalars(select(Doublon)).one()
        assert (kept.etat, kept.traite_par) == ("distinct", "Moi")
        with pytest.raises(ConflictError):
            doublons.distinguer(session, kept)

    def test_days_are_compared_by_lots_and_never_cut(self, session, someone, monkeypatch):
        monkeypatch.setattr(doublons, "LOT", 3)
        for day in range(4):
            for prenom in ("Léa", "Lea"):
                someone(f"NOM{'ABCD'[day]}", prenom, BORN + timedelta(days=day))
        session.commit()
        found, cursor, steps = {}, "0001-01-01", 0
        while cursor:
            pairs, cursor, _read = doublons.nes_le_meme_jour(session, cursor)
            found |= pairs
            steps += 1
        assert (len(found), steps) == (4, 5)


class TestDemander:
    def test_the_answer_goes_back_to_whoever_asked(self, session, someone):
        account = Compte(
            username="moi", first_name="M", last_name="M", email="moi@exemple.fr", active=True, password=""
        )
        pair = Doublon(personne_a_id=someone("A", "B").id, personne_b_id=someone("A", "C").id, motifs=[])
        session.add_all([account, pair])
        session.flush()
        with pytest.raises(RuleViolationError, match="Dites pourquoi"):
            doublons.demander(session, pair, " ", acteur=Actor("Moi", account.id))
        doublons.demander(session, pair, "Même personne", acteur=Actor("Moi", account.id))
        with pytest.raises(ConflictError):
            doublons.demander(session, pair, "Encore", acteur=Actor("Moi", account.id))
        doublons.distinguer(session, pair)
        session.commit()
        mail = session.scalars(select(Courriel)).one()
        assert (mail.destinataire, "distinctes" in mail.texte) == ("moi@exemple.fr", True)
        assert pair.demande_le <= now()
        acts = session.scalars(select(Journal.acte).order_by(Journal.id)).all()
        assert acts == ["doublon.demander"] * 2 + ["doublon.distinguer"] * 2
