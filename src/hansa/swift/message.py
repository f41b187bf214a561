"""The form of a message: blocks in braces, and in block 4 fields in lines. What fields say is for `types`."""

import re
from typing import Final

import msgspec

from hansa.wire.problems import HansaError

MESSAGE_BYTES_MAX: Final = 10_000
"""A FIN message's largest length, in characters."""

_BLOCKS: Final = re.compile(
    r"\{1:(?P<basic>[^{}\r\n]*)\}"
    r"\{2:(?P<application>[^{}\r\n]*)\}"
    r"(?:\{3:(?P<user>(?:\{[0-9]{3}:[^{}\r\n]*\})+)\})?"
    r"\{4:\r\n(?P<text>.*?)\r\n-\}"
    r"(?:\{5:(?P<trailer>(?:\{[A-Z]{3}:[^{}\r\n]*\})+)\})?",
    re.DOTALL,
)
_BASIC: Final = re.compile(r"F01[A-Z]{6}[A-Z0-9]{2}[A-Z0-9][A-Z0-9]{3}[0-9]{10}")
_INPUT: Final = re.compile(r"I(?P<type>[0-9]{3})[A-Z]{6}[A-Z0-9]{2}[A-Z0-9][A-Z0-9]{3}[SUN][123]?(?:[0-9]{3})?")
_OUTPUT: Final = re.compile(
    r"O(?P<type>[0-9]{3})[0-9]{10}[A-Z]{6}[A-Z0-9]{2}[A-Z0-9][A-Z0-9]{3}[0-9]{10}[0-9]{10}[SUN]"
)
_FIELD: Final = re.compile(r":(?P<tag>[0-9]{2}[A-Z]?):(?P<value>.*)")
_TRAILERS: Final = re.compile(r"\{(CHK|MAC|PAC):([^{}]*)\}")
_HEX_DIGITS: Final = {"CHK": 12, "MAC": 8, "PAC": 8}
_SHOWN_CHARS: Final = 40
_TEXT_LINE: Final = 2
"""The line of a file in which the first field stands."""


class Problem(msgspec.Struct, frozen=True):
    """What is wrong, where: the field's tag (empty if it is no field's) and the line of the file, from 1."""

    field: str
    line: int
    problem: str

    def __str__(self) -> str:
        of = f", field {self.field}" if self.field else ""
        return f"line {self.line}{of}: {self.problem}"


class Field(msgspec.Struct, frozen=True):
    """A field of block 4. `value` has its lines with CRLF between them; `line` is that of its first in the file."""

    tag: str
    value: str
    line: int


class Message(msgspec.Struct, frozen=True):
    """A message by its blocks; `user` and `trailer` are blocks 3 and 5, None where there is none."""

    basic: str
    application: str
    fields: tuple[Field, ...]
    user: str | None = None
    trailer: str | None = None

    @property
    def type(self) -> str:
        """The number of its type, such as 760."""
        return self.application[1:4]

    @property
    def sender(self) -> str:
        """The BIC of the terminal that it came from, by block 1 of what was put in."""
        return self.basic[3:11] + self.basic[12:15]

    def get(self, tag: str) -> str:
        """The value of a field, empty if it is not there."""
        return next((field.value for field in self.fields if field.tag == tag), "")


def refusal(code: str, problems: list[Problem]) -> HansaError:
    """The refusal of a message for these problems, in the order of lines."""
    found = sorted(problems, key=lambda problem: problem.line)
    told = [str(problem) for problem in found]
    return HansaError(code, "; ".join(told), problems=told, findings=[msgspec.structs.asdict(one) for one in found])


def read(data: bytes) -> Message:
    """A message by its form alone. Raises `HansaError` `swift.form` with every problem found."""
    if len(data) > MESSAGE_BYTES_MAX:
        raise refusal("swift.form", [Problem("", 1, f"{len(data)} bytes; a message has at most {MESSAGE_BYTES_MAX}")])
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise refusal("swift.form", [Problem("", line, f"byte {error.start} is not ASCII")]) from None
    found = _BLOCKS.fullmatch(text)
    if found is None:
        raise refusal("swift.form", [_broken(text)])
    problems: list[Problem] = []
    if not _BASIC.fullmatch(found["basic"]):
        problems.append(Problem("", 1, "block 1 is not F01, a terminal of 12 characters, and 10 digits"))
    if not (_INPUT.fullmatch(found["application"]) or _OUTPUT.fullmatch(found["application"])):
        problems.append(Problem("", 1, "block 2 is neither that of an input nor of an output message"))
    for tag, value in _TRAILERS.findall(found["trailer"] or ""):
        if not re.fullmatch("[0-9A-F]*", value) or len(value) != _HEX_DIGITS[tag]:
            problems.append(Problem("", text.count("\n") + 1, f"{tag} in block 5 has {_HEX_DIGITS[tag]} digits 0 to F"))
    fields = _fields(found["text"], problems)
    if problems:
        raise refusal("swift.form", problems)
    return Message(found["basic"], found["application"], tuple(fields), found["user"], found["trailer"])


def write(message: Message) -> bytes:
    """The message's bytes."""
    user = "" if message.user is None else f"{{3:{message.user}}}"
    trailer = "" if message.trailer is None else f"{{5:{message.trailer}}}"
    text = "\r\n".join(f":{field.tag}:{field.value}" for field in message.fields)
    head = f"{{1:{message.basic}}}{{2:{message.application}}}{user}"
    return f"{head}{{4:\r\n{text}\r\n-}}{trailer}".encode("ascii")


def _fields(text: str, problems: list[Problem]) -> list[Field]:
    fields: list[Field] = []
    for number, line in enumerate(text.split("\r\n"), _TEXT_LINE):
        found = _FIELD.fullmatch(line)
        if "\r" in line or "\n" in line:
            problems.append(Problem("", number, "a line ends with CR and LF, both"))
        elif found is not None:
            fields.append(Field(found["tag"], found["value"], number))
        elif not fields:
            problems.append(Problem("", number, "block 4 begins with a field, such as :20:"))
        elif not line or line[0] in ":-":
            problems.append(
                Problem(fields[-1].tag, number, "a line of a field has text, and begins with neither : nor -")
            )
        else:
            last = fields[-1]
            fields[-1] = Field(last.tag, f"{last.value}\r\n{line}", last.line)
    return fields


def _broken(text: str) -> Problem:
    """What keeps a text from being blocks, as well as can be told."""
    if "\r\n" not in text:
        return Problem("", 1, "lines end with CR and LF")
    if not text.startswith("{1:"):
        return Problem("", 1, "a message begins with block 1: {1:")
    for block in ("{2:", "{4:\r\n"):
        if block not in text:
            return Problem("", 1, f"there is no block {block.strip()}")
    if "\r\n-}" not in text:
        return Problem("", text.count("\n") + 1, "block 4 does not end with -} on a line of its own")
    end = text.index("\r\n-}") + len("\r\n-}")
    if not text[end:] or text[end:].startswith("{5:"):
        return Problem("", 1, "the blocks in the first or last line are not in their form")
    return Problem("", text[:end].count("\n") + 1, f"behind block 4 stands {text[end : end + _SHOWN_CHARS]!a}")
