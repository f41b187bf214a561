"""The documentation keeps up with the code: generated pages are fresh, links lead somewhere."""

import re
from pathlib import Path

import pytest
from docs.generate import FOLDER
from tests.docs.pages import generated

ROOT = Path(__file__).parents[2]
MARKDOWN = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md"), *ROOT.glob("bench/*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("name", generated())
def test_a_generated_page_is_what_the_code_gives(name: str) -> None:
    assert (FOLDER / name).read_text() == generated()[name], "run `make docs`"


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if "://" in target or target.startswith("#"):
            continue
        path, _, anchor = target.partition("#")
        found = page.parent / path
        assert found.exists(), f"{target} leads nowhere"
        if anchor and found.suffix == ".py":
            assert re.search(rf"^\s*(?:async )?(?:def|class) {anchor}\b", found.read_text(), re.MULTILINE), target


def test_one_transaction_names_what_stands_in_the_code() -> None:
    page = (ROOT / "docs/explanation/one-transaction.md").read_text()
    targets = [t for t in LINK.findall(page) if ".py#" in t]
    assert len(targets) >= 8
    assert len({t.split("#")[0] for t in targets}) <= 12, "a newcomer should not need more files than that"


def test_every_line_on_trust_names_its_tests_or_that_nothing_helps() -> None:
    """That the tests are there, `test_every_link_leads_somewhere` says."""
    page = (ROOT / "docs/explanation/trust-by-topology.md").read_text()
    tables = [part.partition("\n\n")[0] for part in page.split("| Can it? | What | Shown by |\n|---|---|---|\n")[1:]]
    assert len(tables) == 5  # one node, etcd, and f, f + 1 and 2f + 1 members over CometBFT
    for row in "\n".join(tables).splitlines():
        shown = row.split("|")[-2].strip()
        targets = LINK.findall(shown)
        assert targets or shown == "cannot be prevented", row[:80]
        assert all(re.match(r"(?:\.\./){2}tests/\S+\.py#\w+$", target) for target in targets), row[:80]


def test_every_promise_names_its_tests() -> None:
    page = (ROOT / "docs/explanation/promises.md").read_text()
    rows = [line for line in page.splitlines() if re.match(r"\| [A-Z][0-9]", line)]
    assert rows
    for row in rows:
        assert LINK.search(row.split("|")[-2]), f"no test is named: {row[:60]}"
