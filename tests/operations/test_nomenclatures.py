"""Nomenclatures and territories by hand: cleaned, unique, never removed while used."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.errors import RuleViolationError
from app.models import Academie, Collectivite, Etablissement, Journal, Matiere, Mef, Personne, Rattachement
from app.operations import nomenclatures, territoires
from app.operations.saisies import Actor

WHO = Actor("Claire Montagné")


class TestNomenclature:
    def test_saves_cleaned_and_journals(self, session):
        row = Matiere(code=" 030201 ", libelle=" Anglais\u0301 ")
        nomenclatures.save(session, row, acteur=WHO)
        assert (row.code, row.libelle) == ("030201", "Anglaiś")
        assert session.scalars(select(Journal)).one().acte == "matiere.creer"

    @pytest.mark.parametrize(
        ("code", "libelle", "field"),
        [
            ("", "X", "code"),
            ("a b", "X", "code"),
            ("1", "", "libelle"),
            ("1", "x" * 121, "libelle"),
            ("1", "a\x00", "libelle"),
        ],
    )
    def test_refuses(self, session, code, libelle, field):
        with pytest.raises(RuleViolationError) as refusal:
            nomenclatures.save(session, Matiere(code=code, libelle=libelle), acteur=WHO)
        assert refusal.value.field == field

    def test_a_used_line_stays(self, session):
        mef, school = Mef(code="1", libelle="6e"), Etablissement(uai="0370001A", nom="A", nom_recherche="a")
        person = Personne(nom="A", prenom="B", nom_recherche="a b")
        session.add_all([mef, school, person])
        session.flush()
        session.add(
            Rattachement(personne_id=person.id, etablissement_id=school.id, profil="eleve", mef_id=mef.id)
        )
        session.flush()
        with pytest.raises(RuleViolationError, match="des élèves le suivent"):
            nomenclatures.remove(session, mef, acteur=WHO)

    def test_an_unused_line_goes(self, session):
        mef = Mef(code="1", libelle="6e")
        session.add(mef)
        session.flush()
        nomenclatures.remove(session, mef, acteur=WHO)
        assert session.scalars(select(Mef)).all() == []


class TestTerritoires:
    @pytest.mark.parametrize("code", ["", "1", "AB", "1234"])
    def test_an_academie_has_a_national_code(self, session, code):
        with pytest.raises(RuleViolationError) as refusal:
            territoires.save_academie(session, Academie(code=code, nom="Tours"), acteur=WHO)
        assert refusal.value.field == "code"

    def test_a_collectivite_of_an_unknown_type_is_refused(self, session):
        with pytest.raises(RuleViolationError) as refusal:
            territoires.save_collectivite(
                session, Collectivite(code="37", nom="X", type="canton"), acteur=WHO
            )
        assert refusal.value.field == "type"

    def test_an_academie_with_schools_stays(self, session):
        row = Academie(code="18", nom="Tours")
        territoires.save_academie(session, row, acteur=WHO)
        session.add(Etablissement(uai="0370001A", nom="A", nom_recherche="a", academie_id=row.id))
        session.flush()
        with pytest.raises(RuleViolationError, match="des établissements"):
            territoires.remove(session, row, acteur=WHO)
