"""What the benches share: timing, peak memory, one French table, one exit code."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Chrono:
    """Seconds a block took, once it is over."""

    secondes: float = 0.0


@contextmanager
def chrono() -> Iterator[Chrono]:
    """Measure a block: ``with chrono() as c: … ; c.secondes``."""
    result = Chrono()
    began = time.perf_counter()
    try:
        yield result
    finally:
        result.secondes = time.perf_counter() - began


def meilleur(step: Callable[[], float], times: int = 3) -> float:
    """Return the smallest of several measures: what the machine can do when left alone."""
    return min(step() for _ in range(times))


def memoire_max_mio() -> float:
    """Return the peak memory of this process so far, in Mio."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


@dataclass
class Mesure:
    """One figure, and the threshold it is held to when there is one."""

    libelle: str
    valeur: float
    unite: str = ""
    seuil: float | None = None
    sens: Literal["<=", ">="] = "<="

    def tenue(self) -> bool:
        """Tell whether the threshold is held."""
        if self.seuil is None:
            return True
        return self.valeur <= self.seuil if self.sens == "<=" else self.valeur >= self.seuil


@dataclass
class Rapport:
    """The measures of one bench; ``imprimer`` prints them and returns the exit code."""

    titre: str
    mesures: list[Mesure] = field(default_factory=list)

    def ajouter(
        self,
        libelle: str,
        valeur: float,
        unite: str = "",
        seuil: float | None = None,
        sens: Literal["<=", ">="] = "<=",
    ) -> None:
        """Add one figure."""
        self.mesures.append(Mesure(libelle, valeur, unite, seuil, sens))

    def imprimer(self) -> int:
        """Print the table; 0 when every threshold is held, 1 otherwise."""
        width = max((len(mesure.libelle) for mesure in self.mesures), default=0)
        print(f"\n{self.titre}")
        for mesure in self.mesures:
            line = f"  {mesure.libelle:<{width}}  {nombre(mesure.valeur):>12} {mesure.unite:<8}"
            if mesure.seuil is not None:
                sign = "≤" if mesure.sens == "<=" else "≥"
                verdict = "tenu" if mesure.tenue() else "NON TENU"
                line += f" seuil {sign} {nombre(mesure.seuil)}  {verdict}"
            print(line.rstrip(), flush=True)
        return 0 if all(mesure.tenue() for mesure in self.mesures) else 1


def nombre(value: float) -> str:
    """Write a number the French way: narrow spaces between thousands, a comma."""
    text = f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:,.2f}"
    return text.replace(",", "\u202f").replace(".", ",")
