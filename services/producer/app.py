"""The producer service, put together: builds everything, owns start and stop."""

import asyncio
import contextlib
from typing import Final

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from services.producer.ingest import Ingest
from services.producer.metrics import count_turned_away
from services.producer.publisher import Publisher
from services.producer.settings import ProducerSettings, Settings
from shared.answers import problem_app
from shared.bounded_http import BoundedHttp
from shared.catalog import Catalog
from shared.doorstep import Doorstep, Limits
from shared.gate import Gate
from shared.kafka import require_extension
from shared.revocation_metrics import expose_revocations
from shared.serving import Listener, admin_app
from shared.telemetry import logger

_ADMIN_GRACE_S: Final = 1.0
_log = logger("producer")


class EveryAddress(BaseRoute):
    """Hands every request to one app: a pattern's `.` would leave out ids with a line break."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say yes to HTTP."""
        return (Match.FULL if scope["type"] == "http" else Match.NONE), {"endpoint": self._app}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        await self._app(scope, receive, send)


def producer_app(publisher: Publisher, settings: ProducerSettings, gate: Gate) -> ASGIApp:
    """The write side of the API as an ASGI app, for every address; what it doesn't take, it refuses with a problem."""
    app = problem_app([EveryAddress(Ingest(publisher, settings, gate))])

    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, gate.cors.sending(scope, send))

    return answering


class ProducerService:
    """One producer service in the running event loop: the publisher, and what listens."""

    def __init__(self, settings: Settings) -> None:
        require_extension()
        settings.auth.require_mode(settings.producer.host)
        own = settings.producer
        catalog = Catalog(settings.collections)
        self.publisher = Publisher(settings.kafka, catalog, own)
        self.gate = Gate(settings.auth, catalog, settings.kafka)
        self.listener = Listener(
            producer_app(self.publisher, own, self.gate),
            host=own.host,
            port=own.port,
            http=BoundedHttp,
            doorstep=Doorstep(Limits(own.head_timeout_s, own.max_head_bytes, own.max_unanswered), count_turned_away),
            timeout_keep_alive=int(own.keep_alive_s),
        )
        self.admin = Listener(admin_app(lambda: self.not_ready), host=own.admin_host, port=own.admin_port)
        self._drain_s = own.drain_s
        self._leaving = False

    @property
    def not_ready(self) -> str | None:
        """Why the balancer should send nobody here now, or None."""
        return "this service is leaving" if self._leaving else self.publisher.not_ready or self.gate.not_ready

    async def start(self) -> None:
        """Listen, whether or not Kafka is there; raises AddressTaken."""
        await self.publisher.start()
        await self.listener.start()
        await self.admin.start()
        _log.info("listening", port=self.listener.port, admin_port=self.admin.port)

    async def run(self, stop: asyncio.Event) -> None:
        """Return when `stop` is set; raise what ended the publisher, if anything does."""
        stopping = asyncio.create_task(stop.wait())
        failing = asyncio.create_task(self.publisher.wait())
        keys = asyncio.create_task(self.gate.run())
        try:
            await asyncio.wait((stopping, failing, keys), return_when=asyncio.FIRST_COMPLETED)
            for ended in (failing, keys):
                if ended.done():
                    await ended
        finally:
            for task in (stopping, failing, keys):
                task.cancel()

    async def stop(self) -> None:
        """Take no new requests, answer those under way, and end."""
        self._leaving = True
        await self.listener.stop(self._drain_s)
        await self.publisher.stop()
        await self.admin.stop(_ADMIN_GRACE_S)
        _log.info("stopped")


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Run a producer service until `stop` is set."""
    service = ProducerService(settings)
    expose_revocations(service.gate.revocations)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(service.stop)
        await service.start()
        await service.run(stop)
