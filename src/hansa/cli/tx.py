"""`hansa tx`: what became of a transaction, and how members exclude one that stops every node."""

from pathlib import Path
from typing import Any, Final

import click

from hansa.cli import output, typed
from hansa.cli.output import Output
from hansa.cli.places import connect, data_option, record_if_there, signer_options, signing_key, url_option
from hansa.cli.signers import owner_of
from hansa.cli.trace import trace_entry
from hansa.client.client import Client
from hansa.client.exchange import segment
from hansa.client.readable import readable
from hansa.wire import entry, evidence, exclusion, genesis, names, order, scheduled, snapshot, transaction, writes
from hansa.wire.problems import HansaError

_GIVE: Final = "A statement to put into the folder of the stopped node; once for each."


@click.group()
def tx() -> None:
    """Transactions."""


tx.add_command(trace_entry)


@tx.command()
@click.argument("which", metavar="ID|SEQ")
@click.option(
    "--not-after", type=click.IntRange(0), help="The transaction's own limit (ms): tells whether it can still come."
)
@data_option()
@url_option()
@click.pass_obj
def show(out: Output, which: str, not_after: int | None, data: Path, url: str | None) -> int:
    """Show a transaction by its id, or an entry by its seq. Exits with 1 if there is none."""
    told: Any = None
    with connect(data, url) as node:
        if which.isascii() and which.isdecimal() and len(which) <= 18:
            found: dict[str, Any] = {"status": "committed", **node.get(f"/app/entries/{which}")}
        else:
            if not names.is_digest_hex(which):
                told = f"{which[:80]!a} is neither the seq of an entry nor the id of a transaction"
                remedy = (
                    "Give a number, or all 64 hexadecimal digits, in lower case, that `hansa call` printed as the id."
                )
                raise HansaError("request.digest", told, remedy=remedy)
            limit = {} if not_after is None else {"not_after": not_after}
            found = node.get(f"/app/transactions/{which}", **limit)
        if found.get("kind") in entry.SIGNED:
            found |= _signer(node, found)
            told = _arguments(node, found)
        elif found.get("kind") == entry.SCHEDULED:
            found["scheduled"] = _scheduled(node, found)
        elif found.get("kind") == entry.EVIDENCE:
            proved = evidence.read(bytes.fromhex(found["envelope"]))
            found["evidence"] = {"height": proved.height, "voter": proved.key.hex()}
            found["evidence"] |= found["decoded"]["result"] or {"node": None, "member": None}
        elif found.get("kind") == entry.SNAPSHOT:
            said = snapshot.read(bytes.fromhex(found["envelope"]))
            found["snapshot"] = {"height": said.height, "digest": said.digest.hex(), "keys": said.keys}
        out.show(found, lambda: _text(out, node, found, told))
    return output.DONE if found["status"] in ("committed", "pending") else output.FAILED


@tx.command()
@click.argument("id", metavar="ID")
@click.option("--give", "given", metavar="FILE", multiple=True, type=click.Path(path_type=Path), help=_GIVE)
@click.option(
    "--reason", default="it stops every node that runs it", show_default=True, help="The same of all signers."
)
@click.option(
    "--out",
    "out_file",
    type=click.Path(path_type=Path),
    help="The statement's file, instead of one named by id and key.",
)
@click.option("--ledger", metavar="HEX", help="The ledger's id, where its folder is not at hand.")
@signer_options
@data_option()
@click.pass_obj
def exclude(
    out: Output,
    id: str,
    given: tuple[Path, ...],
    reason: str,
    out_file: Path | None,
    ledger: str | None,
    signer: str | None,
    key: Path | None,
    data: Path,
) -> None:
    """Exclude a transaction that stops every node that runs it: it gets an entry that says so, and is never run.

    Members sign statements with governance keys, in a file each, as many as the constitution asks for; then all are
    given (--give FILE --give FILE) to every stopped node, the same to each.
    """
    wanted = names.digest_from_hex(id, "transaction id")
    if given:
        from hansa.node import exclusions

        output.log_to_stderr()
        signers = exclusions.give(data, wanted, given)
        text = f"{id} is excluded by {', '.join(signers)}; start the node, and give the same to every other"
        out.show({"id": id, "signers": signers}, text)
        return
    private = signing_key(data, signer, key, governance=True)
    of = names.digest_from_hex(ledger, "ledger id") if ledger else genesis.ledger_id(_genesis(data))
    envelope = exclusion.seal(private, of, wanted, reason)
    path = out_file or Path(f"{id[:16]}.{private.kid.hex()[:8]}.cose")
    if path.is_file():
        remedy = "Give it as it is, or write another file with --out FILE."
        raise HansaError("argument.exists", f"{path} exists", remedy=remedy)
    output.check_writable(path, replace=False)
    output.write_file(path, envelope)
    fields = {"id": id, "ledger": of.hex(), "reason": reason, "file": str(path)}
    out.show(fields, f"{path} excludes {id}, once enough members have signed and it is given to the stopped nodes")


def _genesis(data: Path) -> bytes:
    try:
        return (data / "genesis.cbor").read_bytes()
    except OSError as error:
        raise HansaError("argument.file", f"{data / 'genesis.cbor'}: {error.strerror}; or give --ledger") from None


def _signer(node: Client, found: dict[str, Any]) -> dict[str, str | None]:
    """Who signed, by the ledger's register of keys: with a key of a session that a node holds, its member alone did."""
    try:
        kid = transaction.read(bytes.fromhex(found["envelope"])).kid
    except HansaError:
        return {"signer": None}
    owner = owner_of(node, kid)
    session = None if owner is None else record_if_there(node, "members", "Session", kid.hex())
    if owner is None or session is None or session["value"]["held"]:
        return {"signer": owner}
    return {"signer": owner.split("/")[0], "asserted": owner}


def _arguments(node: Client, found: dict[str, Any]) -> Any:
    """The arguments as people read them, by what the contract declares now; as they are where it has no such action."""
    try:
        body = transaction.read(bytes.fromhex(found["envelope"])).transaction
    except HansaError:
        return None
    declared = typed.declared(node, body.contract)
    action = None if declared is None else declared["actions"].get(body.action)
    if declared is None or action is None:
        return body.arguments
    return readable(action["arguments"], body.arguments, declared["$defs"])


def _scheduled(node: Client, found: dict[str, Any]) -> dict[str, Any]:
    """What ledger time took: the envelope says on which record, and the schedule's own, written last, what it was."""
    from hansa.contracts import schedules

    due = scheduled.read(bytes.fromhex(found["envelope"]))
    fields = {"contract": due.contract, "action": None, "record": None, "key": output.key_text(due.key)}
    fields |= {"by": due.by, "due": due.due}
    written = writes.decode(node.get_bytes(f"/app/entries/{found['seq']}/writes"))[-1:]
    for write in written:
        if (write.contract, write.record) == (schedules.CONTRACT, schedules.RECORD):
            stands = schedules.read(write.value)
            fields |= {"action": stands.action, "record": stands.record}
            fields["key"] = _key(node, due, stands.record)
    return fields


def _key(node: Client, due: scheduled.Scheduled, record: str) -> str:
    """The key as text, by the type that the contract declares; a record type keeps its key."""
    declared = node.get(f"/app/contracts/{segment(due.contract)}")["records"][record]
    kind = declared["schema"]["properties"][declared["key"]]
    is_number = "integer" in (kind.get("type"), *(one.get("type") for one in kind.get("anyOf", ())))
    if is_number:
        return str(order.integer_key(due.key))
    return due.key.hex() if kind.get("contentEncoding") == "base16" else due.key.decode()


def _text(out: Output, node: Client, found: dict[str, Any], arguments: Any) -> str:
    words = {
        "pending": "pending: it waits for its block",
        "not_found": "not found: it may still come while its not_after has not passed",
        "never": "never: its time has passed without an entry, it has no effect and never will",
    }
    if found["status"] != "committed":
        return words[found["status"]]
    outcome = found["decoded"]
    lines = [f"entry     {found['seq']}  {found['kind']}  in block {found['height']}", f"id        {found['id']}"]
    called = None
    if found["kind"] in entry.SIGNED:
        try:
            signed = transaction.read(bytes.fromhex(found["envelope"]))
        except HansaError as error:
            lines.append(f"envelope  {error.detail}")
        else:
            body = signed.transaction
            called = body.contract
            action = output.shown(f"{body.contract}.{body.action}")
            lines.append(f"action    {action}({output.written(arguments)})")
            lines.append(f"signed    by {found['signer'] or 'nobody known'}, key {signed.kid.hex()}")
            if "asserted" in found:
                lines.append(f"asserted  by {found['signer']}, for {found['asserted']}, who did not sign")
    elif found["kind"] == entry.SCHEDULED:
        due = found["scheduled"]
        called = due["contract"]
        what = "action" if due["action"] is None else f"{due['action']} of {due['record']}"
        action = output.shown(f"{called}.{what} {due['key']}")
        lines.append(f"action    {action}, scheduled by entry {due['by']}, due {output.moment(due['due'])}")
    elif found["kind"] == entry.EVIDENCE:
        proved = found["evidence"]
        whose = f"{proved['node']} of {proved['member']}" if proved["node"] else "no node of this ledger"
        lines.append(f"proves    that a voter voted twice at the engine's height {proved['height']}: {whose}")
        lines.append(f"voter     {proved['voter']}")
    elif found["kind"] == entry.SNAPSHOT:
        of = found["snapshot"]
        lines.append(f"state     behind block {of['height']}: {of['keys']} keys, digest {of['digest']}")
    color = "green" if outcome["status"] == "applied" else "red"
    reason = output.filled(typed.refusal(node, called, outcome["result"]))
    lines.append(f"outcome   {out.style(outcome['status'], fg=color)} {outcome['code']} {reason}".rstrip())
    if where := output.place(outcome["result"], called):
        lines.append(f"at        {where}")
    lines.append(f"time      {output.moment(int(found['time']))}")
    for event in typed.events(node, called, outcome["events"]):
        lines.append(f"event     {output.shown(event['name'])}: {output.written(event['data'])}")
    return "\n".join(lines)
