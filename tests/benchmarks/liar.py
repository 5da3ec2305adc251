"""A server that acknowledges every write, and keeps some of them to itself."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

_CURSOR: Final = "c"
_KEPT_BACK: Final = 3
_LAST_TOLD: Final = 5


@dataclass(eq=False)
class _Stream:
    """A watcher, and how many changes there were since it came."""

    resource: str
    changes: int = 0
    events: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)


class Liar:
    """Resources over event streams; each watcher is told neither the third change, nor any from the sixth on."""

    def __init__(self) -> None:
        self._versions: Counter[str] = Counter()
        self._streams: list[_Stream] = []

    def app(self) -> web.Application:
        """What it answers."""
        app = web.Application()
        app.router.add_get("/v1/{collection}/{id}/stream", self._stream)
        app.router.add_put("/v1/{collection}/{id}", self._put)
        return app

    async def _put(self, request: web.Request) -> web.Response:
        resource, data = _resource(request), await request.json()
        self._versions[resource] += 1
        version = str(self._versions[resource])
        for stream in self._streams:
            stream.changes += stream.resource == resource
            if stream.resource == resource and stream.changes != _KEPT_BACK and stream.changes <= _LAST_TOLD:
                told = {"event": "put", "resource": resource, "version": version, "data": data}
                stream.events.put_nowait(_event(told))
        return web.json_response({"resource": resource, "version": version, "cursor": _CURSOR})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(_event({"event": "synced", "cursor": _CURSOR}))
        stream = _Stream(_resource(request))
        self._streams.append(stream)
        while True:
            await response.write(await stream.events.get())


@asynccontextmanager
async def lying() -> AsyncIterator[str]:
    """The address of one that listens."""
    runner = web.AppRunner(Liar().app(), handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _resource(request: web.Request) -> str:
    return f"{request.match_info['collection']}/{request.match_info['id']}"


def _event(frame: dict[str, Any]) -> bytes:
    return f"id: {_CURSOR}\ndata: {json.dumps(frame)}\n\n".encode()
