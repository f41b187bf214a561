"""What the how-to pages show runs as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hansa.wire import genesis

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "check-a-receipt.md"


def block(kind: str) -> str:
    """The code block of this kind on the page."""
    (found,) = re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader works: beside the demo's ledger."""
    place = tmp_path_factory.mktemp("reader")
    subprocess.run([sys.executable, "-m", "hansa.cli.main", "demo", "--keep", str(place / "LEDGER")], check=True)
    return place


def ledger_id(folder: Path) -> str:
    return genesis.ledger_id((folder / "LEDGER" / "genesis.cbor").read_bytes()).hex()


def test_a_receipt_is_checked_as_the_page_says(folder: Path) -> None:
    hansa = f"{sys.executable} -m hansa.cli.main"
    for line in block("sh").replace("ID", ledger_id(folder)).splitlines():
        done = subprocess.run(
            line.replace("hansa", hansa, 1), check=False, shell=True, cwd=folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    assert "valid" in done.stdout
    (folder / "genesis.cbor").write_bytes((folder / "LEDGER" / "genesis.cbor").read_bytes())
    code = [sys.executable, "-c", block("python").replace("ID", ledger_id(folder))]
    done = subprocess.run(code, check=False, cwd=folder, capture_output=True, text=True)
    assert done.stdout == "entry 11, signed by alex: applied\n", done.stderr
    outcome = folder / "payment.outcome"
    outcome.write_bytes(outcome.read_bytes()[:-1] + b"\0")
    done = subprocess.run(code, check=False, cwd=folder, capture_output=True, text=True)
    assert done.stdout.startswith("not proven: verify.outcome"), done.stderr
