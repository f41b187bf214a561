"""`hansa query`: reads records and views."""

from pathlib import Path
from typing import Any

import click

from hansa.cli import output
from hansa.cli.output import Output
from hansa.cli.places import connect, data_option, url_option
from hansa.client.arguments import from_pairs, key_text, schema_of
from hansa.client.client import Client
from hansa.client.exchange import segment
from hansa.client.readable import readable, refusal
from hansa.client.words import hint
from hansa.wire.problems import HansaError


@click.command()
@click.argument("contract")
@click.argument("name", metavar="RECORD|VIEW")
@click.argument("arguments", nargs=-1, metavar="[KEY | NAME=VALUE...]")
@click.option("--history", is_flag=True, help="The values that a record has had, newest first.")
@click.option(
    "--index", "index", metavar="FIELD[=VALUE]", help="Records in the order of an indexed field, or of one value of it."
)
@click.option("--least", help="Records from this value of the indexed field on; without --index, from this key on.")
@click.option("--most", help="Records up to this value or key, which counts too.")
@click.option("--descending", is_flag=True, help="The last record first.")
@click.option("--rows", type=click.IntRange(1, 1000), default=100, show_default=True, help="Rows of one page.")
@click.option("--after", help="Go on behind a page: its `next`.")
@data_option()
@url_option()
@click.pass_obj
def query(
    out: Output,
    contract: str,
    name: str,
    arguments: tuple[str, ...],
    history: bool,
    index: str | None,
    least: str | None,
    most: str | None,
    descending: bool,
    rows: int,
    after: str | None,
    data: Path,
    url: str | None,
) -> None:
    """Read: a record by its key, a page of records, or what a view returns for its arguments."""
    with connect(data, url) as node:
        declared = node.get(f"/app/contracts/{segment(contract)}")
        if name in declared["views"]:
            _view(out, node, declared, name, arguments)
            return
        if name not in declared["records"]:
            known = hint(name, [*declared["records"], *declared["views"]])
            raise HansaError("argument.action", f"{contract} has no record or view {name!r}; {known}")
        if len(arguments) > 1:
            told = f"{name} is a record, which has one key; {len(arguments)} are given"
            raise HansaError("argument.value", told, remedy="Give one key; or none, for a page of records.")
        asked = _asked(declared, name, index, least, most, descending)
        if asked and (arguments or history):
            told = "--index, --least, --most and --descending ask for a page, a key or --history for one record"
            raise HansaError("argument.value", told, remedy="Leave out one or the other.")
        path = f"/app/contracts/{segment(contract)}/records/{segment(name)}"
        if arguments and not history:
            row = node.get(f"{path}/value", key=_key(declared, name, None, arguments[0]))
            out.show(row, lambda: _rows_text(declared, name, [row]))
            return
        options: dict[str, str | int] = {"rows": rows}
        if history:
            if not arguments:
                remedy = f"Give its key: `hansa query {contract} {name} KEY --history`."
                raise HansaError("argument.value", "--history is of one record, and no key is given", remedy=remedy)
            path += "/history"
            options |= {"key": _key(declared, name, None, arguments[0]), **({"before": after} if after else {})}
        else:
            options |= asked | ({"after": after} if after else {})
        page = node.get(path, **options)
        out.show(page, lambda: _rows_text(declared, name, page["rows"]))
        if page["next"]:
            out.note(f"there is more: --after {page['next']}")


def _asked(
    declared: dict[str, Any], record: str, index: str | None, least: str | None, most: str | None, descending: bool
) -> dict[str, str]:
    """What the options ask of a page, as the API takes it."""
    field, equals, value = (None, "", "") if index is None else index.partition("=")
    bounds = {"value": value if equals else None, "least": least, "most": most}
    given = {name: _key(declared, record, field, text) for name, text in bounds.items() if text is not None}
    if field is not None:
        given["index"] = field
    if descending:
        given["order"] = "descending"
    return given


def _key(declared: dict[str, Any], record: str, field: str | None, text: str) -> str:
    """A key (no `field`) or a value of a field as the API takes it, written as arguments of `hansa call` are."""
    of = declared["records"][record]
    kind = of["schema"]["properties"].get(field or of["key"])  # the node refuses a field that there is not
    return text if kind is None else key_text(kind, text, declared["$defs"])


def _view(out: Output, node: Client, declared: dict[str, Any], view: str, arguments: tuple[str, ...]) -> None:
    plain = from_pairs(schema_of(declared, "views", view), list(arguments))
    try:
        path = f"/app/contracts/{segment(declared['contract'])}/views/{segment(view)}"
        answer = node.post(path, plain)
    except HansaError as error:
        if error.code != "view.refused":
            raise
        reason = output.filled(
            refusal({declared["contract"]: declared}, declared["contract"], error.fields.get("result"))
        )
        outcome = error.fields.get("outcome")
        raise HansaError(
            error.code, f"{reason} [{outcome}]", remedy=error.remedy, outcome=outcome, result=error.fields.get("result")
        ) from None
    returns = declared["views"][view]["returns"]
    out.show(answer, lambda: output.written(readable(returns, answer["result"], declared["$defs"])))


def _columns(record: dict[str, Any]) -> list[str]:
    """A record's fields as they are declared, its key first."""
    return [record["key"], *(field for field in record["schema"]["properties"] if field != record["key"])]


def _rows_text(declared: dict[str, Any], record: str, rows: list[dict[str, Any]]) -> str:
    """Rows as a table. Those that another version stored are marked: they may lack fields, and come up when touched."""
    if not rows:
        return "nothing"
    version, columns = declared["version"], _columns(declared["records"][record])
    schema = declared["records"][record]["schema"]
    values = [readable(schema, row["value"], declared["$defs"]) for row in rows]
    cells = [[output.written(value.get(column)) for column in columns] for value in values]
    table = [[str(row["seq"]), *line] for row, line in zip(rows, cells, strict=True)]
    if all(row["version"] == version for row in rows):
        return output.table(["seq", *columns], table)
    for line, row in zip(table, rows, strict=True):
        line.append("" if row["version"] == version else row["version"])
    return output.table(["seq", *columns, "as stored by"], table)
