"""The push server, put together: builds everything, owns start and stop."""

import asyncio
import contextlib
import gc
import os
import socket
from collections.abc import Mapping
from typing import Final

from starlette.types import ASGIApp

from services.pushserver.counters import Counters
from services.pushserver.doors import Doors
from services.pushserver.drain import Drain
from services.pushserver.freshness import Freshness
from services.pushserver.handoff import HandOffHttp, HandOffWebSocket
from services.pushserver.heartbeat import Heartbeat
from services.pushserver.hub import Hub
from services.pushserver.metrics import expose
from services.pushserver.pause import LoopPause
from services.pushserver.settings import PushServerSettings, Settings
from services.pushserver.share import Share
from services.pushserver.source import Source
from services.pushserver.transports.reception import DOOR, Publisher, Reception
from services.pushserver.transports.router import ReadApp
from shared.catalog import Catalog
from shared.doorstep import Doorstep, Limits, Reason
from shared.gate import Gate
from shared.kafka import KafkaSettings, require_extension
from shared.revocation_metrics import expose_revocations
from shared.serving import Listener, admin_app
from shared.telemetry import logger

log = logger("pushserver")
_GRACE_S: Final = 2.0
_TCP_NOTSENT_LOWAT: Final = 25
_BACKLOG: Final = 4096
_STATE_HEADER: Final = "x-haproxy-server-state"
_INTERVAL_HEADER: Final = "x-front-check-interval"


class PushServer:
    """One push server in the running event loop."""

    def __init__(
        self,
        settings: PushServerSettings,
        kafka: KafkaSettings,
        catalog: Catalog,
        gate: Gate,
        *,
        publish: Publisher | None = None,
    ) -> None:
        require_extension()
        self.settings = settings
        self.hub = Hub(catalog, Counters(), os.write)
        self.source = Source(self.hub, kafka, settings)
        self.share = Share(settings.level_s)
        self.doors = Doors()
        freshness = Freshness(self.source, settings.catch_up_s)
        self.gate = gate
        self.reception = Reception(self.hub, freshness, self.share, self.doors, settings, gate, publish=publish)
        self.app = ReadApp(self.reception)
        self.heartbeat = Heartbeat(self.hub, self.share, self.doors, self.reception.overlap, settings)
        self.pause = LoopPause()
        self.drain = Drain(self.reception, settings)
        self.doorstep = Doorstep(
            Limits(settings.head_timeout_s, settings.max_head_bytes, settings.max_unanswered), self._on_turned_away
        )
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def not_ready(self) -> str | None:
        """Why the balancer should send nobody here now, or None."""
        return "this server is leaving" if self.drain.announced else self.source.not_ready or self.gate.not_ready

    def _on_turned_away(self, reason: Reason) -> None:
        self.hub.counters.turned_away[reason] += 1

    def on_check(self, headers: Mapping[str, str]) -> None:
        """A balancer has asked whether this server is ready, and may say who it is, and what this server's share is."""
        now_s = asyncio.get_running_loop().time()
        self.doors.hear(headers.get(DOOR), headers.get(_INTERVAL_HEADER), now_s)
        if (state := headers.get(_STATE_HEADER)) is not None:
            self.share.hear(state, now_s, going=len(self.reception.overlap))

    def start(self) -> None:
        """Begin to read from Kafka."""
        # Nothing here makes cycles while it runs; a young collection every 700 objects would only cost time.
        gc.set_threshold(50_000, 20, 50)
        self.pause.start()
        self._tasks = [
            asyncio.create_task(self.source.run(), name="source"),
            asyncio.create_task(self.heartbeat.run(), name="heartbeat"),
            asyncio.create_task(self.reception.overlap.run(), name="overlap"),
            asyncio.create_task(self.gate.run(self.reception.guard.revoke), name="gate"),
            asyncio.create_task(self.reception.guard.run(), name="guard"),
        ]

    async def wait(self) -> None:
        """Return, or raise what it was, when a task of ours ends: none should."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def stop(self) -> None:
        """Stop reading from Kafka."""
        self.pause.stop()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def listener(self, app: ASGIApp | None = None, *, host: str | None = None, port: int | None = None) -> Listener:
        """Where readers come in; `app` is what it serves, if that is more than this server's own."""
        settings = self.settings
        return Listener(
            app or self.app,
            host=host or settings.host,
            port=settings.port if port is None else port,
            http=HandOffHttp,
            ws=HandOffWebSocket,
            socket_options=_socket_options(settings),
            doorstep=self.doorstep,
            timeout_keep_alive=int(settings.keep_alive_s),
            backlog=_BACKLOG,
        )


def _socket_options(settings: PushServerSettings) -> list[tuple[int, int, int]]:
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        options.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(settings.dead_peer_s * 1000)))
        options.append((socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, settings.unsent_bytes))
    return options


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Run a push server with its own listeners until `stop` is set."""
    from services.pushserver.relay import Relay  # noqa: PLC0415 -- its HTTP client is a quarter of a demo's start

    own = settings.pushserver
    settings.auth.require_mode(own.host)
    relay = Relay(own.producer_url) if own.producer_url else None
    catalog = Catalog(settings.collections)
    gate = Gate(settings.auth, catalog, settings.kafka)
    server = PushServer(own, settings.kafka, catalog, gate, publish=relay.publish if relay else None)
    expose(server.hub, server.source, server.pause)
    expose_revocations(gate.revocations)
    public = server.listener()
    checked = admin_app(lambda: server.not_ready, asked=server.on_check)
    admin = Listener(checked, host=own.admin_host, port=own.admin_port)
    await public.start()
    await admin.start()
    server.start()
    log.info("listening", host=own.host, port=public.port, admin_port=admin.port)
    stopping = asyncio.create_task(stop.wait())
    failing = asyncio.create_task(server.wait())
    await asyncio.wait((stopping, failing), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    try:
        if failing.done():
            await failing
        await server.drain.run()
    finally:
        failing.cancel()
        await public.stop(_GRACE_S)
        await admin.stop(_GRACE_S)
        await server.stop()
        if relay is not None:
            await relay.close()
    log.info("stopped")
