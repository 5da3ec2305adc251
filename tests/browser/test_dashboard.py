"""The demo page, from what its reader sees of it."""

import secrets

import pytest
from playwright.async_api import BrowserContext

from tests.browser.dashboard import TRANSPORTS, Dashboard, everything_shown, regressions
from tests.browser.demo_process import DemoProcess

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_prices_move_over_each_transport(dashboard: Dashboard, transport: str) -> None:
    await dashboard.choose(transport)
    await dashboard.wait_live(transport)
    assert len(await dashboard.versions()) == 12
    await dashboard.wait_moves()
    assert regressions(await everything_shown(dashboard)) == []


async def test_a_price_is_shown_with_its_currency_its_change_and_its_direction(dashboard: Dashboard) -> None:
    quote = dashboard.page.get_by_role("listitem").filter(has=dashboard.page.get_by_role("heading", name="AAPL"))
    await quote.wait_for()
    text = " ".join((await quote.inner_text()).split())
    assert "Apple" in text
    assert "USD" in text
    assert any(arrow in text for arrow in "▲▼■")
    assert "%" in text


async def test_changing_the_transport_resumes_and_starts_nothing_over(dashboard: Dashboard) -> None:
    await dashboard.wait_live("sse")
    epoch = await dashboard.read("watchroute.epoch")
    for transport, address in (("ws", None), ("poll", "**/v1/stocks/poll?*"), ("sse", "**/v1/stocks/stream?*")):
        if address is None:
            await dashboard.choose(transport)
        else:
            async with dashboard.page.expect_request(address) as asked:
                await dashboard.choose(transport)
            assert "cursor=" in (await asked.value).url
        await dashboard.wait_live(transport)
        await dashboard.wait_moves()
    assert await dashboard.read("watchroute.epoch") == epoch
    assert regressions(await everything_shown(dashboard)) == []


async def test_the_counters_follow_the_watch(dashboard: Dashboard) -> None:
    await dashboard.wait_live("sse")
    first = await dashboard.read("watchroute.cursor")
    await dashboard.page.wait_for_function("first => watchroute.cursor !== first", arg=first)
    await dashboard.page.wait_for_function("() => document.querySelector('#freshness').textContent !== '–'")
    shown = {name: await dashboard.page.locator(f"#{name}").inner_text() for name in ("events", "last-version")}
    assert int(shown["events"].replace(",", "")) >= 12
    assert shown["last-version"].isdecimal()
    assert await dashboard.page.locator("#left-out").inner_text() == "0"


async def test_a_log_is_told_from_where_the_state_has_come_to(dashboard: Dashboard) -> None:
    await dashboard.wait_state("newest values")
    await dashboard.wait_live("sse")
    await dashboard.page.get_by_role("radio", name="log").check()
    await dashboard.wait_state("every value")
    await dashboard.wait_moves()
    assert await dashboard.read("watchroute.epoch") == 0
    assert regressions(await everything_shown(dashboard)) == []


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_connection_that_is_broken_by_hand_heals(dashboard: Dashboard, transport: str) -> None:
    await dashboard.choose(transport)
    await dashboard.wait_live(transport)
    await dashboard.page.get_by_role("button", name="Break the connection").click()
    await dashboard.wait_state("broken by you")
    before = await dashboard.versions()
    await dashboard.wait_live(transport)
    await dashboard.wait_moves(since=before)
    assert regressions(await everything_shown(dashboard)) == []


async def test_everything_is_reached_by_keyboard(dashboard: Dashboard) -> None:
    await dashboard.wait_live("sse")
    await dashboard.page.keyboard.press("Tab")
    assert await dashboard.read("document.activeElement.textContent") == "Skip to the prices"
    await dashboard.page.keyboard.press("Tab")
    await dashboard.page.keyboard.press("ArrowRight")
    await dashboard.wait_state("every value")
    await dashboard.page.keyboard.press("Tab")
    await dashboard.page.keyboard.press("ArrowRight")
    await dashboard.wait_live("ws")
    await dashboard.page.keyboard.press("Tab")
    await dashboard.page.keyboard.press("Enter")
    await dashboard.wait_state("broken by you")
    assert await dashboard.read("document.activeElement.id") == "break"
    await dashboard.wait_live("ws")


async def test_a_put_and_a_delete_by_http_reach_the_playground(dashboard: Dashboard, demo: DemoProcess) -> None:
    name = f"note-{secrets.token_hex(4)}"
    await demo.put(f"playground/{name}", {"text": "<b>from a terminal</b>"})
    item = dashboard.page.locator("#playground-list li", has_text=name)
    await item.wait_for()
    assert '{"text":"<b>from a terminal</b>"}' in await item.inner_text()
    await demo.delete(f"playground/{name}")
    await item.wait_for(state="detached")


async def test_the_playground_writes_what_its_form_says(dashboard: Dashboard) -> None:
    name = f"a/b c-{secrets.token_hex(4)}"
    await dashboard.page.get_by_label("Id").fill(name)
    await dashboard.page.get_by_label("JSON", exact=True).fill('{"stars": 5}')
    await dashboard.page.get_by_role("button", name="PUT").click()
    await dashboard.page.get_by_text("Stored as version").wait_for()
    item = dashboard.page.locator("#playground-list li", has_text=name)
    await item.wait_for()
    assert '{"stars":5}' in await item.inner_text()
    await dashboard.page.get_by_role("button", name="DELETE").click()
    await dashboard.page.get_by_text("Deleted as version").wait_for()
    await item.wait_for(state="detached")


async def test_the_playground_refuses_what_is_not_json(dashboard: Dashboard) -> None:
    await dashboard.page.get_by_label("JSON", exact=True).fill("{stars: 5}")
    await dashboard.page.get_by_role("button", name="PUT").click()
    await dashboard.page.get_by_text("This is not JSON").wait_for()


async def test_two_pages_show_the_same_note(dashboard: Dashboard, context: BrowserContext, demo: DemoProcess) -> None:
    other = await Dashboard.open(context, demo.url)
    name = f"shared-{secrets.token_hex(4)}"
    await demo.put(f"playground/{name}", [1, 2, 3])
    for page in (dashboard.page, other.page):
        await page.locator("#playground-list li", has_text=name).wait_for()
    await demo.delete(f"playground/{name}")


@pytest.mark.parametrize("width", [360, 390, 768, 1280, 1920])
async def test_the_page_fits_its_window(dashboard: Dashboard, width: int) -> None:
    await dashboard.page.set_viewport_size({"width": width, "height": 800})
    await dashboard.wait_live("sse")
    assert await dashboard.read("document.documentElement.scrollWidth") <= width


async def test_the_commands_are_those_of_this_server(dashboard: Dashboard, demo: DemoProcess) -> None:
    commands = await dashboard.page.locator("#curl-lines code").all_inner_texts()
    assert len(commands) == 3
    assert all(command.startswith("curl ") and demo.url in command for command in commands)


async def test_the_frames_are_shown_as_they_come(dashboard: Dashboard) -> None:
    await dashboard.page.get_by_text("What the client is told").click()
    await dashboard.page.locator("#frame-lines li", has_text='"event":"put"').first.wait_for()
