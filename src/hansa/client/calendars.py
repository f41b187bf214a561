"""A place's calendar for a year, made from the packages `holidays` and `tzdata` (the extra `calendars`).

What is made are the arguments of `publish` in `apps/calendars`. It is a proposal for whoever publishes: packages
estimate days that are announced late, and know no bank's own hours. No node runs this.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# The packages of the extra need not be there, so nothing says their types.

import difflib
import importlib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from hansa.wire.problems import HansaError

YEAR_MIN: Final = 1971
"""Before it, times before 1970 UTC would be needed, which no ledger has."""
YEAR_MAX: Final = 2099
"""Further than anybody knows; what the contract takes is more."""
_SATURDAY, _SUNDAY = 6, 7
_HOUR: Final = timedelta(hours=1)
_SECOND: Final = timedelta(seconds=1)


class Place(msgspec.Struct, frozen=True):
    """Where business is done: what to ask the packages for.

    `holidays` names a country with its subdivision, or a financial market (ISO 10383); `weekends` are the weekends by
    the year since which each is kept, Monday 1 to Sunday 7; `closes` is the usual close of business in minutes after
    midnight.
    """

    code: str
    name: str
    zone: str
    country: str = ""
    subdivision: str | None = None
    market: str = ""
    categories: tuple[str, ...] = ("public",)
    weekends: tuple[tuple[int, tuple[int, ...]], ...] = ((YEAR_MIN, (_SATURDAY, _SUNDAY)),)
    closes: int = 17 * 60


PLACES: Final = {
    place.code: place
    for place in (
        Place("AEDXB", "Dubai", "Asia/Dubai", "AE", weekends=((YEAR_MIN, (5, 6)), (2022, (_SATURDAY, _SUNDAY)))),
        Place("DEFRA", "Frankfurt", "Europe/Berlin", "DE", "HE"),
        Place("DEHAM", "Hamburg", "Europe/Berlin", "DE", "HH"),
        Place("GBLON", "London", "Europe/London", "GB", "ENG"),
        Place("JPTYO", "Tokyo", "Asia/Tokyo", "JP", categories=("public", "bank")),
        Place("NLAMS", "Amsterdam", "Europe/Amsterdam", "NL"),
        Place("SGSIN", "Singapore", "Asia/Singapore", "SG"),
        Place("TARGET", "TARGET", "Europe/Berlin", market="XECB", closes=18 * 60),
        Place("USNYC", "New York", "America/New_York", market="XFED"),
    )
}
"""The places that the command knows: UN/LOCODE, and TARGET, the days on which euro payments are settled."""


def place_of(text: str) -> Place:
    """A place by its code or name. Raises `HansaError` `argument.value`."""
    known = {**PLACES, **{place.name.upper(): place for place in PLACES.values()}}
    found = known.get(text.upper())
    if found is None:
        near = [known[name] for name in difflib.get_close_matches(text.upper(), known, n=1)]
        hint = f"; did you mean `{near[0].code}` ({near[0].name})?" if near else ""
        remedy = "Use one of " + ", ".join(f"{place.code} ({place.name})" for place in PLACES.values())
        remedy += "; any other place can be published from a file, see `hansa calendar publish --help`."
        raise HansaError("argument.value", f"no place {text[:40]!a} is known{hint}", remedy=remedy)
    return found


def make(place: Place, year: int) -> dict[str, Any]:
    """The arguments of `publish` for a place's year, as its first edition.

    Raises `HansaError`: `calendar.extra`, `argument.value`.
    """
    if not YEAR_MIN <= year <= YEAR_MAX:
        told = f"calendars are made for the years {YEAR_MIN} to {YEAR_MAX}, not {year}"
        raise HansaError("argument.value", told, remedy="Give one of these years.")
    holidays, tzdata = _extra("holidays"), _extra("tzdata")
    weekend = [days for since, days in place.weekends if since <= year][-1]
    found = _days_of(holidays, place, year)
    worked = sorted(day for day in found.weekend_workdays if day.year == year and day.isoweekday() in weekend)
    which = place.market or "-".join(filter(None, (place.country, place.subdivision)))
    return {
        "place": place.code,
        "year": year,
        "number": 1,
        "source": f"holidays {holidays.__version__} {which}; tzdata {tzdata.IANA_VERSION} {place.zone}",
        "weekend": list(weekend),
        "worked": [day.isoformat() for day in worked],
        "holidays": [{"day": day.isoformat(), "name": name[:100]} for day, name in sorted(found.items())],
        "closes": place.closes,
        "half_days": [],
        "offsets": offsets(_zone(place.zone), year),
    }


def offsets(zone: ZoneInfo, year: int) -> list[dict[str, int]]:
    """From which instants (ms) local time is how many minutes ahead of UTC: for a year and a day on each side, in UTC.

    Raises `HansaError` `argument.value` for an offset that has seconds.
    """
    at, end = datetime(year - 1, 12, 31, tzinfo=UTC), datetime(year + 1, 1, 2, tzinfo=UTC)
    spans = [(at, _minutes(zone, at))]
    while at < end:
        following = at + _HOUR
        if (minutes := _minutes(zone, following)) != spans[-1][1]:
            spans.append((_first(at, following, lambda instant: _minutes(zone, instant) == minutes), minutes))
        at = following
    return [{"start": int(start.timestamp()) * 1000, "minutes": minutes} for start, minutes in spans if start < end]


def business_days(made: dict[str, Any]) -> int:
    """How many business days a calendar has."""
    holidays = {holiday["day"] for holiday in made["holidays"]}
    first = date(made["year"], 1, 1)
    days = (first + timedelta(at) for at in range((date(made["year"] + 1, 1, 1) - first).days))
    return sum(
        day.isoformat() not in holidays
        and (day.isoweekday() not in made["weekend"] or day.isoformat() in made["worked"])
        for day in days
    )


def _days_of(holidays: Any, place: Place, year: int) -> Any:
    if place.market:
        return holidays.financial_holidays(place.market, years=year, categories=place.categories, language="en_US")
    return holidays.country_holidays(
        place.country, subdiv=place.subdivision, years=year, categories=place.categories, language="en_US"
    )


def _zone(key: str) -> ZoneInfo:
    """A zone as the package has it, whatever the machine has: so the source that is named is the true one."""
    with resources.files("tzdata.zoneinfo").joinpath(*key.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key)


def _minutes(zone: ZoneInfo, instant: datetime) -> int:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    minutes, rest = divmod(offset, timedelta(minutes=1))
    if rest:
        raise HansaError("argument.value", f"{zone.key} is {offset} ahead of UTC in {instant.year}, not whole minutes")
    return minutes


def _first(before: datetime, after: datetime, holds: Callable[[datetime], bool]) -> datetime:
    """The first second at which something holds that does not `before` and does `after`."""
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        before, after = (before, middle) if holds(middle) else (middle, after)
    return after


def _extra(package: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError:
        raise HansaError("calendar.extra", f"the package {package} is not installed") from None
