"""How much may wait for Kafka."""

import pytest

from services.producer.in_flight import InFlight
from shared.problem import Problem


@pytest.mark.parametrize(("sizes", "room"), [([1, 1], 1), ([60, 40], 0)], ids=["writes", "bytes"])
def test_what_is_too_much_is_refused_until_something_is_answered(sizes: list[int], room: int) -> None:
    waiting = InFlight(max_writes=2, max_bytes=100)
    for size in sizes:
        waiting.take(size)
    with pytest.raises(Problem) as refused:
        waiting.take(1)
    assert (refused.value.code, refused.value.members["outcome"]) == ("unavailable", "not_written")
    waiting.give(sizes[0])
    waiting.take(1)
    assert (waiting.writes, waiting.bytes) == (2, sizes[1] + 1)


def test_many_are_taken_together_or_not_at_all() -> None:
    waiting = InFlight(max_writes=5, max_bytes=100)
    with pytest.raises(Problem):
        waiting.take(10, 6)
    waiting.take(100, 5)
    waiting.give(100, 5)
    assert (waiting.writes, waiting.bytes) == (0, 0)
