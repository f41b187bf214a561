"""Plain values and refusals in words, as people read them: text of others made safe to show, amounts with currency."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# Results of contracts are dynamic: their type is what this module finds out.

import difflib
import re
from datetime import UTC, datetime
from typing import Any, Final

from hansa.client import money
from hansa.wire.limits import INSTANT_MAX

_HOLE: Final = re.compile(r"\{([^{}]*)\}")


def shown(text: object) -> str:
    """Text of others in one line: what would turn the line, move the cursor or hide something is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def moment(milliseconds: int) -> str:
    """A time as people read it; its milliseconds where no calendar has it."""
    if not 0 <= milliseconds <= INSTANT_MAX:
        return f"{milliseconds} ms"
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def written(value: Any) -> str:
    """A plain value as people read it: amounts with their currency, bytes as hexadecimal, maps in one line."""
    if money.is_amount(value):
        return shown(money.written(value))
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return ", ".join(f"{shown(name)}={written(item)}" for name, item in value.items())
    if isinstance(value, list):
        return "[" + ", ".join(written(item) for item in value) + "]"
    return "-" if value is None else shown(value)


def filled(result: Any) -> str:
    """The message of a refusal with its values put in; problems that it has no place for stand behind it."""
    if not isinstance(result, dict) or "message" not in result:
        return ""
    text, values = shown(result["message"]), result.get("values") or {}
    filled = _HOLE.sub(lambda hole: written(values[hole[1]]) if hole[1] in values else hole[0], text)
    problems = values.get("problems")
    if "{problems}" in text or not isinstance(problems, list):
        return filled
    return f"{filled}: " + "; ".join(_problem(problem) for problem in problems)


def hint(name: str, known: list[str]) -> str:
    """What there is instead of a name that there is not: the likeliest, or all."""
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"there {'are' if len(known) > 1 else 'is'} {', '.join(sorted(known)) or 'none'}"


def _problem(problem: Any) -> str:
    if isinstance(problem, dict) and set(problem) == {"name", "problem"}:
        return f"`{shown(problem['name'])}`: {shown(problem['problem'])}"
    return written(problem)
