"""Expressions as they stand in a contract: what each comes to, the same on the fast path."""

import hashlib
from typing import Any

import pytest
from tests.contracts.specification.sources import contract, fault, source, steps, view, world
from tests.contracts.world import World

BEFORE = """
MOST = 7
FIXED = "Fixed"

class Kind(Enum):
    Sight = "payable at sight"
    Term = "payable later"

class Place(Struct):
    port: Text[0, 9]
    days: Int[0, 9] = 5

class Terms(Struct):
    place: Place
    kind: Kind = Kind.Sight
    parts: list[Int[0, 9], 3] = []
    rates: dict[Text[1, 3], int, 2] = {}
    until: Date | None = None
"""

VALUES: dict[str, tuple[str, str, Any]] = {
    "a constant of the file": ("return MOST", "int", 7),
    "a method of a constant": ("return FIXED.lower()", "Text[0, 9]", "fixed"),
    "a value of an enum": ("return Kind.Term", "Kind", "Term"),
    "an enum compared": ("x = Kind.Term\nreturn x == Kind.Term and x != Kind.Sight", "bool", True),
    "or": ("x = 1\nreturn x == 2 or x == 1 or 1 // 0 == 1", "bool", True),
    "neither": ("x = 1\nreturn x == 2 or x == 3", "bool", False),
    "not": ("return not 1 > 2", "bool", True),
    "orders": ("return [1 < 2, 2 <= 2, 1 > 2, 2 >= 3]", "list[bool, 4]", [True, True, False, False]),
    "remainder": ("return -7 % 2", "int", 1),
    "no chance of division": ("return 7 // 2 if MOST == 7 else 1 // 0", "int", 3),
    "not in": ("return 1 not in [2, 3]", "bool", True),
    "is not None": ("x: int | None = None\nreturn x is not None", "bool", False),
    "parts of a text": ('return "abcdef"[1:-1] + "abc"[:1] + "abc"[2:] + "abc"[-1]', "Text[0, 9]", "bcdeacc"),
    "a look-up": ('return {"a": 1}.get("b", 5)', "int", 5),
    "a look-up of None": ('return {"a": 1}.get("b", None)', "int | None", None),
    "of equal keys the last": ('return {"a": 1, "b": 2, "a": 3}', "dict[Text[0, 9], int, 3]", {"a": 3, "b": 2}),
    "keys and values": ('m = {"b": 1, "a": 2}\nreturn m.keys()[0] + str(m.values()[0])', "Text[0, 9]", "a2"),
    "least and greatest": ("return min(3, 1, 2) * 10 + max(3, 1, 2)", "int", 13),
    "magnitude, length, sum": ("return abs(-5) + len([1, 2]) + sum([1, 2, 3])", "int", 13),
    "sorted and reversed": ("return sorted([3, 1, 2]) + reversed([3, 1, 2])", "list[int, 6]", [1, 2, 3, 2, 1, 3]),
    "text and number": ('return int("-" + str(12)) + 1', "int", -11),
    "a digest": ('return sha256("abc") == sha256("abcd"[:3]) and len(sha256("")) == 32', "bool", True),
    "money": (
        'return [Amount(7, "EUR").signed() - Amount(9, "EUR"), SignedAmount(-7, "EUR") * 2]',
        "list[SignedAmount, 2]",
        [{"minor": -2, "currency": "EUR"}, {"minor": -14, "currency": "EUR"}],
    ),
    "money rounded": (
        'return Amount(5, "EUR").times(1, 2, "half_even").minor * 10 + Amount(5, "EUR").times(1, 2, "half_up").minor',
        "int",
        23,
    ),
    "money split": (
        'return Amount(10, "EUR").split(3)[0].minor * 10 + len(Amount(1, "EUR").split_by([1, 2]))',
        "int",
        42,
    ),
    "a date": ("return Date(2024, 1, 31).add_months(1).add_days(1)", "Date", "2024-03-01"),
    "a date's parts": ("d = Date(2024, 2, 29)\nreturn d.year + d.month + d.day + d.weekday", "int", 2024 + 2 + 29 + 4),
    "a time": ("return Date(1970, 1, 2).start() + Duration(hours=1, seconds=-1)", "Instant", 90_000_000 - 1_000),
    "a length of time": ("return (tx.time - Date(2023, 11, 14).start()).milliseconds // 60000", "int", 22 * 60 + 13),
    "days of a length": ("return Duration(hours=-25).days", "int", -2),
    "the date of a time": ("return tx.date.days_until(tx.time.date)", "int", 0),
    "a struct": (
        'return Terms(place=Place(port="Kiel"))',
        "Terms",
        {
            "kind": "Sight",
            "parts": [],
            "place": {"days": 5, "port": "Kiel"},
            "rates": {},
            "until": None,
        },
    ),
    "a field of a field": ('return Terms(place=Place(port="Kiel")).place.days', "int", 5),
    "a struct compared": ('return Place(port="Kiel") == Place(days=5, port="Kiel")', "bool", True),
    "a struct changed within": (
        't = Terms(place=Place(port="Kiel"), parts=[1, 2], rates={"b": 1})\nu = t\nt.place.days = 7\nt.parts[1] = 9\n'
        't.parts.append(3)\nt.rates["a"] = 4\nt.place.days += 1\nreturn [t.place.days, t.parts[1], len(t.parts), '
        't.rates["a"], u.place.days, len(u.parts), len(u.rates)]',
        "list[int, 7]",
        [8, 9, 3, 4, 5, 2, 1],
    ),
    "bytes": (
        "return sha256(FIXED)[:2].hex() + str(sha256(FIXED)[0])",
        "Text[0, 9]",
        hashlib.sha256(b"Fixed").hexdigest()[:4] + str(hashlib.sha256(b"Fixed").digest()[0]),
    ),
}


@pytest.mark.parametrize(("body", "returns", "value"), VALUES.values(), ids=VALUES)
def test_values(body: str, returns: str, value: Any) -> None:
    ran = view(body, returns, before=BEFORE)
    assert (ran.code, ran.result) == ("ok", value)


FAULTS = {
    "a field of a struct, in declared order": (
        'x = Place(days=10, port="0123456789")\nreturn x.days',
        "value.bounds",
        1,
    ),
    "a field changed": ('x = Place(port="")\nx.days = 10\nreturn x.days', "value.bounds", 2),
    "a list's item in a struct": (
        'x = Terms(place=Place(port=""), parts=[1, 10])\nreturn len(x.parts)',
        "value.bounds",
        1,
    ),
    "a part that is None": ('x = Terms(place=Place(port=""))\nreturn x.until.year', "value.none", 2),
    "the argument before the fit of another": (
        'x = Place(port="0123456789", days=1 // 0)\nreturn 1',
        "value.division",
        1,
    ),
}


@pytest.mark.parametrize(("body", "code", "line"), FAULTS.values(), ids=FAULTS)
def test_faults(body: str, code: str, line: int) -> None:
    assert fault(view(body, before=BEFORE)) == (code, line)


def test_a_struct_says_which_field_does_not_fit() -> None:
    ran = view('x = Place(days=10, port="0123456789")\nreturn x.days', before=BEFORE)
    assert ran.result["message"] == "`Place.port` must have 0 to 9 characters, not 10"


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">="])
def test_other_money_is_told_from_the_left(operator: str) -> None:
    ran = view(f'return 1 if Amount(1, "EUR") {operator} Amount(1, "USD") else 2')
    assert (ran.code, ran.result["values"]) == ("value.currency", {"first": "EUR", "second": "USD"})


def test_what_a_struct_costs() -> None:
    plain = steps('return len([Place(port="a")])', before=BEFORE)
    assert plain == 2 + (1 + 1) + 2 + (1 + 1) + (232 + 64 * 2) // 128 + (56 + 8) // 128


LIBRARY = """
class Span(Struct):
    first: Date
    days: Int[0, 99] = 1

class Side(Enum):
    Buy = "buys"
    Sell = "sells"

LIMIT = 3

def last(span: Span) -> Date:
    return span.first.add_days(span.days)

def turn(side: Side) -> Side:
    return Side.Sell if side == Side.Buy else Side.Buy
"""


class TestLibraries:
    def look(self, body: str, returns: str) -> Any:
        ledger = World()
        digest = ledger.add_library("spans", source(LIBRARY))
        inside = "\n".join(f"    {line}" for line in body.splitlines())
        parts = f"@view\ndef look(tx) -> {returns}:\n{inside}"
        ledger.deploy("c", contract(parts, f'spans = library("spans", "{digest}")'))
        return ledger.agree(ledger.call("c", "look")).result

    def test_its_structs_and_functions(self) -> None:
        body = "span = spans.Span(first=Date(2024, 2, 28))\nspan.days += 1\nreturn spans.last(span)"
        assert self.look(body, "Date") == "2024-03-01"

    def test_its_enums_and_constants(self) -> None:
        body = "side = spans.turn(spans.Side.Buy)\nreturn spans.LIMIT if side == spans.Side.Sell else 0"
        assert self.look(body, "int") == 3

    def test_its_types_in_the_contracts_signatures(self) -> None:
        found = self.look("return spans.Span(first=Date(2024, 2, 28), days=2)", "spans.Span")
        assert found == {"days": 2, "first": "2024-02-28"}


def test_members_and_users_are_texts_that_name_them() -> None:
    ledger = world(
        "@view\ndef look(tx, who: list[Party, 3], user: User | None) -> bool:\n"
        "    return tx.member in who and (tx.user is None or tx.user == user)"
    )
    given = {"who": ["bob", "alice"], "user": "alice/ann"}
    assert ledger.agree(ledger.call("c", "look", given, user="alice/ann")).result is True
    assert ledger.agree(ledger.call("c", "look", {**given, "user": "bob/ben"}, user="alice/ann")).result is False
    ran = ledger.agree(ledger.call("c", "look", {**given, "who": ["bob", "zoe"]}))
    assert ran.result["values"]["problems"][0]["problem"] == "item 1: is not a member of this ledger"
