"""The words of the dialect: what a contract file may import, call, and must not name."""

from typing import Final

MODULE: Final = "hansa.contract"

TYPES: Final = frozenset(
    {"Amount", "Bytes", "Date", "Duration", "Hash", "Instant", "Int", "Party", "SignedAmount", "Text", "User"}
)
DECLARATIONS: Final = frozenset(
    {"Contract", "Enum", "Interface", "Record", "Struct", "action", "invariant", "library", "migration", "view"}
)
STATEMENTS: Final = frozenset({"become", "event", "require", "schedule"})
"""Calls that stand on a line of their own."""
SYSTEM_CALLS: Final = frozenset({"contract_version", "key_id", "library_digest", "member_id"})
"""Host functions that only the contract in genesis may use."""
FUNCTIONS: Final = frozenset({"sha256"}) | SYSTEM_CALLS
IMPORTABLE: Final = TYPES | DECLARATIONS | STATEMENTS | FUNCTIONS

BUILTINS: Final = frozenset(
    {"abs", "enumerate", "int", "len", "max", "min", "range", "reversed", "sorted", "str", "sum", "zip"}
)
"""The functions known without import."""

ROLES: Final = "Roles"
STATES: Final = "States"
CONTEXT: Final = "tx"
NAME_CHARS_MAX: Final = 48
"""A name in a contract file: it stands in keys and messages."""

_RESERVED: Final = BUILTINS | IMPORTABLE | {CONTEXT, ROLES, STATES, "True", "False", "None", "bool", "list", "dict"}
"""Names that a contract cannot give to anything of its own."""


def is_free(name: str) -> bool:
    """Whether a contract may bind this name: ASCII, no leading underscore, not reserved."""
    return is_field(name) and name not in _RESERVED


def is_field(name: str) -> bool:
    """Whether a field may have this name: it is only ever written behind a dot, so no word is reserved."""
    return name.isascii() and not name.startswith("_") and len(name) <= NAME_CHARS_MAX
