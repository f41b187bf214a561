"""The pytest plugin: fixtures that are there without an import, and a report of the lines of contracts reached.

Registered as a `pytest11` entry point, and handed to pytest by `hansa contract test`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from hansa.testing import coverage
from hansa.testing.coverage import Covered
from hansa.testing.ledger import Ledger

_REACHED: Final = "hansa-reached"
_REPORT = pytest.StashKey[tuple[coverage.Coverage, "Report"]]()


class Failed(msgspec.Struct, frozen=True):
    """A test that failed, or could not begin: its name, and the last line of why."""

    test: str
    message: str


class Report(msgspec.Struct):
    """What came of a run of pytest, and the lines of contract files that it reached."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list[Failed] = []
    files: list[Covered] = []


@pytest.fixture
def ledger(request: pytest.FixtureRequest) -> Ledger:
    """A ledger in memory for one test; `ledger.deploy("contract.py")` finds files beside the test."""
    return Ledger(folder=request.path.parent)


@pytest.fixture(scope="module")
def new_ledger(request: pytest.FixtureRequest) -> Callable[[], Ledger]:
    """Makes ledgers, where a test needs more than one: every example of `hypothesis.given` begins with its own."""
    return lambda: Ledger(folder=request.path.parent)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option by which `hansa contract test` asks for the report."""
    group = parser.getgroup("hansa", "contracts of Hansa")
    group.addoption("--hansa-report", metavar="FILE", help="write what came of the tests, and lines reached, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Begins to collect where the report is asked for."""
    if config.getoption("--hansa-report"):
        config.stash[_REPORT] = coverage.begin(), Report()
        config.pluginmanager.register(_Reporter(config))


class _Reporter:
    """Counts outcomes, and writes the report when all tests have run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config: Any = config
        self._elsewhere: list[Covered] = []
        self._collected, self._report = config.stash[_REPORT]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Counts a test once: by its call, or by what failed or skipped before or behind it."""
        if report.failed:
            self._fail(report.nodeid, report)
        elif report.skipped:
            self._report.skipped += 1
        elif report.when == "call":
            self._report.passed += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be read as tests is a failure too."""
        if report.failed:
            self._fail(report.nodeid, report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A process of pytest-xdist has ended: what its tests reached counts, too."""
        found = getattr(node, "workeroutput", {}).get(_REACHED)
        if found is not None:
            self._elsewhere += msgspec.json.decode(found, type=list[Covered])

    def pytest_sessionfinish(self) -> None:
        """Writes the report; a process of pytest-xdist hands in what it knows."""
        files = self._collected.covered()
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput[_REACHED] = msgspec.json.encode(files).decode()
            return
        self._report.files = coverage.merged([*files, *self._elsewhere])
        Path(str(self._config.getoption("--hansa-report"))).write_bytes(msgspec.json.encode(self._report))

    def _fail(self, test: str, report: pytest.TestReport | pytest.CollectReport) -> None:
        self._report.failed += 1
        lines = [line for line in report.longreprtext.splitlines() if line.startswith("E ")]
        self._report.failures.append(Failed(test, (lines[0][1:].strip() if lines else report.longreprtext[-200:])))
