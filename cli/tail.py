"""`watchroute tail`: watch resources and print their changes."""

import asyncio
from typing import Any, Final

import click

from cli.stopping import run_until
from cli.watching.follower import Follower
from cli.watching.printing import Printer
from cli.watching.request import TailRequest
from cli.watching.transports import TRANSPORTS, client
from shared.catalog import MODES
from shared.resource import Watch
from shared.serving import stop_requested

DEFAULT_URL: Final = "http://127.0.0.1:8080"
_FORMATS: Final = ("json", "compact", "cloudevents")


@click.command()
@click.argument("watches", nargs=-1, required=True, metavar="WATCH...")
@click.option("--url", default=DEFAULT_URL, show_default=True, help="The server.")
@click.option("--transport", type=click.Choice(tuple(TRANSPORTS)), default="sse", show_default=True)
@click.option("--mode", type=click.Choice(MODES), help="Newest state, or every change.  [default: state]")
@click.option("--cursor", help="Go on from here.")
@click.option("--since", metavar="TIME", help="Go on from this time, as in RFC 3339.")
@click.option("--snapshot/--no-snapshot", default=True, show_default=True, help="Begin with the state now.")
@click.option("--format", type=click.Choice(_FORMATS), help="How the server writes frames.  [default: json]")
@click.option("--json", "json_lines", is_flag=True, help="Print frames as they come, as JSON lines.")
def tail(watches: tuple[str, ...], *, url: str, transport: str, json_lines: bool, **asked: Any) -> None:
    """Print the changes of resources (stocks/AAPL), collections (stocks) or prefixes ('stocks?prefix=A').

    Connections that end are begun again from the last cursor. Ctrl-C prints that cursor, which is good on any
    transport and server.
    """
    wanted = tuple(dict.fromkeys(Watch.parse(label) for label in watches))
    request = TailRequest(url.rstrip("/"), wanted, **asked)
    printer = Printer(json_lines=json_lines)
    follower = Follower(TRANSPORTS[transport], request, on_frame=printer.frame, on_trouble=printer.trouble)
    try:
        asyncio.run(_follow(follower))
    finally:
        if follower.cursor:
            printer.aside(f"go on with --cursor {follower.cursor}", "dim")


async def _follow(follower: Follower) -> None:
    async with client() as session:
        await run_until(stop_requested(), follower.run(session))
