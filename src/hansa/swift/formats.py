"""What a field may hold: the formats of SWIFT's field definitions, and what they say of dates, amounts and references.

`16x` is up to 16 characters of the set X, `4!c` exactly 4 capital letters or digits, `4*35x` up to 4 lines of 35.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from hansa.client import money

_X: Final = r"[A-Za-z0-9/\-?:().,'+ ]"
_Z: Final = r"[A-Za-z0-9/\-?:().,'+ =!\"%&*<>;{@#_]"
_BIC: Final = r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?"
_ACCOUNT: Final = rf"(?:/{_X}{{1,34}}\r\n)?"
_PARTY: Final = rf"(?:(?:/[CD])?(?:/{_X}{{1,34}})?\r\n)?"
_AMOUNT_CHARS: Final = 15
YEAR_TURN: Final = 80
"""Years of two digits from here on are of the last century."""
_FIRST_YEAR: Final = 2000
_AMOUNT: Final = re.compile(r"([A-Z]{3})([0-9]+,[0-9]*)")
_REFERENCE: Final = re.compile(rf"{_X}{{1,16}}")

_COUNTRIES: Final = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY "
    "BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK "
    "FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR "
    "IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK "
    "ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM "
    "PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF "
    "TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"
)
COUNTRIES: Final = frozenset(_COUNTRIES.split())
"""The codes of ISO 3166-1, and XK, which BICs of Kosovo have."""

Check = Callable[[str], str]
"""What is wrong with a value in words, empty if nothing."""


def day(value: str) -> date:
    """The day of `YYMMDD`. Raises `ValueError` if there is none."""
    if not re.fullmatch("[0-9]{6}", value):
        raise ValueError(value)
    year = int(value[:2])
    return date(year + (1900 if year >= YEAR_TURN else 2000), int(value[2:4]), int(value[4:]))


def amount(value: str) -> dict[str, Any]:
    """The plain amount of `USD640000,` in minor units. Raises `ValueError` if it is none."""
    found = _AMOUNT.fullmatch(value)
    if found is None or amount_problem(value):
        raise ValueError(value)
    whole, _, decimals = found[2].partition(",")
    places = money.digits(found[1])
    return {"minor": int(whole + decimals.ljust(places, "0")), "currency": found[1]}


def date_problem(value: str) -> str:
    """See `Check`. No message of these types is as old as the last century."""
    try:
        found = day(value)
    except ValueError:
        return f"{value[:10]!a} is no date: YYMMDD"
    return "" if found.year >= _FIRST_YEAR else f"{value!a} is in the last century"


def amount_problem(value: str) -> str:
    """See `Check`; digits behind the comma by ISO 4217. Whether there is such a currency is not known here."""
    found = _AMOUNT.fullmatch(value)
    if found is None:
        return f"{value[:24]!a} is no amount: a currency of three letters, digits, and a comma, such as USD640000,"
    currency, number = found[1], found[2]
    if len(number) > _AMOUNT_CHARS:
        return f"an amount has at most {_AMOUNT_CHARS} characters, the comma among them"
    decimals = number.partition(",")[2]
    if len(decimals) > money.digits(currency):
        return f"{currency} has {money.digits(currency)} decimal digits, not {len(decimals)}"
    if not number.strip("0,"):
        return "the amount is zero"
    return ""


def reference_problem(value: str) -> str:
    """See `Check`: `16x` that neither begins nor ends with a slash, nor holds two of them together."""
    if not _REFERENCE.fullmatch(value):
        return "a reference has 1 to 16 characters of the set X"
    if value.startswith("/") or value.endswith("/") or "//" in value:
        return "a reference neither begins nor ends with a slash, and holds no two together"
    return ""


def _part(value: str) -> str:
    found = re.fullmatch("([1-8])/([1-8])", value)
    if found is None or found[1] > found[2]:
        return f"{value[:10]!a} is no number of a message in its sequence, such as 1/1"
    return ""


def _of(words: str, pattern: str) -> Check:
    compiled = re.compile(pattern)
    return lambda value: "" if compiled.fullmatch(value) else f"it is not of the form {words}"


def _lines(count: int, length: int, characters: str) -> Check:
    one = f"{_X if characters == 'x' else _Z}{{1,{length}}}"
    return _told(_of(f"{count}*{length}{characters}", rf"{one}(?:\r\n{one}){{0,{count - 1}}}"))


def _told(check: Check) -> Check:
    """The same check of a text that must say something."""
    return lambda value: check(value) or ("" if value.strip() else "it is blank")


def _bic_in(check: Check) -> Check:
    """The same check of a field whose last line is a BIC, whose country there must be."""

    def checked(value: str) -> str:
        country = value.rpartition("\n")[2][4:6]
        return check(value) or ("" if country in COUNTRIES else f"there is no country {country} of a BIC")

    return checked


def _country_first(check: Check) -> Check:
    return lambda value: check(value) or ("" if value[:2] in COUNTRIES else f"there is no country {value[:2]}")


def _code_text(*codes: str, told: tuple[str, ...] = ("OTHR",), telling: tuple[str, ...] = ("OTHR",)) -> Check:
    """One of these codes; those in `telling` have a text behind a slash, only those in `told` may."""
    form = _of("4!c[/35x]", rf"[A-Z0-9]{{4}}(?:/{_X}{{1,35}})?")
    known = _one_of(*codes)

    def checked(value: str) -> str:
        code, slash, text = value.partition("/")
        if problem := form(value) or known(code):
            return problem
        if slash and (code not in told or not text.strip()):
            return f"no text stands behind {code}" if code not in told else "the text behind the code is blank"
        return f"behind {code} stands a slash and a text" if code in telling and not slash else ""

    return checked


def _one_of(*codes: str) -> Check:
    return lambda value: "" if value in codes else f"it is none of {', '.join(codes)}"


_NOTHING: Final = _of("nothing", "")
_NAME: Final = _lines(4, 35, "x")
_PARTY_BIC: Final = _bic_in(_of("[/1!a][/34x] BIC", _PARTY + _BIC))
_PARTY_NAME: Final = _told(_of("[/1!a][/34x] 4*35x", rf"{_PARTY}{_X}{{1,35}}(?:\r\n{_X}{{1,35}}){{0,3}}"))

FORMATS: Final[dict[str, Check]] = {
    "15A": _NOTHING,
    "15B": _NOTHING,
    "20": reference_problem,
    "21": reference_problem,
    "22A": _one_of("ACNF", "ADVI", "ICCO", "ISCO", "ISSU"),
    "22D": _one_of("DEPU", "DGAR", "STBY"),
    "22G": _one_of("PAYM", "PAEX"),
    "23": _lines(1, 16, "x"),
    "23B": _one_of("FIXD", "OPEN", "COND"),
    "23F": _code_text("DAYS", "ONEY", "OTHR", told=("DAYS", "OTHR"), telling=("DAYS", "OTHR")),
    "23X": _of("4!c/65x", rf"[A-Z0-9]{{4}}/{_X}{{1,65}}"),
    "24E": _code_text("COLL", "COUR", "MAIL", "MESS", "OTHR", "REGM", "TELE", told=("COUR", "OTHR")),
    "24G": _of("4!c[12*65z]", rf"[A-Z0-9]{{4}}(?:\r\n{_Z}{{1,65}}){{0,12}}"),
    "25": _lines(1, 35, "x"),
    "26E": _of("3n", "[0-9]{1,3}"),
    "27": _part,
    "30": date_problem,
    "31E": date_problem,
    "31L": date_problem,
    "31R": _of("6!n[/6!n]", "[0-9]{6}(?:/[0-9]{6})?"),
    "31S": date_problem,
    "32B": amount_problem,
    "32D": lambda value: date_problem(value[:6]) or amount_problem(value[6:]),
    "35G": _lines(12, 65, "x"),
    "39E": _lines(12, 65, "z"),
    "39F": _lines(12, 65, "z"),
    "40C": _code_text("ISPR", "NONE", "OTHR", "UCPR", "URDG"),
    "41F": _bic_in(_of("BIC", _BIC)),
    "41G": _NAME,
    "44J": _country_first(_of("2!a[/35x][65x]", rf"[A-Z]{{2}}(?:/{_X}{{1,35}})?(?:\r\n/?{_X}{{1,65}})?")),
    "45C": _lines(100, 65, "z"),
    "45L": _lines(50, 65, "z"),
    "48B": _one_of("NMLT", "NMPT", "NPRT"),
    "48D": _one_of("TRAN"),
    "49": _one_of("CONFIRM", "MAY ADD", "WITHOUT"),
    "49A": _lines(51, 65, "z"),  # the definition has a code of 4!c in a line before; the sample has it as /COMP/
    "50": _NAME,
    "51": _NAME,
    "52A": _PARTY_BIC,
    "52D": _PARTY_NAME,
    "56A": _PARTY_BIC,
    "56B": _of("[/1!a][/34x] [35x]", rf"{_PARTY}{_X}{{0,35}}"),
    "56D": _PARTY_NAME,
    "57A": _PARTY_BIC,
    "57B": _of("[/1!a][/34x] [35x]", rf"{_PARTY}{_X}{{0,35}}"),
    "57D": _PARTY_NAME,
    "58A": _PARTY_BIC,
    "58D": _PARTY_NAME,
    "59": _told(_of("[/34x] 4*35x", rf"{_ACCOUNT}{_X}{{1,35}}(?:\r\n{_X}{{1,35}}){{0,3}}")),
    "59A": _bic_in(_of("[/34x] BIC", _ACCOUNT + _BIC)),
    "71D": _lines(6, 65, "z"),  # the definition has lines of 35; this project's own sample has a longer one
    "72Z": _lines(6, 35, "z"),
    "77": _lines(20, 35, "z"),
    "77U": _lines(150, 65, "z"),
    "78": _lines(12, 65, "x"),
}
"""By tag."""
