"""What the operations of one client share: its nodes, the ledger they must be of, its key, its memory, its schemas."""

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from hansa.client import keys
from hansa.client.connections import Certificates, origin
from hansa.client.memory import Memory
from hansa.client.verification import Pinned
from hansa.wire import names
from hansa.wire.keys import Signer
from hansa.wire.problems import HansaError

TIMEOUT_S: Final = 60.0
"""How long one operation may take with everything that is asked again; the last look-up of an outcome comes on top."""
_LOOK_S_MAX: Final = 10.0
"""The last look-up takes as long as a read may, or a quarter of an operation that is given less."""
LOSSES_MAX: Final = 4
"""So many answers of one operation may be lost."""
_HASTY_PAUSES_S: Final = (0.5, 2.0)
"""What a client that is not patient leaves between sending lost transactions: a node that starts again is there."""
_BACKOFF_S: Final = 0.5
"""Before a node is asked again the first time; it doubles with each round."""
_BACKOFF_S_MAX: Final = 5.0
"""No longer than a node takes to start, so that its coming back is noticed."""


class Session:
    """The state behind a `Client` or an `AsyncClient`. `nodes[0]` is asked first; where it fails, the next one."""

    def __init__(
        self,
        urls: str | Sequence[str],
        key: Path | str | Signer | None,
        ledger: str | None,
        memory: Path | None,
        timeout_s: float,
        patient: bool,
        authorities: Path | None = None,
    ) -> None:
        self.nodes = [url.rstrip("/") for url in ([urls] if isinstance(urls, str) else urls)]
        if not self.nodes or len(set(self.nodes)) != len(self.nodes):
            raise HansaError("argument.value", "give the URL of at least one node, each once")
        self._signer = keys.load(Path(key)) if isinstance(key, str | Path) else key
        self.ledger = None if ledger is None else names.digest_from_hex(ledger, "ledger id")
        self.memory = Memory(memory)
        self.remembers = memory is not None
        last = self.memory.last
        if last is not None and last.ledger != (self.ledger or last.ledger):
            raise HansaError("memory.ledger", f"{memory} remembers ledger {last.ledger.hex()}")
        self.ledger = self.ledger if last is None else last.ledger
        self.genesis = b""
        """The ledger's genesis document, once a node has given it."""
        self.pinned: Pinned | None = None
        self.told: bool | None = None
        """Whether the ledger's time is told, once a node has said so."""
        self.schemas: dict[str, dict[str, Any]] = {}
        self.admitted: set[str] = set()
        """The nodes that were seen to be of the ledger since they last failed."""
        self.certificates = Certificates(authorities, by_keys=self.ledger is not None)
        self.tokens: dict[str, str] = {}
        """What nodes gave to read with. They are never shown."""
        self.proven: set[str] = set()
        """The nodes with TLS whose keys were found to be the ledger's."""
        self.timeout_s = timeout_s
        self.patient = patient

    @property
    def look_s(self) -> float:
        """How long all nodes together have, once an operation's time is over, to say what became of a transaction."""
        return min(_LOOK_S_MAX, max(1.0, self.timeout_s / 4))

    @property
    def has_signer(self) -> bool:
        """Whether the client has a key."""
        return self._signer is not None

    @property
    def signer(self) -> Signer:
        """What signs. Raises `HansaError` `argument.value` if the client has no key."""
        if self._signer is None:
            raise HansaError("argument.value", "nothing can be signed without a key", remedy="Give the client a key.")
        return self._signer

    @property
    def node(self) -> str:
        """The URL of the node that is asked next."""
        return self.nodes[0]

    def failed(self, node: str) -> None:
        """Puts a node behind the others: it failed, and may be another one when it comes back."""
        self.admitted.discard(node)
        nodes = self.nodes
        if nodes[0] == node:
            self.nodes = [*nodes[1:], node]  # in one step: threads may share a client

    def leave(self, node: str) -> None:
        """Forgets what was shown by a node that is not what it should be, or has another key now."""
        self.certificates.shown.pop(origin(node), None)
        self.proven.discard(node)
        self.tokens.pop(node, None)

    def lost(self, error: HansaError, pause_s: float) -> None:
        """A stream of the node that is asked next was lost, and is asked for again after a pause: of another node."""
        del error, pause_s
        self.failed(self.node)


class Tries:
    """How long one operation goes on, by the clock and by how often its answers were lost."""

    def __init__(self, session: Session, *, submits: bool = False) -> None:
        self._session = session
        self._submits = submits
        self._end = time.monotonic() + session.timeout_s
        self._count = 0
        self._losses = 0
        self._refused = False

    @property
    def left_s(self) -> float:
        """What is left of the operation's time."""
        return self._end - time.monotonic()

    def pause_after(self, error: HansaError, *, is_lost: bool) -> float | None:
        """How long to wait before the next try; None if there is none.

        `is_lost`: the request may have been taken. Otherwise the next try is worth it where nobody was reached, or
        the node says when to come again, which is when it is busy or about to stop. What one node refuses to submit,
        each other one is asked once: a single node decides nothing.
        """
        self._count += 1
        self._losses += is_lost
        others = len(self._session.nodes) - self._count  # that were not asked yet
        if not (is_lost or error.code == "node.unreachable" or "retry_after" in error.fields):
            if not self._submits and error.code != "ledger.shrunken":  # this node may be behind the others
                return None
            self._refused = True
        if self._refused:
            return 0.0 if others > 0 else None
        pause = self._pause(error, others) if self._session.patient else self._hasty_pause(others)
        return None if pause is None or pause >= self.left_s else pause

    def _pause(self, error: HansaError, others: int) -> float | None:
        if self._losses >= LOSSES_MAX:
            return None
        if others > 0:
            return 0.0
        later = error.fields.get("retry_after", 0)
        rounds = self._count // len(self._session.nodes)
        backoff = min(_BACKOFF_S_MAX, _BACKOFF_S * 2 ** (rounds - 1))
        # Many clients that lost the same node must not come back at the same moment.
        return max(later if isinstance(later, int) else 0, backoff * 0.5) + random.uniform(0, backoff * 0.5)  # noqa: S311

    def _hasty_pause(self, others: int) -> float | None:
        if others > 0:
            return 0.0
        round = self._count - len(self._session.nodes)
        return _HASTY_PAUSES_S[round] if self._submits and self._losses and round < len(_HASTY_PAUSES_S) else None
