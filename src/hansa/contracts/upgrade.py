"""What the next version of a contract must keep, so that its records live on.

Asked when a version is deployed, and by whoever tries it before.
"""

from hansa.contracts.manifest import (
    BytesType,
    EnumType,
    IntType,
    ListType,
    Manifest,
    MapType,
    OptionalType,
    RecordType,
    ReferenceType,
    StructType,
    TextType,
    Type,
    stored_type,
)
from hansa.contracts.operations import kind, plain


def problems(before: Manifest, now: Manifest) -> list[str]:
    """Why `now` cannot follow `before`, in words; empty if it can."""
    found: list[str] = []
    if numbers(now.version) <= numbers(before.version):
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
    comparison = _Comparison(before, now)
    carried = set(comparison.carried(name))
    for field in (new.key, *new.indexes):
        if field in old.fields and (
            field not in carried or _is_narrower(old.fields[field].type, new.fields[field].type)
        ):
            found.append(f"`{name}.{field}` is a key or indexed: its type stays, and its bounds only widen")
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
                if not comparison.is_same(wanted[field], type_):
                    found.append(f"`{struct.name}.{field}` must be as `{name}.{field}` was in the version before")
    else:
        for field in new.fields.values():
            if field.required and field.name not in carried:
                found.append(f"`{name}.{field.name}` is new or changed: give it a default, or write a migration")
    return found


def carried_fields(before: Manifest, now: Manifest, record: str) -> list[str]:
    """The fields of a record that the next version takes over as they are: of one name and kind, all the way in."""
    return _Comparison(before, now).carried(record)


class _Comparison:
    """Stored values of two versions: which can be read as they are. Each pair of structs is looked at once."""

    def __init__(self, before: Manifest, now: Manifest) -> None:
        self._before = before
        self._now = now
        self._structs: dict[tuple[str, str], bool] = {}

    def carried(self, record: str) -> list[str]:
        """See `carried_fields`."""
        old, new = self._before.records[record].fields, self._now.records[record].fields
        return [
            name
            for name, field in new.items()
            if name in old
            and _referred(old[name].type) == _referred(field.type)
            and self.is_same(stored_type(self._before, old[name].type), stored_type(self._now, field.type))
        ]

    def is_same(self, old: Type, new: Type) -> bool:
        """Whether stored values of one type can be read as the other: equal but for bounds; more may be optional."""
        if isinstance(new, OptionalType):
            return self.is_same(plain(old), new.item)
        match old, new:
            case OptionalType(), _:
                return False
            case ListType(), ListType():
                return self.is_same(old.item, new.item)
            case MapType(), MapType():
                return self.is_same(old.key, new.key) and self.is_same(old.value, new.value)
            case StructType(), StructType():
                pair = (old.struct, new.struct)
                if pair not in self._structs:
                    self._structs[pair] = self._is_same_struct(*pair)
                return self._structs[pair]
            case EnumType(), EnumType():
                return self._before.enums[old.enum].values.keys() <= self._now.enums[new.enum].values.keys()
            case _:
                return kind(old) == kind(new) or (kind(old), kind(new)) == ("amount", "signed")

    def _is_same_struct(self, old: str, new: str) -> bool:
        fields, theirs = self._before.structs[old].fields, self._now.structs[new].fields
        return fields.keys() == theirs.keys() and all(
            self.is_same(field.type, theirs[name].type) for name, field in fields.items()
        )


def _referred(type_: Type) -> str | None:
    """The record type that a field refers to; None if it does to none."""
    bare = plain(type_)
    return bare.record if isinstance(bare, ReferenceType) else None


def _is_narrower(old: Type, new: Type) -> bool:
    """Whether some values of the one type are none of the other, of a kind that can be a key."""
    old, new = plain(old), plain(new)
    match old, new:
        case (TextType(), TextType()) | (IntType(), IntType()) | (BytesType(), BytesType()):
            return new.least > old.least or new.most < old.most
        case _:
            return False


def numbers(version: str) -> tuple[int, ...]:
    """A version as what is compared."""
    return tuple(int(part) for part in version.split("."))
