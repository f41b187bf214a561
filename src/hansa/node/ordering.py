"""`orderer.json` in a node's folder: which node of the ledger runs here, by which orderer, and where it listens.

`network` writes it, `hansa up` reads it. A folder without one is the ledger of one process.
"""

from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from hansa.store.files import Files, read_whole, replace, trouble_told
from hansa.store.folder import Folder
from hansa.wire.problems import HansaError

Name: TypeAlias = Literal["solo", "etcd", "cometbft"]

VERSION: Final = 0
SOLO: Final = "solo"
ETCD: Final = "etcd"
COMETBFT: Final = "cometbft"
PORTS: Final[dict[Name, tuple[str, ...]]] = {SOLO: (), ETCD: ("peer", "client"), COMETBFT: ("p2p", "rpc")}
"""What the engine of each listens for, in order."""
FILE: Final = "orderer.json"
_FILE_BYTES_MAX: Final = 1_000_000
"""Of `orderer.json`; larger is something else."""


class Ordering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds: the node's id in genesis, its orderer, and the port of its API on loopback."""

    version: Literal[0]
    node: str
    orderer: Name
    port: Annotated[int, Meta(ge=0, le=65_535)]


def save(files: Files, folder: Folder, ordering: Ordering) -> None:
    """Writes the file, whole and durable."""
    replace(files, folder.root / FILE, msgspec.json.format(msgspec.json.encode(ordering)) + b"\n")


def load(files: Files, folder: Folder) -> Ordering | None:
    """What the file says; None if there is none. Raises `HansaError`: `network.form`, `folder.access`."""
    path = folder.root / FILE
    if not path.exists():
        return None
    with trouble_told(path):
        data = read_whole(files, path)
    try:
        return msgspec.json.decode(data[:_FILE_BYTES_MAX], type=Ordering)
    except (msgspec.DecodeError, RecursionError) as error:
        raise HansaError("network.form", f"{path}: {error}") from None
