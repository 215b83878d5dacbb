"""The process ``ahead`` starts. It loads the readers and nothing of the console: a second of work and
eighty megabytes less.

Run as a file, ``python -P app/imports/reading_process.py <descriptor>``: the packages above the
readers are then opened as plain folders, without what they import for the rest of the product.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("app", "app.operations", "app.operations.alimentation")

GARBAGE = 300_000
"""Objects made between two rounds of the garbage collector: more than a lot holds."""


def main() -> None:
    """Open the packages as folders, then serve the one request of the process that started this one."""
    for name in FOLDERS:
        folder = ModuleType(name)
        folder.__path__ = [str(ROOT.joinpath(*name.split(".")))]
        sys.modules[name] = folder
    from app.imports import ahead

    gc.freeze()
    gc.set_threshold(GARBAGE, 50, 50)
    ahead.serve(int(sys.argv[1]))


if __name__ == "__main__":
    main()
