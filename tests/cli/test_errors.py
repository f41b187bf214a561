"""Every error message of the commands, in one file that people review: `errors.md`, made by running into each.

`python -m tests.cli.test_errors` writes it again; the test compares. What is missing there is named, with a reason.
"""

import ast
import contextlib
import io
import json
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import EXAMPLE, Server, run, run_process
from tests.cli.failures import CASES, KINDS_CONTRACT, Case, Scene, served, words_of

from hansa.wire.problems import KINDS

CALENDARS = EXAMPLE.parents[1] / "calendars" / "contract.py"
PAGE = Path(__file__).with_name("errors.md")
SOURCES = Path(__file__).parents[2] / "src" / "hansa"
HEAD = """\
# Every error message of the commands

Made by `python -m tests.cli.test_errors`, which runs into each of them; [the test](test_errors.py) compares. Paths,
ids, numbers of ports and processes stand as names in capitals.

Read it as a user would. Each message says what happened and why, behind `error:`, and what to do, behind `hint:`.
"""
CASE_LIST = [(section, case) for section, cases in CASES.items() for case in cases]
_LOG = ("time", "level", "event")
"""The names with which a line of the log begins in its JSON form; it stands on standard error too."""
_PLAIN_LOG = re.compile(r"\d{4}-\d\d-\d\dT")


@contextlib.contextmanager
def staged(root: Path) -> Iterator[Scene]:
    """A ledger whose node runs, another that is stopped, and a third that runs and whose time is told."""
    live, stopped, told = root / "live", root / "stopped", root / "told"
    (root / "kinds.py").write_text(KINDS_CONTRACT)
    with contextlib.ExitStack() as stack:
        assert started(stopped, stack).stop() == 0
        url = started(live, stack).url
        server = started(told, stack, "--clock", "2029-01-01")
        ran = run("contract", "deploy", CALENDARS, "--as", "northbank", "--data", told)
        assert ran.code == 0, ran
        yield Scene(live, stopped, told, url, server.url)


def started(data: Path, stack: contextlib.ExitStack, *options: str) -> Server:
    """A new ledger with two contracts and a record, and its node, which stops with the stack."""
    server = Server(data, *options, "--reserve-mb", "0")
    stack.callback(server.stop)
    for words in (
        ("contract", "deploy", EXAMPLE, "--as", "northbank"),
        ("contract", "deploy", data.with_name("kinds.py"), "--as", "northbank"),
        ("call", "kinds", "make", "id=1", "day=2030-01-01", "--as", "northbank"),
    ):
        ran = run(*words, "--data", data)
        assert ran.code == 0, ran
    return server


def without_log(text: str) -> str:
    """What a command says to whoever typed it."""
    return "".join(line for line in text.splitlines(keepends=True) if not is_log(line))


def is_log(line: str) -> bool:
    """Whether a line is one of the log: of a node's, or of a ledger that a command opened."""
    if _PLAIN_LOG.match(line):
        return True
    try:
        found = json.loads(line)
    except ValueError:
        return False
    return isinstance(found, dict) and [*found][: len(_LOG)] == [*_LOG]


def told(case: Case, scene: Scene, here: Path) -> str:
    """What the command says and how it ends, with names for what differs from run to run."""
    if "{copy}" in case.line:
        shutil.copytree(scene.stopped, here / "copy")
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        if case.before:
            case.before(here, scene)
    with contextlib.ExitStack() as stack:
        behind = scene.told_url if "{told}" in case.line else scene.url
        url = stack.enter_context(served(case.node, behind)) if case.node else scene.url
        taken = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
        # What starts although it should not would go on in this process for ever.
        how = run_process if case.line.startswith("up ") else run
        ran = how(*words_of(case.line, here, scene, url, taken))
    text = without_log(ran.err) or ran.out
    places = {here / "copy": "COPY", here: "HERE", scene.live: "LIVE", scene.stopped: "STOPPED", scene.told: "TOLD"}
    for path, name in (places | {CALENDARS.parents[1]: "APPS"}).items():
        text = text.replace(str(path), name)
    for pattern, name in (
        (re.escape(url), "URL"),
        (r"\b(?!0{64})[0-9a-f]{64}\b", "ID"),
        (r"--not-after \d+", "--not-after TIME"),
        (r"/\S*/signers/", "SIGNERS/"),
        (r"process \d+", "process PID"),
        (r":\d{4,5}\b", ":PORT"),
        (r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME"),
        (r"[\d,]+ s\b", "N s"),
        (r"follows at \d+", "follows at N"),
    ):
        text = re.sub(pattern, name, text)
    line = case.line.encode(errors="backslashreplace").decode()
    for word in ("live", "stopped", "told", "copy", "here", "url"):
        line = line.replace(f"{{{word}}}", word.upper())
    line = line.replace("{taken}", "PORT").replace("{{", "{").replace("}}", "}")
    special = f"{case.told}:\n" if case.told else ""
    return f"{special}`hansa {line}` exits with {ran.code}\n\n```text\n{text.rstrip()}\n```\n"


def made(scene: Scene, root: Path) -> dict[str, list[str]]:
    """The page's parts, by section."""
    found: dict[str, list[str]] = {}
    for section, case in CASE_LIST:
        with tempfile.TemporaryDirectory(dir=root) as here:
            found.setdefault(section, []).append(told(case, scene, Path(here)))
    return found


def page(parts: dict[str, list[str]]) -> str:
    sections = [f"\n## {section}\n\n" + "\n".join(texts) for section, texts in parts.items()]
    return HEAD + "".join(sections)


def golden() -> list[str]:
    """The page's parts as they stand in the file."""
    text = PAGE.read_text()
    parts = re.split(r"^## .*\n\n", text, flags=re.MULTILINE)[1:]
    return [found for part in parts for found in re.findall(r"(?:[^\n]+\n)+\n```text\n.*?\n```\n", part, re.DOTALL)]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with staged(tmp_path_factory.mktemp("scene")) as found:
        yield found


@pytest.mark.parametrize("number", range(len(CASE_LIST)), ids=lambda n: f"{n} {CASE_LIST[n][1].line}"[:60])
def test_what_a_command_says(number: int, scene: Scene, tmp_path: Path) -> None:
    assert told(CASE_LIST[number][1], scene, tmp_path) == golden()[number], "run `python -m tests.cli.test_errors`"


def test_the_page_has_nothing_else() -> None:
    assert len(golden()) == len(CASE_LIST)
    assert PAGE.read_text().startswith(HEAD)


@pytest.mark.parametrize("part", golden() if PAGE.exists() else [], ids=lambda part: part.partition("\n")[0][:60])
def test_each_message_says_what_happened_and_what_to_do(part: str) -> None:
    text = part.partition("```text\n")[2].removesuffix("```\n")
    if text.startswith("{"):  # as --json has it
        error = json.loads(text)["error"]
        text = f"error: {error['detail']}\nhint: {error['remedy']}\n"
    assert re.fullmatch(r"(?:caution: .*\n)?error: .{12,}\n(?:  - .*\n)*hint: .{8,}\n", text), text
    assert not re.search(r"Traceback|Errno|<class|Exception|None\b|object at 0x|\.py\", line", text), text
    hint = re.search(r"hint: (.*)", text)
    assert hint
    assert re.fullmatch(r"[`A-Z].*", hint[1]), "a hint is a sentence"
    assert len(text.split("hint: ")[0].split("error: ")[1]) < 600


def raised(rooms: tuple[str, ...]) -> dict[str, set[str]]:
    """The codes that are raised in these rooms, and in which files."""
    found: dict[str, set[str]] = {}
    for room in rooms:
        for path in sorted((SOURCES / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "HansaError":
                    code = node.args[0] if node.args else None
                    if isinstance(code, ast.Constant) and code.value in KINDS:
                        found.setdefault(str(code.value), set()).add(str(path.relative_to(SOURCES)))
    return found


ROOMS = (
    *("cli", "stories", "testing", "client", "doctor", "bench", "api", "node", "store", "orderers", "governance"),
    *("merkle", "wire", "swift"),
)
NOT_SHOWN: dict[str, str] = {
    "cbor.": "commands write their own CBOR; what is wrong in a file is told as that file's form",
    "envelope.": "commands make their own envelopes",
    "session.proof": "commands make their own requests for sessions",
    "session.form": "commands make their own requests for sessions",
    "session.unknown": "commands hold the keys of sessions: tests/api/test_sessions.py has clients that do not",
    "session.asserted": "commands hold the keys of sessions: tests/api/test_sessions.py has clients that do not",
    "session.flow": "it takes a browser: tests/client/test_sign_in.py",
    "issuer.url": "it takes a vote for such an address: tests/client/test_sign_in.py",
    "proposal.late": "it takes a ballot or a decision before: tests/cli/test_governance.py",
    "sender.asserted": "commands hold their own keys",
    "signature.high_s": "commands make their own signatures",
    "transaction.field": "commands make their own transactions",
    "transaction.version": "commands make their own transactions",
    "key.invalid": "keys on curves of other kinds are key.unsupported; a sound file holds a sound key",
    "key.unsupported": "a whole RSA key is 1,600 characters: tests/client/test_keys.py has one",
    "key.too_long": "a contract's key and index fields are bounded shorter",
    "writes.form": "commands read no write sets but those of a sound node",
    "outcome.form": "an outcome of another digest is verify.outcome before it is read",
    "verify.id": "needs an entry whose digests fit and whose id does not: tests/client/test_verification.py",
    "block.": "recovery says it of a journal whose checksums are right and whose blocks are not: tests/node",
    "genesis.version": "one version so far: tests/wire/test_genesis.py",
    "genesis.lost": "needs the journal's first block and the copy gone, which journal.corrupt tells first",
    "genesis.copy": "a finding of `hansa audit`, on standard output",
    "read.behind": "commands ask for no entry to be there first: tests/api/test_at_least.py",
    "read.unsure": "commands read what their node has: tests/node/test_linear.py",
    "orderer.": "reasons and warnings within `hansa status`, on standard output: tests/cli/test_status.py",
    "tree.": "positions beyond the tree are entry.unknown before",
    "receipt.header": "needs a receipt signed with another header: tests/merkle/test_receipt.py",
    "receipt.size": "needs a path of another size: tests/merkle/test_receipt.py",
    "receipt.inconsistent": "a reason within trust.chain: tests/client/test_key_chain.py",
    "receipt.span": "needs a key that was changed: tests/client/test_key_chain.py",
    "receipt.unlinked": "needs a key that was changed: tests/cli/test_trust.py",
    "trust.": "needs a key that was changed, and a file of it: tests/cli/test_trust.py",
    "key.expires": "a warning within `hansa status`, on standard output: tests/cli/test_trust.py",
    "audit.executed": "a finding of `hansa audit`, on standard output",
    "checkpoint.": "findings of `hansa audit`; receipts of entries under no checkpoint need a node that cannot sign",
    "journal.": "other ways of damage than those shown, each in tests/store and tests/node; told in the same words",
    "tiles.": "damage that a start mends by itself; else findings of `hansa audit`",
    "state.": "damage that a start mends by itself; else findings of `hansa audit`",
    "folder.lock": "needs a folder that this user may not write, and tests may run as root",
    "backup.damaged": "needs a whole archive with a file changed and its checksum right: tests/cli/test_backup.py",
    "verify.clock": "needs a node that signs a receipt that denies its genesis: tests/node/test_told_clock.py",
    "memory.ledger": "no command keeps a memory of checkpoints: tests/client/test_trust.py",
    "ledger.": "no command keeps a memory of checkpoints: tests/client/test_trust.py",
    "argument.extra": "needs a Python without pytest",
    "calendar.extra": "needs a Python without holidays or tzdata: tests/client/test_calendars.py",
    "network.alone": "needs a network: tests/cli/test_network.py",
    "network.ports": "needs a network: tests/cli/test_network.py",
    "network.start": "needs a network: tests/cli/test_network.py",
    "network.stop": "needs a process that does not end",
    "node.retired": "a warning within `hansa status`, on standard output",
    "snapshot.": "what nodes keep of their state, and copy of others': tests/node/test_joining.py",
    "node.starting": "a reason within `hansa status`, on standard output",
    "contract.internal": "a defect; tests/contracts makes some",
    "clock.ahead": "needs a clock that is months ahead: tests/node/test_clock.py",
    "batch.": "commands send one transaction at a time",
    "node.defect": "a defect; tests/cli/test_main.py makes one",
    "answer.late": "commands go on asking, and tell answer.unknown in the end",
    "request.": "commands ask as the API is; a proxy that does not is told as node.foreign",
    "record.type": "commands know a contract's records before they ask",
    "view.missing": "commands know a contract's views before they ask",
    "arguments.invalid": "an outcome, told on standard output or within view.refused",
    "receipt.members": "needs receipts by nodes of several members: tests/cli/test_cosigned.py",
    "receipt.split": "needs receipts by nodes of several members: tests/cli/test_cosigned.py",
    "receipt.k": "needs nodes of several members: tests/cli/test_cosigned.py",
    "reader.": "a node that others reach by TLS: tests/api/test_guarded.py, tests/api/test_readers.py",
    "tls.": "a node that others reach by TLS: tests/api/test_guarded.py, tests/cli/test_ways_in.py",
    "engine.none": "no command asks an engine: tests/api/test_among_nodes.py",
    "engine.silent": "no command asks an engine: tests/orderers",
    "peers.": "a file of a node in a network: tests/node/test_cosigning.py",
    "engine.": "needs other machines and programs than this one has: tests/orderers",
    "exclusion.minority": "needs three deployers; sample ledgers have one: tests/node/test_exclusion.py",
    "exclusion.late": "needs an excluded transaction that has its entry: tests/node/test_exclusion.py",
    "contract.isolation": "needs a system that starts no process: tests/node/test_isolation.py",
    "transaction.duplicate": "the answer to a duplicate is its outcome",
    "proposal.path": "commands send what they sign to where all is sent: tests/api/test_governance.py",
    "proposal.ballot": "commands read whole proposals: tests/api/test_governance.py",
    "proposal.busy": "needs as many plans at once: tests/api/test_governance.py",
    "proposal.other": "needs a proposal that somebody exchanged: tests/cli/test_governance.py",
    "sender.expired": "needs a session whose token has ended: tests/governance",
}
"""Codes that no command shows as its error, and why; a name that ends with a dot stands for all of its family."""


def test_every_code_is_there_or_there_is_a_reason() -> None:
    shown = set(re.findall(r"\[([a-z_]+\.[a-z_0-9]+)\]$", PAGE.read_text(), re.MULTILINE))
    missing = {
        code: files
        for code, files in raised(ROOMS).items()
        if code not in shown and code not in NOT_SHOWN and f"{code.partition('.')[0]}." not in NOT_SHOWN
    }
    assert missing == {}
    assert [code for code in NOT_SHOWN if code in shown] == [], "they are shown: take them off the list"


def messages(room: str) -> Iterator[tuple[str, str]]:
    """What is said where something is raised in a room, as a pattern: what stands there, with any text in its holes."""
    for path in sorted((SOURCES / room).rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        for node in nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "HansaError":
                for said in _said(node.args[1], nodes) if len(node.args) > 1 else ():
                    if (text := _pattern(said)) is not None:
                        yield f"{path.relative_to(SOURCES)}: {text}", text


def _said(node: ast.expr, nodes: list[ast.AST]) -> list[ast.expr]:
    """What may stand there: each side of a choice, and for a name all that its file calls so."""
    match node:
        case ast.IfExp(body=body, orelse=other):
            return [body, other]
        case ast.Name(id=name):
            found = [one.value for one in nodes if isinstance(one, ast.Assign) and _names(one, name)]
            return [said for value in found for said in _said(value, [])]
        case _:
            return [node]


def _names(assigned: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in assigned.targets)


def _pattern(node: ast.expr) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return re.escape(text)
        case ast.JoinedStr(values=values):
            parts = [re.escape(str(v.value)) if isinstance(v, ast.Constant) else ".*" for v in values]
            return "".join(parts) if any(p.replace(".*", "").strip(r"\: ") for p in parts) else None
    return None


NOT_SAID: dict[str, str] = {
    "cli/proposal.py: .*:\\ it\\ would\\ be\\ dropped": "of one that is out of date: tests/cli/test_governance.py",
    "client/trust.py: .*\\ has\\ never\\ had": "of a client that remembers: tests/client/test_key_changes.py",
    "client/verification.py: key\\ .*\\ signs": "of a key that was changed: tests/client/test_key_chain.py",
    "client/verification.py: size\\ .*\\ under": "of a key that was changed: tests/client/test_key_chain.py",
    "client/key_chain.py": "of trust files that were changed: tests/client/test_key_chain.py",
    "cli/receipt.py: \\-\\-trust": "needs a trust file: tests/cli/test_trust.py",
    "this\\ library\\ is\\ on\\ the\\ ledger": "tests/cli/test_contract.py deploys one twice",
    "cli/network.py: taken": "needs a port that something listens on: tests/cli/test_network.py",
    "cli/network_invite.py: .*\\ is\\ no\\ member": "needs a network: tests/cli/test_joining_network.py",
    "cli/network_invite.py: .*\\ does\\ not\\ say": "needs a network: tests/cli/test_joining_network.py",
    "client/readiness.py": "of nodes that show different histories: tests/cli/test_join.py",
    "cli/node_steps.py: .*\\ was\\ retired": "needs a network: tests/cli/test_joining_network.py",
    "cli/node_steps.py: .*:\\ .*;\\ its\\ log": "of a node that does not come up: tests/cli/test_join.py",
    "members\\ showed\\ the\\ same": "of nodes that do not answer: tests/cli/test_join.py has what counts them",
    "the\\ invite\\ is\\ for": "tests/cli/test_join.py",
    "client/invitation.py": "of invites that were made by hand: tests/cli/test_join.py",
    "cli/libraries.py": "a node that lies about a library: tests/cli/test_contract.py",
    "the\\ details\\ are\\ in": "a defect; tests/cli/test_main.py makes one",
    "there\\ is\\ no\\ kind\\ of\\ key": "no command asks for a kind of key",
    "it\\ is\\ not\\ signed\\ by": "needs an envelope whose digests fit and whose signature does not",
    "pytest\\ is\\ not\\ installed": "needs a Python without it",
    "the\\ package\\ .*\\ is\\ not\\ installed": "needs a Python without it: tests/client/test_calendars.py",
    "not\\ whole\\ minutes": "no zone of a place that is known has seconds in the years that calendars are made for",
    "cli/watch.py: .*\\ is\\ called": "a line of `up --watch`, which goes on: tests/cli/test_watch.py",
    "at\\ most\\ .*\\ are\\ watched": "a line of `up --watch`, which goes on",
    "the\\ stream\\ ended": "it is asked for again for half a minute before: tests/client/test_events.py",
    "did\\ not\\ take\\ event": "a note, for it is sent again until it is taken: tests/client/test_forwarding.py",
    "cli/ways_in.py": "tests/cli/test_ways_in.py",
    "client/readers.py": "a node that others reach by TLS: tests/api/test_guarded.py",
    "client/certificates.py": "a node that others reach by TLS: tests/node/test_tls.py",
    "client/memory.py": "no command keeps a memory of checkpoints: tests/client/test_trust.py",
    "client/session.py": "commands give one URL, no memory, and a key where one signs: tests/client",
    "client/trust.py: the\\ newest": "told within what `hansa compare` shows: tests/client",
    "client/trust.py: .*\\ gives\\ no\\ checkpoint": "told within what `hansa compare` shows: tests/client",
    "client/trust.py: .*\\ gives\\ no\\ consistency": "told within what `hansa compare` shows: tests/client",
    "proof\\ of\\ other\\ sizes": "told within what `hansa compare` shows: tests/client",
    "client/trust.py: ledger\\ time": "told within what `hansa compare` shows: tests/client",
    "client/comparing.py": "commands have no name for a head but its file's: tests/client/test_comparing.py",
    "client/split_view.py": "files that somebody forged: tests/client/test_split_view.py",
    "client/trust.py: .*\\ of\\ .*\\ entries": "told within what `hansa compare` shows: tests/client",
    "there\\ were": "told within what `hansa compare` shows: tests/client",
    "does\\ not\\ show\\ that": "told within what `hansa compare` shows: tests/client",
    "client/proofs.py: it\\ is\\ for\\ entry": "needs a good receipt of another entry, from a node that lies",
    "client/submission.py: `wait`": "commands wait for what there is",
    "what\\ came\\ is\\ the\\ answer\\ to": "the node is asked what became of it, and that is told",
    "client/submission.py: `k`": "commands say so by their options",
    "client/submission.py: its\\ time": "needs ten minutes between an answer that is lost and the next",
    "answers\\ about\\ another": "told as answer.unknown, with why the answer was lost",
    "what\\ became\\ of": "told as answer.unknown, with why the answer was lost",
    "client/status.py": "asked by programs, and by commands of told ledgers after the ledger's id was read from it",
    "client/records.py": "programs ask so; commands read JSON as it comes: tests/client",
    "client/schemas.py": "programs ask so; commands read JSON as it comes: tests/client",
    "client/values.py": "Python values of programs: tests/client/test_values.py",
    "no\\ contract\\ can\\ be\\ made": "every name that can be one has a contract: tests/cli/test_contract_tools.py",
    "cli/stubs.py": "a node that lies about a contract: tests/cli/test_stubs.py",
    "is\\ for\\ a\\ new\\ ledger": "needs a told ledger that rests: tests/cli/test_clock.py",
    "is\\ neither\\ a\\ file": "needs a pipe where a contract is watched: tests/cli/test_watch.py",
    "does\\ not\\ put\\ its\\ clock": "a node that lies about its clock: tests/client/test_told.py",
    "is\\ compressed": "a node that answers as nobody asked: tests/client/test_events.py",
    "was\\ not\\ asked\\ for": "a node that sends what nobody asked for: tests/client/test_events.py",
    "client/stubs.py": "a node that lies about a contract: tests/client/test_stubs.py",
    "nothing\\ more\\ is\\ known": "commands wait for what there is",
    "what\\ it\\ remembers": "no command keeps a memory of checkpoints: tests/client/test_trust.py",
    "is\\ another\\ proposal": "needs a proposal that somebody exchanged: tests/cli/test_governance.py",
    "with\\ \\-\\-json": "told in JSON: tests/cli/test_governance.py",
    "proposals\\ have\\ ids": "needs two ids that begin with the same six digits",
    "client/sign_in.py": "it takes a browser, or an issuer that answers wrong: tests/client/test_sign_in.py",
    "client/agreement.py": "receipts by nodes of several members: tests/cli/test_cosigned.py",
    "which\\ could\\ have\\ others": "receipts by nodes of several members: tests/cli/test_cosigned.py",
    "another\\ history\\ of\\ this": "receipts by nodes of several members: tests/cli/test_cosigned.py",
    "signed\\ another\\ history": "receipts by nodes of several members: tests/node/test_cosigning.py",
    "client/discovery.py": "an issuer that answers wrong: tests/api/test_tokens.py",
    "client/transport.py": "programs may bring a transport of their own",
}
"""Messages of commands and of the client that the page does not show, by a part of them, and why."""


def test_every_message_of_commands_is_there_or_there_is_a_reason() -> None:
    text = PAGE.read_text()
    found = {where: pattern for room in ("cli", "client") for where, pattern in messages(room)}
    silent = [w for w, p in found.items() if not re.search(p, text) and not any(part in w for part in NOT_SAID)]
    assert silent == []
    assert [part for part in NOT_SAID if not any(part in where for where in found)] == [], "they are gone"


def main() -> None:
    """Writes the page."""
    with tempfile.TemporaryDirectory() as root, staged(Path(root)) as scene:
        PAGE.write_text(page(made(scene, Path(root))))


if __name__ == "__main__":
    main()
