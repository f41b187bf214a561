"""Every operation of the table: good answers are as the description says, bad ones are problem documents."""

import hashlib
import json
import re

import jsonschema_rs
import pytest
from tests.api.conftest import EXAMPLE

from hansa.api.governance_operations import ALL
from hansa.api.operations import OPERATIONS, PROBLEM, READER_OPERATIONS, SESSION_OPERATIONS
from hansa.client import verification
from hansa.merkle import receipt
from hansa.wire import cbor, entry, genesis
from hansa.wire.problems import KINDS

NONE = "0" * 64
RECORDS = "/app/contracts/example_ledger/records"
TRIAL = "/app/contracts/example_ledger/trial"
NEXT = EXAMPLE.read_text().replace("1.0.0", "1.1.0")
BALANCE = "/app/contracts/example_ledger/views/balance_of"

GOOD = {
    "transaction": [f"/app/transactions/{NONE}", f"/app/transactions/{NONE}?not_after=5", "/app/transactions/GENESIS"],
    "entry": ["/app/entries/0", "/app/entries/1", "/app/entries/6"],
    "entry_part": [
        f"/app/entries/{seq}/{part}" for seq in (0, 6) for part in ("entry", "envelope", "outcome", "writes")
    ],
    "receipt": ["/app/receipts/0", "/app/receipts/6"],
    "latest_checkpoint": ["/app/checkpoints/latest"],
    "checkpoint": ["/app/checkpoints/1"],
    "consistency": ["/app/consistency?first=1&second=1", "/app/consistency?first=1&second=2"],
    "events": [
        "/app/events?after=0&follow=false",
        "/app/events?follow=false&after=6",
        "/app/events?contract=example_ledger&name=paid&after=1&follow=false",
        "/app/events?after=1-0&follow=false",
    ],
    "contracts": ["/app/contracts"],
    "contract": ["/app/contracts/members", "/app/contracts/example_ledger"],
    "source": [f"/app/contracts/{name}/source" for name in ("members", "constitution", "example_ledger")],
    "page": [
        f"{RECORDS}/Account",
        f"{RECORDS}/Account?rows=1",
        f"{RECORDS}/Account?least=a&most=northbank&order=descending",
        f"{RECORDS}/Account?least=zz&order=ascending",
        f"{RECORDS}/Title?index=owner",
        f"{RECORDS}/Title?index=owner&least=a&most=o",
        "/app/contracts/members/records/Key?least=00&most=7f",
        f"{RECORDS}/Title?index=owner&value=northbank",
        f"{RECORDS}/Title?index=owner&value=northbank&rows=1000",
        "/app/contracts/members/records/Key?rows=5",
    ],
    "record": [
        f"{RECORDS}/Account/value?key=northbank",
        "/app/contracts/members/records/Ledger/value?key=Sample%20ledger",
        "/app/contracts/members/records/User/value?key=northbank/ana",
    ],
    "history": [f"{RECORDS}/Title/history?key=boat", f"{RECORDS}/Title/history?rows=1&before=6&key=boat"],
    "view": [BALANCE],
    "versions": ["/app/contracts/members/versions", "/app/contracts/example_ledger/versions"],
    "trial": ["/app/contracts/example_ledger/trial"],
    "status": ["/node/status"],
    "health": ["/node/health"],
    "ready": ["/node/ready"],
    "metrics": ["/node/metrics"],
    "version": ["/node/version"],
    "genesis": ["/node/genesis"],
    "trust": ["/node/trust"],
    "snapshots": ["/node/snapshots"],
    "blocks": ["/node/blocks?from=0&until=1", "/node/blocks?from=0&until=2"],
    "openapi": ["/openapi.json"],
    "problem": ["/problems/disk.full", "/problems/request.path"],
}
TOLD = "tell_time"  # answers only where time is told: see tests/cli/test_clock.py
KEPT = {"snapshot_manifest", "snapshot_chunk"}  # of what is kept: see tests/node/test_joining.py
READERS = {one.name for one in (*SESSION_OPERATIONS, *READER_OPERATIONS)}
ELSEWHERE = {"engine", *READERS, *KEPT}  # not here: see test_guarded
SCHEMAS = {operation.name: operation for operation in OPERATIONS if operation.name not in {TOLD, *ELSEWHERE}}


def test_every_operation_has_a_good_request_here():
    assert set(GOOD) == set(SCHEMAS)


def send(client, operation, path):
    bodies = {"view": {"account": "northbank"}, "trial": {"source": NEXT}}
    return client.request(operation.method, path, json=bodies.get(operation.name))


@pytest.mark.parametrize(("name", "path"), [(name, path) for name, paths in GOOD.items() for path in paths])
def test_a_good_answer_is_as_described(client, server, name, path):
    operation = SCHEMAS[name]
    answer = send(client, operation, path.replace("GENESIS", server.ledger.hex()))
    assert answer.status_code == 200, answer.text
    kind = answer.headers["content-type"].split(";")[0]
    schema = operation.answers[kind]
    if kind == "application/json":
        jsonschema_rs.validator_for(schema).validate(answer.json())


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_query_that_is_not_described_is_refused(client, name):
    operation = SCHEMAS[name]
    path = GOOD[name][0]
    for query in ("nothing=1", "ROWS=1", "rows%20=1"):
        answer = send(client, operation, f"{path}{'&' if '?' in path else '?'}{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "request.query")
    for given in operation.query:
        answer = send(client, operation, f"{path.split('?')[0]}?{given}=1&{given}=1")
        assert (answer.status_code, answer.json()["code"]) == (400, "request.query")


@pytest.mark.parametrize("operation", SESSION_OPERATIONS, ids=lambda operation: operation.name)
def test_a_node_that_signs_nobody_in_says_so(client, operation):
    (kind,) = operation.bodies
    answer = client.request("POST", operation.path, content=b"{}", headers={"content-type": kind})
    assert (answer.status_code, answer.json()["code"]) == (404, "session.off")


def test_a_node_that_nobody_reaches_from_elsewhere_asks_for_no_tokens(client):
    kind = {"content-type": "application/cose"}
    answers = client.get("/node/challenge"), client.post("/node/token", content=b"{}", headers=kind)
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(404, "reader.off")] * 2


BAD = [
    ("/app/events?after=x", 400, "events.id"),
    ("/app/events?after=", 400, "events.id"),
    ("/app/events?after=-1", 400, "events.id"),
    ("/app/events?after=99999", 409, "events.beyond"),
    ("/app/events?after=0-0", 409, "events.beyond"),
    ("/app/events?contract=nowhere", 404, "contract.missing"),
    ("/app/events?follow=yes", 400, "request.query"),
    ("/app/transactions/", 404, "request.path"),
    ("/app/transactions/00", 400, "request.digest"),
    (f"/app/transactions/{'A' * 64}", 400, "request.digest"),
    (f"/app/transactions/{NONE}0", 400, "request.digest"),
    (f"/app/transactions/{NONE}?not_after=-1", 400, "request.query"),
    (f"/app/transactions/{NONE}?not_after=", 400, "request.query"),
    (f"/app/transactions/{NONE}?not_after=%D9%A3", 400, "request.query"),
    ("/node/blocks?from=0&until=99999", 404, "tree.range"),
    ("/node/blocks?from=1&until=1", 404, "tree.range"),
    ("/node/blocks?from=0", 400, "request.query"),
    ("/node/blocks?from=x&until=1", 400, "request.query"),
    ("/node/snapshots/1", 404, "snapshot.none"),
    ("/node/snapshots/1/chunks/0", 404, "snapshot.none"),
    ("/node/snapshots/..", 400, "request.query"),
    ("/node/snapshots/1/chunks/..%2f..%2fgenesis.cbor", 404, "request.path"),
    ("/node/snapshots/1/chunks/x", 400, "request.query"),
    ("/app/entries/99999", 404, "entry.unknown"),
    (f"/app/entries/{2**53 - 1}", 404, "entry.unknown"),
    (f"/app/entries/{2**53}", 400, "request.query"),
    (f"/app/entries/{10**30}", 400, "request.query"),
    ("/app/entries/-1", 400, "request.query"),
    ("/app/entries/1.0", 400, "request.query"),
    ("/app/entries/0x1", 400, "request.query"),
    ("/app/entries/%201", 400, "request.query"),
    ("/app/entries/%00", 400, "request.query"),
    ("/app/entries/0/signature", 404, "request.part"),
    ("/app/entries/99999/entry", 404, "entry.unknown"),
    ("/app/receipts/99999", 404, "entry.unknown"),
    ("/app/receipts/x", 400, "request.query"),
    ("/app/checkpoints/99999", 404, "checkpoint.none"),
    ("/app/checkpoints/0", 404, "checkpoint.none"),
    ("/app/checkpoints/newest", 400, "request.query"),
    ("/app/consistency", 400, "request.query"),
    ("/app/consistency?first=1", 400, "request.query"),
    ("/app/consistency?first=0&second=1", 404, "tree.range"),
    ("/app/consistency?first=2&second=1", 404, "tree.range"),
    ("/app/consistency?first=1&second=99999", 404, "checkpoint.none"),
    ("/app/contracts/nowhere", 404, "contract.missing"),
    ("/app/contracts/%00", 404, "contract.missing"),
    ("/app/contracts/nowhere/source", 404, "contract.missing"),
    ("/app/contracts/nowhere/versions", 404, "contract.missing"),
    ("/app/contracts/nowhere/records/Account", 404, "contract.missing"),
    (f"{RECORDS}/Nothing", 404, "record.type"),
    (f"{RECORDS}/Nothing/value?key=key", 404, "record.type"),
    (f"{RECORDS}/Account?rows=0", 400, "request.query"),
    (f"{RECORDS}/Account?rows=1001", 400, "request.query"),
    (f"{RECORDS}/Account?rows=ten", 400, "request.query"),
    (f"{RECORDS}/Account?after=zz", 400, "query.cursor"),
    (f"{RECORDS}/Account?after=0", 400, "query.cursor"),
    (f"{RECORDS}/Account?index=owner&value=northbank", 400, "query.index"),
    (f"{RECORDS}/Title?index=thing&value=boat", 400, "query.index"),
    (f"{RECORDS}/Account?after=", 400, "query.cursor"),
    (f"{RECORDS}/Account?after=61", 400, "query.cursor"),
    (f"{RECORDS}/Account?after=%FF%C3%A9", 400, "query.cursor"),
    (f"{RECORDS}/Account?after={'A' * 5000}", 400, "query.cursor"),
    (f"{RECORDS}/Account?value=northbank", 400, "query.range"),
    (f"{RECORDS}/Account?least=b&most=a", 400, "query.range"),
    (f"{RECORDS}/Account?least={'n' * 500}", 400, "key.too_long"),
    (f"{RECORDS}/Account?order=down", 400, "request.query"),
    (f"{RECORDS}/Account?order=", 400, "request.query"),
    ("/app/contracts/members/records/Key?least=zz", 400, "query.value"),
    (f"{RECORDS}/Title?index=owner&value=", 400, "query.value"),
    (f"{RECORDS}/Title?index=owner&value=a&least=a", 400, "query.range"),
    (f"{RECORDS}/Title?index=owner&value=a&most=a", 400, "query.range"),
    (f"{RECORDS}/Title?index=owner&least=b&most=a", 400, "query.range"),
    (f"{RECORDS}/Title?index=owner&least=", 400, "query.value"),
    (f"{RECORDS}/Title?index=&least=a", 400, "query.index"),
    (f"{RECORDS}/Title?index=owner&value={'n' * 500}", 400, "query.value"),
    (f"{RECORDS}/Title?index=owner&value=North", 400, "query.value"),
    (f"{RECORDS}/Title?index=owner&least={'n' * 500}", 400, "key.too_long"),
    ("/app/contracts/members/records/Schedule?index=due&least=2027-01-01", 400, "query.value"),
    (f"{RECORDS}/Account/northbank", 404, "request.path"),
    (f"{RECORDS}/Account/value", 400, "request.query"),
    (f"{RECORDS}/Account/value?key=nobody", 404, "record.unknown"),
    (f"{RECORDS}/Account/value?key={'n' * 500}", 404, "record.unknown"),
    (f"{RECORDS}/Account/value?key=%00", 404, "record.unknown"),
    (f"{RECORDS}/Account/value?key=%FF%FE", 404, "record.unknown"),
    (f"{RECORDS}/Account/value?key=a&key=b", 400, "request.query"),
    ("/app/contracts/members/records/Key/value?key=zz", 400, "query.value"),
    (f"/app/contracts/members/records/Key/value?key={NONE}", 404, "record.unknown"),
    (f"{RECORDS}/Title/history", 400, "request.query"),
    (f"{RECORDS}/Title/history?key=none", 404, "record.unknown"),
    (f"{RECORDS}/Title/history?key=boat&before=0", 404, "record.unknown"),
    (f"{RECORDS}/Title/history?key=boat&before=99999", 404, "entry.unknown"),
    (f"{RECORDS}/Title/history?key=boat&rows=0", 400, "request.query"),
    ("/app/contracts/", 404, "request.path"),
    ("/problems/no.such", 404, "request.path"),
    ("/", 404, "request.path"),
    ("/nothing", 404, "request.path"),
    ("/app/../node/status", 404, "request.path"),
    ("//node/status", 404, "request.path"),
    ("/node/STATUS", 404, "request.path"),
    ("/node/status%00", 404, "request.path"),
]


@pytest.mark.parametrize(("path", "status", "code"), BAD, ids=[path[:70] for path, _, _ in BAD])
def test_a_bad_request_gets_a_problem_document(server, path, status, code):
    answer = server.ask(server.get(path.encode()))
    assert (answer.status, answer.code) == (status, code)
    problem = answer.json()
    jsonschema_rs.validator_for(PROBLEM).validate(problem)
    assert problem["type"] == f"/problems/{code}"
    assert (problem["title"], problem["remedy"]) == (KINDS[code].title, KINDS[code].remedy)


def test_each_problems_type_leads_to_its_page(client):
    for code, kind in KINDS.items():
        page = client.get(f"/problems/{code}").json()
        assert page == {"code": code, "title": kind.title, "status": kind.status, "remedy": kind.remedy}


# Methods


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/node/status", "/app/entries/0", "/openapi.json"])
def test_another_method_on_a_path_is_refused(server, method, path):
    request = server.get(path.encode(), b"content-length: 0\r\n", method.encode())
    answer = server.ask(request)
    assert (answer.status, answer.code) == (405, "request.method")
    assert "GET" in answer.headers["allow"]


def test_head_answers_as_get_without_a_body(server):
    with server.line() as line:
        for path in (b"/node/version", b"/nothing"):
            line.send(server.get(path, method=b"HEAD"))
            head = line.answer(head=True)
            line.send(server.get(path))
            get = line.answer()
            assert head.status == get.status
            assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.body))


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_another_method_on_the_submit_path_is_refused(server, method):
    with server.line() as line:
        line.send(server.get(b"/app/transactions", b"content-length: 0\r\n", method.encode()))
        answer = line.answer(head=method == "HEAD")
        assert answer.status == 405
        assert answer.headers["allow"] == "POST"
        if method != "HEAD":
            assert answer.code == "request.method"


# Contents


def test_an_entrys_parts_are_what_it_commits_to(client):
    for seq in range(7):
        fields = client.get(f"/app/entries/{seq}").json()
        parts = {
            part: client.get(f"/app/entries/{seq}/{part}").content
            for part in ("entry", "envelope", "outcome", "writes")
        }
        assert {name: parts[name].hex() for name in ("entry", "envelope", "outcome")} == {
            name: fields[name] for name in ("entry", "envelope", "outcome")
        }
        leaf = entry.decode(parts["entry"])
        assert (leaf.kind, leaf.id.hex()) == (fields["kind"], fields["id"])
        assert leaf.envelope_digest == hashlib.sha256(parts["envelope"]).digest()
        assert leaf.outcome_digest == hashlib.sha256(parts["outcome"]).digest()
        assert fields["decoded"]["writes"] == hashlib.sha256(parts["writes"]).hexdigest()


def test_genesis_is_the_ledgers(client, server):
    document = client.get("/node/genesis").content
    assert genesis.ledger_id(document) == server.ledger
    assert genesis.decode(document).name == "Sample ledger"


def test_receipts_verify_offline(client, server):
    pinned = verification.pin_genesis(client.get("/node/genesis").content, server.ledger)
    for seq in range(server.entries()):
        found = client.get(f"/app/entries/{seq}/entry").content
        proven = verification.verify(client.get(f"/app/receipts/{seq}").content, found, pinned)
        assert (proven.ledger, proven.seq) == (server.ledger, seq)


def test_a_checkpoint_comes_as_json_and_as_cose(client, server):
    fields = client.get("/app/checkpoints/latest").json()
    message = client.get("/app/checkpoints/latest", headers={"accept": "application/cose"})
    assert message.headers["content-type"] == "application/cose"
    head = receipt.read_bare(message.content)
    assert (head.size, head.root.hex(), head.ledger) == (fields["size"], fields["root"], server.ledger)
    assert fields["size"] == server.entries()
    proof = client.get("/app/consistency", params={"first": 1, "second": head.size}).content
    first = receipt.read_bare(client.get("/app/checkpoints/1", headers={"accept": "application/cose"}).content)
    keys = verification.pin_genesis(client.get("/node/genesis").content).keys
    assert receipt.verify_consistency(proof, first, head.root, keys).size == head.size


def test_pages_lead_to_one_another(client):
    path = "/app/contracts/members/records/Key"
    whole = client.get(path).json()
    assert whole["next"] is None
    found, after = [], None
    while True:
        page = client.get(path, params={"rows": 3, **({} if after is None else {"after": after})}).json()
        assert len(page["rows"]) <= 3
        found += page["rows"]
        after = page["next"]
        if after is None:
            break
    assert found == whole["rows"]
    assert len({row["value"]["kid"] for row in found}) == len(found) == 15


def all_rows(client, path, **query):
    """The rows of all pages, and how many pages there were."""
    found, pages, after = [], 0, {}
    while after is not None:
        page = client.get(path, params={**query, **after}).json()
        assert page["size"] == client.get("/node/status").json()["entries"]
        found += page["rows"]
        pages += 1
        after = None if page["next"] is None else {"after": page["next"]}
    return found, pages


@pytest.mark.parametrize("order", ["ascending", "descending"])
@pytest.mark.parametrize("rows", [1, 3, 100])
@pytest.mark.parametrize(
    "bounds", [{}, {"least": "harbourline"}, {"most": "northbank"}, {"least": "f", "most": "o"}, {"least": "zz"}]
)
def test_ranges_come_in_order_page_by_page(client, order, rows, bounds):
    path = "/app/contracts/members/records/User"
    every = client.get(path).json()["rows"]
    for index, name in (({}, "id"), ({"index": "member"}, "member")):
        expected = sorted(
            (row for row in every if bounds.get("least", "") <= row["value"][name] <= bounds.get("most", "~")),
            key=lambda row: (row["value"][name], row["value"]["id"]),
            reverse=order == "descending",
        )
        found, pages = all_rows(client, path, rows=rows, order=order, **index, **bounds)
        assert found == expected
        assert pages == max(1, -(-len(expected) // rows))


def test_a_cursor_is_of_one_query(client):
    """Not of another table, order, bound or direction; the number of rows may change."""
    users = "/app/contracts/members/records/User"
    asked = {"index": "member", "least": "a", "rows": 2}
    cursor = client.get(users, params=asked).json()["next"]
    assert re.fullmatch("[A-Za-z0-9_-]+", cursor)
    good = client.get(users, params={**asked, "rows": 3, "after": cursor})
    assert len(good.json()["rows"]) == 3
    for other in (
        {"rows": 2},
        {"index": "member"},
        {"index": "member", "least": "b"},
        {"index": "member", "least": "a", "most": "z"},
        {"index": "member", "least": "a", "order": "descending"},
        {"index": "member", "value": "northbank"},
        {"least": "a"},
    ):
        answer = client.get(users, params={**other, "after": cursor})
        assert (answer.status_code, answer.json()["code"]) == (400, "query.cursor"), other
    answer = client.get("/app/contracts/members/records/Member", params={"after": cursor})
    assert answer.json()["code"] == "query.cursor"
    for changed in (cursor[:-1], cursor + "A", cursor + "=", cursor[1:], "A" + cursor[1:], cursor + "\n", " " + cursor):
        answer = client.get(users, params={**asked, "after": changed})
        assert (answer.status_code, answer.json()["code"]) == (400, "query.cursor"), changed


def test_a_history_leads_back(client):
    path = f"{RECORDS}/Title/history"
    whole = client.get(path, params={"key": "boat"}).json()["rows"]
    assert [row["value"]["owner"] for row in whole] == ["northbank", "eastmutual", "northbank"]
    first = client.get(path, params={"key": "boat", "rows": 1}).json()
    rest = client.get(path, params={"key": "boat", "before": first["next"]}).json()
    assert first["rows"] + rest["rows"] == whole


@pytest.mark.parametrize("key", ["northbank/ana", "eastmutual/dev"])
def test_a_record_whose_key_holds_a_slash_can_be_read(client, key):
    """The ids of users do."""
    path = "/app/contracts/members/records/User"
    answer = client.get(f"{path}/value", params={"key": key})
    assert answer.status_code == 200, answer.text
    assert answer.json()["value"]["id"] == key
    assert client.get(f"{path}/history", params={"key": key}).json()["rows"][0]["value"]["id"] == key


def test_every_record_of_a_page_can_be_asked_for(client):
    for contract in client.get("/app/contracts").json()["contracts"]:
        name = contract["name"]
        for record, declared in client.get(f"/app/contracts/{name}").json()["records"].items():
            for row in client.get(f"/app/contracts/{name}/records/{record}").json()["rows"]:
                asked = {"key": str(row["value"][declared["key"]])}
                assert client.get(f"/app/contracts/{name}/records/{record}/value", params=asked).json() == row


def test_contracts_are_listed_with_their_source(client):
    listed = client.get("/app/contracts").json()["contracts"]
    assert [one["name"] for one in listed] == ["constitution", "example_ledger", "members"]
    for one in listed:
        source = client.get(f"/app/contracts/{one['name']}/source").content
        assert hashlib.sha256(source).hexdigest() == one["digest"]


# Views


def view(server, body, path=BALANCE):
    head = f"POST {path} HTTP/1.1\r\nhost: {server.host.decode()}\r\ncontent-length: {len(body)}\r\n\r\n"
    return server.ask(head.encode() + body)


def test_a_view_returns_what_it_declares(client, server):
    answer = client.post(BALANCE, json={"account": "northbank"}).json()
    assert answer["result"] == {"minor": 10_000, "currency": "USD"}
    assert answer["entries"] == server.entries()


VIEWS = [
    (b"", "arguments.invalid"),
    (b"{}", "arguments.invalid"),
    (b'{"account": "nobody"}', "arguments.invalid"),
    (b'{"account": 5}', "arguments.invalid"),
    (b'{"account": null}', "arguments.invalid"),
    (b'{"account": ["northbank"]}', "arguments.invalid"),
    (b'{"account": "northbank", "more": 1}', "arguments.invalid"),
    (b'{"account": ' + b"[" * 900 + b"]" * 900 + b"}", "arguments.invalid"),
    (b'{"account": ' + b"9" * 4_000 + b"}", "arguments.invalid"),
]


@pytest.mark.parametrize(("body", "outcome"), VIEWS, ids=[str(body[:40]) for body, _ in VIEWS])
def test_a_view_refuses_arguments_that_do_not_fit(server, body, outcome):
    answer = view(server, body)
    assert (answer.status, answer.code) == (422, "view.refused")
    assert answer.json()["outcome"] == outcome


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"5",
        b'"text"',
        b"null",
        b"{",
        b'{"a": 1.5}',
        b'{"a": 1e3}',
        b'{"a": NaN}',
        b"\xff",
        b'{"account": "\\ud800"}',
        b'{"account": "northbank", "\\ud800": 1}',
        b'{"a":1}{}',
        b"[" * 10**5,
    ],
    ids=lambda body: str(body[:20]),
)
def test_a_view_takes_a_json_object_of_whole_numbers(server, body):
    answer = view(server, body)
    assert (answer.status, answer.code) == (400, "request.json")


def test_a_view_takes_a_bounded_body(server):
    assert (view(server, b"{" + b" " * 300_000 + b"}").status) == 413
    answer = view(server, b"{" + b" " * 300_000 + b"}")
    assert answer.code == "request.oversized"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/app/contracts/nowhere/views/balance_of", "contract.missing"),
        ("/app/contracts/example_ledger/views/nothing", "view.missing"),
        ("/app/contracts/example_ledger/views/pay", "view.missing"),
    ],
)
def test_a_view_that_is_not_there_is_named(server, path, code):
    answer = view(server, b"{}", path)
    assert (answer.status, answer.code) == (404, code)


# Versions, and trials of the next


def test_versions_are_listed(client):
    found = client.get("/app/contracts/example_ledger/versions").json()["versions"]
    digest = hashlib.sha256(EXAMPLE.read_bytes()).hexdigest()
    assert found == [{"version": "1.0.0", "digest": digest, "since": 2}]


def test_a_trial_tells_what_fails_and_changes_nothing(client, server):
    entries = server.entries()
    good = client.post(TRIAL, json={"source": NEXT}).json()
    assert good == {"version": "1.1.0", "records": 3, "problems": [], "failures": [], "next": None}
    ruled = NEXT.replace("balance: Amount\n\n", f"balance: Amount\n\n{RULE}", 1)
    ruled = ruled.replace("import Amount", "import invariant, Amount")
    line = ruled.split("\n").index(RULE.split("\n")[2]) + 1
    found = client.post(TRIAL, json={"source": ruled, "after": None}).json()
    failure = {"record": "Account", "code": "invariant.failed", "line": line, "message": "{who} is poor"}
    assert found == {
        **good,
        "failures": [{**failure, "key": who, "values": {"who": who}} for who in ("eastmutual", "northbank")],
    }
    refused = client.post(TRIAL, json={"source": NEXT.replace("1.1.0", "1.0.0")}).json()
    assert refused["problems"] == ["version 1.0.0 must be higher than 1.0.0"]
    assert server.entries() == entries


RULE = """\
        @invariant
        def rich(account):
            require(account.balance.minor > 10000, "{who} is poor", who=account.owner)

"""


TRIALS = [
    (b"", 400, "request.json"),
    (b"[]", 400, "request.json"),
    (b'{"after": null}', 400, "request.json"),
    (b'{"source": 5}', 400, "request.json"),
    (b'{"source": ""}', 400, "request.json"),
    (b'{"source": "x", "more": 1}', 400, "request.json"),
    (b'{"source": "\\ud800"}', 400, "request.json"),
    (json.dumps({"source": "#" * 65_537}).encode(), 400, "request.json"),
    (json.dumps({"source": "#" * 300_000}).encode(), 413, "request.oversized"),
    (b'{"source": "x = 1\\n"}', 422, "contract.invalid"),
    (b'{"source": "def f(n: int) -> int:\\n    return n\\n"}', 422, "contract.invalid"),
    (json.dumps({"source": NEXT, "after": ""}).encode(), 400, "query.cursor"),
    (json.dumps({"source": NEXT, "after": "Account:00"}).encode(), 400, "query.cursor"),
]


@pytest.mark.parametrize(("body", "status", "code"), TRIALS, ids=[str(body[:40]) for body, _, _ in TRIALS])
def test_a_trial_that_cannot_be(server, body, status, code):
    answer = view(server, body, TRIAL)
    assert (answer.status, answer.code) == (status, code)


def test_a_trial_of_what_is_not_there(server):
    answer = view(server, json.dumps({"source": NEXT}).encode(), "/app/contracts/nowhere/trial")
    assert (answer.status, answer.code) == (404, "contract.missing")


# The node and its description


def test_health_and_readiness(client):
    assert client.get("/node/health").json() == {"healthy": True, "reasons": []}
    assert client.get("/node/ready").json() == {"ready": True, "reasons": []}


def test_a_status_counts(client, server):
    before = client.get("/node/status").json()
    server.submit(server.tell())
    after = client.get("/node/status").json()
    assert (after["entries"], after["height"], after["checkpoint"]) == (
        before["entries"] + 1,
        before["height"] + 1,
        before["entries"] + 1,
    )
    assert after["ledger"] == server.ledger.hex()


def every_schema(value):
    """All schemas that stand in a description, wherever."""
    if isinstance(value, dict):
        if "schema" in value:
            yield value["schema"]
        for key, inner in value.items():
            if key == "schemas":
                yield from inner.values()
            yield from every_schema(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from every_schema(inner)


def test_the_description_is_sound(client):
    document = client.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    wrong = []
    for schema in every_schema(document):
        try:
            jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
        except jsonschema_rs.ValidationError as error:
            wrong.append((schema, str(error).splitlines()[0]))
    assert wrong == []


def test_the_description_names_every_operation(client):
    paths = client.get("/openapi.json").json()["paths"]
    described = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert described == {(operation.method, operation.path) for operation in ALL}


def test_the_description_names_what_contracts_declare(client, server):
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    account = jsonschema_rs.validator_for(schemas["example_ledger.Account"])
    for row in client.get(f"{RECORDS}/Account").json()["rows"]:
        account.validate(row["value"])
    result = jsonschema_rs.validator_for(schemas["example_ledger.balance_of.result"])
    result.validate(client.post(BALANCE, json={"account": "northbank"}).json()["result"])
    arguments = jsonschema_rs.validator_for(schemas["example_ledger.tell.arguments"])
    assert arguments.is_valid({"to": "eastmutual", "message": "hello"})
    assert not arguments.is_valid({"to": "eastmutual"})
    assert not arguments.is_valid({"to": "eastmutual", "message": "x" * 281})


def test_the_contracts_schema_is_its_description(client):
    declared = client.get("/app/contracts/example_ledger").json()
    assert set(declared["actions"]) == {"open", "register", "pay", "sell", "tell"}
    assert set(declared["views"]) == {"balance_of"}
    assert json.dumps(declared)
    for action in declared["actions"].values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **action["arguments"]})


def test_genesis_limits_are_readable_as_records(client):
    limits = client.get("/app/contracts/members/records/Limits/value?key=ledger").json()["value"]
    assert limits["transaction_bytes"] == 262_144
    assert cbor.decode(client.get("/app/entries/0/envelope").content)["limits"]["transaction_bytes"] == 262_144
