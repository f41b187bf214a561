"""What tests of single how-to pages share; `test_blocks` runs what has no test of its own."""

import re
import subprocess
import sys
from pathlib import Path

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
HANSA = f"{sys.executable} -m hansa.cli.main"


def blocks(page: str, kind: str) -> list[str]:
    """The code blocks of this kind on a page, with commands that go on behind a backslash in one line."""
    found = re.findall(rf"```{kind}\n(.*?)```", (PAGES / page).read_text("utf-8"), re.DOTALL)
    return [re.sub(r" \\\n +", " ", text) if kind == "sh" else text for text in found]


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs a line of a shell block."""
    line = re.sub(r"(^|\$\()hansa ", rf"\1{HANSA} ", line)
    return subprocess.run(line, check=False, shell=True, cwd=folder, capture_output=True, text=True)


def test_the_quick_start_is_short() -> None:
    first, *_ = blocks("use-from-python.md", "python")
    assert len(first.splitlines()) <= 15
