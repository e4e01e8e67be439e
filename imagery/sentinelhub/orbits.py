"""Which orbit a radar pass was flown on, because backscatter is comparable on one orbit and direction only.

A radar looks sideways: from another orbit the same slope is lit under another angle, and from the other
direction the other face of a building shines. So a relative orbit and direction make a series.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imagery.model import AcquisitionGeometry
    from imagery.sentinelhub.acquisitions import Acquisition
    from imagery.sentinelhub.products import Product

_ORBITS_A_CYCLE = 175
_EVER = datetime(2014, 1, 1, tzinfo=UTC)

# ESA, Sentinel-1 Product Specification: relative orbits are counted from 1 anew every 175; these are the
# absolute orbits at which each satellite's count is shifted, from a day (UTC) on. Sentinel-1C was moved to
# another place on its orbit from 9 to 23 June 2026 (Copernicus Data Space, "Sentinel-1 orbital
# reconfiguration dates", 28 May 2026); what it saw meanwhile is on no track. The tests hold pairs of products
# of one track.
_SHIFTS: Mapping[str, tuple[tuple[datetime, int | None], ...]] = MappingProxyType(
    {
        "sentinel-1a": ((_EVER, 73),),
        "sentinel-1b": ((_EVER, 27),),
        "sentinel-1c": (
            (_EVER, 172),
            (datetime(2026, 6, 9, tzinfo=UTC), None),
            (datetime(2026, 6, 24, tzinfo=UTC), 99),
        ),
        "sentinel-1d": ((_EVER, 42),),
    }
)

_PRODUCT_NAME = re.compile(r"S1[A-Z]_.{2}_.{4}_.{4}_\d{8}T\d{6}_\d{8}T\d{6}_(?P<absolute>\d{6})_")
"""ESA, Sentinel-1 Product Specification, naming convention: the absolute orbit follows the two times."""

_DIRECTIONS = MappingProxyType({"ascending": "asc", "descending": "desc"})


def radar_facts(
    name: str, platform: str, acquired: datetime, properties: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the relative orbit of a radar product by its absolute one, as a STAC property.

    Args:
        name: Of the product, which holds the absolute orbit.
        platform: Slug.
        acquired: Aware.
        properties: Of its item, where the absolute orbit goes before the name's.

    Returns:
        Nothing for another platform, where neither tells, or while the satellite was on no track.
    """
    named = _PRODUCT_NAME.match(name)
    absolute = properties.get("sat:absolute_orbit", named["absolute"] if named else None)
    shift = _shift(platform, acquired)
    if absolute is None or shift is None:
        return {}
    return {"sat:relative_orbit": (int(absolute) - shift) % _ORBITS_A_CYCLE + 1}


def _shift(platform: str, acquired: datetime) -> int | None:
    known = [shift for since, shift in _SHIFTS.get(platform, ()) if since <= acquired]
    return known[-1] if known else None


def has_orbit(geometry: AcquisitionGeometry) -> bool:
    """Return whether it is known on which orbit and in which direction a granule was taken."""
    return geometry.relative_orbit is not None and geometry.orbit_state in _DIRECTIONS


def series_of(product: Product, acquisition: Acquisition) -> str:
    """Return the series of a pass: ``sentinel-2``, or ``sentinel-1-desc-061`` where orbits are told apart."""
    series = product.series(acquisition.platform)
    if not product.per_orbit:
        return series
    geometry = acquisition.geometry
    return f"{series}-{_DIRECTIONS[geometry.orbit_state]}-{geometry.relative_orbit:03d}"


def orbit_filter(product: Product, acquisition: Acquisition) -> dict[str, str]:
    """Return what the service is told of the direction of a pass; empty where orbits don't matter."""
    return {"orbitDirection": acquisition.geometry.orbit_state.upper()} if product.per_orbit else {}


def mode_properties(product: Product, acquisition: Acquisition) -> dict[str, Any]:
    """Return what an Item says of the mode of a radar pass, in the words of the catalogue."""
    if not product.per_orbit:
        return {}
    facts = dict(acquisition.granules[0].facts)
    return {name: facts[name] for name in ("sar:instrument_mode", "s1:polarization") if name in facts}
