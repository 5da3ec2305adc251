"""What `watchroute demo` shows: a catalogue, a producer and a page."""

import asyncio
import tomllib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Final, cast

from cli.steady import SteadyPublisher
from cli.stocks import run_market
from shared.errors import WatchrouteError

EXAMPLES: Final = Path(__file__).parents[1] / "examples"
_HERE: Final = Path(__file__).parent
_PRODUCER: Final = "producer.py"
_TRADES_PER_S: Final = 8.0

Opened = Callable[[], Awaitable[None]]
Produce = Callable[[SteadyPublisher, asyncio.Event, Opened], Awaitable[None]]


class NoSuchExample(WatchrouteError):
    """There is no example of that name; the message says which there are."""


@dataclass(frozen=True, slots=True)
class Example:
    """`produce` writes until its event is set, and calls `opened` once there is something to see.

    `people` are those whom a visitor may be, by their `sub`, each with a `name` and a `scope`; with none, nobody is
    asked for a token.
    """

    config: Path
    page: Traversable
    produce: Produce
    people: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def stocks(cls) -> "Example":
        """The demo without a name: stock prices and a playground."""
        return cls(_HERE / "demo.toml", files("cli") / "demo_page", _trade)

    @classmethod
    def named(cls, name: str) -> "Example":
        """One of the folders of `examples/`: `watchroute.toml`, `producer.py`, `page/`; raises NoSuchExample."""
        folder = EXAMPLES / name
        known = sorted(path.parent.name for path in EXAMPLES.glob(f"*/{_PRODUCER}"))
        if name not in known:
            raise NoSuchExample(f"there is no example {name!r}, but {', '.join(known) or 'none'}")
        people = folder / "people.toml"
        return cls(
            folder / "watchroute.toml",
            folder / "page",
            _produce_of(folder / _PRODUCER),
            tomllib.loads(people.read_text(encoding="utf-8")) if people.exists() else {},
        )


def _produce_of(path: Path) -> Produce:
    spec = spec_from_file_location(f"watchroute_example_{path.parent.name}", path)
    if spec is None or spec.loader is None:
        raise NoSuchExample(f"{path} can't be loaded")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast("Produce", module.produce)


async def _trade(publisher: SteadyPublisher, stop: asyncio.Event, opened: Opened) -> None:
    async def publish(resource: str, data: dict[str, Any]) -> None:
        await publisher.put(resource, data, type="price.changed")

    await run_market(publish, _TRADES_PER_S, stop, opened=opened)
