"""What a process gets on this machine: memory, open files, what the processor can do."""

import platform
from typing import Final

from hansa.doctor.check import Check
from hansa.doctor.machine import Machine

MEMORY_MB_LOW: Final = 512
MEMORY_MB_MIN: Final = 200
"""What a node with its workers takes, and something for the system."""
OPEN_FILES_LOW: Final = 1_024

_FLAGS: Final = {"flags": ("sse4_2", "sha_ni"), "Features": ("crc32", "sha2")}
"""By the name of the line in /proc/cpuinfo, on x86 and on ARM: what makes checksums and hashes fast."""


def memory(machine: Machine) -> Check:
    """Memory that can be had: the machine's, or what its control group leaves of it."""
    name, why = "memory", "A node and its workers take about 200 MB, and more with many records read at once."
    available = _available_mb(machine)
    if available is None:
        fix = "See that half a gigabyte is free; on Linux this check reads /proc/meminfo."
        return Check(name, "unknown", "the system does not say how much is available", why, fix)
    seen = f"{available:,} MB available"
    if available < MEMORY_MB_MIN:
        return Check(name, "fail", seen, why, "Stop other programs, or give the machine or the container more memory.")
    if available < MEMORY_MB_LOW:
        return Check(name, "warn", seen, why, "Give the machine or the container more memory.")
    return Check(name, "ok", seen)


def _available_mb(machine: Machine) -> int | None:
    text = machine.text(machine.proc / "meminfo") or ""
    line = next((line for line in text.splitlines() if line.startswith("MemAvailable:")), None)
    if line is None:
        return None
    available = int(line.split()[1]) * 1024
    group = machine.sys / "fs" / "cgroup"
    most, used = machine.text(group / "memory.max"), machine.text(group / "memory.current")
    if most is not None and used is not None and most.strip().isdecimal():
        available = min(available, max(0, int(most) - int(used)))
    return available // 1_000_000


def open_files(machine: Machine) -> Check:
    """How many files and connections a process may have open."""
    most = machine.open_files_max()
    seen = "any number of open files" if most is None else f"{most:,} open files at most"
    if most is not None and most < OPEN_FILES_LOW:
        why = "Each connection is an open file; a node keeps 128 for the ledger."
        return Check("open files", "warn", seen, why, "Raise the hard limit: `ulimit -Hn 16384`, or LimitNOFILE=16384.")
    return Check("open files", "ok", seen)


def processor(machine: Machine) -> Check:
    """What the processor can do by itself: without it all is right, and slower."""
    text = machine.text(machine.proc / "cpuinfo")
    fields: dict[str, str] = {}
    for line in (text or "").splitlines():
        key, colon, value = line.partition(":")
        if colon:
            fields.setdefault(key.strip(), value.strip())
    found = next(((key, wanted) for key, wanted in _FLAGS.items() if key in fields), None)
    why = "Checksums and hashes are made for every entry; without the processor's help they take several times as long."
    if found is None:
        fix = "Nothing needs mending; `hansa bench` measures what the machine does."
        return Check("processor", "unknown", "the system does not say what it can do", why, fix)
    key, wanted = found
    lacking = [flag for flag in wanted if flag not in fields[key].split()]
    seen = model(machine)
    if lacking:
        fix = "Nothing is wrong; for more speed, let the virtual machine see the host's processor (cpu=host)."
        return Check("processor", "warn", f"{seen}, without {', '.join(lacking)}", why, fix)
    return Check("processor", "ok", f"{seen}, with {', '.join(wanted)}")


def model(machine: Machine) -> str:
    """What the processor calls itself."""
    for line in (machine.text(machine.proc / "cpuinfo") or "").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine() or "an unknown processor"
