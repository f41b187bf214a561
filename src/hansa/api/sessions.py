"""Sessions: people of the node's own member who sign in with an ID token, registered on the ledger by the member's key.

The token is verified here, once. What the ledger is told is which issuer, a pseudonym, the token's digest, the key and
its end; what nodes execute is that transaction alone. Where a client holds no key the node makes one and signs with it:
the ledger knows such a key for the node's (`held` is false), so its transactions are asserted by the member, are never
a user's, and never reach the contract `members`.

Nothing is kept of a session that waits for its token: its key follows from its secret, by a seed that ends with the
process. So whoever begins sessions without end takes up no room, and shuts nobody out. What is kept is bounded by what
tokens vouch for.

One event loop; keys of asserted sessions are in memory alone and end with the process.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import struct
from collections.abc import Sequence
from typing import Any, Final

import httpx2
import msgspec
import structlog

from hansa.api import answers, issuer_keys, tokens
from hansa.api.issuer_keys import IssuerKeys
from hansa.api.sign_in import SignIn, check_key
from hansa.api.tokens import Verified
from hansa.client import keys as key_files
from hansa.client import transactions
from hansa.client.words import filled
from hansa.governance import genesis
from hansa.governance.issuer import RECORD, SESSION, Issuer, conferred
from hansa.node.intake import Answer
from hansa.node.node import Node
from hansa.wire import entry, jsonform, session
from hansa.wire.keys import PrivateKey
from hansa.wire.problems import HansaError

log = structlog.get_logger()

HELD_MAX: Final = 1_000
"""Sessions whose keys the node holds: of people whose tokens were found good."""
BEGIN_MS: Final = 10 * 60 * 1000
"""How long a session waits for its token."""
ENTERING_MAX: Final = 64
"""Sign-ins with good tokens that wait for their block at once."""
_BEGUN: Final = struct.Struct(">Q24s")
"""What the secret of a session says: until when its token may come (ms), and random bytes."""
_TAG_BYTES: Final = 16


class Registered(msgspec.Struct, frozen=True):
    """A session on the ledger: who (by pseudonym), with what, until when (ms), and the entry that says so."""

    user: str
    attributes: list[str]
    issuer: str
    kid: bytes
    until: int
    held: bool
    seq: int


class _Held(msgspec.Struct, frozen=True):
    """A session whose key the node holds, and that is on the ledger."""

    key: PrivateKey
    registered: Registered


class Sessions:
    """Who signs in at this node. `close` it."""

    def __init__(self, node: Node, settings: SignIn, client: httpx2.AsyncClient | None = None) -> None:
        self._node = node
        self._settings = settings
        self._client = client or issuer_keys.own_client()
        self._keys = IssuerKeys(self._client)
        self._entering = 0
        self._seed = secrets.token_bytes(32)
        self._held: dict[bytes, _Held] = {}

    async def close(self) -> None:
        """Lets connections to issuers go, and forgets the keys."""
        self._held.clear()
        await self._client.aclose()

    async def register(self, envelope: bytes) -> Registered:
        """Begins the session that a client asks for with a token and a key that it holds.

        Raises `HansaError` as `wire.session.read`, `api.tokens` and `api.issuer_keys` do, and `session.refused`.
        """
        node = self._node
        request = session.read(envelope, node.ledger, node.ledger_time())
        return await self._register(request.token, request.key, held=True)

    # Keys that the node holds

    def begin(self) -> tuple[str, str]:
        """Makes a key for a client that holds none: the session's secret, and the nonce that its token must have."""
        if self._settings.asserted is None:
            raise HansaError("session.asserted", "this node signs for nobody")
        said = _BEGUN.pack(self._node.ledger_time() + BEGIN_MS, secrets.token_bytes(24))
        secret = base64.urlsafe_b64encode(said + self._tag(said)).decode()
        return secret, session.nonce_of(self._key_of(secret).public.spki)

    async def assert_token(self, secret: str, token: str) -> Registered:
        """Registers the key of a session that was begun here, for whom the token names.

        Raises what `register` raises, `session.unknown`, and `session.asserted` for who is not to be signed for.
        """
        if (held := self._find(secret)) is not None:
            return held.registered
        self._check_begun(secret)
        key = self._key_of(secret)
        registered = await self._register(token, key.public.spki, held=False)
        self._held[_name(secret)] = _Held(key, registered)
        return registered

    async def assert_action(self, secret: str, contract: str, action: str, arguments: dict[str, Any]) -> Answer:
        """Signs and submits an action for a person, as the member's assertion. Raises `HansaError` as intake does."""
        held, asserted = self._find(secret), self._settings.asserted
        if held is None or asserted is None:
            raise HansaError("session.unknown", "none that has shown a token")
        if contract not in asserted.contracts:
            raise HansaError("session.asserted", f"not to {contract[:48]!a}", allowed=asserted.contracts)
        return await self._submit(held.key, contract, action, arguments)

    def _find(self, secret: str) -> _Held | None:
        held = self._held.get(_name(secret))
        if held is not None and held.registered.until <= self._node.ledger_time():
            raise HansaError("session.unknown", "it has ended")
        return held

    def _check_begun(self, secret: str) -> None:
        """Raises `HansaError` `session.unknown` unless this node made the secret, and its token may still come."""
        try:
            found = base64.b64decode(secret, altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raise HansaError("session.unknown") from None
        said, tag = found[:-_TAG_BYTES], found[-_TAG_BYTES:]
        if len(said) != _BEGUN.size or not hmac.compare_digest(tag, self._tag(said)):
            raise HansaError("session.unknown")
        if _BEGUN.unpack(said)[0] <= self._node.ledger_time():
            raise HansaError("session.unknown", "its token came too late")

    def _tag(self, said: bytes) -> bytes:
        return hmac.digest(self._seed, b"begun" + said, "sha256")[:_TAG_BYTES]

    def _key_of(self, secret: str) -> PrivateKey:
        return key_files.from_seed(hmac.digest(self._seed, b"key" + secret.encode(), "sha256"))

    # Registration

    async def _register(self, text: str, spki: bytes, *, held: bool) -> Registered:
        verified = await self._verify(text, spki)
        attributes = conferred(verified.issuer, verified.claims)
        asserted = self._settings.asserted
        if not held:
            if asserted is None or asserted.attribute not in attributes:
                raise HansaError("session.asserted", "not for who has not the attribute that the node asks for")
            self._make_room()
        if self._entering >= ENTERING_MAX:
            raise HansaError("session.full", "many sign in at once", retry_after=1)
        self._entering += 1
        try:
            return await self._enter(verified, spki, attributes, held=held)
        finally:
            self._entering -= 1

    def _make_room(self) -> None:
        """Forgets sessions that have ended. Raises `HansaError` `session.full` if there is no room for one more."""
        now = self._node.ledger_time()
        for name in [name for name, held in self._held.items() if held.registered.until <= now]:
            del self._held[name]
        if len(self._held) + self._entering >= HELD_MAX:
            raise HansaError("session.full", retry_after=60)

    async def _verify(self, text: str, spki: bytes) -> Verified:
        token = tokens.read(text)
        issuer = tokens.issuer_of(token, self._issuers())
        found = await self._keys.of(issuer.url)
        try:
            return tokens.verify(token, issuer, found, spki, self._node.ledger_time())
        except HansaError as error:
            if error.code != "token.unknown_key":
                raise
        found = await self._keys.newer(issuer.url)  # its keys may have changed
        return tokens.verify(token, issuer, found, spki, self._node.ledger_time())

    async def _enter(self, verified: Verified, spki: bytes, attributes: Sequence[str], *, held: bool) -> Registered:
        """Has the member's key say so on the ledger; who asks again for the same session is told of that."""
        try:
            check_key(self._settings, self._node.directory)
        except HansaError as error:
            log.error("sign_in.key", member=self._settings.member, detail=error.detail)  # noqa: TRY400 - no defect
            raise
        pseudonym = tokens.pseudonym(self._settings.secret, verified)
        kid = hashlib.sha256(spki).digest()
        arguments = {
            "issuer": verified.issuer.id,
            "spki": spki,
            "pseudonym": pseudonym,
            "token": verified.digest,
            "until": verified.until,
            "attributes": list(attributes),
            "held": held,
        }
        if not self._is_registered(kid, verified):
            answer = await self._submit(self._settings.key, genesis.CONTRACT, "register_session", arguments)
            outcome = entry.decode_outcome(answer.outcome)
            if outcome.status != entry.APPLIED and not self._is_registered(kid, verified):
                told = f"{filled(jsonform.plain(outcome.result))} [{outcome.code}]"
                raise HansaError("session.refused", told, outcome=outcome.code)
        row = self._node.reading.record(genesis.CONTRACT, SESSION, kid.hex())
        user = self._node.reading.record(genesis.CONTRACT, "User", row.value["user"])
        return Registered(
            row.value["user"],
            user.value["attributes"],
            row.value["issuer"],
            kid,
            row.value["until"],
            row.value["held"],
            row.seq,
        )

    def _is_registered(self, kid: bytes, verified: Verified) -> bool:
        """Whether this key is registered for this very token."""
        try:
            return self._node.reading.record(genesis.CONTRACT, SESSION, kid.hex()).value["token"] == verified.digest
        except HansaError as error:
            if error.code != "record.unknown":
                raise
            return False

    def _issuers(self) -> list[Issuer]:
        """Who signs in for this member, as the ledger has it now."""
        found = [msgspec.convert(row.value, Issuer) for row in self._node.reading.every(genesis.CONTRACT, RECORD)]
        return [one for one in found if one.member == self._settings.member]

    async def _submit(self, key: PrivateKey, contract: str, action: str, arguments: dict[str, Any]) -> Answer:
        node = self._node
        limit = node.ledger_time() + transactions.VALID_MS
        made = transactions.prepare(key, node.ledger, contract, action, arguments, not_after=limit)
        return await answers.submitted(node, made.envelope)


def _name(secret: str) -> bytes:
    """What a session is found by: its secret is not kept."""
    return hashlib.sha256(secret.encode()).digest()
