"""Who is who: homonyms, twins, families, people of two schools, identifiers that disagree."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select

from app.models import Ecart, Identifiant, Personne, Rattachement, Responsabilite, VarianteNom
from app.operations.alimentation.fiches import Objet
from tests.operations.alimentation.support import (
    A,
    B,
    alimenter,
    annuler,
    apercu,
    codes,
    ecole,
    eleve,
    enseignant,
    entete,
    fiche,
    personne,
    personnes,
    photo,
    places,
    responsable,
)

INE = "0123456789A"
AUTRE_INE = "0123456789B"


class TestHomonyms:
    def test_same_name_and_birth_date_with_other_ine_are_two_people_and_flagged(self, session):
        feed = apercu(
            session,
            [
                ecole(A),
                eleve("1", "MARTIN", "Léa", "2012-03-04", ine=INE),
                eleve("2", "MARTIN", "Léa", "2012-03-04", ine=AUTRE_INE),
                eleve("3", "MARTIN", "Léa", "2013-03-04"),
            ],
        )
        assert codes(session, feed) == ["homonyme", "homonyme"]
        alimenter(
            session,
            [
                ecole(A),
                eleve("1", "MARTIN", "Léa", "2012-03-04", ine=INE),
                eleve("2", "MARTIN", "Léa", "2012-03-04", ine=AUTRE_INE),
                eleve("3", "MARTIN", "Léa", "2013-03-04"),
            ],
        )
        assert [p.login for p in personnes(session, "MARTIN")] == ["lea.martin", "lea.martin2", "lea.martin3"]

    def test_a_newcomer_named_like_somebody_of_another_ine_is_not_merged(self, session):
        alimenter(session, [ecole(A), eleve("1", "MARTIN", "Léa", "2012-03-04", ine=INE)])
        feed = alimenter(
            session,
            [
                ecole(A),
                eleve("1", "MARTIN", "Léa", "2012-03-04", ine=INE),
                eleve("2", "MARTIN", "Léa", "2012-03-04", ine=AUTRE_INE),
            ],
            jour=2,
        )
        assert codes(session, feed) == ["homonyme"]
        assert len(personnes(session, "MARTIN")) == 2

    def test_a_name_already_known_under_another_key_is_flagged_not_merged(self, session):
        alimenter(session, [ecole(A), eleve("1", "MARTIN", "Léa", "2012-03-04")])
        feed = alimenter(
            session,
            [ecole(A), eleve("1", "MARTIN", "Léa", "2012-03-04"), eleve("2", "MARTIN", "Léa", "2012-03-04")],
            jour=2,
        )
        assert codes(session, feed) == ["homonyme_possible"]
        assert len(personnes(session, "MARTIN")) == 2


class TestTwins:
    def test_same_birth_date_and_name_with_other_first_name_are_two_people(self, session):
        feed = alimenter(
            session,
            [ecole(A), eleve("1", "DURAND", "Zoé", "2012-03-04"), eleve("2", "DURAND", "Tom", "2012-03-04")],
        )
        assert codes(session, feed) == []
        assert {p.prenom for p in personnes(session, "DURAND")} == {"Zoé", "Tom"}

    def test_twins_given_one_ine_by_mistake_stay_two(self, session):
        feed = alimenter(
            session,
            [
                ecole(A),
                eleve("1", "DURAND", "Zoé", "2012-03-04", ine=INE),
                eleve("2", "DURAND", "Tom", "2012-03-04", ine=INE),
            ],
        )
        assert codes(session, feed) == ["ine_double", "ine_double"]
        assert len(personnes(session, "DURAND")) == 2
        holders = session.scalars(select(Identifiant).where(Identifiant.type == "ine")).all()
        assert [holder.personne.prenom for holder in holders] == ["Zoé"]


class TestPupilOfTwoSchools:
    def test_one_record_naming_two_schools(self, session):
        alimenter(session, [ecole(A), ecole(B), eleve("1", "PETIT", "Inès", "2011-01-02", A, B)])
        assert places(session, personne(session, "PETIT", "Inès")) == {(A, "eleve"): True, (B, "eleve"): True}

    def test_two_records_of_one_ine_name_and_birth_date(self, session):
        alimenter(
            session,
            [
                ecole(A),
                ecole(B),
                eleve("1", "PETIT", "Inès", "2011-01-02", A, ine=INE),
                eleve("2", "PETIT", "Inès", "2011-01-02", B, ine=INE),
            ],
        )
        assert places(session, personne(session, "PETIT", "Inès")) == {(A, "eleve"): True, (B, "eleve"): True}

    def test_siecle_of_two_schools_with_one_eleve_id(self, session):
        for jour, uai in ((1, A), (2, B)):
            alimenter(
                session,
                [eleve("77", "PETIT", "Inès", "2011-01-02", uai, eleve_id="77")],
                jour=jour,
                source="siecle",
                espace=f"siecle:{uai}",
                uai=uai,
            )
        assert places(session, personne(session, "PETIT", "Inès")) == {(A, "eleve"): True, (B, "eleve"): True}


class TestFamilies:
    def test_siblings_share_their_parents(self, session):
        alimenter(
            session,
            [
                ecole(A),
                ecole(B),
                eleve("1", "ROUX", "Ana", "2011-01-02", A, responsables={"P1": 1, "P2": 1}),
                eleve("2", "ROUX", "Léo", "2013-05-06", B, responsables={"P1": 1, "P2": 1}),
                responsable("P1", "ROUX", "Marie"),
                responsable("P2", "ROUX", "Paul"),
                responsable("P3", "SANS", "Enfant"),
            ],
        )
        marie = personne(session, "ROUX", "Marie")
        assert places(session, marie) == {(A, "responsable"): True, (B, "responsable"): True}
        assert session.scalar(select(func.count(Responsabilite.id))) == 4
        assert personnes(session, "SANS") == []

    def test_separated_parents_are_two_people_with_two_addresses(self, session):
        alimenter(
            session,
            [
                ecole(A),
                eleve("1", "ROUX", "Ana", "2011-01-02", responsables={"P1": 1, "P2": 2}),
                responsable("P1", "ROUX", "Marie", adresse="1 rue Haute", email="famille@exemple.fr"),
                responsable("P2", "ROUX", "Paul", adresse="9 rue Basse", email="famille@exemple.fr"),
            ],
        )
        assert personne(session, "ROUX", "Marie").adresse == "1 rue Haute"
        assert personne(session, "ROUX", "Paul").adresse == "9 rue Basse"
        levels = (
            session.execute(select(Responsabilite.niveau).order_by(Responsabilite.niveau)).scalars().all()
        )
        assert levels == [1, 2]

    def test_a_link_withdrawn_closes_the_parent_place(self, session):
        both = [responsable("P1", "ROUX", "Marie"), responsable("P2", "ROUX", "Paul")]
        alimenter(
            session,
            [ecole(A), eleve("1", "ROUX", "Ana", "2011-01-02", responsables={"P1": 1, "P2": 1}), *both],
        )
        alimenter(
            session,
            [ecole(A), eleve("1", "ROUX", "Ana", "2011-01-02", responsables={"P1": 1}), *both],
            jour=2,
        )
        assert places(session, personne(session, "ROUX", "Paul")) == {(A, "responsable"): False}
        assert personne(session, "ROUX", "Paul").supprime_le is not None
        assert places(session, personne(session, "ROUX", "Marie")) == {(A, "responsable"): True}

    def test_siecle_links_stated_apart(self, session):
        def lien(niveau: int):
            record = {
                "eleve_cle": "1", "responsable_cle": "P", "code_parente": "10", "niveau": niveau,
                "financier": True, "contact": True, "paiement": False,
            }  # fmt: skip
            return fiche(Objet.LIEN, "1$P", record, A)

        head = {"source": "siecle", "espace": f"siecle:{A}", "uai": A}
        people = [eleve("1", "ROUX", "Ana", "2011-01-02"), responsable("P", "ROUX", "Marie")]
        alimenter(session, [*people, lien(1)], **head)
        assert session.scalars(select(Responsabilite.niveau)).all() == [1]
        feed = alimenter(session, [*people, lien(2)], jour=2, **head)
        assert feed.comptes["lien"]["modifies"] == 1
        assert session.scalars(select(Responsabilite.niveau)).all() == [2]
        alimenter(session, people, jour=3, accept=True, **head)
        assert session.scalars(select(Responsabilite.niveau)).all() == []


class TestStaff:
    def test_a_teacher_in_two_schools_is_one_person(self, session):
        alimenter(session, [ecole(A), ecole(B), enseignant("T", "BLANC", "Rémi", A, B)])
        blanc = personne(session, "BLANC", "Rémi")
        assert places(session, blanc) == {(A, "enseignant"): True, (B, "enseignant"): True}
        saved = photo(session)
        assert saved["services"] == [
            ("remi.blanc", A, "3A", None, "020700"), ("remi.blanc", B, "3A", None, "020700"),
        ]  # fmt: skip
        assert saved["fonctions"] == [("remi.blanc", "ENS", "L0202")] * 2
        assert saved["principal"] == [("remi.blanc", "3A")]

    def test_sts_of_two_schools_joins_by_name_and_birth_date(self, session):
        for jour, uai in ((1, A), (2, B)):
            alimenter(
                session,
                [enseignant("epp:9", "BLANC", "Rémi", uai, date_naissance="1980-02-03",
                            identifiants=[["sts", uai, "epp:9"]])],
                jour=jour, source="sts", espace=f"sts:{uai}", uai=uai,
            )  # fmt: skip
        blanc = personne(session, "BLANC", "Rémi")
        assert places(session, blanc) == {(A, "enseignant"): True, (B, "enseignant"): True}

    def test_sts_without_birth_date_is_not_guessed(self, session):
        for jour, uai in ((1, A), (2, B)):
            alimenter(
                session,
                [enseignant("local:9", "BLANC", "Rémi", uai, identifiants=[["sts", uai, "local:9"]])],
                jour=jour, source="sts", espace=f"sts:{uai}", uai=uai,
            )  # fmt: skip
        assert len(personnes(session, "BLANC")) == 2

    def test_a_parent_who_is_also_staff_is_one_person_by_mail_and_name(self, session):
        alimenter(
            session,
            [
                ecole(A),
                eleve("1", "NOIR", "Ida", "2011-01-02", responsables={"P": 1}),
                responsable("P", "NOIR", "Eva", email="Eva.Noir@exemple.fr"),
                enseignant("T", "NOIR", "Eva", email="eva.noir@exemple.fr"),
            ],
        )
        eva = personne(session, "NOIR", "Eva")
        assert places(session, eva) == {(A, "responsable"): True, (A, "enseignant"): True}

    def test_a_parent_of_the_same_name_without_the_mail_is_somebody_else(self, session):
        alimenter(
            session,
            [
                ecole(A),
                eleve("1", "NOIR", "Ida", "2011-01-02", responsables={"P": 1}),
                responsable("P", "NOIR", "Eva"),
                enseignant("T", "NOIR", "Eva", email="eva.noir@exemple.fr"),
            ],
        )
        assert len(personnes(session, "NOIR")) == 3


class TestDisagreeingIdentifiers:
    def test_two_identifiers_leading_to_two_people_change_nothing_and_nobody_leaves(self, session):
        first = [
            ecole(A),
            eleve("1", "GRIS", "Ada", "2011-01-02", eleve_id="E1"),
            eleve("2", "GRIS", "Noé", "2012-01-02", ine=INE, eleve_id="E2"),
        ]
        alimenter(session, first)
        before = photo(session)
        feed = alimenter(
            session,
            [ecole(A), eleve("3", "GRIS", "Noé", "2012-01-02", ine=INE, eleve_id="E1")],
            jour=2,
        )
        assert codes(session, feed) == ["identifiants_divergents"]
        assert feed.comptes["eleve"]["departs"] == 0
        assert photo(session) == before

    def test_the_anomaly_carries_name_identifier_and_line(self, session):
        alimenter(
            session,
            [
                ecole(A),
                eleve("1", "GRIS", "Ada", "2011-01-02", eleve_id="E1"),
                eleve("2", "GRIS", "Noé", "2012-01-02", ine=INE),
            ],
        )
        feed = apercu(
            session,
            [ecole(A), eleve("3", "GRIS", "Noé", "2012-01-02", ine=INE, eleve_id="E1")],
            entete(2),
        )
        row = session.scalars(
            select(Ecart).where(Ecart.alimentation_id == feed.id, Ecart.nature == "anomalie")
        ).one()
        assert (row.libelle, row.identifiant, row.ligne) == ("GRIS Noé – 02/01/2012", INE, 1)


class TestRecordedIdentity:
    def test_a_changed_name_changes_the_search_key_but_never_the_login(self, session):
        alimenter(session, [ecole(A), eleve("1", "VERT", "Élise", "2011-01-02")])
        alimenter(session, [ecole(A), eleve("1", "VERT", "Élisa", "2011-01-02")], jour=2)
        found = session.scalars(select(Personne)).one()
        assert (found.prenom, found.nom_recherche, found.login) == ("Élisa", "vert elisa", "elise.vert")
        assert session.scalars(select(Rattachement.cle)).all() == ["vert elisa"]
        assert found.date_naissance == date(2011, 1, 2)

    def test_a_new_place_in_the_feed_that_renames_has_the_new_key(self, session):
        alimenter(session, [ecole(A), ecole(B), eleve("1", "VERT", "Élise", "2011-01-02")])
        moved = eleve("1", "VERT", "Élisa", "2011-01-02", A, B)
        alimenter(session, [ecole(A), ecole(B), moved], jour=2)
        assert set(session.scalars(select(Rattachement.cle))) == {"vert elisa"}


class TestOtherKeys:
    def keys(self, session):
        return sorted(session.scalars(select(VarianteNom.cle)))

    def test_a_double_name_is_found_by_each_part_and_follows_changes_and_undo(self, session):
        alimenter(session, [ecole(A), eleve("1", "DE LA TOUR", "Élise", "2011-01-02")])
        first = self.keys(session)
        assert {"tour elise", "la tour elise", "delatour elise"} <= set(first)
        second = alimenter(session, [ecole(A), eleve("1", "PRÉ-VERT", "Élise", "2011-01-02")], jour=2)
        assert self.keys(session) == ["prevert elise", "vert elise"]
        annuler(session, second)
        assert self.keys(session) == first

    def test_undoing_a_creation_leaves_no_key(self, session):
        alimenter(session, [ecole(A)])
        feed = alimenter(session, [ecole(A), eleve("1", "DE LA TOUR", "Élise", "2011-01-02")], jour=2)
        annuler(session, feed)
        assert self.keys(session) == []
