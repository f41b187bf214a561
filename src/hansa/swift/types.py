"""Which fields a message of a type has, in which order, and what they say together."""

from typing import Final

import msgspec

from hansa.swift import formats, message
from hansa.swift.message import Field, Message, Problem


class Row(msgspec.Struct, frozen=True):
    """A place in a type: one field by any of these tags."""

    tags: tuple[str, ...]
    required: bool


def _rows(text: str) -> tuple[Row, ...]:
    """`20! 23 52A|52D!` is a field that must be there, one that may, and one of two that must."""
    return tuple(Row(tuple(word.rstrip("!").split("|")), word.endswith("!")) for word in text.split())


TYPES: Final = {
    "760": _rows(
        "15A! 27! 22A! 72Z 23X 15B! 20! 30! 22D! 40C! 23B! 31E 35G 50 51 52A|52D! 59A|59! 56A|56D 23 57A|57D 32B! 39F "
        "41F|41G 71D 45C 77U! 49 58A|58D 44J 23F 78 26E 31S 48B 48D 39E 45L 24E 24G"
    ),
    "765": _rows("20! 21! 23 52A|52D! 59A|59 31L 22G! 32B! 78 49A 77 31E 31R 56A|56B|56D 57A|57B|57D 72Z 23X"),
    "768": _rows("20! 21! 25 30! 32B|32D 57A|57B|57D 71D 72Z 23X"),
}
"""By number. Of MT 760 sequences A and B alone: a message with a sequence C is refused."""


def read(data: bytes) -> Message:
    """A message that is right by its form, the formats and codes of its fields, and the rules of `_together`.

    Raises `HansaError` with the problems found, each with its field and line: `swift.form`, `swift.type` for a type
    that is not known here, `swift.fields`.
    """
    found = message.read(data)
    rows = TYPES.get(found.type)
    if rows is None:
        known = ", ".join(f"MT {number}" for number in TYPES)
        raise message.refusal("swift.type", [Problem("", 1, f"it is an MT {found.type}; known are {known}")])
    problems = _order(found, rows) + _values(found) + _together(found)
    if problems:
        raise message.refusal("swift.fields", problems)
    return found


def _order(found: Message, rows: tuple[Row, ...]) -> list[Problem]:
    """Fields that are missing, not of the type, out of their order, or there twice."""
    place = {tag: number for number, row in enumerate(rows) for tag in row.tags}
    problems: list[Problem] = []
    seen: dict[int, Field] = {}
    last = -1
    for field in found.fields:
        number = place.get(field.tag)
        if number is None:
            problems.append(Problem(field.tag, field.line, f"it is no field of an MT {found.type} here"))
        elif number in seen:
            problems.append(Problem(field.tag, field.line, f"it stands in line {seen[number].line} already"))
        else:
            seen[number] = field
            if number < last:
                problems.append(Problem(field.tag, field.line, f"it comes before {'|'.join(rows[last].tags)}"))
            last = max(last, number)
    end = found.fields[-1].line + found.fields[-1].value.count("\n") + 1 if found.fields else 1
    for number, row in enumerate(rows):
        if row.required and number not in seen:
            line = min((field.line for at, field in seen.items() if at > number), default=end)
            problems.append(Problem(row.tags[-1], line, "it is missing: it must stand before this line"))
    return problems


def _values(found: Message) -> list[Problem]:
    """Fields whose value is not of their format."""
    checked = [
        (field, formats.FORMATS[field.tag](field.value)) for field in found.fields if field.tag in formats.FORMATS
    ]
    return [Problem(field.tag, field.line, problem) for field, problem in checked if problem]


def _together(found: Message) -> list[Problem]:
    """What fields say of each other: expiry by its type, what needs another field, and dates in their order."""
    by_tag = {field.tag: field for field in found.fields}
    problems: list[Problem] = []
    if found.type == "760":
        problems += _of_an_issue(by_tag)
    for earlier, later in (("30", "31E"), ("31E", "31S")):
        if earlier in by_tag and later in by_tag:
            first, second = by_tag[earlier], by_tag[later]
            if _in_order(second.value) < _in_order(first.value):  # also where one of them is no day there is
                told = f"{second.value[:6]!a} is before {first.value[:6]!a}, field {earlier}"
                problems.append(Problem(later, second.line, told))
    return problems


def _of_an_issue(by_tag: dict[str, Field]) -> list[Problem]:
    problems: list[Problem] = []
    whole = by_tag.get("27")
    if whole is not None and whole.value != "1/1" and not formats.FORMATS["27"](whole.value):
        problems.append(Problem("27", whole.line, "it is a part: its other parts, MT 761, are not read here"))
    kind = by_tag.get("23B")
    if kind is not None:
        if kind.value == "FIXD" and "31E" not in by_tag:
            problems.append(Problem("31E", kind.line, "an expiry of type FIXD has a date"))
        if kind.value == "COND" and "35G" not in by_tag:
            problems.append(Problem("35G", kind.line, "an expiry of type COND has a condition"))
        if kind.value == "OPEN" and "31E" in by_tag:
            problems.append(Problem("31E", by_tag["31E"].line, "an expiry of type OPEN has no date"))
    confirm = by_tag.get("49")
    if confirm is not None and confirm.value in ("CONFIRM", "MAY ADD") and not {"58A", "58D"} & by_tag.keys():
        problems.append(Problem("58A", confirm.line, f"with {confirm.value} there is a bank asked to confirm"))
    if "23F" not in by_tag:
        problems += [
            Problem(tag, by_tag[tag].line, "it belongs to an extension, and there is no field 23F")
            for tag in ("78", "26E", "31S")
            if tag in by_tag
        ]
    return problems


def _in_order(value: str) -> str:
    """A text that sorts as the dates do: years of two digits turn at `formats.YEAR_TURN`."""
    return ("1" if value[:2] >= str(formats.YEAR_TURN) else "2") + value
