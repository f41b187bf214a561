"""`hansa contract stubs`: a module from a file or from a ledger, written over what it wrote before and nothing else."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "apps" / "example_ledger" / "contract.py"


LIBRARY = "def double(n: int) -> int:\n    return n + n\n"
USES = '''"""Counts."""

from hansa.contract import Contract, library, view

maths = library("maths", "DIGEST")


class Counts(Contract, version="2.0.0"):
    @view
    def twice(tx, n: int) -> int:
        """Twice as many."""
        return maths.double(n)
'''


class Liar:
    """A node that answers with what it likes, and notes what it is asked for."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.asked: list[str] = []
        liar = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                liar.asked.append(path)
                answer = liar.answers.get(path, b"{}")
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def liar() -> Iterator[Liar]:
    found = Liar()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


def test_of_a_node_the_source_counts_and_nothing_else(hansa: Callable, liar: Liar) -> None:
    evil = {"contract": 'x"\nimport os\n_z = "', "version": "\x1b[31m", "description": "", "actions": {"steal": {}}}
    liar.answers = {
        "/app/contracts/example_ledger": json.dumps(evil).encode(),
        "/app/contracts/example_ledger/source": EXAMPLE.read_bytes(),
    }
    ran = hansa("contract", "stubs", "example_ledger", "--url", liar.url)
    assert ran.out == hansa("contract", "stubs", EXAMPLE).out
    assert "/app/contracts/example_ledger" not in liar.asked

    liar.answers["/app/contracts/example_ledger/source"] = b"import os\nos.abort()\n"
    detail = hansa("contract", "stubs", "example_ledger", "--url", liar.url).failed("contract.invalid")
    assert "the contract example_ledger of the ledger" in detail
    liar.answers["/app/contracts/example_ledger/source"] = b"\xff\xfe"
    hansa("contract", "stubs", "example_ledger", "--url", liar.url).failed("node.foreign")


def test_the_libraries_of_a_node_count_by_their_digest(hansa: Callable, liar: Liar, tmp_path: Path) -> None:
    source = USES.replace("DIGEST", hashlib.sha256(LIBRARY.encode()).hexdigest())
    record = "/app/contracts/members/records/Library/value"
    liar.answers["/app/contracts/counts/source"] = source.encode()
    liar.answers[record] = json.dumps({"value": {"name": "maths", "source": LIBRARY}}).encode()
    text = hansa("contract", "stubs", "counts", "--url", liar.url).out
    assert "def twice(" in text
    (tmp_path / "maths.py").write_text(LIBRARY)
    (tmp_path / "counts.py").write_text(source)
    assert text == hansa("contract", "stubs", tmp_path / "counts.py", "--library", tmp_path / "maths.py").out

    swapped = {"name": "maths", "source": LIBRARY.replace("n + n", "n")}
    liar.answers[record] = json.dumps({"value": swapped}).encode()
    assert "another digest" in hansa("contract", "stubs", "counts", "--url", liar.url).failed("node.foreign")


def test_it_prints_the_module(hansa: Callable) -> None:
    ran = hansa("contract", "stubs", EXAMPLE)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith('"""A typed client of the contract example_ledger 1.0.0.\n')
    assert "class ExampleLedgerClient:" in ran.out
    assert "class AsyncExampleLedgerClient:" in hansa("contract", "stubs", EXAMPLE, "--async").out
    found = hansa("contract", "stubs", EXAMPLE, "--name", "book", "--json").json
    assert (found["contract"], found["version"]) == ("book", "1.0.0")
    assert found["digest"] == hashlib.sha256(EXAMPLE.read_bytes()).hexdigest()
    assert 'CONTRACT = "book"' in found["module"]


def test_it_writes_over_what_it_wrote_and_nothing_else(hansa: Callable, tmp_path: Path) -> None:
    file = tmp_path / "book.py"
    assert hansa("contract", "stubs", EXAMPLE, "--out", file).out == f"{file}: a client of example_ledger 1.0.0\n"
    text = file.read_text()
    assert text == hansa("contract", "stubs", EXAMPLE).out
    assert hansa("contract", "stubs", EXAMPLE, "--out", file, "--async", "--json").json["file"] == str(file)
    assert file.read_text() == hansa("contract", "stubs", EXAMPLE, "--async").out != text
    file.write_text("precious")
    assert hansa("contract", "stubs", EXAMPLE, "--out", file).failed("argument.exists", 2)
    assert file.read_text() == "precious"
    assert hansa("contract", "stubs", EXAMPLE, "--out", tmp_path).failed("argument.file", 2)
    assert [path.name for path in tmp_path.iterdir()] == ["book.py"]


def test_what_has_no_client(hansa: Callable, tmp_path: Path) -> None:
    library = tmp_path / "maths.py"
    library.write_text("def double(n: int) -> int:\n    return n + n\n")
    assert "is a library" in hansa("contract", "stubs", library).failed("contract.invalid")
    assert hansa("contract", "stubs", tmp_path / "none.py").failed("argument.file", 2)
    assert hansa("contract", "stubs", "unheard_of", "--data", tmp_path).failed("folder.none")
    library.write_text("x = =")
    assert hansa("contract", "stubs", library).failed("contract.invalid")


def test_from_a_ledger_it_is_the_same_as_from_the_file(hansa: Callable, start: Callable, tmp_path: Path) -> None:
    data = tmp_path / "data"
    running = start(data)
    try:
        assert hansa("contract", "deploy", EXAMPLE, "--as", "northbank", "--data", data).code == 0
        ran = hansa("contract", "stubs", "example_ledger", "--data", data)
        assert ran.out == hansa("contract", "stubs", EXAMPLE).out
        assert hansa("contract", "stubs", "unheard_of", "--data", data).failed("contract.missing", 2)
        assert "class MembersClient:" in hansa("contract", "stubs", "members", "--data", data).out, "the ledger's own"
    finally:
        assert running.stop() == 0
