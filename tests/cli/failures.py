"""Every way in which a command fails, each made to happen: what `test_errors` runs and compares with `errors.md`.

A case is a line as one would type it, with names in braces for places:

`{live}`     the folder of a ledger whose node runs: the example contract, `kinds` below, and some entries
`{url}`      the URL of that node, or of the case's own: see `node`
`{stopped}`  another such ledger that no node uses; never changed
`{copy}`     a copy of that, this case's own: `before` may damage it
`{told}`     the folder of one whose node runs and whose time is told; it has the contract of calendars too
`{here}`     an empty folder of this case's own

`before(here, scene)` sets the case up. `node` is what answers at `{url}` instead: a function of method and path that
gives an answer, or None to pass the request on to a node that runs (that of `{told}` if the line names it, else that of
`{live}`), or what makes another answer of that node's; `SILENT` is none.
"""

import http.server
import json
import shlex
import shutil
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from hansa.cli.main import main
from hansa.client import keys
from hansa.merkle import checkpoint, receipt
from hansa.wire import genesis, invite, split_view
from hansa.wire.problems import KINDS
from hansa.wire.split_view import Contradiction

SILENT = (0, b"")
Given = tuple[int, bytes] | tuple[int, bytes, dict[str, str]]
"""Status, body and headers."""
Answers = Callable[[str, str], Given | Callable[[Given], Given] | None]

KINDS_CONTRACT = '''"""One parameter of each kind."""

from hansa.contract import Amount, Contract, Date, Duration, Instant, Int, Party, Record, Text, action, view


class Kinds(Contract, version="1.0.0"):
    class Thing(Record, key="id", index=["day"]):
        id: Int[1, 9]
        day: Date

    @action(by="member", creates="Thing")
    def make(tx, thing: Thing, id: Int[1, 9], day: Date):
        pass

    @action(by="member")
    def take(tx, thing: Thing, yes: bool, at: Instant, length: Duration, many: list[int, 3], price: Amount):
        pass

    @view
    def day_of(tx, thing: Thing) -> Date:
        return thing.day
'''
NO_CONTRACT = "from hansa.contract import Contract\n\nclass C(Contract, version='1.0.0'):\n    x = open('y')\n"
RSA = """-----BEGIN PRIVATE KEY-----
MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBAM
-----END PRIVATE KEY-----
"""


@dataclass(frozen=True)
class Scene:
    """The places that cases share."""

    live: Path
    stopped: Path
    told: Path
    url: str
    told_url: str


@dataclass(frozen=True)
class Case:
    """One failure. `told` says what is special where the line does not."""

    line: str
    told: str = ""
    before: Callable[[Path, Scene], Any] | None = None
    node: Answers | None = None


def words_of(line: str, here: Path, scene: Scene, url: str, taken: int = 0) -> list[str]:
    """The words of a line, its places filled in."""
    places = {"live": scene.live, "stopped": scene.stopped, "told": scene.told, "copy": here / "copy", "here": here}
    places |= {"url": url}
    return [word if word.startswith("price={") else word.format(**places, taken=taken) for word in shlex.split(line)]


def problem(code: str) -> tuple[int, bytes]:
    """A refusal as a node words it."""
    kind = KINDS[code]
    fields = {"code": code, "title": kind.title, "detail": kind.title, "status": kind.status, "remedy": kind.remedy}
    return max(kind.status, 400), json.dumps({**fields, "retry_after": 1}).encode()


def refuses(code: str) -> Answers:
    """A node that takes no transaction, for this reason."""
    return lambda method, path: problem(code) if (method, path) == ("POST", "/app/transactions") else None


def always(status: int, body: bytes, kind: str = "") -> Answers:
    return lambda method, path: (status, body, {"content-type": kind} if kind else {})


def streams(*messages: str) -> Answers:
    """A node that sends these server-sent events."""
    return always(200, "".join(f"{message}\n\n" for message in messages).encode(), "text/event-stream")


def sent(id: str, contract: str = "kinds", under: str = "") -> str:
    """An event as a node sends it."""
    seq, index = map(int, id.split("-"))
    event = {"id": id, "seq": seq, "index": index, "contract": contract, "version": "1.0.0", "name": "made"}
    data = json.dumps({**event, "time": 0, "transaction": "0" * 64, "data": {}})
    return f"id: {under or id}\ndata: {data}"


def instead(path: str, old: bytes, new: bytes) -> Answers:
    """A node that gives something else at a path."""

    def changed(given: Given) -> Given:
        assert old in given[1]
        return given[0], given[1].replace(old, new)

    return lambda method, asked: changed if asked == path else None


def lost(_: Given) -> Given:
    return SILENT


def unproven(method: str, path: str) -> Given | Callable[[Given], Given] | None:
    """A node whose answer to a transaction is lost when that has its entry, and which gives no receipts."""
    if method == "POST":
        return lost
    return (200, b"x") if path.startswith("/app/receipts/") else None


@contextmanager
def served(answers: Answers, live: str) -> Iterator[str]:
    """The URL of a node that answers so."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(length) if length else None
            found = answers(self.command, self.path.partition("?")[0])
            if found is None or callable(found):
                given = self._passed_on(body)
                found = given if found is None else found(given)
            status, content, *headers = found
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            for name, value in headers[0].items() if headers else ():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def _passed_on(self, body: bytes | None) -> tuple[int, bytes]:
            names = ("accept", "content-type")
            headers = {name: self.headers[name] for name in names if self.headers[name]}
            request = urllib.request.Request(live + self.path, body, headers, method=self.command)
            try:
                with urllib.request.urlopen(request) as answer:
                    return answer.status, answer.read()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, error.read()

        do_GET = do_POST = _answer

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# What cases do beforehand


def write(name: str, content: str | bytes = b"x") -> Callable[[Path, Scene], None]:
    """A file in the case's own folder."""

    def before(here: Path, _: Scene) -> None:
        path = here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(0o600)

    return before


def new_key(name: str, kind: str = "ed25519") -> Callable[[Path, Scene], None]:
    def before(here: Path, _: Scene) -> None:
        (here / name).unlink(missing_ok=True)
        keys.save(keys.generate(kind), here / name)

    return before


def public_key(name: str) -> Callable[[Path, Scene], Any]:
    return lambda here, _: (here / name).write_bytes(keys.generate("p256").public.pem())


def remove(name: str) -> Callable[[Path, Scene], None]:
    def before(here: Path, _: Scene) -> None:
        (here / name).unlink()

    return before


def change(name: str, at: int) -> Callable[[Path, Scene], None]:
    """Another byte in a file."""

    def before(here: Path, _: Scene) -> None:
        data = bytearray((here / name).read_bytes())
        data[at % len(data)] ^= 1
        (here / name).write_bytes(data)

    return before


def from_journal(at: int) -> Callable[[Path, Scene], None]:
    """No state, so that a start reads all of the journal; and another byte in that."""
    return both(lambda here, _: shutil.rmtree(here / "copy" / "state"), change("copy/journal/00000000.segment", at))


def mode(name: str, bits: int) -> Callable[[Path, Scene], None]:
    return lambda here, _: (here / name).chmod(bits)


def twin(here: Path, scene: Scene) -> None:
    """A copy of the ledger whose node runs."""
    shutil.copytree(scene.live, here / "twin")
    for name in ("lock", "node.json"):
        (here / "twin" / name).unlink()


def run(*lines: str, then: Callable[[Path, Scene], Any] | None = None) -> Callable[[Path, Scene], Any]:
    """Other commands beforehand, which must do."""

    def before(here: Path, scene: Scene) -> Any:
        for line in lines:
            try:
                main(words_of(line, here, scene, scene.url))
            except SystemExit as ended:
                assert ended.code == 0, line
        return None if then is None else then(here, scene)

    return before


def both(*steps: Callable[[Path, Scene], Any]) -> Callable[[Path, Scene], None]:
    def before(here: Path, scene: Scene) -> None:
        for step in steps:
            step(here, scene)

    return before


def honest(here: Path, scene: Scene) -> None:
    """A file that says of one head that it contradicts itself."""
    RECEIPT(here, scene)
    head = receipt.bare(receipt.head_of((here / "r.cose").read_bytes(), (here / "r.entry").read_bytes()))
    document = (scene.stopped / "genesis.cbor").read_bytes()
    (here / "p").write_bytes(split_view.encode(document, [Contradiction(head, head, None)]))


PAUSE = "proposal new --action pause_contract name=kinds"
PREPARED = run(f"{PAUSE} --as northbank --prepare {{here}}/p --data {{live}}")
CALL = "call kinds take --as northbank --data {live} thing=1 yes=true at=2030-01-01 length=1d many=[1]"
PAY = "call example_ledger pay account=northbank to=harbourline"
RECEIPT = run("receipt get 1 --out {here}/r --key --data {stopped}")
MAKE = "call kinds make id=2 day=2030-01-01 --as northbank --data {live} --url {url}"
PUBLISH = "calendar publish GBLON 2026 --as tradewatch"
TRANSACTING = "keys/members/northbank.pem"
LONELY = "from hansa.contract import Contract\n\n\nclass Lonely(Contract, version='1.0.0'):\n    pass\n"
LIBRARY = "from hansa.contract import Int\n\n\ndef doubled(n: Int[0, 9]) -> Int[0, 18]:\n    return n + n\n"


def position(ledger: str = "1" * 64, contract: str | None = None) -> Callable[[Path, Scene], None]:
    """What a forwarding left behind."""
    return write("p", json.dumps({"ledger": ledger, "contract": contract, "name": None, "after": "0"}))


_SHOW_TOKEN = "user sign-in --issuer none --key {here}/k.pem --token-file {here}/t"
_REFUSED = (
    "token.algorithm", "token.issuer", "token.audience", "token.tenant", "token.unknown_key", "token.signature",
    "token.time", "token.nonce", "session.full", "session.refused", "session.settings", "issuer.unreachable",
    "issuer.answer",
)  # fmt: skip


def with_token(text: str) -> Callable[[Path, Scene], Any]:
    """A session's key, and a file that should be a token for it."""

    def before(here: Path, scene: Scene) -> None:
        new_key("k.pem")(here, scene)
        (here / "t").write_text(text)

    return before


def refuses_session(code: str) -> Answers:
    """A node that begins no session, for this reason."""
    return lambda method, path: problem(code) if (method, path) == ("POST", "/app/sessions") else None


NETWORK = {
    "version": 0,
    "name": "Test",
    "topology": "multi-member",
    "orderer": "cometbft",
    "ledger": "",
    "members": [{"id": "acme", "name": "Acme", "nodes": [{"id": "acme-1", "port": 1}, {"id": "acme-2", "port": 2}]}],
}


RETIRED = json.dumps(NETWORK).replace('"port": 1', '"port": 1, "retired": true')
UNNAMED = json.dumps(NETWORK).replace("acme", ".")


def network(here: Path, scene: Scene) -> None:
    """A network's folder, and in it that of a member with two nodes: as much of them as is looked at here."""
    (here / "network.json").write_text(json.dumps(NETWORK))
    for name in ("acme/keys", "acme/acme-1", "acme/acme-2", "bolt/keys"):
        (here / name).mkdir(parents=True)
    for node in ("acme-1", "acme-2"):
        (here / "acme" / node / "format").write_text("")


def topology(name: str) -> Callable[[Path, Scene], Any]:
    """A network's folder, of this topology."""
    return write("network.json", json.dumps(NETWORK | {"topology": name, "orderer": "solo"}))


def invited(
    by: str = "governance/northbank", *, is_forged: bool = False, **change: Any
) -> Callable[[Path, Scene], Any]:
    """Writes the file `x`, an invite to the ledger of `{live}` by one of its keys, but for the change.

    `is_forged`: with a checkpoint that nobody signed.
    """

    def write_invite(here: Path, scene: Scene) -> None:
        key = keys.load(scene.live / "keys" / f"{by}.pem")
        document = (scene.live / "genesis.cbor").read_bytes()
        ledger = genesis.ledger_id(document)
        signing = keys.load(scene.live / "keys" / "checkpoint.pem")
        forged = msgspec.structs.replace(checkpoint.sign(ledger, 1, 0, bytes(32), signing), size=2)
        sound: dict[str, Any] = {
            "key": key.public.spki,
            "name": genesis.decode(document).name,
            "wan": False,
            "nodes": [invite.Node(id="node-1", member="northbank", url=scene.url)],
            "ledger": ledger,
            "member": "southbank",
            "inviter": "northbank",
            "members": [invite.Member("northbank", "North Bank", 1)],
            "orderer": "cometbft",
            "version": 0,
            "not_after": time.time_ns() // 1_000_000 + 3_600_000,
            "checkpoint": [receipt.bare(forged)] if is_forged else [],
            "constitution": invite.Constitution(1000, "rules"),
        }
        (here / "x").write_bytes(invite.seal(key, invite.Invite(**{**sound, **change})))

    return write_invite


def misattributed(here: Path, scene: Scene) -> None:
    """An invite that says that another key signed it than did."""
    invited()(here, scene)
    found = (here / "x").read_bytes()
    (here / "x").write_bytes(found[:-1] + bytes([found[-1] ^ 1]))


CASES: dict[str, list[Case]] = {
    "The line itself": [
        Case("statsu"),
        Case("nothing-like-it"),
        Case("contract chek"),
        Case("status --nothing"),
        Case("status more"),
        Case("call"),
        Case("call example_ledger"),
        Case(f"{PAY} --as northbank --data {{live}} --k 2"),
        Case("--data x status"),
        Case("up --port 65536"),
        Case("up --port x"),
        Case("receipt get 1"),
        Case("query kinds Thing --rows 0"),
        Case("call kinds take --steps 0"),
        Case("completion tcsh"),
        Case("status --data \udcff", "Bytes that are no text"),
    ],
    "Networks": [
        Case("network new {here}/new"),
        Case("network new {here}/new --topology ring"),
        Case("network new {here}/new --topology dev --json"),
        Case("network new {here}/new --topology dev --nodes 3 --yes"),
        Case("network new {here}/new --topology single-member --members 2 --nodes 4 --lock 5x --name '' --yes"),
        Case("network new {here}/new --topology multi-member --members 1 --yes"),
        Case("network new {here}/new --topology multi-member --members 9 --nodes 2 --yes"),
        Case("network new {here} --topology dev --yes", "There is one", network),
        Case("network new {here} --topology dev --yes", "It holds other things", write("x")),
        Case("network up {here}"),
        Case("network status {here}", "Its map was changed", write("network.json", "{}")),
        Case(
            "network status {here}",
            "A name that is none",
            write("network.json", json.dumps(NETWORK).replace("acme", ".")),
        ),
        Case("network stop {here} bolt-1", "", network),
        Case("status --data {here}", "A network's folder", network),
        Case("up --data {here}", "A network's folder", network),
        Case("up --data {here}/acme", "A member with two nodes", network),
        Case("up --data {here}/bolt", "A member with none", network),
    ],
    "Invites, and nodes that come and go": [
        Case("network invite {here} --member South"),
        Case("network invite {here} --member south"),
        Case("network invite {here} --member acme", "A network of one node", topology("dev")),
        Case("network invite {here} --member bolt", "A network whose member has no key here", network),
        Case("network invite {here} --member bolt --as bolt", "Its inviter is not here", network),
        Case("network node add {here} --member acme", "A network of one node", topology("dev")),
        Case("network node add {here} --member bolt", "A member that is not here", network),
        Case("network node add {here} --member acme", "No node runs", network),
        Case("network node retire {here} acme-9 --yes", "", network),
        Case("network node retire {here} acme-1 --json", "", network),
        Case("network up {here} acme-1", "A node that was retired", write("network.json", RETIRED)),
        Case("network join {here}/new"),
        Case("network join {here}/new --invite {here}/x"),
        Case("network join {here}/new --invite {here}/x --yes", "It is something else", write("x", "nothing")),
        Case("network join {here}/new --invite {here}/x --yes", "Somebody altered it", misattributed),
        Case("network join {here}/new --invite {here}/x --yes", "It has expired", invited(not_after=1)),
        Case("network join {here}/new --invite {here}/x --yes", "It counts for ever", invited(not_after=4 * 10**12)),
        Case("network join {here}/new --invite {here}/x --ledger 00 --yes", "", invited()),
        Case("network join {here}/new --invite {here}/x --ledger " + "00" * 32 + " --yes", "", invited()),
        Case("network join {here}/new --invite {here}/x --json", "", invited()),
        Case("network join {here}/new --invite {here}/x --name '' --yes", "", invited()),
        Case("network join {here} --invite {here}/x --yes", "The folder has something in it", invited()),
        Case("network join {here}/new --invite {here}/x --keys {here} --yes", "There are no keys", invited()),
        Case("network join {here}/new --invite {here}/x --yes", "Another ledger's node", invited(ledger=bytes(32))),
        Case("network join {here}/new --invite {here}/x --yes", "It has another name", invited(name="Another")),
        Case("network join {here}/new --invite {here}/x --yes", "Another's key", invited("governance/harbourline")),
        Case("network join {here}/new --invite {here}/x --yes", "A forged checkpoint", invited(is_forged=True)),
        Case(
            "network join {here}/south --ledger " + "00" * 32,
            "A folder of another ledger",
            both(invited(), run("network join {here}/south --invite {here}/x --yes")),
        ),
    ],
    "Nodes that do not answer": [
        Case("status --data {here}", "A wrong folder"),
        Case("status --data {stopped}"),
        Case("status --url http://127.0.0.1:1"),
        Case("status --url nonsense"),
        Case("call kinds make --as northbank --data {stopped}"),
        Case("status --url {url}", "It takes the request and closes", node=always(*SILENT)),
        Case("status --url {url}", "Another server", node=always(200, b"hello")),
        Case("status --url {url}", "A proxy in between", node=always(502, b"bad gateway")),
        Case(
            "status --url {url}",
            "A newer node",
            node=always(400, b'{"code": "new.code", "detail": "It is too late today", "remedy": "Come tomorrow."}'),
        ),
        Case(
            "call kinds make id=2 day=2030-01-01 --as northbank --data {live} --url {url}",
            "Every answer is lost",
            node=lambda method, _: SILENT if method == "POST" else None,
        ),
        Case(MAKE, "It answers with something else", node=lambda method, _: (200, b"x") if method == "POST" else None),
        Case(MAKE, "It says of no ledger", node=lambda _, path: (200, b"{}") if path == "/node/status" else None),
        Case(
            MAKE,
            "It lies about the ledger's time",
            node=instead("/node/status", b'"clock":"real"', b'"clock":"told"'),
        ),
        Case(
            MAKE.replace("{live}", "{told}"),
            "It lies about the ledger's beginning",
            node=instead("/node/genesis", b"Sample ledger", b"Simple ledger"),
        ),
        Case(
            MAKE.replace("{live}", "{told}") + " --receipt {here}/r.cose",
            "The answer is lost, and no receipt comes",
            node=unproven,
        ),
    ],
    "Who signs": [
        Case("call kinds make --data {live}"),
        Case("call kinds make --data {live} --as norhtbank"),
        Case("call kinds make --data {here} --as northbank"),
        Case("call kinds make --data {live} --key {here}/none.pem"),
        Case("call kinds make --data {live} --key {here}/k.pem", "No key", write("k.pem")),
        Case("call kinds make --data {live} --key {here}/k.pem", "A key of RSA, cut off", write("k.pem", RSA)),
        Case(
            "call kinds make --data {live} --key {here}/k.pem",
            "Others can read it",
            both(new_key("k.pem"), mode("k.pem", 0o644)),
        ),
        Case(
            "call kinds make id=3 day=2030-01-01 --data {live} --key {here}/k.pem",
            "Nobody's key",
            new_key("k.pem"),
        ),
    ],
    "What is called and asked for": [
        Case("call nowhere make --as northbank --data {live}"),
        Case("call kinds mkae --as northbank --data {live}"),
        Case("call kinds make id=x --as northbank --data {live}"),
        Case("call kinds make id=1 --as northbank --data {live}"),
        Case("call kinds make id=1 id=2 day=2030-01-01 --as northbank --data {live}"),
        Case("call kinds make id=10 day=2030-01-01 --as northbank --data {live}"),
        Case("call kinds make id=1 day=tomorrow --as northbank --data {live}"),
        Case("call kinds make id --as northbank --data {live}"),
        Case("call kinds take thing=1 yes=perhaps at=soon length=long many=[ price=1 --as northbank --data {live}"),
        Case(f"{CALL} price='USD 1.0'"),
        Case(f"{CALL} price='USD -1.00'"),
        Case(f"{CALL} price='USD 99999999999999999999.00'"),
        Case(f"{CALL} price='USD 99999999999999999.00'"),
        Case(f"{CALL} price='USD 1.00' at=1.5"),
        Case(f"{CALL.replace('many=[1]', 'many=[1,')} price='USD 1.00'"),
        Case(f"{CALL.replace('many=[1]', 'many=[1,2,3,4]')} price='USD 1.00'"),
        Case(f'{CALL.replace("many=[1]", "many=[]")} price=\'{{"minor":1,"minor":2}}\''),
        Case("call kinds make id=4 day=2030-01-01 --steps 99999999 --as northbank --data {live}"),
        Case(
            "call kinds make id=4 day=2030-01-01 --as northbank --data {live} --receipt {here}/r.cose",
            "It is there",
            write("r.cose"),
        ),
        Case("call kinds make id=4 day=2030-01-01 --as northbank --data {live} --receipt {here}/no/r.cose"),
        Case("query nowhere Thing --data {live}"),
        Case("query kinds Thign --data {live}"),
        Case("query kinds Thing 1 2 --data {live}"),
        Case("query kinds Thing 9 --data {live}"),
        Case("query kinds Thing x --data {live}"),
        Case("query kinds Thing 1 --index day --data {live}"),
        Case("query kinds Thing --history --data {live}"),
        Case("query kinds Thing --index id --data {live}"),
        Case("query kinds Thing --index day=2030-01-01 --least 2029-01-01 --data {live}"),
        Case("query kinds Thing --after nonsense --data {live}"),
        Case("query kinds day_of --data {live}"),
        Case("query kinds day_of thing=9 --data {live}"),
        Case("tx show nonsense --data {live}"),
        Case("tx show 999 --data {live}"),
        Case("tx trace x --data {stopped}"),
        Case("tx trace 999 --data {stopped}"),
        Case("tx trace 0 --data {stopped}"),
        Case("tx trace 1 --data {here}"),
    ],
    "Events": [
        Case("events --after x --data {live}"),
        Case("events --after 999 --data {live}"),
        Case("events --after 1-9 --data {live}"),
        Case("events --contract nowhere --data {live}"),
        Case("events --after 1 --from-start --data {live}"),
        Case("events --data {stopped}"),
        Case("events --url {url}", "Another server", node=always(200, b"hello")),
        Case("events --url {url}", "Too many of them already", node=always(*problem("events.full"))),
        Case("events --url {url}", "They go backwards", node=streams(sent("2-0"), sent("1-0"))),
        Case(
            "events --url {url}",
            "So does how far the node has looked",
            node=streams(sent("2-0"), 'event: heartbeat\ndata: {"after": "1", "entries": 9}'),
        ),
        Case("events --url {url}", "One stands under the id of another", node=streams(sent("2-0", under="3-0"))),
        Case("events --url {url}", "One is none", node=streams("data: {}")),
        Case("events --url {url}", "One has no end", node=always(200, b"x" * 2_000_000, "text/event-stream")),
        Case("events --forward file:///tmp/x --data {live}"),
        Case("events --forward http://receiver.example:x/ --data {live}"),
        Case("events --forward 'http://receiver.example/\x01' --data {live}", "A character that no URL holds"),
        Case("events --position {here}/p --data {live}"),
        Case("events --forward {url}/hook --position {here}/no/p --data {live}"),
        Case("events --forward {url}/hook --position {here}/p --data {live}", "The file is none", write("p")),
        Case("events --forward {url}/hook --position {here}/p --contract kinds --data {live}", "", position()),
        Case("events --forward {url}/hook --position {here}/p --data {live}", "It is another ledger's", position()),
        Case("events --forward {url}/hook --data {live}", "The receiver refuses", node=always(410, b"")),
    ],
    "Time that is told": [
        Case("clock set soon --data {live}"),
        Case("clock set 2030 --data {live}"),
        Case("clock set 2030-01-01 --data {live}"),
        Case("clock set 2028-01-01 --data {told}"),
        Case("clock set 1960-01-01 --data {told}"),
        Case("clock set 2029-01-01 --url {url}", "Another is at it", node=always(*problem("clock.moving"))),
        Case("clock advance soon --data {live}"),
        Case("clock advance 1d --data {live}"),
        Case("clock advance 9999999d --data {told}"),
        Case("clock show --data {stopped}"),
        Case("up --data {copy} --port 0 --clock 2030-01-01"),
        Case("up --data {here}/new --port 0 --clock 1960-01-01"),
    ],
    "Calendars": [
        Case("calendar make Lodnon 2026"),
        Case("calendar make Atlantis 2026"),
        Case("calendar make London 1066"),
        Case("calendar make London next"),
        Case("calendar make London 2026 --out {here}/c.json", "It is there", write("c.json")),
        Case(f"{PUBLISH} --data {{live}}"),
        Case(f"{PUBLISH} --contract kinds --data {{live}}"),
        Case(f"{PUBLISH} --file {{here}}/none --data {{told}}"),
        Case(f"{PUBLISH} --file {{here}}/c.json --data {{told}}", "It is none", write("c.json")),
        Case(
            f"{PUBLISH} --file {{here}}/c.json --data {{told}}", "It lacks the rest", write("c.json", '{"year": 2026}')
        ),
        Case(
            f"{PUBLISH} --file {{here}}/c.json --data {{told}}",
            before=run("calendar make Tokyo 2026 --out {here}/c.json"),
        ),
    ],
    "Engines": [
        Case("engines build raft"),
    ],
    "Stories": [
        Case("app run letter"),
        Case("app run letter-of-credit --keep {here}/no/where"),
        Case("app run letter-of-credit --keep {stopped}"),
    ],
    "Transactions that a node refuses": [
        Case(
            "call kinds make id=5 day=2030-01-01 --as northbank --data {live} --url {url}",
            f"`{code}`",
            node=refuses(code),
        )
        for code in (
            "queue.full",
            "queue.share",
            "clock.behind",
            "clock.jumped",
            "disk.full",
            "node.stopping",
            "node.faulted",
            "transaction.expired",
            "transaction.too_far",
            "transaction.ledger",
            "sender.algorithm",
            "signature.invalid",
            "contract.fatal",
        )
    ],
    "Receipts": [
        Case("receipt get 999 --out {here}/r --data {live}"),
        Case("receipt get 1 --out {here}/no/r --data {live}"),
        Case("receipt get 1 --out {here}/r --data {live}", "One of the files is there", write("r.cose")),
        Case("receipt get 1 --out {here}/r --data {here}/none"),
        Case("receipt verify {here}/none.cose --ledger 00"),
        Case("receipt verify {here}/r.cose", before=RECEIPT),
        Case("receipt verify {here}/r.cose --ledger 00 --key {here}/r.pem", before=RECEIPT),
        Case("receipt verify {here}/r.cose --genesis {here}/r.cose", before=RECEIPT),
        Case("receipt verify {here}/r.cose --key {here}/k.pem", "No key", both(RECEIPT, write("k.pem"))),
        Case(
            f"receipt verify {{here}}/r.cose --genesis {{stopped}}/genesis.cbor --ledger {'0' * 64}",
            before=RECEIPT,
        ),
        Case(f"receipt verify {{here}}/r.cose --key {{here}}/r.pem --ledger {'0' * 64}", before=RECEIPT),
        Case(
            "receipt verify {here}/r.cose --genesis {stopped}/genesis.cbor --key {here}/k.pem",
            "Another checkpoint key",
            both(RECEIPT, public_key("k.pem")),
        ),
        Case(
            "receipt verify {here}/r.cose --key {here}/k.pem",
            "A receipt by another key",
            both(RECEIPT, public_key("k.pem")),
        ),
        *(
            Case(
                "receipt verify {here}/r.cose --genesis {stopped}/genesis.cbor",
                f"A byte of the {part} was changed",
                both(RECEIPT, change(f"r.{ending}", at)),
            )
            for part, ending, at in (
                ("receipt's signature", "cose", -1),
                ("receipt's form", "cose", 0),
                ("entry", "entry", -1),
                ("entry's form", "entry", 0),
                ("envelope", "envelope", -1),
                ("outcome", "outcome", -1),
            )
        ),
    ],
    "Split views": [
        Case("compare {url}"),
        Case("compare {url} {url}"),
        Case("compare {url} --head {here}/none"),
        Case("compare {url} --head {here}/h", "JSON of something else", write("h", "{}")),
        Case("compare {url} --head {here}/h --out {here}/h", "The file is there", write("h")),
        Case(f"compare {{url}} http://127.0.0.1:1 --ledger {'0' * 64} --out {{here}}/p"),
        Case("verify {here}/none"),
        Case("verify {stopped}/genesis.cbor"),
        Case("verify {here}/p", before=write("p", b"\xa1gversion\x01")),
        Case("verify {here}/p", "One head, twice", honest),
        Case(f"verify {{here}}/p --ledger {'0' * 64}", before=honest),
        Case("verify {here}/p --genesis {stopped}/genesis.cbor --trust {here}/p", before=honest),
    ],
    "Contract files": [
        Case("contract check {here}/none.py"),
        Case("contract check {here}/c.py", "No text", write("c.py", b"\xff\xfe")),
        Case("contract check {here}/c.py", "Far too large", write("c.py", b"#" * 5_000_000)),
        Case("contract check {here}/c.py --name Not-a-name", before=write("c.py", KINDS_CONTRACT)),
        Case("contract check {here}/c.py --constitution --name other", before=write("c.py", KINDS_CONTRACT)),
        Case("contract schema {here}/c.py", "A finding", write("c.py", NO_CONTRACT)),
        Case("contract show nowhere --data {live}"),
        Case("contract deploy {here}/kinds.py --as northbank --data {live}", before=write("kinds.py", KINDS_CONTRACT)),
        Case("contract upgrade nowhere {here}/k.py --as northbank --data {live}", before=write("k.py", KINDS_CONTRACT)),
        Case("contract run {here}/kinds.py mkae", before=write("kinds.py", KINDS_CONTRACT)),
        Case("contract run {here}/kinds.py take", before=write("kinds.py", KINDS_CONTRACT)),
        Case("contract run {here}/kinds.py make --as NO --scheduled", before=write("kinds.py", KINDS_CONTRACT)),
        Case(
            "contract run {here}/kinds.py make id=1 day=2030-01-01 --as northbank --scheduled",
            before=write("kinds.py", KINDS_CONTRACT),
        ),
        Case(
            "contract run {here}/kinds.py make id=1 day=2030-01-01 --at 999999999999999",
            before=write("kinds.py", KINDS_CONTRACT),
        ),
        Case("contract run {here}/kinds.py make id=1 day=2030-01-01 --as NO", before=write("kinds.py", KINDS_CONTRACT)),
        Case("contract run {here}/kinds.py make --with x", before=write("kinds.py", KINDS_CONTRACT)),
        Case(
            "contract run {here}/kinds.py make --with kinds={here}/kinds.py",
            before=write("kinds.py", KINDS_CONTRACT),
        ),
        Case(
            "contract run {here}/kinds.py make id=1 day=2030-01-01 --at 9999999999999999",
            before=write("kinds.py", KINDS_CONTRACT),
        ),
        Case("contract run {here}/kinds.py make id=1 day=2030-01-01 --at x", before=write("kinds.py", KINDS_CONTRACT)),
        Case(
            "contract run {here}/kinds.py make id=1 day=2030-01-01 --at 0 --state {here}/s.json",
            before=both(
                write("kinds.py", KINDS_CONTRACT),
                run("contract run {here}/kinds.py make id=2 day=2030-01-01 --at 1 --state {here}/s.json"),
            ),
        ),
        Case(
            "contract run {here}/kinds.py make id=1 day=2030-01-01 --state {here}/s.json",
            "The file is none",
            both(write("kinds.py", KINDS_CONTRACT), write("s.json")),
        ),
        Case("contract upgrade kinds {here}/doubled.py --data {live}", "It is a library", write("doubled.py", LIBRARY)),
    ],
    "Tools for contracts": [
        Case("contract new Not-a-name --dir {here}"),
        Case("contract new members --dir {here}"),
        Case("contract new offers --dir {here}", "There is one", write("offers/contract.py")),
        Case("contract new offers --dir {here}/f", "That is a file", write("f")),
        Case("contract test {here}/none"),
        Case("contract test {here}"),
        Case("contract test {here}/kinds.py", before=write("kinds.py", KINDS_CONTRACT)),
        Case("contract test {here}", "The file has none", write("test_kinds.py", "")),
        Case("contract test {here} -- --no-such-word", before=write("test_kinds.py", "")),
        Case("contract test {here} --coverage-min 101"),
        Case("contract trace {here}/none.py make"),
        Case("contract trace {here}/kinds.py mkae", before=write("kinds.py", KINDS_CONTRACT)),
        Case("contract diagram {here}/kinds.py", before=write("kinds.py", KINDS_CONTRACT)),
        Case("contract diagram {here}/kinds.py --record Thing", before=write("kinds.py", KINDS_CONTRACT)),
        Case("contract diagram {here}/kinds.py --record Thign", before=write("kinds.py", KINDS_CONTRACT)),
        Case("contract diagram {here}/c.py", "A finding", write("c.py", NO_CONTRACT)),
        Case("contract diagram {here}/kinds.py --format png"),
        Case("contract diagram {here}/kinds.py --out {here}/d.svg", "It is there", write("d.svg")),
        Case("contract stubs {here}/none.py"),
        Case("contract stubs nowhere --data {live}"),
        Case("contract stubs kinds --data {stopped}"),
        Case("contract stubs kinds --out {here}/k.py --data {live}", "Another made it", write("k.py")),
        Case("contract stubs {here}/doubled.py", "It is a library", write("doubled.py", LIBRARY)),
        Case("up --data {copy} --port 0 --watch {here}/none.py"),
        Case("call kinds take id=5 --as northbank --key {here}/k.pem --data {live}"),
        Case("call kinds take id=5 --as northbank --url {url} --data {here}/none"),
        Case(
            "up --data {copy} --port 0 --watch {here}/kinds.py",
            "No key of a member that may deploy",
            both(write("kinds.py", KINDS_CONTRACT), remove("copy/keys/members/northbank.pem")),
        ),
    ],
    "Folders": [
        Case("up --data {here} --port 0", "It holds other things", write("x")),
        Case("up --data {copy} --port 0", "Another version made it", write("copy/format", "hansa folder, format 9\n")),
        Case("up --data {live} --port 0", "A node runs over it"),
        Case("up --data {here}/twin --port 0", "A node runs over another copy of it", twin),
        Case("up --data {here}/new --host 0.0.0.0"),
        Case("up --data {here}/new --port 0 --name ''"),
        Case("up --data {here}/new --log yaml"),
        Case("up --data {here}/new --port {taken}"),
        Case("up --data {copy} --port 0", "Its checkpoint key is gone", remove("copy/keys/checkpoint.pem")),
        Case("up --data {copy} --port 0", "Others can read that key", mode("copy/keys/checkpoint.pem", 0o644)),
        Case("up --data {copy} --port 0", "It is another ledger's", new_key("copy/keys/checkpoint.pem", "p256")),
        Case("up --data {copy} --port 0", "The node's key is another's", new_key("copy/keys/node.pem", "p256")),
        Case("up --data {copy} --port 0", "A byte of the journal", from_journal(5_000)),
        Case("up --data {copy} --port 0", "A segment's header", from_journal(4)),
        Case("up --data {copy} --port 0", "The journal is gone", remove("copy/journal/00000000.segment")),
        Case("audit {here}"),
        Case("audit {live}"),
        Case("audit {stopped} --at-least {here}/none.cose"),
        Case("audit {stopped} --at-least {here}/r.cose", "No receipt", write("r.cose")),
        Case("audit {stopped} --workers 0"),
        Case("demo --keep {here}/no/where"),
        Case("demo --keep {stopped}"),
        Case("backup {here}/b --data {here}"),
        Case("backup {here}/b --data {stopped}", "It is there", write("b")),
        Case("backup {here}/no/b --data {stopped}"),
        Case("restore {here}/none --data {here}/new"),
        Case("restore {here}/b --data {here}/new", "No backup", write("b")),
        Case(
            "restore {here}/b --data {here}/new",
            "A byte of it was changed",
            run("backup {here}/b --data {stopped}", then=change("b", 9_000)),
        ),
        Case("restore {here}/b --data {here}/new", "The original runs", run("backup {here}/b --keys --data {live}")),
        Case("restore {here}/b --data {stopped}", before=run("backup {here}/b --data {stopped}")),
    ],
    "Looking at a machine": [
        Case("doctor --port x"),
        Case("bench --seconds 0"),
        Case("bench --in {here}/none"),
        Case("bench --out {here}/r.md", "It is there", write("r.md")),
    ],
    "Exclusions": [
        Case("tx exclude nonsense --as northbank --data {stopped}"),
        Case(f"tx exclude {'0' * 64} --as northbank --data {{here}}"),
        Case(f"tx exclude {'0' * 64} --key {{here}}/k.pem --data {{here}}", before=new_key("k.pem")),
        Case(f"tx exclude {'0' * 64} --as northbank --data {{stopped}} --out {{here}}/s", before=write("s")),
        Case(f"tx exclude {'0' * 64} --as northbank --data {{stopped}} --out {{here}}/no/s"),
        Case(f"tx exclude {'0' * 64} --give {{here}}/none --data {{copy}}"),
        Case(f"tx exclude {'0' * 64} --give {{here}}/s --data {{copy}}", "No statement", write("s")),
        Case(
            f"tx exclude {'0' * 64} --give {{here}}/s --data {{copy}}",
            "By a key for transactions",
            run(f"tx exclude {'0' * 64} --key {{stopped}}/{TRANSACTING} --data {{stopped}} --out {{here}}/s"),
        ),
        Case(
            f"tx exclude {'0' * 64} --give {{here}}/s --data {{copy}}",
            "For another ledger",
            run(f"tx exclude {'0' * 64} --as northbank --data {{stopped}} --ledger {'1' * 64} --out {{here}}/s"),
        ),
    ],
    "Governance": [
        Case("proposal new --as northbank --data {live}"),
        Case("proposal new --action pause_contrct --as northbank --data {live}"),
        Case("proposal new --action pause_contract shop --as northbank --data {live}"),
        Case("proposal new --action pause_contract name=a name=b --as northbank --data {live}"),
        Case("proposal new --action set_member_data member=x weight=many --as northbank --data {live}"),
        Case("proposal new --action set_contract name=x source={here}/none.py --as northbank --data {live}"),
        Case("proposal new {here}/p.json --as northbank --data {live}", before=write("p.json", "{{")),
        Case("proposal new {here}/p.json --as northbank --data {live}", before=write("p.json", "[]")),
        Case("proposal new {here}/p.json --as northbank --data {live}", "Too large", write("p.json", bytes(2**20 + 1))),
        Case(f"{PAUSE} --data {{live}}"),
        Case(f"{PAUSE} --as northbnk --data {{live}}"),
        Case(f"{PAUSE} --key {{live}}/keys/members/northbank.pem --data {{live}}"),
        Case("proposal plan --action remove_member --data {live}"),
        Case("proposal show 12 --data {live}"),
        Case("proposal show 00000000 --data {live}"),
        Case(f"proposal show {'0' * 64} --data {{live}}"),
        Case("proposal vote --yes --as northbank --data {live}"),
        Case("proposal vote 00000000 --as northbank --data {live}"),
        Case("proposal new --action resume_contract name=kinds --as northbank --data {live}"),
        Case("proposal vote 00000000 --yes --no --as northbank --data {live}"),
        Case("proposal vote --finish {here}/p --yes --as northbank --data {live}"),
        Case(
            "proposal list --url {url}",
            "The node speaks otherwise",
            node=lambda _, path: (200, b"{}") if path == "/gov/members/proposals" else None,
        ),
        Case(f"{PAUSE} --prepare {{here}}/p --data {{live}}"),
        Case(f"{PAUSE} --as nobody --prepare {{here}}/p --data {{live}}"),
        Case(f"{PAUSE} --kid {'0' * 64} --prepare {{here}}/p --data {{live}}"),
        Case(f"{PAUSE} --as northbank --prepare {{here}}/p --finish {{here}}/p --data {{live}}"),
        Case(f"{PAUSE} --as northbank --signature {{here}}/p --data {{live}}"),
        Case("proposal new --finish {here}/p --data {live}", "Not signed yet", PREPARED),
        Case("proposal vote --finish {here}/p --data {live}", "It is a proposal", PREPARED),
        Case("proposal new --finish {here}/p --data {told}", "For another ledger", PREPARED),
        Case("proposal new --finish {here}/p --data {live}", "Too large", write("p", bytes(2**18 + 1))),
        Case(
            "proposal new --finish {here}/p --signature {here}/s --data {live}",
            "No signature",
            both(PREPARED, write("s", b"yes")),
        ),
        Case(
            "proposal new --finish {here}/p --signature {here}/s --data {live}",
            "Another signature",
            both(PREPARED, write("s", bytes(64))),
        ),
        Case("sign {here}/none --key {here}/k.pem"),
        Case("sign {here}/p --key {here}/k.pem --yes", "Another's key", both(PREPARED, new_key("k.pem"))),
        Case("member show northbnk --data {live}"),
        Case("member key add --as northbank --data {live}"),
        Case("member key add {here}/k.pem --as northbank --data {live}", "A private key", new_key("k.pem")),
        Case("member key add --new {here}/k.pem --as northbank --data {live}", "It is there", new_key("k.pem")),
        Case("member key new {here}/k.pem", "It is there", new_key("k.pem")),
        Case("member key new {here}/k.pub"),
        Case("member key new {here}/a/k.pem", "No folder can be made there", write("a")),
        Case("member key retire --as northbank --data {live}"),
        Case("member key revoke 0000000000 --as northbank --data {live}"),
        Case("user add --as northbank --data {live}"),
        Case("member key add --new {here}/k.pem --expires 2020-01-31 --as northbank --data {told}"),
        Case("user remove ana --as northbank --data {live}"),
        Case("constitution show --url {url}/nothing"),
        Case("constitution show majority --url {url}"),
        Case("up --data {here}/new --port 0 --lock soon"),
        Case("up --data {here}/new --port 0 --constitution {here}/c.py", "No constitution", write("c.py", LONELY)),
    ],
    "Signing in": [
        Case("user sign-in"),
        Case("user sign-in --issuer none --key {here}/k.pem --data {here}"),
        Case("user sign-in --issuer none --key {here}/k.pem --data {live}"),
        Case("user sign-in --issuer none --key {here}/k.pem --data {live}", "It is there", new_key("k.pem")),
        Case("user sign-in --issuer none --key {here}/k.pem --force --data {live}", "It is no key", write("k.pem")),
        Case("user sign-in --issuer none --key {here}/k.pem --nonce --token-file {here}/t"),
        Case("user sign-in --issuer none --key {here}/k.pem --token-file {here}/t --data {live}"),
        Case(f"{_SHOW_TOKEN} --data {{live}}", "No token file", new_key("k.pem")),
        Case(f"{_SHOW_TOKEN} --data {{live}}", "No token", with_token("\u00e4")),
        Case(f"{_SHOW_TOKEN} --data {{live}}", "The node signs nobody in", with_token("a.b.c")),
        *(Case(f"{_SHOW_TOKEN} --url {{url}}", code, with_token("a.b.c"), refuses_session(code)) for code in _REFUSED),
        Case("up --data {copy} --port 0 --sign-in {here}/none.toml"),
        Case("up --data {copy} --port 0 --sign-in {here}/s.toml", "No settings", write("s.toml", "member = 1\n")),
    ],
}
