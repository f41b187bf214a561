"""The page constitutions.md: its test passes, its counts are those of the report, its tables are whole."""

import contextlib
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, steps

from hansa.node import shipped
from hansa.testing import Ledger, Refused

PAGE = ROOT / "docs" / "explanation" / "constitutions.md"
TEXT = PAGE.read_text("utf-8")


def test_the_test_that_is_shown_passes(tmp_path: Path) -> None:
    (tmp_path / "rules.py").write_text(shipped.constitution("majority"), "utf-8")
    (tmp_path / "governance.py").write_text(shipped.library(), "utf-8")
    (shown,) = (step.text for step in steps(TEXT) if step.kind == "python")
    names: dict = {}
    exec(shown, names)
    ledger = Ledger(folder=tmp_path)
    with contextlib.suppress(Refused):  # it may stand in genesis
        ledger.deploy_library("governance.py")
    names["test_what_changing_the_rules_needs"](ledger)


def test_counts_are_those_of_the_report() -> None:
    report = (ROOT / "tests" / "constitutions" / "report.md").read_text("utf-8").splitlines()
    rows = [line for line in TEXT.splitlines() if line.startswith("|") and "1 to" in line]
    assert len(rows) >= len(shipped.constitutions())
    for row in rows:
        (line,) = (line for line in report if line.startswith(row.rstrip("|")))
        assert line.endswith("| none |"), row


@pytest.mark.parametrize("name", shipped.constitutions())
def test_every_constitution_is_in_the_tables(name: str) -> None:
    assert f"| [{name}](../../apps/constitutions/{name}.py) |" in TEXT
    assert f"| {name} | itself | 1 to 7 |" in TEXT
