"""«Rôles et droits»: the page says what roles.py says, and who holds what."""

from __future__ import annotations

import pytest

from app.models import Attribution, Compte
from app.security.permissions import RESOURCE_LABELS, Verb
from app.security.roles import RIGHTS, ROLE_LABELS, Role
from tests.views.conftest import soup

URL = "/referentiel/roles/"


def matrix(answer):
    table = soup(answer).select_one("table.pr-grid")
    roles = [cell.get_text(strip=True) for cell in table.select("thead th")][1:]
    return {
        (line.select_one("th").get_text(strip=True), role): cell.select_one(".visually-hidden").text
        for line in table.select("tbody tr")
        for role, cell in zip(roles, line.select("td"), strict=True)
    }


def test_the_matrix_is_the_one_of_the_code(admin, ecoles):
    shown = matrix(admin.get(URL))
    assert len(shown) == len(Role) * len(RESOURCE_LABELS)
    for role in Role:
        for resource, label in RESOURCE_LABELS.items():
            writes, reads = (Verb.ECRIRE, resource) in RIGHTS[role], (Verb.LIRE, resource) in RIGHTS[role]
            expected = "Lit et écrit" if writes else "Lit" if reads else "Rien"
            assert shown[label, ROLE_LABELS[role]] == expected


def test_who_holds_each_role_is_counted(admin, session, ecoles):
    for number in range(3):
        account = Compte(
            username=f"c{number}",
            first_name="A",
            last_name="B",
            email=f"{number}@b.fr",
            active=True,
            password="",
        )
        session.add(account)
        session.flush()
        session.add(Attribution(compte_id=account.id, role="correspondant", etablissement_id=ecoles.ecole_a))
    session.commit()
    lines = soup(admin.get(URL)).select("table.pr-table tbody tr")
    counts = {line.select_one("th").get_text(strip=True): line.select("td")[-1].text for line in lines}
    assert counts[ROLE_LABELS[Role.CORRESPONDANT]] == "3"
    assert counts[ROLE_LABELS[Role.ELEVE]] == "0"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ASSISTANT_N2])
def test_only_the_highest_role_opens_it(sign_in, ecoles, role):
    assert sign_in(str(role)).get(URL).status_code == 403
