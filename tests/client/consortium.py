"""A consortium of three members with a node each, of which some show another history: trees of few entries, no ledger.

And those nodes as a `Transport`, which answer what a client asks that compares.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
import msgspec

from hansa.merkle import checkpoint, receipt, tree
from hansa.merkle.checkpoint import Checkpoint
from hansa.merkle.tiles import Tiles
from hansa.node import shipped
from hansa.node.create import members_source
from hansa.wire import cbor, genesis
from hansa.wire import split_view as wire
from hansa.wire.genesis import Genesis, Limits, Member, Node
from hansa.wire.keys import PrivateKey
from hansa.wire.split_view import Contradiction

TIME = 1_700_000_000_000
NAMES = ("acme", "birch", "corn")
MOST = 20


@dataclass(frozen=True)
class View:
    """A history of some entries, as one node signs it; it differs from others from entry `forks_at` on."""

    ledger: bytes
    key: PrivateKey
    forks_at: int = MOST

    def leaf(self, seq: int) -> bytes:
        return cbor.encode(["entry", seq, seq >= self.forks_at])

    def tiles(self, size: int) -> Tiles:
        made = Tiles(0, lambda *_: b"")
        for seq in range(size):
            made.append(tree.leaf_hash(self.leaf(seq)))
        return made

    def head(self, size: int, *, time: int = 0, told: bool = False) -> Checkpoint:
        root = self.tiles(size).root()
        return checkpoint.sign(self.ledger, size, time or TIME + size, root, self.key, told=told)

    def bare(self, size: int, **more: Any) -> bytes:
        return receipt.bare(self.head(size, **more))

    def receipt(self, seq: int, size: int) -> bytes:
        path = tree.inclusion_path(seq, size, self.tiles(size).node)
        return receipt.inclusion(self.head(size), seq, path)

    def behind(self, first: bytes, seq: int, size: int) -> Contradiction:
        """What a head of `seq` entries and this view's own, of `size`, are in a file."""
        return Contradiction(first, self.receipt(seq, size), self.leaf(seq))


@dataclass(frozen=True)
class Consortium:
    """Three members with a node each."""

    document: bytes
    ledger: bytes
    keys: dict[str, PrivateKey]

    def view(self, name: str, forks_at: int = MOST) -> View:
        return View(self.ledger, self.keys[name], forks_at)

    def file(self, *pairs: Contradiction) -> bytes:
        return wire.encode(self.document, list(pairs))


def found(make_key: Callable[[str, str], PrivateKey], title: str) -> Consortium:
    """A consortium of this name; another name is another ledger, with other keys."""
    keys = {name: make_key("es256", f"{title} {name} checkpoints") for name in NAMES}
    members: list[Member] = []
    nodes: list[Node] = []
    for name in NAMES:
        signs = [make_key("eddsa", f"{title} {name} {what}").public.spki for what in ("signs", "governs")]
        members.append(Member(id=name, name=name.title(), keys=signs[:1], governance_keys=signs[1:]))
        own = make_key("es256", f"{title} {name} node").public.spki
        nodes.append(Node(id=f"node-{name}", member=name, node_key=own, checkpoint_key=keys[name].public.spki))
    document = genesis.encode(
        Genesis(
            version=0,
            name=title,
            time=TIME,
            nonce=bytes(16),
            members=members,
            nodes=nodes,
            limits=Limits(),
            members_contract=members_source(),
            constitution=shipped.constitution("majority"),
            constitution_lock=1_000,
            libraries=[(shipped.LIBRARY, shipped.library())],
        )
    )
    return Consortium(document, genesis.ledger_id(document), keys)


@dataclass
class Shows:
    """What one node shows: a view, of so many entries. It has a checkpoint at every size."""

    document: bytes
    view: View
    size: int
    altered: dict[str, Callable[[bytes], bytes | None]] = field(default_factory=dict)
    """By path: what becomes of an answer; None is a refusal."""
    grows: int = 0
    """Entries that come each time its newest checkpoint was asked for."""

    def answer(self, path: str, query: Mapping[str, int]) -> bytes | None:
        view, seq = self.view, path.split("/")[3] if path.count("/") > 2 else ""
        match path.split("/")[2], seq:
            case "status", _:
                return msgspec.json.encode({"ledger": view.ledger.hex(), "clock": "real"})
            case "genesis", _:
                return self.document
            case "checkpoints", _:
                size, self.size = self.size, self.size + self.grows
                return view.bare(size)
            case "consistency", _:
                first, second = query["first"], query["second"]
                path_ = tree.consistency_path(first, second, view.tiles(second).node)
                return receipt.consistency(view.head(second), first, path_)
            case "entries", _ if int(seq) < self.size:
                return view.leaf(int(seq))
            case "receipts", _ if int(seq) < self.size:
                return view.receipt(int(seq), self.size)
        return None


class Nodes:
    """A `Transport` to nodes by URL; others are not there."""

    def __init__(self, shows: Mapping[str, Shows]) -> None:
        self.shows = shows

    def request(self, method: str, url: str, *, params: Any = None, **_: Any) -> httpx2.Response:
        node, path = url[: url.index("/", 8)], url[url.index("/", 8) :]
        if node not in self.shows:
            raise httpx2.ConnectError("nobody is there")
        one = self.shows[node]
        body = one.answer(path, params or {})
        altered = one.altered.get("/".join(path.split("/")[:3]))
        body = body if altered is None or body is None else altered(body)
        if body is None:
            return httpx2.Response(404, json={"code": "entry.unknown", "detail": "not here", "remedy": ""})
        return httpx2.Response(200, content=body)

    def close(self) -> None: ...
