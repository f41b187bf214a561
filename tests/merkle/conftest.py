"""A naive tree to compare with."""

import hashlib
from functools import cache

import pytest


class NaiveTree:
    """RFC 9162 section 2.1 word for word, over the entries b"entry-0", b"entry-1" and so on. Slow and plain.

    `MTH`, `PATH`, `PROOF` and `SUBPROOF` are the RFC's functions; D[begin:end] is given by its bounds.
    """

    def entry(self, index: int) -> bytes:
        return b"entry-%d" % index

    @cache  # noqa: B019 - one tree for all tests
    def mth(self, begin: int, end: int) -> bytes:
        n = end - begin
        if n == 0:
            return hashlib.sha256(b"").digest()
        if n == 1:
            return hashlib.sha256(b"\x00" + self.entry(begin)).digest()
        k = self.k(n)
        return hashlib.sha256(b"\x01" + self.mth(begin, begin + k) + self.mth(begin + k, end)).digest()

    def path(self, m: int, begin: int, end: int) -> list[bytes]:
        n = end - begin
        if n == 1:
            return []
        k = self.k(n)
        if m < k:
            return [*self.path(m, begin, begin + k), self.mth(begin + k, end)]
        return [*self.path(m - k, begin + k, end), self.mth(begin, begin + k)]

    def proof(self, m: int, n: int) -> list[bytes]:
        return self.subproof(m, 0, n, True)

    def subproof(self, m: int, begin: int, end: int, b: bool) -> list[bytes]:
        n = end - begin
        if m == n:
            return [] if b else [self.mth(begin, end)]
        k = self.k(n)
        if m <= k:
            return [*self.subproof(m, begin, begin + k, b), self.mth(begin + k, end)]
        return [*self.subproof(m - k, begin + k, end, False), self.mth(begin, begin + k)]

    def root(self, size: int) -> bytes:
        return self.mth(0, size)

    def leaf(self, index: int) -> bytes:
        return self.mth(index, index + 1)

    def node(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree, as `tree.NodeSource`."""
        return self.mth(index << level, (index + 1) << level)

    @staticmethod
    def k(n: int) -> int:
        """The largest power of two smaller than n."""
        k = 1
        while 2 * k < n:
            k *= 2
        return k


@pytest.fixture(scope="session")
def naive() -> NaiveTree:
    return NaiveTree()
