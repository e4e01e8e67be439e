from __future__ import annotations

import threading

import pytest

from imagery.errors import ArchiveError, BudgetError, CredentialsError, ServiceError
from watch.turns import NotBegun, Turns


def fail(turns: Turns, error: Exception) -> None:
    with pytest.raises(type(error)), turns.turn():
        raise error


@pytest.mark.parametrize("error", [BudgetError("spent"), CredentialsError("unknown")])
def test_what_no_further_request_can_mend_ends_it_at_once(error: BudgetError | CredentialsError) -> None:
    turns = Turns(2, 3)
    fail(turns, error)
    assert turns.stopped is error
    with pytest.raises(NotBegun), turns.turn():
        raise AssertionError


def test_failures_one_after_the_other_end_it_and_the_last_is_named() -> None:
    turns = Turns(2, 3)
    errors = [ServiceError(str(number)) for number in range(5)]
    fail(turns, errors[0])
    fail(turns, errors[1])
    with turns.turn():
        pass
    fail(turns, errors[2])
    fail(turns, errors[3])
    assert turns.stopped is None
    fail(turns, errors[4])
    assert turns.stopped is errors[4]


def test_what_came_and_could_not_be_kept_counts_although_its_turn_went_well() -> None:
    turns = Turns(1, 3)
    for number in range(3):
        assert turns.stopped is None
        with turns.turn():
            pass
        turns.note(ArchiveError(f"disk full {number}"))
    assert isinstance(turns.stopped, ArchiveError)


def test_what_is_kept_late_does_not_make_later_failures_forgotten() -> None:
    turns = Turns(1, 3)
    with turns.turn():
        pass
    errors = [ServiceError(str(number)) for number in range(3)]
    fail(turns, errors[0])
    fail(turns, errors[1])
    turns.succeed()
    fail(turns, errors[2])
    assert turns.stopped is errors[2]


def test_an_error_is_counted_once_however_often_it_is_named() -> None:
    turns = Turns(1, 2)
    error = ServiceError("down")
    fail(turns, error)
    turns.note(error)
    assert turns.stopped is None


def test_who_waits_for_a_turn_does_not_get_it_after_the_end() -> None:
    turns = Turns(1, 1)
    outcomes: list[str] = []
    waiting = threading.Event()

    def late() -> None:
        waiting.set()
        try:
            with turns.turn():
                outcomes.append("asked")
        except NotBegun:
            outcomes.append("not begun")

    thread = threading.Thread(target=late)
    with pytest.raises(ServiceError), turns.turn():
        thread.start()
        waiting.wait()
        raise ServiceError("down")
    thread.join()
    assert outcomes == ["not begun"]


def test_no_more_hold_a_turn_than_there_are() -> None:
    turns = Turns(2, 3)
    lock, everybody = threading.Lock(), threading.Barrier(6)
    holding, most = 0, 0

    def ask() -> None:
        nonlocal holding, most
        everybody.wait()
        for _ in range(50):
            with turns.turn():
                with lock:
                    holding += 1
                    most = max(most, holding)
                with lock:
                    holding -= 1

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most <= 2


def test_a_closed_service_gives_no_turn_and_names_no_fault() -> None:
    turns = Turns(1, 1)
    turns.close()
    with pytest.raises(NotBegun), turns.turn():
        raise AssertionError
    assert turns.stopped is None
