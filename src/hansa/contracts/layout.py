"""Where the boxes and arrows of a graph stand that is drawn from top to bottom: layers, as Sugiyama has it.

Pure integers, so that the same graph is drawn the same everywhere. An arrow's label is a box of its own in a layer
between those that it joins, so no label lies on a box or on another label. Work grows with the arrows and the layers
that they pass; how many there may be is for `drawing` to say, which uses this.
"""

import bisect
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec

_GAP_ACROSS: Final = 28
_GAP_DOWN: Final = 26
_BEND_WIDTH: Final = 14
"""What an arrow takes where it passes a layer."""
_SWEEPS: Final = 24
_PASSES: Final = 120
_SWEPT_MAX: Final = 100_000
"""Cells looked at in all sweeps for few crossings: a large graph gets fewer of them, and is laid out soon."""
_PASSED_MAX: Final = 200_000
"""The same for the passes that find places."""
_STRAIGHT: Final = 8
"""How much more it counts that an arrow of many layers is straight than where boxes stand."""
_PORT_GAP: Final = 26
_FINE: Final = 64
"""Parts of a pixel in which places are found, so that what should be straight is."""


class Size(msgspec.Struct, frozen=True):
    """A box's width and height."""

    width: int
    height: int


class Edge(msgspec.Struct, frozen=True):
    """An arrow between two boxes, by their names, with the size of its label."""

    source: str
    target: str
    label: Size


class Box(msgspec.Struct, frozen=True):
    """Where a box or label stands: its upper left corner and its size."""

    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> int:
        """The x of its middle."""
        return self.x + self.width // 2


class Route(msgspec.Struct, frozen=True):
    """An arrow's way: points in pairs, in between which it bends; behind a pair it goes straight down (or up)."""

    points: list[tuple[int, int]]
    label: Box


class Layout(msgspec.Struct, frozen=True):
    """All places, from (0, 0) on, and the size of it all."""

    width: int
    height: int
    boxes: dict[str, Box]
    routes: list[Route]


class _Chain(msgspec.Struct):
    """The cells that an arrow passes, from its upper end to its lower. `is_upward`: it points to the upper."""

    cells: list[int]
    label: int
    is_upward: bool


class _Cell(msgspec.Struct):
    """Something in a layer: a box, a label, or a bend."""

    rank: int
    width: int
    height: int
    above: list[int]
    below: list[int]
    x: int = 0  # of its middle


def arranged(boxes: Mapping[str, Size], edges: Sequence[Edge]) -> Layout:
    """The layout of a graph. Boxes that come first stand further up or to the left, where nothing else decides."""
    upward = _upward(list(boxes), edges)
    ranks = _ranks(list(boxes), edges, upward)
    cells = [_Cell(ranks[name], size.width, size.height, [], []) for name, size in boxes.items()]
    number = {name: i for i, name in enumerate(boxes)}
    chains = [_chain(cells, number, ranks, edge, is_upward=i in upward) for i, edge in enumerate(edges)]
    layers = _ordered(cells, max(ranks.values()) + 1)
    _place(cells, layers)
    _straighten(cells, layers, chains)
    left = min(cell.x - cell.width // 2 for cell in cells)
    heights = [max((cells[i].height for i in layer), default=0) for layer in layers]
    tops = _tops(heights)
    placed = [_box(cell, left, tops, heights) for cell in cells]
    ports = _ports(cells, chains, len(boxes), left)
    routes = [_route(chain, i, cells, placed, ports, left, tops, heights) for i, chain in enumerate(chains)]
    return Layout(
        max(box.x + box.width for box in placed),
        tops[-1] + heights[-1],
        {name: placed[i] for name, i in number.items()},
        routes,
    )


def _upward(names: list[str], edges: Sequence[Edge]) -> set[int]:
    """The arrows that close a circle: they are laid out as if they pointed the other way."""
    leaving: dict[str, list[int]] = {name: [] for name in names}
    for i, edge in enumerate(edges):
        leaving[edge.source].append(i)
    found: set[int] = set()
    done: set[str] = set()
    open_: list[str] = []

    def visit(name: str) -> None:
        open_.append(name)
        for i in leaving[name]:
            target = edges[i].target
            if target in open_:
                found.add(i)
            elif target not in done:
                visit(target)
        open_.pop()
        done.add(name)

    for name in names:
        if name not in done:
            visit(name)
    return found


def _ranks(names: list[str], edges: Sequence[Edge], upward: set[int]) -> dict[str, int]:
    """The layer of every box: behind all that lead to it, every other layer left for labels."""
    ranks = dict.fromkeys(names, 0)
    for _ in names:
        for i, edge in enumerate(edges):
            above, below = (edge.target, edge.source) if i in upward else (edge.source, edge.target)
            ranks[below] = max(ranks[below], ranks[above] + 2)
    return ranks


def _chain(cells: list[_Cell], number: dict[str, int], ranks: dict[str, int], edge: Edge, *, is_upward: bool) -> _Chain:
    above, below = (edge.target, edge.source) if is_upward else (edge.source, edge.target)
    chain = [number[above]]
    middle = ranks[above] + 1 if not is_upward else ranks[below] - 1
    for rank in range(ranks[above] + 1, ranks[below]):
        size = edge.label if rank == middle else Size(_BEND_WIDTH, 0)
        cells.append(_Cell(rank, size.width, size.height, [], []))
        chain.append(len(cells) - 1)
    chain.append(number[below])
    for one, other in pairwise(chain):
        cells[one].below.append(other)
        cells[other].above.append(one)
    return _Chain(chain, chain[middle - ranks[above]], is_upward)


# The order within layers


def _ordered(cells: list[_Cell], count: int) -> list[list[int]]:
    """The cells of each layer from left to right, with few crossings."""
    layers: list[list[int]] = [[] for _ in range(count)]
    for i, cell in enumerate(cells):
        layers[cell.rank].append(i)
    best, least = [list(layer) for layer in layers], _crossings(cells, layers)
    for sweep in range(min(_SWEEPS, _SWEPT_MAX // len(cells))):
        downward = sweep % 2 == 0
        for rank in range(1, count) if downward else range(count - 2, -1, -1):
            fixed = {i: at for at, i in enumerate(layers[rank - 1 if downward else rank + 1])}
            wanted = {i: _mean(cells[i].above if downward else cells[i].below, fixed, at)
                      for at, i in enumerate(layers[rank])}  # fmt: skip
            layers[rank].sort(key=wanted.__getitem__)
        found = _crossings(cells, layers)
        if found < least:
            best, least = [list(layer) for layer in layers], found
    return best


def _mean(neighbours: list[int], at: dict[int, int], own: int) -> int:
    """Where the middle of its neighbours is, in thousandths; its own place if it has none."""
    return 1000 * sum(at[i] for i in neighbours) // len(neighbours) if neighbours else 1000 * own


def _crossings(cells: list[_Cell], layers: list[list[int]]) -> int:
    count = 0
    for upper, lower in pairwise(layers):
        at = {i: number for number, i in enumerate(lower)}
        passed: list[int] = []  # ends of arrows so far, in order
        for i in upper:
            for end in sorted(at[j] for j in cells[i].below):
                count += len(passed) - bisect.bisect_right(passed, end)
                bisect.insort(passed, end)
    return count


# Places


def _place(cells: list[_Cell], layers: list[list[int]]) -> None:
    """The x of every cell: near the middle of its neighbours, and none on another."""
    for layer in layers:
        x = 0
        for i in layer:
            cells[i].x = x + cells[i].width * _FINE // 2
            x += (cells[i].width + _GAP_ACROSS) * _FINE
    for turn in range(min(_PASSES, _PASSED_MAX // len(cells))):
        for layer in layers if turn % 2 == 0 else reversed(layers):
            wanted: list[int] = []
            for i in layer:
                near = [*cells[i].above, *cells[i].below]
                pull = [_STRAIGHT if _is_way(cells[i]) and _is_way(cells[j]) else 1 for j in near]
                sum_ = sum(cells[j].x * weight for j, weight in zip(near, pull, strict=True))
                wanted.append(sum_ // sum(pull) if near else cells[i].x)
            _spread(cells, layer, wanted)
    for cell in cells:
        cell.x = (cell.x + _FINE // 2) // _FINE


def _spread(cells: list[_Cell], layer: list[int], wanted: list[int]) -> None:
    """Puts the cells of a layer as near to where they are wanted as they can be without lying on each other.

    Least squares by pooling: neighbours that would overlap move as one block to the middle of what they want.
    """
    offsets = [0]
    for one, other in pairwise(layer):
        offsets.append(offsets[-1] + ((cells[one].width + cells[other].width) // 2 + _GAP_ACROSS) * _FINE)
    blocks: list[tuple[int, int, int]] = []  # what its cells want, offsets off and weighed; their weight and number
    for i, want, offset in zip(layer, wanted, offsets, strict=True):
        weight, count = _STRAIGHT if _is_way(cells[i]) else 1, 1
        total = (want - offset) * weight
        while blocks and blocks[-1][0] * weight >= total * blocks[-1][1]:
            before = blocks.pop()
            total, weight, count = total + before[0], weight + before[1], count + before[2]
        blocks.append((total, weight, count))
    at = 0
    for total, weight, count in blocks:
        for _ in range(count):
            cells[layer[at]].x = total // weight + offsets[at]
            at += 1


def _straighten(cells: list[_Cell], layers: list[list[int]], chains: list[_Chain]) -> None:
    """Brings every arrow's cells to the x in their middle, as far as their neighbours leave room."""
    at = {i: number for layer in layers for number, i in enumerate(layer)}
    for chain in chains * 2:
        ways = chain.cells[1:-1]
        middle = sorted(cells[i].x for i in ways)[len(ways) // 2]
        for i in ways:
            layer = layers[cells[i].rank]
            near = [j for j in (at[i] - 1, at[i] + 1) if 0 <= j < len(layer)]
            gaps = {j: (cells[layer[j]].width + cells[i].width) // 2 + _GAP_ACROSS for j in near}
            least = max((cells[layer[j]].x + gaps[j] for j in near if j < at[i]), default=middle)
            most = min((cells[layer[j]].x - gaps[j] for j in near if j > at[i]), default=middle)
            if least <= most:
                cells[i].x = min(max(middle, least), most)


def _is_way(cell: _Cell) -> bool:
    """Whether it is a bend or a label: one arrow passes it."""
    return cell.rank % 2 == 1 or cell.width == _BEND_WIDTH


def _tops(heights: list[int]) -> list[int]:
    """The y at which each layer begins."""
    tops = [0]
    for height in heights[:-1]:
        tops.append(tops[-1] + height + _GAP_DOWN)
    return tops


def _box(cell: _Cell, left: int, tops: list[int], heights: list[int]) -> Box:
    spare = heights[cell.rank] - cell.height
    y = tops[cell.rank] + spare // 2
    return Box(cell.x - cell.width // 2 - left, y, cell.width, cell.height)


# Ways


def _ports(cells: list[_Cell], chains: list[_Chain], boxes: int, left: int) -> dict[tuple[int, int, bool], int]:
    """The x at which each arrow leaves a box, by the arrow, the box, and whether at its upper side."""
    ends: dict[tuple[int, bool], list[tuple[int, int]]] = {}
    for number, chain in enumerate(chains):
        first, last = chain.cells[0], chain.cells[-1]
        ends.setdefault((first, False), []).append((cells[chain.cells[1]].x, number))
        ends.setdefault((last, True), []).append((cells[chain.cells[-2]].x, number))
    found: dict[tuple[int, int, bool], int] = {}
    for (box, is_upper), arrows in ends.items():
        room = max(cells[box].width - 2 * _BEND_WIDTH, 0)
        gap = min(_PORT_GAP, room // max(len(arrows) - 1, 1))
        for at, (_, number) in enumerate(sorted(arrows)):
            found[number, box, is_upper] = cells[box].x - left + (2 * at - len(arrows) + 1) * gap // 2
    return found


def _route(
    chain: _Chain,
    number: int,
    cells: list[_Cell],
    placed: list[Box],
    ports: dict[tuple[int, int, bool], int],
    left: int,
    tops: list[int],
    heights: list[int],
) -> Route:
    first, last = chain.cells[0], chain.cells[-1]
    points = [(ports[number, first, False], placed[first].y + placed[first].height)]
    floor = tops[cells[first].rank] + heights[cells[first].rank]
    points.append((points[0][0], floor))
    for i in chain.cells[1:-1]:
        top = tops[cells[i].rank]
        points += [(cells[i].x - left, top), (cells[i].x - left, top + heights[cells[i].rank])]
    x = ports[number, last, True]
    points += [(x, tops[cells[last].rank]), (x, placed[last].y)]
    return Route(points[::-1] if chain.is_upward else points, placed[chain.label])
