"""`hansa user`: the people and programs that act for a member, which it looks after itself."""

from pathlib import Path
from typing import Any

import click

from hansa.cli import output
from hansa.cli.governance import Made, Way, govern, governing, known_member, rows_of
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
        if member is not None:
            known_member(node, member)
        found = rows_of(node, "/gov/service/users", **query)
    rows = [
        (one["id"], output.shown(one["name"]), "removed" if one["removed"] else "active", ", ".join(one["attributes"]))
        for one in found
    ]
    out.show({"users": found}, lambda: output.table(("USER", "NAME", "STATE", "ATTRIBUTES"), rows) if rows else "none")


@user.command()
@click.argument("id", metavar="MEMBER/USER", required=False)
@click.option("--name", help="The name as people read it; by default the one it has, or the id's own.")
@click.option(
    "--attribute", "attributes", metavar="ATTRIBUTE", multiple=True, help="What roles ask of users; again for each."
)
@governing
@click.pass_obj
def add(out: Output, id: str | None, name: str | None, attributes: tuple[str, ...], way: Way) -> int:
    """Add a user of one's own, or set its name and attributes anew. Then give it a key: `hansa member key add`."""
    changed: list[str] = []

    def make(node: Client) -> Made:
        wanted = _user(id)
        member, own = wanted.split("/")
        found = {one["id"]: one for one in rows_of(node, "/gov/service/users", member=member)}.get(wanted)
        named = name or (own if found is None else found["name"])
        if found is not None:
            has = ", ".join(attributes) or "no attributes"
            changed.append(f"{wanted} was there and is changed: it is named {output.shown(named)}, and has {has}")
        arguments: dict[str, Any] = {"id": wanted, "name": named, "attributes": list(attributes)}
        return arguments, STEPS

    def after(*_: object) -> None:
        for told in changed:
            out.note(told)

    return govern(out, way, "set_own_user", make, after)


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
