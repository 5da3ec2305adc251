"""Writes of the Python client: over the open WebSocket of a push server, else as requests; and when nobody answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.server import ServerConnection, serve

from infra.cluster.process import HOST
from tests.integration.fronted import COLLECTIONS
from tests.integration.test_python_client import Seen, door
from tests.support.broker import Broker
from tests.support.fleet import Fleet
from tests.support.server import eventually
from watchroute_client import State, WatchClient, WatchError, connection

Answers = Callable[[ServerConnection, dict[str, Any]], Awaitable[None]]


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def fleet(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    async with Fleet(broker, tmp_path_factory.mktemp("writes"), COLLECTIONS, servers=2) as running:
        yield running


async def test_a_write_goes_over_the_open_websocket(fleet: Fleet) -> None:
    # A push server takes no PUT: what is written there came over the WebSocket.
    async with WatchClient(fleet.servers[0].url) as client:
        seen = Seen(client, "items/over")
        await eventually(lambda: client.state is State.LIVE, "it is live")
        written = await client.put("items/over", {"n": 1})
        found = await client.get("items/over", at_least=written.cursor)
        assert (found.path, found.version, found.data) == (written.path, written.version, {"n": 1})
        deleted = await client.delete("items/over")
        assert deleted.version > written.version
        await eventually(lambda: seen.versions["items/over"] == [written.version, deleted.version], "both are seen")
        assert client.transport == "ws"
        await seen.stop()


async def test_what_must_not_go_over_it_is_a_request(fleet: Fleet, certificate: Path, tmp_path: Path) -> None:
    huge = 2**80
    async with door(fleet, certificate, tmp_path) as (url, tls, _), WatchClient(url, tls=tls) as client:
        assert (await client.put("items/early", 1)).path == "items/early"
        seen = Seen(client, "items?prefix=req")
        await eventually(lambda: client.state is State.LIVE, "it is live")
        assert client._made is not None  # noqa: SLF001 -- over which way a write went can't be seen from outside
        asked = client._made._connections.values()  # noqa: SLF001 -- the same
        long = await client.put("items/req-long", "x" * 20_000)
        typed = await client.put("items/req-typed", 1, event_type="price.changed")
        number = await client.put("items/req-number", {"n": huge})
        assert [connection._asked for connection, _ in asked] == [0]  # noqa: SLF001 -- the same
        assert (await client.get("items/req-number", at_least=number.cursor)).data == {"n": huge}
        short = await client.put("items/req-short", 1)
        assert [connection._asked for connection, _ in asked] == [1]  # noqa: SLF001 -- the same
        for written in (long, typed, number, short):
            await eventually(lambda w=written: seen.versions[w.path] == [w.version], "it is seen")  # type: ignore[misc]
        await seen.stop()


async def test_where_a_push_server_knows_no_producer_it_is_a_request(fleet: Fleet) -> None:
    server = fleet._service("pushserver", {"WATCHROUTE_PUSHSERVER_PRODUCER_URL": ""})  # noqa: SLF001 -- one of its own kind
    server.launch()
    await server.wait_ready()
    try:
        async with WatchClient(server.url) as client:
            seen = Seen(client, "items/through")
            await eventually(lambda: client.state is State.LIVE, "it is live")
            # There is no front door here: the request meets the push server, too.
            assert (await outcome_of(client.put("items/through", 1)))[0] == "method_not_allowed"
            assert client.state is State.LIVE
            await seen.stop()
    finally:
        await server.shut()


async def test_mistakes_in_what_is_written_cost_no_watch(fleet: Fleet, certificate: Path, tmp_path: Path) -> None:
    async with door(fleet, certificate, tmp_path) as (url, tls, _), WatchClient(url, tls=tls) as client:
        seen = Seen(client, "items/mistakes")
        await eventually(lambda: client.state is State.LIVE, "it is live")
        for _ in range(20):
            with pytest.raises(WatchError) as refused:
                await client.put("items/" + "x" * 600, 1)
            assert refused.value.code == "invalid"
        version = (await client.put("items/mistakes", 1)).version
        await eventually(lambda: seen.versions["items/mistakes"] == [version], "it is still seen")
        assert client.state is State.LIVE
        await seen.stop()


@asynccontextmanager
async def answering(answers: Answers) -> AsyncIterator[tuple[str, list[ServerConnection]]]:
    """A push server for one watch, which answers writes so; its connections."""
    made: list[ServerConnection] = []

    async def talk(socket: ServerConnection) -> None:
        made.append(socket)
        async for text in socket:
            operation = json.loads(text)
            if operation["op"] == "subscribe":
                watch, ref = operation["watch"], operation["ref"]
                await tell(socket, event="synced", watch=watch, ref=ref, cursor="c", resumed=False)
            elif operation["op"] == "publish":
                await answers(socket, operation)

    async with serve(talk, HOST, 0, subprotocols=["watch.v1.json"]) as server:  # type: ignore[list-item]
        yield f"http://{HOST}:{next(iter(server.sockets)).getsockname()[1]}", made


async def tell(socket: ServerConnection, **frame: Any) -> None:
    await socket.send(json.dumps(frame))


async def hang_up(socket: ServerConnection, _: dict[str, Any]) -> None:
    socket.transport.abort()


async def say_nothing(_: ServerConnection, __: dict[str, Any]) -> None:
    return


@asynccontextmanager
async def live(url: str) -> AsyncIterator[WatchClient]:
    async with WatchClient(url, transports=["ws"]) as client:
        watch = client.watch("a/1")
        await eventually(lambda: client.state is State.LIVE, "it is live")
        yield client
        await watch.aclose()


async def outcome_of(write: Awaitable[object]) -> tuple[str, str | None]:
    with pytest.raises(WatchError) as failed:
        await write
    return failed.value.code, failed.value.outcome


async def test_what_a_lost_connection_leaves_unanswered_is_unknown_and_not_done_again() -> None:
    asked: list[dict[str, Any]] = []

    async def answers(socket: ServerConnection, operation: dict[str, Any]) -> None:
        asked.append(operation)
        await hang_up(socket, operation)

    async with answering(answers) as (url, made), live(url) as client:
        assert await outcome_of(client.put("a/1", 1)) == ("unreachable", "unknown")
        await eventually(lambda: len(made) == 2 and client.state is State.LIVE, "it has come back")
    assert [operation["data"] for operation in asked] == [1]


async def test_a_write_isnt_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_ANSWER_S", 0.2)
    async with answering(say_nothing) as (url, made), live(url) as client:
        assert await outcome_of(client.delete("a/1")) == ("unreachable", "unknown")
        assert (client.state, len(made)) == (State.LIVE, 1)


async def test_a_client_that_is_closed_leaves_the_outcome_unknown() -> None:
    async with answering(say_nothing) as (url, _), live(url) as client:
        writing = asyncio.create_task(client.put("a/1", 1))
        await eventually(lambda: client._made is not None and client._made._connections, "it is open")  # noqa: SLF001 -- what is asked can't be seen from outside
        await asyncio.sleep(0)
        await client.close()
        assert await outcome_of(writing) == ("unreachable", "unknown")


async def test_a_connection_that_is_let_go_still_answers() -> None:
    waiting: list[tuple[ServerConnection, dict[str, Any]]] = []

    async def answers(socket: ServerConnection, operation: dict[str, Any]) -> None:
        waiting.append((socket, operation))

    async with answering(answers) as (url, made), live(url) as client:
        writing = asyncio.create_task(client.put("a/1", 1))
        await eventually(lambda: waiting, "it is asked")
        await tell(made[0], event="goaway", cursor="c", reconnect_in_ms=10)
        await eventually(lambda: client._made and client._made.session.writers == [2], "the next one has taken over")  # noqa: SLF001 -- the application doesn't notice
        ((socket, operation),) = waiting
        await tell(socket, event="ack", ref=operation["ref"], resource="a/1", version="7", cursor="k")
        assert (await writing).version == 7
        await asyncio.wait_for(made[0].wait_closed(), 10)
        assert client.state is State.LIVE


async def test_a_refusal_of_a_write_says_nothing_of_the_watches() -> None:
    async def answers(socket: ServerConnection, operation: dict[str, Any]) -> None:
        await tell(socket, event="problem", code="forbidden", message="no", retry=False, ref=operation["ref"])

    async with answering(answers) as (url, made), live(url) as client:
        assert await outcome_of(client.put("a/1", 1)) == ("forbidden", None)
        made[0].transport.abort()
        await eventually(lambda: len(made) == 2 and client.state is State.LIVE, "it has come back")


async def test_a_request_that_reaches_nobody_wrote_nothing() -> None:
    async with WatchClient(f"http://{HOST}:9") as client:
        assert await outcome_of(client.put("a/1", 1)) == ("unreachable", "not_written")
        assert await outcome_of(client.put_many("a", {"1": 1})) == ("unreachable", "not_written")
