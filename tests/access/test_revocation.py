"""Tokens that are revoked: everywhere, at once, for good, and ordered with the data."""

import asyncio
import itertools
import math
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio
from pydantic import SecretStr
from structlog.testing import capture_logs

from services.pushserver.relay import Relay
from services.pushserver.session import Publish
from shared.grants import Grants
from shared.principal import Principal
from shared.problem import Problem
from shared.resource import Watch
from tests.access.asking import Route, ask
from tests.access.conftest import writing
from tests.access.connected import Socket, event, opened
from tests.access.revoking import Running, Scene, is_refused, prepared, shown, streams, until_applied
from tests.support.broker import Broker
from tests.support.server import eventually, metric
from tests.support.topics import Topics

pytestmark = pytest.mark.real_kafka
PUT = Route("PUT", "/v1/items/mine", body=b"1")
WITHIN_S = 1.0
ANN = Principal("ann", math.inf, Grants([]))


@pytest_asyncio.fixture(loop_scope="session")
async def scene(broker: Broker, topics: Topics, tmp_path: Path) -> Scene:
    return await prepared(broker, topics, tmp_path)


async def ticket_of(running: Running, token: str) -> str:
    answer = await shown(running, token, Route("POST", "/v1/tickets", body=b'{"watches":["items"]}'))
    ticket: str = orjson.loads(answer.body)["ticket"]
    return ticket


async def test_it_ends_every_transport_on_every_server_within_a_second(scene: Scene) -> None:
    ann, bob = (scene.identity.token("watch:*", sub=sub, jti=f"of {sub}") for sub in ("ann", "bob"))
    async with scene.servers() as both, AsyncExitStack() as stack:
        sockets, told, polled, others = [], [], [], []
        for server in both:
            ticket = await ticket_of(server, ann)
            for token, path in ((ann, "/v1/items/ws"), (None, f"/v1/items/ws?ticket={ticket}")):
                sockets.append(await stack.enter_async_context(opened(server, token, path)))
                await sockets[-1].until(event("synced"))
            stream, poll = await stack.enter_async_context(streams(server, ann))
            told.append(stream)
            polled.append(poll)
            others.append(await stack.enter_async_context(opened(server, bob, "/v1/items/ws")))
            await others[-1].until(event("synced"))
        with capture_logs() as captured:
            began = time.monotonic()
            await scene.say("sub:ann")
            problems = [(await socket.until(event("problem")))["code"] for socket in sockets]
            codes = [await socket.closed() for socket in sockets]
            texts, answers = await asyncio.gather(*told), await asyncio.gather(*polled)
            took_s = time.monotonic() - began
        assert (problems, codes) == (["forbidden"] * 4, [4403] * 4)
        for text, answer in zip(texts, answers, strict=True):
            assert "event: problem" in text.rstrip().rpartition("\n\n")[2]
            assert '"code":"forbidden"' in text
            assert text.rstrip().endswith(f'"cursor":"{answer["cursor"]}"}}')
            assert [frame["code"] for frame in answer["frames"]] == ["forbidden"]
        assert took_s < WITHIN_S
        for server in both:
            assert metric(server.server, "closed_total", reason="revoked") == 4
            assert metric(server.server, "revocations") == 1
        lines = [line for line in captured if line.get("decision") == "revoked"]
        assert [(line["sub"], line["jti"], line["reason"]) for line in lines] == [("ann", "of ann", "revoked")] * 8
        await scene.put("a", "second")
        for other in others:
            await other.until(lambda frame: frame.get("data") == "second")


async def test_what_it_names_is_refused_wherever_it_is_shown(scene: Scene) -> None:
    ann = scene.identity.token("watch:* publish:*")
    async with scene.servers() as both, scene.producer() as producer:
        tickets = [await ticket_of(server, ann) for server in both]
        assert (await shown(producer, ann, PUT)).status == 200
        async with opened(both[0], scene.identity.token("watch:*", sub="bob")) as socket:
            await scene.say("sub:ann")
            for server, ticket in zip(both, tickets, strict=True):
                await until_applied(ANN, server)
                assert is_refused(await shown(server, ann))
                assert is_refused(await shown(server, ann, Route("GET", "/v1/items/ws", upgrade=True)))
                assert is_refused(await ask(server.port, Route("GET", "/v1/items/stream"), {}, f"ticket={ticket}"))
                assert is_refused(await shown(server, ann, Route("POST", "/v1/tickets", body=b'{"watches":["items"]}')))
            assert (await socket.op(op="auth", token=ann))["code"] == "unauthenticated"
        log = producer.gate.revocations
        await eventually(lambda: log and len(log.held) == 1, "the producer knows it")
        written = len(producer.publisher.writes)
        assert is_refused(await shown(producer, ann, PUT))
        assert is_refused(await shown(producer, ann, Route("POST", "/v1/items", body=b'[{"id":"mine","data":1}]')))
        relay = Relay(f"http://127.0.0.1:{producer.port}")
        with pytest.raises(Problem, match="revoked"):
            await relay.publish(Publish(Watch("items", "mine"), 1, delete=False, ref=1, token=SecretStr(ann)))
        await relay.close()
        assert len(producer.publisher.writes) == written


async def test_it_survives_a_restart_and_nobody_is_let_in_before_it_is_known(scene: Scene) -> None:
    ann = scene.identity.token("watch:*")
    await scene.say("sub:ann")
    async with scene.server() as server:
        assert is_refused(await shown(server, ann))
    async with writing(scene.auth) as producer:
        # Its Kafka isn't there.
        answer = await shown(producer, ann, PUT)
        assert (answer.status, answer.code) == (503, "not_ready")
        assert producer.publisher.writes == []
        assert "revocations" in (producer.gate.not_ready or "")


async def test_a_topic_that_is_not_there_keeps_a_server_from_being_ready(
    broker: Broker, topics: Topics, tmp_path: Path
) -> None:
    scene = Scene(broker, topics, tmp_path)
    await scene.set_up(control=False)
    async with scene.server(ready=False) as server:
        missing = f"revocations: the topic {scene.control} does not exist"
        await eventually(lambda: server.server.not_ready == missing, "it says what is missing")
        await scene.make_control()
        await eventually(lambda: server.server.not_ready is None, "it notices by itself")


async def test_it_can_be_taken_back(scene: Scene) -> None:
    ann = scene.identity.token("watch:*")
    async with scene.server() as server:
        await scene.say("sub:ann")
        await eventually(lambda: len(server.log.held) == 1, "it is revoked")
        assert is_refused(await shown(server, ann))
        await scene.say("sub:ann", None)
        await eventually(lambda: len(server.log.held) == 0, "it is taken back")
        assert (await shown(server, ann)).status == 200


async def test_a_newer_token_and_one_with_another_id_are_good(scene: Scene) -> None:
    now = int(time.time())
    old, new = (scene.identity.token("watch:*", iat=now - age, jti=str(age)) for age in (100, 10))
    async with scene.server() as server:
        await scene.say("sub:ann", {"revoked_before": now - 50})
        await eventually(lambda: len(server.log.held) == 1, "it is revoked")
        assert is_refused(await shown(server, old))
        async with opened(server, new, "/v1/items/ws") as socket:
            await socket.until(event("synced"))
            await scene.say("jti:10")
            assert await socket.closed() == 4403
        assert is_refused(await shown(server, new))
        assert (await shown(server, scene.identity.token("watch:*", iat=now, jti="0"))).status == 200


async def test_records_that_say_nothing_are_counted_and_the_next_one_counts(scene: Scene) -> None:
    ann = scene.identity.token("watch:*")
    nonsense = [(b"ann", b"{}"), (b"sub:ann", b"{"), (b"sub:ann", b'{"revoked_before":"now"}'), (b"\xff", b"{}")]
    async with scene.server() as server:
        for key, value in nonsense:
            await scene.say_raw(key, value)
        await eventually(lambda: metric(server.server, "revocations_malformed_total") == 4, "they are counted")
        assert (await shown(server, ann)).status == 200
        await scene.say("sub:ann")
        await eventually(lambda: len(server.log.held) == 1, "it is revoked")
        assert is_refused(await shown(server, ann))


async def test_nothing_that_is_produced_after_it_was_applied_reaches_the_revoked(scene: Scene) -> None:
    async with scene.servers() as both, AsyncExitStack() as stack:
        ann, bob = (scene.identity.token("watch:*", sub=sub) for sub in ("ann", "bob"))
        revoked = [await stack.enter_async_context(opened(server, ann, "/v1/items/ws?mode=log")) for server in both]
        kept = [await stack.enter_async_context(opened(server, bob, "/v1/items/ws?mode=log")) for server in both]
        reading = [asyncio.create_task(_numbers(socket)) for socket in revoked]
        written = 0
        done = asyncio.Event()

        async def write() -> None:
            nonlocal written
            for number in itertools.count(1):
                # Counted before Kafka can have it.
                written = number
                await scene.put("n", number)
                if done.is_set():
                    return

        writer = asyncio.create_task(write())
        await eventually(lambda: written > 20, "it is being written")
        await scene.say("sub:ann")
        await until_applied(ANN, *both)
        last = written
        await eventually(lambda: written > last + 50, "it is still being written")
        for socket in kept:
            await socket.until(lambda frame: isinstance(frame.get("data"), int) and frame["data"] > last + 50)
        done.set()
        await writer
        for numbers in await asyncio.gather(*reading):
            assert numbers
            assert max(numbers) <= last


async def _numbers(socket: Socket) -> list[int]:
    """All that it is told until it is closed."""
    found: list[int] = []

    def note(frame: dict[str, Any]) -> bool:
        found.extend([frame["data"]] if isinstance(frame.get("data"), int) else [])
        return bool(frame["event"] == "problem")

    await socket.until(note)
    assert await socket.closed() == 4403
    return found
