"""Bodies of generated contracts: statements and blocks, well-typed by construction."""

from typing import Any

from tests.contracts.declared import (
    AMOUNT,
    BOOL,
    DATE,
    DURATION,
    INSTANT,
    INT,
    INTEGER_MAX,
    PARTY,
    SIGNED,
    TEXT,
    USER,
    Kind,
    Record,
    Type,
    any_type,
)  # fmt: skip
from tests.contracts.expressions import LIST, TEXT_LITERALS, Entry, Expressions, Unavailable, is_reference

DEPTH = 3
"""Blocks in each other."""
_ADDED = (INT, TEXT, AMOUNT, SIGNED, DURATION, (LIST, INT))
"""Kinds that `+=` takes."""


class Body(Expressions):
    """One body while it is made."""

    def block(self, depth: int, count: int, last: Any = None) -> list[str]:
        """Statements with a scope of their own; `last` makes what ends it."""
        mark = len(self._entries)
        known = set(self._unread)
        lines: list[str] = []
        for _ in range(count):
            try:
                lines += self._statement(depth)
            except Unavailable:
                continue
        if last is not None:
            ending = last()
            lines += [*self._consume(known, depth == DEPTH), *ending]
        else:
            lines += self._consume(known, depth == DEPTH)
        del self._entries[mark:]
        return lines or ["pass"]

    def _consume(self, known: set[str], everything: bool) -> list[str]:
        lines: list[str] = []
        for name in [name for name in self._unread if everything or name not in known]:
            kind = self._unread.pop(name)
            if not self.choices.chance(30):
                continue
            if self.context == "action" and not is_reference(kind) and self.choices.chance(50):
                self.used.add("event")
                lines.append(f'event("seen", {name}={name})')
            else:
                lines.append(f'require({name} == {name}, "it is itself")')
        return lines

    def _statement(self, depth: int) -> list[str]:
        at = self.choices.integer(0, 25 if self.context == "action" else 15)
        if self.choices.chance(2):
            return self._stress()
        match at:
            case 0 | 1 | 2:
                return self._declare()
            case 3:
                return self._declare_typed()
            case 4 | 5 if depth:
                return self._if(depth)
            case 6 | 7 | 8 if depth:
                return self._for(depth)
            case 9:
                return self._reassign()
            case 10:
                return self._augment()
            case 11 | 12:
                return self._mutate(is_variable=True)
            case 13:
                return self._require()
            case 14 if depth:
                return self._both_branches()
            case 15 if self._loops or (self.early and self.context != "invariant"):
                return self._leave()
            case 16:
                return self._event()
            case 17 | 18 | 19:
                return self._set_field()
            case 20:
                return self._mutate(is_variable=False)
            case 21:
                return self._become()
            case 22:
                return self._schedule()
            case 23 | 24:
                return self._create()
            case 25:
                return self._interface_action()
        return ["pass"] if self.choices.chance(5) else self._declare()

    def _declare(self) -> list[str]:
        if self.context in ("action", "view") and self.is_complete and self.choices.chance(6):
            return self._find()
        if self.choices.chance(8):
            return self._declare_later()
        if self.choices.chance(35):
            kind = self._some(("int", "text", "list", "map", "struct", "enum", "record", "opt", "amount")).kind
        else:
            kind = any_type(self.choices, self.declared).kind
            if kind[0] == "opt":
                kind = kind[1]
        name = self.name("v")
        value = self.place(kind) if kind[0] == "opt" else self.expression(kind)
        self.know(name, kind, is_variable=True)
        self.used.add("assign")
        return [f"{name} = {value}"]

    def _declare_later(self) -> list[str]:
        """A variable whose type comes from what is done to it first."""
        name = self.name("v")
        kind = self.choices.pick((INT, TEXT, AMOUNT, DATE, BOOL))
        value = self.expression(kind)
        match self.choices.integer(0, 2):
            case 0:
                lines, kind = [f"{name} = []", f"{name}.append({value})"], (LIST, kind)
            case 1:
                key = self.expression(TEXT, 1)
                lines, kind = [f"{name} = {{}}", f"{name}[{key}] = {value}"], ("map", TEXT, kind)
            case _:
                test = self.expression(BOOL)
                lines, kind = [f"{name} = None", f"if {test}:", f"    {name} = {value}"], ("opt", kind)
        self.know(name, kind, is_variable=True)
        self.used.add("assign.later")
        return lines

    def _find(self) -> list[str]:
        """A record, or None: what is read of it may fault."""
        record = self.choices.pick(list(self.declared.records.values()))
        value = f"{record.name}.find({self.key(record)})"
        name = self.name("v")
        self.know(name, ("opt", ("record", record.name)), is_variable=True)
        if self.choices.chance(50):
            self._know_parts(name, ("record", record.name), name, 1)
        self.used.add("record.find")
        return [f"{name} = {value}"]

    def _declare_typed(self) -> list[str]:
        type = any_type(self.choices, self.declared)
        name = self.name("v")
        value = self.fitting(type)
        self.know(name, type.kind, is_variable=True)
        self.used.add("assign.typed")
        return [f"{name}: {type.text} = {value}"]

    def _reassign(self) -> list[str]:
        entry = self._variable(
            ("int", "text", "bool", "amount", "signed", "date", "list", "map", "struct", "bytes", "enum")
        )
        self.used.add("assign.again")
        value = self.expression(entry.kind)
        self._unread[entry.text] = entry.kind
        return [f"{entry.text} = {value}"]

    def _variable(self, heads: tuple[str, ...]) -> Entry:
        entry = self._some(heads, is_variable=True)
        if entry.root in self._frozen:
            raise Unavailable
        return entry

    def _augment(self) -> list[str]:
        entry = self._variable(("int", "text", "amount", "signed", "duration", "instant", "list", "bytes"))
        sign = "+"
        match entry.kind[0]:
            case "int":
                sign = self.choices.pick(("+", "-", "*", "//", "%"))
                value = self._hole("small" if sign == "*" else "nonzero" if sign in "//%" else "int", 1)
            case "instant":
                value = self.expression(DURATION, 1)
            case "signed":
                value = self.expression(self.choices.pick((SIGNED, AMOUNT)), 1)
            case _:
                value = self.expression(entry.kind, 1)
        self.used.add(f"augment_{sign}")
        self._unread[entry.text] = entry.kind
        return [f"{entry.text} {sign}= {value}"]

    def _if(self, depth: int) -> list[str]:
        lines = [f"if {self.expression(BOOL)}:", *self._indented(depth)]
        self.used.add("if")
        if self.choices.chance(25):
            lines += [f"elif {self.expression(BOOL)}:", *self._indented(depth)]
            self.used.add("elif")
        if self.choices.chance(40):
            lines += ["else:", *self._indented(depth)]
            self.used.add("else")
        return lines

    def _indented(self, depth: int, last: Any = None, most: int = 3) -> list[str]:
        return ["    " + line for line in self.block(depth - 1, self.choices.integer(1, most), last)]

    def _both_branches(self) -> list[str]:
        kind = self.choices.pick((INT, TEXT, BOOL, AMOUNT, DATE, (LIST, INT)))
        name = self.name("v")
        test = self.expression(BOOL)
        one, other = self.expression(kind), self.expression(kind)
        self.know(name, kind, is_variable=True)
        self.used.add("assign.branches")
        return [f"if {test}:", f"    {name} = {one}", "else:", f"    {name} = {other}"]

    def _for(self, depth: int) -> list[str]:
        head: str
        frozen: list[str] = []
        names: list[tuple[str, Kind]] = []
        variable = self.name("i")
        match self.choices.integer(0, 8):
            case 0 | 1:
                count = self.choices.pick(("3", "2", "5", "17"))
                if self._risky():
                    count = self.choices.pick(("1000", self.expression(INT, 1)))
                span = self.choices.pick(
                    (count, f"1, {count}", f"{count}, 0, -1", f"{self.simple(INT)} % 5, 9, {self._hole('nonzero', 0)}")
                )
                head, names = f"range({span})", [(variable, INT)]
                self.used.add("for.range")
            case 2:
                entry = self._some(("list",))
                head, names, frozen = self._read(entry), [(variable, entry.kind[1])], [entry.root]
                self.used.add("for.list")
            case 3:
                kind = (LIST, self.choices.pick((INT, TEXT, AMOUNT, DATE)))
                head, names = self.expression(kind), [(variable, kind[1])]
                frozen = [e.root for e in self._entries if head == e.text or head.startswith(e.text + "[")]
                self.used.add("for.expression")
            case 4:
                entry = self._some(("map",))
                head, names, frozen = self._read(entry), [(variable, entry.kind[1])], [entry.root]
                self.used.add("for.map")
            case 5:
                entry = self._some(("map",))
                head, frozen = f"{self._read(entry)}.items()", [entry.root]
                names = [(variable, entry.kind[1]), (self.name("i"), entry.kind[2])]
                self.used.add("for.items")
            case 6:
                entry = self._some(("list",))
                if self.choices.chance(50):
                    other = self._some(("list",))
                    head, frozen = f"zip({self._read(entry)}, {self._read(other)})", [entry.root, other.root]
                    names = [(variable, entry.kind[1]), (self.name("i"), other.kind[1])]
                    self.used.add("for.zip")
                else:
                    head, frozen = f"enumerate({self._read(entry)})", [entry.root]
                    names = [(variable, INT), (self.name("i"), entry.kind[1])]
                    self.used.add("for.enumerate")
            case _:
                if self.context not in ("action", "view"):
                    raise Unavailable
                record = self.choices.pick(list(self.declared.records.values()))
                head, names = self._select(record), [(variable, ("record", record.name))]
        mark, loops = len(self._entries), self._loops
        self._frozen += frozen
        self._loops += 1
        for name, kind in names:
            self.know(name, kind)
        body = self.block(depth - 1, self.choices.integer(1, 3))
        for name, _ in names:
            if self._unread.pop(name, None) and self.choices.chance(20):
                body.append(f'require({name} == {name}, "it is itself")')
        if len(body) > 1 and body[0] == "pass":
            body = body[1:]
        self._loops = loops
        del self._frozen[len(self._frozen) - len(frozen) :]
        del self._entries[mark:]
        return [f"for {', '.join(name for name, _ in names)} in {head}:", *("    " + line for line in body)]

    def _select(self, record: Record) -> str:
        limit = f"({self.expression(INT, 1)} + 1)" if self._risky() else self.choices.pick(("5", "1", "2", "1024"))
        field = record.key
        by = ""
        if record.indexes and self.choices.chance(70):
            field = self.choices.pick(record.indexes)
            by = f'by="{field}", '
            self.used.add("select.index")
        type = record.fields[field].type

        def value() -> str:
            return self.key(record) if field == record.key else self.fitting(type, 1)

        match self.choices.integer(0, 3):
            case 0:
                bounds = ""
                if not by:
                    self.used.add("select.all")
            case 1:
                bounds = f"equal={value()}, "
                self.used.add("select.equal")
            case 2:
                bounds = f"least={value()}, "
                self.used.add("select.least")
            case _:
                bounds = f"least={value()}, most={value()}, "
                self.used.add("select.most")
        return f"{record.name}.select({by}{bounds}limit={limit})"

    def _leave(self) -> list[str]:
        test = self.expression(BOOL)
        if self._loops and self.choices.chance(70):
            word = self.choices.pick(("break", "continue"))
        elif not self.early or self.context in ("invariant", "migration"):
            raise Unavailable
        else:
            word = "return" if self.returns is None else f"return {self.fitting(self.returns)}"
        self.used.add(word.partition(" ")[0] + ".early")
        return [f"if {test}:", f"    {word}"]

    def _require(self) -> list[str]:
        test = self.expression(BOOL)
        if not self._risky():
            test = f"({test} or len({self.simple(TEXT)}) >= 0)"
        self.used.add("require")
        if self.choices.chance(50):
            return [f'require({test}, "it does not hold")']
        entry = self._some(
            ("int", "text", "amount", "list", "map", "struct", "opt", "enum", "bytes", "date", "duration")
        )
        if is_reference(entry.kind):
            raise Unavailable
        self.used.add("require.values")
        return [f'require({test}, "it is {{x}} not {{yy}}", x={self._read(entry)}, yy={self.expression(INT, 1)})']

    def _event(self) -> list[str]:
        self.used.add("event")
        values: list[str] = []
        for name in ("x", "yy", "z")[: self.choices.integer(0, 3)]:
            entry = self._some(
                (
                    "int",
                    "text",
                    "amount",
                    "list",
                    "map",
                    "struct",
                    "opt",
                    "enum",
                    "bytes",
                    "date",
                    "bool",
                    "state",
                    "instant",
                )
            )
            if is_reference(entry.kind):
                raise Unavailable
            value = (
                self._read(entry)
                if self.choices.chance(60) or entry.kind[0] in ("opt", "state")
                else self.expression(entry.kind, 1)
            )
            values.append(f"{name}={value}")
        name = self.choices.pick(('"done"', '"kept.b"', '"x"'))
        return [f"event({', '.join([name, *values])})"]

    def _set_field(self) -> list[str]:
        found = [e for e in self._entries if e.field is not None and e.root == e.text and self._can_set(e)]
        if not found:
            raise Unavailable
        entry = self.choices.pick(found)
        assert entry.field is not None
        type = entry.field.type
        self._unread.pop(entry.text.partition(".")[0], None)
        self.used.add(f"field.{type.kind[0]}")
        if type.kind[0] == "int" and type.most < INTEGER_MAX:
            if self.choices.chance(30):
                self.used.add("field.augment")
                return (
                    [f"{entry.text} {self.choices.pick(('+=', '-='))} {self.expression(INT, 1)}"]
                    if self._risky()
                    else [f"{entry.text} //= 2" if type.least <= 0 else f"{entry.text} += 0"]
                )
        elif type.kind[0] in ("amount", "list", "text") and self._risky():
            self.used.add("field.augment")
            return [f"{entry.text} += {self.expression(type.kind, 1)}"]
        if type.kind[0] == "record" and self.choices.chance(50):
            return [f"{entry.text} = {self.place(type.kind)}"]
        return [f"{entry.text} = {self.fitting(type)}"]

    def _can_set(self, entry: Entry) -> bool:
        owner, _, name = entry.text.rpartition(".")
        kind = next((e.kind for e in self._entries if e.text == owner), None)
        if kind is None or kind[0] != "record" or entry.root in self._frozen or entry.kind[0] == "state":
            return False
        return self.declared.records[kind[1]].key != name

    def _mutate(self, *, is_variable: bool) -> list[str]:
        """A path changed through structs, lists and maps; of a variable or of a record's field."""
        if is_variable:
            entry = self._variable(("struct", "list", "map"))
        else:
            found = [
                e
                for e in self._entries
                if e.kind[0] in ("struct", "list", "map") and e.root == e.text and self._can_set(e)
            ]
            if not found:
                raise Unavailable
            entry = self.choices.pick(found)
        self._unread.pop(entry.text.partition(".")[0], None)
        type = entry.field.type if entry.field else None
        lines = self._mutation(entry.text, entry.kind, type, 2)
        if is_variable:
            self._unread[entry.text] = entry.kind
        return lines

    def _mutation(self, path: str, kind: Kind, type: Type | None, depth: int) -> list[str]:
        where = "path" if depth == 2 else "path.nested"
        match kind[0]:
            case "struct":
                field = self.choices.pick(self.declared.structs[kind[1]])
                path = f"{path}.{field.name}"
                if depth and field.type.kind[0] in ("struct", "list", "map"):
                    return self._mutation(path, field.type.kind, field.type, depth - 1)
                self.used.add(f"{where}.field")
                if field.type.kind in _ADDED and self.choices.chance(25):
                    self.used.add("path.augment")
                    return [f"{path} += {self.expression(field.type.kind, 1)}"]
                return [f"{path} = {self.fitting(field.type)}"]
            case "list":
                item = kind[1]
                value = self.fitting(type.parts[0], 1) if type else self._inner(item)
                match self.choices.integer(0, 5):
                    case 0 | 1:
                        self.used.add(f"{where}.append")
                        return [f"{path}.append({value})"]
                    case 2:
                        self.used.add(f"{where}.insert")
                        return [f"{path}.insert({self.choices.pick(('0', '1', '-1', self.simple(INT)))}, {value})"]
                    case 3:
                        self.used.add(f"{where}.pop")
                        return self._if_any(path, f"{path}.pop({self.choices.pick(('0', '-1'))})")
                    case 4:
                        self.used.add(f"{where}.index")
                        sign = "=" if item not in _ADDED or self.choices.chance(70) else "+="
                        at = self.expression(INT, 1) if self._risky() else self.choices.pick(("0", "-1"))
                        return self._if_any(path, f"{path}[{at}] {sign} {value}")
                if depth and item[0] in ("struct", "list", "map"):
                    inner = self._mutation(f"{path}[0]", item, type.parts[0] if type else None, depth - 1)
                    return inner if len(inner) > 1 else self._if_any(path, inner[0])
                return self._if_any(path, f"{path}[0] = {value}")
            case _:
                value = self.fitting(type.parts[1], 1) if type else self._inner(kind[2])
                key = self.fitting(type.parts[0], 1) if type else self.simple(kind[1])
                if depth and kind[2][0] in ("struct", "list", "map") and self.choices.chance(40):
                    key = self._key_variable(kind[1])
                    inner = self._mutation(f"{path}[{key}]", kind[2], type.parts[1] if type else None, depth - 1)
                    return inner if self._risky() else [f"if {key} in {path}:", *("    " + line for line in inner)]
                if self.choices.chance(25):
                    self.used.add(f"{where}.pop_key")
                    return (
                        [f"{path}.pop({key})"] if self._risky() else [f"if {key} in {path}:", f"    {path}.pop({key})"]
                    )
                self.used.add(f"{where}.key")
                if kind[2] in _ADDED and self.choices.chance(20):
                    self.used.add("path.augment")
                    line = f"{path}[{key}] += {value}"
                    return [line] if self._risky() else [f"if {key} in {path}:", f"    {line}"]
                return [f"{path}[{key}] = {value}"]

    def _inner(self, kind: Kind) -> str:
        return self.place(kind) if kind[0] == "opt" else self.expression(kind, 1)

    def _key_variable(self, kind: Kind) -> str:
        """Inside a path an index is a name or a constant."""
        found = [e for e in self._entries if e.kind == kind and e.text == e.root and "." not in e.text]
        if found and (kind in (PARTY, USER) or self.choices.chance(50)):
            return self._read(self.choices.pick(found))
        if kind == TEXT:
            return self.choices.pick(('"a"', '"b"', '""'))
        raise Unavailable

    def _if_any(self, path: str, line: str) -> list[str]:
        return [line] if self._risky() else [f"if len({path}) > 0:", f"    {line}"]

    def _stress(self) -> list[str]:
        """What comes near a bound."""
        if self.context in ("invariant", "migration"):
            raise Unavailable
        name, counter = self.name("v"), self.name("i")
        loop = f"for {counter} in range({self.choices.pick(('3', '9', '14', '70', '1030'))}):"
        match self.choices.integer(0, 5):
            case 0:
                lines = [f"{name} = {self.choices.pick(TEXT_LITERALS)}", loop, f"    {name} += {name}"]
                self.used.add("stress.text")
            case 1:
                lines = [f"{name} = [1, 2, 3]", loop, f"    {name} = {name} + {name}"]
                self.used.add("stress.list")
            case 2:
                lines = [f"{name} = 3", loop, f"    {name} = {name} * {name}"]
                self.used.add("stress.int")
            case 3:
                lines = [f"{name}: dict[Text[0, 9], int, 1024] = {{}}", loop, f"    {name}[str({counter})] = {counter}"]
                self.used.add("stress.map")
            case 4 if self.context == "action":
                lines = [f"{name} = 3", loop, f'    event("again", n={counter} + {name})']
                self.used.add("stress.events")
            case _:
                records = [r for r in self.declared.records.values() if r.fields[r.key].type.kind == INT]
                if not records or self.context == "function" or not self.is_complete:
                    raise Unavailable
                record = self.choices.pick(records)
                lines = [f"{name} = 0", loop, f"    if {record.name}.exists({counter}):", f"        {name} += 1"]
                self.used.add("stress.records")
        return lines

    def _become(self) -> list[str]:
        found = [
            e for e in self._entries
            if e.kind[0] == "record" and e.text == e.root and e.text != self.subject and "." not in e.text
            and self.declared.records[e.kind[1]].states
        ]  # fmt: skip
        if not found:
            raise Unavailable
        entry = self.choices.pick(found)
        self._read(entry)
        self.used.add("become")
        return [self.become(entry.text, self.declared.records[entry.kind[1]].states)]

    def become(self, record: str, states: list[str]) -> str:
        one = self.choices.pick(states)
        if len(states) > 1 and self.choices.chance(60):
            other = self.choices.pick([s for s in states if s != one])
            return f'become({record}, "{one}" if {self.expression(BOOL)} else "{other}")'
        return f'become({record}, "{one}")'

    def _schedule(self) -> list[str]:
        found = [
            (e, action)
            for e in self._entries
            for record, action in self.declared.due
            if e.kind == ("record", record) and "." not in e.text
        ]
        if not found:
            raise Unavailable
        entry, action = self.choices.pick(found)
        self._read(entry)
        self.used.add("schedule")
        at = (
            self.expression(INSTANT)
            if self._risky()
            else f"tx.time + Duration(seconds={self.choices.pick((5, 1, 900))})"
        )
        return [f'schedule({entry.text}, "{action}", {at})']

    def _create(self) -> list[str]:
        record = self.choices.pick(list(self.declared.records.values()))
        key = self.key(record) if self._risky() else self._fresh(record)
        values: list[str] = []
        for field in record.fields.values():
            if field.name == record.key:
                values.append(f"{field.name}={key}")
            elif field.type.kind[0] != "state" and (field.default is None or self.choices.chance(40)):
                values.append(f"{field.name}={self.fitting(field.type)}")
        if record.states:
            values.append(f'state="{self.choices.pick(record.states)}"')
        if self.choices.chance(30):
            values.reverse()
        made = f"{record.name}.create({', '.join(values)})"
        if len(made) > 170:
            raise Unavailable
        self.used.add("create")
        if self.choices.chance(60):
            name = self.name("v")
            self.know(name, ("record", record.name), is_variable=True)
            return [f"{name} = {made}"]
        return [made]

    def _fresh(self, record: Record) -> str:
        """A key that most likely is free."""
        match record.fields[record.key].type.kind[0]:
            case "int":
                return str(self.choices.integer(4, 60))
            case "text":
                return f'"k{self.choices.integer(0, 60)}"'
        return self.key(record)

    def _interface_action(self) -> list[str]:
        if not self.declared.actions:
            raise Unavailable
        action = self.choices.pick(self.declared.actions)
        self.used.add("interface.action")
        return [f"{action.name}({', '.join(f'{p.name}={self.fitting(p.type, 1)}' for p in action.parameters)})"]
