"""Every bound of the wire in one place, named with its unit.

A ledger's own limits (block and transaction sizes, steps) stand in its genesis, at most as large as
the values here; `hansa.wire.genesis.Limits` holds them. These constants never grow at run time.
"""

from typing import Final

CBOR_DEPTH_MAX: Final = 16
"""Nested arrays and maps in any message."""

INTEGER_MIN: Final = -(2**63)
"""The least integer in messages, records, results and events: of 64 bits."""
INTEGER_MAX: Final = 2**63 - 1
"""Integers in messages, records, results and events; wider ones exist only inside an action."""

JSON_INTEGER_MAX: Final = 2**53 - 1
"""Beyond this magnitude JSON carries an integer as a string, because readers would round it."""

HEADER_BYTES_MAX: Final = 256
"""The protected header of a message. Headers are remembered before their signer is known, so they must be small."""
ENVELOPE_BYTES_MAX: Final = 256 * 1024
"""A signed transaction: room for the largest contract file, and for documents' digests rather than documents."""
BATCH_ENVELOPES_MAX: Final = 1_000
"""Transactions of one request."""
BATCH_BYTES_MAX: Final = 1024 * 1024
"""One request body: a single envelope or a CBOR sequence of them."""

BLOCK_ENTRIES_MAX: Final = 2_000
"""Transactions of one block; what ledger time takes comes besides."""
BLOCK_BYTES_MAX: Final = 4 * 1024 * 1024
"""Envelopes of one block together."""
BLOCK_STEPS_MAX: Final = 4_000_000
"""A step takes about 0.1 microseconds or a little more: a block must not hold up everyone else for seconds."""
TRANSACTION_STEPS_MAX: Final = 1_000_000
"""The most that a genesis may allow one transaction: a quarter of a block."""
TRANSACTION_STEPS_DEFAULT: Final = 100_000
"""What a ledger allows unless its genesis says otherwise."""
SCHEDULED_ENTRIES_MAX: Final = 200
"""What ledger time takes in one block at most; the rest follow in the next."""
SCHEDULED_STEPS_MAX: Final = 20_000
"""What ledger time takes in one block besides, and the steps of each."""
CHECK_STEPS_PER_BYTE: Final = 60
"""Checking a contract or library file for deployment, per character: whoever deploys one must know it."""

GENESIS_BYTES_MAX: Final = 2 * 1024 * 1024
"""The first document of a ledger, with all its founders."""

NONCE_BYTES: Final = 16
DIGEST_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

VALIDITY_MS_MAX: Final = 60 * 60 * 1000
"""How far `not_after` may lie beyond ledger time: the length of the duplicate window."""
GOVERNANCE_VALIDITY_MS_MAX: Final = 30 * 24 * 60 * 60 * 1000
"""The same of what governance keys sign: it may be signed offline, by people."""
GOVERNANCE_STEPS_MAX: Final = BLOCK_STEPS_MAX
"""What an entry of governance may use, whatever a ledger's limits are: these must never keep members from a vote."""
MEMBERS_MAX: Final = 500
"""Active members of a ledger: each counts in every vote."""
LOCK_MS_MIN: Final = 1_000
"""The shortest time lock of a change of the constitution."""
LOCK_MS_MAX: Final = 30 * 24 * 60 * 60 * 1000
"""The longest: with a longer one nobody could change anything for too long."""
WEIGHT_MAX: Final = 1_000_000
"""What a member weighs at most where votes are weighed."""
SOURCE_CHARS_MAX: Final = 65_536
"""A contract, library or constitution file."""
KERNEL_CHARS_MAX: Final = 131_072
"""The contract that genesis brings, which everything else is decided by."""
OWN_NODES_MAX: Final = 8
"""Nodes of one member, that are not retired."""
NODES_MAX: Final = 200
"""Trusted nodes of a ledger: each signs, and every engine counts the vote of each."""
VOTE_POWER: Final = 840
"""What the votes of a member's engines count together for a weight of 1: any number of them up to 8 divides it."""

PRECONDITIONS_MAX: Final = 16
"""Records that a transaction may name as they must still be."""

MEMBER_NAME_CHARS_MAX: Final = 32
"""The short name of a member: it stands in keys, roles and lists."""
USER_NAME_CHARS_MAX: Final = 65  # member, slash, name
"""A user's name: the member's, a slash, and the user's own."""
CONTRACT_NAME_CHARS_MAX: Final = 48
"""The name of a contract: it stands before every key."""
RECORD_NAME_CHARS_MAX: Final = 48
"""The name of a record type: it stands before every key."""
ACTION_NAME_CHARS_MAX: Final = 48
"""The name of an action."""
CONTRACT_VERSION_CHARS_MAX: Final = 32
"""A contract's version."""
ATTRIBUTE_CHARS_MAX: Final = 64
"""An attribute of a member, such as `licence:bank`."""

KEY_BYTES_MAX: Final = 400
"""A record's key or an indexed value, once encoded: with the names before it, it fits LMDB's 511 bytes."""

QUEUE_TRANSACTIONS_MAX: Final = 10_000
"""Transactions that wait for their block at one node, over all members: about a second's work."""
QUEUE_BYTES_MAX: Final = 32 * 1024 * 1024
"""What waits for its block at one node, over all members."""

PAGE_ROWS_MAX: Final = 1_000
"""Rows of one page of a query."""
PAGE_BYTES_MAX: Final = 1024 * 1024
"""What the records of one page have together, encoded; a page holds one record at least."""

INSTANT_MAX: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, behind which RFC 3339 writes no time."""
