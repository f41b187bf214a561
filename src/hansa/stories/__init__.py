"""Stories: what an example application does, made to happen on a real ledger in a temporary folder.

Called by `cli`. Keys are made, transactions signed and applied by a node in this process, receipts checked by the same
code that checks anyone's. Nothing here prints; a story gives what came of it, and `cli` tells it.
"""
