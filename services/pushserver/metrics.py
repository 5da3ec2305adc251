"""The server's totals, as Prometheus reads them."""

import time
from collections.abc import Iterator

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import CollectorRegistry

from services.pushserver.hub import Hub
from services.pushserver.pause import LoopPause
from services.pushserver.source import Source


class Exposition:
    """Reads the counters when it is asked, so that counting costs an addition."""

    def __init__(self, hub: Hub, source: Source, pause: LoopPause) -> None:
        self._hub = hub
        self._source = source
        self._pause = pause

    def collect(self) -> Iterator[Metric]:
        """All metrics of a push server."""
        yield from self._totals()
        yield from self._labelled()
        yield from self._now()

    def _totals(self) -> Iterator[Metric]:
        counters = self._hub.counters
        for name, what, total in (
            ("records", "Events read from Kafka.", counters.records),
            ("deliveries", "Data frames written to watchers, snapshots left out.", counters.deliveries),
            ("writes", "Writes to sockets.", counters.writes),
            ("elided", "Changes that a newer one replaced while its reader was slow.", counters.elided),
            ("ingest_busy_seconds", "Time spent applying and broadcasting records.", self._source.busy_s),
        ):
            yield CounterMetricFamily(f"watchroute_{name}", what, value=total)

    def _labelled(self) -> Iterator[Metric]:
        counters = self._hub.counters
        closed = CounterMetricFamily("watchroute_closed", "Connections ended, by reason.", labels=["reason"])
        for reason, total in counters.closed.items():
            closed.add_metric([reason], total)
        refused = CounterMetricFamily("watchroute_refused", "Requests and operations refused.", labels=["code"])
        for code, total in counters.refused.items():
            refused.add_metric([code], total)
        limited = CounterMetricFamily(
            "watchroute_limited", "Refusals, by the limit that was reached.", labels=["limit"]
        )
        for limit, total in counters.limited.items():
            limited.add_metric([limit], total)
        turned_away = CounterMetricFamily(
            "watchroute_turned_away", "Connections closed before a request was understood.", labels=["reason"]
        )
        for reason, total in counters.turned_away.items():
            turned_away.add_metric([reason], total)
        deprecated = CounterMetricFamily(
            "watchroute_deprecated_watches", "Watches begun of deprecated collections.", labels=["collection"]
        )
        for name, total in counters.deprecated.items():
            deprecated.add_metric([name], total)
        malformed = CounterMetricFamily(
            "watchroute_malformed", "Records skipped, by what is wrong with them.", labels=["collection", "reason"]
        )
        for kind, total in counters.malformed.items():
            malformed.add_metric(list(kind), total)
        yield from (closed, refused, limited, turned_away, deprecated, malformed)

    def _now(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("watchroute_connections", "Watching connections.", value=len(self._hub.wheel))
        behind = sum(subscriber.blocked for subscriber in self._hub.wheel)
        yield GaugeMetricFamily("watchroute_behind", "Connections whose socket is full.", value=behind)
        yield GaugeMetricFamily(
            "watchroute_loop_pause_seconds",
            "The longest that the event loop was away since this was asked last.",
            value=self._pause.take_longest_s(),
        )
        yield GaugeMetricFamily(
            "watchroute_clock_ahead_seconds",
            "How far this server's clock is ahead of those that date records; absent when none arrived of late.",
            value=self._source.clock.seconds(int(time.time() * 1000)),
        )
        families = {
            "subscriptions": GaugeMetricFamily("watchroute_subscriptions", "Live watches.", labels=["collection"]),
            "resources": GaugeMetricFamily("watchroute_resources", "Resources held.", labels=["collection"]),
            "lag": GaugeMetricFamily("watchroute_lag", "Offsets that Kafka is ahead.", labels=["collection"]),
            "as_of": GaugeMetricFamily(
                "watchroute_as_of_seconds", "When this server last knew that it had everything.", labels=["collection"]
            ),
        }
        lags = self._source.lag()
        for name, channel in self._hub.channels.items():
            families["subscriptions"].add_metric([name], channel.audience.size)
            families["resources"].add_metric([name], channel.table.resources)
            families["as_of"].add_metric([name], channel.as_of_ms / 1000)
            families["lag"].add_metric([name], lags.get(name, 0))
        yield from families.values()


def expose(hub: Hub, source: Source, pause: LoopPause, registry: CollectorRegistry = REGISTRY) -> None:
    """Add a server's metrics to a registry."""
    registry.register(Exposition(hub, source, pause))
