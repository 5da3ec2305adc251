"""Something for somebody every few seconds. An inbox is its last dozen, so its state is all that a page needs."""

import asyncio
import random
import time
from itertools import count, cycle
from typing import Any

from cli.example import Opened
from cli.steady import SteadyPublisher
from cli.stopping import is_set_within

NEWS = (
    ("comment", "Cleo has answered you", "“Yes, Thursday works for me.”"),
    ("comment", "Dan mentioned you", "“Could you look at the second page?”"),
    ("build", "The build has failed", "main · 2 tests of 1 204"),
    ("build", "The build is green again", "main · 1 204 tests in 96 s"),
    ("delivery", "A parcel is on its way", "It is with you today between 14:00 and 16:00."),
    ("delivery", "A parcel was delivered", "It is with your neighbour at number 12."),
    ("security", "A new sign-in", "Firefox on Linux, a minute ago."),
)
KEPT = 12
FIRST = 4
PEOPLE = ("ada", "bob")


async def produce(publisher: SteadyPublisher, stop: asyncio.Event, opened: Opened) -> None:
    """Notify somebody every few seconds until `stop` is set."""
    inboxes: dict[str, list[dict[str, Any]]] = {sub: [] for sub in PEOPLE}
    numbers = count(1)

    async def notify(sub: str) -> None:
        number = next(numbers)
        kind, title, text = NEWS[number * 3 % len(NEWS)]
        item = {"id": number, "kind": kind, "title": title, "text": text, "at": time.time()}
        inboxes[sub] = [item, *inboxes[sub]][:KEPT]
        await publisher.put(f"inbox/{sub}", {"items": inboxes[sub]}, type=f"notification.{kind}")

    for _ in range(FIRST):
        for sub in PEOPLE:
            await notify(sub)
    await opened()
    for sub in cycle(PEOPLE):
        if await is_set_within(stop, random.uniform(1.5, 3.5)):
            return
        await notify(sub)
