"""`watchroute get`: the state now."""

import asyncio
import json
from pathlib import Path
from typing import Any

import click

from cli.remote import Remote, refusals, remote_options
from cli.terminal import compact, is_terminal
from watchroute_client import WatchClient
from watchroute_client.target import Target


@click.command()
@click.argument("path")
@remote_options
@click.option("--at-least", metavar="CURSOR", help="Not older than this: the cursor of a write, for one.")
def get(path: str, *, url: str, token_file: Path | None, ca: Path | None, at_least: str | None) -> None:
    """Print the state of a resource (stocks/AAPL), or of all of a collection (stocks) or prefix ('stocks?prefix=A').

    A resource is its JSON; of the others each resource is a line, in a pipe a JSON line with its id, version and data.
    """
    remote = Remote(url, token_file, ca)
    with refusals():
        if Target.parse(path).id is not None:
            asyncio.run(_one(remote, path, at_least))
        elif at_least is not None:
            raise click.UsageError("--at-least goes with a resource")
        else:
            asyncio.run(_all(remote, path))


async def _one(remote: Remote, path: str, at_least: str | None) -> None:
    async with remote.client() as client:
        found = await client.get(path, at_least=at_least)
    _print(found.data)


async def _all(remote: Remote, path: str) -> None:
    async with remote.client() as client:
        if is_terminal():
            await _table(client, path)
            return
        async for change in client.listing(path):
            resource_id = change.resource.partition("/")[2]
            click.echo(compact({"id": resource_id, "version": str(change.version), "data": change.data}))


def _print(data: Any) -> None:
    if not is_terminal():
        click.echo(compact(data))
        return
    from rich.console import Console  # noqa: PLC0415 -- imported where somebody looks
    from rich.json import JSON  # noqa: PLC0415 -- as above

    # Not ASCII only, but with every control character as an escape: JSON has them so.
    Console().print(JSON(json.dumps(data, ensure_ascii=False), ensure_ascii=True))


async def _table(client: WatchClient, path: str) -> None:
    from rich.console import Console  # noqa: PLC0415 -- imported where somebody looks

    from cli.watching.board import Board  # noqa: PLC0415 -- as above

    board = Board(path)
    async for change in client.listing(path):
        board.take(change)
    Console().print(board.table())
