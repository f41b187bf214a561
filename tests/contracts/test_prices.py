"""Steps: each construct has its price, the limit is exact, and what runs out leaves no trace."""

import pytest
from tests.contracts.sources import action, view
from tests.contracts.world import World

from hansa.contracts import prices
from hansa.contracts.calls import Execution
from hansa.wire import cbor, order

OUTER = """
class Point(Struct):
    x: int
    y: int = 0
class Thing(Record, key="id"):
    id: int
    note: Text[0, 60000] = ""
    price: Amount | None = None
def double(n: int) -> int:
    return n + n
"""
MAKE = '@action(by="member", creates="Thing")\ndef make(tx, thing: Thing, id: int):\n    pass\n'
PARAMETERS = "t: Thing, c: bool"
STORED = (len(order.place("sample", "Thing", 1)) + len(cbor.encode({"id": 1, "note": "a", "price": None}))) // 8
TOUCHED = 20 + len(cbor.encode({"id": 1, "note": "", "price": None})) // 32

# A body, and the steps it takes beyond the ten of every transaction and the touch of its record.
PRICES = [
    # The charge of a block is 1, and 1 for each statement, each operation, each item and each argument in it.
    ("pass", 2),
    ("pass\npass", 3),
    ('"""A docstring."""', 1),
    ("return", 2),
    ("x = 1", 2),
    ("x = 1 + 2", 3),
    ("x = 1 + 2 * 3", 4),
    ("x = -1", 3),
    ("x = 1 == 2", 3),
    ("x = c", 2),
    ("x = not c", 3),
    ("x = c and c", 3),
    ("x = c and (c or c)", 4),
    ("x = 1 if c else 2", 3),
    ("x: list[int, 9] = []", 3),
    ("x = [1, 2, 3]", 6),
    ("x: list[int, 9] = [1, 2]", 5 + 2),
    ("x = {'a': 1, 'b': 2}", 5 + 2),
    ("x = [1][0]", 5),
    ("x = len('a')", 4),
    ("x = tx.time", 3),
    ("x = Amount(1, 'USD').minor", 6),
    ("x = Point(x=1)", 4 + 2),
    ("x = Point(x=1)\nx.y = 2", 4 + 2 + 2 + 2),
    ("x = double(1)", 4 + 3),
    ("x = 1\nx += 1", 4),
    ("x = 'a'\nx += 'b' + 'c'", 5),
    ("x = [1]\nx.append(2)", 4 + 4),
    # Branches charge for the block that is taken.
    ("if c:\n    pass", 4),
    ("if not c:\n    pass", 3),
    ("if c:\n    pass\nelse:\n    x = 1 + 2", 4),
    ("if not c:\n    pass\nelse:\n    x = 1 + 2", 6),
    ("if not c:\n    pass\nelif c:\n    pass", 7),
    # Loops charge for each pass, the head once.
    ("for i in range(0):\n    pass", 4),
    ("for i in range(1):\n    pass", 6),
    ("for i in range(5):\n    pass", 14),
    ("for i in [1, 2]:\n    pass", 9),
    ("for i in range(3):\n    for j in range(4):\n        pass", 4 + 3 * (4 + 8)),
    ("for i in range(9):\n    break", 6),
    # What is long is charged by its length.
    ("x = [1, 2] == [1, 2]", 9 + 2),
    ("x = 1 in [1, 2, 3]", 7 + 3),
    # A rule costs its condition; the values of its text are free.
    ("require(c, 'x')", 2),
    ("require(c and c, 'x')", 3),
    ("require(c, 'x {a}', a=1 + 2 + 3)", 2),
    # An event costs 20, its size, and what its values take.
    ("event('x')", 4 + 20),
    ("event('x', a=1 + 2)", 6 + 20),
    ("event('x', a='" + "a" * 62 + "')", 5 + 20 + 8),
    # A record costs 20 to touch, and its bytes / 32; 50 and its size to store, its key and names included.
    ("x = t.id", 3),
    ("x = Thing.get(1)", 5 + 1),
    ("x = Thing.exists(2)", 5 + 20),
    ("t.note = 'a'", 3 + 50 + STORED),
    ("t.note = '" + "a" * 81 + "'", 3 + 50 + STORED + 10),
    ("t.note += 'a'", 5 + 50 + STORED),
]


def run(body: str, steps: int) -> Execution:
    world = World()
    world.deploy("sample", action(body, PARAMETERS, MAKE, OUTER))
    world.take(world.call("sample", "make", {"id": 1}))
    return world.run(world.call("sample", "go", {"t": 1, "c": True}), steps=steps)


@pytest.mark.parametrize(("body", "price"), PRICES, ids=[body[:40] for body, _ in PRICES])
def test_an_action_takes_exactly_its_price_and_not_one_step_less(body: str, price: int) -> None:
    price += prices.TRANSACTION_STEPS + TOUCHED
    free, enough, short = run(body, 100_000), run(body, price), run(body, price - 1)
    assert (free.code, free.steps) == ("ok", price)
    assert (enough.code, enough.steps) == ("ok", price)
    assert (short.code, short.steps) == ("steps.exceeded", price - 1)
    assert (short.writes, short.events) == ([], [])


@pytest.mark.parametrize("steps", range(10))
def test_without_the_ten_of_every_transaction_nothing_runs(steps: int) -> None:
    ran = run("event('x')", steps)
    assert (ran.code, ran.steps, ran.result["line"]) == ("steps.exceeded", steps, None)


def test_a_refusal_costs_what_was_used() -> None:
    refused = run("x = [1, 2] + [3]\nrequire(not c, 'no')\nx = x + x", 100_000)
    assert (refused.code, refused.steps) == ("require.failed", 10 + TOUCHED + 1 + 7 + 2 + 2)


@pytest.mark.parametrize(
    "body",
    [
        "for i in range(1000000000):\n    pass",
        "for i in range(-9223372036854775807, 9223372036854775807):\n    pass",
        "\n".join("    " * n + f"for i{n} in range(1000000):" for n in range(8)) + "\n" + "    " * 8 + "x = 1",
        "for i in range(1000000):\n    for j in range(0):\n        pass",
        "for i in range(1000000):\n    if i == 0 - 1:\n        pass",
        "x = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'\nfor i in range(1000000):\n    y = x + x",
        "x = [1, 2, 3, 4, 5, 6, 7, 8]\nfor i in range(1000000):\n    y = 9 in x",
        "for i in range(1000000):\n    x = double(i)",
        "for i in range(1000000):\n    x = Thing.exists(1)",
    ],
)
def test_loops_end_when_the_steps_do(body: str) -> None:
    ran = run(body, 20_000)
    assert (ran.code, ran.steps) == ("steps.exceeded", 20_000)


def test_running_out_anywhere_leaves_no_trace() -> None:
    """The events are there and the record is changed when the store is charged; none of it may stay."""
    world = World()
    world.deploy("sample", action("event('x')\nt.note = 'abc'", "t: Thing", MAKE, OUTER))
    world.take(world.call("sample", "make", {"id": 1}))
    call = world.call("sample", "go", {"t": 1})
    for steps in range(world.run(call).steps):
        ran = world.run(call, steps=steps)
        assert (ran.code, ran.steps, ran.writes, ran.events) == ("steps.exceeded", steps, [], [])


def test_steps_that_end_in_a_block_are_told_at_its_first_statement() -> None:
    source = view("x = 0\nfor i in range(n):\n    x += i\n    x += 1\nreturn x", "int", "n: int")
    world = World()
    world.deploy("sample", source)
    ran = world.run(world.call("sample", "go", {"n": 1_000}), steps=100)
    assert (ran.code, ran.result["line"]) == ("steps.exceeded", source.split("\n").index("            x += i") + 1)


def test_a_view_is_charged_for_what_it_returns() -> None:
    world = World()
    world.deploy("sample", view("return s + s", "Text[0, 999]", "s: Text[0, 99]"))
    ran = world.run(world.call("sample", "go", {"s": "a" * 50}))
    assert (ran.code, ran.steps) == ("ok", 10 + 3 + (64 + 400) // 128 + (100 + 2) // 8)
