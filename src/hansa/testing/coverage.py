"""Which lines of contract files the tests of this process reached, over all their ledgers.

Begun by the pytest plugin, when somebody asks for it; ledgers made meanwhile tell it what they deploy.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from hansa.contracts.checked import Checked
from hansa.contracts.tracing import Lines, lines_of


class Covered(msgspec.Struct, frozen=True):
    """A contract file: the first lines of its statements that were reached, and those that were not, with their bodies.

    A line counts as reached if it was in any version of the file that was deployed.
    """

    file: str
    reached: list[int]
    missed: dict[int, str]


class Coverage:
    """What was reached. `lines` watches every run."""

    def __init__(self) -> None:
        self.lines = Lines()
        self._files: dict[Path, dict[bytes, Checked]] = {}

    def add(self, path: Path, file: Checked) -> None:
        """Notes a file that was deployed."""
        self._files.setdefault(path.resolve(), {})[file.digest] = file

    def covered(self) -> list[Covered]:
        """All files deployed, by path."""
        found: list[Covered] = []
        for path, versions in sorted(self._files.items()):
            known: dict[int, str] = {}
            reached: set[int] = set()
            for digest, file in versions.items():
                known |= lines_of(file)
                reached |= self.lines.reached_lines.get(digest, set())
            missed = {line: body for line, body in sorted(known.items()) if line not in reached}
            found.append(Covered(str(path), sorted(reached), missed))
        return found


def merged(parts: Iterable[Covered]) -> list[Covered]:
    """What several processes reached, by path."""
    known: dict[str, dict[int, str]] = {}
    reached: dict[str, set[int]] = {}
    for part in parts:
        known.setdefault(part.file, {}).update(part.missed)
        reached.setdefault(part.file, set()).update(part.reached)
    return [
        Covered(
            file,
            sorted(reached[file]),
            {line: body for line, body in sorted(known[file].items()) if line not in reached[file]},
        )
        for file in sorted(known)
    ]


current: Coverage | None = None
"""What ledgers tell; None where nobody asked for it."""


def begin() -> Coverage:
    """Begins to collect for all ledgers that are made from now on."""
    global current  # noqa: PLW0603 - one process, one run of pytest
    current = Coverage()
    return current
