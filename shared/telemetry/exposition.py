"""Writes what this process has measured in the text format of Prometheus. Nothing else of ours.

Each process tells of itself alone: scrape every instance, and let Prometheus add up. What is read
from the records, such as the depth of the queue, is the same on all of them: take its maximum.
Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from typing_extensions import override

from shared.telemetry.measured import MEASURED, Distribution
from shared.telemetry.metrics import METRICS, Kind
from shared.telemetry.metrics import Metric as OwnMetric

CONTENT_TYPE = CONTENT_TYPE_LATEST


def write_exposition() -> bytes:
    """Write every metric; one that was not measured yet has no values."""
    registry = CollectorRegistry()
    registry.register(_Measurements())
    return generate_latest(registry)


class _Measurements(Collector):
    """Reads the measurements at each scrape."""

    @override
    def collect(self) -> Iterator[Metric]:
        """Read them now."""
        for metric in METRICS:
            yield _read(metric)


def _read(metric: OwnMetric) -> Metric:
    if metric.kind is Kind.HISTOGRAM:
        histogram = HistogramMetricFamily(metric.exposed, metric.meaning, labels=metric.labels)
        for labels, found in MEASURED.distributions(metric.name):
            histogram.add_metric(labels, _list_buckets(found), found.total)
        return histogram
    family = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    numbers = family(metric.exposed, metric.meaning, labels=metric.labels)
    for labels, value in MEASURED.numbers(metric.name):
        numbers.add_metric(labels, value)
    return numbers


def _list_buckets(found: Distribution) -> list[tuple[str, float]]:
    """List the bounds with the count of what is at or below each of them."""
    bounds = [*(f"{float(bound)}" for bound in found.bounds), "+Inf"]
    return list(zip(bounds, map(float, accumulate(found.counts)), strict=True))
