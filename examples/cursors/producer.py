"""Three visitors who wander over the board, ten times a second."""

import asyncio
import math
import time
from typing import Any

from cli.example import Opened
from cli.steady import SteadyPublisher
from cli.stopping import is_set_within

TICK_S = 0.1
VISITORS = {"cleo": (0.31, 0.23), "dan": (0.19, 0.37), "eve": (0.27, 0.16)}
"""How fast each goes from side to side, and up and down, in turns of a circle for each second."""


def place(name: str, at_s: float) -> dict[str, Any]:
    """Where a visitor is; both parts are from 0 to 1."""
    across, down = VISITORS[name]
    phase = sum(name.encode())
    x = 0.5 + 0.4 * math.sin(at_s * across * 2.1 + phase)
    y = 0.5 + 0.36 * math.sin(at_s * down * 2.9 + phase * 0.7)
    return {"name": name.title(), "x": round(x, 4), "y": round(y, 4)}


async def produce(publisher: SteadyPublisher, stop: asyncio.Event, opened: Opened) -> None:
    """Wander until `stop` is set."""
    await publisher.put_many({f"cursors/{name}": place(name, 0) for name in VISITORS})
    await opened()
    began = time.monotonic()
    while not await is_set_within(stop, TICK_S):
        at_s = time.monotonic() - began
        await publisher.put_many({f"cursors/{name}": place(name, at_s) for name in VISITORS})
