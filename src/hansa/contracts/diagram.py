"""The state machine of a record type as a contract declares it, and its form as text that Mermaid draws.

Made of the manifest alone: who may take which action in which state, and to which states it may come. What a body does
to other records by `become` is no declaration, and is not here. `drawing` makes a picture of it.
"""

import re
from typing import Final

import msgspec

from hansa.contracts.manifest import ANY_MEMBER, SCHEDULE, Action, Manifest, RecordType, ReferenceType

_MERMAID: Final = str.maketrans({":": "#colon;", ";": "#semi;", "#": "#35;", "\n": " ", "\r": " "})

_UNFIT: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no place for, not even escaped (its production `Char`)."""


class Taken(msgspec.Struct, frozen=True):
    """An action, and who may take it, in words."""

    action: str
    by: str


class Arrow(msgspec.Struct, frozen=True):
    """What leads from one state to another. `source` None: the record is made; `target` is always a state."""

    source: str | None
    target: str
    taken: tuple[Taken, ...]


class States(msgspec.Struct, frozen=True):
    """The state machine of a record type.

    `states`: what each says, by name. `stays`: what can be done in a state that leaves it, by state. `anywhere`: what
    can be done in every state and leaves it. `from_anywhere`: what leads
    to a state from every one.
    """

    contract: str
    record: str
    states: dict[str, str]
    arrows: tuple[Arrow, ...]
    stays: dict[str, tuple[Taken, ...]]
    anywhere: tuple[Taken, ...]
    from_anywhere: tuple[Arrow, ...]

    @property
    def ends(self) -> list[str]:
        """The states that no arrow leaves."""
        left = {arrow.source for arrow in self.arrows}
        return [] if self.from_anywhere else [state for state in self.states if state not in left]


def state_machines(manifest: Manifest) -> list[States]:
    """Those of all record types with states, in the order in which they are declared."""
    return [_of(manifest, record) for record in manifest.records.values() if record.states]


def described(states: States) -> list[str]:
    """The state machine in sentences, for who cannot see it."""
    lines: list[str] = []
    for arrow in (*states.arrows, *states.from_anywhere):
        for taken in arrow.taken:
            start = "any state" if arrow in states.from_anywhere else arrow.source
            where = f"makes it {arrow.target}" if start is None else f"takes it from {start} to {arrow.target}"
            lines.append(f"{taken.action}, by {taken.by}, {where}.")
    for state, several in states.stays.items():
        lines += [f"{taken.action}, by {taken.by}, leaves it {state}." for taken in several]
    lines += [f"{taken.action}, by {taken.by}, leaves it in any state." for taken in states.anywhere]
    return lines


def drawable(text: str) -> str:
    """A text with U+FFFD in the place of characters that no drawing can have."""
    return _UNFIT.sub("\ufffd", text)


def mermaid(machines: list[States]) -> str:
    """The text of a Mermaid `stateDiagram-v2`; several record types stand in a state of their own each.

    Names stand as labels, behind ids that are no words of Mermaid and of one state each.
    """
    lines = ["stateDiagram-v2"]
    for number, each in enumerate(machines, 1):
        inner = _mermaid(each, number)
        if len(machines) > 1:
            inner = [f'state "{each.record}" as r{number} {{', *(f"    {line}" for line in inner), "}"]
        lines += [f"    {line}" for line in inner]
    return "\n".join(lines) + "\n"


def _mermaid(states: States, number: int) -> list[str]:
    any_ = f"any{number}"
    names = {state: f"r{number}_{state}" for state in states.states}
    lines = [f'state "{state}" as {names[state]}' for state in states.states]
    lines += [f"{names[state]} : {drawable(text).translate(_MERMAID)}" for state, text in states.states.items() if text]
    for arrow in states.arrows:
        source = "[*]" if arrow.source is None else names[arrow.source]
        lines += [f"{source} --> {names[arrow.target]} : {_label(taken)}" for taken in arrow.taken]
    for state, several in states.stays.items():
        lines += [f"{names[state]} --> {names[state]} : {_label(taken)}" for taken in several]
    if states.anywhere or states.from_anywhere:
        lines.append(f'state "in any state" as {any_}')
        lines += [f"{any_} : {_label(taken)}" for taken in states.anywhere]
        for arrow in states.from_anywhere:
            lines += [f"{any_} --> {names[arrow.target]} : {_label(taken)}" for taken in arrow.taken]
    return lines + [f"{names[state]} --> [*]" for state in states.ends]


def _label(taken: Taken) -> str:
    return f"{taken.action} ({taken.by})"


def _of(manifest: Manifest, record: RecordType) -> States:
    arrows: dict[tuple[str | None, str], list[Taken]] = {}
    stays: dict[str, list[Taken]] = {}
    anywhere: list[Taken] = []
    from_anywhere: dict[tuple[str | None, str], list[Taken]] = {}
    for action in manifest.actions.values():
        subject = action.subject
        if subject is None or subject.type != ReferenceType(record.name):
            continue
        taken = Taken(action.name, _who(action))
        if action.creates is not None:
            for target in action.to:
                arrows.setdefault((None, target), []).append(taken)
        elif not action.to:
            for state in action.on:
                stays.setdefault(state, []).append(taken)
            if not action.on:
                anywhere.append(taken)
        elif not action.on:
            for target in action.to:
                from_anywhere.setdefault((None, target), []).append(taken)
        else:
            for source in action.on:
                for target in action.to:
                    if source == target:
                        stays.setdefault(source, []).append(taken)
                    else:
                        arrows.setdefault((source, target), []).append(taken)
    return States(
        manifest.name,
        record.name,
        record.states,
        _arrows(arrows),
        {state: tuple(stays[state]) for state in record.states if state in stays},
        tuple(anywhere),
        _arrows(from_anywhere),
    )


def _arrows(found: dict[tuple[str | None, str], list[Taken]]) -> tuple[Arrow, ...]:
    return tuple(Arrow(source, target, tuple(taken)) for (source, target), taken in found.items())


def _who(action: Action) -> str:
    words = {SCHEDULE: "ledger time", ANY_MEMBER: "any member"}
    return " or ".join(words.get(name, name) for name in action.by)
