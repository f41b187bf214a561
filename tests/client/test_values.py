"""Python values go onto a real ledger and come back as they were; what is not exact or does not fit is not signed."""

import asyncio
import enum
import inspect
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.client.fakes import Asynchronous
from tests.client.inprocess import URL, InProcess

from hansa.client import Amount, AsyncClient, Client, Event, HansaError, Refused, keys, readable, transactions, values
from hansa.node.create import Founder, create_ledger, member_key
from hansa.store.files import Disk
from hansa.store.folder import Folder

SOURCE = '''"""A record with a field of every type."""

from hansa.contract import Amount, Bytes, Contract, Date, Duration, Enum, Instant, Party, Record, SignedAmount, Struct
from hansa.contract import Text, action, require, view


class Grade(Enum):
    First = "as ordered"
    Second = "with flaws"


class Item(Struct):
    name: Text[1, 40]
    price: Amount
    due: Instant
    grade: Grade = Grade.First


class Kinds(Contract, version="1.0.0"):
    class Thing(Record, key="id", index=["day", "at", "long", "grade", "count", "flag", "maybe"]):
        """One of each."""

        id: Text[0, 40]
        count: int = 0
        flag: bool = False
        data: Bytes[0, 40]
        who: Party
        price: Amount
        balance: SignedAmount
        day: Date
        at: Instant
        long: Duration
        grade: Grade
        items: list[Item, 10]
        dates: dict[Text[1, 40], Date, 10]
        maybe: Instant | None = None

    class Numbered(Record, key="number"):
        """A record whose key is a number."""

        number: int

    @action(by="member", creates="Thing")
    def put(tx, thing: Thing, id: Text[0, 40], count: int, flag: bool, data: Bytes[0, 40], who: Party, price: Amount,
            balance: SignedAmount, day: Date, at: Instant, long: Duration, grade: Grade, items: list[Item, 10],
            dates: dict[Text[1, 40], Date, 10], maybe: Instant | None):
        """Puts one."""

    @action(by="member", creates="Numbered")
    def enter(tx, made: Numbered, number: int):
        """Makes a numbered one."""

    @action(by="member")
    def refuse(tx, thing: Thing, amount: Amount):
        """Refuses."""
        require(amount.minor < 0, "{id} is not worth {amount}", id=thing.id, amount=amount)

    @view
    def items_of(tx, thing: Thing) -> list[Item, 10]:
        """Its items."""
        return thing.items

    @view
    def later(tx, at: Instant, by: Duration) -> Instant:
        """A time."""
        return at + by
'''
number = itertools.count()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    root = tmp_path_factory.mktemp("values") / "ledger"
    create_ledger(Disk(), Folder(root), "Values", [Founder("acme", "Acme", deployer=True), Founder("bolt", "Bolt")])
    made = InProcess(root)
    made.key = keys.load(member_key(Folder(root), "acme"))  # type: ignore[attr-defined]
    steps = transactions.deploy_steps(SOURCE)
    with client_of(made) as client:
        client.call("members", "deploy", {"name": "kinds", "source": SOURCE}, steps_max=steps)
    yield made
    made.close()


def client_of(node: Any) -> Client:
    return Client(URL, node.key, transport=node, patient=False)


@pytest.fixture(scope="module")
def client(node: InProcess) -> Iterator[Client]:
    with client_of(node) as made:
        yield made


def thing(**changes: Any) -> dict[str, Any]:
    made = {
        "id": f"thing {next(number)}",
        "count": 2**63 - 1,
        "flag": True,
        "data": b"\x00\xff",
        "who": "bolt",
        "price": Amount(500, "USD"),
        "balance": Amount(-5, "JPY"),
        "day": date(2030, 1, 31),
        "at": datetime(2030, 1, 31, 12, 0, 0, 7_000, UTC),
        "long": timedelta(days=3, milliseconds=5),
        "grade": "Second",
        "items": [{"name": "a", "price": Amount(1, "EUR"), "due": datetime(2031, 1, 1, tzinfo=UTC), "grade": "First"}],
        "dates": {"a": date(2000, 2, 29)},
        "maybe": None,
    }
    return made | changes


def milliseconds(value: datetime) -> datetime:
    return value.replace(microsecond=value.microsecond // 1_000 * 1_000)


TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
AMOUNTS = st.builds(Amount, st.integers(0, 2**63 - 1), st.sampled_from(["USD", "JPY", "KWD"]))
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)).map(milliseconds)
THINGS = st.fixed_dictionaries(
    {
        "count": st.integers(-(2**63), 2**63 - 1),
        "flag": st.booleans(),
        "data": st.binary(max_size=40),
        "price": AMOUNTS,
        "balance": st.builds(Amount, st.integers(1 - 2**63, 2**63 - 1), st.just("USD")),
        "day": st.dates(),
        "at": MOMENTS,
        "long": st.integers(-(10**14), 10**14).map(lambda ms: timedelta(milliseconds=ms)),
        "grade": st.sampled_from(["First", "Second"]),
        "items": st.lists(
            st.fixed_dictionaries(
                {"name": TEXT, "price": AMOUNTS, "due": MOMENTS, "grade": st.sampled_from(["First", "Second"])}
            ),
            max_size=3,
        ),
        "dates": st.dictionaries(TEXT, st.dates(), max_size=3),
        "maybe": st.none() | MOMENTS,
    }
)


@settings(max_examples=60)
@given(made=THINGS)
def test_what_is_put_on_the_ledger_comes_back(client: Client, made: dict[str, Any]) -> None:
    put = thing(**made)
    answer = client.call("kinds", "put", put)
    row = client.record("kinds", "Thing", put["id"])
    assert (row.value, row.seq, row.version) == (put, answer.seq, "1.0.0")
    assert client.view("kinds", "items_of", {"thing": put["id"]}) == put["items"]


class Grade(enum.Enum):
    SECOND = "Second"


@dataclass
class Item:
    name: str
    price: Any
    due: Any


class Other(msgspec.Struct):
    name: str
    price: Any
    due: Any
    grade: Grade = Grade.SECOND


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("price", "USD 5.00", Amount(500, "USD")),
        ("price", "5.00 USD", Amount(500, "USD")),
        ("price", (Decimal("5.5"), "USD"), Amount(550, "USD")),
        ("price", (Decimal("5E+2"), "JPY"), Amount(500, "JPY")),
        ("price", (5, "USD"), Amount(500, "USD")),
        ("price", ["5.00", "USD"], Amount(500, "USD")),
        ("price", {"minor": 5, "currency": "USD"}, Amount(5, "USD")),
        ("price", {"minor": str(2**62), "currency": "USD"}, Amount(2**62, "USD")),
        ("balance", "USD -5.00", Amount(-500, "USD")),
        ("balance", (Decimal("-0.05"), "USD"), Amount(-5, "USD")),
        ("count", Decimal(7), 7),
        ("count", str(2**63 - 1), 2**63 - 1),
        ("data", "00ff", b"\x00\xff"),
        ("data", bytearray(b"a"), b"a"),
        ("day", "2030-01-31", date(2030, 1, 31)),
        ("at", "2030-01-31T12:00:00Z", datetime(2030, 1, 31, 12, tzinfo=UTC)),
        ("at", 0, datetime(1970, 1, 1, tzinfo=UTC)),
        ("at", datetime(2030, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), datetime(2030, 1, 1, tzinfo=UTC)),
        ("at", datetime(2030, 1, 1, 0, 0, 0, 999, UTC), datetime(2030, 1, 1, tzinfo=UTC)),
        ("maybe", "2030-01-31", datetime(2030, 1, 31, tzinfo=UTC)),
        ("long", "1h30m", timedelta(minutes=90)),
        ("long", 5, timedelta(milliseconds=5)),
        ("grade", Grade.SECOND, "Second"),
        ("id", "1234567890123456", "1234567890123456"),
        ("dates", {"b": "2030-01-31"}, {"b": date(2030, 1, 31)}),
        (
            "items",
            (Item("a", "USD 1.00", 0), Other("b", "USD 1.00", 0)),
            [
                {"name": name, "price": Amount(100, "USD"), "due": datetime(1970, 1, 1, tzinfo=UTC), "grade": grade}
                for name, grade in (("a", "First"), ("b", "Second"))
            ],
        ),
    ],
)
def test_other_forms_are_taken(field: str, given: Any, kept: Any, client: Client) -> None:
    put = thing(**{field: given})
    client.call("kinds", "put", put)
    assert client.record("kinds", "Thing", put["id"]).value[field] == kept


@pytest.mark.parametrize(
    ("field", "given", "told"),
    [
        ("price", 5.0, "a float is not exact"),
        ("price", (5.0, "USD"), "must have `minor`"),
        ("price", 5, "must have `minor`"),
        ("price", "5.00", "is not an amount"),
        ("price", "USD 5.005", "2 digits"),
        ("price", (Decimal("5.005"), "USD"), "2 digits"),
        ("price", (Decimal("NaN"), "USD"), "is not an amount"),
        ("price", (Decimal("-5"), "USD"), "not negative"),
        ("price", Amount(-5, "USD"), "not negative"),
        ("price", Amount(5, "usd"), "three capital letters"),
        ("price", (True, "USD"), "must have `minor`"),
        ("count", 2**63, "must lie within"),
        ("count", 1.0, "a float is not exact"),
        ("count", Decimal("1.5"), "must be whole"),
        ("count", True, "must be a whole number"),
        ("flag", 1, "must be true or false"),
        ("data", "zz", "must be hexadecimal"),
        ("data", bytes(41), "0 to 40 bytes"),
        ("who", "no member", "name of a member"),
        ("day", "2030-02-30", "must be a date"),
        ("day", datetime(2030, 1, 1, tzinfo=UTC), "a datetime was given where no time is declared"),
        ("at", date(2030, 1, 1), "a date was given where no date is declared"),
        ("at", datetime(2030, 1, 1), "no time zone"),
        ("at", "yesterday", "is not a time"),
        ("at", timedelta(1), "where no length of time is declared"),
        ("long", "long", "is not a length of time"),
        ("grade", "Third", "must be one of First, Second"),
        ("items", [{"name": "a"}], "item 0: lacks `price`"),
        ("items", [{"name": "a", "price": 1.5, "due": 0}], "a float is not exact"),
        ("items", "abc", "must be a list"),
        ("dates", {"a": 5}, "must be a date"),
        ("id", 5, "must be text"),
    ],
)
def test_what_does_not_fit_is_not_signed(field: str, given: Any, told: str, client: Client, refused: Callable) -> None:
    with refused("argument.value") as caught:
        client.prepare("kinds", "put", thing(**{field: given}))
    assert told in caught.value.detail
    assert caught.value.detail.startswith(f"{field}: ")


def test_everything_that_is_wrong_is_told_at_once(client: Client, refused: Callable) -> None:
    with refused("argument.value") as caught:
        client.call("kinds", "put", {"id": 5, "counts": 1})
    problems = caught.value.fields["problems"]
    assert isinstance(problems, list)
    assert problems[:3] == ["id: must be text", "there is no argument counts; did you mean count?", "count is missing"]


def test_a_view_takes_and_gives_times(client: Client) -> None:
    at, by = datetime(2030, 1, 1, tzinfo=UTC), timedelta(days=1)
    assert client.view("kinds", "later", {"at": at, "by": by}) == at + by
    with pytest.raises(HansaError) as caught:
        client.view("kinds", "latr", {})
    assert (caught.value.code, caught.value.detail) == (
        "argument.action",
        "kinds has no view 'latr'; did you mean later?",
    )


# Records


TIME, LENGTH, DAY = {"format": "instant-ms"}, {"format": "duration-ms"}, {"format": "date"}


@pytest.mark.parametrize(
    ("schema", "key", "text"),
    [
        ({}, "a", "a"),
        ({}, -5, "-5"),
        ({}, True, "true"),
        ({}, False, "false"),
        ({}, b"\xff", "ff"),
        ({}, None, ""),
        ({}, Grade.SECOND, "Second"),
        (DAY, date(2030, 1, 31), "2030-01-31"),
        (DAY, "2030-01-31", "2030-01-31"),
        (TIME, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), "1000"),
        (TIME, "1970-01-01T00:00:01Z", "1000"),
        (TIME, "1970-01-02", "86400000"),
        (TIME, 5, "5"),
        ({"anyOf": [TIME, {"type": "null"}]}, "1970-01-02", "86400000"),
        ({"anyOf": [TIME, {"type": "null"}]}, None, ""),
        (LENGTH, timedelta(seconds=1), "1000"),
        (LENGTH, "90m", "5400000"),
    ],
)
def test_a_key_is_written_as_queries_are(schema: Any, key: Any, text: str) -> None:
    assert values.key_text(schema, key, {}) == text


@pytest.mark.parametrize(
    ("schema", "key"),
    [({}, 1.5), ({}, date(2030, 1, 31)), (DAY, datetime(2030, 1, 31, tzinfo=UTC)), (TIME, timedelta(1)), (TIME, DAY)],
)
def test_a_key_of_another_kind_is_refused(schema: Any, key: Any, refused: Callable) -> None:
    with refused("argument.value"):
        values.key_text(schema, key, {})


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_records_come_page_by_page(kind: str, node: Any) -> None:
    with client_of(node) as client:
        days = [date(2040, 1, day) for day in range(1, 6)]
        for day in days:
            client.call("kinds", "put", thing(day=day, count=day.day, id=f"{kind} {day.day}"))
        for number in (-3, 3):
            if kind == "sync":
                client.call("kinds", "enter", {"number": number})

    async def collect(found: Any) -> list[Any]:
        return [row async for row in found]

    def rows(method: str, *words: Any, **more: Any) -> list[Any]:
        if kind == "sync":
            with client_of(node) as client:
                return list(getattr(client, method)(*words, **more))

        async def main() -> list[Any]:
            async with AsyncClient(URL, transport=Asynchronous(node)) as client:
                return await collect(getattr(client, method)(*words, **more))

        return asyncio.run(main())

    def counts(**asked: Any) -> list[int]:
        found = rows("records", "kinds", "Thing", **asked)
        return [row.value["count"] for row in found if row.value["id"].startswith(kind)]

    assert counts(index="day", least=days[0], rows=2) == [1, 2, 3, 4, 5]
    assert counts(index="day", least=days[1], most=days[3], descending=True, rows=1) == [4, 3, 2]
    assert counts(index="day", equal=days[2]) == [3]
    assert counts(least=kind, most=f"{kind} 2") == [1, 2]
    assert counts(index="flag", equal=False) == []
    assert [row.value["number"] for row in rows("records", "kinds", "Numbered")] == [-3, 3]
    past = rows("history", "kinds", "Thing", f"{kind} 1", rows=1)
    assert [row.value["count"] for row in past] == [1]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_bounds_are_written_as_arguments_are(kind: str, node: Any) -> None:
    at = datetime(2050, 1, 31, 12, 0, 0, tzinfo=UTC)
    made = thing(at=at, long=timedelta(hours=77), maybe=at)
    with client_of(node) as client:
        client.call("kinds", "put", made)

    def found(**asked: Any) -> list[str]:
        if kind == "sync":
            with client_of(node) as client:
                return [row.value["id"] for row in client.records("kinds", "Thing", **asked)]

        async def main() -> list[str]:
            async with AsyncClient(URL, transport=Asynchronous(node)) as client:
                return [row.value["id"] async for row in client.records("kinds", "Thing", **asked)]

        return asyncio.run(main())

    for form in (at, "2050-01-31T12:00:00Z", int(at.timestamp() * 1_000), str(int(at.timestamp() * 1_000))):
        assert made["id"] in found(index="at", equal=form)
        assert made["id"] in found(index="maybe", least=form, most=form)
    assert made["id"] in found(index="at", least="2050-01-31", most="2050-02-01")
    for length in (timedelta(hours=77), "77h", "3d5h"):
        assert made["id"] in found(index="long", equal=length)
    for wrong in (
        {"index": "at", "least": "2050-1-31"},
        {"index": "day", "least": "2027-1-1"},
        {"index": "day", "least": 5},
        {"index": "day", "equal": "foo"},
        {"index": "grade", "equal": "Third"},
        {"index": "count", "most": "many"},
    ):
        with pytest.raises(HansaError) as caught:
            found(**wrong)
        assert caught.value.code == "query.value", wrong
    with pytest.raises(HansaError, match="least: a datetime was given where no time is declared"):
        found(index="day", least=at)


def test_a_record_that_is_not_there(client: Client, refused: Callable) -> None:
    with refused("record.unknown"):
        client.record("kinds", "Thing", "nothing")
    with refused("record.type"):
        client.record("kinds", "Ting", "nothing")
    with refused("contract.missing"):
        client.record("kind", "Thing", "nothing")


# The proxy


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_contract_as_an_object(kind: str, node: Any) -> None:
    put = thing()

    async def main() -> None:
        async with AsyncClient(URL, node.key, transport=Asynchronous(node)) as client:
            kinds = await client.contract("kinds", wait="receipt")
            assert (await kinds.put(**put)).receipt.proven.id
            assert await kinds.items_of(thing=put["id"]) == put["items"]

    if kind == "async":
        asyncio.run(main())
        return
    with client_of(node) as client:
        kinds = client.contract("kinds")
        assert dir(kinds) == ["enter", "items_of", "later", "put", "refuse"]
        answer = kinds.put(**put)
        assert (answer.status, answer.receipt) == ("applied", None)
        assert kinds.items_of(thing=put["id"]) == put["items"]
        with pytest.raises(Refused) as caught:
            kinds.refuse(thing=put["id"], amount="USD 5.00")
        assert caught.value.message == f"{put['id']} is not worth USD 5.00"
        with pytest.raises(TypeError):
            kinds.refuse(put["id"])
        with pytest.raises(AttributeError, match="did you mean refuse"):
            _ = kinds.refused
        assert not hasattr(kinds, "__wrapped__")
        assert repr(kinds) == "<contract kinds 1.0.0>"
        assert str(inspect.signature(kinds.later)) == "(*, at, by)"
        assert str(inspect.signature(kinds.put)).endswith("items, dates, maybe=None)")
        assert kinds.later.__doc__ == "A time.\n\nat: time, such as 2030-01-31T12:00:00Z\nby: " + (
            "length of time, such as 3d, 90m or 500ms"
        )


# The schema


def test_a_next_version_is_noticed(client: Client, node: Any) -> None:
    before = SOURCE.replace("class Kinds", "class Newer")
    after = before.replace('version="1.0.0"', 'version="2.0.0"').replace("def refuse(", "def refuse_all(")
    after = after.replace("id: Text[0, 40]\n", "id: Text[0, 40]\n        worth: Amount | None = None\n", 1)
    steps = transactions.deploy_steps(after)
    client.call("members", "deploy", {"name": "newer", "source": before}, steps_max=steps)
    put = thing()
    client.call("newer", "put", put)
    with client_of(node) as other:
        other.call("members", "upgrade", {"deployment": "newer", "source": after}, steps_max=steps)
    with pytest.raises(Refused):
        client.call("newer", "refuse_all", {"thing": put["id"], "amount": "USD 5.00"})
    assert client.schema("newer")["version"] == "2.0.0"
    assert client.record("newer", "Thing", put["id"]).version == "1.0.0"
    with pytest.raises(Refused) as caught:
        client.call("newer", "put", thing(), contract_version="1.0.0")
    assert caught.value.code == "contract.version"


def test_the_schema_is_asked_for_once(node: Any) -> None:
    asked: list[str] = []

    class Counting:
        def request(self, method: str, url: str, **more: Any) -> Any:
            asked.append(f"{method} {url.removeprefix(URL)}")
            return node.request(method, url, **more)

    with Client(URL, node.key, transport=Counting()) as client:
        for _ in range(3):
            client.call("kinds", "put", thing())
    assert asked == ["GET /app/contracts/kinds", "GET /node/status", *["POST /app/transactions"] * 3]


def test_what_a_schema_cannot_type_stays_as_it_is() -> None:
    """A record of another version: its field had another type."""
    schema = {"type": "integer", "format": "instant-ms"}
    for value in ("text", None, True, -1, 2**62, [1], {"a": 1}):
        assert values.typed(schema, value, {}) == value
    assert values.typed({"type": "string", "format": "date"}, "no date", {}) == "no date"


# What contracts say

TALK = """
from hansa.contract import Amount, Contract, Date, Instant, Interface, Party, Text, action, event, require


class Clock(Interface, contract="clock"):
    @action
    def strike(tx, at: Instant): ...


class Talk(Contract, version="1.0.0"):
    @action(by="member")
    def say(tx, at: Instant, price: Amount, past: list[Instant, 3], note: Text[0, 9] | None):
        event("said", at=at, price=price, past=past, note=note, length=at - at, day=at.date)
        event("mixed", x=at)
        event("mixed", x=price)
        Clock.strike(at=at)

    @action(by="member")
    def refuse(tx, at: Instant):
        require(at.milliseconds < 0, "{at} is late by {late}, {day}", at=at, late=at - at, day=at.date)
"""
CLOCK = """
from hansa.contract import Contract, Instant, Party, action, event, require


class Clock(Contract, version="1.0.0"):
    class Roles:
        talker: Party = Party(contract="talk")

    @action(by="talker")
    def strike(tx, at: Instant):
        require(at.milliseconds != 5, "no clock strikes at {at}", at=at)
        event("struck", at=at)
"""
AT = datetime(2030, 1, 31, 12, tzinfo=UTC)
AT_MS = 1_896_091_200_000
SAID = {"at": AT_MS, "price": {"minor": 5, "currency": "USD"}, "past": [AT_MS], "note": None, "length": 0}
SAID_TYPED = {"at": AT, "price": Amount(5, "USD"), "past": [AT], "note": None, "length": timedelta(0)}
DAY = {"day": "2030-01-31"}


@pytest.fixture(scope="module")
def talk(node: Any) -> dict[str, Any]:
    """Arguments for `say` of the contract that the test talks to, which is deployed, with the one it calls."""
    with client_of(node) as made:
        for name, source in (("clock", CLOCK), ("talk", TALK)):
            steps = transactions.deploy_steps(source)
            made.call("members", "deploy", {"name": name, "source": source}, steps_max=steps)
    return {"at": AT, "price": "USD 0.05", "past": [AT], "note": None}


def test_events_are_plain_and_typed(node: Any, talk: dict[str, Any]) -> None:
    with client_of(node) as client:
        answer = client.call("talk", "say", talk)
        assert answer.contract == "talk"
        assert [event["name"] for event in answer.events] == ["said", "mixed", "mixed", "struck"]
        assert answer.events[0]["data"] == SAID | DAY
        said, *mixed, struck = answer.typed_events
        assert said == {"name": "said", "data": SAID_TYPED | {"day": date(2030, 1, 31)}}
        assert [event["data"] for event in mixed] == [{"x": AT_MS}, {"x": {"minor": 5, "currency": "USD"}}]
        assert struck == {"name": "struck", "contract": "clock", "data": {"at": AT_MS}}  # of which nothing is known yet
        client.schema("clock")
        found = client.transaction(answer.id).answer
        assert found is not None
        assert found.typed_events == [said, *mixed, {"name": "struck", "contract": "clock", "data": {"at": AT}}]
    with client_of(node) as other:  # which knows nothing of either
        found = other.transaction(answer.id).answer
        assert found is not None
        assert (found.contract, found.typed_events) == ("talk", answer.events)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_refusal_shows_times(kind: str, node: Any, talk: dict[str, Any]) -> None:
    async def main() -> Any:
        async with AsyncClient(URL, node.key, transport=Asynchronous(node)) as client:
            await client.call("talk", "refuse", {"at": AT})

    with pytest.raises(Refused) as caught, client_of(node) as client:
        asyncio.run(main()) if kind == "async" else client.call("talk", "refuse", {"at": AT})
    told = "2030-01-31 12:00:00 UTC is late by 0s, 2030-01-31"
    assert (caught.value.message, caught.value.detail) == (told, told)
    assert caught.value.answer.result["values"] == {"at": AT_MS, "late": 0, "day": "2030-01-31"}


def test_a_refusal_of_a_contract_that_was_called(node: Any, talk: dict[str, Any]) -> None:
    early = talk | {"at": 5}
    with client_of(node) as client:
        with pytest.raises(Refused) as caught:
            client.call("talk", "say", early)
        assert caught.value.message == "no clock strikes at 5"
        client.schema("clock")
        with pytest.raises(Refused) as caught:
            client.call("talk", "say", early)
        assert caught.value.message == "no clock strikes at 1970-01-01 00:00:00.005 UTC"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_event_of_the_stream_is_typed(kind: str, node: Any, talk: dict[str, Any]) -> None:
    place = {"id": "9-0", "seq": 9, "index": 0, "time": 5, "transaction": "00" * 32, "contract": "talk"}
    event = Event(**place, version="1.0.0", name="said", data=SAID | DAY)
    other = Event(**place, version="1.0.0", name="unsaid", data={"at": 5})

    async def main() -> Any:
        async with AsyncClient(URL, node.key, transport=Asynchronous(node)) as client:
            return [await client.event_data(event), await client.event_data(other)]

    with client_of(node) as client:
        found = asyncio.run(main()) if kind == "async" else [client.event_data(each) for each in (event, other)]
    assert found == [SAID_TYPED | {"day": date(2030, 1, 31)}, {"at": 5}]


def test_an_event_of_a_next_version_has_the_schema_asked_for_again(node: Any, talk: dict[str, Any]) -> None:
    before = CLOCK.replace("at=at)\n", "at=at.milliseconds)\n")
    after = CLOCK.replace('version="1.0.0"', 'version="1.10.0"')
    place = {"id": "9-0", "seq": 9, "index": 0, "time": 5, "transaction": "00" * 32, "contract": "later"}
    event = Event(**place, version="1.10.0", name="struck", data={"at": AT_MS})
    with client_of(node) as client, client_of(node) as other:
        steps = transactions.deploy_steps(after)
        other.call("members", "deploy", {"name": "later", "source": before}, steps_max=steps)
        assert client.event_data(msgspec.structs.replace(event, version="1.0.0")) == {"at": AT_MS}
        other.call("members", "upgrade", {"deployment": "later", "source": after}, steps_max=steps)
        assert client.schema("later")["version"] == "1.0.0"
        assert client.event_data(event) == {"at": AT}


@pytest.mark.parametrize(
    "declared",
    [
        {},
        {"events": 5, "refusals": 5},
        {"events": {"e": 5}, "refusals": {"{at}": None}},
        *(
            {"events": {"e": wrong}, "refusals": {"{at}": wrong}, "$defs": {}}
            for wrong in (
                {"$ref": "#/$defs/None"},
                {"anyOf": 5},
                {"type": "object", "properties": 5},
                {"type": "object", "properties": {"at": {"anyOf": [{}]}}},
                {"type": "object", "properties": {"at": 5}},
                {"type": "object", "properties": {"at": {"$ref": 5}}},
            )
        ),
    ],
)
def test_what_a_node_says_wrongly_of_types_changes_nothing(declared: Any) -> None:
    data = {"at": AT_MS}
    assert values.event_data(declared, "e", data) == data
    assert readable.event_data(declared, "e", data) == data
    result = {"message": "{at}", "values": data, "contract": "c", "version": "1.0.0", "line": 1}
    assert readable.refusal({"c": declared}, "c", result) == result


def test_a_refusal_of_a_library_is_declared_by_the_contract_called() -> None:
    schema = {"type": "object", "properties": {"at": {"type": "integer", "format": "instant-ms"}}}
    declared = {"refusals": {"{at}": schema}, "$defs": {}}
    result = {"message": "{at}", "values": {"at": 0}, "contract": "lib", "version": "ab" * 32, "line": 1}
    shown = readable.refusal({"caller": declared}, "caller", result)
    assert shown["values"] == {"at": "1970-01-01 00:00:00 UTC"}
    assert readable.refusal({"lib": declared}, "caller", result) == result
    for other in (None, "text", {}, {"message": "{at}", "values": [5]}):
        assert readable.refusal({"caller": declared}, "caller", other) == other


# Amounts


@pytest.mark.parametrize(
    ("amount", "text", "number"),
    [
        (Amount(50_000, "USD"), "USD 500.00", Decimal("500.00")),
        (Amount(-5, "USD"), "USD -0.05", Decimal("-0.05")),
        (Amount(5, "JPY"), "JPY 5", Decimal(5)),
        (Amount(5, "KWD"), "KWD 0.005", Decimal("0.005")),
    ],
)
def test_an_amount(amount: Amount, text: str, number: Decimal) -> None:
    assert (str(amount), amount.decimal) == (text, number)
    assert Amount.parse(text) == Amount.of(number, amount.currency) == amount
