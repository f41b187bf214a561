"""Statements: what blocks cost, what comes first, what a change is seen by."""

from typing import Any

import pytest
from tests.contracts.specification.sources import contract, fault, source, steps, view, world
from tests.contracts.world import World

TERMS = """
class Terms(Struct):
    port: Text[0, 9]
    days: list[Int[0, 9], 5] = []
"""

PRICES = {
    "1 for the block, 1 for the statement": ("return 1", 2),
    "1 for each operation": ("return 1 + 2 * 3", 4),
    "names and constants are free": ("x = 5\nreturn x", 3),
    "a list and its items": ("return len([1, 2, 3])", 2 + (1 + 1) + (1 + 3)),
    "a map and its values, which is made": ('return len({"a": 1})', 2 + (1 + 1) + (1 + 1) + (232 + 64) // 128),
    "operands joined": ("return 1 if True and False and True else 2", 2 + 1 + 2),
    "a branch when it is entered": ("if True:\n    return 1\nreturn 2 + 2 + 2", 1 + 1 + 3 + 2),
    "elif is a block of its own": ("if False:\n    return 1\nelif True:\n    return 2\nreturn 3", 1 + 1 + 1 + 2 + 2),
    "no else costs nothing": ("x = 1\nif False:\n    x = 2\nreturn x", 1 + 1 + 1 + 1),
    "a loop's body each time": ("x = 0\nfor i in range(3):\n    x = x + i\nreturn x", 1 + 1 + (1 + 2) + 1 + 3 * 3),
    "combined assignment": ("x = 0\nx += 1\nreturn x", 1 + 1 + 2 + 1),
    "an annotation is free": ("x: list[Int[0, 9], 5] = []\nreturn 1", 1 + 2 + 1),
    "what a refusal says is free": ('require(True, "{x}", x=1 + 1 + 1)\nreturn 1', 1 + 1 + 1),
}


@pytest.mark.parametrize(("body", "price"), PRICES.values(), ids=PRICES)
def test_prices_of_blocks(body: str, price: int) -> None:
    assert steps(body) == price


def test_a_result_costs_by_its_size() -> None:
    assert steps('return "aaaaaaaaaaaaaaa"', "Text[0, 99]") == 2 + 16 // 8


def test_a_body_that_is_its_docstring_costs_1() -> None:
    ledger = world('@action(by="member")\ndef nothing(tx):\n    """Nothing."""')
    assert ledger.agree(ledger.call("c", "nothing")).steps == 11
    assert ledger.agree(ledger.call("c", "nothing"), steps=10).result["line"] == 6


VALUES = {
    "a list assigned is another list": ("x = [1]\ny = x\nx.append(2)\nreturn len(y)", 1),
    "a list in a list is another list": ("x = [1]\ny = [x]\nx.append(2)\nreturn len(y[0])", 1),
    "a part changes the whole": ("x = [[1], [2]]\nx[1][0] = 5\nreturn x[1][0]", 5),
    "a loop goes through what was there": ("x = [1, 2]\ny = 0\nfor i in x:\n    y += i\nreturn y", 3),
    "break": ("x = 0\nfor i in range(9):\n    if i == 3:\n        break\n    x += 1\nreturn x", 3),
    "continue": ("x = 0\nfor i in range(9):\n    if i == 3:\n        continue\n    x += 1\nreturn x", 8),
    "return in a loop": ("for i in range(9):\n    if i == 3:\n        return i\nreturn 0", 3),
    "steps of a range": ("x = 0\nfor i in range(9, 0, -4):\n    x = x * 10 + i\nreturn x", 951),
    "numbered": ("x = 0\nfor n, i in enumerate([5, 6]):\n    x += n * i\nreturn x", 6),
    "in pairs, as long as the shorter": ("x = 0\nfor a, b in zip([1, 2, 3], [4, 5]):\n    x += a * b\nreturn x", 14),
    "the values of a map by code point": (
        'x = 0\nfor k, v in {"b": 2, "aa": 1}.items():\n    x = x * 10 + v\nreturn x',
        12,
    ),
    "the keys of a map by code point": (
        'x = ""\nfor k in {"b": 2, "aa": 1}:\n    x += k\nreturn x.startswith("aab")',
        True,
    ),
    "inserted and taken out": ("x = [1, 2]\nx.insert(0, 7)\nx.pop(1)\nreturn x[0] * 10 + x[1]", 72),
    "a key taken out": ('x = {"a": 1, "b": 2}\nx.pop("a")\nreturn len(x)', 1),
    "a key changed": ('x = {"a": 1}\nx["a"] += 4\nreturn x["a"]', 5),
    "a loop over nothing": ("for i in range(0):\n    return 1\nreturn 2", 2),
}


@pytest.mark.parametrize(("body", "value"), VALUES.values(), ids=VALUES)
def test_what_statements_do(body: str, value: Any) -> None:
    ran = view(body, "bool" if isinstance(value, bool) else "int")
    assert (ran.code, ran.result) == ("ok", value)


FIRST = {
    "the value before the index": ("x = [1]\nx[5] = 1 // 0\nreturn 1", ("value.division", 2)),
    "the value before the way": ('x = {"a": [1]}\nx["b"][0] = 1 // 0\nreturn 1', ("value.division", 2)),
    "the way before the last index": ('x = {"a": [1]}\nx["b"][1 // 0] = 1\nreturn 1', ("key.missing", 2)),
    "the operand on the left": ("x = [1]\nreturn x[1] + 1 // 0", ("index.range", 2)),
    "the arguments before the path": ('x = {"a": [1]}\nx["b"].append(1 // 0)\nreturn 1', ("value.division", 2)),
    "the place before what is combined": ("x = [1]\nx[1] += 1 // 0\nreturn 1", ("index.range", 2)),
    "bounds of a range before its step": (
        f"for i in range({2**63}, 1, 0):\n    return i\nreturn 1",
        ("value.range", 1),
    ),
    "a step of zero": ("for i in range(1, 2, 0):\n    return i\nreturn 1", ("value.division", 1)),
    "the first line of a statement": ("x = [\n    1,\n    1 // 0,\n]\nreturn x[0]", ("value.division", 1)),
    "a header has its own line": (
        "for i in range(3):\n    if 1 // i == 1:\n        return 1\nreturn 1",
        ("value.division", 2),
    ),
    "an annotated local": ("x: Int[0, 9] = 10\nreturn x", ("value.bounds", 1)),
    "what is returned, where it is": ("x = 2\nreturn x", ("value.bounds", 2)),
    "too many digits to leave": (f"return {2**62} * 2", ("value.bounds", 1)),
}


@pytest.mark.parametrize(("body", "expected"), FIRST.values(), ids=FIRST)
def test_which_fault_comes_first(body: str, expected: tuple[str, int]) -> None:
    assert fault(view(body, "Int[5, 9]" if expected == ("value.bounds", 2) else "int")) == expected


NONE = {
    "an operand, before the next": ("return n + 1 // 0", ("value.none", 1)),
    "after the one before": ("return 1 // 0 + n", ("value.division", 1)),
    "what is looked for in a text": ('if t in "abc":\n    return 1\nreturn 2', ("value.none", 1)),
    "what is looked for in a map": ('return 1 if t in {"a": 1 // 0} else 2', ("value.none", 1)),
    "a condition": ("if n > 1:\n    return 1\nreturn 2", ("value.none", 1)),
    "what is returned": ("return n", ("value.none", 1)),
    "an argument": ("return f(n, 1 // 0)", ("value.none", 1)),
    "an annotated local": ("x: int = n\nreturn x", ("value.none", 1)),
    "a local that has had a number": ("x = 1\nx = n\nreturn x", ("value.none", 2)),
    "an item": ("x: list[int, 3] = [n]\nreturn x[0]", ("value.none", 1)),
    "appended": ("x = [1]\nx.append(n)\nreturn x[0]", ("value.none", 2)),
    "a field of a struct": ('x = Terms(port="a", days=[n])\nreturn len(x.days)', ("value.none", 1)),
}


@pytest.mark.parametrize(("body", "expected"), NONE.values(), ids=NONE)
def test_none_where_a_value_is_needed(body: str, expected: tuple[str, int]) -> None:
    before = TERMS + "\ndef f(a: int, b: int) -> int:\n    return a + b\n"
    assert fault(view(body, before=before, parameters="n: int | None, t: Text[0, 9] | None")) == expected


def test_none_where_it_may_be() -> None:
    body = 'x: list[int | None, 3] = [n, 2]\nrequire(n is None and n == None and n in x, "{n}", n=n)\nreturn len(x)'
    assert view(body, parameters="n: int | None").result == 2


class TestFunctions:
    BEFORE = """
    def count(n: Int[0, 99]) -> int:
        if n == 0:
            return 0
        return 1 + count(n - 1)

    def small(n: Int[0, 9], m: Int[0, 9]) -> Int[0, 9]:
        return n + m
    """

    def test_they_may_call_themselves(self) -> None:
        assert view("return count(5)", before=self.BEFORE).result == 5

    def test_at_most_64_deep(self) -> None:
        assert view("return count(63)", before=self.BEFORE).result == 63
        assert view("return count(64)", before=self.BEFORE).code == "call.depth"

    def test_arguments_fit_at_the_call(self) -> None:
        ran = view("x = 1\nreturn small(m=10, n=11)", before=self.BEFORE)
        assert fault(ran) == ("value.bounds", 2)
        assert ran.result["message"] == "`small.n` must lie within 0 and 9"

    def test_what_they_return_fits_there(self) -> None:
        ran = view("x = 1\nreturn small(5, 6)", before=self.BEFORE)
        assert ran.result["message"] == "what `small` returns must lie within 0 and 9"
        assert ran.result["line"] < 0, "the function's, before the view"

    def test_each_call_pays_for_the_body(self) -> None:
        assert steps("return small(5, 4)", before=self.BEFORE) == 2 + (1 + 2) + 3


def test_a_fault_in_a_library_names_the_library() -> None:
    made = World()
    digest = made.add_library("calendar", source("def half(n: int) -> int:\n    return 100 // n\n"))
    before = f'calendar = library("calendar", "{digest}")'
    made.deploy("c", contract("@view\ndef look(tx, n: int) -> int:\n    return calendar.half(n)", before))
    assert made.agree(made.call("c", "look", {"n": 5})).result == 20
    ran = made.agree(made.call("c", "look", {"n": 0}))
    assert (ran.result["contract"], ran.result["version"], ran.result["line"]) == ("calendar", digest, 3)


class TestRequire:
    def test_it_says_text_and_values_in_encoding_order(self) -> None:
        ran = view('require(1 > 2, "{long} {b}", long=[1], b="x")\nreturn 1')
        assert ran.code == "require.failed"
        assert ran.result["message"] == "{long} {b}"
        assert list(ran.result["values"].items()) == [("b", "x"), ("long", [1])]
        assert ran.result["line"] == 1

    def test_values_are_evaluated_only_to_be_said(self) -> None:
        assert view('require(n == 1, "{x}", x=1 // (n - 1))\nreturn 1', parameters="n: int", n=1).code == "ok"
        assert (
            view('require(n == 2, "{x}", x=1 // (n - 1))\nreturn 1', parameters="n: int", n=1).code == "value.division"
        )

    def test_it_says_at_most_4096_bytes(self) -> None:
        text = 'x = "0123456789abcdef"\nfor i in range(8):\n    x = x + x\nrequire(False, "{x}", x=x[:n])\nreturn 1'
        room = 4_096 - (1 + 3) - 1 - 2 - 3  # the text, the map's head, the name, the head of what it says
        assert view(text, parameters="n: int", n=room).code == "require.failed"
        assert fault(view(text, parameters="n: int", n=room + 1)) == ("value.size", 4)

    def test_integers_that_leave_fit_64_bits(self) -> None:
        assert view(f'require(False, "{{x}}", x={2**62} * 2)\nreturn 1').code == "value.range"


class TestEvents:
    def test_they_have_a_name_and_data_in_encoding_order(self) -> None:
        ledger = world('@action(by="member")\ndef tell(tx):\n    event("told", long=[1], b=tx.member)')
        ran = ledger.agree(ledger.call("c", "tell"))
        assert ran.events == [{"data": {"b": "alice", "long": [1]}, "name": "told"}]
        size = (1 + 4) + 1 + 2 + 6 + 5 + 2
        assert ran.steps == 10 + (1 + 1 + (1 + 3) + 2 + 1) + 20 + size // 8

    def test_64_of_them(self) -> None:
        ledger = world(
            '@action(by="member")\ndef tell(tx, n: int):\n    for i in range(n):\n        event("told", i=i)'
        )
        assert len(ledger.agree(ledger.call("c", "tell", {"n": 64})).events) == 64
        assert ledger.agree(ledger.call("c", "tell", {"n": 65})).code == "output.events"

    def test_65536_bytes_together(self) -> None:
        text = '@action(by="member")\ndef tell(tx, t: Text[0, 65536]):\n    event("x", t=t)\n    event("y", t="")'
        ledger = world(text)
        room = 65_536 - 2 * (2 + 1 + 2) - 1 - 3
        assert ledger.agree(ledger.call("c", "tell", {"t": "a" * room})).code == "ok"
        ran = ledger.agree(ledger.call("c", "tell", {"t": "a" * (room + 1)}))
        assert (ran.code, ran.result["line"]) == ("output.events", 7)
