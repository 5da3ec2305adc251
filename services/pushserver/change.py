"""An event on its way to watchers, and the piece of a batch that belongs to one audience."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Final

from services.pushserver.channel import Channel
from services.pushserver.wire import Wire
from shared.cursor import encode_cursor
from shared.event import Event
from shared.resource import Watch

MARK_EVERY: Final = 16
"""An event stream tells its cursor at least every so many data frames."""
_OVERHEAD_BYTES: Final = 256
"""What a waiting change costs besides its data: the object, its frames' headers, its place in a mailbox."""


class Change:
    """One event, with each wire's frame made at most once and shared by whoever gets it."""

    __slots__ = ("_frames", "channel", "event", "label")

    def __init__(self, channel: Channel, event: Event) -> None:
        self.channel = channel
        self.event = event
        self.label = f"{channel.name}/{event.id}"
        self._frames: dict[Wire, bytes] = {}

    def frame(self, wire: Wire) -> bytes:
        """Its complete bytes for a wire."""
        frame = self._frames.get(wire)
        if frame is None:
            frame = wire.data(self.label, self.event, self._cursor() if wire.id_per_event else None)
            self._frames[wire] = frame
        return frame

    @property
    def size(self) -> int:
        """About how many bytes it holds while it waits."""
        return len(self.event.data or b"") + _OVERHEAD_BYTES

    def _cursor(self) -> str:
        event = self.event
        watch = Watch(self.channel.name, event.id)
        return encode_cursor((self.channel.segment((watch,), {event.partition: event.offset + 1}),))


CursorAt = Callable[[Sequence[int]], str]


class Delivery:
    """The changes of one batch that one audience gets, joined once for each wire.

    `before` and `after` are the collection's positions around the batch. `cursor_at` makes a cursor of positions.
    """

    def __init__(self, changes: list[Change], before: Sequence[int], after: Sequence[int], cursor_at: CursorAt) -> None:
        self.changes = changes
        self.before = before
        self.after = after
        self._cursor_at = cursor_at
        self._payloads: dict[Wire, bytes] = {}

    @cached_property
    def size(self) -> int:
        """About how many bytes it holds while it waits."""
        return sum(change.size for change in self.changes)

    @cached_property
    def reached(self) -> Mapping[int, int]:
        """For each partition that it has changes of, the position after the last one."""
        return {change.event.partition: change.event.offset + 1 for change in self.changes}

    def payload(self, wire: Wire) -> bytes:
        """What a reader who isn't behind gets for this batch, as one piece of bytes."""
        payload = self._payloads.get(wire)
        if payload is None:
            if wire.marks_progress:
                payload = b"".join(self._marked(wire))
            elif len(self.changes) == 1:
                payload = self.changes[0].frame(wire)
            else:
                payload = b"".join([change.frame(wire) for change in self.changes])
            self._payloads[wire] = payload
        return payload

    def _marked(self, wire: Wire) -> list[bytes]:
        pieces: list[bytes] = []
        running = list(self.before)
        last = len(self.changes)
        for count, change in enumerate(self.changes, 1):
            pieces.append(change.frame(wire))
            running[change.event.partition] = change.event.offset + 1
            if count == last:
                pieces.append(wire.progress(self._cursor_at(self.after)))
            elif count % MARK_EVERY == 0:
                pieces.append(wire.progress(self._cursor_at(running)))
        return pieces
