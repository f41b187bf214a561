"""An invite as people and machines are shown it, before and after they say yes.

All of it is a stranger's word: no text of it reaches a terminal but through `output.shown`, and a constitution is named
by what comes with Hansa where its digest is the same, never by what it says of itself.
"""

import ast
import textwrap
from typing import TYPE_CHECKING, Any, Final

from hansa.cli import output

if TYPE_CHECKING:
    from hansa.wire.invite import Invite

_NAMES_MAX: Final = 12
"""Members that are listed by name for people."""
_WIDTH: Final = 96


def fields(invite: "Invite") -> dict[str, Any]:
    """An invite as machines see it."""
    from hansa.client import invitation

    head = invitation.head_of(invite)
    return {
        "ledger": invite.ledger.hex(),
        "name": invite.name,
        "member": invite.member,
        "inviter": invite.inviter,
        "kid": invite.kid.hex(),
        "not_after": invite.not_after,
        "orderer": invite.orderer,
        "members": [{"id": one.id, "name": one.name, "weight": one.weight} for one in invite.members],
        "nodes": [{"id": one.id, "member": one.member, "url": one.url} for one in invite.nodes],
        "constitution": {
            "digest": invite.constitution.digest.hex(),
            "lock": invite.constitution.lock,
            "shipped": shipped_as(invite.constitution.source),
            "source": invite.constitution.source,
        },
        "checkpoint": None
        if head is None
        else {"size": head.size, "root": head.root.hex(), "time": head.time, "signatures": len(invite.checkpoint)},
    }


def shipped_as(source: str) -> str | None:
    """The name of the constitution that comes with Hansa and has this very text; None if none has."""
    from hansa.node import shipped

    return next((name for name, path in shipped.constitutions().items() if path.read_text("utf-8") == source), None)


def text(out: output.Output, invite: "Invite") -> str:
    """An invite as people see it who are to say yes or no."""
    from hansa.client import invitation

    head = invitation.head_of(invite)
    named = [f"{one.id} ({output.shown(one.name)})" for one in invite.members[:_NAMES_MAX]]
    if len(invite.members) > _NAMES_MAX:
        named.append(f"and {len(invite.members) - _NAMES_MAX} more")
    nodes = [f"{one.id} of {one.member}, {one.url}" for one in invite.nodes[:_NAMES_MAX]]
    if len(invite.nodes) > _NAMES_MAX:
        nodes.append(f"and {len(invite.nodes) - _NAMES_MAX} more")
    rows = {
        "ledger": [invite.ledger.hex(), "the SHA-256 of its genesis document: compare it with what you were told"],
        "constitution": [*_rules(invite), f"digest {invite.constitution.digest.hex()}"],
        "members": textwrap.wrap(", ".join(named), _WIDTH),
        "nodes": [*nodes, f"ordered by {invite.orderer}"],
        "history": ["it shows no checkpoint"]
        if head is None
        else [
            f"{head.size:,} entries at {output.moment(head.time)}, signed {len(invite.checkpoint)} times",
            f"root {head.root.hex()}",
        ],
        "counts": [f"until {output.moment(invite.not_after)}"],
        "signed": [f"by the key {invite.kid.hex()}", f"{invite.inviter}'s, as it says itself"],
    }
    told = out.style(f"{output.shown(invite.name)}: {invite.inviter} invites {invite.member}", bold=True)
    return "\n".join([told, *(line for name, lines in rows.items() for line in _row(name, lines))])


def _row(name: str, lines: list[str]) -> list[str]:
    return [f"  {name if number == 0 else '':13} {line}" for number, line in enumerate(lines)]


def _rules(invite: "Invite") -> list[str]:
    """By what rules, in lines: the summary of those that come with Hansa is tested, others' own is a mere claim."""
    source, wait = invite.constitution.source, f"an accepted change of it waits {invite.constitution.lock // 1000:,} s"
    name = shipped_as(source)
    if name is None:
        lines = source.count("\n") + 1
        return [f"one of its own, {lines} lines: read them with --show", wait]
    told = (ast.get_docstring(ast.parse(source)) or "").splitlines()[0]
    return [f"{name}, as it comes with Hansa: {told}", wait]
