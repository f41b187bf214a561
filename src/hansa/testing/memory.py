"""The state of a ledger in memory: what `node.apply` asks of `store.state`, kept by the overlay that this uses too."""

from collections.abc import Generator
from typing import Any

from hansa.store.overlay import IndexesOf, Overlay, Span, Spot
from hansa.wire.problems import HansaError


class Memory(Overlay):
    """Records above those of another memory, or above nothing, and the ids of the entries. A `node.apply.Base`.

    What lies below MUST NOT change any more.
    """

    __slots__ = ("ids",)

    def __init__(self, indexes_of: IndexesOf, below: "Memory | None" = None) -> None:
        get, spots = (_nothing, _no_spots) if below is None else (below.get, below.spots)
        super().__init__(indexes_of, get, spots, self.damage)
        self.ids: dict[bytes, int] = {} if below is None else dict(below.ids)
        """The entries' numbers by their ids."""

    def damage(self, detail: str) -> HansaError:
        """See `node.apply.Base`."""
        return HansaError("state.corrupt", detail)

    def in_window(self, id: bytes, not_after: int) -> int | None:
        """See `node.apply.Base`."""
        return self.ids.get(id)


def _nothing(place: bytes) -> Any:
    return None


def _no_spots(span: Span) -> Generator[Spot]:
    yield from ()
