"""`hansa sign`: signs what was prepared, on a machine that needs no network."""

from pathlib import Path

import click

from hansa.cli import output
from hansa.cli.governance import signature_beside, words_of
from hansa.cli.output import Output
from hansa.client import keys, offline
from hansa.wire.problems import HansaError


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--key", type=click.Path(path_type=Path), required=True, help="The private key's file.")
@click.option("--out", "out_file", type=click.Path(path_type=Path), help="The signature's file, instead of FILE.sig.")
@click.option("--full", is_flag=True, help="Show the texts that are signed to their end.")
@click.option("--yes", is_flag=True, help="Sign without being asked.")
@click.pass_obj
def sign(out: Output, file: Path, key: Path, out_file: Path | None, full: bool, yes: bool) -> None:
    """Sign what `--prepare FILE` wrote, after showing what it says; no network is used.

    What is shown is read from the bytes that are signed. Take FILE.proposal along where FILE is a ballot: then the
    proposal is shown too, after its digest was found to be the one in the ballot. The signature goes into FILE.sig.
    """
    if out.json and not yes:
        raise HansaError("argument.value", "with --json nobody is asked", remedy="Give --yes, too.")
    structure = output.read_file(file, offline.BYTES_MAX + 1)
    unsigned, _ = offline.read(structure)
    lines = words_of(file, structure, full=full)
    private = keys.load(key)
    path = out_file or signature_beside(file)
    output.check_writable(path, replace=False, remedy="Give another file name with --out.")
    signature = offline.sign(unsigned, private)
    if not yes:
        out.say("\n".join(lines))
        click.confirm("\nSign this?", abort=True, err=True)
    output.write_file(path, signature)
    fields = {"file": str(path), "id": offline.id_of(unsigned), "kid": private.kid, "says": lines}
    out.show(fields, lambda: "\n".join([*(lines if yes else []), f"{path} is the signature; take it back"]))
