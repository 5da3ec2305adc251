"""A real Chromium, and the demo for it to look at."""

import shutil
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright

from tests.browser.dashboard import Dashboard
from tests.browser.demo_process import DemoProcess
from tests.support.broker import Broker

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The system's Chromium; each context of it starts with nothing in store."""
    executable = next(filter(None, map(shutil.which, _NAMES)), None)
    if executable is None:
        pytest.skip(f"needs a browser: none of {', '.join(_NAMES)} is installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=[*_ARGUMENTS])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def demo(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DemoProcess]:
    """The demo over the shared Kafka. A test that ends it starts it again."""
    process = DemoProcess(broker.bootstrap, tmp_path_factory.mktemp("demo"))
    await process.start()
    yield process
    process.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context(viewport={"width": 1280, "height": 900})
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def dashboard(context: BrowserContext, demo: DemoProcess) -> AsyncIterator[Dashboard]:
    """The open page. In the end it must have broken neither its own code nor its policy."""
    await demo.start()  # after a test that failed in between
    opened = await Dashboard.open(context, demo.url)
    yield opened
    assert opened.errors == []
    assert await opened.read("window.violations") == []
