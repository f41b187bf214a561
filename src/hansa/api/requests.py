"""What handlers of requests share: reading what was asked, refusing what is malformed, answering in JSON."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from hansa.api.operations import DEFAULT_K, JSON
from hansa.wire import jsonform
from hansa.wire.limits import JSON_INTEGER_MAX, MEMBERS_MAX, PAGE_ROWS_MAX
from hansa.wire.problems import HansaError

_Body = TypeVar("_Body")

BODY_BYTES_MAX: Final = 256 * 1024
"""The body of any request but a submission: a contract file in a JSON string, and more than arguments can be."""
ROWS_DEFAULT: Final = 100
"""Rows of a page where nobody says how many."""
LOOPBACK: Final = ("127.0.0.1", "::1")
"""Who may do what nobody signs."""
SECURITY: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


def json_response(value: Any, status: int = 200) -> Response:
    """An answer in JSON."""
    return Response(jsonform.dumps(value), status, media_type=JSON, headers=SECURITY)


def check_loopback(request: Request) -> None:
    """Raises `HansaError` `node.not_loopback` for who is on another machine, or comes the way that they come."""
    if request.scope["scheme"] != "http" or request.client is None or request.client.host not in LOOPBACK:
        raise HansaError("node.not_loopback")


def check_type(request: Request, wanted: str) -> None:
    """Raises `HansaError` `request.content_type`. JSON and COSE are what a page of another site cannot send unasked."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != wanted:
        raise HansaError("request.content_type", accepted=[wanted])


async def read_body(request: Request, most: int) -> bytes:
    """The body, of at most so many bytes. Raises `HansaError`: `request.oversized`, `request.form`."""
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise HansaError("request.oversized", f"more than {most} bytes")
    except ClientDisconnect:
        raise HansaError("request.form", "the connection ended inside the body") from None
    return body


async def json_body(request: Request, decoder: msgspec.json.Decoder[_Body]) -> _Body:
    """The body as JSON. Raises `HansaError` `request.json`, and as `read_body`."""
    body = await read_body(request, BODY_BYTES_MAX)
    try:
        return decoder.decode(body or b"{}")
    except (ValueError, RecursionError):
        raise HansaError("request.json") from None


def integer(request: Request, name: str, default: int | None) -> int | None:
    """A whole number of the query. Raises `HansaError` `request.query`, as the next five do."""
    return number(request.query_params[name], name) if name in request.query_params else default


def row_count(request: Request) -> int:
    """How many rows a page is to have."""
    rows = integer(request, "rows", ROWS_DEFAULT)
    if rows is None or not 0 < rows <= PAGE_ROWS_MAX:
        raise HansaError("request.query", f"`rows` lies within 1 and {PAGE_ROWS_MAX}")
    return rows


def boolean(request: Request, name: str, default: bool) -> bool:
    """Yes or no, of the query."""
    text = request.query_params.get(name)
    if text not in (None, "true", "false"):
        raise HansaError("request.query", f"`{name}` is true or false")
    return default if text is None else text == "true"


def choice(request: Request, name: str, words: Sequence[str]) -> str:
    """One of these words, of the query; the first where nobody says which."""
    asked = request.query_params.get(name, words[0])
    if asked not in words:
        raise HansaError("request.query", f"`{name}` is one of {list(words)}")
    return asked


def members_asked(text: str) -> int | None:
    """How many members are to sign, as `k` says it; None for the default."""
    k = None if text == DEFAULT_K else number(text, "k")
    if k is not None and not 0 < k <= MEMBERS_MAX:
        raise HansaError("request.query", f"`k` lies within 1 and {MEMBERS_MAX}")
    return k


def number(text: str, name: str) -> int:
    """A whole number, not negative, that JSON keeps exact."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 16 and int(text) <= JSON_INTEGER_MAX):
        raise HansaError("request.query", f"`{name}` is a whole number within 0 and {JSON_INTEGER_MAX}")
    return int(text)
