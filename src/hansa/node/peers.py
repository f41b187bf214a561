"""Where the other nodes of the ledger answer, so that they can be asked to sign.

The ledger says so of those that are trusted; `peers.json` in a node's folder says it besides, where they are reached
otherwise from here. Who makes the network writes that; a folder may have none. A URL says nothing about who answers
there: which node and member that is follows from the key that signs, by the ledger's records. Nodes elsewhere are asked
by mutual TLS (`tls`); HTTP is for nodes on this machine, at loopback addresses.
"""

from collections.abc import Iterable
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from hansa.node import document
from hansa.store.files import Files
from hansa.store.folder import Folder
from hansa.wire.problems import HansaError

VERSION: Final = 0
FILE: Final = "peers.json"
PEERS_MAX: Final = 64
"""Nodes that one node asks."""
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_FILE_BYTES_MAX: Final = 64 * 1024
"""More than so many URLs take; larger is something else."""


class _Peers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds."""

    version: Literal[0]
    peers: Annotated[list[Annotated[str, Meta(min_length=1, max_length=200)]], Meta(max_length=PEERS_MAX)]


def save(files: Files, folder: Folder, urls: list[str]) -> None:
    """Writes the file, whole and durable. Raises `HansaError` `peers.url`."""
    for url in urls:
        check(url)
    document.write(files, folder.root / FILE, _Peers(VERSION, urls))


def load(files: Files, folder: Folder) -> list[str]:
    """The URLs in the file; none without one. Raises `HansaError`: `peers.form`, `peers.url`, `folder.access`."""
    path = folder.root / FILE
    if not path.exists():
        return []
    found = document.read(files, path, _Peers, _FILE_BYTES_MAX, "peers.form")
    for url in found.peers:
        check(url)
    return list(dict.fromkeys(found.peers))


def is_usable(url: str) -> bool:
    """Whether a node can be asked there: what a member says of its own node is not believed to be."""
    try:
        check(url)
    except HansaError:
        return False
    return True


def askable(urls: Iterable[str]) -> list[str]:
    """Those of these URLs, each once."""
    return list(dict.fromkeys(filter(is_usable, urls)))


def check(url: str) -> None:
    """Raises `HansaError` `peers.url` unless a node may be asked at a URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise HansaError("peers.url", f"{url[:100]!a} is no URL") from None
    if not (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)) or not host or port is None:
        raise HansaError("peers.url", f"{url[:100]!a} is neither https://HOST:PORT nor http://LOOPBACK:PORT")
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        raise HansaError("peers.url", f"{url[:100]!a} has more than a host and a port")
