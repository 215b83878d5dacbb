"""Working while the database server does: this process has a processor of its own.

A statement sent to PostgreSQL leaves nothing to do here until its answer comes. ``meanwhile`` lends
that time, bit by bit, to work that asks the base nothing.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from psycopg.waiting import Ready, Wait

READ = 1
"""``psycopg.waiting.Wait.R``: SQLite alone does not load psycopg."""

Work = Callable[[], bool]
"""Do a bit of work, well under a millisecond; tell whether some is left. Asked again at the next wait."""


@contextmanager
def meanwhile(session: Session, work: Work) -> Iterator[None]:
    """Do ``work`` while the server is at the statements of the block, which end before the transaction.

    On SQLite a statement is done by this very process: nothing is lent.
    """
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        yield
        return
    driver: Any = connection.connection.driver_connection
    wait = driver.wait
    answered = select.poll()
    answered.register(driver.fileno(), select.POLLIN)

    def wait_at_work(statement: Generator[Wait, Ready, Any], *arguments: Any, **named: Any) -> Any:
        return wait(_at_work(statement, answered, work), *arguments, **named)

    driver.wait = wait_at_work
    try:
        yield
    finally:
        del driver.wait


def _at_work(
    statement: Generator[Wait, Ready, Any], answered: select.poll, work: Work
) -> Generator[Wait, Ready, Any]:
    """Drive a statement as psycopg does, at work where it would sleep until the answer.

    What stops the work waits for the statement's end: a connection left in the middle of one is lost.
    """
    stopped: Exception | KeyboardInterrupt | None = None
    ready: Any = None
    while True:
        try:
            need = statement.send(ready)
        except StopIteration as over:
            answer = over.value
            break
        try:
            while need == READ and stopped is None and not answered.poll(0) and work():
                pass
        except (Exception, KeyboardInterrupt) as error:
            stopped = error
        ready = yield need
    if stopped is not None:
        raise stopped
    return answer
