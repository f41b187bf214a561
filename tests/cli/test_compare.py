"""`hansa compare` and `hansa verify`: nodes that show different ledgers, and the file that proves it.

And the page docs/how-to/compare-members.md, line by line.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.client.consortium import NAMES, Consortium, Nodes, Shows, View, found
from tests.docs.test_how_to import blocks

from hansa.cli import compare
from hansa.client import client as client_module
from hansa.wire.keys import PrivateKey
from hansa.wire.split_view import Contradiction

URLS = [f"http://{name}" for name in NAMES]


@pytest.fixture(scope="module")
def consortium(make_key: Callable[[str, str], PrivateKey]) -> Consortium:
    return found(make_key, "Command")


@pytest.fixture
def nodes(consortium: Consortium, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Shows]:
    """Three nodes that agree, at different sizes; tests run in an empty folder."""
    shows = {
        url: Shows(consortium.document, consortium.view(name), size)
        for url, name, size in zip(URLS, NAMES, (7, 9, 9), strict=True)
    }
    monkeypatch.setattr(client_module, "Connections", lambda _: Nodes(shows))
    monkeypatch.chdir(tmp_path)
    return shows


def test_nodes_that_agree(hansa: Callable[..., Any], nodes: dict[str, Shows], consortium: Consortium) -> None:
    ran = hansa("compare", *URLS, "--ledger", consortium.ledger.hex())
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("They agree: all that is shown is of one history.\n")
    assert "http://birch  9        2023-11-14 22:13:20 UTC  node-birch of birch  " in ran.out
    assert not Path("split-view.cbor").exists()
    ran = hansa("compare", *URLS)
    assert (ran.code, ran.err.split(":")[0]) == (0, "caution")


def test_a_split_view_is_proven_offline(
    hansa: Callable[..., Any], nodes: dict[str, Shows], consortium: Consortium
) -> None:
    nodes[URLS[1]].view = consortium.view("birch", forks_at=5)
    ledger = ("--ledger", consortium.ledger.hex())
    ran = hansa("compare", *URLS, *ledger)
    assert ran.code == 1
    assert "view 1   http://acme, http://corn\nview 2   http://birch\n" in ran.out
    assert "at least one has signed what is false" in ran.out
    nodes.clear()
    ran = hansa("verify", "split-view.cbor", *ledger)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("valid    a split view: 2 pairs of signed heads that cannot both be true\n")
    told = hansa("verify", "split-view.cbor", *ledger, "--json").json
    assert (told["valid"], told["pinned"], told["equivocated"]) == (True, True, [])
    assert [(one["member"], one["node"]) for one in told["signers"]] == [
        ("acme", "node-acme"),
        ("birch", "node-birch"),
        ("corn", "node-corn"),
    ]
    assert [pair["how"] for pair in told["contradictions"]] == ["history", "root"]
    Path("genesis.cbor").write_bytes(consortium.document)
    assert hansa("verify", "split-view.cbor", "--genesis", "genesis.cbor").code == 0
    assert hansa("verify", "split-view.cbor").err.startswith("caution: pinned to nothing")
    data = bytearray(Path("split-view.cbor").read_bytes())
    data[-1] ^= 1
    Path("split-view.cbor").write_bytes(data)
    assert hansa("verify", "split-view.cbor", *ledger).failed("checkpoint.invalid")


def test_by_what_a_proof_is_verified_is_told(
    consortium: Consortium, make_key: Callable[[str, str], PrivateKey]
) -> None:
    """A key from after genesis is in no file that the id alone pins."""
    one, other = consortium.view("acme"), consortium.view("acme", forks_at=2)
    pair = Contradiction(one.bare(7), other.bare(7), None)
    assert compare._by(consortium.file(pair)) == f"--ledger {consortium.ledger.hex()}"
    later = View(consortium.ledger, make_key("es256", "a later key"), 2)
    pair = Contradiction(one.bare(7), later.bare(7), None)
    assert compare._by(consortium.file(pair)).startswith("--trust FILE")


def test_one_node_that_shows_two_histories(
    hansa: Callable[..., Any], nodes: dict[str, Shows], consortium: Consortium
) -> None:
    kept = Path("kept.cose")
    kept.write_bytes(consortium.view("birch", forks_at=5).bare(8))
    words = ("compare", URLS[1], "--head", kept, "--ledger", consortium.ledger.hex())
    ran = hansa(*words, "--out", "proof", "--json")
    assert (ran.code, ran.json["verdict"], ran.json["proof"]) == (1, "split", "proof")
    assert hansa(*words, "--out", "proof").failed("argument.exists", 2)
    assert hansa(*words, "--out", "proof", "--force").code == 1
    ran = hansa("verify", "proof", "--ledger", consortium.ledger.hex())
    assert "shown    node-birch of birch signed both of two heads that cannot both be true\n" in f"{ran.out}\n"
    assert "at least one" not in ran.out


def test_what_is_not_shown_is_no_proof(
    hansa: Callable[..., Any], nodes: dict[str, Shows], consortium: Consortium
) -> None:
    del nodes[URLS[2]]
    ran = hansa("compare", *URLS, "--ledger", consortium.ledger.hex())
    assert ran.code == 3
    assert ran.out.startswith("Not known: no contradiction is proven, and not everything was shown.\n")
    assert "open     http://corn: nobody is there\n         That proves nothing against anybody." in ran.out
    assert not Path("split-view.cbor").exists()
    assert hansa("compare", *URLS[2:], "--head", "none").failed("argument.file", 2)


def test_receipts_are_verified_too(hansa: Callable[..., Any], nodes: dict[str, Shows], consortium: Consortium) -> None:
    view = consortium.view("acme")
    Path("r.cose").write_bytes(view.receipt(3, 7))
    Path("r.entry").write_bytes(view.leaf(3))
    Path("genesis.cbor").write_bytes(consortium.document)
    for name in ("r", "r.cose", "r.entry"):
        ran = hansa("verify", name, "--genesis", "genesis.cbor")
        # The signature is good, and the leaf of these trees is no entry.
        assert ran.failed("entry.form").startswith("r.entry is no entry")


def test_the_page_does_what_it_says(
    hansa: Callable[..., Any], nodes: dict[str, Shows], consortium: Consortium, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = consortium.ledger.hex()
    nodes |= {f"http://127.0.0.1:{8101 + at}": nodes[url] for at, url in enumerate(URLS)}
    lines = [line for block in blocks("compare-members.md", "sh") for line in block.splitlines()]
    compared, fetched, again, verified = (line.replace("ID", ledger).split() for line in lines)
    assert hansa(*compared[1:]).code == 0
    assert (fetched[0], fetched[-1]) == ("curl", "theirs.cose")
    Path("theirs.cose").write_bytes(consortium.view("birch", forks_at=5).bare(8))
    assert hansa(*again[1:]).code == 1
    ran = hansa(*verified[1:])
    told = ran.out.replace(ledger, "ID")
    told = re.sub(r"20\d\d-\S+ \S+ UTC", "TIME", re.sub(r"\b[0-9a-f]{64}\b", "ROOT", told))
    assert [told] == blocks("compare-members.md", "text")
    (program,) = blocks("compare-members.md", "python")
    exec(program.replace("ID", ledger), {})
    assert capsys.readouterr().out == (
        "a split view, signed by node-birch of birch\n"
        "not shown: theirs alone does not say how its 8 entries continue 7\n"
    )
    assert hansa("verify", "proof-2.cbor", "--ledger", ledger).code == 0
