"""Cases as plain values and back, exactly: what JSON can say, with numbers that are not finite as text."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import shapely
from shapely.geometry.base import BaseGeometry

from imagery.change.cases import Case
from imagery.change.evidence import Evidence
from imagery.change.follow import Sighting, Track
from imagery.change.kinds import Kind, KindFound
from imagery.change.matched import Place, Reading
from imagery.change.weigh import Verdict
from imagery.model import DetectionState

if TYPE_CHECKING:
    from collections.abc import Mapping


def plain(value: Any) -> Any:  # noqa: ANN401, PLR0911 - any value in, any JSON value out
    """Return a value as JSON says it: a dataclass by its fields, days and geometries as text.

    Raises:
        TypeError: It is of a kind that could not be read back.
    """
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, BaseGeometry):
        return shapely.to_wkb(value, hex=True)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict | MappingProxyType):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if type(value) is float:
        return value if math.isfinite(value) else str(value)
    if value is None or type(value) in {str, int, bool}:
        return value
    message = f"{type(value)} can't be written"
    raise TypeError(message)


def case_of(row: Mapping[str, Any]) -> Case:
    """Read a case that `plain` wrote.

    Raises:
        KeyError, TypeError, ValueError: It did not write this.
    """
    left, right = row["area_interval_m2"]
    return Case(
        **{
            **row,
            "track": _track(row["track"]),
            "join": tuple(map(_floats, row["join"])),
            "inflation": _floats(row["inflation"]),
            "before": {name: float(each) for name, each in row["before"].items()},
            "notes": tuple(row["notes"]),
            "evidence": Evidence.from_json(row["evidence"]),
            "geometry": shapely.from_wkb(row["geometry"]),
            "area_m2": float(row["area_m2"]),
            "area_interval_m2": (float(left), float(right)),
            "contrast": _floats(row["contrast"]),
            "kind": _kind(row["kind"]),
            "pixels": tuple((int(y), int(x)) for y, x in row["pixels"]),
        }
    )


def _track(row: Mapping[str, Any]) -> Track:
    days = {name: _maybe(row[name], date.fromisoformat) for name in ("closed", "confirmed", "probable")}
    return Track(
        **{
            **row,
            **days,
            "place": _place(row["place"]),
            "opened": date.fromisoformat(row["opened"]),
            "ratio": float(row["ratio"]),
            "contrast": _floats(row["contrast"]),
            "older": date.fromisoformat(row["older"]),
            "sightings": tuple(map(_sighting, row["sightings"])),
            "state": DetectionState(row["state"]),
            "open_evidence": float(row["open_evidence"]),
        }
    )


def _place(row: Mapping[str, Any]) -> Place:
    down, across = row["phase"]
    return Place(**{**row, "side_px": float(row["side_px"]), "phase": (float(down), float(across))})


def _sighting(row: Mapping[str, Any]) -> Sighting:
    return Sighting(
        **{
            **row,
            "day": date.fromisoformat(row["day"]),
            "reading": _reading(row["reading"]),
            "verdict": _maybe(row["verdict"], Verdict),
        }
    )


def _reading(row: Mapping[str, Any]) -> Reading:
    return Reading(
        **{
            **row,
            "contrast": _floats(row["contrast"]),
            "error": _floats(row["error"]),
            "drifts": tuple(map(_floats, row["drifts"])),
        }
    )


def _kind(row: Mapping[str, Any]) -> KindFound:
    values = {name: (float(before), float(after)) for name, (before, after) in row["values"].items()}
    return KindFound(**{**row, "kind": Kind(row["kind"]), "values": MappingProxyType(values)})


def _floats(values: Any) -> tuple[float, ...]:  # noqa: ANN401 - of a document
    return tuple(map(float, values))


def _maybe(value: Any, read: Any) -> Any:  # noqa: ANN401 - of a document
    return None if value is None else read(value)
