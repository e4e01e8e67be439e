"""Progress of long work, drawn on standard error when a person is watching."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from watch.run import Silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from watch.cli.output import Output
    from watch.run import Progress


class _Drawn:
    """A `watch.run.Progress` that moves one bar."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def site(self, site_id: str, looks: int) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
        self._task = self._bars.add_task(site_id, total=looks)

    def look(self, site_id: str) -> None:  # noqa: ARG002 - the bar knows its site
        if self._task is not None:
            self._bars.advance(self._task)


@contextmanager
def drawn(output: Output) -> Iterator[Progress]:
    """Yield a progress that draws bars, or says nothing when no person would see them."""
    if not output.shows_progress:
        yield Silent()
        return
    with _bars() as bars:
        yield _Drawn(bars)


def _bars(*, remark: bool = False) -> Bars:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from watch.cli.output import console

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        *([TextColumn("{task.fields[remark]}", markup=False)] if remark else []),
    )
    # Standard output may be a file: the library would send it to the terminal that the bar is on.
    return Progress(*columns, console=console(stderr=True), transient=True, redirect_stdout=False)


@contextmanager
def counted(
    output: Output, what: str, remark: Callable[[int], str] | None = None
) -> Iterator[Callable[[int, int, str], None] | None]:
    """Yield a callback for work that counts itself, or None when no person would see a bar.

    Args:
        output: How the command speaks.
        what: Stands before the bar.
        remark: Returns what stands after it once so many are done.
    """
    if not output.shows_progress:
        yield None
        return
    with _bars(remark=remark is not None) as bars:
        task = bars.add_task(what, total=None, remark="")

        def move(done: int, total: int, _what: str) -> None:
            bars.update(task, completed=done, total=total, remark=remark(done) if remark else "")

        yield move
