"""Joining by an invite: shown and asked for before anything is done, held against the ledger, and gone on with later.

The ledger is that of one process here: what nodes of a network do is in `test_joining_network.py`.
"""

import json
import shutil
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hansa.cli import node_steps
from hansa.cli.node_steps import Stage
from hansa.cli.output import Output
from hansa.client import invitation, keys, readiness
from hansa.client.client import Client
from hansa.merkle import checkpoint, receipt
from hansa.node import network as networks
from hansa.store.files import Disk
from hansa.wire import genesis, invite
from hansa.wire.keys import PrivateKey

YES = "--yes"
DAY_MS = 24 * 60 * 60 * 1000


@pytest.fixture(scope="module")
def signer(server: Any) -> PrivateKey:
    return keys.load(server.data / "keys" / "governance" / "northbank.pem")


@pytest.fixture(scope="module")
def head(server: Any) -> bytes:
    with Client(server.url) as node:
        return node.checkpoint().cose


@pytest.fixture(scope="module")
def sound(server: Any, signer: PrivateKey, head: bytes) -> invite.Invite:
    """An invite to the ledger that runs, for southbank."""
    document = genesis.decode((server.data / "genesis.cbor").read_bytes())
    return invite.Invite(
        key=signer.public.spki,
        name=document.name,
        wan=False,
        nodes=[invite.Node(id="node-1", member="northbank", url=server.url)],
        ledger=bytes.fromhex(server.ledger),
        member="southbank",
        inviter="northbank",
        members=[invite.Member(one.id, one.name, one.weight) for one in document.members],
        orderer="cometbft",
        version=invite.VERSION,
        not_after=time.time_ns() // 1_000_000 + DAY_MS,
        checkpoint=[head],
        constitution=invite.Constitution(document.constitution_lock, document.constitution),
    )


@pytest.fixture
def file(tmp_path: Path, sound: invite.Invite, signer: PrivateKey) -> Callable[..., Path]:
    """`file(signer, **change)`: an invite's file."""

    def make(key: PrivateKey = signer, **change: Any) -> Path:
        path = tmp_path / "southbank.invite"
        path.write_bytes(invite.seal(key, msgspec.structs.replace(sound, key=key.public.spki, **change)))
        return path

    return make


def left(tmp_path: Path) -> list[str]:
    """What lies beside the invite."""
    return [path.name for path in tmp_path.iterdir() if path.name != "southbank.invite"]


def test_it_is_shown_and_asked_for_before_anything_is_done(
    hansa: Callable, hansa_process: Callable, file: Callable, tmp_path: Path, sound: invite.Invite
) -> None:
    """Where nobody answers the answer is no: no node has been asked then, and nothing written."""
    with socket.create_server(("127.0.0.1", 0)) as node:
        url = f"http://127.0.0.1:{node.getsockname()[1]}"
        path = file(nodes=[invite.Node(id="node-1", member="northbank", url=url)])
        asked = hansa_process("network", "join", tmp_path / "south", "--invite", path)
        hansa("network", "join", tmp_path / "south", "--invite", path, "--json").failed("argument.value", 2)
        shown = hansa("network", "join", tmp_path / "south", "--invite", path, "--show")
        node.setblocking(False)
        with pytest.raises(BlockingIOError):
            node.accept()
    assert (asked.code, left(tmp_path)) == (130, [])
    assert "Join this ledger? [y/N]" in asked.err
    for told in (sound.ledger.hex(), sound.constitution.digest.hex(), "harbourline (Harbour Line Shipping)", url):
        assert told in asked.out
    assert "majority, as it comes with Hansa: Majority: more than half" in asked.out
    assert shown.code == 0
    assert sound.constitution.source.rstrip("\n") in shown.out


def test_a_stranger_s_words_steer_no_terminal(hansa: Callable, file: Callable, tmp_path: Path) -> None:
    """Nor is a constitution believed what it says of itself."""
    source = '"""Majority: as it comes with Hansa."""\n\x1b[2J\u202e'
    path = file(name="\x1b]0;x\x07\u202e", constitution=invite.Constitution(1000, source))
    shown = hansa("network", "join", tmp_path / "south", "--invite", path, "--show")
    assert all(one.isprintable() for line in shown.out.splitlines() for one in line)
    assert "one of its own, 2 lines" in shown.out
    assert (
        hansa("network", "join", tmp_path, "--invite", path, "--show", "--json").json["invite"]["constitution"][
            "source"
        ]
        == source
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"not_after": 1_700_000_000_000}, "invite.expired"),
        ({"not_after": 4_000_000_000_000}, "invite.form"),
        ({"checkpoint": [b"no checkpoint"]}, "invite.form"),
        ({"nodes": [invite.Node(id="n", member="m", url="http://192.0.2.1:80")]}, "peers.url"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_count_is_refused_before_it_is_asked_for(
    hansa: Callable, file: Callable, tmp_path: Path, change: dict[str, Any], code: str
) -> None:
    ran = hansa("network", "join", tmp_path / "south", "--invite", file(**change), YES)
    ran.failed(code)
    assert left(tmp_path) == []


def test_an_altered_invite_is_none(hansa: Callable, file: Callable, tmp_path: Path) -> None:
    path = file()
    path.write_bytes(path.read_bytes().replace(b"South", b"Sauth").replace(b"southbank", b"southbamk"))
    hansa("network", "join", tmp_path / "south", "--invite", path, YES).failed("invite.proof")
    path.write_bytes(b"x" * (invite.BYTES_MAX + 10))
    hansa("network", "join", tmp_path / "south", "--invite", path, YES).failed("invite.form")
    hansa("network", "join", tmp_path / "south", YES).failed("argument.value", 2)
    assert left(tmp_path) == []


def test_it_must_be_to_the_ledger_that_is_meant(hansa: Callable, file: Callable, tmp_path: Path) -> None:
    """By the id that was told by another way; and a node that keeps another gives no document of it."""
    ran = hansa("network", "join", tmp_path / "south", "--invite", file(), "--ledger", "00" * 32, YES)
    ran.failed("invite.ledger")
    refused = hansa("network", "join", tmp_path / "south", "--invite", file(ledger=bytes(32), checkpoint=[]), YES)
    detail = refused.err
    assert "[invite.nodes]" in detail
    assert "keeps ledger" in detail
    other = hansa("network", "join", tmp_path / "south", "--invite", file(name="Another"), YES)
    assert "[invite.ledger]" in other.err
    assert left(tmp_path) == []


def test_who_signs_must_be_who_it_says(hansa: Callable, file: Callable, server: Any, tmp_path: Path) -> None:
    """A key of the ledger that is another's, or for something else, is refused with the genesis document."""
    for kind, name in (("governance", "harbourline"), ("members", "northbank")):
        key = keys.load(server.data / "keys" / kind / f"{name}.pem")
        ran = hansa("network", "join", tmp_path / "south", "--invite", file(key), YES, "--quiet")
        assert "[invite.signer]" in ran.err, ran
    assert left(tmp_path) == []


def test_a_checkpoint_must_be_signed_by_whose_key_it_names(
    hansa: Callable, file: Callable, head: bytes, tmp_path: Path
) -> None:
    found = receipt.read_bare(head)
    forged = receipt.bare(msgspec.structs.replace(found, root=bytes(32)))
    ran = hansa("network", "join", tmp_path / "south", "--invite", file(checkpoint=[forged]), YES)
    assert "[invite.history]" in ran.err
    assert left(tmp_path) == []


def test_one_s_own_node_has_the_last_word(
    refused: Callable, server: Any, sound: invite.Invite, make_key: Callable
) -> None:
    """What genesis does not know may have come later: the node that ran all of it knows."""
    with Client(server.url) as node:
        invitation.check_node(sound, node)
        last = receipt.read_bare(sound.checkpoint[0])
        early = node.get_bytes("/app/checkpoints/1", accept="application/cose")
        invitation.check_node(msgspec.structs.replace(sound, checkpoint=[early]), node)
        own = keys.load(server.data / "keys" / "checkpoint.pem")
        other = make_key("es256", "mallory")

        def signed(by: PrivateKey, size: int = last.size, root: bytes = last.root) -> list[bytes]:
            return [receipt.bare(checkpoint.sign(last.ledger, size, last.time, root, by))]

        for change, code in (
            ({"key": other.public.spki}, "invite.signer"),
            ({"inviter": "harbourline"}, "invite.signer"),
            ({"checkpoint": signed(other)}, "invite.history"),
            ({"checkpoint": signed(own, root=bytes(32))}, "invite.history"),
            ({"checkpoint": signed(own, size=2, root=bytes(32))}, "invite.history"),
            ({"checkpoint": signed(own, size=last.size + 1)}, "invite.history"),
        ):
            with refused(code):
                invitation.check_node(msgspec.structs.replace(sound, **change), node)


def test_whether_others_have_what_one_s_own_node_has(refused: Callable, server: Any, head: bytes) -> None:
    """Who does not answer, or is no node of the ledger, counts for nothing; another root for the same size is told."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        silent = f"http://127.0.0.1:{gone.getsockname()[1]}"
    with Client(server.url) as own:
        newest = readiness.newest(own, "node-1")
        assert newest is not None
        assert receipt.bare(newest) == head
        assert readiness.newest(own, "node-2") is None
        assert readiness.agreeing(own, newest, [silent, server.url], 2, besides="southbank") == {"northbank"}
        assert readiness.agreeing(own, newest, [server.url], 1, besides="northbank") == set()
        assert readiness.agreeing(own, newest, [silent], 1, besides="southbank") == set()
        with refused("ledger.forked"):
            readiness.agreeing(
                own, msgspec.structs.replace(newest, root=bytes(32)), [server.url], 1, besides="southbank"
            )
        assert readiness.node_records(own)["node-1"]["state"] == "Trusted"


def test_a_node_that_does_not_come_up_says_why(
    hansa: Callable, refused: Callable, file: Callable, server: Any, tmp_path: Path, sound: invite.Invite
) -> None:
    """It is given up, and what it said last is told."""
    root = tmp_path / "south"
    assert hansa("network", "join", root, "--invite", file(), YES).code == 0
    (_, node), *_ = networks.load(Disk(), root).nodes()
    stage = Stage(root, "southbank", node, sound.ledger, [server.url])
    out = Output(json=True, quiet=True, color=False)
    node_steps.copy(out, stage, 0)
    (stage.folder.keys / "node.pem").chmod(0o644)
    with refused("network.start") as caught:
        node_steps.start(out, stage, ())
    assert "its mode is 644 [key.exposed]; its log is " in caught.value.detail


def test_a_folder_with_keys_and_no_ledger_yet(hansa: Callable, file: Callable, server: Any, tmp_path: Path) -> None:
    root = tmp_path / "south"
    made = hansa("network", "join", root, "--invite", file(), "--name", "South Bank", YES, "--json")
    assert (made.code, made.json["state"], made.json["invite"]["ledger"]) == (0, "to-admit", server.ledger)
    own = root / "southbank"
    assert not (own / "southbank-1" / "genesis.cbor").exists()
    private = sorted(str(path.relative_to(own)) for path in own.rglob("*.pem"))
    assert private == [
        "keys/governance/southbank.pem",
        "keys/members/southbank.pem",
        "southbank-1/keys/checkpoint.pem",
        "southbank-1/keys/node.pem",
    ]
    secret = [*(own / path for path in private), *own.glob("*/engine/config/*_key.json")]
    assert [stat.S_IMODE(path.stat().st_mode) for path in secret] == [0o600] * 6
    admission = (own / "admission.json").read_text()
    assert "PRIVATE" not in admission
    assert json.loads(admission)["actions"][0]["args"]["name"] == "South Bank"
    again = hansa("network", "join", root)
    assert again.code == 0
    assert "is no member of the ledger yet" in again.out
    assert {path: path.read_bytes() for path in own.rglob("*.pem")} == {
        own / p: (own / p).read_bytes() for p in private
    }
    hansa("network", "join", root, "--ledger", "00" * 32).failed("invite.ledger")
    hansa("network", "join", root, "--invite", file(member="westbank")).failed("argument.value", 2)
    proposed = hansa("proposal", "plan", own / "admission.json", "--as", "northbank", "--data", server.data)
    assert proposed.code == 0, proposed
    gone = hansa("network", "destroy", root, YES, "--json")
    assert (gone.code, gone.json["left"], root.exists()) == (0, [], False)


def test_keys_that_were_made_before(hansa: Callable, file: Callable, tmp_path: Path) -> None:
    assert hansa("member", "key", "new", f"{tmp_path}/kept/").code == 0
    root = tmp_path / "south"
    assert hansa("network", "join", root, "--invite", file(), "--keys", tmp_path / "kept", YES).code == 0
    for purpose, kind in (("governance", "governance"), ("transaction", "members")):
        made = root / "southbank" / "keys" / kind / "southbank.pem"
        assert made.read_bytes() == (tmp_path / "kept" / f"{purpose}.pem").read_bytes()
    shutil.rmtree(root)
    hansa("network", "join", root, "--invite", file(), "--keys", tmp_path, YES).failed("key.file")
    assert not root.exists()


def test_nothing_is_left_where_no_node_answers(hansa: Callable, file: Callable, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"
    path = file(nodes=[invite.Node(id="node-1", member="northbank", url=url)])
    ran = hansa("network", "join", tmp_path / "south", "--invite", path, YES)
    assert "[invite.nodes]" in ran.err
    assert left(tmp_path) == []
