"""All golden programs by name, `theme.program`."""

from importlib import import_module
from typing import Final

from tests.contracts.golden.program import Golden

THEMES: Final = (
    "integers", "texts", "lists", "maps", "structs", "enums", "amounts", "times", "control", "functions", "records",
    "selects", "states", "rules", "crossing", "upgrades", "limits", "prices", "examples",
)  # fmt: skip


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
