"""Maps: literals, keys in code point order, changes in place, value semantics, sizes."""

from tests.contracts.golden.program import fails, gives, view

_COUNTS = "m: dict[Text[0, 5], int, 4]"
_OUT = "dict[Text[0, 5], int, 5]"

PROGRAMS = [
    view("literal", "a: int", _OUT, 'return {"b": a, "a": a + 1}', gives({"a": 2, "b": 1}, a=1)),
    view("empty_literal", "", _OUT, "return {}", gives({})),
    view(
        "equal_keys_the_last_counts",
        "k: Text[0, 5]",
        _OUT,
        'return {"a": 1, k: 2}',
        gives({"a": 2}, k="a"),
        gives({"a": 1, "b": 2}, k="b"),
    ),
    view(
        "given",
        _COUNTS,
        _OUT,
        "return m",
        gives({"a": 1, "bb": 2}, m={"bb": 2, "a": 1}),
        gives({}, m={}),
        fails("arguments.invalid", m={str(i): i for i in range(5)}),
        fails("arguments.invalid", m={"abcdef": 1}),
        fails("arguments.invalid", m={"a": "1"}),
        fails("arguments.invalid", m=[]),
    ),
    view(
        "keys_in_code_point_order",
        _COUNTS,
        "list[Text[0, 5], 4]",
        "return m.keys()",
        gives(["B", "a", "aa", "b"], m={"b": 1, "aa": 2, "a": 3, "B": 4}),
        gives(["", "\uffff", "\U00010000"], m={"\U00010000": 1, "\uffff": 2, "": 3}),
    ),
    view(
        "values_in_order_of_keys",
        _COUNTS,
        "list[int, 4]",
        "return m.values()",
        gives([4, 3, 2, 1], m={"b": 1, "aa": 2, "a": 3, "B": 4}),
    ),
    view(
        "loop_over_keys",
        _COUNTS,
        "Text[0, 30]",
        """
            t = ""
            for k in m:
                t += k + ";"
            return t
        """,
        gives("a;aa;b;", m={"b": 1, "aa": 2, "a": 3}),
        gives("", m={}),
    ),
    view(
        "loop_over_items",
        _COUNTS,
        "Text[0, 30]",
        """
            t = ""
            for k, v in m.items():
                t += k + str(v)
            return t
        """,
        gives("a3aa2b1", m={"b": 1, "aa": 2, "a": 3}),
    ),
    view(
        "get_by_key",
        f"{_COUNTS}, k: Text[0, 5]",
        "int",
        "return m[k]",
        gives(1, m={"a": 1}, k="a"),
        fails("key.missing", m={"a": 1}, k="b"),
        fails("key.missing", m={}, k=""),
    ),
    view(
        "get_or_default",
        f"{_COUNTS}, k: Text[0, 5]",
        "int",
        "return m.get(k, -1)",
        gives(1, m={"a": 1}, k="a"),
        gives(-1, m={"a": 1}, k="b"),
    ),
    view(
        "get_or_none",
        f"{_COUNTS}, k: Text[0, 5]",
        "bool",
        "return m.get(k, None) is None",
        gives(False, m={"a": 1}, k="a"),
        gives(True, m={"a": 1}, k="b"),
    ),
    view(
        "the_default_is_evaluated_first",
        f"{_COUNTS}, k: Text[0, 5]",
        "int",
        "return m.get(k, 1 // len(m))",
        gives(1, m={"a": 1}, k="a"),
        fails("value.division", m={}, k="b"),
    ),
    view(
        "set_a_key",
        f"{_COUNTS}, k: Text[0, 5]",
        _OUT,
        "n = m\nn[k] = 9\nreturn n",
        gives({"a": 9}, m={"a": 1}, k="a"),
        gives({"a": 1, "b": 9}, m={"a": 1}, k="b"),
    ),
    view(
        "add_to_a_key",
        f"{_COUNTS}, k: Text[0, 5]",
        _OUT,
        "n = m\nn[k] += 9\nreturn n",
        gives({"a": 10}, m={"a": 1}, k="a"),
        fails("key.missing", m={"a": 1}, k="b"),
    ),
    view(
        "new_keys_come_in_order",
        "a: int",
        "Text[0, 9]",
        """
            n = {"m": a}
            n["z"] = 1
            n["a"] = 1
            n["p"] = 1
            t = ""
            for k in n:
                t += k
            return t
        """,
        gives("ampz", a=1),
    ),
    view(
        "pop_a_key",
        f"{_COUNTS}, k: Text[0, 5]",
        _OUT,
        "n = m\nn.pop(k)\nreturn n",
        gives({"b": 2}, m={"a": 1, "b": 2}, k="a"),
        fails("key.missing", m={"a": 1}, k="b"),
    ),
    view(
        "contains",
        f"{_COUNTS}, k: Text[0, 5]",
        "list[bool, 2]",
        "return [k in m, k not in m]",
        gives([True, False], m={"a": 1}, k="a"),
        gives([False, True], m={"a": 1}, k=""),
    ),
    view("len", _COUNTS, "int", "return len(m)", gives(0, m={}), gives(2, m={"a": 1, "b": 2})),
    view(
        "equal",
        "a: dict[Text[0, 5], int, 4], b: dict[Text[0, 5], int, 4]",
        "list[bool, 2]",
        "return [a == b, a != b]",
        gives([True, False], a={"x": 1, "y": 2}, b={"y": 2, "x": 1}),
        gives([False, True], a={"x": 1}, b={"x": 2}),
        gives([False, True], a={"x": 1}, b={"y": 1}),
        gives([False, True], a={"x": 1}, b={}),
        gives([True, False], a={}, b={}),
    ),
    view(
        "equal_after_different_ways",
        "a: int",
        "bool",
        """
            x = {"a": a, "b": 2}
            y = {"b": 2}
            y["a"] = a
            return x == y
        """,
        gives(True, a=1),
    ),
    view(
        "assigning_copies",
        _COUNTS,
        f"list[{_OUT}, 2]",
        """
            a = m
            b = a
            b["z"] = 9
            return [a, b]
        """,
        gives([{"a": 1}, {"a": 1, "z": 9}], m={"a": 1}),
    ),
    view(
        "keys_too_many",
        "m: dict[Text[1, 5], int, 1024], k: Text[1, 5]",
        "int",
        "n = m\nn[k] = -1\nreturn len(n)",
        gives(1024, m={str(i): i for i in range(1023)}, k="a"),
        gives(1024, m={str(i): i for i in range(1024)}, k="7"),
        fails("value.size", m={str(i): i for i in range(1024)}, k="a"),
    ),
    view(
        "filling_a_map_makes_it_anew_each_time",
        "n: int",
        "int",
        """
            m = {str(0): 0}
            for i in range(n):
                m[str(i + 1)] = i
            return len(m)
        """,
        gives(501, n=500),
        fails("value.made", n=800),
    ),
    view(
        "lists_in_maps",
        "k: Text[0, 5]",
        "dict[Text[0, 5], list[int, 3], 3]",
        """
            m = {"a": [1], "b": []}
            m[k].append(9)
            m[k][0] = 7
            return m
        """,
        gives({"a": [7, 9], "b": []}, k="a"),
        gives({"a": [1], "b": [7]}, k="b"),
        fails("key.missing", k="c"),
    ),
    view(
        "maps_in_maps",
        "k: Text[0, 5]",
        "dict[Text[0, 5], dict[Text[0, 5], int, 3], 3]",
        """
            m = {"a": {"x": 1}}
            m[k]["y"] = 2
            m["c"] = {k: 3}
            m["c"].pop(k)
            return m
        """,
        gives({"a": {"x": 1, "y": 2}, "c": {}}, k="a"),
        fails("key.missing", k="b"),
    ),
    view(
        "maps_in_lists",
        "i: int",
        "list[dict[Text[0, 5], int, 3], 3]",
        'm = [{"x": 1}, {"x": 2}]\nm[i]["x"] += 5\nreturn m',
        gives([{"x": 1}, {"x": 7}], i=1),
        fails("index.range", i=2),
    ),
    view(
        "keyed_by_party",
        "m: dict[Party, int, 3]",
        "dict[Party, int, 3]",
        "n = m\nn[tx.member] = 9\nreturn n",
        gives({"alice": 9, "bob": 1}, m={"bob": 1}),
        fails("arguments.invalid", m={"nobody": 1}),
    ),
    view(
        "keyed_by_user",
        "m: dict[User, int, 3]",
        "list[User, 3]",
        "return m.keys()",
        gives(["alice/ann", "bob/cy"], m={"bob/cy": 1, "alice/ann": 2}),
        fails("arguments.invalid", m={"alice/zed": 1}),
    ),
    view(
        "keyed_by_enum",
        "m: dict[Kind, int, 3]",
        "Text[0, 30]",
        """
            t = ""
            for k, v in m.items():
                if k == Kind.Usance:
                    t += "u"
                t += str(v)
            return t + str(m[Kind.Sight])
        """,
        gives("1u21", m={"Usance": 2, "Sight": 1}),
        fails("arguments.invalid", m={"Other": 1}),
        fails("key.missing", m={"Usance": 2}),
        module="""
            class Kind(Enum):
                Sight = "at sight"
                Usance = "later"
        """,
    ),
    view(
        "size_is_held_when_returned",
        _COUNTS,
        "dict[Text[0, 5], int, 1]",
        "return m",
        gives({"a": 1}, m={"a": 1}),
        fails("value.bounds", m={"a": 1, "b": 2}),
    ),
    view(
        "keys_are_held_when_returned",
        _COUNTS,
        "dict[Text[1, 2], int, 4]",
        "return m",
        gives({"ab": 1}, m={"ab": 1}),
        fails("value.bounds", m={"abc": 2}),
    ),
    view(
        "text_keys_compare_whole",
        "a: Text[0, 5], b: Text[0, 5]",
        "bool",
        "return {a: 1} == {b: 1}",
        gives(True, a="x", b="x"),
        gives(False, a="x", b="X"),
    ),
    view("sum_of_values", _COUNTS, "int", "return sum(m.values())", gives(6, m={"a": 1, "b": 2, "c": 3})),
]
