"""Makes the page of the contract dialect: how a file is written, and what the specification says that it does.

The rules are the docstrings of `hansa.contracts.specification`, the prices and bounds the constants of `prices`, the
codes those of `messages`; only what the front end reads, the forms of a file, is told here.
"""

import ast
import hashlib
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from hansa.contracts import manifest, messages, prices, source
from hansa.contracts.faults import Fault
from hansa.contracts.specification import (
    expressions,
    fitting,
    machine,
    measuring,
    operations,
    records,
    statements,
    transaction,
    values,
)
from hansa.wire import limits
from hansa.wire.problems import KINDS

INTRODUCTION = """\
# The contract dialect

A contract is one Python file. It says who may do what to which records, and the rules by which they do it. Everyone in
the consortium can read it, and every node runs it to the same result, to the last step and byte.

The dialect is a part of Python: what it has means what it means in Python. What could differ between machines
is not there: no floats, sets, clocks, chance, files, exceptions, classes with behaviour. What a file declares is read;
only the bodies of functions run. Types are checked before a contract is deployed, so at run time only values can be
wrong.

What programs come to is held equal by tests under Python 3.11, 3.12 and 3.14, the last two on 32-bit machines made of
WebAssembly; other versions were not run.

This page is made by `make docs` from the specification, an interpreter in
[`hansa.contracts.specification`](../../src/hansa/contracts/specification/__init__.py) that does what it says, and no
more. `hansa contract check FILE` says what is wrong with a file, and where.
"""

FILE = '''\
## A file

```python
"""What the contract is for, in a sentence."""

from hansa.contract import Amount, Contract, Date, Party, Record, Text, action, become, event, invariant, require, view


class Credit(Contract, version="1.0.0"):
    class Roles:
        applicant: Party
        issuer: Party = Party(attribute="licence:bank")

    class States:
        Open = "may be drawn"
        Paid = "closed"

    class LC(Record, key="id", index=["applicant", "expiry"]):
        id: Text[1, 16]
        applicant: Party
        amount: Amount
        drawn: Amount
        expiry: Date

        @invariant
        def within(lc):
            require(lc.drawn <= lc.amount, "{d} is more than the credit", d=lc.drawn)

    @action(by="applicant", creates="LC", to="Open")
    def apply(tx, lc: LC, id: Text[1, 16], amount: Amount, expiry: Date):
        require(expiry > tx.date, "{e} has passed", e=expiry)
        lc.drawn = Amount(0, amount.currency)

    @action(by="issuer", on="Open", to=["Open", "Paid"])
    def draw(tx, lc: LC, claim: Amount):
        lc.drawn += claim
        event("lc.drawn", id=lc.id, claim=claim)
        become(lc, "Paid" if lc.drawn == lc.amount else "Open")

    @view
    def undrawn(tx, lc: LC) -> Amount:
        return lc.amount - lc.drawn
```

A file has a docstring if it likes, imports, and declarations. A **contract** ends with one class
`Name(Contract, version="1.0.0")`. A **library** has none; it has constants, structs, enums and functions that others use.

| Form | What it says |
|---|---|
| `from hansa.contract import A, B` | The names of the dialect that the file uses, all of them, by their own names |
| `NAME = 40` | A constant: an integer, a text or a boolean |
| `calendar = library("name", "…")` | A library by its name and the SHA-256 of its source; used as `calendar.f(...)` |
| `class Kind(Enum):` with `Sight = "payable at sight"` | Values by name, with what each says; `Kind.Sight` |
| `class Terms(Struct):` with `days: Int[0, 365] = 30` | A value of named fields; made by `Terms(port="Kiel")` |
| `class LC(Record, key="id", index=["expiry"]):` | A record type: its key, the fields by which it can be selected, and fields with defaults or without |
| `class Accounts(Interface, contract="accounts"):` | What this file calls of another contract: actions and views without bodies |
| `def f(a: int, b: Text[0, 9]) -> bool:` | A function of values alone: no `tx`, no records |
| `class Roles:` | Who: `buyer: Party` is bound per record by its field of that name; `Party(attribute="…")` a member with the attribute; `Party(user="…")` a user with it; `Party(contract="…")` a contract that calls |
| `class States:` with `Open = "may be drawn"`, or `Open: "may be drawn"` | The states of every record type that an action creates with `to=`; within a record: of that type |
| `@action(by=…, creates=…, on=…, to=…)` | Who may take it, the record type it makes, the states it is taken in, the states it leads to; each a text, or a list of texts where there are several |
| `@view` | What reads only, and returns a value |
| `@invariant` in a record | What always holds of it, checked at the end of each transaction that changes it |
| `@migration` in a record | How a record of the version before becomes one of this |

The *subject* of an action is its first parameter that is a record: roles bound per record and states refer to it. With
`creates=` the subject is made, from the parameters of its fields' names, and stands in no argument. `by="member"` is any
member that signed directly, `by="schedule"` ledger time. With one state in `to=` the subject comes to it by itself, with several
each way to the end calls `become`. Actions and views are called with arguments by name; a record is given by its key.

A body calls what is declared in the file by its name, and what is nested in the class of the contract by the name of the
class before it: `Credit.LC.get(id)`. Names of your own are ASCII, at most 48 characters, without an underscore in front,
and none of the dialect's. A variable has one type throughout, and is assigned on every way before it is used.
'''

LIBRARY = """\
\"\"\"Fees: a share of an amount, or the least that is taken.\"\"\"

from hansa.contract import Amount, Struct


class Fee(Struct):
    per_mille: int
    least: int


def fee_of(amount: Amount, fee: Fee) -> Amount:
    return max(Amount(fee.least, amount.currency), amount.times(fee.per_mille, 1000, "half_even"))
"""

SECOND_FILE = f"""\
### A library and its use

A library is a file without a contract. It is used by the SHA-256 of its file, so what it does never changes under whoever
uses it:

```python
{LIBRARY}```

A contract with a struct, an enum, a list, a map, that library, what ledger time does, and another contract that it calls:

```python
\"\"\"Deliveries: what was ordered arrives, is counted, and is paid for when nobody objects.\"\"\"

from hansa.contract import Amount, Contract, Date, Duration, Enum, Int, Interface, Party, Record, Struct, Text
from hansa.contract import action, event, library, require, schedule, view

PATIENCE = 7

fees = library("fees", "{hashlib.sha256(LIBRARY.encode()).hexdigest()}")


class Grade(Enum):
    First = "as ordered"
    Second = "with flaws"


class Item(Struct):
    name: Text[1, 40]
    count: Int[1, 10000]
    grade: Grade = Grade.First


class Accounts(Interface, contract="accounts"):
    @action
    def pay(tx, to: Party, amount: Amount): ...

    @view
    def balance(tx, of: Party) -> Amount: ...


def counted(items: list[Item, 100]) -> int:
    count = 0
    for item in items:
        count += item.count
    return count


class Deliveries(Contract, version="1.0.0"):
    class Roles:
        buyer: Party
        seller: Party

    class States:
        Announced = "on its way"
        Arrived = "the buyer may object"
        Accepted = "nobody objected"
        Paid = "closed"

    class Delivery(Record, key="id", index=["buyer", "day"]):
        id: Text[1, 16]
        buyer: Party
        seller: Party
        day: Date
        price: Amount
        items: list[Item, 100] = []
        flaws: dict[Text[1, 40], int, 100] = {{}}
        note: Text[1, 200] | None = None

    @action(by="seller", creates="Delivery", to="Announced")
    def announce(tx, d: Delivery, id: Text[1, 16], buyer: Party, day: Date, price: Amount, items: list[Item, 100]):
        require(counted(items) > 0, "nothing is delivered")

    @action(by="buyer", on="Announced", to="Arrived")
    def receive(tx, d: Delivery, flawed: list[Text[1, 40], 100]):
        for place in range(len(d.items)):
            if d.items[place].name in flawed:
                d.items[place].grade = Grade.Second
                d.flaws[d.items[place].name] = d.items[place].count
        event("delivery.received", id=d.id, flawed=len(d.flaws))
        schedule(d, "accept", tx.time + Duration(days=PATIENCE))

    @action(by="schedule", on="Arrived", to="Accepted")
    def accept(tx, d: Delivery):
        pass

    @action(by="buyer", on=["Arrived", "Accepted"], to="Paid")
    def settle(tx, d: Delivery):
        require(Accounts.balance(of=d.buyer) >= d.price, "{{p}} is not there", p=d.price)
        fee = fees.fee_of(d.price, fees.Fee(per_mille=2, least=100))
        Accounts.pay(to=d.seller, amount=d.price - fee)

    @view
    def open_on(tx, day: Date) -> list[Text[1, 16], 100]:
        found: list[Text[1, 16], 100] = []
        for d in Deliveries.Delivery.select(by="day", equal=day, limit=100):
            if d.state != "Paid":
                found.append(d.id)
        return found
```
"""

COPIES = """\
for item in r.items:
    item.count = 50  # changes a copy

for place in range(len(r.items)):
    r.items[place].count = 50  # changes the record

names = r.names
names.append("new")  # changes a copy

names = r.names
names.append("new")
r.names = names  # changes the record
"""

RULES = f"""\
### Bounds of a file

A file has at most {source.SOURCE_BYTES_MAX:,} bytes, a line {source.LINE_CHARS_MAX} characters. Brackets nest {source.BRACKETS_MAX} deep, lines are indented by at
most {source.INDENT_MAX} spaces, the syntax tree has at most {source.NESTING_MAX} levels. Code is ASCII; texts and comments are UTF-8. There are no
f-strings and no bytes literals.

Functions of values stand outside the contract's class, before it; inside stand actions and views alone. Every field of a
record that is made must be set before the record is used as a value, and on every way to the end. `limit` of `select`
must be given.

### Copies

A local has a value of its own, and so has the variable of a loop: changing it changes nothing in the record it came
from. A change is written through the record, or back to it. What a loop goes through cannot be changed in it; a range
has the places.

<!-- tested in: tests/docs/test_dialect_page.py -->
```python
{COPIES}```

### What types leave open

Party, User and the values of enums are held as text, and are kinds of their own: they have no `+`, are not compared with
text, nothing makes text of them, and there are no literals of Party or User: they come from arguments, fields, `tx.member`
and `tx.user`. States alone are compared with text: `lc.state == "Paid"`. Users are compared as persons: where nobody
stands the comparison faults (`value.none`), so that a rule for two persons holds.

What may be None is not tracked: a test for None changes no type. A value that may be None can stand wherever one is needed,
and faults with `value.none` if it is None there. The first item of a list literal decides the kind of the list; where a
type is declared, that does.

### Calls between contracts

A contract can take an action of another only if its `by` names a role `Party(contract="…")` of the contract that calls:
who signed confers nothing there. A view can always be called. What passes between them is plain values, each fitted to
the types of who takes it: a struct of a library that both use, `votes.Ballot`, or a struct of the same fields in each
file. Events of a contract that was called carry its name, as a third key `contract`.

### Ledger time

`schedule(record, "action", instant)` has an action `by="schedule"` taken when ledger time reaches the instant. It takes
one record and nothing else. What is due comes before the transactions of a block, in order of (instant, contract, key,
entry that scheduled it), at most `scheduled_entries` a block; the rest follow in the next blocks. Before all of it come
the ends of proposals' time locks, then the ends of their ballots, which no contract can hold back, therefore; behind the
end of a time lock nothing else is taken in its block. Each has `scheduled_steps` of its own; both are limits of the
ledger. One that fails is an entry that says why, and is not tried again; but where the contract is paused, or one that
it calls, it comes due again an hour later. What is scheduled cannot be cancelled: let `on=` name the states in which it
still counts. What waits is shown by `hansa query members Schedule --index due`: what was taken has no `due` any more.
On an idle ledger a node that sees something due makes a block for it, by a tick.
"""

TYPES = (
    ("Text[least, most]", manifest.TextType),
    ("Int[least, most]` `int", manifest.IntType),
    ("bool", manifest.BoolType),
    ("Bytes[least, most]` `Hash", manifest.BytesType),
    ("Party", manifest.PartyType),
    ("User", manifest.UserType),
    ("Amount` `SignedAmount", manifest.AmountType),
    ("Date", manifest.DateType),
    ("Instant", manifest.InstantType),
    ("Duration", manifest.DurationType),
    ("Kind", manifest.EnumType),
    ("Terms", manifest.StructType),
    ("list[T, most]", manifest.ListType),
    ("dict[K, V, most]", manifest.MapType),
    ("T | None", manifest.OptionalType),
    ("LC", manifest.ReferenceType),
)

SECTIONS: tuple[tuple[str, ModuleType, tuple[tuple[str, tuple[Callable[..., Any], ...]], ...]], ...] = (
    ("Values", values, (("Plain form", (values.to_plain,)), ("Size", (values.size_of, values.weigh)))),
    (
        "Steps and memory",
        machine,
        (
            (
                "",
                (machine.charge, machine.look, machine.match_text, machine.make, machine.deepen),
            ),
        ),
    ),
    (
        "Declared types",
        fitting,
        (
            ("A value fits", (fitting.fit, fitting.pay_for_fitting, fitting.misfit)),
            ("A plain value fits", (fitting.plain_misfit,)),
        ),
    ),
    (
        "Statements",
        statements,
        (
            ("Blocks", (statements.execute_block, statements.execute, statements.return_value)),
            (
                "Assignment",
                (
                    statements.assign,
                    statements.assign_annotated,
                    statements.assign_combined,
                    statements.locate,
                    statements.put,
                    statements.replace_field,
                    statements.change,
                ),
            ),
            ("Loops", (statements.loop, statements.passes, statements.number_range)),
            ("Rules, events, states", (statements.require, statements.emit, records.set_state, statements.schedule)),
        ),
    ),
    (
        "Expressions",
        expressions,
        (
            ("Evaluation", (expressions.evaluate, expressions.needed, expressions.compare)),
            ("Lists and maps", (expressions.list_literal, expressions.map_literal, expressions.make_struct)),
            ("Names", (expressions.evaluate_attribute, expressions.context_attribute)),
            ("Calls", (expressions.call_function, expressions.evaluate_arguments, expressions.call_interface)),
        ),
    ),
    (
        "Operations",
        operations,
        (
            (
                "Ranges",
                (
                    operations.integer,
                    operations.amount,
                    operations.instant,
                    operations.duration,
                    operations.made,
                    operations.one_currency,
                ),
            ),
            (
                "Arithmetic",
                (
                    operations.add,
                    operations.subtract,
                    operations.multiply,
                    operations.floor_divide,
                    operations.remainder,
                    operations.negate,
                ),
            ),
            ("Comparison", (operations.less, operations.equal, operations.contains)),
            (
                "Items",
                (
                    operations.item,
                    operations.part,
                    operations.replace_item,
                    operations.append,
                    operations.insert,
                    operations.pop,
                ),
            ),
            (
                "Functions",
                (
                    operations.length,
                    operations.absolute,
                    operations.smallest,
                    operations.largest,
                    operations.total,
                    operations.in_order,
                    operations.backwards,
                    operations.to_text,
                    operations.to_integer,
                    operations.sha256,
                    operations.make_amount,
                    operations.make_date,
                    operations.make_duration,
                    operations.contract_version,
                    operations.library_digest,
                    operations.key_id,
                    operations.member_id,
                ),
            ),
            (
                "Attributes and methods",
                (
                    operations.attribute,
                    operations.text_method,
                    operations.hexadecimal,
                    operations.map_method,
                    operations.amount_method,
                    operations.rounded,
                    operations.split_by_weights,
                    operations.date_method,
                ),
            ),
        ),
    ),
    (
        "Records",
        records,
        (
            ("Touching", (records.touch, records.load, records.get_record)),
            ("Fields", (records.get_field, records.set_field)),
            ("Making", (records.create_record,)),
            ("Selecting", (records.select_records,)),
            ("Migrating", (records.migrate, records.same_kind)),
        ),
    ),
    (
        "A transaction",
        transaction,
        (
            ("Arguments", (transaction.bind,)),
            ("The record that is made", (transaction.create_subject,)),
            ("Who may", (transaction.check_role, transaction.role_problem)),
            ("The end", (transaction.take, records.check_invariants, records.store)),
            ("The outcome", (transaction.run,)),
        ),
    ),
    ("What leaves a contract", measuring, (("", (measuring.measure, measuring.measure_fields)),)),
)


def page() -> str:
    """The page."""
    parts = [INTRODUCTION, FILE, SECOND_FILE, RULES, types()]
    for title, module, groups in SECTIONS:
        parts.append(f"## {title}\n\n{inspect.getdoc(module)}\n")
        for heading, functions in groups:
            if heading:
                parts.append(f"### {heading}\n")
            parts += [f"{inspect.getdoc(function)}\n" for function in functions]
    return "\n".join([*parts, price_list(), codes()])


def types() -> str:
    """The table of types."""
    lines = ["## Types", "", "| Type | What it is |", "|---|---|"]
    for written, type in TYPES:
        cell = f"`{written}`".replace("|", "\\|")
        lines.append(f"| {cell} | {' '.join(str(inspect.getdoc(type)).split())} |")
    lines += [
        "",
        "Records are types of parameters of actions and views, and of fields, where they are references. A key is Text of at",
        f"most {prices.MAP_KEY_CHARS_MAX} characters, Bytes of at most 400, an integer, a Party, a User, a Date or an enum;",
        "an indexed field one of these or a boolean, an Instant or a reference, optional or not. The keys of a map are Text of",
        f"at most {prices.MAP_KEY_CHARS_MAX} characters, Party, User or an enum. Lists and maps have at most",
        f"{prices.LIST_ITEMS_MAX:,} items; types lie in each other at most {prices.TYPE_DEPTH_MAX} deep.",
        "",
    ]
    return "\n".join(lines)


def price_list() -> str:
    """The tables of prices and bounds: the constants with what is said of them."""
    lines = ["## Prices and bounds", "", "| Constant | Value | Meaning |", "|---|---|---|"]
    checking = "CHECK_STEPS_PER_BYTE"
    told = {**_constants(prices), checking: _constants(limits)[checking]}
    lines += [f"| `{name}` | {shown} | {said} |" for name, (shown, said) in told.items()]
    return "\n".join([*lines, ""])


def _constants(module: ModuleType) -> dict[str, tuple[str, str]]:
    """The public constants of a module: each value as it is shown, and what is said of it."""
    found: dict[str, tuple[str, str]] = {}
    tree = ast.parse(inspect.getsource(module))
    for node, after in zip(tree.body, [*tree.body[1:], ast.Pass()], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id.isupper():
            name = node.target.id
            if name.startswith("_"):
                continue
            told = ""
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                told = " ".join(str(after.value.value).split())
            value: int = getattr(module, name)
            found[name] = ("2^255 - 1" if value == prices.INTEGER_BITS_MAX else f"{value:,}", told)
    return found


def codes() -> str:
    """The table of codes, with all that is said under each."""
    texts: dict[str, list[str]] = {}
    for fault in faults():
        texts.setdefault(fault.code, []).append(fault.message)
    lines = ["## Codes", "", "| Code | What happened | What the result says |", "|---|---|---|"]
    for code in sorted(texts):
        said = "; ".join(dict.fromkeys(texts[code]))
        lines.append(f"| `{code}` | {KINDS[code].title} | {said} |")
    return "\n".join([*lines, ""])


def faults() -> list[Fault]:
    """One fault of each kind, made with the names of what it takes."""
    found: list[Fault] = []
    for function in vars(messages).values():
        if inspect.isfunction(function) and inspect.signature(function).return_annotation is Fault:
            wanted = inspect.signature(function).parameters.values()
            samples = {str: "…", bool: True}
            found.append(function(*(samples.get(each.annotation, {}) for each in wanted)))
    return [*found, messages.refused("…", {}, invariant=False)]
