"""`hansa contract trace` takes an action in memory, `hansa tx trace` an entry again: every step of it is shown."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hansa.cli import output, typed
from hansa.cli.output import Output
from hansa.cli.places import data_option
from hansa.cli.progress import Progress
from hansa.cli.sources import read_source
from hansa.cli.trial import SIGNER_HINT, begin, defect, trial_options
from hansa.client.readable import readable, refusal

if TYPE_CHECKING:
    from hansa.contracts.calls import Call, Execution
    from hansa.contracts.manifest import Manifest
    from hansa.contracts.tracing import Step

_VALUE_CHARS: Final = 60
_SOURCE_CHARS: Final = 100
_INDENT: Final = "  "


@click.command()
@trial_options
@click.pass_obj
def trace(
    out: Output,
    file: Path,
    action: str,
    arguments: tuple[str, ...],
    state: Path | None,
    libraries: tuple[Path, ...],
    others: tuple[str, ...],
    **options: Any,
) -> int:
    """Show every step of an action or view, in memory. Exits with 1 if it is refused.

    What stands in the columns: the steps used before, the line, what it says, and behind it the names that it bound or
    changed. Nothing is kept, in the file of --state neither.
    """
    from hansa.contracts import tracing
    from hansa.contracts.specification import transaction
    from hansa.testing.forms import Written

    trial = begin(out, file, action, arguments, state=state, libraries=libraries, others=others, **options)
    if isinstance(trial, int):
        return trial
    ledger = trial.ledger
    files = {loaded.digest: loaded.checked for versions in ledger.programs.values() for _, loaded in versions}
    watching = tracing.Trace(_sources(file, libraries, others))
    ran = transaction.run(trial.call, Written(ledger, files), ledger, trial.steps, watching)
    if ran.error is not None:
        raise defect(ran.error)
    found = watching.steps(ran)
    is_view = trial.action.is_view
    manifests = {name: versions[-1][1].manifest for name, versions in ledger.programs.items()}
    fields = _fields(trial.call, ran, found, is_view=is_view)
    out.show(fields, lambda: _text(out, trial.call, ran, found, manifests, is_view=is_view))
    if ran.code == "role.denied":
        out.note(SIGNER_HINT)
    return output.DONE if ran.code == "ok" else output.FAILED


@click.command("trace")
@click.argument("seq", type=click.IntRange(min=0))
@data_option()
@click.pass_obj
def trace_entry(out: Output, seq: int, data: Path) -> None:
    """Run an entry of the ledger again, on the records as they were then, and show every step.

    The journal is read from its beginning; the node may run meanwhile. Nothing is changed, and what comes of it must be
    what stands in the ledger.
    """
    from hansa.testing.replay import replay

    output.log_to_stderr()
    with Progress(out, "entries read") as progress:
        found = replay(data, seq, progress.tell)
    fields = {"seq": seq, "height": found.height, **_fields(found.call, found.ran, found.steps, is_view=False)}
    out.show(fields, lambda: _text(out, found.call, found.ran, found.steps, found.manifests, is_view=False))


def _sources(file: Path, libraries: tuple[Path, ...], others: tuple[str, ...]) -> dict[bytes, str]:
    """The text of all files that may run, by SHA-256."""
    import hashlib

    files = [file, *libraries, *(Path(pair.partition("=")[2]) for pair in others)]
    texts = [read_source(each) for each in files]
    return {hashlib.sha256(text.encode()).digest(): text for text in texts}


def _fields(call: "Call", ran: "Execution", steps: "list[Step]", *, is_view: bool) -> dict[str, Any]:
    return {
        "status": ("returned" if is_view else "applied") if ran.code == "ok" else "refused",
        "code": ran.code,
        "contract": call.contract,
        "version": ran.version,
        "action": call.action,
        "member": call.caller.member,
        "user": call.caller.user,
        "time": call.time,
        "result": ran.result,
        "events": ran.events,
        "steps": ran.steps,
        "trace": steps,
    }


def _text(
    out: Output,
    call: "Call",
    ran: "Execution",
    steps: "list[Step]",
    manifests: "Mapping[str, Manifest]",
    *,
    is_view: bool,
) -> str:
    schemas = typed.schemas(manifests)
    who = call.caller.user or call.caller.member or "ledger time"
    lines = [f"{call.contract} {ran.version}: {call.action} by {who}, {output.moment(call.time)}", ""]
    lines.append(f"{'USED':>6} {'LINE':>5}  ")
    lines += [line for step in steps[:-1] for line in _step(out, step, call.contract)]
    how = f"{ran.steps} steps"
    if ran.code == "ok":
        done = "returned" if is_view else "applied"
        result = ""
        if is_view:
            of = schemas[call.contract]
            result = f" {output.written(readable(of['views'][call.action]['returns'], ran.result, of['$defs']))}"
        lines += ["", f"{out.style(done, fg='green')}{result}  {how}"]
    else:
        last = steps[-1]
        reason = output.filled(refusal(schemas, call.contract, ran.result))
        where = "" if last.line is None else f"\nat line {last.line}: {_cut(last.source, _SOURCE_CHARS)}"
        lines += ["", f"{out.style('refused', fg='red')}  {reason} [{ran.code}]  {how}{where}"]
    return "\n".join(lines)


def _step(out: Output, step: "Step", contract: str) -> list[str]:
    """The lines of one step: itself, and what in it came to which values."""
    indent = _INDENT * step.depth
    head = f"{step.used:6,} {'' if step.line is None else step.line:>5}  {indent}"
    names = "  ".join(f"{each.of} = {_value(each.value)}" for each in step.names)
    match step.kind:
        case "body":
            of = "" if step.contract == contract else f"{step.contract}: "
            lines = [f"{head}{out.style(of + _cut(step.source, _SOURCE_CHARS), bold=True)}"]
            lines += [f"{' ' * 14}{indent}{_INDENT}{each.of} = {_value(each.value)}" for each in step.names]
            return lines
        case "statement":
            text = _cut(step.source, _SOURCE_CHARS)
            lines = [f"{head}{text}"]
            marked = [*((each, "·") for each in step.values), *((each, "→") for each in step.names)]
            margin = f"{' ' * 14}{indent}{_INDENT}"
            return lines + [
                f"{margin}{out.style(mark, dim=True)} {_cut(each.of, _VALUE_CHARS)} = {_value(each.value)}"
                for each, mark in marked
            ]
        case "more":
            return [f"{head}... {output.shown('more steps, left out here')}"]
        case _:
            of = "" if step.contract == contract else f"{step.contract}."
            fields = ", ".join(f"{each.of}={_value(each.value)}" for each in step.values)
            text = f"{step.kind} {of}{step.source} {names.removeprefix('key = ')}"
            return [f"{head}{out.style(_cut(text + (f': {fields}' if fields else ''), 2 * _SOURCE_CHARS), fg='cyan')}"]


def _value(value: Any) -> str:
    match value:
        case {"record": str() as record, "key": key} if len(value) == 2:
            return f"{record} {output.written(key)}"
        case _:
            return _cut(output.written(value), _VALUE_CHARS)


def _cut(text: str, most: int) -> str:
    shown = output.shown(text)
    return shown if len(shown) <= most else shown[: most - 3] + "..."
