"""What an operation of the client says to whoever drives it, and what it hears: no socket, no waiting in here.

An operation is a generator: it yields a `Request` and is sent the `Reply`, or the `HansaError` of a request that got
none; it yields a `Pause` and is sent nothing; what it returns is its result. `client.Client` and
`async_client.AsyncClient` drive the same operations.
"""

from collections.abc import Callable, Generator, Mapping
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import quote

import msgspec

from hansa.wire.problems import KINDS, HansaError

READ_S: Final = 10.0
"""How long a node may take to answer what it need not wait for."""
COSE: Final = "application/cose"
CBOR: Final = "application/cbor"
JSON: Final = "application/json"

_LATER_S_MAX: Final = 3600
"""Who says to come again later than this does not say when."""
_PROBLEM: Final = frozenset({"type", "title", "status", "detail", "code", "remedy"})
"""The members of a problem document that `HansaError` has names for."""

Query: TypeAlias = Mapping[str, str | int]


class Request(msgspec.Struct, frozen=True):
    """One HTTP request to the node at the URL `node`, which has `wait_s` seconds to answer once it is reached.

    An answer of more than `bytes_max` is not read to its end; None: what every other answer keeps to.
    """

    method: str
    node: str
    path: str
    query: Query = {}
    body: bytes | None = None
    headers: Mapping[str, str] = {}
    wait_s: float = READ_S
    bytes_max: int | None = None


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


def within(left_s: Callable[[], float], operation: Operation[_Result]) -> Operation[_Result]:
    """The operation, of which no request may take longer than there is left."""
    heard: Heard = None
    while True:
        try:
            step = operation.send(heard)
        except StopIteration as done:
            return done.value
        if isinstance(step, Request):
            step = msgspec.structs.replace(step, wait_s=max(0.0, min(step.wait_s, left_s())))
        heard = yield step


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
    """What a reply that is no success refuses with, whatever its bytes are.

    `retry_after` (s) says when to come again, if anything does. `answered` is the HTTP status of a refusal that this
    version does not know.
    """
    fields: dict[str, Any] = {"retry_after": _header_later(reply)}
    problem: dict[str, Any] = {}
    try:
        problem = msgspec.json.decode(reply.body, type=dict[str, Any])
        code, detail, remedy = problem["code"], problem["detail"], problem.get("remedy", "")
    except (ValueError, KeyError, RecursionError):
        code = detail = remedy = None
    if not (isinstance(code, str) and isinstance(detail, str) and isinstance(remedy, str)):
        return _refused(
            "node.foreign", f"HTTP {reply.status} without a problem document", "", fields | {"answered": reply.status}
        )
    if code not in KINDS:
        return _refused("node.newer", f"{code[:100]}: {detail}", remedy, fields | {"answered": reply.status})
    return _refused(code, detail, remedy, fields | {n: v for n, v in problem.items() if n not in _PROBLEM})


def _refused(code: str, detail: str, remedy: str, fields: dict[str, Any]) -> HansaError:
    later = fields.get("retry_after")
    if type(later) is not int or not 0 <= later <= _LATER_S_MAX:
        fields = {name: value for name, value in fields.items() if name != "retry_after"}
    return HansaError(code, detail, remedy=remedy, **fields)


def _header_later(reply: Reply) -> int | None:
    header = reply.headers.get("retry-after", "")
    return int(header) if len(header) <= len(str(_LATER_S_MAX)) and header.isascii() and header.isdecimal() else None


def address(node: str) -> str:
    """A node's URL as it may stand in messages and logs: without the name and password that it may have."""
    scheme, colon, rest = node.partition("://")
    authority, slash, path = rest.partition("/")
    return scheme + colon + authority.rpartition("@")[2] + slash + path


def segment(text: str) -> str:
    """A path segment for any text."""
    return quote(text, safe="")
