"""Reading many small objects without the cycle collector walking over all of them again and again."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause cycle collection for the block; a catalogue's values hold no cycles.

    It changes the whole process for that time, which costs other threads nothing but memory.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            _age_all()
            gc.enable()


def _age_all() -> None:
    # The next collection of the young would walk over all that was made meanwhile: a third of the
    # time of reading. Freezing and thawing moves them to the oldest generation without a walk;
    # what somebody else has frozen must not thaw.
    if gc.get_freeze_count() == 0:
        gc.freeze()
        gc.unfreeze()
