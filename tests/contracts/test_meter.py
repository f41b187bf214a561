"""Steps: each construct has its price, the limit is exact, and what runs out leaves no trace."""

from collections.abc import Callable

import pytest

from hansa.contracts import meter
from hansa.contracts.meter import Fault, Frame
from hansa.wire import cbor, order

RECORDS = """
class Thing(Record, key="id"):
    id: int
    note: Text[0, 60000] = ""
    price: Amount | None = None
"""

STORED = (len(order.place("sample", "Thing", 1)) + len(cbor.encode({"id": 1, "note": "a", "price": None}))) // 8

# A body, its parameters and arguments, and the steps it takes beyond the ten of every transaction.
PRICES = [
    # The charge of a block is 1, and 1 for each statement, each operation and each item of a list in it.
    ("pass", 2),
    ("pass\npass", 3),
    ("return", 2),
    ("x = 1", 2),
    ("x = 1 + 2", 3),
    ("x = 1 + 2 * 3", 4),
    ("x = -1", 3),
    ("x = 1 == 2", 3),
    ("x = c", 2),
    ("x = not c", 3),
    ("x = c and c", 3),
    ("x = c and c and c", 4),
    ("x = c and (c or c)", 4),
    ("x = 1 if c else 2", 3),
    ("x = []", 3),
    ("x = [1, 2, 3]", 6),
    ("x = [1][0]", 5),
    ("x = len('a')", 3),
    ("x = tx.time", 3),
    ("x = Amount(1, 'USD').minor", 4),
    ("x = 1\nx += 1", 4),
    ("x = 'a'\nx += 'b' + 'c'", 5),
    # Branches charge for the block that is taken.
    ("if c:\n    pass", 4),
    ("if not c:\n    pass", 3),
    ("if c:\n    pass\nelse:\n    x = 1 + 2", 4),
    ("if not c:\n    pass\nelse:\n    x = 1 + 2", 6),
    ("if not c:\n    pass\nelif c:\n    pass", 7),
    # Loops charge for each pass, the head once.
    ("for i in range(0):\n    pass", 3),
    ("for i in range(1):\n    pass", 5),
    ("for i in range(5):\n    pass", 13),
    ("for i in [1, 2]:\n    pass", 9),
    ("for i in range(3):\n    for j in range(4):\n        pass", 36),
    ("for i in range(9):\n    return", 5),
    # What is long is charged by its length.
    ("x = 'a'\nfor i in range(6):\n    x += x", 4 + 6 * 3 + 3),
    ("x = [1, 2] + [3, 4]", 9 + 4),
    ("x = [1, 2] == [1, 2]", 9 + 2),
    ("x = 1 in [1, 2, 3]", 7 + 3),
    # A rule costs its condition; the values of its text are free.
    ("require(c, 'x')", 2),
    ("require(c and c, 'x')", 3),
    ("require(c, 'x {a}', a=1 + 2 + 3)", 2),
    # An event costs 20, its size, and what its values take.
    ("event('x')", 3 + 20),
    ("event('x', a=1 + 2)", 4 + 20),
    ("event('x', a='" + "a" * 62 + "')", 3 + 20 + 8),
    ("event('x', a=[1, 2, 3, 4])", 8 + 20 + 4 + 1),
    # A record costs 20 to load, 50 and its size to store, its key and names included.
    ("x = t.id", 3 + 20),
    ("t.note = 'a'", 2 + 1 + 20 + 50 + STORED),
    ("t.note = '" + "a" * 81 + "'", 2 + 1 + 20 + 50 + STORED + 10),
    ("t.note += 'a'", 4 + 20 + 50 + STORED),
]


@pytest.fixture(params=PRICES, ids=lambda case: case[0][:40])
def priced(request: pytest.FixtureRequest, acting: Callable[..., str], bench: type) -> tuple[Callable, int]:
    """A small action ready to run with a given number of steps, and its price."""
    body, price = request.param
    parameters, arguments = ("c: bool", {"c": True}) if "t." not in body else ("t: Thing", {"t": 1})
    source = acting(body, parameters, RECORDS) + (
        '\n    @action(by="member", creates="Thing")\n    def make(tx, thing: Thing, id: int):\n        pass\n'
    )
    made = bench(source)
    made.take("make", {"id": 1})
    return lambda steps: made.run("go", arguments, steps=steps), price + meter.TRANSACTION_STEPS


def test_an_action_takes_exactly_its_price(priced: tuple[Callable, int]) -> None:
    run, price = priced
    assert (run(100_000).code, run(100_000).steps) == ("ok", price)


def test_the_price_suffices_and_one_step_less_does_not(priced: tuple[Callable, int]) -> None:
    run, price = priced
    enough, short = run(price), run(price - 1)
    assert (enough.code, enough.steps) == ("ok", price)
    assert (short.code, short.steps) == ("steps.exceeded", price - 1)
    assert (short.writes, short.events) == ([], [])


@pytest.mark.parametrize("steps", range(10))
def test_without_the_ten_of_every_transaction_nothing_runs(steps: int, acting: Callable[..., str], bench: type) -> None:
    ran = bench(acting("event('x')")).run(steps=steps)
    assert (ran.code, ran.steps, ran.result["line"]) == ("steps.exceeded", steps, None)


def test_a_refusal_costs_what_was_used(acting: Callable[..., str], bench: type) -> None:
    source = acting("x = [1, 2] + [3]\nrequire(c, 'no')\nx = x + x", "c: bool")
    refused = bench(source).run(arguments={"c": False})
    assert (refused.code, refused.steps) == ("require.failed", 10 + 1 + 7 + 1 + 2 + 3)


@pytest.mark.parametrize(
    "body",
    [
        "for i in range(1000000000):\n    pass",
        "for i in range(9223372036854775807):\n    x = i * i",
        "for i in range(-9223372036854775807, 9223372036854775807):\n    pass",
        "\n".join("    " * n + f"for i{n} in range(1000000):" for n in range(8)) + "\n" + "    " * 8 + "x = 1",
        "\n".join("    " * n + f"for i{n} in range(1000000):" for n in range(8)) + "\n" + "    " * 8 + "pass",
        "for i in range(1000000):\n    for j in range(0):\n        pass",
        "for i in range(1000000):\n    if i == 0 - 1:\n        pass",
        "x = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'\nfor i in range(1000000):\n    y = x + x",
        "x = [1, 2, 3, 4, 5, 6, 7, 8]\nfor i in range(1000000):\n    y = x + x",
        "x = [1, 2, 3, 4, 5, 6, 7, 8]\nfor i in range(1000000):\n    y = 9 in x",
        "x = [1, 2, 3, 4, 5, 6, 7, 8]\nfor i in range(1000000):\n    y = x == x",
        "x = [1]\nfor i in range(1000000):\n    for j in x:\n        y = 1",
    ],
)
def test_loops_end_when_the_steps_do(body: str, acting: Callable[..., str], bench: type) -> None:
    ran = bench(acting(body)).run(steps=20_000)
    assert (ran.code, ran.steps) == ("steps.exceeded", 20_000)


def test_running_out_in_the_last_write_leaves_no_trace(acting: Callable[..., str], bench: type) -> None:
    """The events are there and the record is changed when the store is charged; none of it may stay."""
    source = acting("event('x')\nt.note = 'abc'", "t: Thing", RECORDS) + (
        '\n    @action(by="member", creates="Thing")\n    def make(tx, thing: Thing, id: int):\n        pass\n'
    )
    made = bench(source)
    made.take("make", {"id": 1})
    price = made.run(arguments={"t": 1}).steps
    for steps in range(price):
        ran = made.run(arguments={"t": 1}, steps=steps)
        assert (ran.code, ran.steps, ran.writes, ran.events) == ("steps.exceeded", steps, [], [])


def test_the_charge_of_a_view_is_the_same(viewing: Callable[..., str], bench: type) -> None:
    ran = bench(viewing("return 1 + 2", "int")).run()
    assert (ran.code, ran.result, ran.steps) == ("ok", 3, 10 + 3)


def test_checking_a_contract_is_charged_by_its_length(acting: Callable[..., str], bench: type) -> None:
    source = acting("x = contract_version('abc', source)", "source: Text[1, 60000]")
    inner = acting("pass")
    ran = bench(source, system=True).run(arguments={"source": inner})
    assert ran.steps == 10 + 3 + meter.CHECK_STEPS_PER_BYTE * len(inner)


def test_a_frame_counts_down_and_never_below_nothing() -> None:
    frame = Frame(5, None)  # type: ignore[arg-type] - nothing here asks the host
    frame.charge(5)
    assert (frame.left, frame.used) == (0, 5)
    with pytest.raises(Fault) as caught:
        frame.charge(1)
    assert (caught.value.code, frame.left, frame.used) == ("steps.exceeded", 0, 5)


@pytest.mark.parametrize(
    ("few", "many"),
    [("[a]", "[" + ",".join(["a"] * 60) + "]"), ("c and c", " and ".join(["c"] * 20))],
    ids=["list", "and"],
)
def test_what_a_line_does_is_charged(few: str, many: str, acting: Callable[..., str], bench: type) -> None:
    """Work must be paid for: ten times the operands cannot cost the same."""
    small = bench(acting(f"a = 1\nx = {few}", "c: bool")).run(arguments={"c": True})
    large = bench(acting(f"a = 1\nx = {many}", "c: bool")).run(arguments={"c": True})
    assert large.steps >= small.steps + 10
