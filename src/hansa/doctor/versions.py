"""The versions that run here: Python, and the distributions that Hansa requires."""

import platform
import re
import sys
from typing import Final

from hansa.doctor.check import Check
from hansa.doctor.machine import Machine

PYTHON_LEAST: Final = (3, 11)
PYTHON_TESTED: Final = (3, 14)
"""The newest that the tests run contracts under."""
_REQUIREMENT: Final = re.compile(r"([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*\(?([^;)]*)\)?\s*(?:;(.*))?")
_BOUND: Final = re.compile(r"(>=|<=|==|!=|~=|<|>)\s*([0-9][0-9A-Za-z.]*)")


def python(version: tuple[int, int], system: str = sys.platform, word_bits: int = 64) -> Check:
    """Whether this Python is one that Hansa is made for."""
    seen = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if version < PYTHON_LEAST or word_bits < 64:
        why = "Older versions lack what Hansa uses, and the state database maps more than 32 bits can address."
        return Check("python", "fail", seen, why, "Install a 64-bit Python 3.11 or newer, and Hansa into it.")
    if system == "darwin":
        why = "Syncs are slow there and little of the fault tests runs."
        return Check("python", "warn", seen, why, "Use macOS for development; run ledgers on Linux.")
    if version > PYTHON_TESTED:
        why = "The tests that compare what contracts give have not run with it."
        return Check("python", "warn", seen, why, f"Use Python 3.11 to {'.'.join(map(str, PYTHON_TESTED))}.")
    return Check("python", "ok", seen)


def libraries(machine: Machine) -> Check:
    """Whether every required distribution is there in a version that fits."""
    name = "libraries"
    why = "Hansa was tested with versions within these bounds; others may lack or change what it uses."
    wanted = [found for line in machine.required() if (found := _required(line)) is not None]
    if not wanted:
        fix = "Install it with `pip install hansa`, which brings what it requires."
        return Check(name, "unknown", "Hansa is not installed as a package, so what it requires is not said", why, fix)
    wrong: list[str] = []
    for distribution, bounds in wanted:
        version = machine.installed(distribution)
        if version is None:
            wrong.append(f"{distribution} is missing (needs {bounds})")
        elif not _fits(version, bounds):
            wrong.append(f"{distribution} is {version} (needs {bounds})")
    if wrong:
        fix = "`pip install --upgrade --force-reinstall hansa` in the same environment."
        return Check(name, "fail", "; ".join(wrong), why, fix)
    return Check(name, "ok", f"all {len(wanted)} required libraries are within their bounds")


def _required(line: str) -> tuple[str, str] | None:
    """The name and bounds of a requirement of the base install (PEP 508); None for one of an extra."""
    found = _REQUIREMENT.fullmatch(line.strip())
    if found is None or "extra" in (found[3] or ""):
        return None
    return found[1], found[2].strip()


def _fits(version: str, bounds: str) -> bool:
    """Whether a release lies within bounds (PEP 440); pre-releases count as their release."""
    have = _numbers(version)
    for operator, text in _BOUND.findall(bounds):
        want = _numbers(text)
        width = max(len(have), len(want))
        left, right = (n + (0,) * (width - len(n)) for n in (have, want))
        holds = {
            ">=": left >= right, "<=": left <= right, "==": left == right, "!=": left != right, "<": left < right,
            ">": left > right, "~=": left >= right and left[: len(want) - 1] == right[: len(want) - 1],
        }  # fmt: skip
        if not holds[operator]:
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    """The release part of a version as numbers."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
