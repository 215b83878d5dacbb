"""How values are written for people in France."""

from __future__ import annotations

import pytest

from app.views.actes import changes
from app.views.rendering import NBSP, NOTHING, telephone


@pytest.mark.parametrize(
    ("held", "read"),
    [
        ("0261910207", NBSP.join(["02", "61", "91", "02", "07"])),
        ("+41223456789", "+41223456789"),
        ("3949", "3949"),
        ("", NOTHING),
        (None, NOTHING),
    ],
)
def test_a_french_number_is_read_by_pairs(held, read):
    assert telephone(held) == read


def test_counts_of_a_feed_make_one_phrase():
    (line,) = changes(None, {"crees": 621, "reconnus": 1})
    assert line.after == "621 créés, 1 reconnu"
