"""Who may: roles and their rules, contracts that call each other, and names that look like somebody else's."""

from tests.contracts.attacks.attack import Attack, Take, attacks, contract, runs

VAULT = """
class Roles:
    owner: Party
    bank: Party = Party(attribute="licence:bank")
    clerk: Party = Party(user="role:clerk")
    engine: Party = Party(contract="engine")
class Vault(Record, key="id"):
    id: Int[0, 9]
    owner: Party
    n: int = 0
@action(by="owner", creates="Vault")
def open(tx, v: Vault, id: Int[0, 9]):
    pass
@action(by="owner")
def take(tx, v: Vault):
    v.n += 1
@action(by="bank")
def freeze(tx, v: Vault):
    v.n += 1
@action(by="clerk")
def note(tx, v: Vault):
    v.n += 1
@action(by="engine")
def settle(tx, v: Vault):
    v.n += 1
@action(by=["clerk", "engine", "bank", "owner"])
def any(tx, v: Vault):
    v.n += 1
@action(by="member")
def greet(tx, v: Vault):
    v.n += 1
@action(by="schedule")
def expire(tx, v: Vault):
    v.n += 1
""".replace("def open", "def start").replace("def any", "def most")
SAFE = contract(VAULT)
START = Take("start", {"id": 1})


def _opened(name: str, code: str, *takes: Take) -> list[Attack]:
    return [runs(name, SAFE, code, START, *takes)]


def caller(action: str, of: str = "sample", arguments: str = "v=1", signature: str = "v: Int[0, 9]") -> str:
    """A contract whose action `go` takes an action of another."""
    signature = f"tx, {signature}" if signature else "tx"
    return contract(
        f"@action(by='member')\ndef go(tx):\n    There.{action}({arguments})",
        f"class There(Interface, contract='{of}'):\n    @action\n    def {action}({signature}): ...",
    )


def _through(name: str, action: str, code: str) -> list[Attack]:
    """The owner signs a call of a contract that calls the vault."""
    return [runs(name, SAFE, code, START, Take("go", contract="proxy"), contracts={"proxy": caller(action)})]


BEHIND = (
    caller("settle")
    .replace("@action(by='member')", "class Roles:\n        a: Party = Party(contract='{}')\n    @action(by='a')")
    .replace("import ", "import Party, ")
)
TO_INNER = caller("go", "inner", "", "")
OPEN = "class Roles:\n    a: Party = Party(contract='{}')\n@action(by='a')\ndef go(tx):\n    {}"

TRUST = [
    *attacks(
        "who is not in a role takes its action",
        *_opened("another member as the owner", "role.denied", Take("take", {"v": 1}, by="bob")),
        *_opened("the owner", "ok", Take("take", {"v": 1})),
        *_opened("a member without the attribute", "role.denied", Take("freeze", {"v": 1})),
        *_opened(
            "a user with the member's attribute",
            "role.denied",
            Take("freeze", {"v": 1}, user="alice/ann", user_attributes=frozenset({"licence:bank"})),
        ),
        *_opened(
            "a member with the user's attribute",
            "role.denied",
            Take("note", {"v": 1}, attributes=frozenset({"role:clerk"})),
        ),
        *_opened(
            "the member's own key in a user's role",
            "role.denied",
            Take("note", {"v": 1}, attributes=frozenset({"role:clerk", "licence:bank"})),
        ),
        *_opened("a user without the attribute", "role.denied", Take("note", {"v": 1}, user="alice/ann")),
        *_opened(
            "a user with the attribute",
            "ok",
            Take("note", {"v": 1}, user="alice/ann", user_attributes=frozenset({"role:clerk"})),
        ),
        *_opened(
            "an attribute that only begins alike",
            "role.denied",
            Take("freeze", {"v": 1}, attributes=frozenset({"licence:bank2", "licence", "LICENCE:BANK"})),
        ),
        *_opened("a member in a contract's role", "role.denied", Take("settle", {"v": 1})),
        *_opened("a member named like the contract", "role.denied", Take("settle", {"v": 1}, by="engine")),
        *_opened("a user named like the contract", "role.denied", Take("settle", {"v": 1}, user="engine")),
        *_opened("a member in ledger time's role", "role.denied", Take("expire", {"v": 1})),
        *_opened("a member named schedule", "role.denied", Take("expire", {"v": 1}, by="schedule")),
        *_opened("ledger time in a member's role", "role.denied", Take("greet", {"v": 1}, by=None)),
        *_opened("ledger time in the owner's role", "role.denied", Take("take", {"v": 1}, by=None)),
        *_opened("ledger time in a role by attribute", "role.denied", Take("freeze", {"v": 1}, by=None)),
        *_opened("ledger time in a contract's role", "role.denied", Take("settle", {"v": 1}, by=None)),
        *_opened("ledger time", "ok", Take("expire", {"v": 1}, by=None)),
        *_opened("none of many roles", "role.denied", Take("most", {"v": 1}, by="bob")),
        *_opened("a role asked of a record that is not there", "arguments.invalid", Take("take", {"v": 2}, by="bob")),
        *_opened(
            "a record that another makes in the owner's name",
            "arguments.invalid",
            Take("start", {"id": 2, "owner": "bob"}),
        ),
    ),
    *attacks(
        "a contract uses the rights of who signed (the confused deputy)",
        *_through("the owner's", "take", "role.denied"),
        *_through("a bank's", "freeze", "role.denied"),
        *_through("a member's", "greet", "role.denied"),
        *_through("ledger time's", "expire", "role.denied"),
        *_through("another contract's", "settle", "role.denied"),
        runs(
            "a bank that signs for a contract that calls",
            SAFE,
            "role.denied",
            START,
            Take("go", contract="proxy", attributes=frozenset({"licence:bank"})),
            contracts={"proxy": caller("freeze")},
        ),
        runs(
            "a clerk who signs for a contract that calls",
            SAFE,
            "role.denied",
            START,
            Take("go", contract="proxy", user="alice/ann", user_attributes=frozenset({"role:clerk"})),
            contracts={"proxy": caller("note")},
        ),
        runs(
            "the contract that may",
            SAFE,
            "ok",
            START,
            Take("go", contract="engine"),
            contracts={"engine": caller("settle")},
        ),
        runs(
            "a contract that calls the contract that may",
            SAFE,
            "ok",
            START,
            Take("go", contract="outer"),
            contracts={"engine": BEHIND.format("outer"), "outer": caller("go", "engine", "", "")},
        ),
        runs(
            "a contract that the contract that may calls",
            SAFE,
            "role.denied",
            START,
            Take("go", contract="engine"),
            contracts={"inner": BEHIND.format("engine"), "engine": TO_INNER},
        ),
        runs(
            "a contract that reads who called it",
            contract("@view\ndef go(tx) -> bool:\n    return tx.caller is None"),
            "ok",
            Take(),
        ),
    ),
    *attacks(
        "a contract that comes back into itself finds half of its work done",
        runs(
            "to itself",
            contract(
                "@action(by='member')\ndef go(tx):\n    Me.go()",
                "class Me(Interface, contract='sample'):\n    @action\n    def go(tx): ...",
            ),
            "call.reentrant",
        ),
        runs(
            "to its own view",
            contract(
                "@view\ndef tell(tx) -> int:\n    return 1\n@action(by='member')\ndef go(tx):\n    x = Me.tell()",
                "class Me(Interface, contract='sample'):\n    @view\n    def tell(tx) -> int: ...",
            ),
            "call.reentrant",
        ),
        runs(
            "through another",
            contract(
                OPEN.format("pong", "pass") + "\n@action(by='member')\ndef start(tx):\n    Pong.go()",
                "class Pong(Interface, contract='pong'):\n    @action\n    def go(tx): ...",
            ),
            "call.reentrant",
            Take("start"),
            contracts={
                "pong": contract(
                    OPEN.format("sample", "Ping.go()"),
                    "class Ping(Interface, contract='sample'):\n    @action\n    def go(tx): ...",
                )
            },
            source="xian-technology/xian-contracting tests",
        ),
        runs(
            "through a view of another",
            contract(
                "@view\ndef go(tx) -> int:\n    return Pong.tell()",
                "class Pong(Interface, contract='pong'):\n    @view\n    def tell(tx) -> int: ...",
            ),
            "call.reentrant",
            Take(),
            contracts={
                "pong": contract(
                    "@view\ndef tell(tx) -> int:\n    return Ping.go()",
                    "class Ping(Interface, contract='sample'):\n    @view\n    def go(tx) -> int: ...",
                )
            },
        ),
    ),
    *attacks(
        "the other contract is not there, is another, or does not come back",
        runs(
            "no contract",
            contract(
                "@action(by='member')\ndef go(tx):\n    There.pay()",
                "class There(Interface, contract='nowhere'):\n    @action\n    def pay(tx): ...",
            ),
            "contract.unknown",
        ),
        runs(
            "no action",
            contract(
                "@action(by='member')\ndef go(tx):\n    There.pay()",
                "class There(Interface, contract='other'):\n    @action\n    def pay(tx): ...",
            ),
            "action.unknown",
            contracts={"other": contract("@action(by='member')\ndef go(tx):\n    pass")},
        ),
        runs(
            "an action that is a view",
            contract(
                "@action(by='member')\ndef go(tx):\n    There.go()",
                "class There(Interface, contract='other'):\n    @action\n    def go(tx): ...",
            ),
            "action.unknown",
            contracts={"other": contract("@view\ndef go(tx) -> int:\n    return 1")},
        ),
        runs(
            "a view that is an action",
            contract(
                "@action(by='member')\ndef go(tx):\n    x = There.go()",
                "class There(Interface, contract='other'):\n    @view\n    def go(tx) -> int: ...",
            ),
            "action.unknown",
            contracts={"other": contract("@action(by='member')\ndef go(tx):\n    pass")},
        ),
        runs(
            "a view that writes by way of an action",
            contract(
                "@view\ndef go(tx) -> int:\n    return There.go()",
                "class There(Interface, contract='other'):\n    @view\n    def go(tx) -> int: ...",
            ),
            "action.unknown",
            contracts={"other": contract("@action(by='member')\ndef go(tx):\n    pass")},
        ),
        runs(
            "a view of another kind",
            contract(
                "@action(by='member')\ndef go(tx):\n    x = There.tell()",
                "class There(Interface, contract='other'):\n    @view\n    def tell(tx) -> int: ...",
            ),
            "call.result",
            contracts={"other": contract("@view\ndef tell(tx) -> Text[0, 9]:\n    return 'a'")},
        ),
        runs(
            "a view of true for a number",
            contract(
                "@action(by='member')\ndef go(tx):\n    x = There.tell()",
                "class There(Interface, contract='other'):\n    @view\n    def tell(tx) -> int: ...",
            ),
            "call.result",
            contracts={"other": contract("@view\ndef tell(tx) -> bool:\n    return True")},
        ),
        runs(
            "a view of a longer text",
            contract(
                "@action(by='member')\ndef go(tx):\n    x = There.tell()",
                "class There(Interface, contract='other'):\n    @view\n    def tell(tx) -> Text[0, 3]: ...",
            ),
            "call.result",
            contracts={"other": contract("@view\ndef tell(tx) -> Text[0, 9]:\n    return 'aaaa'")},
        ),
        runs(
            "a view of None",
            contract(
                "@action(by='member')\ndef go(tx):\n    x = There.tell()",
                "class There(Interface, contract='other'):\n    @view\n    def tell(tx) -> int: ...",
            ),
            "call.result",
            contracts={"other": contract("@view\ndef tell(tx) -> int | None:\n    return None")},
        ),
        runs(
            "a view of a list for a struct",
            contract(
                "@action(by='member')\ndef go(tx):\n    x = There.tell()",
                "class P(Struct):\n    a: int\n\n\nclass There(Interface, contract='other'):\n    @view\n    def tell(tx) -> P: ...",
            ),
            "call.result",
            contracts={"other": contract("@view\ndef tell(tx) -> list[int, 3]:\n    return [1]")},
        ),
        runs(
            "a view of a struct with more",
            contract(
                "@action(by='member')\ndef go(tx):\n    x = There.tell()",
                "class P(Struct):\n    a: int\n\n\nclass There(Interface, contract='other'):\n    @view\n    def tell(tx) -> P: ...",
            ),
            "call.result",
            contracts={
                "other": contract(
                    "@view\ndef tell(tx) -> Q:\n    return Q(a=1, b=2)", "class Q(Struct):\n    a: int\n    b: int"
                )
            },
        ),
        runs(
            "an argument too few",
            contract(
                "@action(by='member')\ndef go(tx):\n    There.go()",
                "class There(Interface, contract='other'):\n    @action\n    def go(tx): ...",
            ),
            "arguments.invalid",
            contracts={
                "other": contract(
                    "class Roles:\n    a: Party = Party(contract='sample')\n@action(by='a')\ndef go(tx, a: int):\n    pass"
                )
            },
        ),
        runs(
            "an argument out of bounds",
            contract(
                "@action(by='member')\ndef go(tx):\n    There.go(a=5)",
                "class There(Interface, contract='other'):\n    @action\n    def go(tx, a: int): ...",
            ),
            "arguments.invalid",
            contracts={
                "other": contract(
                    "class Roles:\n    a: Party = Party(contract='sample')\n@action(by='a')\ndef go(tx, a: Int[0, 3]):\n    pass"
                )
            },
        ),
        runs(
            "an argument beyond 64 bits",
            contract(
                "@action(by='member')\ndef go(tx):\n    There.go(a=9223372036854775808)",
                "class There(Interface, contract='other'):\n    @action\n    def go(tx, a: int): ...",
            ),
            "value.bounds",
            contracts={"other": contract("@action(by='member')\ndef go(tx, a: int):\n    pass")},
        ),
        runs(
            "an endless one",
            contract(
                "@action(by='member')\ndef go(tx):\n    There.go()",
                "class There(Interface, contract='other'):\n    @action\n    def go(tx): ...",
            ),
            "steps.exceeded",
            contracts={
                "other": contract(
                    "class Roles:\n    a: Party = Party(contract='sample')\n@action(by='a')\ndef go(tx):\n    for i in range(99999):\n        pass"
                )
            },
            source="xian-technology/xian-contracting tests",
        ),
        runs(
            "an endless view",
            contract(
                "@view\ndef go(tx) -> int:\n    return There.tell()",
                "class There(Interface, contract='other'):\n    @view\n    def tell(tx) -> int: ...",
            ),
            "steps.exceeded",
            contracts={
                "other": contract("@view\ndef tell(tx) -> int:\n    for i in range(99999):\n        pass\n    return 1")
            },
        ),
        runs(
            "one that refuses takes all with it",
            contract(
                "class T(Record, key='id'):\n    id: int\n@action(by='member')\ndef go(tx):\n    t = Sample.T.create(id=1)\n    event('e')\n    There.go()",
                "class There(Interface, contract='other'):\n    @action\n    def go(tx): ...",
            ),
            "require.failed",
            contracts={
                "other": contract(
                    "class Roles:\n    a: Party = Party(contract='sample')\n@action(by='a')\ndef go(tx):\n    require(False, 'no')"
                )
            },
        ),
        runs(
            "one that uses up what may be made",
            contract(
                "@action(by='member')\ndef go(tx):\n    for i in range(999):\n        x = There.tell()",
                "class There(Interface, contract='other'):\n    @view\n    def tell(tx) -> int: ...",
            ),
            "value.made",
            Take(steps=1_000_000),
            contracts={
                "other": contract(
                    "@view\ndef tell(tx) -> int:\n    x = 'aaaaaaaaaaaaaaaa'\n    for i in range(11):\n        x = x + x\n    return 1"
                )
            },
        ),
        runs(
            "one that is called over and over",
            contract(
                "@action(by='member')\ndef go(tx):\n    for i in range(99999):\n        x = There.tell()",
                "class There(Interface, contract='other'):\n    @view\n    def tell(tx) -> int: ...",
            ),
            "steps.exceeded",
            contracts={"other": contract("@view\ndef tell(tx) -> int:\n    return 1")},
        ),
        runs(
            "one that emits for the caller",
            contract(
                "@action(by='member')\ndef go(tx):\n    for i in range(64):\n        event('e')\n    There.go()",
                "class There(Interface, contract='other'):\n    @action\n    def go(tx): ...",
            ),
            "output.events",
            contracts={
                "other": contract(
                    "class Roles:\n    a: Party = Party(contract='sample')\n@action(by='a')\ndef go(tx):\n    event('e')"
                )
            },
        ),
        runs(
            "at the bottom of sixty calls",
            contract(
                "@action(by='member')\ndef go(tx):\n    x = f(62)",
                "class There(Interface, contract='other'):\n    @view\n    def tell(tx) -> int: ...\n\n\ndef f(n: int) -> int:\n    if n == 0:\n        return 0\n    return 1 + f(n - 1)",
            ),
            "ok",
        ),
    ),
    *attacks(
        "a contract that has another's name",
        runs(
            "the contract of genesis, called for its records",
            contract(
                "@action(by='member')\ndef go(tx):\n    There.go()",
                "class There(Interface, contract='members'):\n    @action\n    def go(tx): ...",
            ),
            "contract.unknown",
        ),
        runs(
            "a record type named as schedules are",
            contract(
                "class Schedule(Record, key='id'):\n    id: Bytes[0, 400]\n    due: int = 0\n@action(by='member')\ndef go(tx):\n    t = Sample.Schedule.create(id=sha256('a'))"
            ),
            "ok",
        ),
    ),
    *attacks(
        "a rule for two persons that one can keep alone",
        runs(
            "the second approval by nobody",
            contract(
                "class Deal(Record, key='id'):\n    id: Int[0, 9]\n    first: User | None = None\n@action(by='member', creates='Deal')\ndef make(tx, d: Deal, id: Int[0, 9]):\n    d.first = tx.user\n@action(by='member')\ndef approve(tx, d: Deal):\n    require(tx.user != d.first, 'a second person')"
            ),
            "value.none",
            Take("make", {"id": 1}),
            Take("approve", {"d": 1}),
        ),
        runs(
            "nobody where a person must be",
            contract(
                "class Deal(Record, key='id'):\n    id: Int[0, 9]\n    first: User\n@action(by='member', creates='Deal')\ndef make(tx, d: Deal, id: Int[0, 9]):\n    d.first = tx.user"
            ),
            "value.none",
            Take("make", {"id": 1}),
        ),
        runs(
            "ledger time asked who signed",
            contract(
                "class Deal(Record, key='id'):\n    id: Int[0, 9]\n@action(by='member', creates='Deal')\ndef make(tx, d: Deal, id: Int[0, 9]):\n    pass\n@action(by=['member', 'schedule'])\ndef go(tx, d: Deal):\n    event('e', who=tx.member)"
            ),
            "tx.unsigned",
            Take("make", {"id": 1}),
            Take("go", {"d": 1}, by=None),
        ),
        runs(
            "ledger time asked for the user",
            contract(
                "class Deal(Record, key='id'):\n    id: Int[0, 9]\n@action(by='member', creates='Deal')\ndef make(tx, d: Deal, id: Int[0, 9]):\n    pass\n@action(by=['member', 'schedule'])\ndef go(tx, d: Deal):\n    require(tx.user == None, 'no')"
            ),
            "tx.unsigned",
            Take("make", {"id": 1}),
            Take("go", {"d": 1}, by=None),
        ),
    ),
    *attacks(
        "two names that are one once they are compiled",
        runs(
            "a record and its invariant, split elsewhere",
            contract(
                "class A(Record, key='id'):\n    id: int\n    @invariant\n    def b__c(r):\n        require(False, 'never')\n"
                "class A__b(Record, key='id'):\n    id: int\n    @invariant\n    def c(r):\n        require(True, 'always')\n"
                "@action(by='member')\ndef go(tx):\n    a = Sample.A.create(id=1)"
            ),
            "invariant.failed",
        ),
        runs(
            "names that look like the engine's own",
            contract(
                "class r(Record, key='id'):\n    id: int\n    n: int = 0\n@action(by='member')\ndef b_go(tx):\n    pass\n"
                "@action(by='member')\ndef go(tx):\n    x = f(1) + f_f(1)\n    require(x == 3, 'no')\n    t = Sample.r.create(id=1)",
                "def f(a: int) -> int:\n    return a\n\n\ndef f_f(a: int) -> int:\n    return a + 1",
            ),
            "ok",
        ),
    ),
    *attacks(
        "an invariant is the last word",
        runs(
            "kept in between only",
            contract(
                "class T(Record, key='id'):\n    id: Int[0, 9]\n    n: int = 0\n    @invariant\n    def low(t):\n        require(t.n < 5, 'too much')\n@action(by='member', creates='T')\ndef make(tx, t: T, id: Int[0, 9]):\n    pass\n@action(by='member')\ndef go(tx, t: T):\n    t.n = 1\n    u = Sample.T.get(t.id)\n    u.n = 9"
            ),
            "invariant.failed",
            Take("make", {"id": 1}),
            Take("go", {"t": 1}),
        ),
        runs(
            "broken in between",
            contract(
                "class T(Record, key='id'):\n    id: Int[0, 9]\n    n: int = 0\n    @invariant\n    def low(t):\n        require(t.n < 5, 'too much')\n@action(by='member', creates='T')\ndef make(tx, t: T, id: Int[0, 9]):\n    t.n = 9\n    t.n = 1"
            ),
            "ok",
            Take("make", {"id": 1}),
        ),
        runs(
            "broken by its own fault",
            contract(
                "class T(Record, key='id'):\n    id: Int[0, 9]\n    @invariant\n    def low(t):\n        require(1 // t.id > 0, 'no')\n@action(by='member', creates='T')\ndef make(tx, t: T, id: Int[0, 9]):\n    pass"
            ),
            "value.division",
            Take("make", {"id": 0}),
        ),
        runs(
            "endless",
            contract(
                "class T(Record, key='id'):\n    id: Int[0, 9]\n    @invariant\n    def low(t):\n        for i in range(99999):\n            require(i >= 0, 'no')\n@action(by='member', creates='T')\ndef make(tx, t: T, id: Int[0, 9]):\n    pass"
            ),
            "steps.exceeded",
            Take("make", {"id": 0}),
        ),
        runs(
            "of a record made in a loop",
            contract(
                "class T(Record, key='id'):\n    id: Int[0, 9]\n    @invariant\n    def low(t):\n        require(t.id < 3, 'no')\n@action(by='member')\ndef go(tx):\n    for i in range(5):\n        t = Sample.T.create(id=i)"
            ),
            "invariant.failed",
        ),
    ),
]
