"""What things cost, counted by hand from the price list: 10 for the transaction, then each block and each size.

A block is 1 and its statements; a statement is 1 and its operations. Results leave at 8 bytes a step, texts are looked
at 32 bytes a step, compared and made at 128.
"""

from tests.contracts.golden.program import act, contract, do, fails, gives, ledger, lines, sample, view

_LONG = "a" * 64
_BOX = """
    class Box(Record, key="id"):
        id: Text[1, 8]
        n: int = 0
"""
_MAKE = """
    @action(by="member", creates="Box")
    def make(tx, box: Box, id: Text[1, 8], n: int):
        pass
"""
_FACE = """
    class Bank(Interface, contract="bank"):
        @view
        def rate(tx) -> int: ...
"""

PROGRAMS = [
    view("nothing_but_a_return", "", "int", "return 1", gives(1).costs(10 + 2)),
    view("an_operation", "a: int, b: int", "int", "return a + b", gives(5, a=2, b=3).costs(10 + 3)),
    view("two_statements", "a: int", "int", "x = a + 1\nreturn x * 2", gives(6, a=2).costs(10 + 5)),
    view(
        "a_branch_is_paid_when_it_is_taken",
        "a: int",
        "int",
        "if a > 0:\n    return 1\nreturn 2",
        gives(1, a=1).costs(10 + 4 + 2),
        gives(2, a=0).costs(10 + 4),
    ),
    view(
        "elif_is_a_block_in_the_else",
        "a: int",
        "int",
        """
            if a > 0:
                x = 1
            elif a < 0:
                x = 2
            else:
                x = 3
            return x
        """,
        gives(1, a=1).costs(10 + 4 + 2),
        gives(2, a=-1).costs(10 + 4 + 3 + 2),
        gives(3, a=0).costs(10 + 4 + 3 + 2),
    ),
    view(
        "each_pass_of_a_loop",
        "n: int",
        "int",
        """
            x = 0
            for i in range(n):
                x += i
            return x
        """,
        gives(0, n=0).costs(10 + 6),
        gives(6, n=4).costs(10 + 6 + 4 * 3),
    ),
    view(
        "joined_conditions",
        "a: bool, b: bool, c: bool",
        "bool",
        "return a and b and not c",
        gives(True, a=True, b=True, c=False).costs(10 + 5),
        gives(False, a=False, b=True, c=False).costs(10 + 5),
    ),
    view(
        "a_conditional_expression",
        "a: int",
        "int",
        "return 1 // a if a != 0 else 0",
        gives(0, a=0).costs(10 + 5),
        gives(1, a=1).costs(10 + 5),
    ),
    view(
        "text_made_and_returned",
        "a: Text[0, 64], b: Text[0, 64]",
        "Text[0, 128]",
        "return a + b",
        gives("ab", a="a", b="b").costs(10 + 3),
        gives(_LONG, a=_LONG, b="").costs(10 + 3 + 2 + 8),
    ),
    view(
        "text_compared",
        "a: Text[0, 256], b: Text[0, 256]",
        "bool",
        "return a == b",
        gives(True, a=_LONG * 4, b=_LONG * 4).costs(10 + 3 + 2),
        gives(False, a=_LONG * 4, b="a").costs(10 + 3),
        gives(False, a="b" + _LONG, b=_LONG * 2).costs(10 + 3),
    ),
    view(
        "text_looked_through",
        "a: Text[0, 64], b: Text[0, 64]",
        "bool",
        "return a in b",
        gives(True, a=_LONG, b=_LONG).costs(10 + 3 + 16),
        gives(True, a="", b="").costs(10 + 3),
    ),
    view(
        "text_in_capitals",
        "t: Text[0, 64]",
        "Text[0, 64]",
        "return t.upper()",
        gives("A" * 64, t=_LONG).costs(10 + 4 + 2 + 8),
    ),
    view(
        "a_list_made_and_returned",
        "a: int",
        "list[int, 3]",
        "return [a, 2, 3]",
        gives([1, 2, 3], a=1).costs(10 + 6 + 3),
    ),
    view(
        "a_list_grown",
        "l: list[int, 3]",
        "list[int, 4]",
        "m = l\nm.append(1)\nreturn m",
        gives([5, 6, 1], l=[5, 6]).costs(10 + 7 + 3),
    ),
    view(
        "a_list_looked_through",
        "a: int, l: list[int, 5]",
        "bool",
        "return a in l",
        gives(True, a=1, l=[1, 2, 3, 4]).costs(10 + 3 + 4),
        gives(False, a=9, l=[1, 2, 3, 4]).costs(10 + 3 + 4),
    ),
    view(
        "a_list_compared",
        "a: list[int, 5], b: list[int, 5]",
        "bool",
        "return a == b",
        gives(True, a=[1, 2], b=[1, 2]).costs(10 + 3 + 2),
        gives(False, a=[1, 2], b=[1]).costs(10 + 3 + 1),
    ),
    view(
        "a_list_sorted",
        "l: list[int, 5]",
        "list[int, 5]",
        "return sorted(l)",
        gives([1, 2, 3, 4], l=[4, 3, 2, 1]).costs(10 + 4 + 4 * 3 + 4),
    ),
    view("a_list_summed", "l: list[int, 5]", "int", "return sum(l)", gives(10, l=[1, 2, 3, 4]).costs(10 + 4 + 4)),
    view(
        "a_slice", "l: list[int, 5]", "list[int, 5]", "return l[1:3]", gives([2, 3], l=[1, 2, 3, 4]).costs(10 + 3 + 2)
    ),
    view(
        "a_map_made_and_returned",
        "a: int",
        "dict[Text[1, 5], int, 3]",
        'return {"a": a, "b": 2}',
        gives({"a": 1, "b": 2}, a=1).costs(10 + 5 + 2 + 2),
    ),
    view(
        "a_struct_made_and_returned",
        "a: int",
        "Point",
        "return Point(x=a, y=2)",
        gives({"x": 1, "y": 2}, a=1).costs(10 + 5 + 2 + 2),
        module="class Point(Struct):\n    x: int\n    y: int",
    ),
    view(
        "arguments_that_do_not_fit", "t: Text[0, 64]", "int", "return len(t)", fails("arguments.invalid", t=1).costs(10)
    ),
    view(
        "a_hash_compared",
        "t: Text[0, 64]",
        "bool",
        "return sha256(t) == sha256(t)",
        gives(True, t=_LONG).costs(10 + 7 + 7 + 7),
    ),
    view(
        "a_function",
        "a: int",
        "int",
        "return double(a)",
        gives(4, a=2).costs(10 + 4 + 3),
        module="def double(x: int) -> int:\n    return x * 2",
    ),
    view(
        "a_refusal",
        "a: int",
        "int",
        'require(a > 0, "no: {b}", b=a + a + a)\nreturn a',
        gives(1, a=1).costs(10 + 4),
        fails("require.failed", a=0).costs(10 + 4),
    ),
    act("an_event", "a: int", 'event("e", a=a)', gives(None, a=5).costs(10 + 5 + 20)),
    sample(
        "a_record_made",
        lines(_BOX, _MAKE),
        do("make", id="a", n=5).costs(10 + 20 + 2 + 50 + (12 + 9) // 8),
        do("make", id="a", n=5).refused("record.exists").costs(10 + 20),
    ),
    sample(
        "a_record_read",
        lines(
            _BOX,
            _MAKE,
            """
                @view
                def go(tx, k: Text[1, 8]) -> int:
                    return Sample.Box.get(k).n
            """,
        ),
        do("make", id="a", n=5),
        gives(5, k="a").costs(10 + 7 + 20),
        fails("record.missing", k="b").costs(10 + 7 + 20),
    ),
    sample(
        "a_record_given",
        lines(
            _BOX,
            _MAKE,
            """
                @view
                def go(tx, box: Box) -> int:
                    return box.n
            """,
        ),
        do("make", id="a", n=5),
        gives(5, box="a").costs(10 + 20 + 3),
        fails("arguments.invalid", box="b").costs(10 + 20),
        fails("arguments.invalid", box="").costs(10),
    ),
    sample(
        "a_record_touched_again",
        lines(
            _BOX,
            _MAKE,
            """
                @view
                def go(tx, x: Box, y: Box) -> int:
                    return x.n + y.n
            """,
        ),
        do("make", id="a", n=5),
        do("make", id="b", n=6),
        gives(10, x="a", y="a").costs(10 + 20 + 1 + 5),
        gives(11, x="a", y="b").costs(10 + 20 + 20 + 5),
    ),
    sample(
        "a_record_changed",
        lines(
            _BOX,
            _MAKE,
            """
                @action(by="member")
                def go(tx, box: Box):
                    box.n = 6
            """,
        ),
        do("make", id="a", n=5),
        gives(None, box="a").costs(10 + 20 + 3 + 50 + 2),
    ),
    sample(
        "a_selection",
        lines(
            _BOX,
            _MAKE,
            """
                @view
                def go(tx) -> int:
                    total = 0
                    for box in Sample.Box.select(limit=9):
                        total += box.n
                    return total
            """,
        ),
        gives(0).costs(10 + 8 + 50),
        do("make", id="a", n=5),
        do("make", id="b", n=6),
        gives(11).costs(10 + 8 + 50 + 2 * (20 + 4)),
    ),
    sample(
        "a_selection_after_changes",
        lines(
            _BOX,
            _MAKE,
            """
                @action(by="member")
                def go(tx, box: Box, n: int):
                    box.n = n
                    for other in Sample.Box.select(limit=9):
                        require(other.n >= 0, "below zero")
            """,
        ),
        do("make", id="a", n=5),
        do("make", id="b", n=6),
        gives(None, box="a", n=7).costs(10 + 20 + 8 + (50 + 10) + (1 + 4) + (20 + 4) + (50 + 2)),
    ),
    ledger(
        "a_call",
        {
            "bank": contract("@view\ndef rate(tx) -> int:\n    return 5", title="Bank"),
            "sample": contract("@view\ndef go(tx) -> int:\n    return Bank.rate()", module=_FACE),
        },
        gives(5).costs(10 + 4 + 20 + 2),
    ),
    sample(
        "unknown_names",
        "@view\ndef go(tx) -> int:\n    return 1",
        do("gone").refused("action.unknown").costs(10),
        do("go").on("nowhere").refused("contract.unknown").costs(10),
        do("go").within(9).refused("steps.exceeded").costs(9),
    ),
    view(
        "integers_by_their_width",
        "l: list[int, 64]",
        "list[int, 64]",
        "return l",
        *(
            gives([n] * 64, l=[n] * 64).costs(10 + (56 + 64 * 8) // 128 + 2 + 64 + (2 + 64 * width) // 8)
            for n, width in (
                (23, 1),
                (24, 2),
                (255, 2),
                (256, 3),
                (65_535, 3),
                (65_536, 5),
                (2**32 - 1, 5),
                (2**32, 9),
                (-24, 1),
                (-25, 2),
                (-256, 2),
                (-257, 3),
                (-(2**32), 5),
                (-(2**32) - 1, 9),
            )
        ),
    ),
    view(
        "bytes_made",
        "a: Bytes[0, 500], b: Bytes[0, 500]",
        "int",
        "return len(a + b)",
        gives(1000, a=bytes(500), b=bytes(500)).costs(10 + 5 + (64 + 1000) // 128),
    ),
    view(
        "a_list_that_shrinks",
        "l: list[int, 9]",
        "int",
        """
            m = l
            m.pop(0)
            return len(m)
        """,
        gives(8, l=[1] * 9).costs(10 + (56 + 9 * 8) // 128 + 9 + (56 + 8 * 8) // 128),
    ),
]
