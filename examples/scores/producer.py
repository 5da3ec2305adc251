"""Eight matches of a made-up league, a second for each minute of play; a new round begins when all are over."""

import asyncio
import random
from itertools import count
from typing import Any

from cli.example import Opened
from cli.steady import SteadyPublisher
from cli.stopping import is_set_within

TEAMS = (
    ("Ashford", "Brampton"),
    ("Calder", "Dunmore"),
    ("Eastwick", "Fenland"),
    ("Glenside", "Harrow Hill"),
    ("Ilmington", "Kingsbury"),
    ("Larkfield", "Marlow Bay"),
    ("Northgate", "Oakham"),
    ("Penrose", "Quayside"),
)
PLAYERS = (
    "Adeyemi",
    "Bauer",
    "Costa",
    "Dubois",
    "Eriksen",
    "Farouk",
    "Grant",
    "Hansen",
    "Ito",
    "Jansen",
    "Kovač",
    "Lindt",
)
MINUTE_S = 1.0
LAST_MINUTE = 90
GOALS_PER_MINUTE = 0.035
CARDS_PER_MINUTE = 0.03


def kick_off(home: str, away: str, minute: int) -> dict[str, Any]:
    """A match, some of which has been played."""
    match = {"home": home, "away": away, "score": [0, 0], "minute": 0, "status": "live", "events": []}
    for _ in range(minute):
        play(match)
    return match


def play(match: dict[str, Any]) -> bool:
    """Play a minute; whether something has happened."""
    if match["status"] == "over":
        return False
    match["minute"] += 1
    before = len(match["events"])
    side = random.randrange(2)
    player = random.choice(PLAYERS)
    if random.random() < GOALS_PER_MINUTE:
        match["score"][side] += 1
        match["events"].append({"kind": "goal", "minute": match["minute"], "side": side, "player": player})
    elif random.random() < CARDS_PER_MINUTE:
        match["events"].append({"kind": "card", "minute": match["minute"], "side": side, "player": player})
    if match["minute"] >= LAST_MINUTE:
        match["status"] = "over"
    return len(match["events"]) > before


async def produce(publisher: SteadyPublisher, stop: asyncio.Event, opened: Opened) -> None:
    """Play rounds until `stop` is set."""
    for number in count(1):
        matches = {
            f"matches/{n}": kick_off(*TEAMS[n], random.randint(5, 75) if number == 1 else 0) for n in range(len(TEAMS))
        }
        await publisher.put_many(matches)
        if number == 1:
            await opened()
        while any(match["status"] == "live" for match in matches.values()):
            for resource, match in matches.items():
                if await is_set_within(stop, MINUTE_S / len(matches)):
                    return
                if match["status"] == "live":
                    kind = "match.event" if play(match) else "match.minute"
                    await publisher.put(resource, match, type=kind)
