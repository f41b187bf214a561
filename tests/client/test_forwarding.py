"""Forwarding: what a receiver is sent, in which order, and when an event counts as delivered."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.client import forwarding
from hansa.client.events import Event
from hansa.wire.problems import HansaError

LEDGER = "ab" * 32
URL = "http://user:secret@receiver.example:8080/hook?token=secret"


def event(seq: int = 5, index: int = 0, **changes: Any) -> Event:
    made = Event(
        id=f"{seq}-{index}",
        seq=seq,
        index=index,
        contract="notes",
        version="1.0.0",
        name="added",
        time=1_700_000_000_123,
        transaction="00",
        data={"value": 1, "amount": {"currency": "USD", "minor": 5}},
    )
    return msgspec.structs.replace(made, **changes)


def answer(status: int) -> httpx2.Response:
    return httpx2.Response(status, content=iter([b"thank ", b"you"]))


def deliver(handler: Callable[[httpx2.Request], httpx2.Response], *sent: Event) -> list[tuple[str, float]]:
    """Delivers events; what was told of losses."""
    told: list[tuple[str, float]] = []
    with httpx2.Client(transport=httpx2.MockTransport(handler)) as client:
        for one in sent:
            forwarding.deliver(
                client,
                URL,
                one,
                LEDGER,
                on_lost=lambda error, pause: told.append((error.detail, pause)),
                sleep=lambda _: None,
            )
    return told


def test_what_is_sent_is_a_cloud_event() -> None:
    """The attributes and their forms as CloudEvents 1.0.2, its JSON format and its HTTP binding say."""
    seen: list[httpx2.Request] = []

    def take(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return answer(202)

    assert deliver(take, event()) == []
    (request,) = seen
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    found = json.loads(request.content)
    assert found == {
        "specversion": "1.0",
        "id": f"{LEDGER}/5-0",
        "source": f"hansa:{LEDGER}",
        "type": "notes.added",
        "datacontenttype": "application/json",
        "time": "2023-11-14T22:13:20.123+00:00",
        "data": msgspec.structs.asdict(event()),
    }
    assert all(name.isalnum() and name.islower() for name in found)  # section 3.1 of the specification


@pytest.mark.parametrize(("time", "told"), [(0, "1970-01-01T00:00:00.000+00:00"), (2**53, None)])
def test_a_time_beyond_the_year_9999_is_left_out(time: int, told: str | None) -> None:
    assert forwarding.cloud_event(event(time=time), LEDGER).get("time") == told


@given(st.lists(st.sampled_from([200, 204, 299, 408, 425, 429, 500, 502, 503, 504, "lost", "taken and lost"])))
def test_each_is_delivered_at_least_once_and_in_order(verdicts: list[int | str]) -> None:
    script, taken = iter(verdicts), []

    def flaky(request: httpx2.Request) -> httpx2.Response:
        verdict = next(script, 200)
        if verdict == "lost":
            raise httpx2.ConnectError("refused")
        if verdict in (200, 204, 299, "taken and lost"):
            taken.append(json.loads(request.content)["data"]["seq"])
        if isinstance(verdict, str):
            raise httpx2.ReadError("cut off")
        return answer(verdict)

    deliver(flaky, *(event(seq) for seq in range(5)))
    assert taken == sorted(taken)
    assert set(taken) == set(range(5))


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 403, 404, 410, 413, 422, 501])
def test_what_will_never_be_taken_ends_the_forwarding(status: int) -> None:
    asked: list[str] = []

    def refuse(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return httpx2.Response(status, headers={"location": "http://elsewhere.example/"})

    with pytest.raises(HansaError) as raised:
        deliver(refuse, event())
    assert raised.value.code == "forward.refused"
    assert raised.value.detail == f"receiver.example answered event 5-0 with HTTP {status}"
    assert len(asked) == 1  # nor is a redirect followed
    assert "elsewhere" not in asked[0]


def test_it_is_tried_again_with_pauses_and_no_part_of_the_url_but_its_host_is_told() -> None:
    verdicts = iter([503] * 7)
    told = deliver(lambda _: answer(next(verdicts, 200)), event())
    assert [pause for _, pause in told] == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert {text for text, _ in told} == {"receiver.example answered event 5-0 with HTTP 503"}


@pytest.mark.parametrize(
    "url", ["", "x", "file:///etc/passwd", "ftp://a/", "http://", "http:///x", "http://a:0/", "http://[", "//a"]
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(HansaError) as raised:
        forwarding.check_url(url)
    assert raised.value.code == "forward.url"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9480/a\x01b", "http://1.2.3.999/", "http://a..\xe4/", "http://\u202e/"]
)
def test_what_no_request_can_be_made_of_is_refused_and_not_tried_for_ever(url: str) -> None:
    with pytest.raises(HansaError) as raised:
        forwarding.check_url(url)
    assert raised.value.code == "forward.url"
    with (
        httpx2.Client(transport=httpx2.MockTransport(lambda _: answer(200))) as client,
        pytest.raises(HansaError) as raised,
    ):
        forwarding.deliver(client, url, event(), LEDGER, sleep=lambda _: pytest.fail("it tries again"))
    assert raised.value.code == "forward.url"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://ann:secret@receiver.example/secret?token=secret#secret",
        "http://ann:secret@receiver.example/\x01?token=secret",
        "http://ann:secret@receiver.example:99999/secret",
        "ann:secret@receiver.example",
        "http:/ann:secret@receiver.example",
        "http://[ann:secret@receiver.example",
    ],
)
def test_of_a_refused_url_only_scheme_and_host_are_told(url: str) -> None:
    with pytest.raises(HansaError) as raised:
        forwarding.check_url(url)
    assert raised.value.code == "forward.url"
    assert "secret" not in raised.value.detail
    assert "ann" not in raised.value.detail


@pytest.mark.parametrize("url", ["http://a", "https://a.example/hook", "HTTP://127.0.0.1:8080/", "http://[::1]:80/"])
def test_http_and_https_urls_are_taken(url: str) -> None:
    forwarding.check_url(url)


def test_a_long_answer_is_not_read() -> None:
    read: list[int] = []

    def endless(_: httpx2.Request) -> httpx2.Response:
        def body():
            while True:
                read.append(1)
                yield b"x" * 32_768

        return httpx2.Response(200, content=body())

    assert deliver(endless, event()) == []
    assert len(read) <= 4
