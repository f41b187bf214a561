"""Signs a person in: an ID token from an issuer, and the session that the member's own node begins for it.

The flow is authorization code with PKCE (RFC 7636) for native clients (RFC 8252): a browser, and an answer that comes
to a port of this machine alone. The token's nonce is the digest of the session key, so it serves no other key.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import msgspec

from hansa.client import discovery, submission
from hansa.client.asking import ask
from hansa.client.discovery import DOCUMENT_BYTES_MAX
from hansa.client.exchange import COSE, JSON, Operation, Reply
from hansa.client.session import Session
from hansa.client.transactions import VALID_MS
from hansa.client.transport import plain_coding
from hansa.wire import session
from hansa.wire.keys import PrivateKey
from hansa.wire.problems import HansaError

WAIT_S: Final = 300.0
"""How long a person has to sign in."""
_ANSWER_S: Final = 10.0
"""How long an issuer may take for an answer."""
_REGISTER_S: Final = 25.0
"""How long a node may take: it may have to ask the issuer for its keys."""
_CALLBACK: Final = "/callback"
_DONE: Final = b"<!doctype html><title>Signed in</title><p>You can close this window and go back to where you were."
_FAILED: Final = (
    b"<!doctype html><title>Not signed in</title><p>That did not work; what is wrong is said where you were."
)


class SignedIn(msgspec.Struct, frozen=True):
    """A session on the ledger: `user` is MEMBER/PSEUDONYM; until (ms) its key signs with these attributes.

    `kid` is the key's name, `seq` the entry that registered it. The key is `held` by the client, not by the node.
    """

    user: str
    attributes: list[str]
    issuer: str
    kid: str
    until: int
    held: bool
    seq: int


def begin(asking: Session, key: PrivateKey, token: str) -> Operation[SignedIn]:
    """See `Client.sign_in`."""
    ledger = yield from submission.ledger(asking)
    limit = yield from submission.limit(asking)
    if limit is None:
        limit = time.time_ns() // 1_000_000 + VALID_MS
    body = session.seal(key, ledger, token, limit)
    return (yield from ask(asking, "/app/sessions", _signed_in, body=body, kind=COSE, wait_s=_REGISTER_S))


def _signed_in(reply: Reply) -> SignedIn:
    try:
        return msgspec.json.decode(reply.body, type=SignedIn)
    except (ValueError, RecursionError):
        raise HansaError("node.foreign", "what came is no session") from None


def authorize(
    issuer: str, client_id: str, key: PrivateKey, show: Callable[[str], Any], *, wait_s: float = WAIT_S
) -> str:
    """An ID token for a session of `key`, from a person who signs in at the issuer with a browser.

    `show` is given the address to be opened there. The issuer must let `client_id` use `http://127.0.0.1/callback` at
    any port. Raises `HansaError` `issuer.*`, `session.flow`.
    """
    with _Callback(("127.0.0.1", 0), _Handler) as callback, _browserless() as web:
        found = discovery.read(_fetch(web, "GET", discovery.place_of(issuer)), issuer)
        verifier = secrets.token_urlsafe(48)
        asked = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": f"http://127.0.0.1:{callback.server_port}{_CALLBACK}",
            "scope": "openid",
            "state": callback.state,
            "nonce": session.nonce_of(key.public.spki),
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        end = found.authorization_endpoint
        show(f"{end}{'&' if urlsplit(end).query else '?'}{urlencode(asked)}")
        code = callback.wait(issuer, wait_s)
        told = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": asked["redirect_uri"],
            "client_id": client_id,
            "code_verifier": verifier,
        }
        data = _fetch(web, "POST", found.token_endpoint, urlencode(told).encode())
    try:
        return msgspec.json.decode(data, type=_Tokens).id_token
    except (ValueError, RecursionError):
        raise HansaError("session.flow", "it gave no ID token for the code") from None


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class _Callback(HTTPServer):
    """Takes one answer of the issuer, which the browser brings here; others are told nothing."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.state = secrets.token_urlsafe(32)
        self.answer: dict[str, str] | None = None

    def wait(self, issuer: str, wait_s: float) -> str:
        """The code. Raises `HansaError` `session.flow`."""
        end = time.monotonic() + wait_s
        while self.answer is None:
            self.timeout = end - time.monotonic()
            if self.timeout <= 0:
                raise HansaError("session.flow", f"nobody signed in within {wait_s:.0f} s")
            self.handle_request()
        answer = self.answer
        if "error" in answer:
            raise HansaError("session.flow", f"the issuer says {answer['error'][:100]!a}")
        if answer.get("iss", issuer) != issuer or "code" not in answer:  # RFC 9207
            raise HansaError("session.flow", "the answer is of another issuer, or has no code")
        return answer["code"]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away is no trouble of ours."""


class _Handler(BaseHTTPRequestHandler):
    server: _Callback  # pyright: ignore[reportIncompatibleVariableOverride]
    timeout = 2  # a browser opens connections that it does not use

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        found = {name: values[0] for name, values in parse_qs(parts.query).items() if len(values) == 1}
        ours = hmac.compare_digest(found.get("state", "").encode(), self.server.state.encode())
        if parts.path != _CALLBACK or not ours:
            self.send_error(404)
            return
        self.server.answer = found
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("referrer-policy", "no-referrer")
        self.end_headers()
        self.wfile.write(_FAILED if "error" in found else _DONE)

    def log_message(self, format: str, *args: Any) -> None:
        """Addresses here hold codes: they are not logged."""


def _browserless() -> httpx2.Client:
    return httpx2.Client(follow_redirects=False, headers={"accept-encoding": "identity", "accept": JSON})


def _fetch(web: httpx2.Client, method: str, url: str, form: bytes | None = None) -> bytes:
    headers = {} if form is None else {"content-type": "application/x-www-form-urlencoded"}
    end = time.monotonic() + _ANSWER_S
    try:
        with web.stream(method, url, content=form, headers=headers, timeout=_ANSWER_S) as response:
            if response.status_code != 200 or not plain_coding(response.headers):
                raise HansaError("issuer.answer", f"it answers with HTTP {response.status_code}")
            body = bytearray()
            for piece in response.iter_bytes():
                body += piece
                if len(body) > DOCUMENT_BYTES_MAX or time.monotonic() > end:
                    raise HansaError("issuer.answer", "its answer is too large, or takes too long")
            return bytes(body)
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError):
        raise HansaError("issuer.unreachable", f"{urlsplit(url).hostname} gives no answer") from None
