"""``python -m tests.jobs.process worker|courrier|purge``: a real process for the tests to kill."""

import sys

import tests.jobs.handlers  # noqa: F401
from app import create_app
from app.jobs import courrier, purge, worker


def main() -> int:
    if sys.argv[1] == "worker":
        return worker.main(create_app())
    if sys.argv[1] == "purge":
        purge.due(create_app())
        return 0
    courrier.send_due(create_app())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
