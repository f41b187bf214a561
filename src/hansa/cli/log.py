"""Where the log of a ledger that this process opens goes, and in which form: standard error, plain or as JSON lines.

An event of the log is a name and fields. Neither arguments nor results, keys or bodies are ever among them, and of a
failure only its type and the lines of code it came through are told: what it says of itself might hold them. The events
are explained in docs/how-to/operate-a-node.md.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, Final, TextIO, cast

import structlog

from hansa.cli import output
from hansa.wire import jsonform
from hansa.wire.problems import HansaError

FORMS: Final = ("json", "plain")
FRAMES_MAX: Final = 12
"""Of a failure's way, those nearest to it."""
_SERVER: Final = "uvicorn"
"""The library whose messages, without what is put into them, are told; others may repeat what they were given."""


def to_stderr(form: str | None = None) -> None:
    """Sends the log where it cannot stand in a result: plain at a terminal and JSON elsewhere, unless `form` says.

    Who looks on is told by the command that all is well: in the plain form there are warnings and worse alone.
    """
    plain = form == "plain" or (form is None and sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper("iso", utc=True, key="time" if not plain else "timestamp"),
            failure,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if plain else _json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if plain else logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Stderr())),
    )


def take_libraries() -> None:
    """Has what libraries log from warnings on go the same way."""
    logging.basicConfig(handlers=[_Libraries(logging.WARNING)], force=True)


def failure(_: Any, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Puts the type of a failure and its way in the place of the exception."""
    given: Any = fields.pop("exc_info", None)
    info: Any = sys.exc_info() if given is True else given
    error: Any = cast("tuple[Any, ...]", info)[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        fields["failure"] = _told(error)
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES_MAX:]
        fields["way"] = [f"{_module(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
    return fields


def _told(error: BaseException) -> str:
    from hansa.node.isolation import Defect

    if isinstance(error, Defect):
        return str(error)
    if isinstance(error, HansaError):
        return f"{error.code}: {error.detail}"
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    return type(error).__name__


def _module(path: str) -> str:
    """A file as it lies in its package; where that is on this machine is nobody's business."""
    return "/".join(path.replace("\\", "/").split("/")[-3:])


def _json(_: Any, __: str, fields: MutableMapping[str, Any]) -> str:
    first = {name: fields.pop(name) for name in ("time", "level", "event")}
    return jsonform.dumps({**first, **fields}).decode()


class _Libraries(logging.Handler):
    """Takes what libraries log."""

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        log = structlog.get_logger()
        detail = _message(record) if record.name.startswith(_SERVER) else ""
        if record.levelno >= logging.ERROR:
            log.error("library.error", library=record.name, detail=detail, exc_info=record.exc_info)
        else:
            log.warning("library.warning", library=record.name, detail=detail)


def _message(record: logging.LogRecord) -> str:
    """The message of a record; what is put into it only where that is a number, which repeats nobody's words."""
    given = record.args
    is_told = isinstance(given, tuple) and all(isinstance(one, int) for one in given)
    return (record.getMessage() if is_told else str(record.msg)).strip()


class _Stderr:
    """Standard error, as a log writes to it."""

    def write(self, text: str) -> None:
        output.to_stderr(text)

    def flush(self) -> None:
        """Nothing: what was written is out."""
