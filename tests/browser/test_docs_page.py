"""`/docs`: shows the document of the running system, opens watches, and asks nobody else."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page

from tests.browser.demo_process import DemoProcess

pytestmark = pytest.mark.browser
RECORDER: Final = Path(__file__).with_name("recorder.js")


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext, demo: DemoProcess) -> AsyncIterator[Page]:
    """The open page; in the end it must have kept to its policy, and to its server."""
    await demo.start()
    opened = await context.new_page()
    asked: list[str] = []
    broken: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("pageerror", lambda error: broken.append(str(error)))
    await opened.add_init_script(path=RECORDER)
    await opened.goto(f"{demo.url}/docs")
    await opened.wait_for_selector('section[data-tag="stocks"]')
    yield opened
    assert broken == []
    assert await opened.evaluate("window.violations") == []
    assert {url for url in asked if not url.startswith(demo.url)} == set()


async def test_it_shows_the_operations_and_types_of_a_collection(page: Page) -> None:
    stocks = page.locator('section[data-tag="stocks"]')
    assert await stocks.locator("summary > code:first-of-type").all_inner_texts() == [
        *("/v1/stocks", "/v1/stocks", "/v1/stocks/{id}", "/v1/stocks/{id}", "/v1/stocks/{id}"),
        *("/v1/stocks/stream", "/v1/stocks/poll", "/v1/stocks/ws"),
        *("/v1/stocks/{id}/stream", "/v1/stocks/{id}/poll", "/v1/stocks/{id}/ws"),
    ]
    assert "price" in (await page.locator("#schema-State_stocks pre").text_content() or "")


@pytest.mark.parametrize("transport", ["sse", "websocket"])
async def test_a_watch_can_be_tried(page: Page, transport: str) -> None:
    await page.fill("#watch", "stocks")
    await page.select_option("#transport", transport)
    await page.click("#open")
    await page.wait_for_selector('#frames li[data-event="synced"]', state="attached")
    await page.wait_for_function("() => document.querySelectorAll('#frames li[data-event=put]').length > 30")
    assert await page.inner_text("#state") == "Watching stocks."
    await page.click("#close")
    assert await page.inner_text("#state") == "Nothing is watched."


async def test_a_refusal_is_shown(page: Page) -> None:
    await page.fill("#watch", "nothing")
    await page.click("#open")
    await page.wait_for_function("() => document.querySelector('#state').textContent.includes('not_found')")


async def test_the_token_is_kept_nowhere(page: Page) -> None:
    await page.fill("#token", "secret.of.mine")
    await page.click("#who button")
    kept = "JSON.stringify([localStorage, sessionStorage, document.cookie, location.href, history.state])"
    assert "secret" not in await page.evaluate(kept)
