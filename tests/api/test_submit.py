"""Submitting: every form of the request and of the answer, and every refusal by its code."""

import socket
import time

import jsonschema_rs
import pytest

from hansa.api.operations import ANSWER, PROBLEM
from hansa.client import keys, transactions, verification
from hansa.wire import cbor, entry
from hansa.wire.limits import BATCH_BYTES_MAX, BATCH_ENVELOPES_MAX, ENVELOPE_BYTES_MAX

CBOR = b"accept: application/cbor\r\n"
SEQUENCE = b"application/cbor-seq"
ANSWER_SCHEMA = jsonschema_rs.validator_for(ANSWER)
PROBLEM_SCHEMA = jsonschema_rs.validator_for(PROBLEM)


def batch(server, prepared, query=b"", headers=b""):
    body = b"".join(getattr(one, "envelope", one) for one in prepared)
    return server.submit(body, query, headers=headers, kind=SEQUENCE)


def now():
    return time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def pinned(server):
    return verification.pin_genesis(server.ask(server.get(b"/node/genesis")).body, server.ledger)


# One transaction


def test_it_is_answered_when_its_entry_is_durable(server):
    prepared = server.tell()
    answer = server.submit(prepared)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    fields = answer.json()
    ANSWER_SCHEMA.validate(fields)
    assert (fields["id"], fields["status"], fields["duplicate"]) == (prepared.id.hex(), "applied", False)
    assert fields["events"] == [
        {"name": "told", "fields": fields["events"][0]["fields"]}
        if "fields" in fields["events"][0]
        else fields["events"][0]
    ]
    assert fields["seq"] == server.entries() - 1
    assert server.lookup(prepared.id) == "committed"


def test_a_cbor_answer_holds_the_exact_outcome(server):
    prepared = server.tell()
    as_json = server.submit(prepared).json()
    answer = server.submit(prepared, headers=CBOR)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/cbor")
    fields = cbor.decode(answer.body)  # deterministic, like everything the ledger encodes
    assert set(fields) == {"id", "seq", "outcome", "duplicate"}
    assert (fields["id"], fields["seq"], fields["duplicate"]) == (prepared.id, as_json["seq"], True)
    part = server.ask(server.get(f"/app/entries/{fields['seq']}/outcome".encode()))
    assert fields["outcome"] == part.body
    assert entry.decode_outcome(part.body).code == as_json["code"]


@pytest.mark.parametrize("form", ["json", "cbor"])
def test_a_receipt_comes_with_the_answer(server, pinned, form):
    prepared = server.tell()
    answer = server.submit(prepared, b"?receipt=true", headers=CBOR if form == "cbor" else b"")
    fields = cbor.decode(answer.body) if form == "cbor" else answer.json()
    receipt = fields["receipt"] if form == "cbor" else bytes.fromhex(fields["receipt"])
    outcome = server.ask(server.get(f"/app/entries/{fields['seq']}/outcome".encode())).body
    leaf = entry.make(entry.TRANSACTION, prepared.id, prepared.envelope, outcome)
    proven = verification.verify(receipt, leaf, pinned, envelope=prepared.envelope, outcome=outcome)
    assert (proven.seq, proven.signed.id) == (fields["seq"], prepared.id)


def test_a_duplicate_gets_a_receipt_too(server, pinned):
    prepared = server.tell()
    first = server.submit(prepared, b"?receipt=true").json()
    again = server.submit(prepared, b"?receipt=true").json()
    assert again.pop("duplicate") != first.pop("duplicate")
    assert again == first


@pytest.mark.parametrize("query", [b"?", b"?receipt=false", b"?wait=committed", b"?receipt=false&wait=committed"])
def test_what_is_meant_anyway_may_be_said(server, query):
    fields = server.submit(server.tell(), query).json()
    assert "receipt" not in fields
    assert fields["status"] == "applied"


def test_a_refused_action_is_an_answer(server):
    fields = server.submit(server.prepare()).json()
    assert (fields["status"], fields["code"]) == ("refused", "contract.unknown")
    ANSWER_SCHEMA.validate(fields)


def test_accepted_is_answered_at_once_and_committed_soon(server):
    prepared = server.tell()
    answer = server.submit(prepared, b"?wait=accepted")
    assert (answer.status, answer.json()) == (202, {"id": prepared.id.hex(), "status": "pending"})
    server.until(lambda: server.lookup(prepared.id) == "committed")


def test_accepted_is_not_said_of_a_forgery(server):
    """Its signature is checked at intake: such a transaction has no entry and never will."""
    answer = server.submit(server.forged(), b"?wait=accepted")
    assert (answer.status, answer.code) == (403, "signature.invalid")


def test_what_was_accepted_is_pending_or_committed_from_then_on(server):
    prepared = [server.tell() for _ in range(60)]
    with server.line() as line:
        line.send(*[server.request(one.envelope, b"?wait=accepted") for one in prepared])
        line.send(*[server.get(b"/app/transactions/" + one.id.hex().encode()) for one in prepared])
        assert [line.answer().status for _ in prepared] == [202] * len(prepared)
        assert {line.answer().json()["status"] for _ in prepared} <= {"pending", "committed"}
    server.until(lambda: all(server.lookup(one.id) == "committed" for one in prepared))


REFUSALS = {
    "no envelope": (lambda _: b"", 400, "envelope.form"),
    "noise": (lambda _: b"noise", 400, "envelope.form"),
    "cut off": (lambda server: server.tell().envelope[:-1], 400, "cbor.truncated"),
    "a byte behind": (lambda server: server.tell().envelope + b"\0", 400, "cbor.trailing"),
    "two": (lambda server: server.tell().envelope * 2, 400, "cbor.trailing"),
    "oversized": (lambda server: server.prepare(arguments={"x": bytes(ENVELOPE_BYTES_MAX)}), 413, "envelope.oversized"),
    "another ledger": (
        lambda server: transactions.prepare(server.keys["northbank"], bytes(32), "x", "y", {}),
        400,
        "transaction.ledger",
    ),
    "a stranger": (
        lambda server: transactions.prepare(keys.generate(), server.ledger, "x", "y", {}),
        403,
        "sender.unknown",
    ),
    "forged": (lambda server: server.forged(), 403, "signature.invalid"),
    "expired": (lambda server: server.prepare(not_after=now() - 1_000), 400, "transaction.expired"),
    "too far ahead": (lambda server: server.prepare(not_after=now() + 4_000_000), 400, "transaction.too_far"),
    "too many steps": (lambda server: server.prepare(steps_max=100_001), 400, "steps.limit"),
}


@pytest.mark.parametrize(("make", "status", "code"), REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("headers", [b"", CBOR], ids=["json", "cbor"])
def test_a_refusal_is_a_problem_document_and_leaves_no_entry(server, make, status, code, headers):
    entries = server.entries()
    answer = server.submit(make(server), headers=headers)
    assert (answer.status, answer.code) == (status, code)
    PROBLEM_SCHEMA.validate(answer.json())
    assert server.entries() == entries


def test_a_refusal_leaves_the_connection_open(server):
    with server.line() as line:
        for envelope, status in ((b"noise", 400), (server.forged(), 403), (server.tell().envelope, 200)):
            line.send(server.request(envelope))
            assert line.answer().status == status


# The content type and the query


@pytest.mark.parametrize(
    "kind",
    [
        b"application/json",
        b"text/plain",
        b"",
        b"application/cose-key",
        b"cose",
        b"application/cbor",
        b"multipart/form-data",
    ],
)
def test_another_content_type_is_refused_and_those_taken_are_named(server, kind):
    prepared = server.tell()
    answer = server.submit(prepared, kind=kind)
    assert (answer.status, answer.code) == (415, "request.content_type")
    assert answer.json()["accepted"] == ["application/cose", "application/cbor-seq"]
    assert server.lookup(prepared.id) == "not_found"


def test_no_content_type_is_refused(server):
    envelope = server.tell().envelope
    head = b"POST /app/transactions HTTP/1.1\r\nhost: " + server.host + b"\r\ncontent-length: "
    answer = server.ask(head + str(len(envelope)).encode() + b"\r\n\r\n" + envelope)
    assert (answer.status, answer.code) == (415, "request.content_type")


@pytest.mark.parametrize(
    "kind", [b"Application/COSE", b'application/cose; cose-type="cose-sign1"', b" application/cose "]
)
def test_a_content_type_may_have_parameters_and_capitals(server, kind):
    assert server.submit(server.tell(), kind=kind).status == 200


QUERIES = [
    b"?nothing=1",
    b"?Receipt=true",
    b"?receipt=yes",
    b"?receipt=",
    b"?receipt",
    b"?receipt=TRUE",
    b"?wait=never",
    b"?wait=",
    b"?receipt=true&nothing=1",
    b"?receipt=true&receipt=true",
    b"?wait=accepted&wait=committed",
    b"?%00=1",
    b"?%ff",
    b"?a&b&c&d&e&f&g&h&i",
    b"?" + b"&".join(b"n%d=1" % number for number in range(500)),
]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query[:40].decode())
def test_another_query_is_refused(server, query):
    prepared = server.tell()
    answer = server.submit(prepared, query)
    assert (answer.status, answer.code) == (400, "request.query")
    assert server.lookup(prepared.id) == "not_found"


# Batches


@pytest.mark.parametrize("form", ["json", "cbor"])
def test_each_item_of_a_batch_has_its_own_answer_in_its_order(server, form):
    first = server.tell()
    forged = server.forged()
    items = [
        (first, "ok"),
        (forged, "signature.invalid"),
        (server.prepare(), "contract.unknown"),
        (first, "ok"),
        (server.prepare(not_after=0), "transaction.expired"),
        (b"\x00", "envelope.form"),
        (server.tell("x" * 281), "arguments.invalid"),
        (server.tell(), "ok"),
    ]
    answer = batch(server, [item for item, _ in items], headers=CBOR if form == "cbor" else b"")
    assert answer.status == 200
    if form == "cbor":
        assert answer.headers["content-type"] == "application/cbor"
        results = cbor.decode(answer.body)
        found = [r["problem"]["code"] if "problem" in r else entry.decode_outcome(r["outcome"]).code for r in results]
    else:
        assert answer.headers["content-type"] == "application/json"
        results = answer.json()
        found = [r["problem"]["code"] if "problem" in r else r["code"] for r in results]
        for result in results:
            (PROBLEM_SCHEMA.validate(result["problem"]) if "problem" in result else ANSWER_SCHEMA.validate(result))
    assert found == [code for _, code in items]
    assert [results[0]["duplicate"], results[3]["duplicate"]] == [False, True]
    assert results[0]["seq"] == results[3]["seq"]


def test_a_batch_comes_with_receipts(server, pinned):
    prepared = [server.tell() for _ in range(20)]
    for result, one in zip(batch(server, prepared, b"?receipt=true").json(), prepared, strict=True):
        found = server.ask(server.get(f"/app/entries/{result['seq']}/entry".encode())).body
        proven = verification.verify(bytes.fromhex(result["receipt"]), found, pinned)
        assert (proven.seq, proven.id) == (result["seq"], one.id)


def test_a_batch_takes_as_many_as_it_says(server):
    prepared = [server.prepare(by=("northbank", "eastmutual")[number % 2]) for number in range(BATCH_ENVELOPES_MAX)]
    results = batch(server, prepared).json()
    assert [result["id"] for result in results] == [one.id.hex() for one in prepared]
    assert len({result["seq"] for result in results}) == BATCH_ENVELOPES_MAX


WHOLE = {
    "no item": (lambda _: b"", 400, "batch.empty"),
    "one too many": (
        lambda server: server.prepare().envelope * (BATCH_ENVELOPES_MAX + 1),
        400,
        "batch.count",
    ),
    "a last item cut off": (
        lambda server: server.tell().envelope + server.tell().envelope[:-1],
        400,
        "cbor.truncated",
    ),
    "a lone tag behind": (lambda server: server.tell().envelope + b"\xd2", 400, "cbor.truncated"),
    "a float behind": (lambda server: server.tell().envelope + b"\xf9\x00\x00", 400, "cbor.type"),
    "a break behind": (lambda server: server.tell().envelope + b"\xff", 400, "cbor.type"),
}


@pytest.mark.parametrize(("make", "status", "code"), WHOLE.values(), ids=WHOLE)
def test_a_batch_out_of_form_is_refused_whole(server, make, status, code):
    entries = server.entries()
    answer = batch(server, [make(server)])
    assert (answer.status, answer.code) == (status, code)
    assert server.entries() == entries


def test_accepted_is_for_single_transactions(server):
    entries = server.entries()
    answer = batch(server, [server.tell(), server.tell()], b"?wait=accepted")
    assert (answer.status, answer.code) == (400, "request.wait")
    assert server.entries() == entries


# The size of a body


def padding(server, length):
    """A batch of so many bytes whose items have a sound form."""
    size = length
    while (excess := len(server.prepare(arguments={"x": bytes(size)}).envelope) * 4 - length) > 0:
        size -= -(-excess // 4)
    body = b"".join(server.prepare(arguments={"x": bytes(size)}).envelope for _ in range(4))
    return body + b"\0" * (length - len(body))


def test_a_body_of_the_greatest_size_passes(server):
    body = padding(server, BATCH_BYTES_MAX)
    assert len(body) == BATCH_BYTES_MAX
    results = batch(server, [body]).json()
    assert [result["code"] for result in results[:4]] == ["contract.unknown"] * 4


@pytest.mark.parametrize("kind", [SEQUENCE, b"application/cose"])
@pytest.mark.parametrize("more", [1, BATCH_BYTES_MAX])
def test_a_larger_body_is_refused_and_the_connection_closed(server, kind, more):
    entries = server.entries()
    with server.line() as line:
        line.send(server.request(padding(server, BATCH_BYTES_MAX) + bytes(more), kind=kind))
        answer = line.answer()
        assert (answer.status, answer.code) == (413, "request.oversized")
        assert answer.headers["connection"] == "close"
        assert line.is_closed()
    assert server.entries() == entries


OFFER = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAAAAIAAAAB\r\n"


def with_header(request, header):
    """The request with one more header."""
    line, rest = request.split(b"\r\n", 1)
    return line + b"\r\n" + header + rest


@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_an_offer_of_another_protocol_is_passed_over(server, step):
    """RFC 9110 section 7.8. Java's client makes it with its first request, bodies included."""
    request = with_header(server.request(server.tell().envelope), OFFER)
    with server.line() as line:
        for start in range(0, len(request), step):
            line.send(request[start : start + step])
        assert (line.answer().status) == 200
        line.send(with_header(server.get(b"/node/version"), OFFER))
        assert line.answer().status == 200
        line.send(server.request(server.tell().envelope))
        assert line.answer().status == 200


def test_a_tunnel_is_refused(server):
    with server.line() as line:
        line.send(b"CONNECT example.org:443 HTTP/1.1\r\nhost: example.org\r\n\r\n")
        assert line.answer().status == 400


def test_a_target_may_be_a_whole_url(server):
    request = server.request(server.tell().envelope)
    line, rest = request.split(b"\r\n", 1)
    method, target, version = line.split(b" ")
    whole = b" ".join((method, b"http://127.0.0.1:%d" % server.port + target, version)) + b"\r\n" + rest
    assert server.ask(whole).status == 200


def test_a_client_that_has_said_all_still_hears_its_answers(server):
    with server.line() as line:
        line.send(*[server.request(server.tell().envelope) for _ in range(5)], server.get(b"/node/version"))
        line.socket.shutdown(socket.SHUT_WR)
        assert [line.answer().status for _ in range(6)] == [200] * 6
        assert line.socket.recv(1) == b""
