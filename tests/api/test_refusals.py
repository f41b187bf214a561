"""Every code by which a transaction is refused, once over HTTP: at intake without an entry, at apply with one."""

import time

import pytest
from tests.api.conftest import MEMBERS, Server

from hansa.client import keys, transactions
from hansa.node.create import Founder, create_ledger
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire import cbor, cose, problems, transaction
from hansa.wire.keys import EDDSA, ES256
from hansa.wire.limits import BATCH_ENVELOPES_MAX, ENVELOPE_BYTES_MAX

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256, FIPS 186-4 D.1.2.3
SEQUENCE = b"application/cbor-seq"
SOURCE = """from hansa.contract import Amount, Contract, Int, Party, Record, Text, action, event, require


class Faulty(Contract, version="1.0.0"):
    class Roles:
        owner: Party

    class Box(Record, key="name"):
        name: Text[1, 20]
        owner: Party
        count: Int[0, 9] = 0
        texts: list[Text[0, 60000], 32] = []

    @action(by="member", creates="Box")
    def make(tx, box: Box, name: Text[1, 20], owner: Party):
        event("made", name=name)

    @action(by="owner")
    def fill(tx, box: Box, count: int):
        box.count = count

    @action(by="member")
    def stuff(tx, box: Box, text: Text[0, 60000], times: int):
        texts = [text]
        for number in range(times):
            texts = texts + [text]
        box.texts = texts

    @action(by="member")
    def deny(tx, n: int):
        require(n > 5, "{n} is too small", n=n)

    @action(by="member")
    def square(tx, n: int):
        event("squared", n=n * n)

    @action(by="member")
    def divide(tx, n: int):
        event("divided", n=1 // n)

    @action(by="member")
    def mix(tx, first: Amount, second: Amount):
        event("mixed", sum=first + second)

    @action(by="member")
    def double(tx, text: Text[0, 65536]):
        event("doubled", text=text + text)

    @action(by="member")
    def unwrap(tx, n: int | None):
        event("unwrapped", n=n + 1)

    @action(by="member")
    def pick(tx, n: int):
        items = [1]
        event("picked", n=items[n])

    @action(by="member")
    def shout(tx, n: int):
        for number in range(n):
            event("shouted", n=number)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A ledger whose members have P-256 keys, with a contract that fails in every way a contract can."""
    root = tmp_path_factory.mktemp("refusals") / "ledger"
    founders = [Founder(name, name, deployer=name == "northbank") for name in MEMBERS]
    create_ledger(Disk(), Folder(root), "Refusals", founders, key_kind="p256")
    made = Server(root)
    try:
        source = {"name": "faulty", "source": SOURCE}
        for prepared in (
            made.prepare("members", "deploy", source, steps_max=transactions.deploy_steps(SOURCE)),
            made.prepare("faulty", "make", {"name": "box", "owner": "northbank"}),
        ):
            assert made.submit(prepared).json()["status"] == "applied"
        yield made
    finally:
        code = made.stop()
    assert code == 0
    assert made.defects() == []


class Letter:
    """A transaction whose parts can be made wrong before it is signed."""

    def __init__(self, server):
        self.key = server.keys["northbank"]
        read = transaction.read(server.prepare().envelope).transaction
        self.fields = cbor.decode(transaction.encode(read))

    def sign(self, *, payload=None, protected=None, **fields):
        payload = cbor.encode({**self.fields, **fields}) if payload is None else payload
        if protected is None:
            protected = cose.protected_header(self.key.algorithm, cose.TRANSACTION, self.key.kid)
        return cose.join(protected, payload, self.key.sign(cose.signature_structure(protected, payload)))

    def without(self, name):
        return self.sign(payload=cbor.encode({key: value for key, value in self.fields.items() if key != name}))

    def header(self, algorithm=ES256, content_type=cose.TRANSACTION, kid=None):
        return cose.protected_header(algorithm, content_type, kid or self.key.kid)


def now():
    return time.time_ns() // 1_000_000


def high_s(envelope):
    s = int.from_bytes(envelope[-32:], "big")
    return envelope[:-32] + (ORDER - s).to_bytes(32, "big")


def signature_of(size):
    def make(letter):
        good = letter.sign()
        return good[:-66] + cbor.byte_string(good[-64:][:size])

    return make


INTAKE = {
    "cbor.truncated": lambda letter: letter.sign(payload=b"\xa1\x61a"),
    "cbor.trailing": lambda letter: letter.sign() + b"\0",
    "cbor.form": lambda letter: letter.sign(payload=b"\xa1\x61a\x18\x01"),
    "cbor.type": lambda letter: letter.sign(payload=b"\xa1\x61a\xf9\x00\x00"),
    "cbor.key": lambda letter: letter.sign(payload=b"\xa1\x01\x01"),
    "cbor.integer": lambda letter: letter.sign(payload=b"\xa1\x61a\x1b" + b"\xff" * 8),
    "cbor.text": lambda letter: letter.sign(payload=b"\xa1\x61a\x61\xff"),
    "cbor.depth": lambda letter: letter.sign(payload=b"\xa1\x61a" + b"\x81" * 20 + b"\x00"),
    "envelope.oversized": lambda letter: letter.sign(arguments={"x": bytes(ENVELOPE_BYTES_MAX)}),
    "envelope.form": lambda _: b"\xa0",
    "envelope.unprotected": lambda letter: letter.sign().replace(
        letter.header() + b"\xa0", letter.header() + b"\xa1\x61a\x00"
    ),
    "envelope.header": lambda letter: letter.sign(protected=b"\xa0"),
    "envelope.content_type": lambda letter: letter.sign(protected=letter.header(content_type=cose.CHECKPOINT)),
    "signature.size": signature_of(63),
    "transaction.field": lambda letter: letter.without("nonce"),
    "transaction.version": lambda letter: letter.sign(version=1),
    "transaction.ledger": lambda letter: letter.sign(ledger=bytes(32)),
    "transaction.expired": lambda letter: letter.sign(not_after=now() - 1_000),
    "transaction.too_far": lambda letter: letter.sign(not_after=now() + 4_000_000),
    "sender.unknown": lambda letter: letter.sign(protected=letter.header(kid=bytes(32))),
    "sender.algorithm": lambda letter: letter.sign(protected=letter.header(EDDSA)),
    "signature.invalid": lambda letter: letter.sign()[:-64] + letter.sign(nonce=bytes(16))[-64:],
    "signature.high_s": lambda letter: high_s(letter.sign()),
    "steps.limit": lambda letter: letter.sign(steps_max=100_001),
}


@pytest.mark.parametrize("code", INTAKE)
def test_a_refusal_at_intake(server, code):
    entries, envelope = server.entries(), INTAKE[code](Letter(server))
    answer = server.submit(envelope)
    assert (answer.status, answer.code) == (problems.KINDS[code].status, code)
    assert server.entries() == entries
    good = Letter(server).sign()
    if code not in ("envelope.form", "cbor.trailing"):  # these two end what could follow them in a batch
        results = server.submit(envelope + good, kind=SEQUENCE).json()
        assert (results[0]["problem"]["code"], results[1]["code"]) == (code, "contract.unknown")


BATCHES = {
    "batch.empty": (b"", b""),
    "batch.count": (b"\x00" * (BATCH_ENVELOPES_MAX + 1), b""),
    "request.wait": (b"\x00", b"?wait=accepted"),
    "request.query": (b"\x00", b"?wait=never"),
    "request.oversized": (b"\x00" * (1024 * 1024 + 1), b""),
}


@pytest.mark.parametrize("code", BATCHES)
def test_a_batch_refused_whole(server, code):
    body, query = BATCHES[code]
    answer = server.submit(body, query, kind=SEQUENCE)
    assert (answer.status, answer.code) == (problems.KINDS[code].status, code)


USD, EUR = {"minor": 5, "currency": "USD"}, {"minor": 5, "currency": "EUR"}
OTHER = {"name": "other", "source": "x = 1\n"}
APPLY = {
    "contract.unknown": ("nowhere", "go", {}, {}),
    "contract.version": ("faulty", "deny", {"n": 9}, {"contract_version": "2.0.0"}),
    "contract.name": ("members", "deploy", {"name": "Faulty", "source": SOURCE}, {"steps_max": 100_000}),
    "contract.invalid": ("members", "deploy", OTHER, {}),
    "action.unknown": ("faulty", "go", {}, {}),
    "precondition.failed": ("faulty", "deny", {"n": 9}, {"preconditions": [("faulty", "Box", "box", 99)]}),
    "arguments.invalid": ("faulty", "deny", {"n": "nine"}, {}),
    "record.exists": ("faulty", "make", {"name": "box", "owner": "northbank"}, {}),
    "role.denied": ("faulty", "fill", {"box": "box", "count": 1}, {"by": "eastmutual"}),
    "require.failed": ("faulty", "deny", {"n": 5}, {}),
    "steps.exceeded": ("faulty", "shout", {"n": 60}, {"steps_max": 20}),
    "value.none": ("faulty", "unwrap", {"n": None}, {}),
    "value.range": ("faulty", "square", {"n": 2**62}, {}),
    "value.bounds": ("faulty", "fill", {"box": "box", "count": 10}, {}),
    "value.size": ("faulty", "double", {"text": "x" * 40_000}, {"steps_max": 100_000}),
    "value.currency": ("faulty", "mix", {"first": USD, "second": EUR}, {}),
    "value.division": ("faulty", "divide", {"n": 0}, {}),
    "index.range": ("faulty", "pick", {"n": 1}, {}),
    "output.events": ("faulty", "shout", {"n": 65}, {}),
    "output.stored": ("faulty", "stuff", {"box": "box", "text": "x" * 60_000, "times": 20}, {"steps_max": 100_000}),
}


@pytest.mark.parametrize("code", APPLY)
def test_a_refusal_at_apply_has_an_entry(server, code):
    contract, action, arguments, options = APPLY[code]
    entries = server.entries()
    prepared = server.prepare(contract, action, arguments, **options)
    found = server.submit(prepared).json()
    assert (found["status"], found["code"], found["seq"]) == ("refused", code, entries)
    assert found["events"] == []
    assert found["result"]["message"]
    again = server.submit(prepared).json()
    assert (again.pop("duplicate"), found.pop("duplicate")) == (True, False)
    assert again == found
    assert server.ask(server.get(f"/app/entries/{entries}/writes".encode())).body == cbor.encode([])


def test_a_good_key_of_a_stranger_is_no_sender(server):
    stranger = transactions.prepare(keys.generate("p256"), server.ledger, "faulty", "deny", {"n": 9})
    assert server.submit(stranger).code == "sender.unknown"
