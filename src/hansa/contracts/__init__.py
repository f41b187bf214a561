"""The contract dialect: a strict subset of Python, checked, guarded and metered, then run by CPython.

Follow a contract through `source` (bounds before parsing), `declarations` (classes are read, never executed),
`checker` (what a body may say), `rewriter` (guards and charges put in), `program` (compiled once), `execution`
(one action on given records). Pure: state comes in through a reader, time and caller as values, and what an
action wrote goes out as a write set. Never touches a clock, a file, or state of its own.
"""
