"""Every role walks the whole console with the keyboard alone, on pages that are accessible and quiet."""

from __future__ import annotations

import pytest

from app.security.roles import RIGHTS, Role
from tests.navigateur.conftest import PASSWORD
from tests.navigateur.parcours import Walk

pytestmark = [pytest.mark.navigateur, pytest.mark.timeout(600)]

ROLE_OF = {RIGHTS[role]: role for role in reversed(Role)}
"""One role for each set of rights: the same rights draw the same pages (tests/security)."""


@pytest.fixture(scope="module")
def examined():
    """Pages already looked at closely: two roles that are drawn the same page are not told it twice."""
    return set()


@pytest.mark.parametrize("role", list(Role))
def test_every_page_is_reached_without_a_mouse_and_is_sound(visit, examined, role):
    walk = Walk(visit(), examined)
    walk.sign_in(str(role), PASSWORD)
    walk.everywhere(deep=ROLE_OF[RIGHTS[role]] is role)
    assert "\n".join(walk.wrong + walk.visitor.wrong) == ""
    assert {"/", "/mon-espace/"} <= walk.seen
