"""The cookbook's patterns: each is a folder to copy, whose own tests reach every line of its contract."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.apps.trial import APPS, Trial, source

PATTERNS = sorted(path.name for path in (APPS / "cookbook").iterdir() if path.is_dir())


@pytest.mark.parametrize("patterns", [PATTERNS[::2], PATTERNS[1::2]], ids=", ".join)
def test_copied_folders_have_tests_that_reach_every_line(patterns: list[str], tmp_path: Path) -> None:
    """As a user does it: each copied under a name of one's own, with nothing of the project beside it."""
    mine = {f"mine_{number}": pattern for number, pattern in enumerate(patterns)}
    for name, pattern in mine.items():
        bytecode = shutil.ignore_patterns("__pycache__")
        shutil.copytree(APPS / "cookbook" / pattern, tmp_path / "all" / name, ignore=bytecode)
    command = [sys.executable, "-m", "hansa.cli.main", "contract", "test", "all", "--coverage-min", "100", "--json"]
    command += ["--", "--junitxml=cases.xml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, (done.stdout, done.stderr)
    told = json.loads(done.stdout)
    contracts = {str(path.relative_to(tmp_path / "all")) for path in (tmp_path / "all").rglob("contract*.py")}
    assert {file["file"]: file["percent"] for file in told["files"]} == dict.fromkeys(contracts, 100.0)
    assert (told["percent"], told["untested"]) == (100.0, [])
    assert told["tests"]["failed"] == told["tests"]["skipped"] == 0
    cases = ElementTree.parse(tmp_path / "cases.xml").getroot().iter("testcase")
    passed = Counter(case.attrib["classname"].split(".")[-2] for case in cases)
    assert passed.keys() == mine.keys()
    assert passed.total() == told["tests"]["passed"]
    assert min(passed.values()) >= 9, [(mine[name], count) for name, count in passed.items()]


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("allow_list", '            require(listing.state == "Allowed", "{m} was barred", m=member)\n'),
        ("escrow", "        account.balance -= amount\n"),
        ("two_person_approval", "        require(tx.user != payment.proposer, "),
    ],
)
def test_the_tests_of_a_copy_find_a_line_that_is_struck(pattern: str, line: str, tmp_path: Path) -> None:
    folder = tmp_path / pattern
    bytecode = shutil.ignore_patterns("__pycache__")
    shutil.copytree(APPS / "cookbook" / pattern, folder, ignore=bytecode)
    before, found, after = (folder / "contract.py").read_text("utf-8").partition(line)
    assert found
    rest = after if line.endswith("\n") else after.partition("\n")[2]
    (folder / "contract.py").write_text(before + rest)
    command = [sys.executable, "-m", "hansa.cli.main", "contract", "test", str(folder), "--json", "--", "-x"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=110)
    assert (done.returncode, json.loads(done.stdout)["tests"]["failed"]) == (1, 1), done.stderr


def test_a_keeper_who_lost_the_role_keeps_nothing() -> None:
    """A ledger of `hansa.testing` cannot take an attribute away, so this stands here."""
    trial = Trial(
        {"allow_list": source("cookbook/allow_list/contract.py")}, {"keeper": {"role:compliance"}, "ann": set[str]()}
    )
    trial.done("keeper", "admit", member="ann", until="2030-01-01", reason="papers seen")
    trial.world.attributes["keeper"] = frozenset()
    trial.refused("keeper", "bar", "role.denied", listing="ann", reason="x")


def test_who_lost_the_attribute_meanwhile_does_not_approve() -> None:
    members = {"bank": set[str](), "rival": set[str](), "bank/ann": {"may:pay"}, "bank/ben": {"may:pay"}}
    trial = Trial({"approval": source("cookbook/two_person_approval/contract.py")}, members)
    amount = {"minor": 100, "currency": "USD"}
    trial.done("bank/ann", "propose", id="p1", to="rival", amount=amount, purpose="rent")
    trial.world.attributes["bank/ben"] = frozenset()
    trial.refused("bank/ben", "approve", "role.denied", payment="p1")
