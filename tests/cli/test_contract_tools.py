"""`hansa contract new`, `test`, `trace` and `diagram`, as an author uses them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from hansa.cli import new_contract
from hansa.contracts.names import BUILTINS, IMPORTABLE
from hansa.wire import names
from hansa.wire.limits import CONTRACT_NAME_CHARS_MAX

EXAMPLE = Path(__file__).parents[2] / "apps" / "example_ledger" / "contract.py"
FAILING = '''"""Two tests, one of which fails."""


def test_nobody_pays_itself(ledger):
    bank = ledger.deploy("contract.py", "bank")
    ledger.member("north", attributes=["role:registrar"])
    bank.by("north").open(owner="north", balance="USD 1.00")


def test_that_fails(ledger):
    assert ledger.members == ["north"], "nobody is there"
'''


@pytest.fixture
def made(hansa: Callable[..., Any], tmp_path: Path) -> Path:
    """A folder that `new` made."""
    assert hansa("contract", "new", "offers", "--dir", tmp_path, "--json").json["files"] == [
        str(tmp_path / "offers" / name) for name in ("contract.py", "test_offers.py", "README.md")
    ]
    return tmp_path / "offers"


# new and test


def test_a_new_contract_passes_its_check_and_its_tests(hansa: Callable[..., Any], made: Path) -> None:
    commands = [line for line in (made / "README.md").read_text().splitlines() if line.startswith("hansa ")]
    assert len(commands) == 3
    assert hansa("contract", "check", made / "contract.py").out.startswith("good  offers 1.0.0")
    ran = hansa("contract", "test", made, "--json", "--coverage-min", "100", "--", "-p", "no:cacheprovider")
    assert (ran.code, ran.json["passed"], ran.json["tests"]["failed"], ran.json["percent"]) == (0, True, 0, 100.0)
    assert ran.json["tests"]["passed"] == 7
    assert ran.json["files"][0]["file"] == "contract.py"


def test_new_replaces_nothing(hansa: Callable[..., Any], made: Path) -> None:
    (made / "contract.py").write_text("mine")
    hansa("contract", "new", "offers", "--dir", made.parent).failed("argument.exists", 2)
    assert (made / "contract.py").read_text() == "mine"
    hansa("contract", "new", "Big-Name", "--dir", made.parent).failed("contract.name", 2)
    hansa("contract", "new", "members", "--dir", made.parent).failed("contract.name", 2)
    hansa("contract", "new", "x", "--dir", made / "contract.py").failed("argument.file", 2)


def test_whatever_its_name_a_new_contract_passes_its_check(hansa: Callable[..., Any], tmp_path: Path) -> None:
    taken = BUILTINS | IMPORTABLE | {"Offer", "Roles", "States", "Offer_contract"}
    wanted = {re.sub(r"(?<=.)(?=[A-Z])", "_", word).lower() for word in taken} | {word.lower() for word in taken}
    wanted |= {"a" * CONTRACT_NAME_CHARS_MAX, "a_1__b_", "class", "new"}
    for name in sorted(filter(names.is_contract, wanted)):
        assert hansa("contract", "new", name, "--dir", tmp_path).code == 0, name
        ran = hansa("contract", "check", tmp_path / name / "contract.py")
        assert (ran.code, ran.out.partition(":")[0]) == (0, f"good  {name} 1.0.0")
    assert "class OfferContract(Contract" in (tmp_path / "offer" / "contract.py").read_text()
    assert "class New(Contract" in (tmp_path / "new" / "contract.py").read_text()


def test_new_writes_through_no_link_and_nothing_that_fails_its_check(
    hansa: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "offers").mkdir()
    (tmp_path / "offers" / "contract.py").symlink_to(tmp_path / "elsewhere")
    hansa("contract", "new", "offers", "--dir", tmp_path).failed("argument.exists", 2)
    assert not (tmp_path / "elsewhere").exists()
    monkeypatch.setattr(new_contract, "_title", lambda name: "Offer")
    assert "`Offer`" in hansa("contract", "new", "good", "--dir", tmp_path).failed("contract.name", 2)
    assert not (tmp_path / "good").exists()


def test_what_fails_and_what_was_not_reached_is_told(hansa: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "contract.py").write_text(EXAMPLE.read_text())
    (tmp_path / "test_bank.py").write_text(FAILING)
    ran = hansa("contract", "test", tmp_path / "contract.py", "--json")
    assert ran.code == 1
    assert ran.json["tests"] == {"passed": 1, "failed": 1, "skipped": 0}
    (failure,) = ran.json["failures"]
    assert failure["test"].endswith("::test_that_fails")
    assert "nobody is there" in failure["message"]
    (file,) = ran.json["files"]
    assert (file["file"], len(file["reached"]), file["lines"], file["percent"]) == ("contract.py", 1, 13, 7.7)
    assert file["missed"][-1] == {"line": 67, "in": "balance_of", "source": "return account.balance"}
    text = hansa("contract", "test", tmp_path, "--", "-k", "itself")
    assert text.code == 0
    assert "  7.7 %  contract.py: 1 of 13 lines reached\n" in text.out
    assert "            67  balance_of: return account.balance\n" in text.out
    short = hansa("contract", "test", tmp_path, "--coverage-min", "50", "--", "-k", "itself")
    assert short.code == 1
    assert "7.7 % of the lines are reached, 50 % are asked for" in short.out


def test_lines_reached_in_several_processes_count_together(hansa: Callable[..., Any], tmp_path: Path) -> None:
    """In a folder of several contracts, too."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "contract.py").write_text(EXAMPLE.read_text())
        (tmp_path / name / "test_bank.py").write_text(FAILING)
    words = ("contract", "test", tmp_path, "--json", "--")
    alone, together = hansa(*words).json, hansa(*words, "-n", "2").json
    assert [file["file"] for file in alone["files"]] == ["one/contract.py", "two/contract.py"]
    assert (together["files"], together["tests"]) == (alone["files"], {"passed": 2, "failed": 2, "skipped": 0})


def test_a_contract_that_no_test_deploys_is_told(hansa: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "contract.py").write_text(EXAMPLE.read_text())
    (tmp_path / "other.py").write_text(EXAMPLE.read_text())
    (tmp_path / "test_bank.py").write_text(FAILING)
    ran = hansa("contract", "test", tmp_path, "--json", "--", "-k", "itself")
    assert (ran.code, ran.json["untested"]) == (0, ["other.py"])
    text = hansa("contract", "test", tmp_path, "--coverage-min", "1", "--", "-k", "itself")
    assert text.code == 1, "nothing of it is reached"
    assert "  0.0 %  other.py: no test deploys it\n" in text.out
    assert hansa("contract", "test", tmp_path / "contract.py", "--json", "--", "-k", "itself").json["untested"] == []


def test_a_file_that_is_no_test_fails(hansa: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text("import nothing_of_this_name\n")
    ran = hansa("contract", "test", tmp_path, "--json")
    assert (ran.code, ran.json["passed"], ran.json["tests"]["failed"]) == (1, False, 1)


def test_no_tests_are_told(hansa: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "contract.py").write_text(EXAMPLE.read_text())
    assert "beside" in hansa("contract", "test", tmp_path / "contract.py").failed("argument.file", 2)
    hansa("contract", "test", tmp_path).failed("argument.file", 2)
    hansa("contract", "test", tmp_path / "none").failed("argument.file", 2)
    (tmp_path / "test_x.py").write_text("")
    assert hansa("contract", "test", tmp_path).code == 2


# trace


@pytest.fixture
def state(hansa: Callable[..., Any], tmp_path: Path) -> Path:
    """The accounts of ana and bo, of 10 dollars each."""
    file = tmp_path / "state.json"
    for owner in ("ana", "bo"):
        assert (
            hansa("contract", "run", EXAMPLE, "open", f"owner={owner}", "balance=USD 10.00", "--state", file).code == 0
        )
    return file


def test_a_trace_shows_every_line_with_values_and_steps(hansa: Callable[..., Any], state: Path) -> None:
    words = (EXAMPLE, "pay", "account=ana", "to=bo", "amount=USD 3.00", "--as", "ana", "--state", state)
    before = state.read_bytes()
    ran = hansa("contract", "trace", *words)
    assert ran.code == 0
    for line in (
        "    31        load Account ana: owner=ana, balance=USD 10.00",
        "    52    37  def pay(tx, account: Account, to: Account, amount: Amount):",
        "                to = Account bo",
        '    79    39    require(amount.minor > 0, "a payment must be positive")',
        "                  · account.balance - amount = USD 7.00",
        "                  → account.balance = USD 7.00",
        "   221        store Account bo",
        "applied  221 steps",
    ):
        assert line in ran.out.splitlines()
    assert state.read_bytes() == before, "nothing is kept"
    assert hansa("contract", "run", *words, "--json").json["steps"] == 221


def test_a_trace_of_a_refusal_ends_at_its_line(hansa: Callable[..., Any], state: Path) -> None:
    words = (EXAMPLE, "pay", "account=ana", "to=bo", "amount=USD 30.00", "--as", "ana", "--state", state)
    ran = hansa("contract", "trace", *words)
    assert ran.code == 1
    assert "refused  ana has USD 10.00, which does not cover USD 30.00 [require.failed]  79 steps" in ran.out
    assert "at line 41: require( account.balance >= amount," in ran.out
    found = hansa("contract", "trace", *words, "--json").json
    assert (found["status"], found["code"], found["trace"][-1]["kind"]) == ("refused", "require.failed", "refused")
    assert sum(step["spent"] for step in found["trace"]) == found["steps"] == 79


def test_a_trace_of_a_view_gives_its_value(hansa: Callable[..., Any], state: Path) -> None:
    ran = hansa("contract", "trace", EXAMPLE, "balance_of", "account=bo", "--state", state)
    assert ran.out.endswith("returned USD 10.00  36 steps\n")
    hansa("contract", "trace", EXAMPLE, "nothing").failed("argument.action", 2)


# diagram


def test_a_diagram_is_drawn(hansa: Callable[..., Any], made: Path) -> None:
    drawn = hansa("contract", "diagram", made / "contract.py", "--out", made / "states.svg")
    assert drawn.out == f"drawn  {made / 'states.svg'}\n"
    root = ElementTree.fromstring((made / "states.svg").read_text())
    assert "Accepted" in ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]
    again = ("contract", "diagram", made / "contract.py", "--format", "mermaid", "--out", made / "states.svg")
    hansa(*again).failed("argument.exists", 2)
    assert hansa(*again, "--force").code == 0
    assert (made / "states.svg").read_text().startswith("stateDiagram-v2\n")
    shown = hansa("contract", "diagram", made / "contract.py", "--format", "mermaid", "--json").json
    assert shown["diagram"].startswith("stateDiagram-v2\n")
    assert shown["machines"][0]["states"]["Open"] == "waits for the buyer"


def test_what_cannot_be_drawn_is_told(hansa: Callable[..., Any], made: Path) -> None:
    assert "no record type of it has states" in hansa("contract", "diagram", EXAMPLE).failed("argument.value", 2)
    assert "Account has no states" in hansa("contract", "diagram", EXAMPLE, "--record", "Account").failed(
        "argument.value", 2
    )
    hansa("contract", "diagram", made / "contract.py", "--record", "None").failed("argument.action", 2)
