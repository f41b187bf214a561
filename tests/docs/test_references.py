"""What can be looked up is all there: settings, limits with their reasons, operations, error codes, commands."""

import json
import re
from http.client import HTTPConnection

import click
import pytest
from tests.docs.pages import ROOT, Step, generated
from tests.docs.reader import Reader, environment

from docs import api_page, generate, settings_page
from hansa.api.governance_operations import ALL
from hansa.api.operations import COSE, READER_OPERATIONS, SESSION_OPERATIONS
from hansa.cli.main import cli
from hansa.wire.genesis import Limits
from hansa.wire.problems import KINDS

SOURCES = {path: path.read_text("utf-8") for path in sorted((ROOT / "src").rglob("*.py"))}
REFERENCE = {name: (ROOT / "docs" / "reference" / f"{name}.md").read_text("utf-8") for name in ("api", "settings")}


PASSED_ON = {"cli/doctor.py", "cli/processes.py", "doctor/machine.py", "node/isolation.py", "orderers/go.py"}
"""Where variables are handed to another process, or taken by a name that stands in no text."""


def test_every_variable_of_the_environment_is_documented() -> None:
    literal = re.compile(r"(?:\bos\.(?:environ(?:\.get\(|\[)|getenv\()\s*|\benvvar=)\"(\w+)\"")
    read = {name for text in SOURCES.values() for name in literal.findall(text)}
    assert read == set(settings_page.ENVIRONMENT)
    others = {
        path.relative_to(ROOT / "src" / "hansa").as_posix()
        for path, text in SOURCES.items()
        if len(re.findall(r"\bos\.(?:environ|getenv)\b", text)) > len(literal.findall(text))
    }
    assert others == PASSED_ON


def test_every_limit_says_why_it_is_there() -> None:
    assert [f"{limit.module}.{limit.name}" for limit in settings_page.limits() if not limit.why] == []


def test_every_limit_of_the_source_is_on_the_page() -> None:
    """Found by its line, whatever the page's maker made of it."""
    found = 0
    for path, text in SOURCES.items():
        module = ".".join(path.relative_to(ROOT / "src" / "hansa").with_suffix("").parts)
        if module.startswith(("contracts.prices", "contracts.specification", "governance.members_contract")):
            continue
        for name in re.findall(r"^(_?[A-Z][A-Z0-9_]*_(?:MAX|MIN|DEFAULT|S|MS))\b.* = [-(\d]", text, re.MULTILINE):
            if not name.startswith("_UNIT"):
                assert f"`{module.split('.', 1)[1]}.{name}`" in REFERENCE["settings"], f"{module}.{name}"
                found += 1
    assert found > 80


def test_the_limits_of_a_ledger_and_the_options_of_up_are_on_the_page() -> None:
    assert set(settings_page.LEDGER) == set(Limits.__struct_fields__)
    up = cli.get_command(click.Context(cli), "up")
    assert up is not None
    for option in up.params:
        assert f"| `{option.opts[0]}` |" in REFERENCE["settings"]


def test_every_code_is_on_the_page() -> None:
    page = generate.errors()
    assert [code for code in KINDS if f"| `{code}` |" not in page] == []


@pytest.mark.parametrize("name", [name for name in generated() if name.endswith(".md")])
def test_no_page_shows_what_only_a_library_calls_so(name: str) -> None:
    assert re.findall(r"Sentinel|<object at|Default: `None`|\| `None` \|", generated()[name]) == []


def test_an_option_that_nobody_gives_has_the_default_of_its_command() -> None:
    page = settings_page.page()
    assert "| `--port` | `8470` |" in page
    assert "| `--watch` |  |" in page
    assert "| `--isolate` | off |" in page


def test_units() -> None:
    by_name = {limit.name: limit.unit for limit in settings_page.limits()}
    assert (by_name["SIGNED_PER_S"], by_name["IDLE_S_MAX"]) == ("per s", "s")
    assert (by_name["HEADERS_BYTES_MAX"], by_name["PIPELINE_MAX"]) == ("bytes", "")


def commands() -> dict[str, click.Command]:
    """Every command by what one types."""
    found: dict[str, click.Command] = {}

    def walk(command: click.Command | None, path: str) -> None:
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                walk(command.get_command(context, name), f"{path} {name}")
        elif command is not None:
            found[path] = command

    with click.Context(cli) as context:
        walk(cli, "hansa")
    return found


def test_every_command_is_on_the_page() -> None:
    page = generate.commands()
    found = commands()
    assert len(found) >= 20
    assert [path for path in found if f"## `{path}`" not in page] == []


def test_options_say_what_they_take() -> None:
    page = generate.commands()
    assert r"| `--format svg\|mermaid` |" in page
    assert "| `--workers INTEGER` |" in page
    assert re.findall(r"CHOICE|RANGE", page) == []


def test_every_command_and_option_says_what_it_does() -> None:
    for path, command in commands().items():
        assert command.help, path
        for option in command.params:
            assert not isinstance(option, click.Option) or option.help, f"{path} {option.opts}"


def test_every_operation_is_on_the_page_with_an_example() -> None:
    operations = ALL
    for operation in operations:
        assert f"### `{operation.method} {operation.path}`" in REFERENCE["api"]
        for name in (*operation.parameters, *operation.query):
            section = REFERENCE["api"].partition(f"### `{operation.method} {operation.path}`")[2].partition("###")[0]
            assert f"| `{name}` |" in section
    assert set(api_page.EXAMPLES) == {operation.name for operation in operations}
    for operation in operations:
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(operation.path))
        assert re.fullmatch(pattern, api_page.EXAMPLES[operation.name].partition("?")[0]), operation.name


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory):
    """A node with the ledger that the examples are about."""
    place = tmp_path_factory.mktemp("api")
    reader = Reader(place / "work", environment(place))
    lines = """hansa up --clock 2026-01-05T08:00:00Z
hansa contract deploy apps/example_ledger/contract.py --as northbank
hansa call example_ledger register thing=ship owner=northbank --as tradewatch
hansa call example_ledger open owner=northbank balance="USD 5.00" --as tradewatch
hansa proposal new --action pause_contract name=example_ledger --as northbank
"""
    try:
        reader.follow(Step("sh", lines, 1))
        id = json.loads(ask(reader.port, "/app/entries/4")[2])["id"]
        reader.follow(Step("sh", f"hansa proposal vote {id} --yes --as northbank\n", 6))
        yield reader.port
    finally:
        reader.stop()


def ask(port: int, path: str, method: str = "GET", body: str | None = None):
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
    answer = connection.getresponse()
    found = answer.status, answer.headers["Content-Type"].partition(";")[0], answer.read()
    connection.close()
    return found


KEPT = {"snapshot_manifest", "snapshot_chunk"}
ELSEWHERE = {"engine", *(one.name for one in (*SESSION_OPERATIONS, *READER_OPERATIONS)), *KEPT}
UNSIGNED = [one for one in ALL if COSE not in one.bodies and one.name not in ELSEWHERE]
"""All but those that take what somebody signed, what needs another node than one by itself, and what a ledger as short
as this one does not keep: tests/api and tests/node/test_joining.py have them."""


@pytest.mark.parametrize("operation", UNSIGNED, ids=lambda operation: operation.name)
def test_an_example_is_answered_as_it_says(port: int, operation) -> None:
    ids = {name: json.loads(ask(port, f"/app/entries/{seq}")[2])["id"] for name, seq in (("PROPOSAL", 4), ("ID", 3))}
    body = api_page.BODIES.get(operation.name)
    path = api_page.EXAMPLES[operation.name].replace("PROPOSAL", ids["PROPOSAL"]).replace("ID", ids["ID"])
    status, kind, answer = ask(port, path, operation.method, None if body is None else json.dumps(body))
    assert (status, kind in operation.answers) == (200, True), answer
    schema = operation.answers[kind]
    if kind == "application/json" and "required" in schema:
        assert set(schema["required"]) <= set(json.loads(answer))
