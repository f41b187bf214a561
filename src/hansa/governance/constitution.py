"""What a constitution is: a contract of three views, which reads what it is given and writes nothing.

The ledger's own contract has a file checked here before it decides anything (`Directory.contract_version`), people have
it by `hansa contract check --constitution`. What its views say is nobody's business here.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from hansa.contracts.manifest import (
    Action,
    BoolType,
    BytesType,
    IntType,
    ListType,
    Manifest,
    OptionalType,
    PartyType,
    StructType,
    TextType,
    Type,
)
from hansa.governance.genesis import CONSTITUTION

_NAMES_SHOWN: Final = 8
"""Of names that a problem lists."""

_ATTRIBUTES: Final = ListType(TextType(1, 64), 32)
_WEIGHT: Final = IntType(0, 1_000_000)
_STRUCTS: Final[Mapping[str, Mapping[str, Type]]] = {
    "Member": {"id": PartyType(), "weight": _WEIGHT, "attributes": _ATTRIBUTES},
    "Vote": {"member": PartyType(), "yes": BoolType()},
    "Action": {
        "name": TextType(1, 40),
        "subject": TextType(0, 100),
        "member": OptionalType(PartyType()),
        "attributes": _ATTRIBUTES,
        "weight": OptionalType(_WEIGHT),
        "digest": OptionalType(BytesType(32, 32)),
    },
    "Proposal": {
        "proposer": PartyType(),
        "actions": ListType(StructType("Action"), 32),
        "votes": ListType(StructType("Vote"), 1_024),
    },
}
"""The structs of the library `governance`. A constitution may use them, or structs of its own with the same fields."""
_MEMBERS: Final = ListType(StructType("Member"), 1_024)
_VIEWS: Final[Mapping[str, tuple[Mapping[str, Type], Type]]] = {
    "validate": ({"proposal": StructType("Proposal"), "members": _MEMBERS}, ListType(TextType(1, 200), 32)),
    "resolve": ({"proposal": StructType("Proposal"), "members": _MEMBERS}, TextType(4, 8)),
    "apply": ({"step": StructType("Action"), "members": _MEMBERS}, ListType(StructType("Action"), 32)),
}
"""What each view is given, and what it returns."""


def problems(manifest: Manifest) -> list[str]:
    """Why a checked file is no constitution, in words; empty if it is one. Pure, and the same on every node."""
    if manifest.kind != "contract":
        return ["it is a library; a constitution is a contract"]
    return [*_declared(manifest), *_views(manifest)]


def _declared(manifest: Manifest) -> Iterator[str]:
    """What it is named, and what it must not have."""
    if manifest.name != CONSTITUTION:
        yield f"it is named `{manifest.name}`; a constitution is named `{CONSTITUTION}`"
    more = {
        "roles": manifest.roles,
        "record types": manifest.records,
        "actions": manifest.actions,
        "interfaces": manifest.interfaces,
        "others": manifest.views.keys() - _VIEWS.keys(),
    }
    for what, names in more.items():
        for name in sorted(names):
            yield f"it declares `{name}`; a constitution has three views, and no {what}"


def _views(manifest: Manifest) -> Iterator[str]:
    for name, (parameters, returns) in _VIEWS.items():
        view = manifest.views.get(name)
        if view is None:
            yield f"the view `{name}` is missing"
        else:
            yield from _parameters(manifest, view, parameters)
            assert view.returns is not None, "a view returns a value"
            yield from _differing(manifest, f"what `{name}` returns", view.returns, returns)


def _parameters(manifest: Manifest, view: Action, wanted: Mapping[str, Type]) -> Iterator[str]:
    names = [parameter.name for parameter in view.parameters]
    if names != list(wanted):
        yield f"`{view.name}` takes {_listed(names)}; it must take {_listed(list(wanted))}"
        return
    for parameter in view.parameters:
        place = f"`{parameter.name}` of `{view.name}`"
        yield from _differing(manifest, place, parameter.type, wanted[parameter.name])


def _differing(manifest: Manifest, place: str, found: Type, wanted: Type) -> Iterator[str]:
    """Where a type is not the one that is wanted; structs are compared by their fields, whatever their names."""
    match found, wanted:
        case (ListType(), ListType()) if found.most == wanted.most:
            yield from _differing(manifest, f"an item of {place}", found.item, wanted.item)
        case (OptionalType(), OptionalType()):
            yield from _differing(manifest, place, found.item, wanted.item)
        case (StructType(), StructType()):
            yield from _fields(manifest, place, found, wanted)
        case _ if found != wanted:
            yield f"{place} is {_written(found)}; it must be {_written(wanted)}"
        case _:
            pass


def _fields(manifest: Manifest, place: str, found: StructType, wanted: StructType) -> Iterator[str]:
    have = {field.name: field.type for field in manifest.structs[found.struct].fields.values()}
    expected = _STRUCTS[wanted.struct]
    if have.keys() != expected.keys():
        names = _listed(sorted(have))
        yield f"{place}, `{found.struct}`, has {names}; it must have {_listed(sorted(expected))}"
        return
    for name, type_ in expected.items():
        yield from _differing(manifest, f"`{name}` of {place}", have[name], type_)


def _listed(names: list[str]) -> str:
    """Names for people: what a file can make long is cut, as it stands in an outcome."""
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return (", ".join(f"`{name}`" for name in names[:_NAMES_SHOWN]) or "nothing") + more


def _written(type_: Type) -> str:
    """A type as files write it; of rare ones the kind alone."""
    match type_:
        case TextType():
            return f"`Text[{type_.least}, {type_.most}]`"
        case IntType():
            return f"`Int[{type_.least}, {type_.most}]`"
        case BytesType(least=32, most=32):
            return "`Hash`"
        case BytesType():
            return f"`Bytes[{type_.least}, {type_.most}]`"
        case BoolType():
            return "`bool`"
        case PartyType():
            return "`Party`"
        case StructType():
            return f"a struct, `{type_.struct}`"
        case ListType():
            return f"a list of at most {type_.most}, each {_written(type_.item)}"
        case OptionalType():
            return f"{_written(type_.item)} or None"
        case _:
            return "of another type"
