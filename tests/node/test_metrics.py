"""The metrics: what is served is what the table says, and the numbers are those of the ledger."""

import math

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hansa.node import intake, metrics
from hansa.node.metrics import METRICS
from hansa.node.tally import Gauges, Histogram, Tally
from hansa.wire import entry
from hansa.wire.problems import KINDS, HansaError

SUFFIXES = ("_total", "_bucket", "_sum", "_count")


def served(text: bytes) -> dict[str, tuple[str, str]]:
    """Type and help of every metric in the text, by its full name."""
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = (family.type, family.documentation)
    return found


def samples(text: bytes) -> dict[tuple[str, frozenset], float]:
    families = text_string_to_metric_families(text.decode())
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def of(node) -> dict[tuple[str, frozenset], float]:
    return samples(metrics.text(node.tally, node.gauges()))


def value(found, name, **labels):
    return found[name, frozenset(labels.items())]


def test_what_is_served_is_the_table():
    tally = Tally()
    for code in KINDS:
        tally.refuse(code)
    text = metrics.text(tally, Gauges(True, 1, 0.5, 2, 3, 12.5))
    assert served(text) == {metric.name: (metric.type, metric.help) for metric in METRICS}
    labels = {name for _, found in samples(text) for name, _ in found}
    assert labels == {metric.label for metric in METRICS if metric.label} | {"le"}
    assert len(samples(text)) < 160  # however the errors are spread


def test_the_numbers_are_the_ledgers(make_ledger, play):
    ledger = make_ledger()

    async def scenario(session):
        before = of(session.node)
        assert value(before, "hansa_entries") == 2
        assert value(before, "hansa_transactions_total", outcome="applied") == 0
        await session.applied(ledger.open())
        await session.submit(ledger.add("a", 0))
        await session.submit(ledger.idle())
        await session.submit_all([ledger.add("a", 1), ledger.add("a", 2)])
        found = of(session.node)
        assert value(found, "hansa_entries") == 7
        assert value(found, "hansa_transactions_total", outcome="applied") == 3
        assert value(found, "hansa_transactions_total", outcome="refused") == 2
        assert value(found, "hansa_transactions_total", outcome="skipped") == 0
        assert value(found, "hansa_block_entries_sum") == 5
        blocks = value(found, "hansa_block_entries_count")
        assert 4 <= blocks <= 5
        assert value(found, "hansa_commit_seconds_count") == value(found, "hansa_sync_seconds_count") == blocks
        assert 0 < value(found, "hansa_sync_seconds_sum") < value(found, "hansa_commit_seconds_sum")
        assert value(found, "hansa_queue_transactions") == 0
        assert value(found, "hansa_ready") == 1
        assert value(found, "hansa_ledger_lag_seconds") >= 0
        session.node.events.open()
        assert value(of(session.node), "hansa_event_streams") == 1

    play(ledger, scenario)


def test_a_skipped_transaction_is_counted(make_ledger, play, gate):
    ledger = make_ledger()

    async def scenario(session):
        first = await session.block()
        envelope = ledger.idle(not_after=session.node.reading.tip.time + 1)
        session.node._orderer.submit("acme", envelope.id, envelope.envelope, 1)
        gate.release()
        await first
        await session.until(lambda: session.node.tally.skipped == 1)

    play(ledger, scenario, files=gate)


def test_a_node_that_refuses_is_not_ready(make_ledger, play):
    async def scenario(session):
        await session.until(lambda: not session.node.status().ready)
        assert value(of(session.node), "hansa_ready") == 0

    play(make_ledger(), scenario, reserve_bytes=2**62)


def test_whether_an_outcome_was_applied_shows_without_decoding(history, play):
    async def scenario(session):
        seen = set()
        for seq in range(session.node.reading.tip.size):
            outcome = session.node.reading.at(seq).outcome
            status = entry.decode_outcome(outcome).status
            assert entry.is_applied(outcome) == (status == "applied")
            seen.add(status)
        assert seen == {"applied", "refused"}

    play(history, scenario)


@pytest.mark.parametrize("values", [[], [0], [1], [1.5], [2, 2, 5, 5.1, 6, 1e9]])
def test_a_histogram(values):
    histogram = Histogram((1, 2, 5))
    for one in values:
        histogram.add(one)
    bounds = (1, 2, 5, math.inf)
    lower = (-math.inf, *bounds)
    assert histogram.counts == [sum(a < v <= b for v in values) for a, b in zip(lower, bounds, strict=False)]
    assert histogram.sum == sum(values)


# Health and readiness


def codes(node):
    status = node.status()
    assert status.ready == (status.reasons == [])
    assert all(reason.detail and reason.remedy and reason.code in KINDS for reason in status.reasons)
    assert status.trouble == (status.reasons[0].code if status.reasons else "")
    return [reason.code for reason in status.reasons]


def test_every_reason_is_told_once_the_gravest_first(make_ledger, play, monkeypatch):
    async def scenario(session):
        node = session.node
        assert (node.status().state, codes(node)) == ("running", [])
        node._set_trouble("journal", HansaError("disk.full"))
        node._set_trouble("reserve", HansaError("disk.full", "1 MB is free"))
        node._set_trouble("clock", HansaError("clock.behind"))
        assert (node.status().state, codes(node)) == ("refusing", ["disk.full", "clock.behind"])
        monkeypatch.setattr(intake, "QUEUE_TRANSACTIONS_MAX", 0)
        node._stopping = True
        assert codes(node) == ["disk.full", "clock.behind", "node.stopping", "queue.full"]
        node._trouble["fault"] = HansaError("node.faulted", "a disk broke")
        status = node.status()
        assert (status.state, status.healthy) == ("faulted", False)
        assert (status.reasons[0].code, status.reasons[0].detail) == ("node.faulted", "a disk broke")
        node._trouble.clear()
        node._stopping = False
        monkeypatch.undo()
        assert codes(node) == []

    play(make_ledger(), scenario)


def test_before_its_first_block_is_durable_a_node_is_starting(make_ledger, play):
    async def scenario(session):
        node = session.node
        tip = node.reading.tip
        node.reading.tip = msgspec.structs.replace(tip, size=0)
        assert codes(node) == ["node.starting"]
        assert value(of(node), "hansa_ledger_lag_seconds") == 0
        node.reading.tip = tip

    play(make_ledger(), scenario)
