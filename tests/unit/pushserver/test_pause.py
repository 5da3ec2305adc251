"""The longest time for which the event loop was away."""

import asyncio
import time

from infra.cluster.deadline import until
from services.pushserver.pause import EVERY_S, LoopPause


async def test_a_pause_is_seen_once_and_about_as_long_as_it_was() -> None:
    pause = LoopPause()
    pause.start()
    await asyncio.sleep(0)
    busy_until = time.monotonic() + 20 * EVERY_S
    while time.monotonic() < busy_until:
        pass
    seen: list[float] = []

    async def was_seen() -> bool:
        seen.append(pause.take_longest_s())
        return seen[-1] >= 18 * EVERY_S

    await until(was_seen, "the pause was seen")
    assert pause.take_longest_s() == 0, "it is told once"
    pause.stop()


async def test_after_the_stop_nobody_looks() -> None:
    pause = LoopPause()
    pause.start()
    pause.stop()
    await asyncio.sleep(2 * EVERY_S)
    assert pause.take_longest_s() == 0
