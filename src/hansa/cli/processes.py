"""The processes of nodes: each is `hansa up` over one folder, detached from whoever starts it, its log in the folder.

Which process runs over a folder, its lock says: it holds as long as that process lives, whatever became of it since.
"""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from hansa.cli.output import Output
from hansa.store.files import FILE_MODE
from hansa.store.folder import Folder, is_locked
from hansa.wire.problems import HansaError

LOG: Final = "node.log"
"""In a node's folder: what `hansa up` writes, its errors too, one JSON document a line."""
LOG_BYTES_MAX: Final = 16 * 1024 * 1024
"""A log that is longer at a start is put aside as `node.log.1`, in the place of the one before."""
LOOK_S: Final = 0.1
"""How often is looked what became of processes."""
_STOP_S: Final = 30
"""How long `stop` waits for processes to end."""
_TAIL_BYTES: Final = 64 * 1024


class Found(msgspec.Struct, frozen=True):
    """The process over a folder; `url` is None while it takes no requests yet."""

    pid: int
    url: str | None


def start(folder: Folder, options: Iterable[str] = ()) -> int:
    """Starts the node of a folder in a session of its own; its process id. The process lives on without this one."""
    path = folder.root / LOG
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        path.replace(path.with_name(f"{LOG}.1"))
    words = [sys.executable, "-m", "hansa.cli.main", "up", "--data", str(folder.root), "--json", "--log", "json"]
    log = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return os.posix_spawn(
        sys.executable,
        [*words, *options],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(path), log, FILE_MODE),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def has_ended(pid: int) -> bool:
    """Whether a process has ended, one that this one started or another."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a child that ended is there until it is asked for
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # another user's process lives too
        return False
    return False


def find(folder: Folder) -> Found | None:
    """The process over a folder; None if there is none."""
    if not is_locked(folder.lock):
        return None
    try:
        pid = int(folder.lock.read_bytes()[:32])
    except (OSError, ValueError):  # it has just ended, or just begun
        return None
    try:
        told: dict[str, Any] = json.loads(folder.node.read_bytes())
        return Found(pid, str(told["url"]) if told["pid"] == pid else None)
    except (OSError, ValueError, KeyError, TypeError):
        return Found(pid, None)


def end(pid: int) -> None:
    """Tells a process to end in order."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)


def wait_for_end(folders: Iterable[Folder], wait_s: float) -> list[Folder]:
    """Waits until the processes over these folders have ended; the folders of those that have not by then.

    A node lets its folder go a moment before it ends.
    """
    end_at = time.monotonic() + wait_s
    running = {folder: found.pid for folder in folders if (found := find(folder)) is not None}
    while running and time.monotonic() < end_at:
        time.sleep(LOOK_S)
        running = {folder: pid for folder, pid in running.items() if not has_ended(pid)}
    return list(running)


def stop(out: Output, folders: Iterable[Folder]) -> list[str]:
    """Has the nodes over these folders end in order, and waits; the names of those that ran.

    Raises `HansaError` `network.stop` with those that still do.
    """
    running: dict[str, Folder] = {}
    for folder in folders:
        found = find(folder)
        if found is not None:
            end(found.pid)
            running[folder.root.name] = folder
    if running:
        out.note(f"waiting for {', '.join(running)} to end")
    left = wait_for_end(running.values(), _STOP_S)
    if left:
        problems: list[str] = []
        for folder in left:
            found = find(folder)
            pid = "" if found is None else f" as process {found.pid}"
            problems.append(f"{folder.root.name} still runs{pid}; its log is {folder.root / LOG}")
        raise HansaError("network.stop", "; ".join(problems), problems=problems)
    return list(running)


def tail(folder: Folder, lines: int) -> list[str]:
    """The last lines of a node's log, none if it has none."""
    try:
        with (folder.root / LOG).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            found = file.read().decode(errors="replace").splitlines()
    except OSError:
        return []
    return found[-lines:] if lines else []


class _Problem(msgspec.Struct):
    code: str
    detail: str


class _LastWord(msgspec.Struct):
    error: _Problem


def last_error(folder: Folder) -> str | None:
    """Why a node did not come up, if its log ends with that; None if it ends with something else."""
    try:
        found = msgspec.json.decode("".join(tail(folder, 1)), type=_LastWord).error
    except (msgspec.DecodeError, RecursionError):
        return None
    return f"{found.detail} [{found.code}]"
