"""The JavaScript client in a real Chromium, before a real cluster that is not spared."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page
from playwright.async_api import TimeoutError as PlaywrightTimeout

from infra.cluster.deadline import until
from infra.cluster.kafka_jars import KafkaJars
from tests.browser.buffering import BufferingProxy
from tests.browser.client_stage import ClientStage, client_stage
from tests.chaos.stage import metric
from tests.integration.fronted import trusted_certificate

pytestmark = [pytest.mark.browser]
BARRED = """
window.isBarred = true;
window.tries = 0;
window.WebSocket = class extends WebSocket {
  constructor(url, protocols) {
    super(window.isBarred ? "wss://localhost:9/" : url, protocols);
    window.tries += 1;
  }
};
"""
"""No WebSocket can be opened, until it is said that they may be."""
HASTY = """
window.said = [];
client.addEventListener("state", () => said.push([client.transport, client.state]));
const { setTimeout } = client.world;
client.world.setTimeout = (call, ms) => setTimeout(call, ms < 30000 ? ms : ms / 100);
"""
"""Rests are short, and what is said of the state is kept with the transport."""
WS, SSE, POLL = ({"transports": [name]} for name in ("ws", "sse", "poll"))


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def stage(kafka_jars: KafkaJars, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ClientStage]:
    """The cluster of this file. Each test leaves it whole."""
    folder = tmp_path_factory.mktemp("client")
    with trusted_certificate(folder / "certs"):
        async with client_stage(folder, kafka_jars) as running:
            yield running


@pytest_asyncio.fixture(loop_scope="session")
async def browsing(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A browser that takes the certificate for good."""
    context = await chromium.new_context(ignore_https_errors=True)
    yield context
    await context.close()


@pytest.fixture(autouse=True)
def good_network(stage: ClientStage) -> Iterator[None]:
    """Whatever a test has done to it, and whatever became of that test."""
    yield
    stage.network.cut()
    stage.network.mend()


async def is_state(page: Page, state: str) -> None:
    try:
        await page.wait_for_function("state => client.state === state", arg=state, timeout=30_000)
    except PlaywrightTimeout:
        told = await page.evaluate(
            "[client.reason?.code, client.reason?.message, client.roads.current.name, seen.states]"
        )
        raise AssertionError(f"it is never {state}: {told}") from None


async def states(page: Page) -> list[str]:
    found: list[str] = await page.evaluate("seen.states")
    return found


def events(frames: list[dict[str, Any]]) -> set[str]:
    return {frame["event"] for frame in frames}


@pytest.mark.parametrize("options", [WS, SSE, POLL], ids=["ws", "sse", "poll"])
async def test_servers_that_are_killed_are_noticed_by_nothing_but_the_state(
    stage: ClientStage, browsing: BrowserContext, options: Mapping[str, Any]
) -> None:
    async with stage.writer.writing():
        page = await stage.page(browsing, **options)
        await is_state(page, "live")
        for server in stage.cluster.servers:
            await server.kill()
            await server.start()
        await is_state(page, "live")
    await stage.settled(page)
    assert events(await stage.judge(page)) == {"put", "delete", "synced"}


@pytest.mark.parametrize("options", [WS, SSE], ids=["ws", "sse"])
async def test_a_rolling_restart_shows_no_gap_and_no_repeat(
    stage: ClientStage, browsing: BrowserContext, options: Mapping[str, Any]
) -> None:
    async with stage.writer.writing():
        page = await stage.page(browsing, **options)
        await is_state(page, "live")
        for number, server in enumerate(stage.cluster.servers, 1):
            await server.stop()
            await server.start()
            await stage.cluster.door.until_status(f"pushserver{number}", "UP")
        await is_state(page, "live")
    await stage.settled(page)
    frames = await stage.judge(page)
    assert sum(frame["event"] == "synced" for frame in frames) == 1
    assert "offline" not in await states(page)


async def test_where_nothing_can_be_reached_web_sockets_are_not_to_blame(
    stage: ClientStage, browsing: BrowserContext
) -> None:
    async with stage.writer.writing():
        page = await stage.page(browsing)
        await is_state(page, "live")
        stage.network.cut()
        await is_state(page, "offline")
        await page.wait_for_function("seen.states.filter(state => state === 'connecting').length >= 4")
        stage.network.mend()
        await is_state(page, "live")
        assert await page.evaluate("client.roads.current.name") == "ws"
    await stage.settled(page)
    await stage.judge(page)


async def test_once_web_sockets_can_be_had_again_it_is_back_on_one(
    stage: ClientStage, browsing: BrowserContext
) -> None:
    await browsing.add_init_script(BARRED)
    async with stage.writer.writing():
        page = await stage.page(browsing)
        await page.evaluate(HASTY)
        await is_state(page, "live")
        assert await page.evaluate("client.transport") == "sse"
        await page.wait_for_function("tries >= 4")
        await page.evaluate("said.length = 0; isBarred = false")
        await page.wait_for_function("client.transport === 'ws'")
        written = await page.evaluate("client.put('page/written', { n: -1 })")
        await page.wait_for_function("version => seen.versions['page/written'] === version", arg=written["version"])
    await stage.settled(page)
    assert events(await stage.judge(page)) == {"put", "delete", "synced"}
    said = dict(reversed(await page.evaluate("said")))
    assert said["ws"] == "live"


async def test_a_network_that_is_gone_is_noticed_and_one_that_is_back_is_used_at_once(
    stage: ClientStage, browsing: BrowserContext
) -> None:
    async with stage.writer.writing():
        page = await stage.page(browsing)
        await is_state(page, "live")
        # A browser that is offline may not say that a socket is gone: then its silence is noticed.
        await page.wait_for_function("client.beatMs < 3000")
        await browsing.set_offline(True)
        stage.network.cut()
        await is_state(page, "offline")
        stage.network.mend()
        await browsing.set_offline(False)
        await is_state(page, "live")
    await stage.settled(page)
    await stage.judge(page)


async def test_a_half_open_connection_is_left_behind(stage: ClientStage, browsing: BrowserContext) -> None:
    page = await stage.page(browsing)
    await is_state(page, "live")
    # It has learnt how often the server speaks.
    await page.wait_for_function("client.beatMs < 3000")
    stage.network.forget()
    async with stage.writer.writing():
        await is_state(page, "offline")
        await is_state(page, "live")
    await stage.settled(page)
    await stage.judge(page)


async def has_watchers(stage: ClientStage, count: int) -> None:
    async def has() -> bool:
        asked = (metric(server, "watchroute_connections") for server in stage.cluster.servers)
        return sum(await asyncio.gather(*asked)) == count

    await until(has, f"the servers have {count} watchers", within_s=40, every_s=0.1)


async def test_two_tabs_share_one_connection_and_hand_it_over(stage: ClientStage, browsing: BrowserContext) -> None:
    await has_watchers(stage, 0)
    async with stage.writer.writing():
        first = await stage.page(browsing, isShared=True)
        await is_state(first, "live")
        second = await stage.page(browsing, isShared=True)
        await is_state(second, "live")
        await has_watchers(stage, 1)
    await stage.settled(first, second)
    await stage.judge(first)
    async with stage.writer.writing():
        await first.close()
        await stage.settled(second)
    await stage.settled(second)
    frames = await stage.judge(second)
    assert sum(frame["event"] == "synced" for frame in frames) == 1
    await has_watchers(stage, 1)


async def test_a_thousand_changes_a_second_drop_no_picture(stage: ClientStage, browsing: BrowserContext) -> None:
    page = await stage.blank(browsing)
    await page.evaluate("show", {"path": "page"})
    session = await browsing.new_cdp_session(page)
    await session.send("Performance.enable")

    async def busy_s() -> float:
        metrics = (await session.send("Performance.getMetrics"))["metrics"]
        return float(next(each["value"] for each in metrics if each["name"] == "ThreadTime"))

    async with stage.writer.writing(1000):
        await is_state(page, "live")
        before = await busy_s()
        await page.evaluate("pictures.shown = 0, pictures.at.length = 0, longTasks.length = 0")
        await page.wait_for_function("pictures.at.length >= 300", timeout=60_000)
        busy = await busy_s() - before
        seen = await page.evaluate("({...pictures, longTasks})")
    # Of the 16 ms for each picture. By the processor's time: what a busy machine takes away is not the page's doing.
    assert 0 < busy / 300 < 0.012, busy
    assert len(seen["longTasks"]) <= 15
    assert seen["shown"] > 100


async def test_a_proxy_that_buffers_and_breaks_upgrades_is_stepped_around(
    stage: ClientStage, browsing: BrowserContext
) -> None:
    proxy = BufferingProxy(stage.url)
    async with proxy.running():
        page = await stage.blank(browsing, proxy.url)
        async with stage.writer.writing():
            await page.evaluate("begin", {"path": "page", "silenceMs": 3000})
            await is_state(page, "live")
        await stage.settled(page)
        await stage.judge(page)
    used = [each for each in proxy.asked if each in {"upgrade", "stream", "poll"}]
    assert used[0] == "upgrade"
    assert "stream" in used
    assert used[-1] == "poll"
