"""What an operation of the client says to whoever drives it, and what it hears: no socket, no waiting in here.

An operation is a generator: it yields a `Request` and is sent the `Reply`, or the `HansaError` of a request that got
none; it yields a `Pause` and is sent nothing; what it returns is its result. `client.Client` and
`async_client.AsyncClient` drive the same operations.
"""

from collections.abc import Generator, Mapping
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import quote

import msgspec

from hansa.wire.problems import KINDS, HansaError

READ_S: Final = 10.0
"""How long a node may take to answer what it need not wait for."""
COSE: Final = "application/cose"
CBOR: Final = "application/cbor"
JSON: Final = "application/json"

Query: TypeAlias = Mapping[str, str | int]


class Request(msgspec.Struct, frozen=True):
    """One HTTP request to the node at the URL `node`, which has `wait_s` seconds to answer."""

    method: str
    node: str
    path: str
    query: Query = {}
    body: bytes | None = None
    headers: Mapping[str, str] = {}
    wait_s: float = READ_S


class Pause(msgspec.Struct, frozen=True):
    """Time to let go by before the operation goes on."""

    seconds: float


class Reply(msgspec.Struct, frozen=True):
    """What a node answered; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Step: TypeAlias = Request | Pause
Heard: TypeAlias = Reply | HansaError | None
_Result = TypeVar("_Result")
Operation: TypeAlias = Generator[Step, Heard, _Result]


def exchange(request: Request) -> Operation[Reply]:
    """Sends one request, once. Raises the `HansaError` that a refusal names, or that says why there is no reply."""
    heard = yield request
    if isinstance(heard, HansaError):
        raise heard
    assert heard is not None
    if not 200 <= heard.status < 300:
        raise refusal(heard)
    return heard


def json_of(reply: Reply) -> Any:
    """The JSON of a reply. Raises `HansaError` `node.foreign`."""
    try:
        return msgspec.json.decode(reply.body)
    except (ValueError, RecursionError):
        raise HansaError("node.foreign", f"HTTP {reply.status} without JSON") from None


def bytes_of(reply: Reply) -> bytes:
    """The body of a reply."""
    return reply.body


def refusal(reply: Reply) -> HansaError:
    """What a reply that is no success refuses with. `retry_after` (s) says when to come again, if anything does."""
    header = reply.headers.get("retry-after", "")
    later: dict[str, Any] = {"retry_after": int(header)} if header.isascii() and header.isdecimal() else {}
    try:
        problem: dict[str, Any] = msgspec.json.decode(reply.body)
        code, detail = problem["code"], problem["detail"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return HansaError("node.foreign", f"HTTP {reply.status} without a problem document", **later)
    if code not in KINDS:
        return HansaError("node.newer", f"{code}: {detail}", remedy=str(problem.get("remedy", "")), **later)
    known = {"type", "title", "status", "detail", "code", "remedy"}
    fields = {name: value for name, value in problem.items() if name not in known}
    return HansaError(code, str(detail), remedy=str(problem.get("remedy", "")), **(later | fields))


def segment(text: str) -> str:
    """A path segment for any text."""
    return quote(text, safe="")
