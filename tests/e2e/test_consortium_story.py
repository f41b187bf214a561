"""Four organisations run a ledger that nobody stands above, word for word as they would type it.

Once over one node, started as `hansa up --members 4`, and once over four, each member's own, which CometBFT orders.
Each member has a folder with its own keys and nothing else, and reaches its node by the URL alone. What each chapter
leaves behind the next one begins with, so they are one test.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Ran, Server, run
from tests.foreign.oidc import Provider, jwks

from hansa.cli import processes
from hansa.client import Client
from hansa.client import keys as key_files
from hansa.merkle import checkpoint, receipt
from hansa.merkle.tree import leaf_hash
from hansa.store.folder import Folder
from hansa.wire import entry

MEMBERS = ("northbank", "harbourline", "eastmutual", "tradewatch")
LENDING = '''"""Things that members lend each other, and who has them."""

from hansa.contract import Contract, Party, Record, Text, action


class Lending(Contract, version="1.0.0"):
    class Roles:
        owner: Party

    class Thing(Record, key="name", index=["owner"]):
        name: Text[1, 40]
        owner: Party

    @action(by="owner", creates="Thing")
    def offer(tx, thing: Thing, name: Text[1, 40]):
        """Puts a thing on the list."""
'''
TENANT = "/north/v2.0"
_PATIENCE_S = 30


class Desk:
    """A member's: a folder with its keys, and the commands that it types there."""

    def __init__(self, folder: Path, url: Callable[[], str]) -> None:
        self.folder = folder
        self.name = folder.name
        self.url = url
        self.transaction, self.governance = folder / "transaction.pem", folder / "governance.pem"

    def reads(self, *words: object) -> Any:
        """A command that signs nothing: what it tells."""
        done = run(*words, "--url", self.url(), "--json")
        assert done.code == 0, done
        return done.json

    def _signs(self, key: Path, *words: object) -> Ran:
        return run(*words, "--key", key, "--url", self.url(), "--json")

    def governs(self, *words: object) -> dict[str, Any]:
        """A command of governance, which is applied: the outcome."""
        return applied(self._signs(self.governance, *words))

    def calls(self, *words: object, key: Path | None = None) -> dict[str, Any]:
        """An action of a contract, which is applied: the outcome."""
        return applied(self._signs(key or self.transaction, "call", *words))

    def is_refused(self, code: str, *words: object, key: Path | None = None) -> str:
        """A command that gets an entry, and is refused there: what it says."""
        done = self._signs(key or (self.transaction if words[0] == "call" else self.governance), *words)
        assert (done.code, done.json["status"], done.json["code"]) == (4, "refused", code), done
        result = done.json["result"]
        return re.sub(r"\{(\w+)\}", lambda found: str(result["values"].get(found[1])), result["message"])

    def is_stopped(self, code: str, *words: object, key: Path | None = None, exits: int = 1) -> str:
        """A command that never gets an entry: what it says."""
        done = self._signs(key or (self.transaction if words[0] == "call" else self.governance), *words)
        return done.failed(code, exits)

    def proposes(self, *words: object) -> str:
        """A new proposal: its id."""
        return self.governs("proposal", "new", *words)["id"]

    def votes(self, proposal: str, *, yes: bool = True) -> str:
        """A ballot that counts: how the proposal then stands."""
        self.governs("proposal", "vote", proposal[:12], "--yes" if yes else "--no")
        return self.state(proposal)

    def changes_keys(self, load: "Load", users: dict[str, Path]) -> None:
        """Each key gets a successor, which is used before the one before it ends."""
        add, retire = ("member", "key", "add"), ("member", "key", "retire")
        before, self.transaction = self.transaction, self.folder / "transaction-2.pem"
        self.governs(*add, "--new", self.transaction)
        load.goes_on_with(self.name, self.transaction)
        self.governs(*retire, before)
        for user, path in users.items():
            if user.startswith(f"{self.name}/"):
                new = self.folder / f"{path.stem}-2.pem"
                self.governs(*add, "--for", user, "--new", new)
                load.goes_on_with(user, new)
                self.governs(*retire, kid_of(path))
        before = self.governance
        self.governs(*add, "--purpose", "governance", "--new", self.folder / "governance-2.pem")
        self.governance = self.folder / "governance-2.pem"
        self.governs(*retire, kid_of(before))

    def state(self, proposal: str) -> str:
        return self.reads("proposal", "show", proposal[:12])["state"]


def applied(done: Ran) -> dict[str, Any]:
    assert done.code == 0, done
    assert done.json["status"] == "applied"
    return done.json


class Consortium:
    """Who sits around the ledger, and the one node that all of them use. `data` is its folder, `node` its id."""

    node = "node-1"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = self.begins()
        self.ledger: str = json.loads(run("status", "--url", self.url("northbank"), "--json").out)["ledger"]
        self.desks = {name: self.desk(name) for name in MEMBERS}
        for desk in self.desks.values():
            (self.keys_of(desk.name) / "members" / f"{desk.name}.pem").rename(desk.transaction)
            (self.keys_of(desk.name) / "governance" / f"{desk.name}.pem").rename(desk.governance)
        self.forged: Path | None = None
        self.heights: dict[int, dict[str, Any]] = {}

    def begins(self) -> Path:
        data = self.folder / "hansa-data"
        self.server = Server(data, "--members", "4", "--lock", "1s", "--reserve-mb", "0")
        return data

    def keys_of(self, member: str) -> Path:
        """Where the keys are that were made for a member."""
        return self.data / "keys"

    def url(self, member: str) -> str:
        """Of the node that a member uses."""
        return self.server.url

    def up_to_date(self, member: str) -> str:
        """The same, when the node has what was committed before."""
        return self.url(member)

    def starts_again(self, *options: object) -> None:
        """The first member's node, with other options."""
        assert self.server.stop() == 0
        self.server = Server(self.data, *map(str, options), "--reserve-mb", "0")

    def ends(self) -> None:
        assert self.server.stop() == 0

    def cleared(self) -> None:
        """Ends all, however it is."""
        self.server.stop()

    def desk(self, name: str) -> Desk:
        (self.folder / name).mkdir(mode=0o700)
        return Desk(self.folder / name, partial(self.up_to_date, name))

    @property
    def first(self) -> Desk:
        """Who began the ledger, and runs its node."""
        return self.desks["northbank"]

    def note(self) -> None:
        """Remembers who belongs to the ledger now, and by which rules, for the audit."""
        told = self.first.reads("member", "list")["members"]
        rules = self.first.reads("query", "members", "Constitution")["rows"][0]["value"]
        height = self.first.reads("status")["height"]
        active = sorted(one["id"] for one in told if not one["removed"])
        self.heights[height] = {"members": active, "constitution": rules["digest"]}

    def entries(self) -> int:
        return self.first.reads("status")["entries"]

    def file(self, name: str, text: str) -> Path:
        (self.folder / name).write_text(text)
        return self.folder / name

    def waits(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + _PATIENCE_S
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.05)


class ManyNodes(Consortium):
    """The same, each member with a node of its own; who comes later uses another's."""

    node = "northbank-1"

    def begins(self) -> Path:
        self.root = self.folder / "net"
        words = ("--topology", "multi-member", "--members", 4, "--lock", "1s", "--yes")
        assert run("network", "new", self.root, *words).code == 0
        self.folders = {name: Folder(self.root / name / f"{name}-1") for name in MEMBERS}
        self.server: Server | None = None
        up = run("network", "up", self.root, "--reserve-mb", 0)
        assert up.code == 0, up
        return self.folders["northbank"].root

    def keys_of(self, member: str) -> Path:
        return self.root / member / "keys"

    def url(self, member: str) -> str:
        found = processes.find(self.folders.get(member, self.folders["harbourline"]))
        assert found is not None
        assert found.url is not None
        return found.url

    def up_to_date(self, member: str) -> str:
        url = self.url(member)
        size = max(map(self._size, MEMBERS))
        self.waits(lambda: self._size(member) >= size)
        return url

    def _size(self, member: str) -> int:
        with Client(self.url(member)) as client:
            return client.get("/node/status")["entries"]

    def starts_again(self, *options: object) -> None:
        assert run("network", "stop", self.root, self.node).code == 0
        self.server = Server(self.data, *map(str, options), "--reserve-mb", "0")
        assert run("network", "up", self.root).code == 0, "it has found the others"

    def ends(self) -> None:
        """All with one history."""
        self.up_to_date("northbank")
        until = time.monotonic() + _PATIENCE_S
        while len(self.heads()) > 1:
            assert time.monotonic() < until, self.heads()
        self.cleared()

    def heads(self) -> set[tuple[int, str]]:
        """What the nodes show that were not retired."""
        state = run("network", "status", self.root, "--json")
        assert state.code == 0, state
        return {(node["size"], node["root"]) for node in state.json["nodes"] if node["standing"] != "Retired"}

    def cleared(self) -> None:
        if self.server is not None:
            self.server.stop()
        assert run("network", "stop", self.root).code == 0


@pytest.fixture(params=[Consortium, ManyNodes], ids=["solo", "cometbft"])
def consortium(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Consortium]:
    if request.param is ManyNodes:
        request.getfixturevalue("engines")
    made = request.param.__new__(request.param)
    try:
        made.__init__(tmp_path)
        yield made
    finally:
        made.cleared()


@pytest.mark.timeout(300)  # of four nodes on a busy machine
def test_a_consortium_governs_itself(consortium: Consortium) -> None:
    north, harbour, east, watch = consortium.desks.values()
    consortium.note()
    one_alone_passes_nothing(consortium, north)
    a_contract_comes_by_vote(consortium, north, harbour, east, watch)
    south = a_fifth_member_comes(consortium, harbour, east, watch)
    the_rules_change(consortium, north, harbour, east, watch, south)
    one_leaves(consortium, north, harbour, east, watch, south)
    every_key_changes(consortium, north, harbour, east, south)
    people_sign_in_and_pay_by_two(consortium, north, harbour, east, south)
    the_first_one_goes_like_any_other(consortium, north, harbour, east, south)
    what_was_is_found_again(consortium)


def one_alone_passes_nothing(consortium: Consortium, alone: Desk) -> None:
    """Not even whoever began the ledger and runs its node."""
    source = consortium.file("lending.py", LENDING)
    before = consortium.entries()
    refused = alone.is_refused("role.denied", "contract", "deploy", source, key=alone.transaction)
    assert "ledger:deployer" in refused
    assert consortium.entries() == before

    made = alone.proposes("--action", "set_contract", "name=lending", f"source={source}", "--title", "Lend things")
    assert alone.votes(made) == "Open"
    alone.is_stopped("proposal.late", "proposal", "vote", made, "--yes")
    assert "voted already" in alone.is_refused("require.failed", "proposal", "vote", made, "--yes", "--force")
    shown = alone.reads("proposal", "show", made[:12])
    assert [(one["member"], one["yes"]) for one in shown["ballots"]] == [("northbank", True)]
    assert shown["waiting"] == ["eastmutual", "harbourline", "tradewatch"]
    alone.is_stopped("contract.missing", "call", "lending", "offer", "name=projector", exits=2)
    # A key is for one purpose: that of transactions does not vote, that of votes makes no transactions.
    alone.is_stopped("sender.purpose", "proposal", "vote", made, "--yes", key=alone.transaction)
    alone.is_stopped("sender.purpose", "call", "members", "withdraw", f"proposal={made}", key=alone.governance)


def a_contract_comes_by_vote(consortium: Consortium, north: Desk, harbour: Desk, east: Desk, watch: Desk) -> None:
    made = harbour.reads("proposal", "list", "--open")["proposals"][0]["id"]
    planned = harbour.reads("proposal", "plan", made)
    assert (planned["state"], planned["problems"], planned["failure"]) == ("Open", [], None)
    assert sorted(planned["sets"]) == [
        ["eastmutual", "harbourline"],
        ["eastmutual", "tradewatch"],
        ["harbourline", "tradewatch"],
    ]
    assert [(one["record"], one["key"]) for one in planned["changes"]] == [("Deployment", "lending")]

    assert harbour.votes(made, yes=False) == "Open"
    assert "only northbank" in harbour.is_refused("require.failed", "proposal", "withdraw", made)
    assert east.votes(made) == "Open"
    assert watch.votes(made) == "Accepted"
    harbour.is_refused("state.denied", "proposal", "vote", made, "--yes", "--force")
    for desk in (north, harbour, east, watch):
        desk.calls("lending", "offer", f"name={desk.name}'s projector")
    consortium.note()


def a_fifth_member_comes(consortium: Consortium, harbour: Desk, east: Desk, watch: Desk) -> Desk:
    """It makes its own keys; nobody else ever has them."""
    south = consortium.desk("southbank")
    assert run("member", "key", "new", f"{south.folder}/").code == 0
    assert {key.stat().st_mode & 0o777 for key in (south.transaction, south.governance)} == {0o600}
    words = ("--action", "set_member", "member_id=southbank", "name=South Bank")
    public = (
        f"keys=governance:{south.governance.with_suffix('.pub')},transaction:{south.transaction.with_suffix('.pub')}"
    )
    private = f"keys=governance:{south.governance},transaction:{south.transaction}"
    assert "is a private key" in watch.is_stopped("proposal.form", "proposal", "new", *words, private)
    made = watch.proposes(*words, public)
    south.is_stopped("sender.unknown", "proposal", "vote", made, "--yes")
    assert [desk.votes(made) for desk in (watch, harbour)] == ["Open", "Open"]
    consortium.first.governs("proposal", "vote", made, "--no")
    assert east.votes(made) == "Accepted"
    consortium.note()

    assert [one["status"] for one in south.reads("member", "keys", "southbank")["keys"]] == ["active", "active"]
    south.governs("user", "add", "southbank/finn", "--name", "Finn")
    south.governs("member", "key", "add", "--for", "southbank/finn", "--new", south.folder / "finn.pem")
    south.calls("lending", "offer", "name=a tent", key=south.folder / "finn.pem")
    return south


def the_rules_change(consortium: Consortium, north: Desk, harbour: Desk, east: Desk, watch: Desk, south: Desk) -> None:
    """From a majority to two thirds: decided under the old rules, in force when the time lock ends."""
    pause = east.proposes("--action", "pause_contract", "name=lending")
    assert [desk.votes(pause) for desk in (east, harbour, south)] == ["Open", "Open", "Accepted"]
    north.is_refused("contract.paused", "call", "lending", "offer", "name=a ladder")
    resume = east.proposes("--action", "resume_contract", "name=lending")
    assert [desk.votes(resume) for desk in (east, harbour)] == ["Open", "Open"]

    rules = consortium.file("two_thirds.py", run("constitution", "show", "two_thirds").out)
    words = ("--action", "set_constitution", f"source={rules}")
    planned = harbour.reads("proposal", "plan", *words)
    assert [(one["title"], one["was"], one["would"]) for one in planned["past"]] == [
        ("pause_contract lending", "Accepted", "Open")
    ]
    made = harbour.proposes(*words, "--title", "Two thirds decide")
    assert [desk.votes(made) for desk in (harbour, east, south)] == ["Open"] * 3
    before = consortium.first.reads("query", "members", "Constitution")["rows"][0]["value"]
    assert watch.votes(made) == "Accepted"
    consortium.waits(lambda: harbour.reads("proposal", "show", made)["applied"] is not None)
    shown = harbour.reads("proposal", "show", made)
    accepted = max(one["at"] for one in shown["ballots"])
    assert shown["applied"] >= accepted + before["lock"], "by ledger time it waited"
    now = consortium.first.reads("query", "members", "Constitution")["rows"][0]["value"]
    assert now["digest"] != before["digest"]
    consortium.note()

    # What was voted on under the rules before is dropped, and is proposed again.
    assert south.votes(resume) == "Dropped"
    again = north.proposes("--action", "resume_contract", "name=lending")
    assert [desk.votes(again) for desk in (north, harbour, east)] == ["Open"] * 3, "no majority decides any more"
    assert watch.votes(again) == "Accepted"
    north.calls("lending", "offer", "name=a ladder")


def one_leaves(consortium: Consortium, north: Desk, harbour: Desk, east: Desk, watch: Desk, south: Desk) -> None:
    """The newest member proposes it, the first one is against it, and it happens."""
    waiting = watch.proposes("--action", "remove_member", "member_id=southbank")
    assert watch.votes(waiting) == "Open"
    made = south.proposes("--action", "remove_member", "member_id=tradewatch")
    assert north.votes(made, yes=False) == "Open"
    assert [desk.votes(made) for desk in (south, harbour, east)] == ["Open"] * 3
    assert watch.votes(made) == "Accepted", "it goes of its own will"
    consortium.note()

    before = consortium.entries()
    watch.is_stopped("sender.revoked", "call", "lending", "offer", "name=a tent")
    eve = consortium.keys_of("tradewatch") / "users" / "tradewatch" / "eve.pem"
    watch.is_stopped("sender.revoked", "call", "lending", "offer", "name=a tent", key=eve)
    watch.is_stopped("sender.revoked", "proposal", "new", "--action", "remove_member", "member_id=southbank")
    watch.is_stopped("sender.revoked", "proposal", "vote", waiting, "--yes")
    watch.is_stopped("sender.revoked", "member", "key", "add", "--new", watch.folder / "another.pem")
    assert consortium.entries() == before
    assert [north.reads("member", "keys", who)["removed"] for who in ("tradewatch", "tradewatch/eve")] == [True, True]
    assert not north.reads("member", "keys", "southbank")["removed"]
    assert north.votes(waiting, yes=False) == "Open"
    shown = north.reads("proposal", "show", waiting)
    assert sorted(shown["waiting"]) == ["eastmutual", "harbourline", "southbank"], "who left is not waited for"


class Load:
    """Members and users who go on acting, one after the other, whatever is done meanwhile."""

    def __init__(self, url: Callable[[str], str], keys: dict[str, Path]) -> None:
        """`url`: of the node that a member uses."""
        self._url = url
        self._keys = keys
        self._ends = threading.Event()
        self.done: list[tuple[str, Path, int]] = []
        self.failed: list[Exception] = []
        self._thread = threading.Thread(target=self._act)

    def _act(self) -> None:
        clients: dict[Path, Client] = {}
        count = 0
        try:
            while not self._ends.is_set():
                for name in list(self._keys):
                    key = self._keys[name]
                    client = clients.get(key) or Client(self._url(name.partition("/")[0]), key)
                    clients[key] = client
                    count += 1
                    answer = client.call("lending", "offer", {"name": f"thing {count}"})
                    self.done.append((name, key, answer.seq or 0))
        except Exception as error:  # whatever it is, one commit failed
            self.failed.append(error)
        finally:
            for client in clients.values():
                client.close()

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def goes_on_with(self, name: str, key: Path) -> None:
        """Uses another key from now on; returns when nothing is on its way under the one before."""
        self._keys[name] = key
        self.has_used(name, key)

    def has_used(self, name: str, key: Path) -> None:
        end = time.monotonic() + _PATIENCE_S
        while (name, key) not in {(who, used) for who, used, _ in self.done}:
            assert not self.failed
            assert time.monotonic() < end
            time.sleep(0.01)


def every_key_changes(consortium: Consortium, north: Desk, harbour: Desk, east: Desk, south: Desk) -> None:
    """Transactions go on all the while, signed by the keys that change, and none fails."""
    desks = (north, harbour, east, south)
    keys = consortium.data / "keys"
    people = {"northbank": "ana", "harbourline": "carla", "eastmutual": "dev"}
    users = {
        f"{member}/{user}": consortium.keys_of(member) / "users" / member / f"{user}.pem"
        for member, user in people.items()
    }
    users["southbank/finn"] = south.folder / "finn.pem"
    before = {desk.name: desk.transaction for desk in desks} | users
    old = {kid_of(path) for path in before.values()} | {kid_of(desk.governance) for desk in desks}
    north.reads("receipt", "get", "1", "--out", consortium.folder / "first")
    with Load(consortium.url, dict(before)) as load:
        for name, key in before.items():
            load.has_used(name, key)
        for desk in desks:
            desk.changes_keys(load, users)
        for purpose in ("node", "checkpoint"):
            words = ("--purpose", purpose, "--for", consortium.node, "--new", keys / f"{purpose}-2.pem")
            north.governs("member", "key", "add", *words)
        north.governs("member", "key", "retire", kid_of(keys / "node.pem"))
        size = len(load.done)
        consortium.waits(lambda: len(load.done) > size + len(before))
        consortium.waits(lambda: not is_due(north, "begin_checkpoint_key"))  # it gets an entry of its own
    assert load.failed == []
    seqs = [seq for _, _, seq in load.done]
    assert len(set(seqs)) == len(seqs)
    assert {name for name, key, _ in load.done if key != before[name]} == set(before)

    active = {
        one["kid"]: (desk.name, one["purpose"])
        for desk in desks
        for name in (desk.name, *(user for user in users if user.startswith(desk.name)))
        for one in desk.reads("member", "keys", name)["keys"]
        if one["status"] == "active"
    }
    assert not old & active.keys()
    assert len(active) == len(old)
    entries = consortium.entries()
    for path in before.values():
        north.is_stopped("sender.revoked", "call", "lending", "offer", "name=a boat", key=path)
    for desk in desks:
        old_key = desk.folder / "governance.pem"
        desk.is_stopped("sender.revoked", "member", "key", "add", "--new", desk.folder / "x.pem", key=old_key)
    assert consortium.entries() == entries

    receipts_of_before_hold(consortium, north)

    # Nobody sends anything now: that the time lock of this ends, the node says by its new key.
    made = east.proposes("--action", "set_constitution", "lock_ms=2000")
    assert [desk.votes(made) for desk in (east, harbour, north)] == ["Open", "Open", "Accepted"]
    consortium.waits(lambda: east.reads("proposal", "show", made)["applied"] is not None)
    consortium.note()


def is_due(desk: Desk, action: str) -> bool:
    """Whether ledger time has still to take an action."""
    rows = desk.reads("query", "members", "Schedule")["rows"]
    return any(row["value"]["action"] == action and row["value"]["due"] is not None for row in rows)


def receipts_of_before_hold(consortium: Consortium, north: Desk) -> None:
    """Under the keys that are no more; and whoever stole one of those can prove nothing with it."""
    first, other, last = (consortium.folder / name for name in ("first", "forged", "last"))
    file = consortium.folder / "club.trust"

    def verified(prefix: Path) -> Ran:
        return run("receipt", "verify", prefix, "--trust", file, "--ledger", consortium.ledger, "--json")

    consortium.waits(lambda: run("trust", "export", file, "--url", consortium.first.url(), "--json").code == 0)
    north.reads("trust", "export", file, "--receipt", first, "--force")
    assert verified(first).code == 0
    seq = consortium.entries() - 1
    north.reads("receipt", "get", seq, "--out", last)
    assert verified(last).code == 0

    stolen = key_files.load(consortium.data / "keys" / "checkpoint.pem")
    forged = entry.make(entry.TRANSACTION, bytes(32), bytes(32), bytes(32))
    ledger, root = bytes.fromhex(consortium.ledger), leaf_hash(forged)
    head = checkpoint.sign(ledger, 1, north.reads("status")["time"], root, stolen)
    other.with_suffix(".entry").write_bytes(forged)
    other.with_suffix(".cose").write_bytes(receipt.inclusion(head, 0, []))
    assert "not part of the history" in verified(other).failed("receipt.unlinked")
    seen = receipt.head_of(last.with_suffix(".cose").read_bytes(), last.with_suffix(".entry").read_bytes())
    head = checkpoint.sign(ledger, seen.size, seen.time, seen.root, stolen)
    consortium.forged = consortium.folder / "forged.checkpoint"
    consortium.forged.write_bytes(receipt.bare(head))


def people_sign_in_and_pay_by_two(consortium: Consortium, north: Desk, harbour: Desk, east: Desk, south: Desk) -> None:
    """At a real OpenID provider; the ledger never learns who they are."""
    groups = {"alice@north": ["payers"], "bob@north": ["payers"]}
    provider = Provider({TENANT: {"jwks": jwks("north"), "claims": {"tid": "north"}, "groups": groups}})
    try:
        issuer = {
            "issuer_id": "north-people",
            "member_id": "northbank",
            "issuer": provider.url(TENANT),
            "tenant": "north",
            "audience": "hansa",
            "algorithms": ["RS256"],
            "rules": [{"claim": "groups", "value": "payers", "attribute": "may:pay"}],
        }
        contract = {
            "name": "two_person_approval",
            "source": {"file": run("app", "path", "two_person_approval").out.strip()},
        }
        actions = [{"name": "set_jwt_issuer", "args": issuer}, {"name": "set_contract", "args": contract}]
        file = consortium.file(
            "people.json", json.dumps({"title": "People sign in, and pay by two", "actions": actions})
        )
        made = south.proposes(file)
        assert [desk.votes(made) for desk in (south, harbour, east)] == ["Open", "Open", "Accepted"]

        consortium.file(
            "sign-in.toml", f'member = "northbank"\nkey = "{north.transaction}"\nsecret = "people.secret"\n'
        )
        consortium.starts_again("--sign-in", consortium.folder / "sign-in.toml")
        alice, bob, carol = (sign_in(north, provider, f"{who}@north") for who in ("alice", "bob", "carol"))
    finally:
        provider.stop()

    words = ("call", "two_person_approval")
    payment = ("id=1", "to=harbourline", "amount=USD 250.00", "purpose=freight")
    north.is_refused("role.denied", *words, "propose", *payment, key=carol)
    north.is_refused("role.denied", *words, "propose", *payment)
    north.calls(*words[1:], "propose", *payment, key=alice)
    told = north.is_refused("require.failed", *words, "approve", "payment=1", key=alice)
    assert told.endswith("another person approves")
    north.is_refused("role.denied", *words, "approve", "payment=1")
    approved = north.calls(*words[1:], "approve", "payment=1", key=bob)
    assert [event["name"] for event in approved["events"]] == ["payment.approved"]
    (payment,) = north.reads("query", "two_person_approval", "Payment")["rows"]
    assert payment["value"]["state"] == "Approved"
    assert payment["value"]["proposer"] != payment["value"]["approver"]
    written = b"".join(path.read_bytes() for path in (consortium.data / "journal").iterdir())
    assert b"may:pay" in written
    assert not re.search(rb"(alice|bob|carol)@", written)
    consortium.note()


def the_first_one_goes_like_any_other(
    consortium: Consortium, north: Desk, harbour: Desk, east: Desk, south: Desk
) -> None:
    made = harbour.proposes("--action", "remove_member", "member_id=northbank")
    assert north.votes(made, yes=False) == "Open"
    assert [desk.votes(made) for desk in (harbour, east, south)] == ["Open", "Open", "Accepted"]
    north.is_stopped("sender.revoked", "proposal", "new", "--action", "pause_contract", "name=lending")
    north.is_stopped("sender.revoked", "call", "lending", "offer", "name=a saw")
    north.is_stopped("sender.revoked", "call", "lending", "offer", "name=a saw", key=north.folder / "alice.pem")
    harbour.calls("lending", "offer", "name=a saw")
    consortium.note()


def sign_in(north: Desk, provider: Provider, who: str) -> Path:
    """Somebody gets a key from North Bank's node, by a token from where they always sign in: the key's file."""
    name = who.partition("@")[0]
    key, token = north.folder / f"{name}.pem", north.folder / f"{name}.token"
    words = ("user", "sign-in", "--issuer", "north-people", "--key", key)
    nonce = north.reads(*words, "--nonce")["nonce"]
    token.write_text(provider.token(TENANT, who, nonce))
    told = north.reads(*words, "--token-file", token)
    assert told["user"].startswith("northbank/")
    assert told["attributes"] == (["may:pay"] if name != "carol" else [])
    return key


def kid_of(path: Path) -> str:
    return key_files.load(path).kid.hex()


def what_was_is_found_again(consortium: Consortium) -> None:
    """Who belonged to the ledger and by which rules follows from genesis, at every height, whatever the node says."""
    consortium.note()
    consortium.ends()
    for height, known in sorted(consortium.heights.items()):
        done = run("audit", consortium.data, "--governance", "--at", height, "--workers", 1, "--json")
        assert (done.code, done.json["findings"]) == (0, [])
        found = done.json["governance"]
        active = [one["id"] for one in found["members"] if not one["removed"]]
        assert {"members": active, "constitution": found["constitution"]["digest"]} == known
    assert {len(known["members"]) for known in consortium.heights.values()} == {3, 4, 5}
    assert len({known["constitution"] for known in consortium.heights.values()}) == 2
    done = run("audit", consortium.data, "--json")
    assert (done.code, done.json["sound"], done.json["findings"], done.json["notes"]) == (0, True, [], [])
    assert done.json["entries"] == done.json["executed"]
    done = run("audit", consortium.data, "--at-least", consortium.forged, "--workers", 1, "--json")
    assert [found["code"] for found in done.json["findings"]] == ["receipt.span"], "a key that was retired by then"
