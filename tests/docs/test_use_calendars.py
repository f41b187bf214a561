"""The page about calendars: what it shows runs as it stands there, and the contract on it counts banking days."""

import shutil
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.apps.test_calendars import LONDON, NEW_YORK, NEXT_YEAR, start
from tests.apps.trial import HOUR, Trial, source
from tests.docs.test_how_to import HANSA, PAGES, blocks, run

PAGE = "use-calendars.md"
APPS = Path(__file__).parents[2] / "apps"
(CLAIMS,) = blocks(PAGE, "python")


def test_the_commands_run(tmp_path: Path) -> None:
    publish, correct, history, claim = (text.splitlines() for text in blocks(PAGE, "sh"))
    shutil.copytree(APPS, tmp_path / "apps")
    (tmp_path / "claims.py").write_text(CLAIMS)
    year = datetime.now(UTC).year
    # What is presented today needs today's calendar, whatever year the page was written in.
    today = [f"hansa calendar publish 'New York' {y} --as tradewatch" for y in range(year, year + 2) if y != 2026]
    command = f"exec {HANSA} up --port 0 --json --reserve-mb 0"
    with subprocess.Popen(command, shell=True, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as node:
        try:
            assert node.stdout is not None
            assert "url" in node.stdout.readline()
            said = {line: run(line, tmp_path) for line in [*publish, *correct, *history, *today, *claim]}
            for line, done in said.items():
                assert done.returncode == 0, (line, done)
            assert said[publish[-1]].stdout == "2026-10-13\n"
            assert said[history[0]].stdout.count("GBLON/2026/1") == 1
            assert "Presented" in said[claim[-1]].stdout
        finally:
            node.terminate()
            assert node.wait(10) == 0


@pytest.mark.parametrize(
    ("presented", "received", "due"),
    [
        ("2026-10-05T16:00", "2026-10-05", "2026-10-13T17:00"),  # Columbus Day is the 12th
        ("2026-10-05T17:00", "2026-10-05", "2026-10-13T17:00"),
        ("2026-10-05T17:01", "2026-10-06", "2026-10-14T17:00"),
        ("2026-10-10T09:00", "2026-10-13", "2026-10-20T17:00"),
        (
            "2026-10-29T23:30",
            "2026-10-30",
            "2026-11-06T18:00",
        ),  # local time is an hour later behind UTC from 1 November
    ],
)
def test_the_contract_counts_as_it_says(presented: str, received: str, due: str) -> None:
    """Times are New York's, written as if four hours behind UTC all the year."""
    trial = Trial(
        {"claims": CLAIMS, "calendars": source("calendars/contract.py")},
        {"desk": {"role:calendar-publisher"}, "bank": set(), "shipper": set()},
    )
    trial.done("desk", "publish", of="calendars", **NEW_YORK)
    trial.until(_instant(presented))
    trial.done("shipper", "present", id="c1", bank="bank", place="USNYC")
    claim = trial.record("Claim", "c1")
    assert (claim["received"], claim["due"]) == (received, _instant(due))
    assert trial.until(_instant(due) - 1) == []
    (came,) = trial.until(_instant(due))
    assert (came.code, trial.record("Claim", "c1")["state"]) == ("ok", "Precluded")
    trial.refused("bank", "answer", "state.denied", claim="c1")


def test_what_is_not_published_refuses_what_asks() -> None:
    trial = Trial(
        {"claims": CLAIMS, "calendars": source("calendars/contract.py")},
        {"desk": {"role:calendar-publisher"}, "bank": set()},
    )
    trial.refused("bank", "present", "require.failed", id="c1", bank="bank", place="USNYC")


def test_steps_are_those_that_the_page_names() -> None:
    trial = Trial({"calendars": source("calendars/contract.py")}, {"desk": {"role:calendar-publisher"}})
    published = trial.done("desk", "publish", **NEW_YORK).steps
    for other in (LONDON, NEXT_YEAR):
        trial.done("desk", "publish", **other)

    def steps(view: str, **arguments: Any) -> int:
        return trial.done("desk", view, **arguments).steps

    day, instant, both = "2026-10-05", start(date(2026, 10, 5)), ["USNYC", "GBLON"]
    named = {
        "`is_business_day`": steps("is_business_day", place="USNYC", day=day),
        "`next_business_day`": steps("next_business_day", place="USNYC", day=day),
        "five business days": steps("add_business_days", place="USNYC", day=day, days=5),
        "in two places": steps("add_business_days_in", places=both, day=day, days=5),
        "a whole year of them (260)": steps("add_business_days", place="USNYC", day="2026-01-05", days=260),
        "`close_of_business`": steps("close_of_business", place="USNYC", day=day),
        "`local_day`": steps("local_day", place="USNYC", instant=instant),
        "`business_day_of`": steps("business_day_of", place="USNYC", instant=instant + 16 * HOUR),
        "Publishing cost": published,
    }
    page = " ".join((PAGES / PAGE).read_text().split())
    assert {what: count for what, count in named.items() if f"{what} {count}" not in page} == {}


def _instant(text: str) -> int:
    day, clock = text.split("T")
    hours, minutes = clock.split(":")
    return start(date.fromisoformat(day)) + (int(hours) + 4) * HOUR + int(minutes) * HOUR // 60
