"""The one exception of a running contract: it ends the transaction, whose outcome then says why."""

from typing import Any


class Fault(Exception):
    """A rule refused, or a value broke a bound. `values` fill the holes of `message`.

    `where`: line, file and version, once it is known that it arose outside any body.
    """

    def __init__(self, code: str, message: str, values: dict[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.values = values or {}
        self.where: tuple[int | None, str, str] | None = None
