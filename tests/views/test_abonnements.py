"""Subscriptions written in «Référentiel»; a new software is a row, its settings drawn at once (R5, R9)."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from app.models import Abonnement, ComposantService, Journal, Service
from app.queries.abonnements import subscribed
from tests.views.conftest import post, rows, soup

PAGE = "/referentiel/abonnements"


@pytest.fixture
def manuels(session, catalogue):
    found = session.scalars(select(ComposantService.id).filter_by(code="manuels")).one()
    session.rollback()
    return found


class TestSubscription:
    def test_written_listed_journalled_and_removed(self, admin, session, ecoles, manuels):
        sent = {"composant": manuels, "etablissement": ecoles.ecole_a, "fin": "2031-08-31"}
        assert post(admin, f"{PAGE}/add", sent).status_code == 302
        assert subscribed(session, ecoles.ecole_a) == {manuels}
        assert subscribed(session, ecoles.ecole_b) == frozenset()
        (line,) = rows(admin.get(f"{PAGE}/list/"))
        assert (line["Ressource"], line["Au"]) == ("Manuels numériques", "31/08/2031")
        pk = session.scalars(select(Abonnement.id)).one()
        session.rollback()
        post(admin, f"{PAGE}/delete/{pk}")
        acts = session.scalars(select(Journal.acte).where(Journal.objet_type == "abonnement")).all()
        assert acts == ["abonnement.creer", "abonnement.supprimer"]

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"etablissement": ""}, "etablissement"),
            ({"debut": "2026-09-01", "fin": "2026-08-31"}, "fin"),
            ({"composant": "encyclopedie"}, "composant"),
        ],
    )
    def test_refused_on_its_field(self, admin, session, ecoles, manuels, changed, field):
        if changed.get("composant"):
            found = session.scalars(select(ComposantService.id).filter_by(code="encyclopedie")).one()
            changed = {"composant": found}
            session.rollback()
        sent = {"composant": manuels, "etablissement": ecoles.ecole_a, **changed}
        page = soup(post(admin, f"{PAGE}/add", sent))
        assert page.select_one(f"#{field}-erreur, #{field}[aria-invalid]") is not None
        assert session.query(Abonnement).count() == 0

    def test_twice_the_same_is_refused(self, admin, session, ecoles, manuels):
        sent = {"composant": manuels, "etablissement": ecoles.ecole_a}
        post(admin, f"{PAGE}/add", sent)
        assert "existe déjà" in soup(post(admin, f"{PAGE}/add", sent)).text
        assert session.query(Abonnement).count() == 1

    def test_an_academie_reads_those_of_its_schools_and_writes_none(self, sign_in, session, ecoles, manuels):
        session.add_all(
            Abonnement(composant_id=manuels, etablissement_id=one) for one in (ecoles.ecole_a, ecoles.ecole_b)
        )
        session.commit()
        reader = sign_in("assistant_plateforme", academie_id=ecoles.academie_a)
        assert len(rows(reader.get(f"{PAGE}/list/"))) == 1
        assert reader.get(f"{PAGE}/add").status_code in {403, 404}


class TestNewSoftware:
    def test_a_row_is_enough(self, admin, session, ecoles, catalogue):
        notes = session.scalars(select(Service.id).filter_by(code="notes_absences")).one()
        session.rollback()
        schema = [
            {"code": "adresse", "libelle": "Adresse", "type": "url", "obligatoire": True, "essai": True},
            {"code": "cle", "libelle": "Clé d’échange", "type": "secret"},
        ]
        sent = {"service": notes, "code": "ecole_directe", "nom": "Vie Directe", "place": "externe",
                "ordre": "50", "reglages": json.dumps(schema)}  # fmt: skip
        assert post(admin, "/referentiel/composants-service/add", sent).status_code == 302
        page = "/etablissements/0190001A/services/notes_absences/reglages"
        admin.get("/etablissements/0190001A/")  # the visit is noted
        session.rollback()
        drawn = soup(admin.get(page)).select_one("#notes_absences-ecole_directe")
        assert drawn.select_one("[name=cle]")["type"] == "password"
        values = {"composant": "ecole_directe", "_version": "", "adresse": "https://vd.exemple.fr/"}
        assert post(admin, page, values).status_code == 302
        switch = "/etablissements/0190001A/services/notes_absences/composants/ecole_directe"
        refused = soup(post(admin, switch, {"actif": "1"}))
        assert refused.select_one("[name=sans_essai]") is not None
        assert post(admin, switch, {"actif": "1", "sans_essai": "1"}).status_code == 302
