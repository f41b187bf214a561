"""What the tests of the store share.

The machinery of the fault suites lies in `tests/faults`, which runs as `python -m tests.faults.report`. Importlib mode
puts nothing on the path, so that package is made importable here as `faults`.
"""

import sys
from pathlib import Path
from types import ModuleType

import pytest

_FAULTS = Path(__file__).resolve().parent.parent / "faults"
if "faults" not in sys.modules:
    _package = ModuleType("faults")
    _package.__path__ = [str(_FAULTS)]
    sys.modules["faults"] = _package

from faults import workload  # noqa: E402
from hansa.store.files import Disk  # noqa: E402

LEDGER = bytes(range(32))


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def ledger_id() -> bytes:
    return LEDGER


@pytest.fixture
def scratch():
    """A folder in memory, if there is one: for tests that write much and sync often."""
    with workload.scratch() as folder:
        yield folder


@pytest.fixture
def quiet():
    """No log: what is logged here is expected."""
    with workload.quiet():
        yield
