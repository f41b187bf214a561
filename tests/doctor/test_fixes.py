"""What a fix tells one to type is there to be typed."""

import re
from pathlib import Path

import click
import pytest

import hansa.doctor
from hansa.cli.main import cli

SOURCES = sorted(Path(hansa.doctor.__file__).parent.glob("*.py"))
FOREIGN = re.compile(r"`(?!hansa )[^`]*`")


def parameters(words: list[str]) -> set[str] | None:
    """The options of a command named by the first words; None if there is no such command."""
    command: click.Command | None = cli
    with click.Context(cli) as context:
        while words and isinstance(command, click.Group):
            command = command.get_command(context, words.pop(0))
    if command is None or isinstance(command, click.Group):
        return None
    return {name for parameter in command.params for name in parameter.opts}


def test_every_command_in_a_text_is_there_with_its_options() -> None:
    found = [line for path in SOURCES for line in re.findall(r"`hansa ([^`]*)`", path.read_text("utf-8"))]
    assert len(found) > 8
    for line in found:
        options = parameters(line.split())
        assert options is not None, line
        assert set(re.findall(r"--[a-z-]+", line)) <= options, line


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_option_that_stands_alone_is_one_of_a_command(path: Path) -> None:
    known: set[str] = set()
    with click.Context(cli) as context:
        for name in cli.list_commands(context):
            command = cli.get_command(context, name)
            assert command is not None
            known |= {option for parameter in command.params for option in parameter.opts}
    text = FOREIGN.sub("", path.read_text("utf-8"))
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) <= known
