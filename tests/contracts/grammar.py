"""The grammar of generated tests: whole ledgers, of a library, two contracts, a next version, and calls on them.

Files pass the checker nearly always. Calls make records first and then go where the choices lead: into faults, too.
"""

import hashlib
import re
from typing import Any, NamedTuple, TypeAlias

from tests.contracts import declared as types
from tests.contracts.bodies import DEPTH, Body
from tests.contracts.choices import Choices
from tests.contracts.declared import DATE, INTEGER_MAX, PARTY, TEXT, USER, Declared, Field, Function, Record, Type
from tests.contracts.expressions import Unavailable, is_reference
from tests.contracts.world import MEMBERS, USERS

ATTRIBUTES = {"alice": frozenset({"licence:keep"}), "alice/ann": frozenset({"role:clerk"})}
"""What members and users of the ledger have, so that each role can be held."""
STEPS = 4_000
LINE_CHARS = 150
_WORDS = """
Amount Bytes Contract Date Duration Enum Hash Instant Int Interface Party Record SignedAmount Struct Text User action
become event invariant library migration require schedule sha256 view
"""
_IMPORTABLE = _WORDS.split()


class Library(NamedTuple):
    """A library becomes known."""

    name: str
    source: str


class Deploy(NamedTuple):
    """A contract, or the next version of it."""

    name: str
    source: str


class Invoke(NamedTuple):
    """A call, `after` ms, while contracts are paused; by nobody if ledger time makes it."""

    contract: str
    action: str
    arguments: dict[str, Any]
    by: str | None
    user: str | None
    steps: int
    after: int
    is_view: bool
    paused: tuple[str, ...] = ()


_ANY_INT = Type(types.INT, "int", -INTEGER_MAX - 1, INTEGER_MAX)

Step: TypeAlias = "Library | Deploy | Invoke"


class Generated(NamedTuple):
    """What happens on a ledger, and which constructs of the grammar are in it."""

    steps: list[Step]
    used: set[str]


class Action(NamedTuple):
    """An action or view as a call needs it."""

    name: str
    parameters: list[Field]
    is_view: bool
    by: list[str]


class File(NamedTuple):
    """A contract file and what calls need to know of it."""

    source: str
    declared: Declared
    actions: list[Action]
    keys: dict[str, list[Any]]


def generate(choices: Choices) -> Generated:
    """One ledger."""
    return _Maker(choices).make()


class _Maker:
    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.used: set[str] = set()
        self.risk = choices.pick((2, 6, 0, 15, 40))
        self.names = [0]
        self.library: tuple[str, Declared] | None = None
        self.other: File | None = None

    def make(self) -> Generated:
        choices = self.choices
        steps: list[Step] = []
        if choices.chance(20):
            source, self.library = self._library()
            steps.append(Library("tools", source))
            self.used.add("library")
        if choices.chance(24):
            self.other = self._contract("Other", "other", "1.0.0", None, small=True)
            steps.append(Deploy("other", self.other.source))
            self.used.add("interface")
        main = self._contract("Main", "main", "1.0.0", None)
        steps.append(Deploy("main", main.source))
        steps += self._calls("main", main, 10)
        if self.other is not None:
            steps += self._calls("other", self.other, 3)
        if choices.chance(14):
            main = self._contract("Main", "main", "1.1.0", main)
            steps.append(Deploy("main", main.source))
            if choices.chance(30):
                main = self._contract("Main", "main", "1.2.0", main)
                steps.append(Deploy("main", main.source))
                self.used.add("upgrade.twice")
            steps += self._calls("main", main, 8, is_first=False)
            self.used.add("upgrade")
        return Generated(steps, self.used)

    def _name(self, letter: str) -> str:
        self.names[0] += 1
        return f"{letter}{self.names[0]}"

    def _body(self, declared: Declared, context: Any) -> Body:
        return Body(self.choices, declared, context, self.used, self.risk, names=self.names)

    # Declarations

    def _library(self) -> tuple[str, tuple[str, Declared]]:
        declared = Declared()
        lines: list[str] = []
        lines += self._constants(declared) + self._enum(declared, "Shade") + self._struct(declared, "Spot")
        for _ in range(self.choices.integer(1, 2)):
            lines += self._function(declared)
        source = _source("A library.", lines)
        return source, (hashlib.sha256(source.encode()).hexdigest(), declared)

    def _use_library(self, declared: Declared) -> list[str]:
        """What the library declares, as `tools.Name`."""
        assert self.library is not None
        digest, library = self.library
        full = {name: f"tools.{name}" for name in (*library.enums, *library.structs)}
        declared.enums |= {full[name]: values for name, values in library.enums.items()}
        for name, fields in library.structs.items():
            declared.structs[full[name]] = [f._replace(type=_renamed(f.type, full)) for f in fields]
        declared.constants |= {f"tools.{name}": kind for name, kind in library.constants.items()}
        for function in library.functions:
            parameters = tuple(p._replace(type=_renamed(p.type, full)) for p in function.parameters)
            declared.functions.append(
                function._replace(
                    name=f"tools.{function.name}", parameters=parameters, returns=_renamed(function.returns, full)
                )
            )
        return [f'tools = library("tools", "{digest}")']

    def _constants(self, declared: Declared) -> list[str]:
        lines: list[str] = []
        for _ in range(self.choices.integer(0, 2)):
            name = self._name("C")
            kind, text = self.choices.pick(((types.INT, "17"), (types.INT, "-3"), (TEXT, '"fixed"')))
            declared.constants[name] = kind
            lines.append(f"{name} = {text}")
        return lines

    def _enum(self, declared: Declared, name: str, at: str = "") -> list[str]:
        values = self.choices.pick((["Red", "Blue"], ["One", "Two", "Three"]))
        declared.enums[at + name] = values
        return [f"class {name}(Enum):", *(f'    {value} = "it is {value}"' for value in values), ""]

    def _struct(self, declared: Declared, name: str, at: str = "") -> list[str]:
        fields: list[Field] = []
        lines = [f"class {name}(Struct):"]
        for _ in range(self.choices.integer(1, 3)):
            field = self._field(self._name("f"), types.any_type(self.choices, declared, 1), declared)
            fields.append(field)
            lines.append(f"    {self._written(field, declared)}")
        declared.structs[at + name] = fields
        return [*lines, ""]

    def _field(self, name: str, type: Type, declared: Declared) -> Field:
        return Field(name, type, self._default(type, declared) if self.choices.chance(35) else None)

    def _written(self, field: Field, declared: Declared) -> str:
        default = "" if field.default is None else f" = {field.default}"
        return f"{field.name}: {declared.annotation(field.type)}{default}"

    def _default(self, type: Type, declared: Declared) -> str | None:
        match type.kind[0]:
            case "int":
                return str(self.choices.pick((type.least, min(5, type.most))))
            case "text":
                return '"' + "d" * type.least + '"' if type.least <= 3 else None
            case "bool":
                return self.choices.pick(("False", "True"))
            case "list":
                return "[]"
            case "map":
                return "{}"
            case "opt":
                return "None"
            case "enum":
                return declared.annotation(type) + "." + self.choices.pick(declared.enums[type.kind[1]])
        return None

    def _function(self, declared: Declared) -> list[str]:
        """A pure function; some call themselves."""
        name = self._name("g")
        recursive = self.choices.chance(30)
        body = self._body(declared, "function")
        returns = types.any_type(self.choices, declared, 1, wide=True)
        parameters: list[Field] = []
        if recursive:
            parameters.append(Field(self._name("p"), Type(types.INT, "Int[-9, 99]", -9, 99)))
        for _ in range(self.choices.integer(0 if recursive else 1, 2)):
            parameters.append(Field(self._name("p"), types.any_type(self.choices, declared, 1, wide=True)))
        if returns.kind[0] in ("party", "user", "struct") and not recursive:
            parameters.append(Field(self._name("p"), returns))
        body.returns = returns
        for parameter in parameters:
            body.know(parameter.name, parameter.type.kind, must_read=False)
        lines: list[str] = []
        try:
            if recursive:
                lines = [f"if {parameters[0].name} <= 0:", f"    return {body.fitting(returns, 1)}"]

            def end() -> list[str]:
                if not recursive:
                    return [f"return {body.fitting(returns)}"]
                values = [f"{parameters[0].name} - 1", *(body.fitting(p.type, 1) for p in parameters[1:])]
                again = f"{name}({', '.join(values)})"
                self.used.add("function.recursive")
                if returns.kind[0] == "int":
                    return [f"return ({again} + {body.simple(returns.kind)})"]
                if returns.kind[0] in ("text", "list") and self.choices.chance(50):
                    return [f"return ({again} + {body.simple(returns.kind)})"]
                return [f"return {again}"]

            lines += body.block(DEPTH, self.choices.integer(1, 3), end)
        except Unavailable:
            return []
        declared.functions.append(Function(name, tuple(parameters), returns, depth=recursive))
        self.used.add("function.declared")
        head = ", ".join(f"{p.name}: {p.type.text}" for p in parameters)
        return [f"def {name}({head}) -> {returns.text}:", *("    " + line for line in lines), ""]

    def _records(self, title: str, declared: Declared, count: int) -> None:
        at = title + "."
        for word in ("Loan", "Note", "Item")[:count]:
            key = self.choices.pick(
                (
                    Type(TEXT, "Text[1, 12]", 1, 12),
                    _ANY_INT,
                    Type(TEXT, "Text[1, 12]", 1, 12),
                    Type(types.BYTES, "Hash", 32, 32),
                    Type(DATE, "Date"),
                    Type(USER, "User"),
                    *map(types.enum, sorted(declared.enums)),
                )
            )
            self.used.add(f"key.{key.kind[0]}")
            fields = {"id": Field("id", key), "owner": Field("owner", Type(PARTY, "Party"))}
            if self.choices.chance(15):
                fields["keeper"] = Field("keeper", Type(PARTY, "Party"))
            for _ in range(self.choices.integer(2, 5)):
                name = self._name("f")
                fields[name] = self._field(name, types.any_type(self.choices, declared), declared)
            for other in declared.records.values():
                if self.choices.chance(40):
                    name = self._name("f")
                    reference = Type(("record", other.name), other.bare)
                    if self.choices.chance(50):
                        fields[name] = Field(name, types.optional(reference), "None")
                    else:
                        fields[name] = Field(name, reference)
                    self.used.add("reference")
            able = [f.name for f in fields.values() if _is_index(f.type) and f.name != "id"]
            indexes = self.choices.sample(able, 0, 2)
            self.used |= {f"index.{fields[name].type.kind[0]}" for name in indexes}
            states = ["Open", "Held", "Gone"] if self.choices.chance(50) else []
            record = Record(at + word, "id", fields, indexes, states)
            if states:
                fields["state"] = Field("state", Type(("state", record.name), "state"))
                self.used.add("states")
            declared.records[record.name] = record

    def _record_class(self, record: Record, declared: Declared, migration: list[str]) -> list[str]:
        options = f", index=[{', '.join(f'{name!r}' for name in record.indexes)}]" if record.indexes else ""
        lines = [f'class {record.bare}(Record, key="id"{options}):']
        lines += [f"    {self._written(f, declared)}" for f in record.fields.values() if f.name != "state"]
        if record.states:
            lines += ["    class States:", *(f'        {state}: "it is {state}"' for state in record.states)]
        if self.choices.chance(30):
            body = self._body(declared, "invariant")
            body.know("lc", ("record", record.name), must_read=False)
            made = body.block(DEPTH, self.choices.integer(1, 2))
            if self.choices.chance(30):
                body.know("lc", ("record", record.name), must_read=False)
                made.append(f'require({body.expression(types.BOOL)}, "broken {{id}}", id=lc.id)')
            lines += ["    @invariant", f"    def {self._name('h')}(lc):", *("        " + line for line in made)]
            self.used.add("invariant")
        return [*lines, *("    " + line for line in migration), ""]

    # A contract file

    def _contract(self, title: str, name: str, version: str, before: File | None, *, small: bool = False) -> File:
        choices = self.choices
        declared = Declared(title)
        head: list[str] = []
        nested: list[str] = []
        if before is not None:
            old = before.declared
            declared.enums, declared.structs = dict(old.enums), dict(old.structs)
            declared.constants, declared.functions = {}, []
            head += self._again(old, nested, title)
        else:
            if self.library is not None and (not small or choices.chance(60)):
                head += self._use_library(declared)
            head += self._constants(declared)
            head += self._enum(declared, "Kind")
            if choices.chance(60) and not small:
                head += self._struct(declared, "Terms")
            if choices.chance(30) and not small:
                nested += self._enum(declared, "Mood", f"{title}.")
            if choices.chance(30) and not small:
                nested += self._struct(declared, "Parts", f"{title}.")
        if self.other is not None and not small:
            head += self._interface(declared, self.other)
        if small and choices.chance(40):
            head += [
                'class Back(Interface, contract="main"):',
                "    @view",
                "    def pulse(tx, n: int) -> int: ...",
                "",
            ]
            declared.views.append(Function("Back.pulse", (Field("n", _ANY_INT),), _ANY_INT, by_name=True))
        hidden = {name for name in (*declared.enums, *declared.structs) if name.startswith(f"{title}.")}
        outer = Declared(
            "",
            {k: v for k, v in declared.enums.items() if k not in hidden},
            {k: v for k, v in declared.structs.items() if k not in hidden},
            functions=declared.functions,
            constants=declared.constants,
        )
        for _ in range(choices.pick((1, 0, 0 if small else 2))):
            head += self._function(outer)
        if before is None:
            self._records(title, declared, choices.pick((1, 2, 1, 2, 1 if small else 3)))
        else:
            self._evolve(before.declared, declared)
        declared.due = [(r.name, f"due_{r.bare.lower()}") for r in declared.records.values() if choices.chance(30)]
        for record in declared.records.values():
            migration = [] if before is None else self._migration(before.declared, declared, record, nested)
            nested += self._record_class(record, declared, migration)
        actions, bodies = self._methods(title, declared, small=small)
        roles = [
            "class Roles:",
            "    owner: Party",
            '    keeper: Party = Party(attribute="licence:keep")',
            '    clerk: Party = Party(user="role:clerk")',
            f'    engine: Party = Party(contract="{"main" if small else "other"}")',
            "",
        ]
        body = ["    " + line if line else "" for line in (*roles, *nested, *bodies)]
        source = _source(f"{title}, generated.", [*head, f'class {title}(Contract, version="{version}"):', *body])
        keys = {r.name: types.key_pool(choices, declared, r.fields["id"].type) for r in declared.records.values()}
        return File(source, declared, actions, keys)

    def _again(self, old: Declared, nested: list[str], title: str) -> list[str]:
        """The enums and structs of the version before, as they were."""
        lines: list[str] = []
        if self.library is not None:
            lines.append(f'tools = library("tools", "{self.library[0]}")')
        for name, values in old.enums.items():
            if not name.startswith("tools."):
                into = nested if name.startswith(f"{title}.") else lines
                bare = name.rpartition(".")[2]
                into += [f"class {bare}(Enum):", *(f'    {value} = "it is {value}"' for value in values), ""]
        for name, fields in old.structs.items():
            if not name.startswith("tools."):
                into = nested if name.startswith(f"{title}.") else lines
                bare = name.rpartition(".")[2]
                into += [f"class {bare}(Struct):", *(f"    {self._written(f, old)}" for f in fields), ""]
        return lines

    def _interface(self, declared: Declared, other: File) -> list[str]:
        """What this file expects of the other one; now and then it is mistaken."""
        contract = "missing" if self.choices.chance(6) else "other"
        lines = [f'class Far(Interface, contract="{contract}"):']
        for action in other.actions:
            parameters = [p._replace(type=_as_key(p.type, other.declared)) for p in action.parameters]
            if not all(_is_common(p.type) for p in parameters) or (action.is_view and not action.by):
                continue
            name = "absent" if self.choices.chance(6) else action.name
            written = "".join(f", {p.name}: {p.type.text}" for p in parameters)
            function = Function(f"Far.{name}", tuple(parameters), Type(types.BOOL, "bool"), by_name=True)
            if action.is_view:
                returns = other.declared.views[-1].returns
                if self.choices.chance(20):
                    returns = self.choices.pick((Type(TEXT, "Text[0, 2]", 0, 2), Type(types.INT, "Int[0, 3]", 0, 3)))
                declared.views.append(function._replace(returns=returns))
                lines += ["    @view", f"    def {name}(tx{written}) -> {returns.text}: ..."]
            elif "schedule" not in action.by:
                declared.actions.append(function)
                lines += ["    @action", f"    def {name}(tx{written}): ..."]
        return [*lines, ""] if len(lines) > 1 else []

    def _evolve(self, old: Declared, declared: Declared) -> None:
        """Records of the next version: all fields stay but one, perhaps, and some are new."""
        for record in old.records.values():
            fields = dict(record.fields)
            able = [f for f in fields if f not in ("id", "owner", "state", *record.indexes)]
            if able and self.choices.chance(25):
                del fields[self.choices.pick(able)]
                self.used.add("upgrade.dropped")
            if able and self.choices.chance(40):
                name = self.choices.pick(able)
                if name in fields:
                    fields[name] = self._changed(fields[name])
            for _ in range(self.choices.integer(0, 2)):
                name = self._name("f")
                type = types.any_type(self.choices, declared)
                fields[name] = Field(name, type, self._default(type, declared))
                self.used.add("upgrade.field")
            declared.records[record.name] = Record(record.name, "id", fields, record.indexes, record.states)

    def _changed(self, field: Field) -> Field:
        """A field of the next version that takes less than before, or None besides."""
        type, default = field.type, field.default
        match type.kind[0]:
            case "int" if default is None:
                type = Type(types.INT, "Int[0, 5]", 0, 5)
            case "text" if default is None:
                type = Type(TEXT, "Text[0, 2]", 0, 2)
            case "amount" | "date" | "bool" | "enum" | "party":
                type = types.optional(type)
            case _:
                return field
        self.used.add("upgrade.changed")
        return Field(field.name, type, default)

    def _migration(self, old: Declared, declared: Declared, record: Record, nested: list[str]) -> list[str]:
        """How a record of the version before becomes one of this: needed where a new field has no default."""
        before = old.records[record.name]
        new = [f for name, f in record.fields.items() if name not in before.fields]
        if any(is_reference(field.type.kind) for field in before.fields.values()):
            for field in new:
                if field.default is None:
                    del record.fields[field.name]
            return []
        if all(f.default is not None for f in new) and not self.choices.chance(40):
            return []
        struct = f"{record.bare}_1_0_0"
        fields = [
            Field(f.name, Type(TEXT, "Text[1, 48]", 1, 48) if f.name == "state" else f.type)
            for f in before.fields.values()
        ]
        nested += [f"class {struct}(Struct):", *(f"    {f.name}: {declared.annotation(f.type)}" for f in fields), ""]
        kind = ("struct", f"{declared.title}.{struct}")
        declared.structs[kind[1]] = fields
        body = self._body(declared, "migration")
        body.know("old", kind, must_read=False)
        lines: list[str] = []
        for field in list(new):
            try:
                lines.append(f"lc.{field.name} = {body.fitting(field.type)}")
            except Unavailable:
                if field.default is None:
                    del record.fields[field.name]
        del declared.structs[kind[1]]
        self.used.add("migration")
        if record.states and self.choices.chance(30):
            lines.append(f'become(lc, "{self.choices.pick(record.states)}")')
            self.used.add("migration.become")
        return ["@migration", f"def from_1_0_0(lc, old: {struct}):", *("    " + line for line in lines or ["pass"])]

    # Actions and views

    def _methods(self, title: str, declared: Declared, *, small: bool) -> tuple[list[Action], list[str]]:
        actions: list[Action] = []
        lines: list[str] = []
        for record in declared.records.values():
            for made in (self._creation(declared, record), *(self._due(declared, record, due) for due in declared.due)):
                if made is not None:
                    actions.append(made[0])
                    lines += made[1]
        for at in range(self.choices.pick((1, 1, 1 if small else 2))):
            made = self._action(declared, f"act{at}", small=small)
            if made is not None:
                actions.append(made[0])
                lines += made[1]
        for name in ("peek", "look")[: self.choices.pick((1, 1, 1 if small else 2))]:
            made = self._view(declared, name, small=small)
            if made is not None:
                actions.append(made[0])
                lines += made[1]
                if small:
                    assert made[2] is not None
                    declared.views.append(Function(name, tuple(made[0].parameters), made[2]))
        if not small:
            actions.append(Action("pulse", [Field("n", _ANY_INT)], True, ["view"]))
            lines += ["@view", "def pulse(tx, n: int) -> int:", "    return n + 1", ""]
        return actions, lines

    def _by(self, subject: Record | None, *, small: bool = False) -> list[str]:
        if small and self.choices.chance(60):
            return self.choices.pick((["engine"], ["member", "engine"], ["engine", "keeper"]))
        roles = ["member", "member", "member", "keeper", "clerk"]
        if subject is not None:
            roles += ["owner", "owner"]
        first = "engine" if self.choices.chance(5) else self.choices.pick(roles)
        if self.choices.chance(25):
            second = self.choices.pick([*roles, "engine", "engine"])
            if second != first:
                return [first, second]
        return [first]

    def _creation(self, declared: Declared, record: Record) -> tuple[Action, list[str]] | None:
        """An action that creates the record."""
        by = self._by(record)
        parameters = [Field("lc", Type(("record", record.name), record.bare))]
        body = self._body(declared, "action")
        body.know_tx(is_signed="schedule" not in by)
        lines: list[str] = []
        direct = all(role in ("owner", "member", "clerk", "keeper") for role in by)
        creator = next((role for role in by if role in record.fields), "") if direct else ""
        left: list[Field] = []
        for field in record.fields.values():
            if field.name == "state":
                continue
            if field.type.kind[0] == "record":
                parameters.append(Field(self._name("p"), field.type))
                left.append(field)
            elif field.name == "id" or self.choices.chance(65):
                if field.name != creator or self.choices.chance(30):
                    parameters.append(field)
            elif field.name != creator:
                left.append(field)
        parameters = [p for p in parameters if p.type.kind[0] != "opt" or not is_reference(p.type.kind)]
        for parameter in parameters[1:]:
            body.know(parameter.name, parameter.type.kind, must_read=False)
        body.is_complete = False
        for field in left:
            if field.default is None or self.choices.chance(30):
                try:
                    lines.append(f"lc.{field.name} = {body.fitting(field.type)}")
                except Unavailable:
                    if field.default is None:
                        parameters.append(field)
        body.is_complete = True
        state = [self.choices.pick(record.states)] if record.states else []
        body.know("lc", ("record", record.name), must_read=False)
        body.subject = "lc"
        lines += body.block(DEPTH, self.choices.integer(0, 3))
        self.used.add("creates")
        name = f"make_{record.bare.lower()}"
        options = f', creates="{record.bare}"' + (f', to="{state[0]}"' if state else "")
        return Action(name, parameters[1:], False, by), self._written_action(
            name, parameters, by, options, lines, declared
        )

    def _written_action(
        self, name: str, parameters: list[Field], by: list[str], options: str, lines: list[str], declared: Declared
    ) -> list[str]:
        roles = f'"{by[0]}"' if len(by) == 1 else "[" + ", ".join(f'"{role}"' for role in by) + "]"
        self.used |= {f"by.{role}" for role in by}
        written = "".join(f", {p.name}: {declared.annotation(p.type)}" for p in parameters)
        head = [f"@action(by={roles}{options})", f"def {name}(tx{written}):"]
        if len(lines) > 1:
            lines = [line for line in lines if line != "pass"] or ["pass"]
        if self.choices.chance(10):
            lines = ['"""What it does."""', *lines]
            self.used.add("docstring")
        return [*head, *("    " + line for line in lines), ""]

    def _passed(self, declared: Declared, *, wide: bool = False) -> Type:
        """A type of what passes between the two files: one of a library that both know, or one that is not made."""
        shared = [name for name in sorted((*declared.enums, *declared.structs)) if name.startswith("tools.")]
        if not shared or not self.choices.chance(50):
            return types.scalar(self.choices, wide=wide)
        name = self.choices.pick(shared)
        self.used.add("interface.library")
        return Type(("struct" if name in declared.structs else "enum", name), name)

    def _due(self, declared: Declared, record: Record, due: tuple[str, str]) -> tuple[Action, list[str]] | None:
        """What ledger time does."""
        if due[0] != record.name:
            return None
        parameters = [Field("lc", Type(("record", record.name), record.bare))]
        by = ["schedule", "owner"] if self.choices.chance(30) else ["schedule"]
        body = self._body(declared, "action")
        body.know_tx(is_signed=len(by) > 1)
        body.know("lc", ("record", record.name), must_read=False)
        body.subject = "lc"
        lines = body.block(DEPTH, self.choices.integer(1, 3))
        return Action(due[1], parameters, False, by), self._written_action(due[1], parameters, by, "", lines, declared)

    def _action(self, declared: Declared, name: str, *, small: bool) -> tuple[Action, list[str]] | None:
        choices = self.choices
        records = list(declared.records.values())
        body = self._body(declared, "action")
        body.know_tx(is_signed=True)
        parameters: list[Field] = []
        subject: Record | None = None
        options = ""
        to: list[str] = []
        if choices.chance(75):
            subject = choices.pick(records)
            parameters.append(Field("lc", Type(("record", subject.name), subject.bare)))
            body.subject = "lc"
            if subject.states and choices.chance(50):
                on = choices.sample(subject.states, 1, 3)
                options += f", on={_texts(on)}"
                self.used.add("on")
            if subject.states and choices.chance(60):
                to = choices.sample(subject.states, 1, 2)
                options += f", to={_texts(to)}"
                self.used.add("to.several" if len(to) > 1 else "to")
            if choices.chance(20):
                other = choices.pick(records)
                parameters.append(Field("second", Type(("record", other.name), other.bare)))
        for _ in range(choices.integer(0, 3)):
            type = self._passed(declared) if small else types.any_type(choices, declared)
            parameters.append(Field(self._name("p"), type))
        by = self._by(subject, small=small)
        for parameter in parameters:
            body.know(parameter.name, parameter.type.kind, must_read=False)
        body.early = len(to) < 2

        def end() -> list[str]:
            return [body.become("lc", to)] if len(to) > 1 or choices.chance(20) else []

        try:
            lines = body.block(DEPTH, choices.integer(2, 5), end if to else None)
        except Unavailable:
            return None
        return Action(name, parameters, False, by), self._written_action(name, parameters, by, options, lines, declared)

    def _view(self, declared: Declared, name: str, *, small: bool) -> tuple[Action, list[str], Type] | None:
        choices = self.choices
        body = self._body(declared, "view")
        body.know_tx(is_signed=True)
        record = choices.pick(list(declared.records.values()))
        parameters: list[Field] = []
        if choices.chance(50) and not small:
            parameters.append(Field("lc", Type(("record", record.name), record.bare)))
        for _ in range(choices.integer(0, 2)):
            type = self._passed(declared) if small else types.any_type(choices, declared)
            parameters.append(Field(self._name("p"), type))
        for parameter in parameters:
            body.know(parameter.name, parameter.type.kind, must_read=False)
        returns = self._passed(declared, wide=True) if small else types.any_type(choices, declared)
        if returns.kind[0] == "user":
            returns = Type(PARTY, "Party")
        body.returns = returns
        try:
            lines = body.block(DEPTH, choices.integer(1, 4), lambda: [f"return {body.fitting(returns)}"])
            if small and declared.views and choices.chance(40):
                lines.insert(0, 'require(Back.pulse(n=1) == 2, "it answers")')
                self.used.add("interface.back")
        except Unavailable:
            returns = _ANY_INT
            lines, parameters = ["return len(str(7))"], []
        written = "".join(f", {p.name}: {declared.annotation(p.type)}" for p in parameters)
        head = ["@view", f"def {name}(tx{written}) -> {declared.annotation(returns)}:"]
        self.used.add("view")
        return Action(name, parameters, True, ["view"]), [*head, *("    " + line for line in lines), ""], returns

    # Calls

    def _calls(self, contract: str, file: File, count: int, *, is_first: bool = True) -> list[Step]:
        """Records are made first, then anything."""
        creating = [a for a in file.actions if a.name.startswith("make_")]
        calls: list[Step] = []
        for action in creating if is_first else ():
            for at in range(self.choices.integer(1, 2)):
                calls.append(self._invoke(contract, file, action, at))
        others = [a for a in file.actions if a not in creating]
        for _ in range(self.choices.integer(2, count)):
            actions = creating if not others or self.choices.chance(8) else others
            calls.append(self._invoke(contract, file, self.choices.pick(actions), None))
        return calls

    def _invoke(self, contract: str, file: File, action: Action, at: int | None) -> Invoke:
        choices = self.choices
        arguments: dict[str, Any] = {}
        for parameter in action.parameters:
            if at is not None and parameter.name == "id":
                pool = next(
                    pool for name, pool in file.keys.items() if name.endswith("." + action.name[5:].capitalize())
                )
                arguments["id"] = pool[min(at, len(pool) - 1)]
            elif parameter.name in ("owner", "keeper") and choices.chance(85):
                arguments[parameter.name] = MEMBERS[0]
            elif parameter.type.kind[0] == "record" and choices.chance(85):
                arguments[parameter.name] = file.keys[parameter.type.kind[1]][0]
            else:
                arguments[parameter.name] = types.plain(choices, file.declared, parameter.type, file.keys)
        if choices.chance(4):
            odd = choices.pick((None, -1, "", [], {"minor": -1, "currency": "eur"}, "nobody", 2**63 - 1, True, b""))
            arguments[choices.pick([*arguments, "unknown"])] = odd
            self.used.add("call.odd_argument")
        if arguments and choices.chance(1):
            del arguments[choices.pick(list(arguments))]
        for parameter in action.parameters:
            if parameter.type.kind[0] == "opt" and choices.chance(20):
                arguments.pop(parameter.name, None)
        user = None
        by: str | None = MEMBERS[0]
        if "clerk" in action.by and choices.chance(80):
            user = USERS[0]
        elif choices.chance(8):
            by, user = choices.pick((("bob", None), ("bob", USERS[1]), ("carol", None), ("alice", USERS[0])))
        if "schedule" in action.by and choices.chance(85):
            by = user = None
        steps = STEPS
        if choices.chance(20 if at is None else 4):
            steps = choices.integer(0, 700)
        elif choices.chance(40 if "stress.records" in self.used else 4):
            steps = 10 * STEPS
        after = choices.pick((1000, 0, 86_400_000, 7_000))
        paused: tuple[str, ...] = ()
        if choices.chance(3):
            paused = (choices.pick(("main", "other")),)
            self.used.add("call.paused")
        return Invoke(contract, action.name, arguments, by, user, steps, after, action.is_view, paused)


def _source(doc: str, lines: list[str]) -> str:
    """A file of these lines, with what they use imported."""
    text = "\n".join(lines)
    words = set(re.findall(r"\w+", text))
    imports = f"from hansa.contract import ({', '.join(name for name in _IMPORTABLE if name in words)})"
    return wrapped(f'"""{doc}"""\n{imports}\n\n{text}\n')


def wrapped(text: str) -> str:
    """A file whose long lines are broken behind a comma."""
    broken: list[str] = []
    for line in text.splitlines():
        rest = line
        while len(rest) > LINE_CHARS:
            at = rest.rindex(", ", 0, LINE_CHARS) + 1
            broken.append(rest[:at])
            rest = "        " + rest[at:]
        broken.append(rest)
    return "\n".join(broken) + "\n"


def _texts(values: list[str]) -> str:
    return f'"{values[0]}"' if len(values) == 1 else "[" + ", ".join(f'"{value}"' for value in values) + "]"


def _is_index(type: Type) -> bool:
    if type.kind[0] == "opt":
        return _is_index(type.parts[0])
    return type.kind[0] in ("int", "bool", "date", "instant", "party", "user", "enum", "record", "duration") or (
        type.kind[0] in ("text", "bytes") and type.most <= 64
    )


def _is_common(type: Type) -> bool:
    """Whether another file can write the type."""
    return not any(
        part[0] in ("enum", "struct", "record") and not str(part[1]).startswith("tools.") for part in _kinds(type.kind)
    )


def _kinds(kind: types.Kind) -> list[types.Kind]:
    return [kind, *(inner for part in kind[1:] if isinstance(part, tuple) for inner in _kinds(part))]


def _as_key(type: Type, declared: Declared) -> Type:
    return declared.records[type.kind[1]].fields["id"].type if type.kind[0] == "record" else type


def _renamed(type: Type, names: dict[str, str]) -> Type:
    """A type of a library as the file that uses it writes it."""
    if type.kind[0] in ("enum", "struct"):
        name = names[type.kind[1]]
        return Type((type.kind[0], name), name)
    parts = tuple(_renamed(part, names) for part in type.parts)
    match type.kind[0]:
        case "opt":
            return types.optional(parts[0])
        case "list":
            return types.list_of(parts[0], type.most)
        case "map":
            return types.map_of(parts[0], parts[1], type.most)
    return type
