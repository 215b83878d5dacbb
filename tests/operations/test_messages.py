"""Mails people read: one template, drawn as text and as HTML; what only the reader may know is sealed."""

from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup
from jinja2 import Environment, meta

from app.config import ROOT
from app.operations import coffre, messages
from app.operations.deployment import Deployment

ICI = Deployment("Académie d’Essai", "https://console.exemple.fr", "k" * 40)
VALUES = {
    "qui": "Zoé <img src=x onerror=alert(1)>",
    "login": "zoe.martin",
    "delai": "24 heures",
    "demande": "oubli",
    "activation": False,
    "lien": "https://console.exemple.fr/connexion/lien/abc",
    "quand": "26/11/2026 à 10:00",
    "scolarite": False,
    "fait": "secours",
    "motif": "départ en cours d’année",
    "adresse": "https://console.exemple.fr/reservations",
    "prenom": "Zoé <img src=x onerror=alert(1)>",
    "acceptee": True,
    "fois": 3,
    "nombre": 2,
}
FOLDER = ROOT / "app/templates/courriels"
TEMPLATES = sorted(f"courriels/{path.name}" for path in FOLDER.glob("*.html") if path.name != "base.html")


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_mail_reads_as_text_and_as_html(template):
    names = meta.find_undeclared_variables(Environment().parse((FOLDER.parent / template).read_text("utf-8")))
    known = {"p", "bouton", "faits", "liste", "console", "nom_console", *VALUES}
    mail = messages.render(template, ICI, **VALUES, **dict.fromkeys(names - known, "Collège d’Essai"))
    page = BeautifulSoup(mail.html, "html.parser")
    assert page.html["lang"] == "fr"
    assert page.title.get_text() == mail.objet == page.h1.get_text()
    assert page.select("img, script, link, iframe, [style], [onerror]") == []
    assert {a["href"].split("/")[2] for a in page.select("a")} <= {"console.exemple.fr"}
    assert VALUES["qui"] in mail.texte, "text is not escaped"
    assert not re.search(r"[{}]|None|&#|\n{3}", mail.texte)
    assert max(map(len, mail.texte.split("\n"))) <= messages.WIDTH
    words = page.select_one(".feuille").get_text(" ", strip=True)
    assert not re.search(r" [:;?!»]|« ", words + mail.texte.replace("\n", " ").replace("-- ", "")), (
        "typography"
    )


def test_a_subject_is_one_line_and_keeps_its_typography():
    mail = messages.render(
        "courriels/reservation_annulee.html",
        ICI,
        **VALUES | {"ressource": "Salle\u2028\x85\r\nBcc: a@b.fr", "reponse": "", "ecole": "Collège d’Essai"},
    )
    assert mail.objet == "Salle Bcc: a@b.fr\u00a0: réservation annulée"


def test_what_is_sealed_opens_with_the_key_and_for_its_use_only():
    sealed = coffre.seal("k" * 40, "courriel", "secret")
    assert "secret" not in sealed
    assert coffre.unseal("k" * 40, "courriel", sealed) == "secret"
    for key, use, text in (
        ("o" * 40, "courriel", sealed),
        ("k" * 40, "totp", sealed),
        ("k" * 40, "courriel", "x"),
    ):
        with pytest.raises(coffre.CoffreFermeError):
            coffre.unseal(key, use, text)
    assert coffre.keyed_digest("k", "a", "x") != coffre.keyed_digest("k", "b", "x")
    assert "k" * 40 not in repr(ICI)
