"""Health and metrics: for machines, without session nor personal data."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.extensions import now
from app.jobs import leases
from app.operations import courriels, taches


@pytest.fixture
def alive(session: Session) -> None:
    """A worker that gave a sign of life."""
    leases.renew(session, [])


@pytest.mark.parametrize("path", ["/sante", "/sante/pret", "/metriques"])
def test_no_cookie_is_set_and_nothing_is_cached(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


def test_alive(client: FlaskClient) -> None:
    assert client.get("/sante").get_json() == {"etat": "vivant"}


@pytest.mark.usefixtures("alive")
def test_ready_with_a_worker_and_no_late_work(client: FlaskClient) -> None:
    body = client.get("/sante/pret").get_json()
    assert (body["etat"], body["travailleur"]["etat"], body["file"]["etat"]) == ("pret", "vivant", "à jour")


@pytest.mark.usefixtures("alive")
def test_work_that_waits_for_too_long_shows(client: FlaskClient, session: Session) -> None:
    tache = taches.request(session, "essai", libelle="", parametres={})
    tache.cree_le = now().replace(year=2020)
    session.commit()
    answer = client.get("/sante/pret")
    assert (answer.status_code, answer.get_json()["etat"]) == (200, "degrade")
    assert answer.get_json()["file"]["etat"] == "en retard"


@pytest.mark.schema
def test_a_missing_migration_makes_it_unavailable(client: FlaskClient, session: Session) -> None:
    session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    session.commit()
    answer = client.get("/sante/pret")
    assert (answer.status_code, answer.get_json()["migrations"]) == (503, "à appliquer")


def test_a_database_that_is_down_makes_it_unavailable(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import create_engine

    from app.extensions import db

    nowhere = create_engine("postgresql+psycopg://postgres@127.0.0.1:1/rien")
    monkeypatch.setattr(type(db), "engine", nowhere)
    answer = client.get("/sante/pret")
    assert (answer.status_code, answer.get_json()) == (503, {"etat": "indisponible", "base": "injoignable"})


def test_metrics_count_by_state_and_name_nobody(client: FlaskClient, session: Session) -> None:
    courriels.queue(session, destinataire="zoe@exemple.fr", objet="Été", texte="x")
    session.commit()
    body = client.get("/metriques").get_data(as_text=True)
    assert 'preau_courriels{etat="attente"} 1.0' in body
    assert "exemple.fr" not in body


class TestMetricsAccess:
    def test_a_stranger_gets_404(self, client: FlaskClient) -> None:
        assert client.get("/metriques", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 404

    @pytest.mark.parametrize(
        "header",
        [
            {"X-Forwarded-For": "192.0.2.7"},
            {"X-Forwarded-For": ""},
            {"X-Forwarded-For": "127.0.0.1"},
            {"X-Real-IP": "192.0.2.7"},
            {"X-Forwarded-Proto": "https"},
            {"Forwarded": "for=127.0.0.1"},
            {"Via": "1.1 nginx"},
        ],
    )
    def test_a_request_that_came_through_a_proxy_is_not_local(
        self, client: FlaskClient, header: dict[str, str]
    ) -> None:
        assert client.get("/metriques", headers=header).status_code == 404

    @pytest.mark.parametrize(("token", "status"), [("jeton-de-test", 200), ("autre", 404), ("", 404)])
    def test_the_token_opens(self, app: Flask, client: FlaskClient, token: str, status: int) -> None:
        app.extensions["reglages"].metriques_jeton = "jeton-de-test"
        answer = client.get(
            "/metriques",
            headers={"Authorization": f"Bearer {token}"},
            environ_base={"REMOTE_ADDR": "192.0.2.7"},
        )
        assert answer.status_code == status
