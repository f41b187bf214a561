"""The floor: what no constitution can take away, each rule under one that would allow the breach."""

import pytest
from tests.governance.conftest import CONSTITUTION
from tests.governance.house import (
    House,
    names,
    remove_member,
    set_constitution,
    set_contract,
    set_member,
    set_reference,
    set_weight,
)
from tests.governance.test_votes import refused

from hansa.governance import sequel
from hansa.node import shipped
from hansa.testing import keys
from hansa.testing.ledger import Ledger

CHECKPOINT_KEY = {"purpose": "checkpoint", "spki": keys.node("another").public.spki}
LOOP = """        count = 0
        for a in range(2000000):
            count += a
"""


def rules(*, validate: str = "return []", resolve: str = 'return "Open"', apply: str = "return [step]") -> str:
    """A constitution of these bodies."""
    changed = CONSTITUTION.replace("return []", validate).replace('return "Open"', resolve)
    return changed.replace("return [step]", apply)


def house(founders: str = "abc", **bodies: str) -> House:
    return House(Ledger(founders=list(founders), constitution=rules(**bodies)))


ALWAYS = 'return "Accepted"'
FAULTS = 'return "Open" if 1 // 0 == 0 else "Open"'
ENDLESS = LOOP.strip() + '\n        return "Accepted"'


# The yes of all


@pytest.mark.parametrize(
    "resolve",
    ['return "Open"', 'return "Rejected"', FAULTS, ENDLESS, 'return "Perhaps"', 'return "No, never"'],
    ids=["silent", "rejects", "faults", "endless", "other words", "too long"],
)
def test_the_yes_of_all_accepts_whatever_the_constitution_says(resolve: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequel, "TALLY_STEPS", 10_000)  # what never ends, ends there, and the written form is slow
    here = house(resolve=resolve)
    id = here.decide(set_reference())
    assert here.state(id) == "Accepted+"
    better = here.decide(set_constitution(shipped.constitution("majority")))
    here.ledger.clock.advance(hours=1)
    assert here.state(better) == "Accepted+"
    assert here.state(here.decide(set_contract(), by="ab")) == "Accepted+"


def test_what_gives_no_answer_is_told() -> None:
    here = house(resolve=FAULTS)
    id = here.ledger.propose("a", set_reference())
    voted = here.ledger.vote("a", id)
    assert names(voted) == ["proposal.voted", "proposal.unresolved"]
    assert voted.events[-1].data["code"] == "value.division"
    assert len(here.proposal(id)["ballots"]) == 1


def test_nothing_is_rejected_to_which_nobody_said_no() -> None:
    here = house(resolve='return "Rejected"')
    id = here.ledger.propose("a", set_reference())
    here.ledger.vote("a", id)
    assert here.state(id) == "Open"
    here.ledger.vote("b", id, False)
    assert here.state(id) == "Rejected"


def test_no_constitution_objects_to_a_vote_on_another() -> None:
    for bodies in (
        {"validate": 'return ["never"]'},
        {"validate": 'return ["never"] if 1 // 0 == 0 else []'},
        {"apply": "return []"},
        {"apply": "return [step, step]"},
        {"apply": "return [step] if 1 // 0 == 0 else []"},
    ):
        here = house(**bodies)
        if "validate" in bodies:
            assert refused(lambda here=here: here.ledger.propose("a", set_reference())).code != "ok"
            both = [set_reference(), set_constitution(shipped.constitution("majority"))]
            assert refused(lambda here=here, both=both: here.ledger.propose("a", *both)).code != "ok"
        else:
            assert here.state(here.decide(set_reference())) == "Failed"
        id = here.decide(set_constitution(shipped.constitution("majority")))
        here.ledger.clock.advance(hours=1)
        assert here.state(id) == "Accepted+"


def test_problems_are_told_to_who_proposes() -> None:
    here = house(validate='return ["not so", "nor so"]')
    told = refused(lambda: here.ledger.propose("a", set_reference()))
    assert told.failure.values == {"problems": ["not so", "nor so"]}


# The yes of two


@pytest.mark.parametrize(
    "step",
    [
        set_constitution(shipped.constitution("single")),
        set_member("e"),
        remove_member("c"),
        set_weight("a", 1_000),
        {"name": "set_member_data", "subject": "b", "attributes": ["x"]},
        {
            "name": "set_member_keys",
            "subject": "b",
            "keys": [{"purpose": "governance", "spki": keys.sender("stolen").public.spki}],
        },
        {
            "name": "set_user",
            "subject": "b/eve",
            "title": "Eve",
            "keys": [{"purpose": "transaction", "spki": keys.sender("eve").public.spki}],
        },
        {"name": "set_user_data", "subject": "b/ben", "attributes": ["may:pay"]},
        {
            "name": "set_jwt_issuer",
            "subject": "idp",
            "texts": {"member": "b", "url": "https://x", "audience": "h", "algorithms": "ES256"},
        },
    ],
    ids=lambda step: step["name"],
)
def test_one_member_changes_no_rules_and_no_members(step: dict[str, object]) -> None:
    here = house(resolve=ALWAYS)
    here.ledger.govern("b", "set_own_user", {"id": "b/ben", "name": "Ben", "attributes": []})
    id = here.ledger.propose("a", step)
    assert here.state(id) == "Open"
    here.ledger.vote("a", id)
    assert here.state(id) == "Open"
    here.ledger.vote("b", id)
    assert here.state(id).startswith("Accepted")


def test_daily_business_may_be_accepted_at_once() -> None:
    here = house(resolve=ALWAYS)
    id = here.ledger.propose("a", set_reference())
    assert here.state(id) == "Accepted+"
    assert len(here.ledger.entries) == 1


def test_what_follows_needs_the_yes_of_two_as_well() -> None:
    more = 'Action(name="set_member_data", subject="a", member=None, attributes=[], weight=1000, digest=None)'
    here = house(resolve=ALWAYS, apply=f"return [step, {more}]")
    assert here.state(here.ledger.propose("a", set_reference())) == "Failed"
    assert here.record("Member", "a")["weight"] == 1
    willing = House(Ledger(founders=["a", "b", "c"], constitution=rules(apply=f"return [step, {more}]")))
    assert willing.state(willing.decide(set_reference())) == "Accepted+"
    assert willing.record("Member", "a")["weight"] == 1000


@pytest.mark.parametrize("name", ["remove_member", "set_member", "set_constitution", "set_contract", "set_limits", "x"])
def test_some_things_never_follow(name: str) -> None:
    more = f'Action(name="{name}", subject="b", member=None, attributes=[], weight=None, digest=None)'
    here = house(apply=f"return [step, {more}]")
    assert here.state(here.decide(set_reference())) == "Failed"
    assert here.members() == ["a", "b", "c"]


def test_a_constitution_can_have_something_follow() -> None:
    """A member without a contract to answer for loses an attribute; users that go are told by hand."""
    more = 'Action(name="remove_user", subject="b/eve", member=None, attributes=[], weight=None, digest=None)'
    here = house(apply=f"return [step, {more}]")
    here.ledger.govern("b", "set_own_user", {"id": "b/eve", "name": "Eve", "attributes": []})
    id = here.decide(set_reference())
    assert here.state(id) == "Accepted+"
    assert here.record("User", "b/eve")["removed"]
    assert names(here.ledger.entries[-1])[-3:] == ["reference.added", "user.removed", "proposal.applied"]


# An active member remains


def test_fewer_than_two_members_need_the_yes_of_all() -> None:
    here = house("ab", resolve=ALWAYS)
    id = here.ledger.propose("a", remove_member("b"))
    here.ledger.vote("a", id)
    assert here.state(id) == "Open"
    here.ledger.vote("b", id)
    assert (here.state(id), here.members()) == ("Accepted+", ["a"])


def test_two_of_three_do_not_leave_one() -> None:
    here = house(resolve=ALWAYS)
    id = here.ledger.propose("a", remove_member("b"), remove_member("c"), set_member("friend"))
    here.ledger.vote("a", id)
    here.ledger.vote("b", id)
    assert here.state(id) == "Failed"
    assert here.members() == ["a", "b", "c"]


def test_the_last_member_stays() -> None:
    here = house("a", resolve=ALWAYS)
    assert here.state(here.ledger.propose("a", remove_member("a"))) == "Failed"
    assert here.state(here.ledger.propose("a", set_member("b"), remove_member("a"))) == "Failed"
    assert here.members() == ["a"]


def test_all_of_them_do_not_remove_all() -> None:
    here = house("ab")
    assert here.state(here.decide(remove_member("a"), remove_member("b"), by="ab")) == "Failed"
    assert here.members() == ["a", "b"]


# The time lock


@pytest.mark.parametrize("lock", [0, 999, -1, 30 * 86_400_000 + 1])
def test_a_time_lock_has_its_bounds(lock: int) -> None:
    here = house()
    id = here.decide(set_constitution(lock_ms=lock))
    here.ledger.clock.advance(hours=2)
    assert here.state(id) == "Failed"
    assert here.ledger.look("members", "get_constitution", {})["lock"] == 3_600_000


def test_the_yes_of_all_waits_for_the_lock_too() -> None:
    here = house()
    assert here.state(here.decide(set_constitution(shipped.constitution("single")))) == "Accepted"


# Nothing is written over


def test_ids_of_members_are_given_once() -> None:
    here = house(resolve=ALWAYS)
    assert here.state(here.decide({**set_member("b"), "keys": set_member("e")["keys"]}, by="ab")) == "Failed"
    assert here.ledger.entries[-1].events[-1].data["code"] == "record.exists"
    twice = {**set_member("e"), "keys": set_member("f")["keys"]}
    assert refused(lambda: here.ledger.propose("a", set_member("e"), twice)).code == "require.failed"
    here.decide(remove_member("c"), by="ab")
    back = {**set_member("c"), "keys": set_member("g")["keys"]}
    assert here.state(here.decide(back, by="ab")) == "Failed"
    assert here.members() == ["a", "b"]


def test_ids_of_users_are_given_once() -> None:
    here = house(resolve=ALWAYS)
    user = {"name": "set_user", "subject": "b/eve", "title": "Eve"}
    here.decide(user, by="ab")
    assert here.state(here.decide(user, by="ab")) == "Failed"
    here.decide({"name": "remove_user", "subject": "b/eve"}, by="ab")
    assert here.state(here.decide(user, by="ab")) == "Failed"
    again = refused(lambda: here.ledger.govern("b", "set_own_user", {"id": "b/eve", "name": "E", "attributes": []}))
    assert again.code == "require.failed"


@pytest.mark.parametrize("owner", ["another member", "itself", "revoked"])
def test_keys_are_registered_once(owner: str) -> None:
    here = house(resolve=ALWAYS)
    if owner == "revoked":
        more = keys.sender("more").public.spki
        fields = {"owner_kind": "member", "owner": "a", "purpose": "transaction", "spki": more}
        here.ledger.govern("a", "register_key", fields)
        here.ledger.govern("a", "revoke_key", {"key": keys.sender("more").kid})
        again = refused(lambda: here.ledger.govern("a", "register_key", fields))
        assert again.code == "record.exists"
        return
    taken = keys.sender("b" if owner == "another member" else "e").public.spki
    step = set_member("e")
    step["keys"] = [*step["keys"], {"purpose": "governance", "spki": taken}]
    assert refused(lambda: here.ledger.propose("a", step)).code == "require.failed"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"keys": set_member("e")["keys"][:1]}, "require.failed"),
        ({"keys": set_member("e")["keys"][1:]}, "require.failed"),
        ({"keys": []}, "require.failed"),
        ({"title": ""}, "require.failed"),
        ({"keys": [*set_member("e")["keys"], CHECKPOINT_KEY]}, "require.failed"),
        ({"attributes": ["ledger:governance"]}, "require.failed"),
    ],
)
def test_a_member_comes_with_what_it_needs(changed: dict[str, object], code: str) -> None:
    here = house(resolve=ALWAYS)
    assert here.state(here.decide({**set_member("e"), **changed}, by="ab")) == "Failed"
    assert here.ledger.entries[-1].events[-1].data["code"] == code


def test_bytes_that_are_no_key_are_not_proposed() -> None:
    step = {**set_member("e"), "keys": [{"purpose": "governance", "spki": b"x"}]}
    assert refused(lambda: house().ledger.propose("a", step)).code == "key.unsupported"


# Nobody special


def test_the_first_member_is_nobody_special() -> None:
    """Whoever it is of four: three others remove it, and it can do nothing alone."""
    start = Ledger(founders=["a", "b", "c", "d"])
    for one in "abcd":
        here, others = House(start.fork()), [name for name in "abcd" if name != one]
        alone = here.ledger.propose(one, remove_member(others[0]))
        here.ledger.vote(one, alone)
        assert here.state(alone) == "Open"
        assert here.state(here.decide(remove_member(one), by="".join(others))) == "Accepted+"
        assert here.members() == others
        assert refused(
            lambda here=here, name=others[0]: here.ledger.send(name, "members", "deploy_library", {})
        ).code in ("role.denied", "arguments.invalid")


def test_a_founder_alone_lets_others_in_and_is_one_of_them_then() -> None:
    here = House(Ledger(founders=["a"], constitution="majority"))
    for name in "bc":
        here.ledger._keys[name] = keys.sender(name)  # pyright: ignore[reportPrivateUsage]
        here.ledger._governance_keys[name] = keys.sender(f"{name} governance")  # pyright: ignore[reportPrivateUsage]
        id = here.decide(set_member(name), by="".join(here.members()))
        assert here.state(id) == "Accepted+"
    assert here.state(here.decide(remove_member("a"), by="bc")) == "Accepted+"
    assert here.members() == ["b", "c"]
