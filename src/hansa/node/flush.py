"""Flush: moves what follows from durable blocks to disk, in the order that a crash may interrupt anywhere.

First the tree's rows, last the state, whose one transaction says how far everything has got. Called between blocks,
when nothing is on its way to the journal.
"""

from hansa.merkle.tiles import Tiles
from hansa.node.apply import Tip
from hansa.store.journal import Position
from hansa.store.rows import Rows
from hansa.store.state import FORMAT, Applied, State

FLUSH_ENTRIES: int = 4_096
"""How many entries a running node lets the overlay gather."""


def flush(state: State, tiles: Tiles, rows: Rows, checkpoints: int, tip: Tip, position: Position) -> None:
    """Brings rows and state up to `tip`, which ends at `position` in the journal; so many checkpoints are durable.

    Raises `HansaError` `disk.full` with nothing lost: it may be called again later.
    """
    assert tiles.size == tip.size
    rows.write(tiles.unstored())
    tiles.mark_stored()
    state.flush(
        Applied(
            format=FORMAT,
            ledger=tip.ledger,
            size=tip.size,
            time=tip.time,
            header=tip.previous,
            root=tiles.root(),
            position=position,
            checkpoints=checkpoints,
            rows=rows.checksums,
        )
    )
