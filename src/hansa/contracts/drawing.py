"""Draws state machines as SVG: light and dark by the reader's choice, with a title and a description in words."""

import html
from typing import Final

from hansa.contracts.diagram import Arrow, States, Taken, described, drawable
from hansa.contracts.layout import Box, Edge, Layout, Route, Size, arranged
from hansa.wire.problems import HansaError

DRAWN_MAX: Final = 400
"""Actions on arrows in a picture, each arrow's own counted: more is long to lay out and nothing to look at."""

_MARGIN: Final = 24
_HEAD: Final = 44
"""What the title takes above a record type's states."""
_PAD_ACROSS: Final = 16
_PAD_DOWN: Final = 12
_TITLE_CHAR: Final = 12
"""The width that a character takes in a title, a state's name, an action's and other text: what browsers take with
DejaVu Sans, which is wider than most, so that text fits whatever the reader's font is."""
_NAME_CHAR: Final = 11
_ACTION_CHAR: Final = 9
_TEXT_CHAR: Final = 8
_NAME_LINE: Final = 20
_TEXT_LINE: Final = 16
_WORDS_CHARS: Final = 32
_START: Final = 14
_ANY: Final = "*"
_BEGIN: Final = ""

_STYLE: Final = """\
svg { --ground: #ffffff; --ink: #1f2933; --soft: #52606d; --line: #7b8794; --box: #f2f6fb; --edge: #35608f; \
font-family: system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { svg { --ground: #161b22; --ink: #e6edf3; --soft: #a5b1bd; --line: #8b98a5; \
--box: #212b38; --edge: #7fb0e6; } }
.ground { fill: var(--ground); }
.box { fill: var(--box); stroke: var(--edge); stroke-width: 1.5; }
.any { stroke-dasharray: 5 4; }
.end { fill: none; stroke: var(--edge); stroke-width: 1; }
.start { fill: var(--ink); }
.arrow { fill: none; stroke: var(--line); stroke-width: 1.5; }
.head { fill: var(--line); }
.title { fill: var(--ink); font-size: 18px; font-weight: 600; }
.name { fill: var(--ink); font-size: 15px; font-weight: 600; text-anchor: middle; }
.words { fill: var(--soft); font-size: 12px; text-anchor: middle; }
.action { fill: var(--ink); font-weight: 600; }
.label { fill: var(--soft); font-size: 12px; text-anchor: middle; }"""


def svg(machines: list[States]) -> str:
    """The picture of state machines, one below the other; `diagram.state_machines` gives those of a contract.

    Raises `HansaError` `argument.value` for more than `DRAWN_MAX` actions on arrows.
    """
    count = sum(len(arrow.taken) for machine in machines for _, arrow in _arrows(machine))
    if count > DRAWN_MAX:
        told = f"{count:,} actions stand on arrows; a picture has at most {DRAWN_MAX}"
        remedy = "Draw one record type with --record, or take --format mermaid, which has no bound."
        raise HansaError("argument.value", told, remedy=remedy)
    parts: list[str] = []
    width, y = 0, _MARGIN
    for machine in machines:
        drawn, layout = _machine(machine, y)
        parts += drawn
        y += _HEAD + layout.height + 2 * _MARGIN
        width = max(width, layout.width, _TITLE_CHAR * len(_title(machine)))
    width, height = width + 2 * _MARGIN, y - _MARGIN
    title = " and ".join(_title(machine) for machine in machines)
    words = " ".join(line for machine in machines for line in described(machine))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="states-title states-words">',
            f'<title id="states-title">{_escaped(title)}</title>',
            f'<desc id="states-words">{_escaped(words)}</desc>',
            f"<style>\n{_STYLE}\n</style>",
            '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
            'orient="auto"><path class="head" d="M0 0.5 L10 5 L0 9.5 Z"/></marker></defs>',
            f'<rect class="ground" width="{width}" height="{height}"/>',
            *parts,
            "</svg>",
            "",
        ]
    )


def _escaped(text: str) -> str:
    return html.escape(drawable(text))


def layout_of(machine: States) -> Layout:
    """Where its states, labels and arrows stand."""
    sizes: dict[str, Size] = {}
    if any(arrow.source is None for arrow in machine.arrows):
        sizes[_BEGIN] = Size(_START, _START)
    sizes |= {state: _size(state, _texts(machine, state)) for state in machine.states}
    if machine.anywhere or machine.from_anywhere:
        sizes[_ANY] = _size(_name(_ANY), _texts(machine, _ANY))
    return arranged(sizes, [_edge(source, arrow) for source, arrow in _arrows(machine)])


def _title(machine: States) -> str:
    return f"{machine.contract}: states of {machine.record}"


def _arrows(machine: States) -> list[tuple[str, Arrow]]:
    """All arrows, with the box that each leaves."""
    own = [(_BEGIN if arrow.source is None else arrow.source, arrow) for arrow in machine.arrows]
    return own + [(_ANY, arrow) for arrow in machine.from_anywhere]


def _machine(machine: States, y: int) -> tuple[list[str], Layout]:
    """The elements of one state machine from `y` on down."""
    layout = layout_of(machine)
    parts = [
        f'<text class="title" x="{_MARGIN}" y="{y + 18}">{_escaped(_title(machine))}</text>',
        f'<g transform="translate({_MARGIN} {y + _HEAD})">',
    ]
    parts += [f'<path class="arrow" marker-end="url(#head)" d="{_path(route)}"/>' for route in layout.routes]
    for route, (_, arrow) in zip(layout.routes, _arrows(machine), strict=True):
        parts += _label(route.label, arrow.taken)
    ends = machine.ends
    for name, box in layout.boxes.items():
        if name == _BEGIN:
            parts.append(f'<circle class="start" cx="{box.middle}" cy="{box.y + _START // 2}" r="{_START // 2}"/>')
        else:
            parts += _state(name, box, _texts(machine, name), is_end=name in ends)
    return [*parts, "</g>"], layout


def _texts(machine: States, name: str) -> list[str]:
    """The lines below a state's name: what it says, and what can be done in it that leaves it."""
    stays = machine.anywhere if name == _ANY else machine.stays.get(name, ())
    said = machine.states.get(name, "")
    return [*_wrapped(said), *(f"↻ {taken.action} · {taken.by}" for taken in stays)]


def _wrapped(text: str) -> list[str]:
    """Words in lines of about the same length."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + len(word) < _WORDS_CHARS:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _name(name: str) -> str:
    return "in any state" if name == _ANY else name


def _size(name: str, texts: list[str]) -> Size:
    width = max(_NAME_CHAR * len(name), *(_TEXT_CHAR * len(text) for text in texts), 80)
    return Size(width + 2 * _PAD_ACROSS, _NAME_LINE + _TEXT_LINE * len(texts) + 2 * _PAD_DOWN)


def _edge(source: str, arrow: Arrow) -> Edge:
    width = max(_ACTION_CHAR * len(taken.action) + _TEXT_CHAR * len(f" · {taken.by}") for taken in arrow.taken)
    return Edge(source, arrow.target, Size(width + 8, _TEXT_LINE * len(arrow.taken) + 4))


def _state(name: str, box: Box, texts: list[str], *, is_end: bool) -> list[str]:
    extra = " any" if name == _ANY else ""
    parts = [
        f'<rect class="box{extra}" x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="9"/>',
    ]
    if is_end:
        parts.append(
            f'<rect class="end" x="{box.x + 4}" y="{box.y + 4}" width="{box.width - 8}" '
            f'height="{box.height - 8}" rx="6"/>'
        )
    y = box.y + _PAD_DOWN + 15
    parts.append(f'<text class="name" x="{box.middle}" y="{y}">{_escaped(_name(name))}</text>')
    for number, text in enumerate(texts, 1):
        parts.append(f'<text class="words" x="{box.middle}" y="{y + 2 + number * _TEXT_LINE}">{_escaped(text)}</text>')
    return parts


def _label(box: Box, several: tuple[Taken, ...]) -> list[str]:
    parts = [f'<rect class="ground" x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="4"/>']
    for number, taken in enumerate(several):
        parts.append(
            f'<text class="label" x="{box.middle}" y="{box.y + 14 + number * _TEXT_LINE}">'
            f'<tspan class="action">{_escaped(taken.action)}</tspan> · {_escaped(taken.by)}</text>'
        )
    return parts


def _path(route: Route) -> str:
    """Straight down through layers, and in between a bend that leaves and arrives straight.

    Nothing of no length stands at its end: browsers turn an arrow's head by its last piece, and such has no direction.
    """
    last, *rest = route.points
    words = [f"M{last[0]} {last[1]}"]
    for number, (x, y) in enumerate(rest):
        if (x, y) == last:
            continue
        middle = (last[1] + y) // 2
        is_bend = number % 2 == 1 and x != last[0]
        words.append(f"C{last[0]} {middle} {x} {middle} {x} {y}" if is_bend else f"L{x} {y}")
        last = (x, y)
    return " ".join(words)
