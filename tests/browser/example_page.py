"""A page of examples/ in a browser, or the demo's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from playwright.async_api import Browser

from infra.cluster.process import ROOT
from tests.browser.dashboard import Dashboard

EXAMPLES: Final = sorted(path.parent.name for path in (ROOT / "examples").glob("*/producer.py"))
LIVE: Final = {
    "chat": "#messages",
    "cursors": ".layer",
    "iot": "#hottest",
    "notifications": "#items",
    "orders": "#orders",
    "scores": "#matches",
}
"""What of each page changes by itself."""
DESKTOP: Final = (1280, 860)
TELEPHONE: Final = (390, 844)
LEGIBILITY: Final = Path(__file__).with_name("legibility.js").read_text(encoding="utf-8")
_ALL_SENSORS_MS: Final = 60_000
"""Ten thousand frames take two seconds, and more where other tests take the processors."""
_LIVE_HTML: Final = "selector => document.querySelector(selector).innerHTML"


@asynccontextmanager
async def opened(
    chromium: Browser, url: str, size: tuple[int, int] = DESKTOP, *, dark: bool = False
) -> AsyncIterator[Dashboard]:
    """The page in a browser that knows nothing; it must break neither its own code nor its policy."""
    width, height = size
    context = await chromium.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
    )
    page = await Dashboard.open(context, url)
    yield page
    assert page.errors == []
    assert await page.read("window.violations") == []
    await context.close()


async def wait_shown(page: Dashboard, selector: str) -> None:
    """Until it is live, and what is selected shows something."""
    await page.page.locator("#state", has_text="Live").wait_for(timeout=_ALL_SENSORS_MS)
    await page.page.wait_for_function("selector => document.querySelector(selector)?.textContent", arg=selector)


async def wait_change(page: Dashboard, selector: str) -> None:
    """Until what is selected shows something, and then something else."""
    await wait_shown(page, selector)
    before = await page.page.evaluate(_LIVE_HTML, selector)
    await page.page.wait_for_function(
        "([selector, before]) => document.querySelector(selector).innerHTML !== before", arg=[selector, before]
    )


async def heals(page: Dashboard) -> None:
    """Break the connection by keyboard, and see it come back."""
    await page.wait_state("Live")
    await page.page.locator("#break").focus()
    await page.page.keyboard.press("Enter")
    await page.wait_state("broken by you")
    await page.wait_state("Live")
