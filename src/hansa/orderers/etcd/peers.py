"""What follows from what the nodes of a cluster say of themselves: who is there, whose clock is off, who differs. Pure.

Times of arrival are seconds on the caller's monotonic clock, clocks are ms since 1970 UTC.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Final

from hansa.orderers.etcd.marks import DISPUTES_MAX, Mark, Place

SILENT_S: Final = 10.0
"""A node that has said nothing for so long is taken to be away. Each says something every three seconds."""
CLOCK_MS_MAX: Final = 30_000
"""How far a node's clock may be from the middle of all that are heard, for it to stamp batches."""
_PLACES_KEPT: Final = 1_024
_OFFSETS_KEPT: Final = 4


class _Peer:
    def __init__(self) -> None:
        self.heard: float | None = None
        self.mark: Mark | None = None
        # A mark may arrive late, which makes a clock look slow, but never early: the fastest of some is nearest.
        self.offsets: deque[int] = deque(maxlen=_OFFSETS_KEPT)
        self.same = 0  # the last position at which its history was ours
        self.other: int | None = None  # the first at which it was not


class Peers:
    """The other nodes, as one node sees them. Histories are compared at places that it has been at lately."""

    def __init__(self, names: Iterable[str]) -> None:
        self._peers = {name: _Peer() for name in names}
        self._own: OrderedDict[int, bytes] = OrderedDict()
        self._position = 0
        self._ahead: OrderedDict[tuple[str, int], bytes] = OrderedDict()  # said of places where this node is not yet

    def began(self, place: Place) -> None:
        """Where this node begins."""
        self._note(place)

    def applied(self, place: Place) -> None:
        """That this node has come to `place`."""
        self._note(place)
        for name in self._peers:
            digest = self._ahead.pop((name, place.position), None)
            if digest is not None:
                self._compare(self._peers[name], place.position, digest, place.digest)

    def told(self, name: str, mark: Mark) -> None:
        """What a node wrote of itself at some time. Unknown names count for nothing."""
        peer = self._peers.get(name)
        if peer is None:
            return
        peer.mark = mark
        for place in (mark.place, *mark.disputed):
            self.claimed(name, place)

    def heard(self, name: str, mark: Mark, clock: int | None, at: float) -> None:
        """That a node wrote its mark just now, which arrived at `at`, when this node's clock was `clock`."""
        peer = self._peers.get(name)
        if peer is not None:
            peer.heard = at
            if mark.clock is not None and clock is not None:
                peer.offsets.append(mark.clock - clock)

    def claimed(self, name: str, place: Place) -> None:
        """That a node says what its history was at `place`."""
        peer = self._peers.get(name)
        if peer is None or place.position == 0:
            return
        if place.position > self._position:
            self._ahead[name, place.position] = place.digest
            if len(self._ahead) > _PLACES_KEPT:
                self._ahead.popitem(last=False)
            return
        own = self._own.get(place.position)
        if own is not None:
            self._compare(peer, place.position, place.digest, own)

    def seen(self, own_name: str, own: int) -> dict[str, int]:
        """The revision up to which each node has nothing left to do; 0 for one that never said."""
        said = {name: peer.mark.seen if peer.mark is not None else 0 for name, peer in self._peers.items()}
        return {**said, own_name: own}

    def present(self, at: float) -> list[str]:
        """Who is there."""
        return [n for n, peer in self._peers.items() if peer.heard is not None and at - peer.heard <= SILENT_S]

    def absent(self, at: float) -> list[str]:
        """Who is not."""
        present = self.present(at)
        return [name for name in self._peers if name not in present]

    def clock_error(self, at: float) -> int:
        """By how much (ms) this node's clock is from the middle of all that are heard, itself included.

        With an even number of clocks the middle is two of them, and the farther one counts: of two that differ nobody
        knows which is right.
        """
        offsets = sorted([0, *(max(peer.offsets) for n in self.present(at) if (peer := self._peers[n]).offsets)])
        middles = offsets[(len(offsets) - 1) // 2], offsets[len(offsets) // 2]
        return -max(middles, key=abs)

    def differing(self) -> list[str]:
        """Whose history is not ours."""
        return [name for name, peer in self._peers.items() if peer.other is not None]

    def agreeing(self) -> list[str]:
        """Whose history is ours, beyond the first place at which somebody's is not."""
        first = min((peer.other for peer in self._peers.values() if peer.other is not None), default=0)
        return [name for name, peer in self._peers.items() if peer.other is None and peer.same >= max(first, 1)]

    def disputed(self) -> list[Place]:
        """Our digests where somebody's differ or where somebody tells of a dispute, for the others to compare."""
        told = {p.position for peer in self._peers.values() if peer.mark is not None for p in peer.mark.disputed}
        found = {peer.other for peer in self._peers.values() if peer.other is not None}
        known = sorted(position for position in told | found if position in self._own)
        return [Place(position, self._own[position]) for position in known[:DISPUTES_MAX]]

    def _compare(self, peer: _Peer, position: int, theirs: bytes, own: bytes) -> None:
        if theirs == own:
            peer.same = max(peer.same, position)
        elif peer.other is None or position < peer.other:
            peer.other = position

    def _note(self, place: Place) -> None:
        self._position = place.position
        self._own[place.position] = place.digest
        if len(self._own) > _PLACES_KEPT:
            self._own.popitem(last=False)
