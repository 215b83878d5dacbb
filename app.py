"""Launcher of the whole console: ``python app.py`` (what ``make run`` calls).

The package ``app/`` shadows this file on import, so nothing imports it.
"""

from app.launcher import main

if __name__ == "__main__":
    raise SystemExit(main())
