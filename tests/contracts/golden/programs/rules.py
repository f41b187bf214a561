"""Invariants and events: what is checked at the end, what is said on the way."""

from tests.contracts.golden.program import Call, Golden, act, contract, do, fails, gives, ledger, lines, sample

_ACCOUNT = """
class Account(Record, key="id"):
    id: Text[1, 8]
    balance: int = 0
    limit: int = 100
    parts: list[int, 5] = []
    @invariant
    def covered(account):
        require(account.balance >= 0, "{id} is overdrawn by {by}", id=account.id, by=-account.balance)
    @invariant
    def bounded(account):
        total = 0
        for part in account.parts:
            total += part
        if total != 0:
            require(total == account.balance, "the parts make {total}", total=total)
        require(account.balance <= LARGEST, "too much")
@action(by="member", creates="Account")
def open_one(tx, account: Account, id: Text[1, 8], balance: int):
    pass
@action(by="member")
def pay(tx, account: Account, to: Account, n: int):
    account.balance -= n
    to.balance += n
@view
def balance_of(tx, account: Account) -> int:
    return account.balance
"""


def _accounts(name: str, inside: str, *calls: Call) -> Golden:
    return sample(
        name,
        lines(_ACCOUNT, inside),
        do("open_one", id="a", balance=50),
        do("open_one", id="b", balance=0),
        *calls,
        module="LARGEST = 1000",
    )


PROGRAMS = [
    _accounts(
        "invariant_on_change",
        "",
        do("pay", account="a", to="b", n=50),
        do("pay", account="a", to="b", n=1).refused("invariant.failed"),
        do("balance_of", account="a").gives(0),
        do("balance_of", account="b").gives(50),
        do("pay", account="a", to="b", n=-51).refused("invariant.failed"),
    ),
    _accounts(
        "invariant_on_creation",
        "",
        do("open_one", id="c", balance=-1).refused("invariant.failed"),
        do("balance_of", account="c").refused("arguments.invalid"),
        do("open_one", id="c", balance=1001).refused("invariant.failed"),
        do("open_one", id="c", balance=1000),
    ),
    _accounts(
        "invariants_look_at_the_end_only",
        """
            @action(by="member")
            def go(tx, account: Account, n: int):
                account.balance -= 1000
                account.balance += n
        """,
        do("go", account="a", n=1000),
        do("go", account="a", n=960),
        do("go", account="a", n=989).refused("invariant.failed"),
    ),
    _accounts(
        "the_first_invariant_that_fails",
        """
            @action(by="member")
            def go(tx, account: Account, x: int, y: int):
                account.parts = [x, y]
        """,
        do("go", account="a", x=20, y=30),
        do("go", account="a", x=20, y=31).refused("invariant.failed"),
        do("go", account="a", x=20, y=-20),
        do("pay", account="a", to="b", n=60).refused("invariant.failed"),
    ),
    _accounts(
        "records_in_order_of_first_touch",
        """
            @action(by="member")
            def go(tx, x: Account, y: Account):
                y.balance = -2
                x.balance = -1
        """,
        do("go", x="a", y="b").refused("invariant.failed"),
        do("go", x="b", y="a").refused("invariant.failed"),
    ),
    _accounts(
        "what_is_only_read_is_not_checked",
        """
            @action(by="member")
            def go(tx, account: Account):
                event("n", n=account.balance)
        """,
        do("go", account="a").emits("n", n=50),
    ),
    _accounts(
        "a_refused_body_meets_no_invariant",
        """
            @action(by="member")
            def go(tx, account: Account):
                account.balance = -1
                require(False, "no")
        """,
        do("go", account="a").refused("require.failed"),
    ),
    sample(
        "an_invariant_may_fault",
        """
            class Box(Record, key="id"):
                id: int
                n: int
                @invariant
                def divides(box):
                    require(100 % box.n == 0, "no")
            @action(by="member", creates="Box")
            def go(tx, box: Box, id: int, n: int):
                pass
        """,
        gives(None, id=1, n=5),
        fails("invariant.failed", id=2, n=3),
        fails("value.division", id=2, n=0),
    ),
    sample(
        "an_invariant_uses_functions",
        """
            class Box(Record, key="id"):
                id: int
                n: int
                @invariant
                def fits(box):
                    require(small(box.n), "no")
            @action(by="member", creates="Box")
            def go(tx, box: Box, id: int, n: int):
                pass
        """,
        gives(None, id=1, n=5),
        fails("invariant.failed", id=2, n=30),
        fails("invariant.failed", id=2, n=-1),
        module="""
            def small(n: int) -> bool:
                require(n >= 0, "below zero")
                return n < 10
        """,
    ),
    sample(
        "an_invariant_on_states",
        """
            class States:
                On: "on"
                Off: "off"
            class Box(Record, key="id"):
                id: int
                n: int = 0
                @invariant
                def empty_when_off(box):
                    if box.state == "Off":
                        require(box.n == 0, "{n} left", n=box.n)
            @action(by="member", creates="Box", to="On")
            def make(tx, box: Box, id: int, n: int):
                pass
            @action(by="member", on="On", to="Off")
            def go(tx, box: Box, n: int):
                box.n -= n
        """,
        do("make", id=1, n=5),
        fails("invariant.failed", box=1, n=4),
        gives(None, box=1, n=5),
        fails("state.denied", box=1, n=0),
    ),
    sample(
        "an_invariant_on_optionals",
        """
            class Box(Record, key="id"):
                id: int
                a: Date | None = None
                b: Date | None = None
                @invariant
                def in_order(box):
                    if box.a is not None and box.b is not None:
                        require(box.a <= box.b, "{a} is after {b}", a=box.a, b=box.b)
            @action(by="member", creates="Box")
            def go(tx, box: Box, id: int, a: Date | None, b: Date | None):
                pass
        """,
        gives(None, id=1, a="2024-01-01"),
        gives(None, id=2),
        gives(None, id=3, a="2024-01-01", b="2024-01-01"),
        fails("invariant.failed", id=4, a="2024-01-02", b="2024-01-01"),
    ),
    act(
        "event_values",
        "",
        """
            event("plain", b=True, i=-5, t="x", n=None, l=[1, 2], m={"bb": 1, "a": 2})
            event("typed", d=tx.date, t=tx.time, w=tx.member, u=tx.user, a=Amount(5, "USD"), s=-SignedAmount(5, "USD"),
                h=sha256("abc"), p=Pair(x=1), k=Kind.A, v=Duration(days=1))
        """,
        gives(None)
        .emits("plain", b=True, i=-5, t="x", n=None, l=[1, 2], m={"a": 2, "bb": 1})
        .emits(
            "typed",
            d="2023-11-14",
            t=1_700_000_000_000,
            w="alice",
            u=None,
            a={"minor": 5, "currency": "USD"},
            s={"minor": -5, "currency": "USD"},
            h=bytes.fromhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            p={"x": 1, "y": 2},
            k="A",
            v=86_400_000,
        ),
        module="""
            class Kind(Enum):
                A = "a"
            class Pair(Struct):
                x: int
                y: int = 2
        """,
    ),
    act(
        "events_in_order",
        "n: int",
        'for i in range(n):\n    event("step", i=i)\nevent("done")',
        gives(None, n=2).emits("step", i=0).emits("step", i=1).emits("done"),
        gives(None, n=0).emits("done"),
    ),
    act(
        "event_values_are_those_of_the_time",
        "a: int",
        """
            l = [a]
            event("one", l=l)
            l.append(2)
            event("two", l=l)
        """,
        gives(None, a=1).emits("one", l=[1]).emits("two", l=[1, 2]),
    ),
    act(
        "event_values_in_source_order",
        "a: int, l: list[int, 2]",
        'event("e", b=1 // a, a=l[0])',
        fails("value.division", a=0, l=[]),
        fails("index.range", a=1, l=[]),
        gives(None, a=1, l=[4]).emits("e", b=1, a=4),
    ),
    act(
        "event_integers_fit_64_bits",
        "a: int",
        'event("e", a=a + 1)',
        gives(None, a=2**63 - 2).emits("e", a=2**63 - 1),
        fails("value.range", a=2**63 - 1),
    ),
    act(
        "event_integers_deep_inside_fit_64_bits",
        "a: int",
        'event("e", a=[[1], [a + 1]])',
        gives(None, a=1).emits("e", a=[[1], [2]]),
        fails("value.range", a=2**63 - 1),
    ),
    act(
        "refused_after_events",
        "a: int",
        'event("e", a=a)\nrequire(a > 0, "no")',
        gives(None, a=1).emits("e", a=1),
        fails("require.failed", a=0).silent(),
    ),
    ledger(
        "events_of_records_by_key",
        {
            "sample": contract(
                """
                    class Box(Record, key="id"):
                        id: Text[1, 8]
                        next: Text[1, 8] | None = None
                    @action(by="member", creates="Box")
                    def go(tx, box: Box, id: Text[1, 8]):
                        event("made", id=box.id, next=box.next)
                """
            )
        },
        gives(None, id="a").emits("made", id="a", next=None),
    ),
]
