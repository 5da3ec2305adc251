"""When a run is worth nothing, because a promise was broken."""

from collections.abc import Mapping
from typing import Any


class Broken(Exception):
    """Deliveries were lost, reordered or late, or a process failed: the figures of the run mean nothing."""


def check_counts(status: Mapping[str, Any], *, deliveries: int, elided: int, connections: int, ends: int) -> None:
    """Raise Broken unless each connection had every last value, and all together what was to be delivered.

    What the server says that it elided, for readers that were slow, is missing by right.
    """
    if not status["fewest_ends"] == status["most_ends"] == ends // connections:
        raise Broken(f"of {ends // connections} last values for each reader: {dict(status)}")
    if status["received"] + elided != deliveries:
        raise Broken(f"{status['received']} deliveries and {elided} elided, not {deliveries}: {dict(status)}")


def check_order(findings: Mapping[str, Any], *, elided: int) -> None:
    """Raise Broken when the sampled connections saw a version twice or out of order, or one was missing."""
    if findings["disordered"]:
        raise Broken(f"{findings['disordered']} of {findings['frames']} deliveries were out of order")
    if findings["missing"] > elided:
        raise Broken(f"{findings['missing']} values were missing, and {elided} elided")
