"""What a member does for itself: keys that come and go, from the next entry on, and users."""

from typing import Any

import pytest
from tests.governance.house import (
    House,
    names,
    remove_member,
    set_constitution,
    set_contract,
    set_member,
    set_reference,
)
from tests.governance.test_votes import refused, skipped

from hansa.testing import keys
from hansa.testing.ledger import Ledger
from hansa.wire import cose
from hansa.wire.keys import PrivateKey


@pytest.fixture(scope="module")
def three() -> Ledger:
    ledger = Ledger(founders=["a", "b", "c"])
    House(ledger).decide(set_contract())
    return ledger


@pytest.fixture
def house(three: Ledger) -> House:
    return House(three.fork())


def registering(owner: str, purpose: str, key: PrivateKey, kind: str = "member") -> dict[str, Any]:
    return {"owner_kind": kind, "owner": owner, "purpose": purpose, "spki": key.public.spki}


def register(house: House, owner: str, purpose: str, name: str, kind: str = "member") -> PrivateKey:
    key = keys.sender(name)
    house.ledger.govern(owner.split("/", maxsplit=1)[0], "register_key", registering(owner, purpose, key, kind))
    return key


def note(house: House, key: PrivateKey, id: str) -> Any:
    arguments = {"id": id}
    return house.envelope(
        "", "write", arguments, key=key, contract="notes", content_type=cose.TRANSACTION, steps_max=1_000
    )


def revoking(house: House, by: str, key: PrivateKey, action: str = "revoke_key") -> Any:
    return house.envelope(by, action, {"key": key.kid})


# Keys


def test_a_key_is_rotated_with_overlap(house: House) -> None:
    old, new = keys.sender("a"), register(house, "a", "transaction", "a new")
    assert [one.code for one in house.block(note(house, old, "1"), note(house, new, "2"))] == ["ok", "ok"]
    house.ledger.govern("a", "retire_key", {"key": old.kid})
    assert skipped(lambda: house.block(note(house, old, "3"))) == "sender.revoked"
    assert house.block(note(house, new, "3"))[0].code == "ok"


def test_a_key_counts_from_the_next_block_on(house: House) -> None:
    new = keys.sender("a new")
    made = house.envelope("a", "register_key", registering("a", "transaction", new))
    assert skipped(lambda: house.block(made, note(house, new, "1"))) == "sender.unknown"


@pytest.mark.parametrize("action", ["revoke_key", "retire_key"])
def test_what_is_revoked_counts_no_more_from_the_next_entry_on(house: House, action: str) -> None:
    """In the block of its end it was known still: what comes behind it gets an entry, which says why it did not run."""
    key = keys.sender("a")
    before, ended, after = house.block(note(house, key, "1"), revoking(house, "a", key, action), note(house, key, "2"))
    assert (before.code, ended.code, after.code) == ("ok", "ok", "sender.revoked")
    assert (after.steps, after.events) == (0, [])
    assert [row["id"] for row in house.ledger.rows("notes", "Note")] == ["1"]
    assert skipped(lambda: house.block(note(house, key, "3"))) == "sender.revoked"


def test_a_governance_key_that_is_revoked_in_a_block_votes_no_more_in_it(house: House) -> None:
    stolen = register(house, "a", "governance", "a stolen")
    id = house.ledger.propose("b", set_reference())
    ended, ballot = house.block(revoking(house, "a", stolen), house.ballot("a", id, key=stolen))
    assert (ended.code, ballot.code) == ("ok", "sender.revoked")
    assert house.proposal(id)["ballots"] == []


def test_who_is_removed_in_a_block_does_nothing_more_in_it(house: House) -> None:
    house.ledger.govern("c", "set_own_user", {"id": "c/eve", "name": "Eve", "attributes": []})
    eve = register(house, "c/eve", "transaction", "c/eve", "user")
    id = house.ledger.propose("a", remove_member("c"))
    house.ledger.vote("a", id)
    last = house.ballot("b", id)
    other = house.ballot("c", id)
    answers = house.block(last, other, note(house, keys.sender("c"), "1"), note(house, eve, "2"))
    assert [one.code for one in answers] == ["ok", *["sender.revoked"] * 3]
    assert house.members() == ["a", "b"]
    assert skipped(lambda: house.block(note(house, eve, "2"))) == "sender.revoked"


def test_why_nobody_signs_with_a_key_is_told(house: House) -> None:
    """Whether it was ended, and how, or its member or user was removed, which another key would not mend."""
    house.ledger.govern("c", "set_own_user", {"id": "c/eve", "name": "Eve", "attributes": []})
    house.ledger.govern("b", "set_own_user", {"id": "b/bob", "name": "Bob", "attributes": []})
    eve, bob = (
        register(house, "c/eve", "transaction", "c/eve", "user"),
        register(house, "b/bob", "transaction", "b/bob", "user"),
    )
    retired, revoked = register(house, "a", "transaction", "a2"), register(house, "c", "transaction", "c2")
    house.ledger.govern("a", "retire_key", {"key": retired.kid})
    house.ledger.govern("c", "revoke_key", {"key": revoked.kid})

    def why(key: PrivateKey) -> str:
        return house.ledger._directory.why_not(key.kid).replace(key.kid.hex(), "KID")

    assert why(retired) == "the key KID of a was retired"
    assert why(revoked) == "the key KID of c was revoked"
    assert why(keys.sender("nobody")) == "the key KID is none of a member or user"
    house.ledger.govern("b", "remove_own_user", {"user": "b/bob"})
    assert why(bob) == "the user b/bob was removed: its keys, such as KID, count no more"
    id = house.ledger.propose("a", remove_member("c"))
    for name in ("a", "b"):
        house.ledger.vote(name, id)
    for key in (eve, revoked, keys.sender("c")):
        assert why(key) == "the member c was removed: its keys, such as KID, count no more"
    assert house.ledger._directory.copy().why_not(retired.kid) == house.ledger._directory.why_not(retired.kid)


def test_what_a_revoked_key_said_does_not_count(house: House) -> None:
    """Nobody can tell which key it was; the member says it again."""
    id = house.ledger.propose("b", set_reference())
    house.ledger.vote("a", id)
    spare = register(house, "a", "governance", "a spare")
    house.ledger.govern("a", "revoke_key", {"key": keys.sender("a governance").kid}, key=spare)
    house.ledger.vote("b", id)
    assert house.state(id) == "Open"
    digest = house.ledger.look("members", "get_constitution", {})["digest"]
    again = house.ledger.govern("a", "vote", {"proposal": id, "yes": True, "constitution": digest}, key=spare)
    assert names(again)[-1] == "proposal.applied"


def test_what_a_retired_key_said_counts(house: House) -> None:
    id = house.ledger.propose("b", set_reference())
    house.ledger.vote("a", id)
    register(house, "a", "governance", "a spare")
    house.ledger.govern("a", "retire_key", {"key": keys.sender("a governance").kid})
    house.ledger.vote("b", id)
    assert house.state(id) == "Accepted+"


@pytest.mark.parametrize("action", ["revoke_key", "retire_key"])
def test_the_last_governance_key_stays(house: House, action: str) -> None:
    last = {"key": keys.sender("a governance").kid}
    assert refused(lambda: house.ledger.govern("a", action, last)).code == "require.failed"
    register(house, "a", "transaction", "a other")  # is none
    assert refused(lambda: house.ledger.govern("a", action, last)).code == "require.failed"
    register(house, "a", "governance", "a spare")
    assert house.ledger.govern("a", action, last).code == "ok"
    spare = {"key": keys.sender("a spare").kid}
    told = refused(lambda: house.ledger.govern("a", action, spare, key=keys.sender("a spare")))
    assert told.code == "require.failed"


@pytest.mark.parametrize("action", ["revoke_key", "retire_key"])
def test_nobody_ends_anothers_key(house: House, action: str) -> None:
    house.ledger.govern("b", "set_own_user", {"id": "b/eve", "name": "Eve", "attributes": []})
    eve = register(house, "b/eve", "transaction", "b/eve", "user")
    for key in (keys.sender("b"), eve, keys.node("checkpoint key")):
        by = "c" if key.kid == keys.node("checkpoint key").kid else "a"
        assert (
            refused(lambda by=by, key=key: house.ledger.govern(by, action, {"key": key.kid})).code == "require.failed"
        )


@pytest.mark.parametrize(
    ("owner", "purpose", "kind", "code"),
    [
        ("b", "transaction", "member", "require.failed"),
        ("a", "checkpoint", "member", "require.failed"),
        ("a", "anything", "member", "require.failed"),
        ("a", "transaction", "group", "require.failed"),
        ("a/nobody", "transaction", "user", "record.missing"),
        ("b/bob", "transaction", "user", "require.failed"),
        ("a/eve", "governance", "user", "require.failed"),
        ("node-1", "transaction", "node", "require.failed"),
        ("node-9", "checkpoint", "node", "record.missing"),
    ],
)
def test_whom_and_what_for_a_member_registers_keys(
    house: House, owner: str, purpose: str, kind: str, code: str
) -> None:
    for user in ("a/eve", "b/bob"):
        fields = {"id": user, "name": user, "attributes": []}
        house.ledger.govern(user[0], "set_own_user", fields)
    fields = registering(owner, purpose, keys.sender("new"), kind)
    assert refused(lambda: house.ledger.govern("a", "register_key", fields)).code == code


def test_bytes_that_are_no_key_are_not_registered(house: House) -> None:
    fields = {"owner_kind": "member", "owner": "a", "purpose": "transaction", "spki": b"no key"}
    assert refused(lambda: house.ledger.govern("a", "register_key", fields)).code == "key.unsupported"
    small = bytes.fromhex("302a300506032b6570032100" + "00" * 32)
    assert refused(lambda: house.ledger.govern("a", "register_key", fields | {"spki": small})).code == "key.invalid"


def test_a_member_that_lost_its_governance_key_is_given_another(house: House) -> None:
    id = house.ledger.propose("a", set_reference())
    house.ledger.vote("c", id)
    new = keys.sender("c new")
    step = {"name": "set_member_keys", "subject": "c", "keys": [{"purpose": "governance", "spki": new.public.spki}]}
    assert house.state(house.decide(step, by="ab")) == "Accepted+"
    assert skipped(lambda: house.ledger.vote("c", id)) == "sender.revoked"
    assert house.block(note(house, keys.sender("c"), "1"))[0].code == "ok"  # for transactions it has the same
    house.ledger.vote("a", id)
    assert house.state(id) == "Open"  # what the lost key said does not count
    digest = house.ledger.look("members", "get_constitution", {})["digest"]
    house.ledger.govern("c", "vote", {"proposal": id, "yes": True, "constitution": digest}, key=new)
    assert house.state(id) == "Accepted+"


@pytest.mark.parametrize(("owner", "kind"), [("a", "member"), ("a/eve", "user"), ("node-1", "node")])
def test_an_owner_has_so_many_keys_for_a_purpose(house: House, owner: str, kind: str) -> None:
    house.ledger.govern("a", "set_own_user", {"id": "a/eve", "name": "Eve", "attributes": []})
    purpose = "node" if kind == "node" else "transaction"
    count = sum(one["holder"] == owner and one["purpose"] == purpose for one in house.rows("Key"))
    made = [
        house.envelope("a", "register_key", registering(owner, purpose, keys.sender(f"more {number}"), kind))
        for number in range(17 - count)
    ]
    assert [one.code for one in house.block(*made)] == ["ok"] * (16 - count) + ["require.failed"]
    house.ledger.govern("a", "retire_key", {"key": keys.sender("more 0").kid})
    house.ledger.govern("a", "register_key", registering(owner, purpose, keys.sender("one more"), kind))


def test_no_thief_makes_more_keys_than_a_vote_ends(house: House) -> None:
    """Both purposes filled up: all of them end, in one entry."""
    made = [
        house.envelope(
            "a", "register_key", registering("a", purpose, keys.sender(f"{purpose} {number}")), steps_max=60_000
        )
        for purpose in ("governance", "transaction")
        for number in range(15)
    ]
    assert {one.code for one in house.block(*made)} == {"ok"}
    new = {purpose: keys.sender(f"new {purpose}").public for purpose in ("governance", "transaction")}
    given = [{"purpose": purpose, "spki": key.spki} for purpose, key in new.items()]
    assert house.state(house.decide({"name": "set_member_keys", "subject": "a", "keys": given}, by="bc")) == "Accepted+"
    (told,) = [event.data for event in house.ledger.entries[-1].events if event.name == "keys.revoked"]
    assert (told["owner"], told["count"]) == ("a", 32)
    senders = house.ledger._directory.senders  # pyright: ignore[reportPrivateUsage]
    assert {kid for kid, one in senders.items() if one.member == "a"} == {key.kid for key in new.values()}


@pytest.mark.parametrize("by", ["b", "c"])
@pytest.mark.parametrize("purpose", ["governance", "transaction"])
def test_a_key_that_a_proposal_names_is_nobody_elses(house: House, by: str, purpose: str) -> None:
    step = set_member("d")
    id = house.ledger.propose("a", step)
    kid = keys.sender("d" if purpose == "transaction" else "d governance")
    taking = registering(by, "transaction", kid)
    assert refused(lambda: house.ledger.govern(by, "register_key", taking)).code == "require.failed"
    other = {"name": "set_member_keys", "subject": by, "keys": [{"purpose": purpose, "spki": kid.public.spki}]}
    assert refused(lambda: house.ledger.propose(by, other)).code == "require.failed"
    house.ledger.vote("a", id)
    house.ledger.vote("b", id)
    assert house.state(id) == "Accepted+"
    assert refused(lambda: house.ledger.govern(by, "register_key", taking)).code == "record.exists"
    assert refused(lambda: house.ledger.propose(by, other)).code == "require.failed"


def test_a_key_that_waits_for_the_time_lock_is_nobody_elses(house: House) -> None:
    id = house.decide(set_member("d"), set_constitution(lock_ms=2_000), by="ab")
    assert house.state(id) == "Accepted"
    taking = registering("c", "transaction", keys.sender("d"))
    assert refused(lambda: house.ledger.govern("c", "register_key", taking)).code == "require.failed"
    house.ledger.clock.advance(hours=1)
    assert house.state(id) == "Accepted+"


def test_a_key_is_free_again_when_its_proposal_has_ended(house: House) -> None:
    id = house.ledger.propose("a", set_member("d"))
    house.ledger.govern("a", "withdraw", {"proposal": id})
    assert house.state(house.decide(set_member("d"), by="ab")) == "Accepted+"
    other = house.ledger.propose("a", set_member("e"))
    house.ledger.govern("a", "withdraw", {"proposal": other})
    house.ledger.govern("c", "register_key", registering("c", "transaction", keys.sender("e")))


def test_a_key_stands_once_in_a_proposal(house: House) -> None:
    both = [set_member("d"), {**set_member("e"), "keys": set_member("d")["keys"]}]
    assert refused(lambda: house.ledger.propose("a", *both)).code == "require.failed"


def test_a_proposal_names_so_many_keys(house: House) -> None:
    def step(number: int) -> dict[str, Any]:
        own = [keys.sender(f"key {number} {turn}").public.spki for turn in range(8)]
        return {**set_member(f"m{number}"), "keys": [{"purpose": "governance", "spki": spki} for spki in own]}

    house.ledger.propose("a", *map(step, range(8)))
    more = {**set_member("m9"), "keys": set_member("m9")["keys"][:1]}
    house.ledger.propose("a", more)
    assert refused(lambda: house.ledger.propose("b", *map(step, range(8, 16)), set_member("x"))).failure.values == {
        "most": 64
    }


def test_checkpoint_keys_have_their_span(house: House) -> None:
    """The next key of a node ends the one before, by itself and for good; to revoke that later moves nothing."""
    directory = house.ledger._directory  # pyright: ignore[reportPrivateUsage]
    old, new = keys.node("checkpoint key"), keys.node("another")

    def spans() -> list[tuple[int, int | None]]:
        return [(directory.checkpoint_spans[key.kid].first, directory.checkpoint_spans[key.kid].last) for key in both]

    both = [old]
    assert spans() == [(0, None)]
    mine = {"key": old.kid}
    assert refused(lambda: house.ledger.govern("a", "retire_key", mine)).code == "require.failed"
    assert refused(lambda: house.ledger.govern("a", "revoke_key", mine)).code == "require.failed"
    begun = house.ledger.govern("a", "register_key", registering("node-1", "checkpoint", new, "node"))
    assert names(begun) == ["key.retired", "key.registered"]
    both = [old, new]
    assert spans() == [(0, begun.seq), (begun.seq + 1, None)]
    assert list(directory.checkpoint_keys) == [new.kid]
    house.ledger.govern("a", "revoke_key", {"key": old.kid})
    assert spans() == [(0, begun.seq), (begun.seq + 1, None)]
    assert names(house.ledger.clock.advance(seconds=1)[-1]) == ["key.began"]


# Users, and people who sign in


def test_a_member_has_users_of_its_own(house: House) -> None:
    made = house.ledger.govern("a", "set_own_user", {"id": "a/eve", "name": "Eve", "attributes": ["q", "p", "q"]})
    assert names(made) == ["user.added"]
    eve = register(house, "a/eve", "transaction", "a/eve", "user")
    assert house.block(note(house, eve, "1"))[0].code == "ok"
    assert house.record("User", "a/eve")["attributes"] == ["p", "q"]
    changed = house.ledger.govern("a", "set_own_user", {"id": "a/eve", "name": "Eva", "attributes": []})
    assert names(changed) == ["user.changed"]
    gone = house.ledger.govern("a", "remove_own_user", {"user": "a/eve"})
    assert names(gone) == ["user.removed"]
    assert skipped(lambda: house.block(note(house, eve, "2"))) == "sender.revoked"


@pytest.mark.parametrize(
    ("id", "attributes"),
    [("b/eve", []), ("eve", []), ("a/Eve", []), ("a/eve", ["ledger:deployer"]), ("a/eve", ["No attribute"])],
)
def test_which_users_a_member_cannot_have(house: House, id: str, attributes: list[str]) -> None:
    fields = {"id": id, "name": "Eve", "attributes": attributes}
    assert refused(lambda: house.ledger.govern("a", "set_own_user", fields)).code == "require.failed"


def test_nobody_removes_anothers_users(house: House) -> None:
    house.ledger.govern("b", "set_own_user", {"id": "b/bob", "name": "Bob", "attributes": []})
    assert refused(lambda: house.ledger.govern("a", "remove_own_user", {"user": "b/bob"})).code == "require.failed"


# Pausing


def test_a_paused_contract_takes_no_action_until_it_is_resumed(house: House) -> None:
    assert house.state(house.decide({"name": "pause_contract", "subject": "notes"})) == "Accepted+"
    own = keys.sender("a")
    (answer,) = house.block(note(house, own, "1"))
    assert answer.code == "contract.paused"
    assert house.state(house.decide({"name": "pause_contract", "subject": "notes"})) == "Failed"
    assert house.state(house.decide({"name": "resume_contract", "subject": "notes"})) == "Accepted+"
    (answer,) = house.block(note(house, own, "2"))
    assert answer.code == "ok"
    assert house.state(house.decide({"name": "resume_contract", "subject": "notes"})) == "Failed"


@pytest.mark.parametrize("name", ["members", "constitution"])
def test_governance_is_not_paused(house: House, name: str) -> None:
    step = {"name": "pause_contract", "subject": name}
    if name == "constitution":
        assert refused(lambda: house.ledger.propose("a", step)).code == "require.failed"
    else:
        assert house.state(house.decide(step)) == "Failed"
