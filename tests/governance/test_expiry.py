"""When a warning begins, how it grows, and that it is bounded."""

import pytest

from hansa.governance.directory import Expiring
from hansa.governance.expiry import DAY_MS, WARNINGS_MAX, next_days, stage, warnings

NOW = 1_700_000_000_000


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (31 * DAY_MS, None),
        (30 * DAY_MS + 1, None),
        (30 * DAY_MS, 30),
        (14 * DAY_MS + 1, 30),
        (14 * DAY_MS, 14),
        (7 * DAY_MS, 7),
        (DAY_MS + 1, 7),
        (DAY_MS, 1),
        (1, 1),
        (0, 0),
        (-DAY_MS, 0),
    ],
)
def test_the_stages(left: int, expected: int | None) -> None:
    assert stage(NOW + left, NOW) == expected


def key(number: int, left: int) -> Expiring:
    return Expiring(number.to_bytes(32, "big"), "acme", "governance", NOW + left)


def test_the_nearest_comes_first_and_what_is_far_is_not_told() -> None:
    found = warnings([key(1, 3 * DAY_MS), key(2, 60 * DAY_MS), key(3, 1000)], NOW)
    assert [warning.detail for warning in found] == [
        "the governance key 0000000000000000 of acme expires in 1 day",
        "the governance key 0000000000000000 of acme expires in 3 days",
    ]
    assert {warning.code for warning in found} == {"key.expires"}
    assert [warning.fields["kid"] for warning in found] == [f"{3:064x}", f"{1:064x}"]


def test_many_are_counted_instead_of_told() -> None:
    found = warnings([key(number, DAY_MS) for number in range(WARNINGS_MAX + 5)], NOW)
    assert len(found) == WARNINGS_MAX
    assert found[-1].detail == "6 more keys expire within 30 days"
    assert len(warnings([key(number, DAY_MS) for number in range(WARNINGS_MAX)], NOW)) == WARNINGS_MAX


def test_days_to_the_next_expiry() -> None:
    assert next_days([], NOW) == float("inf")
    assert next_days([key(1, 3 * DAY_MS), key(2, -DAY_MS)], NOW) == -1
