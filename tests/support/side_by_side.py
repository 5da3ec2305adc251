"""Tests by several workers, a file by one of them; those that measure time come last, when only one worker is left."""

from collections.abc import Mapping
from typing import Final

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

ALONE: Final[Mapping[str, str]] = {
    "tests/access/test_hiding.py::test_not_allowed_and_not_there_take_the_same_time": "compares microseconds",
    "tests/access/test_revocation.py::test_it_ends_every_transport_on_every_server_within_a_second": "within a second",
    "tests/benchmarks/test_bench_smoke.py": "takes every core, and counts how many changes a write has",
    "tests/benchmarks/test_load_smoke.py": "two locusts take every core, and a storm has to be over in time",
    "tests/browser/test_client.py::test_a_thousand_changes_a_second_drop_no_picture": "counts pictures and long tasks",
    "tests/chaos/test_chaos.py": "a cluster of nine processes under load, and deadlines for it to be well again",
    "tests/e2e/test_demo.py": "holds a start to five seconds, and an end to two",
    "tests/hostile/test_fuzz.py::test_live_services_outlive_strangers": "holds each answer to a time",
    "tests/integration/test_dead_peers.py": "tells those that are dead from those that are slow within a second",
    "tests/integration/test_leaving.py::test_they_are_sent_away_at_an_even_rate": "a rate, by the clock",
    "tests/integration/test_oracle.py": "so many events must be written in a second",
    "tests/integration/test_overlap.py::test_applications_of_both_clients_notice_nothing_of_a_server_that_leaves": (
        "holds silence to two seconds"
    ),
    "tests/integration/test_reconnect_storm.py": "5 000 connections, and pauses of the loop in milliseconds",
    "tests/integration/test_stalled_crowd.py": "a pace of writing must be kept",
}
"""Files, or tests of one, that another worker's work would fail, each with its reason."""


def runs_alone(nodeid: str) -> bool:
    """Whether it, or the file that it is in, is in the table."""
    return not {nodeid.partition("[")[0], nodeid.partition("::")[0]}.isdisjoint(ALONE)


class SideBySide(LoadFileScheduling):
    """Whoever has nothing left to do ends, with all that it started; the last one then runs what runs alone.

    The collection has that at its end.
    """

    def _split_scope(self, nodeid: str) -> str:
        scope = super()._split_scope(nodeid)
        return f"{scope}, alone" if runs_alone(nodeid) else scope

    def _assign_work_unit(self, node: WorkerController) -> None:
        if len(self.nodes) == 1 or not self._are_others_done():
            super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        if len(self.nodes) > 1 and self._are_others_done() and not node.shutting_down:
            self._let_go(node)
        else:
            super()._reschedule(node)

    def remove_node(self, node: WorkerController) -> str | None:
        crashed = super().remove_node(node)
        for left in self.nodes * 2:  # a worker that has had nothing begins once it knows of two tests
            self._reschedule(left)
        return crashed

    def _are_others_done(self) -> bool:
        """Whether what is left, if anything, runs alone."""
        return bool(self.workqueue) and next(iter(self.workqueue)).endswith(", alone")

    def _let_go(self, node: WorkerController) -> None:
        if sum(not each.shutting_down for each in self.nodes) > 1:
            node.shutdown()
