"""What an operator sees of the revocations, in either service."""

from collections.abc import Iterator

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import CollectorRegistry

from shared.revocation_log import RevocationLog


class RevocationExposition:
    """Reads the log when it is asked; without one there are names and no values."""

    def __init__(self, log: RevocationLog | None) -> None:
        self._log = log

    def collect(self) -> Iterator[Metric]:
        """All metrics of a revocation log."""
        log = self._log
        families: tuple[GaugeMetricFamily | CounterMetricFamily, ...] = (
            GaugeMetricFamily("watchroute_revocations", "Revocations held."),
            GaugeMetricFamily("watchroute_revocations_lag", "Offsets that Kafka is ahead."),
            GaugeMetricFamily("watchroute_revocations_as_of_seconds", "When it was last known that none is missing."),
            CounterMetricFamily("watchroute_revocations_malformed", "Records skipped, as they say nothing."),
            CounterMetricFamily("watchroute_revocations_let_go", "Revocations for which there was no room."),
        )
        values = (len(log.held), log.lag, log.as_of_ms / 1000, log.malformed, log.let_go) if log is not None else ()
        for family, value in zip(families, values, strict=False):
            family.add_metric([], value)
        yield from families


def expose_revocations(log: RevocationLog | None, registry: CollectorRegistry = REGISTRY) -> None:
    """Add the metrics of a log to a registry."""
    registry.register(RevocationExposition(log))
