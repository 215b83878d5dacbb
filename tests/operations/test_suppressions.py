"""Who left: brought back by hand as they were, then emptied for good once the delay is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.errors import ConflictError, NotFoundError, RuleViolationError
from app.extensions import Base, now
from app.models import (
    Attribution,
    Compte,
    Courriel,
    Etablissement,
    Journal,
    Personne,
    Rattachement,
    SessionCompte,
)
from app.operations import anonymisation, comptes, journal
from app.operations.connexions import find_account
from app.operations.courriels import queue
from app.operations.saisies import Actor
from app.operations.sessions import may_connect, open_session
from app.operations.suppressions import restaurer
from app.queries.references import references_to
from tests.operations.alimentation.support import (
    A,
    B,
    alimenter,
    annuler,
    ecole,
    eleve,
    enseignant,
    personne,
    personnes,
    places,
    responsable,
)
from tests.support.lignes import add_row

INE = "0987654321Z"
LEA = ("DUPUIS", "Léa", "2012-03-04")
REST = [
    ecole(A), ecole(B, "Collège Rabelais"),
    eleve("1", "MARTIN", "Paul", "2012-01-01"),
    *[eleve(f"9{n}", f"NOMBRE{n}", "Un", "2012-01-01") for n in range(6)],
    eleve("8", "AILLEURS", "Zoé", "2012-05-05", B),
]  # fmt: skip
CURIE = Actor("Marie Curie")


def with_lea(**more):
    lea = eleve("2", *LEA, ine=INE, responsables={"20": 1}, email="lea@exemple.fr", **more)
    return [*REST, lea, responsable("20", "DUPUIS", "Anne", email="anne.dupuis@exemple.fr")]


@pytest.fixture
def school(session):
    alimenter(session, with_lea())
    return session.scalars(select(Etablissement).where(Etablissement.uai == A)).one()


@pytest.fixture
def gone(session, school):
    """Léa and her mother left with the second feed."""
    alimenter(session, REST, jour=2, accept=True)
    return personne(session, "DUPUIS", "Léa")


class TestRestaurer:
    def test_the_place_and_those_of_the_guardians_come_back_as_they_were(self, session, school, gone):
        login, mother = gone.login, personne(session, "DUPUIS", "Anne")
        assert places(session, gone) == {(A, "eleve"): False}
        assert mother.supprime_le is not None
        place = restaurer(session, gone, school.id, acteur=CURIE)
        session.commit()
        assert place.division.code == "3A"
        assert (places(session, gone), places(session, mother)) == (
            {(A, "eleve"): True},
            {(A, "responsable"): True},
        )
        assert (gone.supprime_le, mother.supprime_le, gone.login) == (None, None, login)
        line = session.scalars(select(Journal).where(Journal.acte == "personne.restaurer")).one()
        assert (line.acteur, line.etablissement_id, line.avant["motif_fin"]) == (
            "Marie Curie",
            school.id,
            "depart",
        )

    def test_feeds_that_do_not_name_them_leave_them_and_the_one_that_does_takes_them_up(
        self, session, school, gone
    ):
        restaurer(session, gone, school.id)
        session.commit()
        alimenter(session, [*REST, eleve("77", "NEUF", "Un", "2012-02-02")], jour=3)
        assert places(session, gone) == {(A, "eleve"): True}
        alimenter(session, with_lea(nom_usage="DUPUIS-ROY"), jour=4)
        assert [p.id for p in personnes(session, "DUPUIS") if p.prenom == "Léa"] == [gone.id]
        session.refresh(gone)
        assert (gone.nom_usage, places(session, gone)) == ("DUPUIS-ROY", {(A, "eleve"): True})

    def test_refusals(self, session, school, gone):
        other = session.scalars(select(Etablissement.id).where(Etablissement.uai == B)).one()
        with pytest.raises(NotFoundError):
            restaurer(session, gone, other)
        with pytest.raises(RuleViolationError, match="déjà présent"):
            restaurer(session, personne(session, "MARTIN", "Paul"), school.id)
        anonymisation.anonymiser(session, [gone.id])
        with pytest.raises(ConflictError, match="anonymisée"):
            restaurer(session, gone, school.id)


class TestAnonymiser:
    @pytest.fixture
    def lived(self, session, school):
        """Léa has an account, signed in, was written to and did things; she leaves."""
        lea = personne(session, "DUPUIS", "Léa")
        user = Compte(
            username=lea.login, first_name="Léa", last_name="DUPUIS", email="lea@exemple.fr", active=True,
            password="", personne_id=lea.id,
        )  # fmt: skip
        session.add(user)
        session.flush()
        open_session(session, user)
        comptes.suspendre(session, user, "Mot de Léa DUPUIS", acteur=CURIE)
        comptes.retablir(session, user, acteur=Actor("Léa DUPUIS", user.id))
        queue(session, destinataire="lea@exemple.fr", objet="Bonjour", texte="Bonjour Léa DUPUIS")
        session.execute(update(Courriel).values(etat="envoye"))
        for kind, values in (
            ("personne", {"objet_id": lea.id, "objet": str(lea), "avant": {"email": "lea@exemple.fr"}}),
            ("groupe", {"objet_id": 4, "objet": "Chorale", "apres": {"membres": ["Léa Dupuis", "X Y"]}}),
        ):
            journal.write(session, acte="essai", objet_type=kind, etablissement_id=school.id, **values)
        session.commit()
        alimenter(session, REST, jour=2, accept=True)
        return lea.id, user.id

    def test_nothing_in_the_base_names_them_any_more_and_the_figures_stay(self, session, school, lived):
        pk, compte_id = lived
        mother = personne(session, "DUPUIS", "Anne").id
        before = session.scalar(select(func.count()).select_from(Journal))
        assert anonymisation.anonymiser(session, [pk, mother]) == 2
        session.commit()
        found = [text for text in everything(session) if any(w in text for w in SECRETS)]
        assert found == []
        assert session.get(Compte, compte_id) is None
        assert session.scalars(select(SessionCompte)).all() == []
        person = session.get(Personne, pk)
        assert (str(person), person.login, person.date_naissance) == ("PERSONNE anonymisée", None, None)
        place = session.scalars(select(Rattachement).where(Rattachement.personne_id == pk)).one()
        assert (place.profil, place.mef.code, place.division_id) == ("eleve", "10310019110", None)
        assert session.scalar(select(func.count()).select_from(Journal)) > before, "lines are kept"
        kept = session.scalars(select(Journal).where(Journal.objet == "Chorale")).one()
        assert kept.apres == {"membres": ["Personne anonymisée", "X Y"]}
        for chaine in session.scalars(select(Journal.chaine).distinct()):
            assert journal.verify(session, chaine) is None

    def test_a_line_changed_under_cover_of_an_anonymisation_shows(self, session, school, lived):
        anonymisation.anonymiser(session, [lived[0]])
        session.commit()
        line = session.scalars(
            select(Journal).where(Journal.objet == journal.NOBODY, Journal.chaine == school.id)
        ).first()
        session.execute(update(Journal).where(Journal.id == line.id).values(acteur="Quelqu’un"))
        session.commit()
        assert journal.verify(session, school.id) == line.numero

    def test_the_next_feed_that_names_them_makes_somebody_new(self, session, school, lived):
        anonymisation.anonymiser(session, [lived[0]])
        session.commit()
        alimenter(session, with_lea(), jour=3)
        new = personne(session, "DUPUIS", "Léa")
        assert new.id != lived[0]
        assert places(session, new) == {(A, "eleve"): True}

    def test_undoing_the_feed_that_saw_them_leave_gives_nobody_back(self, session, school, gone):
        feed = alimenter(session, [*REST, eleve("77", "NEUF", "Un", "2012-02-02")], jour=3)
        anonymisation.anonymiser(session, [gone.id])
        session.commit()
        annuler(session, feed)
        session.refresh(gone)
        assert (gone.anonymise_le is not None, places(session, gone)) == (True, {(A, "eleve"): False})

    def test_every_table_that_names_a_person_or_an_account_lets_them_go(self, session, school, gone):
        account = Compte(
            username="x", first_name="x", last_name="x", email="x@x.fr", active=True, password="",
            personne_id=gone.id,
        )  # fmt: skip
        session.add(account)
        session.flush()
        ids = {"personne": gone.id, "ab_user": account.id}
        known = {"personne": personne(session, "MARTIN", "Paul").id, "ab_user": account.id}
        columns = [(column, ids[name]) for name in ids for column in references_to(name)]
        for column, of in columns:
            if column.table.name != "ab_user":
                add_row(session.connection(), column.table, known, **{column.name: of})
        session.commit()
        anonymisation.anonymiser(session, [ids["personne"]])
        session.commit()
        left = {
            column.table.name
            for column, of in columns
            if session.connection().execute(select(column).where(column == of)).first()
        }
        assert left == anonymisation.GARDEES


class TestWhoIsDue:
    def test_only_who_left_everywhere_long_enough_ago_and_holds_no_wide_role(self, session, school, gone):
        mother = personne(session, "DUPUIS", "Anne")
        limit = now() - timedelta(days=90)
        assert anonymisation.purgeables(session, limit) == []
        session.execute(update(Personne).values(supprime_le=now() - timedelta(days=91)))
        account = Compte(
            username="anne", first_name="A", last_name="D", email="a@x.fr", active=True, password="",
            personne_id=mother.id,
        )  # fmt: skip
        session.add(account)
        session.flush()
        session.add(Attribution(compte_id=account.id, role="accompagnement", academie_id=school.academie_id))
        session.commit()
        assert anonymisation.purgeables(session, limit) == [gone.id], "the others have a place, or a role"
        assert anonymisation.anonymiser(session, [gone.id]) == 1
        assert anonymisation.anonymiser(session, [gone.id]) == 0
        assert anonymisation.purgeables(session, limit) == []


class TestRightsThatEndWithADeparture:
    def test_a_local_administrator_who_leaves_is_out_at_once(self, session, school):
        teacher = enseignant("50", "GUERIN", "Luc", A, B)
        alimenter(session, [*with_lea(), teacher], jour=2)
        luc = personne(session, "GUERIN", "Luc")
        other = session.scalars(select(Etablissement.id).where(Etablissement.uai == B)).one()
        user = Compte(
            username=luc.login, first_name="Luc", last_name="GUERIN", email="l@x.fr", active=True,
            password="", personne_id=luc.id,
        )  # fmt: skip
        session.add(user)
        session.flush()
        for where in (school.id, other):
            comptes.attribuer(session, user, "correspondant", etablissement_id=where)
        open_session(session, user)
        session.commit()
        alimenter(session, [*with_lea(), enseignant("50", "GUERIN", "Luc", B)], jour=3, accept=True)
        ended = {
            row.etablissement_id: row.jusqua is not None
            for row in session.scalars(select(Attribution).where(Attribution.compte_id == user.id))
        }
        assert ended == {school.id: True, other: False}
        opened = session.scalars(select(SessionCompte).where(SessionCompte.compte_id == user.id)).all()
        assert [row.motif_fin for row in opened] == ["droits"]
        lines = session.scalars(select(Journal).where(Journal.acte == "role.retirer")).all()
        assert [(line.etablissement_id, line.avant) for line in lines] == [
            (school.id, {"rôle": "correspondant"})
        ]


SECRETS = ("DUPUIS", "Dupuis", "lea.dupuis", "exemple.fr", INE, "Léa")


def everything(session):
    """Yield every row of the base as text."""
    connection = session.connection()
    for table in Base.metadata.tables.values():
        for row in connection.execute(select(table)):
            yield f"{table.name} {tuple(row)}"


class TestWhoMayConnect:
    def test_who_left_every_school_is_unknown_until_they_come_back(self, session, school, gone):
        account = Compte(
            username=gone.login, first_name="x", last_name="x", email="x@x.fr", active=True, password="",
            personne_id=gone.id,
        )  # fmt: skip
        session.add(account)
        session.commit()
        assert (find_account(session, gone.login), may_connect(account)) == (None, False)
        restaurer(session, gone, school.id)
        session.commit()
        assert (find_account(session, gone.login), may_connect(account)) == (account, True)
