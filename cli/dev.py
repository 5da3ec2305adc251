"""`watchroute dev`: your own catalogue in one process, with the embedded broker."""

import asyncio
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from cli.local import Local, address
from cli.local_kafka import embedded
from cli.settings import config_option, load_settings
from cli.standalone import Standalone
from shared.errors import ConfigurationError
from shared.telemetry import configure_logs

_WELCOME: Final = """
[bold]Watchroute is running[/bold] at [bold cyan]{url}[/bold cyan] with the collections {collections}.

  [green]curl -N {url}/v1/{first}/stream[/green]

[yellow]Kafka is the embedded broker: in memory, gone when this stops, never for production.[/yellow]
Ctrl-C stops it.
"""


@click.command()
@config_option
@click.option("--host", help="The address to listen at, instead of that of [pushserver].")
@click.option("--port", type=click.IntRange(0, 65535), help="The port, instead of that of [pushserver].")
def dev(config: Path | None, host: str | None, port: int | None) -> None:
    """Serve the configured collections, reads and writes, in one process on one port."""
    settings = load_settings(config)
    if not settings.collections:
        raise ConfigurationError(["collections: there are none; a table [collections.NAME] makes one"])
    configure_logs(settings.log.model_copy(update={"format": "console"}))
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    place = settings.pushserver.model_copy(update=given)

    async def work(standalone: Standalone, stop: asyncio.Event) -> None:
        welcome(address(place.host, standalone.port), list(settings.collections))
        await stop.wait()

    Local(embedded(settings.model_copy(update={"pushserver": place})), work).run()


def welcome(url: str, collections: list[str]) -> None:
    """Say where it is, and what it serves."""
    text = _WELCOME.format(url=url, collections=", ".join(collections), first=collections[0])
    Console(highlight=False, soft_wrap=True).print(text)
