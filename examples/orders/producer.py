"""Six orders on their way: one of them takes a step every second or so, and what was delivered is forgotten later."""

import asyncio
import random
from itertools import count
from typing import Any

from cli.example import Opened
from cli.steady import SteadyPublisher
from cli.stopping import is_set_within

STEPS = ("placed", "paid", "packed", "shipped", "delivered")
ITEMS = (
    "Desk lamp",
    "Walnut shelf",
    "Tea kettle",
    "Wool blanket",
    "Notebook, dotted",
    "Bread knife",
    "Plant pot",
    "Wall clock",
)
CUSTOMERS = ("Ada", "Bob", "Cleo", "Dan", "Eve", "Finn")
PLACES = ("Hamburg", "Lyon", "Turin", "Porto", "Gdańsk", "Uppsala")
OPEN = 6
KEPT_TICKS = 14
TICK_S = 1.2


def new_order(step: int) -> dict[str, Any]:
    """An order that has come this far."""
    return {
        "item": random.choice(ITEMS),
        "customer": random.choice(CUSTOMERS),
        "to": random.choice(PLACES),
        "total": round(random.uniform(9, 180), 2),
        "status": STEPS[step],
    }


async def produce(publisher: SteadyPublisher, stop: asyncio.Event, opened: Opened) -> None:
    """Move orders along until `stop` is set."""
    numbers = count(1001)
    orders = {f"orders/{next(numbers)}": new_order(step % 4) for step in range(OPEN)}
    delivered: dict[str, int] = {}
    await publisher.put_many(orders)
    await opened()
    for tick in count():
        if await is_set_within(stop, TICK_S):
            return
        for resource in [each for each, at in delivered.items() if tick - at > KEPT_TICKS]:
            del delivered[resource]
            await publisher.delete(resource)
        if len(orders) < OPEN:
            resource = f"orders/{next(numbers)}"
            orders[resource] = new_order(0)
        else:
            resource = random.choice(list(orders))
            orders[resource]["status"] = STEPS[STEPS.index(orders[resource]["status"]) + 1]
        order = orders[resource]
        await publisher.put(resource, order, type=f"order.{order['status']}")
        if order["status"] == STEPS[-1]:
            delivered[resource] = tick
            del orders[resource]
