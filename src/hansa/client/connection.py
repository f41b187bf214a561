"""Talks to a node over HTTP: one place for URLs, refusals and lost answers.

A refusal by the node is raised as the `HansaError` it names. No answer at all is `node.unreachable`; for a submitted
transaction that means *unknown*, and sending the same bytes again is always safe.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import quote

import httpx2

from hansa.wire import cbor
from hansa.wire.problems import KINDS, HansaError

_TIMEOUT_S: Final = 40.0
"""Longer than a node lets a submission wait, so that its own answer comes first."""
_TRIES: Final = 3


class Transport(Protocol):
    """What carries a request. `httpx2.Client` is one; a test or an embedding puts another in its place."""

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """Sends one request and returns its answer."""
        ...


class Connection:
    """A node at a URL. Use as a context manager, or `close` it."""

    def __init__(self, url: str, transport: Transport | None = None) -> None:
        self.url = url.rstrip("/")
        self._client = None if transport is not None else httpx2.Client(timeout=_TIMEOUT_S)
        self._transport: Transport = transport if transport is not None else _own(self._client)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets the connection go."""
        if self._client is not None:
            self._client.close()

    def get(self, path: str, **query: str | int) -> Any:
        """What a route answers, as JSON."""
        return _json(self._request("GET", path, query))

    def get_bytes(self, path: str, accept: str = "*/*", **query: str | int) -> bytes:
        """What a route answers, as bytes."""
        return self._request("GET", path, query, accept=accept).content

    def view(self, contract: str, view: str, arguments: dict[str, Any]) -> Any:
        """Runs a view; `arguments` in their JSON form."""
        path = f"/app/contracts/{segment(contract)}/views/{segment(view)}"
        body = json.dumps(arguments).encode()
        return _json(self._request("POST", path, {}, body=body, content_type="application/json"))

    def submit(self, envelope: bytes, *, receipt: bool = False) -> dict[str, Any]:
        """Submits a transaction; its id, seq, exact outcome, whether it is a duplicate, and the receipt if asked.

        Sends the same bytes again where no answer comes, which has no second effect.
        """
        query = {"receipt": "true"} if receipt else {}
        for attempt in range(_TRIES):
            try:
                answer = self._request(
                    "POST",
                    "/app/transactions",
                    query,
                    body=envelope,
                    content_type="application/cose",
                    accept="application/cbor",
                )
            except HansaError as error:
                if error.code not in ("node.unreachable", "answer.late") or attempt == _TRIES - 1:
                    raise
            else:
                return cbor.decode(answer.content)
        raise AssertionError

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        *,
        body: bytes | None = None,
        content_type: str = "",
        accept: str = "*/*",
    ) -> httpx2.Response:
        headers = {"accept": accept, **({"content-type": content_type} if content_type else {})}
        try:
            answer = self._transport.request(
                method, self.url + path, params=query or None, content=body, headers=headers
            )
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise HansaError("node.unreachable", f"{self.url}: {error or type(error).__name__}") from None
        if not answer.is_success:
            raise _refusal(answer)
        return answer


def segment(text: str) -> str:
    """A path segment for any text."""
    return quote(text, safe="")


def _own(client: httpx2.Client | None) -> httpx2.Client:
    assert client is not None
    return client


def _json(answer: httpx2.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise HansaError("node.unreachable", f"HTTP {answer.status_code} without JSON: is it a Hansa node?") from None


def _refusal(answer: httpx2.Response) -> HansaError:
    try:
        problem: dict[str, Any] = answer.json()
        code, detail = problem["code"], problem["detail"]
    except (ValueError, KeyError, TypeError):
        return HansaError("node.unreachable", f"HTTP {answer.status_code} without a problem document")
    if code not in KINDS:
        return HansaError("node.unreachable", f"{code}: {detail}", remedy=str(problem.get("remedy", "")))
    known = {"type", "title", "status", "detail", "code", "remedy"}
    fields = {name: value for name, value in problem.items() if name not in known}
    return HansaError(code, detail, remedy=str(problem.get("remedy", "")), **fields)
