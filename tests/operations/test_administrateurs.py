"""Local administrators: who may be named, and the last one stays (M2)."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import RuleViolationError
from app.extensions import db, now
from app.models import Attribution, Compte, Etablissement, Journal, Personne, Rattachement, SessionCompte
from app.operations import administrateurs as acts
from app.operations.saisies import Actor
from app.operations.sessions import open_session
from app.security.perimetres import TOUT, Perimetre, perimetre

WHO = Actor("Claire Montagné", 987654)


@pytest.fixture
def ecole(session):
    row = Etablissement(uai="0371234Y", nom="Collège Balzac", nom_recherche="college balzac")
    session.add(row)
    session.flush()
    return row


@pytest.fixture
def personne(session, ecole):
    def make(nom, profil="enseignant", *, compte=True, **more):
        row = Personne(nom=nom, prenom="Zoé", nom_recherche=nom.lower())
        session.add(row)
        session.flush()
        place = {"fin": more.pop("fin", None)}
        row.suspendu_le = more.pop("suspendu_le", None)
        session.add(Rattachement(personne_id=row.id, etablissement_id=ecole.id, profil=profil, **place))
        if compte:
            account = Compte(
                username=nom.lower(), first_name="Zoé", last_name=nom, email=f"{nom}@x.fr", active=True,
                password="", personne_id=row.id, **more,
            )  # fmt: skip
            session.add(account)
        session.flush()
        return row

    return make


def held(session, ecole):
    return session.scalars(
        select(Attribution).where(Attribution.etablissement_id == ecole.id).order_by(Attribution.id)
    ).all()


class TestNommer:
    @pytest.mark.parametrize("profil", ["enseignant", "personnel", "invite"])
    def test_works_and_is_journalled(self, session, ecole, personne, profil):
        acts.nommer(session, ecole, personne("BLANC", profil), acteur=WHO)
        (row,) = held(session, ecole)
        assert (row.role, row.accordee_par, row.jusqua) == ("correspondant", "Claire Montagné", None)
        line = session.scalars(select(Journal).where(Journal.acte == "role.attribuer")).one()
        assert line.etablissement_id == ecole.id

    def test_until_the_end_of_a_day_of_paris(self, session, ecole, personne):
        row = acts.nommer(session, ecole, personne("BLANC"), dernier_jour=date(2090, 7, 14), acteur=WHO)
        assert row.jusqua.isoformat() == "2090-07-14T22:00:00+00:00"

    @pytest.mark.parametrize(
        ("how", "sentence"),
        [
            ({"profil": "eleve"}, "ni enseignant"),
            ({"profil": "responsable"}, "ni enseignant"),
            ({"fin": now()}, "ni enseignant"),
            ({"compte": False}, "identifiants de première"),
            ({"suspendu_le": now()}, "suspendu"),
            ({"supprime_le": now()}, "suspendu"),
        ],
    )
    def test_refuses_with_what_to_do(self, session, ecole, personne, how, sentence):
        with pytest.raises(RuleViolationError, match=sentence) as refusal:
            acts.nommer(session, ecole, personne("BLANC", **how), acteur=WHO)
        assert refusal.value.field == "personne"
        assert held(session, ecole) == []

    def test_refuses_twice_and_a_day_that_is_past(self, session, ecole, personne):
        someone = personne("BLANC")
        with pytest.raises(RuleViolationError, match="est passé") as refusal:
            acts.nommer(session, ecole, someone, dernier_jour=date(2020, 1, 1), acteur=WHO)
        assert refusal.value.field == "dernier_jour"
        acts.nommer(session, ecole, someone, acteur=WHO)
        with pytest.raises(RuleViolationError, match="déjà"):
            acts.nommer(session, ecole, someone, acteur=WHO)

    def test_again_after_the_term_is_over(self, session, ecole, personne):
        someone = personne("BLANC")
        first = acts.nommer(session, ecole, someone, acteur=WHO)
        first.jusqua = now() - timedelta(days=1)
        session.flush()
        acts.nommer(session, ecole, someone, acteur=WHO)
        assert [row.jusqua for row in held(session, ecole)] == [None]


class TestRetirer:
    @pytest.fixture
    def deux(self, session, ecole, personne):
        return [acts.nommer(session, ecole, personne(nom), acteur=WHO) for nom in ("BLANC", "ROUX")]

    def test_works_closes_their_sessions_and_is_journalled(self, session, ecole, deux):
        account = deux[0].compte
        open_session(session, account)
        limited = Perimetre(etablissements=frozenset({ecole.id}), compte_id=999)
        with perimetre(session, limited):
            acts.retirer(session, deux[0], soi_confirme=False, acteur=WHO)
        session.flush()
        assert [row.compte_id for row in held(session, ecole)] == [deux[1].compte_id]
        session.expire_all()
        opened = session.scalars(select(SessionCompte).where(SessionCompte.compte_id == account.id)).one()
        assert opened.motif_fin == "droits"
        assert session.scalars(select(Journal).where(Journal.acte == "role.retirer")).one().objet == "blanc"

    def test_the_last_one_stays(self, session, ecole, deux):
        acts.retirer(session, deux[0], soi_confirme=False, acteur=WHO)
        with pytest.raises(RuleViolationError, match="Nommez-en un autre"):
            acts.retirer(session, deux[1], soi_confirme=False, acteur=WHO)
        assert len(held(session, ecole)) == 1

    @pytest.mark.parametrize("column", ["suspendu_le", "supprime_le"])
    def test_one_who_cannot_log_in_does_not_count(self, session, deux, column):
        kept = deux[0].compte.personne if column == "suspendu_le" else deux[0].compte
        setattr(kept, column, now())
        session.flush()
        with pytest.raises(RuleViolationError, match="seul administrateur"):
            acts.retirer(session, deux[1], soi_confirme=False, acteur=WHO)

    def test_oneself_only_in_so_many_words(self, session, ecole, deux):
        me = Actor("Zoé Blanc", deux[0].compte_id)
        with pytest.raises(RuleViolationError, match="les vôtres"):
            acts.retirer(session, deux[0], soi_confirme=False, acteur=me)
        acts.retirer(session, deux[0], soi_confirme=True, acteur=me)
        assert len(held(session, ecole)) == 1

    def test_two_at_once_never_leave_a_school_alone(self, app, session, ecole, deux):
        numbers = [row.id for row in deux]
        school = ecole.id
        session.commit()
        together, refused = threading.Barrier(2), []

        def withdraw(number):
            with app.app_context():
                engine = db.engine
            with Session(engine) as own, perimetre(own, TOUT):
                together.wait(10)
                try:
                    acts.retirer(own, own.get_one(Attribution, number), soi_confirme=False, acteur=WHO)
                    own.commit()
                except RuleViolationError as error:
                    refused.append(error.message)

        threads = [threading.Thread(target=withdraw, args=(number,)) for number in numbers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        session.rollback()
        left = session.scalars(select(Attribution).where(Attribution.etablissement_id == school)).all()
        assert (len(left), len(refused)) == (1, 1)
