"""Every bound of a run: steps, memory, depth, records, events, what is stored and returned."""

from tests.contracts.golden.program import act, do, fails, gives, lines, sample, view

_STORE = """
class Box(Record, key="id"):
    id: Int[0, 2000]
    t: Text[0, 60000] = ""
@action(by="member")
def store(tx, n: int, size: int):
    t = "a"
    for i in range(20):
        if len(t) < size:
            t = t + t[: size - len(t)]
    for i in range(n):
        box = Sample.Box.create(id=i, t=t)
        require(box.id == i, "another")
@action(by="member")
def touch(tx, n: int):
    total = 0
    for i in range(n):
        if Sample.Box.exists(i):
            total += 1
    event("touched", total=total)
"""

PROGRAMS = [
    view(
        "steps",
        "n: int",
        "int",
        """
            x = 0
            for i in range(n):
                x += i
            return x
        """,
        gives(6, n=4).within(28),
        fails("steps.exceeded", n=4).within(27),
        fails("steps.exceeded", n=4).within(0),
        fails("steps.exceeded", n=4).within(9),
        fails("steps.exceeded", n=2**62).within(100_000),
    ),
    view(
        "memory_of_texts",
        "n: int",
        "int",
        """
            t = "a"
            for i in range(16):
                t = t + t
            x = 0
            for i in range(n):
                u = t[1:] + "b"
                x += len(u)
            return x
        """,
        gives(65536 * 20, n=20),
        fails("value.made", n=40),
    ),
    view(
        "memory_of_lists",
        "n: int",
        "int",
        """
            l = [0]
            for i in range(10):
                l = l + l
            x = 0
            for i in range(n):
                l[0] = i
                x += len(l)
            return x
        """,
        gives(1024 * 1900, n=1900),
        fails("value.made", n=2100),
    ),
    view(
        "memory_of_maps",
        "n: int",
        "int",
        """
            m = {"0": 0}
            for i in range(400):
                m[str(i)] = i
            x = 0
            for i in range(n):
                m["0"] = i
                x += 1
            return x + len(m)
        """,
        gives(500, n=100),
        fails("value.made", n=700),
    ),
    view(
        "depth",
        "n: int",
        "int",
        "return a(n)",
        gives(0, n=20),
        fails("call.depth", n=80),
        module="""
            def a(n: int) -> int:
                if n <= 0:
                    return 0
                return b(n - 1)
            def b(n: int) -> int:
                return a(n - 1)
        """,
    ),
    sample(
        "records",
        _STORE,
        do("touch", n=1024).emits("touched", total=0),
        do("touch", n=1025).refused("records.exceeded"),
    ),
    sample(
        "records_counted_once",
        _STORE.replace("exists(i)", "exists(i % 10)"),
        do("store", n=5, size=1),
        do("touch", n=1500).emits("touched", total=750),
    ),
    sample("stored", _STORE, do("store", n=17, size=60_000), do("store", n=1, size=1).refused("record.exists")),
    sample(
        "stored_too_much",
        _STORE,
        do("store", n=18, size=60_000).refused("output.stored"),
        do("store", n=1, size=60_000),
    ),
    sample("stored_fields_are_bounded", _STORE, do("store", n=1, size=60_001).refused("value.bounds")),
    act(
        "events",
        "n: int",
        'for i in range(n):\n    event("e", i=i)',
        do("go", n=65).refused("output.events"),
        do("go", n=0).silent(),
    ),
    act(
        "events_of_64",
        "n: int",
        'for i in range(n):\n    event("e")',
        do("go", n=64),
        do("go", n=65).refused("output.events"),
    ),
    act(
        "events_bytes",
        "n: int, size: int",
        """
            t = "a"
            for i in range(16):
                if len(t) < size:
                    t = t + t[: size - len(t)]
            for i in range(n):
                event("e", t=t)
        """,
        do("go", n=2, size=32_000),
        do("go", n=3, size=32_000).refused("output.events"),
        do("go", n=1, size=65_536).refused("output.events"),
    ),
    view(
        "returned",
        "n: int",
        "list[Text[0, 65536], 1024]",
        """
            t = "a"
            for i in range(15):
                t = t + t
            l = []
            for i in range(n):
                l.append(t)
            return l
        """,
        fails("output.result", n=32),
        gives([], n=0),
    ),
    view(
        "refusals",
        "n: int",
        "int",
        """
            t = "a"
            for i in range(n):
                t = t + t
            require(n < 5, "no: {t}", t=t)
            return n
        """,
        gives(4, n=4),
        fails("require.failed", n=5),
        fails("require.failed", n=11),
        fails("value.size", n=12),
    ),
    view(
        "ranges",
        "a: int, b: int",
        "int",
        """
            x = 0
            for i in range(a, b):
                x += 1
                if x > 3:
                    break
            return x
        """,
        gives(4, a=-(2**63), b=2**63 - 1),
        gives(0, a=5, b=5),
    ),
    sample(
        "selected_rows",
        lines(
            _STORE,
            """
            @view
            def go(tx, n: int) -> int:
                total = 0
                for box in Sample.Box.select(limit=n):
                    total += box.id
                return total
        """,
        ),
        do("store", n=30, size=1),
        gives(435, n=1024),
        gives(45, n=10),
        fails("value.range", n=1025),
    ),
    view(
        "type_depth",
        "l: list[list[list[list[list[int, 2], 2], 2], 2], 2]",
        "list[list[list[list[list[int, 2], 2], 2], 2], 2]",
        "m = l\nm[0][0][0][0][0] += 1\nreturn m",
        gives([[[[[2]]]]], l=[[[[[1]]]]]),
        fails("index.range", l=[[[[]]]]),
    ),
    act(
        "events_to_the_last_byte",
        "n: int",
        """
            t = "a"
            for i in range(16):
                t = t + t
            event("e", t=t[:n])
        """,
        do("go", n=65_528),
        do("go", n=65_529).refused("output.events"),
    ),
]
