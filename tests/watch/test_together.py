from __future__ import annotations

from typing import Any, Self

from hypothesis import given
from hypothesis import strategies as st

from watch.crew import Crew
from watch.means import Judged
from watch.together import in_order

SIZE = 3


class Shuffled:
    """A crew that is done with what it has in an order of its own."""

    def __init__(self, choices: Any) -> None:  # noqa: ANN401 - hypothesis's, which has no public name
        self._choices = choices
        self._at: list[tuple[int, Any]] = []
        self.reason = ""
        self.most = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    @property
    def has_room(self) -> bool:
        return len(self._at) < SIZE

    @property
    def ahead(self) -> int:
        return 2 * SIZE

    def begin(self, number: int, task: Any) -> None:  # noqa: ANN401 - any task will do
        assert self.has_room
        self._at.append((number, task))
        self.most = max(self.most, len(self._at))

    def done(self) -> list[tuple[int, Judged]]:
        if not self._at:
            return []
        number, task = self._at.pop(self._choices.draw(st.integers(0, len(self._at) - 1)))
        return [(number, Judged(failure=task, left=self.reason))]

    def stop(self, reason: str) -> None:
        self.reason = reason


def conforms(crew: Shuffled) -> Crew:
    return crew


@given(st.lists(st.booleans(), max_size=30), st.data())
def test_every_job_comes_once_in_order_with_its_own_result(is_task: list[bool], data: Any) -> None:  # noqa: ANN401
    crew = Shuffled(data)
    begun: list[int] = []

    def begin(job: int) -> Any:  # noqa: ANN401
        begun.append(job)
        return f"result {job}" if is_task[job] else None

    came = []
    for job, judged in in_order(range(len(is_task)), crew, begin, lambda: ""):
        came.append((job, None if judged is None else judged.failure))
        assert len(begun) - len(came) <= crew.ahead
    assert begun == list(range(len(is_task)))
    assert came == [(job, f"result {job}" if needed else None) for job, needed in enumerate(is_task)]
    assert crew.most <= SIZE


@given(st.data())
def test_a_reason_to_end_reaches_those_who_work(data: Any) -> None:  # noqa: ANN401
    crew = Shuffled(data)
    came: list[str] = []

    def begin(job: int) -> Any:  # noqa: ANN401
        return str(job)

    for job, judged in in_order(range(10), crew, begin, lambda: "asked to end" if came else ""):
        came.append(str(job) + (judged.left if judged else ""))
    assert len(came) == 10
    assert came[0] == "0"
    assert came[-1] == "9asked to end"
