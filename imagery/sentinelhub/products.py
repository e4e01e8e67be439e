"""Products that can be asked for, and the names their bands have there; facts in ``products.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from imagery.errors import ImageError
from imagery.masks import MaskScheme
from imagery.quantity import Quantity
from imagery.sensors import in_band_order, sensor_for
from imagery.sentinelhub.evalscript import (
    Coding,
    counts_as_they_come,
    counts_of_decibels,
    counts_of_reflectance,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Product:
    """A collection of the service and how we ask for it."""

    name: str
    title: str
    collection: str
    """Its id in the service's catalogue."""
    generic_platform: str
    """The platform where an item names none."""
    series_suffix: str
    """Added to the platform's series where pixels may not be compared with the series' own."""
    quantity: Quantity
    """What its bands measure."""
    coding: Coding
    """How the service's numbers become our counts."""
    scale: float | None
    """Reflectance = count * scale + offset; None where the counts are no reflectance."""
    offset: float
    resolution_m: float
    """Pixel side that is asked for: that of its finest bands."""
    snap_m: float
    """Pixel edges of all its bands coincide at multiples of this, counted from the CRS origin..."""
    edge_m: float
    """...moved by this: half a pixel of Landsat, whose origin is a pixel's centre."""
    has_source_grid: bool
    """Its pixels lie on a lattice of the source; else they are made on whatever lattice is asked for."""
    gap_s: int
    """Granules of one pass follow each other closer than this."""
    cost_factor: float
    """Of processing units: 2 for orthorectified radar, 2.5 for terrain-corrected."""
    mask_band: str | None
    mask_scheme: MaskScheme | None
    mask_gsd_m: float
    fill: int | None
    """Count that means no data in a band, besides what the data mask says."""
    credit: str
    default_bands: tuple[str, ...]
    bands: Mapping[str, str]
    """Canonical name -> the service's."""
    processing: Mapping[str, Any]
    """What the service is told of processing."""
    data_filter: Mapping[str, Any]
    """What the service is told of which granules are meant, besides time and orbit."""
    catalog_filter: str
    """The same for its catalogue, CQL2 text."""
    left_out_mark: str
    """Granules with this among the words of their names are not asked for; empty for none."""
    per_orbit: bool
    """Only passes of one orbit and direction may be compared, so each is a series of its own."""

    def chosen(self, bands: Sequence[str] | None) -> tuple[str, ...]:
        """Return bands in canonical order, the default ones for None.

        Raises:
            ImageError: The product has no such band.
        """
        names = in_band_order(set(self.default_bands if bands is None else bands))
        unknown = [name for name in names if name not in self.bands]
        if unknown or not names:
            problem = f"{self.name} has no band {', '.join(unknown) or '(none was named)'}"
            raise ImageError(problem, hint=f"It has {', '.join(self.bands)}")
        return names

    def gsd_m(self, band: str) -> float:
        """Return the native pixel side of a band."""
        known = sensor_for(self.generic_platform).band(band)
        return self.resolution_m if known is None else known.gsd_m

    @property
    def mask_type(self) -> str:
        """Sample type that holds the codes of its classes."""
        return "UINT16" if self.mask_scheme is MaskScheme.QA else "UINT8"

    def series(self, platform: str) -> str:
        """Return the series of a platform's pixels in this product, before it is told apart by orbit."""
        return sensor_for(platform).series + self.series_suffix


@cache
def products() -> Mapping[str, Product]:
    """Return all products by name."""
    document = tomllib.loads(files("imagery.sentinelhub").joinpath("products.toml").read_text("utf-8"))
    return MappingProxyType({name: _product(name, entry) for name, entry in document.items()})


def product_for(name: str) -> Product:
    """Return a product by its name.

    Raises:
        ImageError: There is none of that name.
    """
    known = products().get(name)
    if known is None:
        raise ImageError(f"no product is called {name!r}", hint=f"Use one of {', '.join(products())}")
    return known


def _product(name: str, entry: dict[str, Any]) -> Product:
    scheme = entry.get("mask_scheme")
    quantity = Quantity(entry.get("quantity", Quantity.REFLECTANCE))
    scale, offset = entry.get("scale"), entry.get("offset", 0.0)
    return Product(
        name=name,
        title=entry["title"],
        collection=entry["collection"],
        generic_platform=entry["generic_platform"],
        series_suffix=entry.get("series_suffix", ""),
        quantity=quantity,
        coding=_coding(entry["coding"], scale, offset),
        scale=scale,
        offset=offset,
        resolution_m=entry["resolution_m"],
        snap_m=entry["snap_m"],
        edge_m=entry.get("edge_m", 0.0),
        has_source_grid=entry.get("has_source_grid", True),
        gap_s=entry["gap_s"],
        cost_factor=entry.get("cost_factor", 1.0),
        mask_band=entry.get("mask_band"),
        mask_scheme=None if scheme is None else MaskScheme(scheme),
        mask_gsd_m=entry.get("mask_gsd_m", entry["resolution_m"]),
        fill=entry.get("fill"),
        credit=entry["credit"],
        default_bands=tuple(entry["default_bands"]),
        bands=MappingProxyType(dict(entry["bands"])),
        processing=MappingProxyType(dict(entry["processing"])),
        data_filter=MappingProxyType(dict(entry.get("data_filter", {}))),
        catalog_filter=entry.get("catalog_filter", ""),
        left_out_mark=entry.get("left_out_mark", ""),
        per_orbit=entry.get("per_orbit", False),
    )


def _coding(name: str, scale: float | None, offset: float) -> Coding:
    match name:
        case "counts":
            return counts_as_they_come()
        case "reflectance" if scale is not None:
            return counts_of_reflectance(scale, offset)
        case "decibels":
            return counts_of_decibels()
    raise ValueError(f"products.toml: no coding is called {name!r}, or it lacks its scale")
