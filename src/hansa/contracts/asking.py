"""Asking the ledger from within a run: what goes wrong there is this node's own trouble, never an outcome.

The reader and the host are wrapped once a transaction; what they raise passes through everything that contract code
does, up to `execution.run`, which raises it again.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hansa.contracts.calls import Found, Host, Reader
from hansa.contracts.faults import Fault

if TYPE_CHECKING:
    from hansa.contracts.program import Program


class Unavailable(BaseException):
    """What the reader or the host raised. No `Exception`, so that nothing takes it for a defect of a contract."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class AskedHost:
    """A host whose failures are `Unavailable`."""

    __slots__ = ("_host",)

    def __init__(self, host: "Host[Program]") -> None:
        self._host = host

    def is_member(self, name: str) -> bool:
        """See `calls.Host`."""
        try:
            return self._host.is_member(name)
        except Exception as error:
            raise Unavailable(error) from error

    def is_user(self, name: str) -> bool:
        """See `calls.Host`."""
        try:
            return self._host.is_user(name)
        except Exception as error:
            raise Unavailable(error) from error

    def is_paused(self, contract: str) -> bool:
        """See `calls.Host`."""
        try:
            return self._host.is_paused(contract)
        except Exception as error:
            raise Unavailable(error) from error

    def versions(self, contract: str) -> "Sequence[tuple[int, Program]]":
        """See `calls.Host`."""
        try:
            return self._host.versions(contract)
        except Exception as error:
            raise Unavailable(error) from error

    def contract_version(self, name: str, source: str) -> str:
        """See `calls.Host`."""
        try:
            return self._host.contract_version(name, source)
        except Fault:
            raise
        except Exception as error:
            raise Unavailable(error) from error

    def library_digest(self, name: str, source: str) -> bytes:
        """See `calls.Host`."""
        try:
            return self._host.library_digest(name, source)
        except Fault:
            raise
        except Exception as error:
            raise Unavailable(error) from error

    def key_id(self, spki: bytes) -> bytes:
        """See `calls.Host`."""
        try:
            return self._host.key_id(spki)
        except Fault:
            raise
        except Exception as error:
            raise Unavailable(error) from error


class AskedReader:
    """A reader whose failures are `Unavailable`."""

    __slots__ = ("_reader",)

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def get(self, place: bytes) -> Found | None:
        """See `calls.Reader`."""
        try:
            return self._reader.get(place)
        except Exception as error:
            raise Unavailable(error) from error

    def select(
        self,
        contract: str,
        record: str,
        field: str | None,
        least: bytes | None,
        most: bytes | None,
        rows: int,
        after: tuple[bytes, bytes] | None = None,
    ) -> Sequence[tuple[bytes, Found]]:
        """See `calls.Reader`."""
        try:
            return self._reader.select(contract, record, field, least, most, rows, after)
        except Exception as error:
            raise Unavailable(error) from error
