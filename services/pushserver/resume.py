"""From where a watch begins: what its cursor proves, and what has to be told so that nothing is missing."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.pushserver.channel import Channel
from services.pushserver.subscription import WatchRequest
from services.pushserver.walk import Walk
from shared.cursor import (
    CursorUnreadable,
    Segment,
    decode_cursor,
    encode_cursor,
    scope_tag,
)
from shared.problem import Problem
from shared.resource import Watch


class Begin(NamedTuple):
    """How a watch begins: told of a `reset` (its reason) or not, then the walk, then `synced` with `resumed`."""

    walk: Walk | None
    resumed: bool = False
    reset: str | None = None


class Ahead(NamedTuple):
    """The cursor is ahead of this server, or of an epoch that this server doesn't know: ask the broker, wait."""

    segment: Segment


def begin(channel: Channel, request: WatchRequest, *, settled: bool) -> Begin | Ahead:
    """Decide. `settled` says that Kafka was asked: what is still ahead then is beyond the log's own end.

    Raises Problem `expired` (with a usable `cursor`) where log mode, or a collection that holds no state, can't go on
    from the cursor; `invalid` for a cursor that can't be read and for a snapshot of what is not held.
    """
    if request.cursor is not None:
        segment = find_segment(channel, request.cursor)
        return _resume(channel, request, segment, settled=settled)
    if request.since_ms is not None:
        return _resume_positions(channel, request, _positions_since(channel, request))
    if not request.snapshot:
        return Begin(None)
    if not channel.table.held:
        detail = f"{channel.name} is too large to hold: watch it with snapshot=false, a cursor, or since"
        raise Problem("invalid", detail, watch=request.watch.label)
    return Begin(Walk.snapshot(channel, request.watch))


def find_segment(channel: Channel, cursor: str) -> Segment | None:
    """What a cursor says of a collection, or None; raises Problem `invalid` when it can't be read."""
    try:
        segments = decode_cursor(cursor)
    except CursorUnreadable as unreadable:
        raise Problem("invalid", f"the cursor can't be read: {unreadable}") from None
    return next((segment for segment in segments if segment.tag == channel.collection.tag), None)


def is_ahead(channel: Channel, segment: Segment) -> bool:
    """Whether a segment is of another epoch, or names a position that this server hasn't reached."""
    positions = channel.positions
    return segment.epoch != channel.epoch or any(
        partition >= len(positions) or position > positions[partition]
        for partition, position in segment.positions.items()
    )


def _resume(channel: Channel, request: WatchRequest, segment: Segment | None, *, settled: bool) -> Begin | Ahead:
    if segment is None:
        return _start_over(channel, request, "cursor")
    if is_ahead(channel, segment):
        if not settled:
            return Ahead(segment)
        return _start_over(channel, request, "epoch" if segment.epoch != channel.epoch else "cursor")
    if not _proves(segment, request.watch):
        return _start_over(channel, request, "cursor")
    return _resume_positions(channel, request, segment.positions)


def _proves(segment: Segment, watch: Watch) -> bool:
    """Whether what the cursor's own watch was told includes all that this watch is about."""
    if segment.scopes is None:
        return True
    return watch.narrow and scope_tag(watch.scope) in segment.scopes


def _resume_positions(channel: Channel, request: WatchRequest, positions: Mapping[int, int]) -> Begin:
    partitions = channel.partitions_of(request.watch)
    if request.mode == "log" or not channel.table.held:
        return _resume_history(channel, request, positions, partitions)
    known = request.watch.id is not None and channel.table.get(request.watch.id) is not None
    floors = channel.table.floors
    if not known and any(positions.get(partition, floors[partition]) < floors[partition] for partition in partitions):
        return _start_over(channel, request, "expired")
    starts = {partition: positions.get(partition, 0) for partition in partitions}
    # A partition that the cursor doesn't know is told as a snapshot: no deletes of before.
    deletes_from = {p: positions.get(p, channel.positions[p]) for p in partitions}
    return Begin(Walk(channel, request.watch, starts, deletes_from), resumed=True)


def _resume_history(
    channel: Channel, request: WatchRequest, positions: Mapping[int, int], partitions: Sequence[int]
) -> Begin:
    history = channel.history
    starts = {partition: positions.get(partition, 0) for partition in partitions}
    if history is None or any(history.windows[p].floor > start for p, start in starts.items()):
        return _start_over(channel, request, "expired")
    return Begin(Walk(channel, request.watch, starts, starts, from_history=True), resumed=True)


def _start_over(channel: Channel, request: WatchRequest, reason: str) -> Begin:
    if request.mode == "log" or not channel.table.held:
        raise expired(channel, request.watch)
    return Begin(Walk.snapshot(channel, request.watch) if request.snapshot else None, reset=reason)


def expired(channel: Channel, watch: Watch) -> Problem:
    """The answer to a cursor that log mode can't go on from, with the oldest one that it can."""
    floors = channel.history.floors if channel.history else channel.positions
    positions = {partition: floors[partition] for partition in channel.partitions_of(watch)}
    cursor = encode_cursor((channel.segment((watch,), positions),))
    detail = "what came after the cursor is no longer kept; the cursor given here is the oldest usable one"
    return Problem("expired", detail, watch=watch.label, cursor=cursor)


def _positions_since(channel: Channel, request: WatchRequest) -> Mapping[int, int]:
    since_ms = request.since_ms or 0
    if request.mode == "log" or not channel.table.held:
        if channel.history is None:
            return {}
        return channel.history.positions_since(since_ms)
    return channel.table.positions_since(since_ms)
