"""Blocks of a public page: written by its editors, ordered, put aside, every version kept (P4)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.database import lock
from app.errors import ConflictError, NotFoundError, RuleViolationError
from app.extensions import now
from app.models import Bloc, VersionBloc
from app.operations import page_publique
from app.operations.markdown import HEAVY, render
from app.operations.saisies import Actor, clean_text, record

MOST = 40
LONGEST = 20_000
CHANGED = "Quelqu’un a modifié ce bloc pendant que vous écriviez. Votre texte est gardé ci-dessous."
EMPTY = "Donnez un titre au bloc."
TOO_HEAVY = "Ce texte donnerait une page trop lourde. Répétez moins ses liens, ou partagez ses tableaux."


def creer(
    session: Session, etablissement_id: int, *, titre: str, texte: str, visible: bool, acteur: Actor
) -> Bloc:
    """Write a new block at the end of the page.

    :raises RuleViolationError: no title, a text too long, or a full page.
    """
    said, text = _title(titre), _text(texte)
    lock(session, f"blocs:{etablissement_id}")
    last = _room(session, etablissement_id)
    row = Bloc(
        etablissement_id=etablissement_id,
        titre=said,
        texte=text,
        rendu=_drawn(text),
        visible=visible,
        rang=last + 1,
    )
    session.add(row)
    session.flush()
    _keep(session, row, acteur)
    _told(session, row, "bloc.creer", acteur, {"titre": (None, said), "texte": (None, text[:500])})
    return row


def modifier(
    session: Session, row: Bloc, *, titre: str, texte: str, visible: bool, version: int, acteur: Actor
) -> None:
    """Change a block; ``version`` is the one its author was reading.

    :raises ConflictError: somebody else wrote it meanwhile; nothing is lost, nothing written.
    :raises RuleViolationError: no title, or a text too long.
    """
    said, text = _title(titre), _text(texte)
    before = {"titre": row.titre, "texte": row.texte[:500], "visible": row.visible}
    after = {"titre": said, "texte": text[:500], "visible": visible}
    same_words = (said, text) == (row.titre, row.texte)
    if same_words and visible == row.visible and version == row.version:
        return
    values = {"titre": said, "texte": text, "rendu": _drawn(text), "visible": visible, "modifie_le": now()}
    written = session.execute(
        update(Bloc)
        .where(Bloc.id == row.id, Bloc.version == version, Bloc.supprime_le.is_(None))
        .values(**values, version=Bloc.version + 1)
        .execution_options(synchronize_session=False)
    )
    if not written.rowcount:  # type: ignore[attr-defined]
        raise ConflictError(CHANGED)
    session.refresh(row)
    if not same_words:
        _keep(session, row, acteur)
    changes = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
    _told(session, row, "bloc.modifier", acteur, changes)


def reprendre(session: Session, row: Bloc, numero: int, *, acteur: Actor) -> None:
    """Give a block the words it had in an earlier version; what it says now stays among its versions.

    :raises NotFoundError: no such version.
    """
    old = session.scalars(
        select(VersionBloc).where(VersionBloc.bloc_id == row.id, VersionBloc.numero == numero)
    ).first()
    if old is None:
        raise NotFoundError("Cette version n’existe pas.")
    modifier(
        session,
        row,
        titre=old.titre,
        texte=old.texte,
        visible=row.visible,
        version=row.version,
        acteur=acteur,
    )


def ordonner(session: Session, etablissement_id: int, ids: Sequence[int], *, acteur: Actor) -> None:
    """Show the blocks of a page in this order; those not named come after, as they were."""
    lock(session, f"blocs:{etablissement_id}")
    rows = list(
        session.scalars(
            select(Bloc)
            .where(Bloc.etablissement_id == etablissement_id, Bloc.supprime_le.is_(None))
            .order_by(Bloc.rang, Bloc.id)
        )
    )
    before = [row.titre for row in rows]
    rows.sort(key=lambda row: ids.index(row.id) if row.id in ids else len(ids))
    after = [row.titre for row in rows]
    if before == after:
        return
    for rang, row in enumerate(rows, 1):
        row.rang = rang
    session.flush()
    _told(session, rows[0], "bloc.ordonner", acteur, {"ordre": (before, after)})


def supprimer(session: Session, row: Bloc, *, acteur: Actor) -> None:
    """Take a block off the page; it can be put back for a month, with its versions."""
    if row.supprime_le is not None:
        return
    row.supprime_le = now()
    session.flush()
    _told(session, row, "bloc.supprimer", acteur, {"titre": (row.titre, None)})


def remettre(session: Session, row: Bloc, *, acteur: Actor) -> None:
    """Put back a block that was taken off.

    :raises RuleViolationError: the page is full meanwhile.
    """
    if row.supprime_le is None:
        return
    lock(session, f"blocs:{row.etablissement_id}")
    _room(session, row.etablissement_id)
    row.supprime_le = None
    session.flush()
    _told(session, row, "bloc.remettre", acteur, {"titre": (None, row.titre)})


def _room(session: Session, etablissement_id: int) -> int:
    """Return the last rank of the page, when it can take one more block."""
    here = select(func.count(Bloc.id), func.coalesce(func.max(Bloc.rang), 0)).where(
        Bloc.etablissement_id == etablissement_id, Bloc.supprime_le.is_(None)
    )
    count, last = session.execute(here).one()
    if count >= MOST:
        raise RuleViolationError(f"Une page porte {MOST} blocs au plus. Supprimez-en un d’abord.")
    return int(last)


def _title(value: str) -> str:
    title = clean_text(value, field="titre", longest=160, required=EMPTY)
    assert title is not None  # noqa: S101  (required)
    return title


def _text(value: str) -> str:
    """Return a text of several lines, in NFC, without what no screen shows.

    A text pasted from elsewhere is full of invisible marks: they go, nobody could find them. The one that
    joins the parts of an emoji stays.
    """
    lines = unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(
        char
        for char in lines.replace("\t", "    ")
        if char in "\n\u200d" or unicodedata.category(char) not in {"Cc", "Cs", "Cf"}
    ).strip("\n")
    if len(kept) > LONGEST:
        raise RuleViolationError(
            f"Ce texte compte {len(kept)} caractères ; {LONGEST} au plus sont possibles.", field="texte"
        )
    return kept


def _drawn(text: str) -> str:
    """Return the HTML of a text, when a page can carry it."""
    html = render(text)
    if html == HEAVY:
        raise RuleViolationError(TOO_HEAVY, field="texte")
    return html


def _keep(session: Session, row: Bloc, acteur: Actor) -> None:
    """Keep what the block says now among its versions."""
    session.add(
        VersionBloc(
            bloc_id=row.id,
            numero=row.version,
            titre=row.titre,
            texte=row.texte,
            compte_id=acteur.compte_id,
        )
    )
    session.flush()


def _told(
    session: Session, row: Bloc, acte: str, acteur: Actor, changes: dict[str, tuple[object, object]]
) -> None:
    record(session, row, acte, acteur, changes=changes, etablissement_id=row.etablissement_id)
    page_publique.revised(session, row.etablissement_id)
