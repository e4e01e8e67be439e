"""The Statistical API: a script's outputs as numbers, an interval at a time.

Not in the documentation, and so assumed here: the standard deviation is that of the population,
percentiles are interpolated linearly, and an interval without any acquisition is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from imagery.stac import utc_text
from sitewatch_hub.canvas import Canvas, parse_canvas, parse_ground
from sitewatch_hub.cost import STATISTICAL_MINIMUM, header
from sitewatch_hub.encoding import cast
from sitewatch_hub.messages import Reply, field_refusal, json_reply, script_refusal
from sitewatch_hub.process import Rendered, render
from sitewatch_hub.sampling import DATA_MASK
from sitewatch_hub.selection import Source, parse_source, parse_time_range, select

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from sitewatch_hub.granules import Granule

_DURATION = re.compile(
    r"P(?:(?P<weeks>\d+)W|(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?)?)"
)
_LAST_INTERVALS = ("SKIP", "SHORTEN", "EXTEND")
_MOMENT = timedelta(microseconds=1)
_EMPTY = "NaN"
"""What the service writes for a number that is none."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A time from its start up to, not including, its end."""

    start: datetime
    end: datetime


def statistics(payload: Mapping[str, Any], granules: Sequence[Granule]) -> Reply:
    """Answer a Statistical request.

    Raises:
        RefusedError: The payload can't be used, or the script does not output ``dataMask``.
    """
    asked, aggregation = payload.get("input"), payload.get("aggregation")
    if not isinstance(asked, dict) or not isinstance(aggregation, dict):
        raise field_refusal("input" if not isinstance(asked, dict) else "aggregation", None, "must be given")
    ground = parse_ground(asked.get("bounds"))
    canvas = parse_canvas(ground, aggregation, "aggregation")
    source = parse_source(asked.get("data"), aggregation.get("timeRange"))
    script = str(aggregation.get("evalscript", ""))
    calculations = payload.get("calculations", {})
    rows, units = [], 0.0
    for interval in parse_intervals(aggregation):
        within = replace(source, start=interval.start, end=interval.end - _MOMENT)
        if select(granules, within, ground):
            row, spent = _row(script, granules, within, canvas, calculations)
            rows.append({"interval": _interval_json(interval), **row})
            units += spent
    document = {"data": rows, "status": "OK"}
    return Reply(200, json_reply(document).body, headers=header(max(STATISTICAL_MINIMUM, units)))


def parse_intervals(aggregation: Mapping[str, Any]) -> list[Interval]:
    """Read ``timeRange`` and ``aggregationInterval``; one that would end too late is dropped by default.

    Raises:
        RefusedError: No time range, or an interval that is no ISO 8601 duration above zero.
    """
    start, end = parse_time_range(aggregation.get("timeRange"), "aggregation->timeRange")
    asked = aggregation.get("aggregationInterval", {})
    step = _duration(asked.get("of"))
    last = asked.get("lastIntervalBehavior", "SKIP")
    if last not in _LAST_INTERVALS:
        raise field_refusal("aggregation->aggregationInterval->lastIntervalBehavior", last, "unknown")
    return list(_intervals(start, end, step, last))


def _intervals(start: datetime, end: datetime, step: timedelta, last: str) -> Iterator[Interval]:
    while start + step <= end:
        yield Interval(start, start + step)
        start += step
    if start < end and last != "SKIP":
        yield Interval(start, end if last == "SHORTEN" else start + step)


def _duration(text: object) -> timedelta:
    match = _DURATION.fullmatch(str(text))
    parts = {} if match is None else {unit: int(count) for unit, count in match.groupdict().items() if count}
    if not any(parts.values()):
        raise field_refusal(
            "aggregation->aggregationInterval->of", text, "must be an ISO 8601 duration such as P1D"
        )
    return timedelta(**parts)


def _row(
    script: str, granules: Sequence[Granule], source: Source, canvas: Canvas, calculations: Mapping[str, Any]
) -> tuple[dict[str, Any], float]:
    rendered = render(script, granules, source, canvas, default_type="FLOAT32")
    if DATA_MASK not in rendered.pixels:
        raise script_refusal("The script must have an output dataMask")
    valid = rendered.pixels[DATA_MASK][0] != 0
    outputs = {
        output.id: {"bands": _bands(rendered, output.id, valid, calculations)}
        for output in rendered.outputs
        if output.id != DATA_MASK
    }
    return {"outputs": outputs}, rendered.units


def _bands(
    rendered: Rendered, name: str, valid: NDArray[np.bool_], calculations: Mapping[str, Any]
) -> dict[str, Any]:
    asked = calculations.get(name, calculations.get("default", {}))
    spec = next(output for output in rendered.outputs if output.id == name)
    pixels = cast(rendered.pixels[name], spec.sample_type).astype(np.float64)
    return {f"B{index}": _band(band, valid, asked) for index, band in enumerate(pixels)}


def _band(band: NDArray[np.float64], valid: NDArray[np.bool_], asked: Mapping[str, Any]) -> dict[str, Any]:
    values = band[valid & np.isfinite(band)]
    wanted = asked.get("statistics", {}).get("default", {}).get("percentiles", {}).get("k", [])
    stats: dict[str, Any] = {
        "min": _number(values.min() if values.size else np.nan),
        "max": _number(values.max() if values.size else np.nan),
        "mean": _number(values.mean() if values.size else np.nan),
        "stDev": _number(values.std() if values.size else np.nan),
        "sampleCount": band.size,
        "noDataCount": band.size - values.size,
    }
    if wanted:
        stats["percentiles"] = {
            f"{float(k)}": _number(np.percentile(values, k) if values.size else np.nan) for k in wanted
        }
    bins = asked.get("histograms", {}).get("default")
    return {"stats": stats} if bins is None else {"stats": stats, "histogram": _histogram(values, bins)}


def _histogram(values: NDArray[np.float64], asked: Mapping[str, Any]) -> dict[str, Any]:
    edges = _edges(asked)
    counts, _ = np.histogram(values, edges)
    return {
        "bins": [
            {"lowEdge": float(low), "highEdge": float(high), "count": int(count)}
            for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
        ],
        "underflowCount": int(np.count_nonzero(values < edges[0])),
        "overflowCount": int(np.count_nonzero(values > edges[-1])),
    }


def _edges(asked: Mapping[str, Any]) -> NDArray[np.float64]:
    violation = "give rising bins, or lowEdge, highEdge and nBins or binWidth"
    try:
        edges = _written_edges(asked)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        raise field_refusal("calculations->histograms", dict(asked), violation) from None
    if edges.size <= 1 or not (np.diff(edges) > 0).all():
        raise field_refusal("calculations->histograms", dict(asked), violation)
    return edges


def _written_edges(asked: Mapping[str, Any]) -> NDArray[np.float64]:
    if "bins" in asked:
        return np.asarray(asked["bins"], dtype=np.float64)
    low, high = float(asked["lowEdge"]), float(asked["highEdge"])
    count = int(asked["nBins"]) if "nBins" in asked else round((high - low) / float(asked["binWidth"]))
    return np.linspace(low, high, count + 1)


def _number(value: float) -> float | str:
    return float(value) if np.isfinite(value) else _EMPTY


def _interval_json(interval: Interval) -> dict[str, str]:
    return {"from": utc_text(interval.start), "to": utc_text(interval.end)}
