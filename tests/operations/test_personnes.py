"""Hand edits of a sheet: what each profile lets one type, locked against feeds, never two logins alike."""

import threading
from datetime import date

import pytest
from sqlalchemy import select

from app.errors import RuleViolationError
from app.extensions import db
from app.models import (
    Compte,
    EditeurPage,
    Etablissement,
    Journal,
    Personne,
    Rattachement,
    VarianteNom,
    VerrouPersonne,
)
from app.operations import editeurs, pouvoirs
from app.operations import personnes as acts
from app.operations.saisies import Actor
from app.security.perimetres import TOUT, perimetre

WHO = Actor("Claire Montagné")


@pytest.fixture
def ecole(session):
    row = Etablissement(uai="0371234Y", nom="Collège", nom_recherche="college")
    session.add(row)
    session.commit()
    return row


@pytest.fixture
def anne(session, ecole):
    row = Personne(
        nom="LE GOFF", prenom="Anne", nom_recherche="le goff anne", login="anne.legoff", source="aaf",
        email="anne@x.fr",
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.add(Rattachement(personne_id=row.id, etablissement_id=ecole.id, profil="enseignant"))
    session.commit()
    return row


def edit(session, person, profil="enseignant", detenus=None, **values):
    return acts.edit(
        session, person, values, profil=profil, etablissement_id=None, detenus=detenus, acteur=WHO
    )


def refused(session, person, match, **values):
    with pytest.raises(RuleViolationError, match=match) as refusal:
        edit(session, person, **values)
    session.rollback()
    return refusal.value.field


def locks(session):
    return sorted(session.scalars(select(VerrouPersonne.champ)))


class TestEdit:
    def test_works_locks_and_is_journalled(self, session, ecole, anne):
        typed = {"telephone_portable": "+33 6 39 98 14 07", "poste_interne": "21 48", "email": "anne@x.fr"}
        changes = acts.edit(session, anne, typed, profil="enseignant", etablissement_id=ecole.id, acteur=WHO)
        assert changes == {"telephone_portable": (None, "0639981407"), "poste_interne": (None, "2148")}
        assert locks(session) == ["telephone_portable"]
        line = session.scalars(select(Journal)).one()
        assert (line.acte, line.objet, line.etablissement_id) == (
            "personne.modifier",
            "LE GOFF Anne",
            ecole.id,
        )
        assert line.apres == {"telephone_portable": "0639981407", "poste_interne": "2148"}
        assert edit(session, anne, telephone_portable="06 39 98 14 07") == {}
        acts.rendre(session, anne, "telephone_portable", etablissement_id=ecole.id, acteur=WHO)
        assert locks(session) == []
        with pytest.raises(RuleViolationError, match="suit déjà"):
            acts.rendre(session, anne, "telephone_portable", etablissement_id=ecole.id, acteur=WHO)

    def test_the_account_follows_its_person(self, session, anne):
        account = Compte(
            username="anne.legoff", first_name="A", last_name="B", email="anne@x.fr", active=True,
            password="", personne_id=anne.id,
        )  # fmt: skip
        session.add(account)
        session.flush()
        edit(session, anne, telephone_portable="0639981407")
        assert account.email == "anne@x.fr"
        edit(session, anne, login="Anne.Kervella", email="neuve@X.fr")
        assert (anne.login, anne.email) == ("anne.kervella", "neuve@x.fr")
        assert (account.username, account.email) == ("anne.kervella", "anne.kervella@sans-adresse.invalid")
        assert locks(session) == ["email", "telephone_portable"]

    def test_refuses_what_a_profile_does_not_have_and_a_login_taken(self, session, anne):
        session.add_all(
            [
                Personne(nom="A", prenom="B", nom_recherche="a b", login="jean.dupont"),
                Compte(username="Paul.Durand", first_name="P", last_name="D", email="p@x.fr", active=True,
                       password=""),
            ]
        )  # fmt: skip
        session.commit()
        assert refused(session, anne, "annuaire", profil="eleve", poste_interne="12") == "poste_interne"
        assert refused(session, anne, "annuaire", nom="X") == "nom"
        assert refused(session, anne, "déjà pris", login="JEAN.dupont") == "login"
        assert refused(session, anne, "déjà pris", login="paul.durand") == "login"
        assert refused(session, anne, "nécessaire", login=" ") == "login"
        assert refused(session, anne, "n’existe pas", telephone_domicile="12") == "telephone_domicile"

    def test_an_address_of_somebody_above_is_not_changed(self, session, anne, monkeypatch):
        monkeypatch.setattr(pouvoirs, "au_dessus", lambda *_all: {anne.id})
        refused(session, anne, "droits que vous n’avez pas", email="moi@x.fr")
        assert edit(session, anne, poste_interne="12")

    def test_two_at_once_never_take_the_same_login(self, app, session, ecole):
        people = [Personne(nom=n, prenom="B", nom_recherche=n, login=f"b.{n}") for n in ("a", "c")]
        session.add_all(people)
        session.commit()
        numbers, together, done = [row.id for row in people], threading.Barrier(2), []

        def take(number):
            with app.app_context(), perimetre(db.session(), TOUT):
                together.wait()
                try:
                    edit(db.session(), db.session.get_one(Personne, number), login="le.meme")
                    db.session.commit()
                    done.append(number)
                except RuleViolationError:
                    db.session.rollback()

        threads = [threading.Thread(target=take, args=[number]) for number in numbers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(done) == 1


class TestEditeurs:
    def test_named_once_withdrawn_once_and_journalled(self, session, ecole, anne):
        editeurs.designer(session, anne, ecole.id, acteur=WHO)
        assert session.scalars(select(EditeurPage.accorde_par)).all() == ["Claire Montagné"]
        with pytest.raises(RuleViolationError, match="déjà éditeur"):
            editeurs.designer(session, anne, ecole.id, acteur=WHO)
        editeurs.retirer(session, anne, ecole.id, acteur=WHO)
        with pytest.raises(RuleViolationError, match="n’est pas éditeur"):
            editeurs.retirer(session, anne, ecole.id, acteur=WHO)
        acts_ = session.scalars(select(Journal.acte).order_by(Journal.id)).all()
        assert acts_ == ["page.designer", "page.retirer"]

    @pytest.mark.parametrize("profil", ["eleve", "responsable", "invite"])
    def test_other_profiles_are_refused(self, session, ecole, anne, profil):
        session.scalars(select(Rattachement)).one().profil = profil
        session.flush()
        with pytest.raises(RuleViolationError, match="enseignant ou un personnel"):
            editeurs.designer(session, anne, ecole.id, acteur=WHO)


class TestIdentite:
    @pytest.fixture
    def ida(self, session, ecole):
        row = Personne(
            nom="VALLON", prenom="Ida", nom_recherche="vallon ida", login="ida.vallon", source="manuel",
            date_naissance=date(1980, 1, 2),
        )  # fmt: skip
        session.add(row)
        session.flush()
        session.add(Rattachement(personne_id=row.id, etablissement_id=ecole.id, profil="invite"))
        session.add(
            Compte(
                username="ida.vallon",
                first_name="Ida",
                last_name="VALLON",
                email="i@x.fr",
                active=True,
                password="",
                personne_id=row.id,
            )
        )
        session.commit()
        return row

    def test_a_guest_typed_by_hand_is_corrected_and_found_under_the_new_name(self, session, ida):
        edit(session, ida, "invite", nom="Martin-Roche", date_naissance="03/02/1981")
        session.expire_all()
        assert (ida.nom_recherche, ida.date_naissance) == ("martin roche ida", date(1981, 2, 3))
        account = session.scalars(select(Compte)).one()
        assert (account.last_name, account.username) == ("Martin-Roche", "ida.vallon")
        assert session.scalars(select(Rattachement.cle)).one() == "martin roche ida"
        keys = set(session.scalars(select(VarianteNom.cle)))
        assert "roche ida" in keys

    def test_refuses_no_name_and_a_day_that_is_none(self, session, ida):
        for champ, value, match in (("nom", " ", "nom"), ("date_naissance", "31/02/1981", "n’existe pas")):
            with pytest.raises(RuleViolationError, match=match) as refusal:
                edit(session, ida, "invite", **{champ: value})
            assert refusal.value.field == champ
            session.rollback()

    def test_what_the_directory_gives_stays_read_only(self, session, anne):
        assert refused(session, anne, "vient de l’annuaire", nom="X") == "nom"
        anne.source = "manuel"
        assert refused(session, anne, "vient de l’annuaire", nom="X") == "nom"
