"""The words of the dialect: what a contract file may import, call, and must not name."""

from typing import Final

MODULE: Final = "hansa.contract"

TYPES: Final = frozenset({"Amount", "Bytes", "Hash", "Int", "Party", "Text"})
DECLARATIONS: Final = frozenset({"Contract", "Record", "action", "view"})
CALLS: Final = frozenset({"event", "require"})
SYSTEM_CALLS: Final = frozenset({"contract_version", "sha256"})
"""Host functions that only the contract in genesis may use."""
IMPORTABLE: Final = TYPES | DECLARATIONS | CALLS | SYSTEM_CALLS

BUILTINS: Final = {"abs": (1, 1), "len": (1, 1), "max": (2, 8), "min": (2, 8), "range": (1, 3)}
"""The functions known without import, with the least and most arguments."""
CALLABLE_ARITIES: Final = BUILTINS | {"Amount": (2, 2), "contract_version": (2, 2), "sha256": (1, 1)}

CONTEXT: Final = "tx"
CONTEXT_FIELDS: Final = frozenset({"member", "user", "time"})
AMOUNT_FIELDS: Final = frozenset({"minor", "currency"})

RESERVED: Final = frozenset(BUILTINS) | IMPORTABLE | {CONTEXT, "True", "False", "None", "int", "bool", "list"}
"""Names that a contract cannot give to anything of its own."""


def is_free(name: str) -> bool:
    """Whether a contract may bind this name: ASCII, no leading underscore, not reserved."""
    return name.isascii() and not name.startswith("_") and name not in RESERVED and len(name) <= 48
