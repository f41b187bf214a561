"""The names of contract files as editors know them: all that the dialect has, no more, and typed as its tables say."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.contract.conftest import ROOT
from tests.contracts.golden.corpus import programs
from tests.contracts.golden.program import Deploy, Golden

from hansa.contracts import expressions, names, operations

STUB = ast.parse((ROOT / "src" / "hansa" / "contract" / "__init__.pyi").read_text())
CLASSES = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}
KINDS = {
    "text": "Text[0, 9]",
    "int": "int",
    "bool": "bool",
    "bytes": "Bytes[0, 9]",
    "hash": "Hash",
    "amount": "Amount",
    "signed": "SignedAmount",
    "date": "Date",
    "instant": "Instant",
    "duration": "Duration",
    "texts": "list[Text[0, 9], 9]",
    "ints": "list[int, 9]",
    "list": "list[int, 9]",
    "map": "dict[Text[0, 9], int, 9]",
    "key": "Text[0, 9]",
    "value": "int",
    "party": "Party",
    "rounding": "",
}
"""How a value of each kind is declared; the items of the list and the values of the map are numbers."""
SHOWN = {
    "text": {"str", "Text"},
    "int": {"int"},
    "bool": {"bool"},
    "bytes": {"Bytes"},
    "hash": {"Bytes"},
    "amount": {"Amount"},
    "signed": {"SignedAmount"},
    "date": {"Date"},
    "instant": {"Instant"},
    "duration": {"Duration"},
    "texts": {"list[str]"},
    "amounts": {"list[Amount]"},
    "left": {"list[int]"},
    "value": {"int"},
}
"""What the type checker calls what each word of the tables gives."""
PYTHONS_OWN = {("map", "keys"), ("map", "values")}
"""What cannot be declared otherwise for Python's own dict: docs/how-to/write-a-contract.md says so."""


def members(name: str) -> set[str]:
    """The public attributes and methods that the stub gives a class."""
    found = {item.name for item in CLASSES[name].body if isinstance(item, ast.FunctionDef)}
    found |= {item.target.id for item in CLASSES[name].body if isinstance(item, ast.AnnAssign | ast.Name)}  # type: ignore[union-attr]
    return {member for member in found if not member.startswith("_")}


def of_dialect(*kinds: str) -> set[str]:
    return {name for kind, name in (*operations.ATTRIBUTES, *operations.METHODS) if kind in kinds}


def said(found: list[dict[str, Any]], severity: str = "error") -> dict[tuple[str, int], list[dict[str, Any]]]:
    """What is said, by file and line."""
    by_place: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for each in found:
        if each["severity"] == severity:
            place = (Path(each["file"]).name, each["range"]["start"]["line"] + 1)
            by_place.setdefault(place, []).append(each)
    return by_place


def state_lines(source: str) -> set[int]:
    """The lines of the texts of states, which type checkers take for types: docs/how-to/write-a-contract.md says so."""
    classes = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.ClassDef) and n.name == names.STATES]
    return {item.lineno for node in classes for item in node.body}


def test_it_has_the_names_of_the_dialect_and_no_others() -> None:
    declared = next(n for n in STUB.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "__all__")
    assert ast.literal_eval(declared.value) == sorted(names.IMPORTABLE)


def test_its_classes_have_the_members_of_the_dialect_and_no_others() -> None:
    assert members("SignedAmount") == of_dialect("signed")
    assert members("SignedAmount") | members("Amount") == of_dialect("amount")
    assert members("Date") == of_dialect("date")
    assert members("Instant") == of_dialect("instant")
    assert members("Duration") == of_dialect("duration")
    assert members("Bytes") == of_dialect("bytes")
    assert members("Text") | {n for n in dir(str) if n in of_dialect("text")} == of_dialect("text")
    assert members("Record") | members("_RecordType") == {*expressions.RECORD_CALLS, "state"}
    assert members("Contract") == set(expressions.CONTEXT)


def test_everything_in_it_says_what_it_is() -> None:
    public = [n for n in STUB.body if isinstance(n, ast.ClassDef | ast.FunctionDef) and not n.name.startswith("_")]
    methods = [m for c in public if isinstance(c, ast.ClassDef) for m in c.body if isinstance(m, ast.FunctionDef)]
    told = {n.name for n in (*public, *methods) if ast.get_docstring(n)}
    assert {n.name for n in (*public, *methods) if not n.name.startswith("_")} - told == {"bit_length"}


def probes() -> list[tuple[str, set[str]]]:
    """An expression for each row of the dialect's tables, and what it may be called."""
    found = [(f"{left} {op} {right}", SHOWN[gives]) for (op, left, right), (_, gives) in operations.BINARY.items()]
    found += [(f"-{kind}", SHOWN[kind]) for kind in operations.NEGATIVE]
    found += [(f"{kind}.{name}", SHOWN[gives]) for (kind, name), (_, gives) in operations.ATTRIBUTES.items()]
    for (kind, name), method in operations.METHODS.items():
        if (kind, name) not in PYTHONS_OWN:
            roundings = operations.ROUNDINGS if "rounding" in method.takes else ("",)
            for rounding in roundings:
                given = ", ".join(f'"{rounding}"' if word == "rounding" else word for word in method.takes)
                found.append((f"{kind}.{name}({given})", SHOWN[method.gives]))
    for (name, takes), (_, gives) in operations.FUNCTIONS.items():
        found.append((f"{name}({', '.join(takes)})", SHOWN[gives]))
    found += [(f"{kind} < {kind}", {"bool"}) for kind in sorted(operations.ORDERED)]
    found += [(f"{kind} >= {kind}", {"bool"}) for kind in sorted(operations.ORDERED)]
    units = ", ".join(f"{unit}=1" for unit in operations.DURATION_UNITS)
    return [*found, (f"Duration({units})", {"Duration"})]


def probe() -> str:
    """A file that asks the type checker what each of the probes is."""
    declared = ", ".join(f"{kind}: {type_}" for kind, type_ in KINDS.items() if type_ and kind not in ("int", "bool"))
    head = [f"from hansa.contract import {', '.join(sorted(names.IMPORTABLE))}", f"def probe({declared}):"]
    values = {"int": "len(text)", "bool": "text.isdigit()"}
    lines = []
    for text, _ in probes():
        call, opened, inside = text.partition("(")
        spots = (inside if opened and call in {f for f, _ in operations.FUNCTIONS} else text, values)
        shown = re.sub(r"\b(int|bool)\b", lambda found: values[found[1]], spots[0])
        lines.append(f"    reveal_type({call + opened + shown if spots[0] is inside else shown})")
    return "\n".join([*head, *lines]) + "\n"


MISTAKES = (Path(__file__).parent / "mistakes.py.txt").read_text()


def project() -> dict[str, str]:
    """The contracts of this project."""
    files = [
        *(ROOT / "apps").rglob("contract.py"),
        *(ROOT / "bench").glob("*_contract.py"),
        *(ROOT / "src" / "hansa" / "bench").glob("*_contract.py"),
    ]
    return {"_".join(file.relative_to(ROOT).parts): file.read_text() for file in files}


def files_of(name: str, golden: Golden) -> dict[str, str]:
    """Every file of a golden program."""
    later = [call for call in golden.calls if isinstance(call, Deploy)]
    found = {f"{name}__{file}": text for file, text in {**golden.files, **golden.libraries}.items()}
    return found | {f"{name}__{each.contract}_{i}": each.source for i, each in enumerate(later)}


def corpus() -> dict[str, str]:
    """The files of all golden programs."""
    found: dict[str, str] = {}
    for name, golden in programs().items():
        found |= {f"{file.replace('.', '_')}.py": text for file, text in files_of(name, golden).items()}
    return found


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, pyright: Callable) -> Callable[..., list[dict[str, Any]]]:
    """`told(files)`: what the type checker says of these files. It is started once, for all that is asked here."""
    folder = tmp_path_factory.mktemp("checked")
    # They use that an optional may stand where a value is needed: None there is a fault when they run.
    off = "\n# pyright: reportOptionalMemberAccess=false\n"
    of_project = {name: text + off for name, text in project().items()}
    files = {"probe.py": probe(), "mistakes.py": MISTAKES, **of_project, **corpus()}
    for name, text in files.items():
        (folder / name).write_text(text)
    found = pyright(folder)
    return lambda names: [each for each in found if Path(each["file"]).name in names]


def test_operations_give_what_the_tables_of_the_dialect_say(told: Callable) -> None:
    expected = probes()
    found = told({"probe.py"})
    assert said(found) == {}
    revealed = {line: each[0]["message"] for (_, line), each in said(found, "information").items()}
    for number, (text, fitting) in enumerate(expected, 3):
        got = re.search(r'is "(.*)"$', revealed[number])
        assert got is not None, (text, revealed[number])
        assert got[1] in fitting, text
    assert len(revealed) == len(expected) > 80


def test_mistakes_are_errors_where_they_stand(told: Callable) -> None:
    found = {line: {each["rule"] for each in many} for (_, line), many in said(told({"mistakes.py"})).items()}
    marks = {
        n: line.rpartition("# wrong: ")[2] for n, line in enumerate(MISTAKES.split("\n"), 1) if "# wrong: " in line
    }
    assert found == {line: {rule} for line, rule in marks.items()}
    assert len(marks) > 30


def reference_lines(source: str) -> set[int]:
    """The lines of fields that are records of the contract, a name that Python does not see there: the page says so."""
    classes = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.ClassDef)]
    records = {n.name for n in classes if any(ast.unparse(base) == "Record" for base in n.bases)}
    fields = [item for n in classes if n.name in records for item in n.body if isinstance(item, ast.AnnAssign)]
    return {
        field.lineno
        for field in fields
        if records & {node.id for node in ast.walk(field.annotation) if isinstance(node, ast.Name)}
    }


def test_the_contracts_of_this_project_have_no_errors(told: Callable) -> None:
    sources = project()
    found = said(told(sources))
    said_already = {name: state_lines(source) | reference_lines(source) for name, source in sources.items()}
    assert {p: [e["message"] for e in each] for p, each in found.items() if p[1] not in said_already[p[0]]} == {}
    assert len(sources) >= 14


def test_what_cannot_be_typed_is_little(told: Callable) -> None:
    """All golden programs are good: an error is something that the dialect has and types cannot say."""
    sources = corpus()
    found = said(told(sources))
    wrong = {file for file, line in found if line not in state_lines(sources[file])}
    assert 0 < len(wrong) / len(sources) < 0.06, sorted(wrong)


def test_python_does_not_run_contract_files() -> None:
    file = ROOT / "apps" / "example_ledger" / "contract.py"
    done = subprocess.run([sys.executable, file], check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "ImportError: contract files are not run by Python" in done.stderr
    assert "hansa contract check FILE" in done.stderr


def test_whoever_imports_it_is_told_what_to_do() -> None:
    with pytest.raises(ImportError, match=r"`hansa contract run FILE ACTION name=value`"):
        __import__("hansa.contract")
