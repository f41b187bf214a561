"""The ordering engines that are programs of their own: in which versions, and where they lie once they are built.

With them comes the verifier of signatures, `engines/verifier`: a node of any order takes it where it is built, and does
without it where it is not. Called by whoever starts one of these, and by `hansa engines`. The versions stand in
`engines/go.mod` alone. Nothing is built here (see `engine_build`) and nothing started, but for being asked its version.
"""

import hashlib
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from hansa.orderers import build_info
from hansa.wire.problems import HansaError

_ASKED_S: Final = 20
"""So long a program may take to say its version; a busy machine reads it from its disk first."""
_VERSION: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:\+.*)?")
_GO_FOLDER: Final = re.compile(r"go(\d+(?:\.\d+)*)")


class Engine(msgspec.Struct, frozen=True):
    """An engine, and the Go module that it is built from, in the one version that is pinned."""

    name: str
    module: str
    package: str
    version: str
    asked: str
    """The argument with which the program says its version."""

    def arguments(self) -> list[str]:
        """What `go build` is told, but for where the program goes. Binaries of equal arguments are equal."""
        linked = "-s -w"
        if self.name == COMETBFT:  # 0.40.0 calls itself 0.39.0, in a constant; what may be set stands behind it
            linked += f" -X {self.module}/version.TMGitCommitHash=v{self.version}"
        return ["-trimpath", "-buildvcs=false", "-ldflags", linked, self.package]


class Built(msgspec.Struct, frozen=True):
    """An engine's program in the cache. `go`: the version of Go that built it."""

    engine: Engine
    path: Path
    go: str


ETCD: Final = "etcd"
COMETBFT: Final = "cometbft"
VERIFIER: Final = "verifier"
NAMES: Final = (ETCD, COMETBFT, VERIFIER)
ENVIRONMENT: Final = {"CGO_ENABLED": "0"}
"""Under which engines are built: linked statically, so that they need nothing of the system."""
_MODULES: Final = {
    ETCD: ("go.etcd.io/etcd/server/v3", "", "--version"),
    COMETBFT: ("github.com/cometbft/cometbft", "/cmd/cometbft", "version"),
    VERIFIER: ("github.com/oasisprotocol/curve25519-voi", "", "version"),
}
SOURCES: Final = ("go.mod", "go.sum", "verifier/main.go")
"""Of which all programs are built."""
OWN: Final = {VERIFIER: "./verifier"}
"""Packages of our own beside `go.mod`; their version is that of the module which does the work."""


def find(name: str, binary: Path | None = None) -> Path:
    """The program of an engine: the operator's own `binary` if one is given, else the one that was built here.

    An operator's may be a later patch of the pinned version: fixes must not wait for us.
    Raises `HansaError` `engine.missing`, `engine.binary`, `engine.version`, `argument.value`.
    """
    engine = pinned(name)
    if binary is not None:
        check(engine, binary)
        return binary.absolute()
    made = built(engine)
    if made is None:
        told = f"{name} {engine.version} is not built on this machine"
        raise HansaError("engine.missing", told, remedy=f"`hansa engines build {name}` builds it, in a few minutes.")
    return made.path


def pinned(name: str) -> Engine:
    """The engine of this name. Raises `HansaError` `argument.value`."""
    if name not in _MODULES:
        told = f"there is no ordering engine {name[:60]!a}"
        raise HansaError("argument.value", told, remedy=f"They are {', '.join(NAMES)}.")
    module, inside, asked = _MODULES[name]
    found = re.search(rf"^\s+{re.escape(module)} v(\S+)", (source() / "go.mod").read_text(), re.MULTILINE)
    assert found is not None, f"go.mod pins no {module}"
    return Engine(name, module, OWN.get(name, module + inside), found[1], asked)


def verifier() -> Path | None:
    """The program that verifies signatures together (see `engines/verifier`); None where it is not built."""
    made = built(pinned(VERIFIER))
    return None if made is None else made.path


def built(engine: Engine) -> Built | None:
    """The program that was built here, by the newest Go if by several; None if there is none."""
    found: list[tuple[list[int], Built]] = []
    for path in folder().glob(f"go*/{engine.name}"):
        by = _GO_FOLDER.fullmatch(path.parent.name)
        if by is not None and path.is_file() and os.access(path, os.X_OK):
            found.append(([int(part) for part in by[1].split(".")], Built(engine, path, by[1])))
    return max(found, key=lambda one: one[0])[1] if found else None


def check(engine: Engine, program: Path) -> str:
    """The version of a program that is to be this engine, if Hansa works with it.

    Raises `HansaError` `engine.binary`, `engine.version`.
    """
    version = _reported(engine, program)
    if version == engine.version:
        return version
    found, least = _VERSION.fullmatch(version), _VERSION.fullmatch(engine.version)
    if found is None or least is None or found.group(1, 2) != least.group(1, 2) or int(found[3]) < int(least[3]):
        later = "" if least is None else f" and later {'.'.join(least.group(1, 2))}"
        told = f"{program} is {engine.name} {version}; Hansa works with {engine.version}{later}"
        raise HansaError("engine.version", told)
    return version


def cache() -> Path:
    """Where engines are kept: HANSA_ENGINES, or `hansa/engines` where this user's caches are (XDG Base Directory)."""
    if named := os.environ.get("HANSA_ENGINES"):
        return Path(named).absolute()
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))  # a relative one is to be ignored
    return (base if base.is_absolute() else Path.home() / ".cache") / "hansa" / "engines"


def folder() -> Path:
    """The part of the cache for engines of just these sources, built in this way for this machine.

    In it is a folder for each version of Go. So another Hansa, or a shared home, finds no program of ours by mistake.
    """
    digest = hashlib.sha256()
    recipe = [ENVIRONMENT, [pinned(name).arguments() for name in NAMES], sys.platform, platform.machine()]
    for name in SOURCES:
        digest.update(hashlib.sha256((source() / name).read_bytes()).digest())
    digest.update(hashlib.sha256(msgspec.json.encode(recipe)).digest())
    return cache() / digest.hexdigest()[:32]


def source() -> Path:
    """The folder of `go.mod`: inside the package in the wheel, beside it in a checkout."""
    package = Path(str(resources.files("hansa")))
    inside = package / "engines"
    return inside if inside.is_dir() else package.parent.parent / "engines"


def _reported(engine: Engine, program: Path) -> str:
    """The version that a program says it has. Running it also shows that it runs here."""
    if not program.is_file() or not os.access(program, os.X_OK):
        raise HansaError("engine.binary", f"{program} is no program that this user may run")
    try:
        done = subprocess.run(  # noqa: S603 - the operator names it, or it was built here
            [program.absolute(), engine.asked],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ASKED_S,
            check=False,
        )
    except OSError as error:
        raise HansaError("engine.binary", f"{program} does not start: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise HansaError("engine.binary", f"{program} {engine.asked} gave no answer in {_ASKED_S} s") from None
    version = _BANNERS[engine.name](engine, program, done.stdout.decode(errors="replace"))
    if done.returncode != 0 or version is None:
        raise HansaError("engine.binary", f"{program} {engine.asked} does not answer as {engine.name} does")
    return version


def _of_etcd(_: Engine, __: Path, banner: str) -> str | None:
    found = re.match(r"etcd Version: (\S+)\n", banner)
    return found[1] if found else None


def _of_verifier(_: Engine, __: Path, banner: str) -> str | None:
    found = re.fullmatch(r"v(\S+)\n", banner)
    return found[1] if found else None


def _of_cometbft(engine: Engine, program: Path, banner: str) -> str | None:
    """What it was built from, since its banner may be a release behind; the banner where that is not told."""
    found = re.fullmatch(r"v?(\d+\.\d+\.\d+\S*)\n", banner)
    return found and (build_info.module_version(program, engine.module) or found[1])


_BANNERS: Final[dict[str, Callable[[Engine, Path, str], str | None]]] = {
    ETCD: _of_etcd,
    COMETBFT: _of_cometbft,
    VERIFIER: _of_verifier,
}
