"""A golden program: contract files, the calls made on one ledger in order, and what is expected of each.

Written for `programs`, read by `running`. The texts are fixed: nothing here is random.
"""

import hashlib
import io
import textwrap
import tokenize
from typing import Any, Final, NamedTuple

TIME: Final = 1_700_000_000_000
"""Ledger time of a call that names none: 2023-11-14T22:13:20Z, a Tuesday."""
LIMIT: Final = 1_000_000
"""Steps a call may take that names no limit."""

MEMBERS: Final[dict[str, frozenset[str]]] = {
    "alice": frozenset({"licence:bank", "role:registrar"}),
    "bob": frozenset({"licence:bank"}),
    "carol": frozenset(),
    "dora": frozenset({"role:auditor"}),
}
"""The members of every golden ledger, with their attributes."""
USERS: Final[dict[str, frozenset[str]]] = {
    "alice/ann": frozenset({"role:clerk"}),
    "alice/ben": frozenset({"role:clerk", "role:approver"}),
    "alice/eve": frozenset(),
    "bob/cy": frozenset({"role:clerk"}),
    "carol/dan": frozenset({"role:approver"}),
}
"""Their users, with theirs."""

_DIALECT: Final = frozenset({
    "Amount", "Bytes", "Contract", "Date", "Duration", "Enum", "Hash", "Instant", "Int", "Interface", "Party", "Record",
    "SignedAmount", "Struct", "Text", "User", "action", "become", "event", "invariant", "library", "migration",
    "require", "schedule", "sha256", "view",
})  # fmt: skip


class Call(NamedTuple):
    """One call, and what is written by hand about its outcome. `who` is a member, a user, or None: ledger time."""

    contract: str
    action: str
    arguments: dict[str, Any]
    who: str | None = "alice"
    time: int = TIME
    limit: int = LIMIT
    code: str = "ok"
    result: Any = None
    steps: int | None = None
    line: int | None = None
    events: list[tuple[str, dict[str, Any]]] | None = None
    paused: tuple[str, ...] = ()

    def by(self, who: str | None) -> "Call":
        """Signed by this member or user; None: nobody, ledger time runs it."""
        return self._replace(who=who)

    def at(self, time: int) -> "Call":
        """At this ledger time."""
        return self._replace(time=time)

    def within(self, limit: int) -> "Call":
        """With at most so many steps."""
        return self._replace(limit=limit)

    def while_paused(self, *contracts: str) -> "Call":
        """While these contracts are paused."""
        return self._replace(paused=contracts)

    def on(self, contract: str) -> "Call":
        """On this contract."""
        return self._replace(contract=contract)

    def gives(self, result: Any) -> "Call":
        """Expected to return this."""
        return self._replace(result=result)

    def refused(self, code: str, line: int | None = None) -> "Call":
        """Expected to be refused with this code; at this line of the file, if it is named."""
        return self._replace(code=code, line=line)

    def costs(self, steps: int) -> "Call":
        """Expected to take exactly so many steps, counted by hand."""
        return self._replace(steps=steps)

    def emits(self, name: str, **data: Any) -> "Call":
        """Expected to emit this event, behind those named before."""
        return self._replace(events=[*(self.events or []), (name, data)])

    def silent(self) -> "Call":
        """Expected to emit nothing."""
        return self._replace(events=[])


class Deploy(NamedTuple):
    """Another version of a contract, from the next call on."""

    contract: str
    source: str


class Golden(NamedTuple):
    """One program. `libraries`, then `files` are deployed first, in order, by their names on the ledger."""

    name: str
    files: dict[str, str]
    calls: tuple[Call | Deploy, ...]
    libraries: dict[str, str]


def do(action: str, **arguments: Any) -> Call:
    """A call of an action or view of `sample`."""
    return Call("sample", action, arguments)


def gives(result: Any, **arguments: Any) -> Call:
    """A call of the view `go` of `sample` that returns `result`."""
    return do("go", **arguments).gives(result)


def fails(code: str, **arguments: Any) -> Call:
    """A call of `go` of `sample` that is refused with `code`."""
    return do("go", **arguments).refused(code)


def ledger(name: str, files: dict[str, str], *calls: Call | Deploy, libraries: dict[str, str] | None = None) -> Golden:
    """A program of several files."""
    return Golden(name, files, calls, libraries or {})


def sample(name: str, inside: str, *calls: Call | Deploy, module: str = "") -> Golden:
    """A program of one contract, `sample`, whose class `Sample` holds `inside`."""
    return ledger(name, {"sample": contract(inside, module=module)}, *calls)


def view(
    name: str, parameters: str, returns: str, body: str, *calls: Call, module: str = "", inside: str = ""
) -> Golden:
    """A program of one view `go`."""
    return sample(name, f"{lines(inside)}{_method('@view', parameters, body, returns)}", *calls, module=module)


def act(name: str, parameters: str, body: str, *calls: Call, module: str = "", inside: str = "") -> Golden:
    """A program of one action `go`, which any member may take, beside the declarations `inside`."""
    taken = _method('@action(by="member")', parameters, body, "")
    return sample(name, f"{lines(inside)}{taken}", *calls, module=module)


def contract(inside: str, *, module: str = "", version: str = "1.0.0", title: str = "Sample") -> str:
    """A contract file: the imports it needs, what stands at module level, and the class with `inside`."""
    head = f'class {title}(Contract, version="{version}"):'
    return _with_imports(f"{lines(module)}\n{head}\n{textwrap.indent(lines(inside), '    ')}")


def library_file(text: str) -> str:
    """A library file: the imports it needs, and `text`."""
    return _with_imports(lines(text))


def digest(source: str) -> str:
    """What a file writes to pin a library of this source."""
    return hashlib.sha256(source.encode()).hexdigest()


def _method(decorator: str, parameters: str, body: str, returns: str) -> str:
    head = f"def go(tx{', ' if parameters else ''}{parameters}){' -> ' if returns else ''}{returns}:"
    return f"{decorator}\n{head}\n{textwrap.indent(lines(body), '    ')}"


def lines(*texts: str) -> str:
    """Texts written indented in a Python file, without what is around them, one behind another."""
    bare = (textwrap.dedent(text).strip("\n") for text in texts)
    return "".join(f"{text}\n" for text in bare if text)


def _with_imports(text: str) -> str:
    """A file with the import of what it uses, behind its docstring."""
    text = text.lstrip("\n")
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    used = {token.string for token in tokens if token.type == tokenize.NAME} & _DIALECT
    doc, text = text.split("\n", 1) if text.startswith('"""') else ("", text)
    imported = f"from hansa.contract import {', '.join(sorted(used))}"
    return "\n\n".join(part for part in (doc, imported, text) if part)
