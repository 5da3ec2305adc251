"""Waiting for a condition instead of sleeping in hope."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class DeadlineMissed(Exception):
    """What was waited for did not come true in time."""


async def until(condition: Callable[[], Awaitable[T]], what: str, *, within_s: float = 30, every_s: float = 0.05) -> T:
    """Ask `condition` every `every_s` until its answer is true, and return that answer.

    After `within_s` raises DeadlineMissed, which names `what` and the last answer; errors of `condition` are passed on.
    """
    give_up_at = time.monotonic() + within_s
    while True:
        if answer := await condition():
            return answer
        if time.monotonic() > give_up_at:
            raise DeadlineMissed(f"not within {within_s} s: {what} (last seen: {answer!r})")
        await asyncio.sleep(every_s)
