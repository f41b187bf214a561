"""`hansa app`: what there is, and the letter of credit as people and machines read it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

APPS = Path(__file__).parents[2] / "apps"
WIDTH_MAX = 100
STORY = "letter-of-credit"


@pytest.fixture(scope="module")
def kept(hansa: Callable, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The story with --keep: where, and what it wrote."""
    folder = tmp_path_factory.mktemp("app") / "ledger"
    return folder, hansa("app", "run", STORY, "--keep", folder)


def test_the_stories_are_listed(hansa: Callable) -> None:
    assert [app["name"] for app in hansa("app", "list", "--json").json["stories"]] == [STORY]
    assert STORY in hansa("app", "list").out


def test_a_story_that_there_is_not(hansa: Callable) -> None:
    ran = hansa("app", "run", "letter")
    assert ran.code == 2
    assert STORY in ran.err
    assert "{" not in ran.err


def test_every_application_is_listed_and_found_by_its_name(hansa: Callable) -> None:
    listed = hansa("app", "list", "--json").json["apps"]
    shipped = {path.parent.name for path in APPS.rglob("contract.py")}
    assert {app["name"] for app in listed} == shipped
    assert {"calendars", "escrow", "letter_of_credit", "two_person_approval"} < shipped
    for app in listed:
        assert app["about"]
        assert app["about"] in hansa("app", "list").out
        ran = hansa("app", "path", app["name"])
        assert (ran.code, ran.out) == (0, app["path"] + "\n")
        assert Path(app["path"]).name == "contract.py"
    for other in ("two-person-approval", "cookbook/two_person_approval"):
        assert hansa("app", "path", other).out == hansa("app", "path", "two_person_approval").out
    assert hansa("contract", "check", hansa("app", "path", "escrow").out.strip()).code == 0


def test_an_application_that_there_is_not(hansa: Callable) -> None:
    assert "did you mean escrow?" in hansa("app", "path", "escro").failed("argument.value", 2)
    assert "calendars" in hansa("app", "path", "../x").failed("argument.value", 2)


def test_it_is_told_in_lines_that_fit(kept: tuple[Path, Any]) -> None:
    folder, ran = kept
    assert ran.code == 0
    assert all(len(line) <= WIDTH_MAX for line in ran.out.splitlines() if str(folder) not in line)
    lines = ran.out.splitlines()
    for words in (
        "  2026-04-17  11     newyorkbank/ana  releases it too                                     refused",
        "  2026-04-17  12     newyorkbank/ben  releases it: issued (MT 760)                        applied",
        "  2026-04-17  13     frankfurtbank    advises and confirms it (MT 768)                    applied",
        "  2026-10-05  14     fabrikam         demands USD 640000.00 (MT 765)                      applied",
        "  2027-04-19  32     ledger time      the last day has closed: the letter expires         applied",
    ):
        assert words in lines
    text = " ".join(ran.out.split())
    assert "11: refused, because newyorkbank/ana prepared this issue: another person must release it" in text
    assert "14 steps (the source" in text
    assert "silicon.nyc" in text
    assert "people's time is not a processor's" in text
    assert "for demonstrations only" in text
    assert "SBLC-2026-0417 is Expired: USD 940000.00 of USD 2500000.00 were paid" in text
    assert ran.err.splitlines() == ["  ... four members and a letter of credit, from April 2026 to April 2027", ""]


def test_what_it_kept_is_a_ledger(hansa: Callable, kept: tuple[Path, Any], tmp_path: Path) -> None:
    """The commands that it says to try, as it says them."""
    folder, ran = kept
    commands = [line.split()[1:] for line in ran.out.splitlines() if line.startswith("  hansa ")]
    assert [words[0] for words in commands] == ["audit", "receipt", "receipt", "up"]
    for words in commands[:3]:
        done = hansa(*[str(tmp_path / "issue") if word == "issue" else word for word in words])
        assert done.code == 0, done
    assert "action   letter_of_credit.release(" in done.out
    assert "signed   by newyorkbank/ben" in done.out
    assert hansa("app", "run", STORY, "--keep", folder).failed("folder.taken")


def test_as_one_json_document(hansa_process: Callable, tmp_path: Path) -> None:
    ran = hansa_process("app", "run", STORY, "--json", TMPDIR=str(tmp_path))
    assert (ran.code, ran.err) == (0, "")
    told = json.loads(ran.out)
    assert (told["app"], told["folder"], told["clock"]) == (STORY, None, "told")
    assert list(told["members"]) == ["northwind", "newyorkbank", "frankfurtbank", "fabrikam", "almanac"]
    assert [step["status"] for step in told["steps"]].count("refused") == 5
    assert [proof["what"] for proof in told["proofs"]] == ["the issue", "the demand"]
    assert told["process"]["paper"][0].startswith("Paper required 14 steps")
    assert list(tmp_path.iterdir()) == []
