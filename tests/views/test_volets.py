"""Panes: the size somebody chose is drawn by the server, by a rule the style sheet has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.models import Compte, Preference
from app.views.volets import ARBRE, JOURNAL, STEP
from tests.views.conftest import soup

SHEET = Path(__file__).resolve().parents[2] / "app/static/volets.css"
PAGE = "/etablissements/0190001A/"


def test_every_step_has_its_rule():
    drawn = {
        name: {int(size) for size in re.findall(rf'\[data-{name}="(\d+)"\]', SHEET.read_text())}
        for name in ("arbre", "journal")
    }
    assert drawn["arbre"] == set(range(ARBRE.least, ARBRE.most + 1, STEP)) >= {ARBRE.default}
    assert drawn["journal"] == set(range(JOURNAL.least, JOURNAL.most + 1, STEP)) >= {JOURNAL.default}


@pytest.mark.parametrize(
    ("kept", "drawn"), [(300, 296), (10, 200), (10**9, 480), ("large", 264), (True, 264), ([1], 264)]
)
def test_the_remembered_size_is_drawn(sign_in, ecoles, session, kept, drawn):
    client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    account = session.query(Compte).one()
    session.add_all(
        [
            Preference(compte_id=account.id, cle=ARBRE.key, valeur=kept),
            Preference(compte_id=account.id, cle="volet.journal.ouvert", valeur=False),
        ]
    )
    session.commit()
    page = soup(client.get(PAGE))
    assert page.body["data-arbre"] == str(drawn)
    bar = page.select_one(".pr-side [role=separator]")
    assert (bar["aria-valuenow"], bar["aria-orientation"]) == (str(drawn), "vertical")
    assert not page.select_one("details.pr-journal").has_attr("open")


def test_each_person_has_their_own(sign_in, ecoles, session):
    sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    first = session.query(Compte).one()
    session.add(Preference(compte_id=first.id, cle=ARBRE.key, valeur=400))
    session.commit()
    other = sign_in("assistant_n2")
    assert soup(other.get(PAGE)).body["data-arbre"] == str(ARBRE.default)


def test_the_journal_opens_by_itself_on_the_sheet_alone(sign_in, ecoles):
    client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    sheet = soup(client.get(PAGE)).select_one("details.pr-journal")
    listed = soup(client.get(f"{PAGE}utilisateurs/eleves/")).select_one("details.pr-journal")
    assert sheet.has_attr("open")
    assert not listed.has_attr("open")
