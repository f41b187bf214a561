"""What the commands of governance share: who signs, here or away from the network, and what came of it."""

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import msgspec

from hansa.cli import output
from hansa.cli.call import submit
from hansa.cli.output import Output
from hansa.cli.places import connect, data_option, signing_key, url_option
from hansa.client import offline, transactions
from hansa.client.client import Client
from hansa.client.governance import CONTRACT, VERSION
from hansa.client.transactions import Unsigned
from hansa.client.words import hint
from hansa.wire import cose, names, transaction
from hansa.wire.keys import ALGORITHM_NAMES, PublicKey
from hansa.wire.limits import GOVERNANCE_VALIDITY_MS_MAX
from hansa.wire.problems import HansaError

DAYS: Final = 7
"""How long what is prepared may take to be signed and sent."""
_DAY: Final = 24 * 60 * 60 * 1000
_FILE_BYTES_MAX: Final = 1024
"""A signature's file: more is another file."""

_Command = TypeVar("_Command", bound=Callable[..., Any])
Made = tuple[dict[str, Any], int]
"""An action's arguments, and the steps that it takes at most."""


class Way(msgspec.Struct, frozen=True):
    """Where the ledger is, and how its action is signed: at once, or prepared here, signed elsewhere, finished here."""

    data: Path
    url: str | None
    signer: str | None = None
    key: Path | None = None
    prepare: Path | None = None
    finish: Path | None = None
    signature: Path | None = None
    kid: str | None = None
    days: int = DAYS


class Unsent(msgspec.Struct, frozen=True):
    """What is about to be prepared or sent: its id, who signs, until when (ms) it is valid, and what it says."""

    id: bytes
    kid: bytes
    not_after: int
    arguments: dict[str, Any]


def governing(command: _Command) -> _Command:
    """The options of commands that sign with a governance key; the command gets them as one `way`."""

    def in_one(context: click.Context, /, **options: Any) -> Any:
        way = Way(**{name: options.pop(name) for name in Way.__struct_fields__})
        return context.invoke(command, way=way, **options)

    given: Callable[..., Any] = functools.update_wrapper(click.pass_context(in_one), command)
    for option in (
        url_option(),
        data_option(),
        click.option(
            "--days", type=click.IntRange(1, 30), default=DAYS, show_default=True, help="With --prepare: valid so long."
        ),
        click.option("--kid", metavar="HEX", help="With --prepare: the key that will sign, if the member has several."),
        click.option(
            "--signature", type=click.Path(path_type=Path), metavar="FILE", help="With --finish: the signature."
        ),
        click.option(
            "--finish",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Send what was prepared, once it is signed.",
        ),
        click.option(
            "--prepare",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Write the bytes to be signed elsewhere; send nothing.",
        ),
        click.option("--key", type=click.Path(path_type=Path), help="A governance key's file to sign with instead."),
        click.option("--as", "signer", metavar="MEMBER", help="Whose key in DATA/keys/governance signs."),
    ):
        given = option(given)
    return given  # type: ignore[return-value]


def govern(
    out: Output,
    way: Way,
    action: str,
    make: Callable[[Client], Made],
    after: Callable[[Client, bytes], None] | None = None,
    before: Callable[[Client, Unsent], None] | None = None,
) -> int:
    """Takes an action of governance the way it was asked for; `after` is told the id of what was applied.

    `before` is told what is about to be prepared or sent, and may raise.
    """
    if way.prepare is not None and way.finish is not None:
        raise HansaError("argument.value", "--prepare and --finish are two steps", remedy="Give one of the two.")
    if way.signature is not None and way.finish is None:
        raise HansaError("argument.value", "--signature goes with --finish", remedy="Give --finish FILE, too.")
    private = None
    if way.prepare is None and way.finish is None:
        private = signing_key(way.data, way.signer, way.key, governance=True)
    with connect(way.data, way.url) as node:
        if way.prepare is not None:
            return _prepare(out, way, way.prepare, node, action, make(node), before)
        if way.finish is not None:
            made = _finish(way, way.finish, node, action)
        else:
            assert private is not None
            arguments, steps = make(node)
            made = transactions.prepare(
                private,
                node.ledger(),
                CONTRACT,
                action,
                arguments,
                steps_max=steps,
                not_after=node.not_after(),
                content_type=cose.GOVERNANCE,
            )
        if before is not None:
            signed = transaction.read(made.envelope)
            before(node, Unsent(signed.id, signed.kid, made.not_after, signed.transaction.arguments))
        done = submit(out, node, made, None, way.data, way.url)
        if done == output.DONE and after is not None:
            after(node, made.id)
        return done


# Away from the network


def _prepare(
    out: Output,
    way: Way,
    file: Path,
    node: Client,
    action: str,
    made: Made,
    before: Callable[[Client, Unsent], None] | None,
) -> int:
    """Writes the bytes to be signed, and beside them in words what they say."""
    beside = file.with_name(f"{file.name}.txt")
    for path in (file, beside):
        output.check_writable(path, replace=False, remedy="Give --prepare another file name.")
    arguments, steps = made
    key = _signing_key(node, way)
    told = node.not_after()
    now = time.time_ns() // 1_000_000 if told is None else told - transactions.VALID_MS
    unsigned = transactions.unsigned(
        key,
        node.ledger(),
        CONTRACT,
        action,
        arguments,
        steps_max=steps,
        not_after=now + min(way.days * _DAY, GOVERNANCE_VALIDITY_MS_MAX - _DAY // 24),
        content_type=cose.GOVERNANCE,
    )
    if before is not None:
        before(node, Unsent(offline.id_of(unsigned), key.kid, unsigned.not_after, arguments))
    output.write_file(file, unsigned.structure)
    written = [str(file), str(beside)]
    if isinstance(arguments.get("proposal"), bytes):
        written.append(_write_proposal(node, arguments["proposal"], file))
    lines = words_of(file, unsigned.structure, full=True)
    output.write_file(beside, ("\n".join(lines) + "\n").encode())
    fields = {"files": written, "kid": key.kid, "not_after": unsigned.not_after, "says": lines}
    next = f"Sign it where the key is: hansa sign {file} --key KEY; then: {_command_of(action)} --finish {file}"
    out.show(fields, lambda: "\n".join([*words_of(file, unsigned.structure, full=False), "", next]))
    return output.DONE


def _write_proposal(node: Client, id: bytes, file: Path) -> str:
    """Writes what the proposer signed beside what is to be signed about it: its digest is the id that this names."""
    path = proposal_beside(file)
    envelope = bytes.fromhex(node.get(f"/app/transactions/{id.hex()}")["envelope"])
    output.write_file(path, cose.split(envelope).structure)
    return str(path)


def proposal_beside(file: Path) -> Path:
    """Where the proposal lies that something to be signed is about."""
    return file.with_name(f"{file.name}.proposal")


def words_of(file: Path, structure: bytes, *, full: bool) -> list[str]:
    """What is to be signed in words, and the proposal that it is about, if that lies beside it and is the one."""
    unsigned, body = offline.read(structure)
    lines = offline.told(unsigned, body, full=full)
    wanted, beside = body.arguments.get("proposal"), proposal_beside(file)
    if isinstance(wanted, bytes) and beside.exists():
        about, what = offline.read(output.read_file(beside, offline.BYTES_MAX + 1))
        if offline.id_of(about) != wanted:
            raise HansaError("proposal.other", f"{beside} is another proposal than the one to be signed about")
        words = offline.told(about, what, full=full, is_sent=True)
        lines += ["", f"The proposal {wanted.hex()}:", *(f"  {line}" for line in words)]
    elif isinstance(wanted, bytes):
        lines += ["", f"What the proposal says is not known here: there is no file {beside}"]
    return lines


def _signing_key(node: Client, way: Way) -> PublicKey:
    """The key that will sign, as the ledger has it."""
    if way.kid is not None:
        return registered(node, names.digest_from_hex(way.kid, "key id"))
    if way.key is not None:
        return signing_key(way.data, None, way.key, governance=True).public
    if way.signer is None:
        remedy = "Give --as MEMBER, or --kid HEX; `hansa member keys MEMBER` lists them."
        raise HansaError("argument.value", "whose key will sign?", remedy=remedy)
    found = [one for one in keys_of(node, way.signer) if (one["purpose"], one["status"]) == ("governance", "active")]
    if len(found) != 1:
        kids = ", ".join(one["kid"] for one in found) or "none"
        told = f"{way.signer[:40]!a} has {len(found)} active governance keys: {kids}"
        raise HansaError("argument.value", told, remedy="Give the one that will sign with --kid HEX.")
    return PublicKey(bytes.fromhex(found[0]["spki"]))


def _finish(way: Way, file: Path, node: Client, action: str) -> transactions.Prepared:
    """What was prepared, with its signature, or signed now by a key."""
    unsigned, body = offline.read(output.read_file(file, offline.BYTES_MAX + 1))
    if (body.contract, body.action) != (CONTRACT, action):
        told = f"{file} is for {body.contract}.{body.action}"
        raise HansaError("argument.value", told, remedy=f"Give it to `{_command_of(body.action)} --finish {file}`.")
    if body.ledger != node.ledger():
        raise HansaError("transaction.ledger", f"{file} is for the ledger {body.ledger.hex()}")
    if way.signature is None:
        beside = signature_beside(file)
        if way.key is not None or way.signer is not None:
            private = signing_key(way.data, way.signer, way.key, governance=True)
            return offline.finish(unsigned, offline.sign(unsigned, private), private.public)
        if not beside.exists():
            told = f"there is no signature {beside}"
            raise HansaError("argument.value", told, remedy="Give --signature FILE, or --key FILE to sign now.")
    else:
        beside = way.signature
    signature = output.read_file(beside, _FILE_BYTES_MAX)
    return offline.finish(unsigned, signature, registered(node, kid_of(unsigned)))


def signature_beside(file: Path) -> Path:
    """Where `hansa sign` puts the signature of a file."""
    return file.with_name(f"{file.name}.sig")


def kid_of(unsigned: Unsigned) -> bytes:
    """The key that is to sign."""
    return cose.read_header(unsigned.protected).kid


_COMMANDS: Final = {
    "propose": "hansa proposal new",
    "vote": "hansa proposal vote",
    "withdraw": "hansa proposal withdraw",
    "register_key": "hansa member key add",
    "retire_key": "hansa member key retire",
    "revoke_key": "hansa member key revoke",
    "set_own_user": "hansa user add",
    "remove_own_user": "hansa user remove",
}


def _command_of(action: str) -> str:
    return _COMMANDS.get(action, "hansa proposal new")


# What the ledger has


def rows_of(node: Client, path: str, **query: str) -> list[dict[str, Any]]:
    """All rows of a list of `/gov`."""
    found: list[dict[str, Any]] = []
    asked: dict[str, str | int] = {**VERSION, "rows": 1_000, **query}
    while True:
        page = node.get(path, **asked)
        found += [row["value"] for row in page["rows"]]
        if page["next"] is None:
            return found
        asked["after"] = page["next"]


def known_member(node: Client, name: str) -> dict[str, Any]:
    """A member, removed or not. Raises `HansaError` `argument.value` with those that there are."""
    found = {one["id"]: one for one in rows_of(node, "/gov/service/members")}
    if name not in found:
        raise HansaError("argument.value", f"there is no member {name[:40]!a}; {hint(name, list(found))}")
    return found[name]


def keys_of(node: Client, owner: str) -> list[dict[str, Any]]:
    """The keys of a member or user, of all time."""
    return rows_of(node, "/gov/service/keys", owner=owner)


def registered(node: Client, kid: bytes) -> PublicKey:
    """A key that the ledger knows. Raises `HansaError` `sender.unknown`."""
    try:
        row = node.get("/app/contracts/members/records/Key/value", key=kid.hex())
    except HansaError as error:
        if error.code != "record.unknown":
            raise
        raise HansaError("sender.unknown", f"the ledger knows no key {kid.hex()}") from None
    return PublicKey(bytes.fromhex(row["value"]["spki"]))


def algorithm_of(spki: str) -> str:
    """What kind of key it is."""
    return ALGORITHM_NAMES[PublicKey(bytes.fromhex(spki)).algorithm]


def owner_of_key(way: Way, node: Client) -> str:
    """The member that will sign: `--as`, or whose key it is."""
    if way.signer is not None:
        return way.signer
    kid = _signing_key(node, way).kid
    return str(node.get("/app/contracts/members/records/Key/value", key=kid.hex())["value"]["owner"])
