"""What the pages of examples/ have in common: they live, heal, fit, can be read, and can be reached."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.demo_process import DemoProcess
from tests.browser.example_page import (
    DESKTOP,
    EXAMPLES,
    LEGIBILITY,
    LIVE,
    TELEPHONE,
    heals,
    opened,
    wait_change,
    wait_shown,
)

pytestmark = pytest.mark.browser

FOCUSED = """(() => {
    const at = document.activeElement;
    const shown = at.type === "radio" ? at.nextElementSibling : at;
    const isSeen = at === document.body || getComputedStyle(shown).outlineStyle !== "none";
    return [at.id || at.name || at.textContent, isSeen];
})()"""
"""What has the focus, and whether one sees that."""


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=EXAMPLES)
async def example(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[str, DemoProcess]]:
    """One after the other: its name, and where it runs over a Kafka of its own."""
    process = DemoProcess(None, tmp_path_factory.mktemp("example"), request.param)
    await process.start()
    yield request.param, process
    process.stop()


async def test_it_shows_what_changes_and_heals_after_a_broken_connection(
    chromium: Browser, example: tuple[str, DemoProcess]
) -> None:
    name, demo = example
    async with opened(chromium, demo.url) as page:
        await wait_change(page, LIVE[name])
        await heals(page)
        await wait_change(page, LIVE[name])


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, TELEPHONE], ids=["desktop", "telephone"])
async def test_it_fits_its_window_and_can_be_read(
    chromium: Browser, example: tuple[str, DemoProcess], size: tuple[int, int], *, dark: bool
) -> None:
    name, demo = example
    async with opened(chromium, demo.url, size, dark=dark) as page:
        await wait_shown(page, LIVE[name])
        assert await page.read("document.documentElement.scrollWidth") == size[0]
        assert await page.read(LEGIBILITY) == []


async def test_every_control_is_reached_by_keyboard_and_seen_when_it_is(
    chromium: Browser, example: tuple[str, DemoProcess]
) -> None:
    name, demo = example
    async with opened(chromium, demo.url) as page:
        await wait_shown(page, LIVE[name])
        stops = set()
        for _ in range(40):
            await page.page.keyboard.press("Tab")
            stop, is_seen = await page.read(FOCUSED)
            stops.add(stop)
            assert is_seen, stop
        wanted = await page.read(
            """[...document.querySelectorAll("button[id], input[id], select, textarea, [tabindex='0']")]
            .filter((each) => each.checkVisibility()).map((each) => each.id)"""
        )
        assert {"break", *wanted} <= stops
