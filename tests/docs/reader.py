"""A reader at a terminal: types what a page says, in a folder of their own, and looks at what comes.

`hansa up` keeps its terminal busy, as it does at a desk, so the reader goes on in another one in the same folder. The
node takes a free port instead of the usual one, since others may use that on this machine; for the reader it is the
usual one.
"""

import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from tests.docs.pages import ROOT, Step

from hansa.cli.up import PORT
from hansa.contracts import program
from hansa.contracts.checked import Checked
from hansa.contracts.diagnostics import ContractInvalid, Diagnostic
from hansa.orderers import engines

_COMMAND_S: Final = 100
_STOP_S: Final = 10
_ANYTHING: Final = "…"
_IMPORT = re.compile(r"^from hansa\.contract import", re.MULTILINE)


def matches(told: str, came: str) -> bool:
    """Whether a page's output is what came; `…` stands for anything."""
    pattern = ".*?".join(map(re.escape, told.strip().split(_ANYTHING)))
    return re.fullmatch(pattern, came.strip(), re.DOTALL) is not None


class Reader:
    """One reader of one page."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.typed: list[str] = []
        """The commands so far, without what was only set up."""
        self._environment = environment
        self._terminal = environment
        self._words: dict[str, str] = {}
        self._nodes: list[subprocess.Popen[bytes]] = []
        self.port = PORT
        self._libraries: dict[bytes, Checked] = {}
        self._state = folder.parent / "terminal"
        self._said: str | None = None
        """What the last block printed, until it is compared or another one stands there."""

    def follow(self, step: Step) -> None:
        """Does what a step says, and fails where it does not come out."""
        if "not run" in step.notes or "tested in" in step.notes:
            return
        text = self._meant(step.text)
        if "file" in step.notes:
            name = step.notes["file"]
            assert f"`{name}`" in step.before, f"line {step.line}: nothing tells the reader to make {name}"
            (self.folder / name).write_text(text)
        if step.kind == "let":
            word, _, command = text.partition(" = ")
            self._words[word] = self._type(command, 0).strip()
        elif step.kind == "setup":
            self._type(text, 0)
        elif step.kind == "stop":
            self.stop()
        elif step.kind == "sh":
            self._block(text, step)
        elif step.kind == "console":
            self._dialogue(text, step)
        elif step.kind == "python":
            self._python(text, step)
        elif step.kind == "json":
            self._json(text, step.line)
        if step.kind in ("text", "json") and step.follows and self._said is not None:
            came = self._said.replace(str(self.port), str(PORT))
            assert matches(step.text, came), f"line {step.line}: not as the page says, but\n{came}"
            self._said = None

    def stop(self) -> None:
        """Ends the nodes as Ctrl-C does."""
        nodes, self._nodes = self._nodes, []
        for network in self._state.parent.rglob("network.json"):  # the page's own command may not have been reached
            self._run(["hansa", "network", "stop", str(network.parent)])
        for node in nodes:
            node.send_signal(signal.SIGINT)
        for node in nodes:
            try:
                assert node.wait(_STOP_S) == 0
            finally:
                node.kill()

    def _block(self, text: str, step: Step) -> None:
        self._said = ""
        for line in text.replace("\\\n", " ").splitlines():
            if shlex.split(line, comments=True):
                self.typed.append(line)
                self._said += self._type(line, int(step.notes.get("exits", "0")))

    def _json(self, text: str, line: int) -> None:
        try:
            json.loads(text.replace(_ANYTHING, ""))
        except ValueError as error:
            raise AssertionError(f"line {line}: {error}") from None

    def _dialogue(self, text: str, step: Step) -> None:
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, told = part.partition("\n")
            self.typed.append(command)
            came = self._type(command, int(step.notes.get("exits", "0")))
            came = came.replace(str(self.port), str(PORT))
            assert matches(told, came), f"line {step.line}: {command} gave\n{came}"

    def _python(self, text: str, step: Step) -> None:
        self._said = None
        if "check" in step.notes or _IMPORT.search(text):
            found = self._check(text, Path(step.notes.get("file", "sample.py")).stem)
            codes = {each.code for each in found} or {"good"}
            assert step.notes.get("check", "good") in codes, f"line {step.line}: {codes}"
            if found:
                told = (f"{each.message} [{each.code}]\n" + f"= {each.hint}\n" * bool(each.hint) for each in found)
                self._said = "".join(told)
        elif "file" not in step.notes:
            done = self._run([sys.executable, "-c", text])
            assert done.returncode == 0, f"line {step.line}: {done.stdout}"
            self._said = done.stdout

    def _check(self, text: str, name: str) -> list[Diagnostic]:
        """The findings about a contract or library; libraries are there for what the page shows later."""
        try:
            checked = program.check(text, name, self._libraries)
        except ContractInvalid as invalid:
            return invalid.diagnostics
        if checked.manifest.kind == "library":
            self._libraries[hashlib.sha256(text.encode()).digest()] = checked
        return []

    def _type(self, command: str, exits: int) -> str:
        """Types a line: what it printed. What it changes of the terminal, such as the folder or a variable, stays."""
        if shlex.split(command)[:2] == ["hansa", "up"]:
            return self._up(command)
        marked = f"{command}\nstatus=$?\nenv -0 >{shlex.quote(str(self._state))}\nexit $status"
        done = self._run(["/bin/sh", "-c", marked])
        assert done.returncode == exits, f"{command} ended with {done.returncode}:\n{done.stdout}"
        pairs = (pair.partition("=") for pair in self._state.read_text().split("\0") if pair)
        self._terminal = {name: value for name, _, value in pairs}
        self.folder = Path(self._terminal["PWD"])
        return done.stdout

    def _run(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            cwd=self.folder,
            env=self._terminal,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_COMMAND_S,
            check=False,
        )

    def _up(self, command: str) -> str:
        """Starts a node, and goes on in another terminal: what it said."""
        # Into a file: a node may say more than a pipe holds, and nobody reads it later. Its log is as at a terminal.
        told = self._state.with_name(f"node {len(self.typed)}")
        with told.open("w") as screen:
            node = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {command.partition('#')[0].strip()} --port 0 --log plain"],
                cwd=self.folder,
                env=self._terminal,
                stdin=subprocess.DEVNULL,
                stdout=screen,
                stderr=subprocess.STDOUT,
            )
        self._nodes.append(node)
        while "Ctrl-C" not in (said := told.read_text("utf-8")):
            assert node.poll() is None, f"{command} ended: {said}"
            time.sleep(0.05)
        url = re.search(r"http://127\.0\.0\.1:(\d+)", said)
        assert url is not None
        self.port = int(url[1])
        self._terminal = self._environment
        return said

    def _meant(self, text: str) -> str:
        """A text with the stand-ins replaced, and the port that the node has."""
        for word, meant in self._words.items():
            text = re.sub(rf"\b{word}\b", meant, text)
        return text.replace(str(PORT), str(self.port))


def environment(place: Path) -> dict[str, str]:
    """A terminal where `hansa` is this checkout's, the home folder empty, and `work` has the applications in it."""
    binaries = place / "bin"
    binaries.mkdir()
    for name, line in (("hansa", "-m hansa.cli.main"), ("pytest", "-m pytest"), ("python3", "")):
        (binaries / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {line} "$@"\n')
        (binaries / name).chmod(0o755)
    (place / "home").mkdir()
    (place / "work").mkdir()
    (place / "work" / "apps").symlink_to(ROOT / "apps")
    return {
        "PATH": f"{binaries}:/usr/bin:/bin",
        "HOME": str(place / "home"),
        "LANG": "C.UTF-8",
        "HANSA_ENGINES": str(engines.cache()),
        **{name: os.environ[name] for name in ("HANSA_TEST_HOME", "PYTHONPATH", "PYTEST_ADDOPTS")},
    }
