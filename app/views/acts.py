"""The one place views commit: an act is written whole, or refused with a sentence and not at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from flask import current_app, flash
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from app.errors import CONSTRAINT_MESSAGES, ConflictError, UserError
from app.extensions import db

STALE = "Cette fiche a été modifiée entre-temps. Relisez les champs signalés, puis enregistrez de nouveau."
IN_USE = "D’autres fiches utilisent encore celle-ci : rien n’a été supprimé. Traitez-les d’abord."
UNKNOWN_CONSTRAINT = "Cette saisie contredit une donnée déjà enregistrée. Vérifiez-la, puis recommencez."
OUT_OF_RANGE = "Une valeur est trop longue ou trop grande. Raccourcissez-la, puis recommencez."


def constraint_of(error: IntegrityError) -> str:
    """Return the name of the constraint a database refused, after our naming convention."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        return str(diagnosis.constraint_name or "")
    text = str(error.orig)
    if match := re.fullmatch(r"UNIQUE constraint failed: (.+)", text):
        columns = [name.split(".") for name in match[1].split(", ")]
        return f"uq_{columns[0][0]}_{'_'.join(name[-1] for name in columns)}"
    if match := re.fullmatch(r"CHECK constraint failed: (.+)", text):
        return match[1]
    if text.startswith("ex_"):  # the name a trigger raised: SQLite has no exclusion constraint
        return text
    return "fk" if text.startswith("FOREIGN KEY") else ""


def refusal_of(error: IntegrityError) -> UserError:
    """Return the sentence of a broken constraint; one without a sentence is a bug, and logged."""
    name = constraint_of(error)
    if name in CONSTRAINT_MESSAGES:
        sentence, field = CONSTRAINT_MESSAGES[name]
        return UserError(sentence, field=field)
    if name.startswith("fk"):
        return UserError(IN_USE)
    current_app.logger.error("Constraint without a sentence: %s", name or "unnamed", exc_info=error)
    return UserError(UNKNOWN_CONSTRAINT)


def run_act(act: Callable[[], Any]) -> tuple[Any, UserError | None]:
    """Run one act and commit it.

    :returns: what the act returned, or the refusal; any other exception is a bug and goes through.
    """
    try:
        result = act()
        db.session.commit()
    except UserError as error:
        db.session.rollback()
        return None, error
    except StaleDataError:
        db.session.rollback()
        return None, ConflictError(STALE)
    except IntegrityError as error:
        db.session.rollback()
        return None, refusal_of(error)
    except DataError:
        db.session.rollback()
        return None, UserError(OUT_OF_RANGE)
    except BaseException:
        db.session.rollback()
        raise
    return result, None


def show_refusal(error: UserError, form: Any = None) -> None:
    """Put a refusal on its field, at the top of its form, or in the page."""
    field = getattr(form, error.field, None) if form is not None and error.field else None
    if field is not None:
        field.errors = [*field.errors, error.message]
    elif form is not None:
        form.form_errors = [*form.form_errors, error.message]
    else:
        flash(error.message, "danger")


def commit_act(act: Callable[[], Any], *, message: str = "", form: Any = None) -> bool:
    """Run one act and commit it; a refusal is shown, on its field when it names one.

    :returns: whether the act was committed.
    """
    _result, refusal = run_act(act)
    if refusal is not None:
        show_refusal(refusal, form)
        return False
    if message:
        flash(message, "success")
    return True
