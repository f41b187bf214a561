"""`hansa contract run`: takes an action of a contract file in memory, without a node, a key or an entry."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from hansa.cli import output, typed
from hansa.cli.output import Output
from hansa.cli.sources import deployed_name, library_option, name_of, read_source, show_findings, take
from hansa.client import transactions
from hansa.client.arguments import from_pairs, moment
from hansa.client.readable import events, readable, refusal
from hansa.wire import cbor, limits, names
from hansa.wire.limits import INSTANT_MAX
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.cli.trial_state import State
    from hansa.contracts.calls import Call, Caller, Execution
    from hansa.contracts.ledger import Ledger
    from hansa.contracts.manifest import Action, Manifest
    from hansa.contracts.program import Program
    from hansa.contracts.schedules import Due
    from hansa.wire.order import Key
    from hansa.wire.writes import Write

_MEMBER: Final = "northbank"
"""Who signs unless --as says it: one of the sample members of `hansa up`."""
_USER: Final = "northbank/clerk"
"""Who signs what takes a user."""
SIGNER_HINT: Final = "--as MEMBER[/USER] says who signs, --has ATTRIBUTE what the signer has"


class Trial(msgspec.Struct, frozen=True):
    """A call that is ready to run on a ledger in memory. `steps`: at most; `kept`: what the file of --state has."""

    ledger: "Ledger"
    loaded: "Program"
    action: "Action"
    call: "Call"
    steps: int
    kept: "State | None"


def trial_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The arguments and options of commands that take an action in memory: those of `begin`."""
    options = [
        click.argument("file", type=click.Path(path_type=Path)),
        click.argument("action"),
        click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]..."),
        click.option("--as", "signer", metavar="MEMBER[/USER]", help=f"Who signs.  [default: {_MEMBER}]"),
        click.option(
            "--has",
            "attributes",
            metavar="ATTRIBUTE",
            multiple=True,
            help="What the signer has; by default all that roles name.",
        ),
        click.option("--scheduled", is_flag=True, help="Ledger time takes the action, nobody signs."),
        click.option(
            "--at", metavar="TIME", help="Ledger time: a date, a time of RFC 3339, or milliseconds.  [default: now]"
        ),
        click.option(
            "--state", type=click.Path(path_type=Path), help="A JSON file that keeps the records between runs."
        ),
        library_option(),
        click.option(
            "--with", "others", metavar="NAME=FILE", multiple=True, help="Another contract that this one calls."
        ),
        click.option("--name", help="The contract's name; by default the file's or its folder's."),
        click.option(
            "--steps",
            type=click.IntRange(1, limits.TRANSACTION_STEPS_MAX),
            help=f"At most so many steps.  [default: {transactions.STEPS_MAX} as for `hansa call`; "
            f"{limits.SCHEDULED_STEPS_MAX} with --scheduled; {limits.TRANSACTION_STEPS_DEFAULT} for a view]",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def begin(
    out: Output,
    file: Path,
    action: str,
    arguments: tuple[str, ...],
    signer: str | None,
    attributes: tuple[str, ...],
    scheduled: bool,
    at: str | None,
    state: Path | None,
    libraries: tuple[Path, ...],
    others: tuple[str, ...],
    name: str | None,
    steps: int | None,
) -> Trial | int:
    """The call that a command's words say, checked; where the file has findings they are shown, and it is an exit code.

    Raises `HansaError` for everything else that does not fit.
    """
    from hansa.cli import trial_state
    from hansa.contracts.calls import Call
    from hansa.contracts.diagnostics import ContractInvalid
    from hansa.contracts.ledger import Ledger
    from hansa.contracts.schema import arguments_schema

    ledger, wanted = Ledger(), deployed_name(file, name)
    source = read_source(file)
    for path in libraries:
        take(path, name_of(path), ledger.add_library)
    for other, path in map(_other, others):
        if other == wanted or other in ledger.programs:
            raise HansaError("argument.value", f"--with {other}: there is a contract of this name already")
        take(path, other, ledger.deploy)
    try:
        loaded = ledger.deploy(wanted, source)
    except ContractInvalid as invalid:
        return show_findings(out, file, source, invalid)
    ledger.seq += 1
    kept = None if state is None else trial_state.load(state, ledger)
    declared = _declared(loaded.manifest, action)
    _check_records(ledger, loaded.manifest, declared, file, state)
    given = from_pairs(arguments_schema(declared, loaded.manifest), list(arguments))
    cbor.encode(given)  # what no transaction could hold is told here
    caller = _caller(loaded.manifest, declared, signer, attributes, scheduled)
    is_signed = caller.member is not None and not declared.is_view
    id = _id(wanted, action, given, caller, ledger.seq) if is_signed else b""
    call = Call(wanted, action, given, caller, _time(at, 0 if kept is None else kept.time), ledger.seq, id)
    if steps is None:  # what it would get on a ledger
        allowed = limits.SCHEDULED_STEPS_MAX if scheduled else transactions.STEPS_MAX
        steps = limits.TRANSACTION_STEPS_DEFAULT if declared.is_view else allowed
    return Trial(ledger, loaded, declared, call, steps, kept)


@click.command()
@trial_options
@click.pass_obj
def run(out: Output, file: Path, action: str, arguments: tuple[str, ...], state: Path | None, **options: Any) -> int:
    """Try an action or view of a contract file in memory. Exits with 1 if it is refused.

    Every name is a member's here. The ledger is empty, unless --state gives its records; records are given by key.
    """
    from hansa.cli import trial_state
    from hansa.contracts import execution

    if state is not None:
        output.check_writable(state, replace=True)
    trial = begin(out, file, action, arguments, state=state, **options)
    if isinstance(trial, int):
        return trial
    ledger, call = trial.ledger, trial.call
    try:
        ran = execution.run(call, ledger, ledger, trial.steps)
    except (MemoryError, RecursionError) as error:
        raise defect(error) from error
    if ran.error is not None:
        raise defect(ran.error)
    fields = _fields(call, trial.action, ran, ledger)
    if ran.code == execution.OK and not trial.action.is_view:
        ledger.apply(ran)
        if state is not None and trial.kept is not None:
            trial_state.save(state, ledger, trial.kept, call.time)
    out.show(fields, lambda: _text(out, _readable(fields, ledger), file, trial.loaded))
    if ran.code == "role.denied":
        out.note(SIGNER_HINT)
    return output.DONE if ran.code == execution.OK else output.FAILED


def _other(pair: str) -> tuple[str, Path]:
    name, equals, file = pair.partition("=")
    if not equals or not names.is_contract(name) or not file:
        raise HansaError("argument.value", f"--with {pair[:80]!a} is not NAME=FILE")
    return name, Path(file)


def _declared(manifest: "Manifest", name: str) -> "Action":
    """The action or view. Raises `HansaError` `argument.action` with those there are."""
    known = {**manifest.actions, **manifest.views}
    if name not in known:
        there = f"there is {', '.join(sorted(known))}" if known else "there is none"
        raise HansaError(
            "argument.action",
            f"{manifest.name} has no action or view {name[:60]!a}; {there}",
            remedy="Use one of those.",
        )
    return known[name]


def _check_records(ledger: "Ledger", manifest: "Manifest", action: "Action", file: Path, state: Path | None) -> None:
    """Refuses what needs a record of a type of which there is none, and says how to make one."""
    from hansa.contracts.manifest import ReferenceType

    for parameter in action.parameters:
        is_made = action.creates is not None and parameter is action.subject
        if isinstance(parameter.type, ReferenceType) and not is_made:
            record = parameter.type.record
            if next(ledger.values(manifest.name, record), None) is None:
                makers = [a.name for a in manifest.actions.values() if a.creates == record]
                make = f"`hansa contract run {file} {makers[0] if makers else 'ACTION'} ... --state {state or 'FILE'}`"
                raise HansaError(
                    "argument.value",
                    f"`{parameter.name}` is the key of a {record}, and there is none yet",
                    remedy=f"Make one first with {make}, and give the same --state here.",
                )


def _caller(
    manifest: "Manifest", action: "Action", signer: str | None, attributes: tuple[str, ...], scheduled: bool
) -> "Caller":
    from hansa.contracts.calls import NOBODY, Caller
    from hansa.contracts.manifest import SCHEDULE

    if scheduled and signer is not None:
        raise HansaError("argument.value", "--scheduled says that nobody signs; leave out --as")
    if scheduled or (signer is None and action.by == (SCHEDULE,)):
        return NOBODY
    roles = manifest.roles
    if signer is None:
        needs_user = any(name in roles and roles[name].user is not None for name in action.by)
        signer = _USER if needs_user else _MEMBER
    user = signer if "/" in signer else None
    if not (names.is_member(signer) if user is None else names.is_user(user)):
        raise HansaError("argument.value", f"--as {signer[:80]!a} is not MEMBER or MEMBER/USER")
    known = {role.attribute for role in roles.values() if role.attribute is not None}
    of_user = {role.user for role in roles.values() if role.user is not None}
    return Caller(
        signer.partition("/")[0],
        user,
        frozenset(attributes or known),
        frozenset() if user is None else frozenset(attributes or of_user),
    )


def _id(contract: str, action: str, arguments: dict[str, Any], caller: "Caller", seq: int) -> bytes:
    """What stands for the id of a transaction that nobody signed: the SHA-256 of what it says, and of its number.

    The same in every run of the same; another for each entry of one --state.
    """
    said = [contract, action, arguments, caller.member, caller.user, seq]
    return hashlib.sha256(cbor.encode(said)).digest()


def _time(at: str | None, before: int) -> int:
    """Ledger time in ms, which never runs backwards."""
    if at is None:
        return max(before, time.time_ns() // 1_000_000)
    found = moment(at, milliseconds=True)
    if not 0 <= found <= INSTANT_MAX:
        raise HansaError("argument.value", f"--at {at[:60]!a} is not within 1970 and 9999")
    if found < before:
        raise HansaError(
            "argument.value",
            f"--at {at[:60]!a} is before ledger time, {output.moment(before)}",
            remedy="Give a later time, or begin again with another --state FILE.",
        )
    return found


def defect(error: BaseException) -> HansaError:
    """That running a contract came to what no contract should bring about."""
    return output.defect(error, "contract.internal", "this is a defect of hansa, not of the contract: ")


def _fields(call: "Call", action: "Action", ran: "Execution", ledger: "Ledger") -> dict[str, Any]:
    """All that came of it, for machines."""
    from hansa.contracts import execution, schedules

    done = "returned" if action.is_view else "applied"
    rows = [write for write in ran.writes if write.contract != schedules.CONTRACT]
    due = [schedules.read(write.value) for write in ran.writes if write.contract == schedules.CONTRACT]
    return {
        "status": done if ran.code == execution.OK else "refused",
        "code": ran.code,
        "contract": call.contract,
        "version": ran.version,
        "action": call.action,
        "member": call.caller.member,
        "user": call.caller.user,
        "attributes": sorted(call.caller.attributes | call.caller.user_attributes),
        "time": call.time,
        "result": ran.result,
        "events": ran.events,
        "records": [
            {
                "contract": write.contract,
                "record": write.record,
                "key": write.key,
                "made": write.previous is None,
                "value": _declared_order(ledger, write),
            }
            for write in rows
        ],
        "scheduled": [
            {"contract": d.contract, "record": d.record, "key": _key(ledger, d), "action": d.action, "at": d.at}
            for d in due
        ],
        "steps": ran.steps,
    }


def _readable(fields: dict[str, Any], ledger: "Ledger") -> dict[str, Any]:
    """The same with its values as people read them."""
    schemas = typed.schemas({name: versions[-1][1].manifest for name, versions in ledger.programs.items()})
    rows: list[dict[str, Any]] = []
    for row in fields["records"]:
        of = schemas[row["contract"]]
        value = readable(of["records"][row["record"]]["schema"], row["value"], of["$defs"])
        rows.append({**row, "value": value})
    result, of = fields["result"], schemas[fields["contract"]]
    if fields["status"] == "returned":
        result = readable(of["views"][fields["action"]]["returns"], result, of["$defs"])
    elif fields["status"] == "refused":
        result = refusal(schemas, fields["contract"], result)
    return {
        **fields,
        "records": rows,
        "result": result,
        "events": events(schemas, fields["contract"], fields["events"]),
    }


def _declared_order(ledger: "Ledger", write: "Write") -> dict[str, Any]:
    """A record's fields as they are declared, its key first."""
    shape = ledger.programs[write.contract][-1][1].shapes[write.record]
    value = cbor.decode(write.value)
    return {name: value[name] for name in dict.fromkeys([shape.type.key, *shape.codecs])}


def _key(ledger: "Ledger", due: "Due") -> "Key":
    """The key of the record that something is scheduled for."""
    from hansa.contracts import schedules

    record = ledger.programs[due.contract][-1][1].manifest.records[due.record]
    return schedules.key_of(record.fields[record.key].type, due.key)


def _text(out: Output, fields: dict[str, Any], file: Path, loaded: "Program") -> str:
    who = fields["user"] or fields["member"] or "ledger time"
    how = f"{fields['action']} by {who}, {output.moment(fields['time'])}, {fields['steps']} steps"
    lines: list[str] = []
    match fields["status"]:
        case "returned":
            lines.append(f"{out.style('returned', fg='green')} {output.written(fields['result'])}")
        case "applied":
            lines.append(f"{out.style('applied', fg='green')}  {how}")
        case _:
            result = fields["result"]
            lines.append(f"{out.style('refused', fg='red')}  {output.filled(result)} [{fields['code']}]")
            if result["line"] is not None:
                where = str(file) if result["contract"] == loaded.manifest.name else result["contract"]
                lines.append(f"at       {where}:{result['line']}")
    if fields["status"] != "applied":
        lines.append(f"ran      {how}")
    lines += [f"event    {output.shown(event['name'])}: {output.written(event['data'])}" for event in fields["events"]]
    for row in fields["records"]:
        of = "" if row["contract"] == fields["contract"] else f"{row['contract']}."
        lines.append(f"{'made' if row['made'] else 'changed':8} {of}{row['record']} {output.written(row['key'])}")
        width = max(map(len, row["value"]))
        lines += [f"           {name:{width}}  {output.written(value)}" for name, value in row["value"].items()]
    lines += [
        f"due      {due['action']} of the {due['record']} {output.written(due['key'])}, {output.moment(due['at'])}"
        for due in fields["scheduled"]
    ]
    return "\n".join(lines)
