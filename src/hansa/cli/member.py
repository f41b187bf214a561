"""`hansa member`: who belongs to the ledger, and the keys that a member looks after itself."""

from pathlib import Path
from typing import Any, Final

import click

from hansa.cli import output
from hansa.cli.governance import (
    Made,
    Way,
    algorithm_of,
    govern,
    governing,
    keys_of,
    known_member,
    owner_of_key,
    rows_of,
)
from hansa.cli.output import Output
from hansa.cli.places import connect, data_option, url_option
from hansa.client import keys as key_files
from hansa.client import proposals
from hansa.client.client import Client
from hansa.client.governance import STEPS, VERSION
from hansa.client.words import hint
from hansa.wire.keys import kid_of
from hansa.wire.problems import HansaError

_PUBLIC_HALF: Final = (
    "Give a public key in PEM: `openssl pkey -in PRIVATE -pubout -out PUBLIC` writes one's public half."
)

_PRIVATE_NAME: Final = "Name the private half, with .pem for example; the public one gets .pub at its end."
_OWN: Final = ("governance", "transaction")
"""What a new member's own keys are for."""
_REFUSALS: Final = ("argument.", "envelope.", "key.", "queue.", "sender.", "signature.", "steps.")
"""The families of the codes with which a transaction certainly has no entry, all told before there can be one."""


@click.group()
def member() -> None:
    """Members: who they are, their keys. Members are admitted, changed and removed by proposals."""


@member.command(name="list")
@data_option()
@url_option()
@click.pass_obj
def list_(out: Output, data: Path, url: str | None) -> None:
    """List the members, removed ones too: an id is given once."""
    with connect(data, url) as node:
        found = rows_of(node, "/gov/service/members")
    head = ("MEMBER", "NAME", "WEIGHT", "STATE", "ATTRIBUTES")
    rows = [
        (
            one["id"],
            output.shown(one["name"]),
            str(one["weight"]),
            "removed" if one["removed"] else "active",
            ", ".join(one["attributes"]),
        )
        for one in found
    ]
    out.show({"members": found}, lambda: output.table(head, rows))


@member.command()
@click.argument("name", metavar="MEMBER")
@data_option()
@url_option()
@click.pass_obj
def show(out: Output, name: str, data: Path, url: str | None) -> None:
    """Show a member: attributes, weight, users, active keys, open proposals that wait for its vote."""
    with connect(data, url) as node:
        found = known_member(node, name)
        users = [one for one in rows_of(node, "/gov/service/users", member=name) if not one["removed"]]
        active = [one for one in keys_of(node, name) if one["status"] == "active"]
        waiting = [one for one in node.proposals(is_open=True) if name not in {b.member for b in one.ballots}]
    fields: dict[str, Any] = {**found, "users": users, "keys": active, "votes_on": [one.id for one in waiting]}
    ended = ", counts no more: its member is removed" if found["removed"] else ""
    lines = [
        f"member      {found['id']}{', removed' if found['removed'] else ''}",
        f"name        {output.shown(found['name'])}",
        f"weight      {found['weight']}",
        f"attributes  {', '.join(found['attributes']) or 'none'}",
        f"users       {', '.join(one['id'] for one in users) or 'none'}",
        *(f"key         {one['kid'][:16]}  {one['purpose']}, {algorithm_of(one['spki'])}{ended}" for one in active),
        *(f"vote on     {one.id[:12]}  {output.shown(one.title)}" for one in waiting if not found["removed"]),
    ]
    out.show(fields, "\n".join(lines))


@member.command()
@click.argument("name", metavar="MEMBER[/USER]")
@data_option()
@url_option()
@click.pass_obj
def keys(out: Output, name: str, data: Path, url: str | None) -> None:
    """List the keys of a member or user, of all time."""
    with connect(data, url) as node:
        found = keys_of(node, name)
        is_removed = _is_removed(node, name, has_keys=bool(found))
    if is_removed:
        out.note(f"{name} is removed: none of these keys counts any more")
    head = ("KEY", "PURPOSE", "KIND", "STATUS", "EXPIRES")
    rows = [
        (
            one["kid"],
            one["purpose"],
            algorithm_of(one["spki"]),
            one["status"],
            "" if one["expires"] is None else output.moment(int(one["expires"])),
        )
        for one in found
    ]
    out.show({"keys": found, "removed": is_removed}, lambda: output.table(head, rows) if rows else "none")


@member.group()
def key() -> None:
    """A member's own keys, those of its users and of its nodes: registered, retired and revoked without a vote."""


@key.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--purpose",
    type=click.Choice(("transaction", "governance", "node", "checkpoint")),
    default="transaction",
    show_default=True,
    help="What it is for.",
)
@click.option(
    "--for", "owner", metavar="USER|NODE", help="A user (MEMBER/USER) or node of the member; by default itself."
)
@click.option("--new", is_flag=True, help="Make a key first: FILE is where its private half is kept.")
@click.option(
    "--expires",
    metavar="TIME",
    help="When it should be replaced, as YYYY-MM-DD or a time of RFC 3339, ahead; only warns before.",
)
@governing
@click.pass_obj
def add(
    out: Output, file: Path | None, purpose: str, owner: str | None, new: bool, expires: str | None, way: Way
) -> int:
    """Register a key: FILE is a public key in PEM. It counts from the next entry on, those before go on counting."""
    made: list[Path] = []

    def make(node: Client) -> Made:
        if file is None:
            raise HansaError("argument.value", "which key?", remedy="Give a public key's file, or --new FILE.")
        until = _moment(expires, node)
        of = owner or owner_of_key(way, node)
        public = _made(file) if new else _public(file)
        if new:
            made.append(file)
        kind = "user" if "/" in of else "node" if purpose in ("node", "checkpoint") else "member"
        arguments = {"owner_kind": kind, "owner": of, "purpose": purpose, "spki": public, "expires": until}
        return arguments, STEPS

    try:
        done = govern(out, way, "register_key", make)
    except HansaError as error:
        if not made:
            raise
        told = _left(made[0], is_refused=error.code.startswith(_REFUSALS))
        raise HansaError(error.code, f"{error.detail}; {told}", remedy=error.remedy, **error.fields) from None
    if made and done == output.REFUSED:
        out.note(_left(made[0], is_refused=True))
    return done


@key.command(name="new")
@click.argument("where", metavar="DIR/|FILE")
@click.option(
    "--kind", type=click.Choice(("ed25519", "p256")), default="ed25519", show_default=True, help="What kind of key."
)
@click.pass_obj
def new_(out: Output, where: str, kind: str) -> None:
    """Make keys for somebody who is not a member yet: no ledger is asked, nothing is registered.

    In a folder (one that is there, or written with a / at the end) a governance and a transaction key, as a new member
    needs them; else the one key FILE. Private halves can be read by their owner alone and are sent to nobody; public
    ones lie beside them, as `.pub`, and are what `set_member` proposes.
    """
    path = Path(where)
    is_folder = where.endswith("/") or path.is_dir()
    files = {purpose: path / f"{purpose}.pem" for purpose in _OWN} if is_folder else {None: path}
    for file in files.values():
        if file.suffix == ".pub":
            raise HansaError("argument.value", f"{file} is named like a public half", remedy=_PRIVATE_NAME)
        for each in (file, file.with_suffix(".pub")):
            if each.exists():
                raise HansaError("key.exists", f"{each} exists")
    made: list[dict[str, Any]] = []
    for purpose, file in files.items():
        private = key_files.generate(kind)
        key_files.save(private, file)
        pem = private.public.pem()
        output.write_file(file.with_suffix(".pub"), pem)
        fields = {"kid": private.kid, "private": str(file), "public": str(file.with_suffix(".pub"))}
        fields |= {"purpose": purpose, "spki": private.public.spki, "pem": pem.decode()}
        made.append(fields)
    lines: list[str] = []
    for one in made:
        lines += [f"key      {one['kid'].hex()}{'' if one['purpose'] is None else ', ' + one['purpose']}"]
        lines += [f"private  {one['private']}", f"public   {one['public']}", one["pem"]]
    out.show({"keys": made}, "\n".join(lines).rstrip("\n"))


@key.command()
@click.argument("which", metavar="KID|FILE", required=False)
@governing
@click.pass_obj
def retire(out: Output, which: str | None, way: Way) -> int:
    """End a key's use: what it signed stays as good as it was.

    Give its file, or its id; the first digits are enough.
    """
    return govern(out, way, "retire_key", lambda node: _ended(node, way, which))


@key.command()
@click.argument("which", metavar="KID|FILE", required=False)
@governing
@click.pass_obj
def revoke(out: Output, which: str | None, way: Way) -> int:
    """End a key that others may have; votes of its member that are still open count no more if it was for those.

    Give its file, or its id; the first digits are enough.
    """
    return govern(out, way, "revoke_key", lambda node: _ended(node, way, which))


def _is_removed(node: Client, name: str, *, has_keys: bool) -> bool:
    """Whether a member, or a user or its member, was removed. Raises `HansaError` for who was never there.

    Nodes have keys too, and are not listed here.
    """
    member = name.partition("/")[0]
    known = [*rows_of(node, "/gov/service/members"), *rows_of(node, "/gov/service/users", member=member)]
    ids = [one["id"] for one in known]
    if name not in ids and not has_keys:
        what = "user" if "/" in name and member in ids else "member"
        near = [id for id in ids if ("/" in id) == (what == "user")]
        raise HansaError("argument.value", f"there is no {what} {name[:80]!a}; {hint(name, near)}")
    return any(one["removed"] for one in known if one["id"] in (name, member))


def _public(file: Path) -> bytes:
    try:
        return proposals.public_key(output.read_file(file, 16 * 1024).decode("utf-8", "replace"))
    except proposals.Wrong as wrong:
        raise HansaError("key.file", f"{file} {wrong}", remedy=_PUBLIC_HALF) from None


def _kid_in(file: Path) -> str:
    """The id of the key in a file, of which it may be the private or the public half."""
    if b"PRIVATE" in output.read_file(file, 16 * 1024):
        return key_files.load(file).kid.hex()
    return kid_of(_public(file)).hex()


def _made(file: Path) -> bytes:
    """The public half of a new key, whose private half is kept in a new file."""
    made = key_files.generate()
    key_files.save(made, file)
    return made.public.spki


def _left(file: Path, *, is_refused: bool) -> str:
    """What is left of a new key's file: nothing if the ledger has certainly not the key, and no other use can be."""
    if not is_refused:
        return f"the new key stays in {file}, as the ledger may have it: `hansa member keys` of its owner shows that"
    file.unlink(missing_ok=True)
    return f"the new key is not registered, and its file {file} was removed again"


def _moment(text: str | None, node: Client) -> int | None:
    """When a key expires, which lies ahead by the ledger's clock. Raises `HansaError` `argument.value`."""
    from hansa.client.arguments import moment

    if text is None:
        return None
    at, now = moment(text), node.status().now
    if at <= now:
        told = f"--expires {text} has passed: by the ledger's clock it is {output.moment(now)}"
        raise HansaError("argument.value", told, remedy="Give a later date (YYYY-MM-DD) or time (RFC 3339), or none.")
    return at


def _ended(node: Client, way: Way, kid: str | None) -> Made:
    if kid is None:
        remedy = "Give its file, or its id; `hansa member keys MEMBER` shows them."
        raise HansaError("argument.value", "which key?", remedy=remedy)
    of = owner_of_key(way, node)
    owners = [of, *(one["id"] for one in rows_of(node, "/gov/service/users", member=of))]
    known = [one["kid"] for owner in owners for one in keys_of(node, owner)]
    known += [row["value"]["kid"] for row in _node_keys(node, of)]
    wanted = _kid_in(Path(kid)) if Path(kid).is_file() else kid.lower()
    found = [one for one in known if one.startswith(wanted)]
    if len(found) != 1:
        told = f"{len(found)} keys of {of} begin with {kid[:64]!a}"
        raise HansaError("argument.value", told, remedy=f"`hansa member keys {of}` shows them.")
    return {"key": bytes.fromhex(found[0])}, STEPS


def _node_keys(node: Client, of: str) -> list[dict[str, Any]]:
    """The keys of a member's nodes."""
    page = node.get("/app/contracts/members/records/Node", index="member", value=of, rows=1_000)
    found: list[dict[str, Any]] = []
    for row in page["rows"]:
        found += node.get("/gov/service/keys", **VERSION, owner=row["value"]["id"])["rows"]
    return found
