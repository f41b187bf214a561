"""What an issuer of ID tokens says of itself (OpenID Connect Discovery 1.0), and which addresses may say it.

Clients find there where to sign in, a member's node where the issuer's keys are. Nothing here asks: it reads.
"""

from typing import Final
from urllib.parse import urlsplit

import msgspec

from hansa.wire.problems import HansaError

DOCUMENT_BYTES_MAX: Final = 256 * 1024
"""Of anything that an issuer gives."""
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class Discovered(msgspec.Struct, frozen=True):
    """The fields of a discovery document that are used."""

    issuer: str
    jwks_uri: str
    authorization_endpoint: str
    token_endpoint: str


def place_of(issuer: str) -> str:
    """Where an issuer's discovery document is. Raises `HansaError` `issuer.url`."""
    check_url(issuer)
    return issuer.rstrip("/") + "/.well-known/openid-configuration"


def read(data: bytes, issuer: str) -> Discovered:
    """The document of just this issuer. Raises `HansaError` `issuer.answer`, `issuer.url`."""
    try:
        found = msgspec.json.decode(data, type=Discovered)
    except (ValueError, RecursionError):
        raise HansaError("issuer.answer", "what it gives is no discovery document") from None
    if found.issuer != issuer:
        raise HansaError("issuer.answer", "its discovery document is of another issuer")
    for url in (found.jwks_uri, found.authorization_endpoint, found.token_endpoint):
        check_url(url, loopback=_is_loopback(issuer))
    return found


def check_url(url: str, *, loopback: bool = True) -> None:
    """Raises `HansaError` `issuer.url` unless it is https; plain http only to this machine, where `loopback` allows."""
    try:
        parts = urlsplit(url)
        secure = parts.scheme == "https" or (parts.scheme == "http" and loopback and _is_loopback(url))
        plain = bool(parts.hostname) and not (parts.username or parts.password or parts.fragment)
        is_port = parts.port is None or parts.port > 0
    except ValueError:
        secure = plain = is_port = False
    if not (secure and plain and is_port):
        raise HansaError("issuer.url", f"{url[:200]!a} is no address that tokens may come from")


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in _LOOPBACK
