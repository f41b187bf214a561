"""`hansa contract stubs`: a module from a file or from a ledger, written over what it wrote before and nothing else."""

import hashlib
from collections.abc import Callable
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "apps" / "example_ledger" / "contract.py"


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
    assert hansa("contract", "stubs", "unheard_of", "--data", tmp_path).failed("node.unreachable")
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
    finally:
        assert running.stop() == 0
