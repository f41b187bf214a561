"""The golden corpus: programs that together pin the contract dialect, each with what must come of it.

`programs` has them by theme, written by hand with the code and the result of every call; `expected.json` has all
the rest (steps, events, messages, write sets), made from the specification by `python -m tests.contracts.golden`.
"""
