"""Sets the digest of the library `governance` right in every constitution: `python -m tests.constitutions.pin`.

A test compares, so that no constitution is shipped that pins another library than the one beside it.
"""

import hashlib
import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "apps" / "constitutions"
BROKEN = Path(__file__).parent / "broken"
LIBRARY = FOLDER / "governance.py"
_PIN = re.compile(r'library\("governance", "[^"]*"\)')


def files() -> list[Path]:
    """Every constitution of the project, those of the tests too."""
    return sorted({*FOLDER.glob("*.py"), *BROKEN.glob("*.py")} - {LIBRARY})


def pinned(text: str) -> str:
    """The text of a constitution with the digest that the library has now."""
    return _PIN.sub(f'library("governance", "{hashlib.sha256(LIBRARY.read_bytes()).hexdigest()}")', text)


if __name__ == "__main__":
    for file in files():
        file.write_text(pinned(file.read_text("utf-8")), "utf-8")
