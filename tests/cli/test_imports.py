"""What commands import decides what they cost: `status` must take under 300 ms of CPU, and time is not for a test."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from tests.cli.conftest import EXAMPLE

HEAVY = (
    "asyncio.base_events", "cryptography", "hansa.api", "hansa.bench", "hansa.contracts", "hansa.doctor",
    "hansa.governance", "hansa.node", "hansa.orderers", "hansa.store", "jinja2", "lmdb", "multiprocessing",
    "prometheus_client", "rich", "starlette", "structlog", "uvicorn", "uvloop",
)  # fmt: skip
"""What a node or a contract needs and a command that asks a node does not."""


def imported(*words: object) -> set[str]:
    code = (
        "import sys; from hansa.cli.main import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print('MODULES', *sys.modules)"
    )
    command = [sys.executable, "-c", code, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.rpartition("MODULES ")[2].split())


def heavy(modules: set[str], of: tuple[str, ...]) -> set[str]:
    return {name for name in of if any(m == name or m.startswith(f"{name}.") for m in modules)}


def test_status_imports_no_part_of_a_node(server: Any) -> None:
    found = imported("status", "--data", server.data)
    assert "httpx2" in found, "it asked"
    assert heavy(found, tuple(name for name in HEAVY if name != "asyncio.base_events")) == set()


@pytest.mark.parametrize("words", [["--version"], ["status", "--nothing"]])
def test_what_asks_nobody_imports_no_node(words: list[str], hansa: Callable) -> None:
    found = imported(*words)
    assert heavy(found, tuple(name for name in HEAVY if name != "asyncio.base_events")) == set()


def test_a_contract_is_checked_without_a_node(hansa: Callable) -> None:
    found = imported("contract", "check", EXAMPLE)
    allowed = {"hansa.contracts", "asyncio.base_events", "cryptography"}
    assert heavy(found, tuple(name for name in HEAVY if name not in allowed)) == set()
