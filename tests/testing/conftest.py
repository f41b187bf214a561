"""A ledger whose contracts lie in a folder of the test's own."""

from pathlib import Path

import pytest
from tests.testing import contracts

from hansa.testing import Contract, Ledger


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("JOBS", "NEXT", "SHOP", "FEES", "CARELESS"):
        (tmp_path / f"{name.lower()}.py").write_text(getattr(contracts, name))
    return tmp_path


@pytest.fixture
def ledger(folder: Path) -> Ledger:
    """A ledger with two members, of which one may all, and a user of each."""
    made = Ledger(folder=folder)
    made.member("alba", attributes=["role:clerk"])
    made.user("alba/ann", attributes=["role:checker"])
    made.member("brix", users=["bo"])
    return made


@pytest.fixture
def jobs(ledger: Ledger) -> Contract:
    """The contract with one job that brix planned, due in three days."""
    contract = ledger.deploy("jobs.py")
    contract.by("brix").plan(id="j", price="USD 2.50", due="2030-01-04T12:00:00Z")
    return contract
