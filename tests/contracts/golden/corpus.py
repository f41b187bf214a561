"""All golden programs by name, `theme.program`, and what comes of them."""

import json
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from tests.contracts.golden.program import Golden

THEMES: Final = (
    "integers", "texts", "lists", "maps", "structs", "enums", "amounts", "times", "control", "functions", "records",
    "selects", "states", "rules", "crossing", "upgrades", "limits", "prices", "examples",
)  # fmt: skip


EXPECTED: Final = Path(__file__).parent / "expected.json"
"""What the specification made of each."""


@cache
def expected() -> dict[str, Any]:
    """The outcomes of all programs by name, as `running.outcome` has them."""
    return json.loads(EXPECTED.read_text("utf-8"))


def programs() -> dict[str, Golden]:
    """The corpus, in the order in which it is written."""
    found: dict[str, Golden] = {}
    for theme in THEMES:
        for golden in import_module(f"tests.contracts.golden.programs.{theme}").PROGRAMS:
            name = f"{theme}.{golden.name}"
            if name in found:
                raise ValueError(f"two programs are called {name}")
            found[name] = golden
    return found
