"""Problems: every code has a kind with a remedy, and every kind is raised somewhere."""

import ast
import http
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

import hansa
from hansa.wire.problems import KINDS, TYPE_BASE, HansaError

SOURCE = Path(hansa.__file__).parent
CODE = re.compile(r"[a-z]+\.[a-z0-9_]+")
RAISERS = {"HansaError", "Fault", "Finding", "_find", "_refused", "__init__"}
"""What takes a code as its first argument. `__init__` is `super().__init__` in a subclass of them."""


@cache
def modules():
    """The source, read once."""
    return [
        (path.relative_to(SOURCE).as_posix(), ast.parse(path.read_text("utf-8")))
        for path in sorted(SOURCE.rglob("*.py"))
    ]


def is_code(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value) is not None


def codes_of(expression):
    """The codes an expression can be: `"a.b"`, or both of `"a.b" if there else "a.c"`."""
    if isinstance(expression, ast.IfExp):
        return codes_of(expression.body) + codes_of(expression.orelse)
    return [expression.value] if is_code(expression) else []


def expressions(node):
    """The expressions in a place where a code belongs: what is raised, a `code=` argument, what a check returns."""
    if isinstance(node, ast.Return):
        yield node.value
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in RAISERS:
            yield from node.args[:1]
        yield from (keyword.value for keyword in node.keywords if keyword.arg == "code")


@cache
def raised_codes():
    """Every code that the source raises or returns, with the modules that do."""
    found = defaultdict(set)
    for module, tree in modules():
        for node in ast.walk(tree):
            for code in [code for expression in expressions(node) for code in codes_of(expression)]:
                found[code].add(module)
    return found


def named_codes():
    """Every text in the source that has the form of a code, outside of the table itself."""
    trees = [tree for module, tree in modules() if module != "wire/problems.py"]
    return {node.value for tree in trees for node in ast.walk(tree) if is_code(node)}


class TestCodes:
    def test_the_search_finds_them(self):
        assert len(raised_codes()) > 80
        assert "wire/cbor.py" in raised_codes()["cbor.form"]

    def test_every_code_that_is_raised_has_a_kind(self):
        unknown = {code: sorted(modules) for code, modules in raised_codes().items() if code not in KINDS}
        assert unknown == {}

    def test_every_kind_is_named_somewhere(self):
        assert set(KINDS) - named_codes() == set()

    def test_a_code_is_two_words(self):
        assert [code for code in KINDS if not CODE.fullmatch(code)] == []

    def test_an_unknown_code_cannot_be_raised(self):
        with pytest.raises(KeyError):
            HansaError("no.such_code")


class TestKinds:
    def test_a_title_says_what_happened(self):
        assert [code for code, kind in KINDS.items() if not kind.title or kind.title.endswith(".")] == []

    def test_a_remedy_says_what_to_do(self):
        found = {code: kind.remedy for code, kind in KINDS.items()}
        assert {code: text for code, text in found.items() if len(text.split()) < 2 or not text.endswith(".")} == {}

    def test_the_status_is_one_of_http(self):
        """200 is for outcomes: the transaction was refused, the request was not."""
        statuses = [200, *(status.value for status in http.HTTPStatus if status >= 400)]
        assert {code: kind.status for code, kind in KINDS.items() if kind.status not in statuses} == {}


class TestHansaError:
    def test_the_kind_speaks_where_nothing_is_said(self):
        error = HansaError("cbor.form")
        assert (error.code, error.kind) == ("cbor.form", KINDS["cbor.form"])
        assert (error.detail, error.remedy) == (error.kind.title, error.kind.remedy)
        assert str(error) == f"cbor.form: {error.kind.title}"
        assert error.fields == {}

    def test_what_is_said_comes_first(self):
        error = HansaError("cbor.form", "at byte 7", remedy="Look at byte 7.", position=7)
        assert (error.detail, error.remedy) == ("at byte 7", "Look at byte 7.")
        assert str(error) == "cbor.form: at byte 7"
        assert error.fields == {"position": 7}

    @pytest.mark.parametrize("code", ["cbor.form", "precondition.failed", "node.defect"])
    def test_the_problem_document(self, code):
        """RFC 9457 section 3.1: type, title, status and detail; the rest are extensions."""
        document = HansaError(code, "what happened here", remedy="Do this.", seq=7).problem()
        assert document == {
            "type": TYPE_BASE + code,
            "title": KINDS[code].title,
            "status": KINDS[code].status,
            "detail": "what happened here",
            "code": code,
            "remedy": "Do this.",
            "seq": 7,
        }
