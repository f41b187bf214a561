"""A ledger in memory with the letter of credit on it, and a stand-in of the calendars it asks.

The stand-in has the views that the letter binds to: weeks of five days, one holiday (Monday 2026-10-12), business until
17:00 in New York, which is 21:00 UTC. The story runs on the real calendars.
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.contracts.world import Stored, World

from hansa.cli.output import filled
from hansa.contracts import schedules
from hansa.contracts.calls import NOBODY, Call, Execution
from hansa.wire import jsonform, order

SOURCE: Final = (Path(__file__).parents[2] / "apps" / "letter_of_credit" / "contract.py").read_text("utf-8")
CALENDARS: Final = '''"""A stand-in."""

from hansa.contract import Contract, Date, Duration, Instant, Text, require, view


def is_open(day: Date) -> bool:
    return day.weekday < 6 and day != Date(2026, 10, 12)


class Calendars(Contract, version="1.0.0"):
    @view
    def add_business_days(tx, place: Text[2, 12], day: Date, days: int) -> Date:
        require(place == "US-NY", "no calendar of {p} is published", p=place)
        found = day
        if days == 0:
            for turn in range(5):
                if not is_open(found):
                    found = found.add_days(1)
        for turn in range(days):
            found = found.add_days(1)
            for skipped in range(5):
                if not is_open(found):
                    found = found.add_days(1)
        return found

    @view
    def close_of_business(tx, place: Text[2, 12], day: Date) -> Instant:
        require(is_open(day), "{day} is no business day", day=day)
        return day.start() + Duration(hours=21)

    @view
    def business_day_of(tx, place: Text[2, 12], instant: Instant) -> Date:
        found = (instant - Duration(hours=4)).date
        if instant > found.start() + Duration(hours=21):
            found = found.add_days(1)
        for turn in range(5):
            if not is_open(found):
                found = found.add_days(1)
        return found
'''
MEMBERS: Final = ("northwind", "newyorkbank", "frankfurtbank", "fabrikam")
ID: Final = "SBLC-2026-0417"
BEGIN: Final = "2026-04-14T14:00"


def at(text: str) -> int:
    """Milliseconds of a time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def usd(dollars: float) -> dict[str, Any]:
    return {"minor": round(dollars * 100), "currency": "USD"}


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


DOCUMENTS: Final = [{"name": "demand", "digest": digest("demand")}]


class Letters:
    """One undertaking's ledger. Every action says what came of it; what is applied is kept."""

    def __init__(self) -> None:
        self.world = World(members=MEMBERS, users=("newyorkbank/ana", "newyorkbank/ben", "newyorkbank/cai"))
        self.world.attributes = {bank: frozenset({"licence:bank"}) for bank in ("newyorkbank", "frankfurtbank")}
        self.world.deploy("calendars", CALENDARS)
        self.world.deploy("letter_of_credit", SOURCE)
        self.world.time = at(BEGIN)

    def take(self, by: str, action: str, **arguments: Any) -> Execution:
        """An action by a member, or by a user as MEMBER/USER."""
        member, _, user = by.partition("/")
        ran = self.world.agree(
            self.world.call("letter_of_credit", action, arguments, by=member, user=by if user else None), steps=10_000
        )
        if ran.code == "ok":
            self.world.apply(ran)
        return ran

    def ok(self, by: str, action: str, **arguments: Any) -> Execution:
        ran = self.take(by, action, **arguments)
        assert ran.code == "ok", ran
        return ran

    def apply(self, **changes: Any) -> Execution:
        """Northwind's application, with other terms where asked."""
        terms = {
            "id": ID,
            "issuer": "newyorkbank",
            "adviser": "frankfurtbank",
            "beneficiary": "fabrikam",
            "rules": "ISP98",
            "amount": usd(2_500_000),
            "expiry": "2027-04-17",
            "place": "US-NY",
            "may_confirm": True,
            "wording": digest("first"),
        }
        return self.take("northwind", "apply", **terms | changes)

    def to(self, state: str, **changes: Any) -> "Letters":
        """The way to a state of the undertaking."""
        self.pass_to(BEGIN)
        assert self.apply(**changes).code == "ok"
        wording = changes.get("wording", digest("first"))
        steps = [
            ("Agreed", "northwind", "agree", {"version": 1, "wording": wording}),
            ("Agreed", "newyorkbank", "agree", {"version": 1, "wording": wording}),
            ("Prepared", "newyorkbank/ana", "prepare", {}),
            ("Issued", "newyorkbank/ben", "release", {"wording": wording}),
            ("Advised", "frankfurtbank", "advise", {"confirms": True}),
        ]
        states = ["Draft", "Agreed", "Prepared", "Issued", "Advised", "Exhausted", "Expired"]
        for reached, by, action, arguments in steps:
            if states.index(reached) <= states.index(state):
                self.ok(by, action, u=ID, **arguments)
        if state == "Exhausted":
            self.present(2_500_000)
            self.decide(1, "honour")
        if state == "Expired":
            self.pass_to("2027-04-20T12:00")
        assert self.undertaking()["state"] == state
        return self

    def present(self, dollars: float, **changes: Any) -> Execution:
        arguments = {"u": ID, "reference": "DMD-0001", "amount": usd(dollars), "documents": DOCUMENTS}
        return self.take("fabrikam", "present", **arguments | changes)

    def decide(self, number: int, action: str, discrepancies: tuple[str, ...] = ()) -> Execution:
        """Examines and then honours or refuses a presentation."""
        p = f"{ID}/{number}"
        if self.presentation(number)["state"] != "Precluded":
            self.ok("newyorkbank", "examine", p=p, discrepancies=list(discrepancies))
        more = {"disposal": "Held"} if action == "refuse" else {}
        return self.take("newyorkbank", action, p=p, **more)

    def pass_to(self, text: str) -> list[tuple[str, str]]:
        """Lets time pass to a time in UTC, if that is to come; what was due on the way, with what came of it."""
        return self.pass_until(max(at(text), self.world.time))

    def pass_until(self, end: int) -> list[tuple[str, str]]:
        """The same for a time in ms."""
        taken: list[tuple[str, str]] = []
        table = order.table(schedules.CONTRACT, schedules.RECORD)
        while True:
            waiting = [
                (found.due, place, found)
                for place, stored in self.world.records.items()
                if place.startswith(table) and (found := schedules.read(stored.value)).due is not None
            ]
            due, _, found = min(waiting, default=(end + 1, b"", None), key=lambda one: one[:2])
            if found is None or due > end:
                self.world.time = end
                return taken
            self.world.time = max(due, self.world.time)
            action = self.world.programs["letter_of_credit"][0][1].manifest.actions[found.action]
            (parameter,) = action.parameters
            arguments = {parameter.name: found.key.decode()}
            call = Call("letter_of_credit", found.action, arguments, NOBODY, self.world.time, self.world.seq)
            ran = self.world.agree(call)
            mark = schedules.taken(found, 0)
            self.world.records[mark.place] = Stored(self.world.seq, mark.value)
            if ran.code == "ok":
                self.world.apply(ran)
            taken.append((found.action, ran.code))

    def undertaking(self) -> dict[str, Any]:
        (found,) = self.world.values("letter_of_credit", "Undertaking")
        return found

    def presentation(self, number: int) -> dict[str, Any]:
        return {p["id"]: p for p in self.world.values("letter_of_credit", "Presentation")}[f"{ID}/{number}"]


def said(ran: Execution) -> str:
    """What a refusal says, its values put in."""
    return filled(jsonform.plain(ran.result))
