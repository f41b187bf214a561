"""What the pages on testing and debugging contracts show runs as it stands there."""

import json
import re
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.docs.pages import ROOT
from tests.docs.test_how_to import PAGES, blocks, run

from hansa.client import Amount, values
from hansa.client.arguments import schema_of
from hansa.contracts import schema
from hansa.testing import Ledger
from hansa.wire import jsonform


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader works."""
    return tmp_path_factory.mktemp("reader")


def test_a_contract_is_tested_as_the_page_says(folder: Path) -> None:
    begin, alone, *_ = (text.splitlines() for text in blocks("test-a-contract.md", "sh"))
    more, rules, *_ = blocks("test-a-contract.md", "python")
    (told,) = blocks("test-a-contract.md", "text")
    assert run(begin[0], folder).returncode == 0
    done = run(begin[1], folder)
    assert done.returncode == 0, done
    assert done.stdout.endswith("good  7 passed\n")
    (folder / "offers" / "test_more.py").write_text(more)
    done = run(alone[0], folder)
    assert (done.returncode, done.stdout.split("\n\n")[-1]) == (0, told), done
    (folder / "offers" / "test_rules.py").write_text(rules)
    done = run(begin[1], folder)
    assert (done.returncode, done.stdout.split("\n")[-2]) == (0, "good  10 passed"), done


def test_a_contract_that_asks_calendars_is_tested_as_the_page_says(tmp_path: Path) -> None:
    *_, prepare, test = (text.splitlines() for text in blocks("test-a-contract.md", "sh"))
    *_, contract, tests = blocks("test-a-contract.md", "python")
    shutil.copytree(ROOT / "apps", tmp_path / "apps")
    for line in prepare:
        assert (done := run(line, tmp_path)).returncode == 0, done
    (tmp_path / "claims" / "contract.py").write_text(contract)
    (tmp_path / "claims" / "test_claims.py").write_text(tests)
    done = run(test[0], tmp_path)
    assert (done.returncode, done.stdout.split("\n")[-2]) == (0, "good  2 passed"), done
    assert "100.0 %  contract.py: 1 of 1 lines reached" in done.stdout
    (tmp_path / "claims" / "contract.py").write_text(contract.replace("days=2", "days=1"))
    assert run(test[0], tmp_path).returncode == 1, "the test finds a wrong count"


VALUES = """from hansa.contract import Amount, Bytes, Contract, Date, Duration, Enum, Instant, Party, Record
from hansa.contract import SignedAmount, Struct, Text, action, view


class Grade(Enum):
    First = "as ordered"


class Terms(Struct):
    day: Date


class Given(Contract, version="1.0.0"):
    class One(Record, key="id"):
        id: int
        what: TYPE

    @action(by="member", creates="One")
    def give(tx, one: One, id: int, what: TYPE):
        pass

    @view
    def asked(tx, one: One) -> TYPE:
        return one.what
"""


def rows_of_values() -> list[tuple[str, str, str]]:
    table = (PAGES / "test-a-contract.md").read_text("utf-8").partition("## Values, here and in the SDK")[2]
    return re.findall(r"^\| `([^`]*)`[^|`]*\| `(.*?)`[^|`]*\| `(.*?)` \|$", table, re.MULTILINE)


def test_the_table_of_values_has_every_type() -> None:
    assert len(rows_of_values()) == 15


@pytest.mark.parametrize(("declared", "here", "there"), rows_of_values(), ids=lambda text: text)
def test_values_are_what_the_table_says(declared: str, here: str, there: str) -> None:
    words = {"Amount": Amount, "datetime": datetime, "UTC": UTC, "timedelta": timedelta, "date": date}
    plain, typed = (eval(text, words) for text in (here, there))
    ledger = Ledger()
    ledger.member("northbank")
    contract = ledger.deploy_source("given", VALUES.replace("TYPE", declared.replace("\\|", "|")))
    contract.by("northbank").give(id=1, what=plain)
    for found in (contract.record("One", 1)["what"], contract.view.asked(one=1)):
        assert (found, type(found)) == (plain, type(plain))
    declares = json.loads(jsonform.dumps(schema.contract_schema(contract.manifest)))
    shape = {**declares["records"]["One"]["schema"], "$defs": declares["$defs"]}
    sent = json.loads(jsonform.dumps(contract.record("One", 1)))  # as a node serves it
    given = values.typed(shape, sent, declares["$defs"])["what"]
    assert (given, type(given)) == (typed, type(typed))
    arguments = schema_of(declares, "actions", "give")
    for taken in (plain, typed):
        assert values.plain(arguments, {"id": 2, "what": taken})["what"] == plain
    if not isinstance(typed, Amount):
        contract.by("northbank").give(id=2, what=typed)
        assert contract.record("One", 2)["what"] == plain


def test_a_contract_is_debugged_as_the_page_says(tmp_path: Path) -> None:
    prepare, trace, refused, entry, pictures = (text.splitlines() for text in blocks("debug-a-contract.md", "sh"))
    steps, refusal = blocks("debug-a-contract.md", "text")
    assert run("hansa contract new offers", tmp_path).returncode == 0
    for line in prepare:
        assert (done := run(line, tmp_path)).returncode == 0, done
    done = run(trace[0], tmp_path)
    assert (done.returncode, done.stdout) == (0, steps)
    done = run(refused[0], tmp_path)
    assert done.returncode == 1
    assert done.stdout.endswith(refusal), done.stdout
    assert run(entry[0], tmp_path).returncode == 0
    done = run(entry[1], tmp_path)
    assert done.returncode == 0, done
    assert done.stdout.startswith("example_ledger 1.0.0: pay by alex, ")
    for line in pictures:
        assert (done := run(line, tmp_path)).returncode == 0, done
    assert (tmp_path / "states.svg").read_text().startswith("<svg ")
