"""`hansa completion`: a script for each shell, which asks the command itself what fits."""

import subprocess
from collections.abc import Callable

import pytest

from hansa.cli.contract import contract

MARKS = {
    "bash": "complete -o nosort -F _hansa_completion hansa",
    "zsh": "#compdef hansa",
    "fish": "complete --no-files --command hansa",
}


@pytest.mark.parametrize("shell", MARKS)
def test_a_script_for_each_shell(shell: str, hansa: Callable) -> None:
    ran = hansa("completion", shell)
    assert (ran.code, ran.err) == (0, "")
    assert MARKS[shell] in ran.out
    assert "_HANSA_COMPLETE" in ran.out
    found = hansa("completion", shell, "--json").json
    assert found == {"shell": shell, "script": ran.out[:-1]}


def test_bash_can_read_its_script(hansa: Callable) -> None:
    script = hansa("completion", "bash").out
    subprocess.run(["bash", "-n"], input=script, text=True, check=True, timeout=10)


@pytest.mark.parametrize(
    ("words", "position", "offered"),
    [
        ("hansa sta", "1", ["plain,status"]),
        ("hansa con", "1", ["plain,constitution", "plain,contract"]),
        (
            "hansa contract ",
            "2",
            [f"plain,{name}" for name in sorted(contract.commands)],
        ),
        ("hansa receipt v", "2", ["plain,verify"]),
        ("hansa status --da", "2", ["plain,--data"]),
        ("hansa contract show --js", "3", ["plain,--json"]),
        ("hansa --no", "1", ["plain,--no-color"]),
        ("hansa completion ", "2", ["plain,bash", "plain,zsh", "plain,fish"]),
    ],
)
def test_what_fits_is_offered(words: str, position: str, offered: list[str], hansa_process: Callable) -> None:
    ran = hansa_process(_HANSA_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=position)
    assert (ran.code, ran.out.splitlines(), ran.err) == (0, offered, "")
