import asyncio
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.stocks import LISTINGS, Market, run_market

SCHEMA = json.loads((Path(__file__).parents[3] / "cli" / "schemas" / "stock.json").read_text())
VALIDATOR = jsonschema_rs.validator_for(SCHEMA)
STOCK: dict[str, Any] = {"symbol": "A", "name": "A", "price": 1.5, "change": -2.5, "volume": 3, "currency": "EUR"}


def a_day(seed: int | None, *, hours: float = 1.0, trades_per_s: float = 12.0) -> list[tuple[str, dict[str, Any]]]:
    market = Market(seed=seed, trades_per_s=trades_per_s, start_s=1000.0)
    return [change for tenth in range(1, int(hours * 36_000)) for change in market.tick(1000.0 + tenth / 10)]


def test_the_same_seed_and_times_give_the_same_changes() -> None:
    assert a_day(7, hours=0.05) == a_day(7, hours=0.05)
    assert a_day(7, hours=0.05) != a_day(8, hours=0.05)


@pytest.mark.parametrize("seed", range(3))
def test_every_change_fits_the_schema_and_names_its_own_symbol(seed: int) -> None:
    for symbol, data in a_day(seed, hours=0.2):
        VALIDATOR.validate(data)
        assert data["symbol"] == symbol


@pytest.mark.parametrize(
    "change",
    [
        {"price": 0},
        {"price": "1"},
        {"symbol": "a b"},
        {"volume": 1.5},
        {"currency": "euro"},
        {"extra": 1},
        {"name": ""},
    ],
    ids=str,
)
def test_the_schema_refuses_what_is_not_a_stock(change: dict[str, Any]) -> None:
    assert VALIDATOR.is_valid(STOCK)
    assert not VALIDATOR.is_valid(STOCK | change)


@pytest.mark.parametrize("missing", sorted(STOCK))
def test_the_schema_asks_for_every_member(missing: str) -> None:
    assert not VALIDATOR.is_valid({name: value for name, value in STOCK.items() if name != missing})


def test_prices_have_two_decimals_and_volumes_grow() -> None:
    volumes: dict[str, int] = {}
    for symbol, data in a_day(1, hours=0.2):
        assert data["price"] == round(data["price"], 2)
        assert data["volume"] > volumes.get(symbol, 0)
        volumes[symbol] = data["volume"]


def test_change_is_the_percentage_since_the_opening() -> None:
    opening = {listing.symbol: listing.opening_price for listing in LISTINGS}
    for symbol, data in a_day(2, hours=0.1):
        assert data["change"] == pytest.approx((data["price"] / opening[symbol] - 1) * 100, abs=0.006)


@pytest.mark.parametrize("seed", range(5))
def test_an_hour_stays_plausible(seed: int) -> None:
    last = dict(a_day(seed))
    assert last.keys() == {listing.symbol for listing in LISTINGS}
    assert all(-40 < data["change"] < 60 for data in last.values())
    assert any(data["change"] > 0 for data in last.values())
    assert any(data["change"] < 0 for data in last.values())


def test_most_trades_move_the_price() -> None:
    previous: dict[str, float] = {}
    moved = []
    for symbol, data in a_day(3, hours=0.2):
        moved.append(previous.get(symbol) != data["price"])
        previous[symbol] = data["price"]
    assert sum(moved) / len(moved) > 0.7


def test_the_rate_is_the_one_asked_for() -> None:
    assert len(a_day(4, trades_per_s=20.0)) == pytest.approx(20 * 3600, rel=0.02)


@given(
    times=st.lists(st.floats(min_value=0, max_value=3600), max_size=50), rate=st.floats(min_value=0.1, max_value=200)
)
def test_any_times_give_finite_positive_prices(times: list[float], rate: float) -> None:
    market = Market(seed=1, trades_per_s=rate, start_s=0.0)
    for now_s in sorted(times):
        for _, data in market.tick(now_s):
            VALIDATOR.validate(data)


def test_a_pause_is_not_made_up_for() -> None:
    market = Market(seed=1, trades_per_s=50.0, start_s=0.0)
    market.tick(1.0)
    assert len(market.tick(100_000.0)) < 500
    assert market.tick(100_001.0)


def test_the_opening_has_every_listing_at_its_price() -> None:
    opening = Market(seed=1, trades_per_s=1.0, start_s=0.0).opening()
    assert [(symbol, data["price"]) for symbol, data in opening] == [
        (row.symbol, row.opening_price) for row in LISTINGS
    ]
    for _, data in opening:
        VALIDATOR.validate(data)
        assert (data["change"], data["volume"]) == (0.0, 0)


def test_a_market_without_trades_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        Market(seed=1, trades_per_s=0, start_s=0.0)


async def test_a_running_market_publishes_the_opening_and_then_trades_until_it_is_stopped() -> None:
    stop = asyncio.Event()
    published: list[str] = []

    async def publish(resource: str, data: dict[str, Any]) -> None:
        assert resource == f"stocks/{data['symbol']}"
        published.append(resource)
        if len(published) == 40:
            stop.set()

    async def opened() -> None:
        published.append("opened")

    async with asyncio.timeout(10):
        await run_market(publish, 200.0, stop, seed=1, opened=opened)
    assert published.index("opened") == len(LISTINGS)
    published.remove("opened")
    assert published[: len(LISTINGS)] == [f"stocks/{listing.symbol}" for listing in LISTINGS]
    assert len(published) >= 40


async def test_an_error_of_publish_ends_the_market() -> None:
    async def publish(_resource: str, _data: dict[str, Any]) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await run_market(publish, 10.0, asyncio.Event())
