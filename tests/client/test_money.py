"""Amounts as people write them: what is written reads back, and nothing is ever rounded."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.client import money

CURRENCIES = ["USD", "EUR", "JPY", "KRW", "KWD", "BHD", "CLF", "CLP", "XAF", "ZZZ"]
AMOUNTS = st.builds(dict, minor=st.integers(0, 2**63 - 1), currency=st.sampled_from(CURRENCIES))


@given(AMOUNTS)
def test_what_is_written_reads_back(amount: dict[str, object]) -> None:
    assert money.parse(money.written(amount)) == amount


@given(st.builds(dict, minor=st.integers(1 - 2**63, 2**63 - 1), currency=st.sampled_from(CURRENCIES)))
def test_what_is_written_of_a_signed_amount_reads_back(amount: dict[str, object]) -> None:
    assert money.parse(money.written(amount), signed=True) == amount


@pytest.mark.parametrize("text", ["USD -12.50", "-12.50 USD", " -12.50 USD\n"])
def test_a_signed_amount_may_be_negative(text: str, refused: Callable) -> None:
    assert money.parse(text, signed=True) == {"minor": -1250, "currency": "USD"}
    with refused("argument.value"):
        money.parse(text)


@given(st.builds(dict, minor=st.integers(0, 2**63 - 1), currency=st.text("ABCXYZ", min_size=3, max_size=3)))
def test_any_currency_reads_back(amount: dict[str, object]) -> None:
    assert money.parse(money.written(amount)) == amount


@pytest.mark.parametrize(
    ("currency", "digits"),
    [
        ("USD", 2),
        ("EUR", 2),
        ("GBP", 2),
        ("CHF", 2),
        ("JPY", 0),
        ("KRW", 0),
        ("ISK", 0),
        ("VND", 0),
        ("XOF", 0),
        ("KWD", 3),
        ("BHD", 3),
        ("TND", 3),
        ("OMR", 3),
        ("CLF", 4),
        ("UYW", 4),
        ("ZZZ", 2),
    ],
)
def test_the_digits_of_a_currency(currency: str, digits: int) -> None:
    assert money.digits(currency) == digits


@pytest.mark.parametrize(
    ("text", "minor", "currency"),
    [
        ("USD 500.00", 50_000, "USD"),
        ("USD 500", 50_000, "USD"),
        ("500 USD", 50_000, "USD"),
        ("500.00 USD", 50_000, "USD"),
        ("USD 0.01", 1, "USD"),
        ("USD 0", 0, "USD"),
        ("USD 007.50", 750, "USD"),
        ("  USD 5.00\n", 500, "USD"),
        ("JPY 500", 500, "JPY"),
        ("JPY 0", 0, "JPY"),
        ("KWD 1.005", 1_005, "KWD"),
        ("KWD 1", 1_000, "KWD"),
        ("CLF 1.0001", 10_001, "CLF"),
        ("USD 92233720368547758.07", 2**63 - 1, "USD"),
        ("JPY 9223372036854775807", 2**63 - 1, "JPY"),
    ],
)
def test_amounts_are_read(text: str, minor: int, currency: str) -> None:
    assert money.parse(text) == {"minor": minor, "currency": currency}


@pytest.mark.parametrize(
    "text",
    [
        "USD 1.5",
        "USD 1.505",
        "USD 1.",
        "USD .5",
        "USD 1.50.0",
        "JPY 1.0",
        "JPY 1.00",
        "KWD 1.00",
        "KWD 1.0055",
        "CLF 1.00",
        "USD -1.00",
        "USD +1.00",
        "-USD 1.00",
        "USD 1,000.00",
        "USD 1_000.00",
        "USD 1e3",
        "USD 0x10",
        "USD",
        "USD ",
        "500",
        "500USD",
        "-500 USD",
        "USD 500 USD",
        "$500",
        "usd 5.00",
        "USDX 5.00",
        "US 5.00",
        "USD  5.00",
        "USD\t5.00",
        "USD\u00a05.00",
        "USD \u0665.00",
        "USD \uff15.00",
        "",
        "nothing",
        "USD NaN",
        "USD 92233720368547758.08",
        "JPY 9223372036854775808",
        "USD 9999999999999999999.99",
        "USD 99999999999999999999",
        "USD " + "9" * 100_000,
    ],
)
def test_what_is_no_exact_amount_is_refused(text: str, refused: Callable) -> None:
    with refused("argument.value") as caught:
        money.parse(text)
    assert len(caught.value.detail) < 200


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (50_000, "USD", "USD 500.00"),
        (1, "USD", "USD 0.01"),
        (0, "USD", "USD 0.00"),
        (500, "JPY", "JPY 500"),
        (5, "KWD", "KWD 0.005"),
        (10_001, "CLF", "CLF 1.0001"),
        (2**63 - 1, "USD", "USD 92233720368547758.07"),
        ("50000", "USD", "USD 500.00"),
        (-1, "USD", "USD -0.01"),
        (-1_250, "USD", "USD -12.50"),
        (-5, "JPY", "JPY -5"),
    ],
)
def test_amounts_are_written(minor: int | str, currency: str, text: str) -> None:
    assert money.written({"minor": minor, "currency": currency}) == text


@pytest.mark.parametrize(
    ("value", "is_amount"),
    [
        ({"minor": 1, "currency": "USD"}, True),
        ({"minor": -1, "currency": "USD"}, True),
        ({"minor": 1}, False),
        ({"minor": 1, "currency": "USD", "more": 1}, False),
        ("USD 1.00", False),
        (None, False),
        ([], False),
    ],
)
def test_what_has_the_form_of_an_amount(value: object, is_amount: bool) -> None:
    assert money.is_amount(value) == is_amount


@pytest.mark.parametrize("value", [{"minor": "abc", "currency": "USD"}, {"minor": None, "currency": []}])
def test_other_values_of_these_names_are_no_amount(value: object) -> None:
    assert not money.is_amount(value)
