"""The metrics that the services really have, with their labels: asked of the services' own classes."""

import os
from collections.abc import Iterable, Iterator

from prometheus_client import Histogram
from prometheus_client.core import Metric
from prometheus_client.metrics import MetricWrapperBase

from services.producer import metrics as producer_metrics
from services.pushserver.counters import Counters
from services.pushserver.hub import Hub
from services.pushserver.metrics import Exposition
from services.pushserver.pause import LoopPause
from services.pushserver.settings import PushServerSettings
from services.pushserver.source import Source
from shared.catalog import Catalog
from shared.kafka import KafkaSettings
from shared.revocation_metrics import RevocationExposition

_SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


def served() -> dict[str, set[str]]:
    """Every series' name, and the labels that it has."""
    return dict([*_pushserver(), *_producer()])


def _pushserver() -> Iterator[tuple[str, set[str]]]:
    hub = Hub(Catalog({}), Counters(), os.write)
    source = Source(hub, KafkaSettings(), PushServerSettings())
    yield from _series(Exposition(hub, source, LoopPause()).collect())
    yield from _series(RevocationExposition(None).collect())


def _producer() -> Iterator[tuple[str, set[str]]]:
    for metric in vars(producer_metrics).values():
        if not isinstance(metric, MetricWrapperBase):
            continue
        le = {"le"} if isinstance(metric, Histogram) else set()
        for name, labels in _series(metric.describe()):
            yield name, labels | set(metric._labelnames) | le  # noqa: SLF001 -- the library tells them nowhere else


def _series(metrics: Iterable[Metric]) -> Iterator[tuple[str, set[str]]]:
    for metric in metrics:
        for suffix in _SUFFIXES[metric.type]:
            yield metric.name + suffix, set(getattr(metric, "_labelnames", ()))
