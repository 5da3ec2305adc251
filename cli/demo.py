"""`watchroute demo`: everything in one process, with prices that move."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from cli.local import Local, address
from cli.local_kafka import elsewhere, embedded
from cli.page import page_routes
from cli.settings import load_settings
from cli.standalone import Standalone
from cli.stocks import run_market
from shared.problem import Problem
from shared.telemetry import configure_logs, logger

CONFIG: Final = Path(__file__).with_name("demo.toml")
_TRADES_PER_S: Final = 8.0
_PAUSE_S: Final = 1.0
_log = logger("market")

_WELCOME: Final = """
[bold]Watchroute is running.[/bold] Open [bold cyan]{url}/[/bold cyan] and see prices move, or try in another terminal:

  # watch, publish, read
  [green]curl -N '{url}/v1/watch/stream?resource=stocks&resource=playground'[/green]
  [green]curl -X PUT {url}/v1/playground/hello -H 'Content-Type: application/json' -d '{{"text": "Hello"}}'[/green]
  [green]curl -i {url}/v1/stocks/AAPL[/green]

{kafka}
Ctrl-C stops it.
"""
_EMBEDDED: Final = (
    "[yellow]Kafka is the embedded broker: in memory, gone when this stops, never for production.[/yellow]"
)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0: any free port.")
@click.option("--kafka", metavar="HOST:PORT", help="Use this Kafka instead of the embedded one.")
def demo(host: str, port: int, kafka: str | None) -> None:
    """Serve made-up stock prices, a playground and a page, in one process on one port."""
    settings = load_settings(CONFIG)
    configure_logs(settings.log)
    place = settings.pushserver.model_copy(update={"host": host, "port": port})
    settings = settings.model_copy(update={"pushserver": place})
    broker = elsewhere(settings, kafka) if kafka else embedded(settings)

    async def work(standalone: Standalone, stop: asyncio.Event) -> None:
        async def opened() -> None:
            # What is printed can be tried at once, and shows prices.
            await standalone.until_current("stocks")
            welcome(address(host, standalone.port), kafka)

        await trade(standalone, stop, opened)

    Local(broker, work, page_routes()).run()


def welcome(url: str, kafka: str | None) -> None:
    """Say what to open, what to try, and what it runs on."""
    about = f"Kafka is the one at {kafka}." if kafka else _EMBEDDED
    Console(highlight=False, soft_wrap=True).print(_WELCOME.format(url=url, kafka=about))


async def trade(standalone: Standalone, stop: asyncio.Event, opened: Callable[[], Awaitable[None]]) -> None:
    """Publish prices until `stop` is set, and call `opened` after the first; a Kafka that is away is waited for."""

    async def publish(resource: str, data: dict[str, Any]) -> None:
        try:
            await standalone.publisher.put(resource, data, type="price.changed")
        except Problem as problem:
            _log.warning("a price was not published", resource=resource, reason=problem.detail)
            await asyncio.sleep(_PAUSE_S)

    await run_market(publish, _TRADES_PER_S, stop, opened=opened)
