"""Pages read as their readers read them: the code blocks in order, with what is noted above each for the tests.

Notes are HTML comments, which no reader of the page sees. On their own, anywhere:

    <!-- setup: COMMAND -->         run here, as if it stood in a block: what the page takes for granted
    <!-- stop -->                   the reader stops the node, as the text says
    <!-- let WORD = COMMAND -->     WORD in what follows stands for what the command prints

    <!-- page tested in: PATH -->   another test runs all that follows on this page

and right above a block:

    <!-- file: NAME -->             the block is that file; the text before names it
    <!-- exits: 4 -->               each command of the block ends so, instead of with 0
    <!-- check: CODE -->            a contract file, or functions of one, that the check refuses with this finding,
                                    among others; a text block behind it has them in words. `good` if there are
                                    none: files that import the dialect are that without a note
    <!-- tested in: PATH -->        another test runs it
    <!-- not run: REASON -->        why nothing does
"""

import re
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from docs import generate

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
RUN: Final = ("sh", "console", "python", "json")
"""The languages of blocks that are run or checked."""

_PIECE = re.compile(r"<!--\s*(?P<note>.*?)\s*-->|^```(?P<kind>\S*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_ABOVE: Final = ("file", "exits", "check", "tested in", "not run")


@cache
def generated() -> dict[str, str]:
    """Every page that follows from the code, by its file name: made once for all who look at one."""
    return generate.pages()


class Step(msgspec.Struct, frozen=True):
    """A block, or a note on its own: then `kind` is "setup", "stop" or "let"."""

    kind: str
    text: str
    line: int
    notes: dict[str, str] = {}
    follows: bool = False
    """Nothing but blank lines or notes stand between the block before and this one."""
    before: str = ""
    """The page's text before it."""


def steps(page: str) -> list[Step]:
    """What a page shows and notes, in order. Raises `ValueError` for a note that belongs to no block."""
    found: list[Step] = []
    notes: dict[str, str] = {}
    end = 0
    between = ""
    noted = -1
    for_all: dict[str, str] = {}
    for piece in _PIECE.finditer(page):
        between += page[end : piece.start()]
        line = page.count("\n", 0, piece.start()) + 1
        end = piece.end()
        if piece["kind"] is None:
            noted = end
            name, _, value = piece["note"].partition(":")
            if name in _ABOVE:
                notes[name] = value.strip()
            elif name == "page tested in":
                for_all = {"tested in": value.strip()}
            elif name in ("setup", "stop"):
                found.append(Step(name, value.strip(), line))
            elif piece["note"].startswith("let "):
                found.append(Step("let", piece["note"].removeprefix("let "), line))
            continue
        if notes and page[noted : piece.start()].strip():
            raise ValueError(f"line {line}: a note stands right above its block")
        found.append(
            Step(piece["kind"], piece["text"], line, for_all | notes, not between.strip(), page[: piece.start()])
        )
        notes, between = {}, ""
    return found
