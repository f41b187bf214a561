"""`hansa contract stubs`: a typed client for a contract, written as a Python module."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hansa.cli import output
from hansa.cli.libraries import find_libraries
from hansa.cli.output import Output
from hansa.cli.places import connect, data_option, url_option
from hansa.cli.sources import deployed_name, library_option, read_libraries, read_source
from hansa.wire import names
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.contracts.checked import Checked

_MADE: Final = b"Made by `hansa contract stubs`"
"""In the head of every module that this writes: those alone are written over."""


@click.command()
@click.argument("what", metavar="FILE|NAME")
@click.option("--out", "file", type=click.Path(path_type=Path), help="Where to write it, instead of standard output.")
@click.option("--async", "is_async", is_flag=True, help="For AsyncClient: methods are awaited.")
@click.option(
    "--name", help="What a contract file is called on the ledger; by default the file's name or its folder's."
)
@library_option()
@data_option()
@url_option()
@click.pass_obj
def stubs(
    out: Output,
    what: str,
    file: Path | None,
    is_async: bool,
    name: str | None,
    libraries: tuple[Path, ...],
    data: Path,
    url: str | None,
) -> None:
    """Write a typed client for a contract file, or for a contract on the ledger.

    A Python module with a class that has a method for each action and view, and two for each record type, so that
    editors and type checkers know what a contract takes and gives. Written again, it is the same.

    Of a contract on the ledger the node gives the source, which is checked here like a file, and the module is made of
    that alone. DIGEST in it is the SHA-256 of that source: compare it with the one that you expect, since a node could
    give another contract.
    """
    from hansa.client.stubs import module

    if file is not None:
        _check_free(file)
    schema, digest = _declared(what, name, libraries, data, url)
    text = module(schema, digest, is_async=is_async)
    fields = {"contract": schema["contract"], "version": schema["version"], "digest": digest}
    if file is None:
        out.show({**fields, "module": text}, text.removesuffix("\n"))
        return
    output.replace_file(file, text.encode())
    out.show({**fields, "file": str(file)}, f"{file}: a client of {schema['contract']} {schema['version']}")


def _declared(
    what: str, name: str | None, libraries: tuple[Path, ...], data: Path, url: str | None
) -> tuple[dict[str, Any], str]:
    """The schema of a contract, and the SHA-256 of its source. Raises `HansaError`."""
    from hansa.contracts.schema import contract_schema

    file = Path(what)
    if not file.is_file() and not what.endswith(".py") and names.is_contract(what):
        checked = _deployed(what, libraries, data, url)
    else:
        from hansa.contracts import program

        checked = program.check(read_source(file), deployed_name(file, name), read_libraries(libraries))
    if checked.manifest.kind == "library":
        told = f"{what} is a library: it has no actions or views to call"
        raise HansaError("contract.invalid", told, remedy="Give the file or the name of a contract.")
    return contract_schema(checked.manifest), checked.digest.hex()


def _deployed(name: str, libraries: tuple[Path, ...], data: Path, url: str | None) -> "Checked":
    """A contract of the ledger, from its source and nothing else that the node says. Raises `HansaError`."""
    from hansa.contracts import program
    from hansa.contracts.diagnostics import ContractInvalid
    from hansa.contracts.schedules import CONTRACT

    with connect(data, url) as node:
        given = node.get_bytes(f"/app/contracts/{name}/source")
    try:
        source = given.decode()
        known = find_libraries(source, libraries, data, url)
        return program.check(source, name, known, system=name == CONTRACT)
    except UnicodeDecodeError:
        raise HansaError("node.foreign", f"what the node gives as the source of {name} is no text") from None
    except ContractInvalid as invalid:
        told = f"the contract {name} of the ledger: {invalid.detail}"
        remedy = "Run the version of Hansa that the node has."
        raise HansaError("contract.invalid", told, remedy=remedy, findings=invalid.diagnostics) from None


def _check_free(file: Path) -> None:
    """Refuses to write over what was not written by this command."""
    output.check_writable(file, replace=True)
    if file.exists() and _MADE not in file.read_bytes():
        remedy = "Give another file, or remove this one first."
        raise HansaError("argument.exists", f"{file} is there, and was not written by this command", remedy=remedy)
