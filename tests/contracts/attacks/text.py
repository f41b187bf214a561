"""The file's text: characters that a reader does not see, and depth and length that a parser does not bear."""

from tests.contracts.attacks.attack import acting, anywhere, attacks, in_body, in_file

PLAIN = acting("pass").replace("action", "action, event", 1)
LINES = PLAIN.count("\n")
BODY = LINES
"""The line of the one statement of `PLAIN`."""
DEEP = ("source.brackets", "source.line", "syntax.complex", "syntax.invalid")


def _with(line: str) -> str:
    return PLAIN.replace("        pass", line)


TEXTS = [
    *attacks(
        "what a person reads is not what the parser reads",
        in_file("a byte order mark", "\ufeff" + PLAIN, 1, "source.ascii", "source.character"),
        in_file("a byte order mark inside", _with("        \ufeffpass"), BODY, "source.ascii"),
        in_file("a null character", _with("        pass\0"), BODY, "source.character"),
        in_file("a null character in a comment", _with("        pass  # \0"), BODY, "source.character"),
        in_file("a null character in a string", _with("        event('\0')"), BODY, "source.character"),
        in_file("a form feed", _with("\f        pass"), BODY, "source.character"),
        in_file("a vertical tab", _with("        x\v= 1"), BODY, "source.character"),
        in_file("a tab", _with("\tpass"), BODY, "source.character"),
        in_file("a tab in a string", _with("        event('a\tb')"), BODY, "source.character"),
        in_file("a carriage return", _with("        pass\r"), BODY, "source.character"),
        in_file(
            "a carriage return that hides a line in a comment",
            _with("        # all is well\r        x = eval('1')"),
            BODY,
            "source.character",
        ),
        in_file("lines that end with carriage returns", PLAIN.replace("\n", "\r\n"), 1, "source.character"),
        in_file("lines that end with carriage returns alone", PLAIN.replace("\n", "\r"), 1, "source.character"),
        in_file("a backspace", _with("        pass  # a\b"), BODY, "source.character"),
        in_file("an escape sequence of a terminal", _with("        pass  # \x1b[2K"), BODY, "source.character"),
        in_file("a delete character", _with("        x\x7f = 1"), BODY, "source.character", "source.ascii"),
        in_file("an end of text", _with("        pass\x1a"), BODY, "source.character"),
        in_file(
            "a next-line character", _with("        x = 1\x85        y = 2"), BODY, "source.ascii", "source.character"
        ),
        in_file(
            "a line separator", _with("        x = 1\u2028        y = 2"), BODY, "source.ascii", "source.character"
        ),
        in_file("a lone surrogate", _with("        event('\ud800')"), 1, "source.text"),
        in_file("a lone surrogate in a comment", _with("        pass  # \udfff"), 1, "source.text"),
        in_file(
            "right to left in a comment",
            _with("        pass  # \u202e } \u2066"),
            BODY,
            "source.character",
            source="CVE-2021-42574",
        ),
        in_file(
            "right to left in a string",
            _with("        event('\u202e a \u2066')"),
            BODY,
            "source.character",
            source="CVE-2021-42574",
        ),
        in_file(
            "a line continued by a backslash",
            _with("        x = 1 + \\\n            2"),
            BODY,
            "source.character",
            "source.continuation",
        ),
        in_file(
            "a comment continued by a backslash",
            _with("        pass  # \\\n        event('a')\\"),
            BODY + 1,
            "source.character",
            "source.continuation",
        ),
        in_file(
            "a string continued by a backslash",
            _with("        event('a\\\nb')"),
            BODY,
            "source.continuation",
            "source.string",
        ),
        in_file("an escape by name", _with("        event('\\N{BULLET}')"), BODY, "source.escape"),
        in_file("an escape by number", _with("        event('\\x5f\\x5fclass')"), BODY, "source.escape"),
        in_file("an escape of a surrogate", _with("        event('\\ud800')"), BODY, "source.escape"),
        in_file("an octal escape", _with("        event('\\0')"), BODY, "source.escape"),
        in_file("an escape that Python warns of", _with("        event('\\d')"), BODY, "source.escape"),
        in_file("a number run into a word", _with("        x = 1if True else 2"), BODY, "source.number"),
        in_file(
            "hexadecimal run into a word", _with("        x = 0xfor y in [1]"), BODY, "source.number", "syntax.invalid"
        ),
        in_file("a string run into a word", _with("        x = 1 if True else'a'"), BODY, "source.prefix"),
    ),
    *attacks(
        "an encoding that the file declares turns text into other text",
        in_file(
            "a declared encoding that is code",
            "# -*- coding: unicode_escape -*-\n" + _with("        pass  # \\u000aimport os"),
            1,
            "source.encoding",
        ),
        in_file(
            "a declared encoding of seven bits",
            "# coding: utf-7\n" + _with("        event('+AGE-')"),
            1,
            "source.encoding",
        ),
        in_file(
            "a declared encoding in the second line",
            "\n# vim: set fileencoding=rot13 :\n" + PLAIN,
            2,
            "source.encoding",
        ),
    ),
    *attacks(
        "a string that does not end where it seems to",
        in_file("a string that is not closed", _with("        event('a"), BODY, "source.string"),
        in_file("a long string that is not closed", _with("        event('''a"), BODY + 1, "source.string"),
        in_file("a string closed by another quote", _with("        event('a\")"), BODY, "source.string"),
        in_file("a docstring that swallows the file", '"""\n' + PLAIN, LINES + 2, "source.string"),
        in_file("brackets that are not closed", _with("        x = (1"), BODY, "syntax.invalid", "source.brackets"),
        in_file("brackets closed by another", _with("        x = (1]"), BODY, "syntax.invalid", "source.brackets"),
        in_file("brackets closed too often", _with("        x = 1)"), BODY, "syntax.invalid", "source.brackets"),
    ),
    *attacks(
        "a file that is no contract",
        in_file("nothing", "", 1, "file.class"),
        in_file("a comment alone", "# nothing\n", 1, "file.class"),
        in_file("a line alone", "import os\n", 1, "file.class", "import.module", "file.statement"),
        in_file("an expression", "__import__('os').system('true')\n", 1, "file.class", "file.statement"),
        in_file("a shebang and nothing", "#!/usr/bin/python3\n", 1, "file.class"),
        in_file("indented", "  " + PLAIN, 1, "syntax.invalid"),
        in_file("not Python", "contract Sample {\n}\n", 1, "syntax.invalid"),
    ),
    *attacks(
        "a parser that recurses ends the process, or ends at another depth in another version",
        *map(
            anywhere,
            [
                in_body("parentheses", "x = " + "(" * 100 + "1" + ")" * 100, *DEEP),
                in_body("33 parentheses", "x = " + "(" * 33 + "1" + ")" * 33, *DEEP),
                in_body("brackets", "x = " + "[" * 90 + "]" * 90, *DEEP),
                in_body("braces", "x = " + "{" * 90 + "}" * 90, *DEEP),
                in_body("brackets over many lines", "x = (\n" + "(\n" * 200 + "1\n" + ")\n" * 200 + ")", *DEEP),
                in_body("unary minus", "x = " + "-" * 180 + "1", *DEEP),
                in_body("not", "x = " + "not " * 45 + "True\ny = (" + "\nnot" * 120 + " True)", *DEEP),
                in_body("unary minus over many lines", "x = (\n" + ("-" * 150 + "\n") * 60 + "1)", *DEEP),
                in_body("additions", "x = (1\n" + "+ 1\n" * 3000 + ")", *DEEP),
                in_body("a tower of attributes", "x = (tx\n" + ".a\n" * 3000 + ")", *DEEP, "name.context"),
                in_body("a tower of indexes", "x = ([1]\n" + "[0]\n" * 3000 + ")", *DEEP, "type.mismatch"),
                in_body("a tower of calls", "x = (len\n" + "('a')\n" * 3000 + ")", *DEEP, "call.unknown"),
                in_body("nested calls", "x = " + "abs(" * 33 + "1" + ")" * 33, *DEEP),
                in_body("a chain of comparisons", "x = (1\n" + "< 1\n" * 3000 + ")", *DEEP, "compare.chain"),
                in_body("a chain of choices", "x = (1\n" + "if True else 1\n" * 500 + ")", *DEEP),
                in_body("a chain of powers", "x = (1\n" + "** 1\n" * 500 + ")", *DEEP, "syntax.outside"),
                in_body("a chain of lambdas", "x = (\n" + "lambda:\n" * 500 + "1)", *DEEP, "syntax.outside"),
                in_body("a chain of awaits", "x = (\n" + "await (\n" * 40 + "1" + ")" * 41, *DEEP),
                in_body("a chain of walrus", "x = " + "(a := " * 33 + "1" + ")" * 33, *DEEP),
                in_body("elif", "if True:\n    pass\n" + "elif True:\n    pass\n" * 500, *DEEP),
            ],
        ),
        in_body(
            "else if",
            "\n".join("    " * n + "if True:" for n in range(20)) + "\n" + "    " * 20 + "pass",
            "source.indent",
            *DEEP,
        ),
        in_body(
            "loops in loops",
            "\n".join("  " * n + f"for i{n} in range(9):" for n in range(9)) + "  # !\n" + "  " * 9 + "pass",
            "loop.depth",
            "source.indent",
        ),
        in_body(
            "a type in types", "x: " + "list[" * 30 + "int" + ", 2]" * 30 + " = []", *DEEP, "type.depth", "type.list"
        ),
        in_body("a type of many optionals", "x: (int\n" + "| None\n" * 1000 + ") = 1", *DEEP, "type.optional"),
    ),
    *attacks(
        "length alone takes time and memory",
        in_file("a long line", _with("        x = " + "1 + " * 60 + "1"), BODY, "source.line"),
        in_file("a long comment", _with("        pass  # " + "a" * 300), BODY, "source.line"),
        in_file("a file too large", PLAIN + "# 456789\n" * 8000, 1, "source.size"),
        in_file(
            "a file too large in bytes",
            PLAIN + "# " + "\U0001f600" * 10 + "\n" + ("# " + "\U0001f600" * 40 + "\n") * 500,
            1,
            "source.size",
        ),
        in_file("a million lines", "\n" * 1_000_000, 1, "source.size"),
        in_file("deep indentation", _with("        if True:\n" + " " * 80 + "pass"), BODY + 1, "source.indent"),
        in_body("a number of 79 digits", "x = " + "9" * 79, "number.range"),
        in_body("a number of 81 digits", "x = " + "9" * 81, "source.number"),
        in_body("a number of 180 digits", "x = " + "9" * 180, "source.number"),
        in_body("a hexadecimal number of 256 bits", "x = 0x" + "f" * 64, "number.range"),
        in_body("a binary number of 256 bits", "x = 0b" + "1" * 180, "source.number", "number.range"),
        in_body("a number with underscores", "x = " + "9_" * 90 + "9", "source.number", "number.range"),
        in_body("two to the 255", f"x = {2**255}", "number.range"),
        in_body("a long name", "x" * 60 + " = 1", "name.reserved"),
    ),
]
