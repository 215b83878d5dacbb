"""Two people made one: every row follows, the next feed knows both keys, and undoing gives all back."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select, update

from app.errors import ConflictError, RuleViolationError
from app.extensions import Base, db, now
from app.models import (
    Attribution,
    Compte,
    Doublon,
    Etablissement,
    Fusion,
    Identifiant,
    Journal,
    Nomination,
    Personne,
    Rattachement,
    Responsabilite,
    SessionCompte,
    VerrouPersonne,
)
from app.operations import anonymisation
from app.operations.deplacements import APART
from app.operations.fusion import Decision, annuler, etat, fusionner
from app.operations.saisies import Actor
from app.operations.sessions import open_session
from app.queries.references import references_to
from app.security.perimetres import TOUT, perimetre
from tests.operations.alimentation.support import (
    A,
    B,
    alimenter,
    apercu,
    appliquer,
    ecole,
    eleve,
    enseignant,
    entete,
    personne,
    personnes,
    photo,
    places,
    responsable,
)
from tests.support.lignes import add_row

CURIE = Actor("Marie Curie")
BASE = [ecole(A), ecole(B, "Collège Rabelais"), eleve("1", "MARTIN", "Paul", "2012-01-01")]


def twice(**more):
    """Léa under two keys, in two schools, with one mother each under her own key."""
    return [
        *BASE,
        eleve("2", "DUPUIS", "Léa", "2012-03-04", A, responsables={"20": 1}, email="lea@a.fr", **more),
        eleve("3", "DUPUIS", "Lea", "2012-03-04", B, division="4B", responsables={"30": 1}, email="l@b.fr"),
        responsable("20", "DUPUIS", "Anne"),
        responsable("30", "DUPUIS", "Anne"),
        enseignant("50", "GUERIN", "Luc", A),
    ]


def decide(*people, **values):
    compte = values.pop("compte", None)
    return Decision({p.id: p.version for p in people}, {k: v.id for k, v in values.items()}, compte)


def account(session, person, **more):
    row = Compte(
        username=person.login, first_name=person.prenom, last_name=person.nom, email=f"{person.login}@x.fr",
        active=True, password="", personne_id=person.id, **more,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def the_two(session, nom="DUPUIS", prenoms=("Léa", "Lea")):
    return [p for p in personnes(session, nom) if p.prenom in prenoms]


@pytest.fixture
def two(session):
    alimenter(session, twice())
    return the_two(session)


class TestFusionner:
    def test_places_identifiers_keys_and_links_of_both_are_one_persons(self, session, two):
        a, b = two
        absorbed, mothers = b.id, the_two(session, prenoms=("Anne",))
        fusion = fusionner(session, a.id, b.id, decide(a, b, email=b, prenom=a), acteur=CURIE)
        fusionner(session, mothers[0].id, mothers[1].id, decide(*mothers), acteur=CURIE)
        session.commit()
        lea = personne(session, "DUPUIS", "Léa")
        assert (lea.id, lea.email, lea.login) == (a.id, "l@b.fr", "lea.dupuis")
        assert places(session, lea) == {(A, "eleve"): True, (B, "eleve"): True}
        keys = session.scalars(select(Identifiant.valeur).where(Identifiant.personne_id == lea.id))
        assert sorted(keys) == ["2", "3", "E2", "E3"]
        assert (
            len(session.scalars(select(Responsabilite).where(Responsabilite.eleve_id == lea.id)).all()) == 1
        )
        locked = session.scalars(select(VerrouPersonne.champ).where(VerrouPersonne.personne_id == lea.id))
        assert sorted(locked) == ["email", "prenom"], "what was chosen against another value is kept"
        assert len(the_two(session)) == 1
        assert fusion.absorbee == absorbed
        lines = session.scalars(select(Journal).where(Journal.acte == "personne.fusionner")).all()
        assert {(line.acteur, line.objet) for line in lines} == {
            ("Marie Curie", "DUPUIS Léa"),
            ("Marie Curie", "DUPUIS Anne"),
        }

    def test_the_next_feeds_know_both_keys_and_never_split_them(self, session, two):
        a, b = two
        mothers = the_two(session, prenoms=("Anne",))
        fusionner(session, mothers[0].id, mothers[1].id, decide(*mothers))
        fusionner(session, a.id, b.id, decide(a, b))
        session.commit()
        count = session.scalar(select(func.count()).select_from(Personne))
        alimenter(session, twice(), jour=2)
        alimenter(session, twice(telephone_portable="0612345678"), jour=3)
        lea = personne(session, "DUPUIS", "Léa")
        assert session.scalar(select(func.count()).select_from(Personne)) == count
        assert (lea.telephone_portable, lea.email) == ("0612345678", "lea@a.fr")
        assert places(session, lea) == {(A, "eleve"): True, (B, "eleve"): True}
        # the source drops the second key: the pupil leaves its school and stays in the other
        alone = eleve("2", "DUPUIS", "Léa", "2012-03-04", A, responsables={"20": 1, "30": 1}, email="n@a.fr")
        mother = [responsable("20", "DUPUIS", "Anne"), responsable("30", "DUPUIS", "Anne")]
        alimenter(session, [*BASE, alone, *mother], jour=4, accept=True)
        session.expire_all()
        assert places(session, lea) == {(A, "eleve"): True, (B, "eleve"): False}
        alone = eleve("2", "DUPUIS", "Léa", "2012-03-04", A, responsables={"20": 1})
        alimenter(session, [*BASE, alone, responsable("20", "DUPUIS", "Anne")], jour=5, accept=True)
        assert (
            len(session.scalars(select(Responsabilite).where(Responsabilite.eleve_id == lea.id)).all()) == 1
        )

    def test_one_place_in_one_school_the_open_one_tells(self, session):
        both = [eleve(k, "ROY", "Éva", "2012-03-04", A, division=d) for k, d in (("7", "3A"), ("8", "3B"))]
        alimenter(session, [*BASE, *both])
        a, b = personnes(session, "ROY")
        session.execute(
            update(Rattachement).where(Rattachement.personne_id == a.id).values(fin=now(), motif_fin="depart")
        )
        session.execute(update(Personne).where(Personne.id == a.id).values(supprime_le=now()))
        session.commit()
        session.expire_all()
        fusion = fusionner(session, a.id, b.id, decide(a, b))
        session.commit()
        place = session.scalars(select(Rattachement).where(Rattachement.personne_id == a.id)).one()
        assert (place.fin, place.division.code) == (None, "3B")
        assert personne(session, "ROY", "Éva").supprime_le is None
        annuler(session, fusion)
        session.commit()
        assert [places(session, p)[A, "eleve"] for p in personnes(session, "ROY")] == [False, True]

    def test_the_activated_account_stays_and_of_two_the_other_is_closed_without_its_rights_moving(
        self, session, two
    ):
        a, b = two
        school = session.scalars(select(Etablissement.id).where(Etablissement.uai == A)).one()
        user_b = account(session, b)
        session.commit()
        fusion = fusionner(session, a.id, b.id, decide(a, b))
        assert (fusion.personne_id, session.get(Personne, b.id).login) == (b.id, b.login)
        annuler(session, fusion)
        user_a = account(session, a)
        session.add(Attribution(compte_id=user_a.id, role="correspondant", etablissement_id=school))
        open_session(session, user_a)
        session.commit()
        with pytest.raises(RuleViolationError, match="choisissez celui qui reste"):
            fusionner(session, a.id, b.id, decide(a, b))
        fusionner(session, a.id, b.id, decide(a, b, compte=b.id))
        session.commit()
        session.expire_all()
        assert (user_b.personne_id, user_a.personne_id, user_a.active) == (b.id, None, False)
        assert user_a.supprime_le is not None
        assert [s.motif_fin for s in session.scalars(select(SessionCompte))] == ["suppression"]
        held = session.scalars(select(Attribution.compte_id)).all()
        assert held == [user_a.id], "rights are not handed over"

    def test_rights_promised_to_one_do_not_pass_to_the_account_of_the_other(self, session, two):
        a, b = two
        school = session.scalars(select(Etablissement.id).where(Etablissement.uai == A)).one()
        account(session, b)
        session.add(Nomination(personne_id=a.id, role="correspondant", etablissement_id=school))
        session.commit()
        fusion = fusionner(session, a.id, b.id, decide(a, b))
        assert session.scalars(select(Nomination)).all() == []
        annuler(session, fusion)
        assert session.scalars(select(Nomination.personne_id)).all() == [a.id]

    def test_refusals(self, session, two):
        a, b = two
        mother = the_two(session, prenoms=("Anne",))[0]
        with pytest.raises(RuleViolationError, match="responsable de l’autre"):
            fusionner(session, a.id, mother.id, decide(a, mother))
        seen = decide(a, b)
        session.execute(update(Personne).where(Personne.id == b.id).values(version=9))
        with pytest.raises(ConflictError, match="a changé pendant que vous compariez"):
            fusionner(session, a.id, b.id, seen)
        with pytest.raises(ConflictError, match="n’existe plus"):
            fusionner(session, a.id, 987_654, decide(a))
        session.rollback()
        anonymisation.anonymiser(session, [b.id])
        with pytest.raises(RuleViolationError, match="anonymisée"):
            fusionner(session, a.id, b.id, decide(a, session.get(Personne, b.id)))

    def test_every_table_that_names_a_person_follows_and_comes_back(self, session, two):
        a, b = two
        absorbed, known = b.id, {"personne": personne(session, "MARTIN", "Paul").id}
        connection = session.connection()
        for column in references_to("personne"):
            if column.table.name not in APART:
                add_row(connection, column.table, known, **{column.name: b.id})
        session.commit()
        before = dump(session)
        fusion = fusionner(session, a.id, b.id, decide(a, b))
        session.commit()
        left = [
            f"{column.table.name}.{column.name}"
            for column in references_to("personne")
            if session.connection().execute(select(column).where(column == absorbed)).first()
        ]
        assert left == []
        annuler(session, fusion)
        session.commit()
        assert dump(session) == before


class TestAnnuler:
    def test_both_come_back_exactly_with_their_pair_and_their_guardians(self, session, two):
        a, b = two
        session.add(Doublon(personne_a_id=a.id, personne_b_id=b.id, motifs=["naissance"]))
        session.add(VerrouPersonne(personne_id=b.id, champ="email", par="Moi"))
        session.commit()
        before, shot = dump(session), photo(session)
        fusion = fusionner(session, a.id, b.id, decide(a, b, prenom=b, email=b), acteur=CURIE)
        session.commit()
        assert dump(session) != before
        assert session.scalars(select(Doublon)).all() == []
        annuler(session, fusion, acteur=CURIE)
        session.commit()
        assert (dump(session), photo(session)) == (before, shot)
        assert session.scalars(select(Fusion)).all() == []
        with pytest.raises(ConflictError, match="déjà été annulée"):
            annuler(session, fusion)

    def test_an_unchanged_feed_changes_nothing_and_a_hand_edit_does(self, session, two):
        a, b = two
        fusion = fusionner(session, a.id, b.id, decide(a, b))
        session.commit()
        alimenter(session, twice(), jour=2)
        assert etat(session, a.id) == session.get(Fusion, fusion.id).empreinte
        session.execute(update(Personne).where(Personne.id == a.id).values(email="autre@x.fr"))
        session.commit()
        with pytest.raises(ConflictError, match="a changé depuis la fusion"):
            annuler(session, fusion)


class TestTogether:
    def test_two_merges_at_once_of_pairs_that_share_somebody_make_one(self, app, session):
        keys = [eleve(k, "ROY", "Éva", "2012-03-04") for k in ("7", "8", "9")]
        alimenter(session, [*BASE, *keys])
        a, b, c = personnes(session, "ROY")
        pairs = [(a.id, b.id, decide(a, b)), (b.id, c.id, decide(b, c))]
        session.commit()
        barrier, outcomes = threading.Barrier(2), []

        def act(one, other, decision):
            with app.app_context(), perimetre(db.session(), TOUT):
                barrier.wait()
                try:
                    fusionner(db.session(), one, other, decision)
                    db.session.commit()
                    outcomes.append("fait")
                except ConflictError:
                    db.session.rollback()
                    outcomes.append("refus")
                finally:
                    db.session.remove()

        threads = [threading.Thread(target=act, args=pair) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(outcomes) == ["fait", "refus"]
        assert len(personnes(session, "ROY")) == 2

    def test_a_merge_between_a_preview_and_its_application(self, session, two):
        a, b = two
        feed = apercu(session, twice(nom_usage="DUPUIS-ROY"), entete(2))
        fusionner(session, a.id, b.id, decide(a, b))
        session.commit()
        appliquer(session, feed)
        assert [p.nom_usage for p in the_two(session)] == ["DUPUIS-ROY"]


def dump(session):
    """Return every row that says something of people, versions apart."""
    skipped = {"version", "modifie_le"}
    tables = [Base.metadata.tables["personne"]]
    tables += [table for table in Base.metadata.tables.values() if "personne" in owned(table)]
    found = {}
    for table in tables:
        columns = [column for column in table.columns if column.name not in skipped]
        rows = session.connection().execute(select(*columns)).all()
        found[table.name] = sorted(repr(tuple(row)) for row in rows)
    return found


def owned(table):
    return {key.column.table.name for column in table.columns for key in column.foreign_keys}
