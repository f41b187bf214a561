"""`hansa user`: the people and programs that act for a member, which it looks after itself."""

from pathlib import Path
from typing import Any

import click

from hansa.cli import output
from hansa.cli.governance import Made, Way, govern, governing, rows_of
from hansa.cli.output import Output
from hansa.cli.places import connect, data_option, url_option
from hansa.cli.sign_in import sign_in
from hansa.client.client import Client
from hansa.client.governance import STEPS
from hansa.wire import names
from hansa.wire.problems import HansaError


@click.group()
def user() -> None:
    """Users: people and programs that act for a member. A member adds and removes its own without a vote."""


user.add_command(sign_in)


@user.command(name="list")
@click.argument("member", required=False)
@data_option()
@url_option()
@click.pass_obj
def list_(out: Output, member: str | None, data: Path, url: str | None) -> None:
    """List the users, of one member if it is named; removed ones too."""
    query = {} if member is None else {"member": member}
    with connect(data, url) as node:
        found = rows_of(node, "/gov/service/users", **query)
    rows = [
        (one["id"], output.shown(one["name"]), "removed" if one["removed"] else "active", ", ".join(one["attributes"]))
        for one in found
    ]
    out.show({"users": found}, lambda: output.table(("USER", "NAME", "STATE", "ATTRIBUTES"), rows) if rows else "none")


@user.command()
@click.argument("id", metavar="MEMBER/USER", required=False)
@click.option("--name", help="The name as people read it; by default the id's own.")
@click.option(
    "--attribute", "attributes", metavar="ATTRIBUTE", multiple=True, help="What roles ask of users; again for each."
)
@governing
@click.pass_obj
def add(out: Output, id: str | None, name: str | None, attributes: tuple[str, ...], way: Way) -> int:
    """Add a user of one's own, or set its name and attributes anew. Then give it a key: `hansa member key add`."""

    def make(_: Client) -> Made:
        wanted = _user(id)
        arguments: dict[str, Any] = {"id": wanted, "name": name or wanted.split("/")[1], "attributes": list(attributes)}
        return arguments, STEPS

    return govern(out, way, "set_own_user", make)


@user.command()
@click.argument("id", metavar="MEMBER/USER", required=False)
@governing
@click.pass_obj
def remove(out: Output, id: str | None, way: Way) -> int:
    """Remove a user of one's own: none of its keys counts from the next entry on. Its id is not given again."""
    return govern(out, way, "remove_own_user", lambda _: ({"user": _user(id)}, STEPS))


def _user(id: str | None) -> str:
    if id is None or not names.is_user(id):
        told = "which user?" if id is None else f"{id[:80]!a} is no name of a user"
        raise HansaError("argument.value", told, remedy="Give MEMBER/USER, such as northbank/ana.")
    return id
