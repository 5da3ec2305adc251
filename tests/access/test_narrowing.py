"""Where it is configured, a collection shows what is granted of it, on every transport."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
import pytest_asyncio

from tests.access.asking import Route, ask
from tests.access.conftest import Served, serving
from tests.access.connected import event, opened
from tests.access.identity import Identity
from tests.access.matrix import carry

Narrowing = tuple[Identity, Served]
SCOPE = "watch:items/mine watch:items/my/*"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def narrowing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Narrowing]:
    folder: Path = tmp_path_factory.mktemp("narrowing")
    identity = Identity(folder, narrow=True)
    async with serving(identity.auth) as served:
        served.write("my/own", b'"secret"')
        served.write("his", b'"secret"')
        yield identity, served


async def test_a_listing_shows_what_is_granted(narrowing: Narrowing) -> None:
    identity, served = narrowing
    shown = carry("header", identity.token(SCOPE)).headers
    page = await ask(served.port, Route("GET", "/v1/items"), shown)
    assert [frame["resource"] for frame in orjson.loads(page.body)["frames"]] == ["items/mine", "items/my/own"]
    first = await ask(served.port, Route("GET", "/v1/items"), shown, "limit=1")
    target = (
        first.head.partition("Link: <")[2].partition(">")[0] or first.head.partition("link: <")[2].partition(">")[0]
    )
    second = await ask(served.port, Route("GET", target), shown)
    assert [frame["resource"] for frame in orjson.loads(second.body)["frames"]] == ["items/my/own"]
    narrower = await ask(served.port, Route("GET", "/v1/items"), shown, "prefix=my")
    assert [frame["resource"] for frame in orjson.loads(narrower.body)["frames"]] == ["items/my/own"]
    assert (await ask(served.port, Route("GET", "/v1/items/his"), shown)).status == 403
    assert (await ask(served.port, Route("GET", "/v1/others"), shown)).status == 403


async def test_a_poll_goes_on_within_it(narrowing: Narrowing) -> None:
    identity, served = narrowing
    shown = carry("header", identity.token(SCOPE)).headers
    first = orjson.loads((await ask(served.port, Route("GET", "/v1/items/poll"), shown)).body)
    assert {frame.get("resource") for frame in first["frames"]} == {"items/mine", "items/my/own", None}
    served.write("his", b'"changed"')
    served.write("my/own", b'"changed"')
    query = f"cursor={first['cursor']}"
    later = orjson.loads((await ask(served.port, Route("GET", "/v1/items/poll"), shown, query)).body)
    assert [frame["resource"] for frame in later["frames"]] == ["items/my/own"]


async def test_a_websocket_is_told_of_it_and_of_nothing_else(narrowing: Narrowing) -> None:
    identity, served = narrowing
    async with opened(served, identity.token(SCOPE), "/v1/items/ws") as socket:
        await socket.until(event("synced"))
        served.write("his", b'"live"')
        served.write("mine", b'"live"')
        assert (await socket.until(event("put")))["resource"] == "items/mine"


async def test_a_ticket_is_for_the_part_that_was_granted(narrowing: Narrowing) -> None:
    identity, served = narrowing
    body = json.dumps({"watches": ["items"]}).encode()
    shown = carry("header", identity.token(SCOPE)).headers
    ticket = orjson.loads((await ask(served.port, Route("POST", "/v1/tickets", body=body), shown)).body)["ticket"]
    answer = await ask(served.port, Route("GET", "/v1/items/poll"), {}, f"ticket={ticket}")
    frames = orjson.loads(answer.body)["frames"]
    assert {frame.get("resource") for frame in frames} == {"items/mine", "items/my/own", None}
