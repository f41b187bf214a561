"""Calls between contracts: interfaces, who the caller is, what is rolled back, reentrancy."""

from tests.contracts.golden.program import Call, Golden, contract, do, ledger
from tests.contracts.world import transaction_id

_BANK = contract(
    """
    class Roles:
        engine: Party = Party(contract="sample")
        anyone: Party = Party(attribute="licence:bank")
    class Account(Record, key="owner"):
        owner: Party
        balance: Int[0, 1000] = 0
    @action(by="member", creates="Account")
    def open_one(tx, account: Account, owner: Party, balance: int):
        pass
    @action(by="engine")
    def pay(tx, account: Account, to: Account, n: int):
        require(n > 0, "a payment is positive, not {n}", n=n)
        account.balance -= n
        to.balance += n
        event("paid", n=n, by=tx.caller, signer=tx.member)
    @action(by="anyone")
    def take(tx, account: Account):
        account.balance = 0
    @action(by="member")
    def free(tx, n: int):
        event("free", n=n)
    @view
    def balance_of(tx, account: Account) -> int:
        return account.balance
    @view
    def rate(tx, day: Date | None) -> list[int, 5]:
        return [1, 2, 3] if day is None else [day.year]
    """,
    title="Bank",
    version="2.3.4",
)
_FACE = """
    class Bank(Interface, contract="bank"):
        @action
        def pay(tx, account: Party, to: Party, n: int): ...
        @action
        def take(tx, account: Party): ...
        @action
        def free(tx, n: int): ...
        @action
        def gone(tx): ...
        @view
        def balance_of(tx, account: Party) -> int: ...
        @view
        def rate(tx, day: Date | None) -> list[int, 2]: ...
    class Nowhere(Interface, contract="nowhere"):
        @view
        def rate(tx) -> int: ...
"""
_OPEN = (do("open_one", owner="alice", balance=100).on("bank"), do("open_one", owner="bob", balance=5).on("bank"))


def _bank(name: str, inside: str, *calls: Call) -> Golden:
    return ledger(name, {"bank": _BANK, "sample": contract(inside, module=_FACE)}, *_OPEN, *calls)


def _balance(owner: str, n: int) -> Call:
    return do("balance_of", account=owner).on("bank").gives(n)


_PAY = """
    @action(by="member")
    def go(tx, to: Party, n: int):
        Bank.pay(account=tx.member, to=to, n=n)
        event("went", n=n)
"""
_LINK = """
    class Roles:
        before: Party = Party(contract="one")
        again: Party = Party(contract="two")
        last: Party = Party(contract="three")
    @action(by=["member", "before", "again", "last"])
    def go(tx, n: int):
        event("NAME", caller=tx.caller)
        FOLLOWS
"""


def _link(name: str, following: str | None) -> str:
    """A contract whose action takes that of the same name in the next contract."""
    face = f'class Following(Interface, contract="{following}"):\n    @action\n    def go(tx, n: int): ...'
    follows = "Following.go(n=n + 1)" if following else 'event("end", n=n)'
    inside = _LINK.replace("NAME", name).replace("FOLLOWS", follows)
    return contract(inside, module=face if following else "", title=name.capitalize())


PROGRAMS = [
    _bank(
        "action_of_another_contract",
        _PAY,
        do("go", to="bob", n=30).emits("paid", n=30, by="sample", signer="alice").emits("went", n=30),
        _balance("alice", 70),
        _balance("bob", 35),
    ),
    ledger(
        "the_id_is_that_of_the_transaction_everywhere",
        {
            "other": contract(
                """
                class Roles:
                    near: Party = Party(contract="sample")
                @action(by="near")
                def tell(tx):
                    event("told", id=tx.id, by=tx.member)
                @view
                def id_of(tx) -> Hash:
                    return tx.id
                """,
                title="Near",
            ),
            "sample": contract(
                """
                @action(by="member")
                def go(tx):
                    Other.tell()
                    event("here", id=tx.id, same=Other.id_of() == tx.id)
                """,
                module="""
                class Other(Interface, contract="other"):
                    @action
                    def tell(tx): ...
                    @view
                    def id_of(tx) -> Hash: ...
                """,
            ),
        },
        do("go").emits("told", id=transaction_id(1), by="alice").emits("here", id=transaction_id(1), same=True),
        do("go").emits("told", id=transaction_id(2), by="alice").emits("here", id=transaction_id(2), same=True),
        do("id_of").on("other").by(None).refused("tx.unsigned"),
    ),
    _bank(
        "no_action_of_a_paused_contract",
        """
            @action(by="member")
            def go(tx, to: Party):
                event("first", n=1)
                Bank.pay(account=tx.member, to=to, n=7)
            @action(by="member")
            def look(tx):
                event("rate", n=Bank.balance_of(account=tx.member))
            @action(by="member")
            def bare(tx):
                Bank.gone()
            @action(by="member")
            def lone(tx):
                Bank.free(n=1)
        """,
        do("free", n=1).on("bank").while_paused("bank").refused("contract.paused").costs(10),
        do("take", account="nobody").on("bank").by(None).while_paused("bank").refused("contract.paused").costs(10),
        do("gone").on("bank").while_paused("bank").refused("action.unknown").costs(10),
        do("free", n=1).on("bank").while_paused("sample", "nowhere").emits("free", n=1),
        _balance("alice", 100).while_paused("bank", "sample"),
        do("go", to="bob").while_paused("bank").refused("contract.paused", line=24),
        do("lone").while_paused("bank").refused("contract.paused", line=33).costs(10 + 1 + 4 + 20),
        do("look").while_paused("bank").emits("rate", n=100),
        do("look").while_paused("sample").refused("contract.paused").costs(10),
        do("bare").while_paused("bank").refused("action.unknown"),
        do("go", to="bob").emits("first", n=1).emits("paid", n=7, by="sample", signer="alice"),
        _balance("bob", 12),
    ),
    _bank(
        "its_refusal_refuses_all",
        _PAY,
        do("go", to="bob", n=0).refused("require.failed"),
        do("go", to="bob", n=101).refused("value.bounds"),
        do("go", to="carol", n=1).refused("arguments.invalid"),
        _balance("alice", 100),
    ),
    _bank(
        "a_later_refusal_takes_it_back",
        """
            @action(by="member")
            def go(tx, to: Party, n: int):
                Bank.pay(account=tx.member, to=to, n=n)
                require(n > 5, "too little")
        """,
        do("go", to="bob", n=5).refused("require.failed"),
        _balance("alice", 100),
        do("go", to="bob", n=6),
        _balance("alice", 94),
    ),
    _bank(
        "only_its_caller_may",
        _PAY,
        do("pay", account="alice", to="bob", n=1).on("bank").refused("role.denied"),
        do("pay", account="alice", to="bob", n=1).on("bank").by(None).refused("role.denied"),
    ),
    _bank(
        "the_signer_confers_nothing",
        """
            @action(by="member")
            def go(tx):
                Bank.take(account=tx.member)
            @action(by="member")
            def free(tx, n: int):
                Bank.free(n=n)
        """,
        do("take", account="bob").on("bank"),
        do("go").refused("role.denied"),
        do("free", n=1).refused("role.denied"),
        do("free", n=1).on("bank").emits("free", n=1),
        _balance("alice", 100),
    ),
    _bank(
        "view_of_another_contract",
        """
            @view
            def go(tx, who: Party) -> int:
                return Bank.balance_of(account=who) * 2
        """,
        do("go", who="bob").gives(10),
        do("go", who="carol").refused("arguments.invalid"),
    ),
    _bank(
        "view_sees_what_was_written_before",
        """
            @action(by="member")
            def go(tx, to: Party):
                before = Bank.balance_of(account=to)
                Bank.pay(account=tx.member, to=to, n=7)
                event("seen", before=before, after=Bank.balance_of(account=to))
        """,
        do("go", to="bob").emits("paid", n=7, by="sample", signer="alice").emits("seen", before=5, after=12),
    ),
    _bank(
        "result_that_does_not_fit",
        """
            @view
            def go(tx, day: Date | None) -> int:
                return sum(Bank.rate(day=day))
        """,
        do("go", day="2024-01-01").gives(2024),
        do("go").refused("call.result"),
    ),
    _bank(
        "unknown_contract_and_action",
        """
            @action(by="member")
            def go(tx):
                Bank.gone()
            @view
            def nothing(tx) -> int:
                return Nowhere.rate()
        """,
        do("go").refused("action.unknown"),
        do("nothing").refused("contract.unknown"),
    ),
    _bank(
        "arguments_in_source_order",
        """
            @action(by="member")
            def go(tx, a: int, l: list[int, 2]):
                Bank.pay(n=10 // a, to=tx.member if l[0] > 0 else tx.member, account=tx.member)
        """,
        do("go", a=0, l=[]).refused("value.division"),
        do("go", a=1, l=[]).refused("index.range"),
        do("go", a=1, l=[1]),
    ),
    ledger(
        "arguments_are_held_to_the_interface",
        {
            "bank": _BANK,
            "sample": contract(
                """
                    @action(by="member")
                    def go(tx, n: int, to: Party):
                        Bank.pay(account=tx.member, to=to, n=n)
                """,
                module="""
                    class Bank(Interface, contract="bank"):
                        @action
                        def pay(tx, account: Party, to: Party, n: Int[1, 50]): ...
                """,
            ),
        },
        *_OPEN,
        do("go", n=51, to="bob").refused("value.bounds"),
        do("go", n=50, to="bob"),
        _balance("alice", 50),
    ),
    ledger(
        "an_interface_that_asks_for_too_little",
        {
            "bank": _BANK,
            "sample": contract(
                """
                    @action(by="member")
                    def go(tx):
                        Bank.pay(account=tx.member)
                """,
                module="""
                    class Bank(Interface, contract="bank"):
                        @action
                        def pay(tx, account: Party): ...
                """,
            ),
        },
        *_OPEN,
        do("go").refused("arguments.invalid"),
    ),
    ledger(
        "an_interface_of_another_type",
        {
            "bank": _BANK,
            "sample": contract(
                """
                    @view
                    def go(tx) -> Text[0, 9]:
                        return Bank.balance_of(account=tx.member)
                """,
                module="""
                    class Bank(Interface, contract="bank"):
                        @view
                        def balance_of(tx, account: Party) -> Text[0, 9]: ...
                """,
            ),
        },
        *_OPEN,
        do("go").refused("call.result"),
    ),
    ledger(
        "three_contracts",
        {"three": _link("three", None), "two": _link("two", "three"), "one": _link("one", "two")},
        do("go", n=1)
        .on("one")
        .emits("one", caller=None)
        .emits("two", caller="one")
        .emits("three", caller="two")
        .emits("end", n=3),
        do("go", n=1).on("two").emits("two", caller=None).emits("three", caller="two").emits("end", n=2),
    ),
    ledger(
        "no_contract_twice_on_the_way",
        {"two": _link("two", "one"), "one": _link("one", "two")},
        do("go", n=1).on("one").refused("call.reentrant"),
        do("go", n=1).on("two").refused("call.reentrant"),
    ),
    ledger("not_even_itself", {"one": _link("one", "one")}, do("go", n=1).on("one").refused("call.reentrant")),
    _bank(
        "two_calls_one_after_another",
        """
            @action(by="member")
            def go(tx, to: Party):
                for i in range(3):
                    Bank.pay(account=tx.member, to=to, n=i + 1)
        """,
        do("go", to="bob")
        .emits("paid", n=1, by="sample", signer="alice")
        .emits("paid", n=2, by="sample", signer="alice")
        .emits("paid", n=3, by="sample", signer="alice"),
        _balance("bob", 11),
    ),
    _bank(
        "the_line_is_that_of_the_callee",
        _PAY,
        do("go", to="bob", n=0).refused("require.failed", line=15),
        do("go", to="carol", n=1).refused("arguments.invalid"),
        do("go", to="bob", n=101).refused("value.bounds", line=16),
    ),
    ledger(
        "keys_are_given_plain",
        {
            "notes": contract(
                """
                    class Note(Record, key="day"):
                        day: Date
                        text: Text[0, 9] = ""
                    @action(by="member", creates="Note")
                    def write(tx, note: Note, day: Date, text: Text[0, 9]):
                        pass
                    @view
                    def read(tx, note: Note, kind: Kind) -> Text[0, 9]:
                        return note.text.upper() if kind == Kind.Loud else note.text
                """,
                module="""
                    class Kind(Enum):
                        Loud = "in capitals"
                        Low = "as it is"
                """,
                title="Notes",
            ),
            "sample": contract(
                """
                    @view
                    def go(tx, day: Date) -> list[Text[0, 9], 2]:
                        return [Notes.read(note=day, kind=Kind.Low), Notes.read(note=day, kind=Kind.Loud)]
                """,
                module="""
                    class Kind(Enum):
                        Low = "as it is"
                        Loud = "in capitals"
                        Wild = "as it comes"
                    class Notes(Interface, contract="notes"):
                        @view
                        def read(tx, note: Date, kind: Kind) -> Text[0, 9]: ...
                """,
            ),
        },
        do("write", day="2024-02-29", text="leap").on("notes"),
        do("go", day="2024-02-29").gives(["leap", "LEAP"]),
        do("go", day="2024-02-28").refused("arguments.invalid"),
    ),
]
