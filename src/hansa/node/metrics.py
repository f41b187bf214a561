"""The metrics of a node in Prometheus' text format: one table says what there is, what it means, and where it is from.

Few, and without labels that anybody outside could make many of. The registry is the node's own: nothing here is
global, and no collector of the library's is in it. The page docs/reference/metrics.md is made from the table.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Final, Literal

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

import hansa
from hansa.node.tally import Gauges, Histogram, Tally

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

_Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


class Metric(msgspec.Struct, frozen=True):
    """One metric: its name as it is served, its type, its label if it has one, and what it says."""

    name: str
    type: Literal["counter", "gauge", "histogram"]
    help: str
    label: str | None = None


METRICS: Final = (
    Metric("hansa_build_info", "gauge", "1, with the version of Hansa as a label.", "version"),
    Metric("hansa_ready", "gauge", "1 while the node takes transactions, else 0; GET /node/ready says why."),
    Metric("hansa_entries", "gauge", "Entries of the ledger."),
    Metric(
        "hansa_ledger_lag_seconds",
        "gauge",
        "The node's clock less the ledger's time: grows while there is nothing to enter, falls with each block.",
    ),
    Metric("hansa_queue_transactions", "gauge", "Transactions taken in that wait for their block."),
    Metric("hansa_event_streams", "gauge", "Event streams that are open."),
    Metric(
        "hansa_key_expiry_days",
        "gauge",
        "Days to the next expiry of an active key, below zero behind it, +Inf if none expires. Nothing stops by it.",
    ),
    Metric(
        "hansa_transactions_total",
        "counter",
        "Transactions ordered since the start: applied, refused by a rule, or skipped without an entry.",
        "outcome",
    ),
    Metric(
        "hansa_requests_refused_total",
        "counter",
        "Requests, and transactions of a batch, answered with a problem, by the first word of its code.",
        "family",
    ),
    Metric("hansa_block_entries", "histogram", "Entries of each block."),
    Metric(
        "hansa_commit_seconds",
        "histogram",
        "From when a block is begun to when it is durable and shows: execution, hashing, journal, state.",
    ),
    Metric("hansa_sync_seconds", "histogram", "Of that, writing and syncing the journal: how fast the disk is."),
)


def text(tally: Tally, gauges: Gauges) -> bytes:
    """All metrics as they are served."""
    registry = CollectorRegistry()
    registry.register(_Node(tally, gauges))
    return generate_latest(registry)


class _Node(Collector):
    def __init__(self, tally: Tally, gauges: Gauges) -> None:
        self._tally = tally
        self._gauges = gauges

    def collect(self) -> Iterator[_Family]:
        """See `Collector`."""
        tally, gauges = self._tally, self._gauges
        values: Mapping[str, float | Mapping[str, float] | Histogram] = {
            "hansa_build_info": {hansa.__version__: 1},
            "hansa_ready": float(gauges.ready),
            "hansa_entries": gauges.entries,
            "hansa_ledger_lag_seconds": gauges.lag_s,
            "hansa_queue_transactions": gauges.queued,
            "hansa_event_streams": gauges.streams,
            "hansa_key_expiry_days": gauges.expiry_days,
            "hansa_transactions_total": {
                "applied": tally.applied,
                "refused": tally.refused,
                "skipped": tally.skipped,
            },
            "hansa_requests_refused_total": tally.refusals,
            "hansa_block_entries": tally.block_entries,
            "hansa_commit_seconds": tally.commit_s,
            "hansa_sync_seconds": tally.sync_s,
        }
        for metric in METRICS:
            yield _family(metric, values[metric.name])


_FAMILIES: Final[Mapping[str, Callable[..., CounterMetricFamily | GaugeMetricFamily]]] = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
}


def _family(metric: Metric, value: float | Mapping[str, float] | Histogram) -> _Family:
    if isinstance(value, Histogram):
        made = HistogramMetricFamily(metric.name, metric.help)
        bounds = [*(str(float(bound)) for bound in value.bounds), "+Inf"]
        made.add_metric([], list(zip(bounds, accumulate(value.counts), strict=True)), value.sum)
        return made
    family = _FAMILIES[metric.type]
    if not isinstance(value, Mapping):
        return family(metric.name, metric.help, value=value)
    labelled = family(metric.name, metric.help, labels=[metric.label or ""])
    for label, count in value.items():
        labelled.add_metric([label], count)
    return labelled
