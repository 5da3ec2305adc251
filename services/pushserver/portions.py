"""A fetch in portions: what is taken in between two turns of the event loop is bounded, whatever has piled up."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aiokafka import TopicPartition

PORTION_RECORDS: Final = 500
"""Read, decoded and applied in about 5 ms where nobody watches."""
PORTION_BYTES: Final = 1024 * 1024
"""Of values: to check so much JSON takes about 5 ms."""

Batches = Mapping[TopicPartition, Sequence[Any]]


def portions(batches: Batches) -> Iterator[Batches]:
    """The same records in the same order, at most PORTION_RECORDS and PORTION_BYTES at a time.

    The record that reaches PORTION_BYTES is still in: nothing else says how large one may be.
    """
    sizes = {assigned: [len(record.value or b"") for record in records] for assigned, records in batches.items()}
    if sum(map(len, sizes.values())) <= PORTION_RECORDS and sum(map(sum, sizes.values())) < PORTION_BYTES:
        if batches:
            yield batches
        return
    portion: dict[TopicPartition, Sequence[Any]] = {}
    count = size_bytes = 0
    for assigned, records in batches.items():
        begun = 0
        for index, record_bytes in enumerate(sizes[assigned], 1):
            count += 1
            size_bytes += record_bytes
            if count >= PORTION_RECORDS or size_bytes >= PORTION_BYTES:
                yield portion | {assigned: records[begun:index]}
                portion, begun, count, size_bytes = {}, index, 0, 0
        if begun < len(records):
            portion[assigned] = records[begun:]
    if portion:
        yield portion
