"""Keys from a real HTTP server and from a file: fetched, kept, looked for again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from infra.cluster.deadline import until
from shared import key_source
from shared.key_source import MOST_BYTES, KeySource
from tests.support.tokens import SigningKey, key_set

OLD, NEW = SigningKey("ES256", "old"), SigningKey("ES256", "new")
Answer = Callable[[], Awaitable[web.StreamResponse]]


class Provider:
    """An identity provider: `answer` may be changed; `asked` counts."""

    def __init__(self) -> None:
        self.asked = 0
        self.keys = [OLD]
        self.url = ""
        self.answer: Answer = self.good

    async def good(self) -> web.StreamResponse:
        return web.Response(body=key_set(*self.keys))

    async def handle(self, _: web.Request) -> web.StreamResponse:
        self.asked += 1
        return await self.answer()


@asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    found = Provider()
    app = web.Application()
    app.router.add_get("/keys", found.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    found.url = f"http://{host}:{port}/keys"
    try:
        yield found
    finally:
        await runner.cleanup()


async def test_keys_are_fetched_once_for_all_who_ask_at_the_same_time() -> None:
    async with provider() as idp:
        source = KeySource(idp.url, 600)
        found = await asyncio.gather(*(source.find("old", "ES256") for _ in range(20)))
        assert all(found)
        assert await source.find("old", "ES256")
        assert idp.asked == 1


async def test_an_unknown_key_is_looked_for_once_in_a_while() -> None:
    async with provider() as idp:
        source = KeySource(idp.url, 600)
        assert await source.fetch()
        for number in range(10):
            assert await source.find(f"made up {number}", "ES256") is None
        assert idp.asked == 2


async def test_a_rotated_key_is_found_at_once_and_the_old_one_as_long_as_it_is_published() -> None:
    async with provider() as idp:
        source = KeySource(idp.url, 600, unknown_key_s=0)
        assert await source.find("old", "ES256")
        idp.keys = [OLD, NEW]
        assert await source.find("new", "ES256")
        assert await source.find("old", "ES256")
        idp.keys = [NEW]
        assert await source.fetch()
        assert await source.find("old", "ES256") is None


async def test_keys_are_refreshed_in_the_background() -> None:
    async with provider() as idp:
        source = KeySource(idp.url, 0.05)
        running = asyncio.create_task(source.run())
        idp.keys = [NEW]

        async def refreshed() -> bool:
            return idp.asked >= 3

        await until(refreshed, "it was asked again", every_s=0.01)
        running.cancel()
        assert await source.find("new", "ES256")


async def refuse() -> web.StreamResponse:
    return web.Response(status=500)


async def redirect() -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": "/keys"})


async def flood() -> web.StreamResponse:
    return web.Response(body=b" " * (MOST_BYTES + 1))


async def nonsense() -> web.StreamResponse:
    return web.Response(body=b"<html>")


async def hang() -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


@pytest.mark.parametrize("answer", [refuse, redirect, flood, nonsense, hang])
async def test_keys_are_kept_when_the_provider_has_none_to_give(
    answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_source, "FETCH_TIMEOUT_S", 0.2)
    async with provider() as idp:
        source = KeySource(idp.url, 600)
        assert await source.fetch()
        idp.answer = answer
        assert not await source.fetch()
        assert await source.find("old", "ES256")
        fresh = KeySource(idp.url, 600)
        assert await fresh.find("old", "ES256") is None
        assert not fresh.known


async def test_keys_are_kept_when_the_provider_is_gone() -> None:
    async with provider() as idp:
        source = KeySource(idp.url, 600)
        assert await source.fetch()
    assert not await source.fetch()
    assert source.known


async def test_keys_come_from_a_file_too(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    source = KeySource(str(path), 600, unknown_key_s=0)
    assert await source.find("old", "ES256") is None
    path.write_bytes(key_set(OLD))
    assert await source.find("old", "ES256")
    path.write_bytes(b" " * (MOST_BYTES + 1))
    assert not await source.fetch()
    assert source.known


async def test_who_gives_up_waiting_takes_it_from_nobody_else() -> None:
    async with provider() as idp:
        arrived, go_on = asyncio.Event(), asyncio.Event()

        async def late() -> web.StreamResponse:
            arrived.set()
            await go_on.wait()
            return await idp.good()

        idp.answer = late
        source = KeySource(idp.url, 600)
        first, second = (asyncio.create_task(source.find("old", "ES256")) for _ in range(2))
        await arrived.wait()
        first.cancel()
        go_on.set()
        assert await second
        assert idp.asked == 1
