"""How commands speak: text for people on stdout, one JSON document for machines, errors in two lines on stderr.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 unhealthy, 4 refused by the rules of the ledger.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# Results of contracts are dynamic: their type is what this module finds out.

import contextlib
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from hansa.client import words
from hansa.wire import jsonform
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from pathlib import Path

filled, moment, shown, written = words.filled, words.moment, words.shown, words.written

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
UNHEALTHY: Final = 3
REFUSED: Final = 4

_USAGE_CODES: Final = (
    "argument.",
    "query.",
    "request.",
    "contract.missing",
    "contract.name",
    "calendar.file",
    "events.id",
    "forward.url",
)
_HINTS: Final = {
    "answer.late": "Ask for it by its id: `hansa tx show ID`.",
    "answer.unproven": (
        "`hansa receipt get SEQ --out FILE` asks for it again. If none comes that verifies, rely on nothing that the "
        "node says. To call again could have the effect twice."
    ),
    "contract.missing": "`hansa contract show` lists those deployed.",
    "events.full": "Stop one that is not needed, or wait a moment and run the command again.",
    "query.cursor": "Give --after the value that the page before told, with the same options as there.",
    "query.index": "Ask by key, or with --index and one of the indexed fields; `hansa contract show` lists them.",
    "query.range": "Give --index FIELD=VALUE alone, or --index FIELD with --least and --most.",
    "query.value": "`hansa contract show CONTRACT` shows what kind of value the field holds.",
    "queue.full": "Wait a moment and run the command again.",
    "queue.share": "Wait a moment and run the command again.",
    "record.unknown": "Check the key; `hansa query CONTRACT RECORD` shows those there are.",
    "request.form": "`hansa COMMAND --help` shows what fits.",
    "request.host": "Give the URL that `hansa up` printed.",
    "request.method": "Run the version of Hansa that the node has.",
    "request.path": "Check the names; `hansa contract show` lists what there is.",
    "request.query": "`hansa COMMAND --help` shows what fits.",
    "sender.algorithm": "Sign with the key that is registered: --as NAME or --key FILE.",
    "sender.unknown": "Sign with a key that is registered on this ledger: --as NAME or --key FILE.",
    "signature.invalid": "Sign with the right key: --as NAME or --key FILE.",
    "node.stopping": "Run the command again in a moment, when the node is up again.",
    "steps.limit": "Give a smaller number with --steps.",
    "transaction.ledger": "Give the folder or the URL of the ledger that the key is for.",
    "transaction.expired": "Look at this machine's clock, then run the command again; this one has no effect.",
    "transaction.too_far": "Look at this machine's clock and the node's: they differ.",
    "view.refused": "Mend what it says; `hansa contract show CONTRACT` shows what the view takes.",
}
"""What to do in words of the command line, where a problem's own remedy is one for HTTP."""
_NUMBER: Final = re.compile(r"\[Errno -?\d+\] ")
"""How the system counts its errors: the words behind it say the same."""


class Output:
    """Where a command's words go. One for each run, in click's context."""

    def __init__(self, *, json: bool, quiet: bool, color: bool) -> None:
        self.json = json
        self.quiet = quiet
        self.color = color

    def show(self, value: Any, text: Callable[[], str] | str) -> None:
        """The command's result: `value` for machines, `text` for people."""
        if self.json:
            _write_json(value)
        else:
            self.say(text() if callable(text) else text)

    def say(self, text: str = "") -> None:
        """Words for people; none of them with --json."""
        if not self.json:
            click.echo(text, color=self.color)

    def note(self, text: str) -> None:
        """What is good to know, on stderr."""
        if not self.json and not self.quiet:
            to_stderr(f"{text}\n", color=self.color)

    def style(self, text: str, **styles: Any) -> str:
        """Text with colour, where colour is shown."""
        return click.style(text, **styles) if self.color else text

    def caution(self, text: str) -> None:
        """What must not be overlooked, on stderr also with --quiet; with --json it stands in the result."""
        if not self.json:
            self.complain("caution:", "yellow", text)

    def error(self, error: HansaError) -> None:
        """A failure: what happened, and what to do about it."""
        remedy = _HINTS.get(error.code, error.remedy) if error.remedy == error.kind.remedy else error.remedy
        if self.json:
            problem = {**error.problem(), "remedy": remedy}
            _write_json({"error": problem})
            return
        problems = error.fields.get("problems")
        if isinstance(problems, list) and len(problems) > 1:
            self.complain("error:", "red", f"{error.kind.title} [{error.code}]")
            for problem in problems:
                to_stderr(f"  - {shown(problem)}\n")
        else:
            self.complain("error:", "red", f"{shown(_NUMBER.sub('', error.detail))} [{error.code}]")
        self.complain("hint:", "yellow", shown(remedy))

    def complain(self, label: str, color: str, text: str) -> None:
        """A labelled line on stderr."""
        to_stderr(f"{self.style(label, fg=color)} {text}\n", color=self.color)


def _write_json(value: Any) -> None:
    """One JSON document on a line. What could steer a terminal, or hide there, it gets in JSON's escapes."""
    text = jsonform.dumps(value).decode()
    if sys.stdout.isatty() and not text.isprintable():
        text = "".join(one if one.isprintable() else _escaped(one) for one in text)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _escaped(one: str) -> str:
    """A character as RFC 8259 section 7 writes it: one or two escapes of UTF-16."""
    units = one.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def exit_code(error: HansaError) -> int:
    """The exit code for a failure."""
    return USAGE if error.code.startswith(_USAGE_CODES) else FAILED


def defect(error: BaseException, code: str = "node.defect", what: str = "") -> HansaError:
    """An unexpected failure, of `what`: the trace goes into a file, never before a user."""
    descriptor, path = tempfile.mkstemp(prefix="hansa-defect-", suffix=".txt")
    with os.fdopen(descriptor, "w") as file:
        traceback.print_exception(error, file=file)
    return HansaError(code, f"{what}{type(error).__name__}; the details are in {path}")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as they need to be."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    out = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    out.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(out)


def log_to_stderr() -> None:
    """Sends the log of a ledger that this process opens where it cannot stand in a result."""
    from hansa.cli import log

    log.to_stderr("plain")


def to_stderr(text: str, *, color: bool | None = None) -> None:
    """Writes to standard error. What it does not take (on a full disk, say) is lost: words must stop no ledger."""
    with contextlib.suppress(OSError):
        click.echo(text, err=True, color=color, nl=False)


def read_file(path: "Path", most: int = -1) -> bytes:
    """A file's bytes, the first `most` of them if that is given. Raises `HansaError` `argument.file`."""
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise HansaError("argument.file", f"{path}: {error.strerror}") from None


def check_writable(path: "Path", *, replace: bool, remedy: str = "") -> None:
    """Refuses early what cannot be written, before a command does what cannot be undone.

    `remedy` is for commands that replace nothing: they have no --force.
    """
    if path.is_file() and not replace:
        raise HansaError("argument.exists", f"{path} exists", remedy=remedy)
    if path.is_dir() or not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise HansaError("argument.file", f"{path} cannot be written")


def write_file(path: "Path", data: bytes) -> None:
    """Writes a result. Raises `HansaError` `argument.file`."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise HansaError("argument.file", f"{path}: {error.strerror}") from None


def replace_file(path: "Path", data: bytes) -> None:
    """Puts a file in the place of another, whole or not at all. Raises `HansaError` `argument.file`."""
    target = path.resolve()
    new = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(target)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise HansaError("argument.file", f"{path}: {error.strerror}") from None


def key_text(encoded: bytes) -> str:
    """A record's key, of which nobody says the type, from its encoding: text where it can be, else hexadecimal."""
    try:
        found = encoded.decode()
    except UnicodeDecodeError:
        return encoded.hex()
    return found if found.isprintable() else encoded.hex()


def place(result: Any, called: str | None) -> str | None:
    """Where in which contract a refusal arose; None where that says no more than which one was `called`."""
    if not isinstance(result, dict) or "contract" not in result:
        return None
    line = result.get("line")
    if line is None and result["contract"] == called:
        return None
    of = shown(f"{result['contract']} {result.get('version', '')}".rstrip())
    return of if line is None else f"{of}, line {line}"
