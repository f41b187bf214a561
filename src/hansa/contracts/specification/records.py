"""How a transaction comes to records, makes, migrates, selects, judges and stores them."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Values are dynamic: the static checker has seen to their kinds.

from collections.abc import Sequence
from typing import Any

from hansa.contracts import manifest as declared
from hansa.contracts import messages, prices
from hansa.contracts.calls import Found
from hansa.contracts.checked import Checked
from hansa.contracts.manifest import STATE_FIELD, Manifest, RecordType, Type
from hansa.contracts.specification.fitting import default_of, fit, from_plain
from hansa.contracts.specification.machine import Frame, Machine, ask, charge, enter, key_of, leave, make
from hansa.contracts.specification.measuring import Room, measure_fields, take
from hansa.contracts.specification.values import Record, Struct, is_container, to_plain, weigh
from hansa.wire import cbor, order
from hansa.wire.order import Key
from hansa.wire.writes import Write, WriteSet

# Touching


def touch(machine: Machine, file: Checked, contract: str, type: RecordType, key: Key) -> Record | None:
    """Touching a record is what gives it, or says that there is none of its key.

    The first touch of a place in a transaction costs 20, and 1 for every 32 bytes of the stored record if there is
    one; every other costs 1. A transaction touches at most 1,024 places, else `records.exceeded`. A place without a
    record counts as any other. The order of first touches is the order in which records are stored.
    """
    place = order.place(contract, type.name, key)
    if place in machine.records:
        charge(machine, prices.TOUCH_AGAIN_STEPS)
        return machine.records[place]
    first_touch(machine)
    found = ask(machine.reader.get, place)
    machine.records[place] = None
    if found is not None:
        machine.records[place] = load(machine, contract, type.name, key, place, found)
    record = machine.records[place]
    if machine.observer is not None:
        machine.observer.touched(machine, contract, type.name, key, record)
    return record


def first_touch(machine: Machine) -> None:
    """Counts and charges a place that is new to the transaction."""
    if len(machine.records) + 1 > prices.RECORDS_MAX:
        raise messages.records_exceeded()
    charge(machine, prices.TOUCH_STEPS)


def load(machine: Machine, contract: str, name: str, key: Key, place: bytes, found: Found) -> Record:
    """A stored record: charged by its bytes, and by the weight of the lists, maps and structs in its fields as they are
    made; then migrated if an older version of the contract stored it.

    Which version did is decided by the entry that wrote it last.
    """
    charge(machine, len(found.value) // prices.BYTES_PER_STEP)
    versions: Sequence[tuple[int, Checked]] = ask(machine.host.versions, contract)
    now, then = version_at(versions, machine.call.seq), version_at(versions, found.seq)
    file = versions[then][1]
    record = Record(file.manifest.records[name], file, contract, key, place, found.seq)
    plain = cbor.decode_own(found.value)
    for field in record.type.fields.values():
        record.fields[field.name] = from_plain(file.manifest, field.type, plain[field.name])
    make(machine, sum(weigh(value) for value in record.fields.values() if is_container(value)))
    if record.type.states:
        record.fields[STATE_FIELD] = plain[STATE_FIELD]
    for _, newer in versions[then + 1 : now + 1]:
        record = migrate(machine, record, newer)
    return record


def version_at(versions: Sequence[tuple[int, Checked]], seq: int) -> int:
    """Which version of a contract decides about an entry: the last that is in force by then; the first before all."""
    return max([number for number, (since, _) in enumerate(versions) if since <= seq], default=0)


def get_record(machine: Machine, file: Checked, contract: str, type: RecordType, key: Any) -> Record:
    """`LC.get(key)`: the key fits the type of the key field, then the place is touched; `record.missing` if there is no
    record. `LC.find(key)` is None then, and `LC.exists(key)` only says whether there is one.
    """
    found = find_record(machine, file, contract, type, key)
    if found is None:
        raise messages.record_missing(type.name)
    return found


def find_record(machine: Machine, file: Checked, contract: str, type: RecordType, key: Any) -> Record | None:
    """The record of a key as a body has it."""
    return touch(machine, file, contract, type, fit_key(machine, file, type, key))


def fit_key(machine: Machine, file: Checked, type: RecordType, key: Any) -> Key:
    """A key as a body has it, fitted to the type of the key field, in plain form."""
    place = messages.place_field(type.name, type.key)
    return key_of(to_plain(fit(machine, file.manifest, type.fields[type.key].type, key, place)))


# Fields


def get_field(machine: Machine, record: Record, name: str) -> Any:
    """`record.field`: its value. A reference to another record is touched, and its value is that record; None stays
    None.
    """
    value = record.fields[name]
    field = record.type.fields.get(name)  # `state` stands in no declaration
    target = None if field is None else reference_of(field.type)
    if target is None or value is None:
        return value
    type = record.file.manifest.records[target]
    found = touch(machine, record.file, record.contract, type, key_of(value))
    if found is None:
        raise messages.record_missing(target)
    return found


def reference_of(type: Type) -> str | None:
    """The record type that a reference, optional or not, refers to; None for any other type."""
    if isinstance(type, declared.OptionalType):
        return reference_of(type.item)
    return type.record if isinstance(type, declared.ReferenceType) else None


def set_field(machine: Machine, record: Record, name: str, value: Any) -> None:
    """`record.field = e`: e fits the field's type; the record counts as changed, even by the same value."""
    type = record.type.fields[name].type
    place = messages.place_field(record.type.name, name)
    fitted = fit(machine, record.file.manifest, type, value, place)
    record.fields[name] = fitted.key if isinstance(fitted, Record) else fitted
    record.changed = True


def set_state(record: Record, state: str) -> None:
    """`become(record, "State")`: the record is in this state from now on, and counts as changed."""
    record.fields[STATE_FIELD] = state
    record.changed = True


# Making


def create_record(
    machine: Machine, file: Checked, contract: str, type: RecordType, given: dict[str, Any], state: str | None
) -> Record:
    """`LC.create(f=e, ..., state="State")`: what is given fits its fields, in the order in which they are declared; the
    others get their defaults. Then the place is touched; `record.exists` if there is a record.
    """
    fields: dict[str, Any] = {}
    for field in type.fields.values():
        if field.name in given:
            place = messages.place_field(type.name, field.name)
            fitted = fit(machine, file.manifest, field.type, given[field.name], place)
            fields[field.name] = fitted.key if isinstance(fitted, Record) else fitted
        elif not field.required:
            fields[field.name] = default_of(file.manifest, field)
    return put_record(machine, file, contract, type, fields, state)


def put_record(
    machine: Machine, file: Checked, contract: str, type: RecordType, fields: dict[str, Any], state: str | None
) -> Record:
    """A new record in its place, which is touched and must be free."""
    key = key_of(to_plain(fields[type.key]))
    place = order.place(contract, type.name, key)
    if place in machine.records:
        charge(machine, prices.TOUCH_AGAIN_STEPS)
        taken = machine.records[place] is not None
    else:
        first_touch(machine)
        taken = ask(machine.reader.get, place) is not None
    if taken:
        raise messages.record_exists(type.name)
    record = Record(type, file, contract, key, place, None)
    record.fields = fields
    if state is not None:
        record.fields[STATE_FIELD] = state
    record.changed = True
    machine.records[place] = record
    if machine.observer is not None:
        machine.observer.made(machine, record)
    return record


# Selecting


def select_records(
    machine: Machine, file: Checked, contract: str, type: RecordType, given: dict[str, Any]
) -> list[Record]:
    """`for x in LC.select(by="field", equal=e, limit=n)`, or with `least=` and `most=`, both inclusive and either left
    out: records in order of the indexed field (None first), then of the key; without `by` in order of the key.

    Bounds fit the type of the field, `limit` is 1 to 1,024 (`value.range`). Costs 50, and 10 for every record
    of the type that this transaction has made or changed, for these count as they are now; then every record found is
    touched, before the loop begins.
    """
    by = given.get("by")
    name = type.key if by is None else by
    bounds: dict[str, bytes] = {}
    for word in ("equal", "least", "most"):
        if word in given:
            bounds[word] = _sortable(machine, file, type, name, given[word], indexed=by is not None)
    least, most = bounds.get("equal", bounds.get("least")), bounds.get("equal", bounds.get("most"))
    if not 1 <= given["limit"] <= prices.SELECT_ROWS_MAX:
        raise messages.select_limit()
    table = order.table(contract, type.name)
    mine = [each for each in machine.records.values() if each is not None and each.place.startswith(table)]
    changed = sum(each.changed for each in mine)
    charge(machine, prices.SELECT_STEPS + prices.SELECT_CHANGED_STEPS * changed)
    rows = ask(machine.reader.select, contract, type.name, by, least, most, given["limit"] + len(mine))
    found: list[tuple[bytes, bytes, Found | None]] = []
    for record in mine:
        encoded = record.place[len(table) :]
        value = encoded if by is None else order.indexed_bytes(to_plain(record.fields[by]))
        if (least is None or least <= value) and (most is None or value <= most):
            found.append((value, encoded, None))
    for encoded, row in rows:
        if table + encoded not in machine.records:
            value = encoded if by is None else order.indexed_bytes(_stored(machine, contract, type, by, row))
            found.append((value, encoded, row))
    found.sort(key=lambda each: each[:2])
    return [_touch_row(machine, contract, type, table + encoded, row) for _, encoded, row in found[: given["limit"]]]


def _sortable(machine: Machine, file: Checked, type: RecordType, name: str, value: Any, indexed: bool) -> bytes:
    place = messages.place_field(type.name, name)
    fitted = fit(machine, file.manifest, type.fields[name].type, value, place)
    plain = to_plain(fitted.key if isinstance(fitted, Record) else fitted)
    return order.indexed_bytes(plain) if indexed else order.key_bytes(key_of(plain))


def _stored(machine: Machine, contract: str, type: RecordType, field: str, row: Found) -> Any:
    """The indexed value of a stored record; of one that an older version stored, what a new field starts with."""
    plain = cbor.decode_own(row.value)
    return plain[field] if field in plain else type.fields[field].default


def _touch_row(machine: Machine, contract: str, type: RecordType, place: bytes, row: Found | None) -> Record:
    if row is None:
        charge(machine, prices.TOUCH_AGAIN_STEPS)
        record = machine.records[place]
        assert record is not None
        return record
    first_touch(machine)
    key = key_of(cbor.decode_own(row.value)[type.key])
    machine.records[place] = None
    record = load(machine, contract, type.name, key, place, row)
    machine.records[place] = record
    if machine.observer is not None:
        machine.observer.touched(machine, contract, type.name, key, record)
    return record


# Migrating


def migrate(machine: Machine, old: Record, newer: Checked) -> Record:
    """A record of one version as the next version has it, by way of every version between. Costs 10 for each.

    A field is carried if the older type has one of its name and kind; otherwise it starts with its default. The state
    is kept. Then the record type's migration runs, if there is one, with the new record and a struct of the old one.
    At last every field fits its type, in the order in which they are declared. This alone is no change: the record is
    stored when an action changes it.
    """
    charge(machine, prices.MIGRATION_STEPS)
    file, type = newer.manifest, newer.manifest.records[old.type.name]
    record = Record(type, newer, old.contract, old.key, old.place, old.previous)
    for field in type.fields.values():
        before = old.type.fields.get(field.name)
        if before is not None and same_kind(old.file.manifest, before.type, file, field.type):
            record.fields[field.name] = from_plain(file, field.type, to_plain(old.fields[field.name]))
        elif not field.required:
            record.fields[field.name] = default_of(file, field)
    if type.states:
        record.fields[STATE_FIELD] = old.fields.get(STATE_FIELD, next(iter(type.states)))
    if type.migration is not None:
        struct = file.structs[type.migration.struct]
        values = {
            name: from_plain(file, field.type, to_plain(old.fields[name])) for name, field in struct.fields.items()
        }
        frame = Frame(newer, old.contract, file.version)
        frame.locals = {type.migration.record: record, type.migration.old: Struct(struct, file, values)}
        enter(machine, frame)
        machine.run_body(machine, newer.bodies[type.name])
        leave(machine)
    for field in type.fields.values():
        place = messages.place_field(type.name, field.name)
        record.fields[field.name] = fit(machine, file, field.type, record.fields[field.name], place)
    record.changed = False
    return record


def same_kind(older: Manifest, a: Type, newer: Manifest, b: Type) -> bool:
    """A field can be carried if the types are the same but for bounds: structs have fields of the same names and kinds,
    and the values of an enum are all among the new one's. A reference stays one to records of the same name. What was
    not optional can become so, an Amount a SignedAmount.
    """
    if reference_of(a) != reference_of(b):
        return False
    match key_type(older, a), key_type(newer, b):
        case declared.OptionalType(item=before), declared.OptionalType(item=after):
            return same_kind(older, before, newer, after)
        case declared.OptionalType(), _:
            return False
        case before, declared.OptionalType(item=after):
            return same_kind(older, before, newer, after)
        case declared.StructType(struct=one), declared.StructType(struct=other):
            before, after = older.structs[one].fields, newer.structs[other].fields
            return before.keys() == after.keys() and all(
                same_kind(older, field.type, newer, after[name].type) for name, field in before.items()
            )
        case declared.ListType(item=before), declared.ListType(item=after):
            return same_kind(older, before, newer, after)
        case declared.MapType() as before, declared.MapType() as after:
            return same_kind(older, before.key, newer, after.key) and same_kind(older, before.value, newer, after.value)
        case declared.EnumType(enum=one), declared.EnumType(enum=other):
            return older.enums[one].values.keys() <= newer.enums[other].values.keys()
        case declared.AmountType() as before, declared.AmountType() as after:
            return after.signed or not before.signed
        case before, after:
            return type(before) is type(after)


def key_type(file: Manifest, type: Type) -> Type:
    """The type of a reference as it is stored, that of the key; any other type itself."""
    match type:
        case declared.ReferenceType(record=record):
            return file.records[record].fields[file.records[record].key].type
        case declared.OptionalType(item=declared.ReferenceType() as item):
            return declared.OptionalType(key_type(file, item))
        case _:
            return type


# The end of a transaction


def check_invariants(machine: Machine) -> None:
    """When all bodies have ended: for each record that was made or changed, in the order of first touch, its type's
    invariants in the order in which they are declared. A `require` in them that does not hold is `invariant.failed`.
    """
    machine.in_invariant = True
    for record in [each for each in machine.records.values() if each is not None and each.changed]:
        for invariant in record.type.invariants:
            frame = Frame(record.file, record.contract, record.file.manifest.version)
            frame.locals = {invariant.parameter: record}
            enter(machine, frame)
            machine.run_body(machine, record.file.bodies[f"{record.type.name}.{invariant.name}"])
            leave(machine)
    machine.in_invariant = False


def store(machine: Machine) -> WriteSet:
    """Then each of these records is stored, in the same order, and after them what was scheduled, in the order of
    scheduling. Each record costs 50, and 1 for every 8 bytes of its place (contract, type, key) and its value; what was
    scheduled is paid for already.

    All values have at most 1 MiB together, else `output.stored`: that comes before the charge. Fields are stored in
    encoding order; each write names the entry that wrote the record before, None for a new one.
    """
    room = Room(prices.STORED_BYTES_MAX, messages.stored_size)
    writes: WriteSet = []
    for record in machine.records.values():
        if record is not None and record.changed:
            measure_fields(room, record.fields)
            value = cbor.encode(to_plain(record.fields))
            writes.append(Write(record.contract, record.type.name, record.key, value, record.previous, record.place))
            charge_store(machine, writes[-1])
            if machine.observer is not None:
                machine.observer.stored(machine, writes[-1])
    for write in machine.schedules:
        take(room, len(write.value))
        writes.append(write)
    return writes


def charge_store(machine: Machine, write: Write) -> None:
    """What storing one record costs."""
    charge(machine, prices.STORE_STEPS + (len(write.place) + len(write.value)) // prices.OUTPUT_BYTES_PER_STEP)
