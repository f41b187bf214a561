"""`hansa completion`: the script that a shell loads to complete commands and options."""

import click
from click.shell_completion import get_completion_class

from hansa.cli.output import Output


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_obj
def completion(out: Output, shell: str) -> None:
    """Print the completion script: `eval "$(hansa completion bash)"`, or write it where your shell looks."""
    from hansa.cli.main import cli

    found = get_completion_class(shell)
    assert found is not None
    script = found(cli, {}, "hansa", "_HANSA_COMPLETE").source()
    out.show({"shell": shell, "script": script}, script)
