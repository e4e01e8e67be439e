from __future__ import annotations

import gc

import pytest

from sites.memory import collector_paused


def test_what_was_made_is_not_walked_over_by_the_next_collection() -> None:
    with collector_paused():
        assert not gc.isenabled()
        made = [[number] for number in range(5000)]
        assert gc.get_count()[0] >= len(made)
    assert gc.isenabled()
    assert gc.get_count()[0] < len(made) // 2


def test_cycles_made_in_the_block_are_collected_later() -> None:
    with collector_paused():
        loop: list[object] = []
        loop.append(loop)
        mark = id(loop)
        del loop
    assert mark in {id(item) for item in gc.get_objects(generation=2)}
    gc.collect()
    assert mark not in {id(item) for item in gc.get_objects(generation=2)}


def test_what_others_froze_stays_frozen() -> None:
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with collector_paused():
            pass
        assert gc.get_freeze_count() >= frozen - 100 > 0
    finally:
        gc.unfreeze()


def test_a_collector_that_was_off_stays_off_even_after_an_error() -> None:
    gc.disable()
    try:
        with pytest.raises(KeyError), collector_paused():
            raise KeyError
        assert not gc.isenabled()
    finally:
        gc.enable()
