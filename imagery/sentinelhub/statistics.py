"""A long series for little: numbers of whole intervals, made at the service from clear pixels alone.

Source: Sentinel Hub documentation, "Statistical API": intervals counted from the start of the time range, the
last one dropped unless it is asked to be shortened; resolution in units of the CRS; an output ``dataMask``;
intervals that fail come with an error instead of outputs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from rasterio.features import geometry_mask
from shapely.geometry import mapping

from imagery.errors import ImageError
from imagery.provenance import Charge
from imagery.sentinelhub.cost import processing_units
from imagery.sentinelhub.fetch_frame import snapped_frame
from imagery.sentinelhub.images import bounds_of_frame, media_type
from imagery.sentinelhub.measures import clear_expression, measure_for
from imagery.sentinelhub.service import UnusableAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from shapely.geometry.base import BaseGeometry

    from geo.dates import Span
    from geo.grid import Grid
    from imagery.frame import Frame
    from imagery.sentinelhub.measures import Measure
    from imagery.sentinelhub.products import Product
    from imagery.sentinelhub.service import Answer, Service

STATISTICS_PATH = "/api/v1/statistics"
JSON_TYPE = "application/json"

DEFAULT_INTERVAL = timedelta(days=10)
"""Two passes of Sentinel-2's pair, so that one of them is likely to be clear."""

INTERVALS_A_REQUEST = 100
"""A request of more could take the service longer than an answer is waited for."""
_SMALLEST_UNITS = 0.01
_MAX_BYTES = 2**23
_ASKED_AGAIN = frozenset({"EXECUTION_ERROR", "TIMEOUT"})
"""Kinds of failure that may be gone the next time; others are in the request."""

_SCRIPT = """\
//VERSION=3
function setup() {{
  return {{
    input: [{{ bands: [{inputs}] }}],
    output: [
      {{ id: "measure", bands: 1, sampleType: "FLOAT32" }},
      {{ id: "dataMask", bands: 1 }}
    ]
  }};
}}

function evaluatePixel(s) {{
  const value = {expression};
  const clear = s.dataMask === 1 && {clear} && isFinite(value);
  return {{ measure: [clear ? value : 0], dataMask: [clear ? 1 : 0] }};
}}
"""


@dataclass(frozen=True, slots=True)
class Statistic:
    """The clear pixels of one interval; of an interval without any all numbers are None."""

    start: datetime
    """Aware UTC, included."""
    end: datetime
    """Aware UTC, not included."""
    mean: float | None = None
    stdev: float | None = None
    """Of the pixels, not of the mean."""
    lowest: float | None = None
    highest: float | None = None
    pixels: int = 0
    """Pixels of the ground that was asked for; 0 where there was no scene."""
    clear: int = 0
    """Those of them that had data and were neither cloud, shadow nor snow."""
    error: str = ""
    """Why the service gave no numbers; empty when it did or had no scene."""

    @property
    def gap(self) -> str:
        """Why there is no number, in words; empty where there is one."""
        if self.error:
            return f"failed: {self.error}"
        if not self.pixels:
            return "no scene"
        return "" if self.clear else "nothing clear"


@dataclass(frozen=True, slots=True)
class Series:
    """The statistics of one measure over one piece of ground, interval by interval, gaps among them."""

    measure: Measure
    product: str
    statistics: tuple[Statistic, ...]
    """One for every interval, oldest first."""
    spent: Charge


@dataclass(frozen=True, slots=True)
class StatisticsRequest:
    """One measure over one frame, or the part of it inside a polygon, in intervals of equal length."""

    product: Product
    measure: Measure
    frame: Frame
    span: Span
    """UTC days."""
    step: timedelta
    """Whole days; the last interval is shorter where the span is no multiple of it."""
    area: BaseGeometry | None = field(default=None, compare=False)
    """Polygon in the frame's CRS; None for all of the frame."""

    def __post_init__(self) -> None:
        """Refuse an interval that is none, and ground without a pixel.

        Raises:
            ImageError: The step is no whole number of days, or no pixel's centre lies inside the area.
        """
        if self.step < timedelta(days=1) or self.step % timedelta(days=1):
            raise ImageError("an interval is a whole number of days", hint="Write it like P10D or P2W")
        if not self.pixels:
            problem = "the centre of no pixel lies inside the area"
            raise ImageError(problem, hint="Ask for a larger one")

    @property
    def pixels(self) -> int:
        """How many pixels of the product lie, by their centres, on the ground that is asked for."""
        if self.area is None:
            return math.prod(self.frame.shape)
        inside = geometry_mask([mapping(self.area)], self.frame.shape, self.frame.transform, invert=True)
        return int(np.count_nonzero(inside))

    @property
    def intervals(self) -> tuple[tuple[datetime, datetime], ...]:
        """Starts and ends, oldest first, the last one ending with the span."""
        start, last = _midnight(self.span.start), _midnight(self.span.end + timedelta(days=1))
        count = -((start - last) // self.step)
        edges = [start + number * self.step for number in range(count)]
        return tuple((edge, min(edge + self.step, last)) for edge in edges)

    @property
    def estimate(self) -> Charge:
        """The most that it should cost: intervals without a scene are not charged."""
        chunks = list(_chunks(self.intervals))
        units = [max(_SMALLEST_UNITS, self._units(len(chunk))) for chunk in chunks]
        return Charge(len(chunks), sum(units))

    def charge_of(self, intervals: int) -> Charge:
        """Return the most that one request of so many intervals should cost."""
        return Charge(1, max(_SMALLEST_UNITS, self._units(intervals)))

    def document(self, start: datetime, end: datetime) -> dict[str, Any]:
        """Return the body of the request of the intervals from `start` to `end`."""
        side = float(self.frame.side_m)
        bounds = bounds_of_frame(self.frame)
        if self.area is not None:
            bounds["geometry"] = mapping(self.area)
        data_filter = {"mosaickingOrder": "leastCC", **self.product.data_filter}
        return {
            "input": {
                "bounds": bounds,
                "data": [
                    {
                        "type": self.product.collection,
                        "dataFilter": data_filter,
                        "processing": dict(self.product.processing),
                    }
                ],
            },
            "aggregation": {
                "timeRange": {"from": _text(start), "to": _text(end)},
                "aggregationInterval": {"of": f"P{self.step.days}D", "lastIntervalBehavior": "SHORTEN"},
                "evalscript": self.script(),
                "resx": side,
                "resy": side,
            },
            "calculations": {"default": {}},
        }

    def script(self) -> str:
        """Return the script: the measure of clear pixels, and which they are."""
        names = [*self.measure.bands, str(self.product.mask_band), "dataMask"]
        return _SCRIPT.format(
            inputs=", ".join(f'"{name}"' for name in names),
            expression=self.measure.expression,
            clear=clear_expression(self.product),
        )

    def _units(self, intervals: int) -> float:
        # Floats cost twice; the class band is paid for and the data mask is not.
        bands = len(self.measure.bands) + 1
        return intervals * processing_units(self.frame.shape, bands, floats=True)


def statistics_request(
    product: Product,
    grid: Grid,
    span: Span,
    measure: str = "ndvi",
    *,
    interval: timedelta = DEFAULT_INTERVAL,
    area: BaseGeometry | None = None,
) -> StatisticsRequest:
    """Return what is to be asked, with its cost; nothing is asked.

    Args:
        product: With scene classes, so that its cloud can be told from its ground.
        grid: Whose CRS is used, and whose frame is asked for.
        span: UTC days.
        measure: ``ndvi``, ``ndwi``, ``nbr``, ``brightness`` or a band's canonical name.
        interval: A whole number of days.
        area: Polygon in ``lon, lat`` degrees that is asked for instead of the grid's frame.

    Raises:
        ImageError: The product has no such measure, or the ground or the interval can't be asked for.
    """
    if not grid.crs.startswith("EPSG:"):
        raise ImageError(f"the service can't be asked in the CRS of the grid of {grid.site_id!r}")
    ground = None if area is None else grid.to_grid(area)
    frame = snapped_frame(grid.bounds if ground is None else ground.bounds, grid.crs, product, grid.site_id)
    return StatisticsRequest(product, measure_for(measure, product), frame, span, interval, ground)


def fetch_series(service: Service, request: StatisticsRequest) -> Series:
    """Return the statistics of every interval; those that fail are asked for once more.

    Raises:
        BudgetError: And what else `Service.post` raises.
    """
    found: dict[datetime, Statistic] = {}
    spent = Charge()
    for chunk in _chunks(request.intervals):
        rows, charge = _ask(service, request, chunk)
        spent += charge
        found |= rows
        for interval in chunk:
            first = rows.get(interval[0])
            if first is not None and first.error in _ASKED_AGAIN:
                again, charge = _ask(service, request, [interval])
                spent += charge
                found |= again
    statistics = tuple(found.get(start, Statistic(start, end)) for start, end in request.intervals)
    return Series(request.measure, request.product.name, statistics, spent)


def _ask(
    service: Service, request: StatisticsRequest, intervals: Sequence[tuple[datetime, datetime]]
) -> tuple[dict[datetime, Statistic], Charge]:
    return service.post(
        STATISTICS_PATH,
        request.document(intervals[0][0], intervals[-1][1]),
        accept=JSON_TYPE,
        what=f"{request.measure.name} from {intervals[0][0]:%Y-%m-%d}",
        estimate=request.charge_of(len(intervals)),
        understand=lambda answer: _understand(answer, intervals, request.pixels),
        max_bytes=_MAX_BYTES,
    )


def _chunks(intervals: Sequence[tuple[datetime, datetime]]) -> Iterator[Sequence[tuple[datetime, datetime]]]:
    for first in range(0, len(intervals), INTERVALS_A_REQUEST):
        yield intervals[first : first + INTERVALS_A_REQUEST]


def _understand(
    answer: Answer, intervals: Sequence[tuple[datetime, datetime]], pixels: int
) -> dict[datetime, Statistic]:
    media_type(answer)
    wanted = dict(intervals)
    try:
        rows = [_statistic(row, wanted, pixels) for row in orjson.loads(answer.content)["data"]]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnusableAnswer(f"it is no series of statistics ({type(error).__name__}: {error})") from error
    return {row.start: row for row in rows}


def _statistic(row: Mapping[str, Any], wanted: Mapping[datetime, datetime], pixels: int) -> Statistic:
    start = datetime.fromisoformat(row["interval"]["from"]).astimezone(UTC)
    if start not in wanted:
        raise ValueError(f"an interval from {start:%Y-%m-%dT%H:%M:%SZ}, which was not asked for")
    end = wanted[start]
    if "error" in row:
        return Statistic(start, end, error=str(row["error"].get("type") or "unknown"))
    stats = row["outputs"]["measure"]["bands"]["B0"]["stats"]
    clear = int(stats["sampleCount"]) - int(stats["noDataCount"])
    if not 0 <= clear <= int(stats["sampleCount"]):
        raise ValueError(f"{stats['noDataCount']} of {stats['sampleCount']} samples without data")
    if clear == 0:
        return Statistic(start, end, pixels=pixels)
    mean, stdev, lowest, highest = (_number(stats[name]) for name in ("mean", "stDev", "min", "max"))
    return Statistic(start, end, mean, stdev, lowest, highest, max(pixels, clear), clear)


def _number(value: float | str | None) -> float | None:
    # What is none comes as the text NaN.
    number = math.nan if value is None else float(value)
    return number if math.isfinite(number) else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
