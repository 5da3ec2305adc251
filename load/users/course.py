"""The course of a test: how many users there are when, and what happens meanwhile."""

from typing import Final, NamedTuple

SHAPES: Final = ("steady", "ramp", "storm", "soak", "restart")
_RAMP: Final = 0.6
_STORM: Final = 0.5
_WARM_UP: Final = 0.15
_LONGEST_WARM_UP_S: Final = 60.0
_RESTART: Final = 0.3


class Mark(NamedTuple):
    """Something that happens: `storm` (everybody connects anew at once), `restart`, `settle`."""

    at_s: float
    name: str


class Course(NamedTuple):
    """So many users, coming so many a second, for so long; times are seconds from the start."""

    users: int
    rate: float
    run_s: float
    marks: tuple[Mark, ...]

    @classmethod
    def of(cls, shape: str, *, users: int, rate: float, run_s: float, settle_s: float) -> "Course":
        """The course of this name. `rate` is for `steady` only; the last `settle_s` are without changes.

        `ramp` takes most of the time to bring everybody; `storm` brings everybody at once, and once more half-way;
        `soak` brings everybody within a minute, and stays; `restart` does the same, and then servers are restarted.
        Raises ValueError where nothing is left beside the settling.
        """
        loaded_s = run_s - settle_s
        if loaded_s <= 0:
            raise ValueError(f"a run of {run_s} s leaves nothing beside the {settle_s} s for settling")
        warm_up_s = min(_LONGEST_WARM_UP_S, _WARM_UP * loaded_s)
        rates = {"steady": rate, "ramp": users / (_RAMP * loaded_s), "storm": users}
        marks = {"storm": (Mark(_STORM * loaded_s, "storm"),), "restart": (Mark(_RESTART * loaded_s, "restart"),)}
        settles = (Mark(loaded_s, "settle"),) if settle_s else ()
        return cls(users, rates.get(shape, users / warm_up_s), run_s, marks.get(shape, ()) + settles)

    def over(self, now_s: float) -> bool:
        """Whether the test has ended by then."""
        return now_s >= self.run_s

    def due(self, before_s: float, now_s: float) -> list[Mark]:
        """What happens from `before_s` until just before `now_s`."""
        return [mark for mark in self.marks if before_s <= mark.at_s < now_s]
