"""The server goes away and comes back: the page stays, and never goes back in time."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext

from tests.browser.dashboard import TRANSPORTS, Dashboard, everything_shown, regressions
from tests.browser.demo_process import DemoProcess

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("transport", "end"),
    [*((transport, DemoProcess.kill) for transport in TRANSPORTS), ("sse", DemoProcess.stop)],
    ids=lambda value: getattr(value, "__name__", value),
)
async def test_a_restart_is_survived_without_a_reload_and_without_an_older_price(
    dashboard: Dashboard, demo: DemoProcess, transport: str, end: Callable[[DemoProcess], None]
) -> None:
    await dashboard.choose(transport)
    await dashboard.wait_live(transport)
    await dashboard.wait_moves()
    epoch = await dashboard.read("watchroute.epoch")

    end(demo)
    await dashboard.wait_state("Offline")
    before = await dashboard.versions()
    await demo.start()
    await dashboard.wait_live(transport)
    await dashboard.wait_moves(stocks=12, since=before)

    assert await dashboard.read("window.sameDocument")
    assert await dashboard.read("watchroute.epoch") == epoch
    assert regressions(await everything_shown(dashboard)) == []


async def test_a_restart_with_a_new_log_starts_over_without_a_reload(context: BrowserContext, tmp_path: Path) -> None:
    demo = DemoProcess(None, tmp_path)
    await demo.start()
    try:
        dashboard = await Dashboard.open(context, demo.url)
        await dashboard.wait_live("sse")
        epoch = await dashboard.read("watchroute.epoch")
        demo.kill()
        await dashboard.wait_state("Offline")
        assert len(await dashboard.versions()) == 12
        await demo.start()
        await dashboard.page.wait_for_function("epoch => watchroute.epoch > epoch", arg=epoch)
        await dashboard.wait_live("sse")
        await dashboard.wait_moves()
        assert await dashboard.read("window.sameDocument")
        assert regressions(await everything_shown(dashboard)) == []
        assert dashboard.errors == []
    finally:
        demo.kill()


async def test_the_playground_has_caught_up_after_a_restart(dashboard: Dashboard, demo: DemoProcess) -> None:
    await demo.put("playground/leaves", 1)
    await demo.put("playground/stays", 1)
    await dashboard.page.locator('[data-resource="playground/leaves"]').wait_for()
    demo.kill()
    await dashboard.wait_state("Offline")
    await demo.start()
    await demo.delete("playground/leaves")
    await demo.put("playground/stays", 2)
    await dashboard.page.locator('[data-resource="playground/leaves"]').wait_for(state="detached")
    await dashboard.page.locator('[data-resource="playground/stays"] code', has_text="2").wait_for()


async def test_a_refused_stream_is_asked_for_again_by_hand(dashboard: Dashboard, demo: DemoProcess) -> None:
    """A proxy that answers for a server that is away must not end the watch."""
    await dashboard.wait_live("sse")
    await dashboard.page.route("**/v1/stocks/stream*", lambda route: route.fulfill(status=503))
    demo.kill()
    await dashboard.wait_state("HTTP 503")
    await dashboard.page.unroute("**/v1/stocks/stream*")
    await demo.start()
    await dashboard.wait_live("sse")
    await dashboard.wait_moves()
