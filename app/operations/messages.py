"""Mails people read: one template gives the subject, the text and the HTML of a mail.

A template of ``templates/courriels/`` has two blocks, ``objet`` and ``corps``. The body is written with
``p()``, ``bouton()`` and ``faits()``, drawn twice: as text, and as HTML in the base layout (no image, no
address but ours). It runs outside any request: acts, jobs and commands write mails the same way.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from app.config import ROOT
from app.extensions import PARIS
from app.models import Courriel
from app.operations import coffre, courriels
from app.operations.deployment import Deployment

SECRET = "[lien personnel, connu du seul destinataire]"  # noqa: S105  (what stands in its place)
"""What the stored texts hold where the mail that leaves has its personal link."""
USE = "courriel"
WIDTH = 72


@dataclass(frozen=True)
class Message:
    """A mail, drawn."""

    objet: str
    texte: str
    html: str


def render(template: str, deployment: Deployment, **values: Any) -> Message:
    """Draw a mail of ``templates/courriels/``."""
    known = {"console": deployment, "nom_console": _name(deployment), **values}
    html, text = _environment(html=True), _environment(html=False)
    subject = re.sub(r"[^\S\u00a0\u202f]+", " ", _block(text, template, "objet", known)).strip()[:200]
    body = _block(text, template, "corps", known)
    footer = f"-- \n{_name(deployment)}\nMessage automatique\u00a0: personne ne lit les réponses.\n"
    page = html.get_template("courriels/base.html").render(
        known | {"objet": subject, "corps": Markup(_block(html, template, "corps", known))}  # noqa: S704  (drawn above)
    )
    return Message(subject, re.sub(r"\n{3,}", "\n\n", f"{body.strip()}\n\n{footer}"), page)


def send(
    session: Session,
    template: str,
    destinataire: str,
    deployment: Deployment,
    *,
    cle: str | None = None,
    etablissement_id: int | None = None,
    secret: str | None = None,
    **values: Any,
) -> Courriel:
    """Draw a mail and queue it. ``secret`` is an address only its reader may know: kept sealed.

    :raises UserError: the address is not one address.
    """
    message = render(template, deployment, **values, **({"lien": SECRET} if secret else {}))
    return courriels.queue(
        session,
        destinataire=destinataire,
        objet=message.objet,
        texte=message.texte,
        html=message.html,
        cle=cle,
        etablissement_id=etablissement_id,
        secret=coffre.seal(deployment.cle, USE, secret) if secret else None,
    )


def reveal(texts: Mapping[str, str | None], sealed: str | None, key: str) -> dict[str, str | None]:
    """Put the personal link back in the texts of a mail that is leaving.

    :raises CoffreFermeError: the key is no longer the one it was sealed with.
    """
    if not sealed:
        return dict(texts)
    link = coffre.unseal(key, USE, sealed)
    return {name: text and text.replace(SECRET, link) for name, text in texts.items()}


def in_words(instant: datetime) -> str:
    """Write an instant as a sentence does."""
    return instant.astimezone(PARIS).strftime("%d/%m/%Y à %H:%M")


def _name(deployment: Deployment) -> str:
    return f"Préau, {deployment.nom}" if deployment.nom else "Préau"


def _block(environment: Environment, template: str, block: str, values: Mapping[str, Any]) -> str:
    found = environment.get_template(template)
    return "".join(found.blocks[block](found.new_context(dict(values))))


@cache
def _environment(*, html: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(ROOT / "app" / "templates"),
        autoescape=html,  # noqa: S701  (the text of a mail is no page: nothing to escape)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(_HTML if html else _TEXT)
    return environment


def _flat(caller: Callable[[], str]) -> str:
    return french(re.sub(r"[ \t\r\n]+", " ", caller()).strip(" \t\r\n"))


def french(text: str) -> str:
    """Keep the signs that follow a space on the line of the word before them."""
    return re.sub(r" (?=[:;?!»])|(?<=«) ", "\u00a0", text)


def _text_p(caller: Callable[[], str]) -> str:
    return textwrap.fill(_flat(caller), WIDTH, break_long_words=False, break_on_hyphens=False) + "\n\n"


def _html_p(caller: Callable[[], str]) -> Markup:
    return Markup("<p>{}</p>\n").format(Markup(_flat(caller)))  # noqa: S704  (escaped as it was drawn)


def _text_button(label: str, address: str) -> str:
    return french(f"{label} :") + f"\n{address}\n\n"


def _html_button(label: str, address: str) -> Markup:
    return Markup(
        '<p><a class="bouton" href="{address}">{label}</a></p>\n'
        '<p class="petit">Si le bouton ne s’ouvre pas, copiez cette adresse\u00a0: {address}</p>\n'
    ).format(label=escape(label), address=escape(address))


def _text_facts(facts: Mapping[str, str]) -> str:
    return "".join(f"{label}\u00a0: {value}\n" for label, value in facts.items() if value) + "\n"


def _html_facts(facts: Mapping[str, str]) -> Markup:
    lines = (Markup("<dt>{}</dt><dd>{}</dd>\n").format(*pair) for pair in facts.items() if pair[1])
    return Markup("<dl>\n{}</dl>\n").format(Markup("").join(lines))


_TEXT: dict[str, Any] = {"p": _text_p, "bouton": _text_button, "faits": _text_facts}
_HTML: dict[str, Any] = {"p": _html_p, "bouton": _html_button, "faits": _html_facts}
