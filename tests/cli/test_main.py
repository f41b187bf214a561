"""What every command has in common: options anywhere, two-line errors, exit codes, and never a traceback."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from hansa.cli import main as main_module
from hansa.cli import output
from hansa.cli.main import _COMMANDS, COMMON, cli, main
from hansa.cli.output import Output
from hansa.wire.problems import KINDS, HansaError


def test_the_version(hansa: Callable) -> None:
    ran = hansa("--version")
    assert (ran.code, ran.out, ran.err) == (0, "hansa 0.1.0\n", "")


@pytest.mark.parametrize("words", [["--help"], ["-h"], *[[name, "--help"] for name in _COMMANDS]], ids=" ".join)
def test_every_command_explains_itself(words: list[str], hansa: Callable) -> None:
    ran = hansa(*words)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Usage: hansa")
    if len(words) == 2:
        command = cli.get_command(click.Context(cli), words[0])
        assert command is not None
        assert command.help, "a command says what it does"
    assert all(option in ran.out for option in COMMON)


def test_every_option_is_explained() -> None:
    def commands(group: click.Command) -> list[click.Command]:
        if not isinstance(group, click.Group):
            return [group]
        names = group.list_commands(click.Context(group))
        found = [group.get_command(click.Context(group), name) for name in names]
        return [each for command in found if command is not None for each in commands(command)]

    options = [(c.name, p.name, p) for c in commands(cli) for p in c.params if isinstance(p, click.Option)]
    assert len(options) > 40
    assert [(command, option) for command, option, found in options if not found.help] == []


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("statsu", " Did you mean `status`?"),
        ("recipt", " Did you mean `receipt`?"),
        ("contracts", " Did you mean `contract`?"),
        ("zzzzz", ""),
        ("x" * 100, ""),
    ],
)
def test_a_misspelt_command_is_told_the_nearest(word: str, hint: str, hansa: Callable) -> None:
    ran = hansa(word)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"error: There is no command `{word[:40]}`.{hint}\nhint: `hansa --help` shows how it is used\n"


@pytest.mark.parametrize(
    ("words", "near", "path"),
    [
        (["contract", "chek"], "check", "hansa contract"),
        (["receipt", "veryfy"], "verify", "hansa receipt"),
        (["tx", "shwo"], "show", "hansa tx"),
    ],
)
def test_a_misspelt_command_of_a_group_is_told_the_nearest(
    words: list[str], near: str, path: str, hansa: Callable
) -> None:
    ran = hansa(*words)
    told, hint = ran.err.splitlines()
    assert ran.code == 2
    assert told.startswith(f"error: No such command '{words[1]}'.")
    assert near in told
    assert hint == f"hint: `{path} --help` shows how it is used"


@pytest.mark.parametrize(
    "words",
    [
        ["--nothing"],
        ["status", "--nothing"],
        ["status", "more"],
        ["call"],
        ["call", "contract"],
        ["query", "contract"],
        ["receipt", "get", "x", "--out", "y"],
        ["receipt", "get", "-1", "--out", "y"],
        ["receipt", "get", "1"],
        ["backup"],
        ["restore", "nothing", "--data", "x"],
        ["up", "--port", "65536"],
        ["up", "--port", "x"],
        ["audit"],
        ["audit", "x", "--workers", "0"],
        ["completion"],
        ["completion", "tcsh"],
        ["query", "c", "r", "--rows", "0"],
        ["call", "c", "a", "--steps", "0"],
        ["tx", "show", "1", "--not-after", "-1"],
        ["contract", "check"],
        ["--data", "x", "status"],
    ],
    ids=repr,
)
def test_wrong_usage_ends_with_2_in_two_lines(words: list[str], hansa: Callable) -> None:
    ran = hansa(*words)
    assert (ran.code, ran.out) == (2, "")
    told, hint = ran.err.splitlines()
    assert told.startswith("error: ")
    assert hint.startswith("hint: `hansa")
    as_json = hansa(*words, "--json")
    assert as_json.failed("argument.value", 2)


@pytest.mark.parametrize("words", [[], ["contract"], ["receipt"], ["tx"]], ids=repr)
def test_a_group_alone_shows_its_help(words: list[str], hansa: Callable) -> None:
    ran = hansa(*words)
    assert (ran.code, ran.err) == (2, "")
    assert ran.out.startswith("Usage: hansa")
    assert hansa(*words, "--json").failed("argument.value", 2) == "A command is missing."


def test_words_that_are_no_text_are_refused(hansa: Callable) -> None:
    assert hansa("query", "members", "User", "\udcff").failed("argument.value", 2) == "'\\udcff' is not UTF-8 text"


@pytest.mark.parametrize(
    "words",
    [
        ["--json", "status", "--data", "none"],
        ["status", "--json", "--data", "none"],
        ["status", "--data", "none", "--json"],
        ["--quiet", "status", "--no-color", "--data", "none", "--json"],
    ],
    ids=" ".join,
)
def test_the_common_options_stand_anywhere(words: list[str], hansa: Callable) -> None:
    assert hansa(*words).failed("folder.none") == "none holds no ledger"


def test_behind_two_dashes_words_are_words(hansa: Callable) -> None:
    ran = hansa("contract", "check", "--", "--json")
    assert ran.failed("argument.file", 2) == "--json: No such file or directory"


def test_every_exit_code_has_its_meaning() -> None:
    assert (output.DONE, output.FAILED, output.USAGE, output.UNHEALTHY, output.REFUSED) == (0, 1, 2, 3, 4)
    codes = {code: output.exit_code(HansaError(code)) for code in KINDS}
    assert set(codes.values()) == {1, 2}
    assert {code.partition(".")[0] for code, exit_code in codes.items() if exit_code == 2} == {
        "argument",
        "calendar",
        "contract",
        "events",
        "forward",
        "query",
        "request",
    }
    assert codes["contract.missing"] == codes["argument.action"], "what is not there is asked for in vain, all the same"


# What nobody expected


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Makes `hansa status` raise."""

    def break_with(error: BaseException) -> None:
        @click.command()
        def status() -> None:
            raise error

        monkeypatch.setattr(main_module._Lazy, "get_command", lambda *_: status)

    return break_with


def test_a_defect_is_told_without_its_trace(
    broken: Callable, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    broken(ZeroDivisionError("secret detail"))
    with pytest.raises(SystemExit) as ended:
        main(["status"])
    out, err = capsys.readouterr()
    (kept,) = tmp_path.iterdir()
    assert (ended.value.code, out) == (1, "")
    assert err == (
        f"error: ZeroDivisionError; the details are in {kept} [node.defect]\nhint: {KINDS['node.defect'].remedy}\n"
    )
    assert "secret detail" in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interruption_ends_with_130(
    error: BaseException, broken: Callable, capsys: pytest.CaptureFixture[str]
) -> None:
    broken(error)
    with pytest.raises(SystemExit) as ended:
        main(["status"])
    out, err = capsys.readouterr()
    assert (ended.value.code, out, err.strip()) == (130, "", "")


def test_an_expected_failure_is_told_with_every_problem(broken: Callable, capsys: pytest.CaptureFixture[str]) -> None:
    broken(HansaError("argument.value", "a; b", problems=["a", "b"]))
    with pytest.raises(SystemExit) as ended:
        main(["status"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "error: An argument does not fit [argument.value]\n  - a\n  - b\nhint: Mend what is named here.\n"
    )


def test_a_reader_that_goes_away_is_no_defect() -> None:
    command = [sys.executable, "-m", "hansa.cli.main", "completion", "bash"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert (process.stderr.read(), process.wait(30)) == ("", 1)


# Colour


@pytest.mark.parametrize(
    ("words", "environment", "coloured"),
    [
        ([], {}, True),
        (["--no-color"], {}, False),
        ([], {"NO_COLOR": "1"}, False),
        ([], {"NO_COLOR": ""}, True),
    ],
)
def test_colour_is_shown_on_a_terminal_unless_unwanted(
    words: list[str], environment: dict[str, str], coloured: bool
) -> None:
    shown = on_terminal("contract", "check", "nothing.py", *words, **environment)
    assert "error:" in shown
    assert ("\x1b[" in shown) == coloured


def on_terminal(*words: str, **environment: str) -> str:
    """What a command shows on a terminal."""
    try:
        ours, theirs = pty.openpty()
    except OSError as error:
        pytest.skip(f"this machine has no terminals to give: {error}")
    try:
        subprocess.run(
            [sys.executable, "-m", "hansa.cli.main", *words],
            stdout=theirs,
            stderr=theirs,
            timeout=30,
            env={**os.environ, "TERM": "xterm", **environment},
            check=False,
        )
        return os.read(ours, 65_536).decode()
    finally:
        os.close(ours)
        os.close(theirs)


def test_there_is_no_colour_in_a_pipe(hansa_process: Callable) -> None:
    ran = hansa_process("contract", "check", "nothing.py")
    assert ran.failed("argument.file", 2) == "nothing.py: No such file or directory"


def test_json_is_one_line_and_nothing_else(hansa_process: Callable) -> None:
    ran = hansa_process("contract", "check", "nothing.py", "--json")
    assert ran.err == ""
    assert json.loads(ran.out)["error"]["code"] == "argument.file"


def test_a_command_imports_only_what_it_needs() -> None:
    """`status` must be quick: neither the server, nor the database, nor rich is loaded for it."""
    script = (
        "import sys\nfrom hansa.cli.main import main\n"
        "try: main(['status', '--data', 'none'])\nexcept SystemExit: pass\n"
        "print([m for m in ('uvicorn', 'starlette', 'lmdb', 'rich', 'uvloop', 'hansa.node') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "[]\n"


def test_an_interrupted_process_ends_with_130() -> None:
    script = (
        "import time\nfrom hansa.cli import main\n"
        "main.cli.main = lambda *a, **k: [print('ready', flush=True), time.sleep(60)]\nmain.main(['status'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as p:
        assert p.stdout is not None
        assert p.stdout.readline() == "ready\n"
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=10)
    assert (p.returncode, out, err) == (130, "", "")


def test_quiet_keeps_the_result_and_drops_the_notes(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet, err in ((False, "note\n"), (True, "")):
        out = Output(json=False, quiet=quiet, color=False)
        out.show({"a": 1}, "result")
        out.note("note")
        assert capsys.readouterr() == ("result\n", err)
    as_json = Output(json=True, quiet=False, color=False)
    as_json.show({"a": b"\x01", "b": 2**60}, "result")
    as_json.say("words")
    as_json.note("note")
    assert capsys.readouterr() == ('{"a":"01","b":"1152921504606846976"}\n', "")
