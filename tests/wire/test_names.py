"""Names: which text may name what, and digests in hexadecimal."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.wire import limits, names

LOWER = string.ascii_lowercase
DIGITS = string.digits

# Rule, characters of the first place, of the others, and the length.
RULES = [
    (names.is_member, LOWER + DIGITS, LOWER + DIGITS + "-", limits.MEMBER_NAME_CHARS_MAX),
    (names.is_contract, LOWER, LOWER + DIGITS + "_", limits.CONTRACT_NAME_CHARS_MAX),
    (
        names.is_identifier,
        string.ascii_letters,
        string.ascii_letters + DIGITS + "_",
        limits.ACTION_NAME_CHARS_MAX,
    ),
    (lambda text: names.is_user("acme/" + text), LOWER + DIGITS, LOWER + DIGITS + ".-", 32),
    (lambda text: names.is_user(text + "/ann"), LOWER + DIGITS, LOWER + DIGITS + "-", limits.MEMBER_NAME_CHARS_MAX),
]
RULE_IDS = ["member", "contract", "identifier", "user", "user's member"]

# Characters that some alphabet or locale counts as letters, digits or spaces, and those that end a line or a text.
STRANGE = "\u00e4\u0131\u017f\u0660\u0663\u00b2\uff11\uff41\u212a\U0001d7d9 \t\n\r\x00\x0b\x1c\x85\u2028\ufeff"


@pytest.mark.parametrize(("rule", "first", "others", "length"), RULES, ids=RULE_IDS)
class TestCharacters:
    def test_the_first(self, rule, first, others, length):
        assert {chr(code) for code in range(0x300) if rule(chr(code))} == set(first)

    def test_the_others(self, rule, first, others, length):
        assert {chr(code) for code in range(0x300) if rule("a" + chr(code))} == set(others)

    def test_no_strange_ones_anywhere(self, rule, first, others, length):
        for character in STRANGE:
            assert not any(rule(text) for text in (character, "a" + character, character + "a", "a" + character + "a"))

    def test_the_length(self, rule, first, others, length):
        assert [rule("a" * size) for size in (0, 1, length, length + 1)] == [False, True, True, False]


class TestUsers:
    @pytest.mark.parametrize("text", ["acme/ann", "acme/ann.b", "acme/a-1", "0/0", "a" * 32 + "/" + "b" * 32])
    def test_a_member_and_a_name(self, text):
        assert names.is_user(text)
        assert len(text) <= limits.USER_NAME_CHARS_MAX

    @pytest.mark.parametrize(
        "text", ["", "/", "acme", "acme/", "/ann", "acme//ann", "acme/ann/b", "acme\\ann", "a/b\n"]
    )
    def test_anything_else(self, text):
        assert not names.is_user(text)


class TestVersions:
    @pytest.mark.parametrize("text", ["0.0.0", "1.2.3", "999999999.999999999.999999999"])
    def test_three_numbers(self, text):
        assert names.is_version(text)
        assert len(text) <= limits.CONTRACT_VERSION_CHARS_MAX

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "01.0.0",
            "1.0.00",
            "1.2.",
            ".1.2",
            "1..2",
            "1.2.x",
            "v1.2.3",
            "-1.2.3",
            "1.2.3-rc",
            "1.2.3\n",
            " 1.2.3",
            "1" * 10 + ".0.0",
            "\u0661.0.0",
            "1,2,3",
        ],
    )
    def test_anything_else(self, text):
        assert not names.is_version(text)


class TestDigests:
    @given(st.binary(min_size=32, max_size=32))
    def test_a_digest_survives(self, digest):
        assert names.digest_from_hex(digest.hex(), "id") == digest

    @pytest.mark.parametrize(
        "text",
        ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64, "0x" + "0" * 62, "0" * 64 + "\n", " " + "0" * 63, "\uff10" * 64],
    )
    def test_anything_else(self, text, refused):
        with refused("request.digest") as caught:
            names.digest_from_hex(text, "ledger id")
        assert "ledger id" in caught.value.detail

    def test_a_long_text_is_not_repeated_in_full(self, refused):
        with refused("request.digest") as caught:
            names.digest_from_hex("x" * 100_000, "id")
        assert caught.value.fields == {"value": "x" * 80}
