"""Clients of Watchroute that know nothing but the protocol: the door to the `client_*` files.

watcher = await open_watch("sse", server.url, Ask((Watch("items", "a"),)))
await watcher.wait_synced()
await watcher.wait_for(lambda frame: frame["event"] == "put")
await watcher.cut()
again = await open_watch("longpoll", other.url, watcher.ask.resume(watcher.cursor))
"""

from collections.abc import Mapping
from typing import Final

from tests.support.client_ask import Ask, Watch
from tests.support.client_http import Answer, Http, Writer, Written
from tests.support.client_poll import LongPollWatcher, ShortPollWatcher
from tests.support.client_sse import SlowSseWatcher, SseWatcher, StreamWatcher
from tests.support.client_watcher import Refused, Watcher
from tests.support.client_websocket import MsgpackWatcher, SlowWebSocketWatcher, UrlWatcher, WebSocketWatcher

__all__ = [
    "STREAMING",
    "TRANSPORTS",
    "Answer",
    "Ask",
    "Http",
    "Refused",
    "Watch",
    "Watcher",
    "WebSocketWatcher",
    "Writer",
    "Written",
    "open_watch",
]

_CLASSES: Final[tuple[type[Watcher], ...]] = (
    WebSocketWatcher,
    MsgpackWatcher,
    UrlWatcher,
    SseWatcher,
    StreamWatcher,
    LongPollWatcher,
    ShortPollWatcher,
    SlowWebSocketWatcher,
    SlowSseWatcher,
)
TRANSPORTS: Final[Mapping[str, type[Watcher]]] = {each.transport: each for each in _CLASSES}

STREAMING: Final = ("websocket", "websocket_msgpack", "websocket_url", "sse")
"""The transports that hold a connection, one of each kind."""


async def open_watch(transport: str, url: str, ask: Ask) -> Watcher:
    """Watch what is asked for at the push server `url`; raises Refused."""
    return await TRANSPORTS[transport].open(url, ask)
