"""The demo page in a browser, as a test looks at it: what it shows, never how it does it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from playwright.async_api import BrowserContext, ConsoleMessage, Page

_RECORDER: Final = Path(__file__).with_name("recorder.js")
_WAIT_MS: Final = 20_000
# What Chromium itself says of a server that is away; the page can't keep it quiet.
_NETWORK_NOISE: Final = ("net::ERR_", "Failed to load resource", "WebSocket connection to", "EventSource")
TRANSPORTS: Final = {"sse": "Server-Sent Events", "ws": "WebSocket", "poll": "long poll"}


@dataclass
class Dashboard:
    """One open page."""

    page: Page
    errors: list[str] = field(default_factory=list)

    @classmethod
    async def open(cls, context: BrowserContext, url: str) -> "Dashboard":
        """Load the page, with everything that it shows written down from the start."""
        dashboard = cls(await context.new_page())
        dashboard.page.set_default_timeout(_WAIT_MS)
        dashboard.page.on("console", dashboard._on_console)
        dashboard.page.on("pageerror", lambda error: dashboard.errors.append(str(error)))
        await dashboard.page.add_init_script(path=_RECORDER)
        await dashboard.page.goto(url)
        return dashboard

    async def choose(self, transport: str) -> None:
        """Pick a transport (`sse`, `ws` or `poll`) as a user does."""
        await self.page.get_by_role("radio", name=_LABELS[transport]).check()

    async def wait_state(self, words: str) -> None:
        """Until the connection's state says `words`."""
        await self.page.locator("#state", has_text=words).wait_for()

    async def wait_live(self, transport: str) -> None:
        await self.wait_state(f"Live over {TRANSPORTS[transport]}")

    async def wait_moves(self, stocks: int = 3, *, since: dict[str, str] | None = None) -> None:
        """Until that many stocks show another version than `since` (as `versions` gave it; left out: than now)."""
        await self.page.wait_for_function(
            """([since, stocks]) => [...document.querySelectorAll("#quote-list .quote")]
                .filter((row) => row.dataset.version !== since[row.dataset.resource]).length >= stocks""",
            arg=[await self.versions() if since is None else since, stocks],
        )

    async def versions(self) -> dict[str, str]:
        """The version shown of each stock."""
        rows = """() => Object.fromEntries([...document.querySelectorAll("#quote-list .quote")]
            .map((row) => [row.dataset.resource, row.dataset.version]))"""
        versions: dict[str, str] = await self.page.evaluate(rows)
        return versions

    async def read(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        return await self.page.evaluate(expression)

    def _on_console(self, message: ConsoleMessage) -> None:
        is_noise = any(noise in message.text for noise in _NETWORK_NOISE)
        if message.type in {"error", "warning"} and not is_noise:
            self.errors.append(message.text)


_LABELS: Final = {"sse": "SSE", "ws": "WebSocket", "poll": "Long poll"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A version of a stock that the page showed; `epoch` counts the times that versions started over."""

    resource: str
    version: str
    epoch: int
    price: str


async def everything_shown(dashboard: Dashboard) -> list[Shown]:
    """Every version that was ever on the screen, in order."""
    return [Shown(**entry) for entry in await dashboard.read("window.shown")]


def regressions(shown: list[Shown]) -> list[tuple[Shown, Shown]]:
    """Each pair of one resource where the later one is of an earlier epoch, or not newer within the same one."""
    newest: dict[str, Shown] = {}
    found = []
    for entry in shown:
        before = newest.get(entry.resource)
        if before is not None and (entry.epoch, int(entry.version)) <= (before.epoch, int(before.version)):
            found.append((before, entry))
        newest[entry.resource] = entry
    return found
