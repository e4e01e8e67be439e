"""Asked to end: SIGTERM and SIGINT let a run finish the look it is at; a second one doesn't wait."""

from __future__ import annotations

import os
import select
import signal
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import FrameType, TracebackType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Termination:
    """Catches the signals that ask a process to end, for the length of a block; for the main thread only."""

    def __init__(self) -> None:
        """Catch nothing yet."""
        self._asked = ""
        self._former: dict[signal.Signals, Any] = {}
        self._woken, self._wake = -1, -1

    def __enter__(self) -> Self:
        """Begin to catch."""
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        for number in _SIGNALS:
            self._former[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the signals to whom they belonged."""
        for number, former in self._former.items():
            signal.signal(number, former)
        os.close(self._woken)
        os.close(self._wake)

    def reason(self) -> str:
        """Return why things should come to an end; empty while nobody asked."""
        return self._asked

    def wait(self, seconds: float) -> None:
        """Wait that long, or until somebody asks to end."""
        if not self._asked:
            # A pipe, since a signal between the question and the sleep would otherwise be slept through.
            select.select([self._woken], [], [], seconds)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = f"asked to end ({signal.Signals(number).name})"
        os.write(self._wake, b"!")
