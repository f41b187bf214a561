"""Where the nodes of a network stand: spread over regions, so that no region orders alone where that can be avoided.

Pure. `network` places nodes by it and tells what follows; the engines are given patience for the way between regions.
"""

from collections.abc import Callable, Mapping


def of_node(number: int, regions: int) -> int:
    """The region, from 1, of the node with this number, from 0, counted member by member.

    One after the other: so the regions' shares differ by one node at most, and a member has its nodes apart.
    """
    return number % regions + 1


def problems(nodes: int, regions: int) -> list[str]:
    """Why so many nodes do not stand in so many regions; none if they do."""
    if regions <= nodes:
        return []
    return [f"{regions} regions are more than there are nodes, {nodes}: each has one at least"]


def said(places: Mapping[str, int], goes_on_with: Callable[[int], bool]) -> str:
    """Which nodes are where, and what the loss of a region means, in words; empty if all are in one.

    `goes_on_with`: whether so many nodes are enough to order.
    """
    found: dict[int, list[str]] = {}
    for node, region in places.items():
        found.setdefault(region, []).append(node)
    if len(found) < 2:
        return ""
    stands = "; ".join(f"{region}: {', '.join(nodes)}" for region, nodes in sorted(found.items()))
    alone = [region for region, nodes in sorted(found.items()) if goes_on_with(len(nodes))]
    needed = [region for region, nodes in sorted(found.items()) if not goes_on_with(len(places) - len(nodes))]
    orders = f"region {alone[0]} orders alone" if alone else "no region orders alone"
    if not needed:
        return f"{stands}; {orders}, and the rest goes on without any one of them"
    without = "any one of them" if len(needed) == len(found) else f"region {', '.join(map(str, needed))}"
    return f"{stands}; {orders}, and without {without} nothing is ordered"
