"""CPU time and memory of a process and all its children, from the kernel's own accounting; and that they end together.

Called by what measures a node in a process of its own.
"""

import ctypes
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Final

_LIBRARY: Final = ctypes.CDLL(None)
"""Loaded here, since between fork and exec nothing should be."""
_PR_SET_PDEATHSIG: Final = 1  # <sys/prctl.h>
_TICK = os.sysconf("SC_CLK_TCK")


def _fields(pid: int) -> list[str]:
    # The name in parentheses may hold spaces; everything counted here comes after it.
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def children(pid: int) -> list[int]:
    """The living children of a process."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, its living children and those it has waited for, in seconds."""
    try:
        fields = _fields(pid)
        below = children(pid)
    except FileNotFoundError:
        return 0.0  # it ended meanwhile; its parent has waited for it, or will
    own = sum(int(value) for value in fields[11:15]) / _TICK  # utime, stime, cutime, cstime
    return own + sum(cpu_seconds(child) for child in below)


def anonymous_mb(pid: int) -> float:
    """RssAnon of a process and its children, in MB of 10^6 bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon"))
    return own * 1024 / 1e6 + sum(anonymous_mb(child) for child in children(pid))


def end_with_parent(parent: int) -> None:
    """To be called in a child, whose parent this is: it is killed when its parent ends, however that ends (prctl(2)).

    Only Linux can be told so; elsewhere a parent that is killed leaves its child.
    """
    if sys.platform != "linux":
        return
    _LIBRARY.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # which has ended before the kernel was told
        os.kill(os.getpid(), signal.SIGKILL)


def start_node(folder: Path) -> "subprocess.Popen[str]":
    """Starts the node of a folder, which ends with this process; the first line it writes says where it listens."""
    command = [sys.executable, "-m", "hansa.cli.main", "up", "--data", str(folder), "--port", "0", "--json"]
    return subprocess.Popen(  # noqa: S603 - this command itself
        command,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=partial(end_with_parent, os.getpid()),  # noqa: PLW1509 - it makes two system calls
    )
