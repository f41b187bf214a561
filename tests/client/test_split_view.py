"""A split view is proven by what was signed, to whoever holds the ledger's id; what can all be true proves none."""

from collections.abc import Callable
from typing import Any

import cbor2
import msgspec
import pytest
from tests.client.consortium import Consortium, View, found

from hansa.client import split_view, verification
from hansa.client.verification import Sizes
from hansa.merkle import tree
from hansa.wire import cbor
from hansa.wire.keys import PrivateKey
from hansa.wire.split_view import Contradiction


@pytest.fixture(scope="module")
def consortium(make_key: Callable[[str, str], PrivateKey]) -> Consortium:
    return found(make_key, "Split")


def test_one_node_at_two_roots(consortium: Consortium) -> None:
    """Who shows two people two histories has signed both, and is named."""
    one, other = consortium.view("birch"), consortium.view("birch", forks_at=5)
    pair = split_view.contradiction(one.head(7), other.head(7))
    assert pair is not None
    told = split_view.verify(consortium.file(pair), consortium.ledger)
    (proven,) = told.contradictions
    assert (proven.how, proven.first.size, proven.second.size, proven.is_one_key) == ("root", 7, 7, True)
    assert [(one.node, one.member, str(one)) for one in told.equivocated] == [
        ("node-birch", "birch", "node-birch of birch")
    ]


def test_two_members_at_one_size(consortium: Consortium) -> None:
    """Which of the two it was is not said, since nothing shows it."""
    pair = split_view.contradiction(consortium.view("acme").head(7), consortium.view("corn", 6).head(7))
    assert pair is not None
    told = split_view.verify(consortium.file(pair), consortium.ledger)
    assert not told.equivocated
    assert [signer.member for signer in told.signers] == ["acme", "corn"]


@pytest.mark.parametrize("first", [1, 2, 3, 4, 5, 7, 8, 12])
@pytest.mark.parametrize("more", [1, 2, 5])
def test_two_members_at_different_sizes(consortium: Consortium, first: int, more: int) -> None:
    """Also where the smaller size is a power of two, whose root no consistency proof holds."""
    mine, theirs = consortium.view("acme"), consortium.view("corn", forks_at=first - 1)
    for one, other in ((mine, theirs), (theirs, mine)):
        pair = other.behind(one.bare(first), first, first + more)
        told = split_view.verify(consortium.file(pair), consortium.ledger)
        (proven,) = told.contradictions
        assert proven.how == "history"
        assert (proven.first.root, proven.before) == (one.head(first).root, other.head(first).root)
        assert [signer.kid for signer in told.signers] == [one.key.kid, other.key.kid]


def test_honest_nodes_at_different_sizes(consortium: Consortium, refused: Callable[..., Any]) -> None:
    mine, theirs = consortium.view("acme"), consortium.view("corn")
    for size in range(8, 12):
        assert split_view.contradiction(mine.head(7), theirs.head(size)) is None
        with refused("split.none"):
            pair = Contradiction(mine.bare(7), theirs.bare(size), None)
            split_view.verify(consortium.file(pair), consortium.ledger)
        with refused("split.none"):
            split_view.verify(consortium.file(theirs.behind(mine.bare(7), 7, size)), consortium.ledger)


def test_histories_that_part_only_later(consortium: Consortium, refused: Callable[..., Any]) -> None:
    """The larger tree begins with the smaller: there is no contradiction between these two heads yet."""
    mine, theirs = consortium.view("acme"), consortium.view("corn", forks_at=7)
    with refused("split.none"):
        split_view.verify(consortium.file(theirs.behind(mine.bare(7), 7, 9)), consortium.ledger)
    proven = split_view.verify(consortium.file(theirs.behind(mine.bare(8), 8, 9)), consortium.ledger)
    assert proven.contradictions[0].how == "history"


def test_a_receipt_for_another_entry_shows_nothing(consortium: Consortium, refused: Callable[..., Any]) -> None:
    mine, theirs = consortium.view("acme"), consortium.view("corn", forks_at=2)
    for seq in (6, 8):
        with refused("split.none"):
            split_view.verify(consortium.file(theirs.behind(mine.bare(7), seq, 10)), consortium.ledger)


@pytest.mark.parametrize(
    ("first", "second", "how"),
    [
        ((7, 50), (7, 51), "time"),
        ((7, 50), (9, 49), "time"),
        ((7, 50), (7, 50), None),
        ((7, 50), (9, 50), None),
    ],
)
def test_times_that_cannot_both_be_true(
    consortium: Consortium, first: tuple[int, int], second: tuple[int, int], how: str | None
) -> None:
    """The last entry has the time of its block in its outcome; ledger time never goes back."""
    sides = (("acme", *first), ("birch", *second))
    heads = [consortium.view(name).head(size, time=time) for name, size, time in sides]
    for one, other in (heads, heads[::-1]):
        pair = split_view.contradiction(one, other)
        assert (pair is None) == (how is None)
        if pair is not None:
            assert split_view.verify(consortium.file(pair), consortium.ledger).contradictions[0].how == how


def test_forged_signatures(consortium: Consortium, refused: Callable[..., Any]) -> None:
    mine, theirs = consortium.view("acme"), consortium.view("corn", forks_at=3)
    whole = {
        "checkpoint.invalid": Contradiction(mine.bare(7), theirs.bare(7), None),
        "receipt.invalid": theirs.behind(mine.bare(7), 7, 9),
    }
    for code, pair in whole.items():
        split_view.verify(consortium.file(pair), consortium.ledger)
        for part, told in (("first", "checkpoint.invalid"), ("second", code)):
            data = bytearray(getattr(pair, part))
            data[-1] ^= 1
            with refused(told):
                forged = msgspec.structs.replace(pair, **{part: bytes(data)})
                split_view.verify(consortium.file(pair, forged), consortium.ledger)


def test_a_path_that_was_changed(consortium: Consortium, refused: Callable[..., Any]) -> None:
    """Nobody is accused by hashes that were not signed for."""
    mine, theirs = consortium.view("acme"), consortium.view("corn")
    message = theirs.receipt(7, 9)
    for hash in tree.inclusion_path(7, 9, theirs.tiles(9).node):
        changed = message.replace(hash, bytes([hash[0] ^ 1]) + hash[1:])
        assert changed != message
        with refused("receipt.invalid"):
            pair = Contradiction(mine.bare(7), changed, theirs.leaf(7))
            split_view.verify(consortium.file(pair), consortium.ledger)
    with refused("receipt.invalid"):
        pair = Contradiction(mine.bare(7), message, theirs.leaf(6))
        split_view.verify(consortium.file(pair), consortium.ledger)


def test_a_foreign_ledger(
    consortium: Consortium, make_key: Callable[[str, str], PrivateKey], refused: Callable[..., Any]
) -> None:
    other = found(make_key, "Another")
    pair = Contradiction(consortium.view("acme").bare(7), consortium.view("acme", 3).bare(7), None)
    with refused("verify.genesis"):
        split_view.verify(consortium.file(pair), other.ledger)
    with refused("receipt.key_unknown"):
        split_view.verify(other.file(pair), other.ledger)
    elsewhere = View(other.ledger, consortium.keys["acme"], 3)
    with refused("verify.ledger"):
        mixed = Contradiction(consortium.view("acme").bare(7), elsewhere.bare(7), None)
        split_view.verify(consortium.file(mixed), consortium.ledger)
    trusted = verification.pin_genesis(other.document)
    with refused("verify.ledger"):
        split_view.verify(consortium.file(pair), None, trusted)


def test_a_head_that_hides_what_its_clock_is(consortium: Consortium, refused: Callable[..., Any]) -> None:
    with refused("verify.clock"):
        pair = Contradiction(consortium.view("acme").bare(7), consortium.view("acme", 3).bare(7, told=True), None)
        split_view.verify(consortium.file(pair), consortium.ledger)


def test_a_former_key_counts_for_its_time_and_is_told_as_one(
    consortium: Consortium, make_key: Callable[[str, str], PrivateKey], refused: Callable[..., Any]
) -> None:
    """Keys behind the genesis document are named by a trust file of the verifier's own alone."""
    later = make_key("es256", "another of acme")
    by_genesis = verification.pin_genesis(consortium.document)
    sizes = {key.kid: Sizes(f"node-{name}", 1, None) for name, key in consortium.keys.items()}
    former = consortium.keys["acme"].kid
    trusted = msgspec.structs.replace(
        by_genesis,
        keys={**by_genesis.keys, later.kid: later.public},
        head=consortium.view("birch").head(12),
        sizes={**sizes, former: Sizes("node-acme", 1, 8), later.kid: Sizes("node-acme", 10, None)},
    )
    old, new = View(consortium.ledger, consortium.keys["acme"], 3), View(consortium.ledger, later, 4)
    birch = consortium.view("birch")

    def proven(data: bytes) -> list[tuple[str, bool]]:
        told = split_view.verify(data, consortium.ledger, trusted)
        return [(str(signer), signer.is_former) for signer in told.signers]

    assert proven(consortium.file(old.behind(birch.bare(7), 7, 8))) == [
        ("node-birch of birch", False),
        ("node-acme of acme", True),
    ]
    assert proven(consortium.file(new.behind(birch.bare(7), 7, 11)))[1] == ("node-acme of acme", False)
    for view, size in ((old, 9), (new, 9)):
        with refused("receipt.span"):
            proven(consortium.file(view.behind(birch.bare(7), 7, size)))
    with refused("receipt.key_unknown"):
        split_view.verify(consortium.file(new.behind(birch.bare(7), 7, 11)), consortium.ledger)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"version": 1}, "split.version"),
        ({"more": 1}, "split.form"),
        ({"contradictions": []}, "split.form"),
        ({"contradictions": [{"first": b"", "second": b""}]}, "split.form"),
        ({"genesis": "text"}, "split.form"),
    ],
)
def test_what_is_no_such_file(
    consortium: Consortium, changes: dict[str, Any], code: str, refused: Callable[..., Any]
) -> None:
    pair = split_view.contradiction(consortium.view("acme").head(7), consortium.view("acme", 3).head(7))
    assert pair is not None
    value = {**cbor2.loads(consortium.file(pair)), **changes}
    with refused(code):
        split_view.verify(cbor.encode(value), consortium.ledger)
    for data in (b"", b"\xd2\x84", consortium.file(pair)[:-1], cbor.encode([1])):
        with refused("split.form"):
            split_view.verify(data, consortium.ledger)
