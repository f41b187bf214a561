"""`hansa calendar`: makes calendars, publishes editions, and says what it would not take."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CONTRACT = Path(__file__).parents[2] / "apps" / "calendars" / "contract.py"
PUBLISHER = ("--as", "tradewatch")


@pytest.fixture(scope="module")
def ledger(hansa: Callable, start: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The options for a running ledger with the contract."""
    running = start(tmp_path_factory.mktemp("calendar") / "data")
    try:
        assert hansa("contract", "deploy", CONTRACT, "--as", "northbank", "--data", running.data).code == 0
        yield "--data", running.data
    finally:
        assert running.stop() == 0


def test_a_calendar_is_made(hansa: Callable, tmp_path: Path) -> None:
    shown = hansa("calendar", "make", "London", "2026")
    assert json.loads(shown.out)["place"] == "GBLON"
    written = hansa("calendar", "make", "gblon", 2026, "--out", tmp_path / "made.json")
    assert "2026-12-28  Boxing Day (observed)" in written.out
    assert json.loads((tmp_path / "made.json").read_text()) == json.loads(shown.out)
    again = hansa("calendar", "make", "gblon", 2026, "--out", tmp_path / "made.json")
    assert again.failed("argument.exists", 2)
    assert hansa("calendar", "make", "gblon", 2026, "--out", tmp_path / "made.json", "--force").code == 0


def test_estimates_are_told(hansa: Callable, tmp_path: Path) -> None:
    ran = hansa("calendar", "make", "Dubai", 2030, "--out", tmp_path / "made.json")
    assert ran.err.startswith("caution: ")
    assert "are estimates" in ran.err


def test_editions_are_published(hansa: Callable, ledger: Any, tmp_path: Path) -> None:
    dry = hansa("calendar", "publish", "London", 2026, "--dry-run", *ledger)
    assert (dry.code, dry.err) == (0, "nothing was sent\n")
    first = hansa("calendar", "publish", "London", 2026, *PUBLISHER, *ledger)
    assert (first.code, first.err) == (0, "")
    assert first.out.startswith("calendar   GBLON 2026, edition 1\nsource     holidays ")
    assert "UTC        +00:00 from 2025-12-31 00:00 UTC\n           +01:00 from 2026-03-29 01:00 UTC" in first.out
    assert "\napplied  as entry 2\n" in first.out
    again = hansa("calendar", "publish", "London", 2026, *PUBLISHER, *ledger)
    assert (again.code, again.out.splitlines()[-1]) == (0, "in force already, as edition 1")

    made = tmp_path / "made.json"
    hansa("calendar", "make", "London", 2026, "--out", made)
    corrected = json.loads(made.read_text())
    corrected["holidays"].pop()
    corrected["source"] = "corrected by hand"
    made.write_text(json.dumps(corrected))
    dry = hansa("calendar", "publish", "GBLON", 2026, "--file", made, "--dry-run", *ledger)
    assert dry.out.endswith("changed    2026-12-28  no holiday any more\n           source\n")
    second = hansa("calendar", "publish", "GBLON", 2026, "--file", made, *PUBLISHER, *ledger, "--json")
    assert second.json["events"][0]["data"] == {"id": "GBLON/2026", "number": 2, "source": "corrected by hand"}
    back = hansa("calendar", "publish", "London", 2026, "--dry-run", *ledger, "--json")
    assert back.json["changes"] == ["2026-12-28  a holiday now", "source"]
    history = hansa("query", "calendars", "Year", "GBLON/2026", "--history", *ledger, "--json").json
    assert [row["value"]["edition"] for row in history["rows"]] == ["GBLON/2026/2", "GBLON/2026/1"]
    asked = hansa("query", "calendars", "next_business_day", "place=GBLON", "day=2026-12-24", *ledger)
    assert asked.out == "2026-12-28\n", "the last holiday was taken off"


def test_who_may_not_publish_is_refused_by_the_ledger(hansa: Callable, ledger: Any) -> None:
    ran = hansa("calendar", "publish", "Hamburg", 2026, "--as", "northbank", *ledger)
    assert ran.code == 4
    assert "northbank has no attribute role:calendar-publisher [role.denied]" in ran.out


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "calendar.file"),
        ("[" * 100_000, "calendar.file"),
        ("[]", "calendar.file"),
        ("{}", "calendar.file"),
        ('{"place": "GBLON", "year": 2026, "weekend": "never"}', "calendar.file"),
        (" " * 200_000, "calendar.file"),
        (None, "argument.file"),
    ],
)
def test_a_file_that_is_no_calendar(hansa: Callable, ledger: Any, tmp_path: Path, text: str | None, code: str) -> None:
    file = tmp_path / "made.json"
    if text is not None:
        file.write_text(text)
    ran = hansa("calendar", "publish", "GBLON", 2026, "--file", file, *PUBLISHER, *ledger)
    assert ran.failed(code, 2)


def test_a_file_of_another_place(hansa: Callable, ledger: Any, tmp_path: Path) -> None:
    file = tmp_path / "made.json"
    hansa("calendar", "make", "Tokyo", 2026, "--out", file)
    ran = hansa("calendar", "publish", "GBLON", 2026, "--file", file, *PUBLISHER, *ledger)
    assert ran.failed("calendar.file", 2) == f"{file} is the calendar of JPTYO for 2026, not of GBLON for 2026"


def test_without_the_contract_it_says_how_to_deploy_it(hansa: Callable, ledger: Any) -> None:
    ran = hansa("calendar", "publish", "London", 2026, "--contract", "other", *PUBLISHER, *ledger)
    assert ran.failed("contract.missing", 2) == "there is no contract other on this ledger"
    assert f"`hansa contract deploy {CONTRACT} --name other --as MEMBER`" in ran.err


def test_an_unknown_place_or_year(hansa: Callable) -> None:
    assert hansa("calendar", "make", "Nowhere", 2026).failed("argument.value", 2)
    assert hansa("calendar", "make", "London", 1066).failed("argument.value", 2)
