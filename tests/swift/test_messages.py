"""SWIFT messages: read strictly and written to the same bytes again, or refused with every problem, never a crash."""

from pathlib import Path
from typing import Any

import pytest
import tzdata
from hypothesis import given
from hypothesis import strategies as st

from hansa.swift import formats, message, types
from hansa.wire.problems import HansaError

OWN = Path(__file__).parents[2] / "apps" / "letter_of_credit" / "messages"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "swift"
GOOD = {path.name: path.read_bytes() for path in sorted(OWN.glob("*.fin"))}
ISSUE = GOOD["01_mt760_issue_sblc.fin"]
DEMAND = GOOD["05_mt765_partial_demand.fin"]


def problems(data: bytes, code: str = "swift.fields") -> list[tuple[str, int]]:
    """Field and line of every problem of a message that must be refused."""
    with pytest.raises(HansaError) as caught:
        types.read(data)
    assert caught.value.code == code, caught.value
    findings: Any = caught.value.fields["findings"]
    assert len(findings) == len(caught.value.fields["problems"])  # type: ignore[arg-type]
    return [(one["field"], one["line"]) for one in findings]


@pytest.fixture(scope="module")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"there are no messages at {SHARED}")
    return SHARED


def test_there_are_three() -> None:
    assert list(GOOD) == ["01_mt760_issue_sblc.fin", "02_mt768_acknowledge.fin", "05_mt765_partial_demand.fin"]


@pytest.mark.parametrize("name", GOOD)
def test_a_message_is_read_and_written_again(name: str, shared: Path) -> None:
    assert (shared / name).read_bytes() == GOOD[name]
    found = types.read(GOOD[name])
    assert message.write(found) == GOOD[name]
    assert found.type == name[5:8]


def test_what_a_message_says() -> None:
    found = types.read(ISSUE)
    assert (found.sender, found.get("20"), found.get("21")) == ("ZZBKUS33XXX", "SBLC-2026-0417", "")
    assert formats.day(found.get("31E")).isoformat() == "2027-04-17"
    assert formats.amount(found.get("32B")) == {"minor": 250_000_000, "currency": "USD"}
    assert found.get("59").split("\r\n") == ["FABRIKAM BAUTEILE GMBH", "HAFENSTRASSE 7", "HAMBURG DE"]
    assert [field.line for field in found.fields][:3] == [2, 3, 4]


def test_bad_messages_are_refused_with_every_problem(shared: Path) -> None:
    assert problems((shared / "90_bad_mt760_missing_32B.fin").read_bytes()) == [("32B", 14)]
    assert problems((shared / "91_bad_mt760_dates_amount.fin").read_bytes()) == [
        ("20", 6),
        ("30", 7),
        ("31E", 11),
        ("32B", 14),
    ]


def test_types_that_are_not_known_are_refused(shared: Path) -> None:
    for path in sorted(shared.glob("*.fin")):
        if path.name[5:8] in ("767", "787", "786", "785", "769", "799"):
            assert problems(path.read_bytes(), "swift.type") == [("", 1)], path.name


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (b":32B:USD2500000,\r\n", b"", [("32B", 21)]),
        (b":32B:USD2500000,", b":32B:USD2500000", [("32B", 21)]),
        (b":32B:USD2500000,", b":32B:USD2500000,001", [("32B", 21)]),
        (b":32B:USD2500000,", b":32B:USD2500000.00", [("32B", 21)]),
        (b":32B:USD2500000,", b":32B:usd2500000,", [("32B", 21)]),
        (b":32B:USD2500000,", b":32B:USD12345678901234,5", [("32B", 21)]),
        (b":32B:USD2500000,", b":32B:USD0,00", [("32B", 21)]),
        (b":32B:USD2500000,", b":32B:BHD2500000,1234", [("32B", 21)]),
        (b":30:260417", b":30:260431", [("30", 8)]),
        (b":30:260417", b":30:2026-04-17", [("30", 8)]),
        (b":31E:270417", b":31E:260416", [("31E", 12)]),
        (b":31S:310417", b":31S:270416", [("31S", 36)]),
        (b":30:260417", b":30:800101", [("30", 8)]),
        (b":23B:FIXD", b":23B:OPEN", [("31E", 12)]),
        (b":58A:ZZBKDEFFXXX\r\n", b"", [("58A", 30)]),
        (b":49:CONFIRM\r\n:58A:ZZBKDEFFXXX", b":49:MAY ADD", [("58A", 30)]),
        (b":23F:ONEY\r\n", b"", [("78", 33), ("26E", 34), ("31S", 35)]),
        (b":23F:ONEY", b":23F:ABCD", [("23F", 33)]),
        (b":23F:ONEY", b":23F:DAYS", [("23F", 33)]),
        (b":23F:ONEY", b":23F:ONEY/365", [("23F", 33)]),
        (b":40C:ISPR", b":40C:QQQQ", [("40C", 10)]),
        (b":40C:ISPR", b":40C:OTHR", [("40C", 10)]),
        (b":40C:ISPR", b":40C:OTHR/ ", [("40C", 10)]),
        (b":22A:ISSU", b":22A:ZZZZ", [("22A", 4)]),
        (b":22D:STBY", b":22D:QQQQ", [("22D", 9)]),
        (b":48B:NMLT", b":48B:XXXX", [("48B", 37)]),
        (b":48B:NMLT", b":48D:XXXX", [("48D", 37)]),
        (b":24E:TELE", b":24E:ZZZZ", [("24E", 39)]),
        (b":44J:US", b":44J:ZZ", [("44J", 32)]),
        (b":52A:ZZBKUS33XXX", b":52A:ZZBKZZ33XXX", [("52A", 16)]),
        (b":41F:ZZBKUS33XXX", b":41F:ZZBKZZ33XXX", [("41F", 23)]),
        (b":50:NORTHWIND DEVICES INC\r\n1 EXAMPLE WAY\r\nREDMOND WA US", b":50:    ", [("50", 13)]),
        (b":27:1/1", b":27:1/8", [("27", 3)]),
        (b":27:1/1", b":27:3/8", [("27", 3)]),
        (b":20:SBLC-2026-0417", b":20:SBLC//0417", [("20", 7)]),
        (b":20:SBLC-2026-0417", b":20:" + b"S" * 17, [("20", 7)]),
        (b":20:SBLC-2026-0417", b":20:SBLC_0417", [("20", 7)]),
        (b":23B:FIXD\r\n:31E:270417", b":23B:FIXD", [("31E", 11)]),
        (b":23B:FIXD", b":23B:COND", [("35G", 11)]),
        (b":23B:FIXD", b":23B:NEVR", [("23B", 11)]),
        (b":49:CONFIRM", b":49:PERHAPS", [("49", 30)]),
        (b":27:1/1", b":27:2/1", [("27", 3)]),
        (b":52A:ZZBKUS33XXX", b":52A:ZZBKUS3", [("52A", 16)]),
        (b":59:FABRIKAM", b":99:FABRIKAM", [("99", 17), ("59", 20)]),
        (b":15B:\r\n:20:", b":15B:\r\n:20:A\r\n:20:", [("20", 8)]),
        (b":30:260417\r\n:22D:STBY\r\n", b":22D:STBY\r\n:30:260417\r\n", [("30", 9)]),
        (b":50:NORTHWIND", b":50:N@RTHWIND", [("50", 13)]),
        (b"2. COPY OF", b"\x7f. COPY OF", [("45C", 25)]),
        (b"2. COPY OF", b"2" * 60 + b". COPY OF", [("45C", 25)]),
    ],
)
def test_each_problem_is_told_with_its_field_and_line(old: bytes, new: bytes, found: list[tuple[str, int]]) -> None:
    assert ISSUE.count(old) == 1
    assert problems(ISSUE.replace(old, new)) == found


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda data: b"", 1),
        (lambda data: data[:-2], 40),
        (lambda data: data + b"\r\n", 40),
        (lambda data: data + data, 40),
        (lambda data: data.replace(b"\r\n", b"\n"), 1),
        (lambda data: data.replace(b"{1:F01", b"{1:F02"), 1),
        (lambda data: data.replace(b"{2:I760", b"{2:X760"), 1),
        (lambda data: data.replace(b"{2:I760ZZBKDEFFXXXXN}", b""), 1),
        (lambda data: data.replace(b"{4:\r\n:15A:\r\n", b"{4:\r\nhello\r\n"), 2),
        (lambda data: data.replace(b"SUBJECT TO ISP98.", b"-SUBJECT"), 29),
        (lambda data: data.replace(b"SUBJECT TO ISP98.", b""), 29),
        (lambda data: data.replace(b"SUBJECT", b"SUB\nJECT"), 29),
        (lambda data: data.replace(b"SUBJECT", "SÜBJECT".encode()), 29),
        (lambda data: data + b"{5:}", 1),
        (lambda data: data + b"{5:{CHK:ZZ}}", 40),
        (lambda data: data + b"{5:{MAC:0000000}{CHK:123456789ABC}}", 40),
        (lambda data: data.replace(b"{4:", b"{3:{108:A\r\nB}}{4:"), 1),
        (lambda data: data.replace(b"SUBJECT", b"S" * 10_000), 1),
    ],
)
def test_what_is_no_message_is_refused(change: Any, line: int) -> None:
    assert [at for _, at in problems(change(ISSUE), "swift.form")] == [line]


@pytest.mark.parametrize("trailer", [b"{5:{CHK:123456789ABC}}", b"{5:{MAC:00000000}{CHK:123456789ABC}}"])
def test_blocks_3_and_5_are_kept(trailer: bytes) -> None:
    data = ISSUE.replace(b"{4:", b"{3:{108:MT760REF}{121:abc}}{4:") + trailer
    found = types.read(data)
    assert message.write(found) == data
    assert (found.user, found.trailer) == ("{108:MT760REF}{121:abc}", trailer[3:-1].decode())


def tried(data: bytes) -> None:
    """The only two things that may come of any bytes."""
    try:
        found = types.read(data)
    except HansaError as error:
        assert error.code in ("swift.form", "swift.type", "swift.fields")
        assert error.fields["problems"]
    else:
        assert message.write(found) == data


@given(
    name=st.sampled_from(sorted(GOOD)),
    changes=st.lists(
        st.tuples(
            st.integers(0, 1_300),
            st.integers(0, 4),
            st.one_of(
                st.binary(max_size=3),
                st.sampled_from(
                    [b":", b"-", b"\r\n", b"}", b"{5:", b":20:", b"/", b"//", b",", b"9", b"\r\n:32B:USD1,"]
                ),
            ),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_any_change_gives_the_same_bytes_or_a_refusal(name: str, changes: list[tuple[int, int, bytes]]) -> None:
    data = GOOD[name]
    for number, length, new in changes:
        place = number % (len(data) + 1)
        data = data[:place] + new + data[place + length :]
    tried(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    tried(data)
    tried(ISSUE[:47] + data + b"\r\n-}")


@given(lines=st.lists(st.integers(0, 46), min_size=47, max_size=47))
def test_lines_in_any_order(lines: list[int]) -> None:
    body = ISSUE.split(b"\r\n")
    tried(b"\r\n".join([body[0], *(body[1 + number % (len(body) - 2)] for number in lines), body[-1]]))


@pytest.mark.parametrize(
    ("text", "minor"),
    [("USD640000,", 64_000_000), ("USD0,01", 1), ("JPY5,", 5), ("BHD1,5", 1_500), ("EUR12,30", 1_230)],
)
def test_amounts_in_minor_units(text: str, minor: int) -> None:
    assert formats.amount(text) == {"minor": minor, "currency": text[:3]}


@given(st.text(alphabet="USDJPY0123456789,.-", max_size=20))
def test_an_amount_is_one_or_none(text: str) -> None:
    if formats.amount_problem(text):
        with pytest.raises(ValueError, match=r".*"):
            formats.amount(text)
    else:
        assert formats.amount(text)["minor"] > 0


@pytest.mark.parametrize(("text", "year"), [("790101", 2079), ("800101", 1980), ("260417", 2026), ("991231", 1999)])
def test_years_of_two_digits(text: str, year: int) -> None:
    assert formats.day(text).year == year


def test_every_field_of_a_type_has_a_format() -> None:
    tags = {tag for rows in types.TYPES.values() for row in rows for tag in row.tags}
    assert tags == set(formats.FORMATS)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b":40C:ISPR", b":40C:OTHR/RULES OF THE PORT"),
        (b":23F:ONEY", b":23F:DAYS/90"),
        (b":24E:TELE", b":24E:COUR/BY HAND"),
        (b":49:CONFIRM\r\n:58A:ZZBKDEFFXXX", b":49:WITHOUT"),
        (b":23B:FIXD\r\n:31E:270417", b":23B:OPEN"),
        (b":52A:ZZBKUS33XXX", b":52A:/C/123\r\nZZBKXK33"),
    ],
)
def test_what_is_right_is_read(old: bytes, new: bytes) -> None:
    assert ISSUE.count(old) == 1
    data = ISSUE.replace(old, new)
    assert message.write(types.read(data)) == data


def test_the_countries_are_those_of_the_zone_data() -> None:
    table = Path(tzdata.__file__).parent / "zoneinfo" / "iso3166.tab"
    codes = {line[:2] for line in table.read_text("utf-8").splitlines() if not line.startswith("#")}
    assert codes | {"XK"} == formats.COUNTRIES
