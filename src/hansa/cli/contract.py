"""`hansa contract`: check a contract file, see what it declares, deploy it, show what is deployed."""

import sys
from pathlib import Path
from typing import Any, Final

import click

from hansa.cli import output
from hansa.cli.call import submit
from hansa.cli.output import Output
from hansa.cli.places import connect, data_option, signer_options, signing_key, url_option
from hansa.client import transactions
from hansa.client.arguments import described
from hansa.client.connection import segment
from hansa.wire import names
from hansa.wire.problems import HansaError

_DEPLOY_STEPS: Final = 20_000
"""What a deployment takes at most, but for the checking of the file."""

_OTHER_NAME: Final = "Give another with --name: lower-case letters, digits and underscores."


@click.group()
def contract() -> None:
    """Contracts: files in the contract dialect."""


@contract.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="The name it will have; by default the file's or its folder's.")
@click.pass_obj
def check(out: Output, file: Path, name: str | None) -> int:
    """Check a contract file. Exits with 1 and says where and why if it cannot be deployed."""
    return _examine(out, file, read_source(file), _deployed_name(file, name))


def _examine(out: Output, file: Path, source: str, name: str) -> int:
    from hansa.contracts import program
    from hansa.contracts.diagnostics import ContractInvalid, render

    try:
        manifest, _ = program.check(source, name)
    except ContractInvalid as invalid:
        findings = "\n".join(render(source, found, str(file)) for found in invalid.diagnostics)
        text = f"{findings}\n\n{out.style(f'{len(invalid.diagnostics)} finding(s)', fg='red')}"
        out.show({"valid": False, "findings": invalid.diagnostics}, text)
        return output.FAILED
    fields = {"valid": True, "contract": manifest.name, "version": manifest.version}
    counts = f"{len(manifest.actions)} action(s), {len(manifest.views)} view(s), {len(manifest.records)} record type(s)"
    out.show(fields, f"{out.style('good', fg='green')}  {manifest.name} {manifest.version}: {counts}")
    return output.DONE


@contract.command()
@click.argument("what", metavar="FILE|NAME")
@data_option()
@url_option()
@click.pass_obj
def schema(out: Output, what: str, data: Path, url: str | None) -> None:
    """Print what a contract file, or a deployed contract, declares, with JSON Schemas."""
    if Path(what).is_file() or what.endswith(".py") or not names.is_contract(what):
        from hansa.contracts import program
        from hansa.contracts.schema import contract_schema

        found = contract_schema(program.check(read_source(Path(what)), name_of(Path(what)))[0])
    else:
        with connect(data, url) as node:
            found = node.get(f"/app/contracts/{segment(what)}")
    out.show(found, lambda: _pretty(found))


@contract.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="Its name on the ledger; by default the file's or its folder's.")
@signer_options
@click.option("--dry-run", is_flag=True, help="Check the file, submit nothing.")
@data_option()
@url_option()
@click.pass_obj
def deploy(
    out: Output,
    file: Path,
    name: str | None,
    signer: str | None,
    key: Path | None,
    dry_run: bool,
    data: Path,
    url: str | None,
) -> int:
    """Put a contract on the ledger. Exits with 4 if the signer may not."""
    from hansa.contracts import prices, program

    source, wanted = read_source(file), _deployed_name(file, name)
    if out.json and not dry_run:  # what comes of the deployment is the one document
        program.check(source, wanted)
    else:
        failed = _examine(out, file, source, wanted)
        if failed or dry_run:
            return failed
    private = signing_key(data, signer, key)
    with connect(data, url) as node:
        if wanted in {deployed["name"] for deployed in node.get("/app/contracts")["contracts"]}:
            raise HansaError(
                "contract.name", f"there is a contract {wanted} on this ledger already", remedy=_OTHER_NAME
            )
        arguments = {"name": wanted, "source": source}
        steps = _DEPLOY_STEPS + prices.CHECK_STEPS_PER_BYTE * len(source.encode())
        made = transactions.prepare(private, node.ledger(), "members", "deploy", arguments, steps_max=steps)
        return submit(out, node, made, None, data, url)


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
    out.show(found, lambda: _described(found))


def _deployed_name(file: Path, given: str | None) -> str:
    """The name a contract will have. Raises `HansaError` if no ledger takes it."""
    from hansa.governance.genesis import CONTRACT

    name = name_of(file) if given is None else given
    if not names.is_contract(name) or name == CONTRACT:
        why = "is taken by the ledger's own contract" if name == CONTRACT else "cannot name a contract"
        raise HansaError("contract.name", f"{name[:60]!a} {why}", remedy=_OTHER_NAME)
    return name


def read_source(file: Path) -> str:
    """A contract file's text. Raises `HansaError` `argument.file`."""
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise HansaError("argument.file", f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise HansaError("argument.file", f"{file} is not UTF-8 text") from None


def name_of(file: Path) -> str:
    """The name a contract file suggests: its own, or its folder's if it is called contract.py."""
    stem = file.absolute().parent.name if file.stem == "contract" else file.stem
    return stem.lower().replace("-", "_")


def _described(found: dict[str, Any]) -> str:
    lines = [f"{found['contract']} {found['version']}", _lines(found["description"]), ""]
    for name, role in found["roles"].items():
        attribute = role["attribute"]
        whose = f"members with the attribute {attribute}" if attribute else f"who stands in a record's field `{name}`"
        lines.append(f"role    {name}: {whose}")
    for title in ("actions", "views"):
        for name, declared in found[title].items():
            given = declared["arguments"]["properties"]
            who = f"  by {declared['by']}" if title == "actions" else ""
            lines.append(f"{title[:-1]:7} {name}({', '.join(given)}){who}")
            if declared["arguments"]["description"]:
                lines.append(f"        {output.shown(declared['arguments']['description'].splitlines()[0])}")
            lines += _fields(given)
    for name, declared in found["records"].items():
        indexes = f"  index {', '.join(declared['index'])}" if declared["index"] else ""
        lines.append(f"record  {name}  key {declared['key']}{indexes}")
        lines += _fields(declared["schema"]["properties"])
    return "\n".join(lines)


def _fields(properties: dict[str, Any]) -> list[str]:
    width = max(map(len, properties), default=0)
    return [f"          {name:{width}}  {described(schema)}" for name, schema in properties.items()]


def _lines(text: str) -> str:
    """Text of others in its lines, everything else in it that is no plain character escaped."""
    return "\n".join(output.shown(line) for line in text.split("\n"))


def _pretty(value: Any) -> str:
    import json

    return json.dumps(value, indent=2, default=str)
