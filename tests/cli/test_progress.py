"""What is shown while a command goes on, to somebody who looks at it."""

import io

import pytest

from hansa.cli import progress
from hansa.cli.output import Output


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("of", "shown"), [(None, "1,200 states"), (3_000, "1,200 states of 3,000")])
def test_a_count_and_a_bar(monkeypatch: pytest.MonkeyPatch, of: int | None, shown: str) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(progress, "_QUIET_S", -1)
    monkeypatch.setenv("TERM", "xterm")
    with progress.Progress(Output(json=False, quiet=False, color=False), "states") as told:
        told.tell(1_200, of)
    assert shown in terminal.getvalue()


def test_nothing_is_shown_where_nobody_looks_or_it_is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress.Progress(Output(json=True, quiet=False, color=False), "states") as told:
        monkeypatch.setattr(progress, "_QUIET_S", -1)
        told.tell(1, 2)
    monkeypatch.setattr(progress, "_QUIET_S", 1_000)
    with progress.Progress(Output(json=False, quiet=False, color=False), "states") as told:
        told.tell(1, 2)
    assert terminal.getvalue() == ""
