"""Expressions of generated contracts, of a wanted kind: what can be read where they stand, and operations on it.

They may fault when they run (that is wanted, now and then: `risk`), but they have no findings.
"""

import re
from typing import Any, Literal, NamedTuple

from tests.contracts.choices import Choices
from tests.contracts.declared import (
    AMOUNT,
    BOOL,
    BYTES,
    CURRENCIES,
    DATE,
    DURATION,
    INSTANT,
    INT,
    INTEGER_MAX,
    PARTY,
    SIGNED,
    TEXT,
    USER,
    Declared,
    Field,
    Function,
    Kind,
    Record,
    Type,
)  # fmt: skip

Context = Literal["action", "view", "function", "invariant", "migration"]
EXPRESSION_CHARS_MAX = 90
"""Beyond this something simpler is taken, so that lines stay short."""
ORDERED = (INT, TEXT, BYTES, DATE, INSTANT, DURATION, AMOUNT, SIGNED)
TEXT_LITERALS = ('"a"', '""', '"ab"', '"b,c"', '"12"', '"-7"', '"Zed"', '"é"', '"a,b,c,d"')
ROUNDINGS = ("half_even", "half_up", "half_down", "up", "down", "floor", "ceiling")
LIST = "list"

_HOLES = {
    "int": INT, "text": TEXT, "bytes": BYTES, "bool": BOOL, "party": PARTY, "user": USER, "amount": AMOUNT,
    "signed": SIGNED, "date": DATE, "instant": INSTANT, "duration": DURATION,
    "ints": (LIST, INT), "texts": (LIST, TEXT), "dates": (LIST, DATE), "amounts": (LIST, AMOUNT),
}  # fmt: skip

_TEMPLATES = {
    "int": """
        int.add: ({int} + {int})
        int.subtract: ({int} - {int})
        int.multiply: ({int} * {small})
        int.floor: ({int} // {nonzero})
        int.modulo: ({int} % {nonzero})
        int.negative: (-{int})
        int.abs: abs({int})
        int.min: min({int}, {int})
        int.max: max({int}, {int}, {int})
        int.of_text: int({digits})
        sum: sum({ints})
        len.text: len({text})
        len.bytes: len({bytes})
        len.list: len({ints})
        amount.minor: {amount}.minor
        signed.minor: {signed}.minor
        date.year: {date}.year
        date.month: {date}.month
        date.day: {date}.day
        date.weekday: {date}.weekday
        date.days_until: {date}.days_until({date})
        instant.milliseconds: {instant}.milliseconds
        duration.milliseconds: {duration}.milliseconds
        duration.days: {duration}.days
        bytes.index: {bytes}[{index}]""",
    "text": """
        text.add: ({text} + {text})
        text.upper: {text}.upper()
        text.lower: {text}.lower()
        text.join: {text}.join({texts})
        text.slice: {text}[{int}:{int}]
        text.slice_from: {text}[{int}:]
        text.slice_to: {text}[:{small}]
        text.index: {text}[{index}]
        str: str({int})
        bytes.hex: {bytes}.hex()
        amount.currency: {amount}.currency
        text.min: min({text}, {text})""",
    "bytes": """
        sha256.text: sha256({text})
        sha256.bytes: sha256({bytes})
        bytes.add: ({bytes} + {bytes})
        bytes.slice: {bytes}[{small}:{int}]""",
    "bool": """
        and: ({bool} and {bool})
        or: ({bool} or {bool})
        not: (not {bool})
        in.text: ({text} in {text})
        in.list: ({int} in {ints})
        in.texts: ({text} in {texts})
        text.startswith: {text}.startswith({text})
        text.endswith: {text}.endswith({text})
        text.isdigit: {text}.isdigit()""",
    "amount": """
        amount.add: ({amount} + {amount})
        amount.subtract: ({amount} - {amount})
        amount.multiply: ({amount} * {small})
        amount.multiply_left: ({small} * {amount})
        amount.times: {amount}.times({small}, {nonzero}, {rounding})
        amount.split: {amount}.split({part})[0]
        amount.split_by: {amount}.split_by([1, {small}, 3])[1]
        amount.split_by_any: {amount}.split_by({ints})[{index}]
        amount.min: min({amount}, {amount})
        amount.max: max({amount}, {amount})
        amount.of: Amount({small}, {currency})""",
    "signed": """
        amount.signed: {amount}.signed()
        signed.negative: (-{signed})
        signed.add: ({signed} + {amount})
        signed.subtract: ({amount} - {signed})
        signed.both: ({signed} - {signed})
        signed.multiply: ({signed} * {int})
        signed.times: {signed}.times({int}, {nonzero}, {rounding})
        signed.of: SignedAmount({int}, {currency})
        signed.max: max({signed}, {signed})""",
    "date": """
        date.add_days: {date}.add_days({small})
        date.add_months: {date}.add_months({small})
        instant.date: {instant}.date
        date.of: Date(2024, {part}, {part})
        date.min: min({date}, {date})
        date.sorted: sorted({dates})[0]""",
    "instant": """
        instant.add: ({instant} + {duration})
        instant.subtract: ({instant} - {duration})
        date.start: {date}.start()
        instant.max: max({instant}, {instant})""",
    "duration": """
        duration.between: ({instant} - {instant})
        duration.add: ({duration} + {duration})
        duration.subtract: ({duration} - {duration})
        duration.multiply: ({duration} * {small})
        duration.multiply_left: ({small} * {duration})
        duration.negative: (-{duration})
        duration.of: Duration(days={small}, hours={small})
        duration.of_small: Duration(minutes={small}, seconds={small}, milliseconds={int})""",
    "list.int": """
        list.sorted: sorted({ints})""",
    "list.text": """
        text.split: {text}.split({separator})
        list.sorted_texts: sorted({texts})""",
    "list.amount": """
        amount.split_list: {amount}.split({part})
        amount.split_by_list: {amount}.split_by([{small}, 1])""",
}


def _parsed(template: str) -> tuple[str, list[str], list[str]]:
    name, _, text = template.strip().partition(": ")
    parts = re.split(r"\{(\w+)\}", text)
    return name, parts[0::2], parts[1::2]


TEMPLATES = {head: [_parsed(line) for line in lines.strip().splitlines()] for head, lines in _TEMPLATES.items()}
OPERATIONS = {name for templates in TEMPLATES.values() for name, _, _ in templates}


class Unavailable(Exception):
    """There is no value of a kind here."""


class Entry(NamedTuple):
    """Something that can be read: how it is written, and what must not be mutated while it is looped over."""

    text: str
    kind: Kind
    root: str
    field: Field | None = None
    is_variable: bool = False


def is_reference(kind: Kind) -> bool:
    """Whether a value is a record, or None."""
    return kind[0] == "record" or (kind[0] == "opt" and kind[1][0] == "record")


class Expressions:
    """The expressions of one body, and what is known where it is made."""

    def __init__(
        self, choices: Choices, declared: Declared, context: Context, used: set[str], risk: int, *, names: list[int]
    ) -> None:
        self.choices = choices
        self.declared = declared
        self.context: Context = context
        self.used = used
        self.risk = risk  # percent
        self.returns: Type | None = None
        self.early = True  # whether `return` may stand in the midst
        self.is_signed = True
        self.subject: str | None = None
        self.is_complete = True  # whether the subject has all its fields, so that records can be looked up
        self._names = names
        self._entries: list[Entry] = []
        self._unread: dict[str, Kind] = {}
        self._frozen: list[str] = []
        self._loops = 0

    # Names

    def name(self, letter: str) -> str:
        self._names[0] += 1
        return f"{letter}{self._names[0]}"

    def know(self, name: str, kind: Kind, *, is_variable: bool = False, must_read: bool = True) -> None:
        """A variable or parameter, from here to the end of the block."""
        self._entries.append(Entry(name, kind, name, is_variable=is_variable))
        if kind[0] == "record":
            record = self.declared.records[kind[1]]
            for field in record.fields.values():
                text = f"{name}.{field.name}"
                if self.context == "invariant" and is_reference(field.type.kind):
                    continue
                self._entries.append(Entry(text, field.type.kind, text, field))
                self._know_parts(text, field.type.kind, text, 1)
        else:
            self._know_parts(name, kind, name, 1)
        if must_read:
            self._unread[name] = kind

    def know_tx(self, *, is_signed: bool) -> None:
        self.is_signed = is_signed
        self._entries += [Entry("tx.time", INSTANT, "tx"), Entry("tx.date", DATE, "tx")]
        self._entries.append(Entry("tx.caller", ("opt", TEXT), "tx"))
        if is_signed:
            self._entries += [Entry("tx.member", PARTY, "tx"), Entry("tx.user", ("opt", USER), "tx")]
            self._entries.append(Entry("tx.id", BYTES, "tx"))

    def _know_parts(self, text: str, kind: Kind, root: str, depth: int) -> None:
        if kind[0] == "struct" and depth:
            for field in self.declared.structs[kind[1]]:
                self._entries.append(Entry(f"{text}.{field.name}", field.type.kind, root, field))
                self._know_parts(f"{text}.{field.name}", field.type.kind, root, depth - 1)
        elif kind[0] == "record" and depth:
            for field in self.declared.records[kind[1]].fields.values():
                self._entries.append(Entry(f"{text}.{field.name}", field.type.kind, f"{text}.{field.name}", field))

    def _read(self, entry: Entry) -> str:
        self._unread.pop(entry.text.partition(".")[0], None)
        self.used.add("read." + entry.kind[0])
        return entry.text

    def place(self, kind: Kind) -> str:
        found = [entry for entry in self._entries if entry.kind == kind]
        if not found:
            raise Unavailable
        return self._read(self.choices.pick(found))

    def _some(self, heads: tuple[str, ...], *, is_variable: bool = False) -> Entry:
        found = [e for e in self._entries if e.kind[0] in heads and (not is_variable or e.is_variable)]
        if not found:
            raise Unavailable
        return self.choices.pick(found)

    # Expressions

    def expression(self, kind: Kind, depth: int = 2, *, exact: bool = False) -> str:
        """A value of this kind, whatever it is; `exact`: surely not None."""
        if depth <= 0 or self.choices.chance(25):
            return self.simple(kind)
        if kind[0] != "opt" and not exact and self._risky():
            try:
                found = self.place(("opt", kind))
                self.used.add("optional.as_value")
            except Unavailable:
                pass
            else:
                return found
        for _ in range(2):
            try:
                made = self._operation(kind, depth - 1)
            except Unavailable:
                continue
            if len(made) <= EXPRESSION_CHARS_MAX:
                return made
        return self.simple(kind)

    def simple(self, kind: Kind) -> str:
        """A place or a literal."""
        is_place = self.choices.chance(75)
        try:
            return self.place(kind) if is_place else self.literal(kind)
        except Unavailable:
            return self.literal(kind) if is_place else self.place(kind)

    def literal(self, kind: Kind) -> str:
        """Written out, as simply as can be."""
        pick = self.choices.pick
        match kind[0]:
            case "int":
                if self.declared.constants and self.choices.chance(15):
                    constants = [name for name, of in self.declared.constants.items() if of == INT]
                    if constants:
                        self.used.add("constant")
                        return pick(constants)
                return pick(("0", "1", "2", "3", "7", "10", "(-1)", "100"))
            case "text":
                constants = [name for name, of in self.declared.constants.items() if of == TEXT]
                return pick((*TEXT_LITERALS, *constants))
            case "bool":
                return pick(("True", "False"))
            case "bytes":
                return f"sha256({self.literal(TEXT)})"
            case "amount":
                return f'Amount({pick((0, 1, 5, 100, 999))}, "{pick(CURRENCIES)}")'
            case "signed":
                return f'SignedAmount({pick((0, 1, -5, 100, -999))}, "{pick(CURRENCIES)}")'
            case "date":
                return pick(("Date(2024, 2, 29)", "Date(2023, 12, 31)", "Date(1970, 1, 1)"))
            case "instant":
                return "Date(2024, 1, 31).start()"
            case "duration":
                return pick(("Duration(days=1)", "Duration(seconds=-5)", "Duration(hours=2, milliseconds=1)"))
            case "enum":
                return f"{kind[1]}.{pick(self.declared.enums[kind[1]])}"
            case "struct":
                return self._struct(kind, lambda field: self.written(field.type))
            case "list" if kind[1][0] not in ("opt", "struct", "list", "map"):
                return f"[{', '.join(self.literal(kind[1]) for _ in range(self.choices.integer(1, 3)))}]"
            case "map" if kind[2][0] not in ("opt", "struct", "list", "map"):
                count = self.choices.integer(1, 3)
                return "{" + ", ".join(f"{self.simple(kind[1])}: {self.literal(kind[2])}" for _ in range(count)) + "}"
            case "list":
                return f"[{self._filled(kind[1])}]"
            case "map":
                return "{" + f"{self.simple(kind[1])}: {self._filled(kind[2])}" + "}"
            case "party" if self.context in ("action", "view") and self.is_signed:
                return "tx.member"
            case _:
                raise Unavailable

    def _filled(self, kind: Kind) -> str:
        return self.place(kind) if kind[0] == "opt" else self.literal(kind)

    def _struct(self, kind: Kind, value: Any) -> str:
        self.used.add("struct")
        fields = [f for f in self.declared.structs[kind[1]] if f.default is None or self.choices.chance(60)]
        return f"{kind[1]}({', '.join(f'{f.name}={value(f)}' for f in fields)})"

    def _risky(self) -> bool:
        return self.choices.chance(self.risk)

    def _hole(self, hole: str, depth: int) -> str:
        pick = self.choices.pick
        match hole:
            case "small":
                return self.expression(INT, depth) if self._risky() else pick(("0", "1", "2", "3", "12"))
            case "nonzero":
                return self.expression(INT, depth) if self._risky() else pick(("2", "1", "3", "7", "10"))
            case "index":
                return self.expression(INT, 0) if self._risky() else pick(("0", "-1", "1"))
            case "digits":
                return (
                    self.expression(TEXT, depth)
                    if self._risky()
                    else pick(('"12"', '"-7"', f"str({self.simple(INT)})"))
                )
            case "part":
                return self.expression(INT, depth) if self._risky() else pick(("1", "2", "3", "7", "12"))
            case "separator":
                return self.expression(TEXT, depth) if self._risky() else pick(('","', '"a"'))
            case "currency":
                return self.expression(TEXT, depth) if self._risky() else '"EUR"'
            case "rounding":
                return f'"{pick(ROUNDINGS)}"'
        return self.expression(_HOLES[hole], depth)

    def _operation(self, kind: Kind, depth: int) -> str:
        templates = TEMPLATES.get(f"list.{kind[1][0]}" if kind[0] == LIST else kind[0], ())
        at = self.choices.integer(0, len(templates) + 9)
        if at < len(templates):
            name, texts, holes = templates[at]
            made = texts[0] + "".join(
                self._hole(hole, depth) + text for hole, text in zip(holes, texts[1:], strict=True)
            )
            self.used.add(name)
            return made
        at -= len(templates)
        match at:
            case 0:
                return self._conditional(kind, depth)
            case 1 | 2:
                return self._call(self.declared.functions, "function", kind, depth)
            case 3 if self.context in ("action", "view"):
                return self._call(self.declared.views, "interface.view", kind, depth)
            case 4:
                return self._item(kind, depth)
            case 5 if self.context in ("action", "view") and self.is_complete:
                return self._of_record(kind)
        match kind[0]:
            case "bool":
                return self._test(depth)
            case "list":
                return self._list(kind, depth)
            case "map":
                return "{" + ", ".join(
                    f"{self.expression(kind[1], 0)}: {self.expression(kind[2], depth, exact=True)}"
                    for _ in range(self.choices.integer(1, 3))
                ) + "}"  # fmt: skip
            case "struct":
                return self._struct(kind, lambda field: self.fitting(field.type, depth))
            case _:
                raise Unavailable

    def _conditional(self, kind: Kind, depth: int) -> str:
        self.used.add("conditional")
        return f"({self.expression(kind, depth)} if {self.expression(BOOL, depth)} else {self.expression(kind, depth)})"

    def _call(self, functions: list[Function], what: str, kind: Kind, depth: int) -> str:
        found = [f for f in functions if f.returns.kind == kind]
        if not found:
            raise Unavailable
        function = self.choices.pick(found)
        values = [self.fitting(p.type, depth) for p in function.parameters]
        if function.depth and not self._risky():
            values[0] = self.choices.pick(("0", "1", "70", "5"))
        by_name = function.by_name or self.choices.chance(20)
        if by_name:
            values = [f"{p.name}={value}" for p, value in zip(function.parameters, values, strict=True)]
        self.used.add(f"{what}.keywords" if by_name else what)
        return f"{function.name}({', '.join(values)})"

    def _item(self, kind: Kind, depth: int) -> str:
        """Out of a list or a map; a map's with a default, or the first of a literal, unless it may fail."""
        maps = [e for e in self._entries if e.kind[0] == "map" and e.kind[2] == kind]
        lists = [e for e in self._entries if e.kind == (LIST, kind)]
        if maps and (not lists or self.choices.chance(50)):
            entry = self.choices.pick(maps)
            key = self.expression(entry.kind[1], depth)
            if self._risky() or self.choices.chance(20):
                self.used.add("map.index")
                return f"{self._read(entry)}[{key}]"
            self.used.add("map.get")
            return f"{self._read(entry)}.get({key}, {self.simple(kind)})"
        if lists and (self._risky() or self.choices.chance(30)):
            self.used.add("list.index")
            return f"{self._read(self.choices.pick(lists))}[{self._hole('index', depth)}]"
        if kind[0] in ("list", "map", "opt", "record"):
            raise Unavailable
        self.used.add("list.index_literal")
        index = self.choices.pick(("0", "1", "-1", "-2"))
        return f"[{self.expression(kind, depth, exact=True)}, {self.simple(kind)}][{index}]"

    def _of_record(self, kind: Kind) -> str:
        if kind[0] == "record":
            return self.record(self.declared.records[kind[1]])
        found = [(r, f) for r in self.declared.records.values() for f in r.fields.values() if f.type.kind == kind]
        if not found or not self._risky():
            raise Unavailable
        record, field = self.choices.pick(found)
        return f"{self.record(record)}.{field.name}"

    def record(self, record: Record) -> str:
        """A handle, which fails where there is no such record."""
        self.used.add("record.get")
        return f"{record.name}.get({self.key(record)})"

    def key(self, record: Record) -> str:
        type = record.fields[record.key].type
        match type.kind[0]:
            case "text" if self.choices.chance(70):
                return self.choices.pick(('"a"', '"b"', '"a,b"'))
            case "int" if self.choices.chance(70):
                return self.choices.pick(("1", "2", "3"))
        return self.fitting(type, 1)

    def _list(self, kind: Kind, depth: int) -> str:
        item = kind[1]
        match self.choices.integer(0, 5):
            case 0 | 1 if item[0] != "opt":
                self.used.add("list.literal")
                count = self.choices.integer(1, 4)
                return f"[{', '.join(self.expression(item, depth, exact=True) for _ in range(count))}]"
            case 2:
                self.used.add("list.add")
                return f"({self.expression(kind, depth)} + {self.simple(kind)})"
            case 3:
                self.used.add("list.slice")
                return f"{self.expression(kind, depth)}[{self.simple(INT)}:{self.choices.pick(('', '2', '-1', '5'))}]"
            case 4:
                self.used.add("list.reversed")
                return f"reversed({self.expression(kind, depth)})"
        keys = [e for e in self._entries if e.kind[0] == "map" and e.kind[1] == item]
        values = [e for e in self._entries if e.kind[0] == "map" and e.kind[2] == item]
        if keys and self.choices.chance(50):
            self.used.add("map.keys")
            return f"{self._read(self.choices.pick(keys))}.keys()"
        if not values:
            raise Unavailable
        self.used.add("map.values")
        return f"{self._read(self.choices.pick(values))}.values()"

    def _test(self, depth: int) -> str:
        pick = self.choices.pick
        match self.choices.integer(0, 8):
            case 0 | 1:
                kind, sign = pick(ORDERED), pick(("<", "<=", ">", ">="))
                self.used.update((f"order.{kind[0]}", f"order_{sign}"))
                return f"({self.expression(kind, depth)} {sign} {self.expression(kind, depth)})"
            case 2 | 3:
                kind = self._some(("int", "text", "bytes", "bool", "party", "user", "amount", "signed", "date",
                                   "instant", "duration", "enum", "struct", "list", "map", "record")).kind  # fmt: skip
                self.used.add(f"equal.{kind[0]}")
                return f"({self.expression(kind, depth)} {pick(('==', '!='))} {self.expression(kind, depth)})"
            case 4:
                entry = self._some(("opt",))
                self.used.add("is_none")
                return f"({self._read(entry)} {pick(('is None', 'is not None', '== None', '!= None'))})"
            case 5:
                entry = self._some(("opt",))
                if is_reference(entry.kind):
                    raise Unavailable
                self.used.add("equal.optional")
                return f"({self._read(entry)} {pick(('==', '!='))} {self.expression(entry.kind[1], depth)})"
            case 6:
                entry = self._some(("map",))
                self.used.add("in.map")
                return f"({self.expression(entry.kind[1], depth)} {pick(('in', 'not in'))} {self._read(entry)})"
            case 7 if self.context in ("action", "view") and self.is_complete:
                record = pick(list(self.declared.records.values()))
                self.used.add("record.exists")
                return f"{record.name}.exists({self.key(record)})"
            case 8:
                entry = self._some(("state",))
                if self.choices.chance(25):
                    return f"({self._read(entry)} == {self.place(entry.kind)})"
                states = self.declared.records[entry.kind[1]].states
                self.used.add("equal.state")
                return f'({self._read(entry)} {pick(("==", "!="))} "{pick(states)}")'
        entry = self._some(("list",))
        if entry.kind[1][0] in ("opt", "record"):
            raise Unavailable
        self.used.add("in.items")
        return f"({self.expression(entry.kind[1], depth)} in {self._read(entry)})"

    # Values for a declared type

    def fitting(self, type: Type, depth: int = 2) -> str:
        """A value that most likely is within the bounds of a type."""
        kind = type.kind
        if self._risky() and kind[0] != "opt":
            return self.expression(kind, depth)
        match kind[0]:
            case "int" if type.most < INTEGER_MAX and self.choices.chance(50):
                value = self.expression(kind, depth - 1)
                return (
                    f"({value} % {type.most - type.least + 1} + {type.least})"
                    if type.least
                    else f"({value} % {type.most + 1})"
                )
            case "int" if type.most == INTEGER_MAX:
                return self.expression(kind, depth)
            case "text" if type.least == 0 and self.choices.chance(60):
                return f"{self.expression(kind, depth - 1)}[:{type.most}]"
            case "bytes" if type.least == 0:
                return f"{self.expression(kind, depth - 1)}[:{type.most}]"
            case "opt":
                if self.choices.chance(25):
                    return "None"
                return self.fitting(type.parts[0], depth) if self.choices.chance(60) else self.simple(kind)
            case "int" | "text" | "bytes" | "list" | "map":
                return self.written(type)
        return self.expression(kind, depth)

    def item(self, type: Type) -> str:
        """A value for a list or map that is written out: None only where the type has it."""
        return self.fitting(type, 0) if type.kind[0] == "opt" else self.written(type)

    def written(self, type: Type) -> str:
        """A literal, or a place of very much the same type."""
        pick = self.choices.pick
        match type.kind[0]:
            case "int":
                return str(pick((type.least, type.most, min(max(3, type.least), type.most))))
            case "text":
                return f'"{("a" * type.least or pick(("", "b", "ab")))[: type.most]}"'
            case "bytes":
                return f"sha256({self.simple(TEXT)})"
            case "list":
                if self.choices.chance(20):
                    self.used.add("list.empty")
                    return "[]"
                return f"[{', '.join(self.item(type.parts[0]) for _ in range(self.choices.integer(1, 2)))}]"
            case "map":
                if self.choices.chance(20):
                    self.used.add("map.empty")
                    return "{}"
                key, value = (self.item(part) for part in type.parts)
                return "{" + f"{key}: {value}" + "}"
            case "opt":
                return "None" if self.choices.chance(50) else self.written(type.parts[0])
        return self.simple(type.kind)
