"""Libraries that use libraries: a few small files cannot come to more than a file may use."""

import pytest
from tests.contracts.world import World

from hansa.contracts import program
from hansa.contracts.diagnostics import ContractInvalid

_EMPTY = 'class C(Contract, version="1.0.0"):\n    @action(by="member")\n    def take(tx):\n        pass\n'


def _use(pins: list[tuple[str, str]]) -> str:
    return "".join(f'l{number} = library("{name}", "{digest}")\n' for number, (name, digest) in enumerate(pins))


def _library(world: World, name: str, pins: list[tuple[str, str]]) -> tuple[str, str]:
    head = "from hansa.contract import library\n" if pins else ""
    return name, world.add_library(name, f"{head}{_use(pins)}def f(a: int) -> int:\n    return a\n")


def test_a_file_uses_sixteen_libraries_at_most_and_theirs_count():
    world = World()
    base = _library(world, "base", [])
    four = _library(world, "four", [base] * 3)
    world.deploy("fits", f"from hansa.contract import Contract, action, library\n{_use([four] * 4)}{_EMPTY}")
    with pytest.raises(ContractInvalid) as caught:
        world.deploy(
            "more", f"from hansa.contract import Contract, action, library\n{_use([four] * 4 + [base])}{_EMPTY}"
        )
    assert [(found.code, found.line) for found in caught.value.diagnostics] == [("library.count", 6)]


def test_a_library_is_compiled_once_for_all_who_use_it():
    world = World()
    name, digest = _library(world, "base", [])
    source = f"from hansa.contract import Contract, action, library\n{_use([(name, digest)])}{_EMPTY}"
    program.compiled(world.libraries[bytes.fromhex(digest)])
    first, second = program.load(source, "a", world.libraries), program.load(source, "b", world.libraries)
    assert first.functions["l0.f"] is second.functions["l0.f"]


def test_what_a_library_has_not_is_told_with_what_was_meant():
    """And that the alias is no value is no answer to a misspelt name."""
    world = World()
    pin = _library(world, "base", [])
    head = f"from hansa.contract import Contract, action, library\n{_use([pin])}LEAST = 1\n"
    body = _EMPTY.replace("pass", "require(l0.ff(1) == l0.MOST, 'a')")
    with pytest.raises(ContractInvalid) as caught:
        program.check(head.replace("action", "action, require") + body, "c", world.libraries)
    found = [(one.code, one.message, one.hint) for one in caught.value.diagnostics]
    assert found == [
        ("name.unknown", "library `base` has no `ff`", "did you mean `f`?"),
        ("name.unknown", "library `base` has no `MOST`", "there is `f`"),
    ]
