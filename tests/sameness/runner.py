"""Runs the golden programs and says what came of each, as text: the same text under every Python there is.

Called by `test_versions.py` in a process of each kind, and by `pyodide_runner.mjs`. It needs the standard library and
what `hansa.contracts` needs, so that it runs where neither pip nor pytest is. To write the golden answers anew, after
reading in the difference that each change of them is meant:

    python -m tests.sameness.runner > tests/sameness/golden.json
"""

import contextlib
import json
import locale
import sys

from tests.sameness import corpus


def text() -> str:
    """All outcomes by name, in JSON. Nothing is sorted here: the order of a map is part of an outcome."""
    # Python itself asks for the character type only; programs that embed it may ask for all of the locale.
    with contextlib.suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "")
    return json.dumps({name: corpus.outcome(name) for name in corpus.cases()}, indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
