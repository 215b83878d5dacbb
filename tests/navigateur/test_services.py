"""The grid of rights in a real browser: by the keyboard, its effect in people before it is saved."""

from __future__ import annotations

import pytest

from app.security.roles import Role

pytestmark = [pytest.mark.navigateur, pytest.mark.timeout(300)]

SERVICES = "/etablissements/0370000A/services/"
GRID = f"{SERVICES}categorie/communication"


@pytest.fixture
def local(visit):
    visitor = visit()
    visitor.sign_in(Role.CORRESPONDANT)
    return visitor


def said(visitor):
    """Return what the bar says, empty while it is hidden."""
    bar = visitor.page.locator("[data-droits-barre]")
    return bar.locator("[role=status]").inner_text() if bar.is_visible() else ""


def effects(visitor):
    return [
        line.replace("\n", " ") for line in visitor.page.locator("[data-effet-lignes] li").all_inner_texts()
    ]


def test_arrows_and_space_change_cells_and_their_effect_is_said(local):
    local.open(GRID)
    page = local.page
    page.get_by_label("Élèves, Forum, lecteur").focus()
    page.keyboard.press("Space")
    assert said(local) == "1 modification non enregistrée"
    assert effects(local) == ["Forum, lecteur : Élèves oui → non 40 personnes perdent ce droit"]
    page.keyboard.press("ArrowDown")  # teachers read the forum whatever the school says: skipped
    assert (
        page.evaluate("document.activeElement.nextElementSibling.textContent") == "Personnels, Forum, lecteur"
    )
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    assert said(local) == "2 modifications non enregistrées"
    assert page.locator("td[data-changed]").count() == 2
    assert local.axe() == []
    page.get_by_role("button", name="Annuler").click()
    page.wait_for_function("document.querySelector('[data-droits-barre]').hidden")
    assert page.get_by_label("Élèves, Forum, lecteur").is_checked()
    assert local.wrong == []


def test_a_heading_ticks_its_row_and_its_column_greyed_cells_apart(local):
    local.open(f"{SERVICES}forum")
    page = local.page
    page.get_by_role("button", name="Lecteur").click()
    free = page.locator("[data-grille] tbody input:not(:disabled)")
    readers = page.locator("[data-grille] tbody td:nth-child(3) input")
    assert readers.evaluate_all("boxes => boxes.every((box) => box.checked)")
    assert page.get_by_label("Élèves, Forum, gestionnaire").is_disabled()
    assert not page.get_by_label("Élèves, Forum, gestionnaire").is_checked()
    page.get_by_role("button", name="Lecteur").click()
    assert page.locator("[data-grille] tbody td:nth-child(3) input:checked").count() == 1  # the fixed one
    assert free.count() == 6


def test_leaving_with_changes_warns_and_saving_does_not(local):
    local.open(f"{SERVICES}forum")
    page, asked = local.page, []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.get_by_label("Parents, Forum, lecteur").check()
    page.reload()
    assert asked == ["beforeunload"]
    page.get_by_label("Parents, Forum, lecteur").check()
    page.locator("[data-droits-barre]").get_by_role("button", name="Enregistrer").click()
    page.locator(".pr-toast", has_text="1 droit enregistré.").wait_for()
    assert asked == ["beforeunload"]
    assert page.get_by_label("Parents, Forum, lecteur").is_checked()
    page.get_by_label("Parents, Forum, lecteur").uncheck()
    page.locator("[data-droits-barre]").get_by_role("button", name="Enregistrer").click()
    page.locator(".pr-toast", has_text="1 droit enregistré.").wait_for()
    assert local.wrong == []


def test_without_script_the_grid_is_a_plain_form(visit):
    visitor = visit(java_script_enabled=False)
    visitor.sign_in(Role.CORRESPONDANT)
    visitor.open(f"{SERVICES}forum")
    visitor.page.get_by_label("Autres (invités), Forum, lecteur").check()
    visitor.page.get_by_role("toolbar").get_by_role("button", name="Enregistrer").click()
    assert "1 droit enregistré." in visitor.page.inner_text("body")
    assert visitor.page.get_by_label("Autres (invités), Forum, lecteur").is_checked()


def test_narrow_and_dark_it_is_as_good(visit):
    visitor = visit(320, 640, color_scheme="dark")
    visitor.sign_in(Role.CORRESPONDANT)
    found, wide = [], []
    for page in ("", "categorie/communication", "forum", "messagerie", "chat/basculer", "forum/gestionnaire",
                 "droits/profil", "droits/comparer"):  # fmt: skip
        assert visitor.open(SERVICES + page) == 200, page
        found += visitor.axe()
        wide.append(visitor.overflow())
    visitor.open(GRID)
    visitor.page.get_by_label("Élèves, Forum, lecteur").uncheck()
    wide.append(visitor.overflow())
    save = visitor.page.locator("[data-droits-barre]").get_by_role("button", name="Enregistrer")
    assert save.bounding_box()["x"] + save.bounding_box()["width"] <= 320
    assert (found, [page for page in wide if page], visitor.wrong) == ([], [], [])
