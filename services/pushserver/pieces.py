"""Pieces: the joined frames of runs of events that many are told, one after another or at the same time.

Whoever resumes, or wants the whole of a collection, is told what others were told just before. Encoding an event costs
ten times as much as finding out that it was encoded already.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from services.pushserver.change import Change
from services.pushserver.channel import Channel
from services.pushserver.wire import Wire
from shared.event import Event

_WORTH_KEEPING: Final = 8
"""Events in a run that is kept; keeping has its price too."""


class Pieces:
    """A cache: the bytes of the runs that were asked for last, at most `limit_bytes` of them (and their events).

    A run is known by its very events, which never change: so nothing has to be thrown away when a collection does.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._kept: OrderedDict[tuple[Wire, tuple[Event, ...]], bytes] = OrderedDict()
        self.size = 0

    def piece(self, channel: Channel, wire: Wire, events: Sequence[Event]) -> bytes:
        """The frames of events of a channel, joined."""
        if len(events) < _WORTH_KEEPING:
            return _joined(channel, wire, events)
        run = (wire, tuple(events))
        piece = self._kept.get(run)
        if piece is None:
            piece = _joined(channel, wire, events)
            self._keep(run, piece)
        else:
            self._kept.move_to_end(run)
        return piece

    def _keep(self, run: tuple[Wire, tuple[Event, ...]], piece: bytes) -> None:
        self._kept[run] = piece
        self.size += len(piece)
        while self.size > self._limit_bytes:
            self.size -= len(self._kept.popitem(last=False)[1])


def _joined(channel: Channel, wire: Wire, events: Sequence[Event]) -> bytes:
    return b"".join([Change(channel, event).frame(wire) for event in events])


PIECES: Final = Pieces(8 * 1024 * 1024)
"""Those of this process, whatever it serves."""
