"""SWIFT FIN messages (MT): read strictly, checked by type and field, written again to the very same bytes.

Called by `stories`. Never guesses and never mends: a message that is not wholly right is refused with every problem
found. Only the types of `types.TYPES` are known. Field lists and formats are those of release SRU 2025, as the library
`prowide-core` states them.
"""
