"""The contract dialect, defined by an interpreter that does what it says and nothing else.

Read it in this order: `values`, `machine` (steps and memory), `fitting` (declared types), `measuring` (what leaves),
`operations`, `records`, `expressions`, `statements`, `transaction`. The docstrings are the rules; the reference page of
the dialect is made from them. It looks at values as they come, not at static types, so that it owes nothing to the
checker. What runs contracts in a node is the fast path; the two must agree to the byte, and tests hold them to it.
"""
