"""Calendars: which days are business days in a place, when business closes, and what the clocks say there.

No contract may ask a machine's calendar or zone data, so both stand here as dated reference records. A publisher puts
a place's year on the ledger as an edition; a correction is the next edition and rewrites none. `Year` is what is in
force, and its history says since which entry. Where nothing is published, every view refuses: it never guesses.
"""

from hansa.contract import Contract, Date, Duration, Instant, Int, Party, Record, Struct, Text
from hansa.contract import action, event, require, view

YEARS_WALKED = 3


class Holiday(Struct):
    """A day without business."""

    day: Date
    name: Text[1, 100]


class HalfDay(Struct):
    """A business day that closes at another time: minutes after local midnight."""

    day: Date
    closes: Int[1, 1440]
    name: Text[1, 100]


class Offset(Struct):
    """From this instant on local time is so many minutes ahead of UTC."""

    start: Instant
    minutes: Int[-720, 840]


class Walk(Struct):
    """Where a count of business days stands: the next day to look at, or the one found when none are left."""

    day: Date
    step: int
    left: int


def begun(day: Date, days: int) -> Walk:
    """The walk to the business day so many after a day; before it, if negative; with 0 the day itself or the next."""
    if days == 0:
        return Walk(day=day, step=1, left=1)
    step = 1 if days > 0 else -1
    return Walk(day=day.add_days(step), step=step, left=abs(days))


def walked(calendars: list[Text[365, 366], 8], walk: Walk) -> Walk:
    """The walk as far as it goes within its year; a day counts that is a business day in all calendars of that year."""
    first = Date(walk.day.year, 1, 1)
    left = walk.left
    end = len(calendars[0]) if walk.step > 0 else -1
    for place in range(first.days_until(walk.day), end, walk.step):
        is_open = True
        for days in calendars:
            if days[place] == ".":
                is_open = False
        if is_open:
            left -= 1
            if left == 0:
                return Walk(day=first.add_days(place), step=walk.step, left=0)
    return Walk(day=first.add_days(end), step=walk.step, left=left)


def week_repeated(first: Date, weekend: list[Int[1, 7], 6]) -> Text[365, 366]:
    """A year's days if there were nothing but weekends: one character each, `o` open and `.` closed."""
    week = ""
    for place in range(7):
        week += "." if first.add_days(place).weekday in weekend else "o"
    days = ""
    for turn in range(53):
        days += week
    return days[: first.days_until(Date(first.year + 1, 1, 1))]


def marked(days: Text[365, 366], place: int, mark: Text[1, 1]) -> Text[365, 366]:
    """A year's days with another mark on one of them."""
    return days[:place] + mark + days[place + 1 :]


def local_day_at(offsets: list[Offset, 8], instant: Instant) -> Date:
    """The day that it is in the place at an instant."""
    minutes = offsets[0].minutes
    for offset in offsets:
        if offset.start <= instant:
            minutes = offset.minutes
    return (instant + Duration(minutes=minutes)).date


def instant_at(offsets: list[Offset, 8], day: Date, minutes: int) -> Instant:
    """The instant at which a local clock shows so many minutes after midnight: the first one if clocks are set back
    over it; if they are set forward over it, as if they were not yet.
    """
    local = day.start() + Duration(minutes=minutes)
    found = local - Duration(minutes=offsets[0].minutes)
    for offset in offsets:
        if found >= offset.start and local - Duration(minutes=offset.minutes) >= offset.start:
            found = local - Duration(minutes=offset.minutes)
    return found


def closing(offsets: list[Offset, 8], day: Date, closes: int, half_days: list[HalfDay, 64]) -> Instant:
    """The instant at which business closes on a business day."""
    minutes = closes
    for half in half_days:
        if half.day == day:
            minutes = half.closes
    return instant_at(offsets, day, minutes)


class Calendars(Contract, version="1.0.0"):
    class Roles:
        publisher: Party = Party(attribute="role:calendar-publisher")

    class Edition(Record, key="id", index=["year"]):
        """What was published of a place and year, whole; PLACE/YEAR/NUMBER. Never changed."""

        id: Text[8, 24]
        year: Text[6, 17]
        number: Int[1, 9999]
        publisher: Party
        published: Date
        source: Text[1, 300]
        weekend: list[Int[1, 7], 6]
        worked: list[Date, 64]
        holidays: list[Holiday, 128]
        closes: Int[1, 1440]
        half_days: list[HalfDay, 64]
        offsets: list[Offset, 8]

    class Year(Record, key="id"):
        """What is in force for a place and year; PLACE/YEAR. Its history has the editions before.

        `days` has a character for each day of the year: `o` open, `h` half a day, `.` closed.
        """

        id: Text[6, 17]
        edition: Edition
        days: Text[365, 366]
        closes: Int[1, 1440]
        half_days: list[HalfDay, 64]
        offsets: list[Offset, 8]

    @action(by="publisher")
    def publish(
        tx,
        place: Text[2, 12],
        year: Int[1971, 9998],
        number: Int[1, 9999],
        source: Text[1, 300],
        weekend: list[Int[1, 7], 6],
        worked: list[Date, 64],
        holidays: list[Holiday, 128],
        closes: Int[1, 1440],
        half_days: list[HalfDay, 64],
        offsets: list[Offset, 8],
    ):
        """Puts the next edition of a place's year in force. Days and offsets come in their order, none twice.

        `number` is the edition's, so that of two publishers who correct the same one only the first does. The first
        offset starts a day before the year in UTC, the last holds for a day after it.
        """
        id = place + "/" + str(year)
        require(place.upper() == place, "the code of a place is written in capital letters")
        before = Calendars.Year.find(id)
        expected = 1
        if before is not None:
            expected = before.edition.number + 1
        require(number == expected, "the next edition of {id} is {expected}", id=id, expected=expected)

        first = Date(year, 1, 1)
        last = Date(year, 12, 31)
        days = week_repeated(first, weekend)
        latest = first.add_days(-1)
        for day in worked:
            require(latest < day and day <= last, "{day}: days worked are in {year}, in order", day=day, year=year)
            require(days[first.days_until(day)] == ".", "{day} is no weekend day", day=day)
            days = marked(days, first.days_until(day), "o")
            latest = day
        latest = first.add_days(-1)
        for holiday in holidays:
            require(
                latest < holiday.day and holiday.day <= last,
                "{day}: holidays are in {year}, in order",
                day=holiday.day,
                year=year,
            )
            days = marked(days, first.days_until(holiday.day), ".")
            latest = holiday.day
        latest = first.add_days(-1)
        for half in half_days:
            require(
                latest < half.day and half.day <= last,
                "{day}: half days are in {year}, in order",
                day=half.day,
                year=year,
            )
            require(days[first.days_until(half.day)] == "o", "{day} is no business day, so no half one", day=half.day)
            days = marked(days, first.days_until(half.day), "h")
            latest = half.day
        # So the next one is never further than in the year after, and the views that ask for it look no further.
        require("o" in days or "h" in days, "a year has a business day")

        require(
            len(offsets) > 0 and offsets[0].start == first.add_days(-1).start(),
            "the first offset starts a day before the year, at 00:00 UTC",
        )
        for at in range(1, len(offsets)):
            require(
                offsets[at - 1].start < offsets[at].start and offsets[at].start < last.add_days(2).start(),
                "offsets come in order, and start before the second day after the year",
            )

        edition = Calendars.Edition.create(
            id=id + "/" + str(number),
            year=id,
            number=number,
            publisher=tx.member,
            published=tx.date,
            source=source,
            weekend=weekend,
            worked=worked,
            holidays=holidays,
            closes=closes,
            half_days=half_days,
            offsets=offsets,
        )
        if before is None:
            Calendars.Year.create(
                id=id, edition=edition, days=days, closes=closes, half_days=half_days, offsets=offsets
            )
        else:
            before.edition = edition
            before.days = days
            before.closes = closes
            before.half_days = half_days
            before.offsets = offsets
        event("calendar.published", id=id, number=number, source=source)

    @view
    def is_business_day(tx, place: Text[2, 12], day: Date) -> bool:
        """Whether business is done in a place on a day."""
        year = Calendars.Year.find(place + "/" + str(day.year))
        require(year is not None, "no calendar of {p} for {y} is published", p=place, y=day.year)
        return year.days[Date(day.year, 1, 1).days_until(day)] != "."

    @view
    def on_or_next(tx, place: Text[2, 12], day: Date) -> Date:
        """The day if it is a business day, else the first one after it."""
        walk = begun(day, 0)
        for turn in range(2):
            year = Calendars.Year.find(place + "/" + str(walk.day.year))
            require(year is not None, "no calendar of {p} for {y} is published", p=place, y=walk.day.year)
            walk = walked([year.days], walk)
            if walk.left == 0:
                break
        return walk.day

    @view
    def next_business_day(tx, place: Text[2, 12], day: Date) -> Date:
        """The first business day after a day, which need not be one."""
        walk = begun(day, 1)
        for turn in range(2):
            year = Calendars.Year.find(place + "/" + str(walk.day.year))
            require(year is not None, "no calendar of {p} for {y} is published", p=place, y=walk.day.year)
            walk = walked([year.days], walk)
            if walk.left == 0:
                break
        return walk.day

    @view
    def add_business_days(tx, place: Text[2, 12], day: Date, days: Int[-260, 260]) -> Date:
        """The business day that is so many after a day, which does not count and need not be one; before, if negative.

        With 0, the day itself if it is a business day, else the next.
        """
        walk = begun(day, days)
        for turn in range(YEARS_WALKED):
            year = Calendars.Year.find(place + "/" + str(walk.day.year))
            require(year is not None, "no calendar of {p} for {y} is published", p=place, y=walk.day.year)
            walk = walked([year.days], walk)
            if walk.left == 0:
                break
        require(walk.left == 0, "there are too few business days in {n} years", n=YEARS_WALKED)
        return walk.day

    @view
    def add_business_days_in(tx, places: list[Text[2, 12], 8], day: Date, days: Int[-260, 260]) -> Date:
        """The same, where a day counts that is a business day in all of some places."""
        require(len(places) > 0, "name a place at least")
        walk = begun(day, days)
        for turn in range(YEARS_WALKED):
            calendars: list[Text[365, 366], 8] = []
            for place in places:
                year = Calendars.Year.find(place + "/" + str(walk.day.year))
                require(year is not None, "no calendar of {p} for {y} is published", p=place, y=walk.day.year)
                calendars.append(year.days)
            walk = walked(calendars, walk)
            if walk.left == 0:
                break
        require(walk.left == 0, "there are too few business days in {n} years", n=YEARS_WALKED)
        return walk.day

    @view
    def close_of_business(tx, place: Text[2, 12], day: Date) -> Instant:
        """The instant at which business closes in a place on a business day; refused on any other day."""
        year = Calendars.Year.find(place + "/" + str(day.year))
        require(year is not None, "no calendar of {p} for {y} is published", p=place, y=day.year)
        is_open = year.days[Date(day.year, 1, 1).days_until(day)] != "."
        require(is_open, "{day} is no business day in {p}", day=day, p=place)
        return closing(year.offsets, day, year.closes, year.half_days)

    @view
    def business_days(tx, place: Text[2, 12], day: Date, most: Int[0, 60]) -> list[Date, 61]:
        """The business days from a day on until so many days after it, as far as calendars are published.

        Never refuses: for a contract that must be able to go on where a calendar is missing.
        """
        found: list[Date, 61] = []
        end = day.add_days(most)
        at = day
        for turn in range(2):
            year = Calendars.Year.find(place + "/" + str(at.year))
            if year is None or at > end:
                break
            first = Date(at.year, 1, 1)
            for number in range(first.days_until(at), min(len(year.days), first.days_until(end) + 1)):
                if year.days[number] != ".":
                    found.append(first.add_days(number))
            at = Date(at.year + 1, 1, 1)
        return found

    @view
    def day_counted(tx, place: Text[2, 12], instant: Instant) -> Date | None:
        """The day as of which something counts that comes at an instant, business or not: the day that it is in the
        place, up to and with close of business, else the day after. None where no calendar is published.
        """
        year = Calendars.Year.find(place + "/" + str(instant.date.year))
        if year is None:  # local time may be in another year than UTC
            year = Calendars.Year.find(place + "/" + str((instant + Duration(hours=14)).date.year))
        if year is None:
            year = Calendars.Year.find(place + "/" + str((instant - Duration(hours=12)).date.year))
        if year is None:
            return None
        day = local_day_at(year.offsets, instant)
        year = Calendars.Year.find(place + "/" + str(day.year))
        if year is None:
            return None
        return day.add_days(1 if instant > closing(year.offsets, day, year.closes, year.half_days) else 0)

    @view
    def local_day(tx, place: Text[2, 12], instant: Instant) -> Date:
        """The day that it is in a place at an instant."""
        year = Calendars.Year.find(place + "/" + str(instant.date.year))
        require(year is not None, "no calendar of {p} for {y} is published", p=place, y=instant.date.year)
        return local_day_at(year.offsets, instant)

    @view
    def business_day_of(tx, place: Text[2, 12], instant: Instant) -> Date:
        """The business day as of which something counts that comes at an instant: the day that it is in the place, up
        to and with close of business; after that, or where no business is done, the next business day.
        """
        year = Calendars.Year.find(place + "/" + str(instant.date.year))
        require(year is not None, "no calendar of {p} for {y} is published", p=place, y=instant.date.year)
        day = local_day_at(year.offsets, instant)
        year = Calendars.Year.find(place + "/" + str(day.year))
        require(year is not None, "no calendar of {p} for {y} is published", p=place, y=day.year)
        is_late = instant > closing(year.offsets, day, year.closes, year.half_days)
        walk = begun(day.add_days(1) if is_late else day, 0)
        for turn in range(2):
            year = Calendars.Year.find(place + "/" + str(walk.day.year))
            require(year is not None, "no calendar of {p} for {y} is published", p=place, y=walk.day.year)
            walk = walked([year.days], walk)
            if walk.left == 0:
                break
        return walk.day
