"""`watchroute put`: write resources."""

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from cli.progress import progress
from cli.remote import Remote, refusals, remote_options, said
from shared.errors import WatchrouteError
from watchroute_client import WatchClient, WatchError
from watchroute_client.target import Target

_STDIN: Final = "-"
_BATCH_BYTES: Final = 1024 * 1024
_BATCH_LINES: Final = 500


class NotWritten(WatchrouteError):
    """A write was refused; the message says which, and why."""


class Line(NamedTuple):
    """A line of the input; `number` counts from 1."""

    number: int
    text: bytes


@click.command()
@click.argument("path")
@click.argument("data", required=False)
@remote_options
@click.option("--from", "source", type=click.File("rb"), help="Write the lines of this NDJSON file (-: of the input).")
@click.option("--delete", is_flag=True, help="Delete the resource.")
@click.option("--type", "event_type", help="The type of the event, such as price.changed (CloudEvents).")
def put(path: str, data: str | None, *, url: str, token_file: Path | None, ca: Path | None, **more: Any) -> None:
    """Write a resource: watchroute put playground/hello '{"text": "Hello"}'.

    DATA is JSON; - reads it from the standard input. With a collection (watchroute put playground --from FILE) each
    line of the file is {"id": "hello", "data": …} or {"id": "hello", "delete": true}.
    """
    remote = Remote(url, token_file, ca)
    source, delete, event_type = more["source"], more["delete"], more["event_type"]
    with refusals():
        target = Target.parse(path)
        if target.prefix is not None or (target.id is None) != (source is not None) or _ways(data, source, delete) != 1:
            raise click.UsageError("give a resource and DATA, a resource and --delete, or a collection and --from FILE")
        if source is not None:
            asyncio.run(_many(remote, target.collection, source))
        else:
            asyncio.run(_one(remote, path, None if delete else _json(data or ""), event_type, delete=delete))


def _ways(data: str | None, source: object, delete: object) -> int:
    return sum((data is not None, source is not None, bool(delete)))


def _json(text: str) -> Any:
    try:
        return json.loads(sys.stdin.buffer.read() if text == _STDIN else text)
    except ValueError as mistake:
        raise NotWritten(f"the data is no JSON: {mistake}") from None


async def _one(remote: Remote, path: str, data: Any, event_type: str | None, *, delete: bool) -> None:
    async with remote.client() as client:
        done = await (client.delete(path) if delete else client.put(path, data, event_type=event_type))
    click.echo(f"{done.path} version {done.version} cursor {done.cursor}")


async def _many(remote: Remote, collection: str, source: BufferedReader) -> None:
    """Write what has arrived, again and again, until the end; raises NotWritten at the first lines refused."""
    written = 0
    try:
        async with remote.client() as client:
            with progress(f"writing to {collection}", _size(source)) as advance:
                for batch in batches(source):
                    await _write(client, collection, batch)
                    written += len(batch)
                    advance(sum(len(line.text) + 1 for line in batch))
    finally:
        click.echo(f"{written} written")


def _size(source: BufferedReader) -> int | None:
    if not source.seekable():
        return None
    size = source.seek(0, 2)
    source.seek(0)
    return size


async def _write(client: WatchClient, collection: str, batch: list[Line]) -> None:
    writes = [_parsed(line) for line in batch]
    try:
        results = await client.write_many(collection, writes)
    except WatchError as refused:
        raise NotWritten("\n".join(_refused_lines(refused, batch))) from None
    pairs = zip(batch, results, strict=True)
    if failed := [f"line {line.number}: {result.detail}" for line, result in pairs if isinstance(result, WatchError)]:
        raise NotWritten("\n".join(failed))


def _parsed(line: Line) -> Mapping[str, Any]:
    try:
        found = json.loads(line.text)
    except ValueError as mistake:
        raise NotWritten(f"line {line.number} is no JSON: {mistake}") from None
    if not isinstance(found, dict):
        raise NotWritten(f"line {line.number} is no object")
    return found


def batches(stream: BufferedReader) -> Iterator[list[Line]]:
    """Cut a stream into batches of lines, empty ones left out; a slow stream gives small batches, soon."""
    number, rest = 0, b""
    while piece := stream.read1(_BATCH_BYTES):
        *whole, rest = (rest + piece).split(b"\n")
        numbered = [Line(number + place, text) for place, text in enumerate(whole, 1) if text.strip()]
        number += len(whole)
        for start in range(0, len(numbered), _BATCH_LINES):
            yield numbered[start : start + _BATCH_LINES]
    if rest.strip():
        yield [Line(number + 1, rest)]


def _refused_lines(refused: WatchError, batch: list[Line]) -> list[str]:
    """What is wrong with each line, as far as the server names lines; nothing of the batch is written."""
    errors = [error for error in refused.members.get("errors", []) if isinstance(error, dict)]
    return [str(refused)] + [f"  line {batch[error['index']].number}: {said(error)}" for error in errors]
