"""Amounts as people write them: a currency and a decimal number, such as `USD 500.00`.

For display and input only. On the ledger money is integer minor units, so how many digits a currency has decides
nothing there. Digits are those of ISO 4217; currencies not listed have two.
"""

import re
from collections.abc import Sized
from decimal import Decimal
from typing import Any, Final, cast

import msgspec

from hansa.wire.limits import INTEGER_MAX
from hansa.wire.problems import HansaError

_DIGITS: Final = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
_MINOR: Final = re.compile(r"-?[0-9]{1,19}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_NUMBER: Final = r"(?P<minus>-?)(?P<whole>[0-9]{1,19})(?:\.(?P<fraction>[0-9]{1,4}))?"
_CURRENCY_FIRST: Final = re.compile(rf"(?P<currency>[A-Z]{{3}}) {_NUMBER}")
_CURRENCY_LAST: Final = re.compile(rf"{_NUMBER} (?P<currency>[A-Z]{{3}})")


class Amount(msgspec.Struct, frozen=True):
    """Money as the ledger keeps it: whole minor units of a currency, such as 50000 and `USD` for `USD 500.00`."""

    minor: int
    currency: str

    @classmethod
    def of(cls, number: Decimal | int | str, currency: str) -> "Amount":
        """So much of a currency: `Amount.of("500.00", "USD")`. Nothing is rounded: raises `argument.value`."""
        exact = number
        if isinstance(number, Decimal) and number.is_finite():
            places = Decimal(1).scaleb(-digits(currency))
            exact = number.quantize(places) if number == number.quantize(places) else number
        return cls.parse(f"{currency} {exact:f}" if isinstance(exact, Decimal) else f"{currency} {exact}")

    @classmethod
    def parse(cls, text: str) -> "Amount":
        """The amount for `USD 500.00`. Raises `HansaError` `argument.value`."""
        return cls(**parse(text, signed=True))

    @property
    def decimal(self) -> Decimal:
        """The number in whole units, exactly."""
        return Decimal(self.minor).scaleb(-digits(self.currency))

    def __str__(self) -> str:
        return written({"minor": self.minor, "currency": self.currency})


def digits(currency: str) -> int:
    """How many decimal digits a currency's amounts are written with."""
    return _DIGITS.get(currency, 2)


def parse(text: str, *, signed: bool = False) -> dict[str, Any]:
    """The plain amount for `USD 500.00` or `500.00 USD`, below zero only if it is `signed`.

    Raises `HansaError` `argument.value`; nothing is ever rounded.
    """
    text = text.strip()
    found = _CURRENCY_FIRST.fullmatch(text) or _CURRENCY_LAST.fullmatch(text)
    if found is None:
        example = "USD -500.00" if signed else "USD 500.00"
        raise HansaError("argument.value", f"{text[:60]!a} is not an amount such as `{example}`")
    currency, fraction = found["currency"], found["fraction"] or ""
    if found["minus"] and not signed:
        raise HansaError("argument.value", f"{text} is negative, which this amount cannot be")
    places = digits(currency)
    if len(fraction) not in (0, places):
        raise HansaError("argument.value", f"{currency} is written with {places} digits after the point")
    minor = int(found["whole"]) * 10**places + int(fraction.ljust(places, "0") or 0)
    if minor > INTEGER_MAX:
        raise HansaError("argument.value", f"{text} is beyond 64 bits")
    return {"minor": -minor if found["minus"] else minor, "currency": currency}


def written(amount: Any) -> str:
    """`USD 500.00` for a plain amount, `USD -500.00` below zero."""
    minor, currency = int(amount["minor"]), str(amount["currency"])
    places = digits(currency)
    whole, fraction = divmod(abs(minor), 10**places)
    number = f"{whole}.{fraction:0{places}d}" if places else str(whole)
    return f"{currency} {'-' if minor < 0 else ''}{number}"


def is_amount(value: object) -> bool:
    """Whether a value has the form of an amount, plain or from JSON, where long integers are text."""
    match value:
        case {"minor": int() | str() as minor, "currency": str() as currency} if len(cast("Sized", value)) == 2:
            return bool(_MINOR.fullmatch(str(minor)) and _CURRENCY.fullmatch(currency))
        case _:
            return False
