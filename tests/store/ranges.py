"""What ranges of records must be, worked out on a plain map: for tests of whatever gives them."""

from hypothesis import strategies as st

from hansa.wire import cbor, order


def check_any(reader, records, table, field, keys, values, data):
    """Compares a range with the map: whole, in pages, and from behind any position, which need be none of a record.

    `records` has seq and value by place; `keys` and `values` are strategies for keys and for values of the field.
    """
    encode, bounds = (order.key_bytes, keys) if field is None else (order.indexed_bytes, values)
    least, most = (data.draw(st.none() | bounds.map(encode)) for _ in range(2))
    descending, rows = data.draw(st.booleans()), data.draw(st.integers(1, 4))
    expected = sorted(_within(records, table, field, least, most), reverse=descending)

    def read(after, count):
        found = reader.select(*table, field, least, most, count, after, descending)
        return [(_position(field, key, one.value), one.seq, one.value) for key, one in found]

    walked, after = [], None
    while page := read(after, rows):
        assert len(page) <= rows
        walked += page
        after = page[-1][0]
    assert walked == expected
    assert read(None, len(expected) + 1) == expected
    assert read(None, 0) == []
    after = (data.draw(bounds.map(encode)) if field else b"", order.key_bytes(data.draw(keys)))
    behind = [row for row in expected if (row[0] < after if descending else row[0] > after)]
    assert read(after, rows) == behind[:rows]


def _within(records, table, field, least, most):
    prefix = order.table(*table)
    for place, (seq, value) in records.items():
        if place.startswith(prefix):
            indexed, key = _position(field, place[len(prefix) :], value)
            bound = key if field is None else indexed
            if (least is None or least <= bound) and (most is None or bound <= most):
                yield (indexed, key), seq, value


def _position(field, key, value):
    return b"" if field is None else order.indexed_bytes(cbor.decode_own(value)[field]), key
