"""The README's "Use it", word for word: a newcomer who types what stands there gets what it promises."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STOP_S = 5
ACTIVATE = ". .venv/bin/activate"
INSTALL = ["python3 -m venv .venv", ACTIVATE, "pip install ."]  # what comes of it: see test_install
STAND_IN = "ID"  # for the ledger's id


def blocks(section: str) -> list[list[list[str]]]:
    """The commands of each shell block in a section, as words, without their comments."""
    text = (ROOT / "README.md").read_text("utf-8").partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    found = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [[shlex.split(line, comments=True) for line in block.splitlines() if line.strip()] for block in found]


@dataclass
class Place:
    """Where a newcomer works: a folder with the checkout's applications, and `hansa` on the path."""

    folder: Path
    environment: dict[str, str]

    def run(self, words: list[str]) -> str:
        done = subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "work").mkdir()
    (tmp_path / "home").mkdir()
    shutil.copytree(ROOT / "apps", tmp_path / "work" / "apps")
    binaries = Path(sys.executable).parent
    environment = {
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "HOME": str(tmp_path / "home"),
        **{name: os.environ[name] for name in ("HANSA_TEST_HOME", "PYTHONPATH")},
        "LANG": "C.UTF-8",
    }
    yield Place(tmp_path / "work", environment)


def test_use_it(place: Place) -> None:
    first, second = blocks("Use it")
    *installing, up = first
    assert [shlex.join(words) for words in installing] == INSTALL
    assert shlex.join(second.pop(0)) == ACTIVATE, "another terminal knows nothing of it"
    # As it stands there, but on a free port: others may use the usual one on this machine.
    with subprocess.Popen(
        [*up, "--port", "0"], cwd=place.folder, env=place.environment, stdout=subprocess.PIPE, text=True
    ) as node:
        try:
            assert node.stdout is not None
            assert node.stdout.readline().startswith("Hansa is up at http://127.0.0.1:")
            ledger = re.search("[0-9a-f]{64}", place.run(["hansa", "status"]))
            assert ledger is not None
            said = [place.run([ledger[0] if word == STAND_IN else word for word in words]) for words in second]
            node.send_signal(signal.SIGTERM)
            assert node.wait(STOP_S) == 0
        finally:
            node.kill()
    assert [words[1] for words in second] == ["contract", "call", "call", "call", "query", "receipt", "receipt"]
    assert "487.50" in said[4]
    assert "17.50" in said[4]
    assert {path.name for path in place.folder.glob("payment.*")} == {
        f"payment.{ending}" for ending in ("cose", "entry", "envelope", "outcome")
    }
    assert said[6].startswith("valid  entry 4 is in the ledger")
    assert "pay(" in said[6]
    assert "sound" in place.run(["hansa", "audit", "hansa-data"])
    assert list((place.folder.parent / "home").glob(".*")) == []


def test_what_it_makes_is_not_committed(tmp_path: Path) -> None:
    """Who tries it in a clone, as it says, must not find keys among the files to commit."""
    shutil.copy(ROOT / ".gitignore", tmp_path / ".gitignore")
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    for name in (
        "hansa-data/keys/members/northbank.pem",
        "payment.cose",
        "payment.envelope",
        "stranger.pem",
        "kept.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    done = subprocess.run(
        ["git", "status", "--porcelain"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines() == ["?? .gitignore", "?? kept.py"]


def test_the_audit_it_names(place: Place) -> None:
    """The command in the text behind the blocks is the one that `test_use_it` runs."""
    assert "`hansa audit hansa-data`" in (ROOT / "README.md").read_text("utf-8")


def test_the_two_commands_are_targets_of_make() -> None:
    (commands,) = blocks("Two commands")
    assert commands == [["make", "demo"], ["make", "test"]]
    for _, target in commands:
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert (
        "hansa demo"
        in subprocess.run(["make", "-n", "demo"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    )
