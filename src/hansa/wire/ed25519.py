"""The exact Ed25519 rules of the ledger, in plain arithmetic: ZIP-215 verification and checks on keys.

Libraries disagree about a handful of odd signatures (small-order points, non-canonical encodings). What a
library accepts, ZIP-215 accepts too; what it refuses is decided here, so that every node gives the same
verdict whatever it is linked with. A check takes milliseconds: called at apply for refused signatures only,
and once for each key at its registration. Nothing here handles secrets, so nothing need be constant-time.

Sources: RFC 8032 section 5.1 (curve, encodings), ZIP 215 (acceptance).
"""

import hashlib
from typing import Final, TypeAlias

Point: TypeAlias = tuple[int, int, int, int]  # extended coordinates X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z

P: Final = 2**255 - 19
ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, P) % P
_SQRT_MINUS_ONE: Final = pow(2, (P - 1) // 4, P)
_IDENTITY: Final[Point] = (0, 1, 1, 0)


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether ZIP-215 accepts: s below the group order, and 8sB = 8R + 8kA for any encodings of A and R."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    a, r = decode_point(public_key), decode_point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % ORDER
    difference = _add(_multiply(s, _BASE), _negate(_add(r, _multiply(k, a))))
    return _is_identity(_multiply(8, difference))


def is_registrable(public_key: bytes) -> bool:
    """Whether a key is canonically encoded and in the prime-order subgroup, and not the identity."""
    point = decode_point(public_key)
    if point is None or int.from_bytes(public_key, "little") & (2**255 - 1) >= P:
        return False
    if _encode_point(point) != public_key or _is_identity(point):
        return False
    return _is_identity(_multiply(ORDER, point))


def decode_point(encoded: bytes) -> Point | None:
    """The point of an encoding, canonical or not (ZIP 215); None where y belongs to no point."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    y %= P
    u, v = (y * y - 1) % P, (_D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * _SQRT_MINUS_ONE % P
        if v * x * x % P != u:
            return None
    if x & 1 != sign:
        x = -x % P
    return (x, y, 1, x * y % P)


def _encode_point(point: Point) -> bytes:
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _add(p: Point, q: Point) -> Point:
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * _D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _negate(p: Point) -> Point:
    return (-p[0] % P, p[1], p[2], -p[3] % P)


def _multiply(scalar: int, point: Point) -> Point:
    result = _IDENTITY
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _is_identity(p: Point) -> bool:
    return p[0] % P == 0 and (p[1] - p[2]) % P == 0


_BASE_Y: Final = 4 * pow(5, -1, P) % P
_base = decode_point(_BASE_Y.to_bytes(32, "little"))
assert _base is not None
_BASE: Final[Point] = _base
