"""`hansa call`: signs and submits one action."""

from pathlib import Path
from typing import Any

import click
import msgspec

from hansa.cli import output, typed
from hansa.cli.output import Output
from hansa.cli.places import DATA, connect, data_option, signer_options, signing_key, url_option
from hansa.cli.receipt import ENDINGS, SEVERAL, Members, check_free, prefix_of, signed, write_files
from hansa.client import transactions
from hansa.client.arguments import from_pairs, schema_of
from hansa.client.client import Client
from hansa.client.results import Refused, Several, Unknown
from hansa.client.schemas import takeable
from hansa.client.words import hint
from hansa.wire import entry, jsonform
from hansa.wire.problems import HansaError


@click.command()
@click.argument("contract")
@click.argument("action")
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...")
@signer_options
@click.option(
    "--steps", type=click.IntRange(1), default=transactions.STEPS_MAX, show_default=True, help="At most so many steps."
)
@click.option(
    "--receipt", metavar="PREFIX", help="Wait for the receipt, and write PREFIX.cose, .entry, .envelope, .outcome."
)
@click.option(
    "--k",
    "wanted",
    type=Members(),
    metavar="K|default",
    help="Have nodes of so many members sign the receipt, and write PREFIX.receipts too; see `hansa receipt get`.",
)
@click.option("--force", is_flag=True, help="Replace the receipt's files if they are there already.")
@click.option("--dry-run", is_flag=True, help="Sign and show, submit nothing.")
@data_option()
@url_option()
@click.pass_obj
def call(
    out: Output,
    contract: str,
    action: str,
    arguments: tuple[str, ...],
    signer: str | None,
    key: Path | None,
    steps: int,
    receipt: str | None,
    wanted: Several,
    force: bool,
    dry_run: bool,
    data: Path,
    url: str | None,
) -> int:
    """Take an action: sign it, submit it, and wait for its entry.

    --as MEMBER signs with the member's own key, --as MEMBER/USER with that of one of its users; a contract's rules may
    tell them apart. Amounts are written like `amount="USD 500.00"`, times like 2030-01-31T12:00:00Z, lengths of time
    like 3d or 90m, lists, maps and structs as JSON. Exits with 4 if the ledger's rules refuse.
    """
    private = signing_key(data, signer, key)
    if receipt is not None:
        receipt = prefix_of(receipt)
        check_free(receipt, _endings(wanted), replace=force)
    elif wanted is not None:
        raise HansaError("argument.value", "--k is for a receipt", remedy="Give --receipt PREFIX, too.")
    with connect(data, url) as node:
        schema = action_schema(node, contract, action)
        plain = from_pairs(schema, list(arguments))
        made = transactions.prepare(
            private, node.ledger(), contract, action, plain, steps_max=steps, not_after=node.not_after()
        )
        if dry_run:
            fields = {"id": made.id, "not_after": made.not_after, "arguments": plain, "envelope": made.envelope}
            out.show(
                fields, lambda: f"{made.id.hex()} would be submitted: {contract}.{action}({output.written(plain)})"
            )
            return output.DONE
        return submit(out, node, made, receipt, data, url, wanted)


def _endings(k: Several) -> list[str]:
    return [*ENDINGS, *([] if k is None else [SEVERAL])]


def submit(
    out: Output,
    node: Client,
    made: transactions.Prepared,
    receipt: str | None,
    data: Path,
    url: str | None,
    k: Several = None,
) -> int:
    """Submits a signed transaction, shows what came of it, and gives the exit code. A receipt may be by `k` members.

    Where no answer comes, says how to ask for it: with `answer.unknown`, and before an interruption goes on.
    """
    where = f" --url {url}" if url is not None else f" --data {data}" if data != DATA else ""
    ask = f"`hansa tx show {made.id.hex()} --not-after {made.not_after}{where}`"
    try:
        least = None if k is None else 1
        answer = node.submit(made.envelope, wait="committed" if receipt is None else "receipt", k=k, least=least)
    except Refused as refused:
        answer = refused.answer
    except Unknown as error:
        raise HansaError(
            error.code,
            f"no answer for {made.id.hex()}: whether it has its entry is unknown ({error.detail})",
            remedy=f"{ask} tells what became of it. To call again before that could have the effect twice.",
            id=made.id,
            not_after=made.not_after,
        ) from None
    except KeyboardInterrupt:
        out.caution(f"interrupted; {ask} tells what became of it")
        raise
    outcome = entry.decode_outcome(answer.outcome)
    fields: dict[str, Any] = {"id": made.id, "seq": answer.seq, "duplicate": answer.duplicate}
    fields |= msgspec.structs.asdict(outcome)
    if receipt is not None:
        assert answer.receipt is not None
        try:
            files = {ending: getattr(answer.receipt, ending.removeprefix(".")) for ending in ENDINGS}
            if answer.receipt.cosigned is not None:
                files[SEVERAL] = answer.receipt.cosigned.message
                fields |= signed(out, answer.receipt.cosigned)
            fields["files"] = write_files(receipt, files)
        except HansaError as error:
            done = f"the action has its entry, {answer.seq}; `hansa receipt get {answer.seq}` gives its receipt"
            raise HansaError(error.code, f"{error.detail}; {done}") from None
    called = made.contract
    out.show(fields, lambda: _text(out, node, fields, called))
    if outcome.code == "steps.exceeded":
        _tell_steps(out, node, outcome.steps)
    return output.DONE if outcome.status == entry.APPLIED else output.REFUSED


def _tell_steps(out: Output, node: Client, given: int) -> None:
    """Says how to give more steps, if the ledger allows more. A block's room is shared, so few are given at first."""
    allowed = node.get("/app/contracts/members/records/Limits/value", key="ledger")["value"]["transaction_steps"]
    if given < allowed:
        out.note(f"hint: give more with --steps N; it had {given}, this ledger allows {allowed}")


def action_schema(node: Client, contract: str, action: str) -> dict[str, Any]:
    """The schema of an action's arguments. Raises `HansaError` `argument.action` with those there are."""
    declared = node.schema(contract)
    if action not in declared["actions"]:
        known = hint(action, takeable(declared))
        raise HansaError("argument.action", f"{contract} has no action {action!r}; {known}")
    return schema_of(declared, "actions", action)


def _text(out: Output, node: Client, fields: dict[str, Any], called: str) -> str:
    lines: list[str] = []
    place = f"as entry {fields['seq']}" + (", before" if fields["duplicate"] else "")
    if fields["status"] == entry.APPLIED:
        lines.append(f"{out.style('applied', fg='green')}  {place}")
    else:
        result = jsonform.plain(fields["result"])
        reason = output.filled(typed.refusal(node, called, result))
        lines.append(f"{out.style(fields['status'], fg='red')}  {place}: {reason} [{fields['code']}]")
        if where := output.place(result, called):
            lines.append(f"at       {where}")
    for event in typed.events(node, called, fields["events"]):
        lines.append(f"event    {output.shown(event['name'])}: {output.written(event['data'])}")
    lines.append(f"id       {fields['id'].hex()}")
    if "files" in fields:
        lines += [f"signed   by {', '.join(fields['members'])}"] if "members" in fields else []
        lines.append(f"receipt  {', '.join(fields['files'])}")
    return "\n".join(lines)
