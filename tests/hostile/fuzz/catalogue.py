"""All that is fuzzed, and how many inputs belong to a run of a million."""

from typing import Final, NamedTuple

from tests.hostile.fuzz.configuration import Configuration
from tests.hostile.fuzz.cursors import Cursors
from tests.hostile.fuzz.heads import Heads
from tests.hostile.fuzz.live import LiveTarget
from tests.hostile.fuzz.live_requests import LiveRequests, LiveWrites
from tests.hostile.fuzz.live_sockets import LiveSockets
from tests.hostile.fuzz.operations import Operations
from tests.hostile.fuzz.patterns import Patterns
from tests.hostile.fuzz.records import Records
from tests.hostile.fuzz.socket_bytes import SocketBytes
from tests.hostile.fuzz.target import Target
from tests.hostile.fuzz.tokens import Tokens


class Entry(NamedTuple):
    """`share` is how many inputs there are of it for one of the byte-level ones."""

    make: type[Target]
    share: float


class LiveEntry(NamedTuple):
    """The same, of what a live service is told."""

    make: type[LiveTarget]
    share: float


CATALOGUE: Final = (
    Entry(SocketBytes, 1),
    Entry(Heads, 1),
    Entry(Cursors, 1),
    Entry(Operations, 0.2),
    Entry(Tokens, 0.2),
    Entry(Patterns, 0.3),
    Entry(Records, 0.2),
    Entry(Configuration, 0.005),
)
LIVE: Final = (
    LiveEntry(LiveSockets, 1),
    LiveEntry(LiveRequests, 1),
    LiveEntry(LiveWrites, 0.1),
)
