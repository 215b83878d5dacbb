"""A source empties only what it alone gave; guardians are found through their children."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select, text

from app.models import Division, Ecart, Personne, Responsabilite
from app.operations.alimentation.fiches import Objet
from tests.operations.alimentation.support import (
    A,
    alimenter,
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
    responsable,
)

SIECLE: dict[str, Any] = {"source": "siecle", "espace": f"siecle:{A}", "uai": A}
STS: dict[str, Any] = {"source": "sts", "espace": f"sts:{A}", "uai": A}
NE = "2011-01-02"


def famille(**parents: dict[str, Any]):
    """The AAF files of a pupil and her parents, by key."""
    return [
        ecole(A),
        eleve("1", "ROUX", "Ana", NE, eleve_id="E1", responsables=dict.fromkeys(parents, 1)),
        *(
            responsable(cle, more.pop("nom", "ROUX"), more.pop("prenom"), **more)
            for cle, more in parents.items()
        ),
    ]


def siecle(*adults: dict[str, Any], **pupil: Any):
    """The SIECLE files of the same pupil, her adults and their links."""
    found = [eleve("E1", "ROUX", "Ana", NE, identifiants=[["eleve_id", "18", "E1"]], **pupil)]
    for number, adult in enumerate(adults):
        record = {
            "nom": "ROUX",
            "identifiants": [["personne_id", "18", f"9{number}"]],
            "enfants": ["E1"],
            **adult,
        }
        found.append(fiche(Objet.RESPONSABLE, f"9{number}", record))
        link = {"eleve_cle": "E1", "responsable_cle": f"9{number}", "code_parente": "10", "niveau": 1,
                "financier": True, "contact": False, "paiement": False}  # fmt: skip
        found.append(fiche(Objet.LIEN, f"E1$9{number}", link, A))
    return found


def adults(session) -> int:
    return session.scalar(select(func.count(Personne.id))) - 1


class TestGuardiansThroughTheChild:
    def test_name_alone_is_enough_among_the_adults_of_the_child(self, session):
        alimenter(session, famille(P1={"prenom": "Marie-Hélène"}, P2={"prenom": "Paul"}))
        feed = alimenter(session, siecle({"prenom": "MARIE HELENE"}, {"prenom": "Paul"}), jour=2, **SIECLE)
        assert adults(session) == 2
        assert feed.comptes["responsable"]["reconnus"] == 2
        assert session.scalar(select(func.count(Responsabilite.id))) == 2
        assert personne(session, "ROUX", "Marie-Hélène").prenom == "Marie-Hélène"

    def test_an_adult_of_another_child_is_somebody_else(self, session):
        other = [eleve("2", "NOIR", "Léo", NE, responsables={"P9": 1}), responsable("P9", "ROUX", "Marie")]
        alimenter(session, [*famille(P1={"prenom": "Paul"}), *other])
        alimenter(session, siecle({"prenom": "Marie"}, {"prenom": "Paul"}), jour=2, **SIECLE)
        assert len([one for one in personnes(session, "ROUX") if one.prenom == "Marie"]) == 2

    def test_two_adults_of_one_name_are_an_anomaly_and_nobody_is_merged(self, session):
        alimenter(session, famille(P1={"prenom": "Camille"}, P2={"prenom": "Camille"}))
        feed = alimenter(session, siecle({"prenom": "Camille"}), jour=2, **SIECLE)
        assert codes(session, feed) == ["homonyme_possible"]
        assert len([one for one in personnes(session, "ROUX") if one.prenom == "Camille"]) == 3

    def test_civility_tells_two_of_one_name_apart(self, session):
        alimenter(
            session,
            famille(P1={"prenom": "Camille", "civilite": "M."}, P2={"prenom": "Camille", "civilite": "Mme"}),
        )
        feed = alimenter(session, siecle({"prenom": "Camille", "civilite": "Mme"}), jour=2, **SIECLE)
        assert (codes(session, feed), adults(session)) == ([], 2)

    def test_two_records_do_not_become_one_person(self, session):
        alimenter(session, famille(P1={"prenom": "Camille"}))
        feed = alimenter(session, siecle({"prenom": "Camille"}, {"prenom": "Camille"}), jour=2, **SIECLE)
        assert codes(session, feed) == ["homonyme_possible"] * 2
        assert adults(session) == 3

    def test_another_birth_date_is_somebody_else(self, session):
        alimenter(session, famille(P1={"prenom": "Marie", "date_naissance": "1980-01-01"}))
        alimenter(session, siecle({"prenom": "Marie", "date_naissance": "1955-01-01"}), jour=2, **SIECLE)
        assert adults(session) == 2


class TestEmptyFields:
    def test_what_the_source_itself_gave_is_emptied(self, session):
        alimenter(session, famille(P1={"prenom": "Marie", "email": "m@exemple.fr"}))
        alimenter(session, famille(P1={"prenom": "Marie", "email": None}), jour=2)
        assert personne(session, "ROUX", "Marie").email is None

    def test_what_another_source_gave_stays(self, session):
        alimenter(session, famille(P1={"prenom": "Marie", "email": "m@exemple.fr"}))
        feed = alimenter(session, siecle({"prenom": "Marie", "email": None}), jour=2, **SIECLE)
        assert personne(session, "ROUX", "Marie").email == "m@exemple.fr"
        assert feed.comptes["responsable"]["reconnus"] == 1

    def test_it_goes_when_the_last_source_that_gave_it_empties_it(self, session):
        alimenter(session, famille(P1={"prenom": "Marie", "email": "m@exemple.fr"}))
        alimenter(session, siecle({"prenom": "Marie", "email": "m@exemple.fr"}), jour=2, **SIECLE)
        alimenter(session, famille(P1={"prenom": "Marie", "email": None}), jour=3)
        assert personne(session, "ROUX", "Marie").email == "m@exemple.fr"
        alimenter(session, siecle({"prenom": "Marie", "email": None}), jour=4, **SIECLE)
        assert personne(session, "ROUX", "Marie").email is None

    def test_the_empty_mail_of_a_parent_leaves_the_mail_of_the_member_of_staff(self, session):
        def both(commune: str):
            parent = responsable("P1", "NOIR", "Eva", email=None, commune=commune,
                                 identifiants=[["jointure", "18", "T"]])  # fmt: skip
            pupil = eleve("1", "NOIR", "Ida", NE, responsables={"P1": 1})
            return [ecole(A), pupil, parent, enseignant("T", "NOIR", "Eva", email="eva.noir@ac.exemple.fr")]

        alimenter(session, both("Tours"))
        eva = personne(session, "NOIR", "Eva")
        alimenter(session, both("Chinon"), jour=2)
        session.refresh(eva)
        assert (eva.email, eva.commune) == ("eva.noir@ac.exemple.fr", "Chinon")

    def test_a_class_without_label_or_mef_keeps_those_another_source_gave(self, session):
        def division(**more: Any):
            return fiche(Objet.DIVISION, f"{A}$3B", {"uai": A, "code": "3B", **more}, A)

        alimenter(session, [ecole(A), division(libelle="3e B", mefs=["10310019110"])])
        feed = alimenter(session, [division(libelle="", mefs=[])], jour=2, **SIECLE)
        assert feed.comptes["division"]["reconnus"] == 1
        feed = alimenter(session, [division(libelle="3E b")], jour=3, **STS)
        assert feed.comptes["division"]["reconnus"] == 1
        saved = session.scalars(select(Division)).one()
        assert (saved.libelle, [mef.code for mef in saved.mefs]) == ("3e B", ["10310019110"])

    def test_a_new_label_is_a_change(self, session):
        def division(libelle: str):
            return fiche(
                Objet.DIVISION, f"{A}$3B", {"uai": A, "code": "3B", "libelle": libelle, "mefs": []}, A
            )

        alimenter(session, [ecole(A), division("3e B")])
        alimenter(session, [division("Troisième bilangue")], jour=2, **SIECLE)
        assert session.scalars(select(Division.libelle)).one() == "Troisième bilangue"

    def test_a_school_keeps_the_telephone_the_annuaire_gave(self, session):
        known = ecole(A, telephone="0247000000")
        head = {
            "source": "annuaire",
            "espace": "annuaire",
            "presents": {Objet.ETABLISSEMENT},
            "academie": None,
        }
        alimenter(session, [known], **head)
        alimenter(session, [ecole(A, telephone=None)], jour=2)
        assert (
            session.connection().execute(text("SELECT telephone FROM etablissement")).scalar() == "0247000000"
        )


class TestFunctions:
    POST = {"uai": A, "code": "DIR", "libelle": "Direction"}

    def head(self, *fonctions: dict[str, Any], **more: Any):
        return enseignant("T", "BLANC", "Rémi", date_naissance="1970-01-01", profil="personnel",
                          fonctions=list(fonctions), services=[], principal_de=[], **more)  # fmt: skip

    def test_a_head_keeps_the_discipline_sts_does_not_speak_of(self, session):
        alimenter(session, [ecole(A), self.head({**self.POST, "discipline_code": "D0010"})])
        feed = alimenter(session, [self.head(self.POST, identifiants=[["sts", A, "epp:1"]])], jour=2, **STS)
        assert photo(session)["fonctions"] == [("remi.blanc", "DIR", "D0010")]
        assert feed.comptes["personnel"]["reconnus"] == 1

    def test_a_discipline_its_source_withdraws_goes(self, session):
        alimenter(session, [ecole(A), self.head({**self.POST, "discipline_code": "D0010"})])
        alimenter(session, [ecole(A), self.head({**self.POST, "discipline_code": None})], jour=2)
        assert photo(session)["fonctions"] == [("remi.blanc", "DIR", None)]


class TestClassesOfTwoSources:
    def test_a_class_another_source_still_states_stays_open(self, session):
        division = fiche(
            Objet.DIVISION, f"{A}$3B", {"uai": A, "code": "3B", "libelle": "3e B", "mefs": []}, A
        )
        alimenter(session, [ecole(A), division])
        alimenter(session, [division], jour=2, **SIECLE)
        feed = apercu(session, [eleve("1", "ROUX", "Ana", NE)], entete(3, **SIECLE))
        gone = select(Ecart.libelle).where(Ecart.alimentation_id == feed.id, Ecart.nature == "depart")
        assert session.scalars(gone).all() == []

    def test_it_is_closed_when_the_last_source_drops_it(self, session):
        division = fiche(
            Objet.DIVISION, f"{A}$3B", {"uai": A, "code": "3B", "libelle": "3e B", "mefs": []}, A
        )
        pupil = eleve("1", "ROUX", "Ana", NE)
        alimenter(session, [ecole(A), division])
        alimenter(session, [division], jour=2, **SIECLE)
        alimenter(session, [pupil], jour=3, **SIECLE)
        alimenter(session, [ecole(A)], jour=4)
        assert session.scalars(select(Division.active).where(Division.code == "3B")).one() is False
