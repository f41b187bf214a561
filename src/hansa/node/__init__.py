"""One node: takes transactions in, has them ordered, applies and keeps them, answers. Here the parts are put together.

Follow a transaction through `intake`, the orderer, `apply`, `commit`; `recovery` brings a folder back to where it was.
Clocks, randomness, threads and signals live here and above, nowhere below.
"""
