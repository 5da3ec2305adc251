"""`watchroute publish`: write resources over HTTP."""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from io import BufferedReader
from typing import Any, Final, NamedTuple, cast
from urllib.parse import quote

import aiohttp
import click

from cli.tail import DEFAULT_URL
from cli.watching.arrival import Trouble, check_answer, connection_errors
from shared.errors import WatchrouteError
from shared.resource import Watch, path_of

_STDIN: Final = "-"
_BATCH_BYTES: Final = 1024 * 1024
_BATCH_LINES: Final = 500
_TIMEOUT: Final = aiohttp.ClientTimeout(total=60)


class NotWritten(WatchrouteError):
    """A write was refused; the message says which, and why."""


class Line(NamedTuple):
    """A line of the input; `number` counts from 1."""

    number: int
    text: bytes


@click.command()
@click.argument("resource")
@click.argument("data", required=False)
@click.option("--delete", is_flag=True, help="Delete the resource.")
@click.option("--type", "event_type", help="The type of the event, such as price.changed (CloudEvents).")
@click.option("--url", default=DEFAULT_URL, show_default=True, help="The server.")
def publish(resource: str, data: str | None, *, delete: bool, event_type: str | None, url: str) -> None:
    """Write a resource: watchroute publish playground/hello '{"text": "Hello"}'.

    DATA is JSON; - reads it from the standard input. With a collection (watchroute publish playground -) the standard
    input is NDJSON, a line {"id": "hello", "data": …} or {"id": "hello", "delete": true} for each resource.
    """
    watch = Watch.parse(resource)
    if delete == (data is not None) or (watch.id is None and data != _STDIN) or watch.prefix is not None:
        raise click.UsageError("give a resource and DATA, a resource and --delete, or a collection and -")
    headers = {"ce-type": quote(event_type)} if event_type else {}
    writer = _Writer(url.rstrip("/"), headers)
    stdin = cast("BufferedReader", sys.stdin.buffer)
    if watch.id is None:
        asyncio.run(writer.many(watch.collection, stdin))
        return
    body = stdin.read() if data == _STDIN else (data or "").encode()
    try:
        asyncio.run(writer.one(path_of(watch.collection, watch.id), None if delete else body))
    except Trouble as trouble:
        raise NotWritten("\n  ".join([str(trouble), *map(str, trouble.problem.get("errors", []))])) from None


class _Writer:
    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self._url = url
        self._headers = headers

    async def one(self, path: str, body: bytes | None) -> None:
        """PUT the body, or DELETE when there is none; raises Trouble."""
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            answer = await self._send(session, "DELETE" if body is None else "PUT", path, body, "application/json")
        click.echo(f"{answer['resource']} version {answer['version']} cursor {answer['cursor']}")

    async def many(self, collection: str, stream: BufferedReader) -> None:
        """POST what has arrived, again and again, until the end; raises NotWritten at the first lines refused."""
        written = 0
        path = f"/v1/{quote(collection, safe='')}"
        try:
            async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
                for batch in batches(stream):
                    await self._post(session, path, batch)
                    written += len(batch)
        finally:
            click.echo(f"{written} written")

    async def _post(self, session: aiohttp.ClientSession, path: str, batch: list[Line]) -> None:
        body = b"\n".join(line.text for line in batch)
        try:
            answer = await self._send(session, "POST", path, body, "application/x-ndjson")
        except Trouble as trouble:
            raise NotWritten("\n".join(_refused_lines(trouble, batch))) from None
        failed = [
            f"line {line.number}: {result['problem'].get('detail')}"
            for line, result in zip(batch, answer["results"], strict=True)
            if "problem" in result
        ]
        if failed:
            raise NotWritten("\n".join(failed))

    async def _send(
        self, session: aiohttp.ClientSession, method: str, path: str, body: bytes | None, kind: str
    ) -> dict[str, Any]:
        headers = self._headers | ({"Content-Type": kind} if body is not None else {})
        with connection_errors():
            async with session.request(method, self._url + path, data=body, headers=headers) as answer:
                await check_answer(answer)
                found: dict[str, Any] = await answer.json()
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


def _refused_lines(trouble: Trouble, batch: list[Line]) -> list[str]:
    """What is wrong with each line, as far as the server names lines; nothing of the batch is written."""
    errors = [error for error in trouble.problem.get("errors", []) if isinstance(error, dict)]
    return [str(trouble)] + [f"  line {batch[error['index']].number}: {_said(error)}" for error in errors]


def _said(error: Mapping[str, Any]) -> str:
    return "; ".join([str(error.get("detail")), *map(str, error.get("errors", []))])
