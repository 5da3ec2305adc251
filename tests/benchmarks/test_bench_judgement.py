"""What the benchmark concludes from what it has seen: a run with a broken promise is none, and a median is a median."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from load.bench.catalogue import SCENARIOS
from load.bench.cores import READERS_CORE, pin
from load.bench.crowd.journal import Findings, Journal
from load.bench.figures import Spread, at_least, at_most, shown
from load.bench.floor import Floor
from load.bench.frame import data_frame
from load.bench.picture import picture
from load.bench.plan import Plan, numbered
from load.bench.report import BEGIN, END, MarksMissing, write_report
from load.bench.result import Result, read_results
from load.bench.specimen import END as LAST
from load.bench.specimen import MARK, VALUE_BYTES, value
from load.bench.table import rows
from load.bench.verdict import Broken, check_counts, check_order
from load.bench.watchers import watching

PROVENANCE: Mapping[str, Any] = {
    "when": "2026-11-23T10:00:00+00:00",
    "commit": "abc",
    "machine": {"cpu": "a CPU", "cores": 2, "memory_gb": 8, "kernel": "6"},
    "versions": {"python": "3", "kafka": "a Kafka", "floor": "C"},
}
STATUS: Mapping[str, Any] = {"received": 20, "fewest_ends": 1, "most_ends": 1}


def frame(resource: str, version: int, seq: int, sent_ns: int = 10**18) -> bytes:
    head = f'"resource":"{resource}","version":"{version}","time":"…"'
    return b'{"event":"put",%b,"data":%b}' % (head.encode(), value(seq, sent_ns))


def judged(*frames: bytes) -> Findings:
    journal = Journal()
    for data in frames:
        journal.note(10**18 + 5_000_000, data)
    return Findings.of([journal])


def result(**figures: float) -> Result:
    return Result(SCENARIOS["paced-ws"], [figures, figures, figures], PROVENANCE)


def test_versions_in_order_without_a_gap_are_fine() -> None:
    findings = judged(frame("s/a", 7, 1), frame("s/b", 3, 1), frame("s/a", 8, 2))
    assert (findings.frames, findings.disordered, findings.missing) == (3, 0, 0)


def test_a_version_that_comes_twice_or_late_is_out_of_order() -> None:
    assert judged(frame("s/a", 7, 1), frame("s/a", 7, 1)).disordered == 1
    assert judged(frame("s/a", 8, 2), frame("s/a", 7, 1)).disordered == 1


def test_a_value_that_never_comes_is_missing() -> None:
    assert judged(frame("s/a", 7, 1), frame("s/a", 10, 4)).missing == 2
    assert judged(frame("s/a", 9, 3)).missing == 2


def test_a_frame_that_two_reads_have_cut_apart_is_seen() -> None:
    whole = frame("s/a", 7, 1)
    for cut in range(1, len(whole)):
        findings = judged(whole[:cut], whole[cut:])
        assert findings.frames == 1
        assert findings.delays_ns == [5_000_000]


@pytest.mark.parametrize("last", [False, True])
def test_a_value_is_marked_once_and_always_as_long(last: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    for seq in (1, 999, 1_000_000):
        text = value(seq, 10**18, last=last)
        assert len(text) == VALUE_BYTES
        assert (text.count(MARK), text.count(LAST)) == (1, int(last))


@pytest.mark.parametrize("kind", ["ws", "sse"])
def test_nothing_but_the_value_marks_a_frame(kind: str) -> None:
    assert data_frame(kind).count(MARK) == 1
    assert data_frame(kind).count(LAST) == 0


@pytest.mark.parametrize(
    "wrong", [{"received": 19}, {"received": 21}, {"fewest_ends": 0}, {"most_ends": 2}, {"fewest_ends": 2}]
)
def test_one_delivery_more_or_less_breaks_a_run(wrong: Mapping[str, int]) -> None:
    check_counts(STATUS, deliveries=20, elided=0, connections=2, ends=2)
    check_counts(STATUS, deliveries=25, elided=5, connections=2, ends=2)
    with pytest.raises(Broken):
        check_counts({**STATUS, **wrong}, deliveries=20, elided=0, connections=2, ends=2)


def test_order_breaks_a_run_and_so_does_what_is_missing_but_was_not_elided() -> None:
    check_order({"frames": 9, "disordered": 0, "missing": 3}, elided=3)
    for findings in ({"disordered": 1, "missing": 0}, {"disordered": 0, "missing": 4}):
        with pytest.raises(Broken):
            check_order({"frames": 9, **findings}, elided=3)


def test_a_plan_ends_with_the_last_change_of_each_resource() -> None:
    for changes in (2, 3, 4, 7):
        plan = Plan(numbered(3), changes)
        steps = list(plan)
        last = {step.resource_id: step.seq for step in steps}
        assert len(steps) == changes
        assert len(last) == plan.ends
        assert {step.resource_id: step.seq for step in steps if step.last} == last
        assert sum(step.last for step in steps) == plan.ends


def test_a_median_is_held_against_its_target() -> None:
    assert Spread.of([3.0, 1.0, 2.0]) == (2.0, 1.0, 3.0)
    assert [at_most(2, then=1).met_by(number) for number in (1.9, 2, 2.1)] == [True, True, False]
    assert [at_least(2).met_by(number) for number in (1.9, 2, 2.1)] == [False, True, True]
    assert str(at_most(1.35, then=1.2)) == "≤ 1.35, then 1.2"
    assert [shown(number) for number in (0.12345, 12.345, 999.9, 1234.5, 4_812_345)] == [
        "0.123", "12.3", "1 000", "1 230", "4 810 000",
    ]  # fmt: skip


def test_a_result_comes_back_from_its_file(tmp_path: Path) -> None:
    written = result(ratio=1.3, cpu_us_per_delivery=4.0, floor_cpu_us=3.1)
    written.write(tmp_path)
    assert read_results(tmp_path) == [written]


def test_a_row_says_the_floor_and_whether_the_target_is_met() -> None:
    table = list(rows([result(ratio=1.3, cpu_us_per_delivery=4.0, floor_cpu_us=3.1)]))
    assert [(row.scenario, row.median, row.floor, row.met) for row in table] == [
        ("paced-ws", "1.3 × floor", "", "yes"),
        ("", "4 µs", "3.1 µs", ""),
    ]
    assert [row.met for row in rows([result(ratio=1.4)])] == ["no"]


def test_a_picture_is_well_formed_and_says_every_number() -> None:
    drawn = picture(result(ratio=1.3, cpu_us_per_delivery=4.0, floor_cpu_us=3.1))
    texts = {element.text for element in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")}  # noqa: S314
    assert {"paced-ws", "1.3 × floor", "1.35 × floor", "4 µs", "3.1 µs"} <= texts


def test_the_report_replaces_what_stands_between_its_marks(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text(f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n")
    for _ in range(2):
        write_report(document, [result(ratio=1.3)], tmp_path)
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert text.count("1.3 × floor") == 1
    document.write_text("nothing of the kind")
    with pytest.raises(MarksMissing):
        write_report(document, [], tmp_path)


async def test_a_process_stays_on_its_core() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    pin(process.pid, READERS_CORE)
    assert os.sched_getaffinity(process.pid) == {READERS_CORE}
    await process.communicate(b"\n")


async def test_the_floor_can_do_without_a_compiler(tmp_path: Path) -> None:
    python = Floor([sys.executable, "-m", "load.bench.floor_loop"], "Python", tmp_path)
    async with watching() as watchers:
        sends = await python.sends(watchers, data_frame("ws"), 5, rounds=4)
    assert sends.cpu_us > 0
