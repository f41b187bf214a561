"""The cookbook's pages: what they show is what the contracts say, and their commands run as they stand there."""

import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest
from docs.generate import STATES, states
from tests.docs.test_how_to import HANSA, PAGES, blocks, run

from hansa.contracts import program
from hansa.contracts.diagram import described
from hansa.contracts.drawing import svg

APPS = Path(__file__).parents[2] / "apps"
PATTERNS = sorted(path.name for path in (APPS / "cookbook").iterdir() if path.is_dir())
FILES = sorted((APPS / "cookbook").glob("*/contract*.py"))
SECTIONS = ["Try it", "What goes wrong without it", "Limits"]
REFUSED = re.compile(r"  # refused: ([a-z.]+)$")


def page(pattern: str) -> str:
    return f"cookbook/{pattern.replace('_', '-')}.md"


def test_there_are_ten_patterns_and_the_index_names_them() -> None:
    linked = re.findall(r"^\| \[[^\]]*\]\(([a-z-]+)\.md\)", (PAGES / "cookbook/index.md").read_text(), re.MULTILINE)
    assert sorted(name.replace("-", "_") for name in linked) == PATTERNS
    assert len(PATTERNS) == 10


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(APPS)))
def test_each_contract_passes_the_check_and_explains_itself(file: Path) -> None:
    manifest = program.check(file.read_text(), file.parent.name).manifest
    assert manifest.doc
    assert all(action.doc for action in [*manifest.actions.values(), *manifest.views.values()])


@pytest.mark.parametrize("pattern", PATTERNS)
def test_each_page_shows_the_contract_as_it_is(pattern: str) -> None:
    text = (PAGES / page(pattern)).read_text()
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    contract = (APPS / "cookbook" / pattern / "contract.py").read_text()
    shown = "".join(blocks(page(pattern), "python"))
    assert shown
    for piece in re.split(r"\n{2,}(?=\S)", shown.strip()):
        assert textwrap.indent(piece, "    ") in contract, piece


def test_each_page_shows_its_states_and_says_them_in_words() -> None:
    found = states()
    assert found.keys() == {*PATTERNS, "letter_of_credit"} - {"upgrade"}
    assert {file.stem for file in STATES.iterdir()} == found.keys()
    for name, machines in found.items():
        assert (STATES / f"{name}.svg").read_text("utf-8") == svg(machines), "run `make docs`"
        if name in PATTERNS:
            words = " ".join(line for machine in machines for line in described(machine))
            assert f"![{words}](../states/{name}.svg)" in (PAGES / page(name)).read_text("utf-8")
    assert "](states/letter_of_credit.svg)" in (PAGES / "letter-of-credit.md").read_text("utf-8")


@pytest.mark.parametrize("pattern", [pattern for pattern in PATTERNS if pattern != "upgrade"])
def test_the_commands_run_and_are_refused_where_it_says_so(pattern: str, tmp_path: Path) -> None:
    shutil.copytree(APPS, tmp_path / "apps")
    (commands,) = blocks(page(pattern), "sh")
    for line in commands.splitlines():
        refused = REFUSED.search(line)
        done = run(REFUSED.sub("", line), tmp_path)
        assert done.returncode == (1 if refused else 0), (line, done)
        assert not refused or f"[{refused[1]}]\n" in done.stdout, (line, done)


def test_the_upgrade_runs_on_a_ledger(tmp_path: Path) -> None:
    shutil.copytree(APPS, tmp_path / "apps")
    (commands,) = blocks(page("upgrade"), "sh")
    command = f"exec {HANSA} up --port 0 --json --reserve-mb 0"
    with subprocess.Popen(command, shell=True, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as node:
        try:
            assert node.stdout is not None
            assert "url" in node.stdout.readline()
            said = [run(line, tmp_path) for line in commands.splitlines()]
            assert [done.returncode for done in said] == [0] * 5, said
            assert said[3].stdout == "USD 500.00\n"
        finally:
            node.terminate()
            assert node.wait(10) == 0
