"""Schools by hand: virtual ones, fields by role, locks against feeds, journal."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.errors import RuleViolationError
from app.models import Attribution, Etablissement, Journal, VerrouEtablissement
from app.operations import etablissements as acts
from app.operations.saisies import Actor
from app.security.champs import editable_fields

WHO = Actor("Claire Montagné")


@pytest.fixture
def ecole(session):
    row = Etablissement(
        uai="0371234Y", nom="Collège Balzac", nom_recherche="college balzac", source="annuaire"
    )
    session.add(row)
    session.flush()
    return row


def journal_of(session):
    return session.scalars(select(Journal).order_by(Journal.id.desc())).first()


class TestUai:
    def test_the_check_letter_is_warned_never_refused(self):
        letter = acts.uai_letter("0371234")
        assert acts.uai_warning(f"0371234{letter}") is None
        assert "lettre de contrôle" in acts.uai_warning("0371234I")
        assert acts.uai_warning("V0000001") is None


class TestCreateVirtual:
    def test_works_and_numbers_itself(self, session):
        first, second = (Etablissement(nom=f"École {n}", secteur="public") for n in "AB")
        with session.no_autoflush:
            acts.create_virtual(session, first, acteur=WHO)
            acts.create_virtual(session, second, acteur=WHO)
        assert (first.uai, second.uai) == ("V0000001", "V0000002")
        assert first.virtuel
        assert first.nom_recherche == "ecole a"
        assert journal_of(session).apres["nom"] == "École B"

    @pytest.mark.parametrize(
        ("champ", "valeur"),
        [
            ("uai", "12345"),
            ("nom", " "),
            ("email", "sans-arobase"),
            ("site_web", "javascript:alert(1)"),
            ("nom", "A\u202eB"),
            ("telephone", "appelez"),
        ],
    )
    def test_refuses_what_is_not_right_on_its_field(self, session, champ, valeur):
        row = Etablissement(**{"nom": "École", champ: valeur})
        with pytest.raises(RuleViolationError) as refusal, session.no_autoflush:
            acts.create_virtual(session, row, acteur=WHO)
        assert refusal.value.field == champ


class TestEdit:
    def test_locks_the_field_and_journals_before_and_after(self, session, ecole):
        ecole.email = " ce.0371234@ac-exemple.fr "
        acts.edit(session, ecole, champs={"email"}, acteur=WHO)
        lock = session.scalars(select(VerrouEtablissement)).one()
        assert (lock.champ, lock.par) == ("email", "Claire Montagné")
        line = journal_of(session)
        assert (line.acte, line.avant, line.apres) == (
            "etablissement.modifier", {"email": None}, {"email": "ce.0371234@ac-exemple.fr"},
        )  # fmt: skip

    def test_refuses_a_field_the_role_does_not_hold(self, session, ecole):
        ecole.nom = "Autre nom"
        with pytest.raises(RuleViolationError) as refusal, session.no_autoflush:
            acts.edit(session, ecole, champs={"email"}, acteur=WHO)
        assert refusal.value.field == "nom"

    def test_nothing_changed_writes_nothing(self, session, ecole):
        before = session.scalars(select(Journal)).all()
        ecole.nom = "Collège Balzac"
        assert acts.edit(session, ecole, champs={"nom"}, acteur=WHO) == {}
        assert session.scalars(select(Journal)).all() == before

    def test_unlock_gives_the_field_back_once(self, session, ecole):
        ecole.email = "a@exemple.fr"
        acts.edit(session, ecole, champs={"email"}, acteur=WHO)
        acts.unlock(session, ecole, "email", acteur=WHO)
        assert session.scalars(select(VerrouEtablissement)).all() == []
        with pytest.raises(RuleViolationError):
            acts.unlock(session, ecole, "email", acteur=WHO)


class TestFieldsByRole:
    @pytest.mark.parametrize(
        ("role", "expected"),
        [
            ("correspondant", {"email", "site_web"}),
            ("accompagnement", {"email", "site_web", "telephone", "chef", "collectivite"}),
            ("correspondant_deploiement", {"email", "site_web", "telephone", "chef", "collectivite", "xiti"}),
            ("chef_etablissement", set()),
        ],
    )
    def test_on_ones_own_school(self, ecole, role, expected):
        ecole.academie_id = 7
        held = (
            {"academie_id": 7}
            if role in {"accompagnement", "correspondant_deploiement"}
            else {"etablissement_id": ecole.id}
        )
        assert editable_fields([Attribution(role=role, **held)], ecole) == expected

    def test_a_role_held_elsewhere_gives_nothing_here(self, ecole):
        ecole.academie_id = 7
        assert editable_fields([Attribution(role="correspondant_deploiement", academie_id=8)], ecole) == set()

    def test_a_virtual_school_is_typed_whole_by_academic_roles_only(self, session, ecole):
        ecole.virtuel = True
        assert "nom" in editable_fields([Attribution(role="assistant_n2")], ecole)
        local = Attribution(role="correspondant", etablissement_id=ecole.id)
        assert "nom" not in editable_fields([local], ecole)
