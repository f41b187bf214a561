"""The tree over all entries: hashes, tiles, checkpoints, receipts, and their verification.

RFC 9162's SHA-256 tree and RFC 9942's receipts. Pure: bytes and functions come in, bytes and verdicts go
out. `store` keeps the tiles, `node` says when to sign; a verifier needs this room and `wire` only.
"""
