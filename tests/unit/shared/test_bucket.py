"""Token buckets: what may be done at once, how soon again, and that names are not kept for ever."""

from hypothesis import given
from hypothesis import strategies as st

from shared.bucket import Bucket, Buckets

RATE = 10.0
BURST = 5.0


def taken(bucket: Bucket, now: float, times: int) -> int:
    return sum(bucket.take(now, RATE, BURST) for _ in range(times))


def test_the_burst_comes_at_once_and_then_the_rate() -> None:
    bucket = Bucket(BURST, 0)
    assert taken(bucket, 0, 20) == 5
    assert taken(bucket, 0.35, 20) == 3
    assert taken(bucket, 100, 20) == 5


def test_what_is_larger_than_the_burst_is_paid_off_before_the_next() -> None:
    bucket = Bucket(BURST, 0)
    assert bucket.take(0, RATE, BURST, 25)
    assert not bucket.take(1.9, RATE, BURST)
    assert bucket.wait_s(RATE) > 0
    assert bucket.take(1.9 + bucket.wait_s(RATE), RATE, BURST)


def test_refusals_are_forgotten_once_it_is_full() -> None:
    bucket = Bucket(BURST, 0)
    taken(bucket, 0, 8)
    assert bucket.refusals == 3
    taken(bucket, 0.2, 1)
    assert bucket.refusals == 3
    taken(bucket, 10, 1)
    assert bucket.refusals == 0


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0.1, 20)), max_size=50))
def test_nobody_takes_more_than_the_burst_the_rate_and_one_credit(steps: list[tuple[float, float]]) -> None:
    bucket, now, total, largest = Bucket(BURST, 0), 0.0, 0.0, 0.0
    for wait_s, cost in steps:
        now += wait_s
        if bucket.take(now, RATE, BURST, cost):
            total += cost
            largest = max(largest, cost)
    assert total <= BURST + RATE * now + largest + 1e-6


def test_names_do_not_share() -> None:
    buckets = Buckets(RATE, 1)
    assert buckets.take("ann", 0) is None
    assert buckets.take("bob", 0) is None
    assert buckets.take("ann", 0.05) == 0.05
    assert buckets.take("ann", 0.1) is None


def test_a_rate_of_nought_limits_nothing_and_remembers_nobody() -> None:
    buckets = Buckets(0, 0)
    assert all(buckets.take("ann", 0) is None for _ in range(1000))
    assert len(buckets) == 0


def test_names_whose_bucket_is_full_are_forgotten() -> None:
    buckets = Buckets(RATE, BURST)
    for number in range(10_000):
        buckets.take(str(number), number)
    assert len(buckets) < 10


def test_names_that_come_all_at_once_are_bounded() -> None:
    buckets = Buckets(RATE, BURST)
    for number in range(110_000):
        buckets.take(str(number), 0)
    assert len(buckets) <= 100_000
