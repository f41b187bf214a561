"""No box of a drawing lies on another, and no arrow on a box that it does not join."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.contracts import layout
from hansa.contracts.layout import Box, Edge, Size, arranged

SIZES = st.builds(Size, st.integers(80, 260), st.integers(44, 120))
LABELS = st.builds(Size, st.integers(40, 200), st.integers(20, 60))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, Size], list[Edge]]:
    """3 to 12 states, with at most one arrow from one to another."""
    boxes = {f"s{i}": draw(SIZES) for i in range(draw(st.integers(3, 12)))}
    pairs = [(a, b) for a in boxes for b in boxes if a != b]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=20))
    return boxes, [Edge(a, b, draw(LABELS)) for a, b in chosen]


def overlap(a: Box, b: Box) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


@given(graphs())
@settings(max_examples=150)
def test_nothing_lies_on_anything_else(graph: tuple[dict[str, Size], list[Edge]]) -> None:
    boxes, edges = graph
    found = arranged(boxes, edges)
    assert list(found.boxes) == list(boxes)
    assert len(found.routes) == len(edges)
    everything = [*found.boxes.values(), *(route.label for route in found.routes)]
    assert not [pair for pair in combinations(everything, 2) if overlap(*pair)]
    for box in everything:
        assert 0 <= box.x <= box.x + box.width <= found.width
        assert 0 <= box.y <= box.y + box.height <= found.height
    for edge, route in zip(edges, found.routes, strict=True):
        source, target = found.boxes[edge.source], found.boxes[edge.target]
        (x1, y1), (x2, y2) = route.points[0], route.points[-1]
        assert source.x <= x1 <= source.x + source.width
        assert y1 in (source.y, source.y + source.height)
        assert target.x <= x2 <= target.x + target.width
        assert y2 in (target.y, target.y + target.height)
        ys = [y for _, y in route.points]
        assert ys == sorted(ys) or ys == sorted(ys, reverse=True)
        for (x, top), (_, end) in zip(route.points[::2], route.points[1::2], strict=True):
            way = Box(x, min(top, end), 1, abs(end - top))
            others = [box for name, box in found.boxes.items() if name not in (edge.source, edge.target)]
            assert not any(overlap(way, box) for box in others)


@given(graphs())
@settings(max_examples=20)
def test_the_same_graph_is_drawn_the_same(graph: tuple[dict[str, Size], list[Edge]]) -> None:
    assert arranged(*graph) == arranged(*graph)


def test_a_line_of_states_stands_straight() -> None:
    boxes = {name: Size(100 + 10 * i, 50) for i, name in enumerate("abc")}
    found = arranged(boxes, [Edge("a", "b", Size(60, 20)), Edge("b", "c", Size(90, 20))])
    middles = {box.middle for box in found.boxes.values()} | {x for route in found.routes for x, _ in route.points}
    assert len(middles) == 1
    assert found.boxes["a"].y < found.boxes["b"].y < found.boxes["c"].y


def test_the_work_on_a_large_graph_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = 0
    spread, mean = layout._spread, layout._mean

    def spread_counted(cells: Any, layer: list[int], wanted: list[int]) -> None:
        nonlocal looked
        looked += len(layer)
        spread(cells, layer, wanted)

    def mean_counted(*arguments: Any) -> int:
        nonlocal looked
        looked += 1
        return mean(*arguments)

    monkeypatch.setattr(layout, "_spread", spread_counted)
    monkeypatch.setattr(layout, "_mean", mean_counted)
    names = [f"s{i}" for i in range(40)]
    pairs = [(a, b) for n, a in enumerate(names) for b in names[n + 1 :]][-400:]
    found = arranged(dict.fromkeys(names, Size(100, 50)), [Edge(a, b, Size(60, 20)) for a, b in pairs])
    assert 10_000 < looked <= 300_000
    everything = [*found.boxes.values(), *(route.label for route in found.routes)]
    assert not [pair for pair in combinations(everything, 2) if overlap(*pair)]
