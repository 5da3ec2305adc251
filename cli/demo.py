"""`watchroute demo`: everything in one process, with prices that move, or another example."""

import asyncio
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click
from rich.console import Console
from starlette.routing import Route

from cli.example import Example
from cli.local import Local, address
from cli.local_kafka import elsewhere, embedded
from cli.page import page_routes
from cli.settings import AllSettings, load_settings
from cli.standalone import Standalone
from cli.steady import SteadyPublisher
from shared.auth_settings import is_loopback
from shared.telemetry import configure_logs

_WELCOME: Final = """
[bold]Watchroute is running.[/bold] Open [bold cyan]{url}/[/bold cyan] and see {what}.
{try_it}
{kafka}
Ctrl-C stops it.
"""
_TRY_STOCKS: Final = """
Or try in another terminal:

  # watch, publish, read
  [green]curl -N '{url}/v1/watch/stream?resource=stocks&resource=playground'[/green]
  [green]curl -X PUT {url}/v1/playground/hello -H 'Content-Type: application/json' -d '{{"text": "Hello"}}'[/green]
  [green]curl -i {url}/v1/stocks/AAPL[/green]
"""
_EMBEDDED: Final = (
    "[yellow]Kafka is the embedded broker: in memory, gone when this stops, never for production.[/yellow]"
)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0: any free port.")
@click.option("--kafka", metavar="HOST:PORT", help="Use this Kafka instead of the embedded one.")
@click.option("--example", "name", metavar="NAME", help="Show a folder of examples/ instead of stock prices.")
def demo(host: str, port: int, kafka: str | None, name: str | None) -> None:
    """Serve made-up stock prices, a playground and a page, in one process on one port."""
    example = Example.named(name) if name else Example.stocks()
    if example.people and not is_loopback(host):
        raise click.UsageError("whoever reaches this example may be anybody in it: it listens at this machine only")
    with ExitStack() as stack:
        settings = load_settings(example.config)
        configure_logs(settings.log)
        place = settings.pushserver.model_copy(update={"host": host, "port": port})
        settings = settings.model_copy(update={"pushserver": place})
        settings, routes = _signed_in(example, settings, stack)
        broker = elsewhere(settings, kafka) if kafka else embedded(settings)

        async def work(standalone: Standalone, stop: asyncio.Event) -> None:
            async def opened() -> None:
                # What is printed can be tried at once, and shows something.
                for collection in settings.collections:
                    await standalone.until_current(collection)
                welcome(address(host, standalone.port), kafka, name)

            await example.produce(SteadyPublisher(standalone.publisher), stop, opened)

        Local(broker, work, [*page_routes(example.page), *routes]).run()


def welcome(url: str, kafka: str | None, name: str | None) -> None:
    """Say what to open, what to try, and what it runs on."""
    about = f"Kafka is the one at {kafka}." if kafka else _EMBEDDED
    what = f"examples/{name}" if name else "prices move"
    try_it = "" if name else _TRY_STOCKS.format(url=url)
    Console(highlight=False, soft_wrap=True).print(_WELCOME.format(url=url, what=what, try_it=try_it, kafka=about))


def _signed_in(example: Example, settings: AllSettings, stack: ExitStack) -> tuple[AllSettings, list[Route]]:
    """The settings and routes with which a page gets tokens, if the example has people."""
    if not example.people:
        return settings, []
    # Cryptography takes a while to load.
    from cli.sign_in import SignIn  # noqa: PLC0415 -- see above

    sign_in = SignIn(example.people)
    folder = stack.enter_context(TemporaryDirectory(prefix="watchroute-demo-"))
    return sign_in.trusted(settings, Path(folder)), sign_in.routes
