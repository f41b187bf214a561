"""`hansa calendar`: makes a place's calendar for a year, and publishes it in the contract of `apps/calendars`."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

import click

from hansa.cli import output
from hansa.cli.call import action_schema, submit
from hansa.cli.output import Output
from hansa.cli.places import connect, data_option, record_if_there, signer_options, signing_key, url_option
from hansa.client import Client, calendars, transactions
from hansa.client.arguments import from_json, misfit
from hansa.client.exchange import segment
from hansa.stories.apps import app_file
from hansa.wire.problems import HansaError

CONTRACT: Final = "calendars"
_STEPS: Final = 20_000
_FILE_BYTES_MAX: Final = 100_000
"""More than any calendar has."""
_COMPARED: Final = ("source", "weekend", "worked", "holidays", "closes", "half_days", "offsets")
"""What makes an edition another."""
_WEEKDAYS: Final[tuple[str, ...]] = ("", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@click.group()
def calendar() -> None:
    """Calendars: business days, closing times and time zones as records that contracts can ask for."""


@calendar.command()
@click.argument("place")
@click.argument("year", type=int)
@click.option("--out", "file", type=click.Path(path_type=Path), help="Write it to this file.")
@click.option("--force", is_flag=True, help="Replace the file if it is there already.")
@click.pass_obj
def make(out: Output, place: str, year: int, file: Path | None, force: bool) -> None:
    """Make a place's calendar from the packages `holidays` and `tzdata`, as JSON to look through and correct.

    PLACE is a code or a name, such as GBLON or London. Nothing is sent: `hansa calendar publish` does that.
    """
    made = calendars.make(calendars.place_of(place), year)
    if file is None:
        out.show(made, lambda: json.dumps(made, indent=2))
        return
    output.check_writable(file, replace=force)
    output.write_file(file, (json.dumps(made, indent=2) + "\n").encode())
    out.show({"file": str(file), "calendar": made}, lambda: f"{_summary(made)}\nwritten to {file}")
    _caution(out, made)


@calendar.command()
@click.argument("place")
@click.argument("year", type=int)
@click.option("--file", type=click.Path(path_type=Path), help="Publish what stands in this file of `make`'s form.")
@click.option("--contract", "name", default=CONTRACT, show_default=True, help="The contract that keeps calendars.")
@signer_options
@click.option("--dry-run", is_flag=True, help="Show what would be published, send nothing.")
@data_option()
@url_option()
@click.pass_obj
def publish(
    out: Output,
    place: str,
    year: int,
    file: Path | None,
    name: str,
    signer: str | None,
    key: Path | None,
    dry_run: bool,
    data: Path,
    url: str | None,
) -> int:
    """Publish a place's calendar: its first edition, or a correction as the next one. Exits with 4 if refused.

    The signer needs the attribute `role:calendar-publisher`. A place that PLACE cannot name is published with --file.
    """
    made = calendars.make(calendars.place_of(place), year) if file is None else _read(file)
    private = None if dry_run else signing_key(data, signer, key)
    with connect(data, url) as node:
        schema = _schema(node, name)
        if wrong := misfit(schema, from_json(schema, made), schema["$defs"]):
            raise HansaError("calendar.file", f"{file or place}: it {wrong}")
        if file is not None and (made["place"], made["year"]) != (place, year):
            told = f"{file} is the calendar of {made['place']} for {made['year']}, not of {place} for {year}"
            raise HansaError("calendar.file", told, remedy="Name the place and the year that stand in the file.")
        before = _in_force(node, name, made)
        made["number"] = 1 if before is None else before["number"] + 1
        if before is not None and all(before[field] == made[field] for field in _COMPARED):
            fields = {"published": False, "edition": before["id"], "calendar": made}
            out.show(fields, lambda: f"{_summary(made)}\nin force already, as edition {before['number']}")
            return output.DONE
        _caution(out, made)
        changes = [] if before is None else _changes(before, made)
        if private is None:
            fields = {"published": False, "edition": None, "calendar": made, "changes": changes}
            out.show(fields, lambda: _summary(made, changes))
            out.note("nothing was sent")
            return output.DONE
        out.say(_summary(made, changes))
        prepared = transactions.prepare(
            private, node.ledger(), name, "publish", made, steps_max=_STEPS, not_after=node.not_after()
        )
        return submit(out, node, prepared, None, data, url)


def _schema(node: Client, name: str) -> dict[str, Any]:
    """What the contract takes. Raises `HansaError` with what to do if there is none."""
    try:
        return action_schema(node, name, "publish")
    except HansaError as error:
        if error.code != "contract.missing":
            raise
        file = app_file("calendars", "contract.py")
        remedy = f"`hansa contract deploy {file} --name {name} --as MEMBER` puts it there."
        raise HansaError(error.code, f"there is no contract {name} on this ledger", remedy=remedy) from None


def _in_force(node: Client, name: str, made: dict[str, Any]) -> dict[str, Any] | None:
    """The edition that is in force; None if there is none."""
    year = record_if_there(node, name, "Year", f"{made['place']}/{made['year']}")
    if year is None:
        return None
    return node.get(f"/app/contracts/{segment(name)}/records/Edition/value", key=year["value"]["edition"])["value"]


def _read(file: Path) -> dict[str, Any]:
    text = output.read_file(file, _FILE_BYTES_MAX + 1)
    try:
        found = json.loads(text) if len(text) <= _FILE_BYTES_MAX else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise HansaError("calendar.file", f"{file} is not a JSON object of at most {_FILE_BYTES_MAX:,} bytes")
    return cast("dict[str, Any]", found)


def _caution(out: Output, made: dict[str, Any]) -> None:
    """Says which days the package has guessed."""
    guessed = [holiday["day"] for holiday in made["holidays"] if "estimated" in holiday["name"]]
    if guessed:
        out.caution(
            f"{len(guessed)} holiday(s) are estimates, publish a correction when they are known: {guessed[0]} ..."
        )


def _changes(before: dict[str, Any], made: dict[str, Any]) -> list[str]:
    """What an edition changes: the days that are holidays no more, those that become some, and what else is another."""
    old, new = ({holiday["day"]: holiday["name"] for holiday in of["holidays"]} for of in (before, made))
    days = [f"{day}  no holiday any more" for day in sorted(old.keys() - new.keys())]
    days += [f"{day}  a holiday now" for day in sorted(new.keys() - old.keys())]
    return days + [
        field.replace("_", " ") for field in _COMPARED if field != "holidays" and before[field] != made[field]
    ]


def _summary(made: dict[str, Any], changes: list[str] | None = None) -> str:
    days = [f"{holiday['day']}  {output.shown(holiday['name'])}" for holiday in made["holidays"]]
    half = [f"{day['day']}  {_clock(day['closes'])}  {output.shown(day['name'])}" for day in made["half_days"]]
    spans = [f"{_signed(span['minutes'])} from {_instant(span['start'])}" for span in made["offsets"]]
    weekend: list[str] = [_WEEKDAYS[day] for day in made["weekend"]]
    rows: list[tuple[str, list[str]]] = [
        ("calendar", [f"{output.shown(made['place'])} {made['year']}, edition {made['number']}"]),
        ("source", [output.shown(made["source"])]),
        ("weekend", [", ".join(weekend) or "none"]),
        ("worked", made["worked"]),
        ("holidays", days),
        ("closes", [_clock(made["closes"])]),
        ("half days", half),
        ("UTC", spans),
        ("business", [f"{calendars.business_days(made)} days"]),
        ("changed", changes or []),
    ]
    lines = [f"{label if at == 0 else '':9}  {text}" for label, texts in rows for at, text in enumerate(texts)]
    return "\n".join(lines)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _signed(minutes: int) -> str:
    return ("-" if minutes < 0 else "+") + _clock(abs(minutes))


def _instant(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
