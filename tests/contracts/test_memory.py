"""However a contract spends its steps, the process that runs it stays small."""

import json
import subprocess
import sys

import pytest
from tests.contracts.growth import CASES

ANONYMOUS_BYTES_MAX = 64 * 1024 * 1024
"""All of a worker process: the interpreter, the ledger's code, and what the contract made."""


@pytest.mark.timeout(300)
def test_no_program_makes_a_worker_large():
    command = [sys.executable, "-m", "tests.contracts.growth", "--found", "60", "--seed", "1"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    measured = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [m["name"] for m in measured[:-1]] == list(CASES)
    assert measured[-1]["name"] == "the worst found, by bytes"
    for each in measured:
        assert each["bytes"] < ANONYMOUS_BYTES_MAX, (
            f"{each['name']} ({each['code']}, {each['steps']} steps):\n{each['source']}"
        )
