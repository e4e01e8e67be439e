"""The judge of one site: chips in, in order of time; looks and detections out.

    judge = SiteJudge(spec, grid, series=..., bands=..., scale=...)
    judge.fit(history)            # clear looks that are taken as they are
    look = judge.monitor(chip)    # one more, judged
    judge.report()                # the detections so far

What it says is a function of the chips it was given, in their order: a replay says the same. Each chip is
aligned with the site's own prediction for that day, put on its scale, and searched for what the sensor would
see of a change; `docs/method.md` tells the steps.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from imagery.change.beginning import settle
from imagery.change.calendar import calendar_for
from imagery.change.cases import REBASE_MARGIN_PX, Frame, detection_of
from imagery.change.controls import surroundings
from imagery.change.day import Day, KeptLook, Mapped, Material, Record
from imagery.change.follow import KEPT_LOOKS
from imagery.change.judgement import Judged, judged
from imagery.change.learned import (
    MIN_SCORES,
    Learned,
    PastLook,
    Quiet,
    learn,
    season_gap_days,
    usual,
    window_of,
)
from imagery.change.lookwords import look_of, obscured, too_dim
from imagery.change.memory import Memory, Remembered
from imagery.change.prepare import Refused, normalise_settings, prepared
from imagery.change.regions import NEIGHBOURS
from imagery.change.search import Shapes, maps_of
from imagery.change.smallest_seen import smallest_seen, with_sizes
from imagery.change.stored import Stored
from imagery.change.telling import look_told
from imagery.change.templates import listed_fractions
from imagery.model import DetectionState, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from geo.grid import Grid
    from imagery.change.cases import Case
    from imagery.change.detectable_words import Detectable
    from imagery.change.memory import Chips
    from imagery.change.null import Null
    from imagery.change.spec import WatchSpec
    from imagery.model import Chip, Detection, Look

MAX_LEVERAGE = 1.0
"""Median over the site: above it the prediction is less sure than a single look."""

SURE_LEVERAGE = 0.3
"""Median over the frame: below it a look whose scale is implausible says nothing; above it the prediction
may be what is wrong, and the look is kept as history."""

MIN_JUDGED_SHARE = 0.5
"""Of the clear part of the footprint, the share that must have a model; else Learning."""

REFIT_LOOKS = 8
"""Clear looks after which the model is fitted anew; half as many while the history is short."""

SHORT_HISTORY = 24
WINDOW_MARGIN_PX = 8
_KEPT_SCORES = 24


class SiteJudge:
    """Judges the chips of one site, lattice, series, set of bands and scale, in order of time."""

    def __init__(
        self,
        spec: WatchSpec,
        grid: Grid,
        *,
        series: str,
        bands: tuple[str, ...],
        scale: float | None,
        null: Null | None = None,
        memory: Memory | None = None,
        chips: Chips | None = None,
    ) -> None:
        """Begin without any history, or with what another judge left.

        Args:
            spec: Footprint and rules.
            grid: The lattice of the chips.
            series: Of the chips.
            bands: Of the chips, in order.
            scale: Reflectance of a count; None for uncalibrated counts.
            null: Where p-values come from; without it there are none.
            memory: What another judge of the same kind left.
            chips: Reads the chip of a day again; needed with a memory that was read from bytes.
        """
        window = window_of(spec.weights, WINDOW_MARGIN_PX)
        shapes = (
            Shapes.listing(listed_fractions(spec.weights)[window])
            if spec.is_listed
            else Shapes.searching(spec.weights[window])
        )
        lon, lat = (float(each) for each in grid.corners_lonlat().mean(axis=0))
        self._spec = spec
        self._series = series
        self._frame = Frame(grid, window, bands, scale, shapes)
        self._material = Material(self._frame, spec, surroundings(spec.weights), calendar_for(lon, lat), null)
        self._memory = memory or Memory()
        self._chips = chips

    def fit(self, history: Iterable[Chip]) -> None:
        """Take the chips that are clear enough as history, without judging them."""
        for chip in history:
            self._check(chip)
            if not too_dim(chip, self._spec):
                self._remember(chip, PastLook.as_it_came(chip))
        self._fit_when_due()

    def monitor(self, chip: Chip) -> Look:
        """Judge one more chip.

        Returns:
            A look that ends as Obscured, Learning, Unchanged or Changed, with its card.

        Raises:
            ValueError: The chip lies on another grid, or differs in series, bands or scale.
        """
        self._check(chip)
        dim = too_dim(chip, self._spec)
        if dim:
            return obscured(chip, self._spec, dim)
        learned = self._memory.learned
        if learned is None:
            return self._learning(chip, self._too_few())
        return self._against(chip, learned)

    @property
    def memory(self) -> Memory:
        """What the next look is judged by; it changes with each."""
        return self._memory

    @property
    def cases(self) -> tuple[Case, ...]:
        """Every case so far, those that were dropped too, in the order in which they were raised."""
        return tuple(self._memory.cases)

    def report(self) -> tuple[Detection, ...]:
        """Return the detections so far, in the order in which they were raised."""
        return tuple(
            detection_of(
                case,
                self._frame,
                self._series,
                null=self._material.null,
                simulated=self._memory.simulated,
            )
            for case in self._memory.cases
            if case.track.is_reported
        )

    def _check(self, chip: Chip) -> None:
        frame = self._frame
        mine = (frame.grid, self._series, frame.bands, frame.scale)
        if (chip.grid, chip.series, chip.bands, chip.scale) != mine:
            message = (
                f"the chip of {chip.solar_day} lies on another grid, or differs in series, bands or scale: "
                f"{(chip.series, chip.bands, chip.scale)} and not {mine[1:]}"
            )
            raise ValueError(message)
        self._memory.simulated |= chip.simulated

    def _too_few(self) -> str:
        return f"{self._memory.clear_looks} earlier clear looks, at least {self._spec.min_history} are needed"

    def _learning(self, chip: Chip, reason: str) -> Look:
        look = look_of(chip, self._spec, Outcome.LEARNING, reason, history=self._memory.clear_looks)
        self._remember(chip, PastLook.as_it_came(chip))
        self._fit_when_due()
        return look

    def _against(self, chip: Chip, learned: Learned) -> Look:
        model = learned.model
        predicted, leverage = model.predict(chip.solar_day, chip.geometry.orbit)
        unknown = self._unknown(chip, leverage, learned)
        if unknown:
            return self._learning(chip, unknown)
        result = prepared(chip, predicted, leverage, model.sigma, self._material.context)
        if isinstance(result, Refused):
            if _median(leverage) > SURE_LEVERAGE:
                self._remember(chip, PastLook.as_it_came(chip))
            return obscured(chip, self._spec, result.reason, history=model.looks)
        day = Day.of(
            chip,
            result,
            learned,
            self._quiet(learned),
            tuple(self._memory.kept),
            self._material,
            self._record(chip),
        )
        found = judged(day, self._memory.cases)
        self._take(day, found)
        look = look_told(day, found)
        return with_sizes(look, self._seen_sizes(day)) if look.outcome is Outcome.UNCHANGED else look

    def _seen_sizes(self, day: Day) -> tuple[Detectable, ...]:
        """Return how small a building would have been seen: worked out once a fit, as soon as it can be."""
        fitted_at, found = self._memory.sizes
        if fitted_at != self._memory.fitted_at or not found:
            masks = [self._mask_of(case) for case in self._memory.cases if case.track.is_reported]
            taken = np.logical_or.reduce([np.zeros(self._frame.grid.shape, dtype=np.bool_), *masks])
            found = smallest_seen(day, taken, self._memory.shift_sds)
            self._memory.sizes = self._memory.fitted_at, found
        return found

    def _unknown(self, chip: Chip, leverage: NDArray[np.float32], learned: Learned) -> str:
        """Return why the history does not speak for this day, or nothing."""
        gap = season_gap_days(chip.solar_day, learned.days)
        if gap > self._spec.season_half_width_days:
            return (
                f"no earlier clear look within {self._spec.season_half_width_days:g} days of this day of the "
                f"year, the nearest is {gap:.0f} days off"
            )
        weights = self._spec.weights
        clear = chip.clear & (weights > 0)
        known = clear & np.isfinite(learned.model.sigma).all(axis=0)
        if not known.any() or weights[known].sum() < MIN_JUDGED_SHARE * weights[clear].sum():
            return f"less than half of the clear footprint has {self._spec.min_history} earlier clear values"
        unsure = _median(leverage[known])
        if unsure > MAX_LEVERAGE:
            return f"the prediction is too unsure (leverage {unsure:.1f}, at most {MAX_LEVERAGE:g})"
        return ""

    def _quiet(self, learned: Learned) -> Quiet:
        """Return what quiet looks reach, in the history or since, whichever is more."""
        since = (
            usual(each) if len(each) >= MIN_SCORES else 0.0
            for each in (self._memory.alone, self._memory.agreed, self._memory.thrice, self._memory.summed)
        )
        return learned.quiet.at_least(Quiet(*since))

    def _record(self, chip: Chip) -> Record:
        orbit, baseline = chip.geometry.orbit, chip.processing_baseline
        return Record(
            orbit_looks=self._memory.orbits[orbit] if orbit else None,
            usual_shift_px=float(np.quantile(self._memory.shifts, _USUAL))
            if self._memory.shifts
            else float("inf"),
            baseline_is_new=bool(baseline and self._memory.baselines)
            and baseline not in self._memory.baselines,
        )

    def _take(self, day: Day, found: Judged) -> None:
        """Keep what a judged look leaves behind."""
        self._memory.cases = list(found.cases)
        for scores, peak, most in (
            (self._memory.alone, found.alone, day.threshold.alone),
            (self._memory.agreed, found.agreed, day.threshold.agreed),
            (self._memory.thrice, found.thrice, day.threshold.thrice),
            (self._memory.summed, found.summed, day.threshold.summed),
        ):
            if peak is not None:
                scores.append(min(peak.score, most))
                del scores[:-_KEPT_SCORES]
        # What another cause may have made must neither agree with a later look nor speak against it.
        if not any(each.by_cause for each in found.held):
            self._memory.kept = list(day.looks[-KEPT_LOOKS:])
        if day.result.shift is not None:
            shift = day.result.shift
            self._memory.shifts = [*self._memory.shifts, shift.length_px][-_KEPT_SCORES:]
            errors = float(np.sqrt(shift.var_x)), float(np.sqrt(shift.var_y))
            self._memory.shift_sds = [*self._memory.shift_sds, errors][-_KEPT_SCORES:]
        result = day.result
        self._remember(
            day.chip,
            PastLook(
                day.chip.solar_day, day.chip.geometry.orbit, result.values, result.is_scaled, result.recipe
            ),
        )
        for case in found.confirmed:
            mask = self._mask_of(case)
            self._memory.rebased.append((mask, case.when.first_with))
            self._memory.kept = [self._without(kept, mask) for kept in self._memory.kept]
        if found.confirmed:
            self._refit()
        self._fit_when_due()

    def _without(self, kept: KeptLook, mask: NDArray[np.bool_]) -> KeptLook:
        """Return a kept look that knows nothing of a change which is part of the baseline now."""
        values = kept.now.values.copy()
        values[:, mask[self._frame.window]] = np.nan
        now = replace(kept.now, values=values)
        learned = self._memory.learned
        maps = kept.maps if learned is None else maps_of(now, self._frame.shapes, learned.yard)
        return KeptLook(kept.whole.without(mask), Stored.of(Mapped(now, maps)))

    def _mask_of(self, case: Case) -> NDArray[np.bool_]:
        mask = np.zeros(self._frame.grid.shape, dtype=np.bool_)
        for row, column in case.pixels:
            mask[row, column] = True
        return np.asarray(ndimage.binary_dilation(mask, NEIGHBOURS, iterations=REBASE_MARGIN_PX))

    def _remember(self, chip: Chip, look: PastLook) -> None:
        memory, orbit, baseline = self._memory, chip.geometry.orbit, chip.processing_baseline
        memory.past = [*memory.past, Remembered.of(look)][-self._spec.max_history :]
        memory.clear_looks += 1
        memory.orbits[orbit] += 1
        memory.baselines |= {baseline} - {""}

    def _fit_when_due(self) -> None:
        if self._memory.clear_looks < self._spec.min_history:
            return
        step = REFIT_LOOKS if self._memory.clear_looks >= SHORT_HISTORY else REFIT_LOOKS // 2
        if self._memory.learned is None or self._memory.clear_looks - self._memory.fitted_at >= step:
            self._refit()

    def _refit(self) -> None:
        resolution = 1.0 if self._frame.scale is None else self._frame.scale
        past = settle(
            [each.look(self._read) for each in self._memory.past],
            self._frame.bands,
            self._material.context,
            resolution=resolution,
            settings=normalise_settings(self._frame.scale),
        )
        self._memory.past = [Remembered.of(look) for look in past]
        self._memory.learned = learn(
            self._without_changes(past),
            self._frame.shapes,
            self._frame.window,
            resolution=resolution,
            min_values=self._spec.min_history,
        )
        self._memory.fitted_at = self._memory.clear_looks

    def _read(self, day: date) -> Chip:
        if self._chips is None:
            message = f"nothing reads the chip of {day} again"
            raise ValueError(message)
        return self._chips(day)

    def _without_changes(self, past: Sequence[PastLook]) -> list[PastLook]:
        """Return the history without what lies before a confirmed change, and without open ones."""
        hidden = [(mask, first, True) for mask, first in self._memory.rebased]
        hidden += [
            (self._mask_of(case), case.when.first_with, False)
            for case in self._memory.cases
            if case.track.is_open or case.track.state is DetectionState.PROBABLE
        ]
        found = []
        for look in past:
            gone = [mask for mask, first, before in hidden if (look.day < first) == before]
            values = look.values
            if gone:
                values = values.copy()
                values[:, np.logical_or.reduce(gone)] = np.nan
            found.append(replace(look, values=values))
        return found


def _median(leverage: NDArray[np.float32]) -> float:
    known = leverage[np.isfinite(leverage)]
    return float(np.median(known)) if known.size else float("inf")


_USUAL = 0.9
