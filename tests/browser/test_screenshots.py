"""A picture of each page, on a desk by day and on a telephone by night.

`make screenshots` leaves them in docs/images, for the README; otherwise they are looked at and forgotten.
"""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, expect

from tests.browser.dashboard import Dashboard
from tests.browser.demo_process import DemoProcess
from tests.browser.example_page import DESKTOP, EXAMPLES, LIVE, TELEPHONE, opened, wait_shown
from tests.browser.picture import small

pytestmark = pytest.mark.browser

IMAGES: Final = os.environ.get("WATCHROUTE_SCREENSHOTS")
LARGEST_BYTES: Final = 120 * 1024
TRADES: Final = 24
NEWS: Final = 3


async def talk(page: Dashboard) -> None:
    await page.page.locator("#messages li").first.wait_for()
    await page.page.get_by_label("Message").fill("Good morning! I’ll bring the beans.")
    await page.page.keyboard.press("Enter")
    await page.page.locator('[data-own="true"]').first.wait_for()
    if IMAGES:
        await page.page.locator('[data-own="true"] ~ li').first.wait_for(timeout=60_000)


async def read_some(page: Dashboard) -> None:
    await page.page.locator("#items li").nth(3).wait_for()
    await page.page.get_by_role("button", name="Mark all as read").click()
    await page.page.locator('#items [data-unread="false"]').nth(3).wait_for()
    await page.page.get_by_role("button", name="Look into it").click()
    await expect(page.page.locator("#peeked")).to_contain_text("forbidden")
    if IMAGES:
        await page.page.locator('#items [data-unread="true"]').nth(1).wait_for(timeout=60_000)


async def follow(page: Dashboard) -> None:
    if IMAGES:
        await page.page.locator("#story li").nth(2).wait_for(timeout=120_000)


async def listen(page: Dashboard) -> None:
    if IMAGES:
        await page.page.locator("#news li").nth(NEWS).wait_for(timeout=120_000)


async def heat_up(page: Dashboard) -> None:
    await page.page.locator('#halls [data-hot="true"]').first.wait_for(timeout=60_000)
    if IMAGES:
        await page.page.wait_for_function("() => document.querySelector('#hot').textContent > 50", timeout=60_000)


PREPARED: Final[dict[str, Callable[[Dashboard], Awaitable[None]]]] = {
    "chat": talk,
    "iot": heat_up,
    "notifications": read_some,
    "orders": follow,
    "scores": listen,
}


async def prepared(page: Dashboard, name: str | None) -> None:
    """Wait until the page is worth a picture."""
    if name is None:
        await page.page.get_by_role("button", name="PUT").click()
        await page.page.locator("#playground-list li").first.wait_for()
        await page.wait_moves()
        wanted = TRADES if IMAGES else 2
        await page.page.wait_for_function(
            """wanted => [...document.querySelectorAll(".chart .line")]
                .every((line) => line.getAttribute("points")?.split(" ").length >= wanted)""",
            arg=wanted,
            timeout=300_000 if IMAGES else 30_000,
        )
        return
    await wait_shown(page, LIVE[name])
    if name in PREPARED:
        await PREPARED[name](page)


@pytest.mark.parametrize("name", [None, *EXAMPLES], ids=lambda name: name or "stocks")
async def test_each_page_is_worth_a_picture(chromium: Browser, tmp_path: Path, name: str | None) -> None:
    demo = DemoProcess(None, tmp_path, name)
    await demo.start()
    folder = Path(IMAGES or tmp_path)
    try:
        for size, end in ((DESKTOP, ""), (TELEPHONE, "-telephone")):
            async with opened(chromium, demo.url, size, dark=bool(end)) as page:
                await prepared(page, name)
                await expect(page.page.locator("#freshness")).not_to_have_text("–")
                if name != "chat":
                    await page.read("scrollTo(0, 0)")
                picture = small(await page.page.screenshot(animations="disabled"))
                assert len(picture) <= LARGEST_BYTES
                (folder / f"{name or 'stocks'}{end}.png").write_bytes(picture)
    finally:
        demo.kill()
