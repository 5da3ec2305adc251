"""Three rooms, and somebody who has something to say in each now and then."""

import asyncio
import random
from collections import deque
from itertools import count

from cli.example import Opened
from cli.steady import SteadyPublisher
from cli.stopping import is_set_within

ROOMS = {
    "garden": ("Garden", "cleo"),
    "kitchen": ("Kitchen", "dan"),
    "workshop": ("Workshop", "eve"),
}
LINES = {
    "garden": (
        "The first tomatoes are red.",
        "Has anybody seen the watering can?",
        "Rain tonight, so no need to water.",
        "I planted the beans along the south wall.",
        "The hedgehog is back!",
        "There is rhubarb for whoever wants it.",
        "The shed key hangs behind the door.",
        "Slugs have found the lettuce.",
    ),
    "kitchen": (
        "Soup is at one o’clock.",
        "We are out of flour again.",
        "Who made the lemon cake? It is gone.",
        "The new knife is very sharp, mind your fingers.",
        "There is coffee.",
        "The oven takes ten minutes longer than it says.",
        "Plums on the table, please take some.",
        "Whose is the blue pot?",
    ),
    "workshop": (
        "The lathe is free until four.",
        "Please put the clamps back.",
        "The shelf is glued; don’t touch it before tomorrow.",
        "I found the missing 13 mm socket.",
        "New sandpaper has arrived.",
        "Ear muffs are in the top drawer.",
        "The band saw needs a new blade.",
        "Who left the light on?",
    ),
}
KEPT = 20
FIRST = 3


async def produce(publisher: SteadyPublisher, stop: asyncio.Event, opened: Opened) -> None:
    """Say a line every few seconds until `stop` is set; the oldest ones are deleted."""
    said: deque[str] = deque()
    numbers = count()

    async def say(room: str, line: str) -> None:
        resource = f"messages/{room}.{ROOMS[room][1]}.{next(numbers):06}"
        await publisher.put(resource, {"text": line})
        said.append(resource)

    await publisher.put_many({f"rooms/{room}": {"title": title} for room, (title, _) in ROOMS.items()})
    for room, lines in LINES.items():
        for line in lines[:FIRST]:
            await say(room, line)
    await opened()
    for number in count():
        if await is_set_within(stop, random.uniform(3, 6)):
            return
        turn, place = divmod(number, len(ROOMS))
        room = list(ROOMS)[place]
        await say(room, LINES[room][(FIRST + turn) % len(LINES[room])])
        if len(said) > KEPT:
            await publisher.delete(said.popleft())
