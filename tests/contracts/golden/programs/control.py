"""Statements: branches, loops, early ends, definite assignment, what a variable holds."""

from tests.contracts.golden.program import act, fails, gives, view

PROGRAMS = [
    view(
        "if_elif_else",
        "a: int",
        "Text[1, 5]",
        """
            if a < 0:
                return "less"
            elif a == 0:
                return "none"
            elif a < 10:
                return "few"
            else:
                return "many"
        """,
        gives("less", a=-1),
        gives("none", a=0),
        gives("few", a=9),
        gives("many", a=10),
    ),
    view(
        "assigned_in_both_branches",
        "a: int",
        "int",
        """
            if a > 0:
                x = 1
            else:
                x = 2
            return x
        """,
        gives(1, a=1),
        gives(2, a=0),
    ),
    view(
        "returned_in_one_branch",
        "a: int",
        "int",
        """
            if a > 0:
                x = 1
            else:
                return -1
            return x
        """,
        gives(1, a=1),
        gives(-1, a=0),
    ),
    view(
        "pass",
        "a: int",
        "int",
        """
        if a > 0:
            pass
        else:
            return 0
        return a
    """,
        gives(5, a=5),
        gives(0, a=-5),
    ),
    view(
        "range_to",
        "n: int",
        "list[int, 9]",
        """
            l = []
            for i in range(n):
                l.append(i)
            return l
        """,
        gives([0, 1, 2], n=3),
        gives([], n=0),
        gives([], n=-1),
    ),
    view(
        "range_from_to",
        "a: int, b: int",
        "list[int, 9]",
        """
            l = []
            for i in range(a, b):
                l.append(i)
            return l
        """,
        gives([2, 3], a=2, b=4),
        gives([], a=4, b=2),
    ),
    view(
        "range_by_steps",
        "a: int, b: int, c: int",
        "list[int, 9]",
        """
            l = []
            for i in range(a, b, c):
                l.append(i)
            return l
        """,
        gives([1, 4, 7], a=1, b=10, c=3),
        gives([3, 2, 1], a=3, b=0, c=-1),
        gives([], a=0, b=3, c=-1),
        fails("value.division", a=0, b=3, c=0),
    ),
    view(
        "range_within_64_bits",
        "a: int",
        "int",
        """
            x = 0
            for i in range(a, a + 1):
                x += 1
            return x
        """,
        gives(1, a=2**63 - 2),
        fails("value.range", a=2**63 - 1),
    ),
    view(
        "range_is_evaluated_once",
        "n: int",
        "int",
        """
            m = n
            x = 0
            for i in range(m):
                m = 0
                x += 1
            return x + m
        """,
        gives(4, n=4),
    ),
    view(
        "the_loop_variable_may_be_assigned",
        "n: int",
        "int",
        """
            x = 0
            for i in range(n):
                i += 10
                x += i
            return x
        """,
        gives(33, n=3),
    ),
    view(
        "break",
        "l: list[int, 5]",
        "int",
        """
            x = 0
            for i in l:
                if i < 0:
                    break
                x += i
            return x
        """,
        gives(3, l=[1, 2, -1, 5]),
        gives(8, l=[1, 2, 5]),
    ),
    view(
        "continue",
        "l: list[int, 5]",
        "int",
        """
            x = 0
            for i in l:
                if i < 0:
                    continue
                x += i
            return x
        """,
        gives(8, l=[1, 2, -1, 5]),
    ),
    view(
        "return_out_of_loops",
        "a: int",
        "int",
        """
            for i in range(10):
                for j in range(10):
                    if i * j == a:
                        return i * 100 + j
            return -1
        """,
        gives(205, a=10),
        gives(0, a=0),
        gives(-1, a=11),
    ),
    view(
        "break_ends_the_inner_loop_alone",
        "a: int",
        "int",
        """
            x = 0
            for i in range(3):
                for j in range(5):
                    if j == a:
                        break
                    x += 1
            return x
        """,
        gives(6, a=2),
        gives(15, a=9),
    ),
    view(
        "eight_loops",
        "n: int",
        "int",
        """
            x = 0
            for a in range(n):
                for b in range(n):
                    for c in range(n):
                        for d in range(n):
                            for e in range(n):
                                for f in range(n):
                                    for g in range(n):
                                        for h in range(n):
                                            x += 1
            return x
        """,
        gives(256, n=2),
        gives(0, n=0),
    ),
    view(
        "require_in_a_view",
        "a: int",
        "int",
        'require(a > 0, "too small: {a}", a=a)\nreturn a',
        gives(1, a=1),
        fails("require.failed", a=0),
    ),
    view(
        "no_value_of_a_refusal_is_looked_at_in_vain",
        "a: int",
        "int",
        'require(a != 0, "none: {b}", b=1)\nreturn 10 // a',
        gives(5, a=2),
        fails("require.failed", a=0),
    ),
    view(
        "values_of_a_refusal_may_fault",
        "a: int",
        "int",
        'require(a != 0, "none: {b}", b=1 // a)\nreturn 10 // a',
        gives(5, a=2),
        fails("value.division", a=0),
    ),
    view(
        "values_of_a_refusal_fit_64_bits",
        "a: int",
        "int",
        'require(a > 0, "{b}", b=a - 1)\nreturn a',
        fails("require.failed", a=0),
        fails("value.range", a=-(2**63)),
    ),
    view(
        "a_refusal_says_what_it_compares",
        "a: Amount, b: Date, c: Hash, d: Party, e: int | None",
        "int",
        """
            require(a.minor > 5, "{a} {b} {c} {d} {e}", e=e, d=d, c=c, b=b, a=a)
            return 1
        """,
        fails("require.failed", a={"minor": 1, "currency": "USD"}, b="2024-02-29", c=bytes(32), d="bob", e=None),
        gives(1, a={"minor": 6, "currency": "USD"}, b="2024-02-29", c=bytes(32), d="bob"),
    ),
    view(
        "the_line_of_a_fault",
        "a: int, l: list[int, 3]",
        "int",
        """
            x = 10
            for i in range(a):
                x = x // (
                    a - 1
                )
            if l[
                0
            ] > 5:
                x += 1
            return x - l[1]
        """,
        gives(8, a=0, l=[1, 2]),
        fails("value.division", a=1, l=[]),
        fails("index.range", a=0, l=[]),
        fails("index.range", a=0, l=[9]),
    ),
    view("a_docstring_costs_nothing", "", "int", '"""What this gives."""\nreturn 1', gives(1).costs(12)),
    view("comments_cost_nothing", "", "int", "# a comment\nreturn 1  # and another", gives(1).costs(12)),
    act("an_action_without_effect", "a: int", "pass", gives(None, a=1).silent(), fails("arguments.invalid")),
    act(
        "an_action_may_end_early",
        "a: int",
        'if a == 0:\n    return\nevent("ran", a=a)',
        gives(None, a=0).silent(),
        gives(None, a=7).emits("ran", a=7),
    ),
]
