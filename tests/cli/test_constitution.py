"""`hansa constitution`: those that come with Hansa, and what the check of one finds."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.constitutions.pin import BROKEN, FOLDER, LIBRARY


def test_constitutions_are_listed_and_shown(hansa: Callable) -> None:
    listed = hansa("constitution", "list", "--json").json["constitutions"]
    assert [one["name"] for one in listed] == sorted(
        path.stem for path in FOLDER.glob("*.py") if path.stem != "governance"
    )
    told = hansa("constitution", "list").out
    for one in listed:
        assert one["about"] in told
        assert hansa("constitution", "show", one["name"]).out == Path(one["path"]).read_text("utf-8")
    assert hansa("constitution", "show", "governance").out == LIBRARY.read_text("utf-8")
    hansa("constitution", "show", "dictator").failed("argument.value", 2)
    assert "unanimous" in hansa("constitution", "show", "dictator").err


def test_the_one_in_force_is_shown(hansa: Callable, server: Any) -> None:
    data = ("--data", server.data)
    found = hansa("constitution", "show", "--json", *data).json
    assert found["source"] == (FOLDER / "majority.py").read_text("utf-8")
    assert found["digest"] == hashlib.sha256(found["source"].encode()).hexdigest()
    assert set(found) == {"version", "digest", "lock", "source", "seq"}
    ran = hansa("constitution", "show", "--url", server.url)
    assert ran.out == found["source"]
    assert ran.err.splitlines() == [
        f"constitution {found['version']}  {found['digest']}, since entry {found['seq']}",
        f"time lock {found['lock']:,} ms",
    ]
    assert hansa("constitution", "show", "majority", "--url", server.url).code == 2


def test_a_sound_one(hansa: Callable) -> None:
    ran = hansa("constitution", "check", "two-thirds", "--members", 3)
    assert (ran.code, ran.err) == (0, "")
    head, *rest = ran.out.splitlines()
    assert head == "good  two_thirds 1.0.0"
    assert rest[0].startswith("searched 1 to 3 members, 6 proposals deep: 3 states, ")
    steps = "trust_node, retire_node, set_user"
    assert rest[1:] == [f"tried weights 1; attributes none; names none; besides members and rules {steps}"]
    found = hansa("constitution", "check", FOLDER / "two_thirds.py", "--members", 3, "--json").json
    assert (found["valid"], found["constitution"], found["version"]) == (True, "two_thirds", "1.0.0")
    assert (found["search"]["states"], found["search"]["traces"], found["floor"]) == (3, [], None)


def test_a_flawed_one_with_the_way_there(hansa: Callable) -> None:
    ran = hansa("constitution", "check", BROKEN / "fixed_number.py", "--fewest", 3, "--members", 3)
    assert (ran.code, ran.err) == (1, "")
    assert ran.out.splitlines()[3:] == [
        "",
        "take-over: begins under fixed_number with A, B and C",
        "1. B proposes to remove A and to remove B",
        "   B and C said yes: accepted; then C, under fixed_number",
        "C alone is left; A did not agree.",
        "",
        "lock-out: begins under fixed_number with A, B and C",
        "1. A proposes to remove A",
        "   A and B said yes: accepted; then B and C, under fixed_number",
        "No votes can change the constitution any more, not even the yes of all.",
        "",
        "The ledger's own floor prevents all of this; the constitution alone does not.",
    ]
    found = hansa("constitution", "check", BROKEN / "fixed_number.py", "--fewest", 3, "--members", 3, "--json")
    assert (found.code, found.json["valid"], found.json["floor"]["traces"]) == (1, True, [])
    assert found.json["search"]["traces"][0] == {
        "flaw": "take-over",
        "constitution": "fixed_number",
        "members": ["A", "B", "C"],
        "votes": [
            {
                "proposer": "B",
                "actions": ["remove A", "remove B"],
                "yes": ["B", "C"],
                "no": [],
                "constitution": "fixed_number",
                "members": ["C"],
            }
        ],
        "end": "C alone is left; A did not agree.",
    }


def test_a_name_forges_no_line(hansa: Callable, tmp_path: Path) -> None:
    file = tmp_path / "good\nflawed.py"
    file.write_text((FOLDER / "single.py").read_text("utf-8"), "utf-8")
    assert "\nflawed" not in hansa("constitution", "check", file, "--members", 1).out


def test_what_no_floor_prevents(hansa: Callable) -> None:
    ran = hansa("constitution", "check", BROKEN / "first_member.py", "--members", 3)
    assert ran.code == 1
    assert ran.out.splitlines()[-1] == "The ledger's own floor does not prevent: inequality."


def test_one_that_votes_may_set(hansa: Callable) -> None:
    words = ("--with", BROKEN / "present_votes.py", "--fewest", 3, "--members", 3)
    ran = hansa("constitution", "check", "majority", *words)
    assert ran.code == 1
    assert "1. A proposes to set the constitution present_votes" in ran.out


def test_what_is_no_constitution(hansa: Callable, tmp_path: Path) -> None:
    example = FOLDER.parent / "example_ledger" / "contract.py"
    ran = hansa("constitution", "check", example)
    assert (ran.code, ran.err) == (1, "")
    assert f"{example}: the view `resolve` is missing" in ran.out
    wrong = tmp_path / "wrong.py"
    wrong.write_text((FOLDER / "majority.py").read_text("utf-8").replace("votes.all))", "vote.all))", 1))
    ran = hansa("constitution", "check", wrong)
    assert ran.code == 1
    assert "name.unknown" in ran.out
    assert hansa("constitution", "check", wrong, "--json").json["valid"] is False
    hansa("constitution", "check", tmp_path / "none.py").failed("argument.file", 2)
    hansa("constitution", "check", "majorty").failed("argument.value", 2)


@pytest.mark.parametrize("words", [("--members", 0), ("--members", 9), ("--depth", 0), ("--fewest", 4, "--members", 3)])
def test_bounds(hansa: Callable, words: tuple[object, ...]) -> None:
    assert hansa("constitution", "check", "single", *words).code == 2
