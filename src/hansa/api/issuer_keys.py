"""The keys of issuers, fetched by discovery (OpenID Connect Discovery 1.0) and kept for an hour.

The member's own node fetches, when somebody signs in; nothing that nodes must agree on ever asks here. `api.sessions`
holds one of these. It follows no redirect, takes no more than it can use, and does not wait long.

Who signs in shows a token of which nothing is known before its issuer's keys are there. So who waits for them is
bounded by issuer: whatever strangers send, they keep nobody from another issuer, nor from one whose keys are there.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import httpx2
import msgspec

from hansa.api import tokens
from hansa.api.tokens import Key
from hansa.client import discovery
from hansa.client.discovery import DOCUMENT_BYTES_MAX
from hansa.client.transport import plain_coding
from hansa.wire.problems import HansaError

FETCH_S_MAX: Final = 5.0
"""For one document, from the connection to its last byte."""
KEPT_S: Final = 3_600.0
"""How long fetched keys serve: a key that an issuer withdraws counts no longer than this."""
REFETCH_S: Final = 60.0
"""How soon keys are fetched again, when a token names one that is not among them."""
RETRY_S: Final = 5.0
"""How soon after a failure an issuer is asked again of which nothing is known."""
WAITING_MAX: Final = 64
"""Sign-ins that wait for the keys of one issuer at once."""


class _Fetched(msgspec.Struct, frozen=True):
    keys: list[Key]
    at: float


class IssuerKeys:
    """What issuers publish, by their URL. `clock` gives seconds, of whatever beginning."""

    def __init__(self, client: httpx2.AsyncClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._fetched: dict[str, _Fetched] = {}
        self._failed: dict[str, float] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._waiting: Counter[str] = Counter()

    async def of(self, url: str) -> list[Key]:
        """The keys of an issuer, fetched if there are none that are young enough. Raises as `_fetch`."""
        return await self._get(url, KEPT_S)

    async def newer(self, url: str) -> list[Key]:
        """The same where one that is needed is missing: fetched again, at most once a minute."""
        return await self._get(url, REFETCH_S)

    async def _get(self, url: str, age_s_max: float) -> list[Key]:
        """Raises as `_fetch`, and `session.full` if many wait for this issuer."""
        if (young := self._young(url, age_s_max)) is not None:  # who needs no fetch waits for none
            return young
        if self._waiting[url] >= WAITING_MAX:
            raise HansaError("session.full", "many wait for the answer of their issuer", retry_after=1)
        self._waiting[url] += 1
        try:
            async with self._locks.setdefault(url, asyncio.Lock()):  # who signs in meanwhile waits for the same answer
                young = self._young(url, age_s_max)
                return await self._fetched_now(url) if young is None else young
        finally:
            self._waiting[url] -= 1

    def _young(self, url: str, age_s_max: float) -> list[Key] | None:
        kept = self._fetched.get(url)
        return kept.keys if kept is not None and self._clock() - kept.at < age_s_max else None

    async def _fetched_now(self, url: str) -> list[Key]:
        failed = self._failed.get(url)
        wait_s = RETRY_S if url not in self._fetched else REFETCH_S
        if failed is not None and self._clock() - failed < wait_s:
            raise HansaError("issuer.unreachable", "it failed a moment ago", retry_after=int(wait_s))
        try:
            keys = await self._fetch(url)
        except HansaError:
            self._failed[url] = self._clock()
            raise
        self._failed.pop(url, None)
        self._fetched[url] = _Fetched(keys, self._clock())
        return keys

    async def _fetch(self, url: str) -> list[Key]:
        """Raises `HansaError` `issuer.unreachable`, `issuer.answer`, `issuer.url`."""
        found = discovery.read(await self._document(discovery.place_of(url)), url)
        return tokens.read_keys(await self._document(found.jwks_uri))

    async def _document(self, url: str) -> bytes:
        try:
            async with asyncio.timeout(FETCH_S_MAX), self._client.stream("GET", url) as response:
                if response.status_code != 200 or not plain_coding(response.headers):
                    raise HansaError("issuer.answer", f"it answers with HTTP {response.status_code}")
                body = bytearray()
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > DOCUMENT_BYTES_MAX:
                        raise HansaError("issuer.answer", f"it answers with more than {DOCUMENT_BYTES_MAX} bytes")
                return bytes(body)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError):
            raise HansaError("issuer.unreachable", f"{urlsplit(url).hostname} gives no answer") from None


def own_client() -> httpx2.AsyncClient:
    """What fetches: without redirects, cookies' use or compression."""
    return httpx2.AsyncClient(follow_redirects=False, headers={"accept-encoding": "identity"}, timeout=FETCH_S_MAX)
