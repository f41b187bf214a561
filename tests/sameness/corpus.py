"""What is run under every Python: the golden programs of contracts, and a file that is nothing but findings.

Holds no expectations: those are in `tests/contracts/golden/expected.json`, and in `findings.json`.
"""

from pathlib import Path

from tests.contracts.golden import corpus, running
from tests.contracts.world import FAST

from hansa.contracts import program
from hansa.contracts.diagnostics import ContractInvalid

BROKEN = Path(__file__).parent / "broken.txt"
"""A contract file with something wrong in each line."""
PROGRAMS = corpus.programs()


def cases() -> list[str]:
    """The names of the programs, in order."""
    return sorted([BROKEN.stem, *PROGRAMS])


def outcome(name: str) -> dict:
    """What comes of a program: what each call gave; the findings, all and the first, of the file that has them."""
    if name in PROGRAMS:
        return running.outcome(PROGRAMS[name], FAST)
    source = BROKEN.read_text(encoding="utf-8")
    return {"first": _refusal(program.load, source), "told": _refusal(program.check, source)}


def _refusal(front_end, source: str) -> list[dict]:
    """The findings for which a front end refuses a contract file."""
    try:
        front_end(source, BROKEN.stem)
    except ContractInvalid as invalid:
        return invalid.fields["findings"]
    return []
