"""Runs the golden programs and says what came of each, as text: the same text under every Python there is.

Called by `test_versions.py` in a process of each kind, and by `pyodide_runner.mjs`. It needs the standard library and
what `hansa.contracts` needs, so that it runs where neither pip nor pytest is. To write the findings anew, after reading
in the difference that each change of them is meant:

    python -m tests.sameness.runner broken > tests/sameness/findings.json

What comes of programs that run is written by `python -m tests.contracts.golden`.
"""

import contextlib
import json
import locale
import sys

from tests.sameness import corpus


def text(names=()) -> str:
    """The outcomes of these programs, or of all, by name, in JSON; of the order of maps they have a digest."""
    # Python itself asks for the character type only; programs that embed it may ask for all of the locale.
    with contextlib.suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "")
    return dumps({name: corpus.outcome(name) for name in names or corpus.cases()})


def dumps(outcomes) -> str:
    """Outcomes by name as they are compared."""
    return json.dumps(outcomes, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text(sys.argv[1:]))
