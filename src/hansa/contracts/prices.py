"""What running a contract costs, in steps, and every bound on what it makes. The dialect's one price list.

Prices are per construct of the source and per size of a value, so they are the same under every Python version and
for both interpreters. Pure data; `specification` says when each is charged.
"""

import ast
from typing import Final

from hansa.contracts.tree import nodes
from hansa.wire import limits

TRANSACTION_STEPS: Final = 10
CALL_STEPS: Final = 20
"""Calling another contract's action or view."""
TOUCH_STEPS: Final = 20
"""The first touch of a record in a transaction, also of one that is not there; its stored bytes / 32 besides."""
TOUCH_AGAIN_STEPS: Final = 1
SELECT_STEPS: Final = 50
"""A range read, with the touch of each record it gives besides."""
SELECT_CHANGED_STEPS: Final = 10
"""Each record of the type that this transaction changed: it is found its place in the range."""
STORE_STEPS: Final = 50
EVENT_STEPS: Final = 20
MIGRATION_STEPS: Final = 10
HASH_STEPS: Final = 5
KEY_STEPS: Final = 2_000
"""Checking a public key: an Ed25519 one takes an exact computation in its group."""

BYTES_PER_STEP: Final = 32
"""What is read or looked through."""
COMPARED_BYTES_PER_STEP: Final = 128
"""Texts and bytes compared, and keys looked up in maps: characters of the shorter. Names are free, therefore."""
SEARCHED_PER_STEP: Final = 256
"""A text searched for another: its characters times those of the other, of which 128 count at most."""
SEARCHED_CHARS_MAX: Final = 128
MADE_BYTES_PER_STEP: Final = 128
"""What is made in memory, in bytes counted as follows."""
TEXT_BYTES: Final = 64
"""A text, besides 4 bytes a character; bytes, besides 1 each; an Amount in a container."""
LIST_BYTES: Final = 56
LIST_ITEM_BYTES: Final = 8
MAP_BYTES: Final = 232
"""A map, and a struct."""
MAP_ITEM_BYTES: Final = 64
MADE_BYTES_MAX: Final = 16 * 1024 * 1024
"""All that a transaction makes in memory, counted as above."""
OUTPUT_BYTES_PER_STEP: Final = 8
"""What leaves the contract: stored, emitted or returned. With the steps of a block this bounds what a block holds."""

INTEGER_BITS_MAX: Final = 2**255 - 1
"""Intermediate integers: 256 bits, sign included."""
TEXT_CHARS_MAX: Final = 65_536
BYTES_MAX: Final = 65_536
LIST_ITEMS_MAX: Final = 1_024
MAP_ITEMS_MAX: Final = 1_024
MAP_KEY_CHARS_MAX: Final = 100
TYPE_DEPTH_MAX: Final = 6
"""Types in types: lists, maps, structs and optionals, so that every value fits a message."""
TYPE_FIELDS_MAX: Final = 1_024
"""Fields of a struct, those of the structs in it counted wherever they stand."""
INSTANT_MAX: Final = limits.INSTANT_MAX
"""The last millisecond of the year 9999."""
DURATION_MAX: Final = 315_576_000_000_000
"""Ten thousand years."""
CALL_DEPTH_MAX: Final = 64
"""Functions and contracts called in each other, together."""
RECORDS_MAX: Final = 1_024
"""Records that a transaction touches."""
SCHEDULES_MAX: Final = 64
"""What a transaction schedules."""
SCHEDULES_OF_TIME_MAX: Final = 1
"""The same where ledger time runs it: what comes due can go on, and cannot become more and more without a signer."""
SELECT_ROWS_MAX: Final = 1_024
EVENTS_MAX: Final = 64
EVENTS_BYTES_MAX: Final = 65_536
"""All events of a transaction together, encoded, names included."""
REFUSAL_BYTES_MAX: Final = 4_096
"""What a rule says when it refuses, encoded: few enough to cost nothing."""
STORED_BYTES_MAX: Final = 1024 * 1024
"""The records that a transaction stores, encoded, together."""
RESULT_BYTES_MAX: Final = 1024 * 1024
"""What a view returns, encoded."""
SCHEDULE_AHEAD_MS_MIN: Final = 1_000
"""How far ahead of ledger time something can be scheduled at least."""

_WEIGHED: Final = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp, ast.Attribute, ast.Subscript)


def search_price(text: str, sought: str) -> int:
    """What looking for a text in another costs: in the worst case a part of it is compared at each place."""
    return len(text) * min(len(sought), SEARCHED_CHARS_MAX) // SEARCHED_PER_STEP


def block_price(statements: list[ast.stmt]) -> int:
    """What entering a block costs: 1, and the price of each of its statements."""
    return 1 + sum(map(statement_price, statements))


def statement_price(node: ast.stmt) -> int:
    """1, and 1 for each operation in the statement itself; the blocks inside it are paid for when they are entered.

    The values of a refusal cost nothing: they are only looked at when the action has ended.
    """
    match node:
        case ast.If(test=test):
            return 1 + _weight(test)
        case ast.For(iter=iterator):
            return 1 + _weight(iterator)
        case ast.Expr(value=ast.Call(func=ast.Name(id="require"), args=[test, _])):
            return 1 + _weight(test)
        case ast.AugAssign(target=target, value=value):
            return 2 + 2 * _weight(target) + _weight(value)
        case ast.AnnAssign(value=value):
            return 1 + (0 if value is None else _weight(value))
        case _:
            return 1 + _weight(node)


def _weight(node: ast.AST) -> int:
    """What the operations in an expression weigh: 1 each, and 1 for each argument, item of a list or map, and join."""
    weight = 0
    for part in nodes(node):
        if isinstance(part, ast.List):
            weight += 1 + len(part.elts)
        elif isinstance(part, ast.Dict):
            weight += 1 + len(part.values)
        elif isinstance(part, ast.BoolOp):
            weight += len(part.values) - 1
        elif isinstance(part, ast.Call):
            weight += 1 + len(part.args) + len(part.keywords)
        elif isinstance(part, _WEIGHED):
            weight += 1
    return weight
