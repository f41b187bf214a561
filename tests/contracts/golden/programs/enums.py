"""Enums and optional values."""

from tests.contracts.golden.program import fails, gives, view

_KIND = """
    class Kind(Enum):
        Sight = "payable at sight"
        Usance = "payable later"
"""

PROGRAMS = [
    view(
        "returned",
        "a: bool",
        "Kind",
        "return Kind.Sight if a else Kind.Usance",
        gives("Sight", a=True),
        gives("Usance", a=False),
        module=_KIND,
    ),
    view(
        "given",
        "k: Kind",
        "Kind",
        "return k",
        gives("Usance", k="Usance"),
        fails("arguments.invalid", k="Other"),
        fails("arguments.invalid", k="sight"),
        fails("arguments.invalid", k="payable later"),
        fails("arguments.invalid", k=0),
        module=_KIND,
    ),
    view(
        "equal",
        "a: Kind, b: Kind",
        "list[bool, 2]",
        "return [a == b, a != b]",
        gives([True, False], a="Sight", b="Sight"),
        gives([False, True], a="Sight", b="Usance"),
        module=_KIND,
    ),
    view(
        "equal_to_a_constant",
        "k: Kind",
        "list[bool, 2]",
        "return [k == Kind.Sight, k != Kind.Usance]",
        gives([True, True], k="Sight"),
        gives([False, False], k="Usance"),
        module=_KIND,
    ),
    view(
        "in_a_list",
        "k: Kind, l: list[Kind, 3]",
        "bool",
        "return k in l",
        gives(True, k="Sight", l=["Usance", "Sight"]),
        gives(False, k="Sight", l=[]),
        module=_KIND,
    ),
    view(
        "declared_in_the_class",
        "k: Kind",
        "bool",
        "return k == Sample.Kind.Sight",
        gives(True, k="Sight"),
        gives(False, k="Usance"),
        inside=_KIND,
    ),
    view(
        "none_is_a_value_where_declared",
        "a: int | None",
        "int | None",
        "return a",
        gives(5, a=5),
        gives(None, a=None),
        gives(None),
    ),
    view(
        "none_where_a_value_is_needed",
        "a: int | None",
        "int",
        "return a + 1",
        gives(6, a=5),
        fails("value.none", a=None),
        fails("value.none"),
    ),
    view(
        "none_is_noticed_before_the_next_operand",
        "a: int | None, b: int",
        "int",
        "return a + 1 // b",
        fails("value.none", a=None, b=0),
        fails("value.division", a=1, b=0),
        gives(2, a=1, b=1),
    ),
    view(
        "none_returned_where_a_value_is_needed",
        "a: int | None",
        "int",
        "return a",
        gives(0, a=0),
        fails("value.none", a=None),
    ),
    view(
        "is_none",
        "a: Text[0, 5] | None",
        "list[bool, 2]",
        "return [a is None, a is not None]",
        gives([True, False], a=None),
        gives([False, True], a=""),
    ),
    view(
        "none_compares",
        "a: int | None, b: int | None",
        "list[bool, 2]",
        "return [a == b, a != b]",
        gives([True, False], a=None, b=None),
        gives([False, True], a=None, b=0),
        gives([False, True], a=0, b=None),
        gives([True, False], a=1, b=1),
    ),
    view(
        "none_compares_with_a_value",
        "a: int | None, b: int",
        "bool",
        "return a == b",
        gives(True, a=1, b=1),
        gives(False, a=None, b=0),
    ),
    view(
        "none_in_a_list",
        "a: int | None, l: list[int, 3]",
        "list[bool, 2]",
        "return [a in l, a not in l]",
        gives([False, True], a=None, l=[0]),
        gives([True, False], a=0, l=[0]),
    ),
    view(
        "none_in_a_list_of_optionals",
        "a: int | None, l: list[int | None, 3]",
        "bool",
        "return a in l",
        gives(True, a=None, l=[0, None]),
        gives(False, a=None, l=[0]),
        gives(True, a=0, l=[None, 0]),
    ),
    view("none_has_no_order", "a: int | None", "bool", "return a < 1", gives(True, a=0), fails("value.none", a=None)),
    view(
        "none_is_no_condition",
        "a: bool | None",
        "int",
        "return 1 if a else 2",
        gives(1, a=True),
        gives(2, a=False),
        fails("value.none", a=None),
    ),
    view(
        "none_has_no_length",
        "a: Text[0, 5] | None",
        "int",
        "return len(a)",
        gives(0, a=""),
        fails("value.none", a=None),
    ),
    view(
        "none_is_no_index",
        "l: list[int, 3], i: int | None",
        "int",
        "return l[i]",
        gives(7, l=[7], i=0),
        fails("value.none", l=[7], i=None),
    ),
    view(
        "none_has_no_fields",
        "t: Amount | None",
        "int",
        "return t.minor",
        gives(5, t={"minor": 5, "currency": "USD"}),
        fails("value.none", t=None),
    ),
    view(
        "none_is_no_loop",
        "l: list[int, 3] | None",
        "int",
        """
            total = 0
            for x in l:
                total += x
            return total
        """,
        gives(3, l=[1, 2]),
        fails("value.none", l=None),
    ),
    view(
        "an_optional_local",
        "a: int",
        "int | None",
        """
            x: int | None = None
            if a > 0:
                x = a
            return x
        """,
        gives(None, a=0),
        gives(3, a=3),
    ),
    view(
        "optional_by_both_branches",
        "a: int",
        "int | None",
        "return a if a > 0 else None",
        gives(None, a=0),
        gives(3, a=3),
    ),
    view(
        "none_appended_to_optionals",
        "a: int",
        "list[int | None, 3]",
        "l: list[int | None, 3] = [a]\nl.append(None)\nreturn l",
        gives([1, None], a=1),
    ),
    view(
        "optional_structs",
        "p: Pair | None",
        "int",
        "if p is None:\n    return -1\nreturn p.a + p.b",
        gives(-1, p=None),
        gives(3, p={"a": 1, "b": 2}),
        fails("value.none", p={"a": 1}),
        fails("arguments.invalid", p={}),
        module="class Pair(Struct):\n    a: int\n    b: int | None = None",
    ),
]
