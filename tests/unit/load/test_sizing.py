"""How many servers a load takes."""

import dataclasses
from pathlib import Path

import pytest

from load.sizing.__main__ import answer, main
from load.sizing.document import DOCUMENT, RESULTS, written
from load.sizing.fleet import BUSY, FULL, LONGEST_FAN_OUT_S, Load, fleet_for
from load.sizing.prices import Prices

PRICES = Prices(
    record=5e-6,
    record_paced=50e-6,
    record_busy=20e-6,
    delivery=7e-6,
    handshake=155e-6,
    idle_server=0.01,
    idle_connection=5e-6,
    resource_bytes=360,
    connection_bytes=2500,
    empty_bytes=70e6,
    record_overhead_bytes=200,
)
SMALL = Load(watchers=1000, changes_per_s=100, fan_out=10, widest=10, resources=1000, value_bytes=200)


def test_there_are_two_at_least() -> None:
    assert fleet_for(SMALL, PRICES).servers == 2


def test_connections_ask_for_servers() -> None:
    fleet = fleet_for(dataclasses.replace(SMALL, watchers=1_000_000), PRICES)
    assert (fleet.servers, fleet.why) == (1_000_000 / FULL, "connections")
    assert fleet.memory_bytes == pytest.approx(70e6 + 1000 * 560 + FULL * 2500)


def test_deliveries_ask_for_servers_and_none_is_busier_than_it_should_be() -> None:
    fleet = fleet_for(dataclasses.replace(SMALL, changes_per_s=2500, fan_out=400), PRICES)
    assert fleet.why == "CPU"
    assert BUSY * 0.9 < fleet.ingest + fleet.deliveries <= BUSY


def test_a_change_that_many_watch_asks_for_servers() -> None:
    fleet = fleet_for(dataclasses.replace(SMALL, watchers=50_000, widest=50_000), PRICES)
    assert fleet.why == "fan-out"
    assert 50_000 / fleet.servers * PRICES.delivery <= LONGEST_FAN_OUT_S


def test_every_server_reads_everything_so_that_there_is_a_rate_which_no_number_of_them_can_do() -> None:
    assert fleet_for(dataclasses.replace(SMALL, changes_per_s=100_000), PRICES).servers == 0


def test_kafka_sends_everything_to_each() -> None:
    fleet = fleet_for(dataclasses.replace(SMALL, watchers=100_000), PRICES)
    assert fleet.egress_bytes_per_s == fleet.servers * 100 * 400


def test_a_rate_is_found_by_its_share() -> None:
    assert PRICES.ingest(PRICES.rate_of(0.5)) == pytest.approx(0.5)


@pytest.mark.parametrize(("rate", "share"), [(0, 0.01), (2500, 0.125), (6250, 0.1625), (10_000, 0.2), (30_000, 0.3)])
def test_reading_costs_by_the_fetch_and_by_the_record(rate: float, share: float) -> None:
    assert PRICES.ingest(rate) == pytest.approx(share)


def test_the_figures_are_those_that_were_measured_last(capsys: pytest.CaptureFixture[str]) -> None:
    prices = Prices.read(RESULTS)
    assert all(price > 0 for price in prices)
    assert main(["--watchers", "1000", "--changes", "100"]) == 0
    assert capsys.readouterr().out.startswith("push servers          2 ")


def test_the_document_has_the_figures_that_were_measured_last() -> None:
    text = DOCUMENT.read_text()
    assert written(text, RESULTS, answer) == text, "run: .venv/bin/python -m load.sizing report"
    assert text.count("push servers          ") == 2
    assert "Split the collections over pools of servers." in text


def test_what_cannot_be_done_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--watchers", "1000", "--changes", "10000000"]) == 1
    assert "Split the collections over pools of servers." in capsys.readouterr().out
