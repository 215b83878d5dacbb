"""A walk through the console with the keyboard alone: a page leads where its Tab key reaches."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SCRIPT = (Path(__file__).parent / "parcours.js").read_text()


def kind(address: str) -> str:
    """Return the page an address is one of: numbers and what comes after ``?`` left out."""
    return re.sub(r"/\d+(?=/|$)", "/n", urlsplit(address).path)


class Walk:
    """One person walking with the keyboard, what is wrong on the way, and the pages already examined."""

    def __init__(self, visitor: Any, examined: set[str]) -> None:
        self.visitor, self.page, self.examined = visitor, visitor.page, examined
        self.wrong: list[str] = []
        self.seen: set[str] = set()

    def sign_in(self, login: str, password: str) -> None:
        """Sign in without touching the mouse."""
        self.visitor.open("/connexion")
        for name, typed in (("identifiant", login), ("mdp", password)):
            self.tab_to(f"[name={name}]")
            self.page.keyboard.type(typed)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(f"{self.visitor.address}/")

    def tab_to(self, selector: str, most: int = 60) -> None:
        """Press Tab until something has the focus."""
        for _step in range(most):
            if self.page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{selector} is out of reach of the keyboard")

    def tabs(self) -> list[str]:
        """Press Tab through the whole page; return where its links of navigation lead."""
        self.page.evaluate(SCRIPT)
        pressed = 0
        while (left := self.page.evaluate("walk.stops()") - pressed) > 0:  # lines of a journal may come
            for _step in range(left):
                self.page.keyboard.press("Tab")
            pressed += left
        self.wrong += self.page.evaluate("walk.wrong()")
        links: list[str] = self.page.evaluate("walk.links()")
        return links

    def everywhere(self, *, deep: bool) -> None:
        """Open every kind of page that the keyboard leads to from home, and examine each that is new.

        Not ``deep``, it stops at the pages home leads to.
        """
        todo = ["/"]
        while todo:
            address = todo.pop(0)
            if kind(address) in self.seen or "deconnexion" in address:
                continue
            self.seen.add(kind(address))
            answer = self.visitor.open(address)
            if answer != 200:
                self.wrong.append(f"{address}: {answer}")
            if deep or address == "/":
                todo += self.tabs()
                self.examine()

    def examine(self) -> None:
        """Look at a page no other walk has seen: rules of accessibility, words, narrow screen."""
        where = kind(self.page.url)
        drawn = f"{where} {self.page.evaluate('walk.controls()')}"
        if drawn in self.examined and where != "/":
            return
        self.examined.add(drawn)
        self.wrong += self.visitor.axe() + self.visitor.english()
        self.page.set_viewport_size({"width": 320, "height": 640})
        wide = self.visitor.overflow()
        self.wrong += [f"wide: {wide}"] if wide else []
        self.page.set_viewport_size({"width": 1440, "height": 900})
