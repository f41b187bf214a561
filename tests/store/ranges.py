"""What ranges of records must be, worked out on a plain map: for tests of whatever gives them."""

from hypothesis import strategies as st

from hansa.wire import cbor, order


def check_any(reader, records, table, fields, keys, data):
    """Compares every order with the map, and one range of one of them in pages and from behind any position.

    `records` has seq and value by place; `keys` is a strategy for keys, `fields` has one for the values of each index.
    """
    for field in (None, *fields):
        expected = sorted(_within(records, table, field, None, None))
        for descending in (False, True):
            assert _read(reader, table, field, None, None, len(expected) + 1, None, descending) == expected
            expected.reverse()
    field = data.draw(st.sampled_from([None, *fields]))
    encode, bounds = (order.key_bytes, keys) if field is None else (order.indexed_bytes, fields[field])
    least, most = (data.draw(st.none() | bounds.map(encode)) for _ in range(2))
    descending, rows = data.draw(st.booleans()), data.draw(st.integers(1, 4))
    expected = sorted(_within(records, table, field, least, most), reverse=descending)
    walked, after = [], None
    while page := _read(reader, table, field, least, most, rows, after, descending):
        assert len(page) <= rows
        walked += page
        after = page[-1][0]
        assert len(walked) <= len(expected)
    assert walked == expected
    assert _read(reader, table, field, least, most, 0, None, descending) == []
    # A position need be none of a record.
    after = (data.draw(bounds.map(encode)) if field else b"", order.key_bytes(data.draw(keys)))
    behind = [row for row in expected if (row[0] < after if descending else row[0] > after)]
    assert _read(reader, table, field, least, most, rows, after, descending) == behind[:rows]


def _read(reader, table, field, least, most, rows, after, descending):
    found = reader.select(*table, field, least, most, rows, after, descending)
    return [(_position(field, key, one.value), one.seq, one.value) for key, one in found]


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
