"""SWIFT FIN messages (MT): read strictly, checked by type and field, written again to the very same bytes.

Called by `stories`. Never guesses and never mends: a message in which a problem is found is refused with all that are
found (of blocks that are broken, with the first). SWIFT has more rules than are checked: `types` lists those that are.
Only the types of `types.TYPES` are known. Field lists and formats are those of release SRU 2025, as the library
`prowide-core` states them.
"""
