"""Proposals and ballots: what counts, what does not, and what comes of them, under the constitution `majority`."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.governance.house import (
    NOTES,
    House,
    names,
    remove_member,
    set_constitution,
    set_contract,
    set_member,
    set_reference,
    set_weight,
)
from tests.governance.test_directory import contents

from hansa.governance.directory import RECORDS, Directory
from hansa.node import apply, reexecution, shipped
from hansa.node.apply import View
from hansa.node.recovery import members_records
from hansa.orderers import Batch
from hansa.testing import keys
from hansa.testing.answers import Refused
from hansa.testing.ledger import Ledger
from hansa.wire import cose, entry, writes
from hansa.wire.problems import HansaError

DAY = 86_400_000


@pytest.fixture(scope="module")
def four() -> Ledger:
    return Ledger(founders=["a", "b", "c", "d"])


@pytest.fixture
def house(four: Ledger) -> House:
    """Four members, of whom three are more than half, and two thirds."""
    return House(four.fork())


def refused(made: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        made()
    return caught.value


def skipped(made: Callable[[], object]) -> str:
    with pytest.raises(HansaError) as caught:
        made()
    return caught.value.code


# The way of a proposal


def test_a_proposal_passes_and_is_carried_out_in_the_entry_of_the_ballot(house: House) -> None:
    id = house.ledger.propose("a", set_contract())
    assert house.state(id) == "Open"
    assert names(house.ledger.vote("d", id)) == ["proposal.voted"]
    house.ledger.vote("b", id)
    decided = house.ledger.vote("a", id)
    assert names(decided) == ["proposal.voted", "proposal.accepted", "contract.deployed", "proposal.applied"]
    assert house.state(id) == "Accepted+"
    assert [row for row in house.rows("Proposal") if row["todo"] or row["is_open"]] == []
    house.ledger.send("c", "notes", "write", {"id": "x"})
    assert [ballot["member"] for ballot in house.proposal(id)["ballots"]] == ["d", "b", "a"]
    assert refused(lambda: house.ledger.vote("c", id)).code == "state.denied"


def test_the_id_of_a_proposal_binds_all_of_it(house: House) -> None:
    made = house.envelope("a", "propose", {"title": "One", "steps": [set_reference()]})
    other = house.envelope("a", "propose", {"title": "One", "steps": [set_reference(data="y")]})
    house.block(made, other)
    assert {house.proposal(one.id)["title"] for one in (made, other)} == {"One"}
    kept = {row["id"]: row["steps"][0]["source"] for row in house.rows("Actions")}
    assert kept == {made.id: "x", other.id: "y"}


@pytest.mark.parametrize(
    "steps",
    [
        [set_contract(), set_contract(source=NOTES.replace("1.0.0", "1.1.0"))],
        [{"name": "pause_contract", "subject": "notes"}, {"name": "resume_contract", "subject": "notes"}],
        [{"name": "set_library", "subject": "sums", "source": text} for text in ("a", "b")],
        [{"name": "set_limits", "numbers": {name: 9}} for name in ("block_entries", "block_steps")],
        [set_constitution(lock_ms=2_000), set_constitution(lock_ms=3_000)],
        [set_reference("rates"), set_contract(), set_reference("rates")],
        [remove_member("b"), set_weight("b", 2)],
    ],
    ids=lambda steps: f"{steps[0]['name']} and {steps[-1]['name']}",
)
def test_no_two_actions_of_a_proposal_are_about_the_same(house: House, steps: list[dict[str, Any]]) -> None:
    """Two versions by one entry would come in another order when a node begins again from its records."""
    told = refused(lambda: house.ledger.propose("a", *steps))
    assert (told.code, "about the same" in str(told)) == ("require.failed", True)


def test_a_contract_is_deployed_and_paused_at_once(house: House) -> None:
    """And so it is for a node that begins again from the records."""
    assert house.state(house.decide(set_contract(), {"name": "pause_contract", "subject": "notes"})) == "Accepted+"
    live = house.ledger._directory  # pyright: ignore[reportPrivateUsage]
    view = View(house.ledger._memory, live.indexes_of)  # pyright: ignore[reportPrivateUsage]
    again = Directory(live.programs["members"])
    for seq, record, value in members_records(view, RECORDS):
        again.apply_record(record, value, seq)
    for one in (live, again):
        assert [(seq, made.manifest.version) for seq, made in one.versions("notes")] == [
            (house.ledger.entries[-1].seq + 1, "1.0.0")
        ]
        assert one.paused == {"notes"}


def test_actions_about_different_things_are_one_proposal(house: House) -> None:
    rename = {"name": "set_user", "subject": "b/notes", "title": "Notes", "attributes": []}
    both = [set_contract(), set_contract("other"), set_reference("notes"), rename]
    assert house.state(house.decide(*both)) == "Accepted+"


def test_a_proposal_is_rejected_when_it_can_no_longer_pass(house: House) -> None:
    id = house.ledger.propose("a", set_contract())
    house.ledger.vote("b", id, False)
    assert house.state(id) == "Open"
    assert names(house.ledger.vote("c", id, False)) == ["proposal.voted", "proposal.rejected"]
    assert house.state(id) == "Rejected"
    assert "notes" not in house.ledger.programs


def test_the_upgrade_of_a_contract_is_the_same_action(house: House) -> None:
    house.decide(set_contract())
    house.decide(set_contract(source=NOTES.replace("1.0.0", "1.1.0")))
    assert house.ledger.programs["notes"].manifest.version == "1.1.0"


def test_all_actions_of_a_proposal_take_effect_or_none(house: House) -> None:
    id = house.decide(set_reference("one"), set_weight("d", 9), set_contract(source="class"), set_reference("two"))
    assert house.state(id) == "Failed"
    assert house.rows("Reference") == []
    assert house.record("Member", "d")["weight"] == 1
    failed = house.ledger.entries[-1]
    assert failed.code == "ok"
    assert names(failed) == ["proposal.voted", "proposal.accepted", "proposal.failed"]
    assert failed.events[-1].data["code"] == "contract.invalid"
    assert house.proposal(id)["ballots"] != []


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (set_contract("notes", "class"), "contract.invalid"),
        (set_contract("notes", shipped.library()), "contract.invalid"),
        ({"name": "set_library", "subject": "notes", "source": NOTES}, "contract.invalid"),
        ({"name": "pause_contract", "subject": "nothing"}, "record.missing"),
        ({"name": "remove_user", "subject": "a/nobody"}, "record.missing"),
        ({"name": "remove_jwt_issuer", "subject": "nobody"}, "record.missing"),
        ({"name": "set_jwt_issuer", "subject": "idp", "texts": {"member": "a"}}, "key.missing"),
        ({"name": "set_reference", "subject": "rates"}, "key.missing"),
        ({"name": "set_limits", "numbers": {"members": 1}}, "require.failed"),
        ({"name": "set_limits", "numbers": {"block_entries": 0}}, "value.bounds"),
        (set_constitution(NOTES, lock_ms=5_000), "ripens"),
        ({"name": "set_member_data", "subject": "d", "attributes": ["ledger:governance"]}, "require.failed"),
        ({"name": "set_member_data", "subject": "d", "attributes": ["Not one"]}, "require.failed"),
        ({"name": "set_user", "subject": "a/eve", "title": "E", "attributes": ["ledger:deployer"]}, "require.failed"),
    ],
)
def test_what_throws_makes_the_proposal_fail(house: House, step: dict[str, object], code: str) -> None:
    id = house.decide(step)
    if code == "ripens":
        house.ledger.clock.advance(hours=1)
        code = "constitution.invalid"
    assert house.state(id) == "Failed"
    assert house.ledger.entries[-1].events[-1].data["code"] == code


# Ballots that do not count


def test_a_member_votes_once(house: House) -> None:
    id = house.ledger.propose("a", set_contract())
    house.ledger.vote("a", id)
    again = refused(lambda: house.ledger.vote("a", id, False))
    assert (again.code, again.failure.values) == ("require.failed", {"member": "a"})
    assert [ballot["yes"] for ballot in house.proposal(id)["ballots"]] == [True]


def test_a_ballot_sent_again_is_the_same_entry(house: House) -> None:
    id = house.ledger.propose("a", set_contract())
    ballot = house.ballot("b", id)
    house.block(ballot)
    assert skipped(lambda: house.block(ballot)) == "transaction.duplicate"
    house.ledger.clock.advance(days=20)
    assert skipped(lambda: house.block(ballot)) == "transaction.expired"


def test_a_ballot_can_be_signed_thirty_days_ahead_and_counts_once_in_all_of_them(house: House) -> None:
    id = house.ledger.propose("a", set_contract())
    ballot = house.ballot("b", id, ahead_ms=30 * DAY)
    assert skipped(lambda: house.block(house.ballot("c", id, ahead_ms=30 * DAY + 1))) == "transaction.too_far"
    house.block(ballot)
    house.ledger.clock.advance(days=29)
    assert skipped(lambda: house.block(ballot)) == "transaction.duplicate"
    assert len(house.proposal(id)["ballots"]) == 1


def test_a_ballot_for_what_was_withdrawn(house: House) -> None:
    id = house.ledger.propose("a", set_contract())
    house.ledger.vote("b", id)
    assert refused(lambda: house.ledger.govern("b", "withdraw", {"proposal": id})).code == "require.failed"
    house.ledger.govern("a", "withdraw", {"proposal": id})
    assert house.state(id) == "Withdrawn"
    assert refused(lambda: house.ledger.vote("c", id)).code == "state.denied"
    assert refused(lambda: house.ledger.govern("a", "withdraw", {"proposal": id})).code == "state.denied"
    assert house.ledger.clock.advance(days=31)[-1].code == "ok"  # nothing is left to close
    assert house.state(id) == "Withdrawn"


def test_a_late_ballot(house: House) -> None:
    id = house.ledger.propose("a", set_contract())
    house.ledger.vote("a", id)
    (closed,) = house.ledger.clock.advance(days=30)
    assert (names(closed), house.state(id)) == (["proposal.dropped"], "Dropped")
    assert refused(lambda: house.ledger.vote("b", id)).code == "state.denied"


def test_a_late_ballot_before_ledger_time_came_to_close_it(house: House) -> None:
    """What is due may have to wait for its turn: the ballot then finds out."""
    id = house.ledger.propose("a", set_contract())
    house.ledger._directory.has_schedules = False
    house.ledger.clock.ms += 30 * DAY
    late = house.ledger.vote("b", id)
    assert (names(late), house.state(id)) == (["proposal.voted", "proposal.dropped"], "Dropped")


def test_a_proposal_says_itself_until_when(house: House) -> None:
    now = house.ledger.clock.ms
    for closes in (now, now + 1_000, now + 90 * DAY + 1):
        arguments = {"title": "t", "steps": [set_reference()], "closes": closes}
        assert refused(lambda given=arguments: house.ledger.govern("a", "propose", given)).code == "require.failed"
    arguments = {"title": "t", "steps": [set_reference()], "closes": now + 90 * DAY}
    id = house.ledger.govern("a", "propose", arguments).id
    assert house.proposal(id)["closes"] == now + 90 * DAY


def test_forged_ballots(house: House) -> None:
    id = house.ledger.propose("a", set_contract())
    stranger, own = keys.sender("stranger"), keys.sender("b")
    good = house.ballot("b", id)
    cut = good.envelope[:-1] + bytes([good.envelope[-1] ^ 1])
    forged = msgspec.structs.replace(good, envelope=cut)
    assert skipped(lambda: house.block(forged)) == "signature.invalid"
    assert skipped(lambda: house.block(house.ballot("b", id, key=stranger))) == "sender.unknown"
    assert skipped(lambda: house.block(house.ballot("b", id, key=own))) == "sender.purpose"
    assert skipped(lambda: house.block(house.ballot("b", id, content_type=cose.TRANSACTION))) == "sender.purpose"
    (plain,) = house.block(house.ballot("b", id, key=own, content_type=cose.TRANSACTION, steps_max=100_000))
    assert plain.code == "role.denied"
    assert house.proposal(id)["ballots"] == []


def test_a_governance_key_signs_nothing_else(house: House) -> None:
    house.decide(set_contract())
    elsewhere = house.envelope("a", "write", {"id": "x"}, contract="notes")
    assert skipped(lambda: house.block(elsewhere)) == "sender.purpose"
    as_transaction = house.envelope("a", "write", {"id": "x"}, contract="notes", content_type=cose.TRANSACTION)
    assert skipped(lambda: house.block(as_transaction)) == "sender.purpose"


def test_a_ballot_names_the_constitution(house: House) -> None:
    id = house.ledger.propose("a", set_contract())
    arguments = {"proposal": id, "yes": True, "constitution": bytes(32)}
    assert refused(lambda: house.ledger.govern("b", "vote", arguments)).code == "require.failed"


def test_who_is_removed_does_not_vote_and_what_it_said_does_not_count(house: House) -> None:
    id = house.ledger.propose("a", set_contract())
    house.ledger.vote("d", id)
    house.decide(remove_member("d"))
    assert house.members() == ["a", "b", "c"]
    assert skipped(lambda: house.ledger.vote("d", id)) == "sender.revoked"
    house.ledger.vote("a", id)
    assert house.state(id) == "Open"  # one of three, and one that counts no more
    house.ledger.vote("b", id)
    assert house.state(id) == "Accepted+"


def test_what_a_removed_member_proposed_goes_on(house: House) -> None:
    """As in CCF: those who said yes said it to what is proposed. It cannot be taken back, and a no or time ends it."""
    id, other = house.ledger.propose("d", set_contract()), house.ledger.propose("d", set_reference())
    house.ledger.vote("a", id)
    house.ledger.vote("a", other)
    house.decide(remove_member("d"))
    assert (house.state(id), house.state(other)) == ("Open", "Open")
    house.ledger.vote("b", id)
    assert house.state(id) == "Accepted+"
    assert skipped(lambda: house.ledger.govern("d", "withdraw", {"proposal": other})) == "sender.revoked"
    assert refused(lambda: house.ledger.govern("a", "withdraw", {"proposal": other})).code == "require.failed"
    house.ledger.clock.advance(days=30)
    assert house.state(other) == "Dropped"


def test_votes_are_counted_again_after_members_changed(house: House) -> None:
    """Two of four are not enough, two of three are; nobody else need vote."""
    id = house.ledger.propose("a", set_contract())
    house.ledger.vote("a", id)
    house.ledger.vote("b", id)
    house.decide(remove_member("d"))
    assert house.state(id) == "Open"
    assert "proposal.applied" in names(house.ledger.govern("c", "recount", {"proposal": id}))


# Steps


def test_a_stingy_voter_is_refused_and_the_proposal_stays(house: House) -> None:
    id = house.ledger.propose("a", set_contract())
    house.ledger.vote("a", id)
    house.ledger.vote("b", id)
    price = house.ledger.fork().vote("c", id).steps
    for steps in (100, 2_000, 9_000, price - 1):
        (answer,) = house.block(house.ballot("c", id, steps_max=steps, nonce=steps))
        assert (answer.code, answer.steps, answer.events) == ("steps.exceeded", steps, [])
        assert (house.state(id), len(house.proposal(id)["ballots"])) == ("Open", 2)
    (answer,) = house.block(house.ballot("c", id, steps_max=price))
    assert (answer.code, answer.steps, house.state(id)) == ("ok", price, "Accepted+")


def test_what_no_voter_could_pay_for_fails(house: House) -> None:
    """Each file alone could be checked within what an entry may use; together they cannot."""
    line = "# " + "x" * 190 + "\n"
    source = NOTES + line * ((32_000 - len(NOTES)) // len(line))
    refusal = refused(lambda: house.ledger.propose("a", *[set_contract(f"n{n}", source + line * 10) for n in range(2)]))
    assert refusal.failure.values == {"most": 64_000}
    step = [set_contract(f"n{n}", source) for n in range(2)]
    assert house.state(house.decide(*step)) == "Accepted+"


# Two at a time, and what changed meanwhile


def test_of_two_conflicting_proposals_passing_in_one_block_the_first_wins(house: House) -> None:
    one = house.ledger.propose("a", set_weight("d", 5))
    other = house.ledger.propose("b", set_weight("d", 7))
    for id in (one, other):
        for name in "ab":
            house.ledger.vote(name, id)
    first, second = house.block(house.ballot("c", one), house.ballot("c", other))
    assert names(first)[-1] == "proposal.applied"
    assert names(second) == ["proposal.voted", "proposal.dropped"]
    assert (house.state(one), house.state(other)) == ("Accepted+", "Dropped")
    assert house.record("Member", "d")["weight"] == 5


def test_a_proposal_about_something_else_goes_on(house: House) -> None:
    one, other = house.ledger.propose("a", set_weight("d", 5)), house.ledger.propose("b", set_weight("c", 7))
    for name in "abc":
        house.ledger.vote(name, one)
    for name in "abc":
        house.ledger.vote(name, other)
    assert (house.state(one), house.state(other)) == ("Accepted+", "Accepted+")


@pytest.mark.parametrize(
    "step",
    [
        set_member("e"),
        set_contract(),
        set_reference(),
        {"name": "set_limits", "numbers": {"block_entries": 7}},
        {"name": "set_user", "subject": "a/eve", "title": "Eve"},
        {
            "name": "set_jwt_issuer",
            "subject": "idp",
            "texts": {"member": "a", "url": "https://x", "audience": "h", "algorithms": "ES256"},
        },
    ],
)
def test_what_a_proposal_is_about_must_be_as_it_was(house: House, step: dict[str, object]) -> None:
    again = {**step, "keys": set_member("f")["keys"]} if "keys" in step else step
    one, other = house.ledger.propose("a", step), house.ledger.propose("b", again)
    for name in "abc":
        house.ledger.vote(name, one)
    assert house.state(one) == "Accepted+"
    house.ledger.vote("a", other)
    assert (house.state(other), house.proposal(other)["reason"]) == ("Dropped", "what it is about changed since")


PAUSE = {"name": "pause_contract", "subject": "notes"}
RESUME = {"name": "resume_contract", "subject": "notes"}
EVE = {"id": "d/eve", "name": "Eve", "attributes": []}


@pytest.mark.parametrize("step", [PAUSE, RESUME], ids=lambda step: step["name"])
def test_no_deployer_drops_a_pause_of_its_contract(house: House, step: dict[str, object]) -> None:
    house.decide(set_contract(), {"name": "set_member_data", "subject": "d", "attributes": ["ledger:deployer"]})
    if step == RESUME:
        house.decide(PAUSE)
    id = house.ledger.propose("a", step)
    new = NOTES.replace("1.0.0", "1.0.1")
    house.ledger.send("d", "members", "upgrade", {"deployment": "notes", "source": new}, steps_max=3_000_000)
    for name in "abc":
        house.ledger.vote(name, id)
    assert house.state(id) == "Accepted+"


def test_no_member_drops_the_removal_of_its_user(house: House) -> None:
    house.ledger.govern("d", "set_own_user", EVE)
    id = house.ledger.propose("a", {"name": "remove_user", "subject": "d/eve"})
    house.ledger.govern("d", "set_own_user", EVE)
    for name in "abc":
        house.ledger.vote(name, id)
    assert house.state(id) == "Accepted+"


def test_a_removal_is_about_nothing_but_whether_it_is_done(house: House) -> None:
    one, other = (house.ledger.propose(name, remove_member("d")) for name in "ab")
    house.decide(set_weight("d", 3))
    for name in "abc":
        house.ledger.vote(name, one)
    assert house.state(one) == "Accepted+"
    house.ledger.vote("a", other)
    assert (house.state(other), house.proposal(other)["reason"]) == ("Dropped", "what it is about changed since")
    house.ledger.govern("b", "set_own_user", {**EVE, "id": "b/eve"})
    user = house.ledger.propose("a", {"name": "remove_user", "subject": "b/eve"})
    house.ledger.govern("b", "remove_own_user", {"user": "b/eve"})
    house.ledger.vote("a", user)
    assert house.state(user) == "Dropped"
    house.decide(set_contract())
    pause = house.ledger.propose("a", PAUSE)
    house.decide(PAUSE)
    house.ledger.vote("a", pause)
    assert house.state(pause) == "Dropped"


def test_of_two_time_locks_one_is_set(house: House) -> None:
    one = house.ledger.propose("a", set_constitution(lock_ms=9_000))
    other = house.ledger.propose("b", set_constitution(lock_ms=1_000))
    for id in (one, other):
        for name in "abc":
            house.ledger.vote(name, id)
        assert house.state(id) == "Accepted"
    house.ledger.clock.advance(hours=1)
    first = house.state(one) == "Accepted+"  # both ripen at once: their ids say in which order
    assert sorted((house.state(one), house.state(other))) == ["Accepted+", "Dropped"]
    assert house.ledger.look("members", "get_constitution", {})["lock"] == (9_000 if first else 1_000)


def test_no_vote_lives_on_when_a_constitution_comes_back(house: House) -> None:
    id = house.ledger.propose("a", set_reference())
    house.ledger.vote("a", id)
    before = house.ledger.look("members", "get_constitution", {})["digest"]
    for name, by in (("unanimous", "abc"), ("majority", "abcd")):
        change = house.decide(set_constitution(shipped.constitution(name)), by=by)
        house.ledger.clock.advance(hours=1)
        assert house.state(change) == "Accepted+"
    assert house.ledger.look("members", "get_constitution", {})["digest"] == before
    house.ledger.vote("b", id)
    told = house.proposal(id)["reason"]
    assert (house.state(id), told) == ("Dropped", "the constitution or its time lock was set since")


def test_some_members_keep_no_other_from_proposing() -> None:
    """All slots taken: each member has one, and what a removed member proposed takes none."""
    crowd = [f"m{number}" for number in range(10)]
    house = House(Ledger(founders=[*crowd, "z"]))
    for name in crowd:
        made = [
            house.envelope(name, "propose", {"title": "x", "steps": [set_reference(f"{name}{turn}")]})
            for turn in range(10)
        ]
        assert {one.code for one in house.block(*made)} == {"ok"}
    assert refused(lambda: house.ledger.propose("m0", set_reference())).failure.values == {"most": 10}
    id = house.ledger.propose("z", remove_member("m0"))
    assert refused(lambda: house.ledger.propose("z", set_reference())).failure.values == {"most": 100}
    assert len(house.ledger.look("members", "get_open_proposals", {})) == 101
    for name in crowd[1:]:
        if house.state(id) == "Open":
            house.ledger.vote(name, id)
    assert house.state(id) == "Accepted+"
    assert sum(row["is_open"] for row in house.rows("Docket")) == 100
    for turn in range(10):
        house.ledger.propose("z", set_reference(f"z{turn}"))
    assert refused(lambda: house.ledger.propose("z", set_reference())).failure.values == {"most": 10}
    assert {row["id"] for row in house.rows("Docket") if row["is_open"]} == {
        row["id"] for row in house.rows("Proposal") if row["is_open"]
    }


def test_dockets_say_which_proposals_are_open(house: House) -> None:
    """However one ends."""
    ends = ["Withdrawn", "Rejected", "Dropped", "Failed", "Accepted+", "Accepted"]
    first = {"name": "pause_contract", "subject": "nothing"}
    about = [set_reference("1"), set_reference("2"), set_reference("3"), first, set_reference("4")]
    made = [house.ledger.propose("a", step) for step in [*about, set_constitution(lock_ms=9_000)]]
    assert house.ledger.look("members", "get_open_proposals", {}) == sorted(made)
    house.ledger.govern("a", "withdraw", {"proposal": made[0]})
    house.decide(set_reference("3"))
    for name in "abc":
        if house.state(made[1]) == "Open":
            house.ledger.vote(name, made[1], False)
        if house.state(made[2]) == "Open":
            house.ledger.vote(name, made[2])
        for id in made[3:]:
            house.ledger.vote(name, id)
    assert [house.state(id) for id in made] == ends
    assert {(row["holder"], row["is_open"]) for row in house.rows("Docket")} == {("", False)}
    late = house.ledger.propose("a", set_reference("5"))
    assert house.ledger.look("members", "get_open_proposals", {}) == [late]
    house.ledger.clock.advance(days=31)
    assert (house.state(late), house.ledger.look("members", "get_open_proposals", {})) == ("Dropped", [])


def test_a_weight_changed_in_the_midst_of_a_vote_counts_from_then_on() -> None:
    ledger = Ledger(founders=["a", "b", "c"], constitution="weighted")
    house = House(ledger)
    id = ledger.propose("a", set_contract())
    ledger.vote("a", id)
    assert house.state(id) == "Open"
    house.decide(set_weight("a", 0), set_weight("b", 10), by="bc")
    assert house.record("Member", "b")["weight"] == 10
    ledger.vote("c", id)
    assert house.state(id) == "Open"  # by the weights before, these would have been two of three
    ledger.vote("b", id)
    assert house.state(id) == "Accepted+"


# The constitution


def test_a_change_of_the_constitution_waits_for_its_lock(house: House) -> None:
    id = house.decide(set_constitution(shipped.constitution("unanimous"), lock_ms=90_000))
    assert house.state(id) == "Accepted"
    assert house.proposal(id)["due"] == house.ledger.clock.ms + 3_600_000
    assert house.ledger.look("members", "get_constitution", {})["lock"] == 3_600_000
    house.ledger.clock.advance(minutes=59)
    assert house.state(id) == "Accepted"
    (ripe,) = house.ledger.clock.advance(minutes=1)
    assert (ripe.code, names(ripe)) == ("ok", ["constitution.set", "proposal.applied"])
    assert house.state(id) == "Accepted+"
    assert house.ledger.look("members", "get_constitution", {})["lock"] == 90_000
    later = house.decide(set_reference(), by="abc")
    assert house.state(later) == "Open"
    house.ledger.vote("d", later)
    assert house.state(later) == "Accepted+"


def test_a_vote_under_a_constitution_that_changed_drops_the_proposal(house: House) -> None:
    open_ = house.ledger.propose("a", set_contract())
    house.ledger.vote("a", open_)
    house.ledger.vote("b", open_)
    house.decide(set_constitution(shipped.constitution("unanimous")))
    house.ledger.clock.advance(hours=1)
    old = house.ledger.rows("members", "Proposal")[0]["constitution"]
    told = house.ledger.govern("c", "vote", {"proposal": open_, "yes": True, "constitution": old})
    assert names(told) == ["proposal.voted", "proposal.dropped"]
    assert house.proposal(open_)["reason"] == "the constitution is another since"


def test_a_second_constitution_waiting_for_its_lock_is_dropped_when_the_first_is_in_force(house: House) -> None:
    one = house.decide(set_constitution(shipped.constitution("unanimous")))
    house.ledger.clock.advance(minutes=1)
    other = house.decide(set_constitution(shipped.constitution("two_thirds")))
    house.ledger.clock.advance(hours=2)
    assert (house.state(one), house.state(other)) == ("Accepted+", "Dropped")
    assert house.proposal(other)["reason"] == "the constitution is another since"


def test_what_waits_is_counted_again_when_its_lock_ends(house: House) -> None:
    """Three of four are two thirds, and so are two of three when one of them was removed; two of five are not."""
    id = house.decide(set_constitution(shipped.constitution("unanimous")), by="abc")
    house.decide(remove_member("a"), by="bcd")
    other = House(house.ledger.fork())
    other.ledger.clock.advance(hours=1)
    assert other.state(id) == "Accepted+"
    house = House(house.ledger.fork())
    house.decide(set_member("e"), by="bcd")
    house.decide(set_member("f"), by="bcd")
    assert house.members() == ["b", "c", "d", "e", "f"]
    house.ledger.clock.advance(hours=1)
    assert (house.state(id), house.proposal(id)["reason"]) == ("Dropped", "it has not the votes any more")


def test_who_proposed_it_takes_back_what_waits(house: House) -> None:
    id = house.decide(set_constitution(shipped.constitution("unanimous")))
    house.ledger.govern("a", "withdraw", {"proposal": id})
    house.ledger.clock.advance(hours=1)
    assert house.state(id) == "Withdrawn"


def test_a_constitution_can_come_back(house: House) -> None:
    house.decide(set_constitution(shipped.constitution("two_thirds")))
    house.ledger.clock.advance(hours=1)
    id = house.decide(set_constitution(shipped.constitution("majority")))
    house.ledger.clock.advance(hours=1)
    assert house.state(id) == "Accepted+"
    assert len(house.rows("ConstitutionText")) == 2
    assert house.state(house.decide(set_contract())) == "Accepted+"


def test_the_lock_alone_can_be_changed(house: House) -> None:
    id = house.decide(set_constitution(lock_ms=5_000))
    house.ledger.clock.advance(hours=1)
    assert house.state(id) == "Accepted+"
    assert house.ledger.look("members", "get_constitution", {})["lock"] == 5_000


# Limits


def test_a_member_has_ten_proposals_open(house: House) -> None:
    ids = [house.ledger.propose("a", set_reference(f"r{n}")) for n in range(10)]
    assert refused(lambda: house.ledger.propose("a", set_reference())).failure.values == {"most": 10}
    house.ledger.propose("b", set_reference())
    house.ledger.govern("a", "withdraw", {"proposal": ids[0]})
    house.ledger.propose("a", set_reference())


def test_no_limit_of_the_ledger_keeps_members_from_a_vote(house: House) -> None:
    least = {"block_entries": 1, "block_bytes": 1024, "block_steps": 1, "transaction_bytes": 512}
    least |= {"transaction_steps": 1, "scheduled_entries": 1, "scheduled_steps": 1}
    house.decide({"name": "set_limits", "numbers": least})
    assert house.ledger.limits.block_steps == 1
    assert skipped(lambda: house.ledger.send("a", "members", "deploy", {})) == "steps.limit"
    id = house.decide(set_constitution(shipped.constitution("unanimous")))
    house.ledger.clock.advance(hours=1)
    assert house.state(id) == "Accepted+"
    more = house.decide({"name": "set_limits", "numbers": {"block_steps": 4_000_000}}, by="abcd")
    assert house.state(more) == "Accepted+"


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [set_reference()] * 33,
        [{"name": "rewrite_history"}],
        [{"name": "exclude_transaction", "subject": "00"}],
        [remove_member("nobody")],
        [remove_member("Not a name")],
        [{"name": "set_user", "subject": "eve"}],
        [{"name": "set_user", "subject": "nobody/eve"}],
        [set_contract("constitution")],
        [set_contract("No-Name")],
        [{"name": "set_limits", "subject": "ledger"}],
        [{"name": "set_jwt_issuer", "subject": "idp", "texts": {"member": "nobody"}}],
    ],
)
def test_what_is_no_proposal(house: House, steps: list[dict[str, object]]) -> None:
    assert refused(lambda: house.ledger.propose("a", *steps)).code in ("require.failed", "arguments.invalid")
    assert house.rows("Proposal") == []


# What an audit finds in it


def test_an_audit_of_a_block_in_which_ripening_ends_a_key(house: House) -> None:
    """A proposal ripens and removes d; a transaction of d stands behind it, and was signed while its key counted."""
    ledger = house.ledger
    house.decide(set_contract())
    id = house.decide(set_constitution(lock_ms=5_000), remove_member("d"))
    assert house.state(id) == "Accepted"
    ledger.clock.ms = house.proposal(id)["due"]
    late = house.envelope(
        "d",
        "write",
        {"id": "x"},
        key=keys.sender("d"),
        contract="notes",
        content_type=cose.TRANSACTION,
        steps_max=50_000,
    )
    tip, tiles = ledger._tip, ledger._tiles  # pyright: ignore[reportPrivateUsage]
    memory, directory = ledger._memory, ledger._directory  # pyright: ignore[reportPrivateUsage]
    audited, recovered = directory.copy(), directory.copy()
    batch = Batch(tip.height, ledger.clock.ms, [late.envelope])
    sealed, left_out = apply.apply_batch(batch, tip, memory, directory, tiles, {})
    assert sealed is not None and left_out == []
    items = sealed.block.items
    assert [(item.kind, entry.decode_outcome(item.outcome).code) for item in items] == [
        ("scheduled", "ok"),
        ("transaction", "sender.revoked"),
    ]
    view = apply.View(memory, audited.indexes_of)
    assert reexecution._execute_block(sealed.block, tip, view, audited) == []  # pyright: ignore[reportPrivateUsage]
    for seq, item in enumerate(items, tip.size):
        recovered.apply(seq, writes.decode(item.writes))
    assert contents(audited) == contents(recovered) == contents(directory)
    assert "d" not in directory.members


# What others have come due

ALARMS = """
from hansa.contract import Contract, Instant, Record, Text, action, schedule

class Alarms(Contract, version="1.0.0"):
    class Alarm(Record, key="id"):
        id: Text[1, 9]

    @action(by="member", creates="Alarm")
    def wake(tx, alarm: Alarm, id: Text[1, 9], at: Instant):
        schedule(alarm, "ring", at)

    @action(by="schedule")
    def ring(tx, alarm: Alarm):
        pass
"""


def test_what_members_decided_comes_before_all_that_others_scheduled(house: House) -> None:
    """With one place in a block for what is due: the end of a time lock, then those of ballots, each in its order."""
    ledger = house.ledger
    house.decide(set_contract("alarms", ALARMS))
    house.decide({"name": "set_limits", "numbers": {"scheduled_entries": 1}})
    locked = house.decide(set_constitution(lock_ms=120_000))
    end = house.proposal(locked)["due"]
    later, earlier = (
        ledger.govern("a", "propose", {"title": "T", "steps": [set_contract()], "closes": end - before}).id
        for before in (1_000, 2_000)
    )
    for number in range(3):
        ledger.send("d", "alarms", "wake", {"id": str(number), "at": end - 3_000})
    assert ledger.next_due() == end - 3_000
    ledger.clock.ms = end
    entries = [ledger.take_due(end, blocks_max=1) for _ in range(6)]
    assert [(answer.contract, names(answer)) for (answer,) in entries] == [
        ("members", ["constitution.set", "proposal.applied"]),
        ("members", ["proposal.dropped"]),
        ("members", ["proposal.dropped"]),
        ("alarms", []),
        ("alarms", []),
        ("alarms", []),
    ]
    assert [answer.events[0].data["id"] for (answer,) in entries[1:3]] == [earlier, later]
    assert ledger.take_due(end, blocks_max=1) == []
