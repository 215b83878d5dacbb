"""``python -m bench [nom…]`` (``make bench``): run the benches one after the other, tell which failed."""

import subprocess
import sys
from pathlib import Path

HELPERS = {"__init__", "__main__", "commun"}


def main(names: list[str]) -> int:
    folder = Path(__file__).parent
    found = sorted(path.stem for path in folder.glob("*.py") if path.stem not in HELPERS)
    unknown = set(names) - set(found)
    if unknown:
        print(
            f"Mesure inconnue : {', '.join(sorted(unknown))}. Il y a : {', '.join(found)}.", file=sys.stderr
        )
        return 2
    missed = [
        name
        for name in names or found
        if subprocess.run([sys.executable, "-m", f"bench.{name}"], cwd=folder.parent, check=False).returncode
    ]
    print(f"\nSeuil non tenu : {', '.join(missed)}." if missed else "\nTous les seuils sont tenus.")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
