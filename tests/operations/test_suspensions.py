"""Suspending people and giving accounts back, alone and by thousands: who is refused, what is written."""

import threading

import pytest
from sqlalchemy import func, select

from app.errors import RuleViolationError
from app.extensions import db, now
from app.models import (
    Academie,
    ActeEnNombre,
    Attribution,
    Compte,
    Etablissement,
    Journal,
    LigneActeEnNombre,
    Personne,
    Rattachement,
    SessionCompte,
)
from app.operations import actes_en_nombre as nombre
from app.operations import journal, suspensions
from app.operations.pouvoirs import REFUS, Pouvoir
from app.operations.saisies import Actor
from app.operations.sessions import open_session
from app.operations.suspensions import Cible
from app.security.delegation import pouvoirs_of
from app.security.perimetres import TOUT, Perimetre, perimetre

WHO = Actor("Claire Montagné")


@pytest.fixture
def ecoles(session):
    academies = [Academie(code=code, nom=f"Académie {code}") for code in ("18", "19")]
    session.add_all(academies)
    session.flush()
    rows = [
        Etablissement(
            uai=f"037000{n}A", nom=f"Collège {n}", nom_recherche=f"college {n}", academie_id=academies[n].id
        )
        for n in (0, 1)
    ]
    session.add_all(rows)
    session.flush()
    return rows


@pytest.fixture
def personne(session, ecoles):
    def make(nom, *roles, compte=True, ecole=0, profil="enseignant"):
        row = Personne(nom=nom, prenom="Zoé", nom_recherche=nom.lower(), login=f"zoe.{nom.lower()}")
        session.add(row)
        session.flush()
        session.add(Rattachement(personne_id=row.id, etablissement_id=ecoles[ecole].id, profil=profil))
        if compte:
            account = Compte(
                username=row.login, first_name="Zoé", last_name=nom, email=f"{nom}@x.fr", active=True,
                password="", personne_id=row.id,
            )  # fmt: skip
            session.add(account)
            session.flush()
            for role, where in roles:
                session.add(Attribution(compte_id=account.id, role=role, **where))
        session.flush()
        return row

    return make


def held(session, person):
    account = session.scalars(select(Compte).where(Compte.personne_id == person.id)).one()
    session.refresh(account, ["attributions"])
    return pouvoirs_of(account)


def state(session, person):
    session.refresh(person)
    return person.suspendu_le is not None, person.motif_suspension


class TestOne:
    def test_is_suspended_closed_journalled_and_given_back_as_it_was(self, session, ecoles, personne):
        someone, school = personne("BLANC"), ecoles[0].id
        account = session.scalars(select(Compte)).one()
        open_session(session, account)
        version = someone.version
        suspensions.suspendre(session, someone, " Départ ", etablissement_id=school, acteur=WHO)
        assert state(session, someone) == (True, "Départ")
        assert (someone.version, account.active, account.suspendu_le) == (version, True, someone.suspendu_le)
        assert session.scalars(select(SessionCompte.motif_fin)).all() == ["suspension"]
        suspensions.reactiver(session, someone, etablissement_id=school, acteur=WHO)
        assert state(session, someone) == (False, None)
        lines = session.scalars(select(Journal).order_by(Journal.id)).all()
        assert [(line.acte, line.objet, line.avant, line.apres) for line in lines] == [
            ("compte.suspendre", "BLANC Zoé", None, {"motif": "Départ"}),
            ("compte.retablir", "BLANC Zoé", {"motif": "Départ"}, None),
        ]
        assert {(line.objet_type, line.objet_id, line.etablissement_id) for line in lines} == {
            ("personne", someone.id, school)
        }
        assert journal.verify(session, school) is None

    def test_somebody_who_never_activated_too(self, session, personne):
        someone = personne("BLANC", compte=False)
        suspensions.suspendre(session, someone, "Départ", etablissement_id=None, acteur=WHO)
        assert state(session, someone) == (True, "Départ")

    def test_refuses_with_what_to_do(self, session, ecoles, personne):
        here = {"etablissement_id": ecoles[0].id}
        last = personne("SEUL", ("correspondant", here))
        session.add(Attribution(compte_id=last_account(session), role="accompagnement",
                                academie_id=ecoles[0].academie_id))  # fmt: skip
        plain, gone = personne("BLANC"), personne("PARTI")
        gone.suspendu_le = now()
        session.flush()
        me = session.scalars(select(Compte).where(Compte.personne_id == plain.id)).one()

        def refused(person, motif="x", acteur=WHO, detenus=None):
            with pytest.raises(RuleViolationError) as refusal:
                suspensions.suspendre(
                    session, person, motif, etablissement_id=None, detenus=detenus, acteur=acteur
                )
            return refusal.value.message

        assert refused(plain, "  ").startswith("Dites pourquoi")
        assert refused(gone) == suspensions.DEJA
        assert refused(plain, acteur=Actor("Zoé Blanc", me.id)) == suspensions.SOI
        assert refused(last) == suspensions.DERNIER
        assert refused(last, detenus=()) == REFUS
        with pytest.raises(RuleViolationError, match="pas suspendu"):
            suspensions.reactiver(session, plain, etablissement_id=None, acteur=WHO)
        assert session.scalar(select(func.count()).select_from(Journal)) == 0

    def test_the_administrators_of_a_school_never_all_go(self, session, ecoles, personne):
        here = {"etablissement_id": ecoles[0].id}
        both = [personne(nom, ("correspondant", here)) for nom in ("BLANC", "ROUX")]
        targets = [Cible(row.id, ecoles[0].id) for row in both]
        bilan = suspensions.suspendre_lot(session, targets, "x", acteur=WHO)
        assert bilan.refus == {both[1].id: suspensions.DERNIER}
        assert list(bilan.faits) == [both[0].id]


def last_account(session):
    return session.scalars(select(Compte.id).order_by(Compte.id.desc())).first()


class TestPouvoirs:
    """Nobody acts on an account that holds more than theirs (G1, G2)."""

    def test_what_covers_what(self, session, ecoles, personne):
        a, b = ecoles
        here, there = {"etablissement_id": a.id}, {"etablissement_id": b.id}
        whole = {"academie_id": a.academie_id}
        people = {
            "rien": personne("RIEN"),
            "ici": personne("ICI", ("correspondant", here)),
            "chef": personne("CHEF", ("chef_etablissement", here)),
            "ailleurs": personne("AILLEURS", ("correspondant", here), ("correspondant", there)),
            "academie": personne("ACADEMIE", ("accompagnement", whole)),
            "tout": personne("TOUT", ("assistant_n2", {})),
        }
        expected = {
            "rien": {"ici", "chef", "ailleurs", "academie", "tout"},
            "chef": {"ici", "ailleurs", "academie", "tout"},
            "ici": {"ailleurs", "academie", "tout"},
            "academie": {"ailleurs", "tout"},
            "tout": set(),
        }
        ids = {row.id: name for name, row in people.items()}
        for who, above in expected.items():
            mine = held(session, people[who])
            with perimetre(session, Perimetre(etablissements=frozenset({a.id}))):
                found = suspensions.pouvoirs.au_dessus(session, list(ids), mine)
            assert {ids[key] for key in found} == above, who
        ended = session.scalars(select(Attribution).where(Attribution.role == "assistant_n2")).one()
        ended.jusqua = now()
        session.flush()
        assert suspensions.pouvoirs.au_dessus(session, [people["tout"].id], ()) == set()

    def test_a_platform_role_is_not_covered_by_an_empty_perimeter(self):
        assert not Pouvoir(frozenset({"assistant_n2"})).covers("assistant_n2", None, None, None)


class TestMany:
    @pytest.fixture
    def gens(self, session, ecoles):
        people = [Personne(nom=f"N{n}", prenom="Zoé", nom_recherche=f"n{n}") for n in range(7)]
        session.add_all(people)
        session.flush()
        for n, row in enumerate(people):
            session.add(Rattachement(personne_id=row.id, etablissement_id=ecoles[n % 2].id, profil="eleve"))
        people[2].suspendu_le, people[2].motif_suspension = now(), "Avant"
        session.commit()
        return people

    def run(self, session, acte, motif="Fermeture", acteur=WHO, ecole=None):
        nombre.confirmer(session, acte, motif, acteur=acteur)
        while nombre.lot(session, acte, acteur=acteur):
            session.commit()
        session.commit()
        return {row.personne_id: (row.etat, row.raison) for row in session.scalars(select(LigneActeEnNombre)
                .where(LigneActeEnNombre.acte_id == acte.id))}  # fmt: skip

    def prepare(self, session, people, **more):
        asked = {"selection": "Élèves", "etablissement_id": None, "acteur": WHO, **more}
        return nombre.preparer(session, "suspendre", [row.id for row in people], **asked)

    def test_row_by_row_then_undone_row_by_row(self, session, ecoles, gens, monkeypatch):
        monkeypatch.setattr(nombre, "TRANCHE", 3)
        acte = self.prepare(session, gens)
        assert session.scalar(select(func.count()).where(Personne.suspendu_le.is_not(None))) == 1
        found = self.run(session, acte)
        assert [found[row.id] for row in gens] == [
            ("refus", suspensions.DEJA) if n == 2 else ("fait", None) for n in range(7)
        ]
        assert nombre.comptes(session, acte.id) == {"attente": 0, "fait": 6, "refus": 1}
        assert acte.fini_le is not None
        for school in ecoles:
            assert journal.verify(session, school.id) is None
        assert session.scalar(select(func.count()).select_from(Journal)) == 6

        suspensions.reactiver(session, gens[0], etablissement_id=None, acteur=WHO)
        suspensions.reactiver(session, gens[1], etablissement_id=None, acteur=WHO)
        suspensions.suspendre(session, gens[1], "Autre", etablissement_id=None, acteur=WHO)
        back = nombre.defaire(session, acte, acteur=WHO)
        assert nombre.defaire(session, acte, acteur=WHO).nombre == 6  # a draft is only made again
        back = session.scalars(select(ActeEnNombre).where(ActeEnNombre.defait_id == acte.id)).one()
        found = self.run(session, back, motif="")
        assert found[gens[0].id] == ("refus", suspensions.PAS_SUSPENDU)
        assert found[gens[1].id] == ("refus", "Ce compte a été suspendu de nouveau depuis.")
        assert [state(session, row) for row in gens[:4]] == [
            (False, None), (True, "Autre"), (True, "Avant"), (False, None),
        ]  # fmt: skip
        with pytest.raises(RuleViolationError, match="déjà été défait"):
            nombre.defaire(session, acte, acteur=WHO)

        before = session.get(Personne, gens[2].id).suspendu_le
        lifted = nombre.preparer(session, "reactiver", [gens[2].id], selection="Un", etablissement_id=None,
                                 acteur=WHO)  # fmt: skip
        self.run(session, lifted)
        assert state(session, gens[2]) == (False, None)
        self.run(session, nombre.defaire(session, lifted, acteur=WHO))
        assert state(session, gens[2]) == (True, "Avant")
        assert gens[2].suspendu_le == before

    def test_each_row_is_checked_again_by_the_perimeter(self, session, ecoles, gens):
        acte = self.prepare(session, gens)
        nombre.confirmer(session, acte, "x", acteur=WHO)
        session.commit()
        with perimetre(session, Perimetre(etablissements=frozenset({ecoles[0].id}))):
            nombre.lot(session, acte, acteur=WHO)
        session.commit()
        rows = session.scalars(select(LigneActeEnNombre).order_by(LigneActeEnNombre.id)).all()
        assert [(row.etat, row.raison) for row in rows[:2]] == [
            ("fait", None), ("refus", nombre.HORS_PERIMETRE),
        ]  # fmt: skip
        assert not state(session, gens[1])[0]

    def test_refuses_before_anything_is_done(self, session, gens, monkeypatch):
        with pytest.raises(RuleViolationError, match="au moins une"):
            self.prepare(session, [])
        monkeypatch.setattr(nombre, "AU_PLUS", 2)
        with pytest.raises(RuleViolationError, match="Affinez"):
            self.prepare(session, gens)
        acte = self.prepare(session, gens[:1])
        with pytest.raises(RuleViolationError, match="Dites pourquoi"):
            nombre.confirmer(session, acte, "", acteur=WHO)
        assert acte.confirme_le is None
        nombre.confirmer(session, acte, "x", acteur=WHO)
        with pytest.raises(RuleViolationError, match="déjà lancé"):
            nombre.confirmer(session, acte, "x", acteur=WHO)
        with pytest.raises(RuleViolationError, match="déjà lancé"):
            nombre.abandonner(session, acte)
        draft = self.prepare(session, gens[:1])
        nombre.abandonner(session, draft)
        assert session.scalar(select(func.count()).select_from(ActeEnNombre)) == 1

    def test_two_at_once_on_the_same_people_suspend_each_once(self, app, session, gens):
        numbers = []
        for _time in range(2):
            acte = self.prepare(session, gens)
            nombre.confirmer(session, acte, "x", acteur=WHO)
            numbers.append(acte.id)
        session.commit()
        together = threading.Barrier(2)

        def work(number):
            with app.app_context(), perimetre(db.session(), TOUT):
                together.wait()
                while nombre.lot(db.session(), db.session.get_one(ActeEnNombre, number), acteur=WHO):
                    db.session.commit()
                db.session.commit()

        threads = [threading.Thread(target=work, args=[number]) for number in numbers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        done = select(LigneActeEnNombre.personne_id).where(LigneActeEnNombre.etat == "fait")
        assert sorted(session.scalars(done)) == sorted(row.id for n, row in enumerate(gens) if n != 2)
        assert session.scalar(select(func.count()).select_from(Journal)) == 6


class TestAcademie:
    """A suspension of the académie is given back by an académie, not by the school (decision 010)."""

    @pytest.fixture
    def detenus(self, ecoles):
        """What a local administrator holds, and what somebody of the académie does."""
        local = Pouvoir(frozenset({"correspondant"}), etablissements=frozenset({ecoles[0].id}))
        above = Pouvoir(frozenset({"correspondant"}), academies=frozenset({ecoles[0].academie_id}))
        return (local,), (above,)

    def test_the_school_does_not_lift_it_and_the_academie_does(self, session, personne, detenus):
        local, above = detenus
        someone = personne("BLANC")
        suspensions.suspendre(session, someone, "Enquête", etablissement_id=None, detenus=above, acteur=WHO)
        with pytest.raises(RuleViolationError, match="vient de l’académie"):
            suspensions.reactiver(session, someone, etablissement_id=None, detenus=local, acteur=WHO)
        suspensions.reactiver(session, someone, etablissement_id=None, detenus=above, acteur=WHO)
        session.refresh(someone)
        assert (someone.suspendu_le, someone.suspension_de) == (None, None)

    def test_one_of_the_school_is_lifted_by_the_school(self, session, personne, detenus):
        local, _above = detenus
        someone = personne("BLANC")
        suspensions.suspendre(session, someone, "Départ", etablissement_id=None, detenus=local, acteur=WHO)
        suspensions.reactiver(session, someone, etablissement_id=None, detenus=local, acteur=WHO)
        session.refresh(someone)
        assert someone.suspendu_le is None
