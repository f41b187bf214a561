"""`hansa contract`: findings with carets, schemas, deployment, and what is deployed."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.governance.test_constitution import GOVERNANCE, MAJORITY

from hansa.contracts.explanations import CODES, SYNTAX

EXAMPLE = Path(__file__).parents[2] / "apps" / "example_ledger" / "contract.py"
GOOD = """from hansa.contract import Contract, action, event


class Small(Contract, version="2.0.1"):
    @action(by="member")
    def go(tx):
        event("went")
"""
BAD = GOOD.replace('event("went")', "x = y / 2")


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, str], Path]:
    def make(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return make


def test_a_good_file(hansa: Callable) -> None:
    ran = hansa("contract", "check", EXAMPLE)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "good  example_ledger 1.0.0: 5 action(s), 1 view(s), 2 record type(s)\n"
    found = hansa("contract", "check", EXAMPLE, "--json").json
    assert found == {"valid": True, "contract": "example_ledger", "version": "1.0.0"}


def test_a_bad_file_is_shown_with_carets(hansa: Callable, file: Callable) -> None:
    path = file("bad.py", BAD)
    ran = hansa("contract", "check", path)
    assert (ran.code, ran.err) == (1, "")
    assert ran.out == (
        f"{path}:7:13: there is no `y` here [name.unknown]\n"
        "    7 |         x = y / 2\n"
        "      |             ^\n"
        f"      = why: {CODES['name.unknown'].why}\n"
        f"      = instead: {CODES['name.unknown'].instead}\n"
        f"{path}:7:13: `/` is not in the dialect [syntax.outside]\n"
        "    7 |         x = y / 2\n"
        "      |             ^^^^^\n"
        f"      = why: {CODES['syntax.outside'].why}\n"
        f"      = instead: {SYNTAX['`/`']}\n"
        "\n2 finding(s)\n"
    )


def test_a_bad_file_as_json(hansa: Callable, file: Callable) -> None:
    ran = hansa("contract", "check", file("bad.py", BAD), "--json")
    assert (ran.code, ran.json["valid"]) == (1, False)
    assert [(f["code"], f["line"], f["column"]) for f in ran.json["findings"]] == [
        ("name.unknown", 7, 12),
        ("syntax.outside", 7, 12),
    ]
    assert ran.json["findings"][1] == {
        "code": "syntax.outside",
        "message": "`/` is not in the dialect",
        "line": 7,
        "column": 12,
        "end_line": 7,
        "end_column": 17,
        "hint": "use `//`; there are no fractions",
        "why": CODES["syntax.outside"].why,
        "instead": SYNTAX["`/`"],
    }


@pytest.mark.parametrize(
    ("name", "options", "contract"),
    [
        ("shop.py", [], "shop"),
        ("My-Shop.py", [], "my_shop"),
        ("shop/contract.py", [], "shop"),
        ("shop.py", ["--name", "other"], "other"),
    ],
)
def test_a_file_suggests_its_name(
    name: str, options: list[str], contract: str, hansa: Callable, file: Callable
) -> None:
    assert hansa("contract", "check", file(name, GOOD), *options, "--json").json["contract"] == contract


@pytest.mark.parametrize("name", ["9lives.py", "my shop.py", "_x.py", "members.py", f"{'x' * 49}.py", "é.py"])
def test_a_name_that_cannot_be_deployed_is_found(name: str, hansa: Callable, file: Callable) -> None:
    assert hansa("contract", "check", file(name, GOOD)).code != 0


@pytest.mark.parametrize("command", ["check", "deploy"])
@pytest.mark.parametrize(
    ("contents", "detail"),
    [(None, "No such file or directory"), ("folder", "Is a directory")],
)
def test_a_file_that_cannot_be_read(
    command: str, contents: str | None, detail: str, hansa: Callable, tmp_path: Path
) -> None:
    path = tmp_path / "x.py"
    if contents == "folder":
        path.mkdir()
    assert detail in hansa("contract", command, path).failed("argument.file", 2)
    assert hansa("contract", command, path, "--json").failed("argument.file", 2)


@pytest.mark.parametrize("command", ["check", "deploy"])
@pytest.mark.parametrize(
    ("contents", "detail"), [(b"\xff\xfe", "is not UTF-8 text"), (b"x" * 2_000_000, "is far too large for a contract")]
)
def test_a_file_that_cannot_be_a_contract(
    command: str, contents: bytes, detail: str, hansa: Callable, tmp_path: Path
) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(contents)
    for options in ((), ("--json",)):
        assert hansa("contract", command, path, *options).failed("contract.invalid") == f"{path} {detail}"


LIBRARY = "def double(n: int) -> int:\n    return n * 2\n"


def test_a_library_is_checked_and_says_how_it_is_used(hansa: Callable, file: Callable) -> None:
    path, digest = file("maths.py", LIBRARY), hashlib.sha256(LIBRARY.encode()).hexdigest()
    ran = hansa("contract", "check", path)
    assert (ran.code, ran.out) == (
        0,
        f'good  maths: 1 function(s), 0 struct(s), 0 enum(s)\nuse it by `maths = library("maths", "{digest}")`\n',
    )
    assert hansa("contract", "check", path, "--json").json == {"valid": True, "library": "maths", "digest": digest}


def test_a_file_that_uses_libraries(hansa: Callable, file: Callable) -> None:
    maths = file("maths.py", LIBRARY)
    digest = hashlib.sha256(LIBRARY.encode()).hexdigest()
    use = f'from hansa.contract import library\n\nmaths = library("maths", "{digest}")\n\n\n'
    more = file("more.py", f"{use}def four(n: int) -> int:\n    return maths.double(maths.double(n))\n")
    digest = hashlib.sha256(more.read_bytes()).hexdigest()
    text = GOOD.replace("\n\n\n", f'\n\nmore = library("more", "{digest}")\n\n\n', 1)
    path = file(
        "small.py", text.replace("action, event", "action, event, library").replace('"went"', '"went", n=more.four(1)')
    )
    ran = hansa("contract", "check", path)
    assert (ran.code, "[library.unknown]" in ran.out) == (1, True)
    for command in ("check", "schema"):
        assert hansa("contract", command, path, "--library", maths, "--library", more).code == 0
    told = hansa("contract", "check", path, "--library", more, "--library", maths).failed("contract.invalid")
    assert told.startswith(f"{more}: 3 finding(s); line 3: there is no library `maths` of this digest")


def test_a_file_that_is_nested_too_deeply(hansa: Callable, file: Callable) -> None:
    text = GOOD.replace('event("went")', "x = (1" + "\n + 1" * 1_500 + ")")
    assert hansa("contract", "check", file("deep.py", text)).code == 1


# Schemas


def test_the_schema_of_a_file(hansa: Callable) -> None:
    ran = hansa("contract", "schema", EXAMPLE)
    assert (ran.code, ran.err) == (0, "")
    found = json.loads(ran.out)
    assert (found["contract"], sorted(found["actions"])) == (
        "example_ledger",
        ["open", "pay", "register", "sell", "tell"],
    )
    assert hansa("contract", "schema", EXAMPLE, "--json").json == found


def test_the_schema_of_a_deployed_contract_is_the_one_of_its_file(hansa: Callable, server: Any) -> None:
    deployed = hansa("contract", "schema", "example_ledger", "--data", server.data, "--json").json
    assert deployed == hansa("contract", "schema", EXAMPLE, "--json").json


def test_the_schema_of_what_there_is_not(hansa: Callable, server: Any, file: Callable) -> None:
    assert hansa("contract", "schema", "nothing", "--data", server.data).failed("contract.missing", 2)
    for missing in ("./nosuch.py", "nosuch.py", "no such"):
        told = hansa("contract", "schema", missing, "--data", server.data).failed("argument.file", 2)
        assert told.endswith(": No such file or directory")
    detail = hansa("contract", "schema", file("bad.py", BAD)).failed("contract.invalid")
    assert detail == "2 finding(s); line 7: there is no `y` here"


# Deployment


def test_a_contract_is_deployed(hansa: Callable, server: Any, file: Callable) -> None:
    data = ("--as", "northbank", "--data", server.data)
    before = hansa("status", "--data", server.data, "--json").json["entries"]
    path = file("small.py", GOOD)
    dry = hansa("contract", "deploy", path, "--dry-run", *data)
    assert (dry.code, dry.out) == (0, "good  small 2.0.1: 1 action(s), 0 view(s), 0 record type(s)\n")
    assert dry.err == "nothing was sent\n"
    ran = hansa("contract", "deploy", path, *data)
    lines = ran.out.splitlines()
    assert ran.code == 0
    assert lines[:2] == ["good  small 2.0.1: 1 action(s), 0 view(s), 0 record type(s)", f"applied  as entry {before}"]
    assert re.fullmatch(r"event    contract\.deployed: name=small, digest=[0-9a-f]{64}, version=2\.0\.1", lines[2])
    assert hansa("call", "small", "go", *data).code == 0
    again = hansa("contract", "deploy", path, *data, "--json")
    assert again.failed("contract.name", 2) == "there is a contract small on this ledger already"


def test_a_deployment_as_json_is_one_document(hansa: Callable, server: Any, file: Callable) -> None:
    words = ("contract", "deploy", file("other.py", GOOD), "--data", server.data, "--json")
    ran = hansa(*words, "--as", "northbank", "--name", "second")
    assert (ran.code, ran.json["events"][0]["data"]["name"]) == (0, "second")
    assert hansa(*words[:2], file("bad.py", BAD), *words[3:], "--as", "northbank").failed("contract.invalid")


def test_a_dry_run_as_json_is_a_document(hansa: Callable, server: Any, file: Callable) -> None:
    words = ("contract", "deploy", file("dry.py", GOOD), "--dry-run", "--as", "northbank", "--data", server.data)
    assert hansa(*words, "--json").json


def test_only_deployers_deploy(hansa: Callable, server: Any, file: Callable) -> None:
    """Also of a file so long that nobody else could have the steps that it takes."""
    words = ("--data", server.data)
    before = hansa("status", *words, "--json").json["entries"]
    for text in (GOOD, GOOD + "# as long as a file may be\n" * 2_000):
        for signer in ("harbourline", "tradewatch/eve"):
            ran = hansa("contract", "deploy", file("third.py", text), "--as", signer, *words)
            told = f"nothing was sent: {signer.partition('/')[0]} has no attribute ledger:deployer [role.denied]"
            assert (ran.code, ran.out.splitlines()[-1]) == (4, f"refused  {told}")
    assert hansa("status", *words, "--json").json["entries"] == before


def test_a_bad_file_is_not_sent(hansa: Callable, server: Any, file: Callable) -> None:
    before = hansa("status", "--data", server.data, "--json").json["entries"]
    ran = hansa("contract", "deploy", file("bad.py", BAD), "--as", "northbank", "--data", server.data)
    assert ran.code == 1
    assert "2 finding(s)" in ran.out
    assert hansa("status", "--data", server.data, "--json").json["entries"] == before


# What is deployed


def test_what_is_deployed_is_listed(hansa: Callable, server: Any) -> None:
    ran = hansa("contract", "show", "--data", server.data)
    lines = ran.out.splitlines()
    assert lines[0].split() == ["NAME", "VERSION", "WHAT", "IT", "IS"]
    assert lines[2].startswith("constitution    1.0.0    Majority: ")
    assert lines[3].startswith("example_ledger  1.0.0    The example ledger: people pay each other")
    assert any(line.startswith("members ") for line in lines)
    found = hansa("contract", "show", "--data", server.data, "--json").json
    assert {"example_ledger", "members"} <= {each["name"] for each in found}


def test_a_contract_is_shown(hansa: Callable, server: Any) -> None:
    out = hansa("contract", "show", "example_ledger", "--data", server.data).out
    assert "role    registrar: members with the attribute role:registrar\n" in out
    assert "role    owner: who stands in a record's field `owner`\n" in out
    assert (
        "action  pay(account, to, amount)  by owner\n        Pays from the signer's account to another.\n"
        "          account  key of an Account\n          to       key of an Account\n"
        "          amount   amount, such as `USD 500.00`\n"
    ) in out
    assert "view    balance_of(account) -> amount, such as `USD 500.00`\n" in out
    assert "record  Title  key thing  index owner\n          thing  1 to 40 characters\n          owner  member" in out
    found = hansa("contract", "show", "example_ledger", "--data", server.data, "--json").json
    assert found["contract"] == "example_ledger"


def test_the_source_is_shown_as_deployed(hansa: Callable, server: Any) -> None:
    source = hansa("contract", "show", "example_ledger", "--source", "--data", server.data, "--json").json
    assert source == {"contract": "example_ledger", "source": EXAMPLE.read_text("utf-8")}
    members = hansa("contract", "show", "members", "--source", "--data", server.data).out
    assert "class Members(Contract" in members


def test_a_contract_that_there_is_not(hansa: Callable, server: Any) -> None:
    assert hansa("contract", "show", "nothing", "--data", server.data).failed("contract.missing", 2)
    assert hansa("contract", "show", "nothing", "--source", "--data", server.data).failed("contract.missing", 2)


def test_a_constitution_is_checked_as_one(hansa: Callable, file: Callable) -> None:
    library = file("governance.py", GOVERNANCE)
    path = file("majority.py", MAJORITY)
    ran = hansa("contract", "check", path, "--constitution", "--library", library)
    digest = hashlib.sha256(MAJORITY.encode()).hexdigest()
    assert (ran.code, ran.out, ran.err) == (0, f"good  constitution 1.2.3, {digest}\n", "")
    found = hansa("contract", "check", path, "--constitution", "--library", library, "--json").json
    assert found == {"valid": True, "contract": "constitution", "version": "1.2.3", "digest": digest}
    alone = hansa("contract", "check", path, "--constitution", "--json")
    assert (alone.code, alone.json["findings"][0]["code"]) == (1, "library.unknown")
    hansa("contract", "check", path, "--constitution", "--name", "majority").failed("argument.value", 2)


def test_all_that_keeps_a_file_from_being_a_constitution_is_told(hansa: Callable) -> None:
    ran = hansa("contract", "check", EXAMPLE, "--constitution")
    assert (ran.code, ran.err) == (1, "")
    lines = ran.out.splitlines()
    assert lines[0] == f"{EXAMPLE}: it declares `owner`; a constitution has three views, and no roles"
    assert lines[-3:] == [f"{EXAMPLE}: the view `apply` is missing", "", "13 problem(s)"]
    found = hansa("contract", "check", EXAMPLE, "--constitution", "--json").json
    assert found == {
        "valid": False,
        "file": str(EXAMPLE),
        "problems": [line.removeprefix(f"{EXAMPLE}: ") for line in lines[:-2]],
    }
