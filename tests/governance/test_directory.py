"""The directory: who a key speaks for, what a member may, what the limits are; from writes and from records alike."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hansa.contracts import program
from hansa.contracts.faults import Fault
from hansa.governance import directory as directory_module
from hansa.governance import genesis as governance_genesis
from hansa.governance.directory import Directory
from hansa.node.recovery import load_directory
from hansa.store.journal import Location
from hansa.store.state import BlockPlace, Entered, State
from hansa.wire import cbor, writes
from hansa.wire.genesis import Genesis
from hansa.wire.keys import PrivateKey

CONTRACT = """
from hansa.contract import Contract, Record, Text, action

class Notes(Contract, version="3.2.1"):
    class Note(Record, key="id", index=["about"]):
        id: Text[1, 9]
        about: Text[1, 9]

    @action(by="member", creates="Note")
    def write(tx, note: Note, id: Text[1, 9], about: Text[1, 9]):
        pass
"""


def contents(directory: Directory) -> dict[str, Any]:
    """All that a directory knows, in a form that can be compared."""
    return {
        "senders": {
            kid: (s.key.spki, s.member, s.user, s.is_governor, s.until) for kid, s in directory.senders.items()
        },
        "former": {kid: (s.key.spki, s.member, s.user) for kid, s in directory.former.items()},
        "spans": {kid: (span.key.spki, span.first, span.last) for kid, span in directory.checkpoint_spans.items()},
        "members": directory.members,
        "constitution": directory.constitution,
        "paused": directory.paused,
        "checkpoint keys": {kid: key.spki for kid, key in directory.checkpoint_keys.items()},
        "attributes": directory.attributes,
        "limits": directory.limits,
        "name": directory.name,
        "programs": {name: (p.manifest, p.digest) for name, p in directory.programs.items()},
    }


def test_a_key_speaks_for_its_member_or_user(ledger: Any, make_key: Callable[[str, str], PrivateKey]) -> None:
    def sender(name: str, kind: str = "eddsa") -> tuple[str, str | None]:
        found = ledger.directory.senders[make_key(kind, name).kid]
        assert found.key.spki == make_key(kind, name).public.spki
        return found.member, found.user

    assert sender("acme") == ("acme", None)
    assert sender("acme second", "es256") == ("acme", None)
    assert sender("bolt") == ("bolt", None)
    assert sender("ann") == ("acme", "acme/ann")
    assert sender("ben", "es256") == ("bolt", "bolt/ben")
    assert len(ledger.directory.senders) == 9


def test_keys_of_nodes_sign_no_transactions(ledger: Any, make_key: Callable[[str, str], PrivateKey]) -> None:
    for name in ("node-1", "node-2"):
        own, checkpoints = make_key("es256", f"{name} own").kid, make_key("es256", f"{name} checkpoints").kid
        assert own not in ledger.directory.senders
        assert own not in ledger.directory.checkpoint_keys
        assert checkpoints not in ledger.directory.senders
        assert ledger.directory.checkpoint_keys[checkpoints].kid == checkpoints
    assert len(ledger.directory.checkpoint_keys) == 2


def test_keys_of_members_sign_no_checkpoints(ledger: Any, make_key: Callable[[str, str], PrivateKey]) -> None:
    assert make_key("eddsa", "acme").kid not in ledger.directory.checkpoint_keys


def test_members_and_their_attributes(ledger: Any) -> None:
    assert ledger.directory.attributes == {
        "acme": frozenset({"a:y", "b:x", "ledger:deployer"}),
        "bolt": frozenset({"b:x"}),
        "zeta": frozenset({"ledger:deployer", "zz"}),
    }


@pytest.mark.parametrize(("name", "is_member"), [("acme", True), ("zeta", True), ("acme/ann", False), ("", False)])
def test_who_is_a_member(ledger: Any, name: str, is_member: bool) -> None:
    assert ledger.directory.is_member(name) == is_member


def test_the_limits_and_the_name_are_those_of_genesis(ledger: Any, founding: Genesis) -> None:
    assert (ledger.directory.limits, ledger.directory.name) == (founding.limits, "The test ledger")


@pytest.mark.parametrize(
    ("contract", "record", "indexes"),
    [
        ("members", "User", ("member",)),
        ("members", "Key", ("owner", "holder")),
        ("members", "Member", ("removed",)),
        ("members", "Limits", ()),
        ("members", "Nothing", ()),
        ("nothing", "User", ()),
        ("notes", "Note", ("about",)),
    ],
)
def test_the_indexes_follow_what_is_deployed(ledger: Any, contract: str, record: str, indexes: tuple[str, ...]) -> None:
    assert ledger.directory.indexes_of("notes", "Note") == ()
    ledger.take("deploy", "acme", name="notes", source=CONTRACT)
    assert ledger.directory.indexes_of(contract, record) == indexes


def test_writes_of_other_contracts_are_passed_over(ledger: Any) -> None:
    before = contents(ledger.directory)
    forged = writes.make("notes", "Member", "mallory", cbor.encode({"id": "mallory", "attributes": []}), None)
    ledger.directory.apply(1, [forged])
    assert contents(ledger.directory) == before


def test_a_new_value_of_a_record_takes_the_place_of_the_old(ledger: Any) -> None:
    value = cbor.encode({"id": "bolt", "attributes": ["new"], "weight": 7, "removed": False})
    ledger.directory.apply(1, [writes.make("members", "Member", "bolt", value, 0)])
    assert ledger.directory.attributes["bolt"] == frozenset({"new"})
    assert ledger.directory.members["bolt"].weight == 7


def test_the_directory_from_records_is_the_one_from_writes(ledger: Any, founding: Genesis, tmp_path: Path) -> None:
    deployed = ledger.run("deploy", "zeta", name="notes", source=CONTRACT).writes
    ledger.directory.apply(1, deployed)
    state = State(tmp_path / "state", ledger.directory.indexes_of)
    try:
        entered = [
            Entered(0, bytes(32), 0, governance_genesis.writes(founding)),
            Entered(1, bytes(31) + b"1", 0, deployed),
        ]
        state.apply(BlockPlace(0, 0, Location(0, 4096, 1)), entered)
        again = Directory(governance_genesis.members_program(founding))
        load_directory(again, state)
    finally:
        state.close()
    assert contents(again) == contents(ledger.directory)
    assert "notes" in again.programs


def test_many_members_are_all_read_back(founding: Genesis, tmp_path: Path) -> None:
    """More than one page of records."""
    counters = {"attributes": [], "weight": 1, "removed": False}
    ids = [f"m{n:04}" for n in range(2_001)]
    made = [writes.make("members", "Member", id, cbor.encode({"id": id, **counters}), None) for id in ids]
    directory = Directory(governance_genesis.members_program(founding))
    state = State(tmp_path / "state", directory.indexes_of)
    try:
        state.apply(BlockPlace(0, 0, Location(0, 4096, 1)), [Entered(0, bytes(32), 0, made)])
        load_directory(directory, state)
    finally:
        state.close()
    assert sorted(directory.attributes) == [f"m{n:04}" for n in range(2_001)]


def test_a_contract_has_the_version_of_its_file(ledger: Any) -> None:
    assert ledger.directory.contract_version("notes", CONTRACT) == "3.2.1"


@pytest.mark.parametrize(
    "name", ["members", "", "Notes", "9notes", "_notes", "no tes", "no-tes", "notes\n", "nötes", "a" * 49]
)
def test_a_name_that_is_taken_or_no_name_is_refused(ledger: Any, name: str) -> None:
    with pytest.raises(Fault) as caught:
        ledger.directory.contract_version(name, CONTRACT)
    assert (caught.value.code, caught.value.values) == ("contract.name", {"name": name[:48]})


def test_a_file_with_findings_is_refused_without_them(ledger: Any) -> None:
    with pytest.raises(Fault) as caught:
        ledger.directory.contract_version("notes", CONTRACT + "        x = 1 / 2\n" * 30)
    assert (caught.value.code, caught.value.values) == ("contract.invalid", {})


def test_the_limits_of_a_sender_can_be_compared(founding: Genesis) -> None:
    """What `apply` takes from a Limits record are the fields of `wire.genesis.Limits`, no more and no fewer."""
    declared = governance_genesis.members_program(founding).shapes["Limits"].codecs
    assert set(declared) - {"scope", "changed"} == set(msgspec.structs.asdict(founding.limits))


def test_a_deployment_is_loaded_once(ledger: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checking made the program that its record puts to use; another file or name of it is loaded for itself."""
    directory, loaded = ledger.directory, []
    monkeypatch.setattr(directory_module, "load", lambda *of: loaded.append(of) or program.load(*of))
    directory.contract_version("notes", CONTRACT)
    for name, source in (("notes", CONTRACT), ("other", CONTRACT), ("notes", CONTRACT + "\n")):
        directory.apply_record("Version", cbor.encode({"contract": name, "source": source}), 5)
        assert directory.programs[name].digest == hashlib.sha256(source.encode()).digest()
        assert directory.programs[name].manifest.name == name
    assert [of[:2] for of in loaded] == [(CONTRACT, "notes"), (CONTRACT, "other"), (CONTRACT + "\n", "notes")]
