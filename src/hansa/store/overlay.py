"""What was written above records that lie deeper: the newest values, and where these stand by key and by index.

`store.state` keeps one above LMDB for what is not flushed, `node.apply` one above the state for the block at hand; so a
range is read in one way, through however many layers. Pure: what lies deeper comes in as functions, and must not change
while an overlay above it is in use.
"""

import heapq
from bisect import bisect_left, insort
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from itertools import islice
from typing import Any, Final, TypeAlias

import msgspec

from hansa.wire import cbor, order
from hansa.wire.problems import HansaError
from hansa.wire.writes import Write

_STRIDE: Final = 16
"""To begin anew behind a spot costs about as much as passing over so many."""
_PASS: Final = 64
"""To put one spot into its place costs about as much as passing over so many that are in order."""

IndexesOf: TypeAlias = Callable[[str, str], tuple[str, ...]]
"""The indexed fields of a record type, by contract and record name; empty for types unknown or without index."""

Spot: TypeAlias = tuple[bytes, bytes]
"""Where a record stands in an order. By key: its place, and nothing. By index: its table, the field's byte and the
encoded value, and apart from these its encoded key, so that a longer value does not run into the keys of a shorter."""

Behind: TypeAlias = tuple[bytes, bytes]
"""The encoded indexed value (anything where the order is by key) and the encoded key that a read goes on behind."""


class Stored(msgspec.Struct, frozen=True, gc=False):
    """A record's current value (deterministic CBOR) and the seq of the entry that wrote it."""

    seq: int
    value: bytes


class Span(msgspec.Struct, frozen=True, gc=False):
    """The spots of one order from `low` on and before `high`, from which end they are read."""

    table: bytes
    by_index: bool
    low: Spot
    high: Spot
    descending: bool

    def behind(self, spot: Spot) -> "Span":
        """What is read of it behind a spot, or behind where one would stand."""
        if self.descending:
            return msgspec.structs.replace(self, high=min(self.high, spot))
        row, key = spot
        following = (row, key + b"\0") if self.by_index else (row + b"\0", key)
        return msgspec.structs.replace(self, low=max(self.low, following))

    def key(self, spot: Spot) -> bytes:
        """The encoded key of the record that stands there."""
        return spot[1] if self.by_index else spot[0][len(self.table) :]


class Overlay:
    """Writes above what is deeper: `deeper` gives a record there, `deeper_spots` what stands in a span there.

    `damage` makes the error of a record that an order names and that is not there.
    """

    __slots__ = (
        "_damage",
        "_deeper",
        "_deeper_spots",
        "_index",
        "_indexes_of",
        "_late",
        "_places",
        "entries",
        "records",
    )

    def __init__(
        self,
        indexes_of: IndexesOf,
        deeper: Callable[[bytes], Stored | None],
        deeper_spots: Callable[[Span], Generator[Spot]],
        damage: Callable[[str], HansaError],
    ) -> None:
        self._indexes_of = indexes_of
        self._deeper = deeper
        self._deeper_spots = deeper_spots
        self._damage = damage
        self.records: dict[bytes, Stored] = {}
        """By place."""
        self.entries: dict[Spot, bool] = {}
        """Spots by index that are taken here, or left (False); complete once `settle` has run."""
        self._places = _Run()
        self._index = _Run()
        self._late: dict[bytes, tuple[Write, Stored | None]] = {}
        """Records written since `settle`, with what stood here before that. To find what a write does to the orders
        costs more than the write, and most blocks read no range."""

    def get(self, place: bytes) -> Stored | None:
        """The record at a place (`wire.order.place`)."""
        found = self.records.get(place)
        return self._deeper(place) if found is None else found

    def select(
        self,
        contract: str,
        record: str,
        field: str | None,
        least: bytes | None,
        most: bytes | None,
        rows: int,
        after: Behind | None = None,
        descending: bool = False,
    ) -> list[tuple[bytes, Stored]]:
        """Up to `rows` records in the order of an indexed field, equal ones by key; by key if `field` is None.

        With each comes its encoded key. `least` and `most` are the first and the last encoded value
        (`order.indexed_bytes`) or key (`order.key_bytes`) that count, None for no bound; `after` is where a page before
        ended. Raises `HansaError` `query.index`, and what the deeper raises.
        """
        span = _span(self._indexes_of, contract, record, field, least, most, after, descending)
        found: list[tuple[bytes, Stored]] = []
        with closing(self.spots(span)) as spots:
            for spot in islice(spots, rows):
                key = span.key(spot)
                stored = self.get(span.table + key)
                if stored is None:
                    raise self._damage(f"the order of {contract}.{record} by {field or 'key'} names a missing record")
                found.append((key, stored))
        return found

    def spots(self, span: Span) -> Generator[Spot]:
        """What stands in a span, here and deeper, in order. To be closed before anything is written."""
        self.settle()
        run = self._index if span.by_index else self._places
        with closing(self._untouched(span, run)) as deeper:
            yield from heapq.merge(run.within(span), deeper, reverse=span.descending)

    def write(self, seq: int, written: Iterable[Write]) -> None:
        """Takes in what an entry wrote."""
        records, late = self.records, self._late
        for write in written:
            place = write.place
            known = late.get(place)
            late[place] = write, records.get(place) if known is None else known[1]
            records[place] = Stored(seq, write.value)

    def settle(self) -> None:
        """Brings the orders up to what was written; reading one does so too."""
        for place, (write, old) in self._late.items():
            if old is None:
                self._places.add((place, b""))
            indexes = self._indexes_of(write.contract, write.record)
            if indexes:
                self._move(write, self._deeper(place) if old is None else old, indexes)
        self._late.clear()

    def _untouched(self, span: Span, run: "_Run") -> Generator[Spot]:
        """What stands in a span deeper and is not written here, in order.

        A stretch of deeper spots that are all written here stays one for the life of the overlay, so what is found of
        it is kept: whoever takes the first of a queue again and again does not pass over all those taken before.
        """
        touched = self.entries if span.by_index else self.records
        jumps = run.jumps[span.descending]
        stretch: list[Spot] = []  # some of its spots
        length, end = 0, (b"", b"")
        rest: Span | None = span
        while rest is not None:
            with closing(self._deeper_spots(rest)) as deeper:
                rest = None
                for spot in deeper:
                    if (spot if span.by_index else spot[0]) not in touched:
                        if length > _STRIDE:
                            jumps.update(dict.fromkeys(stretch, end))
                        length = 0
                        yield spot
                        continue
                    if length == 0:
                        stretch.clear()
                    if length % _STRIDE == 0:
                        stretch.append(spot)
                    length += 1
                    end = jumps.get(spot, spot)
                    if end != spot:
                        length += _STRIDE
                        rest = span.behind(end)
                        break
        if length > _STRIDE:
            jumps.update(dict.fromkeys(stretch, end))

    def _move(self, write: Write, old: Stored | None, indexes: tuple[str, ...]) -> None:
        table, key = order.table(write.contract, write.record), order.key_bytes(write.key)
        before: dict[str, Any] = {} if old is None else cbor.decode_own(old.value)
        after: dict[str, Any] = cbor.decode_own(write.value)
        for field in indexes:
            if old is None or before.get(field) != after.get(field):
                of_field = column(table, indexes, field)
                if old is not None:
                    self._enter((of_field + order.indexed_bytes(before.get(field)), key), False)
                self._enter((of_field + order.indexed_bytes(after.get(field)), key), True)

    def _enter(self, spot: Spot, present: bool) -> None:
        was = self.entries.get(spot, False)
        self.entries[spot] = present
        if present:
            self._index.add(spot)
        elif was:
            self._index.remove(spot)


class _Run:
    """Spots in order. New ones are sorted in when they are read: a few each to its place, many in one pass over all."""

    __slots__ = ("_new", "_spots", "jumps")

    def __init__(self) -> None:
        self._spots: list[Spot] = []
        self._new: dict[Spot, None] = {}
        self.jumps: tuple[dict[Spot, Spot], dict[Spot, Spot]] = ({}, {})
        """Ascending and descending: from a deeper spot to another up to which all that are deeper are written here."""

    def add(self, spot: Spot) -> None:
        self._new[spot] = None

    def remove(self, spot: Spot) -> None:
        if spot in self._new:
            del self._new[spot]
        else:
            del self._spots[bisect_left(self._spots, spot)]

    def within(self, span: Span) -> Iterator[Spot]:
        if len(self._new) * _PASS < len(self._spots):
            for spot in self._new:
                insort(self._spots, spot)
        elif self._new:
            self._spots += self._new
            self._spots.sort()
        self._new.clear()
        places = range(bisect_left(self._spots, span.low), bisect_left(self._spots, span.high))
        return map(self._spots.__getitem__, reversed(places) if span.descending else places)


def _span(
    indexes_of: IndexesOf,
    contract: str,
    record: str,
    field: str | None,
    least: bytes | None,
    most: bytes | None,
    after: Behind | None,
    descending: bool,
) -> Span:
    table = order.table(contract, record)
    begin = table if field is None else column(table, indexes_of(contract, record), field)
    low = (begin + (least or b""), b"")
    # A bound and a NUL is what comes next behind it; a column with its last byte counted on, what comes behind it all.
    high = (begin[:-1] + bytes((begin[-1] + 1,)) if most is None else begin + most + b"\0", b"")
    span = Span(table, field is not None, low, high, descending)
    if after is None:
        return span
    value, key = after
    return span.behind((begin + key, b"") if field is None else (begin + value, key))


def column(table: bytes, indexes: tuple[str, ...], field: str) -> bytes:
    """What all rows of one index begin with: the table and the field's number, of which a record has 64 at most."""
    if field not in indexes:
        raise HansaError("query.index", f"there is no index on {field!r}", indexes=list(indexes))
    return table + bytes((indexes.index(field),))
