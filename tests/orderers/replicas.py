"""A node as orderers see one, in memory: it takes, applies what it has not yet, makes a block of it, and says so."""

import asyncio
import hashlib
import time

from msgspec.structs import replace

from hansa.orderers import Replica
from hansa.wire.genesis import Limits

LEDGER = hashlib.sha256(b"ledger").digest()
GENESIS = hashlib.sha256(b"genesis").digest()


class Node:
    """`blocks` outlive the orderer, as a ledger does: `begin` goes on behind the last of them.

    An envelope is its own id. `slow` batches are applied only when `let` is called, `wrong` makes another history.
    `founders` are the seats of genesis, `admitted` those of now. An envelope `power KEY N` sets what a vote counts.
    """

    def __init__(self, make, *, clock=None, ledger=LEDGER, founders=(), begun=0):
        self.make = make
        self.founders = list(founders)
        self.begun = begun
        self.admitted = list(founders)
        self.clock = clock or (lambda: time.time_ns() // 1_000_000)
        self.ledger = ledger
        self.blocks = []  # position, digest, envelopes, stamp
        self.order = []  # position and envelopes of every batch, void ones too
        self.orderer = None
        self.paused = False
        self.wrong = False
        self._known = set()

    @property
    def entries(self):
        return [envelope for _, _, envelopes, _ in self.blocks for envelope in envelopes]

    @property
    def position(self):
        return self.blocks[-1][0] if self.blocks else 0

    def digest(self):
        return self.blocks[-1][1] if self.blocks else GENESIS

    def digest_before(self, position):
        return next((digest for at, digest, _, _ in reversed(self.blocks) if at < position), GENESIS)

    def seats(self):
        powers = dict(power for _, _, envelopes, _ in self.blocks for power in self._set(envelopes))
        return [replace(seat, power=powers.get(seat.key, seat.power)) for seat in self.admitted]

    def powers(self, first, end):
        within = [envelopes for at, _, envelopes, _ in self.blocks if first <= at < end]
        return [power for envelopes in within for power in self._set(envelopes)]

    def _set(self, envelopes):
        said = [envelope.decode().split() for envelope in envelopes if envelope.startswith(b"power ")]
        return [(bytes.fromhex(key), int(power)) for _, key, power, *_ in said]

    def begin(self):
        self.orderer = self.make(
            Replica(
                self.ledger,
                self.clock,
                Limits,
                self.digest_before,
                self.begun,
                self.founders,
                self.seats,
                self.powers,
            )
        )
        loop = asyncio.get_running_loop()
        self.orderer.start(self.position, self.digest(), lambda: loop.call_soon(self._apply))
        return self

    async def end(self):
        orderer, self.orderer = self.orderer, None
        await orderer.stop()

    def submit(self, *names, lane="acme"):
        for name in names:
            envelope = name.encode() if isinstance(name, str) else name
            self.orderer.submit(lane, hashlib.sha256(envelope).digest(), envelope, 1)

    def resume(self):
        self.paused = False
        self._apply()

    def _apply(self):
        while self.orderer is not None and not self.paused and (batch := self.orderer.take()) is not None:
            self.order.append((batch.position, batch.envelopes))
            new = [e for e in dict.fromkeys(batch.envelopes) if e not in self._known]
            self._known.update(new)
            if new:
                content = repr((self.digest(), batch.position, batch.stamp, new, self.wrong)).encode()
                self.blocks.append((batch.position, hashlib.sha256(content).digest(), new, batch.stamp))
            self.orderer.applied(batch.position, self.digest())


async def until(true, seconds=30.0):
    """Waits for something to become true; how long that takes is not judged, only that it comes."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.01)
