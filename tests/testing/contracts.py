"""The contracts that tests of `hansa.testing` deploy."""

JOBS = '''"""Jobs with deadlines, in two versions."""

from hansa.contract import Amount, Contract, Date, Duration, Instant, Int, Party, Record, Text, User, action, become
from hansa.contract import event, require, schedule, view


class Jobs(Contract, version="1.0.0"):
    class Roles:
        owner: Party
        clerk: Party = Party(attribute="role:clerk")
        checker: Party = Party(user="role:checker")

    class Job(Record, key="id", index=["owner"]):
        class States:
            Open: "to be done"
            Done: "done"
            Late: "too late"

        id: Text[1, 16]
        owner: Party
        price: Amount
        due: Instant
        day: Date | None = None
        times: Int[0, 100] = 0
        checked: User | None = None

    @action(by="owner", creates="Job", to="Open")
    def plan(tx, job: Job, id: Text[1, 16], price: Amount, due: Instant, day: Date | None):
        schedule(job, "miss", due)

    @action(by="clerk", on="Open", to="Done")
    def finish(tx, job: Job, took: Duration):
        require(took < Duration(hours=8), "that is more than a day's work")
        event("finished", id=job.id, at=tx.time)

    @action(by="checker", on="Done")
    def check(tx, job: Job):
        job.checked = tx.user

    @action(by="schedule", on="Open", to="Late")
    def miss(tx, job: Job):
        event("late", id=job.id, at=tx.time)

    @action(by="owner", on="Late", to="Late")
    def again(tx, job: Job, each: Duration):
        job.times = job.times + 1
        schedule(job, "ring", tx.time + each)

    @action(by="schedule", on="Late")
    def ring(tx, job: Job):
        if job.times < 100:
            job.times = job.times + 1
            schedule(job, "ring", tx.time + Duration(seconds=1))

    @view
    def worth(tx, job: Job) -> Amount:
        return job.price

    @view
    def missed(tx) -> list[Text[1, 16], 100]:
        found: list[Text[1, 16], 100] = []
        for job in Jobs.Job.select(limit=100):
            if job.day is not None and job.day < tx.date and job.due > tx.time:
                found.append(job.id)
        return found

    @view
    def now(tx) -> Instant:
        return tx.time

    @view
    def refuses(tx) -> int:
        require(False, "never")
        return 1
'''

NEXT = (
    JOBS.replace('version="1.0.0"', 'version="2.0.0"')
    .replace("times: Int[0, 100] = 0", "times: int = 0")
    .replace("        checked:", '        note: Text[0, 20] = "new"\n        checked:')
)

SHOP = '''"""Calls the jobs of another contract."""

from hansa.contract import Amount, Contract, Interface, Text, action, event, view


class Jobs(Interface, contract="jobs"):
    @view
    def worth(tx, job: Text[1, 16]) -> Amount: ...


class Shop(Contract, version="1.0.0"):
    @action(by="member")
    def ask(tx, id: Text[1, 16]):
        event("price", price=Jobs.worth(job=id))
'''

FEES = '''"""Fees."""


def doubled(n: int) -> int:
    return n * 2
'''

USES = '''"""Uses a library."""

from hansa.contract import Contract, action, event, library

fees = library("fees", "DIGEST")


class Uses(Contract, version="1.0.0"):
    @action(by="member")
    def charge(tx, n: int):
        event("fee", fee=fees.doubled(n))
'''

CARELESS = '''"""Divides by what it is given, and forgets that a record may have no partner."""

from hansa.contract import Contract, Int, Party, Record, Text, action


class Careless(Contract, version="1.0.0"):
    class Share(Record, key="id"):
        id: Text[1, 8]
        part: int = 0

    @action(by="member", creates="Share")
    def make(tx, share: Share, id: Text[1, 8]):
        """Begins."""

    @action(by="member")
    def split(tx, share: Share, parts: Int[0, 100]):
        share.part = 100 // parts
'''

BROKEN = '''"""Goes wrong where nobody looks: when it comes due, behind long lists, near today, in a full map."""

from hansa.contract import Contract, Date, Duration, Int, Party, Record, Text, action, require, schedule


class Broken(Contract, version="1.0.0"):
    class Roles:
        owner: Party

    class Thing(Record, key="id"):
        class States:
            Open: "goes on"
            Closed: "is over"

        id: Text[1, 40]
        owner: Party
        total: Int[0, 1000] = 0

    @action(by="owner", creates="Thing", to="Open")
    def make(tx, thing: Thing, id: Text[1, 40]):
        """Begins."""
        DUE

    @action(by="owner", on="Open")
    def fill(tx, thing: Thing, items: list[int, 20]):
        if len(items) == LENGTH:
            thing.total = items[30]

    @action(by="owner", on="Open")
    def sort(tx, thing: Thing, items: dict[Text[1, 3], bool, 12]):
        if len(items) == KEYS:
            thing.total = 1 // 0

    @action(by="owner", on="Open")
    def soon(tx, thing: Thing, day: Date):
        if tx.date < day and day < tx.date.add_days(DAYS):
            thing.total = 1 // 0

    @action(by="schedule", on="Open", to="Closed")
    def close(tx, thing: Thing):
        CLOSE
'''


def broken(due: str = "", length: int = 21, keys: int = 13, days: int = 0, close: str = "") -> str:
    """One of its ways to go wrong."""
    source = BROKEN.replace("LENGTH", str(length)).replace("KEYS", str(keys)).replace("DAYS", str(days))
    return source.replace("DUE", due).replace("CLOSE", close or "thing.total = 1")
