"""What the page's client makes of what a server may say, in a real browser, with no server behind it."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import BrowserContext, Page
from starlette.applications import Starlette

from cli.page import page_routes
from infra.cluster.deadline import until
from infra.cluster.process import HOST
from tests.support.fleet import free_port

pytestmark = pytest.mark.browser

STATE = "scene.watch.state.name"
OPENING = "scene.on.opened(); scene.put('A', '5'); scene.put('B', '6'); scene.synced('c1', false);"


class Scene:
    """A script's way to say something to the client, and to look at it after."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def __call__(self, script: str, look: str) -> Any:
        """Run `script`, then give the value of `look`, all in one turn of the browser."""
        return await self._page.evaluate(f"() => {{ {script}; return {look}; }}")

    async def failed_attempt(self) -> float:
        """Lose the connection and let the pause pass, in ms, until the next one is opened."""
        lost = "scene.on.ended({reason: 'lost', retry: true}); const { retry_at } = scene.watch.state"
        pause_ms: float = await self(lost, "retry_at - performance.now()")
        await self.pass_time(math.ceil(pause_ms) + 1)
        return pause_ms

    async def pass_time(self, ms: int) -> None:
        """Let the browser's clock run ahead; every timer that falls due does."""
        await self._page.clock.run_for(ms)

    async def reopened(self, times: int) -> None:
        """Until the client has opened its connection that many times."""
        await self._page.wait_for_function("times => scene.requests.length === times", arg=times)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page_url() -> AsyncIterator[str]:
    """The files of the page, and nothing else."""
    port = free_port()
    config = uvicorn.Config(Starlette(routes=page_routes()), host=HOST, port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server._serve())  # noqa: SLF001 -- `serve` would take the signals of the test run

    async def started() -> bool:
        return server.started

    await until(started, "the page is served", within_s=10)
    yield f"http://{HOST}:{port}"
    server.should_exit = True
    with suppress(asyncio.CancelledError):
        await serving


@pytest_asyncio.fixture(loop_scope="session")
async def scene(context: BrowserContext, page_url: str) -> Scene:
    page = await context.new_page()
    page.set_default_timeout(10_000)
    await page.add_init_script(path=Path(__file__).with_name("scene.js"))
    await page.goto(f"{page_url}/demo/watch.js")
    await page.clock.install()
    await page.evaluate("makeScene()")
    return Scene(page)


async def test_it_is_live_when_the_snapshot_is_complete(scene: Scene) -> None:
    assert await scene("scene.on.opened(); scene.put('A', '5')", STATE) == "connecting"
    assert await scene("scene.synced('c1', false)", STATE) == "live"
    assert await scene("", "scene.versions()") == {"A": "5"}


async def test_an_older_or_repeated_version_changes_nothing(scene: Scene) -> None:
    repeated = "scene.changes.length = 0; scene.put('A', '5', 'again'); scene.put('A', '4', 'older')"
    assert await scene(f"{OPENING} {repeated}", "scene.changes") == []
    assert await scene("scene.put('A', '7')", "scene.changes") == ["stocks/A"]
    assert await scene("", "scene.versions()") == {"A": "7", "B": "6"}


async def test_versions_are_compared_beyond_what_a_number_can_hold(scene: Scene) -> None:
    large, larger = "9007199254740992", "9007199254740993"
    await scene(OPENING, "0")
    assert await scene(f"scene.put('A', '{large}'); scene.put('A', '{larger}')", "scene.versions().A") == larger
    assert await scene(f"scene.put('A', '{large}')", "scene.versions().A") == larger


async def test_a_deleted_resource_is_not_brought_back_by_an_older_put(scene: Scene) -> None:
    assert await scene(f"{OPENING} scene.delete('A', '8'); scene.put('A', '7')", "scene.versions()") == {"B": "6"}
    assert await scene("scene.put('A', '9')", "scene.versions()") == {"A": "9", "B": "6"}


async def test_after_a_reset_the_old_state_stays_until_the_new_one_is_complete(scene: Scene) -> None:
    half = f"{OPENING} scene.reset('epoch'); scene.put('A', '1')"
    assert await scene(half, "scene.versions()") == {"A": "1", "B": "6"}
    assert await scene("", STATE) == "connecting"
    assert await scene("scene.synced('c2', false)", "[scene.versions(), scene.watch.cursor]") == [{"A": "1"}, "c2"]


async def test_a_new_snapshot_drops_what_it_does_not_have_and_says_so(scene: Scene) -> None:
    script = (
        f"{OPENING} scene.reset('expired'); scene.put('B', '9'); scene.changes.length = 0; scene.synced('c2', false)"
    )
    assert await scene(script, "scene.changes") == ["stocks/A"]


async def test_a_resume_drops_nothing(scene: Scene) -> None:
    await scene(f"{OPENING} scene.lose()", "0")
    await scene.reopened(2)
    resumed = "scene.on.opened(); scene.put('B', '7'); scene.synced('c2', true)"
    assert await scene(resumed, "scene.versions()") == {"A": "5", "B": "7"}


async def test_it_reconnects_with_its_last_cursor(scene: Scene) -> None:
    await scene(f"{OPENING} scene.bookmark('c2'); scene.lose()", "0")
    await scene.reopened(2)
    assert await scene("", "[scene.requests, scene.closed]") == [[None, "c2"], 1]


async def test_a_snapshot_that_was_cut_off_is_asked_for_again_whole(scene: Scene) -> None:
    await scene("scene.on.opened(); scene.put('A', '5'); scene.put('B', '6'); scene.lose()", "0")
    await scene.reopened(2)
    again = "scene.on.opened(); scene.put('B', '2'); scene.synced('c1', false)"
    assert await scene(again, "[scene.requests, scene.versions()]") == [[None, None], {"B": "2"}]


async def test_a_goaway_is_followed_after_the_time_it_names(scene: Scene) -> None:
    goaway = "scene.on.frame({event: 'goaway', cursor: 'c3', reconnect_in_ms: 60000}, 'c3')"
    pause_s = "Math.round((scene.watch.state.retry_at - performance.now()) / 1000)"
    assert await scene(OPENING + goaway, pause_s) == 60
    await scene.pass_time(61_000)
    assert await scene("", "scene.requests") == [None, "c3"]


async def test_a_problem_that_will_not_go_away_stops_it(scene: Scene) -> None:
    problem = "scene.on.frame({event: 'problem', code: 'forbidden', message: 'not for you', retry: false}, null)"
    assert await scene(OPENING + problem, "scene.watch.state") == {"name": "stopped", "reason": "not for you"}
    assert await scene("scene.watch.retryNow()", "scene.requests.length") == 2


async def test_the_pauses_between_attempts_grow_at_random_up_to_a_limit(scene: Scene) -> None:
    for attempt in range(8):
        longest_ms = min(15_000, 500 * 2**attempt)
        assert longest_ms / 2 <= await scene.failed_attempt() <= longest_ms
    await scene("scene.on.opened(); scene.synced('c1', false)", "0")
    assert await scene.failed_attempt() <= 500


async def test_a_connection_gone_silent_is_given_up(scene: Scene) -> None:
    await scene(OPENING, "0")
    await scene.pass_time(40_000)
    assert await scene("scene.bookmark('c2')", STATE) == "live"
    await scene.pass_time(40_000)
    assert await scene("", STATE) == "live"
    await scene.pass_time(11_000)
    assert await scene("", "scene.states.includes('reconnecting')")
    assert await scene("", "scene.closed") == 1


async def test_skipped_values_add_up(scene: Scene) -> None:
    assert await scene(f"{OPENING} scene.bookmark('c2', 3); scene.bookmark('c3', 4)", "scene.watch.skipped") == 7


async def test_the_age_of_the_data_is_unknown_until_the_new_connection_tells_it(scene: Scene) -> None:
    assert await scene(f"{OPENING} scene.bookmark('c2')", "scene.watch.asOf") == "2026-01-01T00:00:00Z"
    await scene("scene.lose()", "0")
    await scene.reopened(2)
    assert await scene("", "scene.watch.asOf") is not None
    assert await scene("scene.on.opened()", "scene.watch.asOf") is None


async def test_what_a_given_up_connection_still_says_is_not_heard(scene: Scene) -> None:
    late = "{event: 'delete', resource: 'stocks/A', version: '9'}"
    await scene(f"{OPENING} const old = scene.on; scene.watch.retryNow(); old.frame({late}, 'c9')", "0")
    assert await scene("", "[scene.versions(), scene.watch.cursor]") == [{"A": "5", "B": "6"}, "c1"]


async def test_an_unknown_frame_is_passed_over(scene: Scene) -> None:
    assert await scene(f"{OPENING} scene.on.frame({{event: 'weather', rain: true}}, null)", STATE) == "live"


async def test_a_poll_is_live_with_its_first_answer_to_a_cursor(scene: Scene) -> None:
    await scene(f"{OPENING} scene.lose()", "0")
    await scene.reopened(2)
    assert await scene("scene.on.opened(); scene.on.progress('c2')", STATE) == "live"
    assert await scene("", "scene.watch.cursor") == "c2"
