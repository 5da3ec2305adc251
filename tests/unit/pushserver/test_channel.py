"""One collection as it is served: its table, its history and the change to another epoch."""

from typing import Any

import pytest

from shared.resource import Watch
from tests.support.events import channel, delete, put


def test_a_collection_in_log_mode_keeps_its_records() -> None:
    served = channel(put("a", 0), put("a", 1))
    assert served.history is not None
    assert [event.offset for event in served.history.windows[0].events(0, 9, 9)] == [0, 1]
    assert [event.offset for event in served.table.logs[0].events(0, 9, 9)] == [1]


@pytest.mark.parametrize(("settings", "kept"), [({"modes": ["state"]}, False), ({"state": "none"}, True)])
def test_history_is_kept_where_something_needs_it(settings: dict[str, Any], *, kept: bool) -> None:
    assert (channel(**settings).history is not None) == kept


def test_news_are_what_changes_the_state() -> None:
    served = channel(put("a", 3))
    repeated, new = put("a", 3), delete("a", 4)
    assert served.apply([repeated, new], {0: 5}) == [new]


def test_a_known_resource_is_in_its_partition_and_any_other_may_be_in_all() -> None:
    served = channel(put("a", 0, partition=1), partitions=3)
    assert list(served.partitions_of(Watch("stocks", "a"))) == [1]
    for watch in (Watch("stocks", "b"), Watch("stocks", prefix="a"), Watch("stocks")):
        assert list(served.partitions_of(watch)) == [0, 1, 2]


def test_another_epoch_takes_over_with_all_that_it_has_and_the_audience_stays() -> None:
    served, fresh = channel(put("a", 9)), channel(put("b", 0), partitions=2, epoch=b"newer")
    audience = served.audience
    fresh.as_of_ms = 77
    served.take_over(fresh)
    assert (served.epoch, served.positions, served.as_of_ms) == (b"newer", (1, 0), 77)
    assert served.table.get("a") is None
    assert served.history is fresh.history
    assert served.audience is audience
