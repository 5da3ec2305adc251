"""Histories cut at every `reset`, and sorted by the epoch that each piece belongs to: the oracle judges one at a time.

A topic that is made anew or has grown is another log. What a watcher knew of the old one says nothing of the new one.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from tests.support.oracle import Connection, History
from tests.support.recording import Entry, Frame

ReadEpoch = Callable[[str], bytes]


def by_epoch(histories: Iterable[History], read_epoch: ReadEpoch) -> Mapping[bytes, Sequence[History]]:
    """The histories of each epoch; a watcher that never had a cursor of it has none there.

    A piece without any cursor (its connection was cut too soon) belongs to the next epoch of its watcher that is known,
    else to the last one: a watcher never goes back.
    """
    found: dict[bytes, list[History]] = defaultdict(list)
    for history in histories:
        pieces: dict[bytes, list[Connection]] = defaultdict(list)
        for epoch, piece in _placed(history.connections, read_epoch):
            pieces[epoch].append(piece)
        for epoch, connections in pieces.items():
            found[epoch].append(replace(history, connections=connections))
    return found


def told(history: History, event: str) -> list[Frame]:
    """All that a watcher was told of one kind."""
    entries = chain.from_iterable(connection.entries for connection in history.connections)
    return [entry.frame for entry in entries if entry.frame is not None and entry.frame["event"] == event]


def resets(history: History) -> int:
    """How often that watcher was told to begin anew."""
    return len(told(history, "reset"))


def refusals(history: History, code: str) -> int:
    """How often that watcher was refused with such a problem."""
    return sum(frame["code"] == code for frame in told(history, "problem"))


def _placed(connections: Iterable[Connection], read_epoch: ReadEpoch) -> Iterator[tuple[bytes, Connection]]:
    pieces = list(chain.from_iterable(map(_cut, connections)))
    epochs = [_epoch(piece, read_epoch) for piece in pieces]
    following = b""
    for index in reversed(range(len(epochs))):
        following = epochs[index] = epochs[index] or following
    last = b""
    for epoch, piece in zip(epochs, pieces, strict=True):
        last = epoch or last
        yield last, piece


def _cut(connection: Connection) -> Iterator[Connection]:
    """The pieces of one connection; after a reset it is as if it had come without a cursor."""
    ask, entries = connection.ask, list[Entry]()
    for entry in connection.entries:
        if _is_reset(entry):
            yield Connection(ask, entries)
            ask, entries = replace(ask, cursor=None, at_least=None), []
        else:
            entries.append(entry)
    yield Connection(ask, entries)


def _epoch(piece: Connection, read_epoch: ReadEpoch) -> bytes:
    cursors = (entry.cursor for entry in piece.entries if entry.cursor is not None)
    asked = (cursor for cursor in (piece.ask.cursor, piece.ask.at_least) if cursor is not None)
    return next(filter(None, map(read_epoch, chain(cursors, asked))), b"")


def _is_reset(entry: Entry) -> bool:
    return entry.frame is not None and entry.frame["event"] == "reset"
