"""The letter of credit on the real calendars: no edition, and none missing, keeps a demand out or a decision away."""

import json
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from tests.apps.letters import DOCUMENTS, at, digest
from tests.apps.trial import APPS, DAY

from hansa.testing import Ledger, Refused
from hansa.wire.genesis import Limits

TERMS = {
    "issuer": "bank",
    "adviser": "adviser",
    "beneficiary": "fabrikam",
    "rules": "ISP98",
    "amount": "USD 1000.00",
    "extends_until": None,
    "notice_days": 0,
    "place": "USNYC",
    "may_confirm": True,
    "wording": digest("first"),
}


def year(number: int) -> dict[str, Any]:
    return json.loads((APPS / "letter_of_credit" / f"USNYC-{number}.json").read_text("utf-8"))


def closed_after(number: int, last: date) -> dict[str, Any]:
    """The second edition of a year, without business on any weekday after a day."""
    plain = year(number)
    kept = [one for one in plain["holidays"] if one["day"] <= last.isoformat()]
    days = [last + timedelta(days=ahead) for ahead in range(1, (date(number, 12, 31) - last).days + 1)]
    shut = [{"day": day.isoformat(), "name": "shut"} for day in days if day.weekday() < 5]
    return {**plain, "number": 2, "holidays": kept + shut, "half_days": []}


def issued(expiry: str, limits: Limits | None = None) -> tuple[Ledger, Any]:
    """A letter that is issued, on the calendars of 2026 and 2027."""
    ledger = first_issued(expiry, limits).fork()
    return ledger, ledger.contract("letter_of_credit")


@cache
def first_issued(expiry: str, limits: Limits | None) -> Ledger:
    """A ledger to fork, with a letter on it."""
    ledger = Ledger(start=datetime(2026, 4, 14, 13, tzinfo=UTC), limits=limits or Limits())
    ledger.member("northwind")
    ledger.member("bank", attributes=["licence:bank", "role:calendar-publisher"], users=["ana", "ben"])
    ledger.member("adviser", attributes=["licence:bank"])
    ledger.member("fabrikam")
    ledger.deploy(APPS / "calendars" / "contract.py", "calendars")
    letter = ledger.deploy(APPS / "letter_of_credit" / "contract.py", "letter_of_credit")
    for number in (2026, 2027):
        ledger.send("bank", "calendars", "publish", year(number))
    letter.by("northwind").apply(id="S1", expiry=expiry, **TERMS)
    for by in ("northwind", "bank"):
        letter.by(by).agree(u="S1", version=1, wording=digest("first"))
    letter.by("bank/ana").prepare(u="S1", version=1)
    letter.by("bank/ben").release(u="S1", version=1, wording=digest("first"), amount=TERMS["amount"], expiry=expiry)
    return ledger


def present(letter: Any, reference: str = "D1") -> dict[str, Any]:
    letter.by("fabrikam").present(u="S1", reference=reference, amount="USD 10.00", documents=DOCUMENTS)
    found: dict[str, Any] = letter.record("Presentation", "S1/1")
    return found


def test_no_letter_is_issued_whose_last_examination_no_calendar_covers() -> None:
    with pytest.raises(Refused, match="no calendar of USNYC for 2028 is published"):
        issued("2027-12-31")
    issued("2027-12-17")


@pytest.mark.parametrize("day", ["2027-12-15", "2027-12-17"])
def test_a_demand_is_taken_though_the_rest_of_the_year_was_closed_and_the_next_is_not_there(day: str) -> None:
    ledger, letter = issued("2027-12-17")
    ledger.clock.set("2027-11-30T15:00:00+00:00")
    ledger.send("bank", "calendars", "publish", closed_after(2027, date(2027, 11, 30)))
    ledger.clock.set(f"{day}T15:00:00+00:00")
    found = present(letter)
    assert (found["received"], found["decide_by"]) == (day, at(f"{day}T15:00") + 21 * DAY)


def test_an_edition_that_closes_everything_keeps_a_decision_away_for_three_weeks_at_most() -> None:
    ledger, letter = issued("2027-04-17")
    ledger.clock.set("2026-10-01T15:00:00+00:00")
    ledger.send("bank", "calendars", "publish", closed_after(2026, date(2026, 10, 1)))
    assert present(letter)["decide_by"] == at("2026-10-22T15:00")
    assert letter.record("Undertaking", "S1")["closes"] == at("2027-04-19T21:00"), "as it was when it was issued"


def test_an_examination_ends_as_the_calendar_says_where_it_says_so() -> None:
    ledger, letter = issued("2027-04-17")
    ledger.clock.set("2026-10-05T20:00:00+00:00")
    found = present(letter)
    assert (found["received"], found["decide_by"], found["safe_until"]) == (
        "2026-10-05",
        at("2026-10-15T21:00"),
        at("2026-10-08T21:00"),
    )


def test_a_ledger_with_few_steps_for_what_is_due_lets_nobody_examine_late() -> None:
    ledger, letter = issued("2027-04-17", Limits(scheduled_steps=100))
    ledger.clock.set("2026-10-05T20:00:00+00:00")
    present(letter)
    letter.by("bank/ana").examine(p="S1/1", discrepancies=["unsigned"])
    assert "steps.exceeded" in {taken.code for taken in ledger.clock.set("2026-12-01T15:00:00+00:00")}
    assert letter.record("Presentation", "S1/1")["state"] == "Examined"
    for by, action, more in (
        ("bank/ana", "examine", {"discrepancies": ["late"]}),
        ("bank/ben", "refuse", {"examination": 1, "disposal": "Held"}),
    ):
        with pytest.raises(Refused, match=r"has passed|precluded"):
            getattr(letter.by(by), action)(p="S1/1", **more)
    letter.by("bank/ben").honour(p="S1/1", examination=1, amount="USD 10.00")


def test_the_days_counted_around_the_turn_of_the_year() -> None:
    ledger, _ = issued("2027-04-17")
    calendars = ledger.contract("calendars")
    ms = {text: at(text) for text in ("2027-12-31T15:00", "2028-01-01T04:00", "2028-01-01T06:00", "2026-01-01T02:00")}
    counted = {text: calendars.view.day_counted(place="USNYC", instant=found) for text, found in ms.items()}
    assert {text: None if day is None else str(day) for text, day in counted.items()} == {
        "2027-12-31T15:00": "2027-12-31",
        "2028-01-01T04:00": "2028-01-01",  # after the close of the 31st, which was a Friday
        "2028-01-01T06:00": None,
        "2026-01-01T02:00": None,  # still 2025 there
    }
    days = calendars.view.business_days(place="USNYC", day=date(2027, 12, 23), most=60)
    assert [str(day) for day in days] == [f"2027-12-{day}" for day in (23, 24, 27, 28, 29, 30, 31)]
    assert calendars.view.business_days(place="NOWHERE", day=date(2027, 12, 23), most=60) == []
