"""What the how-to pages show runs as it stands there."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hansa.wire import genesis

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
HANSA = f"{sys.executable} -m hansa.cli.main"


def blocks(page: str, kind: str) -> list[str]:
    """The code blocks of this kind on a page."""
    return re.findall(rf"```{kind}\n(.*?)```", (PAGES / page).read_text("utf-8"), re.DOTALL)


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs a line of a shell block."""
    line = line.replace("hansa", HANSA, 1)
    return subprocess.run(line, check=False, shell=True, cwd=folder, capture_output=True, text=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader works: beside the demo's ledger."""
    place = tmp_path_factory.mktemp("reader")
    subprocess.run([sys.executable, "-m", "hansa.cli.main", "demo", "--keep", str(place / "LEDGER")], check=True)
    return place


def ledger_id(folder: Path) -> str:
    return genesis.ledger_id((folder / "LEDGER" / "genesis.cbor").read_bytes()).hex()


def test_a_receipt_is_checked_as_the_page_says(folder: Path) -> None:
    (commands,), (program,) = blocks("check-a-receipt.md", "sh"), blocks("check-a-receipt.md", "python")
    for line in commands.replace("ID", ledger_id(folder)).splitlines():
        done = run(line, folder)
        assert done.returncode == 0, done.stderr
    assert "valid" in done.stdout
    (folder / "genesis.cbor").write_bytes((folder / "LEDGER" / "genesis.cbor").read_bytes())
    code = [sys.executable, "-c", program.replace("ID", ledger_id(folder))]
    done = subprocess.run(code, check=False, cwd=folder, capture_output=True, text=True)
    assert done.stdout == "entry 11, signed by alex: applied\n", done.stderr
    outcome = folder / "payment.outcome"
    outcome.write_bytes(outcome.read_bytes()[:-1] + b"\0")
    done = subprocess.run(code, check=False, cwd=folder, capture_output=True, text=True)
    assert done.stdout.startswith("not proven: verify.outcome"), done.stderr


def test_a_contract_is_upgraded_as_the_page_says(tmp_path: Path) -> None:
    before, after = blocks("upgrade-a-contract.md", "python")
    deploy, dry_run, upgrade = (text.splitlines() for text in blocks("upgrade-a-contract.md", "sh"))
    (told,) = blocks("upgrade-a-contract.md", "text")
    file = tmp_path / "orders.py"
    file.write_text(before)
    command = f"exec {HANSA} up --port 0 --json --reserve-mb 0"
    with subprocess.Popen(command, shell=True, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as node:
        try:
            assert node.stdout is not None
            assert "url" in node.stdout.readline()
            for line in deploy:
                assert (done := run(line, tmp_path)).returncode == 0, done
            file.write_text(after)
            done = run(dry_run[0], tmp_path)
            assert (done.returncode, done.stdout) == (1, told)
            file.write_text(after.replace("Int[1, 20]", "Int[1, 1000]"))
            for line in upgrade:
                assert (done := run(line, tmp_path)).returncode == 0, done
            assert done.stdout == "USD 90.00\n"
            query = "hansa query members Version --index contract=orders --json"
            assert [row["value"]["version"] for row in json.loads(run(query, tmp_path).stdout)["rows"]] == [
                "1.0.0",
                "2.0.0",
            ]
        finally:
            node.terminate()
            assert node.wait(10) == 0


def test_a_ledger_is_used_from_python_as_the_page_says(tmp_path: Path) -> None:
    page = "use-from-python.md"
    programs, told = blocks(page, "python"), blocks(page, "text")
    (deploy,) = blocks(page, "sh")
    assert len(programs[0].splitlines()) <= 15  # the quick start
    (tmp_path / "apps").symlink_to(PAGES.parents[1] / "apps")
    command = f"exec {HANSA} up --port 0 --json --reserve-mb 0"
    with subprocess.Popen(command, shell=True, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as node:
        try:
            assert node.stdout is not None
            url = json.loads(node.stdout.readline())["url"]
            assert (done := run(deploy, tmp_path)).returncode == 0, done
            printed = [python(program.replace("http://127.0.0.1:8470", url), tmp_path) for program in programs]
        finally:
            node.terminate()
            assert node.wait(10) == 0
    assert [printed[0], *printed[2:]] == told
    assert printed[1] == "harbourline USD 512.50\nnorthbank USD 487.50\n"


def python(program: str, folder: Path) -> str:
    """What a program prints."""
    done = subprocess.run([sys.executable, "-c", program], check=False, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
