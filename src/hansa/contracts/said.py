"""What a file's bodies say to those outside, gathered for its manifest: fields of events, holes of refusals.

The checker notes each `event` and `require` with the types of what they carry; this makes one entry for each name or
text of them. Used by the front end alone; what runs never looks at it.
"""

from collections.abc import Iterable, Mapping

import msgspec

from hansa.contracts.manifest import BytesType, Carried, IntType, ListType, MapType, OptionalType, Said, TextType, Type
from hansa.contracts.operations import BYTES, INT, TEXT, UNKNOWN, plain
from hansa.contracts.prices import LIST_ITEMS_MAX, MAP_ITEMS_MAX


class Saying(msgspec.Struct, frozen=True):
    """One place that says something: an event's name or a refusal's text, and the types of the values it carries."""

    is_event: bool
    text: str
    types: dict[str, Type]


def gather(places: Iterable[Saying], libraries: Mapping[str, Said]) -> Said:
    """What a file says, with what its libraries say, by alias; a text of `require` that carries nothing is left out.

    One rule for what is said at several places: a field has a type if it is of one kind at all that give it, which may
    be None if it may be None at one. Bounds mean nothing here.
    """
    events: dict[str, list[dict[str, Type]]] = {}
    refusals: dict[str, list[dict[str, Type]]] = {}
    for place in places:
        if place.is_event or place.types:
            (events if place.is_event else refusals).setdefault(place.text, []).append(place.types)
    return Said(
        {name: _carried(found) for name, found in events.items()},
        {text: _carried(found) for text, found in refusals.items()},
        {alias: said for alias, said in libraries.items() if said.refusals or said.libraries},
    )


def _carried(places: list[dict[str, Type]]) -> Carried:
    fields: dict[str, Type | None] = {}
    for types in places:
        for name, type_ in types.items():
            before = fields.get(name, UNKNOWN)
            fields[name] = None if before is None else _joined(before, type_)
    known = {name: type_ if type_ is None or _is_known(type_) else None for name, type_ in fields.items()}
    return Carried(known, tuple(name for name in fields if all(name in types for types in places)))


def _joined(first: Type, second: Type) -> Type | None:
    """The one type, without bounds, of values of both; None if they are of two kinds."""
    found = _of_one_kind(plain(first), plain(second))
    may_be_none = isinstance(first, OptionalType) or isinstance(second, OptionalType)
    return OptionalType(found) if may_be_none and found is not None else found


def _of_one_kind(first: Type, second: Type) -> Type | None:
    if UNKNOWN in (first, second):
        known = second if first == UNKNOWN else first
        return UNKNOWN if known == UNKNOWN else _of_one_kind(known, known)
    match first, second:
        case TextType(), TextType():
            return TEXT
        case IntType(), IntType():
            return INT
        case BytesType(), BytesType():
            return BYTES
        case ListType(), ListType():
            item = _joined(first.item, second.item)
            return None if item is None else ListType(item, LIST_ITEMS_MAX)
        case MapType(), MapType():
            key, value = _of_one_kind(first.key, second.key), _joined(first.value, second.value)
            return None if key is None or value is None else MapType(key, value, MAP_ITEMS_MAX)
        case _:
            return first if first == second else None


def _is_known(type_: Type) -> bool:
    """Whether it is clear all the way in: not so for None, or a list or map that is always empty."""
    match type_:
        case OptionalType() | ListType():
            return _is_known(type_.item)
        case MapType():
            return _is_known(type_.key) and _is_known(type_.value)
        case _:
            return type_ != UNKNOWN
