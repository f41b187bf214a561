"""Compares what nodes of one ledger show: their newest checkpoints, and those that somebody kept, each with each.

A node whose head does not fit another's proves it by its own signatures or not at all: a request that fails, or an
answer that shows nothing, is told as such and accuses nobody.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import Literal

import msgspec

from hansa.client import trust
from hansa.client.exchange import Operation, address
from hansa.client.session import Session
from hansa.client.split_view import Judge, SplitView, contradiction
from hansa.client.trust import Parted
from hansa.merkle import receipt
from hansa.merkle.checkpoint import Checkpoint
from hansa.wire import split_view
from hansa.wire.problems import HansaError
from hansa.wire.split_view import CONTRADICTIONS_MAX, Contradiction


class Shown(msgspec.Struct, frozen=True):
    """A head that was compared: `source` is the node's URL, or the name of what was kept.

    `node` and `member` are whose key signed it, empty where the ledger's genesis names none. Where `problem` is set,
    the code of what is wrong, `detail` says it in words, and there is no such head.
    """

    source: str
    size: int = 0
    time: int = 0  # ms
    root: str = ""
    kid: str = ""
    node: str = ""
    member: str = ""
    problem: str = ""
    detail: str = ""


class Comparison(msgspec.Struct, frozen=True):
    """What nodes show of a ledger.

    `verdict`: `agree` if all heads are of one history, `split` if two cannot both be true, `unknown` if neither is
    shown. `views` are the sources that are of one history each, in the order given. `unproven` says what was not
    shown, in words; nothing of that proves anything. `split` is what was proven, `proof` the file of it, which
    `hansa verify` takes; both are None without.
    """

    ledger: str
    verdict: Literal["agree", "split", "unknown"]
    heads: list[Shown]
    views: list[list[str]]
    split: SplitView | None
    unproven: list[str]
    proof: bytes | None


class _Head(msgspec.Struct, frozen=True):
    source: str
    node: str | None  # its URL; None for what was kept
    head: Checkpoint


def compare(session: Session, kept: Mapping[str, bytes]) -> Operation[Comparison]:
    """See `Client.compare`."""
    nodes = {address(node): node for node in session.nodes}
    if session.memory.last is not None:
        kept = {"the memory": receipt.bare(session.memory.last), **kept}
    if len(nodes) < len(session.nodes) or nodes.keys() & kept.keys():
        raise HansaError("argument.value", "give each node and each kept head once, under a name of its own")
    heads: list[_Head] = []
    shown: list[Shown] = []
    for name, node in nodes.items():
        try:
            yield from trust.meet(session, node)
            head = yield from trust.latest(session, node)
            shown.append(_shown(session, name, head))
            heads.append(_Head(name, node, head))
        except HansaError as error:
            shown.append(Shown(name, problem=error.code, detail=error.detail))
    if session.pinned is None:
        raise HansaError(shown[0].problem, shown[0].detail)
    for name, message in kept.items():
        try:
            head = receipt.read_bare(message)
            shown.append(_shown(session, name, head))
            heads.append(_Head(name, None, head))
        except HansaError as error:
            shown.append(Shown(name, problem=error.code, detail=error.detail))
    return (yield from _judged(session, heads, shown))


def _shown(session: Session, name: str, head: Checkpoint) -> Shown:
    """A head as it is shown. Raises `HansaError` if it does not count."""
    assert session.pinned is not None
    judge = Judge(session.pinned, session.genesis)
    judge.check(head)
    signer = judge.signer(head.kid)
    return Shown(name, head.size, head.time, head.root.hex(), head.kid.hex(), signer.node, signer.member)


def _judged(session: Session, heads: list[_Head], shown: list[Shown]) -> Operation[Comparison]:
    views = {one.source: [one.source] for one in heads}
    pairs: list[Contradiction] = []
    doubts: list[tuple[_Head, _Head, str]] = []
    for first, second in combinations(heads, 2):
        doubt, pair = yield from _compare(session, first, second)
        if pair is not None:
            pairs.append(pair)
        elif doubt:
            doubts.append((first, second, doubt))
        elif views[first.source] is not views[second.source]:
            joined = views[first.source] + views[second.source]
            views |= dict.fromkeys(joined, joined)
    # What is not shown by the two themselves may follow from a third, with which both agree.
    unproven = [told for first, second, told in doubts if views[first.source] is not views[second.source]]
    unproven += [_named(one.source, one.detail) for one in shown if one.problem]
    pairs = pairs[:CONTRADICTIONS_MAX]
    assert session.ledger is not None
    assert session.pinned is not None
    judge = Judge(session.pinned, session.genesis)
    return Comparison(
        session.ledger.hex(),
        "split" if pairs else "unknown" if unproven else "agree",
        shown,
        list({id(view): view for view in views.values()}.values()),
        SplitView(session.ledger, [judge.judge(pair) for pair in pairs]) if pairs else None,
        unproven,
        split_view.encode(session.genesis, pairs) if pairs else None,
    )


def _named(source: str, detail: str) -> str:
    return detail if detail.startswith(source) else f"{source}: {detail}"


def _compare(session: Session, one: _Head, other: _Head) -> Operation[tuple[str, Contradiction | None]]:
    """Why it is open whether two heads are of one history, empty if they are; and what proves that they are not."""
    first, second = (one, other) if one.head.size <= other.head.size else (other, one)
    doubt, pair = yield from _continues(session, first.head, second)
    if not doubt or pair is not None or first.node is None:
        return doubt, pair
    # The node behind may have come further meanwhile. Then it shows itself what it had at the other's size.
    try:
        newer = yield from trust.latest(session, first.node)
    except HansaError:
        return doubt, None
    if newer.size < second.head.size:
        return doubt, None
    ahead = _Head(first.source, first.node, newer)
    for before in (first.head, second.head):
        again, pair = yield from _continues(session, before, ahead)
        if again or pair is not None:
            return doubt, pair
    return "", None


def _continues(session: Session, first: Checkpoint, second: _Head) -> Operation[tuple[str, Contradiction | None]]:
    assert session.pinned is not None
    if second.node is None and first.size < second.head.size:
        told = f"{second.source} alone does not say how its {second.head.size} entries continue {first.size}"
        return told, contradiction(first, second.head)
    try:
        yield from trust.check_continues(session, second.node or "", first, second.head, session.pinned)
    except Parted as parted:
        return parted.told, parted.proof
    except HansaError as error:
        told = f"{second.source} does not show how its {second.head.size} entries continue {first.size}"
        return f"{told}: {error.detail} [{error.code}]", None
    return "", None
