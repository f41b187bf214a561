"""Under each preset: what each kind of action needs, written by hand, and that no single member can do more.

Members are called a, b, c ...; a holds the veto under `veto_holder`, is the operator under `operator`; weights are
those of WEIGHTS under `weighted`. Every question is put to both interpreters.
"""

import pytest
from tests.constitutions.conftest import ABOUT_A_MEMBER, Presets, act, votes
from tests.constitutions.pin import FOLDER, files, pinned

from hansa.governance.sequel import TALLY_STEPS
from hansa.node import shipped
from hansa.wire.problems import HansaError

PRESETS = ["m_of_n", "majority", "operator", "single", "two_thirds", "unanimous", "veto_holder", "weighted"]
ATTRIBUTES = {"veto_holder": ["governance:veto"], "operator": ["governance:operator"]}
"""What member a has."""
WEIGHTS = {"a": 5, "b": 3, "c": 1, "d": 1, "e": 0}
"""Under `weighted`: more than half is 6 of 10, two thirds 7."""

ORDINARY = [
    "set_user b/ann",
    "set_user_data b/ann",
    "set_contract letters",
    "set_library fees",
    "resume_contract letters",
    "set_limits",
    "set_jwt_issuer b",
    "remove_jwt_issuer b",
    "exclude_transaction 00",
]
DAILY = ["remove_user b/ann", "pause_contract letters", "set_reference calendars"]
MEMBERSHIP = ["set_member f", "remove_member e", "set_member_data e"]
RULES = ["set_constitution"]
FOUNDATION = MEMBERSHIP + RULES
EVERYTHING = ORDINARY + DAILY + FOUNDATION
ALONE = [one for one in EVERYTHING if one != "remove_member e"]
KEYS = ["set_member_keys e"]
KEYS_OF_A = ["set_member_keys a"]
LEAVE_ONE = ["remove_member b, remove_member c, remove_member d, remove_member e"]

OP, OK, NO = "Open", "Accepted", "Rejected"

# preset, members, actions, each: (who says yes, who says no, what comes of it); the proposer is b if not said
TABLE: list[tuple[str, str, list[str], list[tuple[str, str, str]]]] = [
    ("single", "a", ALONE, [("", "", OK)]),
    ("single", "ab", EVERYTHING, [("", "", OP), ("a", "", OP), ("b", "", OP), ("ab", "", OK), ("a", "b", NO)]),
    ("single", "abcde", EVERYTHING + LEAVE_ONE, [("a", "", OP), ("abcd", "", OP), ("abcde", "", OK), ("", "a", NO)]),
    (
        "single",
        "abcde",
        KEYS,
        [("abc", "", OP), ("abcd", "", OK), ("abcd", "e", OK), ("abce", "", OP), ("abc", "d", NO)],
    ),
    ("majority", "a", ALONE, [("", "", OP), ("a", "", OK), ("", "a", NO)]),
    (
        "majority",
        "ab",
        EVERYTHING + KEYS_OF_A,
        [("", "", OP), ("a", "", OP), ("b", "", OP), ("ab", "", OK), ("", "a", NO)],
    ),
    ("majority", "abc", EVERYTHING, [("a", "", OP), ("ab", "c", OK), ("a", "bc", NO)]),
    ("majority", "abc", KEYS_OF_A, [("ab", "", OP), ("bc", "", OK), ("bc", "a", OK), ("b", "c", NO)]),
    ("majority", "abc", ["remove_member b, remove_member c"], [("ac", "", OP), ("abc", "", OK), ("ac", "b", NO)]),
    ("majority", "abcde", ORDINARY + DAILY, [("ab", "de", OP), ("abc", "", OK), ("abc", "de", OK), ("ab", "cde", NO)]),
    ("majority", "abcde", FOUNDATION, [("abc", "d", OP), ("abcd", "e", OK), ("abc", "de", NO)]),
    ("majority", "abcde", KEYS, [("ab", "", OP), ("abe", "", OP), ("abc", "", OK), ("a", "bc", NO), ("ab", "e", OP)]),
    ("majority", "abcde", LEAVE_ONE, [("abcd", "", OP), ("abcde", "", OK), ("abcd", "e", NO)]),
    ("majority", "abcde", ["set_contract x, set_constitution"], [("abc", "", OP), ("abcd", "", OK)]),
    ("majority", "abcde", ["set_member_keys e, set_constitution"], [("abc", "", OP), ("abcd", "", OK)]),
    ("two_thirds", "a", ALONE, [("", "", OP), ("a", "", OK), ("", "a", NO)]),
    ("two_thirds", "ab", EVERYTHING, [("a", "", OP), ("ab", "", OK), ("a", "b", NO)]),
    ("two_thirds", "abc", ORDINARY + DAILY, [("a", "", OP), ("ab", "", OK), ("a", "bc", NO)]),
    ("two_thirds", "abc", FOUNDATION, [("ab", "", OP), ("abc", "", OK), ("ab", "c", NO)]),
    ("two_thirds", "abcde", ORDINARY + DAILY, [("abc", "d", OP), ("abcd", "e", OK), ("abc", "de", NO)]),
    ("two_thirds", "abcdefgh", ORDINARY + DAILY, [("abcde", "gh", OP), ("abcdef", "gh", OK), ("abcde", "fgh", NO)]),
    ("two_thirds", "abcdefgh", RULES, [("abcde", "gh", OP), ("abcdef", "gh", OK), ("abcde", "fgh", NO)]),
    ("two_thirds", "abcde", FOUNDATION, [("abc", "", OP), ("abcd", "e", OK), ("abc", "de", NO)]),
    ("two_thirds", "abcde", KEYS, [("ab", "", OP), ("abc", "d", OK), ("ab", "cd", NO)]),
    ("two_thirds", "abcde", LEAVE_ONE, [("abcd", "", OP), ("abcde", "", OK)]),
    ("unanimous", "a", ALONE, [("", "", OP), ("a", "", OK), ("", "a", NO)]),
    ("unanimous", "ab", EVERYTHING + KEYS_OF_A, [("a", "", OP), ("b", "", OP), ("ab", "", OK), ("", "b", NO)]),
    ("unanimous", "abcde", EVERYTHING + LEAVE_ONE, [("abcd", "", OP), ("abcde", "", OK), ("abcd", "e", NO)]),
    (
        "unanimous",
        "abcde",
        KEYS,
        [("abc", "", OP), ("abcd", "", OK), ("abcd", "e", OK), ("abce", "", OP), ("ab", "c", NO)],
    ),
    ("m_of_n", "a", ALONE, [("", "", OP), ("a", "", OK), ("", "a", NO)]),
    ("m_of_n", "ab", EVERYTHING + KEYS_OF_A, [("a", "", OP), ("ab", "", OK), ("a", "b", NO)]),
    ("m_of_n", "abcde", ORDINARY + DAILY, [("a", "bcd", OP), ("ab", "cde", OK), ("a", "bcde", NO)]),
    ("m_of_n", "abcde", FOUNDATION, [("abc", "", OP), ("abcd", "", OK), ("abc", "de", NO)]),
    ("m_of_n", "abcde", KEYS, [("ab", "", OP), ("abc", "", OK), ("abe", "", OP), ("ab", "cd", NO)]),
    ("m_of_n", "abcde", LEAVE_ONE, [("abcd", "", OP), ("abcde", "", OK), ("abcd", "e", NO)]),
    ("veto_holder", "a", ALONE, [("", "", OP), ("a", "", OK), ("", "a", NO)]),
    ("veto_holder", "ab", EVERYTHING, [("a", "", OP), ("b", "", OP), ("ab", "", OK), ("b", "a", NO)]),
    (
        "veto_holder",
        "abcde",
        ORDINARY + DAILY,
        [("bcde", "", OP), ("bcde", "a", NO), ("abc", "", OK), ("ab", "cde", NO)],
    ),
    ("veto_holder", "abcde", FOUNDATION, [("bcde", "", OP), ("bcde", "a", NO), ("abc", "", OP), ("abcd", "e", OK)]),
    ("veto_holder", "abcde", ["set_member_data a", "remove_member a"], [("bcde", "", OP), ("bcde", "a", NO)]),
    ("veto_holder", "abcde", KEYS, [("bcd", "", OP), ("abc", "", OK), ("bcd", "a", NO), ("abe", "", OP)]),
    ("veto_holder", "abcde", KEYS_OF_A, [("bcd", "", OP), ("bcde", "", OK), ("bcde", "a", OK), ("abcd", "", OP)]),
    ("veto_holder", "abcde", LEAVE_ONE, [("abcd", "", OP), ("abcde", "", OK)]),
    ("operator", "a", [one for one in ALONE if one not in DAILY], [("", "", OP), ("a", "", OK), ("", "a", NO)]),
    ("operator", "ab", ORDINARY + FOUNDATION, [("a", "", OP), ("b", "", OP), ("ab", "", OK), ("a", "b", NO)]),
    ("operator", "abcde", ORDINARY + DAILY, [("ab", "", OP), ("abc", "", OP), ("bcd", "ae", OK), ("abcd", "", OK)]),
    ("operator", "abcde", ORDINARY + DAILY, [("a", "bc", NO), ("abc", "de", NO)]),
    ("operator", "abcde", FOUNDATION, [("abc", "", OP), ("bcd", "", OP), ("abcd", "e", OK), ("bcde", "a", OK)]),
    ("operator", "abcde", [*KEYS, *KEYS_OF_A], [("ab", "", OP), ("bcd", "", OK), ("", "bc", NO)]),
    ("operator", "abcde", LEAVE_ONE, [("abcd", "", OP), ("abcde", "", OK)]),
    ("weighted", "a", ALONE, [("", "", OP), ("a", "", OK), ("", "a", NO)]),
    ("weighted", "ab", EVERYTHING, [("a", "", OP), ("ab", "", OK), ("a", "b", NO), ("b", "", OP)]),
    ("weighted", "abcde", ORDINARY + DAILY, [("a", "", OP), ("ae", "", OP), ("ac", "bd", OK), ("bcde", "", OP)]),
    ("weighted", "abcde", ORDINARY + DAILY, [("a", "bcd", NO), ("bcd", "a", NO)]),
    (
        "weighted",
        "abcde",
        FOUNDATION,
        [("ac", "", OP), ("acd", "b", OK), ("ab", "", OK), ("cde", "a", NO), ("ce", "b", OP)],
    ),
    ("weighted", "abcde", KEYS_OF_A, [("b", "", OP), ("bc", "", OK), ("bc", "a", OK), ("cd", "", OP), ("cd", "b", NO)]),
    ("weighted", "abcde", LEAVE_ONE, [("abcd", "", OP), ("abcde", "", OK)]),
]


def resolve(
    presets: Presets, preset: str, members: str, actions: str, yes: str, no: str, proposer: str, *, on_both: bool = True
) -> str:
    found = [
        {"id": one, "weight": WEIGHTS.get(one, 1), "attributes": ATTRIBUTES.get(preset, []) if one == "a" else []}
        for one in members
    ]
    proposal = {"proposer": proposer, "actions": [act(one) for one in actions.split(", ")], "votes": votes(yes, no)}
    return presets.ask(preset, "resolve", on_both=on_both, proposal=proposal, members=found)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}-{row[1]}-{row[2][0].replace(', ', '+')}")
def test_what_votes_come_to(presets: Presets, row: tuple[str, str, list[str], list[tuple[str, str, str]]]) -> None:
    preset, members, several, cases = row
    proposer = "b" if "b" in members else "a"
    for actions in several:
        for yes, no, expected in cases:
            on_both = actions == several[0]  # on the slower one the first of its kind is enough
            found = resolve(presets, preset, members, actions, yes, no, proposer, on_both=on_both)
            assert found == expected, (actions, yes, no)


@pytest.mark.parametrize("actions", [*DAILY, "pause_contract x, set_reference y"])
def test_an_operator_does_daily_business_alone(presets: Presets, actions: str) -> None:
    for members in ("a", "ab", "abcde"):
        assert resolve(presets, "operator", members, actions, "", "", "a") == OK
    assert resolve(presets, "operator", "abcde", actions, "b", "", "b") == OP  # b is no operator


@pytest.mark.parametrize("other", [*ORDINARY, *FOUNDATION, *KEYS])
@pytest.mark.parametrize("form", ["pause_contract x, {}", "{}, pause_contract x"])
def test_nothing_rides_on_an_operators_daily_business(presets: Presets, form: str, other: str) -> None:
    assert resolve(presets, "operator", "abcde", form.format(other), "a", "", "a") == OP


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("members", ["ab", "abc", "abcde"])
def test_no_single_member_decides_where_there_are_others(presets: Presets, preset: str, members: str) -> None:
    """Whoever it is, whatever it proposes and votes for alone; but the operator's daily business."""
    for actions in [*ORDINARY, *DAILY, *FOUNDATION, *KEYS, *KEYS_OF_A, *LEAVE_ONE]:
        about = {word for part in actions.split(", ") if part.split()[0] in ABOUT_A_MEMBER for word in part.split()[1:]}
        if about <= {*members}:
            for one in members:
                is_daily = preset == "operator" and one == "a" and actions in DAILY
                found = resolve(presets, preset, members, actions, one, "", one, on_both=False)
                assert found == (OK if is_daily else OP), (actions, one)


def test_with_only_operators_their_votes_count_as_any(presets: Presets) -> None:
    members = [{"id": one, "weight": 1, "attributes": ["governance:operator"]} for one in "abc"]
    for yes, expected in (("a", OP), ("ab", OK)):
        proposal = {"proposer": "a", "actions": [act("set_contract x")], "votes": votes(yes)}
        assert presets.ask("operator", "resolve", proposal=proposal, members=members) == expected


def test_operators_need_each_other_to_give_new_keys_to_the_last_member_with_a_veto(presets: Presets) -> None:
    members = [{"id": one, "weight": 1, "attributes": ["governance:operator"] * (one != "d")} for one in "abcd"]
    for yes, expected in (("ab", OP), ("abc", OK)):
        proposal = {"proposer": "a", "actions": [act("set_member_keys d")], "votes": votes(yes)}
        assert presets.ask("operator", "resolve", proposal=proposal, members=members) == expected


def test_members_without_weight_decide_together(presets: Presets) -> None:
    members = [{"id": one, "weight": 0, "attributes": []} for one in "abc"]
    for yes, no, expected in (("", "", OP), ("ab", "", OP), ("abc", "", OK), ("ab", "c", NO)):
        proposal = {"proposer": "a", "actions": [act("set_constitution")], "votes": votes(yes, no)}
        assert presets.ask("weighted", "resolve", proposal=proposal, members=members) == expected


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_let_everything_be_voted_on_and_bring_about_nothing_besides(presets: Presets, preset: str) -> None:
    members = [{"id": one, "weight": 1, "attributes": []} for one in "abcde"]
    for actions in [*EVERYTHING, *KEYS, *LEAVE_ONE]:
        done = [act(one) for one in actions.split(", ")]
        proposal = {"proposer": "a", "actions": done, "votes": []}
        assert presets.ask(preset, "validate", on_both=False, proposal=proposal, members=members) == []
        for one in done:
            assert presets.ask(preset, "apply", on_both=False, step=one, members=members) == [one]


@pytest.mark.parametrize("preset", PRESETS)
def test_somebody_remains(presets: Presets, preset: str) -> None:
    told = ["no member would be left, and nobody could ever vote again"]
    for members, actions, problems in (
        ("a", "remove_member a", told),
        ("ab", "remove_member a, remove_member b", told),
        ("ab", "remove_member a, set_contract x", []),
        ("a", "remove_member a, set_member f", []),
    ):
        found = [{"id": one, "weight": 1, "attributes": []} for one in members]
        proposal = {"proposer": "a", "actions": [act(one) for one in actions.split(", ")], "votes": votes(members)}
        assert presets.ask(preset, "validate", proposal=proposal, members=found) == problems
        decided = presets.ask(preset, "resolve", proposal=proposal, members=found)
        assert decided == (NO if problems else OK)


def test_every_constitution_pins_the_library_beside_it() -> None:
    for file in files():
        assert file.read_text("utf-8") == pinned(file.read_text("utf-8")), "run `python -m tests.constitutions.pin`"


def test_what_is_shipped_is_found_by_name() -> None:
    assert list(shipped.constitutions()) == PRESETS
    assert shipped.constitution("two-thirds") == (FOLDER / "two_thirds.py").read_text("utf-8")
    assert shipped.library() == (FOLDER / "governance.py").read_text("utf-8")
    with pytest.raises(HansaError, match="no constitution"):
        shipped.constitution("dictator")


# What counting costs

LARGE = [f"m{number:03d}" for number in range(500)]
OTHER_ATTRIBUTES = [f"x{number:02d}{'y' * 27}" for number in range(8)]


@pytest.mark.parametrize("preset", PRESETS)
def test_the_votes_of_five_hundred_members_are_counted_in_half_of_what_is_allowed(
    presets: Presets, preset: str
) -> None:
    """All but one have voted, and what counting looks for is found late: after other attributes, with most of them."""
    attributes = [*OTHER_ATTRIBUTES, *ATTRIBUTES.get(preset, [])]
    members = [{"id": one, "weight": 3, "attributes": attributes} for one in LARGE]
    members[0] |= {"attributes": OTHER_ATTRIBUTES}
    cast = [{"member": one, "yes": number % 5 > 0} for number, one in enumerate(LARGE[1:])]
    for action in ("set_reference x", "set_member z", "set_member_keys m499"):
        proposal = {"proposer": "m000", "actions": [act(action)], "votes": cast}
        ran = presets.count(preset, LARGE, proposal=proposal, members=members)
        assert (ran.code, ran.steps < TALLY_STEPS // 2) == ("ok", True), (action, ran)
