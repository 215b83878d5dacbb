"""«Suppressions» of a school: until when each may come back, and the page that restores."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.extensions import now
from app.models import Personne, Rattachement
from app.operations import anonymisation
from tests.views.conftest import post, rows, soup

NAME = "<img src=x onerror=alert(1)>"


@pytest.fixture(params=["sqlite"])
def engine_name(request):
    """One engine: the acts are proved on both in their own tests."""
    return request.param


@pytest.fixture
def gone(session, ecoles):
    """Somebody with a hostile name who left school A, and somebody else who is now in school B."""
    made = []
    left = now() - timedelta(days=10)
    for nom, elsewhere in ((NAME, False), ("MOUREAU", True)):
        person = Personne(
            nom=nom, prenom="Ada", nom_recherche=f"{nom.lower()} ada", supprime_le=None if elsewhere else left
        )
        session.add(person)
        session.flush()
        session.add(
            Rattachement(
                personne_id=person.id, etablissement_id=ecoles.ecole_a, profil="enseignant", fin=left,
                motif_fin="depart",
            )
        )  # fmt: skip
        if elsewhere:
            session.add(
                Rattachement(personne_id=person.id, etablissement_id=ecoles.ecole_b, profil="enseignant")
            )
        made.append(person.id)
    session.commit()
    return made


LIST = "/etablissements/0190001A/utilisateurs/suppressions/"


def page(pk, uai="0190001A"):
    return f"/etablissements/{uai}/suppressions/{pk}/restaurer"


def test_the_list_says_until_when_and_leads_to_the_way_back(sign_in, ecoles, gone):
    reader = sign_in("chef_etablissement", etablissement_id=ecoles.ecole_a)
    client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    shown = {row["Nom"].split()[0]: row["Et ensuite"] for row in rows(client.get(LIST))}
    due = f"{now() + timedelta(days=80):%d/%m/%Y}"
    assert f"Sera anonymisé le {due}" in shown["<IMG"]
    assert "Présent dans un autre établissement" in shown["MOUREAU"]
    assert all("Restaurer…" in text for text in shown.values())
    exported = client.get(f"{LIST}export").get_data(as_text=True)
    assert f"Sera anonymisé le {due}" in exported
    assert "<a" not in exported
    assert "Restaurer…" not in reader.get(LIST).get_data(as_text=True)


def test_restoring_says_what_comes_back_then_does_it(sign_in, session, ecoles, gone):
    client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    asked = client.get(page(gone[0]))
    assert "<img src=x" not in asked.get_data(as_text=True)
    assert soup(asked).select_one("h1").get_text() == f"Restaurer Ada {NAME}\u00a0?"
    assert session.scalars(select(Rattachement.fin).where(Rattachement.personne_id == gone[0])).one()
    session.rollback()
    answer = post(client, page(gone[0]))
    assert answer.location == f"/etablissements/0190001A/utilisateurs/enseignants/{gone[0]}"
    assert "est de nouveau dans Collège A" in client.get(answer.location).get_data(as_text=True)
    assert session.scalars(select(Personne.supprime_le).where(Personne.id == gone[0])).one() is None
    assert client.get(page(gone[0])).status_code == 404, "nothing to restore any more"


def test_who_was_emptied_is_nowhere(sign_in, session, ecoles, gone):
    client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    assert client.get(f"{LIST}{gone[0]}").status_code == 200
    session.rollback()
    anonymisation.anonymiser(session, [gone[0]])
    session.commit()
    assert [row["Nom"] for row in rows(client.get(LIST))] == ["MOUREAU Ada"]
    for address in (page(gone[0]), f"{LIST}{gone[0]}", f"/personnes/{gone[0]}"):
        assert client.get(address).status_code == 404
    admin = sign_in("assistant_n2")
    assert admin.get(f"/referentiel/personnes/show/{gone[0]}").status_code == 404
    assert "anonymisée" not in admin.get("/referentiel/personnes/list/").get_data(as_text=True)


def test_it_needs_the_right_and_the_school(sign_in, ecoles, gone):
    for role, where, code in (
        ("chef_etablissement", {"etablissement_id": ecoles.ecole_a}, 403),
        ("enseignant", {}, 403),
        ("correspondant", {"etablissement_id": ecoles.ecole_b}, 404),
    ):
        client = sign_in(role, **where)
        assert client.get(page(gone[0])).status_code == code
        assert client.get(page(gone[1], uai="0180001B")).status_code in {403, 404}
