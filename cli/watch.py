"""`watchroute watch`: a live table of what is watched."""

import asyncio
from pathlib import Path
from typing import Any, Final

import click

from cli.remote import Remote, refusals, remote_options
from cli.stopping import run_until
from cli.terminal import is_terminal
from cli.watching.following import apart, follow
from shared.serving import stop_requested
from watchroute_client import Change, Watch

_EVERY_S: Final = 0.125
_FRAME_LINES: Final = 6


@click.command()
@click.argument("watches", nargs=-1, required=True, metavar="WATCH...")
@remote_options
def watch(watches: tuple[str, ...], *, url: str, token_file: Path | None, ca: Path | None) -> None:
    """Show the state of resources, collections or prefixes as a table that follows every change.

    In a pipe it prints changes as JSON lines, as `watchroute tail` does.
    """
    remote = Remote(url, token_file, ca)
    with refusals():
        asyncio.run(_watch(remote, apart(watches)))


async def _watch(remote: Remote, paths: list[str]) -> None:
    stop = stop_requested()
    async with remote.client() as client:
        opened = [client.watch(path) for path in paths]
        if is_terminal():
            await run_until(stop, _show(client, opened))
            return
        from cli.watching.printing import Printer  # noqa: PLC0415 -- imported where it is used

        printer = Printer(json_lines=True)
        client.on_status(printer.status)
        await run_until(stop, follow(opened, printer.change))


async def _show(client: Any, opened: list[Watch]) -> None:
    from rich.live import Live  # noqa: PLC0415 -- imported where somebody looks

    from cli.watching.board import Board  # noqa: PLC0415 -- as above

    boards = {each.path: Board(each.path) for each in opened}

    def tell(path: str, change: Change) -> None:
        boards[path].take(change)

    following = asyncio.create_task(follow(opened, tell))
    try:
        with Live(auto_refresh=False, screen=True) as live:
            while not following.done():
                _draw(live, list(boards.values()), client)
                await asyncio.wait((following,), timeout=_EVERY_S)
        await following
    finally:
        following.cancel()


def _draw(live: Any, boards: list[Any], client: Any) -> None:
    from rich.console import Group  # noqa: PLC0415 -- imported where somebody looks

    rows = max(1, live.console.height // len(boards) - _FRAME_LINES)
    for board in boards:
        board.status = client.status
    live.update(Group(*(board.table(rows) for board in boards)), refresh=True)
