"""What a call on a test's ledger gives: the entry's outcome, or why the rules refused it."""

from pathlib import Path
from typing import Any, Literal

import msgspec


class Event(msgspec.Struct, frozen=True):
    """An event that an entry emitted, and the contract that did: the one called, or one that this called."""

    seq: int
    contract: str
    name: str
    data: dict[str, Any]


class Failure(msgspec.Struct, frozen=True):
    """Why an entry is refused: the rule's text with holes and the values for them, and the line that refused.

    `message` is the text with the values put in, as people read them.
    `file` and `source` are those of the line where they are known; `line` is None where no body ran.
    """

    text: str
    values: dict[str, Any]
    contract: str
    file: Path | None
    line: int | None
    source: str
    message: str


class Answer(msgspec.Struct, frozen=True):
    """An entry's outcome, and the contract that it called.

    `time` is its ledger time in ms, `steps` those charged; `failure` says why it is refused.
    """

    id: bytes
    seq: int
    contract: str
    status: Literal["applied", "refused"]
    code: str
    result: Any
    events: list[Event]
    steps: int
    time: int
    failure: Failure | None = None

    def event(self, name: str) -> dict[str, Any]:
        """The data of its one event of this name. Raises LookupError if there is none, or more than one."""
        found = [event.data for event in self.events if event.name == name]
        if len(found) != 1:
            names = ", ".join(event.name for event in self.events) or "none"
            raise LookupError(f"{len(found)} events are called {name!r}; there are: {names}")
        return found[0]


class Refused(Exception):
    """The rules refused a call. `code` is stable, `message` in words, `line` that of the contract's file, if one."""

    def __init__(self, answer: Answer, failure: Failure) -> None:
        self.answer = answer
        self.failure = failure
        self.code = answer.code
        self.message = failure.message
        self.values = failure.values
        self.line = failure.line
        where = (
            "" if failure.line is None else f"\n  {failure.file or failure.contract}:{failure.line}: {failure.source}"
        )
        more = "; `by(..., steps_max=...)` allows more" if self.code == "steps.exceeded" and answer.seq >= 0 else ""
        super().__init__(f"{self.message}{more} [{self.code}]{where}")
