"""The console of a school in a real browser: reached in two gestures, by the keyboard, in several tabs."""

from __future__ import annotations

import pytest

from app.security.roles import Role

pytestmark = [pytest.mark.navigateur, pytest.mark.timeout(300)]

HERE = "/etablissements/0370000A/"
PUPILS = f"{HERE}utilisateurs/eleves/"


def test_the_dark_narrow_console_of_a_school_is_as_good(visit):
    visitor = visit(320, 640, color_scheme="dark")
    visitor.sign_in(Role.ASSISTANT_N2)
    found, wide = [], []
    for page in (HERE, PUPILS, "/etablissements/", "/personnes/", "/etablissements/choisir?q=ronsard"):
        assert visitor.open(page) == 200, page
        found += visitor.axe()
        wide.append(visitor.overflow())
    assert (found, [page for page in wide if page], visitor.wrong) == ([], [], [])


def test_another_school_is_two_gestures_away_and_back_is_safe(visit):
    visitor = visit()
    visitor.sign_in(Role.ASSISTANT_N2)
    visitor.open(PUPILS)
    keyboard = visitor.page.keyboard
    visitor.page.focus("a.pr-switch")
    keyboard.press("Enter")
    visitor.page.locator("dialog[open] [role=option]").first.wait_for()
    assert visitor.axe() == []
    keyboard.type("0370005A")
    option = visitor.page.locator("dialog[open] [role=option]", has_text="0370005A")
    option.wait_for()
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    visitor.page.wait_for_url("**/etablissements/0370005A/utilisateurs/eleves/")
    visitor.page.go_back()
    assert visitor.page.url.endswith(PUPILS)
    assert visitor.wrong == []


def test_two_tabs_on_two_schools_never_mix(visit):
    visitor = visit()
    visitor.sign_in(Role.ASSISTANT_N2)
    visitor.open(HERE)
    other = visitor.page.context.new_page()
    other.goto(f"{visitor.address}/etablissements/0370004A/")
    visitor.page.reload()
    visitor.page.locator(".pr-tree a", has_text="Élèves").click()
    visitor.page.wait_for_url(f"**{PUPILS}")
    other.locator(".pr-tree a", has_text="Élèves").click()
    other.wait_for_url("**/etablissements/0370004A/utilisateurs/eleves/")
    assert "0370000A" in visitor.page.inner_text("a.pr-switch")
    assert "0370004A" in other.inner_text("a.pr-switch")


def test_the_palette_opens_a_person_without_a_mouse(visit):
    visitor = visit()
    visitor.sign_in(Role.CORRESPONDANT)
    visitor.open(HERE)
    keyboard = visitor.page.keyboard
    keyboard.press("Control+k")
    keyboard.type("ballandier17")
    visitor.page.locator("dialog[open] [role=option]", has_text="BALLANDIER17").wait_for()
    assert visitor.axe() == []
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    visitor.page.locator("h1", has_text="BALLANDIER17").wait_for()
    assert visitor.wrong == []


def test_names_are_suggested_as_one_types_and_what_was_typed_stays(visit):
    visitor = visit()
    visitor.sign_in(Role.CORRESPONDANT)
    visitor.open(PUPILS)
    box = visitor.page.locator(".pr-recherche [name=q]")
    box.press_sequentially("le go")
    visitor.page.locator(".pr-suggestions a", has_text="KERVELLA").wait_for()
    assert box.input_value() == "le go"
    assert visitor.page.evaluate("document.activeElement.name") == "q"
    assert visitor.axe() == []
    visitor.page.keyboard.press("ArrowDown")
    visitor.page.keyboard.press("Enter")
    visitor.page.locator("h1", has_text="KERVELLA").wait_for()
    assert visitor.wrong == []
