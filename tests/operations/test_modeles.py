"""Models of services: what they keep of a school, and what may be made of them."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, select

from app.errors import ConflictError, RuleViolationError
from app.models import (
    ComposantService,
    Etablissement,
    Journal,
    LigneModele,
    ModeleServices,
    ReglageService,
    Service,
)
from app.operations import modeles as acts
from app.operations.modeles import ABSENT, Portee
from app.operations.saisies import Actor
from app.operations.services import basculer, basculer_composant
from tests.operations.modeles import CELL, WHO, set_cell
from tests.security.conftest import cast

__all__ = ["cast"]
pytestmark = pytest.mark.usefixtures("catalogue")


@pytest.fixture
def ecole(session, cast):
    return session.get_one(Etablissement, cast.ecole_a)


def lines(session, modele):
    rows = session.scalars(select(LigneModele).where(LigneModele.modele_id == modele.id))
    return {one.cle: one.valeur for one in rows}


def record(session, ecole, services=("forum", "chat"), genres=("etat", "droit"), **more):
    return acts.enregistrer(
        session, ecole, nom="Comme ici", genres=genres, services=services, acteur=WHO, **more
    )


class TestRecording:
    def test_states_and_free_cells_are_kept_fixed_ones_are_not(self, session, ecole):
        basculer(session, ecole.id, "chat", True, acteur=WHO)
        set_cell(session, ecole.id, CELL, True)
        kept = lines(session, record(session, ecole))
        assert kept["etat:chat"] is True
        assert kept["droit:forum.lecteur:responsable"] is True
        assert kept["droit:forum.lecteur:eleve"] is True
        assert "droit:forum.lecteur:enseignant" not in kept  # fixed by the platform
        assert "etat:forum" not in kept  # initial services are always on

    def test_settings_come_without_secrets_and_only_when_asked(self, session, ecole):
        service = session.scalars(select(Service).filter_by(code="bcdi")).one()
        secret = {"code": "jeton", "libelle": "Jeton", "type": "secret"}
        service.reglages = [*service.reglages, secret]
        session.add(
            ReglageService(
                etablissement_id=ecole.id,
                service_id=service.id,
                valeurs={"adresse": "https://bcdi.example.fr", "jeton": "perdu"},
            )
        )
        session.flush()
        assert "reglage:bcdi:adresse" not in lines(session, record(session, ecole, ["bcdi"]))
        kept = lines(session, record(session, ecole, ["bcdi"], ["etat", "reglage"]))
        assert kept == {"etat:bcdi": False, "reglage:bcdi:adresse": "https://bcdi.example.fr"}

    def test_components_are_kept_on_or_off(self, session, ecole):
        here = session.scalars(select(ComposantService).filter_by(code="interne")).one()
        basculer_composant(session, ecole.id, here, True, acteur=WHO)
        kept = lines(session, record(session, ecole, ["notes_absences"], ["composant"]))
        assert kept["composant:notes_absences.interne"] is True
        assert kept["composant:notes_absences.pronote_2010"] is False

    def test_nothing_to_record_is_refused(self, session, ecole):
        with pytest.raises(RuleViolationError, match="rien à enregistrer"):
            record(session, ecole, ["boticely"])  # not offered to this school

    def test_a_name_is_asked_for(self, session, ecole):
        with pytest.raises(RuleViolationError) as refusal:
            acts.creer(session, nom=" ", lignes={"etat:chat": True}, portee=Portee(), acteur=WHO)
        assert refusal.value.field == "nom"


class TestChanging:
    def test_lines_change_and_go_with_before_and_after_in_the_journal(self, session, ecole):
        modele = record(session, ecole)
        seen = modele.version
        wanted = {"etat:chat": True, "droit:forum.lecteur:eleve": ABSENT}
        assert acts.changer_lignes(session, modele, wanted, version=seen, acteur=WHO) == 2
        kept = lines(session, modele)
        assert kept["etat:chat"] is True
        assert "droit:forum.lecteur:eleve" not in kept
        line = session.scalars(select(Journal).where(Journal.acte == "modele.modifier")).one()
        assert line.avant["Chat\u00a0: service"] is False
        assert line.apres["Chat\u00a0: service"] is True
        assert modele.version > seen

    def test_a_model_changed_since_is_a_conflict(self, session, ecole):
        modele = record(session, ecole)
        acts.changer_lignes(session, modele, {"etat:chat": True}, version=modele.version, acteur=WHO)
        with pytest.raises(ConflictError):
            acts.changer_lignes(session, modele, {"etat:chat": False}, version=1, acteur=WHO)

    @pytest.mark.parametrize(
        ("cle", "value"),
        [
            ("droit:forum.lecteur:enseignant", False),
            ("droit:forum.lecteur:eleve", "oui"),
            ("etat:inconnu", True),
            ("reglage:bcdi:adresse", "ftp://nulle.part"),
        ],
    )
    def test_what_the_catalogue_refuses_is_refused(self, session, ecole, cle, value):
        modele = record(session, ecole)
        with pytest.raises(RuleViolationError):
            acts.changer_lignes(session, modele, {cle: value}, version=None, acteur=WHO)

    def test_a_copy_lives_its_own_life(self, session, ecole):
        modele = record(session, ecole)
        copy = acts.dupliquer(session, modele, portee=Portee(), acteur=Actor("Paul Autre"))
        assert lines(session, copy) == lines(session, modele)
        acts.supprimer(session, modele, acteur=WHO)
        assert session.scalars(select(ModeleServices.id)).all() == [copy.id]
        assert session.scalar(select(func.count()).select_from(LigneModele)) == len(lines(session, copy))


class TestFiles:
    def test_a_model_goes_out_and_comes_back_the_same(self, session, ecole):
        modele = record(session, ecole, description="Pour la rentrée")
        text = json.dumps(acts.exporter(modele))
        back, left = acts.importer(session, json.loads(text), portee=Portee(), acteur=WHO)
        assert left == []
        assert lines(session, back) == lines(session, modele)
        assert (back.nom, back.description) == (modele.nom, "Pour la rentrée")

    def test_what_has_no_place_here_is_left_out_and_told(self, session, ecole):
        said = acts.exporter(record(session, ecole))
        said["lignes"] = {"etat:chat": True, "etat:ailleurs": True, "droit:forum.lecteur:enseignant": False}
        modele, left = acts.importer(session, said, portee=Portee(), acteur=WHO)
        assert lines(session, modele) == {"etat:chat": True}
        assert sorted(left) == ["droit:forum.lecteur:enseignant", "etat:ailleurs"]

    @pytest.mark.parametrize("said", [None, [], {"format": "autre"}, {"lignes": {}}, "x"])
    def test_another_file_is_refused(self, session, said):
        with pytest.raises(RuleViolationError) as refusal:
            acts.importer(session, said, portee=Portee(), acteur=WHO)
        assert refusal.value.field == "fichier"
