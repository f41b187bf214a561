"""Structs: made, read, changed in place, compared, nested, given and returned."""

from tests.contracts.golden.program import fails, gives, view

_TERMS = """
    class Terms(Struct):
        port: Text[1, 9]
        days: Int[0, 365] = 30
        note: Text[0, 9] | None = None
"""
_NESTED = """
    class Point(Struct):
        x: int
        y: int = 0
    class Line(Struct):
        start: Point
        end: Point
        marks: list[Point, 3] = []
        names: dict[Text[1, 5], int, 3] = {}
"""
_A = {"port": "A", "days": 30, "note": None}


def _point(x: int, y: int) -> dict[str, int]:
    return {"x": x, "y": y}


PROGRAMS = [
    view(
        "made_with_defaults",
        "p: Text[0, 20]",
        "Terms",
        "return Terms(port=p)",
        gives({"port": "A", "days": 30, "note": None}, p="A"),
        fails("value.bounds", p=""),
        fails("value.bounds", p="0123456789"),
        module=_TERMS,
    ),
    view(
        "made_whole",
        "d: int",
        "Terms",
        'return Terms(note="n", days=d, port="A")',
        gives({"port": "A", "days": 0, "note": "n"}, d=0),
        fails("value.bounds", d=366),
        fails("value.bounds", d=-1),
        module=_TERMS,
    ),
    view(
        "fields",
        "t: Terms",
        "int",
        "return t.days + len(t.port)",
        gives(33, t={"port": "abc", "days": 30, "note": None}),
        module=_TERMS,
    ),
    view(
        "given_with_defaults",
        "t: Terms",
        "Terms",
        "return t",
        gives(_A, t={"port": "A"}),
        gives({**_A, "note": "x"}, t={"port": "A", "note": "x"}),
        module=_TERMS,
    ),
    view(
        "given_wrong",
        "t: Terms",
        "int",
        "return t.days",
        fails("arguments.invalid", t={}),
        fails("arguments.invalid", t={"port": "A", "days": 366}),
        fails("arguments.invalid", t={"port": "A", "other": 1}),
        fails("arguments.invalid", t={"port": ""}),
        fails("arguments.invalid", t="A"),
        fails("arguments.invalid", t=None),
        module=_TERMS,
    ),
    view(
        "fields_assigned",
        "d: int",
        "Terms",
        """
            t = Terms(port="A")
            t.days = d
            t.note = t.port
            return t
        """,
        gives({"port": "A", "days": 5, "note": "A"}, d=5),
        module=_TERMS,
    ),
    view(
        "fields_assigned_are_held_when_returned",
        "d: int",
        "Terms",
        't = Terms(port="A")\nt.days = d\nreturn t',
        gives({"port": "A", "days": 5, "note": None}, d=5),
        fails("value.bounds", d=500),
        module=_TERMS,
    ),
    view(
        "combined_assignment",
        "d: int",
        "int",
        """
            t = Terms(port="A")
            t.days += d
            t.days *= 2
            return t.days
        """,
        gives(70, d=5),
        module=_TERMS,
    ),
    view(
        "assigning_copies",
        "d: int",
        "list[int, 2]",
        """
            a = Terms(port='A', days=d)
            b = a
            b.days = 7
            return [a.days, b.days]
        """,
        gives([3, 7], d=3),
        module=_TERMS,
    ),
    view(
        "equal",
        "a: Terms, b: Terms",
        "list[bool, 2]",
        "return [a == b, a != b]",
        gives([True, False], a={"port": "A"}, b={"days": 30, "port": "A"}),
        gives([False, True], a={"port": "A"}, b={"port": "B"}),
        gives([False, True], a={"port": "A", "note": ""}, b={"port": "A"}),
        module=_TERMS,
    ),
    view(
        "declared_in_another_order_than_encoded",
        "a: Mixed, b: Mixed",
        "bool",
        "return a == b",
        gives(True, a={"zz": "x", "a": 1}, b={"a": 1, "zz": "x"}),
        gives(False, a={"zz": "x" * 300, "a": 1}, b={"zz": "x" * 300, "a": 2}),
        gives(False, a={"zz": "x" * 300, "a": 1}, b={"zz": "y" * 300, "a": 1}),
        module="class Mixed(Struct):\n    zz: Text[0, 300]\n    a: int",
    ),
    view(
        "fields_are_evaluated_in_source_order",
        "a: int, l: list[int, 2]",
        "Terms",
        "return Terms(days=1 // a, port=str(l[0]))",
        fails("value.division", a=0, l=[]),
        fails("index.range", a=1, l=[]),
        gives({"port": "5", "days": 1, "note": None}, a=1, l=[5]),
        module=_TERMS,
    ),
    view(
        "nested",
        "a: int",
        "Line",
        "return Line(start=Point(x=a), end=Point(x=1, y=a))",
        gives({"start": _point(5, 0), "end": _point(1, 5), "marks": [], "names": {}}, a=5),
        module=_NESTED,
    ),
    view(
        "paths",
        "l: Line, i: int",
        "Line",
        """
            m = l
            m.start.x = 9
            m.end.y += 1
            m.marks.append(m.start)
            m.marks[i].y = 4
            m.names["k"] = i
            return m
        """,
        gives(
            {"start": _point(9, 2), "end": _point(3, 5), "marks": [_point(9, 4)], "names": {"k": 0}},
            l={"start": _point(1, 2), "end": _point(3, 4)},
            i=0,
        ),
        fails("index.range", l={"start": _point(1, 2), "end": _point(3, 4)}, i=1),
        module=_NESTED,
    ),
    view(
        "nested_are_copied",
        "a: int",
        "list[int, 2]",
        """
            p = Point(x=a)
            l = Line(start=p, end=p)
            l.start.x = 9
            p.x = 8
            return [l.start.x, l.end.x]
        """,
        gives([9, 1], a=1),
        module=_NESTED,
    ),
    view(
        "nested_wrong",
        "l: Line",
        "int",
        "return l.start.x",
        fails("arguments.invalid", l={"start": _point(1, 2)}),
        fails("arguments.invalid", l={"start": _point(1, 2), "end": {"x": "1"}}),
        fails("arguments.invalid", l={"start": _point(1, 2), "end": _point(1, 2), "marks": [_point(1, 1)] * 4}),
        gives(1, l={"start": {"x": 1}, "end": {"x": 2}}),
        module=_NESTED,
    ),
    view(
        "in_lists",
        "l: list[Point, 3]",
        "int",
        """
            total = 0
            for p in l:
                total += p.x * p.y
            return total
        """,
        gives(14, l=[_point(1, 2), _point(3, 4)]),
        module=_NESTED,
    ),
    view(
        "found_in_lists",
        "l: list[Point, 3], p: Point",
        "bool",
        "return p in l",
        gives(True, l=[_point(1, 2), _point(3, 4)], p=_point(3, 4)),
        gives(False, l=[_point(1, 2)], p={"x": 1}),
        module=_NESTED,
    ),
    view(
        "declared_in_the_class",
        "a: int",
        "Pair",
        "p = Sample.Pair(left=a)\nreturn p",
        gives({"left": 4, "right": "r"}, a=4),
        inside="""
            class Pair(Struct):
                left: int
                right: Text[1, 5] = "r"
        """,
    ),
    view(
        "of_every_kind",
        "k: Kinds",
        "Kinds",
        "return k",
        gives(
            {
                "a": {"minor": 1, "currency": "USD"},
                "b": b"x",
                "d": "2024-02-29",
                "h": bytes(32),
                "i": 5,
                "j": -5,
                "p": "bob",
                "s": {"minor": -1, "currency": "EUR"},
                "t": True,
                "u": "bob/cy",
            },
            k={
                "a": {"minor": 1, "currency": "USD"},
                "b": b"x",
                "d": "2024-02-29",
                "h": bytes(32),
                "i": 5,
                "j": -5,
                "p": "bob",
                "s": {"minor": -1, "currency": "EUR"},
                "t": True,
                "u": "bob/cy",
            },
        ),
        module="""
            class Kinds(Struct):
                a: Amount
                b: Bytes[0, 4]
                d: Date
                h: Hash
                i: Instant
                j: Duration
                p: Party
                s: SignedAmount
                t: bool
                u: User
        """,
    ),
]
