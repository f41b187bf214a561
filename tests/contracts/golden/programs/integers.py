"""Integers and booleans: arithmetic to 256 bits, comparison, conversion, and the builtins that take them."""

from tests.contracts.golden.program import fails, gives, view

_POWER = """
    x = 1
    for i in range(n):
        x = x * a
    return x % 1000003
"""

PROGRAMS = [
    view("add", "a: int, b: int", "int", "return a + b", gives(5, a=2, b=3), gives(-1, a=-4, b=3), gives(0, a=0, b=0)),
    view("subtract", "a: int, b: int", "int", "return a - b", gives(-1, a=2, b=3), gives(-7, a=-4, b=3)),
    view("multiply", "a: int, b: int", "int", "return a * b", gives(6, a=2, b=3), gives(-12, a=-4, b=3)),
    view(
        "divide_down",
        "a: int, b: int",
        "int",
        "return a // b",
        gives(3, a=7, b=2),
        gives(-4, a=-7, b=2),
        gives(-4, a=7, b=-2),
        gives(3, a=-7, b=-2),
        fails("value.division", a=7, b=0),
    ),
    view(
        "remainder_has_the_sign_of_the_divisor",
        "a: int, b: int",
        "int",
        "return a % b",
        gives(1, a=7, b=2),
        gives(1, a=-7, b=2),
        gives(-1, a=7, b=-2),
        gives(-1, a=-7, b=-2),
        fails("value.division", a=7, b=0),
    ),
    view("negate", "a: int", "int", "return -a", gives(-3, a=3), gives(3, a=-3), gives(0, a=0)),
    view(
        "negate_beyond_64_bits_inside",
        "a: int",
        "int",
        "return -(-a)",
        gives(-(2**63), a=-(2**63)),
        gives(2**63 - 1, a=2**63 - 1),
    ),
    view(
        "products_to_256_bits",
        "a: int, n: int",
        "int",
        _POWER,
        gives(2**254 % 1000003, a=2, n=254),
        fails("value.range", a=2, n=255),
        gives(-(2**253) % 1000003, a=-2, n=253),
        fails("value.range", a=-2, n=255),
        gives(10**76 % 1000003, a=10, n=76),
        fails("value.range", a=10, n=77),
    ),
    view(
        "sums_to_256_bits",
        "a: int",
        "bool",
        """
            x = 1
            for i in range(254):
                x = x * 2
            largest = x - 1 + x
            require(largest + a > 0, "not above zero")
            return -largest - a <= -1
        """,
        gives(True, a=0),
        fails("value.range", a=1),
        gives(True, a=-1),
    ),
    view(
        "differences_to_256_bits",
        "a: int",
        "int",
        """
            x = 1
            for i in range(254):
                x = x * 2
            least = 1 - x - x
            return (least - a) % 7
        """,
        gives((1 - 2**255) % 7, a=0),
        fails("value.range", a=1),
    ),
    view("returns_64_bits", "a: int, b: int", "int", "return a + b", fails("value.bounds", a=2**63 - 1, b=1)),
    view("returns_64_bits_below", "a: int, b: int", "int", "return a + b", fails("value.bounds", a=-(2**63), b=-1)),
    view(
        "arguments_of_64_bits",
        "a: int",
        "int",
        "return a",
        gives(2**63 - 1, a=2**63 - 1),
        gives(-(2**63), a=-(2**63)),
        fails("arguments.invalid", a=True),
        fails("arguments.invalid", a="1"),
        fails("arguments.invalid", a=None),
        fails("arguments.invalid"),
        fails("arguments.invalid", a=1, b=2),
    ),
    view(
        "arguments_within_bounds",
        "a: Int[1, 10]",
        "int",
        "return a",
        gives(1, a=1),
        gives(10, a=10),
        fails("arguments.invalid", a=0),
        fails("arguments.invalid", a=11),
    ),
    view(
        "bounds_may_be_negative",
        "a: Int[-5, -1]",
        "int",
        "return a",
        gives(-5, a=-5),
        fails("arguments.invalid", a=0),
        fails("arguments.invalid", a=-6),
    ),
    view(
        "annotated_locals_are_held_to_their_bounds",
        "a: int",
        "int",
        """
            x: Int[0, 5] = a
            return x
        """,
        gives(5, a=5),
        fails("value.bounds", a=6),
        fails("value.bounds", a=-1),
    ),
    view(
        "later_assignments_to_an_annotated_local",
        "a: int",
        "int",
        """
            x: int = 1
            x = a
            x += 1
            return x
        """,
        gives(8, a=7),
    ),
    view(
        "what_is_returned_is_held_to_its_bounds",
        "a: int",
        "Int[0, 5]",
        "return a",
        gives(5, a=5),
        fails("value.bounds", a=6),
    ),
    view(
        "compare",
        "a: int, b: int",
        "list[bool, 6]",
        "return [a < b, a <= b, a > b, a >= b, a == b, a != b]",
        gives([True, True, False, False, False, True], a=1, b=2),
        gives([False, True, False, True, True, False], a=2, b=2),
        gives([False, False, True, True, False, True], a=3, b=-2),
    ),
    view(
        "combined_assignments",
        "a: int",
        "list[int, 5]",
        """
            x = a
            x += 3
            y = x
            y -= 10
            z = y
            z *= 4
            q = z
            q //= 3
            r = q
            r %= 5
            return [x, y, z, q, r]
        """,
        gives([5, -5, -20, -7, 3], a=2),
    ),
    view(
        "precedence",
        "a: int, b: int",
        "list[int, 5]",
        "return [a + b * 2, (a + b) * 2, -a + b, a - b - 1, a - (b - 1)]",
        gives([13, 16, 2, -3, -1], a=3, b=5),
    ),
    view("abs", "a: int", "int", "return abs(a)", gives(3, a=-3), gives(3, a=3), gives(0, a=0)),
    view(
        "min_and_max",
        "a: int, b: int, c: int",
        "list[int, 4]",
        "return [min(a, b), max(a, b), min(a, b, c), max(c, b, a)]",
        gives([1, 2, 0, 2], a=1, b=2, c=0),
        gives([-2, -1, -2, 9], a=-1, b=-2, c=9),
    ),
    view(
        "min_and_max_of_eight",
        "a: int",
        "list[int, 2]",
        "return [min(a, 2, 3, 4, 5, 6, 7, 8), max(1, 2, 3, 4, 5, 6, 7, a)]",
        gives([1, 7], a=1),
        gives([2, 9], a=9),
    ),
    view(
        "sum",
        "l: list[int, 4]",
        "int",
        "return sum(l)",
        gives(0, l=[]),
        gives(6, l=[1, 2, 3]),
        gives(0, l=[2**63 - 1, -(2**63 - 1)]),
        fails("value.bounds", l=[2**63 - 1, 1]),
    ),
    view(
        "sum_to_256_bits",
        "last: int",
        "int",
        """
            x = 1
            for i in range(254):
                x = x * 2
            return sum([x, x - 1, last, 0 - x]) % 1000003
        """,
        gives((2**254 - 1) % 1000003, last=0),
        fails("value.range", last=1),
    ),
    view(
        "str",
        "a: int",
        "Text[1, 80]",
        "return str(a)",
        gives("0", a=0),
        gives("-12", a=-12),
        gives("9223372036854775807", a=2**63 - 1),
    ),
    view(
        "str_of_256_bits",
        "n: int",
        "Text[1, 80]",
        """
            x = 1
            for i in range(n):
                x = x * 2
            return str(1 - x - x)
        """,
        gives(str(1 - 2**255), n=254),
    ),
    view(
        "int_of_text",
        "t: Text[0, 90]",
        "int",
        "return int(t) % 1000003",
        gives(12, t="12"),
        gives(7, t="007"),
        gives(1000002, t="-1"),
        gives(0, t="-0"),
        gives((10**76) % 1000003, t="1" + "0" * 76),
        fails("value.range", t="9" * 77),
        fails("value.form", t="0" * 78),
        fails("value.form", t=""),
        fails("value.form", t="-"),
        fails("value.form", t="+1"),
        fails("value.form", t=" 1"),
        fails("value.form", t="1\n"),
        fails("value.form", t="1_0"),
        fails("value.form", t="\u0661"),
    ),
    view(
        "and_or_not",
        "a: bool, b: bool",
        "list[bool, 4]",
        "return [a and b, a or b, not a, not a or b]",
        gives([False, True, False, False], a=True, b=False),
        gives([True, True, False, True], a=True, b=True),
        gives([False, False, True, True], a=False, b=False),
        fails("arguments.invalid", a=1, b=True),
    ),
    view(
        "and_evaluates_no_more_than_it_needs",
        "a: int",
        "bool",
        "return a != 0 and 10 // a > 1",
        gives(False, a=0),
        gives(True, a=5),
        gives(False, a=10),
    ),
    view(
        "or_evaluates_no_more_than_it_needs",
        "a: int",
        "bool",
        "return a == 0 or 10 // a > 1 or a > 100",
        gives(True, a=0),
        gives(True, a=5),
        gives(False, a=10),
        gives(True, a=101),
    ),
    view(
        "conditional_expression",
        "a: int",
        "int",
        "return 10 // a if a != 0 else -1",
        gives(-1, a=0),
        gives(5, a=2),
    ),
    view(
        "operands_from_left_to_right",
        "a: int, l: list[int, 3]",
        "int",
        "return 1 // a + l[5]",
        fails("value.division", a=0, l=[]),
        fails("index.range", a=1, l=[]),
    ),
    view(
        "booleans_are_equal_or_not",
        "a: bool, b: bool",
        "bool",
        "return a == b",
        gives(True, a=True, b=True),
        gives(False, a=True, b=False),
    ),
    view("numbers_with_underscores", "", "int", "return 1_000_000", gives(1_000_000)),
    view(
        "module_constants",
        "a: int",
        "int",
        "return RATE * a + LEAST if IS_ON else 0",
        gives(-5, a=0),
        gives(195, a=100),
        module="""
            RATE = 2
            LEAST = -5
            IS_ON = True
        """,
    ),
]
