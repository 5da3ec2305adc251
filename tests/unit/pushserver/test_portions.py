"""What is taken in between two turns of the event loop is bounded."""

from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from services.pushserver.portions import PORTION_BYTES, PORTION_RECORDS, portions

SIZES = st.lists(st.sampled_from([None, 0, 10, PORTION_BYTES // 3, PORTION_BYTES, PORTION_BYTES * 2]), max_size=12)


def fetched(*sizes: list[int | None]) -> dict[TopicPartition, list[Any]]:
    """One partition for each list; a size is that of a value, None of a delete."""
    return {
        TopicPartition("t", partition): [
            SimpleNamespace(at=(partition, offset), value=None if size is None else bytes(size))
            for offset, size in enumerate(values)
        ]
        for partition, values in enumerate(sizes)
        if values
    }


@given(SIZES, SIZES, st.integers(0, 3 * PORTION_RECORDS))
def test_nothing_is_lost_or_reordered_and_each_portion_is_bounded(
    first: list[int | None], second: list[int | None], small: int
) -> None:
    batches = fetched(first, [1] * small, second)
    taken = list(portions(batches))
    for assigned, records in batches.items():
        assert [record for portion in taken for record in portion.get(assigned, ())] == records
    for portion in taken:
        sizes = [len(record.value or b"") for records in portion.values() for record in records]
        assert 0 < len(sizes) <= PORTION_RECORDS
        assert sum(sizes) - sizes[-1] < PORTION_BYTES, "only the last one may go beyond"


def test_what_is_small_stays_whole() -> None:
    batches = fetched([1] * 100, [None] * 100)
    assert list(portions(batches)) == [batches]


def test_nothing_is_no_portion() -> None:
    assert list(portions({})) == []
