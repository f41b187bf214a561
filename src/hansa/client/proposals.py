"""Proposals as people write them, JSON lists of named actions, to and from the steps that the ledger takes.

One table has an entry for each action: what may be proposed, its JSON Schema, the reading of what was written with
every problem at once, and the JSON of what stands on the ledger all come from it. Whether a proposal makes sense on a
ledger is for that ledger's own contract `members` and its constitution to say; here only its form is looked at.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# What people write is dynamic: its type is what this module finds out.

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from hansa.client import arguments
from hansa.client.words import hint
from hansa.wire import keys, names
from hansa.wire.genesis import Limits
from hansa.wire.limits import (
    ATTRIBUTE_CHARS_MAX,
    INSTANT_MAX,
    JSON_INTEGER_MAX,
    LOCK_MS_MAX,
    LOCK_MS_MIN,
    SOURCE_CHARS_MAX,
    WEIGHT_MAX,
)
from hansa.wire.problems import HansaError
from hansa.wire.session import ALGORITHMS

Schema: TypeAlias = dict[str, Any]
Step: TypeAlias = dict[str, Any]
"""One action as the contract `members` takes it: all fields of its struct `Step`, plain."""

ACTIONS_MAX: Final = 32
"""Actions of one proposal."""
TITLE_CHARS_MAX: Final = 80
"""A proposal's title, and the name of a member or user."""
KEYS_MAX: Final = 8
"""Keys that one action registers."""
ATTRIBUTES_MAX: Final = 32
"""What one member or user has."""
RULES_MAX: Final = 11
"""Claim rules of one issuer: what a step's texts have room for beside the issuer's own."""
PROBLEMS_MAX: Final = 100
"""Of one proposal, told at once."""
PURPOSES: Final = ("governance", "transaction")
"""What keys are registered for by vote, or by their own member; those of nodes are registered by their member."""

_MOMENT: Final = (
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,3})?([Zz]|[+-][0-9]{2}:[0-9]{2}))?$"
)
_ATTRIBUTE: Final = r"[a-z0-9][a-z0-9:._-]*"
_HEX: Final = re.compile(r"([0-9a-f]{2})+\Z")


_Problems: TypeAlias = list[tuple[str, str]]
"""Where in the JSON something is wrong, and what."""


class Wrong(Exception):
    """What is wrong with one value, in words."""


class Kind(msgspec.Struct, frozen=True):
    """A kind of value: its JSON Schema, how it is read at a place in the JSON, and how it is written as JSON.

    `read` adds what is wrong to a list of problems.
    """

    schema: Schema
    read: Callable[[Any, str, _Problems], Any]
    show: Callable[[Any], Any] = lambda value: value


class Argument(msgspec.Struct, frozen=True):
    """An argument of an action. `into`: the field of the step that holds it, or `texts.NAME`, `numbers.NAME`.

    `texts.NAME*` holds a list, an item in each text whose name begins so.
    """

    into: str
    kind: Kind
    about: str
    required: bool = True

    @property
    def schema(self) -> Schema:
        """Its JSON Schema."""
        return {**self.kind.schema, "description": self.about}


class Action(msgspec.Struct, frozen=True):
    """An action that can be proposed. `some`: of arguments that are not required, at least one is."""

    about: str
    arguments: dict[str, Argument]
    some: bool = False


# Kinds of arguments


def _whole(schema: Schema, read: Callable[[Any], Any]) -> Kind:
    """The kind of a value without parts; `read` raises `Wrong`."""

    def read_at(value: Any, at: str, problems: _Problems) -> Any:
        try:
            return read(value)
        except Wrong as wrong:
            problems.append((at, str(wrong)))
            return None

    return Kind(schema, read_at)


def _text(least: int, most: int, what: str = "text", pattern: str = "") -> Kind:
    form = re.compile(rf"(?:{pattern})\Z") if pattern else None

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise Wrong(f"must be {what}" if what != "text" else "must be text")
        if form is not None and form.match(value) is None:
            raise Wrong(f"{value[:60]!a} is not {what}")
        if not least <= len(value) <= most:
            raise Wrong(f"must have {least} to {most} characters, not {len(value)}")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Wrong("is not text that UTF-8 can hold") from None
        return value

    schema: Schema = {"type": "string", "minLength": least, "maxLength": most}
    return _whole(schema | ({"pattern": f"^(?:{pattern})$"} if pattern else {}), read)


def _number(least: int, most: int) -> Kind:
    def read(value: Any) -> int:
        if type(value) is not int:
            raise Wrong("must be a whole number")
        if not least <= value <= most:
            raise Wrong(f"must lie within {least} and {most}")
        return value

    number = {"type": "integer", "minimum": max(least, -JSON_INTEGER_MAX), "maximum": min(most, JSON_INTEGER_MAX)}
    return _whole(number, read)


def _moment(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Wrong("must be a time such as 2030-01-31T12:00:00Z, or milliseconds since 1970")
    try:
        found = arguments.moment(value) if isinstance(value, str) else value
    except HansaError as error:
        raise Wrong(error.detail) from None
    if not 0 <= found <= INSTANT_MAX:
        raise Wrong("must lie within the years 1970 and 9999")
    return found


INSTANT: Final = _whole(
    {
        "anyOf": [
            {"type": "string", "pattern": _MOMENT, "description": "RFC 3339, such as 2030-01-31T12:00:00Z"},
            {"type": "integer", "minimum": 0, "maximum": INSTANT_MAX, "description": "ms since 1970 UTC"},
        ]
    },
    _moment,
)
_MEMBER: Final = _text(1, 32, "the name of a member: lower-case letters, digits and hyphens", names.MEMBER)
_NODE: Final = _text(1, 32, "the name of a node: lower-case letters, digits and hyphens", names.MEMBER)
_USER: Final = _text(3, 65, "the name of a user, such as northbank/ana", names.USER)
_CONTRACT: Final = _text(1, 48, "the name of a contract: lower-case letters, digits, underscores", "[a-z][a-z0-9_]*")
_TITLE: Final = _text(1, TITLE_CHARS_MAX)
_SOURCE: Final = _text(1, SOURCE_CHARS_MAX)
_WEIGHT: Final = _number(0, WEIGHT_MAX)
_LOCK: Final = _number(LOCK_MS_MIN, LOCK_MS_MAX)
_ISSUER: Final = _text(
    1, 64, "the name of an issuer: lower-case letters, digits, dots and hyphens", "[a-z0-9][a-z0-9.-]*"
)


def _read_attribute(value: Any) -> str:
    if not isinstance(value, str) or re.fullmatch(_ATTRIBUTE, value) is None or len(value) > ATTRIBUTE_CHARS_MAX:
        raise Wrong(f"{str(value)[:60]!a} is no attribute: write it in lower case, such as licence:bank")
    return value


def _read_attributes(value: Any, at: str, problems: _Problems) -> list[str]:
    found = _items(_ATTRIBUTE_KIND, value, at, problems, 0, ATTRIBUTES_MAX)
    return sorted({one for one in found if isinstance(one, str)})


def _items(kind: Kind, value: Any, at: str, problems: _Problems, least: int, most: int) -> list[Any]:
    """The items of a list, each read; None in the place of those that are wrong."""
    if not isinstance(value, list):
        problems.append((at, "must be a list"))
        return []
    if not least <= len(value) <= most:
        problems.append((at, f"must have {least} to {most} items, not {len(value)}"))
    return [_taken(kind, item, f"{at}[{place}]", problems) for place, item in enumerate(value[:most])]


_ATTRIBUTE_KIND: Final = _whole(
    {"type": "string", "pattern": f"^{_ATTRIBUTE}$", "minLength": 1, "maxLength": ATTRIBUTE_CHARS_MAX}, _read_attribute
)
_ATTRIBUTES: Final = Kind(
    {"type": "array", "items": _ATTRIBUTE_KIND.schema, "maxItems": ATTRIBUTES_MAX}, _read_attributes
)


def public_key(text: Any) -> bytes:
    """The SubjectPublicKeyInfo of a public key as PEM or in hexadecimal, fit to be registered. Raises `Wrong`."""
    if not isinstance(text, str):
        raise Wrong("must be a public key, as PEM or as hexadecimal SubjectPublicKeyInfo")
    try:
        if text.lstrip().startswith("-----BEGIN"):
            if "PRIVATE" in text:
                raise Wrong("is a private key, which stays with its owner; give the public one")
            return keys.registrable(keys.public_key_from_pem(text.encode()).spki).spki
        if _HEX.match(text) is None:
            raise Wrong("is no public key, neither as PEM nor as hexadecimal SubjectPublicKeyInfo")
        return keys.registrable(bytes.fromhex(text)).spki
    except (HansaError, UnicodeEncodeError) as error:
        raise Wrong(error.detail if isinstance(error, HansaError) else "is not text") from None


def _read_purpose(value: Any) -> str:
    if value not in PURPOSES:
        raise Wrong(f"must be one of {', '.join(PURPOSES)}")
    return value


_SPKI: Final = _whole({"type": "string", "pattern": "^([0-9a-f]{2})+$"}, public_key)
_PURPOSE: Final = _whole({"enum": list(PURPOSES)}, _read_purpose)
_KEY_FIELDS: Final = {"purpose": _PURPOSE, "pem": _SPKI, "spki": _SPKI, "expires": INSTANT}


def _read_key(value: Any, at: str, problems: _Problems) -> dict[str, Any]:
    if not isinstance(value, dict):
        problems.append((at, "must be a map with `purpose`, and the public key as `pem` or `spki`"))
        return {}
    for name in sorted(map(str, value.keys() - _KEY_FIELDS.keys())):
        problems.append((f"{at}.{name[:40]}", f"a key has no such field; {hint(name, list(_KEY_FIELDS))}"))
    given = {name: value[name] for name in _KEY_FIELDS if name in value}
    if "purpose" not in given:
        problems.append((f"{at}.purpose", f"is missing: one of {', '.join(PURPOSES)}"))
    if ("spki" in given) == ("pem" in given):
        problems.append((at, "give the public key either as `pem` or as `spki`"))
    found = {name: _taken(_KEY_FIELDS[name], one, f"{at}.{name}", problems) for name, one in given.items()}
    return {
        "purpose": found.get("purpose"),
        "spki": found.get("pem") or found.get("spki"),
        "expires": found.get("expires"),
    }


def _read_keys(value: Any, at: str, problems: _Problems) -> list[dict[str, Any]]:
    found = _items(_KEY, value, at, problems, 1, KEYS_MAX)
    given = [one["spki"] for one in found if one and one.get("spki")]
    if len(set(given)) < len(given):
        problems.append((at, "names one key twice: a key is registered once, for one purpose"))
    return found


def _show_keys(value: Any) -> Any:
    return [
        {"purpose": one["purpose"], "spki": one["spki"]}
        | ({} if one.get("expires") is None else {"expires": one["expires"]})
        for one in value
    ]


_KEY_SCHEMA: Final[Schema] = {
    "type": "object",
    "properties": {
        "purpose": {"enum": list(PURPOSES)},
        "pem": {"type": "string", "description": "The public key as PEM."},
        "spki": {"type": "string", "pattern": "^([0-9a-f]{2})+$", "description": "Or its SubjectPublicKeyInfo."},
        "expires": {**INSTANT.schema, "description": "When it should have been replaced: only warns before."},
    },
    "required": ["purpose"],
    "oneOf": [{"required": ["pem"]}, {"required": ["spki"]}],
    "additionalProperties": False,
}
_KEY: Final = Kind(_KEY_SCHEMA, _read_key)
_KEYS: Final = Kind(
    {"type": "array", "items": _KEY_SCHEMA, "minItems": 1, "maxItems": KEYS_MAX}, _read_keys, _show_keys
)


def _read_algorithms(value: Any, at: str, problems: _Problems) -> str:
    found = _items(_ALGORITHM, value, at, problems, 1, len(ALGORITHMS))
    return ",".join(one for one in found if isinstance(one, str))


def _read_algorithm(value: Any) -> str:
    if value not in ALGORITHMS:
        raise Wrong(f"must be one of {', '.join(ALGORITHMS)}")
    return value


_ALGORITHM: Final = _whole({"enum": list(ALGORITHMS)}, _read_algorithm)
_ALGORITHMS: Final = Kind(
    {"type": "array", "items": _ALGORITHM.schema, "minItems": 1, "maxItems": len(ALGORITHMS)},
    _read_algorithms,
    lambda value: value.split(","),
)
_LINE: Final = r"[^\r\n]+"
_RULE_FIELDS: Final = {
    "claim": _text(1, 100, "one line of text", _LINE),
    "value": _text(1, 200, "one line of text", _LINE),
    "attribute": _ATTRIBUTE_KIND,
}


def _read_rule(value: Any, at: str, problems: _Problems) -> str:
    if not isinstance(value, dict) or value.keys() != _RULE_FIELDS.keys():
        problems.append((at, "must be a map with `claim`, `value` and `attribute`"))
        return ""
    return "\n".join(str(_taken(kind, value[name], f"{at}.{name}", problems)) for name, kind in _RULE_FIELDS.items())


def _read_rules(value: Any, at: str, problems: _Problems) -> dict[str, str]:
    found = _items(_RULE, value, at, problems, 0, RULES_MAX)
    return {f"rule{place:02}": one for place, one in enumerate(found)}


def _show_rules(texts: Mapping[str, str]) -> Any:
    return [dict(zip(_RULE_FIELDS, texts[name].split("\n"), strict=False)) for name in sorted(texts)]


_RULE: Final = Kind(
    {
        "type": "object",
        "properties": {name: kind.schema for name, kind in _RULE_FIELDS.items()},
        "required": list(_RULE_FIELDS),
        "additionalProperties": False,
    },
    _read_rule,
)
_RULES: Final = Kind({"type": "array", "items": _RULE.schema, "maxItems": RULES_MAX}, _read_rules, _show_rules)


def _limits() -> dict[str, Argument]:
    """An argument for each limit of a ledger, within what the wire allows."""
    properties: dict[str, Any] = msgspec.json.schema(Limits)["$defs"]["Limits"]["properties"]
    return {
        name: Argument(f"numbers.{name}", _number(bounds["minimum"], bounds["maximum"]), _LIMITS[name], required=False)
        for name, bounds in properties.items()
    }


_LIMITS: Final = {
    "block_entries": "Transactions of one block at most.",
    "block_bytes": "Bytes of one block's envelopes together, at most.",
    "block_steps": "Steps of one block's transactions together, at most.",
    "transaction_bytes": "Bytes of one envelope at most.",
    "transaction_steps": "Steps of one transaction at most.",
    "scheduled_entries": "What ledger time takes in one block at most.",
    "scheduled_steps": "Steps of each of these at most.",
}


def _member(about: str) -> Argument:
    return Argument("subject", _MEMBER, about)


def _optional(into: str, kind: Kind, about: str) -> Argument:
    return Argument(into, kind, about, required=False)


# The table

ACTIONS: Final[Mapping[str, Action]] = {
    "set_member": Action(
        "Admit a member.",
        {
            "member_id": _member("Its short name, new on this ledger for ever."),
            "name": Argument("title", _TITLE, "Its name as people read it."),
            "keys": Argument("keys", _KEYS, "At least one each for governance and for transactions."),
            "attributes": _optional("attributes", _ATTRIBUTES, "What roles ask for; none by default."),
            "weight": _optional("weight", _WEIGHT, "Its weight in constitutions that count weights; 1 by default."),
        },
    ),
    "remove_member": Action(
        "Remove a member: none of its keys, and none of its users', counts from the next entry on. Its nodes are "
        "retired.",
        {"member_id": _member("The member.")},
    ),
    "set_member_data": Action(
        "Change a member's name, attributes or weight. What is not given stays.",
        {
            "member_id": _member("The member."),
            "name": _optional("title", _TITLE, "Its new name as people read it."),
            "attributes": _optional("attributes", _ATTRIBUTES, "All its attributes from then on."),
            "weight": _optional("weight", _WEIGHT, "Its new weight."),
        },
        some=True,
    ),
    "set_member_keys": Action(
        "Restore a member that lost its keys: registers these and revokes its others of the same purposes.",
        {"member_id": _member("The member."), "keys": Argument("keys", _KEYS, "Its new keys.")},
    ),
    "trust_node": Action(
        "Trust a node that its member registered and said to be ready: it signs for the member, and orders with its "
        "part of the member's power.",
        {"node_id": Argument("subject", _NODE, "The node.")},
    ),
    "retire_node": Action(
        "Retire a node for good: it is let in no more, and nothing that it signs from the next entry on counts.",
        {"node_id": Argument("subject", _NODE, "The node.")},
    ),
    "set_user": Action(
        "Add a user of a member.",
        {
            "user_id": Argument("subject", _USER, "The member's name, a slash, and the user's own."),
            "name": Argument("title", _TITLE, "The user's name as people read it."),
            "keys": _optional("keys", _KEYS, "Its keys, for transactions."),
            "attributes": _optional("attributes", _ATTRIBUTES, "What roles ask of users; none by default."),
        },
    ),
    "remove_user": Action(
        "Remove a user: none of its keys counts from the next entry on.",
        {"user_id": Argument("subject", _USER, "The user.")},
    ),
    "set_user_data": Action(
        "Change a user's name or attributes. What is not given stays.",
        {
            "user_id": Argument("subject", _USER, "The user."),
            "name": _optional("title", _TITLE, "Its new name as people read it."),
            "attributes": _optional("attributes", _ATTRIBUTES, "All its attributes from then on."),
        },
        some=True,
    ),
    "set_contract": Action(
        "Deploy a contract, or upgrade it if it is there.",
        {
            "name": Argument("subject", _CONTRACT, "The contract's name."),
            "source": Argument("source", _SOURCE, "Its file."),
        },
    ),
    "set_library": Action(
        "Put a library on the ledger, for contracts to use.",
        {
            "name": Argument("subject", _CONTRACT, "The library's name."),
            "source": Argument("source", _SOURCE, "Its file."),
        },
    ),
    "pause_contract": Action(
        "Pause a contract: its actions are refused, its views go on.",
        {"name": Argument("subject", _CONTRACT, "The contract.")},
    ),
    "resume_contract": Action(
        "End a contract's pause.",
        {"name": Argument("subject", _CONTRACT, "The contract.")},
    ),
    "set_constitution": Action(
        "Change the constitution: what proposals and votes need. Takes effect after the time lock.",
        {
            "source": _optional("source", _SOURCE, "Its file: `validate`, `resolve` and `apply`."),
            "lock_ms": _optional("numbers.lock_ms", _LOCK, "The time lock of the next change, in ms."),
        },
        some=True,
    ),
    "set_jwt_issuer": Action(
        "Let an issuer of ID tokens (OpenID Connect) sign in users of a member, or change how.",
        {
            "issuer_id": Argument("subject", _ISSUER, "Its short name on this ledger."),
            "member_id": Argument("texts.member", _MEMBER, "The member whose users it signs in."),
            "issuer": Argument("texts.url", _text(1, 300), "Its URL, the `iss` of its tokens."),
            "tenant": _optional("texts.tenant", _text(1, 100), "The only tenant that counts, the `tid` of its tokens."),
            "audience": Argument("texts.audience", _text(1, 200), "Whom its tokens are for, their `aud`."),
            "algorithms": Argument("texts.algorithms", _ALGORITHMS, "By which it signs them."),
            "rules": _optional("texts.rule*", _RULES, "Which value of which claim gives a user which attribute."),
        },
    ),
    "remove_jwt_issuer": Action(
        "Let an issuer of ID tokens sign in nobody any more.",
        {"issuer_id": Argument("subject", _ISSUER, "The issuer.")},
    ),
    "set_limits": Action(
        "Change what blocks and transactions may hold. What is not given stays.", _limits(), some=True
    ),
    "set_reference": Action(
        "Put reference data on the ledger, or replace it: a calendar, a rate table, a time zone.",
        {
            "name": Argument("subject", _text(1, 100), "Its name."),
            "valid_from": Argument("numbers.valid_from", INSTANT, "From when it is valid, by ledger time."),
            "data": Argument("source", _text(0, 16_384), "The data."),
        },
    ),
}
_ELSEWHERE: Final = {
    "exclude_transaction": "is decided while the ledger stands still: members sign with `hansa tx exclude`",
}

EMPTY: Final[Step] = {
    "name": "",
    "subject": "",
    "title": "",
    "attributes": None,
    "weight": None,
    "keys": [],
    "source": "",
    "texts": {},
    "numbers": {},
}


# Reading


class Written(msgspec.Struct, frozen=True):
    """A proposal as it was written: its title, its steps, and until when it may be voted on (ms), None by default."""

    title: str
    steps: list[Step]
    closes: int | None


def read(proposal: Any) -> Written:
    """A proposal from JSON: `actions`, and perhaps `title` and `closes`.

    Raises `HansaError` `proposal.form` with every problem, each behind its place such as `$.actions[0].args.name`.
    """
    problems: _Problems = []
    if not isinstance(proposal, dict):
        raise _refusal([("$", 'must be a map such as {"actions": [{"name": "remove_member", "args": {...}}]}')])
    for name in sorted(map(str, proposal.keys() - {"actions", "title", "closes"})):
        problems.append((f"$.{name[:40]}", f"there is no such field; {hint(name, ['actions', 'title', 'closes'])}"))
    steps = _steps(proposal.get("actions"), problems)
    title = _taken(_TITLE, proposal["title"], "$.title", problems) if "title" in proposal else None
    closes = _taken(INSTANT, proposal["closes"], "$.closes", problems) if "closes" in proposal else None
    if problems:
        raise _refusal(problems)
    return Written(title or _title(steps), steps, closes)


def _refusal(problems: _Problems) -> HansaError:
    told = [f"{at}: {wrong}" for at, wrong in problems[:PROBLEMS_MAX]]
    return HansaError("proposal.form", "; ".join(told), problems=told)


def _steps(actions: Any, problems: _Problems) -> list[Step]:
    if not isinstance(actions, list):
        problems.append(("$.actions", "must be a list of actions, each with `name` and `args`"))
        return []
    if not 1 <= len(actions) <= ACTIONS_MAX:
        problems.append(("$.actions", f"must have 1 to {ACTIONS_MAX} actions, not {len(actions)}"))
    return [_step(action, f"$.actions[{place}]", problems) for place, action in enumerate(actions[:ACTIONS_MAX])]


def _step(action: Any, at: str, problems: _Problems) -> Step:
    step = {**EMPTY, "keys": [], "texts": {}, "numbers": {}}
    if not isinstance(action, dict):
        problems.append((at, "must be a map with `name` and `args`"))
        return step
    for name in sorted(map(str, action.keys() - {"name", "args"})):
        problems.append((f"{at}.{name[:40]}", "there is no such field; an action has `name` and `args`"))
    name, given = action.get("name"), action.get("args", {})
    known = ACTIONS.get(name) if isinstance(name, str) else None
    if known is None:
        problems.append((f"{at}.name", _no_action(name)))
        return step
    if not isinstance(given, dict):
        problems.append((f"{at}.args", "must be a map"))
        return step
    step["name"] = name
    for argument in sorted(map(str, given.keys() - known.arguments.keys())):
        near = hint(argument, list(known.arguments))
        problems.append((f"{at}.args.{argument[:40]}", f"{name} has no such argument; {near}"))
    for argument, declared in known.arguments.items():
        place = f"{at}.args.{argument}"
        if argument in given:
            _put(step, declared.into, _taken(declared.kind, given[argument], place, problems))
        elif declared.required:
            problems.append((place, "is missing"))
    if known.some and not any(n in given for n, a in known.arguments.items() if not a.required):
        optional = ", ".join(n for n, a in known.arguments.items() if not a.required)
        problems.append((f"{at}.args", f"changes nothing; give at least one of {optional}"))
    return step


def _no_action(name: Any) -> str:
    if not isinstance(name, str):
        return "must be the name of an action"
    if name in _ELSEWHERE:
        return f"{name} {_ELSEWHERE[name]}"
    return f"there is no action {name[:40]!a}; {hint(name, list(ACTIONS))}"


def _taken(kind: Kind, value: Any, at: str, problems: _Problems) -> Any:
    if isinstance(value, dict) and value.keys() == {"file"}:
        problems.append((at, "only the command line reads files; put the text here"))
        return None
    return kind.read(value, at, problems)


def _put(step: Step, into: str, value: Any) -> None:
    field, _, name = into.partition(".")
    if name.endswith("*"):
        step[field] |= value or {}
    elif name:
        step[field][name] = value
    else:
        step[field] = value


def _got(step: Step, into: str) -> Any:
    field, _, name = into.partition(".")
    value = step.get(field)
    if not name:
        return value
    if name.endswith("*"):
        return {one: text for one, text in (value or {}).items() if one.startswith(name[:-1])} or None
    return None if value is None else value.get(name)


def _title(steps: list[Step]) -> str:
    """What a proposal is called whose proposer gave it no title: what it does, as far as there is room."""
    told = ", ".join(f"{step['name']} {step['subject']}".strip() for step in steps)
    return told if len(told) <= TITLE_CHARS_MAX else told[: TITLE_CHARS_MAX - 3] + "..."


# Writing


def shown(steps: list[Step]) -> dict[str, Any]:
    """The JSON form of steps as the ledger has them: what `read` takes, but for steps of a newer ledger's own."""
    return {"actions": [_shown(step) for step in steps]}


def _shown(step: Step) -> dict[str, Any]:
    known = ACTIONS.get(step["name"])
    if known is None:
        return {"name": step["name"], "args": {n: v for n, v in step.items() if n != "name" and v != EMPTY.get(n)}}
    found: dict[str, Any] = {}
    for name, argument in known.arguments.items():
        value = _got(step, argument.into)
        is_absent = value is None or (not argument.required and value == EMPTY.get(argument.into, ...))
        if not is_absent:
            found[name] = argument.kind.show(value)
    return {"name": step["name"], "args": found}


def schema() -> Schema:
    """The JSON Schema (2020-12) of a proposal as `read` takes it."""
    return {
        "type": "object",
        "properties": {
            "title": {**_TITLE.schema, "description": "What it is called; by default what it does."},
            "closes": {
                **INSTANT.schema,
                "description": "Until when it may be voted on; 30 days by default, 90 at most.",
            },
            "actions": {
                "type": "array",
                "minItems": 1,
                "maxItems": ACTIONS_MAX,
                "items": {"oneOf": [_action_schema(name, action) for name, action in ACTIONS.items()]},
            },
        },
        "required": ["actions"],
        "additionalProperties": False,
    }


def _action_schema(name: str, action: Action) -> Schema:
    required = [n for n, a in action.arguments.items() if a.required]
    arguments: Schema = {
        "type": "object",
        "properties": {n: a.schema for n, a in action.arguments.items()},
        "required": required,
        "additionalProperties": False,
    }
    if action.some:
        arguments["minProperties"] = len(required) + 1
    return {
        "type": "object",
        "title": name,
        "description": action.about,
        "properties": {"name": {"const": name}, "args": arguments},
        "required": ["name", "args"],
        "additionalProperties": False,
    }
