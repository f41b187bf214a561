"""A fifth member joins four over real CometBFT: invited, admitted, level, trusted, counted; then nodes come and go.

One network for all of it, in order: each test goes on from where the one before left it.
"""

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hansa.cli import processes
from hansa.node import network as networks
from hansa.node.create import begin
from hansa.store.files import Disk
from hansa.wire import invite

YES = "--yes"
FOUNDERS = ("northbank", "harbourline", "eastmutual", "tradewatch")
SNAPSHOTS = 4, 1
"""The state is digested every so many entries, and the digest is an entry so many blocks later."""
WAIT_S = 30


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("joining")


@pytest.fixture(scope="module")
def started(engines: dict[str, Path]) -> tuple[object, ...]:
    """The options of commands that start nodes."""
    return ("--reserve-mb", 0, "--engine-binary", engines["cometbft"])


@pytest.fixture(scope="module")
def net(place: Path, hansa: Callable, started: tuple[object, ...]) -> Iterator[Path]:
    root = place / "net"
    try:
        with pytest.MonkeyPatch.context() as patch:  # snapshots far more often than anybody would have them
            patch.setattr(networks, "begin", partial(begin, snapshots=SNAPSHOTS))
            assert hansa("network", "new", root, "--topology", "multi-member", YES).code == 0
        up = hansa("network", "up", root, *started)
        assert up.code == 0, up
        yield root
    finally:
        for one in (place / "south", root):
            if one.exists():
                assert hansa("network", "destroy", one, YES).code == 0


@pytest.fixture(scope="module")
def south(place: Path) -> Path:
    return place / "south"


def decide(hansa: Callable, *words: object, by: tuple[Path, str], voters: list[tuple[Path, str]]) -> None:
    """Proposes something, and has it voted on."""
    data, member = by
    made = hansa("proposal", "new", *words, "--as", member, "--data", data / member, "--json")
    assert made.code == 0, made
    for folder, voter in voters:
        voted = hansa("proposal", "vote", made.json["id"], YES, "--as", voter, "--data", folder / voter)
        assert voted.code == 0, voted


def rename(hansa: Callable, root: Path, member: str) -> None:
    """Commits an entry by a member's own node."""
    change = ("--action", "set_member_data", f"member_id={member}", f"name={time.monotonic_ns()}")
    ran = hansa("proposal", "new", *change, "--as", member, "--data", root / member)
    assert ran.code == 0, ran


def settled(hansa: Callable, root: Path, state: str, nodes: int) -> dict[str, dict[str, Any]]:
    """The nodes by id, once the network is so and so many ready nodes have one root."""
    end = time.monotonic() + WAIT_S
    while True:
        found = hansa("network", "status", root, "--json").json
        ready = [one for one in found["nodes"] if one["state"] == "ready" and one["standing"] == "Trusted"]
        if found["state"] == state and len(ready) == nodes and len({one["root"] for one in ready}) == 1:
            return {one["id"]: one for one in found["nodes"]}
        assert time.monotonic() < end, found
        time.sleep(0.2)


def test_an_invite_says_what_the_ledger_has(hansa: Callable, net: Path, place: Path) -> None:
    file = place / "southbank.invite"
    for _ in range(3):
        rename(hansa, net, "northbank")
    made = hansa("network", "invite", net, "--member", "southbank", "--as", "harbourline", "--out", file, "--json")
    assert made.code == 0, made
    found = invite.read(file.read_bytes())
    assert (found.inviter, found.member, found.ledger.hex()) == ("harbourline", "southbank", made.json["ledger"])
    assert [one.id for one in found.nodes] == sorted(f"{member}-1" for member in FOUNDERS)
    assert all(one.url and one.peer and one.address for one in found.nodes)
    assert {one.id for one in found.members} == {*FOUNDERS}
    assert made.json["checkpoint"]["size"] == 4
    assert len(found.checkpoint) == 2, "of two members, so that one is honest where one of four is not"
    hansa("network", "invite", net, "--member", "southbank", "--out", file).failed("argument.exists", 2)
    detail = hansa("network", "invite", net, "--member", "x", "--as", "southbank").failed("argument.value", 2)
    assert detail.startswith("there is no member 'southbank'")


def test_a_stranger_waits_for_the_members(hansa: Callable, net: Path, south: Path, started: tuple[object, ...]) -> None:
    """It has its folder, and is let in by nobody; once admitted, its node follows and counts for nothing."""
    words = ("--invite", south.with_name("southbank.invite"), "--name", "South Bank", YES, "--json")
    asked = hansa("network", "join", south, *words, *started)
    assert (asked.code, asked.json["state"]) == (0, "to-admit"), asked
    founders = [(net, member) for member in FOUNDERS[:3]]
    decide(hansa, south / "southbank" / "admission.json", by=(net, "tradewatch"), voters=founders)
    joined = hansa("network", "join", south, *started)
    assert joined.code == 0, joined
    assert "with the state of the snapshot behind block" in joined.err
    nodes = settled(hansa, net, "healthy", 4)
    assert (nodes["southbank-1"]["standing"], nodes["southbank-1"]["power"]) == ("Pending", 0)
    assert nodes["southbank-1"]["root"] == nodes["northbank-1"]["root"]
    signed = hansa("receipt", "get", 1, "--k", 2, "--out", south.with_name("signed"), "--data", south / "southbank")
    assert signed.code == 0, signed
    assert "southbank" not in signed.out.partition("wrote")[0] + signed.err, "a pending node signs for nobody"
    again = hansa("network", "join", south, *started, "--json")
    assert (again.code, again.json["state"]) == (0, "to-trust"), again
    assert "hansa proposal new --action trust_node node_id=southbank-1" in again.out


def test_a_trusted_node_votes(hansa: Callable, net: Path, south: Path, started: tuple[object, ...]) -> None:
    """Without it and another one too few are left; without one of the first four it makes up for that one."""
    members = [(south, "southbank"), *((net, member) for member in FOUNDERS[:3])]
    trust = ("--action", "trust_node", "node_id=southbank-1")
    decide(hansa, *trust, by=(south, "southbank"), voters=members)
    joined = hansa("network", "join", south, *started, "--json")
    assert (joined.code, joined.json["state"]) == (0, "votes"), joined
    nodes = settled(hansa, net, "healthy", 5)
    assert len({one["power"] for one in nodes.values()}) == 1
    told = hansa("network", "status", south).out
    assert "tolerates that 1 of 5 members fails or lies" in told
    assert hansa("network", "stop", net, "tradewatch-1").code == 0
    rename(hansa, south, "southbank")
    settled(hansa, net, "degraded", 4)
    assert hansa("network", "stop", south).code == 0
    assert hansa("network", "status", net, "--json").json["state"] == "halted"
    assert hansa("network", "up", south, *started).code == 0
    assert hansa("network", "up", net, *started).code == 0
    settled(hansa, net, "healthy", 5)


@pytest.mark.parametrize("member", ["harbourline", "southbank"])
def test_a_receipt_by_all_five(hansa: Callable, net: Path, south: Path, place: Path, member: str) -> None:
    """By the node of whoever was there from the beginning, and by that of who came later."""
    rename(hansa, net, "eastmutual")
    nodes = settled(hansa, net, "healthy", 5)
    data = (south if member == "southbank" else net) / member
    seq = nodes[f"{member}-1"]["entries"] - 1
    assert hansa("receipt", "get", seq, "--k", 5, "--out", place / member, "--data", data).code == 0
    assert hansa("trust", "export", place / f"{member}.trust", "--data", data).code == 0
    pinned = ("--trust", place / f"{member}.trust", "--ledger", networks.load(Disk(), net).ledger)
    checked = hansa("receipt", "verify", place / f"{member}.receipts", *pinned, "--k", 5, "--json")
    assert checked.code == 0, checked
    assert "southbank" in json.dumps(checked.json)


def test_a_node_comes_and_another_leaves(hansa: Callable, net: Path, started: tuple[object, ...]) -> None:
    """A member's power stays its own, however many nodes it has."""
    hansa("network", "node", "add", net, "--member", "nobody", *started).failed("argument.value", 2)
    hansa("network", "node", "retire", net, "nobody-1", YES).failed("argument.value", 2)
    hansa("network", "node", "retire", net, "northbank-1", "--json").failed("argument.value", 2)
    added = hansa("network", "node", "add", net, "--member", "northbank", *started, "--json")
    assert (added.code, added.json["node"]["id"], added.json["todo"]) == (0, "northbank-2", []), added
    nodes = settled(hansa, net, "healthy", 6)
    power = {id: one["power"] for id, one in nodes.items()}
    assert power["northbank-1"] == power["northbank-2"] == power["harbourline-1"] // 2
    retired = hansa("network", "node", "retire", net, "northbank-1", YES, "--json")
    assert (retired.code, retired.json["stopped"]) == (0, ["northbank-1"]), retired
    nodes = settled(hansa, net, "healthy", 5)
    assert (nodes["northbank-1"]["standing"], nodes["northbank-1"]["power"]) == ("Retired", 0)
    assert nodes["northbank-2"]["power"] == nodes["harbourline-1"]["power"]
    rename(hansa, net, "northbank")
    hansa("network", "up", net, "northbank-1", *started).failed("network.retired")
    assert hansa("network", "up", net, *started, "--json").json["started"] == []
    assert processes.find(networks.node_folder(net, "northbank", "northbank-1")) is None


def test_both_folders_go(hansa: Callable, net: Path, south: Path) -> None:
    for root in (south, net):
        removed = hansa("network", "destroy", root, YES, "--json")
        assert (removed.code, removed.json["left"], root.exists()) == (0, [], False)
