"""The search: it clears the presets, finds what is wrong with broken constitutions, and nothing on the floor."""

from pathlib import Path

import pytest
from tests.constitutions.pin import BROKEN, FOLDER, LIBRARY

from hansa.contracts import program
from hansa.contracts.checked import Checked
from hansa.governance.assembly import Assembly, Constitutions
from hansa.governance.levers import vocabulary
from hansa.governance.motions import DATA, REMOVE, RULES, Kind, State, Step
from hansa.governance.search import Report, search
from hansa.governance.traces import lines, trace

_LIBRARY = program.check(LIBRARY.read_text("utf-8"), "governance")


def searched(
    *texts: str | Path,
    members: int,
    fewest: int = 1,
    floor: bool = False,
    depth: int = 6,
    library: Checked = _LIBRARY,
) -> Report:
    """A search that begins under the first of these constitutions."""
    checked = {}
    for number, text in enumerate(texts):
        name, source = (text.stem, text.read_text("utf-8")) if isinstance(text, Path) else (f"made_{number}", text)
        checked[name] = program.check(source, "constitution", {library.digest: library})
    programs = {name: program.compiled(one) for name, one in checked.items()}
    return search(programs, vocabulary(checked), members=members, fewest=fewest, floor=floor, depth=depth)


def told(report: Report) -> list[list[str]]:
    return [lines(trace(finding)) for finding in report.findings]


@pytest.mark.parametrize(
    ("preset", "states"),
    [
        ("m_of_n", 4),  # as many as there can be members: nothing else tells them apart
        ("majority", 4),
        ("operator", 14),  # so many with the attribute, so many without: 2 + 3 + 4 + 5
        ("single", 4),
        ("two_thirds", 4),
        ("unanimous", 4),
        ("veto_holder", 14),
        ("weighted", 34),  # members of three weights: 3 + 6 + 10 + 15
    ],
)
def test_presets_cannot_be_locked_or_taken_over(preset: str, states: int) -> None:
    report = searched(FOLDER / f"{preset}.py", members=4)
    assert (told(report), report.states) == ([], states)


FLAWS = {
    "present_votes": [
        ["take-over: begins under present_votes with A and B", "A alone can now have it accepted to {rules}."],
    ],
    "removing_holder": [
        [
            "take-over: begins under removing_holder with A and B (governance:veto)",
            "B alone can now have it accepted to remove A.",
        ],
    ],
    "fixed_number": [
        [
            "take-over: begins under fixed_number with A, B and C",
            "1. B proposes to remove A and to remove B",
            "   B and C said yes: accepted; then C, under fixed_number",
            "C alone is left; A did not agree.",
        ],
        [
            "lock-out: begins under fixed_number with A, B and C",
            "1. A proposes to remove A",
            "   A and B said yes: accepted; then B and C, under fixed_number",
            "No votes can change the constitution any more, not even the yes of all.",
        ],
    ],
    "leaving_member": [
        [
            "lock-out: begins under leaving_member with A and B",
            "1. A proposes to remove A and to remove B",
            "   A and B said yes: accepted; then nobody, under leaving_member",
            "Nobody is left, so nothing can change the constitution any more.",
        ],
    ],
    "eternal_rules": [
        [
            "lock-out: begins under eternal_rules with A and B",
            "No votes can change the constitution any more, not even the yes of all.",
        ],
    ],
    "stowaway": [
        [
            "inequality: begins under stowaway with A and B",
            "B and a member that differs in nothing but its name are treated differently by a vote to remove_user.",
        ],
        [
            "take-over: begins under stowaway with A and B",
            "B alone can now have it accepted to remove_user and to remove A.",
        ],
        [
            "lock-out: begins under stowaway with A and B",
            "1. A proposes to remove A",
            "   A and B said yes: accepted; then B, under stowaway",
            "2. B proposes to set the constitution stowaway and to remove_user and to remove B",
            "   B said yes: accepted; then nobody, under stowaway",
            "Nobody is left, so nothing can change the constitution any more.",
        ],
    ],
    "first_member": [
        [
            "inequality: begins under first_member with A, B and C",
            "B and a member that differs in nothing but its name are treated differently by a vote to set_user.",
        ],
    ],
}
"""What is found of each broken constitution that at least two, `fixed_number` three members begin under."""


@pytest.mark.parametrize("name", sorted(path.stem for path in BROKEN.glob("*.py")))
def test_what_is_broken_is_found_and_the_floor_mends_it(name: str) -> None:
    fewest = 3 if name == "fixed_number" else 2
    expected = [[line.format(rules=f"set the constitution {name}") for line in found] for found in FLAWS[name]]
    assert told(searched(BROKEN / f"{name}.py", members=3, fewest=fewest)) == expected
    floored = searched(BROKEN / f"{name}.py", members=3, fewest=fewest, floor=True)
    left = [found for found in expected if found[0].startswith("inequality")]  # no floor is about that
    assert told(floored) == ([] if name == "stowaway" else left), "what the stowaway adds may not follow at all"


RULE = """\
        if {condition}:
            return {value}
"""
ALL = "gov.decided(votes, votes.all)"
OMITTED = [
    ("majority", "gov.leaves_one(proposal, members)", ALL, 3, {"take-over"}),
    ("m_of_n", "gov.leaves_one(proposal, members)", ALL, 3, {"take-over"}),
    ("two_thirds", "gov.leaves_one(proposal, members)", ALL, 4, {"take-over"}),  # of 4 members it is less than all
    ("majority", "gov.leaves_none(proposal, members)", '"Rejected"', 1, {"lock-out"}),
    ("single", "gov.leaves_none(proposal, members)", '"Rejected"', 1, {"lock-out"}),
    ("unanimous", "gov.leaves_none(proposal, members)", '"Rejected"', 1, {"lock-out"}),
]


@pytest.mark.parametrize(("preset", "condition", "value", "members", "flaws"), OMITTED)
def test_a_rule_that_a_preset_leaves_out_is_missed(
    preset: str, condition: str, value: str, members: int, flaws: set[str]
) -> None:
    text = (FOLDER / f"{preset}.py").read_text("utf-8")
    rule = RULE.format(condition=condition, value=value)
    assert rule in text
    left = text.replace(rule, "").replace("return gov.problems(proposal, members)", "return []")
    assert {one.flaw for one in searched(left, members=members, fewest=members).findings} >= flaws
    assert told(searched(left, members=members, fewest=members, floor=True)) == []


LIBRARY_RULES = [
    ("majority", " and len(members) > 2", "", 2),  # one of two gives the other's keys to itself
    ("weighted", "min(heads.all, 2)", "1", 2),  # weight alone is enough
    ("majority", "return all // 2 + 1", "return 1", 2),
    ("majority", "(2 * all + 2) // 3", "2 * all // 3", 2),  # two thirds of two, rounded the wrong way
]


@pytest.mark.parametrize(("preset", "before", "after", "members"), LIBRARY_RULES)
def test_a_slip_in_counting_is_found(preset: str, before: str, after: str, members: int) -> None:
    source = LIBRARY.read_text("utf-8")
    library = program.check(source.replace(before, after), "governance")
    text = (FOLDER / f"{preset}.py").read_text("utf-8")
    text = text.replace(_LIBRARY.digest.hex(), library.digest.hex()).replace(before, after)
    report = searched(text, members=members, fewest=2, library=library)
    is_power = before != "return all // 2 + 1"  # that bar is for what gives no power
    assert {one.flaw for one in report.findings} == ({"take-over"} if is_power else set())


def hostile(resolve: str, validate: str = "[]", apply: str = "[step]") -> str:
    """A constitution whose views return these."""
    text = (FOLDER / "majority.py").read_text("utf-8")
    head, views = text.split("    @view\n", 1)
    for body, value in zip(("resolve", "validate", "apply"), (resolve, validate, apply), strict=True):
        before, behind = views.split(f"def {body}", 1)
        signature, rest = behind.split(":\n", 1)
        after = rest[rest.index("    @view") :] if "    @view" in rest else ""
        views = f"{before}def {body}{signature}:\n        return {value}\n\n{after}"
    return head + "    @view\n" + views.rstrip() + "\n"


WORK = """\
        if len(members) > 1 and len(proposal.votes) == 1 and gov.yes(proposal.votes) == 1:
            count = 0
            for number in range({rounds}):
                count += number
            if count > 0:
                return "Accepted"
"""


@pytest.mark.parametrize(("rounds", "flaws"), [(60_000, {"take-over"}), (600_000, {"no answer"})])
def test_what_takes_many_steps_is_found_as_the_kernel_runs_it(rounds: int, flaws: set[str]) -> None:
    """A wrong rule behind more work than a transaction may do by itself; and behind more than is given to any count."""
    text = (FOLDER / "majority.py").read_text("utf-8")
    rule = RULE.format(condition="gov.leaves_none(proposal, members)", value='"Rejected"')
    report = searched(text.replace(rule, rule + WORK.format(rounds=rounds)), members=2, fewest=2, depth=1)
    assert {one.flaw for one in report.findings} == flaws
    if "no answer" in flaws:
        assert told(report)[-1][-1].startswith("The constitution gives no answer there")


HOSTILE = {
    "accepts everything": (hostile('"Accepted"'), {"take-over", "lock-out"}),
    "rejects everything": (hostile('"Rejected"'), {"lock-out"}),
    "never decides": (hostile('"Open"'), {"lock-out"}),
    "says something else": (hostile('"Maybe"'), {"lock-out"}),
    "faults": (hostile("str(1 // len(proposal.actions[0].subject[99:]))"), {"lock-out"}),
    "lets nothing be voted on": (hostile('"Accepted"', '["no"]'), {"lock-out"}),
    "carries nothing out": (hostile('"Accepted"', "[]", "[]"), {"lock-out"}),
    "carries everything out twice": (hostile('"Accepted"', "[]", "[step, step]"), {"lock-out"}),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_the_floor_holds_against_hostile_constitutions(what: str) -> None:
    text, flaws = HOSTILE[what]
    assert {finding.flaw for finding in searched(text, members=3, fewest=2).findings} == flaws
    assert told(searched(text, members=3, floor=True)) == []


def test_power_given_against_a_members_will_is_a_take_over_and_with_the_will_of_all_none() -> None:
    everything = FOLDER / "majority.py", BROKEN / "present_votes.py"
    report = searched(*everything, members=3, fewest=3)
    assert told(report) == [
        [
            "take-over: begins under majority with A, B and C",
            "1. A proposes to set the constitution present_votes",
            "   A and C said yes: accepted; then A, B and C, under present_votes",
            "A alone can now have it accepted to set the constitution majority; B did not agree.",
        ]
    ]
    assert told(searched(*everything, members=3, fewest=3, floor=True)) == []
    two = searched(FOLDER / "unanimous.py", BROKEN / "present_votes.py", members=2, fewest=2, depth=1)
    assert (told(two), two.states) == ([], 4)


def test_who_comes_in_under_a_sole_ruler_did_not_agree() -> None:
    report = searched(FOLDER / "unanimous.py", BROKEN / "present_votes.py", members=2)
    assert told(report) == [
        [
            "take-over: begins under unanimous with A",
            "1. A proposes to set the constitution present_votes and to admit a member",
            "   A said yes: accepted; then A and B, under present_votes",
            "A alone can now have it accepted to set the constitution unanimous; B did not agree.",
        ]
    ]


def test_what_lies_deeper_is_not_found() -> None:
    """A lock-out two proposals away: the weights of two members are taken one after the other, and nobody has any."""
    votes = "gov.by_weight(proposal, members)"
    text = hostile(f"gov.decided({votes}, gov.more_than_half({votes}.all))", "gov.problems(proposal, members)")
    found = {
        depth: {
            finding.flaw: len(finding.path) for finding in searched(text, members=2, fewest=2, depth=depth).findings
        }
        for depth in (0, 1)
    }
    assert found == {0: {"take-over": 0}, 1: {"take-over": 0, "lock-out": 1}}


def test_what_a_constitution_goes_by_is_read_from_its_text() -> None:
    def of(text: str) -> tuple[object, ...]:
        found = vocabulary({"x": program.check(text, "constitution", {_LIBRARY.digest: _LIBRARY})})
        return found.weights, found.attributes, found.names, found.ordinary, found.unseen

    def preset(name: str) -> tuple[object, ...]:
        return of((FOLDER / f"{name}.py").read_text("utf-8"))

    plain = ("trust_node", "retire_node", "set_user")
    assert preset("majority") == ((1,), (), (), plain, ())
    assert preset("weighted") == ((0, 1, 10), (), (), plain, ())
    assert preset("veto_holder") == ((1,), ("governance:veto",), (), plain, ())
    daily = ("remove_user", "pause_contract", "set_reference", *plain)
    assert preset("operator") == ((1,), ("governance:operator",), (), daily, ())
    assert of(hostile('"Accepted" if tx.time > tx.time else "Open"'))[-1] == (
        "it reads tx.time: it is asked at one instant, by nobody",
    )
    made = ("it makes texts of others: names and attributes among them are not tried",)
    assert of(hostile('"Open" if proposal.actions[0].subject == "a" + "b" else "Open"'))[-1] == made
    assert of(hostile('"Open" if proposal.actions[0].subject[1:] == "b" else "Open"'))[-1] == made


def test_a_member_that_the_text_names_is_tried() -> None:
    """A back door for one name: with what it may do to itself it gets all the rest."""
    condition = 'len(proposal.actions) == 1 and proposal.actions[0].subject == "bank-z"'
    count = "gov.decided(gov.by_heads(proposal, members), len(members))"
    text = hostile(f'"Accepted" if {condition} else {count}', "gov.problems(proposal, members)")
    report = searched(text, members=2, fewest=2)
    assert told(report)[0] == [
        "take-over: begins under made_0 with A and B",
        "A alone can now have it accepted to admit a member (named bank-z).",
    ]


def test_a_digest_that_the_text_has_is_tried() -> None:
    door = f"""
            proposal.actions[0].digest is not None and
            proposal.actions[0].digest.hex() == "{"ab" * 32}"
    """
    count = "gov.decided(gov.by_heads(proposal, members), len(members))"
    text = hostile(
        f'(\n            "Accepted" if {door} else\n            {count}\n        )', "gov.problems(proposal, members)"
    )
    assert told(searched(text, members=2, fewest=2))[0][-1] == (
        "A alone can now have it accepted to set the constitution made_0."
    )


def test_an_assembly_votes_as_the_ledger_does() -> None:
    """Every way in which three members can vote, one after the other, under the majority, is decided as it should."""
    checked = program.check((FOLDER / "majority.py").read_text("utf-8"), "constitution", {_LIBRARY.digest: _LIBRARY})
    constitutions = Constitutions({"majority": program.compiled(checked)})
    assembly = Assembly(constitutions, State("majority", (Kind(), Kind(), Kind())), floor=False)
    rules = (Step(RULES, constitution="majority"),)
    assert assembly.accepted(rules, 0, [], [0, 1, 2]) is None
    assert assembly.accepted(rules, 0, [1], [0, 2]) is None
    found = assembly.accepted(rules, 0, [1, 2], [0])
    assert found is not None
    assert (found.yes, found.no, found.wanted_by) == ((1, 2), (), {0, 1, 2})
    all_but_one = (Step(REMOVE, 0), Step(REMOVE, 1))
    assert assembly.together(all_but_one, frozenset({1, 2})) is None
    assert assembly.together(all_but_one) is not None
    assert assembly.result((Step(REMOVE, 0), Step(DATA, 0, weight=3))) is None
