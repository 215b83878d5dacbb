"""«Tester», what it opens, and what switching on asks for (R4, R5, R7, R8, R9)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app.errors import RuleViolationError
from app.extensions import now
from app.jobs import runner
from app.models import (
    Abonnement,
    ComposantEtablissement,
    ComposantService,
    EssaiService,
    Journal,
    Service,
    Tache,
)
from app.operations import essais
from app.operations.deployment import Deployment
from app.operations.reglages import enregistrer_reglages, reglage_of, secrets_of
from app.operations.saisies import Actor
from app.operations.services import basculer, basculer_composant
from tests.support.site import serving

WHO = Actor("Claire Montagné")
FICHIERS = {"adresse": "fichiers.exemple.fr", "port": "990", "protocole": "ftps"}


@pytest.fixture
def ici(app):
    return Deployment.of(app.extensions["reglages"])


@pytest.fixture
def service(session, catalogue):
    def find(code):
        return session.scalars(select(Service).filter_by(code=code)).one()

    return find


@pytest.fixture
def composant(session, catalogue):
    def find(code):
        return session.scalars(select(ComposantService).filter_by(code=code)).one()

    return find


@pytest.fixture
def save(session, cast, ici):
    def write(service, values, version=None, **more):
        return enregistrer_reglages(
            session, cast.ecole_a, service, values, version=version, deployment=ici, acteur=WHO, **more
        )

    return write


@pytest.fixture
def essayer(app, session, cast, ici):
    """Ask for a try and let the worker do it; return what it found."""

    def run(service, values, **more):
        tried = essais.demander_essai(
            session, cast.ecole_a, service, values, deployment=ici, acteur=WHO, **more
        )
        task = session.scalars(select(Tache.id).order_by(Tache.id.desc())).first()
        session.commit()
        runner.run(app, task)
        session.expire_all()
        return session.get(EssaiService, tried.id)

    return run


@pytest.fixture
def permis(app, monkeypatch):
    """This machine may be called, as a school's internal server may."""
    monkeypatch.setattr(app.extensions["reglages"], "reseaux_permis", "127.0.0.1/32")


@pytest.fixture
def reussi(session, cast):
    """A try that reached an address."""

    def write(service, values, *, good=True, composant=None):
        session.add(
            EssaiService(
                etablissement_id=cast.ecole_a,
                service_id=service.id,
                cible="x",
                valeurs=values,
                reussi=good,
                fini_le=now(),
                composant_id=composant.id if composant else None,
            )
        )
        session.flush()

    return write


def last(session):
    return session.scalars(select(Journal).order_by(Journal.id.desc())).first()


class TestTester:
    def test_the_worker_connects_and_what_it_found_is_kept(self, session, cast, service, essayer, permis):
        with serving() as site:
            site.pages["/pmb"] = (404, {}, b"")
            url = site.url("/pmb", "127.0.0.1")
            tried = essayer(service("bcdi"), {"adresse": url})
        assert (tried.reussi, tried.statut, tried.par, tried.cible) == (False, 404, "Claire Montagné", url)
        assert "n’existe pas" in tried.phrase
        line = last(session)
        assert (line.acte, line.etablissement_id) == ("service.tester", cast.ecole_a)
        assert line.apres["statut"] == 404
        assert reglage_of(session, cast.ecole_a, service("bcdi")) is None

    def test_an_address_inside_is_not_called(self, service, essayer):
        with serving() as site:
            tried = essayer(service("bcdi"), {"adresse": site.url("/")})
            assert site.asked == []
        assert (tried.reussi, "joignable" in tried.phrase) == (False, True)

    def test_nothing_typed_is_refused_and_so_is_the_try_too_many(self, session, service, cast, ici):
        def ask(values):
            return essais.demander_essai(
                session, cast.ecole_a, service("bcdi"), values, deployment=ici, acteur=WHO
            )

        with pytest.raises(RuleViolationError, match="Écrivez"):
            ask({"adresse": ""})
        for _ in range(essais.A_MINUTE):
            ask({"adresse": "https://bcdi.exemple.fr"})
        with pytest.raises(RuleViolationError, match="en une minute"):
            ask({"adresse": "https://bcdi.exemple.fr"})
        assert session.query(EssaiService).count() == essais.A_MINUTE

    def test_the_secret_of_a_try_is_sealed_then_gone(self, session, service, essayer):
        values = {**FICHIERS, "adresse": "absent.invalid", "identifiant": "e", "mot_de_passe": "le sapin"}
        tried = essayer(service("serveur_etablissement"), values)
        assert (tried.secrets, tried.reussi) == (None, False)
        for table in ("essai_service", "journal", "tache"):
            assert "sapin" not in str(session.execute(text(f"SELECT * FROM {table}")).all())


class TestSecretElsewhere:
    """Whoever may write settings must not have a secret sent to a server of theirs."""

    @pytest.fixture
    def row(self, service, save):
        return save(service("serveur_etablissement"), {**FICHIERS, "mot_de_passe": "le sapin"})

    @pytest.mark.parametrize(
        "changed", [{"adresse": "ailleurs.exemple.fr"}, {"port": "2121"}, {"protocole": "ftp"}]
    )
    def test_another_address_asks_for_it_again(self, session, cast, service, save, row, ici, changed):
        server, values = service("serveur_etablissement"), {**FICHIERS, **changed}
        with pytest.raises(RuleViolationError) as refusal:
            save(server, values, row.version)
        assert refusal.value.field == "mot_de_passe"
        with pytest.raises(RuleViolationError):
            essais.demander_essai(session, cast.ecole_a, server, values, deployment=ici, acteur=WHO)
        assert session.query(EssaiService).count() == 0

    def test_it_may_be_forgotten_or_typed_again(self, session, service, save, row, ici):
        server, values = service("serveur_etablissement"), {**FICHIERS, "port": "2121"}
        save(server, {**values, "mot_de_passe": "le mélèze"}, row.version)
        assert secrets_of(row, ici) == {"mot_de_passe": "le mélèze"}
        save(server, {**FICHIERS, "mot_de_passe-oublier": "1"}, row.version)
        assert secrets_of(row, ici) == {}
        assert last(session).apres["champs_proteges"] == ["Mot de passe d’essai"]


class TestSwitchingOn:
    BCDI = {"adresse": "https://bcdi.exemple.fr/"}

    def test_asks_for_a_try_that_reached_this_very_address(self, session, cast, service, save, reussi):
        bcdi = service("bcdi")
        row = save(bcdi, self.BCDI)
        with pytest.raises(RuleViolationError) as refusal:
            basculer(session, cast.ecole_a, "bcdi", True, acteur=WHO)
        assert refusal.value.field == "sans_essai"
        reussi(bcdi, {"adresse": "https://autre.exemple.fr/"})
        with pytest.raises(RuleViolationError):
            basculer(session, cast.ecole_a, "bcdi", True, acteur=WHO)
        reussi(bcdi, row.valeurs)
        reussi(bcdi, row.valeurs, good=False)
        with pytest.raises(RuleViolationError):
            basculer(session, cast.ecole_a, "bcdi", True, acteur=WHO)
        reussi(bcdi, row.valeurs)
        basculer(session, cast.ecole_a, "bcdi", True, acteur=WHO)
        assert last(session).apres == {"actif": True}

    def test_or_is_overridden_knowingly_and_the_journal_says_so(self, session, cast, service, save):
        save(service("gibii"), self.BCDI)
        basculer(session, cast.ecole_a, "gibii", True, sans_essai=True, acteur=WHO)
        assert last(session).apres == {"actif": True, "sans_essai": True}

    def test_what_is_on_is_not_moved_to_an_address_nobody_tried(self, session, cast, service, save, reussi):
        bcdi = service("bcdi")
        row = save(bcdi, self.BCDI)
        basculer(session, cast.ecole_a, "bcdi", True, sans_essai=True, acteur=WHO)
        other = {"adresse": "https://e-sidoc.exemple.fr/"}
        with pytest.raises(RuleViolationError) as refusal:
            save(bcdi, other, row.version)
        assert refusal.value.field == "sans_essai"
        save(bcdi, self.BCDI, row.version)
        reussi(bcdi, other)
        save(bcdi, other, row.version)
        assert row.valeurs == other

    def test_a_server_of_files_may_be_switched_on_untried(self, session, cast, service, save):
        save(service("serveur_etablissement"), FICHIERS)
        basculer(session, cast.ecole_a, "serveur_etablissement", True, acteur=WHO)
        assert "sans_essai" not in last(session).apres


class TestSoftware:
    def test_one_internal_and_one_external_at_most(self, session, cast, service, composant, save):
        notes = service("notes_absences")
        for code in ("pronote_2009", "pronote_2010"):
            save(notes, {"adresse": "https://n.exemple.fr"}, composant=composant(code))
        for code in ("interne", "pronote_2009"):
            basculer_composant(session, cast.ecole_a, composant(code), True, acteur=WHO)
        with pytest.raises(RuleViolationError, match=r"Pronote\.net 2009"):
            basculer_composant(session, cast.ecole_a, composant("pronote_2010"), True, acteur=WHO)
        session.add(
            ComposantEtablissement(
                etablissement_id=cast.ecole_a,
                composant_id=composant("pronote_2010").id,
                service_id=notes.id,
                place="externe",
            )
        )
        with pytest.raises(IntegrityError):
            session.flush()

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"adresse": "https://<id>.exemple.fr/"}, "numero"),
            ({"adresse": "https://<id>.exemple.fr/", "numero": "a b"}, "numero"),
            ({"adresse": "https://<id>.exemple.fr/", "numero": "x@evil.fr/"}, "numero"),
            ({"adresse": "https://<uai>.exemple.fr/", "numero": "1"}, "adresse"),
        ],
    )
    def test_the_mark_of_an_address_is_replaced_by_a_number(self, service, composant, save, values, field):
        with pytest.raises(RuleViolationError) as refusal:
            save(service("notes_absences"), values, composant=composant("pronote_2010"))
        assert refusal.value.field == field


class TestSubscription:
    def test_a_resource_is_for_schools_that_subscribed(self, session, cast, composant):
        manuels = composant("manuels")
        day = now().date()
        session.add_all(
            [
                Abonnement(composant_id=manuels.id, etablissement_id=cast.ecole_b),
                Abonnement(
                    composant_id=manuels.id,
                    collectivite_id=cast.collectivite_a,
                    fin=day - timedelta(days=2),
                ),
            ]
        )
        session.flush()
        with pytest.raises(RuleViolationError, match="abonné"):
            basculer_composant(session, cast.ecole_a, manuels, True, acteur=WHO)
        basculer_composant(session, cast.ecole_b, manuels, True, acteur=WHO)
        ours = session.scalars(select(Abonnement).filter_by(collectivite_id=cast.collectivite_a)).one()
        ours.fin = None
        session.flush()
        basculer_composant(session, cast.ecole_a, manuels, True, acteur=WHO)
        basculer_composant(session, cast.ecole_a, composant("encyclopedie"), True, acteur=WHO)
