"""The quiet scores that detections are set beside: what the settings name, and what analysts dismissed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from geo.errors import InputError, Where
from imagery.change.shipped import all_shipped, read_shipped
from imagery.errors import NullFileError
from watch.certainty import speaking_for
from watch.dismissed import dismissed, dismissed_null
from watch.settings import SETTINGS_FILE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from imagery.change.null import Null
    from imagery.change.shipped import Shipped
    from imagery.model import Detection
    from watch.reviews import Reviews

SHIPPED = "shipped"
NONE = "none"


class NullFor(Protocol):
    """Gives the quiet scores of a sensor."""

    def __call__(self, series: str, resolution_m: float, /) -> Null | None:
        """Return those of a series at a resolution, in reflectance; None where there are none."""


def no_null(_series: str, _resolution_m: float, /) -> None:
    """Return no quiet scores whatever the sensor."""


@dataclass(frozen=True, slots=True)
class Nulls:
    """Quiet scores by sensor."""

    by_sensor: tuple[Shipped, ...]
    dismissed: int = 0
    """Dismissed detections whose scores are among them."""
    notes: tuple[str, ...] = ()
    """Why some are not used, in sentences."""

    def of(self, series: str, resolution_m: float, /) -> Null | None:
        """Return those of a series at a resolution, in reflectance; None where there are none."""
        fits = (
            each.null for each in self.by_sensor if each.speaks_for(series, resolution_m, is_reflectance=True)
        )
        return next(fits, None)


NO_NULLS = Nulls(())


def chosen_nulls(choice: str, root: Path) -> Nulls:
    """Return the quiet scores that a workspace's settings name.

    Args:
        choice: ``shipped``, ``none``, or the path of a file that ``scripts/make-null`` wrote.
        root: The workspace, which the path is relative to.

    Raises:
        InputError: The file can't be read.
    """
    if choice == NONE:
        return Nulls((), notes=('The settings say null = "none": there are no p-values.',))
    found = all_shipped() if choice == SHIPPED else (_read(choice, root),)
    return Nulls(found, notes=tuple(f"There are no p-values: {each.stale}." for each in found if each.stale))


def _read(choice: str, root: Path) -> Shipped:
    where = Where(file=SETTINGS_FILE, field="look.null")
    hint = f'Name a file of scripts/make-null, or say "{SHIPPED}" or "{NONE}"'
    try:
        return read_shipped((root / choice).read_bytes())
    except (OSError, NullFileError) as error:
        raise InputError(f"{choice}: {error}", where=where, hint=hint) from error


def with_dismissed(nulls: Nulls, detections: Sequence[Detection], reviews: Reviews) -> Nulls:
    """Return the quiet scores with those of dismissed detections of the same sensors."""
    gone = {each.detection_id for each in dismissed(detections, reviews)}
    merged, count = [], 0
    for each in nulls.by_sensor:
        mine = [one for one in detections if one.id in gone and speaking_for(one, [each]) is not None]
        count += len(mine)
        more = dismissed_null(dismissed(mine, reviews), min_scores=each.null.min_scores)
        merged.append(each.merged(more) if mine else each)
    return Nulls(tuple(merged), count, nulls.notes)
