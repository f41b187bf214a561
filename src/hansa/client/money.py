"""Amounts as people write them: a currency and a decimal number, such as `USD 500.00`.

For display and input only. On the ledger money is integer minor units, so how many digits a currency has decides
nothing there. Digits are those of ISO 4217; currencies not listed have two.
"""

import re
from collections.abc import Sized
from typing import Any, Final, cast

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
_MINOR: Final = re.compile(r"[0-9]{1,19}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_WRITTEN: Final = re.compile(r"([A-Z]{3}) ([0-9]{1,19})(?:\.([0-9]{1,4}))?")


def digits(currency: str) -> int:
    """How many decimal digits a currency's amounts are written with."""
    return _DIGITS.get(currency, 2)


def parse(text: str) -> dict[str, Any]:
    """The plain amount for `USD 500.00`. Raises `HansaError` `argument.value`; nothing is ever rounded."""
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise HansaError("argument.value", f"{text[:60]!a} is not an amount such as `USD 500.00`")
    currency, whole, fraction = found[1], found[2], found[3] or ""
    places = digits(currency)
    if len(fraction) not in (0, places):
        raise HansaError("argument.value", f"{currency} is written with {places} digits after the point")
    minor = int(whole) * 10**places + int(fraction.ljust(places, "0") or 0)
    if minor > INTEGER_MAX:
        raise HansaError("argument.value", f"{text} is beyond 64 bits")
    return {"minor": minor, "currency": currency}


def written(amount: Any) -> str:
    """`USD 500.00` for a plain amount."""
    minor, currency = int(amount["minor"]), str(amount["currency"])
    places = digits(currency)
    whole, fraction = divmod(minor, 10**places)
    return f"{currency} {whole}.{fraction:0{places}d}" if places else f"{currency} {whole}"


def is_amount(value: object) -> bool:
    """Whether a value has the form of an amount, plain or from JSON, where long integers are text."""
    match value:
        case {"minor": int() | str() as minor, "currency": str() as currency} if len(cast("Sized", value)) == 2:
            return bool(_MINOR.fullmatch(str(minor)) and _CURRENCY.fullmatch(currency))
        case _:
            return False
