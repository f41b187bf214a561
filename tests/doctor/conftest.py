"""Ledgers as the node's tests make them, and a machine to put faults into."""

from pathlib import Path

import pytest
from tests.node.conftest import (  # noqa: F401 - fixtures
    history,
    history_template,
    ledger,
    make_ledger,
    parts,
    play,
    template,
)

from hansa.doctor.machine import Machine

MOUNTS = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
"""


class Faulty(Machine):
    """This machine, with the kernel's files in a folder of ours and clocks that can be set."""

    def __init__(self, place: Path) -> None:
        super().__init__(place / "proc", place / "sys", place / "run")
        self.ahead_ms = 0
        self.ticks = 0.0
        self.tell("proc/self/mountinfo", MOUNTS)
        self.tell("proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable:    4000000 kB\n")
        self.tell("proc/cpuinfo", "model name\t: Some CPU\nflags\t\t: fpu sse4_2 sha_ni\n")

    @property
    def place(self) -> Path:
        return self.proc.parent

    def tell(self, name: str, text: str | None) -> None:
        """What a file of the kernel's says; None: there is none."""
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True) if text is None else path.write_text(text)

    def wall_ms(self) -> int:
        return super().wall_ms() + self.ahead_ms

    def stopwatch(self) -> float:
        return self.ticks


@pytest.fixture
def machine(tmp_path_factory) -> Faulty:
    return Faulty(tmp_path_factory.mktemp("machine"))
