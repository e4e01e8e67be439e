"""What one site and series carries from one date to the next: of constant size, exact, and dated.

The model's coefficients, what the dates since have left (EWMA, CUSUM), the latest standardised residuals on
a window, and the list of looks that the next fit may use, which is bounded. A chain of digests names every
look that went in, so a scene that came late or was replaced is noticed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import orjson

from imagery.change.harmonics import HarmonicModel
from imagery.change.monitor import Monitored
from imagery.change.packed import pack, unpack
from imagery.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from imagery.model import Chip, Scene

VERSION = 1
"""Of the state's meaning: raised whenever the same looks would leave another one."""

MAX_HISTORY = 120
"""Clear looks that a fit may use: the latest ones. It bounds what a fit reads and what a state holds."""

KEPT_LOOKS = 8
"""Clear looks whose standardised residuals are kept."""

NO_LOOKS = hashlib.sha256(b"").hexdigest()
"""The chain before the first look."""

Window = tuple[slice, slice]


@dataclass(frozen=True, slots=True, order=True)
class LookKey:
    """Names a look; looks are taken in the order of their keys."""

    acquired: datetime
    """Aware UTC."""
    id: str
    """Of its scenes, joined by ``+``."""
    content: str = ""
    """Digest of what it is made of, where it is known: then a replaced scene is noticed too."""

    @classmethod
    def of(cls, chip: Chip) -> Self:
        """Return the key of a chip whose scenes are not at hand."""
        return cls(chip.acquired, "+".join(chip.scene_ids))

    @classmethod
    def of_scenes(cls, scenes: Sequence[Scene]) -> Self:
        """Return the key of the look that some scenes of one day make; no pixel is read."""
        ordered = sorted(scenes, key=lambda scene: (scene.acquired, scene.id))
        content = "+".join(scene.content_sha for scene in ordered)
        return cls(ordered[0].acquired, "+".join(scene.id for scene in ordered), content)


@dataclass(frozen=True, slots=True)
class HistoryLook:
    """A clear look that a fit may use."""

    key: LookKey
    day: date
    orbit: str
    stable: bool = True
    """False: it shows what may be a change, and no model is fitted to it."""
    note: dict[str, Any] | None = None
    """What the preparation found (shift, gain, ...), plain values; fits prepare the chip in the same way."""


@dataclass(slots=True, eq=False)
class SiteState:
    """See the module; `SeriesMonitor` changes it, everybody else reads it."""

    site_id: str
    grid_id: str
    series: str
    bands: tuple[str, ...]
    resolution: float
    """Smallest step of the values."""
    settings: str
    """What else the values depend on; a state of other settings is not taken up again."""
    window: Window
    """Rows and columns of the frame whose residuals are kept."""
    monitored: Monitored
    start: NDArray[np.int32]
    """``(y, x)``: ordinal of the first day whose values count for a pixel's model; 0: all."""
    ring: NDArray[np.float32]
    """``(KEPT_LOOKS, band, y, x)`` on the window: standardised residuals; see `kept_residuals`."""
    ring_days: list[tuple[date, str]] = field(default_factory=list)
    """Day and orbit of the kept looks, oldest first."""
    model: HarmonicModel | None = None
    history: list[HistoryLook] = field(default_factory=list)
    """The latest `MAX_HISTORY` clear looks, in order."""
    seen: int = 0
    """Looks so far, hidden ones too."""
    clear: int = 0
    """Clear looks so far."""
    last: LookKey | None = None
    chain: str = NO_LOOKS
    """Digest of all keys so far."""
    fitted_on: date | None = None
    """Day of the look before which the model was fitted."""
    fitted_clear: int = 0
    """Clear looks at the fit."""
    restart_clear: int = 0
    """Clear looks at the latest restart; 0 without one."""
    fit_asked: bool = False
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    """What the judge keeps besides, by name."""
    notes: dict[str, Any] = field(default_factory=dict)
    """The same in plain values, set by `note`."""

    @classmethod
    def fresh(cls, chip: Chip, *, window: Window | None = None, settings: str = "") -> Self:
        """Return the state before the first look of a lattice.

        Args:
            chip: Any chip of the lattice and series; only its names and shapes are used.
            window: Rows and columns whose residuals are kept; None: the whole frame.
            settings: See `SiteState.settings`.
        """
        rows, columns = chip.grid.shape
        own = window or (slice(0, rows), slice(0, columns))
        part = np.zeros((rows, columns), dtype=np.bool_)[own].shape
        return cls(
            site_id=chip.site_id,
            grid_id=chip.grid.grid_id,
            series=chip.series,
            bands=chip.bands,
            resolution=1.0 if chip.scale is None else chip.scale,
            settings=settings,
            window=own,
            monitored=Monitored.fresh(len(chip.bands), (rows, columns)),
            start=np.zeros((rows, columns), dtype=np.int32),
            ring=np.full((KEPT_LOOKS, len(chip.bands), *part), np.nan, dtype=np.float32),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, columns of the frame."""
        rows, columns = self.start.shape
        return rows, columns

    def note(self, values: dict[str, Any]) -> None:
        """Keep the judge's plain values as they will come back from bytes: tuples become lists."""
        self.notes = orjson.loads(orjson.dumps(values))

    def kept_residuals(self) -> tuple[list[tuple[date, str]], NDArray[np.float32]]:
        """Return the kept looks, oldest first: day and orbit, and z ``(look, band, y, x)`` on the window."""
        number = len(self.ring_days)
        return list(self.ring_days), self.ring[KEPT_LOOKS - number :]

    def keep(self, day: date, orbit: str, z: NDArray[np.float32]) -> None:
        """Keep the window of one look's standardised residuals ``(band, y, x)``; the oldest goes."""
        self.ring[:-1] = self.ring[1:]
        self.ring[-1] = z[(slice(None), *self.window)]
        self.ring_days = [*self.ring_days, (day, orbit)][-KEPT_LOOKS:]

    def mark(self, days: Iterable[date], *, stable: bool) -> None:
        """Say of some looks whether a model may be fitted to them."""
        chosen = set(days)
        self.history = [replace(look, stable=stable) if look.day in chosen else look for look in self.history]

    def restart(self, pixels: NDArray[np.bool_], day: date) -> None:
        """Let the model of some pixels ``(y, x)`` begin at a day, as after a confirmed change.

        What was accumulated there is forgotten; a fit is made before the next look, and fits follow the
        number of looks again as after the first one.
        """
        self.start[pixels] = day.toordinal()
        self.monitored.reset(pixels)
        self.ring[:, :, pixels[self.window]] = np.nan
        self.restart_clear = self.clear
        self.fit_asked = True

    def to_bytes(self) -> bytes:
        """Return the state as bytes; equal states give equal bytes."""
        values = {
            "version": VERSION,
            "site_id": self.site_id,
            "grid_id": self.grid_id,
            "series": self.series,
            "bands": list(self.bands),
            "resolution": self.resolution,
            "settings": self.settings,
            "window": [[part.start, part.stop] for part in self.window],
            "ring_days": [[day.isoformat(), orbit] for day, orbit in self.ring_days],
            "history": [_history_row(look) for look in self.history],
            "seen": self.seen,
            "clear": self.clear,
            "last": None if self.last is None else _key_row(self.last),
            "chain": self.chain,
            "fitted_on": None if self.fitted_on is None else self.fitted_on.isoformat(),
            "fitted_clear": self.fitted_clear,
            "restart_clear": self.restart_clear,
            "fit_asked": self.fit_asked,
            "model": None if self.model is None else [list(self.model.orbits), self.model.looks],
            "notes": self.notes,
        }
        return pack(values, self._arrays())

    def _arrays(self) -> dict[str, NDArray[Any]]:
        found = {f"own.{name}": array for name, array in self.arrays.items()}
        found |= {"start": self.start, "ring": self.ring}
        for name in ("ewma", "above", "below", "updates"):
            found[f"monitored.{name}"] = getattr(self.monitored, name)
        if self.model is not None:
            for name in _MODEL_ARRAYS:
                found[f"model.{name}"] = getattr(self.model, name)
        return found

    @classmethod
    def from_bytes(cls, data: bytes | memoryview) -> Self:
        """Return the state that `to_bytes` wrote, exactly.

        Raises:
            ArchiveError: The bytes are damaged, or of another version.
        """
        values, arrays = unpack(data)
        if values.get("version") != VERSION:
            problem = f"this state is of version {values.get('version')!r}, not {VERSION}"
            raise ArchiveError(problem, hint="Delete it, and the looks are judged again")
        try:
            state = cls(**_fields(values, arrays))
            state._check()
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            problem = f"this is no state of a site: {error!r}"
            raise ArchiveError(problem, hint="Delete it, and the looks are judged again") from error
        return state

    def _check(self) -> None:
        """Refuse arrays that don't belong together.

        Raises:
            ValueError: With the name of the array.
        """
        bands, rows, columns = len(self.bands), *self.shape
        part = np.zeros((rows, columns), dtype=np.bool_)[self.window].shape
        frame = (bands, rows, columns)
        expected: dict[str, tuple[Any, tuple[int, ...]]] = {
            "start": (np.int32, (rows, columns)),
            "ring": (np.float32, (KEPT_LOOKS, bands, *part)),
            "monitored.ewma": (np.float32, frame),
            "monitored.above": (np.float32, frame),
            "monitored.below": (np.float32, frame),
            "monitored.updates": (np.uint16, (rows, columns)),
        }
        if self.model is not None:
            size = 4 + len(self.model.orbits)
            expected |= {
                "model.coefficients": (np.float32, (size, *frame)),
                "model.sigma": (np.float32, frame),
                "model.count": (np.int32, (rows, columns)),
                "model.inverse_gram": (np.float32, (size * (size + 1) // 2, rows, columns)),
            }
        arrays = self._arrays()
        for name, (kind, shape) in expected.items():
            if arrays[name].dtype != kind or arrays[name].shape != shape:
                message = f"{name} is {arrays[name].dtype} {arrays[name].shape}, not {shape}"
                raise ValueError(message)
        counts = (self.seen, self.clear, self.fitted_clear, self.restart_clear)
        if not all(type(count) is int and count >= 0 for count in counts):
            message = f"{counts} are no counts of looks"
            raise ValueError(message)
        if len(self.ring_days) > KEPT_LOOKS or len(self.history) > MAX_HISTORY:
            message = "it keeps more looks than any state does"
            raise ValueError(message)


def chained(keys: Sequence[LookKey], chain: str = NO_LOOKS) -> str:
    """Return the digest of a sequence of looks, on top of an earlier one."""
    for key in keys:
        chain = hashlib.sha256(orjson.dumps([chain, *_key_row(key)])).hexdigest()
    return chain


_MODEL_ARRAYS = ("coefficients", "sigma", "count", "inverse_gram")


def _key_row(key: LookKey) -> list[str]:
    return [key.acquired.isoformat(), key.id, key.content]


def _key(row: list[str]) -> LookKey:
    acquired, name, content = row
    return LookKey(datetime.fromisoformat(acquired), name, content)


def _history_row(look: HistoryLook) -> list[Any]:
    return [_key_row(look.key), look.day.isoformat(), look.orbit, look.stable, look.note]


def _history_look(row: list[Any]) -> HistoryLook:
    key, day, orbit, stable, note = row
    return HistoryLook(_key(key), date.fromisoformat(day), orbit, stable, note)


def _fields(values: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    rows, columns = (slice(*bounds) for bounds in values["window"])
    plain = ("site_id", "grid_id", "series", "resolution", "settings", "seen", "clear", "chain")
    also = ("fitted_clear", "restart_clear", "fit_asked", "notes")
    found = {name: values[name] for name in plain + also}
    model = None
    if values["model"] is not None:
        orbits, looks = values["model"]
        model = HarmonicModel(tuple(orbits), looks, *(arrays[f"model.{name}"] for name in _MODEL_ARRAYS))
    return found | {
        "bands": tuple(values["bands"]),
        "window": (rows, columns),
        "ring_days": [(date.fromisoformat(day), orbit) for day, orbit in values["ring_days"]],
        "history": [_history_look(row) for row in values["history"]],
        "last": None if values["last"] is None else _key(values["last"]),
        "fitted_on": None if values["fitted_on"] is None else date.fromisoformat(values["fitted_on"]),
        "model": model,
        "monitored": Monitored(
            *(arrays[f"monitored.{name}"] for name in ("ewma", "above", "below", "updates"))
        ),
        "start": arrays["start"],
        "ring": arrays["ring"],
        "arrays": {
            name.removeprefix("own."): array for name, array in arrays.items() if name.startswith("own.")
        },
    }
