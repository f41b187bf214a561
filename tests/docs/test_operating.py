"""The page on operating a node: its table of log events is what the code logs."""

import ast
import re
from pathlib import Path

from hansa.wire.problems import KINDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "operate-a-node.md").read_text("utf-8")
FAILURE = {"failure", "way"}
LEVELS = ("debug", "info", "warning", "error", "exception", "critical")


def logged() -> dict[tuple[str, str], set[str]]:
    """Every event that the code logs, with its level and fields."""
    found: dict[tuple[str, str], set[str]] = {}
    for file in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=level), args=args) if level in LEVELS:
                    (event,) = args
                    assert isinstance(event, ast.Constant), f"{file.name}: a log event has a constant name"
                    fields = {str(keyword.arg) for keyword in node.keywords}
                    if "exc_info" in fields or level == "exception":
                        fields = fields - {"exc_info"} | FAILURE
                    place = str(event.value), level.replace("exception", "error")
                    assert found.get(place, fields) == fields, f"{event.value} has other fields elsewhere"
                    found[place] = fields
                case _:
                    pass
    return found


def test_every_log_event_is_explained() -> None:
    rows = re.findall(r"^\| `([a-z._]+)` \| (info|warning|error) \| (.*?) \| .+ \|$", PAGE, re.MULTILINE)
    told = {(event, level): set(re.findall(r"`(\w+)`", fields)) for event, level, fields in rows}
    assert len(rows) == len(told)
    assert told == logged()


def test_the_reasons_that_are_named_are_codes() -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith("| `GET /node/ready`")]
    named = set(re.findall(r"`([a-z]+\.[a-z]+)`", row))
    assert named <= set(KINDS)
    assert "disk.full" in named
