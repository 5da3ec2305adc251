"""Work that ends when it is asked to."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any


async def run_until(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Work until `stop` is set, then cancel the work; raises what ended it before."""
    stopping = asyncio.create_task(stop.wait())
    working = asyncio.create_task(work)
    await asyncio.wait((stopping, working), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        return working.result()
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working
    return None


async def is_set_within(stop: asyncio.Event, timeout_s: float) -> bool:
    """Wait for that long at most; whether `stop` was set."""
    try:
        async with asyncio.timeout(timeout_s):
            return await stop.wait()
    except TimeoutError:
        return False
