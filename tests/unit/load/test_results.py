"""What is left of a test: samples, the table, the picture."""

import csv
from xml.etree import ElementTree as ET

import pytest

from load.users.course import Mark
from load.users.picture import ceiling, picture
from load.users.timeline import Reading, Sample, as_csv, percentile, sample, too_busy

SVG = "{http://www.w3.org/2000/svg}"


def one(at_s: float = 3, busy: float = 0.2, p99_ms: float = 40) -> Sample:
    return Sample(at_s, 12, 11, 100.0, 10.0, 1.0, 4, p99_ms, 2, busy)


def test_a_sample_is_what_happened_between_two_readings() -> None:
    before = Reading(10, 100, 10, 5, 0, {1.0: 90, 8.0: 10})
    now = Reading(14, 300, 30, 5, 3, {1.0: 90, 8.0: 110, 20.0: 100})
    assert sample(before, now, users=9, connected=8, busy=0.25) == Sample(14, 9, 8, 50, 5, 0, 8, 20, 3, 0.25)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 1), (0.51, 2), (0.99, 2), (1.0, 90)])
def test_a_percentile_is_not_exceeded_by_its_share(share: float, expected: float) -> None:
    assert percentile({2.0: 49, 1.0: 50, 90.0: 1}, share) == expected


def test_without_deliveries_there_is_no_latency() -> None:
    assert percentile({}, 0.99) == 0
    assert percentile({5.0: 0}, 0.99) == 0


def test_a_generator_above_its_limit_is_found() -> None:
    samples = [one(busy=0.79), one(busy=0.81)]
    assert too_busy(samples) == [samples[1]]


def test_the_table_has_a_head_and_a_row_for_each_sample() -> None:
    head, *rows = csv.reader(as_csv([one(3), one(6)]).splitlines())
    assert (head[0], head[-1]) == ("at_s", "busy")
    assert [row[0] for row in rows] == ["3", "6"]


@pytest.mark.parametrize(("highest", "end"), [(0, 1), (0.3, 0.5), (1, 1), (7, 10), (10, 10), (11, 20), (4200, 5000)])
def test_an_axis_ends_at_a_round_number(highest: float, end: float) -> None:
    assert ceiling(highest) == pytest.approx(end)


def test_the_picture_is_well_formed_and_says_what_happened() -> None:
    drawn = ET.fromstring(picture("ramp: <a> & b", [one(3), one(6, p99_ms=70)], [Mark(4, "storm"), Mark(9, "settle")]))  # noqa: S314
    texts = {element.text for element in drawn.iter(f"{SVG}text")}
    assert {"ramp: <a> & b", "2 failures", "storm", "99 %, ≤ 70", "6 s", "CPU, ≤ 20"} <= texts
    assert "settle" not in texts
    assert all(len(line.attrib["points"].split()) == 2 for line in drawn.iter(f"{SVG}polyline"))


def test_the_picture_stays_within_its_frame() -> None:
    drawn = ET.fromstring(picture("all", [one(3, busy=1.9), one(6, busy=0)], []))  # noqa: S314
    points = [point.split(",") for line in drawn.iter(f"{SVG}polyline") for point in line.attrib["points"].split()]
    assert all(0 <= float(x) <= 720 and 0 <= float(y) <= float(drawn.attrib["height"]) for x, y in points)


def test_a_test_that_was_too_short_for_a_sample_has_a_picture_too() -> None:
    assert ET.fromstring(picture("none", [], [])).tag == f"{SVG}svg"  # noqa: S314
