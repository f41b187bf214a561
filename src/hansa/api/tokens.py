"""ID tokens (OpenID Connect Core 1.0): whether one counts, for which issuer of the ledger, and whom it names.

A token is verified once, here, when its session begins; no other node sees it. Nothing here waits or reads a clock:
keys and time come from the caller, `api.sessions`. What a token says of a person never leaves this room: neither
errors nor logs hold claims, and `pseudonym` is what the ledger is told.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from msgspec import Meta

from hansa.governance.issuer import Issuer
from hansa.wire import cbor
from hansa.wire.problems import HansaError
from hansa.wire.session import ALGORITHMS, TOKEN_BYTES_MAX, nonce_of

LEEWAY_S: Final = 60
"""How far a token may lie in the future: the clocks of an issuer and a node differ."""
AGE_S_MAX: Final = 3_600
"""How old a token may be when it is shown: Microsoft's say that they are five minutes older than they are."""
LIFE_S_MAX: Final = 24 * 3_600
"""How long a session may last, however long its token does."""
KEYS_MAX: Final = 100
"""Of one issuer's keys, so many are looked at."""
_RSA_BITS_MIN: Final = 2_048
"""Shorter keys count for nothing (RFC 7518 section 3.3)."""
_PSEUDONYM_BYTES: Final = 16
"""Enough that no two people have the same, and nobody finds one that somebody has."""
_PSEUDONYM_CONTEXT: Final = "hansa.pseudonym.v0"

_Text = Annotated[str, Meta(min_length=1, max_length=1_024)]
_Seconds = Annotated[float, Meta(ge=0, le=2**40)]


class _Header(msgspec.Struct, frozen=True):
    alg: str
    kid: str | None = None
    typ: str | None = None
    crit: Any = None


class _Claims(msgspec.Struct, frozen=True):
    """The claims that every ID token has (OpenID Connect Core section 2), and `tid`, Microsoft's tenant."""

    iss: _Text
    sub: _Text
    aud: _Text | list[_Text]
    exp: _Seconds
    iat: _Seconds
    nonce: _Text
    nbf: _Seconds = 0
    azp: str | None = None
    tid: str = ""

    @property
    def audiences(self) -> list[str]:
        return [self.aud] if isinstance(self.aud, str) else self.aud


_CLAIMS: Final = msgspec.json.Decoder(_Claims)
_ALL_CLAIMS: Final = msgspec.json.Decoder(dict[str, Any])


class Token(msgspec.Struct, frozen=True):
    """A token taken apart and not verified. `text` is the token; it is never shown."""

    text: str
    algorithm: str
    kid: str | None
    claims: _Claims

    @property
    def digest(self) -> bytes:
        """SHA-256 of the token, which is how the ledger knows it."""
        return hashlib.sha256(self.text.encode()).digest()


class Key(msgspec.Struct, frozen=True):
    """A key that an issuer publishes for signatures. `algorithm` is the one it is for, if it says so."""

    kid: str | None
    algorithm: str | None
    key: RSAKey | ECKey | OKPKey


class Verified(msgspec.Struct, frozen=True):
    """What a token that counts says: for whom, until when (ms since 1970 UTC), and all its claims."""

    issuer: Issuer
    tenant: str
    subject: str
    until: int
    digest: bytes
    claims: dict[str, Any]


def read(text: str) -> Token:
    """Takes a token apart, to find out whose it says it is. Raises `HansaError` `token.form`, `token.algorithm`.

    Nothing of it counts before `verify`.
    """
    if not (text.isascii() and len(text) <= TOKEN_BYTES_MAX):
        raise HansaError("token.form", f"a token is ASCII of at most {TOKEN_BYTES_MAX} bytes")
    try:
        found = jws.extract_compact(text.encode())
        header = msgspec.convert(found.headers(), _Header)
        claims = _CLAIMS.decode(found.payload or b"")
    except (JoseError, ValueError, RecursionError):
        raise HansaError("token.form") from None
    if header.crit is not None or (header.typ is not None and header.typ.upper() != "JWT"):
        raise HansaError("token.form", "its header says that it is something else")
    if header.alg not in ALGORITHMS:
        raise HansaError("token.algorithm")
    return Token(text, header.alg, header.kid, claims)


def issuer_of(token: Token, issuers: Iterable[Issuer]) -> Issuer:
    """The issuer of the ledger that a token names: by URL, audience and tenant.

    Raises `HansaError` `token.issuer`, `token.audience`, `token.tenant`, `token.algorithm`: the first of these in which
    none fits.
    """
    claims = token.claims
    fits = [one for one in issuers if not one.removed and one.url == claims.iss]
    if not fits:
        raise HansaError("token.issuer")
    fits = [one for one in fits if _is_audience(claims, one.audience)]
    if not fits:
        raise HansaError("token.audience")
    fits = [one for one in fits if one.tenant == claims.tid]
    if not fits:
        raise HansaError("token.tenant")
    fits = [one for one in fits if token.algorithm in one.algorithms]
    if not fits:
        raise HansaError("token.algorithm")
    return fits[0]


def verify(token: Token, issuer: Issuer, keys: Sequence[Key], spki: bytes, now: int) -> Verified:
    """What a token says, once it is certain that `issuer` signed it, for the session key `spki`, and that it is time.

    `now` is ms since 1970 UTC. Raises `HansaError`: `token.unknown_key` if the issuer has no such key (its keys may be
    old), `token.signature`, `token.time`, `token.nonce`, and what `issuer_of` raises.
    """
    issuer_of(token, [issuer])
    claims = token.claims
    key = _key_of(token, keys)
    try:
        found = jws.deserialize_compact(token.text, key, algorithms=[token.algorithm])
    except (JoseError, ValueError):
        raise HansaError("token.signature") from None
    seconds = now / 1000
    if not (claims.iat - LEEWAY_S <= seconds and claims.nbf - LEEWAY_S <= seconds):
        raise HansaError("token.time", "the token is not valid yet")
    # A session ends with its token, so the end has no leeway: one that has ended could begin none.
    if seconds >= int(claims.exp) or seconds > claims.iat + AGE_S_MAX:
        raise HansaError("token.time", "the token has ended, or is too old to begin a session with")
    if not hmac.compare_digest(claims.nonce.encode(), nonce_of(spki).encode()):
        raise HansaError("token.nonce")
    until = min(int(claims.exp) * 1000, now + LIFE_S_MAX * 1000)
    all_claims = _ALL_CLAIMS.decode(found.payload or b"")
    return Verified(issuer, claims.tid, claims.sub, until, token.digest, all_claims)


def pseudonym(secret: bytes, verified: Verified) -> bytes:
    """How the ledger names the person: HMAC-SHA-256 of issuer, tenant and subject, its first 16 bytes.

    The same for every session of a person with this member's `secret`; without it, nobody can tell whether a pseudonym
    is that of a person they know of.
    """
    told = cbor.encode([_PSEUDONYM_CONTEXT, verified.issuer.url, verified.tenant, verified.subject])
    return hmac.digest(secret, told, "sha256")[:_PSEUDONYM_BYTES]


def read_keys(data: bytes) -> list[Key]:
    """The keys of a JWK set (RFC 7517) that can verify tokens; others are passed over, as section 5 says.

    Raises `HansaError` `issuer.answer` for what is no key set.
    """
    try:
        given = msgspec.json.decode(data, type=_KeySet).keys
    except (ValueError, RecursionError):
        raise HansaError("issuer.answer", "what it gives as its keys is no JWK set") from None
    return [key for one in given[:KEYS_MAX] if (key := _read_key(one)) is not None]


class _KeySet(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


def _read_key(given: dict[str, Any]) -> Key | None:
    """A key, its public part alone; None for one that is not for signatures, too weak, or of no kind that counts."""
    kid, algorithm = given.get("kid"), given.get("alg")
    if given.get("use", "sig") != "sig" or not isinstance(kid, str | None) or not isinstance(algorithm, str | None):
        return None
    try:
        match given.get("kty"):
            case "RSA":
                modulus = base64.urlsafe_b64decode(f"{given['n']}==")
                if int.from_bytes(modulus, "big").bit_length() < _RSA_BITS_MIN:  # before the library warns of it
                    return None
                key: RSAKey | ECKey | OKPKey = RSAKey.import_key({name: given[name] for name in ("kty", "n", "e")})
            case "EC":
                key = ECKey.import_key({name: given[name] for name in ("kty", "crv", "x", "y")})
            case "OKP":
                key = OKPKey.import_key({name: given[name] for name in ("kty", "crv", "x")})
            case _:
                return None
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return Key(kid, algorithm, key)


def _key_of(token: Token, keys: Sequence[Key]) -> RSAKey | ECKey | OKPKey:
    """The one key that a token names; a token that names none is taken where there is only one that could be meant."""
    fits = [
        one for one in keys if one.algorithm in (None, token.algorithm) and (token.kid is None or one.kid == token.kid)
    ]
    if not fits:
        raise HansaError("token.unknown_key")
    if len(fits) > 1:
        raise HansaError("token.signature", "several of the issuer's keys could have signed it")
    return fits[0].key


def _is_audience(claims: _Claims, audience: str) -> bool:
    """OpenID Connect Core section 3.1.3.7, rules 3 to 5: for us, and where also for others, asked for by us."""
    audiences = claims.audiences
    if audience not in audiences:
        return False
    return claims.azp == audience if len(audiences) > 1 else claims.azp in (None, audience)
