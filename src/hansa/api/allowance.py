"""How much strangers may ask for: a rate and a number of connections for each address, so that none shuts others out.

In memory and bounded: whoever is not remembered any more begins anew. No address is logged.
"""

import ipaddress
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Final

ADDRESSES_MAX: Final = 4_096
"""Addresses whose rate is remembered; the one that asked longest ago goes first."""
_IPV6_BITS: Final = 64
"""Whoever has one IPv6 address has so many: they count as one."""


class Rate:
    """At most `burst` at once and then `each_s` a second, for each address. `clock` gives seconds."""

    def __init__(self, burst: float, each_s: float, clock: Callable[[], float]) -> None:
        self._burst = burst
        self._each_s = each_s
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> bool:
        """Whether one more is allowed; it then counts."""
        name, now = group(address), self._clock()
        left, at = self._left.pop(name, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._each_s)
        allowed = left >= 1
        self._left[name] = (left - allowed, now)
        if len(self._left) > ADDRESSES_MAX:
            self._left.popitem(last=False)
        return allowed


class Share:
    """At most `most` at once for each address."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: Counter[str] = Counter()

    def take(self, address: str) -> bool:
        """Whether one more is allowed; it is then held until `give_back`."""
        name = group(address)
        if self._held[name] >= self._most:
            return False
        self._held[name] += 1
        return True

    def give_back(self, address: str) -> None:
        """One that was held is over."""
        name = group(address)
        self._held[name] -= 1
        if not self._held[name]:
            del self._held[name]


def group(address: str) -> str:
    """What counts as one address: of IPv6 a network of 64 bits, which is what one subscriber has (RFC 6177)."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, _IPV6_BITS), strict=False))
    return str(found)
