"""What the pages show runs as it stands there, page by page; nothing that could run goes untried without saying why."""

import re
from pathlib import Path

import pytest
from tests.docs.pages import PAGES, ROOT, RUN, Step, steps
from tests.docs.reader import Reader, environment, matches

TUTORIAL = ROOT / "docs" / "tutorial" / "index.md"  # tests/e2e/test_tutorial.py follows it, from an empty machine on
SHOWN = {page: steps(page.read_text("utf-8")) for page in PAGES}


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def runs(step: Step) -> bool:
    return step.kind in RUN and not {"tested in", "not run"} & step.notes.keys()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "page", [page for page in PAGES if page != TUTORIAL and any(map(runs, SHOWN[page]))], ids=named
)
def test_a_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    reader = Reader(tmp_path / "work", environment(tmp_path))
    try:
        for step in SHOWN[page]:
            reader.follow(step)
    finally:
        reader.stop()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_no_block_escapes_the_reader(page: Path) -> None:
    """One that is indented, has another fence, options, or a language by another name would not be run."""
    text = page.read_text("utf-8")
    fences = re.findall(r"^[ \t>]*(?:```|~~~)", text, re.MULTILINE)
    assert len(fences) == 2 * sum(step.kind not in ("setup", "let", "stop") for step in SHOWN[page])
    others = {"bash", "shell", "zsh", "py", "python3", "pycon", "jsonc"}
    assert not [step.line for step in SHOWN[page] if step.kind in others], "they are called sh, console, python, json"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_what_is_not_run_says_why_or_where_it_is(page: Path) -> None:
    for step in SHOWN[page]:
        assert step.kind or not step.text, f"line {step.line}: a block names its language"
        if "not run" in step.notes:
            assert len(step.notes["not run"]) > 10, f"line {step.line}: why?"
        if "tested in" in step.notes:
            test = ROOT / step.notes["tested in"]
            assert test.is_file(), f"line {step.line}: {test} is not there"
            names = {page.stem, page.parent.name} - {"how-to", "reference", "explanation"}
            assert any(name in test.read_text("utf-8") for name in names), f"{test} does not name the page"


def test_a_page_can_be_tested_elsewhere() -> None:
    first, second = steps(
        "<!-- page tested in: a.py -->\nText.\n\n```sh\nls\n```\n\n<!-- exits: 4 -->\n```sh\nno\n```\n"
    )
    assert not runs(first)
    assert not runs(second)


def test_a_block_is_read_with_its_notes() -> None:
    page = "Make `a.py`:\n\n<!-- file: a.py -->\n```python\nx = 1\n```\n\n```sh\nls\n```\n\n"
    page += "<!-- exits: 4 -->\n\n```sh\nno\n```\n"
    made, listed, failed = steps(page)
    assert (made.kind, made.text, made.line, made.notes) == ("python", "x = 1\n", 4, {"file": "a.py"})
    assert (listed.notes, listed.follows, failed.notes, failed.follows) == ({}, True, {"exits": "4"}, True)


@pytest.mark.parametrize(
    ("told", "came", "same"),
    [
        ("id …\n", "id 5f\n", True),
        ("a\n…\nd", "a\nb\nc\nd", True),
        ("a\n…\nd", "a\nb\nc\n", False),
        ("a", "a\nb", False),
        ("a.c", "abc", False),
    ],
)
def test_an_output_is_compared(told: str, came: str, same: bool) -> None:
    assert matches(told, came) == same


BROKEN = {
    "a command that fails": "```sh\nfalse\n```\n",
    "a command that should fail": "<!-- exits: 4 -->\n```sh\ntrue\n```\n",
    "another output": "```sh\necho a\n```\n\n```text\nb\n```\n",
    "another answer": "```console\n$ echo a\nb\n```\n",
    "a program that fails": "```python\nraise SystemExit(1)\n```\n",
    "a contract that is refused": "<!-- check: good -->\n```python\ndef f(a: float) -> int:\n    return 1\n```\n",
    "a contract that is not": "<!-- check: name.unknown -->\n```python\ndef f(a: int) -> int:\n    return a\n```\n",
    "a note that is far away": "<!-- exits: 4 -->\nText.\n\n```sh\nfalse\n```\n",
    "no JSON": "```json\n{\n```\n",
    "a file nobody was told of": "<!-- file: a.py -->\n```python\nx = 1\n```\n",
}


@pytest.mark.parametrize("page", BROKEN.values(), ids=BROKEN)
def test_a_page_that_is_wrong_is_found(page: str, tmp_path: Path) -> None:
    reader = Reader(tmp_path / "work", environment(tmp_path))
    with pytest.raises((AssertionError, ValueError), match=r"line \d|ended with"):
        for step in steps(page):
            reader.follow(step)
