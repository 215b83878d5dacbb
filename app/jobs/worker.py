"""The worker process: runs the tasks, sends the mail, computes the figures, ends what is due.

``main`` is what ``flask preau worker`` and the launcher run. SIGTERM and Ctrl-C stop it after the
step in hand; whatever it was doing is taken up again by the next one.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from types import FrameType

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app.database import reading
from app.extensions import db
from app.jobs import bilans, courrier, doublons, echeances, flux, leases, oublis, purge, queue
from app.jobs.registry import load_handlers
from app.jobs.runner import running, stopping

log = logging.getLogger(__name__)
BEAT_SECONDS = 10
MAIL_SECONDS = 1
FIGURES_SECONDS = 15 * 60
ENDS_SECONDS = 60
PURGE_SECONDS = 60 * 60
"""The delay counts days: an hour late is nothing, and a worker restarted every night still purges."""
STOP_SECONDS = 25
TASK_THREADS = 2


def sweep(app: Flask) -> int:
    """Put back in the queue every task that waits or whose worker died; return how many."""
    with app.app_context():
        try:
            leases.release_dead(db.session())
            if not queue.is_empty(app):
                return 0
            with reading():
                ids = leases.free_ids(db.session())
                db.session.rollback()
            queue.enqueue(app, ids)
            return len(ids)
        finally:
            db.session.remove()


def beat(app: Flask) -> None:
    """Tell that this process is alive, extend its leases, sweep."""
    with app.app_context():
        try:
            leases.renew(db.session(), tuple(running))
        finally:
            db.session.remove()
    sweep(app)


def main(app: Flask) -> int:
    """Run until asked to stop; return the exit code."""
    load_handlers()
    signal.signal(signal.SIGTERM, _ask_to_stop)
    signal.signal(signal.SIGINT, _ask_to_stop)
    huey, _ = queue.queue_of(app)
    logging.getLogger("huey").setLevel(logging.WARNING)
    consumer = huey.create_consumer(workers=TASK_THREADS, periodic=False, max_delay=1.0)
    consumer.shutdown_timeout = STOP_SECONDS
    consumer.start()
    signal.signal(signal.SIGTERM, _ask_to_stop)  # the consumer installs its own
    signal.signal(signal.SIGINT, _ask_to_stop)
    loops = [
        _loop(lambda: beat(app), BEAT_SECONDS, "battement"),
        _loop(lambda: (oublis.answer_due(app), courrier.send_due(app)), MAIL_SECONDS, "courrier"),
        _loop(lambda: bilans.refresh_due(app), FIGURES_SECONDS, "indicateurs"),
        _loop(lambda: echeances.end_due(app), ENDS_SECONDS, "échéances"),
        _loop(lambda: purge.due(app), PURGE_SECONDS, "purge"),
        _loop(lambda: doublons.due(app), PURGE_SECONDS, "doublons"),
        _loop(lambda: flux.due(app), ENDS_SECONDS, "flux"),
        _loop(lambda: flux.purge(app), PURGE_SECONDS, "pages"),
    ]
    log.info("worker ready")
    while not stopping.wait(BEAT_SECONDS):
        consumer.check_worker_health()
    consumer.stop(graceful=True)
    for thread in loops:
        thread.join(STOP_SECONDS)
    with app.app_context():
        leases.leave(db.session())
        db.session.remove()
        db.engine.dispose()
    log.info("worker stopped")
    return 0


def _ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
    stopping.set()


def _loop(step: Callable[[], object], seconds: float, name: str) -> threading.Thread:
    """Repeat the step in a thread until the worker stops. A database that is down is tried again."""

    def repeat() -> None:
        while not stopping.is_set():
            try:
                step()
            except (SQLAlchemyError, *queue.QUEUE_DOWN):
                log.exception("%s: database or queue unreachable, trying again", name)
            stopping.wait(seconds)

    thread = threading.Thread(target=repeat, name=name, daemon=True)
    thread.start()
    return thread
