"""Settings of a service: read after its schema, secrets sealed, nothing lost when two save at once."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from app.errors import ConflictError, RuleViolationError
from app.models import Journal, Service
from app.operations.champs_service import check_schema
from app.operations.deployment import Deployment
from app.operations.reglages import enregistrer_reglages, reglage_of, secrets_of
from app.operations.saisies import Actor

ICI = Deployment("Académie d’Essai", "https://console.exemple.fr", "k" * 40)
WHO = Actor("Claire Montagné")
SAISIE = {"adresse": "fichiers.exemple.fr", "port": "990", "protocole": "ftps"}


@pytest.fixture
def serveur(session, catalogue):
    return session.scalars(select(Service).filter_by(code="serveur_etablissement")).one()


@pytest.fixture
def save(session, cast):
    def write(service, values, version=None):
        return enregistrer_reglages(
            session, cast.ecole_a, service, values, version=version, deployment=ICI, acteur=WHO
        )

    return write


class TestSaving:
    def test_values_are_read_and_journalled(self, session, cast, serveur, save):
        row = save(serveur, SAISIE)
        said = {"adresse": "fichiers.exemple.fr", "port": 990, "protocole": "ftps", "identifiant": None}
        assert row.valeurs == said
        save(serveur, {**SAISIE, "port": "21"}, row.version)
        last = session.scalars(select(Journal).order_by(Journal.id.desc())).first()
        assert (last.acte, last.avant, last.apres) == ("service.regler", {"port": 990}, {"port": 21})
        assert last.etablissement_id == cast.ecole_a

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"adresse": ""}, "adresse"),
            ({"adresse": "ftp://fichiers.exemple.fr/"}, "adresse"),
            ({"adresse": "fichiers exemple"}, "adresse"),
            ({"port": "0"}, "port"),
            ({"port": "65536"}, "port"),
            ({"port": "²"}, "port"),
            ({"protocole": "gopher"}, "protocole"),
        ],
    )
    def test_a_refused_value_is_told_on_its_field(self, session, cast, serveur, save, values, field):
        with pytest.raises(RuleViolationError) as refusal:
            save(serveur, {**SAISIE, **values})
        assert refusal.value.field == field
        assert reglage_of(session, cast.ecole_a, serveur) is None

    def test_a_save_over_another_one_is_a_conflict(self, serveur, save):
        row = save(serveur, SAISIE)
        with pytest.raises(ConflictError):
            save(serveur, {**SAISIE, "port": "22"})
        assert row.valeurs["port"] == 990


class TestSecrets:
    @pytest.fixture
    def avec_secret(self, session, serveur):
        serveur.reglages = [
            {"code": "phrase", "libelle": "Phrase de passe", "type": "secret", "obligatoire": True}
        ]
        session.flush()
        return serveur

    def test_sealed_in_the_base_and_absent_of_the_journal(self, session, cast, avec_secret, save):
        row = save(avec_secret, {"phrase": "le sapin du col"})
        assert secrets_of(row, ICI) == {"phrase": "le sapin du col"}
        session.flush()
        stored = session.connection().execute(text("SELECT valeurs, secrets FROM reglage_service")).one()
        assert "sapin" not in str(stored)
        lines = session.scalars(select(Journal)).all()
        assert "sapin" not in str([(one.avant, one.apres) for one in lines])
        assert lines[-1].apres == {"champs_proteges": ["Phrase de passe"]}

    def test_left_empty_it_stays(self, avec_secret, save):
        row = save(avec_secret, {"phrase": "le sapin du col"})
        save(avec_secret, {"phrase": ""}, row.version)
        assert secrets_of(row, ICI) == {"phrase": "le sapin du col"}


class TestSchema:
    @pytest.mark.parametrize(
        "schema",
        [
            {},
            ["adresse"],
            [{"code": "É", "libelle": "X", "type": "texte"}],
            [{"code": "a", "libelle": "", "type": "texte"}],
            [{"code": "a", "libelle": "A", "type": "date"}],
            [{"code": "a", "libelle": "A", "type": "choix", "choix": [["x"]]}],
            [{"code": "a", "libelle": "A", "type": "texte"}] * 2,
        ],
    )
    def test_what_no_page_could_draw_is_refused(self, schema):
        with pytest.raises(RuleViolationError) as refusal:
            check_schema(schema)
        assert refusal.value.field == "reglages"

    def test_those_that_come_with_preau_are_sound(self, session, catalogue):
        for service in session.scalars(select(Service)):
            check_schema(service.reglages)
            for component in service.composants:
                check_schema(component.reglages)
