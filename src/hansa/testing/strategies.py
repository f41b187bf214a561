"""Hypothesis strategies made of what a contract declares, and a stateful test that is ready to run.

from hansa.testing.strategies import rules

TestCredit = rules(Path(__file__).with_name("contract.py")).TestCase
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# Values are dynamic, and hypothesis says little of its own types.

from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cache, wraps
from pathlib import Path
from typing import Any, Final

import msgspec
from hypothesis import HealthCheck, Phase, reporting, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import engine
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hansa.contracts.manifest import (
    SCHEDULE,
    Action,
    AmountType,
    BoolType,
    BytesType,
    DateType,
    DurationType,
    EnumType,
    InstantType,
    IntType,
    ListType,
    Manifest,
    MapType,
    OptionalType,
    PartyType,
    ReferenceType,
    StateType,
    StructType,
    TextType,
    Type,
    UserType,
)
from hansa.contracts.prices import DURATION_MAX, INSTANT_MAX, SCHEDULE_AHEAD_MS_MIN
from hansa.testing.answers import Answer, Refused
from hansa.testing.contract import Contract
from hansa.testing.ledger import Ledger
from hansa.wire.limits import INTEGER_MAX
from hansa.wire.problems import HansaError

DEFECTS: Final = frozenset(
    {
        "arguments.invalid",
        "call.depth",
        "call.reentrant",
        "call.result",
        "index.range",
        "key.missing",
        "output.events",
        "output.schedules",
        "output.stored",
        "records.exceeded",
        "tx.unsigned",
        "value.division",
        "value.made",
        "value.none",
        "value.size",
    }
)
"""Codes with which no rule says no: the contract's author has overlooked something."""
DUE_REFUSALS: Final = frozenset({"require.failed", "state.denied"})
"""Codes with which what ledger time takes may end: it was settled by then. Any other end is a defect, as it is never
tried again."""
MEMBERS: Final[Mapping[str, None]] = dict.fromkeys(("alba", "brix", "cora"))
_TEXT_CHARS: Final = 40
_LONG_CHARS: Final = 1_000
"""Texts are short, or as long as they may be, as far as that is no more than this."""
_ITEMS: Final = 5
"""Lists and maps have no more but now and then, when they have as many as they may."""
_RARE: Final = 4
"""One in so many is full."""
_DRAWN_ITEMS: Final = 64
"""Of longer lists the items are a few that come again: more takes long to draw, and to make small."""
_DUE_BLOCKS_MAX: Final = 50
"""Where an action schedules itself for ever, so much of it in one go."""
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_DAY_MS: Final = 86_400_000
"""Limits that lie days away are tried beside the clock."""
_FAR_DAYS: Final = 400
_SHRINK_S: Final = 20
"""How long a failing case is made smaller: whoever waits for it wants to see it."""
_WAITS_S: Final = (1, 60, 3_600, 86_400, 30 * 86_400, 400 * 86_400)
"""From a second to beyond a year: what contracts wait for, unless it is just for what is due next."""


class Known(msgspec.Struct, frozen=True):
    """What values may name: members, users, currencies, and the keys of records by type."""

    members: Sequence[str] = ()
    users: Sequence[str] = ()
    currencies: Sequence[str] = ("USD", "EUR")
    keys: Mapping[str, Sequence[Any]] = {}
    now: int = 0  # ledger time, ms


def known_of(contract: Contract) -> Known:
    """What a contract's ledger has at this moment."""
    ledger, manifest = contract.ledger, contract.manifest
    keys = {name: [row[type_.key] for row in contract.records(name)] for name, type_ in manifest.records.items()}
    return Known(
        members=[name for name in ledger.members if "/" not in name],
        users=[name for name in ledger.members if "/" in name],
        keys=keys,
        now=ledger.clock.ms,
    )


def arguments(contract: Contract, action: str) -> st.SearchStrategy[dict[str, Any]]:
    """Plain arguments that fit an action or view, on its ledger as it is now; edge values are likely.

    Nothing can be drawn while a record is needed of which there is none. Raises KeyError for no such action.
    """
    manifest = contract.manifest
    found = {**manifest.actions, **manifest.views}[action]
    return _arguments(found, manifest, known_of(contract))


def values(type_: Type, manifest: Manifest, known: Known | None = None) -> st.SearchStrategy[Any]:
    """Plain values that fit a type of a file; edge values are likely."""
    known = Known() if known is None else known
    match type_:
        case OptionalType(item=item):
            return st.none() | values(item, manifest, known)
        case StructType(struct=name):
            fields = manifest.structs[name].fields.values()
            needed = {f.name: values(f.type, manifest, known) for f in fields if f.required}
            free = {f.name: values(f.type, manifest, known) for f in fields if not f.required}
            return st.fixed_dictionaries(needed, optional=free)
        case ListType(item=item, most=most):
            return _lists(values(item, manifest, known), most)
        case MapType(key=key, value=value, most=most):
            return _maps(key, values(key, manifest, known), values(value, manifest, known), most, manifest, known)
        case EnumType(enum=name):
            return st.sampled_from(list(manifest.enums[name].values))
        case StateType(record=name):
            return st.sampled_from(list(manifest.records[name].states))
        case ReferenceType(record=name):
            return _one_of(known.keys.get(name, ()))
        case PartyType():
            return _one_of(known.members)
        case UserType():
            return _one_of(known.users)
        case _:
            return _quantities(type_, known)


def rules(
    file: Path,
    *,
    members: Mapping[str, Collection[str] | None] = MEMBERS,
    name: str | None = None,
    prepare: Callable[[Ledger], None] | None = None,
    check: Callable[[Contract], None] | None = None,
    defects: Collection[str] = DEFECTS,
    due_refusals: Collection[str] = DUE_REFUSALS,
) -> type[RuleBasedStateMachine]:
    """A stateful test: random calls by random members and users, views, and time that goes on.

    It fails where the two forms of the contract differ, where a call ends with one of the `defects`, where what ledger
    time takes ends with anything but `due_refusals`, and where `check`, called behind every step, raises. What fails is
    made smaller for some seconds only, so that it is soon seen, and need not be the smallest case. Calls may take all
    steps that the ledger allows. `members`: their attributes, None for all that roles name; each has a user `one`
    with all that roles ask of users. `prepare` is called with the new ledger before the contract is deployed: for
    libraries, for contracts that it calls. Of what is returned `.TestCase` is for pytest, `.TestCase.settings` how long
    it goes on.
    """

    @cache
    def deployed() -> Contract:
        ledger = Ledger()
        if prepare is not None:
            prepare(ledger)
        contract = ledger.deploy(file, name)
        _register(contract, members)
        return contract

    class Rules(RuleBasedStateMachine):
        contract: Contract

        @initialize()
        def begin(self) -> None:
            contract = deployed()
            self.contract = contract.ledger.fork().contract(contract.name)

        @rule(data=st.data())
        def take(self, data: st.DataObject) -> None:
            contract = self.contract
            known = known_of(contract)
            action = data.draw(st.sampled_from(_takeable(contract.manifest, known)))
            signer = data.draw(st.sampled_from(contract.ledger.members))
            given = data.draw(_arguments(action, contract.manifest, known))
            most = contract.ledger.limits.transaction_steps
            try:
                contract.ledger.send(signer, contract.name, action.name, given, steps_max=most)
            except Refused as refused:
                assert not _is_defect(contract, refused, defects), str(refused)
            except HansaError as error:
                if error.code != "envelope.oversized":  # full lists of long texts: nobody can send them
                    raise

        @precondition(lambda self: bool(self.contract.manifest.views))
        @rule(data=st.data())
        def look(self, data: st.DataObject) -> None:
            contract = self.contract
            known = known_of(contract)
            views = [each for each in contract.manifest.views.values() if _can_be_given(each, known)]
            if views:
                view = data.draw(st.sampled_from(views))
                given = data.draw(_arguments(view, contract.manifest, known))
                try:
                    contract.ledger.look(contract.name, view.name, given)
                except Refused as refused:
                    assert not _is_defect(contract, refused, defects), str(refused)

        @rule(seconds=st.sampled_from((*_WAITS_S, None, None)))
        def wait(self, seconds: int | None) -> None:
            ledger = self.contract.ledger
            for taken in ledger.take_due(_waited_for(ledger, seconds), _DUE_BLOCKS_MAX):
                _check_due(self.contract, taken, defects, due_refusals)

        @invariant()
        def holds(self) -> None:
            if check is not None:
                check(self.contract)

    Rules.__name__ = Rules.__qualname__ = f"Rules of {file.name}"
    Rules.TestCase.settings = settings(
        max_examples=50,
        stateful_step_count=25,
        deadline=None,
        report_multiple_bugs=False,  # to look for others, too, takes as long again
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        phases=[phase for phase in Phase if phase is not Phase.explain],  # it takes longer than all others
    )
    run = Rules.TestCase.runTest

    @wraps(run)
    def run_test(self: Any) -> None:
        with _shrinking_ends():
            run(self)

    Rules.TestCase.runTest = run_test
    return Rules


@contextmanager
def _shrinking_ends() -> Generator[None]:
    """Ends the search for a smaller failing case in time; its limit is made to be set, as its comment says."""
    limit, told = engine.MAX_SHRINKING_SECONDS, reporting.current_reporter()

    def tell(text: object) -> None:
        is_slow = str(text).startswith("WARNING: Hypothesis has spent")  # it speaks of five minutes, and of a defect
        ended = f"after {_SHRINK_S} s the search for a smaller case ended: this need not be the smallest"
        told(ended if is_slow else text)

    engine.MAX_SHRINKING_SECONDS = _SHRINK_S
    try:
        with reporting.with_reporter(tell):
            yield
    finally:
        engine.MAX_SHRINKING_SECONDS = limit


def _is_defect(contract: Contract, refused: Refused, defects: Collection[str]) -> bool:
    """Whether a refusal is one of the defects. What it gives to another contract may well not fit there."""
    is_own = refused.failure.contract == contract.name
    return refused.code in defects and (is_own or refused.code != "arguments.invalid")


def _waited_for(ledger: Ledger, seconds: int | None) -> int:
    """When a wait is over; without a length it is for what is due next, unless that is in another age."""
    due = ledger.next_due() if seconds is None else None
    if due is not None and due <= ledger.clock.ms + _FAR_DAYS * _DAY_MS:
        return due
    return ledger.clock.ms + (seconds or 1) * 1_000


def _check_due(contract: Contract, taken: Answer, defects: Collection[str], refusals: Collection[str]) -> None:
    """Fails for what came due and ended in a defect; other contracts may refuse what they like."""
    if taken.failure is not None:
        is_defect = taken.code in defects or (taken.contract == contract.name and taken.code not in refusals)
        assert not is_defect, f"ledger time took this, and never will again: {Refused(taken, taken.failure)}"


def _register(contract: Contract, members: Mapping[str, Collection[str] | None]) -> None:
    roles = contract.manifest.roles.values()
    of_members = [role.attribute for role in roles if role.attribute is not None]
    of_users = [role.user for role in roles if role.user is not None]
    for member, attributes in members.items():
        contract.ledger.member(member, attributes=of_members if attributes is None else attributes)
        contract.ledger.user(f"{member}/one", attributes=of_users)


def _takeable(manifest: Manifest, known: Known) -> list[Action]:
    """The actions that a signer could have a role for, and whose records there are."""
    found: list[Action] = []
    for action in manifest.actions.values():
        by = [manifest.roles.get(role) for role in action.by if role != SCHEDULE]
        signed = any(role is None or role.contract is None for role in by)
        if signed and _can_be_given(action, known):
            found.append(action)
    assert found, "no action can be taken on an empty ledger: make records in `prepare`"
    return found


def _can_be_given(action: Action, known: Known) -> bool:
    made = action.subject if action.creates is not None else None
    return all(
        known.keys.get(each.type.record)
        for each in action.parameters
        if each is not made and isinstance(each.type, ReferenceType)
    )


def _arguments(action: Action, manifest: Manifest, known: Known) -> st.SearchStrategy[dict[str, Any]]:
    made = action.subject if action.creates is not None else None
    given = [each for each in action.parameters if each is not made]
    needed = {p.name: values(p.type, manifest, known) for p in given if not isinstance(p.type, OptionalType)}
    free = {p.name: values(p.type, manifest, known) for p in given if isinstance(p.type, OptionalType)}
    return st.fixed_dictionaries(needed, optional=free)


def _quantities(type_: Type, known: Known) -> st.SearchStrategy[Any]:
    """Values of types that name nothing declared and nobody."""
    match type_:
        case TextType(least=least, most=most):
            return _texts(least, most)
        case BytesType(least=least, most=most):
            short = st.binary(min_size=least, max_size=min(most, max(least, _TEXT_CHARS)))
            return short | st.sampled_from([b"\xff" * least, b"\xff" * max(least, min(most, _LONG_CHARS))])
        case IntType(least=least, most=most):
            return _integers(least, most)
        case AmountType(signed=signed):
            minor = _integers(-INTEGER_MAX if signed else 0, INTEGER_MAX)
            few = st.integers(-1_000 if signed else 0, 1_000_000)
            return st.fixed_dictionaries({"minor": few | minor, "currency": _one_of(known.currencies)})
        case DateType():
            today = _EPOCH_DAY + known.now // _DAY_MS
            near = _beside(today, 1, 60, _FAR_DAYS, date.min.toordinal(), date.max.toordinal()).map(date.fromordinal)
            return near.map(date.isoformat) | st.dates().map(date.isoformat)
        case InstantType():
            near = _beside(known.now, SCHEDULE_AHEAD_MS_MIN, 60 * _DAY_MS, _FAR_DAYS * _DAY_MS, 0, INSTANT_MAX)
            return near | st.integers(0, INSTANT_MAX) | st.sampled_from((INSTANT_MAX, 0))
        case DurationType():
            return st.integers(0, 10 * _DAY_MS) | _integers(-DURATION_MAX, DURATION_MAX)
        case _:
            assert isinstance(type_, BoolType), type_
            return st.booleans()


def _texts(least: int, most: int) -> st.SearchStrategy[str]:
    letters = st.characters(exclude_categories=("Cs",))
    short = st.text(letters, min_size=least, max_size=min(most, max(least, _TEXT_CHARS)))
    lengths = {least, most if most <= max(_LONG_CHARS, least) else least}
    few = st.sampled_from(
        [
            sign * n
            for n in sorted(lengths)
            for sign in ("a", "\N{LATIN SMALL LETTER E WITH ACUTE}", "\N{OLD ITALIC LETTER A}")
        ]
    )
    names = st.sampled_from(("a", "b", "a-1", "A B")).filter(lambda text: least <= len(text) <= most)
    return short | few | names if least <= 3 and most >= 3 else short | few


def _lists(items: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[list[Any]]:
    few = st.lists(items, max_size=min(most, _ITEMS))
    if most <= _ITEMS or items.is_empty:
        return few

    def full(count: int) -> st.SearchStrategy[list[Any]]:
        if count <= _DRAWN_ITEMS:
            return st.lists(items, min_size=count, max_size=count)
        again = st.lists(items, min_size=1, max_size=_ITEMS)
        return again.map(lambda found: [found[at % len(found)] for at in range(count)])

    return _rarely(few, st.sampled_from((_ITEMS + 1, most)).flatmap(full))


def _maps(
    key: Type,
    keys: st.SearchStrategy[str],
    items: st.SearchStrategy[Any],
    most: int,
    manifest: Manifest,
    known: Known,
) -> st.SearchStrategy[dict[str, Any]]:
    few = st.dictionaries(keys, items, max_size=min(most, _ITEMS))
    match key:
        case TextType(least=shortest, most=longest):
            all_keys = [text for text in (f"{n:0{shortest}}" for n in range(most)) if len(text) <= longest]
        case EnumType(enum=name):
            all_keys = list(manifest.enums[name].values)
        case _:
            all_keys = list(known.members if isinstance(key, PartyType) else known.users)
    chosen = all_keys[:most]
    if len(chosen) <= _ITEMS or items.is_empty:
        return few
    again = st.lists(items, min_size=1, max_size=_ITEMS)
    full = again.map(lambda found: {each: found[at % len(found)] for at, each in enumerate(chosen)})
    return _rarely(few, full)


def _rarely(often: st.SearchStrategy[Any], rare: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(1, _RARE).flatmap(lambda turn: rare if turn == _RARE else often)


def _beside(now: int, soon: int, near: int, far: int, least: int, most: int) -> st.SearchStrategy[int]:
    """Mostly ahead of now, where deadlines lie, and often right at it."""
    ahead, around, right = st.integers(soon, near), st.integers(-near, far), st.sampled_from((-1, 0, 1))
    return st.one_of(*(by.map(lambda by: min(max(now + by, least), most)) for by in (ahead, around, right)))


def _integers(least: int, most: int) -> st.SearchStrategy[int]:
    edges = sorted({n for n in (least, least + 1, -1, 0, 1, most - 1, most) if least <= n <= most})
    return st.integers(least, most) | st.sampled_from(edges)


def _one_of(found: Iterable[Any]) -> st.SearchStrategy[Any]:
    known = list(found)
    return st.sampled_from(known) if known else st.nothing()
