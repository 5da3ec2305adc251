"""What an operator sees of the writes."""

from collections import Counter as Tally
from collections.abc import Iterable
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from services.producer.refusal import UNKNOWN
from services.producer.write import Ack
from shared.doorstep import Reason
from shared.problem import Problem

WRITES: Final = Counter(
    "watchroute_producer_writes",
    "Writes by what became of them: `written`, `unknown`, or a problem's code.",
    ["outcome"],
)
ACK_SECONDS: Final = Histogram(
    "watchroute_producer_ack_seconds",
    "From a checked write to Kafka's acknowledgement.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
LIMITED: Final = Counter(
    "watchroute_producer_limited", "Writes refused, by the limit of a principal that was reached.", ["limit"]
)
IN_FLIGHT: Final = Gauge("watchroute_producer_in_flight_writes", "Writes that Kafka has not answered yet.")

TURNED_AWAY: Final = Counter(
    "watchroute_producer_turned_away", "Connections closed before a request was understood.", ["reason"]
)


def count_turned_away(reason: Reason) -> None:
    """Count a connection that was closed at the doorstep."""
    TURNED_AWAY.labels(reason).inc()


def count(outcomes: Iterable[Ack | Problem]) -> None:
    """Count what became of some writes."""
    for label, number in Tally(map(_label, outcomes)).items():
        WRITES.labels(label).inc(number)


def _label(outcome: Ack | Problem) -> str:
    if isinstance(outcome, Ack):
        return "written"
    return UNKNOWN if outcome.members.get("outcome") == UNKNOWN else outcome.code
