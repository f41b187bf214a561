"""`hansa receipt` by several members: signed by real nodes, checked offline."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Server
from tests.client.several import Ledger, make_ledger
from tests.node.consortium import Founded

from hansa.client import keys as key_files
from hansa.client import transactions
from hansa.client.client import Client
from hansa.merkle import receipts
from hansa.node import peers
from hansa.store.files import Disk
from hansa.wire.problems import HansaError

# A node of several refuses to order for itself; here each does, so that two histories come of one beginning.
ALONE = (
    "-c",
    "from hansa.node import ordering; ordering._check_alone = lambda _: None; from hansa.cli.main import main; main()",
)


@pytest.fixture(scope="module")
def ledger(make_key: Callable[..., Any]) -> Ledger:
    return make_ledger(make_key)


@pytest.fixture
def prefix(ledger: Ledger, tmp_path: Path) -> Path:
    """The files of entry 3, signed by two nodes of acme and by beta."""
    write(ledger, tmp_path / "three", *(ledger.receipt(node) for node in ("a-1", "a-2", "b-1")))
    (tmp_path / "genesis.cbor").write_bytes(ledger.document)
    return tmp_path / "three"


def write(ledger: Ledger, prefix: Path, *messages: bytes) -> None:
    files = {"receipts": receipts.encode(list(messages)), "cose": messages[0], "entry": ledger.entry}
    for ending, data in (files | {"envelope": ledger.envelope, "outcome": ledger.outcome}).items():
        Path(f"{prefix}.{ending}").write_bytes(data)


@pytest.fixture
def verify(hansa: Callable[..., Any], prefix: Path, ledger: Ledger) -> Callable[..., Any]:
    """`hansa receipt verify` of these files, with what is trusted."""
    return lambda *words: hansa(
        "receipt", "verify", prefix, "--genesis", prefix.parent / "genesis.cbor", "--ledger", ledger.id.hex(), *words
    )


def test_members_are_counted_offline(verify: Callable[..., Any], prefix: Path, hansa: Callable[..., Any]) -> None:
    ran = verify("--k", "2")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("valid  entry 3 is in the ledger, as of 7 entries at ")
    assert "\nmembers  acme, beta signed it\n" in ran.out
    assert verify("--k", "default").out == ran.out
    words = ("--genesis", prefix.parent / "genesis.cbor", "--k", "2")
    assert "members  acme, beta signed it" in hansa("receipt", "verify", f"{prefix}.receipts", *words, "--quiet").out
    found = verify("--k", "2", "--json").json
    assert (found["valid"], found["members"], found["passed"]) == (True, ["acme", "beta"], [])
    assert [one["node"] for one in found["signatures"]] == ["a-1", "a-2", "b-1"]
    assert "members" not in verify("--json").json
    assert verify("--k", "3").failed("receipt.members") == "3 members must have signed, and acme, beta did"


def test_members_can_be_named(verify: Callable[..., Any]) -> None:
    assert verify("--members", "beta", "--json").json["members"] == ["beta"]
    assert verify("--members", "beta, acme").code == 0
    assert verify("--members", "beta,carl,dora", "--k", "1").code == 0
    assert verify("--members", "beta,carl").failed("receipt.members").startswith("2 members must have signed, and beta")
    for words in (["--members", "nobody"], ["--members", ""], ["--k", "9"], ["--members", "beta", "--k", "2"]):
        assert verify(*words).failed("argument.value", 2)
    assert verify("--k", "0").code == 2
    assert verify("--k", "many").code == 2


def test_one_receipt_is_one_member(verify: Callable[..., Any], prefix: Path) -> None:
    Path(f"{prefix}.receipts").unlink()
    assert verify("--k", "1", "--json").json["members"] == ["acme"]
    assert verify("--k", "2").failed("receipt.members")


def test_bad_receipts_are_told_beside_good_ones(verify: Callable[..., Any], prefix: Path, ledger: Ledger) -> None:
    write(ledger, prefix, ledger.receipt("a-1"), b"x", ledger.receipt("b-1"))
    ran = verify("--k", "2")
    assert ran.code == 0
    assert "\npassed   receipt 2 counts for nothing: " in ran.out
    assert verify("--k", "2", "--json").json["passed"][0]["place"] == 1
    write(ledger, prefix, b"x")
    assert verify("--k", "1").failed("receipt.form").startswith(f"{prefix}.receipts is no receipt: ")
    Path(f"{prefix}.receipts").write_bytes(b"x")
    assert verify("--k", "1").failed("receipt.form").startswith(f"{prefix}.receipts: ")


def test_a_split_view_names_who_signed_what(verify: Callable[..., Any], prefix: Path, ledger: Ledger) -> None:
    write(ledger, prefix, ledger.receipt("a-1"), ledger.receipt("b-1"), ledger.receipt("d-1", split=True))
    told = verify("--k", "1").failed("receipt.split")
    assert told.endswith(f"by acme (a-1), beta (b-1); {ledger.other.root().hex()} by dora (d-1)")
    problem = verify("--k", "1", "--json").json["error"]
    assert [one["member"] for one in problem["signers"]] == ["acme", "beta", "dora"]


def test_a_key_alone_counts_no_members(
    hansa: Callable[..., Any], verify: Callable[..., Any], prefix: Path, ledger: Ledger, tmp_path: Path
) -> None:
    (tmp_path / "a.pem").write_bytes(ledger.keys["a-1"].public.pem())
    ran = hansa("receipt", "verify", prefix, "--key", tmp_path / "a.pem", "--k", "1")
    assert ran.failed("argument.value", 2) == "a key alone does not say which member's it is"
    assert verify("--key", tmp_path / "a.pem", "--k", "1", "--json").json["members"] == ["acme"]
    assert verify("--key", tmp_path / "a.pem", "--k", "2").failed("receipt.members")


# Real nodes


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Founded, Server, Server]]:
    """Nodes of acme and of beta over loopback. Each orders for itself: they share the ledger's beginning alone."""
    made = Founded(tmp_path_factory.mktemp("nodes"))
    beta = Server(made.folders["b-1"].root, program=ALONE)
    peers.save(Disk(), made.folders["a-1"], [beta.url])
    acme = Server(made.folders["a-1"].root, program=ALONE)
    yield made, acme, beta
    acme.stop()
    beta.stop()


def test_two_nodes_sign_the_same_and_then_not(
    nodes: tuple[Founded, Server, Server], hansa: Callable[..., Any], tmp_path: Path
) -> None:
    made, acme, beta = nodes
    get = ("receipt", "get", "0", "--out", tmp_path / "r", "--url", acme.url, "--force")
    trusted = ("--genesis", acme.data / "genesis.cbor", "--ledger", acme.ledger)
    ran = hansa(*get, "--k", "2")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("signed by acme, beta\nwrote ")
    assert ran.out.endswith(f"{tmp_path}/r.receipts\n")
    assert "members  acme, beta signed it" in hansa("receipt", "verify", tmp_path / "r", *trusted, "--k", "2").out
    assert hansa("receipt", "verify", tmp_path / "r", *trusted).code == 0
    found = hansa(*get, "--k", "3", "--json").json
    assert (found["k"], found["members"], found["split"]) == (3, ["acme", "beta"], [])
    assert found["caution"] == "3 members were asked for, and only acme, beta signed."
    assert hansa(*get, "--k", "3").err == f"caution: {found['caution']}\n"
    assert hansa(*get, "--k", "default", "--json").json["k"] == 2
    assert hansa(*get, "--k", "5").failed("receipt.k") == "5 are asked for, and 4 have"
    for member, server in (("acme", acme), ("beta", beta)):
        with Client(server.url) as client, pytest.raises(HansaError, match="nowhere"):
            client.submit(transactions.prepare(made.members[member], made.ledger, "nowhere", "nothing", {}).envelope)
    found = hansa("receipt", "get", "1", *get[3:], "--k", "2", "--json").json
    assert (found["members"], found["split"]) == (["acme"], ["beta"])
    assert "only acme signed; beta signed another history of this ledger" in found["caution"]
    assert hansa("receipt", "verify", tmp_path / "r", *trusted, "--k", "2").failed("receipt.members")
    beta.stop()
    assert hansa(*get, "--k", "2", "--json").json["members"] == ["acme", "beta"]  # what it has from before
    key_files.save(made.members["acme"], tmp_path / "acme.pem")
    call = ("call", "members", "retire_key", f"key={'0' * 64}", "--key", tmp_path / "acme.pem", "--url", acme.url)
    ran = hansa(*call, "--receipt", tmp_path / "c", "--k", "2")
    assert (ran.code, ran.err) == (4, "caution: 2 members were asked for, and only acme signed.\n")
    assert "\nsigned   by acme\n" in ran.out
    assert ran.out.endswith(f"{tmp_path}/c.receipts\n")
    assert hansa("receipt", "verify", tmp_path / "c", *trusted, "--k", "1").code == 0
    assert hansa(*call, "--k", "2").failed("argument.value", 2) == "--k is for a receipt"


def test_without_a_node_nobody_is_asked(
    nodes: tuple[Founded, Server, Server], hansa: Callable[..., Any], tmp_path: Path
) -> None:
    made, _, _ = nodes
    copy = shutil.copytree(made.folders["c-1"].root, tmp_path / "copy")
    ran = hansa("receipt", "get", "0", "--out", tmp_path / "r", "--data", copy, "--k", "2")
    assert ran.failed("node.unreachable") == "no node runs over this folder, which could have others sign"
    assert not list(tmp_path.glob("r.*"))
