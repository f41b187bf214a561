"""What one address may ask for: enough, and not what others have."""

import pytest

from hansa.api import allowance
from hansa.api.allowance import Rate, Share, group


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_rate_is_a_burst_and_then_so_many_a_second():
    clock = Clock()
    rate = Rate(3, 2.0, clock)
    assert [rate.take("10.0.0.1") for _ in range(5)] == [True, True, True, False, False]
    clock.now = 1.0
    assert [rate.take("10.0.0.1") for _ in range(3)] == [True, True, False]
    clock.now = 1_000.0
    assert [rate.take("10.0.0.1") for _ in range(4)] == [True, True, True, False]


def test_an_address_takes_nothing_from_another():
    rate, share = Rate(1, 0.0, Clock()), Share(1)
    for one in (rate, share):
        assert one.take("10.0.0.1")
        assert not one.take("10.0.0.1")
        assert one.take("10.0.0.2")


def test_what_is_given_back_may_be_taken_again():
    share = Share(2)
    assert [share.take("::1"), share.take("::1"), share.take("::1")] == [True, True, False]
    share.give_back("::1")
    assert [share.take("::1"), share.take("::1")] == [True, False]
    share.give_back("::1")
    share.give_back("::1")
    assert not share._held


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(allowance, "ADDRESSES_MAX", 10)
    rate = Rate(1, 0.0, Clock())
    for number in range(100):
        assert rate.take(f"10.0.0.{number}")
    assert len(rate._left) == 10
    assert not rate.take("10.0.0.99")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("10.0.0.1", "10.0.0.2", False), ("2001:db8::1", "2001:db8::2", True), ("2001:db8::1", "2001:db8:0:1::1", False),
     ("::ffff:10.0.0.1", "10.0.0.1", True), ("fe80::1%eth0", "fe80::2", True), ("", "not one", True)],
)  # fmt: skip
def test_who_has_one_address_of_a_network_has_all(one, other, same):
    assert (group(one) == group(other)) == same
