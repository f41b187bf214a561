"""Contract and library files: read, named, checked, and what is wrong with them shown."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from hansa.cli import output
from hansa.cli.output import Output
from hansa.client.contract_files import suggested_name as name_of
from hansa.wire import names
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.contracts.checked import Checked
    from hansa.contracts.declarations import Libraries
    from hansa.contracts.diagnostics import ContractInvalid

_Command = TypeVar("_Command", bound=Callable[..., Any])

OTHER_NAME: Final = "Give another with --name: lower-case letters, digits and underscores."
_READ_BYTES_MAX: Final = 1024 * 1024
"""Of any file; what the dialect allows is much less, and told with its finding."""

_LINE_CHARS_SHOWN: Final = 400
"""Of a line with a finding: no line of a contract is as long."""


def read_source(file: Path) -> str:
    """A contract file's text. Raises `HansaError`: `argument.file`, or `contract.invalid` for what can be none."""
    data = output.read_file(file, _READ_BYTES_MAX + 1)
    if len(data) > _READ_BYTES_MAX:
        raise HansaError("contract.invalid", f"{file} is far too large for a contract", remedy="Give a contract file.")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise HansaError("contract.invalid", f"{file} is not UTF-8 text", remedy="Give a contract file.") from None


def deployed_name(file: Path, given: str | None) -> str:
    """The name a contract will have. Raises `HansaError` if no ledger takes it."""
    name = name_of(file) if given is None else given
    if (why := unfit(name)) is not None:
        raise HansaError("contract.name", f"{name[:60]!a} {why}", remedy=OTHER_NAME)
    return name


def unfit(name: str) -> str | None:
    """Why no ledger takes a contract of this name; None if one may."""
    from hansa.contracts.schedules import CONTRACT

    if name == CONTRACT:
        return "is taken by the ledger's own contract"
    return None if names.is_contract(name) else "cannot name a contract"


def show_findings(out: Output, file: Path, source: str, invalid: "ContractInvalid") -> int:
    """Shows what is wrong with a file, each finding with its line, why it is one, what to write; the exit code."""
    from hansa.contracts.diagnostics import range_end, render
    from hansa.contracts.explanations import explain

    texts: list[str] = []
    findings: list[dict[str, Any]] = []
    for found in invalid.diagnostics:
        explained, (end_line, end) = explain(source, found), range_end(source, found, invalid.ends)
        notes = [("why", explained.why), ("instead", explained.instead)]
        texts += render(source, found, str(file), end, notes).split("\n")
        findings.append(
            {
                "code": found.code,
                "message": found.message,
                "line": found.line,
                "column": found.column,
                "end_line": end_line,
                "end_column": end,
                "hint": found.hint,
                "why": explained.why,
                "instead": explained.instead,
            }
        )
    text = "\n".join(output.shown(line[:_LINE_CHARS_SHOWN]) for line in texts)
    count = out.style(f"{len(findings)} finding(s)", fg="red")
    out.show({"valid": False, "file": str(file), "findings": findings}, f"{text}\n\n{count}")
    return output.FAILED


def check_constitution(out: Output, file: Path, source: str, libraries: "Libraries") -> "Checked | None":
    """Checks a file as the ledger's constitution; None if it cannot be that, and what is wrong with it is shown."""
    from hansa.contracts import program
    from hansa.contracts.diagnostics import ContractInvalid
    from hansa.governance import constitution
    from hansa.governance.genesis import CONSTITUTION

    try:
        checked = program.check(source, CONSTITUTION, libraries)
    except ContractInvalid as invalid:
        show_findings(out, file, source, invalid)
        return None
    problems = constitution.problems(checked.manifest)
    if not problems:
        return checked
    told = "\n".join(f"{output.shown(str(file))}: {problem}" for problem in problems)
    count = out.style(f"{len(problems)} problem(s)", fg="red")
    out.show({"valid": False, "file": str(file), "problems": problems}, f"{told}\n\n{count}")
    return None


def take(file: Path, name: str, by: Callable[[str, str], object]) -> None:
    """Gives the name and text of a file that another one needs to who takes it. Raises `HansaError`."""
    from hansa.contracts.diagnostics import ContractInvalid

    try:
        by(name, read_source(file))
    except ContractInvalid as invalid:
        raise HansaError("contract.invalid", f"{file}: {invalid.detail}", findings=invalid.diagnostics) from None


def read_libraries(files: Iterable[Path]) -> "Libraries":
    """The libraries in files, each of which may use those before. Raises `HansaError`."""
    from hansa.contracts.ledger import Ledger

    ledger = Ledger()
    for file in files:
        take(file, name_of(file), ledger.add_library)
    return ledger.libraries


def library_option() -> Callable[[_Command], _Command]:
    """The option for library files that a contract file uses."""
    return click.option(
        "--library",
        "libraries",
        type=click.Path(path_type=Path),
        metavar="FILE",
        multiple=True,
        help="A library that it uses; again for each, those used by others first.",
    )
