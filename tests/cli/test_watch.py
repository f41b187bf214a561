"""`hansa up --watch`: the ledger follows contract files; what goes wrong is told, and stops nothing."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hansa.cli import watch
from hansa.cli.watch import FILES_MAX, Changes, deployer, next_patch, with_version
from hansa.node.create import Founder, create_ledger
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire.problems import HansaError

SHOP = '''"""A shop."""

from hansa.contract import Contract, Int, Record, Text, action


class Shop(Contract, version="1.0.0"):
    class Thing(Record, key="id"):
        id: Text[1, 16]
        count: Int[0, 100]

    @action(by="member", creates="Thing")
    def put(tx, thing: Thing, id: Text[1, 16], count: Int[0, 100]):
        """Puts so many."""
'''
LIBRARY = "from hansa.contract import Int\n\n\ndef double(n: Int[0, 9]) -> int:\n    return n + n\n"
MARK = "from hansa.contract import Text\n"


class Watched:
    """A node that watches a folder."""

    def __init__(self, server: Any, folder: Path) -> None:
        self.server = server
        self.folder = folder

    def next(self) -> dict[str, Any]:
        """The next thing that it tells; waits for it."""
        line = self.server.process.stdout.readline()
        assert line, self.server.process.stderr.read()
        return json.loads(line)

    def write(self, name: str, text: str) -> dict[str, Any]:
        """Writes a file as editors do, beside it and then in its place; what is told of it."""
        new = self.folder / f".{name}.new"
        new.write_text(text)
        new.replace(self.folder / name)
        return self.next()


@pytest.fixture
def watched(start: Callable, tmp_path: Path) -> Iterator[Watched]:
    folder = tmp_path / "contracts"
    folder.mkdir()
    (folder / "notes.txt").write_text(MARK)
    (folder / "other.py").write_text("print('no contract')\n")
    server = start(tmp_path / "data", "--reserve-mb", "0", "--watch", str(folder))
    try:
        yield Watched(server, folder)
        assert server.stop() == 0
    finally:
        server.stop()


def test_the_ledger_follows_a_file(watched: Watched, hansa: Callable) -> None:
    data = watched.server.data
    told = watched.write("shop.py", SHOP)
    assert (told["watch"], told["event"], told["version"], told["seq"]) == ("shop", "deployed", "1.0.0", 1)
    put = ("call", "shop", "put", "id=a", "count=50", "--as", "harbourline", "--data", data)
    assert hansa(*put).code == 0

    told = watched.write("shop.py", SHOP.replace("Puts so many.", "Puts that many."))
    assert (told["event"], told["before"], told["version"], told["seq"]) == ("upgraded", "1.0.0", "1.0.1", 3)
    assert "tried on 1 record(s)" in told["detail"]
    assert 'version="1.0.0"' in (watched.folder / "shop.py").read_text(), "the file is its author's"
    there = hansa("contract", "show", "shop", "--source", "--data", data, "--json").json["source"]
    assert there == SHOP.replace("Puts so many.", "Puts that many.").replace("1.0.0", "1.0.1")

    told = watched.write("shop.py", SHOP.replace("Puts so many.", "Puts that many.").replace("1.0.0", "1.0.1"))
    assert (told["event"], told["version"]) == ("unchanged", "1.0.1")

    told = watched.write("shop.py", SHOP.replace("Int[0, 100]", "Int[0, 9]"))
    assert (told["event"], told["problems"]) == ("refused", ["Thing"])
    assert "1 would fail" in told["detail"]

    told = watched.write("shop.py", SHOP.replace("Text[1, 16]", "Txet[1, 16]"))
    assert (told["valid"], told["findings"][0]["instead"]) == (False, "did you mean `Text`?")
    told = watched.write("shop.py", SHOP[:150])
    assert (told["valid"], told["findings"][0]["code"]) == (False, "source.string")
    told = watched.write("shop.py", SHOP.replace("count: Int", "size: Int"))
    assert (told["event"], len(told["problems"])) == ("refused", 1)
    assert "size" in told["problems"][0]

    told = watched.write("shop.py", SHOP.replace("1.0.0", "3.0.0"))
    assert (told["event"], told["before"], told["version"]) == ("upgraded", "1.0.1", "3.0.0")
    told = watched.write("shop.py", SHOP)
    assert (told["event"], told["version"]) == ("unchanged", "3.0.0")


def test_libraries_come_before_what_uses_them(watched: Watched, hansa: Callable, tmp_path: Path) -> None:
    library = tmp_path / "maths.py"
    library.write_text(LIBRARY)
    digest = hansa("contract", "check", library, "--json").json["digest"]
    use = f'maths = library("maths", "{digest}")\n'
    (watched.folder / "a.py").write_text(
        f"from hansa.contract import Contract, library, view\n\n{use}\n\n"
        'class A(Contract, version="1.0.0"):\n    @view\n    def go(tx) -> int:\n        return maths.double(2)\n'
    )
    told = watched.next()
    assert told["findings"][0]["code"] == "library.unknown"
    told = watched.write("zz_maths.py", LIBRARY)
    assert (told["event"], told["digest"]) == ("deployed", digest)
    assert f'zz_maths = library("zz_maths", "{digest}")' in told["detail"]
    os.utime(watched.folder / "a.py", ns=(1, 1))
    told = watched.next()
    assert (told["watch"], told["event"]) == ("a", "deployed")
    os.utime(watched.folder / "zz_maths.py", ns=(1, 1))
    assert watched.next()["event"] == "unchanged"


def test_what_goes_wrong_is_told_and_stops_nothing(watched: Watched) -> None:
    told = watched.write("members.py", SHOP)
    assert (told["event"], told["code"]) == ("failed", "contract.name")
    (watched.folder / "deep").mkdir()
    assert watched.write("shop.py", SHOP)["event"] == "deployed"
    (watched.folder / "deep" / "shop.py").write_text(SHOP)
    told = watched.next()
    assert (told["event"], told["code"]) == ("failed", "contract.name")
    assert "is called shop already" in told["detail"]


def test_after_a_restart_nothing_is_upgraded_that_did_not_change(start: Callable, tmp_path: Path) -> None:
    file = tmp_path / "shop.py"
    file.write_text(SHOP)
    events: list[tuple[str, str]] = []
    for change in (SHOP, SHOP, SHOP.replace("so many", "many"), SHOP.replace("so many", "many")):
        file.write_text(change)
        server = start(tmp_path / "data", "--reserve-mb", "0", "--watch", str(file))
        told = Watched(server, tmp_path).next()
        events.append((told["event"], told["version"]))
        assert server.stop() == 0
    assert events == [("deployed", "1.0.0"), ("unchanged", "1.0.0"), ("upgraded", "1.0.1"), ("unchanged", "1.0.1")]


def test_it_watches_only_with_a_deployers_key_at_hand(hansa: Callable, tmp_path: Path) -> None:
    file, data = tmp_path / "shop.py", tmp_path / "data"
    file.write_text(SHOP)
    folder = Folder(data)
    create_ledger(Disk(), folder, "Ours", [Founder("acme", "Acme", deployer=True), Founder("bolt", "Bolt")])
    assert deployer(data, folder.genesis.read_bytes()) == "acme"
    (data / "keys" / "members" / "acme.pem").unlink()
    ran = hansa("up", "--data", data, "--port", "0", "--watch", file)
    assert "has no key of a member that may" in ran.failed("argument.value", 2)
    assert hansa("up", "--data", tmp_path / "new", "--port", "0", "--watch", tmp_path / "none").code == 2
    assert not (tmp_path / "new").exists()


def test_a_change_counts_once_it_has_come_to_rest(tmp_path: Path) -> None:
    file = tmp_path / "shop.py"
    changes = Changes([file])
    assert changes.poll() == []
    file.write_text(MARK)
    assert changes.poll() == [], "it may still be written"
    assert changes.poll() == [file]
    assert changes.poll() == []
    file.write_text(MARK + "#")
    assert changes.poll() == []
    file.write_text(MARK + "##")
    assert changes.poll() == [], "it was"
    assert changes.poll() == [file]
    file.unlink()
    assert changes.poll() == []
    other = tmp_path / "other"
    other.write_text(MARK + "##")
    other.replace(file)
    assert changes.poll() == []
    assert changes.poll() == [file], "another file of the same name"


def test_in_a_folder_contract_files_are_watched_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "a.py").write_text(MARK)
    (tmp_path / "in" / "b.py").write_text(MARK)
    (tmp_path / "test_a.py").write_text("import pytest\n")
    (tmp_path / "c.txt").write_text(MARK)
    changes = Changes([tmp_path])
    changes.poll()
    assert changes.poll() == [tmp_path / "a.py", tmp_path / "in" / "b.py"]
    for number in range(FILES_MAX):
        (tmp_path / f"n{number}.py").write_text(MARK)
    with pytest.raises(HansaError, match="at most 200"):
        changes.poll()


def test_what_is_no_regular_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "f.py")
    (tmp_path / "a.py").write_text(MARK)
    (tmp_path / "d.py").mkdir()
    changes = Changes([tmp_path])
    changes.poll()
    assert changes.poll() == [tmp_path / "a.py"]
    with pytest.raises(HansaError, match="neither a file nor a folder"):
        Changes([tmp_path / "f.py"])


def test_folders_of_tools_are_left_alone(tmp_path: Path) -> None:
    for folder in (".git", ".hidden/in", "__pycache__", "node_modules/x", "venv", "own/deep", "own"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "a.py").write_text(MARK)
    (tmp_path / "own" / "deep" / "pyvenv.cfg").write_text("")
    changes = Changes([tmp_path])
    changes.poll()
    assert changes.poll() == [tmp_path / "own" / "a.py"]


def test_files_in_folders_are_read_as_they_change_and_not_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    is_contract = watch._is_contract
    monkeypatch.setattr(watch, "_is_contract", lambda file: read.append(file) or is_contract(file))
    one, other = tmp_path / "a.py", tmp_path / "b.py"
    one.write_text(MARK)
    other.write_text("import pytest\n")
    changes = Changes([tmp_path])
    for _ in range(5):
        changes.poll()
    assert read == [str(one), str(other)]
    other.write_text(MARK + "# now a contract\n")
    changes.poll()
    assert changes.poll() == [other]
    assert read == [str(one), str(other), str(other)]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ('class A(Contract, version="1.0.0"):', 'class A(Contract, version="1.2.4"):'),
        ("class A(Contract, version='1.0.0'):", 'class A(Contract, version="1.2.4"):'),
        (
            'class A(\n    Contract,\n    version="1.0.0",  # é\n):',
            'class A(\n    Contract,\n    version="1.2.4",  # é\n):',
        ),
    ],
)
def test_a_version_is_put_in_and_nothing_else_changes(head: str, expected: str) -> None:
    text = '"""Version 1.0.0, é."""\n\nX = "version=\'1.0.0\'"\n\n\n{}\n    pass\n'
    assert with_version(text.format(head), next_patch("1.2.3")) == text.format(expected)
    assert with_version(LIBRARY, "9.9.9") == LIBRARY
