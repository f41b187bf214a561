"""Who may read beyond loopback: tokens for whoever signs a challenge with a key that the ledger has registered.

Nothing is kept of a challenge that nobody has signed, nor of a token: both say themselves, under a seed that ends with
the process, until when they count. So they are good at this node alone, as long as it runs. What is kept is which
challenges were used, for the minute that each counts, and bounded for each key. A token counts only as long as its key
does: each read looks it up. Times are by the process's own clock, which nobody sets. On the node's event loop.
"""

import base64
import binascii
import hmac
import secrets
import struct
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

from hansa.api.allowance import Rate
from hansa.node.node import Node
from hansa.wire import reader
from hansa.wire.problems import HansaError

LIFE_S: Final = 15 * 60
"""Of a token."""
CHALLENGE_S: Final = 60
"""Of a challenge."""
KEY_TOKENS_MAX: Final = 300
"""Tokens that one key gets within the life of a challenge."""
USED_MAX: Final = 50_000
"""Challenges that are remembered to be used, of all keys."""
BURST: Final = 120
"""Requests for challenges and tokens at once from one address; behind it are all people of an office."""
EACH_S: Final = 20.0
"""And so many a second after that."""
_SCHEME: Final = "bearer"
_TAG_BYTES: Final = 32
_CHALLENGE: Final = struct.Struct(">Q24s")
"""Until when it counts (ms), and random bytes."""
_TOKEN: Final = struct.Struct(">Q32s")
"""Until when it counts (ms), and the kid of the reader's key."""


class Reader(msgspec.Struct, frozen=True):
    """Who reads, by the kid of a registered key. `until` (ms of the clock here): the end of the token, if it is one."""

    kid: bytes
    until: int | None


class Readers:
    """Of one node. `names` are the hosts by which others reach it; `clock` gives seconds, of whatever beginning."""

    def __init__(self, node: Node, names: frozenset[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._node = node
        self._names = names
        self._clock = clock
        self._seed = secrets.token_bytes(32)
        self._rate = Rate(BURST, EACH_S, clock)
        self._used: OrderedDict[bytes, tuple[int, bytes]] = OrderedDict()
        self._counts: Counter[bytes] = Counter()

    def challenge(self, address: str) -> bytes:
        """What somebody at this address is to sign. Raises `HansaError` `reader.busy`."""
        self._check_rate(address)
        said = _CHALLENGE.pack(self._now() + CHALLENGE_S * 1000, secrets.token_bytes(24))
        return said + self._tag(b"challenge", said)

    def enter(self, envelope: bytes, address: str) -> str:
        """A token for whoever signed a challenge of this node.

        Raises `HansaError`: `reader.busy`, `reader.form`, `reader.challenge`, `reader.unknown`, `reader.signature`,
        `transaction.ledger`, or as `cose.split`.
        """
        self._check_rate(address)
        signed = reader.read(envelope)
        request, node = signed.request, self._node
        if request.ledger != node.ledger:
            raise HansaError("transaction.ledger", f"signed for ledger {request.ledger.hex()}")
        own = node.own_key()
        if own is None or request.node != own.kid:
            raise HansaError("reader.challenge", "it is signed for another node")
        if request.host not in self._names:
            raise HansaError("reader.challenge", "it is signed for a node at another address")
        until = self._check_challenge(request.challenge)
        kid = signed.header.kid
        key = node.directory.reader(kid, node.ledger_time())
        if key is None:
            raise HansaError("reader.unknown")
        if signed.header.algorithm != key.algorithm or not key.verify(
            signed.envelope.signature, signed.envelope.structure
        ):
            raise HansaError("reader.signature")
        self._use(request.challenge, until, kid)
        said = _TOKEN.pack(self._now() + LIFE_S * 1000, kid)
        return base64.urlsafe_b64encode(said + self._tag(b"token", said)).rstrip(b"=").decode()

    def reader(self, authorization: str) -> "Reader":
        """Whom a header's token stands for. Raises `HansaError` `reader.token` unless it counts, and its key does."""
        scheme, _, token = authorization.partition(" ")
        try:
            found = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            found = b""
        said, tag = found[: _TOKEN.size], found[_TOKEN.size :]
        if scheme.lower() != _SCHEME or not hmac.compare_digest(tag, self._tag(b"token", said)):
            raise HansaError("reader.token")
        until, kid = _TOKEN.unpack(said)
        made = Reader(kid, until)
        self.check(made)
        return made

    def check(self, made: "Reader") -> None:
        """Raises `HansaError` `reader.token` if somebody may read no more."""
        if made.until is not None and made.until <= self._now():
            raise HansaError("reader.token", "the token has ended")
        if self._node.directory.reader(made.kid, self._node.ledger_time()) is None:
            raise HansaError("reader.token", "its key counts no more")

    def _check_rate(self, address: str) -> None:
        if not self._rate.take(address):
            raise HansaError("reader.busy", retry_after=1)

    def _check_challenge(self, challenge: bytes) -> int:
        """Until when it counts. Raises `HansaError` `reader.challenge` unless this node made it, and it is not used."""
        said, tag = challenge[: _CHALLENGE.size], challenge[_CHALLENGE.size :]
        if not hmac.compare_digest(tag, self._tag(b"challenge", said)):
            raise HansaError("reader.challenge")
        until = _CHALLENGE.unpack(said)[0]
        if until <= self._now():
            raise HansaError("reader.challenge", "it is too late for it")
        if challenge in self._used:
            raise HansaError("reader.challenge", "it was used before")
        return until

    def _use(self, challenge: bytes, until: int, kid: bytes) -> None:
        """Remembers that a challenge was used. Raises `HansaError` `reader.busy` if its key uses too many."""
        now = self._now()
        while self._used and next(iter(self._used.values()))[0] <= now:
            _, (_, last) = self._used.popitem(last=False)
            self._counts[last] -= 1
            if not self._counts[last]:
                del self._counts[last]
        if self._counts[kid] >= KEY_TOKENS_MAX or len(self._used) >= USED_MAX:
            raise HansaError("reader.busy", retry_after=CHALLENGE_S // 2)
        self._used[challenge] = until, kid
        self._counts[kid] += 1

    def _tag(self, kind: bytes, said: bytes) -> bytes:
        return hmac.digest(self._seed, kind + self._node.ledger + said, "sha256")[:_TAG_BYTES]

    def _now(self) -> int:
        return int(self._clock() * 1000)
