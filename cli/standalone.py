"""Producer and push server in one process, behind one address: for development, never for production."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from aiokafka.errors import KafkaError
from starlette.routing import BaseRoute

from cli.front import Front
from cli.settings import AllSettings
from services.producer.app import producer_app
from services.producer.publisher import Publisher
from services.pushserver.app import PushServer
from services.pushserver.metrics import expose
from services.pushserver.session import Publish
from shared.answers import problem_app
from shared.catalog import Catalog
from shared.gate import Gate
from shared.problem import Problem
from shared.resource import Watch
from shared.revocation_metrics import expose_revocations
from shared.serving import admin_app

_GRACE_S: Final = 0.5
_LONGEST_DRAIN_S: Final = 0.5
_QUICK: Final[dict[str, float]] = {"drain_wait_s": 0.0, "overlap_ms": 0}
"""There is no balancer that has to find out, and no other server to be at first."""
_ASK_AGAIN_S: Final = 0.02


class Standalone:
    """Both services; `publisher` is the one that they share. The settings are those of `[pushserver]` for the address.

    `routes` are served beside `/v1/`, `/livez`, `/readyz` and `/metrics`.
    """

    def __init__(self, settings: AllSettings, routes: Sequence[BaseRoute] = ()) -> None:
        own = settings.pushserver
        quick = own.model_copy(update=_QUICK | {"drain_s": min(own.drain_s, _LONGEST_DRAIN_S)})
        catalog = Catalog(settings.collections)
        self.publisher = Publisher(settings.kafka, catalog, settings.producer)
        # On one's own machine nobody has to say that nobody is to be asked.
        auth = settings.auth if settings.auth.mode else settings.auth.model_copy(update={"mode": "none"})
        auth.require_mode(own.host)
        gate = Gate(auth, catalog, settings.kafka)
        self._server = PushServer(quick, settings.kafka, catalog, gate, publish=self._publish)
        rest = problem_app([*routes, *admin_app(lambda: self.not_ready).routes])
        writer = producer_app(self.publisher, settings.producer, gate)
        self._listener = self._server.listener(Front(reader=self._server.app, writer=writer, rest=rest))

    @property
    def port(self) -> int:
        """Where it listens, once it does."""
        return self._listener.port

    @property
    def not_ready(self) -> str | None:
        """Why a reader or a writer would be sent away now, or None."""
        return self._server.not_ready or self.publisher.not_ready

    async def start(self) -> None:
        """Listen, and begin to connect to Kafka; raises AddressTaken."""
        await self._listener.start()
        expose(self._server.hub, self._server.source, self._server.pause)
        expose_revocations(self._server.gate.revocations)
        await self.publisher.start()
        self._server.start()

    async def until_ready(self) -> None:
        """Return when both services are ready."""
        while self.not_ready:  # noqa: ASYNC110 -- readiness is asked for, as a balancer asks
            await asyncio.sleep(_ASK_AGAIN_S)

    async def until_current(self, collection: str) -> None:
        """Return when readers see all that Kafka has of a collection now, or a few seconds later."""
        reception = self._server.reception
        channel = reception.hub.channel(collection)
        with suppress(Problem, KafkaError):
            ends = await self._server.source.ends(channel)
            await reception.freshness.settle(channel, channel.segment((Watch(collection),), ends))

    async def wait(self) -> None:
        """Never return; raise what ended one of the services."""
        await asyncio.gather(self._server.wait(), self.publisher.wait())

    async def stop(self) -> None:
        """Send every watcher away with a bookmark and a `goaway`, then end; takes about a second."""
        await self._server.drain.run()
        await self._listener.stop(_GRACE_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_S):
                await self.publisher.stop()
        await self._server.stop()

    async def _publish(self, wanted: Publish) -> dict[str, str]:
        if wanted.delete:
            ack = await self.publisher.delete(wanted.watch.label)
        else:
            ack = await self.publisher.put(wanted.watch.label, wanted.data)
        return {"version": ack.version, "cursor": ack.cursor}
