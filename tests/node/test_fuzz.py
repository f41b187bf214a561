"""Whatever is sent: it is refused with a code, or it is exactly what was signed. The node goes on either way."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hansa.node.intake import Answer
from hansa.node.node import open_node
from hansa.wire import cose, entry, transaction
from hansa.wire.limits import BATCH_ENVELOPES_MAX
from hansa.wire.problems import KINDS, HansaError

QUICK = settings(max_examples=300, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Running:
    """A node that stays open over many examples, driven from outside its loop."""

    def __init__(self, ledger) -> None:
        self.ledger = ledger
        self.runner = asyncio.Runner()
        self.problems = []
        self.runner.get_loop().set_exception_handler(lambda _, context: self.problems.append(context))
        self.node = open_node(ledger.root, reserve_bytes=0)
        self.runner.run(self.start())

    async def start(self):
        self.node.start()

    def close(self):
        self.runner.run(self.node.stop())
        self.runner.close()
        assert self.problems == []

    def send(self, envelopes):
        """Submits all at once; what became of each."""

        async def submit():
            loop = asyncio.get_running_loop()
            futures = []
            for envelope in envelopes:
                future = loop.create_future()
                try:
                    self.node.submit(envelope, future.set_result)
                except HansaError as error:
                    future.set_result(error)
                futures.append(future)
            return await asyncio.wait_for(asyncio.gather(*futures), 10)

        return self.runner.run(submit())

    def post(self, body):
        """What `POST /app/transactions` does with a batch."""
        return self.send(cose.split_sequence(body, BATCH_ENVELOPES_MAX))


@pytest.fixture(params=["ed25519", "p256"])
def running(request, make_ledger):
    made = Running(make_ledger(key_kind=request.param))
    yield made
    made.close()


def mutate(data, envelope):
    """One change of some bytes: flipped, cut out, put in, doubled, or put in another place."""
    length = len(envelope)
    if not length:
        return data.draw(st.binary(max_size=40))
    at = data.draw(st.integers(0, length))
    end = data.draw(st.integers(at, min(length, at + 64)))
    kind = data.draw(st.sampled_from(["flip", "cut", "insert", "replace", "double", "swap", "truncate"]))
    match kind:
        case "flip":
            bit = data.draw(st.integers(0, 8 * length - 1))
            return envelope[: bit // 8] + bytes([envelope[bit // 8] ^ 1 << bit % 8]) + envelope[bit // 8 + 1 :]
        case "cut":
            return envelope[:at] + envelope[end:]
        case "insert":
            return envelope[:at] + data.draw(st.binary(max_size=40)) + envelope[at:]
        case "replace":
            return envelope[:at] + data.draw(st.binary(min_size=end - at, max_size=end - at)) + envelope[end:]
        case "double":
            return envelope[:end] + envelope[at:end] + envelope[end:]
        case "swap":
            return envelope[at:end] + envelope[:at] + envelope[end:]
        case _:
            return envelope[:at]


def check_refused(answer):
    assert isinstance(answer, HansaError), answer
    assert 400 <= KINDS[answer.code].status < 500, answer


@QUICK
@given(data=st.data())
def test_a_changed_envelope_is_refused_and_an_unchanged_one_counts(running, data):
    envelope = running.ledger.idle(data=data.draw(st.binary(max_size=50))).envelope
    sent = envelope
    for _ in range(data.draw(st.integers(0, 3))):
        sent = mutate(data, sent)
    entries = running.node.status().entries
    (answer,) = running.send([sent])
    if sent == envelope:
        assert isinstance(answer, Answer)
        assert running.node.status().entries == entries + 1
    else:
        check_refused(answer)
        assert running.node.status().entries == entries
        assert isinstance(running.send([envelope])[0], Answer)  # the node goes on, and the honest one counts


@QUICK
@given(data=st.data())
def test_a_changed_batch_is_refused_or_each_of_its_items_is(running, data):
    honest = [running.ledger.idle(data=data.draw(st.binary(max_size=20))).envelope for _ in range(4)]
    body = b"".join(honest)
    sent = body
    for _ in range(data.draw(st.integers(0, 3))):
        sent = mutate(data, sent)
    entries = running.node.status().entries
    try:
        answers = running.post(sent)
    except HansaError as error:
        check_refused(error)
        assert sent != body
        assert running.node.status().entries == entries
        return
    items = cose.split_sequence(sent, BATCH_ENVELOPES_MAX)
    assert b"".join(items) == sent
    for item, answer in zip(items, answers, strict=True):
        if item in honest:
            assert isinstance(answer, Answer)
        else:
            check_refused(answer)
    assert running.node.status().entries == entries + len({item for item in items if item in honest})


@QUICK
@given(
    body=st.one_of(
        st.binary(max_size=200),
        st.lists(st.sampled_from([b"\xd2\x84", b"\xa0", b"\x58\x40", b"\xd2", b"\x84", b"\x40"])).map(b"".join),
    )
)
def test_noise_is_refused(running, body):
    entries = running.node.status().entries
    check_refused(running.send([body])[0])
    try:
        answers = running.post(body)
    except HansaError as error:
        check_refused(error)
    else:
        for answer in answers:
            check_refused(answer)
    assert running.node.status().entries == entries


_PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text(max_size=10), st.binary(max_size=10)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=4)),
    max_leaves=12,
)


@QUICK
@given(
    arguments=st.dictionaries(
        st.one_of(st.sampled_from(["to", "text", "number", "note", "name", "owner"]), st.text(max_size=8)),
        _PLAIN,
        max_size=6,
    ),
    action=st.sampled_from(["say", "add", "open", "give", "seal", "keep"]),
    place=st.tuples(
        st.text(max_size=12),
        st.text(max_size=12),
        st.one_of(st.integers(-(2**63), 2**63 - 1), st.text(max_size=12), st.binary(max_size=12)),
    ),
)
def test_whatever_is_signed_gets_a_sound_outcome(running, arguments, action, place):
    """Signed by a member and out of all reason: it gets its entry, and the contract engine does not fail."""
    ledger = running.ledger
    made = [
        ledger.prepare("notes", action, arguments),
        ledger.prepare("members", "deploy", arguments, steps_max=100_000),
        ledger.prepare(place[0] or "notes", place[1] or "say", arguments),
        ledger.idle() if not place[0] else ledger.prepare("notes", action, arguments, preconditions=[[*place, None]]),
    ]
    for answer in running.send([one.envelope for one in made]):
        assert isinstance(answer, Answer), answer
        outcome = entry.decode_outcome(answer.outcome)
        assert outcome.code in KINDS or outcome.code == "ok"
        assert outcome.code != "contract.internal"


def test_no_single_flipped_bit_passes(running):
    """Each bit of an envelope, before and after the honest one has its entry: none makes another entry."""
    envelope = running.ledger.open("a").envelope
    flipped = [
        envelope[: bit // 8] + bytes([envelope[bit // 8] ^ 1 << bit % 8]) + envelope[bit // 8 + 1 :]
        for bit in range(8 * len(envelope))
    ]
    entries = running.node.status().entries
    for answer in running.send(flipped):
        check_refused(answer)
    assert running.node.status().entries == entries
    (honest,) = running.send([envelope])
    assert entry.decode_outcome(honest.outcome).code == "ok"
    assert not honest.duplicate
    for answer in running.send(flipped):
        check_refused(answer)
    assert running.node.status().entries == entries + 1
    assert transaction.read(running.node.reading.at(honest.seq).envelope).envelope == envelope
