"""The `hansa` command: its groups, what they have in common, and the one place where failures become exit codes.

Commands are loaded when they are called, so that each costs only what it needs.
"""

import difflib
import importlib
import os
import sys
from typing import Any, Final

import click

import hansa
from hansa.cli import output
from hansa.cli.output import Output
from hansa.wire.problems import HansaError

_COMMANDS: Final = {
    "app": "hansa.cli.app:app",
    "audit": "hansa.cli.audit:audit",
    "backup": "hansa.cli.backup:backup",
    "bench": "hansa.cli.bench:bench",
    "calendar": "hansa.cli.calendar:calendar",
    "call": "hansa.cli.call:call",
    "clock": "hansa.cli.clock:clock",
    "compare": "hansa.cli.compare:compare",
    "completion": "hansa.cli.completion:completion",
    "constitution": "hansa.cli.constitution:constitution",
    "contract": "hansa.cli.contract:contract",
    "demo": "hansa.cli.demo:demo",
    "doctor": "hansa.cli.doctor:doctor",
    "engines": "hansa.cli.engines:engines",
    "events": "hansa.cli.events:events",
    "member": "hansa.cli.member:member",
    "network": "hansa.cli.network:network",
    "proposal": "hansa.cli.proposal:proposal",
    "query": "hansa.cli.query:query",
    "receipt": "hansa.cli.receipt:receipt",
    "restore": "hansa.cli.backup:restore",
    "sign": "hansa.cli.sign:sign",
    "status": "hansa.cli.status:status",
    "trust": "hansa.cli.trust:trust",
    "tx": "hansa.cli.tx:tx",
    "up": "hansa.cli.up:up",
    "user": "hansa.cli.user:user",
    "verify": "hansa.cli.verify:verify",
}

COMMON: Final = {
    "--json": "One JSON document on stdout, also for errors.",
    "--quiet": "No notes, the result alone.",
    "--no-color": "No colours; the environment variable NO_COLOR does the same.",
}
"""Options of every command, taken from anywhere on the line before click sees it."""


def _explained(command: click.Command) -> click.Command:
    """The command, its help and completion with the options that every command has."""
    known = {name for parameter in command.params for name in parameter.opts}
    command.params += [
        click.Option([name], is_flag=True, expose_value=False, help=text)
        for name, text in COMMON.items()
        if name not in known
    ]
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _explained(inner)
    return command


class _Lazy(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See `click.Group`."""
        return sorted(_COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See `click.Group`; a misspelt command is told the nearest one."""
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise click.UsageError(f"There is no command `{args[0][:40]}`.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See `click.Group`."""
        place = _COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, name = place.split(":")
        return _explained(getattr(importlib.import_module(module), name))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(hansa.__version__, "--version", message="hansa %(version)s")
def cli() -> None:
    """Hansa: a ledger that organisations keep together.

    Start with `hansa demo`, which shows everything in a temporary folder, or `hansa up`, which starts a node.
    Every command takes --json for machines, --quiet and --no-color.
    """


_explained(cli)


def main(arguments: list[str] | None = None) -> None:
    """The entry point: takes the options that every command has, runs the command, turns failures into codes."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    words, given = _take_common(words)
    out = Output(
        json="--json" in given,
        quiet="--quiet" in given,
        color="--no-color" not in given and not os.environ.get("NO_COLOR") and sys.stdout.isatty(),
    )
    try:
        _check_text(words)
        result: Any = cli.main(words, prog_name="hansa", standalone_mode=False, obj=out)
    except click.exceptions.NoArgsIsHelpError as error:
        out.say(error.format_message())
        if out.json:
            _usage(click.UsageError("A command is missing.", error.ctx), out)
        sys.exit(output.USAGE)
    except click.ClickException as error:
        _usage(error, out)
        sys.exit(output.USAGE)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except HansaError as error:
        out.error(error)
        sys.exit(output.exit_code(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(output.FAILED)
    except Exception as error:
        out.error(output.defect(error))
        sys.exit(output.FAILED)
    sys.exit(result if isinstance(result, int) else output.DONE)


def _take_common(words: list[str]) -> tuple[list[str], set[str]]:
    """The words without the options every command has, which may stand anywhere before `--`."""
    end = words.index("--") if "--" in words else len(words)
    given = {word for word in words[:end] if word in COMMON}
    return [word for i, word in enumerate(words) if i >= end or word not in COMMON], given


def _check_text(words: list[str]) -> None:
    """Raises `HansaError` for words that are not text: neither JSON nor a transaction could hold them."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            raise HansaError("argument.value", f"{word[:60]!a} is not UTF-8 text") from None


def _usage(error: click.ClickException, out: Output) -> None:
    message = " ".join(error.format_message().split())  # click lists choices on lines of their own
    message = message.replace("is not a valid integer range", "is not a whole number")
    if out.json:
        out.error(HansaError("argument.value", message, remedy="See `hansa --help`."))
        return
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "hansa"
    out.complain("error:", "red", output.shown(message))
    out.complain("hint:", "yellow", f"`{path} --help` shows how it is used")


if __name__ == "__main__":
    main()
