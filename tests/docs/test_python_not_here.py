"""What `python-that-is-not-here` says to write instead gives what Python would have given, at the edges too."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from tests.docs.pages import ROOT

from hansa.testing import Ledger

PAGE = (ROOT / "docs" / "explanation" / "python-that-is-not-here.md").read_text("utf-8")
VIEWS = """

class Page(Contract, version="1.0.0"):
    @view
    def result(tx, number: int) -> int:
        return NAME(number)
"""


@pytest.fixture(scope="module")
def instead() -> Callable[[str], Callable[[int], Any]]:
    """A function of the page, as a view of a contract that has it."""

    def made(name: str) -> Callable[[int], Any]:
        (block,) = [
            text.partition("```python\n")[2].partition("```")[0]
            for text in PAGE.split("<!-- check: good -->")[1:]
            if f"def {name}(number: int)" in text.partition("```python\n")[2].partition("```")[0]
        ]
        body = block.replace("from hansa.contract import require\n", "")
        source = f'"""Page."""\n\nfrom hansa.contract import Contract, require, view\n\n{body}{VIEWS}'
        contract = Ledger().deploy_source("page", source.replace("NAME", name))
        return lambda number: contract.view.result(number=number)

    return made


def test_the_root_is_that_of_isqrt(instead: Callable[[str], Callable[[int], Any]]) -> None:
    root = instead("root")
    for number in (0, 1, 2, 3, 4, 999_999, 10**6, 10**6 + 1, 10**12 - 1, 10**18, 2**62, 2**63 - 1):
        assert root(number) == math.isqrt(number)


def test_digits_are_counted_of_negative_numbers_too(instead: Callable[[str], Callable[[int], Any]]) -> None:
    digits = instead("digits")
    for number in (1, 9, 10, -5, -10, 2**63 - 1, -(2**63) + 1):
        assert digits(number) == len(str(abs(number)))
