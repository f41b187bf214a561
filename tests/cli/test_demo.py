"""`hansa demo`: the whole way in seconds, told so that a person who knows no cryptography can follow it."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DEMO_S = 15
ROWS = [
    ["11", "Alex", "Katie", "Payment", "$500", "Alex", "applied"],
    ["12", "Jim", "Sally", "Payment", "$300", "Jim", "applied"],
    ["13", "Alex", "Garth", "Asset", "Car", "Alex", "applied"],
    ["14", "Katie", "Tony", "Payment", "$100", "Katie", "applied"],
    ["15", "Molly", "Paula", "Message", '"I love you"', "Molly", "applied"],
    ["16", "Sally", "Jim", "Payment", "$900", "Sally", "refused"],
    ["17", "Alex", "Tony", "Asset", "Car", "Alex", "refused"],
]
PEOPLE = ["alex", "jim", "katie", "molly", "sally", "garth", "tony", "paula"]
JARGON = re.compile(
    r"hash|sha-?256|merkle|cose|cbor|ecdsa|eddsa|ed25519|spki|nonce|digest|\broot\b|\bleaf\b|envelope|\bkid\b|payload",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def kept(hansa_process: Callable, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The demo in a process of its own, with --keep: where, and what it wrote."""
    folder = tmp_path_factory.mktemp("demo") / "ledger"
    begun = time.monotonic()
    ran = hansa_process("demo", "--keep", folder)
    assert time.monotonic() - begun < DEMO_S
    return folder, ran


@pytest.fixture(scope="module")
def told(hansa: Callable) -> Any:
    """The demo as a JSON document."""
    ran = hansa("demo", "--json")
    assert (ran.code, ran.err) == (0, "")
    return ran.json


def test_the_table_is_the_example_ledger(kept: tuple[Path, Any]) -> None:
    _, ran = kept
    assert ran.code == 0
    lines = ran.out.splitlines()
    head = next(number for number, line in enumerate(lines) if line.lstrip().startswith("SEQ "))
    starts = [lines[head].index(word) for word in ("SEQ", "FROM", "TO", "PROPERTY", "VALUE", "SIGNED BY", "OUTCOME")]
    cells = [
        [line[begin:end].strip() for begin, end in zip(starts, [*starts[1:], None], strict=True)]
        for line in lines[head + 2 : head + 2 + len(ROWS)]
    ]
    assert cells == ROWS
    assert lines[head + 2 + len(ROWS)] == ""


def test_what_was_refused_says_why(kept: tuple[Path, Any]) -> None:
    _, ran = kept
    assert "  16: refused, because sally has USD 400.00, which does not cover USD 900.00\n" in ran.out
    assert "  17: refused, because alex is not the owner of this record\n" in ran.out


def test_three_attempts_to_cheat_are_caught_and_explained(kept: tuple[Path, Any]) -> None:
    _, ran = kept
    for number, what in enumerate(
        (
            "The payment in the entry is changed from $500 to $5,000",
            "One bit of the receipt is changed",
            "One byte of entry 11 is changed in the ledger's own files",
        ),
        1,
    ):
        assert f"  {number}. {what}: caught.\n" in ran.out
    assert "NOT CAUGHT" not in ran.out
    assert ran.out.count("     The ") >= 3


def test_it_ends_with_a_sound_audit_and_what_to_try(kept: tuple[Path, Any]) -> None:
    folder, ran = kept
    assert "every action executed again. Result: sound." in " ".join(ran.out.split())
    assert f"  hansa audit {folder}\n" in ran.out


def test_a_person_who_knows_no_cryptography_can_follow(kept: tuple[Path, Any]) -> None:
    """Everyday words, but for the codes in brackets and the commands to try; no line that wraps in a terminal."""
    folder, ran = kept
    story = re.sub(r"\[[a-z_.]+\]", "", ran.out.partition("The ledger is in")[0].replace(str(folder), ""))
    assert not (found := JARGON.search(story)), found
    assert all(len(line) <= 100 for line in ran.out.splitlines() if "/" not in line)
    for word in ("fingerprint", "secret", "public", "sign", "receipt", "audit"):
        assert word in story
    notes = [line.strip() for line in ran.err.splitlines()]
    assert notes == [
        "... making nine members and their keys",
        "... signing, ordering and keeping their deals",
        "... checking a receipt for every entry",
        "... trying to cheat, three times",
        "... auditing the whole ledger",
    ]


def test_what_it_kept_is_a_ledger(hansa: Callable, kept: tuple[Path, Any], tmp_path: Path) -> None:
    """The commands that it says to try, as it says them."""
    folder, ran = kept
    assert list(folder.parent.iterdir()) == [folder]
    report = hansa("audit", folder, "--json")
    assert (report.code, report.json["entries"], report.json["executed"]) == (0, 18, 18)
    commands = [line.split() for line in ran.out.splitlines() if line.startswith("  hansa ")]
    assert [words[1:3] for words in commands] == [
        ["audit", str(folder)],
        ["receipt", "get"],
        ["receipt", "verify"],
        ["up", "--data"],
    ]
    for words in commands[1:3]:
        done = hansa(*[str(tmp_path / "payment") if word == "payment" else word for word in words[1:]])
        assert done.code == 0, done
    assert "action   example_ledger.pay(" in done.out


def test_as_one_json_document(told: Any) -> None:
    assert [line["deal"]["value"] for line in told["lines"]] == [row[4] for row in ROWS]
    for line, row in zip(told["lines"], ROWS, strict=True):
        deal = line["deal"]
        assert [str(line["seq"]), deal["sender"], deal["to"], deal["kind"], line["signer"], line["status"]] == [
            row[0],
            row[1].lower(),
            row[2].lower(),
            row[3],
            row[5].lower(),
            row[6],
        ]
        assert bool(line["why"]) == (row[6] == "refused")
        assert re.fullmatch("[0-9a-f]{64}", line["id"])
    assert [line["code"] for line in told["lines"][-2:]] == ["require.failed", "role.denied"]
    assert told["members"] == ["registry", *PEOPLE]
    assert told["entries"] == told["receipts_checked"] == 18
    assert told["setup"] == 11
    assert told["audit"]["findings"] == []


def test_accounts_and_the_title_have_moved(told: Any) -> None:
    assert told["balances"] == {
        "alex": "USD 400.00",
        "garth": "USD 100.00",
        "jim": "USD 300.00",
        "katie": "USD 600.00",
        "molly": "USD 100.00",
        "paula": "USD 100.00",
        "sally": "USD 400.00",
        "tony": "USD 200.00",
    }
    assert told["owner_of_car"] == "garth"


def test_each_attempt_names_the_check_that_caught_it(told: Any) -> None:
    assert [(a["caught"], a["code"]) for a in told["attempts"]] == [
        (True, "receipt.invalid"),
        (True, "receipt.invalid"),
        (True, "journal.corrupt"),
    ]
    assert all(attempt["why"] and attempt["detail"] for attempt in told["attempts"])
    assert told["attempts"][2]["detail"].startswith("behind entry 10: 00000000.segment, byte ")


def test_without_keep_nothing_is_left(told: Any) -> None:
    assert not Path(told["folder"]).exists()
    assert not Path(told["folder"]).parent.exists()


def test_a_folder_with_things_in_it_is_refused(hansa: Callable, kept: tuple[Path, Any], tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    assert hansa("demo", "--keep", tmp_path).failed("folder.foreign") == f"{tmp_path} holds other things"
    assert hansa("demo", "--keep", tmp_path / "precious").failed("folder.foreign")
    assert hansa("demo", "--keep", tmp_path / "precious" / "deeper", "--json").failed("folder.access")
    assert hansa("demo", "--keep", kept[0]).failed("folder.taken")
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]
    assert (tmp_path / "precious").read_text() == "x"


def test_what_lies_beside_the_folder_is_left_alone(hansa: Callable, tmp_path: Path) -> None:
    (tmp_path / "ledger-changed").mkdir()
    (tmp_path / "ledger-changed" / "precious").write_text("x")
    (tmp_path / "ledger").mkdir()
    assert hansa("demo", "--keep", tmp_path / "ledger", "--quiet").code == 0
    assert (tmp_path / "ledger-changed" / "precious").read_text() == "x"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ledger", "ledger-changed"]
