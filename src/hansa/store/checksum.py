"""CRC-32C (RFC 3720): what tells a torn or rotten piece of a file from a whole one."""

from google_crc32c import extend


def crc32c(data: bytes, before: int = 0) -> int:
    """The checksum of `data`, going on from the checksum of what lies before it."""
    return extend(before, data)
