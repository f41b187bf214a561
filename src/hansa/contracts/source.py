"""The first gate: bounds on the text before Python's parser sees it.

Parsers have limits of their own, which differ between versions and may end in a crash; so nesting, line length,
file length and characters are bounded here, by a scan that knows only strings, comments, brackets and words. What
Python merely warns of, and may refuse later, is refused too.
"""

import ast
import re
from typing import Final

from hansa.contracts.diagnostics import ContractInvalid, Diagnostic

SOURCE_BYTES_MAX: Final = 65_536
"""A file: checking it holds up everyone else."""
KERNEL_BYTES_MAX: Final = 131_072
"""The contract that genesis brings: it is checked once, before there is anyone else."""
LINE_CHARS_MAX: Final = 200
"""A line: it is shown when something is wrong with it."""
BRACKETS_MAX: Final = 32
"""Brackets in each other: versions of Python differ in how many they can read."""
INDENT_MAX: Final = 64
"""Spaces before a line: versions of Python differ in how deep they can read."""
NESTING_MAX: Final = 100
"""Levels of the syntax tree: all that walks it may recurse, whatever stack is left under it."""
_OPEN: Final = "([{"
_CLOSE: Final = ")]}"
_DIGITS_MAX: Final = 80
"""Of a number in the source: 256 bits have 78."""
_TOO_MANY_DIGITS: Final = re.compile(f"[0-9]{{{_DIGITS_MAX + 1}}}")
_WORD: Final = re.compile(r"[0-9][0-9A-Za-z_.]*|[A-Za-z_][0-9A-Za-z_]*")
_NUMBER: Final = re.compile(r"[0-9_]+\.?[0-9_]*([eE][0-9_]*)?[jJ]?|0[xX][0-9A-Fa-f_]*|0[oO][0-7_]*|0[bB][01_]*")
"""Numbers as Python has them; those outside the dialect are the checker's to refuse."""
_PREFIXES: Final = {
    "f": ("no f-strings", "join texts with `+`; in messages pass values by name: require(c, 'text {x}', x=value)"),
    "b": ("no bytes literals", "bytes come from arguments, records and `sha256(...)`"),
}
_ESCAPES: Final = "nrt\\'\""
_TURNING: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that turn the direction of writing: with them a file reads other than it runs (CVE-2021-42574)."""
_ENCODING: Final = re.compile(r"[ \t\f]*#.*?coding[:=][ \t]*[-_.a-zA-Z0-9]+")
"""An encoding as PEP 263 has it: Python would read another text from the same file."""


def parse(source: str, most: int = SOURCE_BYTES_MAX) -> ast.Module:
    """The syntax tree of a contract file of at most so many bytes. Raises `ContractInvalid`."""
    findings = _check_text(source, most)
    if findings:
        raise ContractInvalid(findings)
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        finding = Diagnostic(
            "syntax.invalid",
            "this is not valid Python",
            error.lineno or 1,
            max((error.offset or 1) - 1, 0),
            "look for a missing bracket, colon or quote here or in the line before",
        )
        raise ContractInvalid([finding]) from None
    except (RecursionError, MemoryError):  # far beyond NESTING_MAX, so it makes no difference which Python gave up
        raise ContractInvalid([_too_deep(1, 0)]) from None
    _check_nesting(tree)
    return tree


def _check_nesting(tree: ast.Module) -> None:
    level: list[ast.AST] = [tree]
    for _ in range(NESTING_MAX):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    for node in level:
        if isinstance(node, ast.expr | ast.stmt):
            raise ContractInvalid([_too_deep(node.lineno, 0)])


def _too_deep(line: int, column: int) -> Diagnostic:
    hint = "name parts of a long expression; take a list instead of a long `elif`"
    return Diagnostic("syntax.complex", f"nested more than {NESTING_MAX} levels deep", line, column, hint)


def _check_text(source: str, most: int) -> list[Diagnostic]:
    findings: list[Diagnostic] = []
    try:
        size = len(source.encode())
    except UnicodeEncodeError:
        return [Diagnostic("source.text", "the file holds a lone surrogate", 1, 0)]
    if size > most:
        return [Diagnostic("source.size", f"{size} bytes; at most {most}", 1, 0)]
    for number, text in enumerate(source.split("\n"), 1):
        control = next((i for i, character in enumerate(text) if character < " "), None)
        if control is not None:  # a carriage return would be a new line to Python's parser, even in a comment
            hint = "indent with spaces, end lines with a line feed alone"
            findings.append(Diagnostic("source.character", "a control character", number, control, hint))
        if turning := _TURNING.search(text):
            hint = "write it by its number in a comment, if it must be told"
            place = turning.start()
            findings.append(Diagnostic("source.character", "a character that turns the writing", number, place, hint))
        if number <= 2 and _ENCODING.match(text):
            findings.append(Diagnostic("source.encoding", "files are UTF-8, and say no encoding", number, 0))
        if len(text) > LINE_CHARS_MAX:
            findings.append(Diagnostic("source.line", f"{len(text)} characters; at most {LINE_CHARS_MAX}", number, 0))
        if len(text) - len(text.lstrip(" ")) > INDENT_MAX:
            findings.append(Diagnostic("source.indent", f"indented by more than {INDENT_MAX}", number, 0))
    return findings or _check_characters(source)


def _check_characters(source: str) -> list[Diagnostic]:  # noqa: C901 - one scanner, read top to bottom
    """Passes over the text once: brackets nest boundedly, code is ASCII, strings are plain and closed."""
    line, start, depth, position = 1, 0, 0, 0
    quote = ""
    while position < len(source):
        character = source[position]
        place = (line, position - start)
        if character == "\n":
            if len(quote) == 1:
                return [Diagnostic("source.string", "the string is not closed on its line", *place)]
            line, start = line + 1, position + 1
        elif quote:
            if character == "\\":
                position += 1
                if source[position : position + 1] == "\n":
                    return [Diagnostic("source.continuation", "a line continued by a backslash", *place)]
                if source[position : position + 1] not in _ESCAPES:
                    return [Diagnostic("source.escape", "an escape outside the dialect", *place, "write the character")]
            elif source.startswith(quote, position):
                position += len(quote) - 1
                quote = ""
        elif character in "'\"":
            quote = character * 3 if source.startswith(character * 3, position) else character
            position += len(quote) - 1
        elif character == "#":
            end = source.find("\n", position)
            position = (len(source) if end < 0 else end) - 1
        elif character > "~":
            return [Diagnostic("source.ascii", f"{character!a} outside a string", *place)]
        elif character in "\\;":
            return [Diagnostic("source.character", f"`{character}` outside a string", *place)]
        elif character in _OPEN:
            depth += 1
            if depth > BRACKETS_MAX:
                return [Diagnostic("source.brackets", f"brackets nested more than {BRACKETS_MAX} deep", *place)]
        elif character in _CLOSE:
            depth -= 1
        elif word := _WORD.match(source, position):
            found = _check_word(word, line, start)
            if found:
                return found
            position = word.end() - 1
        position += 1
    if quote:
        return [Diagnostic("source.string", "a string is not closed", line, 0)]
    return []


def _check_word(word: re.Match[str], line: int, start: int) -> list[Diagnostic]:
    """A name, keyword or number, and what it runs into; its line begins at `start`."""
    text, begin, end = word[0], word.start() - start, word.end() - start
    if many := _TOO_MANY_DIGITS.search(text):
        place = begin + many.end() - 1
        return [Diagnostic("source.number", f"a number of more than {_DIGITS_MAX} digits", line, place)]
    if "0" <= text[0] <= "9" and not _NUMBER.fullmatch(text):
        return [Diagnostic("source.number", "a number run into a word", line, begin, "put a space between them")]
    if word.string.startswith(("'", '"'), word.end()):
        message, hint = _PREFIXES.get(text.lower(), ("a string with a prefix", "use a plain string"))
        return [Diagnostic("source.prefix", message, line, end, hint)]
    return []
