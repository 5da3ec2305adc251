"""What a source may have and do at the front door; refused before any server is asked: here there is none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from infra.cluster.front_door import FrontDoor
from tests.integration.fronted import quick_door
from tests.support.client import Answer, Http
from tests.support.fleet import free_port
from tests.support.front_client import DoorHttp, tls_connection

READ: Final = "/v1/items"
OTHER: Final = "127.0.0.2"


@asynccontextmanager
async def front_door(folder: Path, certificate: Path, **limits: int) -> AsyncIterator[FrontDoor]:
    """A door to servers that aren't there."""
    nowhere = {f"FRONT_{kind}_1": f"127.0.0.1:{free_port()}" for kind in ("PUSHSERVER", "PRODUCER")}
    given = {f"FRONT_{name.upper()}": str(limit) for name, limit in limits.items()}
    async with quick_door(folder, certificate, nowhere | given) as door:
        yield door


async def ask(door: FrontDoor, count: int, source: str = "127.0.0.1", **headers: str) -> list[Answer]:
    """So many reads over one connection."""
    async with DoorHttp(door.url, source=source) as http:
        return [await http.get(READ, headers=headers) for _ in range(count)]


async def refused(door: FrontDoor, backend: str) -> float:
    return await door.metric("haproxy_backend_requests_denied_total", backend)


def codes(answers: list[Answer]) -> list[str]:
    return [answer.problem()["code"] for answer in answers]


async def test_where_no_server_is_ready_the_refusal_is_a_problem_document(certificate: Path, tmp_path: Path) -> None:
    async with front_door(tmp_path, certificate) as door:
        (read,) = await ask(door, 1)
        async with DoorHttp(door.url) as http:
            write = await http.request("PUT", f"{READ}/a", headers={"Content-Type": "application/json"}, body=b"1")
        await door.until_status("pushserver1", "DOWN")
        async with Http(door.admin_url) as http:
            assert (await http.get("/readyz")).status == 503
    assert (read.status, read.problem()["code"]) == (503, "not_ready")
    assert write.problem()["outcome"] == "not_written"
    assert all(1 <= int(answer.headers["Retry-After"]) <= 5 for answer in (read, write))


async def test_requests_beyond_the_rate_are_refused_and_counted_and_others_are_not(
    certificate: Path, tmp_path: Path
) -> None:
    async with front_door(tmp_path, certificate, source_requests_10s=5) as door:
        answers = await ask(door, 8)
        assert codes(answers) == ["not_ready"] * 5 + ["rate_limited"] * 3
        assert all(answer.status == 429 and int(answer.headers["Retry-After"]) > 0 for answer in answers[5:])
        assert codes(await ask(door, 1, OTHER)) == ["not_ready"]
        assert await refused(door, "rate_limited") == 3


async def test_handshakes_beyond_the_rate_are_refused(certificate: Path, tmp_path: Path) -> None:
    async with front_door(tmp_path, certificate, source_handshakes_10s=4) as door:
        answers = [(await ask(door, 1))[0] for _ in range(6)]
        assert codes(answers) == ["not_ready"] * 4 + ["rate_limited"] * 2
        assert codes(await ask(door, 1, OTHER)) == ["not_ready"]


async def test_connections_beyond_the_limit_are_refused_until_one_ends(certificate: Path, tmp_path: Path) -> None:
    async with front_door(tmp_path, certificate, source_connections=3) as door, AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(tls_connection(door.url))
        async with tls_connection(door.url):
            (answer,) = await ask(door, 1)
            assert (answer.status, answer.problem()["code"]) == (429, "too_many_connections")
            assert int(answer.headers["Retry-After"]) > 0
            assert codes(await ask(door, 1, OTHER)) == ["not_ready"]
            assert await refused(door, "too_many_connections") == 1
        async with asyncio.timeout(10):
            while codes(await ask(door, 1)) != ["not_ready"]:
                pass


async def test_a_crowd_of_connections_beyond_twice_the_limit_gets_no_handshake(
    certificate: Path, tmp_path: Path
) -> None:
    async with front_door(tmp_path, certificate, source_connections=2) as door, AsyncExitStack() as stack:
        for _ in range(5):
            await stack.enter_async_context(tls_connection(door.url))
        with pytest.raises(OSError):  # noqa: PT011 -- reset or ended, as the kernel pleases
            await stack.enter_async_context(tls_connection(door.url))


@pytest.mark.parametrize(("size", "code"), [(900, "not_ready"), (1100, "too_large")])
async def test_a_head_that_is_too_large_is_refused(size: int, code: str, certificate: Path, tmp_path: Path) -> None:
    async with front_door(tmp_path, certificate, max_header_bytes=1024) as door:
        (answer,) = await ask(door, 1, Padding="x" * (size - 150))
        assert answer.problem()["code"] == code


async def test_a_head_that_haproxy_cannot_hold_is_refused_in_its_own_words(certificate: Path, tmp_path: Path) -> None:
    async with front_door(tmp_path, certificate) as door:
        (answer,) = await ask(door, 1, Padding="x" * 40_000)
    # 431 by HAProxy 3.2, 400 by older ones.
    assert answer.status in {400, 431}


@pytest.mark.parametrize(("size", "code"), [(1024, "not_ready"), (1025, "too_large")])
async def test_a_body_that_is_too_large_is_refused(size: int, code: str, certificate: Path, tmp_path: Path) -> None:
    async with front_door(tmp_path, certificate, max_body_bytes=1024) as door:
        async with DoorHttp(door.url) as http:
            answer = await http.request("PUT", f"{READ}/a", body=b"x" * size)
        assert answer.problem()["code"] == code
        assert await refused(door, "too_large") == (code == "too_large")
