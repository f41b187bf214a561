"""Amounts: currencies, signs, bounds of 64 bits, every rounding, every way to split."""

from typing import Any

from tests.contracts.golden.program import Golden, fails, gives, view

_MAX = 2**63 - 1


def _usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


def _eur(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "EUR"}


def _rounding(mode: str, *thirds: int, halves: tuple[int, ...]) -> Golden:
    """A `times` for -5, -4, -3, -1, 0, 1, 3, 4, 5 by 1/2 (`halves`) and by 1/3 (`thirds`)."""
    minors = (-5, -4, -3, -1, 0, 1, 3, 4, 5)
    return view(
        f"times_{mode}",
        "a: SignedAmount, n: int, d: int",
        "SignedAmount",
        f'return a.times(n, d, "{mode}")',
        *(gives(_usd(half), a=_usd(minor), n=1, d=2) for minor, half in zip(minors, halves, strict=True)),
        *(gives(_usd(third), a=_usd(minor), n=1, d=3) for minor, third in zip(minors, thirds, strict=True)),
        gives(_usd(thirds[-1]), a=_usd(-5), n=-1, d=3),
        fails("value.range", a=_usd(5), n=1, d=0),
        fails("value.range", a=_usd(5), n=1, d=-1),
    )


PROGRAMS = [
    view(
        "add",
        "a: Amount, b: Amount",
        "Amount",
        "return a + b",
        gives(_usd(5), a=_usd(2), b=_usd(3)),
        fails("value.currency", a=_usd(2), b=_eur(3)),
        fails("value.range", a=_usd(_MAX), b=_usd(1)),
        gives(_usd(_MAX), a=_usd(_MAX), b=_usd(0)),
    ),
    view(
        "currency_before_range",
        "a: Amount, b: Amount",
        "Amount",
        "return a - b",
        fails("value.currency", a=_usd(2), b=_eur(3)),
        fails("value.range", a=_usd(2), b=_usd(3)),
        gives(_usd(0), a=_usd(3), b=_usd(3)),
    ),
    view(
        "signed_sums",
        "a: SignedAmount, b: SignedAmount",
        "list[SignedAmount, 2]",
        "return [a + b, a - b]",
        gives([_usd(-1), _usd(5)], a=_usd(2), b=_usd(-3)),
        fails("value.currency", a=_usd(2), b=_eur(-3)),
        fails("value.range", a=_usd(_MAX), b=_usd(1)),
        fails("value.range", a=_usd(-_MAX), b=_usd(1)),
    ),
    view(
        "one_signed_makes_all_signed",
        "a: Amount, b: SignedAmount",
        "list[SignedAmount, 4]",
        "return [a + b, b + a, a - b, b - a]",
        gives([_usd(-1), _usd(-1), _usd(5), _usd(-5)], a=_usd(2), b=_usd(-3)),
    ),
    view(
        "times_an_integer",
        "a: Amount, n: int",
        "list[Amount, 2]",
        "return [a * n, n * a]",
        gives([_usd(6), _usd(6)], a=_usd(2), n=3),
        gives([_usd(0), _usd(0)], a=_usd(2), n=0),
        fails("value.range", a=_usd(2), n=-1),
        fails("value.range", a=_usd(2**62), n=2),
    ),
    view(
        "signed_times_an_integer",
        "a: SignedAmount, n: int",
        "SignedAmount",
        "return a * n",
        gives(_usd(-6), a=_usd(2), n=-3),
        gives(_usd(_MAX), a=_usd(-_MAX), n=-1),
        fails("value.range", a=_usd(2**62), n=-2),
    ),
    view(
        "negate",
        "a: SignedAmount",
        "SignedAmount",
        "return -a",
        gives(_usd(-2), a=_usd(2)),
        gives(_usd(_MAX), a=_usd(-_MAX)),
    ),
    view("signed", "a: Amount", "SignedAmount", "return a.signed() - a - a", gives(_usd(-2), a=_usd(2))),
    view(
        "compare",
        "a: Amount, b: Amount",
        "list[bool, 4]",
        "return [a < b, a <= b, a > b, a >= b]",
        gives([True, True, False, False], a=_usd(1), b=_usd(2)),
        gives([False, True, False, True], a=_usd(2), b=_usd(2)),
        fails("value.currency", a=_usd(1), b=_eur(2)),
    ),
    view(
        "equal",
        "a: Amount, b: Amount",
        "list[bool, 2]",
        "return [a == b, a != b]",
        gives([True, False], a=_usd(1), b=_usd(1)),
        gives([False, True], a=_usd(1), b=_usd(2)),
        gives([False, True], a=_usd(1), b=_eur(1)),
    ),
    view(
        "signed_compares_with_unsigned",
        "a: Amount, b: SignedAmount",
        "list[bool, 2]",
        "return [a == b, b < a]",
        gives([True, False], a=_usd(1), b=_usd(1)),
        gives([False, True], a=_usd(1), b=_usd(-1)),
    ),
    view(
        "parts",
        "a: Amount",
        "Text[1, 30]",
        "return a.currency + str(a.minor)",
        gives("USD5", a=_usd(5)),
        gives("JPY0", a={"minor": 0, "currency": "JPY"}),
    ),
    view(
        "made",
        "n: int, c: Text[0, 4]",
        "Amount",
        "return Amount(n, c)",
        gives(_usd(5), n=5, c="USD"),
        gives({"minor": 0, "currency": "XAU"}, n=0, c="XAU"),
        fails("value.range", n=-1, c="USD"),
        fails("value.currency", n=5, c="usd"),
        fails("value.currency", n=5, c="US"),
        fails("value.currency", n=5, c="USDX"),
        fails("value.currency", n=5, c="US1"),
        fails("value.currency", n=5, c="\u00c4BC"),
    ),
    view(
        "made_signed",
        "n: int, c: Text[0, 4]",
        "SignedAmount",
        "return SignedAmount(n, c)",
        gives(_usd(-5), n=-5, c="USD"),
        gives(_usd(_MAX), n=_MAX, c="USD"),
        fails("value.range", n=-_MAX - 1, c="USD"),
        fails("value.currency", n=-5, c=""),
    ),
    view(
        "made_beyond_64_bits",
        "n: int",
        "Amount",
        'return Amount(n + 1, "USD")',
        gives(_usd(5), n=4),
        fails("value.range", n=_MAX),
    ),
    view(
        "given",
        "a: Amount",
        "Amount",
        "return a",
        gives(_usd(_MAX), a=_usd(_MAX)),
        fails("arguments.invalid", a=_usd(-1)),
        fails("arguments.invalid", a={"minor": 5}),
        fails("arguments.invalid", a={"minor": 5, "currency": "usd"}),
        fails("arguments.invalid", a={"minor": "5", "currency": "USD"}),
        fails("arguments.invalid", a=5),
        fails("arguments.invalid", a={**_usd(5), "x": 1}),
    ),
    view(
        "given_signed",
        "a: SignedAmount",
        "SignedAmount",
        "return a",
        gives(_usd(-_MAX), a=_usd(-_MAX)),
        fails("arguments.invalid", a={"minor": -5}),
        fails("arguments.invalid", a=-5),
    ),
    view(
        "signed_is_no_amount_below_zero",
        "a: SignedAmount",
        "Amount",
        "return Amount(a.minor, a.currency)",
        gives(_usd(5), a=_usd(5)),
        fails("value.range", a=_usd(-5)),
    ),
    view(
        "min_and_max",
        "a: Amount, b: Amount",
        "list[Amount, 2]",
        "return [min(a, b), max(a, b)]",
        gives([_usd(1), _usd(2)], a=_usd(2), b=_usd(1)),
        fails("value.currency", a=_usd(1), b=_eur(1)),
    ),
    view(
        "found_in_a_list",
        "a: Amount, l: list[Amount, 3]",
        "bool",
        "return a in l",
        gives(True, a=_usd(1), l=[_eur(1), _usd(1)]),
        gives(False, a=_usd(1), l=[_eur(1)]),
    ),
    view(
        "combined_assignment",
        "a: Amount, b: Amount",
        "Amount",
        """
            c = a
            c += b
            c *= 3
            c -= a
            return c
        """,
        gives(_usd(7), a=_usd(2), b=_usd(1)),
        fails("value.currency", a=_usd(2), b=_eur(1)),
    ),
    _rounding("half_even", -2, -1, -1, 0, 0, 0, 1, 1, 2, halves=(-2, -2, -2, 0, 0, 0, 2, 2, 2)),
    _rounding("half_up", -2, -1, -1, 0, 0, 0, 1, 1, 2, halves=(-3, -2, -2, -1, 0, 1, 2, 2, 3)),
    _rounding("half_down", -2, -1, -1, 0, 0, 0, 1, 1, 2, halves=(-2, -2, -1, 0, 0, 0, 1, 2, 2)),
    _rounding("up", -2, -2, -1, -1, 0, 1, 1, 2, 2, halves=(-3, -2, -2, -1, 0, 1, 2, 2, 3)),
    _rounding("down", -1, -1, -1, 0, 0, 0, 1, 1, 1, halves=(-2, -2, -1, 0, 0, 0, 1, 2, 2)),
    _rounding("floor", -2, -2, -1, -1, 0, 0, 1, 1, 1, halves=(-3, -2, -2, -1, 0, 0, 1, 2, 2)),
    _rounding("ceiling", -1, -1, -1, 0, 0, 1, 1, 2, 2, halves=(-2, -2, -1, 0, 0, 1, 2, 2, 3)),
    view(
        "times_a_rate",
        "a: Amount, n: int, d: int",
        "Amount",
        'return a.times(n, d, "half_even")',
        gives(_usd(1234), a=_usd(1234), n=7, d=7),
        gives(_usd(46), a=_usd(1250), n=365, d=10_000),
        gives(_usd(_MAX), a=_usd(_MAX), n=_MAX, d=_MAX),
        fails("value.range", a=_usd(_MAX), n=2, d=1),
        fails("value.range", a=_usd(5), n=-1, d=1),
        gives(_usd(0), a=_usd(5), n=0, d=9),
    ),
    view(
        "split",
        "a: Amount, n: int",
        "list[Amount, 10]",
        "return a.split(n)",
        gives([_usd(34), _usd(33), _usd(33)], a=_usd(100), n=3),
        gives([_usd(1), _usd(1), _usd(0)], a=_usd(2), n=3),
        gives([_usd(7)], a=_usd(7), n=1),
        fails("value.range", a=_usd(7), n=0),
        fails("value.range", a=_usd(7), n=-1),
        fails("value.range", a=_usd(7), n=1025),
        fails("value.bounds", a=_usd(7), n=11),
    ),
    view(
        "split_many",
        "a: Amount, n: int",
        "int",
        """
            total = 0
            for part in a.split(n):
                total += part.minor
            return total * 10000 + len(a.split(n))
        """,
        gives(50_001_024, a=_usd(5000), n=1024),
    ),
    view(
        "split_by_weights",
        "a: Amount, w: list[int, 6]",
        "list[Amount, 6]",
        "return a.split_by(w)",
        gives([_usd(34), _usd(33), _usd(33)], a=_usd(100), w=[1, 1, 1]),
        gives([_usd(1), _usd(2), _usd(3), _usd(4)], a=_usd(10), w=[1, 2, 3, 4]),
        gives([_usd(4), _usd(4), _usd(2)], a=_usd(10), w=[3, 3, 1]),
        gives([_usd(0), _usd(10)], a=_usd(10), w=[0, 1]),
        gives([_usd(1), _usd(1), _usd(0)], a=_usd(2), w=[1, 1, 1]),
        gives([_usd(0), _usd(0)], a=_usd(0), w=[1, 2]),
        gives([_usd(_MAX // 2 + 1), _usd(_MAX // 2)], a=_usd(_MAX), w=[_MAX, _MAX]),
        fails("value.range", a=_usd(10), w=[]),
        fails("value.range", a=_usd(10), w=[0, 0]),
        fails("value.range", a=_usd(10), w=[2, -1]),
    ),
    view(
        "split_by_weights_ties_to_the_earlier",
        "a: Amount",
        "list[Amount, 6]",
        "return a.split_by([2, 1, 2, 1])",
        gives([_usd(1), _usd(1), _usd(1), _usd(1)], a=_usd(4)),
        gives([_usd(2), _usd(1), _usd(1), _usd(1)], a=_usd(5)),
        gives([_usd(1), _usd(0), _usd(0), _usd(0)], a=_usd(1)),
    ),
    view(
        "signed_into_unsigned_if_not_negative",
        "a: SignedAmount",
        "Amount",
        "return a",
        gives(_usd(0), a=_usd(0)),
        gives(_usd(5), a=_usd(5)),
        fails("value.bounds", a=_usd(-1)),
    ),
    view(
        "unsigned_into_signed",
        "a: Amount",
        "SignedAmount",
        "return lowered(a) - a",
        gives(_usd(-6), a=_usd(5)),
        module="""
            def lowered(a: SignedAmount) -> SignedAmount:
                return a - a - SignedAmount(1, "USD")
        """,
    ),
    view(
        "an_annotated_local_takes_the_sign",
        "a: Amount, b: Amount",
        "SignedAmount",
        "x: SignedAmount = a\nx -= b\nreturn x",
        gives(_usd(-3), a=_usd(2), b=_usd(5)),
        fails("value.currency", a=_usd(2), b=_eur(5)),
    ),
    view(
        "lists_take_the_sign_where_they_are_held",
        "l: list[Amount, 3]",
        "list[SignedAmount, 3]",
        "return l",
        gives([_usd(2)], l=[_usd(2)]),
    ),
    view(
        "a_negative_one_in_a_list",
        "l: list[SignedAmount, 3]",
        "list[Amount, 3]",
        "return l",
        gives([_usd(2)], l=[_usd(2)]),
        fails("value.bounds", l=[_usd(2), _usd(-2)]),
    ),
]
