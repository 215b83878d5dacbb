"""From preview to application, departure, return and undo."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from app.errors import ConflictError, RuleViolationError
from app.extensions import now
from app.models import (
    Alimentation,
    Ecart,
    Etablissement,
    Journal,
    Personne,
    VerrouEtablissement,
    VerrouPersonne,
)
from app.operations import alimentation as engine
from app.operations.alimentation import application, comparaison
from app.operations.alimentation.fiches import Anomalie, Objet, Operation
from tests.operations.alimentation.support import (
    TOUS,
    A,
    B,
    alimenter,
    annuler,
    apercu,
    appliquer,
    ecole,
    eleve,
    enseignant,
    entete,
    fiche,
    lignes,
    personne,
    photo,
    places,
    responsable,
)

NES = [f"2012-01-{jour:02}" for jour in range(1, 29)]


def classe(uai: str, effectif: int, premier: int = 0):
    return [
        eleve(f"{uai}{rang}", f"ELEVE{uai[-1]}{rang}", "Sacha", NES[rang], uai)
        for rang in range(premier, premier + effectif)
    ]


def famille(prenom: str = "Ana"):
    return [
        ecole(A),
        eleve("1", "ROUX", prenom, "2011-01-02", responsables={"P1": 1}),
        responsable("P1", "ROUX", "Marie", adresse="1 rue Haute"),
        enseignant("T", "BLANC", "Rémi"),
    ]


class TestPreview:
    def test_a_preview_changes_nothing(self, session):
        before = photo(session)
        feed = apercu(session, famille())
        assert photo(session) == before
        assert session.scalar(select(func.count(Etablissement.id))) == 0
        assert {kind: counts["crees"] for kind, counts in feed.comptes.items()} == {
            "etablissement": 1, "eleve": 1, "responsable": 1, "personnel": 1,
        }  # fmt: skip

    def test_a_change_shows_before_and_after_of_what_differs_only(self, session):
        alimenter(session, famille())
        feed = apercu(session, famille("Anna"), entete(2))
        row = session.scalars(select(Ecart).where(Ecart.alimentation_id == feed.id)).one()
        assert (row.nature, row.avant, row.apres) == ("modifie", {"prenom": "Ana"}, {"prenom": "Anna"})

    def test_a_reader_anomaly_is_kept_with_its_line(self, session):
        odd = Anomalie(
            Objet.ELEVE, "9", "SANS Date", 41, "date_illisible", "La date manque.", A, "eleves.xml"
        )
        feed = apercu(session, [ecole(A), odd])
        row = session.scalars(select(Ecart).where(Ecart.nature == "anomalie")).one()
        assert (row.libelle, row.ligne, row.fichier, row.uai) == ("SANS Date", 41, "eleves.xml", A)
        assert feed.comptes["eleve"]["anomalies"] == 1

    def test_a_new_preview_replaces_the_one_before(self, session):
        first = apercu(session, famille())
        apercu(session, famille())
        session.expire_all()
        assert session.get(Alimentation, first.id).etat == "abandonnee"
        line = lignes(session, first)[A]
        with pytest.raises(ConflictError):
            engine.appliquer_etablissement(session, first, line, acteur="Test")

    def test_who_loses_a_preview_and_who_replaces_it_read_it(self, session):
        first = engine.ouvrir(session, entete(1), acteur="MARTIN Zoé")
        same = engine.ouvrir(session, entete(1), acteur="MARTIN Zoé")
        assert same.motif is None, "one's own preview is no news"
        other = engine.ouvrir(session, entete(2), acteur="DIALLO Léa")
        assert "que DIALLO Léa a demandée" in same.motif
        assert "celle que MARTIN Zoé avait demandée" in other.motif
        lines = session.scalars(select(Journal).where(Journal.acte == "alimentation.abandonner")).all()
        assert [(line.objet_id, line.acteur) for line in lines] == [
            (first.id, "MARTIN Zoé"), (same.id, "DIALLO Léa"),
        ]  # fmt: skip


class TestApplication:
    def test_what_was_created_is_there_and_journalled(self, session):
        alimenter(session, famille())
        saved = photo(session)
        assert ("ana.roux", A, "eleve", True, "3A", "10310019110", None) in saved["rattachement"]
        assert saved["responsabilite"] == [("ana.roux", "marie.roux", "10", 1, True, False)]
        line = session.scalars(select(Journal).where(Journal.acte == "alimentation.appliquer")).one()
        assert (line.acteur, line.etablissement.uai, line.apres["crees"]) == ("Test", A, 4)
        assert session.scalars(select(Etablissement)).one().academie.code == "18"

    def test_the_same_file_twice_changes_nothing(self, session):
        alimenter(session, famille())
        before = photo(session)
        feed = alimenter(session, famille())
        counts = {name: count for name, count in engine.total(feed.comptes).items() if count}
        assert counts == {"inchanges": 4}
        assert photo(session) == before

    def test_an_older_export_is_refused_with_its_reason(self, session):
        alimenter(session, famille(), jour=5)
        feed = engine.ouvrir(session, entete(4), acteur="Test")
        assert feed.etat == "refusee"
        assert "plus récent, du 05/11/2026" in feed.motif

    def test_an_export_of_tomorrow_is_read_and_one_of_later_refused(self, session):
        soon = entete(date_export=now() + timedelta(hours=20))
        assert engine.ouvrir(session, soon, acteur="Test").etat == "lecture"
        feed = engine.ouvrir(session, entete(date_export=now() + timedelta(days=2)), acteur="Test")
        assert feed.etat == "refusee"
        assert "dans le futur" in feed.motif
        assert alimenter(session, famille()).etat == "appliquee"

    def test_one_school_only(self, session):
        feed = apercu(session, [ecole(A), ecole(B), *classe(A, 2), *classe(B, 3)])
        appliquer(session, feed, only=B)
        assert {row.uai: bool(row.applique_le) for row in lignes(session, feed).values()} == {
            A: False,
            B: True,
        }
        assert session.scalar(select(func.count(Personne.id))) == 3
        assert feed.etat == "application"
        appliquer(session, feed)
        assert session.scalar(select(func.count(Personne.id))) == 5
        assert feed.etat == "appliquee"

    def test_a_pupil_of_two_schools_gets_the_second_place_later(self, session):
        people = [ecole(A), ecole(B), eleve("1", "PETIT", "Inès", "2011-01-02", A, B)]
        appliquer(session, apercu(session, people), only=B)
        ines = personne(session, "PETIT", "Inès")
        assert places(session, ines) == {(B, "eleve"): True}
        feed = alimenter(session, people)
        assert feed.comptes["eleve"]["modifies"] == 1
        assert places(session, ines) == {(A, "eleve"): True, (B, "eleve"): True}

    def test_moving_to_another_school_closes_the_first_place(self, session):
        schools = [ecole(A), ecole(B), *classe(A, 2), *classe(B, 2)]
        alimenter(session, [*schools, eleve("1", "PETIT", "Inès", "2011-01-02", A)])
        alimenter(session, [*schools, eleve("1", "PETIT", "Inès", "2011-01-02", B)], jour=2)
        ines = personne(session, "PETIT", "Inès")
        assert places(session, ines) == {(A, "eleve"): False, (B, "eleve"): True}
        assert ines.supprime_le is None

    def test_a_delta_changes_what_it_names_and_removes_what_it_says(self, session):
        alimenter(session, famille())
        change = eleve("1", "ROUX", "Ana", "2011-01-02", email="ana@exemple.fr")
        change.operation = Operation.MODIFICATION
        change.lire = lambda: {"email": "ana@exemple.fr"}
        removal = enseignant("T", "BLANC", "Rémi")
        removal.operation = Operation.SUPPRESSION
        alimenter(session, [change, removal], jour=2, mode="delta", presents=set())
        assert personne(session, "ROUX", "Ana").email == "ana@exemple.fr"
        assert personne(session, "BLANC", "Rémi").supprime_le is not None
        assert personne(session, "ROUX", "Marie").supprime_le is None


class TestSlices:
    def test_a_school_that_takes_many_slices_is_applied_and_undone_whole(self, session, monkeypatch):
        twice = fiche(
            Objet.DIVISION, f"{A}$3A", {"uai": A, "code": "3A", "libelle": "Troisième", "mefs": []}, A
        )
        others = [
            fiche(Objet.DIVISION, f"{A}${code}", {"uai": A, "code": code, "libelle": code, "mefs": []}, A)
            for code in ("4A", "4B", "5A")
        ]
        stated = [*famille(), twice, *others, twice, *classe(A, 9), *classe(B, 4)]
        empty = photo(session)
        for module, name, size in (
            (comparaison, "LOT", 2), (application, "LOT", 2), (application, "PAGE", 3),
        ):  # fmt: skip
            monkeypatch.setattr(module, name, size)
        feed = alimenter(session, stated)
        saved = photo(session)
        assert sum(place[1] == A for place in saved["rattachement"]) == len((*classe(A, 9), *famille()[1:]))
        assert [row[:2] for row in saved["division"] if row[0] == A] == [
            (A, "3A"), (A, "4A"), (A, "4B"), (A, "5A"),
        ]  # fmt: skip
        rows = session.scalars(select(Ecart).where(Ecart.alimentation_id == feed.id))
        assert all(row.applique_le and row.defaire and row.etablissement_id for row in rows)
        assert not engine.total(alimenter(session, stated, 2).comptes)["crees"]
        annuler(session, session.scalars(select(Alimentation).order_by(Alimentation.id.desc())).first())
        assert photo(session) == saved
        annuler(session, feed)
        after = photo(session)
        assert (after["personne"], after["rattachement"]) == (empty["personne"], empty["rattachement"])


class TestDepartures:
    def test_a_missing_file_is_not_a_departure(self, session):
        alimenter(session, famille())
        only_pupils = [fiche for fiche in famille() if fiche.objet in (Objet.ETABLISSEMENT, Objet.ELEVE)]
        feed = apercu(session, only_pupils, entete(2, presents={Objet.ETABLISSEMENT, Objet.ELEVE}))
        assert engine.total(feed.comptes)["departs"] == 0

    def test_a_school_absent_from_the_files_loses_nobody(self, session):
        alimenter(session, [ecole(A), ecole(B), *classe(A, 2), *classe(B, 2)])
        feed = apercu(session, [ecole(A), *classe(A, 2)], entete(2))
        assert engine.total(feed.comptes)["departs"] == 0

    def test_who_leaves_is_kept_and_comes_back_as_the_same_person(self, session):
        alimenter(session, famille())
        ana = personne(session, "ROUX", "Ana")
        first = (ana.id, ana.login)
        alimenter(session, [ecole(A), enseignant("T", "BLANC", "Rémi")], jour=2)
        assert ana.supprime_le is not None
        assert places(session, ana) == {(A, "eleve"): False}
        feed = alimenter(session, famille(), jour=3)
        assert feed.comptes["eleve"]["retours"] == 1
        ana = personne(session, "ROUX", "Ana")
        assert (ana.id, ana.login, ana.supprime_le) == (*first, None)
        assert places(session, ana) == {(A, "eleve"): True}
        assert places(session, personne(session, "ROUX", "Marie")) == {(A, "responsable"): True}

    def test_too_many_departures_stop_and_ask(self, session):
        alimenter(session, [ecole(A), ecole(B), *classe(A, 20), *classe(B, 20)])
        feed = apercu(session, [ecole(A), ecole(B), *classe(A, 14), *classe(B, 19)], entete(2))
        rows = lignes(session, feed)
        assert (rows[A].depart_bloque, rows[B].depart_bloque) == (True, False)
        with pytest.raises(RuleViolationError, match="trop de départs"):
            engine.appliquer_etablissement(session, feed, rows[A], acteur="Test")
        session.rollback()
        appliquer(session, feed, accept=True)
        assert session.scalar(select(func.count(Personne.id)).where(Personne.supprime_le.is_not(None))) == 7

    def test_a_class_no_longer_stated_is_closed_not_removed(self, session):
        from tests.operations.alimentation.support import fiche

        division = fiche(
            Objet.DIVISION, f"{A}$3B", {"uai": A, "code": "3B", "libelle": "3e B", "mefs": []}, A
        )
        alimenter(session, [ecole(A), division])
        alimenter(session, [ecole(A)], jour=2)
        active = session.connection().execute(text("SELECT code, active FROM division")).all()
        assert [(code, bool(value)) for code, value in active] == [("3B", False)]


class TestHandEdits:
    def test_a_locked_field_is_kept_and_said(self, session):
        alimenter(session, famille())
        ana = personne(session, "ROUX", "Ana")
        ana.prenom = "Anouk"
        session.add(VerrouPersonne(personne_id=ana.id, champ="prenom"))
        session.commit()
        changed = famille("Anna")
        changed[1] = eleve("1", "ROUX", "Anna", "2011-01-02", responsables={"P1": 1}, email="ana@exemple.fr")
        feed = alimenter(session, changed, jour=2)
        row = session.scalars(select(Ecart).where(Ecart.alimentation_id == feed.id)).one()
        assert row.message == "Gardé, saisi à la main : prenom."
        assert row.apres == {"email": "ana@exemple.fr"}
        ana = personne(session, "ROUX", "Anouk")
        assert ana.email == "ana@exemple.fr"

    def test_a_field_locked_between_preview_and_application_is_kept(self, session):
        alimenter(session, famille())
        feed = apercu(session, famille("Anna"), entete(2))
        ana = personne(session, "ROUX", "Ana")
        session.add(VerrouPersonne(personne_id=ana.id, champ="prenom"))
        session.commit()
        appliquer(session, feed)
        assert personne(session, "ROUX", "Ana").id == ana.id

    def test_a_locked_field_of_a_school_is_kept(self, session):
        alimenter(session, [ecole(A, "Collège Jean Moulin", telephone="0101010101")])
        school = session.scalars(select(Etablissement)).one()
        session.add(VerrouEtablissement(etablissement_id=school.id, champ="telephone"))
        session.commit()
        alimenter(session, [ecole(A, "Collège Lucie Aubrac", telephone="0202020202")], jour=2)
        session.refresh(school)
        assert (school.nom, school.telephone) == ("Collège Lucie Aubrac", "0101010101")

    def test_an_absent_key_keeps_and_an_empty_one_erases(self, session):
        full = eleve("1", "ROUX", "Ana", "2011-01-02", email="a@exemple.fr", commune="Tours")
        alimenter(session, [ecole(A), full])
        alimenter(session, [ecole(A), eleve("1", "ROUX", "Ana", "2011-01-02", email=None)], jour=2)
        ana = personne(session, "ROUX", "Ana")
        assert (ana.email, ana.commune) == (None, "Tours")


class TestUndo:
    def test_a_first_feed_undone_leaves_nobody(self, session):
        feed = alimenter(session, famille())
        annuler(session, feed)
        saved = photo(session)
        assert saved["personne"] == saved["rattachement"] == saved["responsabilite"] == []
        assert feed.etat == "annulee"
        assert (
            session.scalar(select(func.count(Journal.id)).where(Journal.acte == "alimentation.annuler")) == 1
        )

    def test_changes_departures_and_returns_are_undone(self, session):
        alimenter(session, [*famille(), *classe(A, 2)])
        before = photo(session)
        feed = alimenter(
            session,
            [
                ecole(A),
                eleve("1", "ROUX", "Anna", "2011-01-02", division="3C", responsables={"P2": 1}),
                responsable("P2", "ROUX", "Paul"),
                *classe(A, 1),
                *classe(A, 1, premier=4),
            ],
            jour=2,
        )
        assert photo(session) != before
        annuler(session, feed)
        after = photo(session)
        for name in ("personne", "identifiant", "rattachement", "responsabilite", "services", "fonctions"):
            assert after[name] == before[name], name

    def test_a_field_edited_since_is_not_restored(self, session):
        alimenter(session, famille())
        feed = alimenter(session, famille("Anna"), jour=2)
        anna = personne(session, "ROUX", "Anna")
        anna.prenom = "Anouk"
        session.commit()
        annuler(session, feed)
        assert personne(session, "ROUX", "Anouk").id == anna.id

    def test_only_the_last_applied_feed_can_be_undone(self, session):
        first = alimenter(session, famille())
        alimenter(session, famille("Anna"), jour=2)
        with pytest.raises(ConflictError, match="plus récente"):
            annuler(session, first)

    def test_files_read_again_without_a_change_are_no_step_to_undo_first(self, session):
        first = alimenter(session, famille())
        again = alimenter(session, famille(), jour=2)
        assert again.etat == "appliquee"
        annuler(session, first)
        assert session.scalar(select(func.count(Personne.id))) == 0
        assert (first.etat, again.etat) == ("annulee", "annulee")
        assert alimenter(session, famille()).etat == "appliquee"  # older than what was undone with it

    def test_the_same_file_applies_again_after_undo(self, session):
        alimenter(session, famille())
        feed = alimenter(session, famille("Anna"), jour=2)
        annuler(session, feed)
        again = alimenter(session, famille("Anna"), jour=2)
        assert again.comptes["eleve"]["modifies"] == 1
        assert personne(session, "ROUX", "Anna").prenom == "Anna"


def test_every_kind_of_object_can_be_missed_but_nomenclatures():
    assert {Objet.MEF, Objet.MATIERE, Objet.ETABLISSEMENT}.isdisjoint(TOUS)
