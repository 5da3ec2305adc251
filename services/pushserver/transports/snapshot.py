"""Plain GET: one resource as its bare value, and a collection as pages or as one line a resource."""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final
from urllib.parse import quote, urlencode

import msgpack
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from services.pushserver import frames
from services.pushserver.change import Change
from services.pushserver.channel import Channel
from services.pushserver.table import Table
from services.pushserver.transports.longpoll import wait_for_change
from services.pushserver.transports.reception import Reception
from services.pushserver.transports.request import JSON, MSGPACK, NDJSON, Asked, negotiate
from services.pushserver.turns import Turns
from services.pushserver.walk import SCAN, Walk
from services.pushserver.wire import LINES
from shared.cursor import encode_cursor
from shared.event import Event
from shared.problem import Problem
from shared.resource import Watch
from shared.value import NumberTooLarge, msgpack_value

_MAX_PAGE: Final = 10_000
_FIRST_PLACE: Final = (0, 0)
_LOOKS_AT_ONCE: Final = 4096
"""Resources looked at before others get their turn: about a millisecond."""
_PASSES: Final = 8
"""Over what has changed during the pass before: each is shorter, unless the reader is slower than the changes."""
_PIECE_BYTES: Final = 64 * 1024
_AFTER: Final = re.compile(r"([0-9]{1,4})\.([0-9]{1,18})")


async def get(reception: Reception, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a resource's own address; raises Problem as long as nothing was sent."""
    channel = await reception.channel(asked)
    _require_state(channel)
    kind = negotiate(asked.accept, JSON, MSGPACK)
    wait_s = asked.preferred_wait_s
    known = asked.headers.get("if-none-match")
    applied = {}
    if wait_s is not None:
        applied = {"Preference-Applied": f"wait={wait_s:g}"}
        event = channel.table.get(asked.watch.id or "")
        if known is not None and event is not None and event.data is not None and _matches(known, channel, event, kind):
            await wait_for_change(reception, asked, receive, wait_s)
            reception.check_token(asked)
    headers = {**_headers(channel, asked.watch), "Vary": "Accept", **applied}
    event = channel.table.get(asked.watch.id or "")
    if event is None or event.data is None:
        raise Problem("not_found", f"there is no {asked.watch.label}", headers=headers)
    headers["ETag"] = _etag(channel, event, kind)
    if known is not None and _matches(known, channel, event, kind):
        response = Response(status_code=304, headers=headers)
    else:
        response = Response(_bare(event.data, kind), headers={**headers, "Content-Type": kind})
    await _answer(response, scope, receive, send)


async def listing(reception: Reception, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a collection's address; raises Problem as long as nothing was sent."""
    channel = await reception.channel(asked)
    _require_state(channel)
    if negotiate(asked.accept, JSON, NDJSON) == NDJSON:
        headers = {**_headers(channel, asked.watch), "Vary": "Accept", "Content-Type": NDJSON}
        response: Response = StreamingResponse(
            _lines(reception.turns, channel, asked, reception.check_token), headers=headers
        )
    else:
        response = await _page(reception, channel, asked)
    await _answer(response, scope, receive, send)


async def _page(reception: Reception, channel: Channel, asked: Asked) -> Response:
    limit = asked.whole("limit", reception.settings.page_size, low=1, high=_MAX_PAGE)
    headers = {**_headers(channel, asked.watch), "Vary": "Accept", "Content-Type": JSON}
    place = _place(channel, asked.parameters.get("after"))
    events, after = await _gather(reception.turns, channel.table, asked.watch, place, limit)
    reception.check_token(asked)
    if after is not None:
        query = {name: text for name, text in asked.parameters.items() if name != "at_least"} | {"after": after}
        headers["Link"] = f'</v1/{quote(channel.name)}?{urlencode(query)}>; rel="next"'
    frames = [_line(channel, event, asked).rstrip() for event in events]
    cursor = headers["Watch-Cursor"].encode()
    return Response(b'{"frames":[' + b",".join(frames) + b'],"cursor":"' + cursor + b'"}', headers=headers)


async def _gather(
    turns: Turns, table: Table, watch: Watch, place: tuple[int, int], limit: int
) -> tuple[list[Event], str | None]:
    """At most `limit` resources from a place in the table on, and the next place, None at the end.

    Pages go by offset: a resource that changes meanwhile moves on in its partition. If that has been gathered already,
    the page that is all there is has it all the same (and may have a few more than `limit`); of several pages none may
    have it, and a watch from the first one's cursor is told of it.
    """
    began, looked = table.positions, 0
    found: dict[str, Event] = {}
    partition, start = place
    while partition < len(table.logs):
        events = table.logs[partition].events(start, table.positions[partition], SCAN)
        for event in events:
            if event.data is not None and watch.covers(event.id):
                if len(found) >= limit:
                    return list(found.values()), f"{partition}.{event.offset}"
                found[event.id] = event
        partition, start = (partition, events[-1].offset + 1) if len(events) == SCAN else (partition + 1, 0)
        looked += len(events)
        if looked >= _LOOKS_AT_ONCE:
            looked = 0
            await turns.mine()
    if place == _FIRST_PLACE:
        _add_changed(found, table, watch, began)
    return list(found.values()), None


def _add_changed(found: dict[str, Event], table: Table, watch: Watch, since: Sequence[int]) -> None:
    """Bring what was gathered up to date with what has changed since, in one step."""
    for log, position, end in zip(table.logs, since, table.positions, strict=True):
        for event in log.events(position, end, limit=end - position):
            if watch.covers(event.id):
                found.pop(event.id, None)
                if event.data is not None:
                    found[event.id] = event


async def _lines(turns: Turns, channel: Channel, asked: Asked, check: Callable[[Asked], None]) -> AsyncIterator[bytes]:
    """What there is, and what has changed while it was told: a resource may come again, newer, and none is missed.

    What `check` raises ends it with a `problem`.
    """
    try:
        async for piece in _pieces(turns, channel, asked, check):
            yield piece
    except Problem as problem:
        yield LINES[asked.format].control(frames.problem(problem))


async def _pieces(turns: Turns, channel: Channel, asked: Asked, check: Callable[[Asked], None]) -> AsyncIterator[bytes]:
    walk = Walk.snapshot(channel, asked.watch)
    piece = bytearray()
    for _ in range(_PASSES):
        while not walk.done:
            # Others had their turn, or the reader has taken its time.
            check(asked)
            for event in walk.pull():
                if event.data is not None:
                    piece += _line(channel, event, asked)
            if len(piece) >= _PIECE_BYTES:
                yield bytes(piece)
                piece.clear()
                await turns.mine()
        if walk.current:
            break
        walk.go_on()
    if piece:
        yield bytes(piece)


def _line(channel: Channel, event: Event, asked: Asked) -> bytes:
    return Change(channel, event).frame(LINES[asked.format])


def _place(channel: Channel, after: str | None) -> tuple[int, int]:
    if after is None:
        return _FIRST_PLACE
    match = _AFTER.fullmatch(after)
    if match is None or int(match[1]) >= len(channel.positions):
        raise Problem("invalid", "after is what the Link of the page before says")
    return int(match[1]), int(match[2])


def _require_state(channel: Channel) -> None:
    if not channel.table.held:
        detail = f"{channel.name} is too large to hold: watch it with snapshot=false, a cursor, or since"
        raise Problem("invalid", detail)


def _headers(channel: Channel, watch: Watch) -> dict[str, str]:
    positions = channel.positions
    known = {partition: positions[partition] for partition in channel.partitions_of(watch)}
    cursor = encode_cursor((channel.segment((watch,), known),))
    return {"Watch-Cursor": cursor, "Cache-Control": "no-cache"}


def _etag(channel: Channel, event: Event, kind: str) -> str:
    suffix = ".msgpack" if kind == MSGPACK else ""
    return f'"{event.offset}-{channel.epoch.hex()}{suffix}"'


def _matches(known: str, channel: Channel, event: Event, kind: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
    return "*" in tags or _etag(channel, event, kind) in tags


def _bare(data: bytes, kind: str) -> bytes:
    if kind == JSON:
        return data
    try:
        packed: bytes = msgpack.packb(msgpack_value(data))
    except NumberTooLarge:
        raise Problem("not_acceptable", "a number in it is one that msgpack can't hold: ask for JSON") from None
    return packed


async def _answer(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["method"] == "HEAD" and isinstance(response, StreamingResponse):
        response = Response(headers=dict(response.headers))
    await response(scope, receive, send)
