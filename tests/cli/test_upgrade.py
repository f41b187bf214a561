"""`hansa contract upgrade`, and libraries: what is tried before anything is sent, and what is on the ledger then."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hansa.cli import contract

STOCK = """\
from hansa.contract import Contract, Int, Record, Text, action, require, view


class Stock(Contract, version="1.0.0"):
    class Item(Record, key="name"):
        name: Text[1, 20]
        count: Int[0, 100]

    @action(by="member", creates="Item")
    def put(tx, item: Item, name: Text[1, 20], count: Int[0, 100]):
        require(count > 0, "nothing is put")

    @view
    def count_of(tx, item: Item) -> int:
        return item.count
"""
WIDER = STOCK.replace("1.0.0", "1.1.0").replace("Int[0, 100]", "Int[0, 1000]")
NARROWER = STOCK.replace("1.0.0", "2.0.0").replace("Int[0, 100]", "Int[0, 10]")
RULE = """\
        count: Int[0, 100]

        @invariant
        def even(i):
            require(i.count % 2 == 0, "{n} is odd", n=i.count)
"""
RULED = STOCK.replace("1.0.0", "2.0.0").replace("import Contract", "import invariant, Contract")
RULED = RULED.replace("        count: Int[0, 100]\n", RULE)
LOST = WIDER.replace("class Item(", "class Thing(").replace("Item", "Thing")
LIBRARY = "def double(n: int) -> int:\n    return n * 2\n"


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(name: str, text: str) -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


@pytest.fixture
def stock(hansa: Callable, server: Any, file: Callable, request: pytest.FixtureRequest) -> Callable:
    """A contract with the records a=4, b=25 and c=7, under a name of its own; runs `hansa contract upgrade` on it."""
    name = "s" + hashlib.sha256(request.node.name.encode()).hexdigest()[:12]
    data = ("--as", "northbank", "--data", server.data)
    assert hansa("contract", "deploy", file("stock.py", STOCK), "--name", name, *data).code == 0
    for item, count in {"a": 4, "b": 25, "c": 7}.items():
        assert hansa("call", name, "put", f"name={item}", f"count={count}", *data).code == 0

    def upgrade(source: str, *words: object) -> Any:
        return hansa("contract", "upgrade", name, file("next.py", source), *words, "--data", server.data)

    upgrade.name = name  # type: ignore[attr-defined]
    return upgrade


def versions(hansa: Callable, server: Any, name: str) -> list[str]:
    found = hansa("contract", "show", name, "--data", server.data, "--json").json["versions"]
    return [each["version"] for each in found]


def test_the_next_version_takes_over_the_records(hansa: Callable, server: Any, stock: Callable) -> None:
    before = hansa("status", "--data", server.data, "--json").json["entries"]
    dry = stock(WIDER, "--dry-run")
    good = f"good  {stock.name} 1.1.0: 1 action(s), 1 view(s), 1 record type(s)"  # type: ignore[attr-defined]
    tried = "tried  on 3 record(s): all of them come up to 1.1.0"
    assert (dry.code, dry.out.splitlines(), dry.err) == (0, [good, tried], "")
    ran = stock(WIDER, "--as", "northbank")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[:3] == [good, tried, f"applied  as entry {before}"]
    assert lines[3] == f"event    contract.upgraded: name={stock.name}, before=1.0.0, version=1.1.0"  # type: ignore[attr-defined]
    name = stock.name  # type: ignore[attr-defined]
    assert versions(hansa, server, name) == ["1.0.0", "1.1.0"]
    out = hansa("contract", "show", name, "--data", server.data).out
    assert re.search(rf"\nversion 1\.0\.0  from entry \d+ on\nversion 1\.1\.0  from entry {before + 1} on\n", out)
    data = ("--as", "northbank", "--data", server.data)
    assert hansa("call", name, "put", "name=d", "count=1000", *data).code == 0
    assert hansa("query", name, "count_of", "item=b", "--data", server.data).out == "25\n"
    source = hansa("contract", "show", name, "--source", "--data", server.data, "--json").json["source"]
    assert source == WIDER


def test_records_are_shown_with_the_version_that_stored_them(hansa: Callable, server: Any, stock: Callable) -> None:
    """Those of the version before lack a field until they are touched."""
    name, data = stock.name, ("--data", server.data)  # type: ignore[attr-defined]
    assert "stored" not in hansa("query", name, "Item", *data).out
    more = WIDER.replace(
        "        count: Int[0, 1000]\n", '        count: Int[0, 1000]\n        where: Text[1, 9] = "here"\n', 1
    )
    assert stock(more, "--as", "northbank").code == 0
    assert hansa("call", name, "put", "name=d", "count=1", "--as", "northbank", *data).code == 0
    rows = hansa("query", name, "Item", *data, "--json").json["rows"]
    assert [row["version"] for row in rows] == ["1.0.0"] * 3 + ["1.1.0"]
    head, _, *lines = [re.split(" {2,}", line) for line in hansa("query", name, "Item", *data).out.splitlines()]
    assert head == ["seq", "name", "count", "where", "as stored by"]
    assert [line[1:] for line in lines[::3]] == [["a", "4", "-", "1.0.0"], ["d", "1", "here"]]
    one = hansa("query", name, "Item", "b", "--history", *data).out
    assert one.splitlines()[2].endswith("b     25     -      1.0.0")
    assert "stored" not in hansa("query", name, "Item", "d", *data).out


def test_what_it_says_as_json_is_one_document(stock: Callable) -> None:
    dry = stock(WIDER, "--dry-run", "--json")
    name = stock.name  # type: ignore[attr-defined]
    found = {
        "contract": name,
        "version": "1.1.0",
        "before": "1.0.0",
        "records": 3,
        "problems": [],
        "failures": [],
        "complete": True,
    }
    assert (dry.code, dry.json) == (0, found)
    assert stock(WIDER, "--as", "northbank", "--json").json["status"] == "applied"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            NARROWER,
            [
                "tried  on 3 record(s): 1 would fail",
                "  Item b: `Item.count` must lie within 0 and 10 [value.bounds]",
            ],
        ),
        (
            RULED,
            [
                "tried  on 3 record(s): 2 would fail",
                "  Item b: 25 is odd [invariant.failed, line 11]",
                "  Item c: 7 is odd [invariant.failed, line 11]",
            ],
        ),
    ],
    ids=["bounds", "a rule"],
)
def test_records_that_fail_keep_it_back(
    hansa: Callable, server: Any, stock: Callable, source: str, told: list[str]
) -> None:
    name = stock.name  # type: ignore[attr-defined]
    for words in (("--dry-run",), ("--dry-run", "--force"), ("--as", "northbank")):
        ran = stock(source, *words)
        assert (ran.code, ran.out.splitlines()[1:]) == (1, told)
    assert stock(source, "--as", "northbank", "--json").json["failures"][0]["key"] == "b"
    assert versions(hansa, server, name) == ["1.0.0"]
    forced = stock(source, "--as", "northbank", "--force")
    assert (forced.code, forced.out.splitlines()[1 : 1 + len(told)]) == (0, told)
    assert versions(hansa, server, name) == ["1.0.0", "2.0.0"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (STOCK, "  version 1.0.0 must be higher than 1.0.0"),
        (LOST, "  the record `Item` is gone: its records would be lost"),
    ],
    ids=["version", "record"],
)
def test_a_version_that_cannot_follow_is_not_sent(
    hansa: Callable, server: Any, stock: Callable, source: str, told: str
) -> None:
    entries = hansa("status", "--data", server.data, "--json").json["entries"]
    ran = stock(source, "--as", "northbank", "--force")
    assert (ran.code, ran.out.splitlines()[-1]) == (1, told)
    version = "1.0.0" if source is STOCK else "1.1.0"
    assert ran.out.splitlines()[1] == f"{version} cannot follow 1.0.0:"
    assert hansa("status", "--data", server.data, "--json").json["entries"] == entries


def test_many_records_that_fail_are_counted(
    monkeypatch: pytest.MonkeyPatch, hansa: Callable, server: Any, stock: Callable
) -> None:
    monkeypatch.setattr(contract, "_FAILURES_SHOWN", 1)
    ran = stock(RULED, "--dry-run")
    assert ran.out.splitlines()[1:] == [
        "tried  on 3 record(s): 2 would fail",
        "  Item b: 25 is odd [invariant.failed, line 11]",
        "  and 1 more; --json has them all",
    ]


def test_it_goes_on_page_by_page_until_it_knows_enough(
    monkeypatch: pytest.MonkeyPatch, hansa: Callable, server: Any, stock: Callable
) -> None:
    """The node answers a record at a time here, as it does where each takes many steps."""
    asked = []

    def trial(node: Any, name: str, source: str, after: str | None = None) -> dict[str, Any]:
        asked.append(after)
        number = len(asked)
        failure = {"record": "Item", "key": number, "code": "x.y", "line": 1, "message": "no", "values": {}}
        following = str(number) if number < 5 else None
        return {"version": "2.0.0", "records": 1, "problems": [], "failures": [failure], "next": following}

    monkeypatch.setattr("hansa.client.client.Client.trial", trial)
    found = stock(RULED, "--dry-run", "--json").json
    assert (found["records"], len(found["failures"]), found["complete"]) == (5, 5, True)
    assert asked == [None, "1", "2", "3", "4"]
    asked.clear()
    monkeypatch.setattr(contract, "_FAILURES_MAX", 3)
    ran = stock(RULED, "--dry-run")
    assert ran.out.splitlines()[1] == "tried  on 3 record(s): 3 would fail, and did not look further"
    assert asked == [None, "1", "2"]


def test_only_deployers_upgrade(stock: Callable) -> None:
    told = "refused  nothing was sent: harbourline has no attribute ledger:deployer [role.denied]"
    long = WIDER + "# as long as a file may be\n" * 2_000
    for source in (WIDER, long):
        ran = stock(source, "--as", "harbourline")
        assert (ran.code, ran.out.splitlines()[1:]) == (4, [told])
    found = stock(WIDER, "--as", "harbourline", "--json")
    assert (found.code, found.json["code"], found.json["sent"]) == (4, "role.denied", False)


def test_what_cannot_be_upgraded(hansa: Callable, server: Any, stock: Callable, file: Callable) -> None:
    words, data = ("contract", "upgrade"), ("--dry-run", "--data", server.data)
    assert hansa(*words, "nothing", file("next.py", WIDER), *data, "--json").failed("contract.missing", 2)
    assert hansa(*words, "members", file("next.py", WIDER), *data).failed("contract.name", 2)
    told = hansa(*words, stock.name, file("maths.py", LIBRARY), *data, "--json").failed("contract.invalid")  # type: ignore[attr-defined]
    assert told.endswith("maths.py is a library: deploy it, and pin its digest in the contracts that use it")
    ran = stock(WIDER.replace("item.count", "item.counts"), "--as", "northbank")
    assert (ran.code, "1 finding(s)" in ran.out) == (1, True)
    assert stock(WIDER, "--json").failed("argument.value", 2).startswith("who signs?")


def test_a_deployed_contract_says_how_it_is_upgraded(hansa: Callable, server: Any, file: Callable) -> None:
    data = ("--as", "northbank", "--data", server.data)
    path = file("twice.py", STOCK)
    assert hansa("contract", "deploy", path, *data).code == 0
    again = hansa("contract", "deploy", path, *data, "--json").json["error"]
    assert again["code"] == "contract.name"
    assert again["remedy"].startswith("`hansa contract upgrade twice FILE` puts its next version there.")


# Libraries


def test_a_library_is_deployed_and_used(hansa: Callable, server: Any, file: Callable) -> None:
    maths, digest = file("maths.py", LIBRARY), hashlib.sha256(LIBRARY.encode()).hexdigest()
    data = ("--as", "northbank", "--data", server.data)
    use = f'import Contract, library, view\n\nmaths = library("maths", "{digest}")\n'
    view = "    @view\n    def go(tx) -> int:\n        return maths.double(21)\n"
    user = file("doubling.py", f'from hansa.contract {use}\n\nclass Doubling(Contract, version="1.0.0"):\n{view}')
    early = hansa("contract", "deploy", user, "--library", maths, *data)
    assert (early.code, "[contract.invalid]" in early.out) == (4, True), "the ledger has no such library"
    ran = hansa("contract", "deploy", maths, *data)
    assert ran.code == 0
    assert f"event    library.deployed: name=maths, digest={digest}" in ran.out
    again = hansa("contract", "deploy", maths, *data, "--json")
    assert again.failed("contract.name", 2) == "this library is on the ledger already"
    assert hansa("contract", "deploy", user, "--library", maths, *data).code == 0
    assert hansa("query", "doubling", "go", "--data", server.data).out == "42\n"
    changed = file("maths.py", LIBRARY.replace("n * 2", "2 * n"))
    assert hansa("contract", "deploy", changed, *data).code == 0, "a changed library is another one"


def test_libraries_on_the_ledger_need_no_file(hansa: Callable, server: Any, file: Callable) -> None:
    """One that uses another is found with it, for a deployment, a dry run and an upgrade."""
    data = ("--as", "northbank", "--data", server.data)
    one = LIBRARY.replace("double", "twice")
    use = 'from hansa.contract import library\n\none = library("one", "{}")\n\n\n'
    two = (
        use.format(hashlib.sha256(one.encode()).hexdigest()) + "def four(n: int) -> int:\n    return one.twice(2 * n)\n"
    )
    use = f'import Contract, library, view\n\ntwo = library("two", "{hashlib.sha256(two.encode()).hexdigest()}")\n'
    view = "    @view\n    def go(tx) -> int:\n        return two.four(3)\n"
    text = f'from hansa.contract {use}\n\nclass Fours(Contract, version="1.0.0"):\n{view}'
    user = file("fours.py", text)
    early = hansa("contract", "deploy", user, *data)
    assert (early.code, "[library.unknown]" in early.out, "give its file with --library FILE" in early.out) == (1, 1, 1)
    for name, source in (("one.py", one), ("two.py", two)):
        assert hansa("contract", "deploy", file(name, source), *data).code == 0
    assert hansa("contract", "deploy", user, "--dry-run", *data).code == 0
    assert hansa("contract", "deploy", user, *data).code == 0
    following = file("next.py", text.replace("1.0.0", "1.1.0").replace("four(3)", "four(4)"))
    assert hansa("contract", "upgrade", "fours", following, *data).code == 0
    assert hansa("query", "fours", "go", "--data", server.data).out == "16\n"


def test_a_library_of_another_digest_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, hansa: Callable, server: Any, file: Callable
) -> None:
    asked = []

    def get(node: Any, path: str, **query: str) -> Any:
        asked.append(query["key"])
        return {"seq": 5, "value": {"digest": query["key"], "name": "maths", "source": LIBRARY}}

    monkeypatch.setattr("hansa.client.client.Client.get", get)
    text = f'from hansa.contract import library\n\nmaths = library("maths", "{"ab" * 32}")\n'
    ran = hansa("contract", "deploy", file("more.py", text), "--dry-run", "--data", server.data)
    assert ran.failed("node.foreign").endswith("has another digest")
    assert asked == ["ab" * 32]


def test_a_library_is_checked_with_a_dry_run(hansa: Callable, server: Any, file: Callable) -> None:
    words = ("--dry-run", "--data", server.data)
    ran = hansa("contract", "deploy", file("dry.py", LIBRARY), *words)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "good  dry: 1 function(s), 0 struct(s), 0 enum(s)")
