"""Records while a contract runs: touched, found, made, ranged over and scheduled for; and calls of other contracts.

Used by the guards and by `execution`. What was touched stands in the frame, in that order: so it is written.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# Values are dynamic here: their kinds were checked before.

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from hansa.contracts import messages, schedules
from hansa.contracts.calls import Found
from hansa.contracts.codecs import Codec, fit, to_plain
from hansa.contracts.frame import Frame
from hansa.contracts.manifest import STATE_FIELD
from hansa.contracts.prices import (
    BYTES_PER_STEP,
    CALL_DEPTH_MAX,
    MIGRATION_STEPS,
    OUTPUT_BYTES_PER_STEP,
    RECORDS_MAX,
    SCHEDULE_AHEAD_MS_MIN,
    SCHEDULES_MAX,
    SCHEDULES_OF_TIME_MAX,
    SELECT_CHANGED_STEPS,
    SELECT_ROWS_MAX,
    SELECT_STEPS,
    STORE_STEPS,
    TOUCH_AGAIN_STEPS,
    TOUCH_STEPS,
)
from hansa.contracts.values import Record, Shape
from hansa.wire import cbor, order
from hansa.wire.limits import CHECK_STEPS_PER_BYTE
from hansa.wire.order import Key, Sortable

_READ_BYTES_MAX: Final = 8 * 1024 * 1024
"""What a range reads at a time, before any of it is charged."""
Fits = Sequence[tuple[str, Codec, str]]
"""Names with their codecs and the places that misfits are told of."""


def deeper(frame: Frame) -> None:
    """One function or contract more in each other."""
    if frame.depth >= CALL_DEPTH_MAX:
        raise messages.call_too_deep()
    frame.depth += 1


def charge_check(frame: Frame, source: str) -> None:
    """Charges for checking a file."""
    frame.charge(CHECK_STEPS_PER_BYTE * len(source))


def touch(frame: Frame, shape: Shape, key: Key, place: bytes) -> Record | None:
    """The record at a place, None if there is none. The first touch in a transaction loads it, and migrates it."""
    touched = frame.records
    if place in touched:
        frame.charge(TOUCH_AGAIN_STEPS)
        return touched[place]
    found = _read(frame, place)
    record = None if found is None else _loaded(frame, shape, key, place, found)
    touched[place] = record
    return record


def _read(frame: Frame, place: bytes) -> Found | None:
    """What is stored at a place that was not touched before."""
    if len(frame.records) >= RECORDS_MAX:
        raise messages.records_exceeded()
    frame.charge(TOUCH_STEPS)
    return frame.reader.get(place)


def _loaded(frame: Frame, shape: Shape, key: Key, place: bytes, found: Found) -> Record:
    frame.charge(len(found.value) // BYTES_PER_STEP)
    versions = frame.host.versions(shape.contract)
    newest = number = len(versions) - 1
    while number and versions[number][0] > found.seq:
        number -= 1
    cache = frame.cache
    stored = shape if number == newest else versions[number][1].shapes[shape.name]
    values, weight = stored.load(found.value) if cache is None else cache.load(stored, place, found)
    if weight:
        frame.make(weight)
    if number == newest:
        return Record(shape, key, place, values, found.seq)
    for _, program in versions[number + 1 :]:
        frame.charge(MIGRATION_STEPS)
        migrated = program.shapes[shape.name]
        assert migrated.migrate is not None
        values = migrated.migrate(frame, values, key, place)
    return Record(shape, key, place, values, found.seq)


def follow(frame: Frame, record: Record, name: str, shape: Shape) -> Record | None:
    """record.name, a reference: the record that it leads to."""
    key = record.values[name]
    if key is None:
        return None
    found = touch(frame, shape, key, shape.place(key))
    if found is None:
        raise messages.record_missing(shape.name)
    return found


def find(frame: Frame, shape: Shape, key: Key) -> Record | None:
    """Record.find(key)."""
    name = shape.type.key
    wrong = shape.codecs[name].problem(key, frame.host)
    if wrong:
        raise messages.bounds(messages.place_field(shape.name, name), wrong)
    return touch(frame, shape, key, shape.place(key))


def get(frame: Frame, shape: Shape, key: Key) -> Record:
    """Record.get(key)."""
    found = find(frame, shape, key)
    if found is None:
        raise messages.record_missing(shape.name)
    return found


def exists(frame: Frame, shape: Shape, key: Key) -> bool:
    """Record.exists(key)."""
    return find(frame, shape, key) is not None


def key_of(record: Record | None) -> "Key | None":
    """What a field that refers to a record holds."""
    return None if record is None else record.key


def create(frame: Frame, shape: Shape, fits: Fits, defaults: Mapping[str, Any], given: dict[str, Any]) -> Record:
    """Record.create(field=value, ...): `fits` in declared order, `defaults` in encoding order, all fields in it."""
    _fit_all(frame, fits, given)
    return place_new(frame, shape, {**defaults, **given})


def place_new(frame: Frame, shape: Shape, values: dict[str, Any]) -> Record:
    """Makes a record of these values, whose key must be free."""
    key = values[shape.type.key]
    place = shape.place(key)
    if place in frame.records:
        frame.charge(TOUCH_AGAIN_STEPS)
        is_free = frame.records[place] is None
    else:
        is_free = _read(frame, place) is None
    if not is_free:
        raise messages.record_exists(shape.name)
    record = Record(shape, key, place, values, None)
    frame.records[place] = record
    return record


def select(
    frame: Frame,
    shape: Shape,
    field: str,
    bounds: Mapping[str, Any],
) -> list[Record]:
    """The records of a range, in order of a field and then of the key.

    `bounds`: `equal`, or `least` and `most`; and the `limit`.
    """
    limit: int = bounds["limit"]
    codec = shape.codecs[field]
    encoded: dict[str, bytes] = {}
    for word in ("equal", "least", "most"):
        if word in bounds:
            value = bounds[word].key if type(bounds[word]) is Record else bounds[word]
            wrong = codec.problem(value, frame.host)
            if wrong:
                raise messages.bounds(messages.place_field(shape.name, field), wrong)
            encoded[word] = _sorted_bytes(shape, field, value)
    if not 1 <= limit <= SELECT_ROWS_MAX:
        raise messages.select_limit()
    changed = {r.place: r for r in frame.records.values() if r is not None and r.changed and r.shape is shape}
    frame.charge(SELECT_STEPS + SELECT_CHANGED_STEPS * len(changed))
    least, most = encoded.get("equal", encoded.get("least")), encoded.get("equal", encoded.get("most"))
    mine = sorted((_sorted_bytes(shape, field, record.values[field]), record.place) for record in changed.values())
    mine = [pair for pair in mine if (least is None or least <= pair[0]) and (most is None or pair[0] <= most)]
    found: list[Record] = []
    for place, row in _stored_rows(frame, shape, field, least, most, limit + len(changed)):
        if place in changed:
            continue
        if mine:
            at = _sorted_bytes(shape, field, _stored_field(row, field))
            while mine and mine[0] < (at, place) and len(found) < limit:
                found.append(_row(frame, shape, mine.pop(0)[1], None))
        if len(found) == limit:
            return found
        found.append(_row(frame, shape, place, row))
    return found + [_row(frame, shape, place, None) for _, place in mine[: limit - len(found)]]


def _stored_rows(
    frame: Frame, shape: Shape, field: str, least: bytes | None, most: bytes | None, count: int
) -> Iterator[tuple[bytes, Found]]:
    """What is stored in a range, with its place.

    Large records are read a few at a time: those behind are not, if the steps end before.
    """
    by = None if field == shape.type.key else field
    part = max(1, min(count, _READ_BYTES_MAX // shape.bytes_most))
    rows = frame.reader.select(shape.contract, shape.name, by, least, most, part)
    while True:
        for key, row in rows:
            yield shape.table + key, row
        count -= part
        if len(rows) < part or count <= 0:
            return
        key, row = rows[-1]
        behind = (b"" if by is None else _sorted_bytes(shape, field, _stored_field(row, field)), key)
        part = min(part, count)
        rows = frame.reader.select(shape.contract, shape.name, by, least, most, part, behind)


def _row(frame: Frame, shape: Shape, place: bytes, found: Found | None) -> Record:
    record = frame.records.get(place)
    if record is None:
        assert found is not None
        key: Key = _stored_field(found, shape.type.key)
        record = touch(frame, shape, key, place)
        assert record is not None
        return record
    frame.charge(TOUCH_AGAIN_STEPS)
    return record


def _stored_field(found: Found, field: str) -> Any:
    """A key or indexed field as it is stored: these stay as they are from version to version."""
    return cbor.decode_own(found.value)[field]


def _sorted_bytes(shape: Shape, field: str, value: Sortable) -> bytes:
    if field == shape.type.key:
        assert isinstance(value, int | str | bytes)
        return order.key_bytes(value)
    return order.indexed_bytes(value)


def schedule(frame: Frame, record: Record, action: str, at: int) -> None:
    """Has ledger time take an action on a record."""
    call = frame.call
    if at < call.time + SCHEDULE_AHEAD_MS_MIN:
        raise messages.schedule_past()
    number = len(frame.schedules)
    if number == (SCHEDULES_MAX if call.caller.member is not None else SCHEDULES_OF_TIME_MAX):
        raise messages.schedules_count()
    shape = record.shape
    write = schedules.pending(shape.contract, shape.name, record.key, action, at, call.seq, number)
    frame.charge(STORE_STEPS + (len(write.place) + len(write.value)) // OUTPUT_BYTES_PER_STEP)
    frame.schedules.append(write)


def call_action(frame: Frame, contract: str, action: str, fits: Fits, given: dict[str, Any]) -> None:
    """Interface.action(name=value, ...)."""
    _fit_all(frame, fits, given)
    frame.enter(frame, contract, action, to_plain(given), False)


def call_view(frame: Frame, contract: str, view: str, fits: Fits, returns: Codec, given: dict[str, Any]) -> Any:
    """Interface.view(name=value, ...)."""
    _fit_all(frame, fits, given)
    found = frame.enter(frame, contract, view, to_plain(given), True)
    wrong = returns.problem(found, frame.host)
    if wrong:
        raise messages.call_result(contract, view, wrong)
    return found if returns.from_plain is None else returns.from_plain(found)


def _fit_all(frame: Frame, fits: Fits, given: dict[str, Any]) -> None:
    for name, codec, place in fits:
        if name in given:
            fit(frame, given[name], codec, place)


class Migration:
    """How records of the version before become this one's: fields carried, defaults, then the body, if there is one."""

    def __init__(
        self, shape: Shape, carried: Sequence[str], defaults: Mapping[str, Any], body: Callable[..., None] | None
    ) -> None:
        self._shape = shape
        self._carried = carried
        self._defaults = defaults
        self._body = body

    def __call__(self, frame: Frame, values: dict[str, Any], key: Key, place: bytes) -> dict[str, Any]:
        """The new values; see `values.Migrating`."""
        made = {**self._defaults, **{name: values[name] for name in self._carried if name in values}}
        if STATE_FIELD in values and STATE_FIELD in self._shape.codecs:
            made[STATE_FIELD] = values[STATE_FIELD]
        if self._body is not None:
            deeper(frame)
            self._body(frame, Record(self._shape, key, place, made, None), values)
            frame.depth -= 1
        for name in self._shape.type.fields:
            fit(frame, made[name], self._shape.codecs[name], messages.place_field(self._shape.name, name))
        return made
