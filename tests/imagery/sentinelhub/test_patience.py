from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from imagery.sentinelhub.patience import Pace, Patience, RateLimit, retry_after_s

NOW = datetime(2026, 11, 22, 6, 0, 0, tzinfo=UTC)


class StillClock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class SharedClock(StillClock):
    """A clock on which sleepers sleep side by side: it stands where the last of them wakes."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        until = self.seconds + seconds
        with self._lock:
            self.seconds = max(self.seconds, until)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1500", 1.5),
        ("1.5", 0.0015),
        ("0", 0.0),
        ("Sun, 22 Nov 2026 06:00:07 GMT", 7.0),
        ("Sun, 22 Nov 2026 05:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("9" * 40, None),
        ("nan", None),
    ],
)
def test_retry_after_in_every_form(text: str, expected: float | None) -> None:
    assert retry_after_s({"Retry-After": text}, NOW) == expected


def test_retry_after_is_found_in_any_case_and_missed_when_absent() -> None:
    assert retry_after_s({"retry-after": "20"}, NOW) == 0.02
    assert retry_after_s({}, NOW) is None


def test_backoff_doubles_is_drawn_and_has_a_ceiling() -> None:
    patience = Patience(first_wait_s=1.0, longest_wait_s=10.0)
    rng = random.Random(1)
    for failures, most in [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 10.0), (50, 10.0)]:
        drawn = {patience.backoff_s(failures, rng) for _ in range(50)}
        assert len(drawn) > 40
        assert min(drawn) >= most / 2
        assert max(drawn) <= most


def test_the_bucket_gives_its_content_and_then_its_rate() -> None:
    clock = StillClock()
    rate = RateLimit(Pace(60, 1e9), clock)
    assert [rate.next_wait_s() for _ in range(60)] == [0.0] * 60
    wait_s = rate.next_wait_s()
    assert wait_s == pytest.approx(1.0)
    clock.sleep(wait_s)
    assert rate.next_wait_s() == 0.0
    assert rate.next_wait_s() > 0


def test_a_closed_gate_is_closed_for_all_threads() -> None:
    clock = StillClock()
    rate = RateLimit(Pace(600, 1e9), clock)
    rate.close_for(5.0)
    waits: list[float] = []
    threads = [threading.Thread(target=lambda: waits.append(rate.next_wait_s())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert waits == [5.0] * 8
    clock.sleep(5.0)
    assert rate.next_wait_s() == 0.0


def test_threads_never_draw_more_than_there_is() -> None:
    rate = RateLimit(Pace(50, 1e9), StillClock())
    granted: list[float] = []

    def draw() -> None:
        granted.extend(wait for _ in range(20) if (wait := rate.next_wait_s()) == 0.0)

    threads = [threading.Thread(target=draw) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 50


def test_processing_units_are_paced_beside_requests_and_paid_back() -> None:
    clock = StillClock()
    rate = RateLimit(Pace(1000, 60.0), clock)
    assert [rate.next_wait_s(20.0) for _ in range(3)] == [0.0] * 3
    assert rate.next_wait_s(20.0) == pytest.approx(20.0)
    rate.correct(-15.0)
    assert rate.next_wait_s(20.0) == pytest.approx(5.0)
    clock.sleep(5.0)
    assert rate.next_wait_s(20.0) == 0.0
    rate.correct(30.0)
    assert rate.next_wait_s(1.0) == pytest.approx(31.0)
    assert rate.asked_wait_s() == 0.0


def test_what_costs_more_than_a_minute_gives_waits_for_a_full_bucket_and_no_longer() -> None:
    clock = StillClock()
    rate = RateLimit(Pace(1000, 60.0), clock)
    assert rate.next_wait_s(150.0) == 0.0
    wait_s = rate.next_wait_s(150.0)
    assert wait_s == pytest.approx(150.0)
    clock.sleep(wait_s)
    assert rate.next_wait_s(150.0) == 0.0


def test_threads_keep_the_pace_together_on_a_clock_of_their_own() -> None:
    clock, lock = SharedClock(), threading.Lock()
    rate = RateLimit(Pace(40, 30.0), clock)
    costs = [0.4, 1.7, 0.9, 3.1, 0.2] * 24
    granted: list[tuple[float, float]] = []

    def work() -> None:
        while True:
            with lock:
                if not costs:
                    return
                units = costs.pop()
            while wait_s := rate.next_wait_s(units):
                clock.sleep(wait_s)
            with lock:
                granted.append((clock.monotonic(), units))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = sum(units for _, units in granted)
    assert len(granted) == 120
    assert total == pytest.approx(151.2)
    # A full bucket, and then half a unit and two thirds of a request a second.
    assert clock.seconds >= max((total - 30.0) / 0.5, (120 - 40) / (40 / 60)) - 1e-6
    assert clock.seconds < 1.5 * (total - 30.0) / 0.5
    for start in np.linspace(0.0, clock.seconds, 60):
        within = [units for at, units in granted if start < at <= start + 60.0]
        assert sum(within) <= 60.0 + 8 * 3.1
