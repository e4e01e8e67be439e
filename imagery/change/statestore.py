"""Where states lie: beside the stacks, the current one and the latest checkpoints of each series.

    archive/states/<site id>/<grid id>-<series>/
        current.state
        <looks, eight digits>.state     a checkpoint, one a refit
        <checksum>-<bytes>.part         models and maps that these name

All of it is derived from the archive. Deleting any of it loses nothing but time: looks are then shown to a
judge again from the latest checkpoint that is whole, or from the first one.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geo.durable import write_bytes
from imagery.change.lookkey import chained
from imagery.change.packed import MIN_BYTES, name_of, pack, unpack
from imagery.errors import ArchiveError, StateError
from imagery.stack import STATES_FOLDER, stack_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from geo.grid import Grid
    from imagery.change.lookkey import LookKey

VERSION = 2
"""Of what a state holds: raised whenever the same looks would leave another one."""

CHECKPOINTS_KEPT = 3
"""The latest ones; a scene that is older than all of them is replayed from the first look."""

_CURRENT = "current.state"


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """What a series carries after some looks."""

    seen: int
    """How many looks went in."""
    chain: str
    """Digest of their keys (`imagery.change.lookkey`)."""
    values: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]
    parts: frozenset[str]
    """Names of what lies on the shelf."""


class FolderShelf:
    """Keeps packed parts as files of a folder, named by checksum and length; unpacking checks the former."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, data: bytes) -> str:
        """Keep bytes; return their name.

        Raises:
            ArchiveError: They can't be written.
        """
        name = name_of(data)
        path = self._path(name)
        if not path.exists():
            _write(path, data)
        return name

    def get(self, name: str) -> bytes:
        """Return the bytes of a name.

        Raises:
            StateError: They are gone, can't be read, or are others.
        """
        if "/" in name:
            raise StateError(f"{name!r} names no part of a state")
        path = self._path(name)
        try:
            data = path.read_bytes()
        except OSError as error:
            problem = f"a part of the state can't be read: {error.strerror or error}"
            raise StateError(problem).located(file=str(path)) from error
        if len(data) < MIN_BYTES or name_of(data) != name:
            raise StateError("a part of the state is damaged").located(file=str(path))
        return data

    def keep(self, names: frozenset[str]) -> None:
        """Delete all others."""
        for path in self._folder.glob("*.part"):
            if path.stem not in names:
                path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.part"


class StateStore:
    """The states of one series of one lattice. One process at a time writes them."""

    def __init__(self, root: Path, grid: Grid, series: str, *, settings: str) -> None:
        """Name a place below an archive's root.

        Args:
            root: Of the archive.
            grid: Of the site.
            series: Of the looks.
            settings: All that the state depends on besides the looks; one of others is passed over.

        Raises:
            ImageError: The site's id or the series can't name a file.
        """
        self.folder = stack_path(root / STATES_FOLDER, grid, series).with_suffix("")
        self.shelf = FolderShelf(self.folder)
        self._key = [VERSION, grid.site_id, grid.grid_id, series, settings]

    def resume(self, looks: Sequence[LookKey]) -> Iterator[Snapshot]:
        """Read what holds only looks that are still the first ones, the furthest on first.

        A scene that came late, was replaced or taken away makes the states that it belongs before useless;
        so does damage. When nothing is left: begin afresh.

        Args:
            looks: All looks that are to be in the state, in order.
        """
        for path in [self.folder / _CURRENT, *self._checkpoints()]:
            try:
                snapshot = self._read(path)
            except StateError:
                continue
            if snapshot.seen <= len(looks) and chained(looks[: snapshot.seen]) == snapshot.chain:
                yield snapshot

    def save(self, current: Snapshot, checkpoints: Sequence[Snapshot], *, since: int) -> None:
        """Replace the current state and add checkpoints; a crash leaves whole files, old or new.

        Args:
            current: The parts it names lie on the shelf.
            checkpoints: New ones, in order; the latest are kept.
            since: Looks that were in the state that was taken up: later checkpoints are of looks that
                are not the first ones any more.

        Raises:
            ArchiveError: They can't be written.
        """
        useless = [path for path in self._checkpoints() if int(path.stem) > since]
        for path in useless:
            path.unlink(missing_ok=True)
        for snapshot in checkpoints[-CHECKPOINTS_KEPT:]:
            self._write(self.folder / f"{snapshot.seen:08d}.state", snapshot)
        self._write(self.folder / _CURRENT, current)
        if useless or checkpoints:
            self._sweep()

    def _checkpoints(self) -> list[Path]:
        """Return the checkpoints, latest first."""
        return sorted(self.folder.glob(f"{'[0-9]' * 8}.state"), reverse=True)

    def _sweep(self) -> None:
        """Delete old checkpoints, and the parts that no state names."""
        for old in self._checkpoints()[CHECKPOINTS_KEPT:]:
            old.unlink(missing_ok=True)
        named: set[str] = set()
        for path in self.folder.glob("*.state"):
            with suppress(StateError):
                named |= self._read(path).parts
        self.shelf.keep(frozenset(named))

    def _write(self, path: Path, snapshot: Snapshot) -> None:
        values = {
            "key": self._key,
            "seen": snapshot.seen,
            "chain": snapshot.chain,
            "parts": sorted(snapshot.parts),
            "own": snapshot.values,
        }
        _write(path, pack(values, snapshot.arrays))

    def _read(self, path: Path) -> Snapshot:
        try:
            values, arrays = unpack(path.read_bytes())
        except OSError as error:
            problem = f"the state can't be read: {error.strerror or error}"
            raise StateError(problem).located(file=str(path)) from error
        except StateError as error:
            raise error.located(file=str(path)) from None
        try:
            if values["key"] != self._key:
                raise StateError("it was made with other settings").located(file=str(path))
            parts = frozenset(map(str, values["parts"]))
            return Snapshot(int(values["seen"]), str(values["chain"]), values["own"], arrays, parts)
        except (KeyError, TypeError, ValueError) as error:
            raise StateError(f"this is no state of a series ({error!r})").located(file=str(path)) from error


def _write(path: Path, data: bytes) -> None:
    try:
        write_bytes(path, data)
    except OSError as error:
        problem = f"the state can't be written: {error.strerror or error}"
        raise ArchiveError(problem, hint="Free some room, or check who owns the folder").located(
            file=str(path)
        ) from error
