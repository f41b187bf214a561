"""`hansa backup` and `hansa restore`."""

from pathlib import Path

import click

from hansa.cli import output
from hansa.cli.output import Output
from hansa.cli.places import data_option, ledgers


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@data_option("The ledger's folder; its node may run.")
@click.option("--keys", is_flag=True, help="Put the private keys in too. Guard the file as you guard them.")
@click.pass_obj
def backup(out: Output, file: Path, data: Path, keys: bool) -> None:
    """Write a backup of the ledger to a new FILE."""
    from hansa.node.backup import back_up

    made = back_up(ledgers(data)[0], file, keys=keys)
    held = "with private keys" if made.keys else "without private keys"
    out.show(made, f"{file}: {made.entries:,} entries, {made.size / 1e6:.1f} MB, {held}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, readable=False))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The new folder.")
@click.pass_obj
def restore(out: Output, file: Path, data: Path) -> None:
    """Make a new folder from a backup FILE. Refuses beside a running original: two nodes would fork the ledger."""
    from hansa.node.backup import restore as run

    output.log_to_stderr()
    made = run(file, data)
    text = f"{data}: {made.entries:,} entries restored and checked"
    if not made.keys:
        text += f"\nThe backup held no private keys: put them into {data}/keys before `hansa up`."
    out.show(made, text)
