"""An entry of a ledger in a folder is run again, step by step, with the outcome that stands there."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import run

from hansa.node.apply import Sealed
from hansa.store import journal
from hansa.store.files import Disk
from hansa.store.folder import FORMAT, Folder
from hansa.store.journal import START, Writer
from hansa.testing import Answer, Ledger, Refused
from hansa.testing.replay import replay
from hansa.wire.problems import HansaError


@pytest.fixture
def kept(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A journal with what a ledger in memory did: a library, two contracts, a refusal, an upgrade, a deadline."""
    blocks: list[bytes] = []
    enter: Callable[[Ledger, Sealed], list[Answer]] = Ledger._enter  # pyright: ignore[reportPrivateUsage]

    def keep(ledger: Ledger, sealed: Sealed) -> list[Answer]:
        blocks.append(sealed.encoded)
        return enter(ledger, sealed)

    monkeypatch.setattr(Ledger, "_enter", keep)
    ledger = Ledger(folder=folder)
    ledger.deploy_library("fees.py")  # entry 1
    jobs = ledger.deploy("jobs.py")  # 2
    for name in ("a", "b"):
        jobs.by("host").plan(id=name, price="USD 1.00", due=ledger.clock.now + timedelta(days=1))  # 3, 4
    with pytest.raises(Refused):
        jobs.by("host").plan(id="a", price="USD 1.00", due=ledger.clock.now + timedelta(days=1))  # 5
    jobs.upgrade("next.py")  # 6
    ledger.clock.advance(days=2)  # 7 and 8, and the tick, 9
    root = tmp_path / "ledger"
    place = Folder(root).journal
    place.mkdir(parents=True)
    journal.create(Disk(), place, ledger.id)
    writer = Writer(Disk(), place, ledger.id, START)
    writer.append(blocks)
    writer.close()
    Folder(root).format.write_bytes(FORMAT)
    return root


def test_every_entry_that_ran_an_action_is_run_again(kept: Path) -> None:
    told: list[int] = []
    found = {seq: replay(kept, seq, told.append) for seq in range(1, 9)}
    assert {seq: each.ran.code for seq, each in found.items()} == {
        **dict.fromkeys(range(1, 9), "ok"),
        5: "record.exists",
    }
    assert [found[seq].call.action for seq in (1, 2, 3, 6, 8)] == [
        "deploy_library",
        "deploy",
        "plan",
        "upgrade",
        "miss",
    ]
    assert {each.ran.version for seq, each in found.items() if seq in (3, 8)} == {"1.0.0", "2.0.0"}
    for each in found.values():
        assert sum(step.spent for step in each.steps) == each.ran.steps
    (event,) = [step for step in found[8].steps if step.source.startswith("event(")]
    assert event.line is not None
    assert told[-1] == 7


def test_what_ran_nothing_or_is_not_there_is_told(kept: Path) -> None:
    for seq, code in ((0, "argument.value"), (9, "argument.value"), (10, "entry.unknown")):
        with pytest.raises(HansaError) as refused:
            replay(kept, seq, lambda _: None)
        assert refused.value.code == code


def test_an_outcome_that_the_rules_do_not_give_is_told(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hansa.contracts.prices.STORE_STEPS", 51)
    with pytest.raises(HansaError) as refused:
        replay(kept, 3, lambda _: None)
    assert refused.value.code == "audit.executed"


def test_the_command_shows_it(kept: Path) -> None:
    ran: Any = run("tx", "trace", 8, "--data", kept)
    assert ran.out.startswith("jobs 2.0.0: miss by ledger time, 2030-01-02 12:00:00 UTC\n")
    assert ran.out.rstrip().splitlines()[-1].startswith("applied  ")
    found = run("tx", "trace", 5, "--data", kept, "--json").json
    assert (found["seq"], found["status"], found["code"]) == (5, "refused", "record.exists")
