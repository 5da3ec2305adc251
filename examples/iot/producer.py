"""Ten halls of ten lines of a hundred thermometers. A few hundred of them change in each second."""

import asyncio
import random
from typing import Any

from cli.example import Opened
from cli.steady import SteadyPublisher
from cli.stopping import is_set_within

HALLS, LINES, SENSORS = 10, 10, 100
AT_ONCE = 1000
TICK_S = 0.2
CHANGES_PER_TICK = 80
USUAL = 45.0
HEAT = 34.0


def reading(celsius: float) -> dict[str, Any]:
    """What a sensor says."""
    return {"celsius": round(celsius, 1)}


class Plant:
    """What every sensor says now. One line at a time runs hot, along its length, and cools down again."""

    def __init__(self) -> None:
        self.celsius = {
            f"sensors/hall-{hall:02}.line-{line:02}.{sensor:03}": random.gauss(USUAL + hall - HALLS / 2, 3.0)
            for hall in range(1, HALLS + 1)
            for line in range(1, LINES + 1)
            for sensor in range(SENSORS)
        }
        self._names = list(self.celsius)
        self._hot = 0

    def heat(self) -> None:
        """Another line runs hot from now on."""
        self._hot = random.randrange(HALLS * LINES) * SENSORS

    def tick(self) -> dict[str, Any]:
        """Some sensors change, by resource; many of them are of the hot line."""
        some = random.sample(range(len(self._names)), CHANGES_PER_TICK)
        hot = [self._hot + random.randrange(SENSORS) for _ in range(CHANGES_PER_TICK // 4)]
        return {self._names[n]: self._move(self._names[n], n) for n in (*some, *hot)}

    def _move(self, name: str, number: int) -> dict[str, Any]:
        is_hot = self._hot <= number < self._hot + SENSORS
        aim = USUAL + (HEAT if is_hot else 0.0)
        self.celsius[name] += (aim - self.celsius[name]) * (0.4 if is_hot else 0.25) + random.gauss(0, 1.5)
        return reading(self.celsius[name])


async def produce(publisher: SteadyPublisher, stop: asyncio.Event, opened: Opened) -> None:
    """Tell every sensor once, then what changes, until `stop` is set."""
    plant = Plant()
    names = list(plant.celsius)
    for begin in range(0, len(names), AT_ONCE):
        await publisher.put_many({name: reading(plant.celsius[name]) for name in names[begin : begin + AT_ONCE]})
    await opened()
    ticks = 0
    while not await is_set_within(stop, TICK_S):
        if ticks % 75 == 0:
            plant.heat()
        ticks += 1
        await publisher.put_many(plant.tick())
