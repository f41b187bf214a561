"""Contract files of `apps/` on a ledger in memory, for the tests of the calendars and of the cookbook.

Every call is run by the specification and by the fast path, which must agree; `quick` runs the fast path alone. What
contracts schedule is taken when the time is made to pass.
"""

from pathlib import Path
from typing import Any

from tests.contracts.world import World

from hansa.contracts import schedules
from hansa.contracts.calls import Execution

APPS = Path(__file__).parents[2] / "apps"
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Trial:
    """A ledger with some contracts, the first of which is meant where none is named.

    `attributes` are those of each member and of each `member/user`: who is not in it is unknown.
    """

    def __init__(self, sources: dict[str, str], attributes: dict[str, set[str]], *, quick: bool = False) -> None:
        members = {name for name in attributes if "/" not in name}
        self.world = World(members=members, users=set(attributes) - members)
        self.world.attributes = {name: frozenset(found) for name, found in attributes.items()}
        self.contract = next(iter(sources))
        self.quick = quick
        self._due: list[schedules.Due] = []
        for name, source in sources.items():
            self.world.deploy(name, source)

    @property
    def time(self) -> int:
        """Ledger time, ms."""
        return self.world.time

    def take(self, by: str | None, action: str, *, of: str | None = None, **arguments: Any) -> Execution:
        """Takes an action, or asks a view, and keeps what it wrote. `by`: a member, a `member/user`, or ledger time."""
        member, _, user = (by or "").partition("/")
        call = self.world.call(of or self.contract, action, arguments, by=member or None, user=by if user else None)
        ran = self.world.run(call) if self.quick else self.world.agree(call)
        self._due += [schedules.read(w.value) for w in ran.writes if w.contract == schedules.CONTRACT]
        self.world.apply(ran)
        return ran

    def done(self, by: str | None, action: str, *, of: str | None = None, **arguments: Any) -> Execution:
        """Takes an action that must be applied."""
        ran = self.take(by, action, of=of, **arguments)
        assert ran.code == "ok", ran.result
        return ran

    def ask(self, view: str, *, of: str | None = None, **arguments: Any) -> Any:
        """What a view answers to anybody."""
        return self.done(min(self.world.members), view, of=of, **arguments).result

    def refused(self, by: str | None, action: str, code: str, *, of: str | None = None, **arguments: Any) -> str:
        """Takes an action that must be refused with this code, and changes nothing; what it says, unfilled."""
        before = dict(self.world.records)
        ran = self.take(by, action, of=of, **arguments)
        assert ran.code == code, (ran.code, ran.result)
        assert self.world.records == before
        return ran.result["message"]

    def until(self, time: int) -> list[Execution]:
        """Lets ledger time come to `time`; what is due by then is taken first, as a node would. What came of it."""
        came: list[Execution] = []
        while due := sorted((d for d in self._due if d.at <= time), key=lambda d: d.at):
            self._due.remove(due[0])
            self.world.time = max(self.world.time, due[0].at)
            manifest = self.world.programs[due[0].contract][-1][1].manifest
            record, subject = manifest.records[due[0].record], manifest.actions[due[0].action].subject
            assert subject is not None
            key = schedules.key_of(record.fields[record.key].type, due[0].key)
            came.append(self.take(None, due[0].action, of=due[0].contract, **{subject.name: key}))
        self.world.time = time
        return came

    def record(self, table: str, key: str, *, of: str | None = None) -> dict[str, Any]:
        """The plain value of a record by its text key."""
        field = self.world.programs[of or self.contract][-1][1].manifest.records[table].key
        return {row[field]: row for row in self.records(table, of=of)}[key]

    def records(self, table: str, *, of: str | None = None) -> list[dict[str, Any]]:
        """The plain values of all records of a type, by key."""
        return self.world.values(of or self.contract, table)


def source(path: str) -> str:
    """The text of a file in `apps/`."""
    return (APPS / path).read_text("utf-8")
