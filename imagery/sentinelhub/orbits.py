"""Which orbit a radar pass was flown on, because backscatter is comparable on one orbit and direction only.

A radar looks sideways: from another orbit the same slope is lit under another angle, and from the other
direction the other face of a building shines. So a relative orbit and direction make a series.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imagery.model import AcquisitionGeometry
    from imagery.sentinelhub.acquisitions import Acquisition
    from imagery.sentinelhub.products import Product

_ORBITS_A_CYCLE = 175

# ESA, Sentinel-1 Product Specification: relative orbits are counted from 1 anew every 175; these are the
# absolute orbits at which each satellite's count is shifted.
_SHIFT = MappingProxyType({"sentinel-1a": 73, "sentinel-1b": 27, "sentinel-1c": 172})

_PRODUCT_NAME = re.compile(r"S1[A-Z]_.{2}_.{4}_.{4}_\d{8}T\d{6}_\d{8}T\d{6}_(?P<absolute>\d{6})_")
"""ESA, Sentinel-1 Product Specification, naming convention: the absolute orbit follows the two times."""

_DIRECTIONS = MappingProxyType({"ascending": "asc", "descending": "desc"})


def radar_facts(name: str, platform: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the relative orbit of a radar product by its absolute one, as a STAC property.

    Args:
        name: Of the product, which holds the absolute orbit.
        platform: Slug.
        properties: Of its item, where the absolute orbit goes before the name's.

    Returns:
        Nothing for another platform, or where neither tells.
    """
    named = _PRODUCT_NAME.match(name)
    absolute = properties.get("sat:absolute_orbit", named["absolute"] if named else None)
    shift = _SHIFT.get(platform)
    if absolute is None or shift is None:
        return {}
    return {"sat:relative_orbit": (int(absolute) - shift) % _ORBITS_A_CYCLE + 1}


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
