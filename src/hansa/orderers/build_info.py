"""What Go writes into every program it builds: from which modules, in which versions.

Read from the file, so that it needs no Go and believes no banner. Called by `engines`; it starts nothing.
"""

import mmap
import re
from pathlib import Path
from typing import Final

_MAGIC: Final = b"\xff Go buildinf:"
_ALIGNED: Final = 16
_INLINE: Final = 2
"""The flag of the form since Go 1.18: both texts stand behind the header, each behind its length."""
_HEADER: Final = 32
_SENTINEL: Final = 16
"""Bytes before and behind the list of modules, with which the linker marks it."""
_TEXT_MAX: Final = 1_000_000
"""Bytes of one text; the longest here has 30,000."""


def module_version(program: Path, module: str) -> str | None:
    """The version of `module` (without its `v`) that a program was built from; None if it does not say.

    A build from a checkout without a tag says `(devel)`, which is none. Raises `OSError`.
    """
    found = re.search(rf"^(?:mod|dep)\t{re.escape(module)}\tv([^\t\n]+)", _modules(program), re.MULTILINE)
    return found[1] if found else None


def _modules(program: Path) -> str:
    """The list of modules as `go version -m` shows it; empty if this is no program of Go's. See debug/buildinfo."""
    with program.open("rb") as file:
        if file.seek(0, 2) == 0:  # mmap refuses an empty file
            return ""
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            at = data.find(_MAGIC)
            while at >= 0:
                if at % _ALIGNED == 0 and data[at + 15 : at + 16] == bytes([_INLINE]):
                    _, behind = _text(data, at + _HEADER)
                    modules, _ = _text(data, behind)
                    return modules[_SENTINEL:-_SENTINEL].decode(errors="replace")
                at = data.find(_MAGIC, at + 1)
    return ""


def _text(data: mmap.mmap, at: int) -> tuple[bytes, int]:
    """The bytes whose length stands at `at` as a varint, and where they end."""
    length = shift = 0
    for byte in data[at : at + 10]:
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    length = min(length, _TEXT_MAX)
    return data[at : at + length], at + length
