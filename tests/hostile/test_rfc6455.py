"""RFC 6455 by tables, against a live push server: after each case it serves others as before."""

from collections.abc import AsyncIterator, Iterable
from typing import Protocol

import pytest
import pytest_asyncio

from tests.hostile.frame_cases import (
    ANSWER,
    ASK,
    VALID_CODES,
    Breach,
    Exchange,
    breaches,
    exchanges,
)
from tests.integration.test_handoff_wires import CLOSE, CONT, PING, TEXT, UPGRADE, RawSocket, frame
from tests.support.fed_server import FedServer
from tests.support.server import eventually


class Named(Protocol):
    @property
    def name(self) -> str: ...


def ids(cases: Iterable[Named]) -> list[str]:
    return [case.name for case in cases]


BREACHES, EXCHANGES = list(breaches()), list(exchanges())


async def opened(fed: FedServer) -> RawSocket:
    """A WebSocket after its handshake."""
    raw = await RawSocket.connect(fed.port)
    raw.send(UPGRADE)
    assert (await raw.until(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    return raw


@pytest_asyncio.fixture(loop_scope="session")
async def client(fed: FedServer) -> AsyncIterator[RawSocket]:
    """A WebSocket; when the test is over, the server has forgotten it, and serves the next."""
    raw = await opened(fed)
    yield raw
    await raw.close()
    await eventually(lambda: not fed.subscribers, "the server has forgotten it")
    other = await opened(fed)
    other.send(ASK)
    assert await other.receive() == ANSWER
    other.send(frame(CLOSE, b""))
    assert await other.receive() == (CLOSE, b"")
    await other.close()
    await eventually(lambda: not fed.subscribers, "the server has forgotten the other one")


async def closed_with(client: RawSocket) -> int:
    """The code of its close frame, behind what it had to answer first."""
    opcode, payload = await client.receive()
    while opcode != CLOSE:
        assert (opcode, payload) == ANSWER, "it heeds nothing of what breaks the protocol"
        opcode, payload = await client.receive()
    return int.from_bytes(payload[:2])


@pytest.mark.parametrize("case", BREACHES, ids=ids(BREACHES))
async def test_a_breach_is_told_by_its_code_and_nothing_behind_it_is_heeded(client: RawSocket, case: Breach) -> None:
    client.send(case.data, ASK)
    assert await closed_with(client) == case.code
    client.send(ASK, frame(CLOSE, case.code.to_bytes(2)))
    assert b"pong" not in await client.rest()


@pytest.mark.parametrize("case", EXCHANGES, ids=ids(EXCHANGES))
@pytest.mark.parametrize("whole", [True, False], ids=["at once", "byte by byte"])
async def test_what_is_in_order_is_answered_in_order(client: RawSocket, case: Exchange, *, whole: bool) -> None:
    data = case.data + ASK
    for start in range(0, len(data), len(data) if whole else 1):
        client.send(data if whole else data[start : start + 1])
        await client.writer.drain()
    assert [await client.receive() for _ in (*case.answers, ASK)] == [*case.answers, ANSWER]


@pytest.mark.parametrize("code", VALID_CODES)
async def test_a_valid_close_code_comes_back_and_the_connection_ends(client: RawSocket, code: int) -> None:
    reason = ("é" * 61).encode()
    client.send(frame(CLOSE, code.to_bytes(2) + reason + b"!"))
    assert await client.receive() == (CLOSE, code.to_bytes(2))
    assert await client.rest() == b""


async def test_a_close_between_fragments_is_answered_and_the_message_is_not(client: RawSocket) -> None:
    client.send(frame(TEXT, b'{"op":"ping",', fin=False), frame(CLOSE, b"\x03\xe8"), frame(CONT, b'"ref":7}'))
    assert await client.receive() == (CLOSE, b"\x03\xe8")
    assert await client.rest() == b""


@pytest.mark.parametrize("behind", [ASK, frame(PING, b"x"), frame(CLOSE, b"\x0f\xa0"), b"\xff" * 50])
async def test_nothing_is_heeded_behind_a_close(client: RawSocket, behind: bytes) -> None:
    client.send(ASK, frame(CLOSE, b"\x03\xe9"), behind)
    assert await client.receive() == ANSWER
    assert await client.receive() == (CLOSE, b"\x03\xe9")
    assert await client.rest() == b""


async def test_the_answers_to_pings_keep_their_order_among_those_to_operations(client: RawSocket) -> None:
    client.send((ASK + frame(PING, b"x")) * 3)
    answers = [await client.receive() for _ in range(6)]
    assert [opcode for opcode, _ in answers] == [TEXT, 0xA] * 3


async def test_half_a_frame_and_an_end_leaves_nothing_behind(client: RawSocket, fed: FedServer) -> None:
    client.send(ASK, ASK[:7])
    assert await client.receive() == ANSWER
    client.writer.write_eof()
    assert await client.rest() == b""
    await eventually(lambda: not fed.subscribers, "the server has forgotten it")
