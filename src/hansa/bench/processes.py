"""CPU time and memory of a process and all its children, from the kernel's own accounting."""

import os
from pathlib import Path

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
