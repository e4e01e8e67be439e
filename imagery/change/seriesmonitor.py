"""One site and series, look by look: fit, monitor, report.

A look is set against the model of the looks before it, and enters the state. A fit comes before the first
look at which one is due, so what a look is judged by never depends on looks after it:

    at 6, 9, 12, 18, 24, 36, 54, 81 and 120 clear looks (since the first one, and again since a restart),
    a year after the last fit, and after a restart.

Between two fits a look reads its own chip and a state of constant size, nothing else. A fit reads the latest
120 clear looks at most. It starts EWMA and CUSUM anew from the kept looks (the latest eight), set against
the new model: what was accumulated against the old one is in other units.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from imagery.change.harmonics import MIN_VALUES, fit, order_for
from imagery.change.monitor import Monitored, deviations, ewma_z, update
from imagery.change.state import KEPT_LOOKS, MAX_HISTORY, HistoryLook, LookKey, SiteState, chained
from imagery.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from numpy.typing import NDArray

    from imagery.change.harmonics import HarmonicModel
    from imagery.model import Chip

FIT_AT_LOOKS = (MIN_VALUES, 9, 12, 18, 24, 36, 54, 81, MAX_HISTORY)
"""Clear looks at which a fit is due: where the order grows, and at each half as many again."""

FIT_EVERY = timedelta(days=365)
"""After which a fit is due again, when there have been looks."""

_MAX_LEVERAGE = np.float32(0.9)


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What the model says of a look before it is seen."""

    predicted: NDArray[np.float32]
    """``(band, y, x)``, NaN where there is no model."""
    leverage: NDArray[np.float32]
    """``(y, x)``: variance of the prediction in units of that of a value."""
    sigma: NDArray[np.float32]
    """``(band, y, x)``: standard deviation of a value."""


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A look made comparable with the model: aligned and normalised."""

    values: NDArray[np.float32]
    """``(band, y, x)``, NaN where not clear."""
    extra_variance: NDArray[np.float32] | float = 0.0
    """What the preparation's own uncertainty adds, that of the alignment above all."""
    note: dict[str, Any] | None = None
    """Plain values from which the same preparation can be made again."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a look says nothing about the ground."""

    reason: str


class Prepare(Protocol):
    """Makes a chip comparable with the model."""

    def __call__(self, chip: Chip, expected: Expected | None, note: dict[str, Any] | None) -> Ready | Refused:
        """Return the look's values on the model's pixels and scale.

        Args:
            chip: The look.
            expected: What the model says of it; None before the first fit.
            note: What an earlier preparation of this chip noted: then it is to be made again as it was.
        """
        ...


def as_it_is(chip: Chip, expected: Expected | None, note: dict[str, Any] | None) -> Ready:  # noqa: ARG001
    """Prepare nothing: the chip's own values."""
    return Ready(chip.values())


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What one look says against the model of the looks before it. Residuals are observed minus predicted."""

    key: LookKey
    day: date
    orbit: str
    refused: str | None
    """Why the look did not enter; its arrays are NaN then."""
    looks: int
    """Clear looks that the model was fitted to; 0 before the first fit."""
    clear: int
    """Clear looks before this one."""
    orbit_known: bool
    """The model has seen the look's orbit often enough for a level of its own."""
    fitted: bool
    """A fit was made just before."""
    ready: Ready
    expected: Expected
    residual: NDArray[np.float32]
    """``(band, y, x)``: observed minus predicted."""
    variance: NDArray[np.float32]
    """``(band, y, x)``: sigma^2 (1 + leverage) + extra variance."""
    z: NDArray[np.float32]
    """``(band, y, x)``: residual over its deviation, not capped; NaN where the state was left alone."""
    monitored: Monitored
    """The state after the look; it changes with the next one."""

    @property
    def order(self) -> int:
        """Harmonics of the model."""
        return order_for(self.looks)

    def ewma_z(self) -> NDArray[np.float32]:
        """Return the EWMA over its standard deviation, ``(band, y, x)``."""
        return ewma_z(self.monitored)


@dataclass(frozen=True, slots=True)
class Report:
    """Where a series stands."""

    seen: int
    clear: int
    history: int
    """Clear looks that the next fit may use."""
    stable: int
    """Of them, those it will use."""
    looks: int
    """That the model was fitted to."""
    order: int
    orbits: tuple[str, ...]
    fitted_on: date | None
    last: LookKey | None


class SeriesMonitor:
    """Takes the looks of one site and series in order; all it knows is in its state."""

    def __init__(
        self,
        state: SiteState,
        chips: Callable[[HistoryLook], Chip],
        *,
        prepare: Prepare = as_it_is,
        checkpoint: Callable[[SiteState], None] | None = None,
    ) -> None:
        """Take up a state.

        Args:
            state: Fresh, or as it was left; it is changed.
            chips: Reads a chip of the history; called by fits alone.
            prepare: Alignment and normalisation.
            checkpoint: Called after each fit, before the look that follows.
        """
        self.state = state
        self._chips = chips
        self._prepare = prepare
        self._checkpoint = checkpoint

    def due(self, day: date) -> bool:
        """Return whether a fit comes before a look of that day."""
        state = self.state
        number, fitted = (count - state.restart_clear for count in (state.clear, state.fitted_clear))
        if state.clear < MIN_VALUES or not any(look.stable for look in state.history):
            return False
        crossed = any(fitted < count <= number for count in FIT_AT_LOOKS)
        waited = state.fitted_on is not None and day - state.fitted_on >= FIT_EVERY
        return state.fit_asked or crossed or (waited and state.clear > state.fitted_clear)

    def fit(self, day: date) -> HarmonicModel:
        """Fit the model to the stable looks of the history, and set the kept looks against it.

        Args:
            day: Of the look that follows.
        """
        state, before = self.state, copy(self.state)
        try:
            state.model = model = self._fitted()
            if before.model is None and self._prepare is not as_it_is:
                # The first looks had nothing to be laid onto; now they have one another.
                state.model = model = self._fitted()
            self._set_kept()
        except BaseException:
            for each in fields(state):  # a chip that can't be read leaves the state as it was
                setattr(state, each.name, getattr(before, each.name))
            raise
        state.fitted_on, state.fitted_clear, state.fit_asked = day, state.clear, False
        return model

    def monitor(self, chip: Chip, *, key: LookKey | None = None) -> Step:
        """Set a clear look against the model, and take it into the state.

        Args:
            chip: The look.
            key: Its name; None: from the chip alone.

        Raises:
            ImageError: The chip is of another lattice, series or bands, or comes before the last look.
        """
        key = self._checked(chip, key or LookKey.of(chip))
        state, day, orbit = self.state, chip.solar_day, chip.geometry.orbit
        fitted = self.due(day)
        if fitted:
            self.fit(day)
            if self._checkpoint is not None:
                self._checkpoint(state)
        expected = self._expected(day, orbit)
        prepared = self._prepare(chip, expected if state.model is not None else None, None)
        before = state.clear
        ready = prepared if isinstance(prepared, Ready) else Ready(np.full_like(expected.predicted, np.nan))
        deviation = deviations(expected.sigma, expected.leverage, ready.extra_variance)
        if isinstance(prepared, Ready):
            z = update(state.monitored, ready.values, expected.predicted, deviation)
            state.keep(day, orbit, z)
            look = HistoryLook(key, day, orbit, note=ready.note)
            state.history = [*state.history, look][-MAX_HISTORY:]
            state.clear += 1
        else:
            z = np.full_like(expected.predicted, np.nan)
        self._seen(key)
        return Step(
            key=key,
            day=day,
            orbit=orbit,
            refused=prepared.reason if isinstance(prepared, Refused) else None,
            looks=0 if state.model is None else state.model.looks,
            clear=before,
            orbit_known=state.model is not None and state.model.knows(orbit),
            fitted=fitted,
            ready=ready,
            expected=expected,
            residual=ready.values - expected.predicted,
            variance=np.square(deviation),
            z=z,
            monitored=state.monitored,
        )

    def pass_over(self, chip: Chip, *, key: LookKey | None = None) -> None:
        """Take note of a look that shows too little of the ground; it changes nothing else.

        Raises:
            ImageError: As for `monitor`.
        """
        self._seen(self._checked(chip, key or LookKey.of(chip)))

    def report(self) -> Report:
        """Say where the series stands."""
        state, model = self.state, self.state.model
        return Report(
            seen=state.seen,
            clear=state.clear,
            history=len(state.history),
            stable=sum(look.stable for look in state.history),
            looks=0 if model is None else model.looks,
            order=0 if model is None else model.order,
            orbits=() if model is None else model.orbits,
            fitted_on=state.fitted_on,
            last=state.last,
        )

    def _checked(self, chip: Chip, key: LookKey) -> LookKey:
        state = self.state
        mine = (state.site_id, state.grid_id, state.series, state.bands)
        its = (chip.site_id, chip.grid.grid_id, chip.series, chip.bands)
        if mine != its:
            raise ImageError(f"a chip of {its} does not belong to the series {mine}")
        if state.last is not None and key <= state.last:
            problem = f"the look {key.id} of {key.acquired:%Y-%m-%d %H:%M} comes before one that was taken"
            raise ImageError(problem, hint="Take up an earlier checkpoint and replay from there")
        return key

    def _seen(self, key: LookKey) -> None:
        state = self.state
        state.seen, state.last, state.chain = state.seen + 1, key, chained([key], state.chain)

    def _expected(self, day: date, orbit: str) -> Expected:
        state = self.state
        if state.model is None:
            nothing = np.full((len(state.bands), *state.shape), np.nan, dtype=np.float32)
            return Expected(nothing, nothing[0], nothing)
        predicted, leverage = state.model.predict(day, orbit)
        return Expected(predicted, leverage, state.model.sigma)

    def _ready(self, look: HistoryLook) -> Ready | None:
        """Prepare a chip of the history as before, or for the first time where a model has come since."""
        expected = self._expected(look.day, look.orbit) if self.state.model is not None else None
        ready = self._prepare(self._chips(look), expected, look.note)
        return ready if isinstance(ready, Ready) else None

    def _fitted(self) -> HarmonicModel:
        state = self.state
        looks = [look for look in state.history if look.stable]
        values = np.full((len(looks), len(state.bands), *state.shape), np.nan, dtype=np.float32)
        notes: dict[LookKey, dict[str, Any] | None] = {}
        used = []
        for place, look in enumerate(looks):
            ready = self._ready(look)
            if ready is not None:
                values[place] = ready.values
                values[place][:, state.start > look.day.toordinal()] = np.nan
                notes[look.key] = ready.note
                used.append(place)
        state.history = [
            replace(look, note=notes[look.key]) if look.key in notes else look for look in state.history
        ]
        days, orbits = [looks[place].day for place in used], [looks[place].orbit for place in used]
        history = values if len(used) == len(looks) else values[used]
        return fit(history, days, orbits, resolution=state.resolution)

    def _set_kept(self) -> None:
        """Set the latest looks against the model, each without itself where it was fitted to.

        Without a look its residual is r / (1 - h) and its variance sigma^2 / (1 - h), with h its leverage
        (Cook & Weisberg 1982, 2.2.1).
        """
        state = self.state
        state.monitored = Monitored.fresh(len(state.bands), state.shape)
        state.ring = np.full_like(state.ring, np.nan)
        state.ring_days = []
        for look in state.history[-KEPT_LOOKS:]:
            ready = self._ready(look)
            expected = self._expected(look.day, look.orbit)
            if ready is None:
                continue
            values = ready.values.copy()
            values[:, state.start > look.day.toordinal()] = np.nan
            leverage = expected.leverage
            if look.stable:
                kept = (1 - np.minimum(leverage, _MAX_LEVERAGE)).astype(np.float32)
                values = expected.predicted + (values - expected.predicted) / kept
                leverage = (1 / kept - 1).astype(np.float32)
            deviation = deviations(expected.sigma, leverage, ready.extra_variance)
            state.keep(look.day, look.orbit, update(state.monitored, values, expected.predicted, deviation))
