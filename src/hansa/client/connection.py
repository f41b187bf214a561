"""Talks to a node over HTTP: one place for URLs, refusals and lost answers.

A refusal by the node is raised as the `HansaError` it names. `node.unreachable` is a node that nothing reached,
`node.silent` one that took the request and gave no answer. For a submitted transaction the latter is `answer.unknown`:
it may have its entry or not, and sending the same bytes again is always safe.
"""

import json
import time
from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import quote

import httpx2

from hansa.wire import cbor, names
from hansa.wire.problems import KINDS, HansaError

_CONNECT_S: Final = 5.0
"""How long a node may take to accept a connection."""
_READ_S: Final = 10.0
"""How long a node may take to answer a question."""
_SUBMIT_S: Final = 35.0
"""Longer than a node lets a submission wait, so that its own answer comes first."""
_SUBMIT_ALL_S: Final = 60.0
"""How long a submission may take with everything that is sent again."""
_PAUSES_S: Final = (0.0, 0.5, 2.0)
"""Before each time that a submission is sent: a node that starts again is there after a moment."""
_NOT_REACHED: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol, httpx2.InvalidURL)
"""Ends of a request of which nothing was sent."""


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
        timeout: httpx2.Timeout | None = None,
    ) -> httpx2.Response:
        """Sends one request and returns its answer."""
        ...


class Connection:
    """A node at a URL. Use as a context manager, or `close` it."""

    def __init__(self, url: str, transport: Transport | None = None) -> None:
        self.url = url.rstrip("/")
        self._client = None if transport is not None else httpx2.Client()
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

    def ledger(self) -> bytes:
        """The id of the node's ledger: what a transaction is signed for."""
        return names.digest_from_hex(self.get("/node/status")["ledger"], "ledger id")

    def view(self, contract: str, view: str, arguments: dict[str, Any]) -> Any:
        """Runs a view; `arguments` in their JSON form."""
        return self._post(f"/app/contracts/{segment(contract)}/views/{segment(view)}", arguments)

    def trial(self, contract: str, source: str, after: str | None = None) -> Any:
        """Tries a next version of a contract on live records, those behind `after`: the `next` of an answer before."""
        return self._post(f"/app/contracts/{segment(contract)}/trial", {"source": source, "after": after})

    def submit(self, envelope: bytes, *, receipt: bool = False) -> dict[str, Any]:
        """Submits a transaction; its id, seq, exact outcome, whether it is a duplicate, and the receipt if asked.

        Sends the same bytes again where no answer comes, which has no second effect. Raises `HansaError`
        `answer.unknown` if none comes in the end: once an answer was lost, no refusal tells what became of it.
        """
        query = {"receipt": "true"} if receipt else {}
        end = time.monotonic() + _SUBMIT_ALL_S
        lost: HansaError | None = None
        for pause in _PAUSES_S:
            time.sleep(pause)
            left = end - time.monotonic()
            if left <= 0:
                break
            try:
                answer = self._request(
                    "POST",
                    "/app/transactions",
                    query,
                    body=envelope,
                    content_type="application/cose",
                    accept="application/cbor",
                    wait_s=min(left, _SUBMIT_S),
                )
            except HansaError as error:
                if lost is None and not _may_have_an_entry(error):
                    raise
                lost = lost or error
            else:
                return cbor.decode(answer.content)
        assert lost is not None
        raise HansaError("answer.unknown", lost.detail, cause=lost.code)

    def _post(self, path: str, value: dict[str, Any]) -> Any:
        body = json.dumps(value).encode()
        return _json(self._request("POST", path, {}, body=body, content_type="application/json"))

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        *,
        body: bytes | None = None,
        content_type: str = "",
        accept: str = "*/*",
        wait_s: float = _READ_S,
    ) -> httpx2.Response:
        headers = {"accept": accept, **({"content-type": content_type} if content_type else {})}
        try:
            answer = self._transport.request(
                method,
                self.url + path,
                params=query or None,
                content=body,
                headers=headers,
                timeout=httpx2.Timeout(wait_s, connect=_CONNECT_S),
            )
        except _NOT_REACHED as error:
            raise HansaError("node.unreachable", f"{self.url}: {str(error) or type(error).__name__}") from None
        except httpx2.HTTPError as error:
            raise HansaError("node.silent", f"{self.url}: {str(error) or type(error).__name__}") from None
        if not answer.is_success:
            raise _refusal(answer)
        return answer


def _may_have_an_entry(error: HansaError) -> bool:
    """Whether a submission that ended so may have been taken. A node that refuses at once says when to come again."""
    lost = ("node.silent", "node.foreign", "answer.late", "node.defect")
    return error.code in lost or (error.code in ("node.stopping", "node.faulted") and "retry_after" not in error.fields)


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
        raise HansaError("node.foreign", f"HTTP {answer.status_code} without JSON") from None


def _refusal(answer: httpx2.Response) -> HansaError:
    try:
        problem: dict[str, Any] = answer.json()
        code, detail = problem["code"], problem["detail"]
    except (ValueError, KeyError, TypeError):
        return HansaError("node.foreign", f"HTTP {answer.status_code} without a problem document")
    if code not in KINDS:
        return HansaError("node.newer", f"{code}: {detail}", remedy=str(problem.get("remedy", "")))
    known = {"type", "title", "status", "detail", "code", "remedy"}
    fields = {name: value for name, value in problem.items() if name not in known}
    return HansaError(code, detail, remedy=str(problem.get("remedy", "")), **fields)
