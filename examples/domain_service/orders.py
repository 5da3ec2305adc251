"""A small order service: each step of an order is a write that every watcher of it sees at once.

Run it beside a Kafka and a push server of the same catalogue; see README.md.
"""

import asyncio
import random
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Literal

from services.producer.publisher import Publisher
from services.producer.settings import Settings
from shared.catalog import Catalog
from shared.problem import Problem
from shared.serving import stop_requested

CONFIG = Path(__file__).with_name("watchroute.toml")
SOURCE = "/examples/orders"


@dataclass(frozen=True)
class Order:
    """The state that watchers see, as JSON."""

    item: str
    quantity: int
    status: Literal["placed", "paid", "shipped"]


class Orders:
    """What the service does; `publisher` is all that it knows of Watchroute."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._stock = {"pen": 100, "book": 100}

    async def place(self, number: int, order: Order) -> None:
        """The order and what is left in stock change together, or not at all."""
        left = self._stock[order.item] - order.quantity
        async with self._publisher.transaction() as changes:
            changes.put(f"orders/{number}", order, type="order.placed", source=SOURCE)
            changes.put(f"stock/{order.item}", {"left": left}, type="stock.changed", source=SOURCE)
        self._stock[order.item] = left

    async def move(self, number: int, order: Order) -> None:
        """One more step of an order: one write, acknowledged by Kafka when this returns."""
        ack = await self._publisher.put(f"orders/{number}", order, type=f"order.{order.status}", source=SOURCE)
        print(f"{ack.resource} is {order.status}, version {ack.version}")

    async def forget(self, number: int) -> None:
        """The order is no longer of interest: watchers see it go."""
        await self._publisher.delete(f"orders/{number}", type="order.archived", source=SOURCE)


async def live(orders: Orders, number: int) -> None:
    """The whole life of an order."""
    order = Order(random.choice(["pen", "book"]), random.randint(1, 3), "placed")
    await orders.place(number, order)
    await orders.move(number, replace(order, status="paid"))
    await orders.move(number, replace(order, status="shipped"))
    await orders.forget(number)


async def main() -> None:
    """An order a second, until Ctrl-C."""
    settings = Settings.load(CONFIG)
    stop = stop_requested()
    async with Publisher(settings.kafka, Catalog(settings.collections), settings.producer) as publisher:
        orders = Orders(publisher)
        for number in count(1):
            try:
                await live(orders, number)
            except Problem as problem:
                # `outcome` says whether the write may be in Kafka; a service that must know asks for the state.
                print(f"order {number}: {problem} (outcome: {problem.members.get('outcome')})", file=sys.stderr)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1)
                break


if __name__ == "__main__":
    asyncio.run(main())
