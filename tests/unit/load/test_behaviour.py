"""What users do: which resource they choose, when they come back, what they publish, how the test goes."""

import json
from argparse import ArgumentParser, Namespace
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from load.users.backoff import Backoff
from load.users.course import SHAPES, Course
from load.users.event_stream import EventStream, ServerSentEvent
from load.users.ledger import Ledger
from load.users.options import Options, add_arguments
from load.users.popularity import Popularity
from load.users.specimen import Stamp


class LocustsParser(ArgumentParser):
    """argparse that takes `env_var`, as locust's does."""

    def add_argument(self, *flags: str, **settings: Any) -> Any:
        settings.pop("env_var", None)
        return super().add_argument(*flags, **settings)


def parsed(*arguments: str) -> Options:
    parser = LocustsParser()
    add_arguments(parser)
    return Options.of(parser.parse_args(arguments))


def test_uniform_resources_are_chosen_alike() -> None:
    random, popularity = Random(1), Popularity(4, 0)
    chosen = Counter(popularity.choose(random) for _ in range(4000))
    assert set(chosen) == {"load-1", "load-2", "load-3", "load-4"}
    assert all(900 < count < 1100 for count in chosen.values())


def test_the_first_of_zipf_is_twice_as_popular_as_the_second() -> None:
    random, popularity = Random(1), Popularity(100, 1)
    chosen = Counter(popularity.choose(random) for _ in range(20_000))
    assert 1.7 < chosen["load-1"] / chosen["load-2"] < 2.3
    assert len(chosen) > 90


@pytest.mark.parametrize(("resources", "exponent"), [(0, 1.0), (1, -1.0)])
def test_a_popularity_that_means_nothing_is_refused(resources: int, exponent: float) -> None:
    with pytest.raises(ValueError, match="resources with exponent"):
        Popularity(resources, exponent)


def test_pauses_grow_are_at_random_and_have_an_end() -> None:
    backoff = Backoff(8, Random(1))
    pauses = [[Backoff(8, Random(seed)).pause_s() for seed in range(200)], [backoff.pause_s() for _ in range(200)]]
    assert 0.4 < max(pauses[0]) <= 0.5
    assert 7 < max(pauses[1]) <= 8
    assert len(set(pauses[1])) == 200
    backoff.succeeded()
    assert backoff.pause_s() <= 0.5


def test_what_a_server_asks_for_is_never_cut_short() -> None:
    backoff = Backoff(1, Random(1))
    pauses = [backoff.pause_s(20) for _ in range(100)]
    assert all(20 <= pause <= 25 for pause in pauses)
    assert max(pauses) - min(pauses) > 4


def test_a_value_has_its_size_and_comes_back_as_its_stamp() -> None:
    stamp = Stamp("somebody", 17, 1_764_000_000_000_000_000)
    value = stamp.value(500)
    assert len(value) == 500
    assert Stamp.of(json.loads(value)) == stamp
    assert Stamp.of(json.loads(stamp.value(0))) == stamp


@pytest.mark.parametrize("data", [None, 7, "by", {"by": "x"}, {"by": "x", "seq": "1", "sent_ns": 2}, ["by"]])
def test_a_value_of_others_has_no_stamp(data: Any) -> None:
    assert Stamp.of(data) is None


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_an_event_stream_is_read_in_whatever_pieces_it_comes(size: int) -> None:
    text = b'retry: 1500\n\nevent: put\nid: c1\ndata: {"a":"\xc3\xa9"}\n\n: hello\n\nid: c2\n\ndata: x\ndata: y\n\n'
    stream = EventStream()
    events = [event for at in range(0, len(text), size) for event in stream.feed(text[at : at + size])]
    expected = [ServerSentEvent('{"a":"é"}', "c1"), ServerSentEvent(None, "c2"), ServerSentEvent("x\ny", None)]
    assert (events, stream.retry_ms) == (expected, 1500)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_course_ends_in_time_with_a_settling_before(shape: str) -> None:
    course = Course.of(shape, users=100, rate=5, run_s=120, settle_s=10)
    assert (course.over(119.9), course.over(120)) == (False, True)
    assert course.marks[-1] == (110, "settle")
    assert 0 < course.rate <= 100


def test_a_course_brings_its_users_as_its_name_says() -> None:
    courses = {shape: Course.of(shape, users=660, rate=5, run_s=120, settle_s=10) for shape in SHAPES}
    assert {name: round(660 / course.rate, 1) for name, course in courses.items()} == {
        "steady": 132,
        "ramp": 66,
        "storm": 1,
        "soak": 16.5,
        "restart": 16.5,
    }
    assert [mark.name for mark in courses["storm"].marks] == ["storm", "settle"]
    assert [mark.name for mark in courses["restart"].marks] == ["restart", "settle"]
    assert Course.of("soak", users=660, rate=5, run_s=36_000, settle_s=10).rate == 11


def test_what_is_marked_happens_once() -> None:
    course = Course.of("storm", users=10, rate=5, run_s=110, settle_s=10)
    looks = [0.0, 30.0, 50.0, 50.5, 99.0, 101.0, 110.0]
    due = [mark.name for before, now in pairwise(looks) for mark in course.due(before, now)]
    assert due == ["storm", "settle"]


def test_a_run_that_is_all_settling_is_refused() -> None:
    with pytest.raises(ValueError, match="leaves nothing"):
        Course.of("ramp", users=1, rate=1, run_s=10, settle_s=10)


def test_a_ledger_keeps_the_newest_of_all() -> None:
    ledger = Ledger()
    ledger.acknowledged("a", 5)
    ledger.acknowledged("a", 3)
    ledger.merge({"a": 4, "b": 1})
    assert ledger.versions == {"a": 5, "b": 1}


def test_options_have_defaults_and_are_checked(tmp_path: Path) -> None:
    assert parsed() == Options()
    ca = tmp_path / "ca.pem"
    ca.touch()
    given = parsed("--shape", "storm", "--zipf", "0", "--come-back", "anew", "--server-name", "x", "--ca", str(ca))
    assert given == Options(shape="storm", zipf=0, come_back="anew", server_name="x", ca=str(ca))


@pytest.mark.parametrize(
    "wrong", [["--shape", "wave"], ["--resources", "0"], ["--rate", "-1"], ["--life", "x"], ["--ca", "/no/such.pem"]]
)
def test_a_wrong_option_is_refused(wrong: list[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(*wrong)


def test_there_is_nothing_to_switch_verification_off() -> None:
    assert not {name for name in vars(Options()) if "insecure" in name or "verify" in name}


def test_options_that_a_master_leaves_out_are_the_defaults() -> None:
    assert Options.of(Namespace(shape="soak", users=7)) == Options(shape="soak")
    assert Options.of(None) == Options()
