"""Running everything in one process until Ctrl-C: what `watchroute demo` and `watchroute dev` share."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

import click
import uvloop
from starlette.routing import BaseRoute

from cli.local_kafka import make_topics
from cli.settings import AllSettings
from cli.standalone import Standalone
from cli.stopping import run_until
from shared.serving import stop_requested

_ANY_ADDRESS: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 -- to be recognised, not to be listened at
_PATIENCE_S: Final = 3.0

Work = Callable[[Standalone, asyncio.Event], Awaitable[None]]


class Local:
    """One run. `work` is called once everything is ready, and must end soon after its event is set."""

    def __init__(
        self, kafka: AbstractContextManager[AllSettings], work: Work, routes: Sequence[BaseRoute] = ()
    ) -> None:
        self._kafka = kafka
        self._work = work
        self._routes = routes

    def run(self) -> None:
        """Serve until SIGINT or SIGTERM; raises AddressTaken, KafkaRefused and EmbeddedBrokerMissing."""
        with self._kafka as settings:
            uvloop.run(self._serve(settings))

    async def _serve(self, settings: AllSettings) -> None:
        stop = stop_requested()
        standalone = Standalone(settings, self._routes)
        await standalone.start()
        try:
            await run_until(stop, self._live(settings, standalone, stop))
        finally:
            stop.set()
            await standalone.stop()

    async def _live(self, settings: AllSettings, standalone: Standalone, stop: asyncio.Event) -> None:
        patience = asyncio.get_running_loop().call_later(_PATIENCE_S, _say_waiting, settings)
        try:
            await make_topics(settings)
            await standalone.until_ready()
        finally:
            patience.cancel()
        await asyncio.gather(self._work(standalone, stop), standalone.wait())


def _say_waiting(settings: AllSettings) -> None:
    click.echo(f"Waiting for Kafka at {settings.kafka.bootstrap} ...", err=True)


def address(host: str, port: int) -> str:
    """The URL to open for what listens there."""
    shown = "127.0.0.1" if host in _ANY_ADDRESS else host
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"
