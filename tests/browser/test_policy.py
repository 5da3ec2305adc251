"""The demo page's policy: the page keeps to it (every test of the page sees that), and it holds."""

import pytest
from playwright.async_api import BrowserContext

from tests.browser.dashboard import TRANSPORTS, Dashboard
from tests.browser.demo_process import DemoProcess

pytestmark = pytest.mark.browser

SCRIPT = """() => {
    const script = document.createElement("script");
    script.append("window.ran = true");
    document.body.append(script);
    document.body.append(Object.assign(document.createElement("img"), {src: "https://evil.example/pixel"}));
    document.body.setAttribute("style", "color: red");
}"""


async def test_the_page_keeps_to_its_policy_over_each_transport(dashboard: Dashboard) -> None:
    for transport in TRANSPORTS:
        await dashboard.choose(transport)
        await dashboard.wait_live(transport)
        await dashboard.wait_moves()
    assert await dashboard.read("window.violations") == []


async def test_no_script_that_got_into_the_page_runs_and_nothing_is_sent_elsewhere(
    context: BrowserContext, demo: DemoProcess
) -> None:
    await demo.start()
    opened = await Dashboard.open(context, demo.url)
    await opened.wait_live("sse")
    await opened.page.evaluate(SCRIPT)
    await opened.page.wait_for_function("() => window.violations.length >= 3")
    broken = {violation.partition(":")[0] for violation in await opened.read("window.violations")}
    assert {"img-src", "require-trusted-types-for", "style-src-attr"} <= broken
    assert await opened.read("window.ran") is None


async def test_no_page_of_anybody_can_show_it_in_a_frame(context: BrowserContext, demo: DemoProcess) -> None:
    await demo.start()
    page = await context.new_page()
    async with page.expect_event("requestfailed"):
        await page.set_content(f'<iframe src="{demo.url}/"></iframe>')
    assert not [frame for frame in page.frames if frame.url.startswith(demo.url)]
