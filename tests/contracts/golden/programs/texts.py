"""Text and bytes: code points, ASCII case and digits, slices, bounds of size, hashes."""

import hashlib

from tests.contracts.golden.program import fails, gives, view

PROGRAMS = [
    view(
        "join_two",
        "a: Text[0, 9], b: Text[0, 9]",
        "Text[0, 9]",
        "return a + b",
        gives("abcd", a="ab", b="cd"),
        gives("", a="", b=""),
    ),
    view(
        "the_result_is_held_to_its_bounds",
        "a: Text[0, 9]",
        "Text[1, 4]",
        "return a + a",
        gives("abab", a="ab"),
        fails("value.bounds", a="abc"),
        fails("value.bounds", a=""),
    ),
    view(
        "doubling_ends",
        "n: int",
        "int",
        """
            t = "ab"
            for i in range(n):
                t = t + t
            return len(t)
        """,
        gives(65536, n=15),
        fails("value.size", n=16),
    ),
    view(
        "lengths_are_in_code_points",
        "t: Text[1, 4]",
        "int",
        "return len(t)",
        gives(1, t="\U0001f600"),
        gives(2, t="e\u0301"),
        gives(4, t="\U0001f600" * 4),
        fails("arguments.invalid", t="abcde"),
        fails("arguments.invalid", t=""),
        fails("arguments.invalid", t=1),
        fails("arguments.invalid", t=b"a"),
    ),
    view(
        "order_by_code_point",
        "a: Text[0, 9], b: Text[0, 9]",
        "list[bool, 6]",
        "return [a < b, a <= b, a > b, a >= b, a == b, a != b]",
        gives([True, True, False, False, False, True], a="Z", b="a"),
        gives([True, True, False, False, False, True], a="\uffff", b="\U00010000"),
        gives([True, True, False, False, False, True], a="", b="a"),
        gives([False, True, False, True, True, False], a="ab", b="ab"),
        gives([False, False, True, True, False, True], a="b", b="ab"),
    ),
    view(
        "case_of_ascii_letters_only",
        "t: Text[0, 9]",
        "list[Text[0, 9], 2]",
        "return [t.upper(), t.lower()]",
        gives(["ABC1", "abc1"], t="aBc1"),
        gives(["\u00df\u00e9\u0131\u0130", "\u00df\u00e9\u0131\u0130"], t="\u00df\u00e9\u0131\u0130"),
        gives(["", ""], t=""),
        gives(["AZ@[`{", "az@[`{"], t="az@[`{"),
        gives(["AZ@[`{", "az@[`{"], t="AZ@[`{"),
    ),
    view(
        "begins_and_ends",
        "t: Text[0, 9], p: Text[0, 9]",
        "list[bool, 2]",
        "return [t.startswith(p), t.endswith(p)]",
        gives([True, False], t="abc", p="ab"),
        gives([False, True], t="abc", p="bc"),
        gives([True, True], t="abc", p=""),
        gives([False, False], t="", p="a"),
    ),
    view(
        "digits_of_ascii_only",
        "t: Text[0, 9]",
        "bool",
        "return t.isdigit()",
        gives(True, t="0129"),
        gives(False, t=""),
        gives(False, t="-1"),
        gives(False, t="\u00b2"),
        gives(False, t="\u0661"),
        gives(False, t="1 "),
    ),
    view(
        "split",
        "t: Text[0, 20], by: Text[0, 3]",
        "list[Text[0, 20], 9]",
        "return t.split(by)",
        gives(["a", "b", "", "c"], t="a,b,,c", by=","),
        gives([""], t="", by=","),
        gives(["", ""], t="ab", by="ab"),
        gives(["", "a"], t="aaa", by="aa"),
        fails("value.form", t="abc", by=""),
    ),
    view(
        "split_into_too_many",
        "n: int",
        "int",
        """
            t = ","
            for i in range(n):
                t = t + t
            return len(t[1:].split(","))
        """,
        gives(1024, n=10),
        fails("value.size", n=11),
    ),
    view(
        "join",
        "l: list[Text[0, 5], 4], by: Text[0, 3]",
        "Text[0, 40]",
        "return by.join(l)",
        gives("a-b-c", l=["a", "b", "c"], by="-"),
        gives("", l=[], by="-"),
        gives("a", l=["a"], by="-"),
        gives("ab", l=["a", "b"], by=""),
    ),
    view(
        "join_too_much",
        "n: int",
        "int",
        """
            t = "a"
            for i in range(n):
                t = t + t
            return len("".join([t, t, t, t]))
        """,
        gives(65536, n=14),
        fails("value.size", n=15),
    ),
    view(
        "contains",
        "a: Text[0, 9], b: Text[0, 9]",
        "list[bool, 2]",
        "return [a in b, a not in b]",
        gives([True, False], a="bc", b="abcd"),
        gives([True, False], a="", b=""),
        gives([False, True], a="x", b="abc"),
    ),
    view(
        "one_character",
        "t: Text[0, 9], i: int",
        "Text[1, 1]",
        "return t[i]",
        gives("a", t="abc", i=0),
        gives("c", t="abc", i=-1),
        gives("\U0001f600", t="a\U0001f600", i=1),
        fails("index.range", t="abc", i=3),
        fails("index.range", t="abc", i=-4),
        fails("index.range", t="", i=0),
    ),
    view(
        "slices",
        "t: Text[0, 9], a: int, b: int",
        "list[Text[0, 9], 4]",
        "return [t[a:b], t[a:], t[:b], t[:]]",
        gives(["bc", "bcde", "abc", "abcde"], t="abcde", a=1, b=3),
        gives(["d", "de", "abcd", "abcde"], t="abcde", a=-2, b=-1),
        gives(["", "", "abcde", "abcde"], t="abcde", a=9, b=99),
        gives(["", "de", "a", "abcde"], t="abcde", a=3, b=1),
        gives(["abcde", "abcde", "abcde", "abcde"], t="abcde", a=-99, b=2**62),
    ),
    view(
        "grow_in_place",
        "t: Text[0, 9]",
        "Text[0, 30]",
        """
            u = t
            u += "!"
            u += u
            return u
        """,
        gives("a!a!", t="a"),
    ),
    view(
        "smallest_text",
        "a: Text[0, 9], b: Text[0, 9]",
        "list[Text[0, 9], 2]",
        "return [min(a, b), max(a, b)]",
        gives(["Z", "a"], a="a", b="Z"),
    ),
    view(
        "hash_of_text",
        "t: Text[0, 9]",
        "Hash",
        "return sha256(t)",
        gives(bytes.fromhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), t="abc"),
        gives(bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), t=""),
        gives(hashlib.sha256("\u00e9".encode()).digest(), t="\u00e9"),
    ),
    view(
        "hash_of_bytes",
        "b: Bytes[0, 9]",
        "Hash",
        "return sha256(b)",
        gives(hashlib.sha256(b"\x00\xff").digest(), b=b"\x00\xff"),
    ),
    view(
        "hash_in_words",
        "t: Text[0, 9]",
        "Text[64, 64]",
        "return sha256(t).hex()",
        gives("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", t="abc"),
    ),
    view(
        "hashes_compare",
        "a: Hash, t: Text[0, 9]",
        "bool",
        "return a == sha256(t)",
        gives(True, a=hashlib.sha256(b"abc").digest(), t="abc"),
        gives(False, a=bytes(32), t="abc"),
        fails("arguments.invalid", a=bytes(31), t="a"),
        fails("arguments.invalid", a="0" * 64, t="a"),
    ),
    view(
        "module_text",
        "",
        "Text[0, 20]",
        'return GREETING + ", " + "you"',
        gives("hello, you"),
        module='GREETING = "hello"',
    ),
    view("quotes_and_escapes", "", "Text[0, 20]", r"""return "a\"b" + 'c\n' + "é" """.strip(), gives('a"bc\n\u00e9')),
    view(
        "bytes_length",
        "b: Bytes[1, 4]",
        "int",
        "return len(b)",
        gives(4, b=bytes(4)),
        fails("arguments.invalid", b=b""),
        fails("arguments.invalid", b=bytes(5)),
        fails("arguments.invalid", b="ab"),
    ),
    view(
        "bytes_join",
        "a: Bytes[0, 4], b: Bytes[0, 4]",
        "Bytes[0, 6]",
        "return a + b",
        gives(b"\x01\x02", a=b"\x01", b=b"\x02"),
        fails("value.bounds", a=bytes(4), b=bytes(4)),
    ),
    view(
        "bytes_index",
        "b: Bytes[0, 4], i: int",
        "int",
        "return b[i]",
        gives(255, b=b"\x00\xff", i=1),
        gives(0, b=b"\x00\xff", i=-2),
        fails("index.range", b=b"\x00\xff", i=2),
    ),
    view(
        "bytes_slices",
        "b: Bytes[0, 9], i: int",
        "list[Bytes[0, 9], 2]",
        "return [b[:i], b[i:]]",
        gives([b"ab", b"cd"], b=b"abcd", i=2),
        gives([b"abc", b"d"], b=b"abcd", i=-1),
        gives([b"abcd", b""], b=b"abcd", i=9),
    ),
    view(
        "bytes_hex",
        "b: Bytes[0, 4]",
        "Text[0, 8]",
        "return b.hex()",
        gives("00ff10", b=b"\x00\xff\x10"),
        gives("", b=b""),
    ),
    view(
        "bytes_order",
        "a: Bytes[0, 4], b: Bytes[0, 4]",
        "list[bool, 3]",
        "return [a < b, a == b, a >= b]",
        gives([True, False, False], a=b"\x7f", b=b"\x80"),
        gives([True, False, False], a=b"a", b=b"aa"),
        gives([False, True, True], a=b"", b=b""),
    ),
    view(
        "bytes_doubling_ends",
        "b: Bytes[1, 4], n: int",
        "int",
        """
            x = b
            for i in range(n):
                x = x + x
            return len(x)
        """,
        gives(65536, b=bytes(4), n=14),
        fails("value.size", b=bytes(4), n=15),
    ),
    view(
        "join_with_separators_up_to_the_limit",
        "n: int",
        "int",
        """
            t = "a"
            for i in range(15):
                t = t + t
            return len("-".join([t, t[: n - 32769]]))
        """,
        gives(65536, n=65536),
        fails("value.size", n=65537),
    ),
    view(
        "hex_up_to_the_limit",
        "b: Bytes[0, 1]",
        "int",
        """
            x = sha256("")
            for i in range(10):
                x = x + x
            return len((x + b).hex())
        """,
        gives(65536, b=b""),
        fails("value.size", b=b"a"),
    ),
]
