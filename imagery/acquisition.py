"""How a scene was taken and processed, from STAC properties and back.

Sources: STAC extensions satellite 1.0.0 (``sat:``), view geometry 1.0.0 (``view:``), Sentinel-2 1.0.0
(``s2:``) and processing 1.2.0 (``processing:version``).
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from geo.errors import Where
from geo.sun import sun_position
from imagery.errors import ImageError
from imagery.model import AcquisitionGeometry, orbit_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from shapely.geometry import Point

    from imagery.sensors import Sensor

SATELLITE = "https://stac-extensions.github.io/sat/v1.0.0/schema.json"
VIEW = "https://stac-extensions.github.io/view/v1.0.0/schema.json"
SENTINEL_2 = "https://stac-extensions.github.io/sentinel-2/v1.0.0/schema.json"

_EXTENSION_OF = {"sat:": SATELLITE, "view:": VIEW, "s2:": SENTINEL_2}
_SENTINEL_2_BASELINE = re.compile(r"\d\d\.\d\d")
_ANGLE_DIGITS = 6
"""A millionth of a degree, so that elevation and zenith give each other back."""
_SUN_DIGITS = 2
"""As finely as the formula holds."""


def geometry_of(properties: Mapping[str, Any]) -> AcquisitionGeometry:
    """Return what STAC properties say of orbit, sun and view; a property that is missing is unknown.

    The view's zenith is the incidence angle, or the off-nadir angle where that alone is given, which
    at ten degrees is a tenth less.

    >>> geometry_of({"sat:relative_orbit": 3, "view:sun_elevation": 38.2})
    AcquisitionGeometry(orbit='3', sun_zenith_deg=51.8, sun_azimuth_deg=None, view_zenith_deg=None, \
view_azimuth_deg=None)

    Raises:
        ImageError: A property can't be what it says it is.
    """
    elevation = _angle(properties, "view:sun_elevation")
    incidence = _angle(properties, "view:incidence_angle")
    return AcquisitionGeometry(
        orbit=orbit_key(_relative_orbit(properties), str(properties.get("sat:orbit_state") or "").lower()),
        sun_zenith_deg=None if elevation is None else _complement(elevation),
        sun_azimuth_deg=_angle(properties, "view:sun_azimuth"),
        view_zenith_deg=_angle(properties, "view:off_nadir") if incidence is None else incidence,
        view_azimuth_deg=_angle(properties, "view:azimuth"),
    )


def baseline_of(properties: Mapping[str, Any]) -> str:
    """Return the processing baseline that STAC properties tell; empty where they tell none.

    >>> baseline_of({"s2:processing_baseline": "04.00"}), baseline_of({})
    ('04.00', '')
    """
    return str(properties.get("s2:processing_baseline") or properties.get("processing:version") or "")


def acquisition_properties(geometry: AcquisitionGeometry, baseline: str, sensor: Sensor) -> dict[str, Any]:
    """Return geometry and baseline as STAC properties, what is unknown left out.

    Args:
        geometry: Of the scene.
        baseline: Its processing baseline; on Sentinel-2 it has a property of its own.
        sensor: Of its platform.
    """
    has_own = sensor.instrument == "msi" and _SENTINEL_2_BASELINE.fullmatch(baseline)
    zenith = geometry.sun_zenith_deg
    properties = {
        "sat:relative_orbit": geometry.relative_orbit,
        "sat:orbit_state": geometry.orbit_state or None,
        "view:sun_azimuth": geometry.sun_azimuth_deg,
        "view:sun_elevation": None if zenith is None else _complement(zenith),
        "view:incidence_angle": geometry.view_zenith_deg,
        "view:azimuth": geometry.view_azimuth_deg,
        "s2:processing_baseline" if has_own else "processing:version": baseline or None,
    }
    return {name: value for name, value in properties.items() if value is not None}


def acquisition_extensions(properties: Mapping[str, Any]) -> list[str]:
    """Return the extensions that properties from `acquisition_properties` belong to."""
    return [
        uri for prefix, uri in _EXTENSION_OF.items() if any(name.startswith(prefix) for name in properties)
    ]


def with_sun(geometry: AcquisitionGeometry, acquired: datetime, place: Point) -> AcquisitionGeometry:
    """Return a geometry with the sun's place computed where it is not told.

    Args:
        geometry: Of the scene.
        acquired: Aware instant; where only a day is known there is no sun to compute.
        place: ``lon, lat`` degrees.
    """
    if geometry.sun_zenith_deg is not None or geometry.sun_azimuth_deg is not None:
        return geometry
    sun = sun_position(acquired, place.x, place.y)
    return replace(
        geometry,
        sun_zenith_deg=round(sun.zenith_deg, _SUN_DIGITS),
        sun_azimuth_deg=round(sun.azimuth_deg, _SUN_DIGITS),
    )


def joint_geometry(geometries: Sequence[AcquisitionGeometry]) -> AcquisitionGeometry:
    """Return the geometry of several scenes of one pass: each fact is that of the first that knows it."""
    return AcquisitionGeometry(
        orbit=joint_baseline(geometry.orbit for geometry in geometries),
        sun_zenith_deg=_first(geometry.sun_zenith_deg for geometry in geometries),
        sun_azimuth_deg=_first(geometry.sun_azimuth_deg for geometry in geometries),
        view_zenith_deg=_first(geometry.view_zenith_deg for geometry in geometries),
        view_azimuth_deg=_first(geometry.view_azimuth_deg for geometry in geometries),
    )


def joint_baseline(baselines: Iterable[str]) -> str:
    """Return the first text that is not empty.

    >>> joint_baseline(["", "04.00", "05.09"])
    '04.00'
    """
    return next((text for text in baselines if text), "")


def _first(values: Iterable[float | None]) -> float | None:
    return next((value for value in values if value is not None), None)


def _complement(angle_deg: float) -> float:
    return round(90.0 - angle_deg, _ANGLE_DIGITS)


def _angle(properties: Mapping[str, Any], name: str) -> float | None:
    value = properties.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ImageError(f"{value!r} is no angle", where=Where(field=name))
    return float(value)


def _relative_orbit(properties: Mapping[str, Any]) -> int | None:
    value = properties.get("sat:relative_orbit")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ImageError(f"{value!r} is no number of an orbit", where=Where(field="sat:relative_orbit"))
    return value
