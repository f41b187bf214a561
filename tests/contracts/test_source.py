"""The first gate: what is out of bounds is refused before Python's parser sees it, at its place, at once."""

import ast
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.sources import findings

from hansa.contracts import source
from hansa.contracts.diagnostics import ContractInvalid, Diagnostic

SECONDS_MAX = 2.0
"""Far more than any file takes; what is not linear needs minutes."""


def refusals(text: str) -> list[Diagnostic]:
    """What is wrong with a text; none if it parses."""
    begun = time.process_time()
    try:
        assert isinstance(source.parse(text), ast.Module)
    except ContractInvalid as invalid:
        return invalid.diagnostics
    finally:
        assert time.process_time() - begun < SECONDS_MAX
    return []


def refusal(text: str) -> tuple[str, int, int]:
    """Code, line and column of the only thing that is wrong with a text."""
    (found,) = refusals(text)
    return found.code, found.line, found.column


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "x = 1",
        "x = 1\n",
        "'''a\nb\n'''",
        '"""a "quoted" word"""',
        "x = 'it\\'s' + \"a\\\\b\\n\"",
        "# ünïcödé in a comment \u2028 \ufeff \U0001f600",
        "x = 'ünïcödé in a string \u2028 \U0001f600'",
        "x = '# no comment' # a ' comment\ny = 1",
        "x = '([{' # ))) }",
        "'''\n# ([{ '' \" \n'''",
        "x = ''\ny = \"\"\nz = ''''''",
        "x = '\x7f'",
        "x = 1\n\n# coding: ascii in the third line",
    ],
)
def test_what_is_within_bounds_parses(text: str) -> None:
    assert refusals(text) == []
    assert ast.dump(source.parse(text)) == ast.dump(ast.parse(text))


@pytest.mark.parametrize("character", [chr(c) for c in range(32) if chr(c) != "\n"])
@pytest.mark.parametrize(
    ("before", "after"),
    [("x = 1", "\ny = 2"), ("x = 'a", "b'"), ("# a", "b"), ("'''a\n", "'''"), ("", "")],
    ids=["code", "string", "comment", "long string", "alone"],
)
def test_control_characters_are_refused_everywhere(character: str, before: str, after: str) -> None:
    line, column = before.count("\n") + 1, len(before.rpartition("\n")[2])
    assert refusal(before + character + after) == ("source.character", line, column)


@pytest.mark.parametrize("character", [chr(c) for c in (0x7F, 0x80, 0x85, 0xA0, 0x2028, 0xFEFF, 0xFF21, 0x1F600)])
def test_code_is_ascii(character: str) -> None:
    assert refusal(f"x = 1\ny = {character}2") == ("source.ascii", 2, 4)
    assert refusal(f"{character}x = 1") == ("source.ascii", 1, 0)


TURNING = [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]


@pytest.mark.parametrize("character", [chr(code) for code in TURNING])
@pytest.mark.parametrize(("before", "after"), [("x = 1  # ", ""), ("x = 'a", "'"), ("'''\n", "'''"), ("", "")])
def test_what_turns_the_writing_is_refused_everywhere(character: str, before: str, after: str) -> None:
    """With it a file reads other than it runs (CVE-2021-42574)."""
    line, column = before.count("\n") + 1, len(before.rpartition("\n")[2])
    assert refusal(before + character + after) == ("source.character", line, column)


def test_characters_beside_those_that_turn_are_fine() -> None:
    for code in {near for each in TURNING for near in (each - 1, each + 1)} - set(TURNING):
        assert refusals(f"x = '{chr(code)}'") == []


@pytest.mark.parametrize(
    "line", ["# -*- coding: ascii -*-", "# coding=utf-7", "# vim: set fileencoding=latin-1 :", "#coding:utf-8"]
)
def test_an_encoding_is_not_declared(line: str) -> None:
    """Python would read another text from the same file."""
    assert refusal(line) == ("source.encoding", 1, 0)
    assert refusal(f"\n{line}\nx = 1") == ("source.encoding", 2, 0)
    assert refusals(f"\n\n{line}") == []


@pytest.mark.parametrize("surrogate", ["\ud800", "\udbff", "\udc00", "\udfff"])
@pytest.mark.parametrize("text", ["{}", "x = '{}'", "# {}"])
def test_surrogates_are_refused(surrogate: str, text: str) -> None:
    assert refusal(text.format(surrogate)) == ("source.text", 1, 0)


@pytest.mark.parametrize(
    ("text", "place"),
    [("x = 1; y = 2", (1, 5)), ("x = 1;", (1, 5)), ("x = 1 + \\\n2", (1, 8)), ("\\", (1, 0)), ("x\n  = \\ 1", (2, 4))],
)
def test_semicolons_and_backslashes_stand_in_strings_only(text: str, place: tuple[int, int]) -> None:
    assert refusal(text) == ("source.character", *place)


@pytest.mark.parametrize(
    "escape", ["\\x41", "\\u0041", "\\U00000041", "\\N{DIGIT ONE}", "\\0", "\\101", "\\7", "\\8", "\\9"]
)
@pytest.mark.parametrize("quote", ["'", '"', "'''", '"""'])
def test_numeric_and_named_escapes_are_refused(escape: str, quote: str) -> None:
    assert refusal(f"x = 1\ny = {quote}ab{escape}{quote}") == ("source.escape", 2, 4 + len(quote) + 2)


@pytest.mark.parametrize(
    ("escape", "value"), [("\\n", "\n"), ("\\t", "\t"), ("\\\\", "\\"), ("\\'", "'"), ('\\"', '"')]
)
def test_plain_escapes_mean_what_they_mean_in_python(escape: str, value: str) -> None:
    (statement,) = source.parse(f"'{escape}'").body
    assert isinstance(statement, ast.Expr)
    assert ast.literal_eval(statement.value) == value


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")
@pytest.mark.parametrize("letter", ["d", "q", "(", " ", "_"])
def test_escapes_that_python_does_not_know_are_refused(letter: str) -> None:
    assert refusal(f"x = 'a\\{letter}'") == ("source.escape", 1, 6)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")
@pytest.mark.parametrize("text", ["x = 1if y else 2", "x = 1and 2", "x = 0xfor y in z", "x = [1in y]"])
def test_numbers_run_into_keywords_are_refused(text: str) -> None:
    assert refusals(text)


@pytest.mark.parametrize(
    "prefix", ["b", "B", "r", "R", "f", "F", "u", "U", "rb", "bR", "fr", "Rf", "t", "x", "1", "_", "a_"]
)
@pytest.mark.parametrize("quote", ["'", '"', "'''", '"""'])
def test_strings_have_no_prefix(prefix: str, quote: str) -> None:
    text = f"{prefix}{quote}a{quote}"
    assert refusal(f"x = {text}") == ("source.prefix", 1, 4 + len(prefix))
    assert refusal(text) == ("source.prefix", 1, len(prefix))


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("x = 'a\ny = 1", "source.string", (1, 6)),
        ('x = "a\n"', "source.string", (1, 6)),
        ("x = 'a", "source.string", (1, 0)),
        ("x = 'a\\", "source.string", (1, 0)),
        ("x = '''a\n\n", "source.string", (3, 0)),
        ("x = '''a''", "source.string", (1, 0)),
        ("x = 'a\\\nb'", "source.continuation", (1, 6)),
        ("x = '''a\\\nb'''", "source.continuation", (1, 8)),
    ],
)
def test_strings_are_closed_and_not_continued(text: str, code: str, place: tuple[int, int]) -> None:
    assert refusal(text) == (code, *place)


def test_a_file_has_at_most_65536_bytes() -> None:
    text = "#\n" * (source.SOURCE_BYTES_MAX // 2)
    assert refusals(text) == []
    assert refusal(text + "\n") == ("source.size", 1, 0)
    accents = "#é\n" * (source.SOURCE_BYTES_MAX // 4)
    assert refusals(accents) == []
    assert refusal(accents + "\n") == ("source.size", 1, 0), "bytes are counted, not characters"


def test_a_line_has_at_most_200_characters() -> None:
    assert refusals("#" * 200) == []
    assert refusals("#" + "é" * 199) == []
    assert refusal("\n" + "#" * 201) == ("source.line", 2, 0)
    assert refusal("'''\n" + "é" * 201 + "'''") == ("source.line", 2, 0)


def test_a_line_is_indented_by_at_most_64() -> None:
    assert refusals("'''\n" + " " * 64 + "x'''") == []
    assert refusal("'''\n" + " " * 65 + "x'''") == ("source.indent", 2, 0)
    assert refusal(" " * 65) == ("source.indent", 1, 0)


@pytest.mark.parametrize("pair", ["()", "[]", "{}"])
def test_brackets_nest_at_most_32_deep(pair: str) -> None:
    assert refusals("x = " + pair[0] * 32 + ("1" if pair != "{}" else "") + pair[1] * 32) == []
    assert refusal("x = " + pair[0] * 33 + pair[1] * 33) == ("source.brackets", 1, 36)
    assert refusals(f"x = {pair}\n" * 100) == [], "one behind the other is not nested"


def test_brackets_are_counted_across_lines_and_not_in_strings() -> None:
    assert refusal("x = (\n" * 33) == ("source.brackets", 33, 4)
    assert refusals("x = ['" + "(" * 33 + "']  # " + "(" * 33) == []


def test_a_number_has_at_most_80_digits() -> None:
    assert refusals("x = " + "1" * 80) == []
    assert refusal("x = " + "1" * 81) == ("source.number", 1, 84)
    assert refusal("x = a" + "1" * 81) == ("source.number", 1, 85), "names are counted with them"
    assert refusal("x = 1" + "0" * 190) == ("source.number", 1, 84)
    assert refusals("x = 1\n" * 100) == []


@pytest.mark.parametrize("digit", ["7", "\u0667", "\u00b2"])
def test_digits_in_strings_are_not_counted(digit: str) -> None:
    assert refusals(f"x = '{digit * 81}'") == []


def test_only_ascii_digits_are_numeric_escapes() -> None:
    """Either every unknown escape is refused, or none: it must not depend on a table of this Python."""
    assert bool(refusals("x = '\\\u00b2'")) == bool(refusals("x = '\\\u00e9'"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = (", 1),
        ("x = )", 1),
        ("x = (]", 1),
        ("y = 1\nx ==", 2),
        ("def", 1),
        ("x = 1 2", 1),
        ("  x = 1", 1),
        ("if x:\ny = 1", 2),
        ("if x:\n  y = 1\n z = 2", 3),
        ("x = 007", 1),
        ("x = 0x", 1),
        ("$", 1),
        ("?", 1),
        ("x = `1`", 1),
        ("!", 1),
        ("None = 1", 1),
        ("print 1", 1),
    ],
)
def test_what_is_not_python_is_told_with_its_line_and_words_of_ours(text: str, line: int) -> None:
    (found,) = refusals(text)
    assert (found.code, found.line, found.message) == ("syntax.invalid", line, "this is not valid Python")
    assert found.hint
    assert found.column >= 0


def test_every_finding_about_lines_is_told_at_once() -> None:
    text = "a\tb\n" + "#" * 201 + "\n" + " " * 65 + "x\r"
    found = [(d.code, d.line, d.column) for d in refusals(text)]
    assert found == [
        ("source.character", 1, 1),
        ("source.line", 2, 0),
        ("source.indent", 3, 0),
        ("source.character", 3, 66),
    ]


MANY = 200_000
MONSTERS = {
    "open brackets": "(" * MANY,
    "brackets over lines": "(\n" * 30_000,
    "closing brackets": ")" * 60_000,
    "closing over lines": ")\n" * 30_000,
    "nested lists": "[" * MANY + "]" * MANY,
    "unary minus": "x = " + "-" * 190 + "1",
    "unary minus over lines": "x = (" + ("-" * 199 + "\n") * 320 + "1)",
    "not over lines": "x = (" + ("not " * 49 + "\n") * 320 + "a)",
    "sum over lines": "x = (1" + ("+1" * 99 + "\n") * 320 + ")",
    "power over lines": "x = (1" + ("**1" * 66 + "\n") * 320 + ")",
    "attributes over lines": "x = (a" + (".a" * 99 + "\n") * 320 + ")",
    "indexes over lines": "x = (a" + ("[0]" * 66 + "\n") * 320 + ")",
    "calls over lines": "x = (a" + ("()" * 99 + "\n") * 320 + ")",
    "conditions over lines": "x = (1" + (" if a else 1" * 16 + "\n") * 320 + ")",
    "lambdas over lines": "x = (" + ("lambda:" * 28 + "\n") * 320 + "1)",
    "comparisons over lines": "x = (1" + ("<1" * 99 + "\n") * 320 + ")",
    "elif": "if a:\n pass\n" + "elif a:\n pass\n" * 4_000,
    "indents": "".join(" " * i + "if a:\n" for i in range(64)) + " " * 64 + "pass\n",
    "many indents": "".join(" " * i + "if a:\n" for i in range(340)),
    "strings": "''" * MANY,
    "strings over lines": "x = (" + ("''" * 99 + "\n") * 320 + ")",
    "quotes": "'" * MANY,
    "quotes over lines": "'\n" * 30_000,
    "triple quotes": "'''\n" * 15_001,
    "digits": "9" * MANY,
    "digits and underscores": "x = " + "1_" * 97 + "1",
    "hexadecimal": "x = 0x" + "f" * 190,
    "exponent": "x = 1e999999999",
    "complex": "x = 9" + "0" * 70 + "j",
    "empty lines": "\n" * 65_000,
    "spaces": " " * MANY,
    "comments": "#" * MANY,
    "backslashes": "\\" * MANY,
    "backslashes in a string": "'" + "\\" * 190 + "'",
    "null bytes": "\0" * MANY,
    "colons": ":" * MANY,
    "at": "@a\n" * 20_000 + "def f(): pass",
    "with": "with a:\n" * 100,
    "try": "".join(" " * i + "try:\n" for i in range(60)),
    "walrus": "x = (" + "(a:=" * 30 + "1" + ")" * 30 + ")",
    "stars": "x = (" + ("*a," * 60 + "\n") * 320 + ")",
    "slashes": "a" + "/a" * 32_000,
    "dict": "x = {" + ("a:a," * 49 + "\n") * 320 + "}",
    "semicolons": "a;" * 30_000,
}


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", MONSTERS)
def test_no_text_crashes_the_gate_or_keeps_it_busy(name: str) -> None:
    for found in refusals(MONSTERS[name]):
        assert found.code.startswith(("source.", "syntax.", "findings."))


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
@given(st.text(st.characters(codec=None), max_size=400))
def test_any_text_parses_or_is_refused(text: str) -> None:
    refusals(text)


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
@given(st.lists(st.sampled_from([*"()[]{}'\"\\#\n;:,.=+-*/<>@ 019abf_", '"""', "'''", "é", "\r", "\t", "if ", "def "])))
def test_any_heap_of_tokens_parses_or_is_refused(tokens: list[str]) -> None:
    refusals("".join(tokens))


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
@given(st.lists(st.sampled_from(["'", '"', "'''", '"""', "#", "\n", "a", " ", "(", ")", "\\'", "\\\\"]), max_size=30))
def test_the_scan_and_python_agree_where_strings_end(tokens: list[str]) -> None:
    """If the scan lets text pass, no string that Python finds in it may have a prefix or hold an open end."""
    text = "".join(tokens)
    try:
        tree = source.parse(text)
    except ContractInvalid:
        return
    for node in ast.walk(tree):
        assert not isinstance(node, ast.JoinedStr)
        if isinstance(node, ast.Constant):
            assert isinstance(node.value, str)


def test_findings_are_sorted_by_place() -> None:
    found = findings("x\ty\n\tz\n\n\t")
    assert [(d.line, d.column) for d in found] == sorted((d.line, d.column) for d in found)
