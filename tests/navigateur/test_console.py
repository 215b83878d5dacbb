"""The console in a real browser: every page of every role, accessible, quiet, from 320 px up."""

from __future__ import annotations

import pytest

from app.security.roles import Role

pytestmark = [pytest.mark.navigateur, pytest.mark.timeout(300)]


def quiet(visitor):
    assert visitor.wrong == []


class TestPages:
    def test_sheets_and_forms_are_accessible_at_every_width_and_look(self, visit):
        visitor = visit(320, 640, color_scheme="dark")
        visitor.sign_in(Role.ASSISTANT_N2)
        found, wide, opened = [], [], 0
        for page in visitor.menu():
            visitor.open(page)
            link = visitor.page.query_selector(".pr-table tbody th a")
            if not link:
                continue
            visitor.open(link.get_attribute("href"))
            opened += 1
            found += visitor.axe()
            wide.append(visitor.overflow())
            edit = visitor.page.query_selector("main a[href*='/edit/']")
            if edit:
                visitor.open(edit.get_attribute("href"))
                found += visitor.axe()
                wide.append(visitor.overflow())
        assert opened >= 8
        assert found == []
        assert [page for page in wide if page] == []
        quiet(visitor)

    def test_a_stranger_sees_the_sign_in_page_alone(self, visit):
        visitor = visit()
        visitor.open("/referentiel/etablissements/list/")
        assert "/connexion" in visitor.page.url
        assert visitor.page.query_selector("nav.pr-side") is None
        assert visitor.axe() == []
        quiet(visitor)


class TestKeyboard:
    def test_the_main_walk_needs_no_mouse(self, visit):
        visitor = visit()
        visitor.sign_in(Role.ASSISTANT_N2)
        page = visitor.page
        visitor.open("/referentiel/etablissements/list/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "pr-skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "contenu"
        for _step in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.matches('.pr-table tbody th a')"):
                break
        seen = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert seen == "solid"
        page.keyboard.press("Enter")
        page.wait_for_url("**/referentiel/etablissements/show/**")
        quiet(visitor)

    def test_escape_closes_the_account_menu_and_gives_focus_back(self, visit):
        visitor = visit()
        visitor.sign_in(Role.CORRESPONDANT)
        summary = visitor.page.locator("details.pr-menu > summary")
        summary.focus()
        visitor.page.keyboard.press("Enter")
        assert visitor.page.locator("details.pr-menu[open]").count() == 1
        assert visitor.axe() == []
        visitor.page.keyboard.press("Tab")
        visitor.page.keyboard.press("Escape")
        assert visitor.page.locator("details.pr-menu[open]").count() == 0
        assert visitor.page.evaluate("document.activeElement.tagName") == "SUMMARY"

    def test_the_menu_is_a_drawer_on_a_narrow_screen(self, visit):
        visitor = visit(320, 640)
        visitor.sign_in(Role.ASSISTANT_N2)
        entry = visitor.page.locator("#menu a").first
        assert not entry.is_visible()
        visitor.page.get_by_role("button", name="Ouvrir le menu").press("Enter")
        assert entry.is_visible()
        assert visitor.axe() == []
        visitor.page.keyboard.press("Escape")
        assert not entry.is_visible()


class TestLists:
    def test_typing_filters_at_once_and_the_address_follows(self, visit):
        visitor = visit()
        visitor.sign_in(Role.ASSISTANT_N2)
        page = visitor.page
        visitor.open("/referentiel/etablissements/list/")
        page.locator("[name=q]").press_sequentially("régional")
        page.locator(".pr-table tbody tr").nth(1).wait_for(state="detached")
        assert "q=" in page.url
        assert page.evaluate("document.activeElement.name") == "q"
        assert page.locator("#annonce").text_content()
        assert visitor.axe() == []
        page.reload()
        assert page.locator(".pr-table tbody tr").count() == 1
        quiet(visitor)

    def test_a_long_choice_is_fetched_as_one_types(self, visit):
        visitor = visit()
        visitor.sign_in(Role.ASSISTANT_N2)
        page = visitor.page
        visitor.open("/referentiel/divisions/list/")
        page.locator(".ts-control input").press_sequentially("0370000A")
        page.locator(".ts-dropdown .option", has_text="0370000A").wait_for()
        assert visitor.axe() == []
        page.keyboard.press("Enter")
        page.locator("a.pr-chip").wait_for()
        assert page.locator(".pr-table tbody tr").count() == 1
        quiet(visitor)

    def test_lists_work_without_script(self, visit):
        visitor = visit(java_script_enabled=False)
        visitor.sign_in(Role.ASSISTANT_N2)
        visitor.open("/referentiel/etablissements/list/")
        visitor.page.fill("[name=q]", "régional")
        visitor.page.click("form.pr-filters button[type=submit]")
        assert visitor.page.locator(".pr-table tbody tr").count() == 1


class TestForms:
    def test_a_refused_form_leads_to_its_fields(self, visit):
        visitor = visit()
        visitor.sign_in(Role.ASSISTANT_N2)
        page = visitor.page
        visitor.open("/referentiel/matieres/add")
        page.click("main form button[type=submit]")
        page.locator(".pr-note[role=alert]").wait_for()
        assert page.evaluate("document.activeElement.getAttribute('role')") == "alert"
        assert visitor.axe() == []
        page.locator(".pr-note a").first.press("Enter")
        assert page.evaluate("document.activeElement.getAttribute('aria-invalid')") == "true"
        quiet(visitor)

    def test_leaving_with_unsaved_changes_warns(self, visit):
        visitor = visit()
        visitor.sign_in(Role.ASSISTANT_N2)
        page = visitor.page
        visitor.open("/referentiel/matieres/add")
        page.locator("main form input.form-control").first.press_sequentially("ABC")
        asked = []
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
        page.click(".pr-crumbs a")
        page.wait_for_timeout(300)
        assert asked == ["beforeunload"]
        assert page.url.endswith("/add")

    def test_the_look_one_chooses_is_kept(self, visit):
        visitor = visit()
        visitor.sign_in(Role.ENSEIGNANT)
        visitor.page.click("details.pr-menu > summary")
        visitor.page.check("input[name=theme][value=dark]", force=True)
        visitor.page.reload()
        assert visitor.page.get_attribute("html", "data-bs-theme") == "dark"
        assert visitor.axe() == []
        quiet(visitor)

    def test_signing_out_closes_the_session(self, visit):
        visitor = visit()
        visitor.sign_in(Role.ENSEIGNANT)
        visitor.page.click("details.pr-menu > summary")
        visitor.page.click("text=Se déconnecter")
        visitor.page.wait_for_url("**/connexion*")
        visitor.open("/")
        assert "/connexion" in visitor.page.url
