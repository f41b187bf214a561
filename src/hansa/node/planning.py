"""What would come of a proposal, found out without writing anything: the kernel itself is run, on a draft of the state.

First the proposal as it would be made, and what it would change if every active member said yes. Then who must say
yes: votes are put into the draft and counted as the ledger counts them. A changed constitution is asked about the past
proposals of the ledger, too.

Works piece by piece, so that who drives it can let other work go between; of the draft it reads all before the first
pause, so what would change is about one moment. What takes long and needs no state, to load files and to compare texts,
is given out for another thread: `load_files` before, and the functions that a plan yields.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Records are dynamic here: the contract `members` says what they hold.

import difflib
import hashlib
import itertools
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec

from hansa.client import words
from hansa.client.proposals import Written
from hansa.contracts import changes as contract_changes
from hansa.contracts import execution
from hansa.contracts.calls import NOBODY, Call, Caller, Execution, Found
from hansa.contracts.checked import Checked
from hansa.contracts.diagnostics import ContractInvalid
from hansa.contracts.manifest import Manifest
from hansa.contracts.program import Program, check, load
from hansa.governance import sequel
from hansa.governance.directory import Directory, File, file_of
from hansa.governance.genesis import CONSTITUTION, CONTRACT, GOVERNANCE, GOVERNOR, TRANSACTION
from hansa.governance.motions import NEED_TWO
from hansa.node import obstacles
from hansa.node.apply import View
from hansa.node.reading import Reading, Row
from hansa.store.overlay import Behind, Stored
from hansa.wire import cbor, names, order
from hansa.wire.limits import DIGEST_BYTES, GOVERNANCE_STEPS_MAX, MEMBERS_MAX, PAGE_ROWS_MAX, SOURCE_CHARS_MAX
from hansa.wire.problems import HansaError
from hansa.wire.writes import Write

VOTERS_MAX: Final = 12
"""Members that have not voted, of which every set is tried: twice as many sets for each one more."""
SETS_MAX: Final = 200
"""Least sets of voters that are told."""
PAST_MAX: Final = 200
"""Past proposals that a changed constitution is asked about: the newest."""
PAST_PAGES_MAX: Final = 20
"""Pages of proposals among which these are looked for: they are kept in the order of their ids."""
DIFF_LINES_MAX: Final = 2_000
"""Of the difference of one text."""

_DRAFT: Final = bytes(DIGEST_BYTES)
"""The id of a proposal that was not made."""
_SCOPE: Final = "ledger"
_HIDDEN: Final = frozenset(
    {"Proposal", "Actions", "Docket", "NamedKey", "Schedule", "Version", "ConstitutionText", "CheckpointKey"}
)
"""Records that no difference is made of: what they say stands in that of others."""
_WITH_FILES: Final = ("set_contract", "set_library", "set_constitution")
"""The actions that carry files in the dialect."""
_COUNTERS: Final = frozenset({"changed", "revoked", "holder"})
"""Fields that follow from others."""


class Ended(msgspec.Struct, frozen=True):
    """A key that would sign nothing more, of a member or user that would be removed."""

    kid: bytes
    owner: str
    purpose: str


class Change(msgspec.Struct, frozen=True):
    """What would become of one record: the fields that differ; None for a record that is not there.

    `diff` has the unified difference of the text that it stands for, `declares` what a contract declares otherwise.
    `users` and `keys` are those that end with a member or user that is removed: their own records stay as they are.
    """

    record: str
    key: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    diff: list[str] = []
    declares: list[str] = []
    users: list[str] = []
    keys: list[Ended] = []


class Would(msgspec.Struct, frozen=True):
    """What the state of the proposal would be if a member voted no next."""

    member: str
    state: str


class Past(msgspec.Struct, frozen=True):
    """A past proposal that a changed constitution would have decided otherwise."""

    id: bytes
    title: str
    was: str
    would: str


class Plan(msgspec.Struct, frozen=True):
    """What would come of a proposal; see the fields in `/gov/members/proposals:plan`."""

    problems: list[str]
    state: str | None
    changes: list[Change]
    failure: str | None
    floor: list[str]
    waiting: list[str]
    sets: list[list[str]] | None
    no: list[Would]
    steps: int
    entries: int
    stale: str = ""
    past: list[Past] | msgspec.UnsetType = msgspec.UNSET
    asked: int | msgspec.UnsetType = msgspec.UNSET


Planning = Generator[Callable[[], Any] | None, Any, Plan]
"""A plan in the making: it stops between two pieces of work. It is sent what a function gives that it stops with."""
Loaded = Mapping[File, Program | ContractInvalid]
"""The files of a proposal, loaded, or why they cannot be."""
_Diff = tuple[str, str, str]
"""Two texts, and what of."""


class _Kept:
    """A `contracts.calls.Reader` that reads each thing once: what it gives stays the same while the ledger goes on."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._found: dict[bytes, Found | None] = {}
        self._selected: dict[tuple[Any, ...], Sequence[tuple[bytes, Found]]] = {}

    def get(self, place: bytes) -> Found | None:
        """See `contracts.calls.Reader`."""
        if place not in self._found:
            self._found[place] = self._view.get(place)
        return self._found[place]

    def select(
        self,
        contract: str,
        record: str,
        field: str | None,
        least: bytes | None,
        most: bytes | None,
        rows: int,
        after: Behind | None = None,
    ) -> Sequence[tuple[bytes, Found]]:
        """See `contracts.calls.Reader`."""
        asked = (contract, record, field, least, most, rows, after)
        if asked not in self._selected:
            self._selected[asked] = self._view.select(*asked)
        return self._selected[asked]

    def revoked(self, member: str) -> int:
        """How often an active member has revoked a governance key."""
        found = self.get(order.place(CONTRACT, "Member", member))
        assert found is not None
        return cbor.decode_own(found.value)["revoked"]

    def put(self, place: bytes, row: Stored) -> None:
        """Puts a record into the draft, of a type that nothing here selects."""
        self._found[place] = row


def load_files(
    programs: Mapping[str, Program], libraries: Mapping[bytes, Checked], steps: Sequence[Mapping[str, Any]]
) -> Loaded:
    """Loads the files that steps of a proposal carry, with the libraries that there are before. Any thread may.

    Of more than a proposal may carry, nothing is loaded.
    """
    found: dict[File, Program | ContractInvalid] = {}
    files = [step for step in steps if step["name"] in _WITH_FILES and step.get("source")]
    if sum(len(step["source"]) for step in files) > SOURCE_CHARS_MAX:
        return found
    for step in files:
        name, source = step.get("subject") or CONSTITUTION, step["source"]
        if not names.is_contract(name) or name == CONTRACT:
            continue
        before = None if name == CONSTITUTION else programs.get(name)
        file = file_of(name, source, before)
        try:
            found[file] = load(source, name, libraries, None if before is None else before.checked)
        except ContractInvalid as invalid:
            found[file] = _findings(source, name, libraries) or invalid
    return found


def _findings(source: str, name: str, libraries: Mapping[bytes, Checked]) -> ContractInvalid | None:
    """What a file is told to be wrong with: more than the first finding."""
    try:
        check(source, name, libraries)
    except ContractInvalid as invalid:
        return invalid
    return None


def plan_new(
    reading: Reading, directory: Directory, time: int, proposer: str, written: Written, loaded: Loaded
) -> Planning:
    """What would come of a proposal if this member made it now. Raises `HansaError` `record.unknown` for no member."""
    if proposer not in directory.members:
        raise HansaError("record.unknown", f"there is no active member {proposer[:40]!a}")
    making = _Making(reading, directory, time, loaded)
    caller = Caller(proposer, None, frozenset({GOVERNOR}), frozenset())
    arguments = {"title": written.title, "steps": written.steps, "closes": written.closes}
    ran = making.run(Call(CONTRACT, "propose", arguments, caller, time, reading.tip.size, _DRAFT))
    if ran.code != execution.OK:
        return making.refused(_problems(ran))
    making.take(ran)
    return making.go(_DRAFT, making.proposal(_DRAFT)["state"])


def plan_standing(reading: Reading, directory: Directory, time: int, id: bytes, loaded: Loaded) -> Planning:
    """What would come of a proposal that was made, as it stands. Raises `HansaError` `proposal.unknown`."""
    making = _Making(reading, directory, time, loaded)
    if making.kept(sequel.PROPOSAL, id) is None:
        raise HansaError("proposal.unknown", f"there is no proposal {id.hex()}")
    standing = making.proposal(id)
    if stale := making.stale(standing):
        return making.outdated(standing["state"], stale)
    return making.go(id, standing["state"])


class _Making:
    """One plan: the draft of the state, and what was found out so far."""

    def __init__(self, reading: Reading, directory: Directory, time: int, loaded: Loaded) -> None:
        self._reading = reading
        self._before = directory.copy()
        self._directory = directory.copy()
        self._directory.loaded = loaded
        """As it would be behind what was taken into the draft."""
        self._time = time
        self._seq = self._entries = reading.tip.size
        self._base = reading.draft(self._before)
        self._view = reading.draft(self._directory)
        self._writes: dict[bytes, Write] = {}
        self._steps = 0

    def run(self, call: Call) -> Execution:
        """Runs an action and what follows from it, as an entry does."""
        ran = sequel.run(call, self._directory, self._view, GOVERNANCE_STEPS_MAX)
        self._steps = max(self._steps, ran.steps)
        return ran

    def take(self, ran: Execution) -> None:
        """Takes an entry into the draft."""
        self._view.write(self._seq, ran.writes)
        self._directory.apply(self._seq, ran.writes)
        self._writes |= {write.place: write for write in ran.writes}
        self._seq += 1

    def kept(self, record: str, key: Any) -> dict[str, Any] | None:
        """A record of `members` as it is in the draft."""
        found = self._view.get(order.place(CONTRACT, record, key))
        return None if found is None else cbor.decode_own(found.value)

    def proposal(self, id: bytes) -> dict[str, Any]:
        """The proposal as it is in the draft; it MUST be there."""
        found = self.kept(sequel.PROPOSAL, id)
        assert found is not None
        return found

    def stale(self, standing: dict[str, Any]) -> str:
        """Why a proposal is out of date; empty if it is not."""

        def changed(record: str, key: str) -> int:
            found = self.kept(record, key)
            return -1 if found is None else found["changed"]

        return obstacles.stale(standing, self._before.constitution, changed)

    def outdated(self, state: str, stale: str) -> Planning:
        """The plan of what is out of date: nobody's vote is asked for."""
        yield
        failure = f"it is out of date: {stale}"
        return Plan([], state, [], failure, [], [], [], [], self._steps, self._entries, stale)

    def refused(self, problems: list[str]) -> Planning:
        """The plan of what may not be voted on."""
        yield
        return Plan(problems, None, [], None, [], [], [], [], self._steps, self._entries)

    def go(self, id: bytes, state: str) -> Planning:
        """All that is to be said of a proposal in the draft: what reads the state comes before the first pause."""
        standing = self.proposal(id)
        waiting: list[str] = []
        draft = _Kept(self._view)
        failure: str | None = None
        if state == "Open":
            waiting = self._waiting(draft, standing)
            self._tally(draft, standing, [])
        is_decided = state != "Open" and standing["due"] is None
        if not is_decided:
            failure = self._accept(standing)
        changed, floor = self._changes(), [] if is_decided else self._floor(standing)
        changed = yield partial(_compared, changed)
        sets, no = yield from self._voters(draft, standing, waiting)
        past = otherwise = None
        if self._directory.constitution != self._before.constitution:
            past = yield from self._past()
            otherwise = yield from self._otherwise(past)
        return Plan(
            [],
            state,
            changed,
            failure,
            floor,
            waiting,
            sets,
            no,
            self._steps,
            self._entries,
            past=msgspec.UNSET if otherwise is None else otherwise,
            asked=msgspec.UNSET if past is None else len(past),
        )

    # Who must vote

    def _waiting(self, draft: _Kept, standing: dict[str, Any]) -> list[str]:
        """The active members without a vote that counts: what was said before a key was revoked does not."""
        said = {one["member"]: one["revoked"] for one in standing["ballots"]}
        return [name for name in sorted(self._before.members) if said.get(name) != draft.revoked(name)]

    def _with_votes(self, draft: _Kept, standing: dict[str, Any], votes: Iterable[tuple[str, bool]]) -> dict[str, Any]:
        given = dict(votes)
        ballots = [one for one in standing["ballots"] if one["member"] not in given]
        for name, yes in given.items():
            ballots.append({"member": name, "yes": yes, "revoked": draft.revoked(name), "at": self._time})
        return {**standing, "ballots": ballots}

    def _tally(self, draft: _Kept, standing: dict[str, Any], votes: Iterable[tuple[str, bool]]) -> str:
        """What the state would be with these votes more, by the kernel's own count."""
        place = order.place(CONTRACT, sequel.PROPOSAL, standing["id"])
        draft.put(place, Stored(self._seq, cbor.encode(self._with_votes(draft, standing, votes))))
        call = Call(CONTRACT, "tally", {"p": standing["id"]}, NOBODY, self._time, self._seq)
        ran = execution.run(call, self._before, draft, sequel.TALLY_STEPS)
        for write in ran.writes:
            if write.place == place:
                return cbor.decode_own(write.value)["state"]
        return standing["state"]  # the constitution gave no answer

    def _voters(
        self, draft: _Kept, standing: dict[str, Any], waiting: list[str]
    ) -> Generator[None, Any, tuple[list[list[str]] | None, list[Would]]]:
        """The least sets of members whose yes would be enough, and what each one's no would do."""
        no: list[Would] = []
        for name in waiting:
            no.append(Would(name, self._tally(draft, standing, [(name, False)])))
            yield
        if len(waiting) > VOTERS_MAX:
            return None, no
        found: list[list[str]] = []
        for size in range(1, len(waiting) + 1):
            for some in itertools.combinations(waiting, size):
                if len(found) == SETS_MAX or any(set(one) <= set(some) for one in found):
                    continue
                if self._tally(draft, standing, [(name, True) for name in some]) == "Accepted":
                    found.append(list(some))
                yield
        return found, no

    def _floor(self, standing: dict[str, Any]) -> list[str]:
        """What the kernel asks whatever the constitution says."""
        names = [act["name"] for act in standing["actions"]]
        count = len(self._before.members)
        told = [f"the yes of all {count} active members accepts"]
        two = sorted({name for name in names if name in NEED_TWO})
        if two and count > 1:
            told.append(f"{', '.join(two)} needs the yes of at least two members")
        if "remove_member" in names:
            told.append("an active member always remains, and fewer than two only if all say yes")
        if "set_constitution" in names:
            rules = self._base.get(order.place(CONTRACT, "Constitution", _SCOPE))
            assert rules is not None
            lock = cbor.decode_own(rules.value)["lock"]
            told.append(f"once accepted it waits for {_length(lock)}, and is counted again then")
        return told

    # What would change

    def _accept(self, standing: dict[str, Any]) -> str | None:
        """Has the proposal accepted in the draft by every active member; why it could not be carried out."""
        id, events = standing["id"], list[dict[str, Any]]()
        if standing["state"] == "Open":
            *_, last = sorted(self._before.members)
            given = self._with_votes(_Kept(self._view), standing, [(name, True) for name in self._before.members])
            given["ballots"] = [one for one in given["ballots"] if one["member"] != last]
            place = order.place(CONTRACT, sequel.PROPOSAL, id)
            self._view.write(self._seq, [Write(CONTRACT, sequel.PROPOSAL, id, cbor.encode(given), None, place)])
            said = {"proposal": id, "yes": True, "constitution": standing["constitution"]}
            caller = Caller(last, None, frozenset({GOVERNOR}), frozenset())
            ran = self.run(Call(CONTRACT, "vote", said, caller, self._time, self._seq, _DRAFT))
            if ran.code != execution.OK:
                return self._cause({**ran.result, "code": ran.code}, standing)
            events += ran.events
            self.take(ran)
        due = self.proposal(id)["due"]
        if due is not None:
            ran = self.run(Call(CONTRACT, "ripen", {"p": id}, NOBODY, max(due, self._time), self._seq))
            if ran.code != execution.OK:
                return self._cause({**ran.result, "code": ran.code}, standing)
            events += ran.events
            self.take(ran)
        now = self.proposal(id)
        if now["state"] == "Accepted" and now["applied"] is not None:
            return None
        failed = [one["data"] for one in events if one["name"] == "proposal.failed"]
        return self._cause(failed[0], standing) if failed else now["reason"] or f"it would be {now['state']}"

    def _cause(self, failed: Any, standing: dict[str, Any]) -> str:
        """Why it could not be carried out, with the first finding where files have some."""
        is_file = failed.get("code") == "contract.invalid"
        return obstacles.failure(failed, standing["actions"], self._finding(standing["id"]) if is_file else "")

    def _finding(self, id: bytes) -> str:
        """The first finding about the files of a proposal; empty if they have none."""
        kept = self.kept("Actions", id)
        assert kept is not None
        files = {file.digest: found for file, found in self._directory.loaded.items()}
        for step in kept["steps"]:
            found = files.get(hashlib.sha256(step["source"].encode()).digest())
            if step["name"] in _WITH_FILES and isinstance(found, ContractInvalid):
                first = found.diagnostics[0]
                return f"line {first.line}, {first.message} [{first.code}]"
        return ""

    def _changes(self) -> list[tuple[Change, _Diff | None]]:
        found: list[tuple[Change, _Diff | None]] = []
        for write in self._writes.values():
            if write.contract == CONTRACT and write.record not in _HIDDEN:
                old = self._base.get(write.place)
                before = None if old is None else cbor.decode_own(old.value)
                found += self._change(write, before, cbor.decode_own(write.value))
        return found

    def _change(
        self, write: Write, before: dict[str, Any] | None, after: dict[str, Any]
    ) -> list[tuple[Change, _Diff | None]]:
        """What would become of one record, if that is anything to be shown, and the texts that are to be compared."""
        key = write.key.hex() if isinstance(write.key, bytes) else str(write.key)
        differ = [name for name in after if before is None or before.get(name) != after[name]]
        shown = [name for name in differ if name not in _COUNTERS and name not in ("source", "data")]
        text, declares = self._text(write.record, key, before, after)
        if not shown and text is None:
            return []
        old = None if before is None else {name: before.get(name) for name in shown}
        ends = write.record in ("Member", "User") and "removed" in shown and after["removed"]
        users = self._before.users_of(key) if ends and write.record == "Member" else []
        keys = self._keys_of(key) if ends else []
        new = {name: after[name] for name in shown}
        return [(Change(write.record, key, old, new, [], declares, users, keys), text)]

    def _keys_of(self, owner: str) -> list[Ended]:
        """The keys that count now of a member with its users, or of a user; not those of sessions that are over."""
        return [
            Ended(kid, sender.user or sender.member, GOVERNANCE if sender.is_governor else TRANSACTION)
            for kid, sender in sorted(self._before.senders.items())
            if owner in (sender.member, sender.user) and (sender.until is None or sender.until >= self._time)
        ]

    def _text(
        self, record: str, key: str, before: dict[str, Any] | None, after: dict[str, Any]
    ) -> tuple[_Diff | None, list[str]]:
        """The text that a record stands for, before and after, and what it would declare otherwise."""
        match record:
            case "Deployment":
                if before is not None and before["digest"] == after["digest"]:
                    return None, []
                old = "" if before is None else self._source("Version", f"{key}@{before['version']}")
                new = self._source("Version", f"{key}@{after['version']}")
                was = None if before is None else self._manifest(self._before, key)
                now = self._manifest(self._directory, key)
                assert now is not None
                return (old, new, key), contract_changes.changes(was, now)
            case "Constitution":
                assert before is not None
                old, new = (self._source("ConstitutionText", one["digest"]) for one in (before, after))
                return (old, new, CONSTITUTION), []
            case "Library":
                return (self._library(after["name"]), after["source"], after["name"]), []
            case "Reference":
                return ("" if before is None else before["data"], after["data"], key), []
            case _:
                return None, []

    def _source(self, record: str, key: Any) -> str:
        found = self.kept(record, key)
        return "" if found is None else found["source"]

    def _library(self, name: str) -> str:
        """The text that a library of this name had before, the one deployed last; empty if there was none."""
        pins = [digest for digest, one in self._before.libraries.items() if one.manifest.name == name]
        return self._source("Library", pins[-1]) if pins else ""

    def _manifest(self, directory: Directory, name: str) -> Manifest | None:
        program: Program | None = directory.programs.get(name)
        return None if program is None else program.manifest

    # What a changed constitution would have made of the past

    def _past(self) -> Generator[None, Any, list[tuple[dict[str, Any], list[dict[str, Any]]]]]:
        """Past proposals, oldest first, each with the active members as they were before it was decided.

        Of durable records alone, so it may pause; what came about since the plan was begun is left out.
        """
        rows: list[Row] = []
        after: str | None = None
        for _ in range(PAST_PAGES_MAX):
            page = self._reading.page(CONTRACT, sequel.PROPOSAL, after, PAGE_ROWS_MAX)
            rows, after = [*rows, *(row for row in page.rows if row.seq < self._entries)], page.next
            yield
            if after is None:
                break
        members = self._members_then()
        newest = sorted(rows, key=lambda one: (one.value["opened"], one.value["id"]))[-PAST_MAX:]
        return [(row.value, _then(members, row.seq - 1)) for row in newest]

    def _otherwise(self, past: list[tuple[dict[str, Any], list[dict[str, Any]]]]) -> Generator[None, Any, list[Past]]:
        """What the constitution as it would be would have decided otherwise."""
        found: list[Past] = []
        for value, electors in past:
            was, would = _decided(value), self._replayed(value, electors)
            if was != would:
                found.append(Past(value["id"], value["title"], was, would))
            yield
        return found

    def _members_then(self) -> dict[str, list[tuple[int, dict[str, Any]]]]:
        """The values of each member, the newest first, with the entries that wrote them."""
        found: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        for name in self._before.attributes:
            rows: list[tuple[int, dict[str, Any]]] = []
            before: int | None = None
            while True:
                page = self._reading.history(CONTRACT, "Member", name, before, MEMBERS_MAX)
                rows += [(row.seq, row.value) for row in page.rows]
                if page.next is None:
                    break
                before = int(page.next)
            found[name] = rows
        return found

    def _replayed(self, value: dict[str, Any], electors: list[dict[str, Any]]) -> str:
        """What the new constitution makes of a past proposal, its votes in their order, within the floor."""
        ids = {one["id"] for one in electors}
        ballots = [one for one in value["ballots"] if one["member"] in ids]
        for count in range(len(ballots) + 1):
            votes = [{"member": one["member"], "yes": one["yes"]} for one in ballots[:count]]
            answer = self._resolved(value, votes, electors)
            if answer != "Open":
                return answer
        return "Open"

    def _resolved(self, value: dict[str, Any], votes: list[dict[str, Any]], electors: list[dict[str, Any]]) -> str:
        yes = sum(one["yes"] for one in votes)
        if yes == len(electors):
            return "Accepted"
        question = {"proposer": value["proposer"], "actions": value["actions"], "votes": votes}
        arguments = {"proposal": question, "members": electors}
        call = Call(CONSTITUTION, "resolve", arguments, NOBODY, self._time, self._seq)
        ran = execution.run(call, self._directory, self._view, sequel.TALLY_STEPS)
        answer = ran.result if ran.code == execution.OK else "Open"
        floor = min(2, len(electors)) if any(one["name"] in NEED_TWO for one in value["actions"]) else 0
        if (answer == "Accepted" and yes < floor) or (answer == "Rejected" and yes == len(votes)):
            return "Open"
        return answer


def _then(members: dict[str, list[tuple[int, dict[str, Any]]]], seq: int) -> list[dict[str, Any]]:
    """The active members as they were behind entry `seq`, as a constitution is told of them."""
    found: list[dict[str, Any]] = []
    for name in sorted(members):
        value = next((value for at, value in members[name] if at <= seq), None)
        if value is not None and not value["removed"]:
            found.append({"id": name, "weight": value["weight"], "attributes": value["attributes"]})
    return found


def _length(ms: int) -> str:
    """A length of time as people write it, in the largest unit that goes into it whole."""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)):
        if ms % size == 0:
            return f"{ms // size} {unit}"
    return f"{ms} ms"


def _decided(value: dict[str, Any]) -> str:
    """What was decided of a proposal by votes: one that failed was accepted, one taken back was open."""
    return {"Accepted": "Accepted", "Failed": "Accepted", "Rejected": "Rejected"}.get(value["state"], "Open")


def _compared(changes: list[tuple[Change, _Diff | None]]) -> list[Change]:
    """The changes with the differences of their texts. Any thread may."""
    found: list[Change] = []
    for change, text in changes:
        diff = [] if text is None else _unified(*text)
        if change.after or diff:
            found.append(msgspec.structs.replace(change, diff=diff))
    return found


def _unified(old: str, new: str, name: str) -> list[str]:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), f"{name} (now)", f"{name} (then)", lineterm="")
    found = list(itertools.islice(lines, DIFF_LINES_MAX + 1))
    return [*found[:DIFF_LINES_MAX], "... more"] if len(found) > DIFF_LINES_MAX else found


def _problems(ran: Execution) -> list[str]:
    """Why a proposal may not be voted on: what the constitution objects, each by itself, or the kernel's one reason."""
    found = ran.result.get("values", {}).get("problems")
    is_listed = isinstance(found, list) and all(isinstance(one, str) for one in found)
    return found if is_listed else [_told(ran)]


def _told(ran: Execution) -> str:
    """Why something was refused."""
    return words.filled(ran.result) or ran.code
