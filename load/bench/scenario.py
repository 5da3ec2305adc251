"""A scenario: something that is measured, as often as it is asked for."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from load.bench.figures import Figure, Figures
from load.bench.ground import Ground
from load.bench.rig import Rig
from load.bench.server import Server, serving
from load.bench.watchers import Watchers, watching

_NO_BOOKMARKS_S: Final = 600
_VERBS: Final = {"ws": "ws", "sse": "stream", "poll": "poll"}


class Scenario(ABC):
    """`name` on the command line, `what` in a sentence, `figures` as lines of the table."""

    name: str
    what: str
    figures: tuple[Figure, ...]

    @abstractmethod
    def runs(self, rig: Rig) -> AsyncGenerator[Figures, None]:
        """Set up, then measure once for each value that is taken, for ever; close it to clean up.

        Raises Broken when a promise was not kept.
        """


@asynccontextmanager
async def staged(rig: Rig, ground: Ground) -> AsyncIterator[tuple[Server, Watchers]]:
    """A push server, and the process of its subscribers."""
    # Where it has to be quick, writes are counted: without bookmarks, of which none or many may come.
    settings = {"bookmark_interval_s": _NO_BOOKMARKS_S} if rig.quick else {}
    async with serving(ground, **settings) as server, watching() as watchers:
        yield server, watchers


def target_of(kind: str, watch: str, query: str = "") -> str:
    """Where a watch is asked for over a transport."""
    return f"/v1/{watch}/{_VERBS[kind]}{query}"
