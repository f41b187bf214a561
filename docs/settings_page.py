"""Makes the page of settings: what can be set, and every limit in the source with its value, unit and reason.

A limit is a constant of a module of `hansa` whose name ends as `_LIMIT` says; what is told of it is the text under it
in the source, or the comment behind it. So a new one is on the page when it is in the source, and one without a reason
fails the tests.
"""

import ast
import importlib
import re
from pathlib import Path
from typing import Final, cast

import click
import msgspec

import hansa
from hansa.cli.main import cli
from hansa.wire.genesis import Limits

SOURCE: Final = Path(hansa.__file__).parent
_LIMIT: Final = re.compile(r"^_?[A-Z][A-Z0-9_]*_(MAX|MIN|DEFAULT|MS|S)$")
_ELSEWHERE: Final = ("contracts/prices.py", "contracts/specification/")
"""What the page of the dialect lists, and its definition."""
_UNITS: Final = {
    "BYTES": "bytes",
    "CHARS": "characters",
    "MS": "ms",
    "S": "s",
    "STEPS": "steps",
    "ENTRIES": "entries",
    "ROWS": "rows",
    "RECORDS": "records",
}

ENVIRONMENT: Final = {
    "HANSA_DATA": "The data folder of commands that are given none with `--data`. Default: `hansa-data`.",
    "HANSA_LEDGER": "The ledger's id, as `--ledger` gives it.",
    "HANSA_READER": "The key to read with at https, as `--reader` gives it.",
    "HANSA_CERTIFICATES": "The authorities at https, as `--certificates` gives them.",
    "HANSA_ENGINES": "Where `hansa engines build` keeps the engines. Default: `hansa/engines` among the caches.",
    "XDG_CACHE_HOME": "The folder of this user's caches, if it is absolute. Default: `~/.cache`.",
    "NO_COLOR": "If it is set and not empty, no colours, as with `--no-color` (see <https://no-color.org>).",
}
"""The variables that this program reads itself."""

LEDGER: Final = {
    "block_entries": "Transactions of one block.",
    "block_bytes": "Envelopes of one block together, in bytes.",
    "block_steps": "The sum of what the transactions of a block may take.",
    "transaction_bytes": "The envelope of one transaction.",
    "transaction_steps": "What one transaction may take.",
    "scheduled_entries": "What ledger time takes in one block besides.",
    "scheduled_steps": "What each of these may take.",
}
"""The fields of `hansa.wire.genesis.Limits`."""


class Limit(msgspec.Struct, frozen=True):
    """A limit: where it stands, its value as shown, and why it is there (empty: nobody says)."""

    module: str
    name: str
    value: str
    unit: str
    why: str


def page() -> str:
    """The page."""
    lines = [
        "# Settings and limits",
        "",
        "There is little to set. A ledger's own limits are decided when it is made and stand in its genesis, since",
        "every node must hold the same; everything else is a constant, because a limit that differs between machines",
        "is a fault that only some of them have.",
        "",
        "This page is made from the code by `make docs`.",
        "",
        "## Environment",
        "",
        "| Variable | Meaning |",
        "|---|---|",
        *(f"| `{name}` | {meaning} |" for name, meaning in ENVIRONMENT.items()),
        "",
        "With `hansa up --isolate` the process that runs contracts gets only `PATH`, the paths of libraries,",
        "`VIRTUAL_ENV`, and what begins with `PYTHON`: the rest may hold secrets.",
        "",
        "## Options of `hansa up`",
        "",
        *_options(),
        "",
        "## Limits of a ledger",
        "",
        "They stand in its genesis. `hansa up` makes ledgers with the defaults.",
        "",
        *_ledger(),
        "",
        "## Limits",
        "",
        "What a contract may declare and what it pays is listed with [the dialect](dialect.md#prices-and-bounds).",
    ]
    rooms: dict[str, list[Limit]] = {}
    for limit in limits():
        rooms.setdefault(limit.module.split(".")[1], []).append(limit)
    for room, found in rooms.items():
        lines += ["", f"### `{room}`", "", "| Limit | Value | Why |", "|---|---|---|"]
        lines += [f"| `{f.module.split('.', 2)[2]}.{f.name}` | {f.value} {f.unit} | {f.why} |" for f in found]
    return "\n".join(lines) + "\n"


def _options() -> list[str]:
    command = cli.get_command(click.Context(cli), "up")
    assert command is not None
    lines = ["| Option | Default | Meaning |", "|---|---|---|"]
    for option in command.params:
        if isinstance(option, click.Option):
            default = "off" if option.is_flag else default_of(option)
            lines.append(f"| `{option.opts[0]}` | {default} | {option.help} |")
    return lines


def default_of(option: click.Option) -> str:
    """What an option is where nobody gives it, as code; nothing where it then is not there at all."""
    given = option.to_info_dict()["default"]  # which has no word of click's own for none
    return "" if given is None else f"`{given}`"


def _ledger() -> list[str]:
    schema = msgspec.json.schema(Limits)["$defs"]["Limits"]["properties"]
    lines = ["| Limit | Default | From | To | Meaning |", "|---|---|---|---|---|"]
    for name, told in schema.items():
        numbers = (f"{told[key]:,}" for key in ("default", "minimum", "maximum"))
        lines.append(f"| `{name}` | {' | '.join(numbers)} | {LEDGER[name]} |")
    return lines


def limits() -> list[Limit]:
    """All limits of the source, room by room."""
    found: list[Limit] = []
    for file in sorted(SOURCE.rglob("*.py")):
        path = file.relative_to(SOURCE).as_posix()
        named = [] if path.startswith(_ELSEWHERE) else _named(file)
        if named:
            module = ".".join(("hansa", *file.relative_to(SOURCE).with_suffix("").parts))
            loaded = importlib.import_module(module)
            for name, why in named:
                if numbers := _numbers(getattr(loaded, name)):
                    shown = ", ".join(f"{number:,}" for number in numbers)
                    found.append(Limit(module, name, shown, _unit(name), why))
    return found


def _named(file: Path) -> list[tuple[str, str]]:
    """The names of the limits in a file, each with the text under it or the comment behind it."""
    source = file.read_text("utf-8")
    lines = source.split("\n")
    body = ast.parse(source).body
    found: list[tuple[str, str]] = []
    for node, after in zip(body, [*body[1:], ast.Pass()], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and _LIMIT.match(node.target.id):
            _, _, told = lines[(node.end_lineno or node.lineno) - 1].partition("  # ")
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                told = " ".join(str(after.value.value).split())
            found.append((node.target.id, told))
    return found


def _numbers(value: object) -> list[int | float]:
    """The numbers of a limit; none where a name only ends like one, such as a table of units."""
    found = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
    numbers = [each for each in found if isinstance(each, int | float)]
    return numbers if len(numbers) == len(found) else []


def _unit(name: str) -> str:
    """The unit that a name says; that of a rate is what stands below the line."""
    counted, is_rate, per = name.strip("_").partition("_PER_")
    unit = next((_UNITS[word] for word in reversed(counted.split("_")) if word in _UNITS), "")
    return f"{unit} per {_UNITS.get(per, per.lower())}".strip() if is_rate else unit
