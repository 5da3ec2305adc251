"""`watchroute tail`: watch resources and print their changes."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click

from cli.remote import Remote, refusals, remote_options
from cli.stopping import run_until
from cli.terminal import is_terminal
from cli.watching.following import apart, cursors, follow
from cli.watching.printing import Printer
from shared.catalog import MODES
from shared.serving import stop_requested
from watchroute_client import Watch

TRANSPORTS: Final = ("ws", "sse", "poll")
_FORMATS: Final = ("json", "compact", "cloudevents")


@click.command()
@click.argument("watches", nargs=-1, required=True, metavar="WATCH...")
@remote_options
@click.option("--transport", type=click.Choice(TRANSPORTS), help="This one only.  [default: the first that works]")
@click.option("--mode", type=click.Choice(MODES), default="state", show_default=True, help="Newest state, or all.")
@click.option("--cursor", help="Go on from here.")
@click.option("--since", metavar="TIME", help="Go on from this time, as in RFC 3339.")
@click.option("--snapshot/--no-snapshot", default=True, show_default=True, help="Begin with the state now.")
@click.option("--format", "form", type=click.Choice(_FORMATS), help="How the server writes frames.  [default: json]")
@click.option("--json/--lines", "json_lines", default=None, help="JSON lines, or lines for a person, as in a terminal.")
def tail(watches: tuple[str, ...], *, url: str, token_file: Path | None, ca: Path | None, **more: Any) -> None:
    """Print the changes of resources (stocks/AAPL), collections (stocks) or prefixes ('stocks?prefix=A').

    In a terminal they are lines for a person, in a pipe JSON lines. Connections that end are begun again from the last
    cursor. Ctrl-C prints that cursor, which is good on any transport and server.
    """
    json_lines, transport, form = (more.pop(name) for name in ("json_lines", "transport", "form"))
    printer = Printer(json_lines=not is_terminal() if json_lines is None else json_lines)
    with refusals():
        tailing = Tailing(Remote(url, token_file, ca), apart(watches), more, printer)
        try:
            asyncio.run(tailing.run((transport,) if transport else TRANSPORTS, form))
        finally:
            tailing.say_cursors()


@dataclass
class Tailing:
    """What is told of some paths; `asked` are the arguments of each `watch`."""

    remote: Remote
    paths: list[str]
    asked: dict[str, Any]
    printer: Printer
    watches: list[Watch] = field(default_factory=list)

    async def run(self, transports: tuple[str, ...], form: str | None) -> None:
        """Until it is stopped; raises WatchError where going on makes no sense."""
        stop = stop_requested()
        async with self.remote.client(transports, form) as client:
            client.on_status(self.printer.status)
            self.watches = [client.watch(path, **self.asked) for path in self.paths]
            await run_until(stop, follow(self.watches, self.printer.change))

    def say_cursors(self) -> None:
        """Say from where to go on, for each watch where they differ."""
        for path, cursor in cursors(self.watches).items():
            self.printer.aside(f"{path and path + ': '}go on with --cursor {cursor}", "dim")
