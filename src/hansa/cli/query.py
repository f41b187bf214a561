"""`hansa query`: reads records and views."""

import json
from pathlib import Path
from typing import Any

import click

from hansa.cli import output
from hansa.cli.output import Output
from hansa.cli.places import connect, data_option, url_option
from hansa.client.arguments import from_pairs
from hansa.client.connection import Connection, segment
from hansa.wire import jsonform
from hansa.wire.problems import HansaError


@click.command()
@click.argument("contract")
@click.argument("name", metavar="RECORD|VIEW")
@click.argument("arguments", nargs=-1, metavar="[KEY | NAME=VALUE...]")
@click.option("--history", is_flag=True, help="The values that a record has had, newest first.")
@click.option("--index", "index", metavar="FIELD=VALUE", help="Records whose indexed field has a value.")
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
    rows: int,
    after: str | None,
    data: Path,
    url: str | None,
) -> None:
    """Read: a record by its key, a page of records, or what a view returns for its arguments."""
    with connect(data, url) as node:
        declared = node.get(f"/app/contracts/{segment(contract)}")
        if name in declared["views"]:
            _view(out, node, contract, name, declared["views"][name]["arguments"], arguments)
            return
        if name not in declared["records"]:
            known = ", ".join(sorted([*declared["records"], *declared["views"]]))
            raise HansaError("argument.action", f"{contract} has no record or view {name!r}; there is {known}")
        if len(arguments) > 1:
            raise HansaError("argument.value", "a record has one key")
        if index is not None and (arguments or history):
            raise HansaError("argument.value", "--index asks for a page; leave out the key, or --index")
        columns = _columns(declared["records"][name])
        path = f"/app/contracts/{segment(contract)}/records/{segment(name)}"
        if arguments and not history:
            row = node.get(f"{path}/value", key=arguments[0])
            out.show(row, lambda: _rows_text(columns, [row]))
            return
        options: dict[str, str | int] = {"rows": rows}
        if history:
            if not arguments:
                raise HansaError("argument.value", "whose history? give the record's key")
            path += "/history"
            options |= {"key": arguments[0], **({"before": after} if after else {})}
        else:
            options |= {"after": after} if after else {}
            if index is not None:
                field, _, value = index.partition("=")
                options |= {"index": field, "value": value}
        page = node.get(path, **options)
        out.show(page, lambda: _rows_text(columns, page["rows"]))
        if page["next"]:
            out.note(f"there is more: --after {page['next']}")


def _view(
    out: Output, node: Connection, contract: str, view: str, schema: dict[str, Any], arguments: tuple[str, ...]
) -> None:
    plain = from_pairs(schema, list(arguments))
    try:
        answer = node.view(contract, view, json.loads(jsonform.dumps(plain)))
    except HansaError as error:
        if error.code != "view.refused":
            raise
        reason = output.filled(error.fields.get("result"))
        outcome = error.fields.get("outcome")
        raise HansaError(
            error.code, f"{reason} [{outcome}]", remedy=error.remedy, outcome=outcome, result=error.fields.get("result")
        ) from None
    out.show(answer, lambda: output.written(answer["result"]))


def _columns(record: dict[str, Any]) -> list[str]:
    """A record's fields as they are declared, its key first."""
    return [record["key"], *(field for field in record["schema"]["properties"] if field != record["key"])]


def _rows_text(columns: list[str], rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "nothing"
    table = [[str(row["seq"]), *(output.written(row["value"].get(column)) for column in columns)] for row in rows]
    return output.table(["seq", *columns], table)
