"""Where states lie: beside the stacks, the current one and the latest checkpoints of each series.

    archive/states/<site id>/<grid id>-<series>.state
    archive/states/<site id>/<grid id>-<series>.checkpoints/<looks, eight digits>.state

All of it is derived from the archive. Deleting it loses nothing but time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geo.durable import write_bytes
from imagery.change.state import SiteState, chained
from imagery.errors import ArchiveError
from imagery.stack import STATES_FOLDER, stack_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from geo.grid import Grid
    from imagery.change.state import LookKey

CHECKPOINTS_KEPT = 3
"""The latest ones; a scene that is older than all of them is replayed from the first look."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """What can be taken up for a sequence of looks."""

    state: SiteState | None
    """None: begin with a fresh one."""
    position: int
    """How many of the looks are in it; the rest is to be taken."""
    passed_over: tuple[str, ...]
    """What was there and could not be used, with the reason."""


class StateStore:
    """The states below an archive's root. One process at a time writes those of a site."""

    def __init__(self, root: Path) -> None:
        self._folder = root / STATES_FOLDER

    def path(self, grid: Grid, series: str) -> Path:
        """Return where the current state lies.

        Raises:
            ImageError: The site's id or the series can't name a file.
        """
        return stack_path(self._folder, grid, series).with_suffix(".state")

    def checkpoints(self, grid: Grid, series: str) -> list[Path]:
        """Return the checkpoints, latest first."""
        return sorted(self.path(grid, series).with_suffix(".checkpoints").glob("*.state"), reverse=True)

    def save(self, state: SiteState, grid: Grid) -> None:
        """Replace the current state; a crash leaves the old or the new one.

        Raises:
            ArchiveError: It can't be written.
        """
        _write(self.path(grid, state.series), state)

    def checkpoint(self, state: SiteState, grid: Grid) -> None:
        """Keep a state to replay from, and drop the oldest above `CHECKPOINTS_KEPT`.

        Raises:
            ArchiveError: It can't be written.
        """
        folder = self.path(grid, state.series).with_suffix(".checkpoints")
        _write(folder / f"{state.seen:08d}.state", state)
        for old in self.checkpoints(grid, state.series)[CHECKPOINTS_KEPT:]:
            old.unlink(missing_ok=True)

    def load(self, grid: Grid, series: str) -> SiteState | None:
        """Return the current state; None where there is none.

        Raises:
            ArchiveError: It is damaged or can't be read.
        """
        return _read(self.path(grid, series))

    def resume(self, grid: Grid, series: str, looks: Sequence[LookKey], *, settings: str = "") -> Resumed:
        """Return the state that is furthest on and holds only looks that are still the first ones.

        A scene that came late, was replaced or taken away makes the states that it belongs before useless;
        then the latest checkpoint before it is taken up.

        Args:
            grid: Of the site.
            series: Of the looks.
            looks: All looks there are, in order.
            settings: A state of other ones is passed over.
        """
        passed_over = []
        for path in [self.path(grid, series), *self.checkpoints(grid, series)]:
            try:
                state = _read(path)
            except ArchiveError as error:
                passed_over.append(str(error))
                continue
            if state is None:
                continue
            reason = _unusable(state, grid, series, looks, settings)
            if reason is None:
                return Resumed(state, state.seen, tuple(passed_over))
            passed_over.append(f"{path}: {reason}")
        return Resumed(None, 0, tuple(passed_over))

    def drop(self, grid: Grid, series: str) -> None:
        """Delete the current state and all checkpoints."""
        for path in [self.path(grid, series), *self.checkpoints(grid, series)]:
            path.unlink(missing_ok=True)


def _unusable(
    state: SiteState, grid: Grid, series: str, looks: Sequence[LookKey], settings: str
) -> str | None:
    if (state.site_id, state.grid_id, state.series) != (grid.site_id, grid.grid_id, series):
        return f"it is of {state.site_id}, {state.grid_id}, {state.series}"
    if state.settings != settings:
        return "it was made with other settings"
    if state.seen > len(looks) or chained(looks[: state.seen]) != state.chain:
        return f"its {state.seen} looks are not the first ones any more"
    return None


def _write(path: Path, state: SiteState) -> None:
    try:
        write_bytes(path, state.to_bytes())
    except OSError as error:
        problem = f"the state can't be written: {error.strerror or error}"
        raise ArchiveError(problem, hint="Free some room, or check who owns the folder").located(
            file=str(path)
        ) from error


def _read(path: Path) -> SiteState | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        problem = f"the state can't be read: {error.strerror or error}"
        raise ArchiveError(problem, hint="Check who owns it").located(file=str(path)) from error
    try:
        return SiteState.from_bytes(data)
    except ArchiveError as error:
        raise error.located(file=str(path)) from None
