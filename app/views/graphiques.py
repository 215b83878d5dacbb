"""Charts drawn on the server: geometry worked out here, SVG in ``macros/graphiques.html``.

A chart answers the question of its title; its figure says the answer, its table holds every value
with the list it counts. Colour never tells anything alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.views.rendering import NBSP

WIDTH = 280
LINE = 18
LABEL, VALUE = 96, 58
TRACK = WIDTH - LABEL - VALUE
COLUMN_HEIGHT = 70
LONGEST_LABEL = 15


def percent(part: float, whole: float) -> float:
    """Return a share in percent, 0 of nothing."""
    return 100.0 * part / whole if whole else 0.0


def percent_text(value: float) -> str:
    """Write a percentage the French way: «16,9 %», without a decimal that says nothing."""
    rounded = round(value, 1)
    if rounded == 0 and value > 0:
        return f"moins de 0,1{NBSP}%"
    text = f"{rounded:.0f}" if rounded == int(rounded) else f"{rounded:.1f}"
    return f"{text.replace('.', ',')}{NBSP}%"


@dataclass(frozen=True)
class Value:
    """One value of a chart: its name, its share of the bar, what is written, the list it counts."""

    label: str
    share: float
    text: str
    url: str = ""
    cells: Sequence[str] = ()
    marked: bool = False


@dataclass(frozen=True)
class Bar:
    """One bar as it is drawn."""

    label: str
    text: str
    x: float
    y: float
    width: float
    height: float
    marked: bool


@dataclass(frozen=True)
class Chart:
    """One chart: the question, the answer, the bars and the table behind them."""

    key: str
    title: str
    figure: str
    said: str
    headers: Sequence[str]
    values: Sequence[Value]
    url: str = ""
    shown: int = 6
    upright: bool = False
    note: str = ""
    bars: Sequence[Bar] = field(init=False)

    def __post_init__(self) -> None:
        draw = _upright if self.upright else _lying
        object.__setattr__(self, "bars", draw(self.values[: self.shown]))

    @property
    def height(self) -> int:
        return COLUMN_HEIGHT + 34 if self.upright else LINE * len(self.bars)

    @property
    def mark(self) -> float | None:
        """Return where the marked columns begin, which a line and a word say too."""
        marked = [bar.x for bar in self.bars if bar.marked]
        return min(marked) - 4 if self.upright and marked else None

    @property
    def aria(self) -> str:
        told = ", ".join(f"{value.label} : {value.text}" for value in self.values[: self.shown])
        return f"{self.title} {told}."

    @property
    def track(self) -> int:
        """Return the length of a full bar."""
        return TRACK


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1].rstrip() + "…"


def _lying(values: Sequence[Value]) -> list[Bar]:
    return [
        Bar(
            _short(value.label), value.text, LABEL, rank * LINE + 4,
            round(TRACK * min(value.share, 1.0), 1), 9, value.marked,
        )
        for rank, value in enumerate(values)
    ]  # fmt: skip


def _upright(values: Sequence[Value]) -> list[Bar]:
    step = WIDTH / max(1, len(values))
    highest = max((value.share for value in values), default=0) or 1
    bars = []
    for rank, value in enumerate(values):
        height = round(COLUMN_HEIGHT * value.share / highest, 1)
        if value.share:
            height = max(height, 2)
        top = round(16 + COLUMN_HEIGHT - height, 1)
        bars.append(
            Bar(
                value.label,
                value.text,
                round(rank * step + 4, 1),
                top,
                round(step - 8, 1),
                height,
                value.marked,
            )
        )
    return bars
