"""The judges of one lattice, and what they know, kept between runs."""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from imagery.change.card import METHOD
from imagery.change.lookkey import NO_LOOKS, chained
from imagery.change.memory_record import parts_of, remembered, told
from imagery.change.sitejudge import SiteJudge
from imagery.change.statestore import CHECKPOINTS_KEPT, Snapshot
from imagery.errors import StateError
from imagery.stack import RECIPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from numpy.typing import NDArray

    from geo.grid import Grid
    from imagery.change.lookkey import LookKey
    from imagery.change.memory import Chips, Memory
    from imagery.change.null import Null
    from imagery.change.spec import WatchSpec
    from imagery.change.stored import Shelf
    from imagery.model import Chip, Detection, Look

    Kind = tuple[tuple[str, ...], float | None]


def settings_digest(spec: WatchSpec) -> str:
    """Return a digest of all that looks are judged by besides their chips."""
    rules = [(each.name, getattr(spec, each.name)) for each in fields(spec) if each.name != "weights"]
    weights = np.ascontiguousarray(spec.weights)
    said = repr((METHOD, RECIPE, rules, weights.shape)).encode()
    return hashlib.sha256(said + weights.tobytes()).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What the judges knew after some looks."""

    seen: int
    chain: str
    memories: Mapping[Kind, Memory]

    def snapshot(self, shelf: Shelf) -> Snapshot:
        """Return it as it is written; what is large goes on the shelf."""
        rows: list[dict[str, Any]] = []
        arrays: dict[str, NDArray[Any]] = {}
        names: set[str] = set()
        for number, ((bands, scale), memory) in enumerate(self.memories.items()):
            values, own = told(memory, shelf)
            rows.append({"bands": list(bands), "scale": scale, "memory": values})
            arrays |= {f"{number}.{name}": array for name, array in own.items()}
            names |= parts_of(values)
        return Snapshot(self.seen, self.chain, {"judges": rows}, arrays, frozenset(names))


class Judges:
    """Judges the looks of one lattice; chips of different bands or scale are never compared."""

    def __init__(
        self, spec: WatchSpec, grid: Grid, series: str, chips: Chips, null: Null | None = None
    ) -> None:
        """Begin without any look.

        Args:
            spec: Footprint and rules.
            grid: Of the chips.
            series: Of the chips.
            chips: Reads the chip of a day that was judged again.
            null: Quiet scores of reflectance.
        """
        self._spec, self._grid, self._series, self._chips = spec, grid, series, chips
        self._null = null
        self._by_kind: dict[Kind, SiteJudge] = {}
        self._chain = NO_LOOKS
        self.seen = 0
        """Looks so far."""
        self.checkpoints: deque[Known] = deque(maxlen=CHECKPOINTS_KEPT)
        """What was known after each of the latest refits."""

    def take_up(self, snapshot: Snapshot, shelf: Shelf) -> None:
        """Know what a snapshot says, instead of what was known.

        Raises:
            StateError: It says something else.
        """
        rows, columns = self._grid.shape
        found: dict[Kind, SiteJudge] = {}
        try:
            for number, row in enumerate(snapshot.values["judges"]):
                bands, scale = tuple(row["bands"]), row["scale"]
                prefix = f"{number}."
                own = {
                    name.removeprefix(prefix): array
                    for name, array in snapshot.arrays.items()
                    if name.startswith(prefix)
                }
                shape = (len(bands), rows, columns)
                memory = remembered(row["memory"], own, shelf, shape, self._chips)
                found[bands, scale] = self._judge(bands, scale, memory)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise StateError(f"this is no state of a lattice ({error!r})") from error
        self._by_kind, self._chain, self.seen = found, snapshot.chain, snapshot.seen

    def monitor(self, chip: Chip, key: LookKey) -> Look:
        """Judge one more chip.

        Raises:
            StateError: A part of what was taken up can't be read; these judges are of no use any more.
            SitewatchError: A chip of the history can't be read again; likewise.
        """
        kind = (chip.bands, chip.scale)
        judge = self._by_kind.get(kind)
        if judge is None:
            judge = self._by_kind[kind] = self._judge(*kind, None)
        fitted = judge.memory.learned
        look = judge.monitor(chip)
        self.seen, self._chain = self.seen + 1, chained([key], self._chain)
        if judge.memory.learned is not fitted:
            self.checkpoints.append(self.known())
        return look

    def report(self) -> tuple[Detection, ...]:
        """Return the detections so far, by the day on which they were raised."""
        found = [detection for judge in self._by_kind.values() for detection in judge.report()]
        return tuple(sorted(found, key=lambda each: each.first_with))

    def known(self) -> Known:
        """Return what is known now."""
        memories = {kind: judge.memory.copy() for kind, judge in self._by_kind.items()}
        return Known(self.seen, self._chain, memories)

    def _judge(self, bands: tuple[str, ...], scale: float | None, memory: Memory | None) -> SiteJudge:
        return SiteJudge(
            self._spec,
            self._grid,
            series=self._series,
            bands=bands,
            scale=scale,
            null=None if scale is None else self._null,
            memory=memory,
            chips=self._chips,
        )


def first_usable(judges: Judges, snapshots: Iterable[Snapshot], shelf: Shelf) -> None:
    """Take up the first snapshot that can be; none leaves the judges as they are."""
    for snapshot in snapshots:
        try:
            judges.take_up(snapshot, shelf)
        except StateError:
            continue
        return
