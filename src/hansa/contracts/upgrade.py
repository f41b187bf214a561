"""What the next version of a contract must keep, so that its records live on.

Asked when a version is deployed, and by whoever tries it before.
"""

from hansa.contracts.manifest import (
    EnumType,
    ListType,
    Manifest,
    MapType,
    OptionalType,
    RecordType,
    StructType,
    Type,
    stored_type,
)
from hansa.contracts.operations import kind, plain


def problems(before: Manifest, now: Manifest) -> list[str]:
    """Why `now` cannot follow `before`, in words; empty if it can."""
    found: list[str] = []
    if _numbers(now.version) <= _numbers(before.version):
        found.append(f"version {now.version} must be higher than {before.version}")
    for record in before.records.values():
        new = now.records.get(record.name)
        if new is None:
            found.append(f"the record `{record.name}` is gone: its records would be lost")
        else:
            found += _record_problems(before, now, record, new)
    return found


def _record_problems(before: Manifest, now: Manifest, old: RecordType, new: RecordType) -> list[str]:
    name = old.name
    found: list[str] = []
    if new.key != old.key or new.indexes != old.indexes:
        found.append(f"the key and the indexes of `{name}` stay as they are")
    found += [f"the state `{state}` of `{name}` is gone" for state in old.states if state not in new.states]
    if new.states and not old.states:
        found.append(f"`{name}` had no states: declare a new record")
    carried = set(carried_fields(before, now, name))
    for field in (new.key, *new.indexes):
        if field in old.fields and field not in carried:
            found.append(f"`{name}.{field}` is a key or indexed: its type stays")
    if new.migration is not None:
        struct = now.structs[new.migration.struct]
        there = dict(old.fields)
        wanted = {field: stored_type(before, there[field].type) for field in there}
        fields = {field.name: field.type for field in struct.fields.values()}
        state = fields.pop("state", None) if old.states else None
        if old.states and (state is None or kind(state) != "text"):
            found.append(f"`{struct.name}` must have `state: Text[1, 48]`, as the records of `{name}` before")
        if fields.keys() != wanted.keys():
            found.append(f"`{struct.name}` must have exactly the fields of the version before of `{name}`")
        else:
            for field, type_ in fields.items():
                if not _is_same(before, wanted[field], now, type_):
                    found.append(f"`{struct.name}.{field}` must be as `{name}.{field}` was in the version before")
    else:
        for field in new.fields.values():
            if field.required and field.name not in carried:
                found.append(f"`{name}.{field.name}` is new or changed: give it a default, or write a migration")
    return found


def carried_fields(before: Manifest, now: Manifest, record: str) -> list[str]:
    """The fields of a record that the next version takes over as they are: of one name and kind, all the way in."""
    old, new = before.records[record].fields, now.records[record].fields
    return [
        name
        for name, field in new.items()
        if name in old and _is_same(before, stored_type(before, old[name].type), now, stored_type(now, field.type))
    ]


def _is_same(before: Manifest, old: Type, now: Manifest, new: Type) -> bool:
    """Whether stored values of one type can be read as the other: equal but for bounds; more may be optional."""
    if isinstance(new, OptionalType):
        return _is_same(before, plain(old), now, new.item)
    match old, new:
        case OptionalType(), _:
            return False
        case ListType(), ListType():
            return _is_same(before, old.item, now, new.item)
        case MapType(), MapType():
            return _is_same(before, old.key, now, new.key) and _is_same(before, old.value, now, new.value)
        case StructType(), StructType():
            fields, theirs = before.structs[old.struct].fields, now.structs[new.struct].fields
            return fields.keys() == theirs.keys() and all(
                _is_same(before, field.type, now, theirs[name].type) for name, field in fields.items()
            )
        case EnumType(), EnumType():
            return before.enums[old.enum].values.keys() <= now.enums[new.enum].values.keys()
        case _:
            return kind(old) == kind(new) or (kind(old), kind(new)) == ("amount", "signed")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
