"""What members have signed together, offline: members are counted, and whoever signed another history is named."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.client.conftest import TIME, outcome_of
from tests.client.several import Ledger, make_ledger

from hansa.client import agreement, verification
from hansa.client.agreement import Agreement
from hansa.client.verification import Pinned, Sizes
from hansa.merkle import checkpoint, receipt, receipts, tree
from hansa.wire import entry
from hansa.wire.keys import PrivateKey


@pytest.fixture(scope="module")
def ledger(make_key: Callable[[str, str], PrivateKey]) -> Ledger:
    return make_ledger(make_key)


@pytest.fixture(scope="module")
def pinned(ledger: Ledger) -> Pinned:
    return verification.pin_genesis(ledger.document, ledger.id)


@pytest.fixture
def check(ledger: Ledger, pinned: Pinned) -> Callable[..., Agreement]:
    def check(messages: list[bytes], k: int, members: set[str] | None = None, trusted: Pinned = pinned) -> Agreement:
        return agreement.verify(messages, ledger.entry, trusted, k, members)

    return check


def spoiled(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def codes(found: Agreement) -> list[tuple[int, str]]:
    return [(one.place, one.code) for one in found.passed]


def test_members_that_signed_the_same_are_counted(ledger: Ledger, pinned: Pinned) -> None:
    messages = [ledger.receipt(node) for node in ("c-1", "a-1", "b-1")]
    found = agreement.verify(messages, ledger.entry, pinned, 3, envelope=ledger.envelope, outcome=ledger.outcome)
    assert found.members == ["acme", "beta", "carl"]
    assert [(one.member, one.node) for one in found.signatures] == [("carl", "c-1"), ("acme", "a-1"), ("beta", "b-1")]
    assert [one.kid for one in found.signatures] == [ledger.keys[node].kid for node in ("c-1", "a-1", "b-1")]
    assert (found.receipt, found.passed) == (messages[0], [])
    assert (found.proven.seq, found.proven.size, found.proven.signer) == (3, 7, "acme")
    assert found.proven.outcome == entry.decode_outcome(ledger.outcome)


def test_two_nodes_of_one_member_and_one_receipt_twice_count_once(
    ledger: Ledger, check: Callable[..., Agreement], refused: Callable[..., Any]
) -> None:
    messages = [ledger.receipt("a-1"), ledger.receipt("a-2"), ledger.receipt("a-1")]
    assert check(messages, 1).members == ["acme"]
    with refused("receipt.members") as caught:
        check(messages, 2)
    assert caught.value.fields == {"members": ["acme"], "k": 2}
    assert check([*messages, ledger.receipt("b-1")], 2).members == ["acme", "beta"]


def test_what_is_not_good_counts_for_nothing(
    ledger: Ledger, check: Callable[..., Agreement], make_key: Callable[..., PrivateKey], refused: Callable[..., Any]
) -> None:
    """Who puts a bad receipt beside good ones spoils nothing, and gains nothing."""
    good = [ledger.receipt("a-1"), ledger.receipt("b-1")]
    forged = spoiled(ledger.receipt("c-1"))
    foreign = ledger.receipt("c-1", key=make_key("es256", "a stranger"))
    bad = [forged, foreign, b"", good[0][:-1], good[0] + b"x"]
    found = check([bad[0], good[0], *bad[1:], good[1]], 2)
    assert found.members == ["acme", "beta"]
    assert codes(found) == [
        (0, "receipt.invalid"), (2, "receipt.key_unknown"), (3, "receipt.form"), (4, "receipt.form"),
        (5, "receipt.form"),
    ]  # fmt: skip
    with refused("receipt.members") as caught:
        check([bad[0], *good], 3)
    assert "receipt 1 does not count: " in caught.value.detail
    with refused("receipt.invalid"):
        check(bad, 1)
    with refused("receipt.form"):
        check([], 1)


def test_a_receipt_of_another_ledger_counts_for_nothing(
    ledger: Ledger, check: Callable[..., Agreement], history: Callable[[str], Any]
) -> None:
    """Under a key that counts here: who runs both ledgers with one key."""
    head = checkpoint.sign(bytes(32), 7, TIME, ledger.tiles.root(), ledger.keys["b-1"])
    elsewhere = receipt.inclusion(head, 3, tree.inclusion_path(3, 7, ledger.tiles.node))
    found = check([ledger.receipt("a-1"), elsewhere], 1)
    assert (found.members, codes(found)) == (["acme"], [(1, "verify.ledger")])


def test_only_those_count_that_are_named(
    ledger: Ledger, check: Callable[..., Agreement], refused: Callable[..., Any]
) -> None:
    messages = [ledger.receipt(node) for node in ("a-1", "b-1", "c-1")]
    found = check(messages, 2, {"beta", "carl", "dora"})
    assert (found.members, found.receipt) == (["beta", "carl"], messages[1])
    assert codes(found) == [(0, "receipt.members")]
    with refused("receipt.members"):
        check(messages, 1, {"dora"})
    for members, k in (({"beta"}, 2), (None, 5), (None, 0), ({"emil"}, 1), ({"nobody"}, 1), (set(), 1)):
        with refused("argument.value"):
            check(messages, k, members)


def test_a_key_alone_says_nothing_of_members(ledger: Ledger, refused: Callable[..., Any]) -> None:
    with refused("argument.value"):
        agreement.verify(
            [ledger.receipt("a-1")], ledger.entry, verification.pin_key(ledger.keys["a-1"].public, ledger.id), 1
        )


def test_heads_that_differ_are_not_added_up(
    ledger: Ledger, check: Callable[..., Agreement], refused: Callable[..., Any]
) -> None:
    """Another size is no contradiction, but nothing here shows that the histories are one. So it is with times."""
    messages = [ledger.receipt("a-1", 5), ledger.receipt("b-1"), ledger.receipt("c-1"), ledger.receipt("d-1", time=1)]
    found = check(messages, 2)
    assert (found.members, found.proven.size, found.proven.time) == (["beta", "carl"], 7, TIME)
    assert codes(found) == [(0, "receipt.members"), (3, "receipt.members")]
    with refused("receipt.members"):
        check(messages, 3)


def test_the_head_that_most_members_signed_counts_not_that_of_most_nodes(
    ledger: Ledger, check: Callable[..., Agreement]
) -> None:
    messages = [ledger.receipt("a-1"), ledger.receipt("a-2"), ledger.receipt("b-1", 5), ledger.receipt("c-1", 5)]
    assert check(messages, 2).members == ["beta", "carl"]


@pytest.mark.parametrize("k", [1, 2, 3])
def test_different_roots_are_a_split_view_that_names_the_signers(
    k: int, ledger: Ledger, check: Callable[..., Agreement], refused: Callable[..., Any]
) -> None:
    """However many agree, and whether those count who do not."""
    messages = [ledger.receipt("a-1"), ledger.receipt("b-1"), ledger.receipt("c-1"), ledger.receipt("d-1", split=True)]
    for members in (None, {"acme", "beta", "carl"}):
        with refused("receipt.split") as caught:
            check(messages, k, members)
        roots = ledger.tiles.root(), ledger.other.root()
        assert caught.value.detail == (
            f"7 entries with the root {roots[0].hex()} by acme (a-1), beta (b-1), carl (c-1); "
            f"{roots[1].hex()} by dora (d-1)"
        )
        assert caught.value.fields["signers"][-1] == {"member": "dora", "node": "d-1", "root": roots[1]}


def test_one_member_that_signs_two_roots_is_named(
    ledger: Ledger, check: Callable[..., Agreement], refused: Callable[..., Any]
) -> None:
    with refused("receipt.split") as caught:
        check([ledger.receipt("d-1"), ledger.receipt("d-1", split=True)], 1)
    assert [one["node"] for one in caught.value.fields["signers"]] == ["d-1", "d-1"]


def test_a_forged_receipt_accuses_nobody(ledger: Ledger, check: Callable[..., Agreement]) -> None:
    accusing = spoiled(ledger.receipt("d-1", split=True))
    assert check([ledger.receipt("a-1"), accusing], 1).members == ["acme"]


def chained(ledger: Ledger, pinned: Pinned, *, retired: str, last: int) -> Pinned:
    """As a trust file says whose head has all seven entries: one node's key was retired at a size."""
    head = checkpoint.sign(ledger.id, 7, TIME, ledger.tiles.root(), ledger.keys["a-1"])
    sizes = {key.kid: Sizes(node, 1, last if node == retired else None) for node, key in ledger.keys.items()}
    return msgspec.structs.replace(pinned, head=head, sizes=sizes, roots={7: head.root})


def test_a_retired_key_counts_for_its_time_alone(
    ledger: Ledger, pinned: Pinned, check: Callable[..., Agreement]
) -> None:
    messages = [ledger.receipt("a-1"), ledger.receipt("d-1")]
    found = check(messages, 1, trusted=chained(ledger, pinned, retired="d-1", last=6))
    assert (found.members, codes(found)) == (["acme"], [(1, "receipt.span")])
    assert check(messages, 2, trusted=chained(ledger, pinned, retired="d-1", last=7)).members == ["acme", "dora"]


def test_a_retired_key_accuses_nobody_and_a_current_one_does(
    ledger: Ledger, pinned: Pinned, check: Callable[..., Agreement], refused: Callable[..., Any]
) -> None:
    """Who has a former key may be anybody. A current one that signs another root than the trusted one splits."""
    messages = [ledger.receipt("a-1"), ledger.receipt("d-1", split=True)]
    found = check(messages, 1, trusted=chained(ledger, pinned, retired="d-1", last=7))
    assert codes(found) == [(1, "receipt.unlinked")]
    with refused("receipt.split") as caught:
        check(messages[1:], 1, trusted=chained(ledger, pinned, retired="c-1", last=7))
    assert "by those who signed the trust file; " in caught.value.detail


def test_a_wrong_body_is_said_so(ledger: Ledger, pinned: Pinned, refused: Callable[..., Any]) -> None:
    messages = [ledger.receipt("a-1"), ledger.receipt("b-1")]
    with refused("verify.outcome"):
        agreement.verify(messages, ledger.entry, pinned, 2, outcome=outcome_of(4))
    with refused("verify.envelope"):
        agreement.verify(messages, ledger.entry, pinned, 2, envelope=b"x")
    with refused("receipt.invalid"):
        agreement.verify(messages, spoiled(ledger.entry), pinned, 2)
    with refused("entry.form"):
        agreement.verify(messages, b"x", pinned, 2)


# The message


def test_a_message_of_receipts_is_read_back(ledger: Ledger, refused: Callable[..., Any]) -> None:
    messages = [ledger.receipt("a-1"), ledger.receipt("b-1")]
    assert receipts.decode(receipts.encode(messages)) == messages
    for data in (b"", b"\x80", b"\x81\x01", b"\xa0", messages[0], receipts.encode(messages)[:-1], b"\x81\x41"):
        with refused("receipt.form"):
            receipts.decode(data)
    with refused("receipt.form"):
        receipts.decode(receipts.encode([b""] * 1_001))
