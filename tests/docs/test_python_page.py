"""The pages of Python have all that one can import, as the packages themselves say, not the pages' maker."""

import inspect
import re
from types import FunctionType, ModuleType

import pytest
from tests.docs.pages import ROOT

import hansa.client
import hansa.testing
from docs import python_page
from hansa.testing import plugin, strategies

PAGES = {name: (ROOT / "docs" / "reference" / f"{name}.md").read_text("utf-8") for name in ("client", "testing")}
NAMES = [(package, name) for package in (hansa.client, hansa.testing) for name in package.__all__]


def page_of(package: ModuleType) -> str:
    return PAGES[package.__name__.rpartition(".")[2]]


def section(page: str, name: str) -> str:
    found = re.search(rf"^#+ `{re.escape(name)}`\n(.*?)(?=^#+ |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found is not None, f"{name} is not on the page"
    return found[1]


@pytest.mark.parametrize(("package", "name"), NAMES, ids=lambda each: each if isinstance(each, str) else None)
def test_every_public_name_is_there_with_its_text(package: ModuleType, name: str) -> None:
    value, page = getattr(package, name), page_of(package)
    told = section(page, name)
    if isinstance(value, FunctionType | type):
        assert (inspect.getdoc(value) or "?") in told
        assert "object at 0x" not in told
    if inspect.isclass(value):
        for method, found in vars(value).items():
            plain = found.__func__ if isinstance(found, classmethod | staticmethod) else found
            plain = plain.fget if isinstance(plain, property) else plain
            if not method.startswith("_") and isinstance(plain, FunctionType):
                there = told if name == "AsyncClient" else section(page, f"{name}.{method}")
                assert there
                assert (set(inspect.signature(plain).parameters) - {"self", "cls"}) <= set(re.findall(r"\w+", there))
                assert (f"{method}(" in there) is not isinstance(found, property)


def test_every_field_of_an_answer_is_there() -> None:
    for package, value in ((hansa.client, hansa.client.Answer), (hansa.testing, hansa.testing.Answer)):
        told = section(page_of(package), "Answer")
        assert [field for field in value.__struct_fields__ if f"\n{field}: " not in told] == []


def test_strategies_and_fixtures_are_there() -> None:
    public = {
        name
        for name, value in vars(strategies).items()
        if getattr(value, "__module__", None) == strategies.__name__ and not name.startswith("_")
    }
    assert {"rules", "arguments", "values", "Known"} <= public
    for name in [*public, "DEFECTS", "ledger", "new_ledger"]:
        assert section(PAGES["testing"], name)
    assert all(hasattr(plugin, fixture) for fixture in ("ledger", "new_ledger"))


def test_a_default_is_the_number_and_no_name_of_a_constant() -> None:
    told = section(PAGES["client"], "Client")
    assert "    timeout_s: float = 60" in told
    assert "await call(\n" in section(PAGES["client"], "AsyncClient")
    assert "await events(" not in PAGES["client"]


def test_a_name_that_nobody_made_is_an_error() -> None:
    with pytest.raises(LookupError):
        python_page._shown(python_page.Offered("Nothing", "hansa.client.client", "Nothing"))
