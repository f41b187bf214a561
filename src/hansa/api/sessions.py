"""Sessions: people of the node's own member who sign in with an ID token, registered on the ledger by the member's key.

The token is verified here, once. What the ledger is told is which issuer, a pseudonym, the token's digest, the key and
its end; what nodes execute is that transaction alone. Where a client holds no key the node makes one and signs with it:
the ledger knows such a key for the node's (`held` is false), so its transactions are asserted by the member, are never
a user's, and never reach the contract `members`.

One event loop; keys of asserted sessions are in memory alone and end with the process.
"""

import hashlib
import secrets
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
"""Sessions whose keys the node holds, begun or waiting for their token."""
BEGIN_MS: Final = 10 * 60 * 1000
"""How long a session waits for its token."""
WAITING_MAX: Final = 64
"""Sign-ins that wait for an issuer or for their block at once."""


class Registered(msgspec.Struct, frozen=True):
    """A session on the ledger: who (by pseudonym), with what, until when (ms), and the entry that says so."""

    user: str
    attributes: list[str]
    issuer: str
    kid: bytes
    until: int
    held: bool
    seq: int


class _Held:
    """A session whose key the node holds; `registered` is None until its token came."""

    def __init__(self, key: PrivateKey, ends: int) -> None:
        self.key = key
        self.ends = ends
        self.registered: Registered | None = None


class Sessions:
    """Who signs in at this node. `close` it."""

    def __init__(self, node: Node, settings: SignIn, client: httpx2.AsyncClient | None = None) -> None:
        self._node = node
        self._settings = settings
        self._client = client or issuer_keys.own_client()
        self._keys = IssuerKeys(self._client)
        self._waiting = 0
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
        asserted = self._settings.asserted
        if asserted is None:
            raise HansaError("session.asserted", "this node signs for nobody")
        now = self._node.ledger_time()
        for name in [name for name, held in self._held.items() if held.ends <= now]:
            del self._held[name]
        if len(self._held) >= HELD_MAX:
            raise HansaError("session.full", retry_after=60)
        key, secret = key_files.generate(), secrets.token_urlsafe(32)
        self._held[_name(secret)] = _Held(key, now + BEGIN_MS)
        return secret, session.nonce_of(key.public.spki)

    async def assert_token(self, secret: str, token: str) -> Registered:
        """Registers the key of a session that was begun here, for whom the token names.

        Raises what `register` raises, `session.unknown`, and `session.asserted` for who is not to be signed for.
        """
        held = self._find(secret)
        if held.registered is None:
            held.registered = await self._register(token, held.key.public.spki, held=False)
            held.ends = held.registered.until
        return held.registered

    async def assert_action(self, secret: str, contract: str, action: str, arguments: dict[str, Any]) -> Answer:
        """Signs and submits an action for a person, as the member's assertion. Raises `HansaError` as intake does."""
        held, asserted = self._find(secret), self._settings.asserted
        if held.registered is None or asserted is None:
            raise HansaError("session.unknown", "the session has no token yet")
        if contract not in asserted.contracts:
            raise HansaError("session.asserted", f"not to {contract[:48]!a}", allowed=asserted.contracts)
        return await self._submit(held.key, contract, action, arguments)

    def _find(self, secret: str) -> _Held:
        held = self._held.get(_name(secret))
        if held is None or held.ends <= self._node.ledger_time():
            raise HansaError("session.unknown")
        return held

    # Registration

    async def _register(self, text: str, spki: bytes, *, held: bool) -> Registered:
        if self._waiting >= WAITING_MAX:
            raise HansaError("session.full", "many sign in at once", retry_after=1)
        self._waiting += 1
        try:
            verified = await self._verify(text, spki)
            attributes = conferred(verified.issuer, verified.claims)
            asserted = self._settings.asserted
            if not held and (asserted is None or asserted.attribute not in attributes):
                raise HansaError("session.asserted", "not for who has not the attribute that the node asks for")
            return await self._enter(verified, spki, attributes, held=held)
        finally:
            self._waiting -= 1

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
