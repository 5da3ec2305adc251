"""Which resource somebody watches or changes: all alike, or a few much more than the others."""

import itertools
from bisect import bisect
from random import Random
from typing import Final

_PREFIX: Final = "load-"


class Popularity:
    """So many resources, of which number n (from 1) is chosen with a weight of 1 / n ** `exponent`; 0 is uniform."""

    def __init__(self, resources: int, exponent: float) -> None:
        if resources < 1 or exponent < 0:
            raise ValueError(f"{resources} resources with exponent {exponent}")
        weights = (1 / number**exponent for number in range(1, resources + 1))
        self._reach = list(itertools.accumulate(weights))

    def choose(self, random: Random) -> str:
        """The id of one of them."""
        place = bisect(self._reach, random.random() * self._reach[-1])
        return f"{_PREFIX}{min(place, len(self._reach) - 1) + 1}"
