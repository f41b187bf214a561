"""Why each finding about a contract file is one, and what to write instead: plain words for who wrote it.

Beside what a finding itself says, which is part of what nodes agree on: nothing here stands in an outcome.
Called by the CLI and by the page of findings, never by the front end. `CODES` has every code that the front end notes.
"""

import ast
import difflib
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from hansa.contracts import names
from hansa.contracts.annotations import ANY_TYPE
from hansa.contracts.diagnostics import Diagnostic, line_at

_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OUTSIDE: Final = " is not in the dialect"
_NAMED: Final = frozenset({"call.unknown", "class.base", "import.name", "name.unknown", "role.form", "type.unknown"})
"""Findings at a name that may be a misspelt one."""
_DECORATED: Final = frozenset({"action.decorator", "field.form", "function.decorator", "interface.form"})
"""Findings at a function whose decorator may be a misspelt one."""
_CLOSE: Final = 0.75
"""How alike two names must be to be taken for each other."""


class Explanation(msgspec.Struct, frozen=True):
    """Why something is not allowed, in a sentence, and what to write instead."""

    why: str
    instead: str


CODES: Final[Mapping[str, Explanation]] = {
    "action.by": Explanation(
        "Nobody may take an action unless the contract says who: rights are given, never assumed.",
        'Name roles of `Roles` in `by=`, or `"member"` for any member, `"schedule"` for ledger time. A '
        "role without an attribute needs a field of its name, a Party, in the first record.",
    ),
    "action.creates": Explanation(
        "The record that an action makes is its subject, by which roles and states are decided.",
        "Let `creates=` name a record type of this contract, and let the first record parameter be of that type.",
    ),
    "action.decorator": Explanation(
        "What stands in a contract can be called from outside, so each function says what it is.",
        "Write `@action(by=...)` above what changes records, `@view` above what reads; put functions of "
        "values before the class.",
    ),
    "action.key": Explanation(
        "A record is made with its key, which never changes.",
        "Give the action a parameter named as the key field, and of its type.",
    ),
    "action.option": Explanation(
        "An action has four options, and each is read, not computed.",
        "Use `by=`, `creates=`, `on=` and `to=`, each a text or a list of different texts.",
    ),
    "action.returns": Explanation(
        "An action changes records; what others need to know of it are events and records.",
        "Take the `-> Type` away, use `event(...)`; a `@view` returns values.",
    ),
    "action.state": Explanation(
        "`on=` and `to=` are about the states of the first record.",
        "Declare the states, and name them as they are declared; what makes a record says one `to=` and no `on=`.",
    ),
    "assign.index": Explanation(
        "The way to what is assigned is read twice, so nothing in it may be computed.",
        "Put the index into a variable on the line before.",
    ),
    "assign.target": Explanation(
        "Only places can be changed: variables, fields of records and structs, items of lists and maps.",
        "Assign to a name, `record.field`, `struct.field`, `list[i]` or `map[key]`, one at a time.",
    ),
    "become.record": Explanation(
        "Which record changes its state must be plain from the line.",
        'Get the record into a variable first, and give that: `become(record, "State")`.',
    ),
    "become.state": Explanation(
        "Which states an action leads to is declared, so that the state diagram is true.",
        "Write out one of the states in `to=` of this action, or add the state there.",
    ),
    "call.arity": Explanation(
        "A call gives exactly what is declared, in the way that is declared.",
        "Count the values; those of your own functions and of structs can be named, those of the "
        "dialect's functions are not.",
    ),
    "call.form": Explanation(
        "A call of this kind is read before it runs, so it has one form.",
        "Write it in the form that the finding shows, each value once.",
    ),
    "call.missing": Explanation(
        "What is needed has no default.",
        "Add the value by its name.",
    ),
    "call.range": Explanation(
        "These make no lists: they say only what a loop goes through.",
        "Put it in the head of a loop: `for x in ...:`.",
    ),
    "call.rounding": Explanation(
        "How money is rounded must be readable in the contract.",
        'Write one of the names as a text: `"half_even"`, `"half_up"`, `"half_down"`, `"up"`, `"down"`, '
        '`"floor"`, `"ceiling"`.',
    ),
    "call.statement": Explanation(
        "This does something and has no value.",
        "Put it on a line of its own.",
    ),
    "call.unknown": Explanation(
        "A contract calls only what is the same on every node: the dialect's functions, its own, and "
        "those of its libraries.",
        "Use a function of the dialect, or write one before the class; records have `get`, `find`, "
        "`exists`, `create` and `select`.",
    ),
    "class.base": Explanation(
        "What a class declares follows from its base.",
        "Derive it from `Contract`, `Record`, `Struct`, `Enum` or `Interface`; `Roles` and `States` have no base.",
    ),
    "class.decorator": Explanation(
        "Classes are read, not executed, so there is nothing that a decorator could do.",
        "Take the decorator away.",
    ),
    "compare.chain": Explanation(
        "Each comparison is one step that anyone can read and count.",
        "Join two comparisons with `and`.",
    ),
    "compare.identity": Explanation(
        "Values have no identity here: two equal ones are the same.",
        "Compare with `==`; `is` is for `is None` and `is not None`.",
    ),
    "compare.never": Explanation(
        "A value that can never be None would make the test mean nothing.",
        "Take the test away, or declare the value as `T | None`.",
    ),
    "constant.value": Explanation(
        "A constant is read, not computed.",
        "Write a whole number, a text, True or False; compute the rest in a function.",
    ),
    "context.records": Explanation(
        "What is judged here is one record or values alone, so that it can be judged at any time.",
        "Pass the values that it needs as parameters, or do this in an action or view.",
    ),
    "context.refuses": Explanation(
        "A migration that failed would make its record untouchable.",
        "Make a value that is always right; refuse in an action or an invariant.",
    ),
    "context.writes": Explanation(
        "Only actions change the ledger: views read, functions compute, invariants judge.",
        "Move this into an `@action`, and return or pass the values that it needs.",
    ),
    "contract.statement": Explanation(
        "A contract's class declares; what runs stands in the bodies of its functions.",
        "Put constants, structs, enums and functions before the class; in it stand `Roles`, `States`, "
        "records, actions and views.",
    ),
    "contract.version": Explanation(
        "A version says which text decides about an entry, and only a higher one can follow it.",
        'Write `class Name(Contract, version="1.0.0")`: three numbers with points between.',
    ),
    "enum.count": Explanation(
        "Every list has a bound, so that a file stays readable and quick to check.",
        "Use at most 64 values; what grows belongs into records.",
    ),
    "enum.form": Explanation(
        "A value of an enum is its name; the text says to people what it means.",
        'Write `Name = "what it says"`, one a line.',
    ),
    "enum.unknown": Explanation(
        "An enum has the values that it declares, and no others.",
        "Use one that is declared, or declare this one.",
    ),
    "field.default": Explanation(
        "A default is read when the file is checked, so it must be plain and fit the type.",
        "Write a constant of the field's type within its bounds; `[]`, `{}`, `Kind.Name` or None where "
        "the type has it.",
    ),
    "field.form": Explanation(
        "The fields of a record are data; what it can do stands in actions and invariants.",
        "Write `name: Type` or `name: Type = default`, one a line.",
    ),
    "field.state": Explanation(
        "The next state is part of an action's declaration, so that the state diagram is true.",
        'Write `become(record, "State")`, and name the state in `to=`.',
    ),
    "field.type": Explanation(
        "A struct is a value, and a record is a place of the ledger.",
        "Keep the key of the record in the struct.",
    ),
    "field.unknown": Explanation(
        "Fields are declared, so that a misspelt one is found here, not on the ledger.",
        "Use a field that is declared, or declare this one.",
    ),
    "field.unset": Explanation(
        "A record that is being made has no value here yet.",
        "Assign the field on every way that leads here, or give it a default.",
    ),
    "file.class": Explanation(
        "A contract file ends with its one contract; a library has none, and knows no records.",
        'End the file with `class Name(Contract, version="1.0.0"):`, or take records and interfaces out '
        "of the library.",
    ),
    "file.statement": Explanation(
        "A file is read from top to bottom, and nothing in it runs before someone calls an action.",
        "Write the docstring, `from hansa.contract import ...`, then constants, enums, structs, "
        "functions, and last the contract's class.",
    ),
    "findings.more": Explanation(
        "Nobody reads more at once.",
        "Mend those before this one, then check again.",
    ),
    "flow.loop": Explanation(
        "`break` and `continue` leave or go on with a loop.",
        "Move it into the loop, or use `return`.",
    ),
    "flow.returns": Explanation(
        "Whoever calls a view or function counts on its value; an action has none.",
        "Return a value of the declared type on every way to the end, in actions and invariants none.",
    ),
    "flow.unreachable": Explanation(
        "What never runs is a mistake, or misleads who reads it.",
        "Remove it, or mend the `return`, `break` or `if` before it.",
    ),
    "function.decorator": Explanation(
        "A function of a file is its text and nothing besides.",
        "Take the decorator away; actions and views stand in the contract's class.",
    ),
    "function.records": Explanation(
        "A function of values gives the same for the same values, whatever the ledger holds.",
        "Pass the fields that it needs; let an action work on the record.",
    ),
    "function.returns": Explanation(
        "A function is called for its value, and types are known before anything runs.",
        "Write `-> Type` and return such a value.",
    ),
    "import.alias": Explanation(
        "A name means the same in every contract, for everyone who reads it.",
        "Import it by its own name.",
    ),
    "import.missing": Explanation(
        "A file names what it uses of the dialect.",
        "Add the name to the line `from hansa.contract import ...`.",
    ),
    "import.module": Explanation(
        "What a contract does must be the same on every node for ever, so nothing from outside comes in.",
        'Import from `hansa.contract` alone; use other contract code by `alias = library("name", "digest")`.',
    ),
    "import.name": Explanation(
        "The dialect has a fixed set of names.",
        "Import one that is there; `len`, `min`, `range` and other functions of Python need no import.",
    ),
    "interface.form": Explanation(
        "An interface says what is called of another contract, in its types, and nothing of how that works.",
        'Write `class Name(Interface, contract="name"):` with `@action` and `@view` functions whose '
        "bodies are `...`; records are named by their keys.",
    ),
    "invariant.form": Explanation(
        "An invariant judges one record, whatever made it so.",
        "Write `@invariant`, `def name(record):` without types, and `require(...)` in it.",
    ),
    "library.count": Explanation(
        "Every file has a bound of what it takes with it.",
        "Use fewer libraries, or smaller ones.",
    ),
    "library.form": Explanation(
        "A library is taken by the digest of its text, so nobody can change it under you.",
        'Write `alias = library("name", "64 hexadecimal digits")`; `hansa contract check LIBRARY.py` prints the line.',
    ),
    "library.unknown": Explanation(
        "A contract can be checked only with the text of what it uses.",
        "Give the file with `--library FILE`, or deploy it first; a changed file has another digest.",
    ),
    "list.size": Explanation(
        "Every list has a bound, on every node the same.",
        "Write at most 1,024 items; what grows belongs into records.",
    ),
    "loop.depth": Explanation(
        "Loops in loops multiply what an action costs.",
        "Move inner loops into a function, or keep in records what is looked up.",
    ),
    "loop.items": Explanation(
        "A loop ends by itself: what it goes through is there before it begins.",
        "Go through a list, a map, `range(n)`, `enumerate(list)`, `zip(a, b)`, `map.items()` or `Record.select(...)`.",
    ),
    "loop.mutation": Explanation(
        "What a loop goes through stays as it is until the loop ends.",
        "Go through the places, `for i in range(len(items)):`, or collect changes in another list and "
        "assign it after the loop.",
    ),
    "loop.names": Explanation(
        "What a loop sets must be plain from its head.",
        "Set one name; two different ones with `items()`, `enumerate` and `zip`.",
    ),
    "map.form": Explanation(
        "A map is written pair by pair, so that each key is seen.",
        "Write `{key: value}`, and add the pairs of another map in a loop.",
    ),
    "map.size": Explanation(
        "Every map has a bound, on every node the same.",
        "Write at most 1,024 pairs; what grows belongs into records.",
    ),
    "migration.form": Explanation(
        "A migration makes a record of this version from one of the version before.",
        "Write `@migration`, `def name(record, old: OldRecord):`, with a struct that has the fields of before.",
    ),
    "migration.key": Explanation(
        "By its key and its indexed fields a record is found, before any migration runs.",
        "Leave them as they are; keep what changes in a field of another name.",
    ),
    "name.class": Explanation(
        "What is declared is no value: it is called, or something of it is named.",
        "Write `Contract.Record.get(key)`, `Struct(field=...)`, `Enum.Name` or `function(...)`.",
    ),
    "name.context": Explanation(
        "`tx` tells who signed and what time it is, and is nothing besides.",
        "Use `tx.member`, `tx.user`, `tx.id`, `tx.caller`, `tx.time` or `tx.date`; what ledger time takes has "
        "nobody who signed, and no id.",
    ),
    "name.parameter": Explanation(
        "A parameter is what the caller gave, to the end.",
        "Assign it to a name of its own first, and change that.",
    ),
    "name.reserved": Explanation(
        "A name means one thing in a file; those of the dialect, and with `_` in front, are taken.",
        "Take another name: ASCII, at most 48 characters, without an underscore in front.",
    ),
    "name.twice": Explanation(
        "A name means one thing in a file.",
        "Give one of the two another name, or remove it.",
    ),
    "name.unknown": Explanation(
        "A name is a variable of this body, a constant of the file, or a declaration.",
        "Assign it before, pass it as a parameter, or mend how it is written; what stands in the "
        "contract's class has the class's name before it.",
    ),
    "name.unset": Explanation(
        "On some way that leads here the name has no value.",
        "Assign it before the `if` or loop too.",
    ),
    "number.range": Explanation(
        "Numbers have at most 256 bits, on every node the same.",
        "Count in a larger unit.",
    ),
    "parameter.context": Explanation(
        "Every action and view is told about the transaction.",
        "Let the first parameter be `tx`, without a type.",
    ),
    "parameter.count": Explanation(
        "Every list has a bound, so that a file stays readable.",
        "Use at most 32 parameters; put what belongs together into a struct.",
    ),
    "parameter.form": Explanation(
        "Callers give every argument by its name, so there is nothing to fill or collect.",
        "Write `name: Type` alone; what may be left out is `name: Type | None`.",
    ),
    "parameter.type": Explanation(
        "What comes from outside is checked by its type before anything runs.",
        "Write `name: Type`; a record is given by its key, and is always there.",
    ),
    "record.fields": Explanation(
        "Every list has a bound, so that a file stays readable.",
        "Use at most 64 fields; put what belongs together into a struct.",
    ),
    "record.incomplete": Explanation(
        "A record on the ledger has a value in every field.",
        "Assign each of the fields that are named on every way to the end, give it a default, or take it "
        "as a parameter of the same name.",
    ),
    "record.index": Explanation(
        "Records can be selected by fields whose values have an order and a bounded length.",
        "Name fields in `index=`, each once, that are short Text, Bytes, numbers, Date, Party, User, an "
        "enum or a record.",
    ),
    "record.key": Explanation(
        "By its key a record is found, so every record has one, which is short and never changes.",
        'Write `class Name(Record, key="field")` with a field of short Text, Bytes, Int, Date, Party, '
        "User or an enum, without a default.",
    ),
    "record.option": Explanation(
        "A record says how it is found, and nothing else.",
        'Write `key="field"` and `index=["field", ...]`.',
    ),
    "record.value": Explanation(
        "A record is a place of the ledger, and no value that can be put elsewhere.",
        "Use its key: `record.id`.",
    ),
    "require.holes": Explanation(
        "A refusal says what it names, or it cannot be understood.",
        'Pass the value by the name in braces: `require(condition, "text {x}", x=value)`.',
    ),
    "role.form": Explanation(
        "Who has a role follows from data that everyone sees.",
        'Write `name: Party`, or `name: Party = Party(attribute="...")`, with `user=` or `contract=` instead.',
    ),
    "schedule.action": Explanation(
        "Ledger time takes only what says so.",
        'Declare the action with `@action(by="schedule")`, and name it as it is declared.',
    ),
    "schedule.key": Explanation(
        "What waits is kept in a record whose key holds the key of yours.",
        "Bound the key of the record to fewer characters.",
    ),
    "schedule.record": Explanation(
        "A scheduled action takes one record, of the type that it declares.",
        "Give a record of that type.",
    ),
    "select.index": Explanation(
        "Records are found by what is indexed; anything else would have to read them all.",
        "Name the key or a field in `index=` of the record; what is new there holds from the next contract on.",
    ),
    "select.limit": Explanation(
        "Nobody pays for an unbounded search.",
        "Write a limit of 1 to 1,024.",
    ),
    "slice.step": Explanation(
        "A slice is a part as it stands.",
        "Take the step away, and go through places with `range(begin, end, step)`.",
    ),
    "source.ascii": Explanation(
        "Letters of other scripts can look like ASCII ones, and make code read other than it runs.",
        "Write names in ASCII; texts and comments can have any letters.",
    ),
    "source.brackets": Explanation(
        "Python's parser has limits of its own, which differ between versions.",
        "Put parts of the expression into variables.",
    ),
    "source.character": Explanation(
        "What cannot be seen, or turns the writing, makes a file read other than it runs.",
        "Indent with spaces, end lines with a line feed alone, put statements on lines of their own.",
    ),
    "source.continuation": Explanation(
        "Where a line ends a statement ends, unless a bracket is open.",
        "Put the expression in brackets.",
    ),
    "source.encoding": Explanation(
        "Another encoding would make another text of the same bytes.",
        "Save the file as UTF-8 and remove the comment.",
    ),
    "source.escape": Explanation(
        "Escapes are few, so that a text is what it looks like.",
        "Write the character itself; there are `\\n`, `\\r`, `\\t`, `\\\\`, `\\'` and `\\\"`.",
    ),
    "source.indent": Explanation(
        "Python's parser has limits of its own, which differ between versions.",
        "Indent less: return early, or move the inner part into a function.",
    ),
    "source.line": Explanation(
        "A line that nobody can see the end of hides what it does.",
        "Break it within brackets: at most 200 characters.",
    ),
    "source.number": Explanation(
        "Numbers have at most 256 bits, and stand apart from words.",
        "Put a space behind the number, or count in a larger unit.",
    ),
    "source.prefix": Explanation(
        "A prefix changes what a string means; strings are plain here.",
        "Use a plain string; join texts with `+`, in messages pass values by name.",
    ),
    "source.size": Explanation(
        "Everyone in the consortium should be able to read a contract, and every node checks it.",
        "Split it: libraries hold functions, structs and enums.",
    ),
    "source.string": Explanation(
        "A string that is not closed would take in what stands behind it.",
        "Close it with the quote that it began with; over several lines with three.",
    ),
    "source.text": Explanation(
        "The file is no text that every machine reads alike.",
        "Save the file as UTF-8.",
    ),
    "state.constant": Explanation(
        "With which state a record begins must be readable in the contract.",
        "Write the state out as a text.",
    ),
    "state.form": Explanation(
        "A state is its name; the text says to people what it means.",
        'Write `Name = "what it says"`, one a line, at least one.',
    ),
    "state.undecided": Explanation(
        "Where an action leads to several states, which one must be decided whatever happens.",
        'Call `become(record, "State")` on every way to the end.',
    ),
    "state.unknown": Explanation(
        "A record has the states that are declared, and no others.",
        "Write one that is declared, or declare this one.",
    ),
    "state.unused": Explanation(
        "States belong to records that begin with one.",
        'Let an action make the record: `@action(by=..., creates="Record", to="State")`.',
    ),
    "statement.value": Explanation(
        "A value that nobody uses is a mistake, or misleads who reads it.",
        "Assign it to a name, or remove the line.",
    ),
    "struct.fields": Explanation(
        "A struct without fields says nothing.",
        "Declare a field: `name: Type`.",
    ),
    "syntax.complex": Explanation(
        "What goes through a file must come to an end on every machine.",
        "Name parts of a long expression; take a list instead of a long `elif`.",
    ),
    "syntax.invalid": Explanation(
        "Contracts are Python by syntax, and Python cannot read this.",
        "Look for a missing bracket, colon or quote here or in the line before.",
    ),
    "syntax.outside": Explanation(
        "The dialect has what runs the same on every node and always ends, and nothing else.",
        "Use `if`, `for`, assignments, `require` and calls; docs/reference/dialect.md has all forms.",
    ),
    "type.bounds": Explanation(
        "Everything that is stored has a bound.",
        "Write the least first, then the most, both within what the finding names.",
    ),
    "type.depth": Explanation(
        "Values lie in each other at most 6 deep, so that every machine can handle them.",
        "Use a record for the inner part, and keep its key.",
    ),
    "type.list": Explanation(
        "A list says what it holds and how many at most; records stand on the ledger, not in lists.",
        "Write `list[T, n]`, n at most 1,024; for records `list[Text[1, 16], n]` of their keys.",
    ),
    "type.map": Explanation(
        "A map says what its keys are, what it holds and how many at most.",
        "Write `dict[K, V, n]`, K short Text, Party, User or an enum; V no record.",
    ),
    "type.mismatch": Explanation(
        "A value of another type would fail on the ledger, so it is found here.",
        'Give a value of the type that is needed; conditions are compared: `!= 0`, `!= ""`, `is not None`.',
    ),
    "type.operand": Explanation(
        "An operation takes what makes sense of it: no money with plain numbers, no text with Parties.",
        "Make both sides of one kind; docs/reference/dialect.md has what each operation takes.",
    ),
    "type.optional": Explanation(
        "A value may be None or not: there is nothing in between.",
        "Write `T | None` once.",
    ),
    "type.record": Explanation(
        "A variable knows which record it is by what is assigned.",
        "Leave the type away: `lc = Contract.LC.get(id)`.",
    ),
    "type.size": Explanation(
        "Values have bounds, so that every machine can handle them.",
        "Use fewer fields, or a record for a part, and keep its key.",
    ),
    "type.unclear": Explanation(
        "What an empty list, an empty map or None stands for must be known before anything runs.",
        "Say it where it is assigned: `names: list[Text[0, 80], 100] = []`.",
    ),
    "type.unknown": Explanation(
        "Types are those that every node stores in the same bytes, with bounds.",
        "Write `Text[1, 80]`, `int`, `Int[0, 9]`, `bool`, `Bytes[1, 32]`, `Hash`, `Party`, `User`, "
        "`Amount`, `SignedAmount`, `Date`, `Instant`, `Duration`, `list[T, n]`, `dict[K, V, n]`, `T | "
        "None`, or what is declared before.",
    ),
    "view.returns": Explanation(
        "A view is called for its value.",
        "Write `-> Type` and return such a value.",
    ),
}
"""By the code of a finding."""

SYNTAX: Final[Mapping[str, str]] = {
    "`while`": "Write `for i in range(n):` with a bound, and `break` when it is done: every action ends.",
    "`try`": "Ask before: `find` and `exists` for records, `get(key, default)` for maps; what fails refuses all of it.",
    "`with`": "There is nothing to open or close; write its body as it is.",
    "`async`": "Write a plain `def` or `for`: there is nothing to wait for.",
    "a function here": "Write the function before the contract's class; functions are not nested.",
    "a class here": "Write the struct or enum before the contract's class.",
    "`del`": "Write `items.pop(i)` or `map.pop(key)`; records are never deleted: give them a closing state.",
    "`global`": "Keep what lasts in a record; constants of the file are read without a word before.",
    "`nonlocal`": "Return the value, or pass it as a parameter.",
    "`assert`": 'Write `require(condition, "why not")`.',
    "`raise`": 'Write `require(condition, "why not")` before: it refuses the whole transaction.',
    "`match`": "Write `if`, `elif` and `else`.",
    "`type`": "Declare a `Struct` or an `Enum`, or write the type where it is used.",
    "`else` of a loop": "Set a boolean in the loop, and test it after.",
    "several `=` in a line": "Write an assignment for each.",
    "a type without a value, or of what is no name": "Write `name: Type = value`.",
    "`/`": 'Write `//` for whole numbers, `amount.times(1, 3, "half_even")` for money: there are no fractions.',
    "`**`": "Multiply, in a loop if need be.",
    "`<<`": "Multiply by a power of two.",
    "`>>`": "Divide with `//` by a power of two.",
    "`|`": "Write `or` between conditions; join maps in a loop.",
    "`&`": "Write `and` between conditions.",
    "`^`": "Write `!=` between booleans.",
    "`@`": "Multiply in a loop.",
    "`~`": "Write `not` before conditions.",
    "`+` in front": "Take the `+` away.",
    "`lambda`": "Write the expression where it is used, or a function before the class.",
    "a tuple": "Write a list, or declare a `Struct` for values that belong together.",
    "a set": "Write a list and test with `in`, or a map with True for each key.",
    "a comprehension": "Write a loop: `found: list[T, n] = []`, `for x in ...:`, `found.append(...)`.",
    "`:=`": "Assign on a line of its own before.",
    "`yield`": "Collect in a list and return it.",
    "`await`": "Take the word away: there is nothing to wait for.",
    "`*`": "Write the values one by one.",
    "an f-string": 'Join texts with `+`; in messages pass values by name: `require(c, "text {x}", x=value)`.',
    "a slice here": "Write `items[begin:end]` of a text, bytes or list.",
    "`import`": "Write `from hansa.contract import ...` at the head of the file.",
}
"""What to write instead of a form of Python that is not here, as findings call it."""

PYTHON: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("print", "logging"), 'Say it by an event: `event("name", x=value)`; `hansa contract run` shows all.'
    ),
    **dict.fromkeys(
        ("datetime", "time", "timezone", "zoneinfo"), "Use `tx.time`, `tx.date` and the types `Instant`, `Date`."
    ),
    "timedelta": "Write `Duration(days=7)`; days of a Date are added by `date.add_days(7)`.",
    "date": "Use the type `Date`; the day of ledger time is `tx.date`.",
    **dict.fromkeys(
        ("float", "Decimal", "decimal", "fractions", "Fraction", "complex", "math", "statistics"),
        "Count in whole units: `int`, and `Amount` for money, rounded by `amount.times(...)`.",
    ),
    "round": 'Round money by `amount.times(n, d, "half_even")`; numbers by `(n + d // 2) // d`.',
    "divmod": "Write `a // b` and `a % b`.",
    "pow": "Multiply, in a loop if need be.",
    **dict.fromkeys(
        ("random", "secrets", "uuid"), "Every node must come to the same: let the sender give it as an argument."
    ),
    **dict.fromkeys(("hashlib", "hash"), "Write `sha256(value)`."),
    **dict.fromkeys(
        ("os", "sys", "io", "pathlib", "open", "input", "requests", "urllib", "socket", "subprocess"),
        "Nothing from outside comes in: let the sender give it as an argument, and keep it in a record.",
    ),
    **dict.fromkeys(
        ("json", "pickle", "re"), "Declare a `Struct` for what has parts; texts have `split`, `join`, `startswith`."
    ),
    **dict.fromkeys(("set", "frozenset"), "Use a list and `in`, or a map with True for each key: sets have no order."),
    "tuple": "Use a list, or declare a `Struct`.",
    "list": "Write `[]` where it is assigned, with its type: `names: list[Text[0, 80], 100] = []`.",
    "dict": "Write `{}` where it is assigned, with its type: `counts: dict[Text[0, 80], int, 100] = {}`.",
    "str": "The type is `Text[least, most]`; `str(number)` is text.",
    "bytes": "The type is `Bytes[least, most]`, or `Hash` for 32; bytes come from arguments and `sha256`.",
    "bool": 'Compare: `!= 0`, `!= ""`, `len(items) > 0`, `is not None`.',
    **dict.fromkeys(("any", "all"), "Write a loop that sets a boolean, and `break`."),
    **dict.fromkeys(("map", "filter", "next", "iter", "reduce"), "Write a loop: `for x in ...:`."),
    **dict.fromkeys(
        ("format", "repr", "chr", "ord"), "Join texts with `+` and `str(number)`; in messages pass values by name."
    ),
    **dict.fromkeys(
        ("isinstance", "type", "issubclass"), "Types are known before anything runs: there is nothing to ask."
    ),
    **dict.fromkeys(
        ("getattr", "setattr", "hasattr", "vars", "dir", "globals", "locals", "eval", "exec", "compile", "id"),
        "Write the field's name; what a contract does must be readable in its text.",
    ),
    **dict.fromkeys(
        ("Exception", "ValueError", "KeyError", "TypeError", "RuntimeError"),
        'Write `require(condition, "why not")`: it refuses the whole transaction.',
    ),
    "self": "Records are parameters of their own: `def name(tx, record: Record):`.",
    "super": "Classes declare, and inherit nothing but what they are.",
    "object": "Derive from `Contract`, `Record`, `Struct`, `Enum` or `Interface`.",
    **dict.fromkeys(("Optional", "Union"), "Write `T | None` for what may be None; other unions are not there."),
    **dict.fromkeys(("List", "Sequence"), "Write `list[T, n]`."),
    **dict.fromkeys(("Dict", "Mapping"), "Write `dict[K, V, n]`."),
    **dict.fromkeys(("Any", "typing"), "Write one type; what has parts is a `Struct`."),
    **dict.fromkeys(
        ("dataclass", "dataclasses", "NamedTuple", "TypedDict", "BaseModel"), "Derive a class from `Struct`."
    ),
    **dict.fromkeys(("enum", "StrEnum", "IntEnum"), 'Derive a class from `Enum`: `Name = "what it says"`.'),
    "property": "Write a `@view`, or a function before the class.",
    **dict.fromkeys(("staticmethod", "classmethod"), "Write a function before the class."),
}
"""What to write instead of a name that Python has and the dialect has not, or not in this place."""


def explain(source: str, found: Diagnostic) -> Explanation:
    """Why a finding about `source` is one, and what to write instead: the most particular that is known."""
    general = CODES[found.code]
    form, word = found.message.removesuffix(_OUTSIDE), _word(source, found)
    if word in ("import", "from"):
        known = PYTHON.get(_module(source, found), found.hint or general.instead)
        return Explanation(CODES["import.module"].why, known)
    if form != found.message:
        return Explanation(general.why, SYNTAX.get(form, found.hint or general.instead))
    if found.code in _NAMED and (found.code != "type.unknown" or found.hint == ANY_TYPE):
        declared = _declared(source)
        if word in PYTHON and word not in declared:
            return Explanation(general.why, PYTHON[word])
        if not found.hint.startswith("did you mean") and (near := _nearest(word, declared)):
            return Explanation(general.why, f"did you mean `{near}`?")
    if found.code in _DECORATED and (near := _nearest(_decorator(source, found), set())):
        return Explanation(general.why, f"did you mean `@{near}`?")
    if found.code == "type.mismatch" and found.hint.startswith("`"):
        return Explanation(general.why, f"compare it: {found.hint}")
    return Explanation(general.why, found.hint or general.instead)


def _word(source: str, found: Diagnostic) -> str:
    """The name at which a finding stands; of a class what it derives from."""
    text = line_at(source, found.line)[found.column :]
    if found.code == "class.base":
        text = text.partition("(")[2]
    word = _WORD.match(text)
    return "" if word is None else word[0]


def _module(source: str, found: Diagnostic) -> str:
    """The module, or what is imported from it, whichever something is known of."""
    words = _WORD.findall(line_at(source, found.line)[found.column :])
    return next((word for word in words if word in PYTHON), "")


def _decorator(source: str, found: Diagnostic) -> str:
    """The name of the decorator above a function with a finding, or at it."""
    for number in range(found.line, 0, -1):
        text = line_at(source, number).strip()
        if text.startswith("@"):
            word = _WORD.match(text, 1)
            return "" if word is None else word[0]
        if number != found.line and text.startswith(("def ", "class ")):
            break
    return ""


def _declared(source: str) -> set[str]:
    """What a file declares by a name: its classes and functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
    return found


def _nearest(word: str, declared: set[str]) -> str:
    known = names.IMPORTABLE | names.BUILTINS | {"bool", "dict", "list", names.CONTEXT} | declared
    if not word or word in known:
        return ""
    return next(iter(difflib.get_close_matches(word, sorted(known), n=1, cutoff=_CLOSE)), "")
