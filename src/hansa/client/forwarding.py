"""Forwarding events to a webhook, at least once and in order, each as a CloudEvent.

CloudEvents 1.0.2 in the JSON format, in HTTP's structured content mode: the body is the whole event and its content
type `application/cloudevents+json`. An event counts as delivered once the receiver has answered with a 2xx; until then
it is sent again, and nothing behind it is sent. So a receiver may get one twice, and drops it by its id.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import httpx2
import msgspec

from hansa.client.events import PAUSES_S, Event, Lost
from hansa.wire.limits import INSTANT_MAX
from hansa.wire.problems import HansaError

CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"
_TIMEOUT: Final = httpx2.Timeout(30.0, connect=5.0)
_ANSWER_BYTES_MAX: Final = 64 * 1024
"""Of the receiver's answer; a longer one costs a new connection."""
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Refusals after which the same request may be taken."""


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a forwarding has come: the id of what is delivered or needs not be, of which ledger and filter."""

    ledger: str
    contract: str | None
    name: str | None
    after: str


class Posting(Protocol):
    """What sends a request and streams the answer. `httpx2.Client` is one, which follows no redirects."""

    def stream(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: httpx2.Timeout | None = None,
        follow_redirects: bool = False,
    ) -> AbstractContextManager[httpx2.Response]:
        """One request, its answer to be read as it comes."""
        ...


def check_url(url: str) -> None:
    """Raises `HansaError` `forward.url` for anything but http and https with a host, and what cannot be asked for.

    Of the URL only its scheme and host are told: the rest may hold secrets.
    """
    told = "this"
    try:
        parts = urlsplit(url)
        if parts.hostname:
            told = ascii(f"{parts.scheme}://{parts.hostname[:80]}")
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good:
        raise HansaError("forward.url", f"{told} is no http or https URL")
    try:
        httpx2.URL(url)
    except httpx2.InvalidURL:
        raise _malformed(told) from None


def _malformed(told: str) -> HansaError:
    return HansaError("forward.url", f"the URL that begins with {told} is malformed")


def cloud_event(event: Event, ledger: str) -> dict[str, Any]:
    """An event as a CloudEvent.

    The id holds the ledger's, so that it is unique wherever events of several ledgers meet; the seq and all else that
    the node tells of the event stand in `data`.
    """
    made: dict[str, Any] = {
        "specversion": "1.0",
        "id": f"{ledger}/{event.id}",
        "source": f"hansa:{ledger}",
        "type": f"{event.contract}.{event.name}",
        "datacontenttype": "application/json",
        "data": msgspec.structs.asdict(event),
    }
    if event.time <= INSTANT_MAX:  # RFC 3339 ends with the year 9999
        made["time"] = datetime.fromtimestamp(event.time / 1000, UTC).isoformat(timespec="milliseconds")
    return made


def deliver(
    transport: Posting,
    url: str,
    event: Event,
    ledger: str,
    *,
    on_lost: Lost | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Sends one event until it is taken. Raises `HansaError` `forward.refused`, `forward.url` if it never will be."""
    body = msgspec.json.encode(cloud_event(event, ledger))
    tries = 0
    while (failure := _send(transport, url, body, event.id)) is not None:
        pause = PAUSES_S[min(tries, len(PAUSES_S) - 1)]
        tries += 1
        if on_lost is not None:
            on_lost(failure, pause)
        sleep(pause)


def _send(transport: Posting, url: str, body: bytes, id: str) -> HansaError | None:
    """What kept an event from its receiver for now, None if it took it. No part of the URL but its host is told."""
    host = urlsplit(url).hostname
    try:
        with transport.stream(
            "POST", url, content=body, headers={"content-type": CONTENT_TYPE}, timeout=_TIMEOUT, follow_redirects=False
        ) as answer:
            if answer.is_success:
                _read(answer)
                return None
            if answer.status_code not in _PASSING:
                raise HansaError("forward.refused", f"{host} answered event {id} with HTTP {answer.status_code}")
            return HansaError("node.silent", f"{host} answered event {id} with HTTP {answer.status_code}")
    except httpx2.InvalidURL:  # trying again would not mend it
        raise _malformed(ascii(host)) from None
    except httpx2.HTTPError as error:
        return HansaError("node.silent", f"{host} did not take event {id}: {type(error).__name__}")


def _read(answer: httpx2.Response) -> None:
    """Reads an answer nobody needs, so that its connection can be used again."""
    size = 0
    for chunk in answer.iter_raw():
        size += len(chunk)
        if size > _ANSWER_BYTES_MAX:
            return
