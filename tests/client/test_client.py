"""Talking to nodes: refusals come as what they name, lost answers are asked for again, and both clients are one."""

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from tests.client.conftest import TIME, outcome_of
from tests.client.fakes import URL, Drive, Fake, Reply, good, lost, problem, unreachable

import hansa.client
from hansa.client import AsyncClient, Client, Event, HansaError, Prepared, Refused, Unknown, transactions
from hansa.client.events import Follower, Heartbeat, Lost
from hansa.client.exchange import segment
from hansa.client.sign_in import SignedIn
from hansa.wire import cbor, cose, entry
from hansa.wire.keys import PrivateKey
from hansa.wire.problems import KINDS

LEDGER = bytes(range(32))
HASTY = {"patient": False}


@pytest.fixture(params=["sync", "async"])
def drive(request: pytest.FixtureRequest) -> Drive:
    return Drive(request.param)


@pytest.fixture
def made(make_key: Callable) -> Prepared:
    return transactions.prepare(make_key("eddsa", "acme"), LEDGER, "shop", "go", {"n": 1})


def answer(made: Prepared, **fields: Any) -> httpx2.Response:
    value = {"id": made.id, "seq": 5, "outcome": outcome_of(5), "duplicate": False, **fields}
    return httpx2.Response(200, content=cbor.encode(value))


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between tries, which no test waits for."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        if seconds:
            pauses.append(seconds)

    monkeypatch.setattr("time.sleep", pauses.append)
    monkeypatch.setattr("asyncio.sleep", sleep)
    return pauses


# Reading


def test_a_route_is_asked_as_it_is_named(drive: Drive) -> None:
    fake = Fake(good({"state": "running"}))
    assert drive(fake, "get", "/node/status", rows=5, client={"urls": URL + "/"}) == {"state": "running"}
    (asked,) = fake.asked
    assert (asked["method"], asked["url"], asked["params"]) == ("GET", URL + "/node/status", {"rows": 5})
    assert (asked["content"], asked["headers"]) == (None, {"accept": "*/*"})


def test_bytes_are_given_as_they_came(drive: Drive) -> None:
    fake = Fake(httpx2.Response(200, content=b"\x00\xff"))
    assert drive(fake, "get_bytes", "/node/genesis", "application/cbor") == b"\x00\xff"
    assert fake.asked[0]["headers"] == {"accept": "application/cbor"}


def test_the_id_of_the_ledger_is_asked_for(refused: Callable, drive: Drive) -> None:
    fake = Fake(good({"ledger": "ab" * 32}))
    assert drive(fake, "ledger", client=HASTY) == b"\xab" * 32
    assert fake.asked[0]["url"] == URL + "/node/status"
    with refused("node.foreign"):
        drive(Fake(good({"ledger": "ab"})), "ledger", client=HASTY)


def test_what_is_posted_is_json(drive: Drive) -> None:
    fake = Fake(good({"result": 5}))
    assert drive(fake, "post", "/app/x", {"n": 1, "data": b"\xff"}) == {"result": 5}
    (asked,) = fake.asked
    assert (asked["method"], asked["url"]) == ("POST", URL + "/app/x")
    assert json.loads(asked["content"]) == {"n": 1, "data": "ff"}
    assert asked["headers"]["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("abc", "abc"), ("a/b", "a%2Fb"), ("a b", "a%20b"), ("é", "%C3%A9"), ("a?b#c", "a%3Fb%23c"), ("%2F", "%252F")],
)
def test_a_segment_of_a_path(text: str, expected: str) -> None:
    assert segment(text) == expected


@pytest.mark.parametrize(
    "code", ["sender.unknown", "transaction.expired", "entry.unknown", "queue.full", "argument.value"]
)
def test_a_refusal_comes_as_what_it_names(code: str, refused: Callable, drive: Drive) -> None:
    fake = Fake(problem(code, retry_after=1, problems=["a", "b"], remedy="Do this."))
    with refused(code) as caught:
        drive(fake, "get", "/x", client=HASTY)
    assert (caught.value.detail, caught.value.remedy) == ("what happened", "Do this.")
    assert caught.value.fields == {"retry_after": 1, "problems": ["a", "b"]}
    assert len(fake.asked) == 1


def test_every_code_comes_back(refused: Callable, drive: Drive) -> None:
    for code, kind in KINDS.items():
        document = json.dumps(HansaError(code, "d").problem()).encode()
        with refused(code):
            drive(Fake(httpx2.Response(max(kind.status, 400), content=document)), "get", "/x", client=HASTY)


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(502, content=b"<html>bad gateway</html>"),
        httpx2.Response(500, content=b""),
        httpx2.Response(404, content=b"{}"),
        httpx2.Response(404, content=b"[]"),
        httpx2.Response(404, content=b"null"),
        httpx2.Response(404, content=b'{"code": "entry.unknown"}'),
        httpx2.Response(200, content=b"<html>another server</html>"),
        httpx2.Response(307, headers={"location": "/y"}),
        httpx2.Response(204),
    ],
)
def test_an_answer_of_another_server(answer: httpx2.Response, refused: Callable, drive: Drive) -> None:
    with refused("node.foreign"):
        drive(Fake(answer), "get", "/x", client=HASTY)


def test_a_code_of_a_newer_node_is_told(refused: Callable, drive: Drive) -> None:
    answer = httpx2.Response(400, content=b'{"code": "a.newer.code", "detail": "why", "remedy": "Update."}')
    with refused("node.newer") as caught:
        drive(Fake(answer), "get", "/x")
    assert (caught.value.detail, caught.value.remedy) == ("a.newer.code: why", "Update.")


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (httpx2.ConnectError("refused"), "node.unreachable"),
        (httpx2.ConnectTimeout("slow"), "node.unreachable"),
        (httpx2.PoolTimeout("busy"), "node.unreachable"),
        (httpx2.ReadTimeout("slow"), "node.silent"),
        (httpx2.ReadError("reset"), "node.silent"),
        (httpx2.RemoteProtocolError("closed"), "node.silent"),
    ],
)
def test_no_answer_is_said_to_be_none(failure: Exception, code: str, refused: Callable, drive: Drive) -> None:
    """Nobody there, and somebody who says nothing, are two things: only the first is mended by starting a node."""
    with refused(code) as caught:
        drive(Fake(failure), "get", "/x", client=HASTY)
    assert URL in caught.value.detail
    assert ("hansa up" in caught.value.remedy) == (code == "node.unreachable")


@pytest.mark.parametrize(
    "failure", [unreachable(), lost(), problem("node.stopping", retry_after=1), problem("queue.full", retry_after=1)]
)
def test_a_patient_client_reads_again(failure: Reply, drive: Drive, slept: list[float]) -> None:
    fake = Fake(failure, failure, good(7))
    assert drive(fake, "get", "/x") == 7
    assert len(slept) == 2
    assert all(pause >= 1 for pause in slept) == (not isinstance(failure, Exception))


def test_what_a_node_refuses_for_good_is_not_asked_again(drive: Drive, refused: Callable) -> None:
    fake = Fake(problem("entry.unknown"))
    with refused("entry.unknown"):
        drive(fake, "get", "/x")
    assert len(fake.asked) == 1


def test_reading_again_has_an_end(drive: Drive, refused: Callable, slept: list[float]) -> None:
    fake = Fake(*[lost()] * 9)
    with refused("node.silent"):
        drive(fake, "get", "/x")
    assert len(fake.asked) == 4


def test_a_read_waits_for_ten_seconds(drive: Drive) -> None:
    fake = Fake(good(1))
    drive(fake, "get", "/x")
    assert fake.waits == [(5.0, 10.0)]


# Submitting


def test_a_submission_gives_the_exact_outcome(made: Prepared, drive: Drive) -> None:
    fake = Fake(answer(made))
    found = drive(fake, "submit", made.envelope)
    assert (found.id, found.seq, found.status, found.code) == (made.id.hex(), 5, "applied", "ok")
    assert (found.steps, found.time, found.duplicate, found.not_after) == (5, TIME, False, made.not_after)
    assert (found.outcome, found.receipt) == (outcome_of(5), None)
    (asked,) = fake.asked
    assert (asked["method"], asked["url"]) == ("POST", URL + "/app/transactions")
    assert (asked["content"], asked["params"]) == (made.envelope, None)
    assert asked["headers"] == {"accept": "application/cbor", "content-type": "application/cose"}


def test_what_is_accepted_has_no_outcome_yet(made: Prepared, drive: Drive) -> None:
    fake = Fake(httpx2.Response(202, json={"id": made.id.hex(), "status": "pending"}))
    found = drive(fake, "submit", made.envelope, wait="accepted")
    assert (found.id, found.seq, found.status, found.not_after) == (made.id.hex(), None, "accepted", made.not_after)
    assert fake.asked[0]["params"] == {"wait": "accepted"}


@pytest.mark.parametrize(
    "losses",
    [
        [lost()],
        [lost(), lost()],
        [problem("answer.late")],
        [problem("answer.late"), lost()],
        [problem("node.stopping"), unreachable()],
        [httpx2.RemoteProtocolError("closed")],
        [httpx2.Response(502, content=b"<html>bad gateway</html>")],
        [httpx2.Response(503, headers={"retry-after": "1"})],
        [httpx2.Response(200, content=b"")],
        [httpx2.Response(200, content=b"<html>another server</html>")],
        [httpx2.Response(200, content=cbor.encode({"id": bytes(32), "seq": 5}))],
        [
            httpx2.Response(
                200, content=cbor.encode({"id": bytes(32), "seq": 5, "outcome": outcome_of(5), "duplicate": True})
            )
        ],
    ],
)
@pytest.mark.parametrize("patient", [True, False])
def test_a_lost_answer_is_asked_for_again_with_the_same_bytes(
    losses: list[Reply], patient: bool, made: Prepared, drive: Drive, slept: list[float]
) -> None:
    fake = Fake(*losses, answer(made))
    assert drive(fake, "submit", made.envelope, client={"patient": patient}).seq == 5
    assert [asked["content"] for asked in fake.asked] == [made.envelope] * (len(losses) + 1)


@pytest.mark.parametrize(
    ("replies", "cause"),
    [
        ([lost()] * 3, "node.silent"),
        ([problem("answer.late")] * 3, "answer.late"),
        ([problem("node.stopping")] + [unreachable()] * 2, "node.stopping"),
        ([problem("node.faulted"), problem("node.faulted", retry_after=1), lost()], "node.faulted"),
        ([lost(), problem("queue.full", retry_after=1), problem("sender.unknown")], "node.silent"),
    ],
)
def test_a_hasty_client_sends_three_times_then_the_outcome_is_unknown(
    replies: list[Reply], cause: str, made: Prepared, drive: Drive, slept: list[float]
) -> None:
    """Whatever is said to what was sent again: the first may have been taken."""
    fake = Fake(*replies)
    with pytest.raises(Unknown) as caught:
        drive(fake, "submit", made.envelope, client=HASTY)
    unknown = caught.value
    assert (unknown.code, len(fake.asked), unknown.fields["cause"]) == ("answer.unknown", 3, cause)
    assert (unknown.id, unknown.not_after, unknown.envelope) == (made.id.hex(), made.not_after, made.envelope)
    assert [asked["params"] for asked in fake.looked] == [{"not_after": made.not_after}]
    assert slept == [0.5, 2.0]


def test_a_patient_client_waits_as_long_as_it_takes_for_a_node_to_come_back(
    made: Prepared, drive: Drive, slept: list[float]
) -> None:
    fake = Fake(lost(), *[unreachable()] * 8, answer(made))
    assert drive(fake, "submit", made.envelope).seq == 5
    assert len(fake.asked) == 10
    assert max(slept) <= 5


def test_a_patient_client_gives_up_after_four_lost_answers(made: Prepared, drive: Drive, slept: list[float]) -> None:
    fake = Fake(*[lost()] * 9)
    with pytest.raises(Unknown):
        drive(fake, "submit", made.envelope)
    assert len(fake.asked) == 4


@pytest.mark.parametrize(("wait", "most"), [(None, 63), (20, 23)])
def test_trying_again_has_an_end(
    wait: float | None, most: float, made: Prepared, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    class Slow(Fake):
        def request(self, method: str, *words: Any, timeout: httpx2.Timeout | None = None, **more: Any) -> Any:
            assert timeout is not None
            assert timeout.read is not None
            now[0] += timeout.read if method == "POST" else 0
            return super().request(method, *words, timeout=timeout, **more)

    fake = Slow(*[lost()] * 9)
    with monkeypatch.context() as patch, pytest.raises(Unknown):
        patch.setattr("hansa.client.session.time.monotonic", lambda: now[0])
        patch.setattr("time.sleep", lambda pause: now.__setitem__(0, now[0] + pause))
        patch.setattr("asyncio.sleep", sleep)
        drive(fake, "submit", made.envelope, client={"patient": False, **({"timeout_s": wait} if wait else {})})
    assert now[0] < most
    assert fake.waits[0] == (5.0, min(35.0, wait or 35.0))


@pytest.mark.parametrize("code", ["sender.unknown", "signature.invalid", "queue.full", "node.faulted", "disk.full"])
def test_a_hasty_client_does_not_send_again_what_was_refused(
    code: str, refused: Callable, made: Prepared, drive: Drive
) -> None:
    fake = Fake(problem(code, retry_after=1))
    with refused(code):
        drive(fake, "submit", made.envelope, client=HASTY)
    assert len(fake.asked) == 1


@pytest.mark.parametrize(
    "body", [b'{"code": "UPSTREAM_TIMEOUT", "detail": "no answer"}', b'{"code": [], "detail": "x"}']
)
def test_what_a_gateway_says_is_no_refusal(body: bytes, made: Prepared, drive: Drive, slept: list[float]) -> None:
    """It has passed the transaction on; a refusal of a newer node, with a status below 500, is one."""
    gateway = httpx2.Response(504, content=body)
    fake = Fake(*[gateway] * 3)
    with pytest.raises(Unknown) as caught:
        drive(fake, "submit", made.envelope, client=HASTY)
    assert (len(fake.asked), caught.value.fields["id"]) == (3, made.id.hex())
    with pytest.raises(HansaError) as newer:
        drive(Fake(httpx2.Response(409, content=b'{"code": "a.newer", "detail": "x"}')), "submit", made.envelope)
    assert (newer.value.code, newer.value.fields) == ("node.newer", {"answered": 409})


@pytest.mark.parametrize("digits", [1, 3, 5, 400, 5000])
def test_when_to_come_again_has_a_limit(digits: int, drive: Drive) -> None:
    """Also where it is longer than Python turns into a number."""
    much = "9" * digits
    for answer in (
        httpx2.Response(503, headers={"retry-after": much}, content=b"busy"),
        httpx2.Response(503, content=b'{"code": "queue.full", "detail": "d", "retry_after": ' + much.encode() + b"}"),
    ):
        with pytest.raises(HansaError) as caught:
            drive(Fake(answer), "get", "/x", client=HASTY)
        assert caught.value.fields.get("retry_after") == (int(much) if digits < 5 else None)


def test_a_field_may_have_any_name(drive: Drive, refused: Callable) -> None:
    answer = httpx2.Response(503, content=b'{"code": "queue.full", "detail": "d", "self": 1, "kind": 2}')
    with refused("queue.full") as caught:
        drive(Fake(answer), "get", "/x", client=HASTY)
    assert caught.value.fields == {"self": 1, "kind": 2}


def test_a_patient_client_comes_back_when_a_busy_node_says(made: Prepared, drive: Drive, slept: list[float]) -> None:
    busy = [problem("queue.full", retry_after=7), problem("queue.share", retry_after=3)]
    fake = Fake(*busy, answer(made))
    assert drive(fake, "submit", made.envelope).seq == 5
    assert [7 <= slept[0] < 8, 3 <= slept[1] < 5] == [True, True]


def test_a_pause_beyond_the_time_there_is_is_not_made(
    made: Prepared, drive: Drive, slept: list[float], refused: Callable
) -> None:
    fake = Fake(problem("queue.full", retry_after=90))
    with refused("queue.full"):
        drive(fake, "submit", made.envelope)
    assert (slept, len(fake.asked)) == ([], 1)


@pytest.mark.parametrize("patient", [True, False])
def test_a_submission_that_reached_nobody_is_not_unknown(
    patient: bool, refused: Callable, made: Prepared, drive: Drive, slept: list[float]
) -> None:
    fake = Fake(*[unreachable()] * 500)
    with refused("node.unreachable"):
        drive(fake, "submit", made.envelope, client={"patient": patient, "timeout_s": 3 if patient else 60})
    assert fake.looked == []


@pytest.mark.parametrize("wait", ["recept", "", None])
def test_there_are_three_things_to_wait_for(wait: Any, made: Prepared, drive: Drive, refused: Callable) -> None:
    with refused("argument.value") as caught:
        drive(Fake(), "submit", made.envelope, wait=wait)
    assert "accepted, committed, receipt" in caught.value.detail


# What became of it


def committed(made: Prepared, outcome: bytes | None = None) -> dict[str, Any]:
    return {"status": "committed", "seq": 9, "kind": "transaction", "outcome": (outcome or outcome_of(9)).hex()}


def test_a_transaction_that_has_its_entry_is_found_after_all(made: Prepared, drive: Drive, slept: list[float]) -> None:
    fake = Fake(*[lost()] * 4, lookups=committed(made))
    found = drive(fake, "submit", made.envelope)
    assert (found.seq, found.steps, found.duplicate) == (9, 9, True)


def test_a_url_is_shown_without_its_password(made: Prepared, drive: Drive, slept: list[float]) -> None:
    for failure in (unreachable(), lost(), httpx2.Response(200, content=b"x")):
        with pytest.raises(HansaError) as caught:
            drive(Fake(*[failure] * 9), "ledger", client={"urls": "http://user:s3cret@127.0.0.1:8470", "timeout_s": 1})
        assert "127.0.0.1:8470" in caught.value.detail
        assert "s3cret" not in str(caught.value)


def test_a_refusal_is_none_where_there_is_an_entry(made: Prepared, drive: Drive) -> None:
    """The answer was another's, or the key was revoked since."""
    fake = Fake(problem("sender.unknown"), lookups=committed(made))
    assert drive(fake, "submit", made.envelope).seq == 9


def test_a_refusal_of_what_is_pending_is_none(made: Prepared, drive: Drive) -> None:
    fake = Fake(problem("sender.unknown"), lookups={"status": "pending"})
    with pytest.raises(Unknown):
        drive(fake, "submit", made.envelope)


def test_what_never_came_is_not_unknown(made: Prepared, drive: Drive, slept: list[float], refused: Callable) -> None:
    now = made.not_after + 60_000
    fake = Fake(*[lost()] * 4, lookups={"status": "never"})
    with pytest.MonkeyPatch.context() as patch, refused("transaction.expired") as caught:
        patch.setattr("time.time_ns", lambda: now * 1_000_000)
        drive(fake, "submit", made.envelope)
    assert "never will" in caught.value.detail
    with pytest.MonkeyPatch.context() as patch, refused("sender.unknown"):  # nothing was lost, so that is the reason
        patch.setattr("time.time_ns", lambda: now * 1_000_000)
        drive(Fake(problem("sender.unknown"), lookups={"status": "never"}), "submit", made.envelope)


def test_no_node_says_never_before_the_time_is_over(made: Prepared, drive: Drive, slept: list[float]) -> None:
    """By this machine's clock: the node's may be wrong, or the node lies."""
    fake = Fake(*[lost()] * 4, good({"ledger": LEDGER.hex()}), good("genesis"), lookups={"status": "never"})
    with pytest.raises(Unknown):
        drive(fake, "submit", made.envelope)


@pytest.mark.parametrize("order", [1, -1])
def test_never_counts_only_if_no_other_node_has_it(
    order: int, made: Prepared, drive: Drive, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Two(Fake):
        def request(self, method: str, url: str, **more: Any) -> httpx2.Response:
            if url.endswith("/node/status"):
                return good({"ledger": LEDGER.hex(), "clock": "real"})
            self.lookups = {"status": "never"} if url.startswith(URL) else {"status": "pending"}
            return super().request(method, url, **more)

    monkeypatch.setattr("time.time_ns", lambda: (made.not_after + 60_000) * 1_000_000)
    with pytest.raises(Unknown):
        drive(Two(*[lost()] * 4), "submit", made.envelope, client={"urls": [URL, "http://other"][::order]})


def test_a_lookup_of_another_transaction_counts_for_nothing(made: Prepared, drive: Drive, slept: list[float]) -> None:
    fake = Fake(*[lost()] * 4, lookups={**committed(made), "id": "ab" * 32})
    with pytest.raises(Unknown):
        drive(fake, "submit", made.envelope)


@pytest.mark.parametrize("kind", ["entry", "sent", "expired", "unknown"])
def test_an_unknown_outcome_is_resolved(
    kind: str, made: Prepared, drive: Drive, slept: list[float], refused: Callable
) -> None:
    unknown = Unknown(made.id.hex(), made.not_after, made.envelope, HansaError("node.silent"))
    if kind == "entry":
        fake = Fake(lookups=committed(made))
        assert drive(fake, "resolve", unknown).seq == 9
    elif kind == "sent":
        fake = Fake(answer(made))
        assert drive(fake, "resolve", unknown).seq == 5
        assert fake.asked[0]["content"] == made.envelope
    elif kind == "expired":
        with pytest.MonkeyPatch.context() as patch, refused("transaction.expired"):
            patch.setattr("time.time_ns", lambda: (made.not_after + 60_000) * 1_000_000)
            drive(Fake(lookups={"status": "never"}), "resolve", unknown)
    else:  # what a node says to bytes sent again is no answer to those sent before
        with pytest.raises(Unknown):
            drive(Fake(problem("sender.unknown")), "resolve", unknown)
        with pytest.raises(Unknown):
            drive(Fake(*[unreachable()] * 3), "resolve", unknown, client={"timeout_s": 1})


def test_what_was_only_accepted_is_resolved(
    made: Prepared, drive: Drive, slept: list[float], refused: Callable
) -> None:
    took = drive(Fake(good({"id": made.id.hex()})), "submit", made.envelope, wait="accepted")
    assert len(repr(took)) < 120
    assert drive(Fake(lookups=committed(made)), "resolve", took).seq == 9
    fake = Fake(answer(made))
    known = drive(fake, "resolve", took)
    assert (known.seq, fake.asked[0]["content"]) == (5, made.envelope)
    with pytest.raises(Unknown):  # it was taken, so no refusal of now is its end
        drive(Fake(problem("sender.unknown")), "resolve", took)
    with refused("argument.value"):
        drive(Fake(), "resolve", known)


@pytest.mark.parametrize("status", ["pending", "not_found", "never"])
def test_a_lookup(status: str, made: Prepared, drive: Drive) -> None:
    fake = Fake(lookups={"status": status})
    found = drive(fake, "transaction", made.id.hex(), not_after=5)
    assert (found.id, found.status, found.answer) == (made.id.hex(), status, None)
    assert fake.looked[0]["params"] == {"not_after": 5}


def test_a_lookup_of_an_entry_gives_its_answer(made: Prepared, drive: Drive) -> None:
    found = drive(Fake(lookups=committed(made)), "transaction", made.id)
    assert found.answer is not None
    assert (found.status, found.answer.seq, found.answer.id) == ("committed", 9, made.id.hex())


# Refused by the rules


def refusing(result: Any, code: str = "require.failed") -> bytes:
    outcome = entry.decode_outcome(outcome_of(5))
    fields = {name: getattr(outcome, name) for name in outcome.__struct_fields__}
    ordered = cbor.decode(cbor.encode(result))
    return entry.encode_outcome(**{**fields, "status": "refused", "code": code, "result": ordered})


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({"message": "no cover"}, "no cover"),
        (
            {
                "message": "{who} has {balance}, {nothing}",
                "values": {"who": "ann", "balance": {"minor": 5, "currency": "USD"}},
            },
            "ann has USD 0.05, {nothing}",
        ),
        (
            {"message": "arguments", "values": {"problems": [{"name": "n", "problem": "is missing"}, "b"]}},
            "arguments: `n`: is missing; b",
        ),
        ({"message": "have {problems}", "values": {"problems": [1]}}, "have [1]"),
        ({"message": "{data}", "values": {"data": b"\xff"}}, "ff"),
        (None, "A rule of the contract refused the action"),
    ],
)
def test_what_the_rules_refuse_says_why(result: Any, message: str, made: Prepared, drive: Drive) -> None:
    with pytest.raises(Refused) as caught:
        drive(Fake(answer(made, outcome=refusing(result))), "submit", made.envelope)
    refused = caught.value
    assert (refused.code, refused.detail, refused.answer.seq) == ("require.failed", message, 5)
    assert refused.answer.status == "refused"


def test_a_refusal_with_a_newer_code_keeps_it(made: Prepared, drive: Drive) -> None:
    with pytest.raises(Refused) as caught:
        drive(Fake(answer(made, outcome=refusing(None, "a.newer"))), "submit", made.envelope)
    assert caught.value.code == "a.newer"


# Several nodes

TWO = ("http://one", "http://two")


class Nodes(Fake):
    """Nodes by URL, each with its ledger and the answers that it has left; nobody answers where none is."""

    def __init__(self, ledgers: dict[str, str], replies: dict[str, list[Reply]]) -> None:
        super().__init__()
        self.ledgers, self.given = ledgers, replies
        self.taken: list[tuple[str, bytes | None]] = []

    def request(self, method: str, url: str, *, content: bytes | None = None, **more: Any) -> httpx2.Response:
        node = next(node for node in TWO if url.startswith(node))
        if url.endswith("/node/status"):
            if node not in self.ledgers:
                raise unreachable()
            return good({"ledger": self.ledgers[node]})
        self.taken.append((node, content))
        self.replies = [self.given[node].pop(0)]
        return super().request(method, url, content=content, **more)


SAME = dict.fromkeys(TWO, LEDGER.hex())


@pytest.mark.parametrize("patient", [True, False])
@pytest.mark.parametrize("failure", [lost(), problem("queue.full", retry_after=1), problem("node.stopping")])
def test_the_same_bytes_go_to_the_next_node(
    failure: Reply, patient: bool, made: Prepared, drive: Drive, slept: list[float]
) -> None:
    nodes = Nodes(SAME, {TWO[0]: [failure], TWO[1]: [answer(made)]})
    client = {"urls": TWO, "patient": patient}
    assert drive(nodes, "submit", made.envelope, client=client).seq == 5
    assert nodes.taken == [(node, made.envelope) for node in TWO]
    assert slept == []


@pytest.mark.parametrize("patient", [True, False])
@pytest.mark.parametrize("code", ["sender.unknown", "transaction.expired", "envelope.form"])
def test_no_single_node_keeps_a_transaction_out_by_refusing_it(
    code: str, patient: bool, made: Prepared, drive: Drive, slept: list[float]
) -> None:
    nodes = Nodes(SAME, {TWO[0]: [problem(code)], TWO[1]: [answer(made)]})
    client = {"urls": TWO, "patient": patient}
    assert drive(nodes, "submit", made.envelope, client=client).seq == 5
    assert nodes.taken == [(node, made.envelope) for node in TWO]
    assert slept == []


@pytest.mark.parametrize("patient", [True, False])
@pytest.mark.parametrize("second", [problem("transaction.expired"), unreachable()])
def test_what_each_node_refuses_or_cannot_be_asked_is_refused_as_the_first_says(
    second: Reply, patient: bool, made: Prepared, drive: Drive, slept: list[float], refused: Callable
) -> None:
    unknown = good({"id": made.id.hex(), "status": "not_found"})
    nodes = Nodes(SAME, {TWO[0]: [problem("sender.unknown"), unknown], TWO[1]: [second, unknown]})
    with refused("sender.unknown"):
        drive(nodes, "submit", made.envelope, client={"urls": TWO, "patient": patient})
    sent = [node for node, content in nodes.taken if content == made.envelope]
    assert (sent, slept) == (list(TWO), [])


def test_a_node_that_refuses_hides_no_answer_that_was_lost(made: Prepared, drive: Drive, slept: list[float]) -> None:
    unknown = good({"id": made.id.hex(), "status": "not_found"})
    nodes = Nodes(SAME, {TWO[0]: [problem("sender.unknown"), unknown], TWO[1]: [lost(), unknown]})
    with pytest.raises(Unknown):
        drive(nodes, "submit", made.envelope, client={"urls": TWO})


def test_a_node_that_is_not_there_is_passed_over(made: Prepared, drive: Drive, slept: list[float]) -> None:
    nodes = Nodes({TWO[1]: LEDGER.hex()}, {TWO[1]: [answer(made), good(1)]})
    assert drive(nodes, "submit", made.envelope, client={"urls": TWO}).seq == 5
    assert (nodes.taken, slept) == ([(TWO[1], made.envelope)], [])


@pytest.mark.parametrize("patient", [True, False])
def test_a_node_of_another_ledger_is_not_used(
    patient: bool, made: Prepared, drive: Drive, slept: list[float], refused: Callable
) -> None:
    nodes = Nodes({TWO[0]: LEDGER.hex(), TWO[1]: "ab" * 32}, {TWO[0]: [lost()], TWO[1]: []})
    with refused("node.ledger"):
        drive(nodes, "get", "/x", client={"urls": TWO, "patient": patient})
    assert [node for node, _ in nodes.taken] == [TWO[0]]
    nodes = Nodes({TWO[0]: LEDGER.hex(), TWO[1]: "ab" * 32}, {TWO[0]: [lost(), lost()], TWO[1]: []})
    with pytest.raises(Unknown):  # the first may have taken it
        drive(nodes, "submit", made.envelope, client={"urls": TWO, "patient": patient})


def test_a_node_that_failed_is_looked_at_again_before_it_is_used(
    made: Prepared, drive: Drive, slept: list[float]
) -> None:
    """What comes back at the same URL may be the node of another ledger."""
    here, other = good({"ledger": LEDGER.hex()}), good({"ledger": "ab" * 32})
    fake = Fake(here, lost(), here, lost(), other)
    with pytest.raises(Unknown):
        drive(fake, "submit", made.envelope, client={"urls": TWO})
    asked = [(one["method"], one["url"].removesuffix("/app/transactions")) for one in fake.asked]
    assert [one for one in asked if one[0] == "POST"] == [("POST", TWO[0]), ("POST", TWO[1])]
    assert asked[4] == ("GET", f"{TWO[0]}/node/status")


def test_a_pinned_ledger_is_the_only_one(drive: Drive, refused: Callable) -> None:
    nodes = Nodes(SAME, {TWO[0]: [good(1)]})
    assert drive(nodes, "get", "/x", client={"urls": TWO[0], "ledger": LEDGER.hex()}) == 1
    with refused("node.ledger"):
        drive(nodes, "get", "/x", client={"urls": TWO[0], "ledger": "ab" * 32})
    assert len(nodes.taken) == 1


@pytest.mark.parametrize("urls", [(), (URL, URL + "/")])
def test_nodes_are_named_once_each(urls: tuple[str, ...], refused: Callable) -> None:
    with refused("argument.value"):
        Client(urls)


class Module:
    """Signs elsewhere, as a hardware module does, and counts."""

    def __init__(self, key: Any) -> None:
        self.algorithm, self.kid = key.algorithm, key.kid
        self._key = key
        self.signed: list[bytes] = []

    def sign(self, message: bytes) -> bytes:
        self.signed.append(message)
        return self._key.sign(message)


def test_a_call_is_signed_once_whatever_happens(make_key: Callable, drive: Drive, slept: list[float]) -> None:
    module = Module(make_key("es256", "module"))
    schema = {"version": "1.0.0", "actions": {"go": {"arguments": {"properties": {}}}}, "views": {}}
    replies = [good({**schema, "records": {}, "$defs": {}}), lost(), problem("node.stopping"), unreachable(), lost()]
    again = Nodes(SAME, {TWO[0]: [lost()] * 9})
    nodes = Nodes(SAME, {TWO[0]: [*replies, lost()], TWO[1]: [lost()] * 9})
    with pytest.raises(Unknown) as caught:
        drive(nodes, "call", "shop", "go", {}, client={"key": module, "urls": TWO})
    with pytest.raises(Unknown):
        drive(again, "resolve", caught.value, client={"key": module, "urls": TWO[0]})
    sent = [content for _, content in nodes.taken + again.taken if content is not None]
    assert len(sent) == 8
    assert set(sent) == {caught.value.envelope}
    assert len(module.signed) == 1


# Life


def test_a_real_connection_closes() -> None:
    with Client("http://127.0.0.1:1", patient=False) as node, pytest.raises(HansaError) as caught:
        node.get("/node/status")
    assert caught.value.code == "node.unreachable"
    assert node._own is not None
    assert [one.is_closed for one in node._own._clients.all()] == [True]


def test_a_transport_of_the_callers_is_left_open() -> None:
    with Client(URL, transport=Fake(good(1))) as node:
        assert node.get("/x") == 1
    assert node._own is None


@pytest.mark.parametrize("url", ["http://[::1", "http://127.0.0.1:port"])
def test_a_malformed_url_is_refused(url: str) -> None:
    with Client(url, patient=False) as node, pytest.raises(HansaError) as caught:
        node.get("/x")
    assert caught.value.code == "node.unreachable"


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://127.0.0.1", "http://127.0.0.1:1", "http://"])
def test_a_url_that_leads_nowhere_is_unreachable(url: str, refused: Callable) -> None:
    with Client(url, patient=False) as node, refused("node.unreachable"):
        node.get("/x")


def test_without_a_key_nothing_is_signed(drive: Drive, refused: Callable) -> None:
    with refused("argument.value") as caught:
        drive(Fake(), "call", "shop", "go", {})
    assert caught.value.remedy == "Give the client a key."


# The two clients


def methods(kind: type) -> dict[str, inspect.Signature]:
    found = inspect.getmembers(kind, callable)
    late = {
        "Event": Event,
        "Follower": Follower,
        "Heartbeat": Heartbeat,
        "Lost": Lost,
        "PrivateKey": PrivateKey,
        "SignedIn": SignedIn,
    }  # their rooms are imported when they are asked for
    return {
        name: inspect.signature(method, locals=late, eval_str=True)
        for name, method in found
        if not name.startswith("_")
    }


def test_both_clients_have_the_same_methods() -> None:
    sync, other = methods(Client), methods(AsyncClient)
    assert sync.keys() == other.keys()
    for name, signature in sync.items():
        assert signature.parameters == other[name].parameters, name
        told = str(other[name].return_annotation).replace("AsyncIterator", "Iterator")
        assert told == str(signature.return_annotation), name
    assert {name for name in sync if not inspect.iscoroutinefunction(getattr(AsyncClient, name))} == {
        "events",
        "follow",
        "records",
        "history",
    }
    assert methods(Client)["call"].parameters["wait"].default == "committed"
    inits = [list(inspect.signature(kind.__init__).parameters) for kind in (Client, AsyncClient)]
    assert inits[0] == inits[1]


def test_every_method_of_the_client_is_documented() -> None:
    for kind in (Client, AsyncClient):
        assert [name for name in methods(kind) if not inspect.getdoc(getattr(kind, name))] == []


def test_the_public_names_are_there() -> None:
    for name in hansa.client.__all__:
        assert getattr(hansa.client, name) is not None
    assert set(hansa.client.__all__) == set(hansa.client._FROM)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = hansa.client.Nothing


def test_importing_the_room_imports_nothing_else() -> None:
    code = "import hansa.client, sys; print(sorted(m for m in sys.modules if re.match('httpx2|cryptography|hansa', m)))"
    ran = subprocess.run([sys.executable, "-c", "import re; " + code], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "['hansa', 'hansa.client']"


def test_no_key_or_payload_stands_in_what_is_raised(made: Prepared, drive: Drive, slept: list[float]) -> None:
    with pytest.raises(Unknown) as caught:
        drive(Fake(*[lost()] * 4), "submit", made.envelope)
    told = json.dumps(caught.value.problem())
    assert made.envelope.hex() not in told
    assert re.search(cose.id_of(made.envelope).hex(), told)
