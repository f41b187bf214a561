"""`hansa up --watch`: contract files are deployed as they stand, and upgraded as they change. For development alone.

A thread beside the node looks at the files several times a second, and does over HTTP what `hansa contract deploy` and
`upgrade` do, with the key of the deployer in the ledger's own folder. A file is never written: where its version is not
higher than the one deployed, the next patch version stands in what is sent instead. Whatever goes wrong is told, and
tried again when the file changes.
"""

import ast
import os
import stat
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from hansa.cli import output
from hansa.cli.contract import try_version, verdict
from hansa.cli.libraries import find_libraries
from hansa.cli.output import Output
from hansa.cli.places import connect, key_folder, record_if_there, signing_key
from hansa.cli.sources import deployed_name, read_source, show_findings
from hansa.client import Client, Refused, transactions
from hansa.contracts.upgrade import numbers
from hansa.wire import genesis
from hansa.wire.keys import PrivateKey
from hansa.wire.problems import HansaError

INTERVAL_S: Final = 0.25
"""Between two looks at the files. What changed between them is still being written, or was: it is left to the next."""
FILES_MAX: Final = 200
"""Looking at more several times a second would keep a core busy."""
_STOP_S: Final = 5.0
"""What is being sent when the node stops is given so long."""
_SILENT: Final = Output(json=False, quiet=True, color=False)
_IMPORT: Final = b"from hansa.contract import"
"""By this a file in a folder is known for a contract or library."""
_READ_BYTES_MAX: Final = 1024 * 1024
"""Of a file in a folder: far more than any contract has."""
_SKIPPED: Final = frozenset({"__pycache__", "node_modules", "venv"})
_VENV: Final = "pyvenv.cfg"
"""In every folder that is a virtual environment."""


class Seen(NamedTuple):
    """How a file looked: another of these is another text, perhaps."""

    modified_ns: int
    bytes: int
    inode: int


class Changes:
    """Files that changed and have come to rest. A new file in the place of the old, as editors do it, is one change.

    Raises `HansaError` `argument.file` for what can be no file or folder.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = list(paths)
        for path in self._paths:
            if path.exists() and not path.is_file() and not path.is_dir():
                raise HansaError("argument.file", f"--watch: {path} is neither a file nor a folder")
        self._last: dict[Path, Seen] = {}
        self._given: dict[Path, Seen] = {}
        self._known: dict[str, tuple[Seen, bool]] = {}  # in folders: whether it is a contract, as it looked then

    def poll(self) -> list[Path]:
        """What looks as it did at the last call, and otherwise than when it was last given. Raises `HansaError`."""
        now = self._look_all()
        settled = [file for file, seen in now.items() if self._last.get(file) == seen != self._given.get(file)]
        self._last = now
        self._given |= {file: now[file] for file in settled}
        return settled

    def _look_all(self) -> dict[Path, Seen]:
        """The files as they look now. Those in folders are read once for each look that they have."""
        found: dict[Path, Seen] = {}
        known: dict[str, tuple[Seen, bool]] = {}
        for path in self._paths:
            is_folder = path.is_dir()
            for file in _python_files(path) if is_folder else [str(path)]:
                if (seen := _look(file)) is None:
                    continue
                if is_folder:
                    before = self._known.get(file)
                    known[file] = before if before is not None and before[0] == seen else (seen, _is_contract(file))
                if not is_folder or known[file][1]:
                    found[Path(file)] = seen
        self._known = known
        if len(found) > FILES_MAX:
            told = f"--watch: {len(found)} contract files; at most {FILES_MAX} are watched"
            raise HansaError("argument.value", told, remedy="Name the files, or folders with fewer of them.")
        return found


def _python_files(folder: Path) -> Iterator[str]:
    """Files that may be contracts, in order; not in hidden folders, and not in those that other tools fill."""
    for at, folders, files in os.walk(folder):
        inside = (each for each in folders if not each.startswith(".") and each not in _SKIPPED)
        folders[:] = sorted(each for each in inside if not Path(at, each, _VENV).exists())
        yield from (f"{at}{os.sep}{file}" for file in sorted(files) if file.endswith(".py"))


def _look(file: str) -> Seen | None:
    """How a file looks; None for what is none, such as a pipe, which would have its reader wait."""
    try:
        found = os.stat(file)  # noqa: PTH116 - of thousands several times a second, a Path each is most of the work
    except OSError:  # an editor may be about to put it back
        return None
    return Seen(found.st_mtime_ns, found.st_size, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def _is_contract(file: str) -> bool:
    try:
        with Path(file).open("rb") as opened:
            return _IMPORT in opened.read(_READ_BYTES_MAX)
    except OSError:
        return False


def deployer(data: Path, document: bytes) -> str:
    """The founder that may deploy and whose key lies in the ledger's folder. Raises `HansaError` `argument.value`."""
    for name in genesis.decode(document).deployers:
        if (key_folder(data) / "members" / f"{name}.pem").is_file():
            return name
    told = f"--watch deploys by itself, and {key_folder(data)} has no key of a member that may"
    remedy = "Watch over a folder that `hansa up` made; on any other ledger use `hansa contract deploy` and `upgrade`."
    raise HansaError("argument.value", told, remedy=remedy)


class Watcher:
    """Looks at files, and has the ledger follow them; `look` is what its thread does each time."""

    def __init__(self, out: Output, paths: Iterable[Path], data: Path, url: str, signer: str) -> None:
        self._out = out
        self._changes = Changes(paths)
        self._data = data
        self._url = url
        self._key: PrivateKey = signing_key(data, signer, None)
        self._names: dict[str, Path] = {}
        self._failure = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begins to look."""
        self._thread.start()

    def stop(self) -> None:
        """Looks no more; what is being sent is given a moment."""
        self._ended.set()
        self._thread.join(_STOP_S)

    def _run(self) -> None:
        while not self._ended.wait(INTERVAL_S):
            self.look()

    def look(self) -> None:
        """Has the ledger follow what changed: a file that uses libraries of others after these."""
        try:
            waiting, self._failure = self._changes.poll(), ""
        except HansaError as error:
            if error.detail != self._failure:  # it stays so until somebody does something
                self._fail("--watch", error)
            self._failure = error.detail
            return
        while waiting:
            before, waiting = waiting, [file for file in waiting if not self._told(str(file), self._follow, file)]
            if len(waiting) == len(before):
                for file in waiting:  # nothing that it waits for came
                    self._told(str(file), self._follow, file, True)
                return

    def _told(self, what: str, do: Callable[..., Any], *arguments: Any) -> bool:
        """Does something, and tells why it failed; whether it is done with."""
        try:
            return do(*arguments) is not False
        except HansaError as error:
            self._fail(what, error)
        except Exception as error:  # a watcher that died would be noticed too late
            self._fail(what, output.defect(error))
        return True

    def _fail(self, what: str, error: HansaError) -> None:
        if not self._ended.is_set():  # the node stops, and with it all that is asked of it
            self._tell(what, "failed", f"{output.shown(error.detail)} [{error.code}]", color="red", code=error.code)

    def _tell(self, what: str, event: str, text: str, *, color: str, **fields: Any) -> None:
        shown = f"{self._out.style(event, fg=color)}  {what}: {text}"
        self._out.show({"watch": what, "event": event, "detail": text, **fields}, shown)

    def _follow(self, file: Path, is_last: bool = False) -> bool:
        """Deploys or upgrades what a file has become. False if it waits for a library, and this is not the last try."""
        from hansa.contracts import program
        from hansa.contracts.diagnostics import ContractInvalid

        source = read_source(file)
        name = deployed_name(file, None)
        if self._names.setdefault(name, file) != file:
            raise HansaError("contract.name", f"{self._names[name]} is called {name} already")
        try:
            checked = program.check(source, name, find_libraries(source, [], self._data, self._url))
        except ContractInvalid as invalid:
            if not is_last and any(found.code == "library.unknown" for found in invalid.diagnostics):
                return False
            show_findings(self._out, file, source, invalid)
            return True
        if checked.manifest.kind == "library":
            self._library(name, source, checked.digest.hex())
        else:
            self._contract(name, source, checked.manifest.version)
        return True

    def _library(self, name: str, source: str, digest: str) -> None:
        use = f'use it by `{name} = library("{name}", "{digest}")`'
        with connect(self._data, self._url) as node:
            if record_if_there(node, "members", "Library", digest) is not None:
                self._tell(name, "unchanged", f"the library is on the ledger; {use}", color="green", digest=digest)
                return
        seq = self._take("deploy_library", {"name": name, "source": source})
        self._tell(name, "deployed", f"the library, as entry {seq}; {use}", color="green", digest=digest, seq=seq)

    def _contract(self, name: str, source: str, version: str) -> None:
        with connect(self._data, self._url) as node:
            if name not in {deployed["name"] for deployed in node.get("/app/contracts")["contracts"]}:
                seq = self._take("deploy", {"name": name, "source": source})
                self._tell(name, "deployed", f"{version}, as entry {seq}", color="green", version=version, seq=seq)
                return
            before: str = node.get(f"/app/contracts/{name}")["version"]
            there = node.get_bytes(f"/app/contracts/{name}/source").decode()
            if numbers(version) <= numbers(before):
                if with_version(source, before) == there:
                    self._tell(name, "unchanged", f"{before} is on the ledger", color="green", version=before)
                    return
                version = next_patch(before)
                source = with_version(source, version)
            found = try_version(_SILENT, node, name, source)
        if found["problems"] or found["failures"]:
            problems: list[str] = [*found["problems"], *(each["record"] for each in found["failures"])]
            self._tell(name, "refused", verdict(self._out, found), color="red", version=version, problems=problems)
            return
        seq = self._take("upgrade", {"deployment": name, "source": source})
        tried = f"from {before}, tried on {found['records']:,} record(s)"
        text = f"{version}, as entry {seq}, {tried}"
        self._tell(name, "upgraded", text, color="green", version=version, before=before, seq=seq)

    def _take(self, action: str, arguments: dict[str, Any]) -> int:
        """Has the ledger take an action of its own contract; the entry. Raises `HansaError`."""
        steps = transactions.deploy_steps(arguments["source"])
        try:
            with Client(self._url, key=self._key, patient=False) as node:
                answer = node.call("members", action, arguments, steps_max=steps)
        except Refused as refused:
            raise HansaError("contract.invalid", f"{refused.message} [{refused.code}]") from None
        assert answer.seq is not None, "what was waited for has its entry"
        return answer.seq


def with_version(source: str, version: str) -> str:
    """A contract file's text with this version in the head of its class, and nothing else changed."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Contract" for base in node.bases):
            for option in node.keywords:
                if option.arg == "version" and isinstance(option.value, ast.Constant):
                    return _replaced(source, option.value, f'"{version}"')
    return source


def next_patch(version: str) -> str:
    """The version after one that changes its last number alone."""
    first, second, third = numbers(version)
    return f"{first}.{second}.{third + 1}"


def _replaced(source: str, node: ast.Constant, text: str) -> str:
    """The source with other text where a constant stands, which is on one line."""
    lines = source.split("\n")
    line = lines[node.lineno - 1].encode()  # Python counts bytes
    lines[node.lineno - 1] = (line[: node.col_offset] + text.encode() + line[node.end_col_offset :]).decode()
    return "\n".join(lines)
