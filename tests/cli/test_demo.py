"""`hansa demo`: the whole way in seconds, told so that a person who knows no cryptography can follow it."""

import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

DEMO_CPU_S = 30
"""Of processor time, which a busy machine does not change: of the minute that the demo may take at most."""
LINES_MAX = 140  # half of it for each story
WIDTH_MAX = 100
STOP_S = 10
README = Path(__file__).parents[2] / "README.md"
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


def cpu_s() -> float:
    """What the processes that this one has waited for have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture(scope="module")
def kept(hansa_process: Callable, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The demo in a process of its own, with --keep: where, and what it wrote. No engine and no Go is to be had."""
    folder = tmp_path_factory.mktemp("demo") / "ledger"
    begun = cpu_s()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANSA_ENGINES", str(folder.parent / "engines"))
        patch.setenv("PATH", str(folder.parent / "programs"))
        ran = hansa_process("demo", "--keep", folder)
    assert not (folder.parent / "engines").exists()
    assert cpu_s() - begun < DEMO_CPU_S
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
    assert "  16: refused, because Sally has $400, which does not cover $900\n" in ran.out
    assert "  17: refused, because Alex does not own the car any more: Garth bought it in entry 13\n" in ran.out


def test_what_everybody_has_is_told_before_and_after(kept: tuple[Path, Any]) -> None:
    _, ran = kept
    lines = ran.out.splitlines()
    shown = {line[:14].strip(): number for number, line in enumerate(lines) if line.startswith("  at the ")}
    start, end, deals = shown["at the start"], shown["at the end"], lines.index("3. The deals")
    assert start < deals < end
    assert lines[start - 2].split() == [*(person.capitalize() for person in PEOPLE), "The", "car"]
    assert lines[start - 2].split() == lines[end - 2].split()
    assert lines[start].split()[3:] == ["$900", "$600", "$200", *["$100"] * 5, "Alex"]
    assert lines[end].split()[3:] == ["$400", "$300", "$600", "$100", "$400", "$100", "$200", "$100", "Garth"]


def test_the_readme_shows_what_it_says(kept: tuple[Path, Any]) -> None:
    _, ran = kept
    (sample,) = re.findall(r"```text\n(.*?)```", README.read_text("utf-8").partition("\n## Use it\n")[0], re.DOTALL)
    for part in sample.split("\n\n"):
        assert f"{part.rstrip()}\n" in ran.out


def test_three_attempts_to_cheat_are_caught_and_explained(kept: tuple[Path, Any]) -> None:
    _, ran = kept
    for what, why in (
        ("1a. The payment of entry 11 is changed from $500 to $5,000", "The entry and the receipt are true, but "),
        ("1b. The entry is changed as well, so that it fits the changed payment", "Now the entry is another, and "),
        ("2.  One bit of the receipt is changed", "The signature in it is no longer one "),
        ("3.  In a copy of the ledger's files, one byte of entry 11's payment is changed", "An audit reads "),
    ):
        assert f" {what}: caught.\n     {why}" in ran.out
    assert "it found damage behind entry 10, where entry 11 is kept.\n" in ran.out
    assert "NOT CAUGHT" not in ran.out


def test_it_ends_with_a_sound_audit_and_what_to_try(kept: tuple[Path, Any]) -> None:
    folder, ran = kept
    assert "every action executed again. Result: sound." in " ".join(ran.out.split())
    assert f"  hansa audit {folder}\n" in ran.out


def test_a_person_who_knows_no_cryptography_can_follow(kept: tuple[Path, Any]) -> None:
    """Everyday words, but for what the checks say and the commands to try; no line that wraps in a terminal."""
    folder, ran = kept
    told = ran.out.partition("The ledger is in")[0].replace(str(folder), "")
    story = re.sub(r"^.*\[[a-z_.]+\]$", "", told, flags=re.MULTILINE)
    assert not (found := JARGON.search(story)), found
    assert all(len(line) <= WIDTH_MAX for line in ran.out.splitlines() if str(folder) not in line)
    assert len((told + ran.err).splitlines()) < LINES_MAX
    for explained in ("A fingerprint is ", "A receipt proves ", "An audit reads "):
        assert explained in " ".join(story.split())
    for word in ("secret", "public", "sign"):
        assert word in story
    assert ran.err.split("\n") == [
        "  ... making nine members, signing and keeping their deals",
        "  ... proving every entry, trying to cheat",
        "  ... reading the whole ledger again",
        "  ... four members and a letter of credit, from April 2026 to April 2027",
        "",
        "",
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


def test_the_letter_of_credit_comes_after_the_example_ledger(kept: tuple[Path, Any], told: Any) -> None:
    lines = kept[1].out.splitlines()
    assert lines.index("6. The audit") < lines.index("7. A letter of credit")
    assert "SBLC-2026-0417 is Expired: USD 940000.00 of USD 2500000.00 were paid" in " ".join(kept[1].out.split())
    letter = told["letter_of_credit"]
    assert letter["clock"] == "told"
    assert letter["standing"]["state"] == "Expired"
    assert [step["status"] for step in letter["steps"]].count("refused") == 5


def test_accounts_and_the_title_have_moved(told: Any) -> None:
    before = ["$900", "$600", "$200", "$100", "$100", "$100", "$100", "$100"]
    after = ["$400", "$300", "$600", "$100", "$400", "$100", "$200", "$100"]
    assert told["before"] == {"balances": dict(zip(PEOPLE, before, strict=True)), "owner_of_car": "alex"}
    assert told["after"] == {"balances": dict(zip(PEOPLE, after, strict=True)), "owner_of_car": "garth"}


def test_each_attempt_names_the_check_that_caught_it(told: Any) -> None:
    assert [(a["number"], a["caught"], a["code"]) for a in told["attempts"]] == [
        ("1a", True, "verify.envelope"),
        ("1b", True, "receipt.invalid"),
        ("2", True, "receipt.invalid"),
        ("3", True, "journal.corrupt"),
    ]
    assert all(attempt["why"] and attempt["detail"] for attempt in told["attempts"])
    assert told["attempts"][3]["detail"].startswith("behind entry 10: 00000000.segment, byte ")


def test_without_keep_nothing_is_left_and_no_folder_named(hansa_process: Callable, told: Any, tmp_path: Path) -> None:
    assert told["folder"] is None
    assert hansa_process("demo", "--json", TMPDIR=str(tmp_path)).json["folder"] is None
    assert list(tmp_path.iterdir()) == []


STEPS = ("making nine members", "proving every entry", "reading the whole", "four members")


@pytest.mark.parametrize(
    ("number", "step"),
    [*product((signal.SIGINT, signal.SIGTERM), STEPS), (signal.SIGHUP, STEPS[0])],  # the last is handled as SIGTERM is
)
def test_stopped_by_a_signal_it_leaves_no_keys(number: signal.Signals, step: str, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "hansa.cli.main", "demo"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as process:
        try:
            assert process.stderr is not None
            while step not in (line := process.stderr.readline()):
                assert line
            assert [path.name[:11] for path in tmp_path.iterdir()] == ["hansa-demo-"]
            process.send_signal(number)
            rest = process.communicate(timeout=STOP_S)[1]
        finally:
            process.kill()
    assert process.returncode == 128 + number
    assert "Traceback" not in rest
    assert list(tmp_path.iterdir()) == []


def test_a_signal_that_is_ignored_stays_so(tmp_path: Path) -> None:
    """As `nohup hansa demo` is meant."""
    with subprocess.Popen(
        ["nohup", sys.executable, "-m", "hansa.cli.main", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as process:
        assert process.stderr is not None
        while "making nine members" not in (line := process.stderr.readline()):
            assert line
        process.send_signal(signal.SIGHUP)
        assert "Result: sound." in process.communicate(timeout=60)[0]
    assert process.returncode == 0


def test_parents_of_the_folder_are_not_made(hansa: Callable, tmp_path: Path) -> None:
    parent = tmp_path / "none" / "deeper"
    assert hansa("demo", "--keep", parent / "ledger").failed("folder.access") == f"there is no folder {parent}"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_things_in_it_is_refused(hansa: Callable, kept: tuple[Path, Any], tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    assert hansa("demo", "--keep", tmp_path).failed("folder.foreign") == f"{tmp_path} holds other things than a ledger"
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
