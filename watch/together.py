"""Sites judged side by side, and what came of them in the order in which they were to be."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from watch.crew import Crew
    from watch.means import Judged, Task

J = TypeVar("J")


def in_order(
    jobs: Iterable[J], crew: Crew, begin: Callable[[J], Task | None], halt: Callable[[], str]
) -> Iterator[tuple[J, Judged | None]]:
    """Yield every job with what came of it, in their order; only so many are held as the crew is ahead.

    Args:
        jobs: In order.
        crew: Judges the tasks.
        begin: Returns what is to be judged, asked when somebody is there to do it; None when nothing is.
        halt: Returns why the run is to end; empty while it isn't.
    """
    begun: deque[tuple[int, J]] = deque()
    came: dict[int, Judged | None] = {}

    def listen() -> None:
        reason = halt()
        if reason:
            crew.stop(reason)
        came.update(crew.done())

    def settled() -> Iterator[tuple[J, Judged | None]]:
        while begun and begun[0][0] in came:
            number, job = begun.popleft()
            yield job, came.pop(number)

    for number, job in enumerate(jobs):
        while len(begun) >= crew.ahead or not crew.has_room:
            listen()
            yield from settled()
        task = begin(job)
        begun.append((number, job))
        if task is None:
            came[number] = None
        else:
            crew.begin(number, task)
        yield from settled()
    while begun:
        listen()
        yield from settled()
