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
from imagery.sensors import in_band_order, sensor_for

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
    scale: float
    """Reflectance of one count, offsets undone."""
    resolution_m: float
    """Pixel side that is asked for: that of its finest bands."""
    snap_m: float
    """Pixel edges of all its bands coincide at multiples of this, counted from the CRS origin."""
    gap_s: int
    """Granules of one pass follow each other closer than this."""
    mask_band: str | None
    mask_scheme: MaskScheme | None
    mask_gsd_m: float
    credit: str
    default_bands: tuple[str, ...]
    bands: Mapping[str, str]
    """Canonical name -> the service's."""
    processing: Mapping[str, Any]
    """What the service is told of processing."""

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

    def series(self, platform: str) -> str:
        """Return the series of a platform's pixels in this product."""
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
    return Product(
        name=name,
        title=entry["title"],
        collection=entry["collection"],
        generic_platform=entry["generic_platform"],
        series_suffix=entry.get("series_suffix", ""),
        scale=entry["scale"],
        resolution_m=entry["resolution_m"],
        snap_m=entry["snap_m"],
        gap_s=entry["gap_s"],
        mask_band=entry.get("mask_band"),
        mask_scheme=None if scheme is None else MaskScheme(scheme),
        mask_gsd_m=entry.get("mask_gsd_m", entry["resolution_m"]),
        credit=entry["credit"],
        default_bands=tuple(entry["default_bands"]),
        bands=MappingProxyType(dict(entry["bands"])),
        processing=MappingProxyType(dict(entry["processing"])),
    )
