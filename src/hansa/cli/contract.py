"""`hansa contract`: check a contract file, try it, see what it declares, deploy or upgrade it, show what is there."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hansa.cli import output
from hansa.cli.call import submit
from hansa.cli.contract_tests import test
from hansa.cli.diagram import diagram
from hansa.cli.libraries import find_libraries
from hansa.cli.new_contract import new
from hansa.cli.output import Output
from hansa.cli.places import connect, data_option, record_if_there, signer_options, signing_key, url_option
from hansa.cli.progress import Progress
from hansa.cli.signers import attributes_of, owner_of
from hansa.cli.sources import (
    OTHER_NAME,
    check_constitution,
    deployed_name,
    library_option,
    name_of,
    read_libraries,
    read_source,
    show_findings,
)
from hansa.cli.stubs import stubs
from hansa.cli.trace import trace
from hansa.cli.trial import run
from hansa.client import transactions
from hansa.client.arguments import described
from hansa.client.client import Client
from hansa.client.exchange import segment
from hansa.wire import entry, names
from hansa.wire.keys import PrivateKey
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.contracts.checked import Checked
    from hansa.contracts.declarations import Libraries
    from hansa.contracts.faults import Fault

_FAILURES_MAX: Final = 1_000
"""So many records that fail are enough: whoever mends the file tries again."""
_FAILURES_SHOWN: Final = 20


@click.group()
def contract() -> None:
    """Contracts: files in the contract dialect."""


contract.add_command(diagram)
contract.add_command(new)
contract.add_command(run)
contract.add_command(stubs)
contract.add_command(test)
contract.add_command(trace)


@contract.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="The name it will have; by default the file's or its folder's.")
@click.option("--constitution", "is_constitution", is_flag=True, help="Whether it can be the ledger's constitution.")
@library_option()
@click.pass_obj
def check(out: Output, file: Path, name: str | None, is_constitution: bool, libraries: tuple[Path, ...]) -> int:
    """Check a contract or library file. Exits with 1 and says where and why if it cannot be deployed."""
    source = read_source(file)
    if is_constitution:
        if name is not None:
            raise HansaError("argument.value", "a constitution has its own name; leave out --name")
        return _check_constitution(out, file, source, read_libraries(libraries))
    wanted = deployed_name(file, name)
    return output.FAILED if _examined(out, file, source, wanted, read_libraries(libraries)) is None else output.DONE


def _check_constitution(out: Output, file: Path, source: str, libraries: "Libraries") -> int:
    """Checks a constitution's file and shows what came of it; the exit code."""
    from hansa.governance.genesis import CONSTITUTION

    checked = check_constitution(out, file, source, libraries)
    if checked is None:
        return output.FAILED
    version, digest = checked.manifest.version, checked.digest.hex()
    fields = {"valid": True, "contract": CONSTITUTION, "version": version, "digest": digest}
    out.show(fields, f"{out.style('good', fg='green')}  {CONSTITUTION} {version}, {digest}")
    return output.DONE


def _examined(out: Output, file: Path, source: str, name: str, libraries: "Libraries") -> "Checked | None":
    """Checks a file and shows what came of it; None if it has findings."""
    from hansa.contracts import program
    from hansa.contracts.diagnostics import ContractInvalid

    try:
        checked = program.check(source, name, libraries)
    except ContractInvalid as invalid:
        show_findings(out, file, source, invalid)
        return None
    manifest, good = checked.manifest, out.style("good", fg="green")
    if manifest.kind == "library":
        digest = checked.digest.hex()
        counts = (
            f"{len(manifest.functions)} function(s), {len(manifest.structs)} struct(s), {len(manifest.enums)} enum(s)"
        )
        text = f'{good}  {name}: {counts}\nuse it by `{name} = library("{name}", "{digest}")`'
        out.show({"valid": True, "library": name, "digest": digest}, text)
        return checked
    counts = f"{len(manifest.actions)} action(s), {len(manifest.views)} view(s), {len(manifest.records)} record type(s)"
    fields = {"valid": True, "contract": manifest.name, "version": manifest.version}
    out.show(fields, f"{good}  {manifest.name} {manifest.version}: {counts}")
    return checked


@contract.command()
@click.argument("what", metavar="FILE|NAME")
@library_option()
@data_option()
@url_option()
@click.pass_obj
def schema(out: Output, what: str, libraries: tuple[Path, ...], data: Path, url: str | None) -> None:
    """Print what a contract file, or a deployed contract, declares, with JSON Schemas."""
    if Path(what).is_file() or what.endswith(".py") or not names.is_contract(what):
        from hansa.contracts import program
        from hansa.contracts.schema import contract_schema

        source, found = read_source(Path(what)), read_libraries(libraries)
        found = contract_schema(program.check(source, name_of(Path(what)), found).manifest)
    else:
        with connect(data, url) as node:
            found = node.get(f"/app/contracts/{segment(what)}")
    out.show(found, lambda: _pretty(found))


@contract.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="Its name on the ledger; by default the file's or its folder's.")
@library_option()
@signer_options
@click.option("--dry-run", is_flag=True, help="Check the file, submit nothing.")
@data_option()
@url_option()
@click.pass_obj
def deploy(
    out: Output,
    file: Path,
    name: str | None,
    libraries: tuple[Path, ...],
    signer: str | None,
    key: Path | None,
    dry_run: bool,
    data: Path,
    url: str | None,
) -> int:
    """Put a contract or a library on the ledger. Exits with 4 if the signer may not.

    A library is used by the SHA-256 of its file, so a changed one is another; contracts go on with theirs. Those that
    the file uses are taken from the ledger, where --library does not give them.
    """
    source, wanted = read_source(file), deployed_name(file, name)
    known = find_libraries(source, libraries, data, url)
    checked = _sound(out, file, source, wanted, known, silent=out.json and not dry_run)
    if checked is None:
        return output.FAILED
    if dry_run:
        out.note("nothing was sent")
        return output.DONE
    private = signing_key(data, signer, key)
    with connect(data, url) as node:
        if (denied := _denied(node, private)) is not None:
            return _refused(out, denied)
        if checked.manifest.kind == "library":
            _check_new(node, wanted, checked.digest.hex())
            action = "deploy_library"
        else:
            if wanted in {deployed["name"] for deployed in node.get("/app/contracts")["contracts"]}:
                told = f"there is a contract {wanted} on this ledger already"
                remedy = f"`hansa contract upgrade {wanted} FILE` puts its next version there. {OTHER_NAME}"
                raise HansaError("contract.name", told, remedy=remedy)
            action = "deploy"
        return _send(out, node, private, action, {"name": wanted, "source": source}, data, url)


@contract.command()
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@library_option()
@signer_options
@click.option("--dry-run", is_flag=True, help="Check the file and try it on the live records, submit nothing.")
@click.option("--force", is_flag=True, help="Submit it even if there are records that fail.")
@data_option()
@url_option()
@click.pass_obj
def upgrade(
    out: Output,
    name: str,
    file: Path,
    libraries: tuple[Path, ...],
    signer: str | None,
    key: Path | None,
    dry_run: bool,
    force: bool,
    data: Path,
    url: str | None,
) -> int:
    """Put the next version of a contract in its place, after trying it on all live records.

    A record that fails is one that nobody could touch any more: it cannot be brought up to the version, or would break
    a rule of its own. Exits with 1 if there are any, and with 4 if the signer may not.
    """
    source, wanted = read_source(file), deployed_name(file, name)
    known = find_libraries(source, libraries, data, url)
    checked = _sound(out, file, source, wanted, known, silent=out.json)
    if checked is None:
        return output.FAILED
    if checked.manifest.kind == "library":
        told = f"{file} is a library: deploy it, and pin its digest in the contracts that use it"
        raise HansaError("contract.invalid", told, remedy=f"`hansa contract deploy {file}` puts it on the ledger.")
    private = None if dry_run else signing_key(data, signer, key)
    with connect(data, url) as node:
        if private is not None and (denied := _denied(node, private)) is not None:
            return _refused(out, denied)
        tried = try_version(out, node, wanted, source)
        good = not tried["problems"] and (force or not tried["failures"])
        if private is None or not good:
            out.show(tried, lambda: verdict(out, tried))
            return output.FAILED if tried["problems"] or tried["failures"] else output.DONE
        out.say(verdict(out, tried))
        return _send(out, node, private, "upgrade", {"deployment": wanted, "source": source}, data, url)


def _sound(out: Output, file: Path, source: str, name: str, known: "Libraries", *, silent: bool) -> "Checked | None":
    """What a file without findings declares, shown unless something else is the one document; None if it has some."""
    from hansa.contracts import program

    return program.check(source, name, known) if silent else _examined(out, file, source, name, known)


def _denied(node: Client, private: PrivateKey) -> "Fault | None":
    """Why the signer may not deploy; None if the ledger is the one to say.

    It is asked for here since a file may take more steps than the ledger allows anyone but a deployer, who would be
    told of that instead.
    """
    from hansa.contracts import messages
    from hansa.governance.genesis import DEPLOYER

    owner = owner_of(node, private.kid)
    if owner is None:
        return None
    member = owner.partition("/")[0]
    return None if DEPLOYER in attributes_of(node, member) else messages.role_attribute(member, DEPLOYER)


def _refused(out: Output, denied: "Fault") -> int:
    """Shows what the ledger would say; the exit code."""
    result = {"message": denied.message, "values": denied.values}
    fields = {"status": entry.REFUSED, "code": denied.code, "result": result, "sent": False}
    text = f"nothing was sent: {output.filled(result)} [{denied.code}]"
    out.show(fields, lambda: f"{out.style('refused', fg='red')}  {text}")
    out.note(
        "hint: members decide about it: hansa proposal new --action set_contract name=NAME source=FILE --as MEMBER"
    )
    return output.REFUSED


def _check_new(node: Client, name: str, digest: str) -> None:
    """Refuses a library that is there. Raises `HansaError`."""
    if record_if_there(node, "members", "Library", digest) is None:
        return
    remedy = f'Contracts use it by `library("{name}", "{digest}")`.'
    raise HansaError("contract.name", "this library is on the ledger already", remedy=remedy)


def _send(
    out: Output,
    node: Client,
    private: PrivateKey,
    action: str,
    arguments: dict[str, Any],
    data: Path,
    url: str | None,
) -> int:
    """Submits what is about a file, with the steps that checking it takes."""
    steps = transactions.deploy_steps(arguments["source"])
    made = transactions.prepare(
        private, node.ledger(), "members", action, arguments, steps_max=steps, not_after=node.not_after()
    )
    return submit(out, node, made, None, data, url)


def try_version(out: Output, node: Client, name: str, source: str) -> dict[str, Any]:
    """Has the node try a version on all live records, as far as it takes to know."""
    before = node.get(f"/app/contracts/{segment(name)}")["version"]
    records, failures, after = 0, list[dict[str, Any]](), None
    with Progress(out, "records tried") as progress:
        while True:
            part = node.trial(name, source, after)
            after = part["next"]
            records += part["records"]
            failures += part["failures"]
            progress.tell(records)
            if after is None or len(failures) >= _FAILURES_MAX:
                break
    return {
        "contract": name,
        "version": part["version"],
        "before": before,
        "records": records,
        "problems": part["problems"],
        "failures": failures,
        "complete": after is None,
    }


def verdict(out: Output, tried: dict[str, Any]) -> str:
    """What a trial found, in words."""
    failures: list[dict[str, Any]] = tried["failures"]
    if tried["problems"]:
        head = f"{tried['version']} {out.style('cannot follow', fg='red')} {tried['before']}:"
        return "\n".join([head, *(f"  {output.shown(each)}" for each in tried["problems"])])
    count = f"{tried['records']:,} record(s)"
    if not failures:
        return f"{out.style('tried', fg='green')}  on {count}: all of them come up to {tried['version']}"
    more = "" if tried["complete"] else ", and did not look further"
    lines = [f"{out.style('tried', fg='red')}  on {count}: {len(failures):,} would fail{more}"]
    for each in failures[:_FAILURES_SHOWN]:
        line = "" if each["line"] is None else f", line {each['line']}"
        key = output.written(each["key"])
        lines.append(f"  {output.shown(each['record'])} {key}: {output.filled(each)} [{each['code']}{line}]")
    if len(failures) > _FAILURES_SHOWN:
        lines.append(f"  and {len(failures) - _FAILURES_SHOWN:,} more; --json has them all")
    return "\n".join(lines)


@contract.command()
@click.argument("name", required=False)
@click.option("--source", is_flag=True, help="The source itself.")
@data_option()
@url_option()
@click.pass_obj
def show(out: Output, name: str | None, source: bool, data: Path, url: str | None) -> None:
    """Show a deployed contract: who may do what. Without NAME, list them."""
    with connect(data, url) as node:
        if name is None:
            listed: list[dict[str, Any]] = node.get("/app/contracts")["contracts"]
            rows = [[c["name"], c["version"], output.shown(c["description"].split("\n")[0])] for c in listed]
            out.show(listed, lambda: output.table(["NAME", "VERSION", "WHAT IT IS"], rows))
            return
        if source:
            text = node.get_bytes(f"/app/contracts/{segment(name)}/source").decode()
            out.show({"contract": name, "source": text}, lambda: _lines(text) if sys.stdout.isatty() else text)
            return
        found = node.get(f"/app/contracts/{segment(name)}")
        found |= node.get(f"/app/contracts/{segment(name)}/versions")
    out.show(found, lambda: _described(found))


def _described(found: dict[str, Any]) -> str:
    defined = found["$defs"]
    lines = [f"{found['contract']} {found['version']}", _lines(found["description"]), ""]
    lines += [f"version {each['version']}  from entry {each['since']} on" for each in found["versions"]]
    lines += [f"role    {name}: {_whose(name, role)}" for name, role in found["roles"].items()]
    for name, action in found["actions"].items():
        moves = f"  on {', '.join(action['on'])}" if action["on"] else ""
        moves += f"  to {' or '.join(action['to'])}" if action["to"] else ""
        lines.append(
            f"action  {name}({', '.join(action['arguments']['properties'])})  by {' or '.join(action['by'])}{moves}"
        )
        lines += _taken(action["arguments"], defined)
    for name, view in found["views"].items():
        returns = f" -> {described(view['returns'], defined)}" if view["returns"] else ""
        lines.append(f"view    {name}({', '.join(view['arguments']['properties'])}){returns}")
        lines += _taken(view["arguments"], defined)
    for name, record in found["records"].items():
        indexes = f"  index {', '.join(record['index'])}" if record["index"] else ""
        lines.append(f"record  {name}  key {record['key']}{indexes}")
        lines += _fields(record["schema"]["properties"], defined)
    for name, values in found["enums"].items():
        lines.append(f"enum    {name}")
        lines += [f"          {value}: {output.shown(says)}" for value, says in values.items()]
    return "\n".join(lines)


def _whose(name: str, role: dict[str, Any]) -> str:
    """Who has a role, in words."""
    if role["contract"]:
        return f"the contract {role['contract']}"
    if role["user"]:
        return f"users with the attribute {role['user']}"
    if role["attribute"]:
        return f"members with the attribute {role['attribute']}"
    return f"who stands in a record's field `{name}`"


def _taken(arguments: dict[str, Any], defined: dict[str, Any]) -> list[str]:
    doc = arguments["description"].splitlines()[:1]
    return [*(f"        {output.shown(line)}" for line in doc), *_fields(arguments["properties"], defined)]


def _fields(properties: dict[str, Any], defined: dict[str, Any]) -> list[str]:
    width = max(map(len, properties), default=0)
    return [f"          {name:{width}}  {described(schema, defined)}" for name, schema in properties.items()]


def _lines(text: str) -> str:
    """Text of others in its lines, everything else in it that is no plain character escaped."""
    return "\n".join(output.shown(line) for line in text.split("\n"))


def _pretty(value: Any) -> str:
    import json

    return json.dumps(value, indent=2, default=str)
