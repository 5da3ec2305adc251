"""`watchroute pages`: the page of the demo, and prices that move, beside a cluster."""

import asyncio
from pathlib import Path
from typing import Final

import click
import uvloop

from cli.example import Example
from cli.page import page_routes
from cli.settings import AllSettings, config_option, load_settings
from cli.steady import SteadyPublisher
from cli.stocks import COLLECTION
from cli.stopping import run_until
from services.producer.publisher import Publisher
from shared.answers import problem_app
from shared.catalog import Catalog
from shared.errors import ConfigurationError
from shared.serving import Listener, stop_requested
from shared.telemetry import configure_logs

_GRACE_S: Final = 1.0


@click.command()
@config_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", default=8083, show_default=True, type=click.IntRange(0, 65535), help="0: any free port.")
def pages(config: Path | None, host: str, port: int) -> None:
    """Serve the page of the demo, and write made-up prices to the collection `stocks`.

    For a front door that sends everything but the API here: the page watches at the address that it came from.
    """
    settings = load_settings(config)
    if COLLECTION not in settings.collections:
        raise ConfigurationError([f"collections.{COLLECTION}: it is missing, and the page shows it"])
    configure_logs(settings.log)
    uvloop.run(_serve(settings, host, port))


async def _serve(settings: AllSettings, host: str, port: int) -> None:
    example, stop = Example.stocks(), stop_requested()
    listener = Listener(problem_app(page_routes(example.page)), host=host, port=port)
    await listener.start()
    try:
        async with Publisher(settings.kafka, Catalog(settings.collections), settings.producer) as publisher:
            await run_until(stop, _live(example, publisher, stop))
    finally:
        await listener.stop(_GRACE_S)


async def _live(example: Example, publisher: Publisher, stop: asyncio.Event) -> None:
    await asyncio.gather(example.produce(SteadyPublisher(publisher), stop, _opened), publisher.wait())


async def _opened() -> None:
    """The page is there at once; prices come when they come."""
