"""Plausible stock prices, made up, for the demo.

A `Market` has no clock and no I/O: time comes in, changes come out, and the same seed and times give the same prices.
`run_market` drives one in real time.
"""

import asyncio
import heapq
import math
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from cli.stopping import is_set_within

COLLECTION: Final = "stocks"

_MOMENTUM_S: Final = 15.0  # a trend fades to 1/e in this time
_MOMENTUM_SHARE: Final = 0.25  # of the volatility goes into trends, so that sparklines show some
_PULL_PER_S: Final = 0.002  # towards the opening price: a demo left on for a week still looks like a market
_NEWS_PER_S: Final = 1 / 240
_NEWS_SIZE: Final = 0.012
_LONGEST_STEP_S: Final = 5.0
_LONGEST_PAUSE_S: Final = 2.0
_TICK_S: Final = 0.1


class Listing(NamedTuple):
    """A company on the market. `volatility` is the standard deviation of the log price after one second."""

    symbol: str
    name: str
    currency: str
    opening_price: float
    volatility: float
    activity: float  # how often it is traded, relative to the others


LISTINGS: Final = (
    Listing("AAPL", "Apple", "USD", 231.40, 0.00050, 1.4),
    Listing("AMZN", "Amazon", "USD", 204.10, 0.00055, 1.2),
    Listing("ASML", "ASML", "EUR", 682.30, 0.00065, 0.8),
    Listing("GOOGL", "Alphabet", "USD", 178.90, 0.00050, 1.1),
    Listing("MC", "LVMH", "EUR", 612.80, 0.00045, 0.6),
    Listing("MSFT", "Microsoft", "USD", 428.70, 0.00040, 1.3),
    Listing("NESN", "Nestlé", "CHF", 84.62, 0.00035, 0.6),
    Listing("NVDA", "NVIDIA", "USD", 138.20, 0.00095, 1.8),
    Listing("SAP", "SAP", "EUR", 218.50, 0.00045, 0.8),
    Listing("SHEL", "Shell", "GBP", 26.84, 0.00060, 0.7),
    Listing("SIE", "Siemens", "EUR", 186.30, 0.00045, 0.7),
    Listing("TSLA", "Tesla", "USD", 338.90, 0.00120, 1.7),
)


@dataclass(slots=True)
class _Stock:
    """What changes about a listing. `momentum` is a drift of the log price per second."""

    listing: Listing
    price: float
    traded_at_s: float
    momentum: float = 0.0
    volume: int = 0

    def data(self) -> dict[str, Any]:
        opening = self.listing.opening_price
        price = round(self.price, 2)
        return {
            "symbol": self.listing.symbol,
            "name": self.listing.name,
            "price": price,
            "change": round((price / opening - 1) * 100, 2) + 0.0,  # + 0.0 turns -0.0 into 0.0
            "volume": self.volume,
            "currency": self.listing.currency,
        }


@dataclass(order=True, slots=True)
class _Trade:
    """The next trade of one stock, ordered by when it happens."""

    at_s: float
    stock: _Stock = field(compare=False)


class Market:
    """Twelve stocks whose trades come at random, `trades_per_s` of them over all.

    `start_s` is the time of the opening; `tick` takes times of the same clock, which must not go back.
    """

    def __init__(self, *, seed: int | None, trades_per_s: float, start_s: float) -> None:
        if trades_per_s <= 0:
            raise ValueError("a market needs trades_per_s above 0")
        self._random = random.Random(seed)  # noqa: S311 (made-up prices, nothing secret)
        self._rate_of_activity = trades_per_s / sum(listing.activity for listing in LISTINGS)
        self._stocks = [_Stock(listing, listing.opening_price, start_s) for listing in LISTINGS]
        self._trades = [_Trade(start_s + self._pause_s(stock), stock) for stock in self._stocks]
        heapq.heapify(self._trades)
        self._now_s = start_s

    def opening(self) -> list[tuple[str, dict[str, Any]]]:
        """Every stock as it stands, in the order of the listings, with no trade made."""
        return [(stock.listing.symbol, stock.data()) for stock in self._stocks]

    def tick(self, now_s: float) -> list[tuple[str, dict[str, Any]]]:
        """Make the trades that were due since the last tick: `(symbol, data)` of each, in order of time.

        A symbol may come several times. After a pause of more than two seconds (a laptop that slept) the trades of
        the pause are not made up for.
        """
        if now_s - self._now_s > _LONGEST_PAUSE_S:
            self._skip(now_s - self._now_s)
        self._now_s = now_s
        changes = []
        while self._trades[0].at_s <= now_s:
            changes.append(self._next_trade())
        return changes

    def _next_trade(self) -> tuple[str, dict[str, Any]]:
        trade = self._trades[0]
        self._move(trade.stock, trade.at_s)
        heapq.heapreplace(self._trades, _Trade(trade.at_s + self._pause_s(trade.stock), trade.stock))
        return trade.stock.listing.symbol, trade.stock.data()

    def _skip(self, pause_s: float) -> None:
        self._trades = [_Trade(trade.at_s + pause_s, trade.stock) for trade in self._trades]

    def _pause_s(self, stock: _Stock) -> float:
        return self._random.expovariate(self._rate_of_activity * stock.listing.activity)

    def _move(self, stock: _Stock, at_s: float) -> None:
        step_s = min(at_s - stock.traded_at_s, _LONGEST_STEP_S)
        news = self._news(step_s)
        step = self._drift(stock, step_s) + self._noise(stock.listing.volatility, step_s) + news
        stock.price = max(0.01, stock.price * math.exp(step))
        stock.volume += self._lot(step, stock.listing.volatility)
        stock.traded_at_s = at_s

    def _drift(self, stock: _Stock, step_s: float) -> float:
        """The change of the log price by trend and pull; the trend itself fades and is pushed anew."""
        push = self._noise(stock.listing.volatility * _MOMENTUM_SHARE, step_s)
        stock.momentum = stock.momentum * math.exp(-step_s / _MOMENTUM_S) + push
        pull = -_PULL_PER_S * math.log(stock.price / stock.listing.opening_price)
        return (stock.momentum + pull) * step_s

    def _noise(self, deviation: float, step_s: float) -> float:
        return self._random.gauss(0.0, deviation) * math.sqrt(step_s)

    def _news(self, step_s: float) -> float:
        """A jump of the log price, now and then."""
        if self._random.random() >= _NEWS_PER_S * step_s:
            return 0.0
        return self._random.gauss(0.0, _NEWS_SIZE)

    def _lot(self, step: float, volatility: float) -> int:
        """How many shares changed hands: the more, the further the price moved."""
        excitement = 1 + min(abs(step) / volatility, 20.0)
        return max(1, round(self._random.lognormvariate(4.0, 1.0) * excitement))


async def run_market(
    publish: Callable[[str, dict[str, Any]], Awaitable[object]],
    rate_per_s: float,
    stop: asyncio.Event,
    *,
    seed: int | None = None,
    opened: Callable[[], Awaitable[object]] | None = None,
) -> None:
    """Publish the opening prices and call `opened`, then about `rate_per_s` changes per second until `stop` is set.

    `publish` gets the resource (`stocks/AAPL`) and its data, one call after the other: when it is slow the market
    slows down with it, and nothing queues up. What it raises ends the market.
    """
    market = Market(seed=seed, trades_per_s=rate_per_s, start_s=time.monotonic())
    for symbol, data in market.opening():
        await publish(f"{COLLECTION}/{symbol}", data)
    if opened is not None:
        await opened()
    while True:
        if await is_set_within(stop, _TICK_S):
            return
        for symbol, data in market.tick(time.monotonic()):
            await publish(f"{COLLECTION}/{symbol}", data)
