"""`hansa audit`: what it says of a sound and of a changed ledger, and by which exit code."""

import io
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hansa.cli import progress
from hansa.cli.output import Output

CHANGED = b"class ExampleLedger"  # in entry 1, which deployed the contract


@pytest.fixture(scope="module")
def kept(hansa: Callable, server: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What somebody kept of the ledger: a receipt; and an older copy of it, as a backup."""
    folder = tmp_path_factory.mktemp("kept")
    assert hansa("backup", folder / "older", "--data", server.data).code == 0
    action = ("call", "example_ledger", "pay", "account=northbank", "to=harbourline", "amount=USD 1.00")
    assert hansa(*action, "--as", "northbank", "--data", server.data).code == 0
    assert hansa("receipt", "get", "5", "--out", folder / "receipt", "--data", server.data).code == 0
    return folder


def test_not_beside_a_running_node(hansa: Callable, server: Any, kept: Path) -> None:
    assert "is held by process" in hansa("audit", server.data).failed("folder.locked")
    assert hansa("audit", server.data, "--json").failed("folder.locked")


@pytest.fixture(scope="module")
def stopped(server: Any, kept: Path) -> Iterator[Path]:
    """The ledger, its node stopped."""
    assert server.stop() == 0
    yield server.data


@pytest.fixture
def changed(stopped: Path, tmp_path: Path) -> Path:
    """A copy with one byte of its journal changed."""
    shutil.copytree(stopped, tmp_path / "changed")
    segment = tmp_path / "changed" / "journal" / "00000000.segment"
    data = bytearray(segment.read_bytes())
    data[data.index(CHANGED)] ^= 1
    segment.write_bytes(data)
    return tmp_path / "changed"


def test_a_sound_ledger(hansa: Callable, server: Any, stopped: Path) -> None:
    ran = hansa("audit", stopped)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == f"ledger       Sample ledger  {server.ledger}"
    assert lines[1] == "entries      6 in 6 blocks; 6 executed again"
    assert re.fullmatch("root         [0-9a-f]{64}", lines[2])
    assert re.fullmatch("checkpoints  [1-9]", lines[3])
    assert lines[4:] == ["", "sound: everything is as it must be"]


def test_as_json(hansa: Callable, server: Any, stopped: Path) -> None:
    ran = hansa("audit", stopped, "--workers", "1", "--json")
    assert (ran.code, ran.err) == (0, "")
    found = ran.json
    assert re.fullmatch("[0-9a-f]{64}", found.pop("root"))
    assert found.pop("checkpoints") > 0
    assert found == {
        "sound": True,
        "ledger": server.ledger,
        "name": "Sample ledger",
        "entries": 6,
        "blocks": 6,
        "executed": 6,
        "findings": [],
        "notes": [],
        "governance": None,
        "at_least": [],
    }


def test_a_changed_ledger(hansa: Callable, changed: Path) -> None:
    ran = hansa("audit", changed)
    assert (ran.code, ran.err) == (1, "")
    assert "sound" not in ran.out
    *_, count, finding = ran.out.splitlines()
    assert count == "1 finding(s):"
    assert re.fullmatch(
        r"  behind entry 0: 00000000\.segment, byte \d+: the unit's checksum does not match its bytes, "
        r"and a valid unit follows at \d+; nothing behind it was judged \[journal\.corrupt\]",
        finding,
    )


def test_a_changed_ledger_as_json(hansa: Callable, changed: Path) -> None:
    ran = hansa("audit", changed, "--json")
    assert ran.code == 1
    assert not ran.json["sound"]
    (finding,) = ran.json["findings"]
    assert set(finding) == {"code", "where", "detail"}
    assert finding["code"] == "journal.corrupt"


def test_an_older_copy_needs_evidence(hansa: Callable, stopped: Path, kept: Path, tmp_path: Path) -> None:
    assert hansa("restore", kept / "older", "--data", tmp_path / "older").code == 0
    assert hansa("audit", tmp_path / "older").code == 0
    evidence = ("--at-least", kept / "receipt.cose")
    ran = hansa("audit", tmp_path / "older", *evidence)
    assert ran.code == 1
    assert f"  {kept}/receipt.cose: it has seen 6 entries, the journal holds 5 [journal.lost_tail]\n" in ran.out
    ran = hansa("audit", tmp_path / "older", *evidence, "--at-least", stopped / "state", "--json")
    assert ran.code == 1
    assert [finding["where"] for finding in ran.json["findings"]] == [
        str(kept / "receipt.cose"),
        str(stopped / "state"),
    ]
    good = hansa("audit", stopped, *evidence)
    assert good.code == 0
    assert f"\nevidence     {kept}/receipt.cose: what it has seen is there, unchanged\n" in good.out
    assert hansa("audit", stopped, *evidence, "--json").json["at_least"] == [f"{kept}/receipt.cose"]


def test_what_is_no_ledger_or_no_evidence(hansa: Callable, stopped: Path, kept: Path, tmp_path: Path) -> None:
    assert hansa("audit", tmp_path).failed("folder.none") == f"{tmp_path} holds no ledger"
    assert hansa("audit", tmp_path, "--json").failed("folder.none")
    nothing = hansa("audit", stopped, "--at-least", tmp_path / "nothing")
    assert nothing.failed("argument.file", 2) == f"{tmp_path}/nothing: No such file or directory"
    entry = kept / "receipt.entry"
    wrong = hansa("audit", stopped, "--at-least", entry)
    assert wrong.failed("receipt.form") == f"{entry} is neither a receipt nor a checkpoint"
    assert "hint: Give a receipt (.cose), a checkpoint, or the folder of a state." in wrong.err
    (tmp_path / "format").write_text("hansa ledger folder, format 9\n")
    assert hansa("audit", tmp_path).failed("folder.format")


def test_progress_is_shown_only_where_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    for quiet_s, shown in ((60.0, False), (-1.0, True)):
        stderr = Terminal()
        monkeypatch.setattr("sys.stderr", stderr)
        monkeypatch.setattr(progress, "_QUIET_S", quiet_s)
        with progress.Progress(Output(json=False, quiet=False, color=False), "entries read") as shows:
            shows.tell(7)
        assert ("7 entries read" in stderr.getvalue()) == shown


@pytest.mark.parametrize("words", [(), ("--workers", "0", "x"), ("--workers", "x", "x"), ("a", "b"), ("--at-least",)])
def test_wrong_usage(words: tuple[str, ...], hansa: Callable) -> None:
    ran = hansa("audit", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ")


def test_a_process_that_is_interrupted_leaves_nothing(stopped: Path, tmp_path: Path) -> None:
    """Ctrl-C reaches the workers too: none of them says anything, and what the audit made is gone."""
    shutil.copytree(stopped, tmp_path / "ledger")
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from hansa.cli import main\n"
        "import hansa.cli.progress as module\n"
        "module.Progress.tell = lambda self, entries: entries < 3 or os.killpg(0, signal.SIGINT)\n"
        "if __name__ == '__main__':\n"
        "    main.main(['audit', sys.argv[1]])\n"
    )
    (tmp_path / "script.py").write_text(script)
    done = subprocess.run(
        [sys.executable, tmp_path / "script.py", tmp_path / "ledger"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        start_new_session=True,
    )
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ledger", "script.py"]
