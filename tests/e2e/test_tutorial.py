"""The tutorial, word for word, on a machine that has Python and nothing else: a reader with an empty home folder, a
minimal path, a fresh virtual environment, and a package registry that has what Hansa locks.
"""

import shlex
import shutil
import sys
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, steps
from tests.docs.reader import Reader
from tests.e2e import registry

PAGE = ROOT / "docs" / "tutorial" / "index.md"
COMMANDS_MAX = 10
"""From `pip install` to the verified receipt of the reader's own contract."""


@pytest.fixture
def terminal(tmp_path: Path) -> dict[str, str]:
    """All that is set in a terminal of the new machine."""
    (tmp_path / "registry").mkdir()
    for name in {*registry.locked("base.txt"), *registry.locked("build.txt")}:
        registry.pack(name, tmp_path / "registry")
    source = tmp_path / "desk" / "hansa"
    source.mkdir(parents=True)
    for name in ("src", "apps", "engines"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, source / name)
    binaries = tmp_path / "bin"
    binaries.mkdir()
    python = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    (binaries / "python3").write_text(f'#!/bin/sh\nexec "{python}" "$@"\n')
    (binaries / "python3").chmod(0o755)
    (tmp_path / "home").mkdir()
    return {
        "PATH": f"{binaries}:/usr/bin:/bin",
        "HOME": str(tmp_path / "home"),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path / "registry"),
        "PIP_CONFIG_FILE": "/dev/null",
        # The real account's home has the signer locks, whatever HOME says: the tests have another.
        "HANSA_TEST_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(ROOT / "tests" / "homes"),
    }


@pytest.mark.timeout(300)
def test_a_newcomer_comes_to_a_verified_receipt(terminal: dict[str, str], tmp_path: Path) -> None:
    reader = Reader(tmp_path / "desk", terminal)
    shown = steps(PAGE.read_text("utf-8"))
    assert not [step.line for step in shown if {"not run", "tested in"} & step.notes.keys()], "word for word"
    try:
        for step in shown:
            reader.follow(step)
    finally:
        reader.stop()
    words = [shlex.split(line, comments=True) for line in reader.typed]
    begun = next(place for place, command in enumerate(words) if command[:2] == ["pip", "install"])
    done = next(place for place, command in enumerate(words) if command[:3] == ["hansa", "receipt", "verify"])
    assert done - begun + 1 <= COMMANDS_MAX
    assert (tmp_path / "desk" / "lending-club" / ".venv" / "bin" / "hansa").exists(), "what ran was what was installed"
    assert {path.name for path in (tmp_path / "home").iterdir()} <= {".cache", ".hansa"}


def test_it_says_how_long_it_takes_and_leads_on() -> None:
    page = PAGE.read_text("utf-8")
    assert "fifteen minutes" in page
    assert "what-a-receipt-proves.md" in page
