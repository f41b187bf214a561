"""What a constitution must be: three views of exactly these parameters, and nothing that it could keep or change.

The kernel asks it with values of its own, so what counts is the form of its parameters: the structs of the library
`governance`, or others with the same fields.
"""

from typing import Any, Final

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

_NAME: Final = TextType(1, 40)
_ATTRIBUTES: Final = ("list", TextType(1, 64), 32)
_WEIGHT: Final = IntType(0, 1_000_000)
_ACTION: Final = {
    "name": _NAME,
    "subject": TextType(0, 100),
    "member": ("optional", PartyType()),
    "attributes": _ATTRIBUTES,
    "weight": ("optional", _WEIGHT),
    "digest": ("optional", BytesType(32, 32)),
}
_VOTE: Final = {"member": PartyType(), "yes": BoolType()}
_PROPOSAL: Final = {"proposer": PartyType(), "actions": ("list", _ACTION, 32), "votes": ("list", _VOTE, 1024)}
_MEMBERS: Final = ("list", {"id": PartyType(), "weight": _WEIGHT, "attributes": _ATTRIBUTES}, 1024)
_VIEWS: Final[dict[str, tuple[dict[str, Any], Any]]] = {
    "validate": ({"proposal": _PROPOSAL, "members": _MEMBERS}, ("list", TextType(1, 200), 32)),
    "resolve": ({"proposal": _PROPOSAL, "members": _MEMBERS}, TextType(4, 8)),
    "apply": ({"step": _ACTION, "members": _MEMBERS}, ("list", _ACTION, 32)),
}


def problems(manifest: Manifest) -> list[str]:
    """Why a contract can be no constitution, in words; none if it can. The same on every node."""
    found: list[str] = []
    if manifest.kind != "contract":
        found.append("a constitution is a contract, not a library")
    for what, declared in (
        ("records", manifest.records),
        ("actions", manifest.actions),
        ("interfaces", manifest.interfaces),
    ):
        if declared:
            found.append(f"a constitution has no {what}: it says what votes come to, and changes nothing")
    for name, (parameters, returns) in _VIEWS.items():
        view = manifest.views.get(name)
        if view is None:
            found.append(f"a constitution has a view `{name}`")
        elif not _fits(manifest, view, parameters, returns):
            found.append(f"the view `{name}` has not the parameters and the result of a constitution's")
    found += [f"a constitution has no view `{name}`" for name in sorted(manifest.views.keys() - _VIEWS.keys())]
    return found


def _fits(manifest: Manifest, view: Action, parameters: dict[str, Any], returns: Any) -> bool:
    found = {parameter.name: _form(manifest, parameter.type) for parameter in view.parameters}
    return found == parameters and view.returns is not None and _form(manifest, view.returns) == returns


def _form(manifest: Manifest, type_: Type) -> Any:
    """A type without the names of structs: what a plain value of it must be."""
    match type_:
        case ListType():
            return ("list", _form(manifest, type_.item), type_.most)
        case OptionalType():
            return ("optional", _form(manifest, type_.item))
        case StructType():
            fields = manifest.structs[type_.struct].fields
            return {name: _form(manifest, field.type) for name, field in fields.items()}
        case _:
            return type_
