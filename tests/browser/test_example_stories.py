"""What each page of examples/ is for, from what its reader does and sees."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.dashboard import Dashboard
from tests.browser.demo_process import DemoProcess
from tests.browser.example_page import opened

pytestmark = pytest.mark.browser

Show = Callable[[str], AbstractAsyncContextManager[DemoProcess]]


@pytest.fixture
def show(tmp_path: Path) -> Show:
    """Run an example for as long as the block."""

    @asynccontextmanager
    async def running(name: str) -> AsyncIterator[DemoProcess]:
        process = DemoProcess(None, tmp_path, name)
        await process.start()
        try:
            yield process
        finally:
            process.kill()

    return running


async def enter(page: Dashboard, room: str) -> None:
    await page.page.get_by_role("button", name=room).press("Enter")


async def test_a_message_is_seen_by_who_is_in_the_room_and_by_nobody_else(chromium: Browser, show: Show) -> None:
    async with (
        show("chat") as demo,
        opened(chromium, f"{demo.url}/#ada") as ada,
        opened(chromium, f"{demo.url}/#bob") as bob,
    ):
        for page in (ada, bob):
            await page.page.locator("#messages li").first.wait_for()
        await ada.page.get_by_label("Message").fill("<b>Good morning</b>")
        await ada.page.keyboard.press("Enter")
        for page, own in ((ada, "true"), (bob, "false")):
            said = page.page.locator("#messages li", has_text="<b>Good morning</b>")
            await expect(said).to_contain_text("Ada")
            await expect(said).to_have_attribute("data-own", own)
        await enter(ada, "Workshop")
        await expect(ada.page.get_by_role("alert")).to_contain_text("no grant for Workshop")
        await enter(bob, "Workshop")
        await bob.page.locator("#messages li", has_text="Eve").first.wait_for()
        await enter(ada, "Kitchen")
        await ada.page.locator("#messages li", has_text="Dan").first.wait_for()


async def test_a_message_that_is_sent_into_a_broken_connection_is_kept_and_said_to_be(
    chromium: Browser, show: Show
) -> None:
    async with show("chat") as demo, opened(chromium, f"{demo.url}/#bob") as bob:
        await bob.page.locator("#messages li").first.wait_for()
        await bob.page.get_by_role("button", name="Break the connection").click()
        await bob.page.get_by_label("Message").fill("Are you there?")
        await bob.page.keyboard.press("Enter")
        await expect(bob.page.locator("#outcome")).to_contain_text("Not sent")
        assert await bob.page.get_by_label("Message").input_value() == "Are you there?"
        await bob.wait_state("Live")
        await bob.page.get_by_label("Message").press("Enter")
        await bob.page.locator("#messages li", has_text="Are you there?").wait_for()


async def test_what_is_read_in_one_window_is_read_in_the_other_and_another_inbox_is_refused(
    chromium: Browser, show: Show
) -> None:
    async with (
        show("notifications") as demo,
        opened(chromium, f"{demo.url}/#ada") as one,
        opened(chromium, f"{demo.url}/#ada") as other,
    ):
        for page in (one, other):
            await page.page.locator('#items [data-unread="true"]').nth(2).wait_for()
        await one.page.get_by_role("button", name="Mark all as read").press("Enter")
        for page in (one, other):
            await expect(page.page.locator('#items [data-unread="false"]').nth(2)).to_be_visible()
        await one.page.get_by_role("button", name="Look into it").press("Enter")
        await expect(one.page.locator("#peeked")).to_contain_text("inbox/bob: forbidden")
        await one.page.get_by_role("radio", name="Bob").check()
        await expect(one.page.locator("#badge")).to_contain_text("unread")


async def test_a_hall_is_watched_by_its_prefix(chromium: Browser, show: Show) -> None:
    async with show("iot") as demo, opened(chromium, demo.url) as page:
        await expect(page.page.locator("#sensors")).to_have_text("10,000", timeout=20_000)
        await page.page.get_by_label("Watch").select_option("hall 3")
        await expect(page.page.locator("#sensors")).to_have_text("1,000")
        await expect(page.page.locator("#halls li", has_text="not watched")).to_have_count(9)
        await page.page.get_by_label("Watch").select_option("all halls")
        await expect(page.page.locator("#sensors")).to_have_text("10,000", timeout=20_000)


async def test_a_goal_is_told_with_the_score(chromium: Browser, show: Show) -> None:
    async with show("scores") as demo, opened(chromium, demo.url) as page:
        await expect(page.page.locator("#matches li")).to_have_count(8)
        await page.page.locator("#news li").first.wait_for()
        assert "–" in await page.page.locator("#news li").first.inner_text()


async def test_a_pointer_is_moved_by_keyboard_and_by_mouse_and_seen_elsewhere(chromium: Browser, show: Show) -> None:
    async with show("cursors") as demo, opened(chromium, demo.url) as mine, opened(chromium, demo.url) as other:
        await mine.page.get_by_label("Your name").fill("Kim")
        pointer = other.page.locator(".pointer", has_text="Kim")
        await pointer.wait_for()
        place = await pointer.evaluate("pointer => pointer.style.left")
        await mine.page.get_by_role("application").press("ArrowRight")
        await expect(pointer).not_to_have_attribute("style", f"left: {place}; top: 50%;")
        await mine.page.get_by_role("application").hover(position={"x": 100, "y": 60})
        board = await mine.page.get_by_role("application").bounding_box()
        assert board is not None
        await other.page.wait_for_function(
            """left => [...document.querySelectorAll(".pointer")].some((pointer) =>
                pointer.textContent === "Kim" && Math.abs(parseFloat(pointer.style.left) - left) < 1)""",
            arg=100 / board["width"] * 100,
        )
        await mine.page.goto(f"{demo.url}/livez")
        await pointer.wait_for(state="detached", timeout=8_000)  # before it is taken for gone


async def test_an_order_that_is_chosen_is_followed_step_by_step(chromium: Browser, show: Show) -> None:
    async with show("orders") as demo, opened(chromium, demo.url) as page:
        order = page.page.get_by_role("button", name="1001")
        await order.press("Enter")
        await expect(page.page.get_by_role("heading", name="Order 1001")).to_be_visible()
        await expect(order).to_have_attribute("aria-pressed", "true")
        await page.page.locator("#story li").nth(1).wait_for(timeout=60_000)
        versions = await page.page.locator("#story small").all_inner_texts()
        numbers = [int(text.split()[-1]) for text in versions]
        assert numbers == sorted(numbers, reverse=True)
