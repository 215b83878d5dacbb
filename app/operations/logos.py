"""Logos of the home page and of the public page of a school: added, changed, ordered, put aside (P1, P3)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.database import lock
from app.errors import RuleViolationError
from app.extensions import now
from app.models import PAGES, Logo
from app.operations import images, page_publique
from app.operations.saisies import Actor, clean_text, clean_url, pending_changes, record

MOST = 24
PAGE_LABELS = {"accueil": "la page d’accueil", "publique": "la page publique"}
NO_TEXT = "Dites ce que montre le logo : c’est ce que lit une personne qui ne le voit pas."
FULL = f"Une page porte {MOST} logos au plus. Supprimez-en un d’abord."


def ajouter(
    session: Session,
    etablissement_id: int,
    page: str,
    sent: bytes | images.Refaite,
    *,
    texte: str | None,
    url: str | None,
    visible: bool,
    acteur: Actor,
) -> Logo:
    """Put a picture at the end of a page.

    :raises RuleViolationError: no text, a wrong address, a picture we cannot show, or a full page.
    """
    if page not in PAGES:
        raise ValueError(page)
    said, link = _text(texte), clean_url(url, field="url")
    lock(session, f"logos:{etablissement_id}")
    here = select(func.count(Logo.id), func.coalesce(func.max(Logo.rang), 0)).where(
        Logo.etablissement_id == etablissement_id, Logo.page == page, Logo.supprime_le.is_(None)
    )
    count, last = session.execute(here).one()
    if count >= MOST:
        raise RuleViolationError(FULL, field="fichier")
    image = images.ajouter(session, etablissement_id, sent)
    row = Logo(
        etablissement_id=etablissement_id,
        page=page,
        image_id=image.id,
        texte=said,
        url=link,
        visible=visible,
        rang=last + 1,
    )
    session.add(row)
    session.flush()
    shown = {"texte": said, "url": link, "visible": visible, "page": page}
    _told(session, row, "logo.ajouter", acteur, {name: (None, value) for name, value in shown.items()})
    return row


def modifier(
    session: Session,
    row: Logo,
    *,
    texte: str | None,
    url: str | None,
    visible: bool,
    sent: bytes | images.Refaite = b"",
    acteur: Actor,
) -> None:
    """Change what a logo says, where it leads, whether it shows, and its picture when one is sent.

    :raises RuleViolationError: as ``ajouter``.
    """
    row.texte, row.url, row.visible = _text(texte), clean_url(url, field="url"), visible
    if sent:
        row.image_id = images.ajouter(session, row.etablissement_id, sent).id
    changes = pending_changes(row)
    if changes:
        session.flush()
        _told(session, row, "logo.modifier", acteur, changes)


def ordonner(
    session: Session, etablissement_id: int, page: str, ids: Sequence[int], *, acteur: Actor
) -> None:
    """Show the logos of a page in this order; those not named come after, as they were."""
    lock(session, f"logos:{etablissement_id}")
    rows = list(
        session.scalars(
            select(Logo)
            .where(Logo.etablissement_id == etablissement_id, Logo.page == page, Logo.supprime_le.is_(None))
            .order_by(Logo.rang, Logo.id)
        )
    )
    before = [row.texte for row in rows]
    rows.sort(key=lambda row: ids.index(row.id) if row.id in ids else len(ids))
    after = [row.texte for row in rows]
    if before == after:
        return
    for rang, row in enumerate(rows, 1):
        row.rang = rang
    session.flush()
    _told(session, rows[0], "logo.ordonner", acteur, {"ordre": (before, after)})


def supprimer(session: Session, row: Logo, *, acteur: Actor) -> None:
    """Take a logo off its page; it can be put back for a month."""
    if row.supprime_le is not None:
        return
    row.supprime_le = now()
    session.flush()
    _told(session, row, "logo.supprimer", acteur, {"texte": (row.texte, None), "url": (row.url, None)})


def remettre(session: Session, row: Logo, *, acteur: Actor) -> None:
    """Put back a logo that was taken off, at the end of its page."""
    if row.supprime_le is None:
        return
    lock(session, f"logos:{row.etablissement_id}")
    count = session.execute(
        select(func.count(Logo.id)).where(
            Logo.etablissement_id == row.etablissement_id,
            Logo.page == row.page,
            Logo.supprime_le.is_(None),
        )
    ).scalar_one()
    if count >= MOST:
        raise RuleViolationError(FULL)
    row.supprime_le = None
    session.flush()
    _told(session, row, "logo.remettre", acteur, {"texte": (None, row.texte)})


def _text(value: str | None) -> str:
    text = clean_text(value, field="texte", longest=160, required=NO_TEXT)
    assert text is not None  # noqa: S101  (required)
    return text


def _told(
    session: Session, row: Logo, acte: str, acteur: Actor, changes: dict[str, tuple[object, object]]
) -> None:
    record(session, row, acte, acteur, changes=changes, etablissement_id=row.etablissement_id)
    if row.page == "publique":
        page_publique.revised(session, row.etablissement_id)
