"""Days of the proleptic Gregorian calendar as they are written, `YYYY-MM-DD`, and counted from 1970-01-01.

Dates are kept as text in contracts: it sorts as the days do, and is the plain form. Pure arithmetic, so that no
version of a library decides about it.
"""

import re
from typing import Final

from hansa.contracts import messages

_FORM: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MS_PER_DAY: Final = 86_400_000
YEAR_MAX: Final = 9999
"""The last year that is written with four digits."""


def days_in_month(year: int, month: int) -> int:
    """How many days a month has."""
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if month == 2 and is_leap else _DAYS[month - 1]


def is_day(year: int, month: int, day: int) -> bool:
    """Whether there is such a day in the years 1 to 9999."""
    return 1 <= year <= YEAR_MAX and 1 <= month <= 12 and 1 <= day <= days_in_month(year, month)


def is_date(text: str) -> bool:
    """Whether `text` writes a day."""
    return _FORM.fullmatch(text) is not None and is_day(int(text[:4]), int(text[5:7]), int(text[8:]))


def written(year: int, month: int, day: int) -> str:
    """A day as it is written."""
    return f"{year:04d}-{month:02d}-{day:02d}"


def count(date: str) -> int:
    """The days from 1970-01-01 to a date; negative before."""
    year, month, day = int(date[:4]), int(date[5:7]), int(date[8:])
    # The year begins in March here, so that a leap day is its last: Hinnant, "chrono-Compatible Low-Level Date
    # Algorithms", days_from_civil.
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def date_of(days: int) -> str:
    """The date so many days after 1970-01-01 (`civil_from_days`). Raises `Fault` beyond the years 1 to 9999."""
    era, of_era = divmod(days + 719_468, 146_097)
    year_of_era = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * of_year + 2) // 153
    day = of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = year_of_era + era * 400 + (month <= 2)
    if not 1 <= year <= YEAR_MAX:
        raise messages.date_range()
    return written(year, month, day)


def add_months(date: str, months: int) -> str:
    """The same day so many months later, or the month's last if it is shorter. Raises `Fault` beyond the years."""
    year, month = divmod(int(date[:4]) * 12 + int(date[5:7]) - 1 + months, 12)
    if not 1 <= year <= YEAR_MAX:
        raise messages.date_range()
    return written(year, month + 1, min(int(date[8:]), days_in_month(year, month + 1)))


def date_at(milliseconds: int) -> str:
    """The UTC date of an instant."""
    return date_of(milliseconds // _MS_PER_DAY)


def instant_of(date: str) -> int:
    """The instant at which a date begins in UTC. Raises `Fault` before 1970."""
    days = count(date)
    if days < 0:
        raise messages.instant_range()
    return days * _MS_PER_DAY
