"""The letter of credit's story: it happens on a real ledger, and says only what that ledger says."""

from pathlib import Path
from typing import Any

import pytest

from hansa.client import money
from hansa.node.audit import audit
from hansa.node.recovery import open_stopped
from hansa.stories import letter_of_credit
from hansa.stories.embedded import embedded
from hansa.stories.letter_of_credit import SCHEDULED, Story
from hansa.wire import entry
from hansa.wire.genesis import TOLD_IN_WORDS
from hansa.wire.problems import HansaError


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Story]:
    root = tmp_path_factory.mktemp("story") / "ledger"
    return root, letter_of_credit.tell(root)


def test_every_step_is_an_entry_that_says_the_same(told: tuple[Path, Story]) -> None:
    root, story = told
    with open_stopped(root) as parts:
        reading = parts.reading()
        assert reading.tip.size == story.entries
        for step in story.steps:
            found = reading.at(step.seq)
            outcome = entry.decode_outcome(found.outcome)
            assert (outcome.status, outcome.code, outcome.time, found.id.hex()) == (
                step.status,
                step.code,
                step.time,
                step.id,
            )
            assert (found.kind == entry.SCHEDULED) == (step.by == SCHEDULED)
    assert [step.seq for step in story.steps] == sorted({step.seq for step in story.steps})
    assert [step.time for step in story.steps] == sorted(step.time for step in story.steps)


def test_its_ledger_is_sound_and_says_that_time_was_told(told: tuple[Path, Story]) -> None:
    report = audit(told[0])
    assert report.is_sound
    assert TOLD_IN_WORDS in report.notes
    assert report.ledger == told[1].ledger
    assert told[1].clock == "told"


def test_the_dates_are_those_of_the_messages(told: tuple[Path, Story]) -> None:
    days = {step.message: step.time // 86_400_000 for step in told[1].steps if step.message}
    assert {name: (day - 20_454) for name, day in days.items()} == {  # days of 2026, from 1 January
        "MT 760": 31 + 28 + 31 + 16,
        "MT 768": 31 + 28 + 31 + 16,
        "MT 765": 31 + 28 + 31 + 30 + 31 + 30 + 31 + 31 + 30 + 4,
    }


def test_what_must_be_refused_is(told: tuple[Path, Story]) -> None:
    refused = [(step.action, step.by, step.why) for step in told[1].steps if step.status != entry.APPLIED]
    assert [(action, by) for action, by, _ in refused] == [
        ("agree", "northwind"),
        ("release", "newyorkbank/ana"),
        ("honour", "newyorkbank/ben"),
        ("refuse", "newyorkbank/ben"),
        ("present", "fabrikam"),
    ]
    for (_, _, why), words in zip(
        refused,
        (
            "version 2 is on the table",
            "another person must release it",
            "exceeds the available USD 1860000.00 by USD 140000.00",
            "the issuer is precluded from refusing",
            "expired at close of business in USNYC",
        ),
        strict=True,
    ):
        assert words in why


def test_what_was_paid_is_what_was_honoured(told: tuple[Path, Story]) -> None:
    standing = told[1].standing
    assert (standing.state, standing.expiry) == ("Expired", "2027-04-17")
    assert money.written(standing.drawn) == "USD 940000.00"
    assert money.written(standing.amount) == "USD 2500000.00"
    assert [step.what for step in told[1].steps if step.by == SCHEDULED] == [
        "the time for notice of refusal has passed",
        "the last day has closed: the letter expires",
    ]


def test_receipts_were_checked_offline(told: tuple[Path, Story]) -> None:
    steps = {step.seq: step for step in told[1].steps}
    assert [(proof.what, steps[proof.seq].action, proof.signer, proof.clock) for proof in told[1].proofs] == [
        ("the issue", "release", "newyorkbank/ben", "told"),
        ("the demand", "present", "fabrikam", "told"),
    ]


def test_the_paper_process_is_quoted_and_not_embroidered(told: tuple[Path, Story]) -> None:
    process = told[1].process
    assert "14 steps" in process.paper[0]
    assert "silicon.nyc" in process.source
    assert "secondary" in process.source
    assert "not compared" in process.not_compared
    signed = {f"{step.by}: {step.what}" for step in told[1].steps if step.status == entry.APPLIED}
    assert set(process.ours) <= signed
    assert len(process.ours) == 7


def test_a_ledger_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(HansaError) as caught, embedded(tmp_path / "none"):
        raise AssertionError
    assert caught.value.code == "folder.none"


def test_a_story_that_breaks_off_stops_its_node(told: tuple[Path, Story]) -> None:
    root, _ = told

    def breaks() -> Any:
        with embedded(root) as connection:
            assert connection.get("/node/status")["state"] == "running"
            raise LookupError

    with pytest.raises(LookupError):
        breaks()
    assert audit(root).is_sound, "a node that still ran would keep the audit out"
