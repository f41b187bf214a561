"""What a node writes down beside the order: for the others under its name in etcd, for itself in a file.

And what it says with each batch of its own: how far it has come, by which others see at the next batch whether their
history is the same. Read and written by `orderer`.
"""

import hashlib
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta

from hansa.store.files import Disk, File, read_whole, replace
from hansa.wire import cbor
from hansa.wire.limits import DIGEST_BYTES, INTEGER_MAX
from hansa.wire.problems import HansaError

VERSION: Final = 0
DISPUTES_MAX: Final = 8
"""Places of other nodes that are kept until this one has been there too, of each node."""

_Version = Annotated[int, Meta(ge=VERSION, le=VERSION)]
_Natural = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
_Digest = Annotated[bytes, Meta(min_length=DIGEST_BYTES, max_length=DIGEST_BYTES)]
_T = TypeVar("_T")


class Place(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A place in the order with the digest of the last block's header there: the history up to it, in 32 bytes."""

    position: _Natural
    digest: _Digest


class Mark(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a node says of itself. `place`: what it has applied. `seen`: the revision up to which nothing is left to do.

    `clock`: its time when it wrote this, ms; None while it doubts it. `asks`: whether it has just come and waits to
    hear the others. `disputed`: its digests at places where it knows that nodes differ.
    """

    version: _Version
    place: Place
    seen: _Natural
    clock: _Natural | None
    asks: bool
    disputed: Annotated[list[Place], Meta(max_length=DISPUTES_MAX)]


class Carried(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A batch as it stands in etcd, with the node that put it there, and the place at which that was."""

    version: _Version
    node: Annotated[str, Meta(max_length=64)]
    place: Place
    batch: bytes


class Kept(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a node remembers of the cluster it follows: its id, and by which key the batch at `place` stood there."""

    version: _Version
    cluster: Annotated[bytes, Meta(min_length=8, max_length=8)]
    place: Place
    key: bytes


def encode(value: Mark | Carried | Kept) -> bytes:
    """The bytes of one of these."""
    return cbor.encode_ordered(msgspec.to_builtins(value, builtin_types=(bytes,)))


def decode(data: bytes, kind: type[_T]) -> _T | None:
    """One of these; None if the bytes are anything else."""
    try:
        plain: Any = cbor.decode(data)
        return msgspec.convert(plain, kind, builtin_types=(bytes,))
    except (HansaError, msgspec.ValidationError):
        return None


class Record:
    """The file in which `Kept` is kept: written at each batch and synced seldom, so it may be older than the ledger.

    After a power cut it may even be torn, which its checksum shows; then it counts for nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: File | None = None

    def read(self) -> Kept | None:
        """What was kept; None if there is nothing whole."""
        try:
            data = read_whole(Disk(), self._path)
        except FileNotFoundError:
            return None
        length = int.from_bytes(data[:4], "big")
        body = data[36 : 36 + length]
        return decode(body, Kept) if hashlib.sha256(body).digest() == data[4:36] else None

    def write(self, kept: Kept, *, durable: bool = False) -> None:
        """Keeps it; through a power cut only when `durable`."""
        body = encode(kept)
        data = len(body).to_bytes(4, "big") + hashlib.sha256(body).digest() + body
        if durable:
            self.close()
            replace(Disk(), self._path, data)
        else:
            if self._file is None:
                self._file = Disk().open(self._path, create=True)
            self._file.write(0, data)

    def close(self) -> None:
        """Lets go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
