"""The ledger in memory: who may what, time, versions, contracts that call each other, all by the rules of a node."""

import hashlib
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.testing import contracts

from hansa.contracts import execution
from hansa.contracts.diagnostics import ContractInvalid
from hansa.testing import START, Contract, Disagreement, Event, Ledger, Refused, amount, forms
from hansa.testing.forms import Defect
from hansa.wire.genesis import Limits
from hansa.wire.problems import HansaError


def test_a_call_gives_what_the_entry_says(jobs: Contract) -> None:
    answer = jobs.by("alba").finish(job="j", took=timedelta(hours=2))
    assert (answer.status, answer.code, answer.seq, answer.time) == ("applied", "ok", 3, jobs.ledger.clock.ms)
    assert answer.event("finished") == {"id": "j", "at": answer.time}
    assert answer.steps > 10
    assert jobs.record("Job", "j") == {
        "id": "j",
        "owner": "brix",
        "price": amount("USD 2.50"),
        "due": jobs.ledger.clock.ms + 3 * 86_400_000,
        "day": None,
        "times": 0,
        "checked": None,
        "state": "Done",
    }
    assert jobs.record("Job", "other") is None
    assert jobs.ledger.events == [Event(3, "jobs", "finished", {"id": "j", "at": answer.time})]
    with pytest.raises(LookupError, match="there are: finished"):
        answer.event("paid")


def test_a_refusal_says_why_and_where(jobs: Contract, folder: Path) -> None:
    with pytest.raises(Refused) as refused:
        jobs.by("alba").finish(job="j", took=timedelta(hours=9))
    line = next(n for n, text in enumerate(contracts.JOBS.split("\n"), 1) if "took <" in text)
    assert (refused.value.code, refused.value.line) == ("require.failed", line)
    assert refused.value.message == "that is more than a day's work"
    assert f"{folder / 'jobs.py'}:{line}: require(took" in str(refused.value)
    assert refused.value.answer.status == "refused"
    assert jobs.record("Job", "j")["state"] == "Open"  # type: ignore[index]
    assert jobs.ledger.entries[-1] == refused.value.answer


def test_a_refusal_shows_values_by_their_types(ledger: Ledger, folder: Path) -> None:
    (folder / "late.py").write_text(
        """
from hansa.contract import Amount, Contract, Duration, Instant, action, require, view


class Late(Contract, version="1.0.0"):
    @action(by="member")
    def come(tx, at: Instant, by: Duration, price: Amount):
        require(at > tx.time, "{at} is {by} late, which costs {price}", at=at, by=by, price=price)

    @view
    def look(tx, when: Instant) -> int:
        require(when > tx.time, "{when} is over", when=when)
        return 1
"""
    )
    late = ledger.deploy("late.py")
    with pytest.raises(Refused) as refused:
        late.by("brix").come(at="1970-01-01T00:00:00Z", by=timedelta(minutes=90), price="USD 1.00")
    assert refused.value.message == "1970-01-01 00:00:00 UTC is 1h30m late, which costs USD 1.00"
    assert refused.value.values == {"at": 0, "by": 5_400_000, "price": amount("USD 1.00")}
    with pytest.raises(Refused, match="1970-01-01 00:00:00 UTC is over"):
        late.view.look(when=0)


def test_roles_ask_for_members_and_users_with_attributes(jobs: Contract) -> None:
    with pytest.raises(Refused, match="role:clerk") as refused:
        jobs.by("brix").finish(job="j", took=1)
    assert refused.value.code == "role.denied"
    jobs.by("alba").finish(job="j", took=1)
    for nobody in ("alba", "brix/bo"):
        with pytest.raises(Refused):
            jobs.by(nobody).check(job="j")
    jobs.by("alba/ann").check(job="j")
    assert jobs.record("Job", "j")["checked"] == "alba/ann"  # type: ignore[index]


def test_who_is_not_registered_is_told_how(jobs: Contract) -> None:
    with pytest.raises(ValueError, match=r"ledger\.member\('cora'\)"):
        jobs.by("cora").check(job="j")
    with pytest.raises(ValueError, match="already"):
        jobs.ledger.member("alba")
    with pytest.raises(ValueError, match="no name of a member"):
        jobs.ledger.member("Big Bank")
    with pytest.raises(ValueError, match="MEMBER/NAME"):
        jobs.ledger.user("cora/one")
    for attributes in (["not an attribute !!"], ["ok"] * 33, [""]):
        with pytest.raises(ValueError, match="no genesis could register cora"):
            jobs.ledger.member("cora", attributes=attributes)
        with pytest.raises(ValueError, match="no genesis could register brix/eve"):
            jobs.ledger.user("brix/eve", attributes=attributes)
    assert jobs.ledger.member("cora") == "cora"
    jobs.by("cora").plan(id="k", price="USD 1.00", due=jobs.ledger.clock.now + timedelta(days=1))
    assert jobs.ledger.members == ["alba", "alba/ann", "brix", "brix/bo", "cora"]


def test_a_name_that_is_none_gets_a_hint(jobs: Contract) -> None:
    with pytest.raises(AttributeError, match="did you mean `finish`"):
        jobs.by("alba").finnish(job="j")
    with pytest.raises(AttributeError, match="did you mean `worth`"):
        _ = jobs.view.wort
    assert "finish" in dir(jobs.by("alba"))
    assert dir(jobs.view) == ["missed", "now", "refuses", "worth"]


def test_a_view_gives_its_value_and_may_refuse(jobs: Contract) -> None:
    assert jobs.view.worth(job="j") == amount("USD 2.50")
    with pytest.raises(Refused, match="never") as refused:
        jobs.view.refuses()
    assert refused.value.answer.seq == -1


@pytest.mark.parametrize(
    ("due", "day"),
    [
        (datetime(2030, 1, 4, tzinfo=UTC), date(2030, 1, 3)),
        (date(2030, 1, 4), "2030-01-03"),
        (1_893_715_200_000, "2030-01-03"),
    ],
)
def test_times_are_given_as_python_has_them(ledger: Ledger, due: Any, day: Any) -> None:
    jobs = ledger.deploy("jobs.py")
    jobs.by("brix").plan(id="j", price={"minor": 1, "currency": "EUR"}, due=due, day=day)
    row = jobs.record("Job", "j")
    assert row is not None
    assert (row["due"], row["day"]) == (1_893_715_200_000, "2030-01-03")


def test_a_time_without_a_zone_is_none(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="time zone"):
        ledger.clock.set(datetime(2030, 1, 4))
    with pytest.raises(ValueError, match="backwards"):
        ledger.clock.set("2029-12-31")


# Time


def test_time_stands_still_until_it_is_told(jobs: Contract) -> None:
    clock = jobs.ledger.clock
    assert clock.now == START
    assert clock.advance(days=2) == []
    assert clock.now == START + timedelta(days=2)
    assert jobs.record("Job", "j")["state"] == "Open"  # type: ignore[index]


def test_what_comes_due_is_taken_at_its_time(jobs: Contract) -> None:
    clock = jobs.ledger.clock
    (taken,) = clock.set("2030-02-01")
    at = (START + timedelta(days=3)).timestamp() * 1000
    assert taken.events == [Event(taken.seq, "jobs", "late", {"id": "j", "at": int(at)})]
    assert clock.now == datetime(2030, 2, 1, tzinfo=UTC)
    assert jobs.record("Job", "j")["state"] == "Late"  # type: ignore[index]


def test_what_comes_due_in_the_wrong_state_is_refused_as_on_a_node(jobs: Contract) -> None:
    jobs.by("alba").finish(job="j", took=1)
    (taken,) = jobs.ledger.clock.advance(days=3)
    assert (taken.status, taken.code) == ("refused", "state.denied")


def test_what_schedules_itself_goes_on_and_is_stopped_at_last(jobs: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.ledger.clock.advance(days=3)
    jobs.by("brix").again(job="j", each=timedelta(seconds=10))
    rung = jobs.ledger.clock.advance(seconds=14)
    assert [taken.time - jobs.ledger.clock.ms for taken in rung] == [-4_000, -3_000, -2_000, -1_000, 0]
    monkeypatch.setattr("hansa.testing.ledger._BLOCKS_MAX", 20)
    with pytest.raises(RuntimeError, match="schedule itself"):
        jobs.ledger.clock.advance(days=1)


# Contracts


def test_records_come_up_to_the_next_version_when_they_are_touched(jobs: Contract) -> None:
    jobs.upgrade("next.py")
    assert jobs.manifest.version == "2.0.0"
    assert "note" not in jobs.record("Job", "j")  # type: ignore[operator]
    jobs.by("alba").finish(job="j", took=1)
    assert jobs.record("Job", "j")["note"] == "new"  # type: ignore[index]


def test_a_version_that_loses_records_is_refused(jobs: Contract, folder: Path) -> None:
    (folder / "bad.py").write_text(
        contracts.NEXT.replace("price: Amount\n", "price: int\n")
        .replace("price: Amount,", "price: int,")
        .replace("-> Amount", "-> int")
    )
    with pytest.raises(Refused) as refused:
        jobs.upgrade("bad.py")
    assert refused.value.code == "upgrade.refused"


def test_contracts_call_each_other(jobs: Contract) -> None:
    shop = jobs.ledger.deploy("shop.py")
    asked = shop.by("alba").ask(id="j")
    assert [event.contract for event in asked.events] == ["shop"]
    assert asked.event("price") == {"price": amount("USD 2.50")}
    assert jobs.ledger.contract("shop").name == "shop"
    with pytest.raises(HansaError, match="no contract"):
        jobs.ledger.contract("none")


def test_contracts_use_libraries(ledger: Ledger, folder: Path) -> None:
    digest = ledger.deploy_library("fees.py")
    assert digest == hashlib.sha256(contracts.FEES.encode()).hexdigest()
    (folder / "uses.py").write_text(contracts.USES.replace("DIGEST", digest))
    assert ledger.deploy("uses.py").by("brix").charge(n=21).event("fee") == {"fee": 42}


def test_a_file_with_findings_shows_them_all(ledger: Ledger, folder: Path) -> None:
    (folder / "wrong.py").write_text(contracts.JOBS.replace("job.checked = tx.user", "job.checkt = tx.usr"))
    with pytest.raises(ContractInvalid) as invalid:
        ledger.deploy("wrong.py")
    assert any("wrong.py:" in note and "checkt" in note for note in invalid.value.__notes__)
    with pytest.raises(HansaError) as missing:
        ledger.deploy("nothing.py")
    assert missing.value.code == "argument.file"


def test_reference_data_is_put_on_the_ledger(ledger: Ledger) -> None:
    assert ledger.add_reference("calendar.DE", "{}").status == "applied"
    with pytest.raises(Refused) as refused:
        ledger.add_reference("calendar.DE", "{}", valid_from=START)
    assert refused.value.code == "record.exists"


def test_the_ledger_has_limits(folder: Path) -> None:
    ledger = Ledger(folder=folder, limits=Limits(transaction_steps=200))
    ledger.member("brix")
    jobs = ledger.deploy("jobs.py")
    with pytest.raises(Refused) as refused:
        jobs.by("brix", steps_max=50).plan(id="j", price="USD 1.00", due=ledger.clock.now + timedelta(days=1))
    assert refused.value.code == "steps.exceeded"
    with pytest.raises(HansaError) as limit:
        jobs.by("brix", steps_max=201).plan(id="j", price="USD 1.00", due=ledger.clock.now + timedelta(days=1))
    assert limit.value.code == "steps.limit"


def test_lines_that_were_reached_are_known(jobs: Contract) -> None:
    reached, known = jobs.lines()
    assert reached == {line for line, body in known.items() if body == "plan"}


# Both forms


def test_forms_that_differ_fail_the_test_loudly(jobs: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = execution.run

    def cheaper(*given: Any) -> execution.Execution:
        ran = honest(*given)
        return execution.Execution(ran.code, ran.result, ran.events, ran.writes, ran.steps - 1, ran.version)

    monkeypatch.setattr(forms.execution, "run", cheaper)
    with pytest.raises(Disagreement, match="differ in steps") as differs:
        jobs.by("alba").finish(job="j", took=1)
    assert differs.value.written.steps == differs.value.guarded.steps + 1
    with pytest.raises(Disagreement):
        jobs.view.worth(job="j")


def test_a_defect_of_ours_is_no_refusal(jobs: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("hansa.contracts.specification.transaction.check_role", broken)
    monkeypatch.setattr("hansa.contracts.execution._check_role", broken)
    with pytest.raises(Defect, match="ZeroDivisionError"):
        jobs.by("alba").finish(job="j", took=1)


def test_neither_pytest_nor_hypothesis_is_needed_to_import_it() -> None:
    code = "import sys; import hansa.testing; print({'pytest', 'hypothesis'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_fork_goes_on_apart(jobs: Contract) -> None:
    fork = jobs.ledger.fork()
    other = fork.contract("jobs")
    other.by("alba").finish(job="j", took=1)
    other.by("brix").plan(id="k", price="USD 1.00", due="2030-01-04T12:00:00Z")
    assert [row["state"] for row in other.records("Job")] == ["Done", "Open"]
    assert [row["state"] for row in jobs.records("Job")] == ["Open"]
    assert len(fork.clock.advance(days=3)) == 2
    assert jobs.ledger.clock.now == START
    assert len(jobs.ledger.entries) == 2


ASKS = """from hansa.contract import Contract, Hash, Record, action, event, view


class Asks(Contract, version="1.0.0"):
    class Asked(Record, key="id"):
        id: Hash

    @action(by="member")
    def ask(tx):
        Asks.Asked.create(id=tx.id)
        event("asked", id=tx.id)

    @view
    def id(tx) -> Hash:
        return tx.id
"""


def test_ids_are_the_entries_own_and_the_same_in_every_run() -> None:
    runs: list[list[bytes]] = []
    for _ in range(2):
        ledger = Ledger()
        ledger.member("alba", users=["ann"])
        asks = ledger.deploy_source("asks", ASKS)
        answers = [asks.by(who).ask() for who in ("alba", "alba", "alba/ann")]
        assert [answer.event("asked")["id"] for answer in answers] == [answer.id for answer in answers]
        assert {row["id"] for row in ledger.rows("asks", "Asked")} == {answer.id for answer in answers}
        runs.append([answer.id for answer in answers])
        with pytest.raises(Refused) as refused:
            asks.view.id()
        assert refused.value.code == "tx.unsigned"
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 3
