"""Values made from declared types fit them, and the ready test finds what is wrong with a contract."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import engine
from tests.contracts.golden import corpus
from tests.testing import contracts

from hansa.contracts import program
from hansa.contracts.codecs import Codecs
from hansa.contracts.diagnostics import ContractInvalid
from hansa.contracts.ledger import Ledger as Host
from hansa.contracts.manifest import AmountType, IntType, ListType, Manifest, ReferenceType, TextType, Type
from hansa.testing import Contract, Disagreement, Ledger, Refused, amount, forms
from hansa.testing.strategies import DEFECTS, Known, arguments, rules, values
from hansa.wire import cbor

HOST = Host(members={"alba"}, users={"alba/one"})


def declared() -> list[tuple[Manifest, Type]]:
    """Every type of a parameter in the golden corpus that names no record."""
    found: list[tuple[Manifest, Type]] = []
    for golden in corpus.programs().values():
        for name, source in golden.files.items():
            if golden.libraries:
                continue
            manifest = program.check(source, name).manifest
            found += [(manifest, p.type) for action in manifest.actions.values() for p in action.parameters]
    return [(manifest, type_) for manifest, type_ in found if "reference" not in repr(type_).lower()]


DECLARED = declared()


@given(data=st.data())
@settings(max_examples=300)
def test_values_fit_their_types(data: st.DataObject) -> None:
    manifest, type_ = data.draw(st.sampled_from(DECLARED))
    value = data.draw(values(type_, manifest, Known(members=["alba"], users=["alba/one"])))
    cbor.encode(value)  # it could stand in a transaction
    assert Codecs(manifest).of(type_).problem(value, HOST) == ""


@pytest.mark.parametrize(
    ("type_", "edge"),
    [
        (IntType(3, 90), 90),
        (IntType(3, 90), 3),
        (TextType(0, 12), ""),
        (TextType(0, 700), "a" * 700),
        (AmountType(), {"minor": 2**63 - 1, "currency": "USD"}),
        (ListType(IntType(0, 9), 4), [0]),
    ],
)
def test_edges_come_up(type_: Type, edge: Any) -> None:
    manifest = DECLARED[0][0]
    assert find(values(type_, manifest), lambda value: value == edge, settings=settings(max_examples=2_000)) == edge


def test_who_and_what_is_not_there_is_not_drawn(jobs: Contract) -> None:
    manifest = jobs.manifest
    assert values(ReferenceType("Job"), manifest).is_empty
    assert not values(ReferenceType("Job"), manifest, Known(keys={"Job": ["j"]})).is_empty


@given(data=st.data())
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arguments_fit_on_the_ledger_as_it_is(data: st.DataObject, jobs: Contract) -> None:
    action = data.draw(st.sampled_from(["plan", "finish", "check", "again"]))
    given = data.draw(arguments(jobs, action))
    try:
        jobs.ledger.fork().send("brix", jobs.name, action, given)
    except Refused as refused:
        assert refused.code not in DEFECTS


def ran(machine: Any, examples: int = 100) -> None:
    """Runs a stateful test as pytest would, but by the same draws each time; what fails is not made small."""
    machine.TestCase.settings = settings(
        machine.TestCase.settings, phases=[Phase.generate], derandomize=True, database=None, max_examples=examples
    )
    machine.TestCase("runTest").runTest()


def test_a_careful_contract_passes(folder: Path) -> None:
    ran(rules(folder / "jobs.py"))


def test_a_contract_that_overlooks_a_division_fails(folder: Path) -> None:
    with pytest.raises(AssertionError, match=r"value\.division"):
        ran(rules(folder / "careless.py"))
    ran(rules(folder / "careless.py", defects=DEFECTS - {"value.division"}))


IN_A_DAY = 'schedule(thing, "close", tx.time + Duration(days=1))'
ENDLESS = "for i in range(100000):\n            thing.total = 1"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"due": IN_A_DAY, "close": ENDLESS}, "steps.exceeded"),
        ({"due": IN_A_DAY, "close": "thing.total = 1001"}, "value.bounds"),
        ({"length": 20}, "index.range"),
        ({"length": 6}, "index.range"),
        ({"keys": 12}, "value.division"),
        ({"days": 60}, "value.division"),
    ],
)
def test_what_goes_wrong_where_nobody_looks_is_found(wrong: dict[str, Any], code: str, tmp_path: Path) -> None:
    """All were called good once."""
    (tmp_path / "broken.py").write_text(contracts.broken(**wrong))
    machine = rules(tmp_path / "broken.py")
    with pytest.raises(AssertionError, match=re.escape(f"[{code}]")):
        ran(machine, 500)


def test_what_comes_due_may_be_settled_already(tmp_path: Path) -> None:
    (tmp_path / "fine.py").write_text(
        contracts.broken(due=IN_A_DAY, close='require(thing.total > 0, "nothing is in it")')
    )
    ran(rules(tmp_path / "fine.py"))
    with pytest.raises(AssertionError, match="never will again: nothing is in it"):
        ran(rules(tmp_path / "fine.py", due_refusals=()))


def test_what_nobody_could_send_is_not_sent(tmp_path: Path) -> None:
    """Full lists of long texts are beyond an envelope: that is no defect of the contract."""
    long = contracts.broken().replace("items: list[int, 20]", "items: list[Text[1000, 1000], 900]")
    (tmp_path / "long.py").write_text(long.replace("items[30]", "1"))
    ran(rules(tmp_path / "long.py"))


def failed(machine: Any) -> str:
    """What a failing stateful test tells, nothing remembered from runs before."""
    machine.TestCase.settings = settings(machine.TestCase.settings, database=None)
    with pytest.raises(AssertionError) as error:
        machine.TestCase("runTest").runTest()
    return "\n".join([str(error.value), *error.value.__notes__])


def test_the_search_for_a_smaller_case_ends(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And shows the case that it has."""
    limit = engine.MAX_SHRINKING_SECONDS
    monkeypatch.setattr("hansa.testing.strategies._SHRINK_S", 0)
    failures: list[str] = []
    send = Ledger.send

    def watched(*given: Any, **more: Any) -> Any:
        try:
            return send(*given, **more)
        except Refused as refused:
            if refused.code == "value.division":
                failures.append(refused.code)
            raise

    monkeypatch.setattr(Ledger, "send", watched)
    told = failed(rules(folder / "careless.py"))
    assert "[value.division]" in told
    assert len(failures) <= 3, "found, seen again, shown: nothing was tried between"
    said = capsys.readouterr().out
    assert "this need not be the smallest" in said
    assert "five minutes" not in said
    assert limit == engine.MAX_SHRINKING_SECONDS


def test_a_case_is_made_small_while_there_is_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hansa.testing.strategies._SHRINK_S", 100)  # on a machine however busy
    told = failed(rules(folder / "careless.py"))
    assert told.count("state.take(") == 2, "make, and split by none"


def test_what_must_hold_is_checked_behind_every_step(folder: Path) -> None:
    def nothing_is_late(jobs: Contract) -> None:
        assert all(row["state"] != "Late" for row in jobs.records("Job")), "a job is late"

    with pytest.raises(AssertionError, match="a job is late"):
        ran(rules(folder / "jobs.py", check=nothing_is_late), 500)


def test_forms_that_differ_are_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest: Callable[..., Any] = forms.execution.run

    def generous(*given: Any) -> Any:
        found = honest(*given)
        return type(found)(found.code, found.result, found.events, found.writes, 1, found.version)

    monkeypatch.setattr(forms.execution, "run", generous)
    with pytest.raises(Disagreement):
        ran(rules(folder / "jobs.py"))


def test_other_contracts_are_there_before(folder: Path) -> None:
    def with_jobs(ledger: Ledger) -> None:
        ledger.deploy(folder / "jobs.py")

    ran(rules(folder / "shop.py", prepare=with_jobs, defects=DEFECTS))


def test_findings_are_told(folder: Path) -> None:
    (folder / "bad.py").write_text((folder / "jobs.py").read_text().replace("job.times + 1", "job.time + 1"))
    with pytest.raises(ContractInvalid):
        ran(rules(folder / "bad.py"))
    assert amount("USD 1.00") == {"minor": 100, "currency": "USD"}
