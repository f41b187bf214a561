"""Lists: literals, indexes, slices, changes in place, value semantics, order, sizes."""

from tests.contracts.golden.program import fails, gives, view

_INTS = "l: list[int, 5]"

PROGRAMS = [
    view("literal", "a: int", "list[int, 3]", "return [a, a + 1, 3]", gives([1, 2, 3], a=1)),
    view("empty_literal", "", "list[int, 3]", "return []", gives([])),
    view(
        "given",
        _INTS,
        "list[int, 5]",
        "return l",
        gives([], l=[]),
        gives([1, 2], l=[1, 2]),
        fails("arguments.invalid", l=[1] * 6),
        fails("arguments.invalid", l=[1, "2"]),
        fails("arguments.invalid", l={"a": 1}),
        fails("arguments.invalid", l=[None]),
    ),
    view(
        "index",
        f"{_INTS}, i: int",
        "int",
        "return l[i]",
        gives(7, l=[7, 8, 9], i=0),
        gives(9, l=[7, 8, 9], i=-1),
        gives(7, l=[7, 8, 9], i=-3),
        fails("index.range", l=[7, 8, 9], i=3),
        fails("index.range", l=[7, 8, 9], i=-4),
        fails("index.range", l=[], i=0),
        fails("index.range", l=[1], i=2**63 - 1),
    ),
    view(
        "slices",
        f"{_INTS}, a: int, b: int",
        "list[list[int, 5], 4]",
        "return [l[a:b], l[a:], l[:b], l[:]]",
        gives([[2, 3], [2, 3, 4], [1, 2, 3], [1, 2, 3, 4]], l=[1, 2, 3, 4], a=1, b=3),
        gives([[], [4], [1], [1, 2, 3, 4]], l=[1, 2, 3, 4], a=-1, b=-3),
        gives([[], [], [1], [1]], l=[1], a=5, b=9),
    ),
    view("append", _INTS, "list[int, 6]", "m = l\nm.append(9)\nreturn m", gives([1, 9], l=[1]), gives([9], l=[])),
    view(
        "append_takes_its_type_from_the_first_item",
        "a: int",
        "list[int, 3]",
        """
            m = []
            m.append(a)
            m.append(a + 1)
            return m
        """,
        gives([4, 5], a=4),
    ),
    view(
        "insert",
        f"{_INTS}, i: int",
        "list[int, 6]",
        "m = l\nm.insert(i, 9)\nreturn m",
        gives([9, 1, 2], l=[1, 2], i=0),
        gives([1, 9, 2], l=[1, 2], i=1),
        gives([1, 2, 9], l=[1, 2], i=2),
        gives([1, 9, 2], l=[1, 2], i=-1),
    ),
    view(
        "insert_beyond_the_ends",
        f"{_INTS}, i: int",
        "list[int, 6]",
        "m = l\nm.insert(i, 9)\nreturn m",
        gives([1, 2, 9], l=[1, 2], i=50),
        gives([9, 1, 2], l=[1, 2], i=-50),
    ),
    view(
        "pop",
        f"{_INTS}, i: int",
        "list[int, 5]",
        "m = l\nm.pop(i)\nreturn m",
        gives([2, 3], l=[1, 2, 3], i=0),
        gives([1, 2], l=[1, 2, 3], i=-1),
        fails("index.range", l=[1, 2, 3], i=3),
        fails("index.range", l=[], i=0),
        fails("index.range", l=[1], i=-2),
    ),
    view(
        "assign_an_item",
        f"{_INTS}, i: int",
        "list[int, 5]",
        "m = l\nm[i] = 9\nreturn m",
        gives([1, 9], l=[1, 2], i=1),
        gives([1, 9], l=[1, 2], i=-1),
        fails("index.range", l=[1, 2], i=2),
        fails("index.range", l=[], i=0),
    ),
    view(
        "combined_assignment_of_an_item",
        f"{_INTS}, i: int",
        "list[int, 5]",
        """
            m = l
            m[i] += 10
            m[i] *= 2
            return m
        """,
        gives([1, 24], l=[1, 2], i=1),
        fails("index.range", l=[1, 2], i=2),
    ),
    view(
        "assigning_copies",
        _INTS,
        "list[list[int, 6], 2]",
        """
            a = l
            b = a
            b.append(9)
            b[0] = 7
            return [a, b]
        """,
        gives([[1], [7, 9]], l=[1]),
    ),
    view(
        "storing_in_a_list_copies",
        "a: int",
        "list[list[int, 6], 2]",
        """
            x = [a]
            y = [x, x]
            y[0].append(9)
            x.append(8)
            return y
        """,
        gives([[1, 9], [1]], a=1),
    ),
    view(
        "taking_out_copies",
        "a: int",
        "list[list[int, 6], 2]",
        """
            y = [[a], [a]]
            x = y[0]
            x.append(9)
            return [x, y[0]]
        """,
        gives([[1, 9], [1]], a=1),
    ),
    view(
        "paths_through_lists",
        "i: int",
        "list[list[list[int, 3], 3], 3]",
        """
            deep = [[[1], [2]], [[3], [4]]]
            deep[i][0].append(9)
            deep[0][1][0] = 7
            deep[1].insert(0, [5])
            return deep
        """,
        gives([[[1], [7]], [[5], [3, 9], [4]]], i=1),
        gives([[[1, 9], [7]], [[5], [3], [4]]], i=0),
        fails("index.range", i=2),
    ),
    view(
        "join",
        "a: list[int, 3], b: list[int, 3]",
        "list[int, 6]",
        "return a + b",
        gives([1, 2, 3], a=[1], b=[2, 3]),
        gives([], a=[], b=[]),
    ),
    view(
        "grow_in_place",
        "a: list[int, 3]",
        "list[int, 6]",
        """
            b = a
            b += [7]
            b += a
            return b
        """,
        gives([1, 7, 1], a=[1]),
    ),
    view(
        "join_too_many",
        "n: int",
        "int",
        """
            l = [1]
            for i in range(n):
                l = l + l
            return len(l)
        """,
        gives(1024, n=10),
        fails("value.size", n=11),
    ),
    view(
        "append_too_many",
        "n: int",
        "int",
        """
            l = [0]
            for i in range(n):
                l.append(i)
            return len(l)
        """,
        gives(1024, n=1023),
        fails("value.size", n=1024),
    ),
    view(
        "insert_too_many",
        "n: int",
        "int",
        """
            l = [0]
            for i in range(n):
                l.insert(0, i)
            return l[0]
        """,
        gives(1022, n=1023),
        fails("value.size", n=1024),
    ),
    view(
        "contains",
        f"a: int, {_INTS}",
        "list[bool, 2]",
        "return [a in l, a not in l]",
        gives([True, False], a=2, l=[1, 2]),
        gives([False, True], a=3, l=[1, 2]),
        gives([False, True], a=3, l=[]),
    ),
    view(
        "contains_a_list",
        _INTS,
        "bool",
        "return l in [[1], [1, 2]]",
        gives(True, l=[1, 2]),
        gives(False, l=[2]),
        gives(False, l=[]),
    ),
    view(
        "equal",
        "a: list[int, 3], b: list[int, 3]",
        "list[bool, 2]",
        "return [a == b, a != b]",
        gives([True, False], a=[1, 2], b=[1, 2]),
        gives([False, True], a=[1, 2], b=[2, 1]),
        gives([False, True], a=[1], b=[1, 1]),
        gives([True, False], a=[], b=[]),
    ),
    view(
        "equal_deep",
        "a: list[list[Text[0, 3], 3], 3], b: list[list[Text[0, 3], 3], 3]",
        "bool",
        "return a == b",
        gives(True, a=[["a"], []], b=[["a"], []]),
        gives(False, a=[["a"], []], b=[["a"], [""]]),
    ),
    view(
        "sorted_integers",
        _INTS,
        "list[int, 5]",
        "return sorted(l)",
        gives([-1, 2, 2, 3], l=[3, 2, -1, 2]),
        gives([], l=[]),
    ),
    view(
        "sorted_texts",
        "l: list[Text[0, 5], 5]",
        "list[Text[0, 5], 5]",
        "return sorted(l)",
        gives(["", "B", "a", "ab", "\u00e9"], l=["\u00e9", "ab", "a", "B", ""]),
    ),
    view(
        "sorting_leaves_the_list",
        _INTS,
        "list[list[int, 5], 2]",
        "m = sorted(l)\nreturn [l, m]",
        gives([[2, 1], [1, 2]], l=[2, 1]),
    ),
    view("reversed", _INTS, "list[int, 5]", "return reversed(l)", gives([3, 1, 2], l=[2, 1, 3]), gives([], l=[])),
    view("len", _INTS, "int", "return len(l)", gives(0, l=[]), gives(5, l=[1] * 5)),
    view(
        "loop",
        _INTS,
        "int",
        """
            total = 0
            for x in l:
                total = total * 10 + x
            return total
        """,
        gives(123, l=[1, 2, 3]),
        gives(0, l=[]),
    ),
    view(
        "loop_with_places",
        _INTS,
        "int",
        """
            total = 0
            for i, x in enumerate(l):
                total += i * x
            return total
        """,
        gives(8, l=[1, 2, 3]),
        gives(0, l=[]),
    ),
    view(
        "loop_over_two",
        "a: list[int, 3], b: list[int, 3]",
        "int",
        """
            total = 0
            for x, y in zip(a, b):
                total += x * y
            return total
        """,
        gives(11, a=[1, 2], b=[3, 4]),
        gives(3, a=[1, 2, 3], b=[3]),
        gives(0, a=[], b=[1]),
    ),
    view(
        "a_loop_evaluates_its_list_once",
        _INTS,
        "list[int, 10]",
        """
            m = l
            n = []
            for x in l:
                n.append(x)
                m.append(x)
            return n + m
        """,
        gives([1, 2, 1, 2, 1, 2], l=[1, 2]),
    ),
    view(
        "the_size_is_held_when_returned",
        _INTS,
        "list[int, 2]",
        "return l",
        gives([1, 2], l=[1, 2]),
        fails("value.bounds", l=[1, 2, 3]),
    ),
    view(
        "items_are_held_when_returned",
        _INTS,
        "list[Int[0, 9], 5]",
        "return l",
        gives([9], l=[9]),
        fails("value.bounds", l=[1, 10]),
    ),
    view(
        "of_optionals",
        "l: list[int | None, 4]",
        "int",
        """
            total = 0
            for x in l:
                if x is None:
                    total += 100
                else:
                    total += x
            return total
        """,
        gives(103, l=[1, None, 2]),
    ),
    view(
        "of_booleans",
        "l: list[bool, 4]",
        "int",
        """
            total = 0
            for x in l:
                if x:
                    total += 1
            return total
        """,
        gives(2, l=[True, False, True]),
        fails("arguments.invalid", l=[1]),
    ),
    view(
        "places_beyond_64_bits_are_clamped",
        _INTS,
        "list[list[int, 6], 3]",
        """
            x = 1
            for i in range(200):
                x = x * 2
            m = l
            m.insert(x, 9)
            m.insert(-x, 8)
            return [m, l[-x:x], l[x:]]
        """,
        gives([[8, 1, 2, 9], [1, 2], []], l=[1, 2]),
    ),
    view(
        "no_item_beyond_64_bits",
        _INTS,
        "int",
        """
            x = 1
            for i in range(200):
                x = x * 2
            return l[x]
        """,
        fails("index.range", l=[1, 2]),
    ),
    view(
        "sorted_bytes",
        "l: list[Bytes[0, 4], 5]",
        "list[Bytes[0, 4], 5]",
        "return sorted(l)",
        gives([b"", b"\x00", b"a", b"\xff"], l=[b"a", b"\xff", b"", b"\x00"]),
    ),
    view(
        "sorted_times",
        "l: list[Instant, 5], d: list[Duration, 5]",
        "list[int, 4]",
        """
            i = sorted(l)
            j = reversed(sorted(d))
            return [i[0].milliseconds, i[1].milliseconds, j[0].milliseconds, j[1].milliseconds]
        """,
        gives([1, 5, 7, -7], l=[5, 1], d=[-7, 7]),
    ),
    view(
        "a_loop_within_a_loop_over_one_list",
        _INTS,
        "int",
        """
            total = 0
            for x in l:
                for y in l:
                    total += x * y
            return total
        """,
        gives(36, l=[1, 2, 3]),
    ),
]
