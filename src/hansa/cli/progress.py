"""A count on standard error of what a command has gone through, where somebody looks at it."""

import sys
import time
from typing import Any, Final

from hansa.cli.output import Output

_QUIET_S: Final = 1.0
"""So long a command may take without a word."""


class Progress:
    """Counts things, whose name is `words`; shown once it takes long enough to wonder."""

    def __init__(self, out: Output, words: str) -> None:
        self._shown = not out.json and not out.quiet and sys.stderr.isatty()
        self._words = words
        self._begun = time.monotonic()
        self._progress: Any = None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def tell(self, count: int, of: int | None = None) -> None:
        """So many there have been, `of` so many that are known so far."""
        if self._shown and self._progress is None and time.monotonic() - self._begun > _QUIET_S:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            counted = f"{{task.completed:,}} {self._words}"
            told = [TextColumn(counted)] if of is None else [BarColumn(), TextColumn(f"{counted} of {{task.total:,}}")]
            columns = (SpinnerColumn(), *told, TimeElapsedColumn())
            self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
            self._progress.start()
            self._task = self._progress.add_task(self._words, completed=count, total=of)
        if self._progress is not None:
            self._progress.update(self._task, completed=count, total=of)
