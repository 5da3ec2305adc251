"""A proxy as there are too many: it knows no upgrade, and passes an answer on when it is complete."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from tests.support.server import HOST

_HOP = frozenset({"connection", "upgrade", "transfer-encoding", "content-encoding", "content-length", "host"})


@dataclass
class BufferingProxy:
    """What was asked is kept: the last part of each path, or `upgrade`."""

    upstream: str
    url: str = ""
    asked: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen at `url` meanwhile."""
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as self._session:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", self._pass)
            runner = web.AppRunner(app, shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, HOST, 0)
            await site.start()
            self.url = f"http://{HOST}:{runner.addresses[0][1]}"
            try:
                yield
            finally:
                await runner.cleanup()

    async def _pass(self, request: web.Request) -> web.Response:
        if "upgrade" in request.headers:
            self.asked.append("upgrade")
            return web.Response(status=400, text="<html>Bad request</html>", content_type="text/html")
        self.asked.append(request.path.rpartition("/")[2])
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        url = f"{self.upstream}{request.raw_path}"
        async with self._session.request(request.method, url, headers=headers, data=await request.read()) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
            return web.Response(status=answer.status, headers=kept, body=await answer.read())
