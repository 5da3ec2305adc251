"""Cursors that no server would give: forged with the one codec that both sides share."""

from collections.abc import Callable

from shared.cursor import Segment, decode_cursor, encode_cursor


def forged(cursor: str | None, change: Callable[[Segment], Segment]) -> str:
    """The cursor with each of its segments changed."""
    assert cursor is not None
    return encode_cursor(change(segment) for segment in decode_cursor(cursor))


def with_another_epoch(cursor: str | None) -> str:
    """The same positions in a log that was never there."""
    return forged(cursor, lambda segment: segment._replace(epoch=bytes(byte ^ 0xFF for byte in segment.epoch)))


def ahead(cursor: str | None, records: int) -> str:
    """A cursor that stands so many records further in each of its partitions."""
    return forged(
        cursor,
        lambda segment: segment._replace(
            positions={partition: offset + records for partition, offset in segment.positions.items()}
        ),
    )


def at_start(cursor: str | None) -> str:
    """A cursor that has seen nothing of the same partitions."""
    return forged(cursor, lambda segment: segment._replace(positions=dict.fromkeys(segment.positions, 0)))
