"""The clock: whether something keeps it right, whether it was set while we looked, and how it stands to the ledger."""

from pathlib import Path
from typing import Final

from hansa.doctor.check import Check
from hansa.doctor.machine import Machine
from hansa.node.clock import AHEAD_MS_MAX, BEHIND_MS_MAX

MOVED_MS: Final = 100
"""Of the wall clock against the one that only runs, while the checks last: more is no drift, but a jump."""
_TIMESYNC: Final = Path("systemd/timesync/synchronized")
_WHY: Final = (
    f"A node seals no block while its clock is over {BEHIND_MS_MAX // 60_000} minutes behind the ledger, "
    "and deadlines fall by it."
)


def kept_right(machine: Machine) -> Check:
    """Whether the clock is synchronised with others."""
    name = "clock sync"
    found = machine.synchronised()
    if found is not None and found.is_synchronised:
        return Check(name, "ok", f"synchronised, wrong by {found.error_ms_max:,.0f} ms at most")
    if machine.text(machine.run / _TIMESYNC) is not None:
        return Check(name, "ok", "synchronised by systemd-timesyncd")
    if found is None:
        fix = "Run a time service such as chrony or systemd-timesyncd; this check asks adjtimex, which Linux has."
        return Check(name, "unknown", "the system does not say whether the clock is synchronised", _WHY, fix)
    return Check(
        name, "warn", "the kernel says that nothing synchronises the clock", _WHY,
        "Run a time service: `systemctl enable --now systemd-timesyncd`, or chrony; on a virtual machine, the host may "
        "keep it.",
    )  # fmt: skip


class Watch:
    """The clock against one that is never set, from when this is made until `check`."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._begun = self._difference()

    def check(self) -> Check:
        """Whether the clock was set meanwhile."""
        name, moved = "clock steady", self._difference() - self._begun
        if abs(moved) < MOVED_MS:
            return Check(name, "ok", f"moved by {abs(moved)} ms against the monotonic clock while this ran")
        return Check(
            name, "warn", f"it was set by {moved:,} ms while this ran",
            f"A node that runs stops sealing when its clock jumps by over {BEHIND_MS_MAX // 60_000} minutes.",
            "Let one time service keep the clock, by slewing; look for two that fight.",
        )  # fmt: skip

    def _difference(self) -> int:
        return self._machine.wall_ms() - self._machine.monotonic_ms()


def against_ledger(machine: Machine, last_block: int, last_sign: int, *, running: bool) -> Check:
    """The clock against the last block, and as at a start against the last sign of life: a block or a clean stop."""
    name, now = "clock", machine.wall_ms()
    seen = f"{abs(now - last_block) / 1000:,.0f} s {'after' if now >= last_block else 'before'} the last block"
    if now < last_block - BEHIND_MS_MAX:
        return Check(name, "fail", seen, _WHY, "Set the clock; if it is right, the ledger's last block came early.")
    if now > last_sign + AHEAD_MS_MAX and not running:
        days = AHEAD_MS_MAX // 86_400_000
        why = f"A node does not start when its clock is over {days} days ahead of the ledger's last sign of life."
        return Check(name, "warn", seen, why, "If the clock is right, start with --accept-clock; else set it.")
    return Check(name, "ok", seen)
