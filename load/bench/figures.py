"""Figures: what a scenario promises to measure, and what several runs of it have given."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

_GROUPED_FROM: Final = 1000
Figures = Mapping[str, float]
"""What one run has measured; units are in the names."""


class Target(NamedTuple):
    """What a figure should be; `then` is where it would go next."""

    sense: Literal["at most", "at least"]
    value: float
    then: float | None = None

    def met_by(self, figure: float) -> bool:
        """Whether a median is good enough."""
        return figure <= self.value if self.sense == "at most" else figure >= self.value

    def __str__(self) -> str:
        sign = "≤" if self.sense == "at most" else "≥"
        return f"{sign} {shown(self.value)}" + (f", then {shown(self.then)}" if self.then is not None else "")


class Figure(NamedTuple):
    """One line of the table: `key` in the figures of a run, `floor` the key of the same thing at the floor."""

    key: str
    label: str
    unit: str = ""
    target: Target | None = None
    floor: str | None = None


class Spread(NamedTuple):
    """A median and the extremes over the runs."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """At least one value."""
        return cls(statistics.median(values), min(values), max(values))


def at_most(value: float, then: float | None = None) -> Target:
    """A target that should not be exceeded."""
    return Target("at most", value, then)


def at_least(value: float, then: float | None = None) -> Target:
    """A target that should be reached."""
    return Target("at least", value, then)


def spread(runs: Sequence[Figures]) -> dict[str, Spread]:
    """Each figure over all runs that have it."""
    keys = dict.fromkeys(key for run in runs for key in run)
    return {key: Spread.of([run[key] for run in runs if key in run]) for key in keys}


def shown(number: float) -> str:
    """A number as a person reads it: three significant digits, and thousands apart."""
    rounded = float(f"{number:.3g}")
    return f"{rounded:,.0f}".replace(",", " ") if abs(rounded) >= _GROUPED_FROM else f"{rounded:g}"
