"""What a series of statistics is of: an index of bands, or a band, as the service is told it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from imagery.errors import ImageError
from imagery.masks import CLEAR_CLASSES, MaskScheme, class_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imagery.sentinelhub.products import Product


@dataclass(frozen=True, slots=True)
class Measure:
    """One number a pixel, from a product's bands."""

    name: str
    """``ndvi``, or a band's canonical name."""
    title: str
    unit: str
    """``1`` for a ratio, ``reflectance`` for a band or a mean of some."""
    bands: tuple[str, ...]
    """The service's names."""
    expression: str
    """JavaScript of a sample ``s``."""


@dataclass(frozen=True, slots=True)
class _Index:
    title: str
    bands: tuple[str, ...]
    """Canonical names; the near infrared is whichever the product has."""


# Sources: Tucker 1979 (Remote Sensing of Environment 8); McFeeters 1996 (International Journal of Remote
# Sensing 17); Key and Benson 2006 (FIREMON, USDA RMRS-GTR-164). All are (first - second) / (first + second).
_RATIOS: Mapping[str, _Index] = MappingProxyType(
    {
        "ndvi": _Index("vegetation index (NDVI)", ("nir", "red")),
        "ndwi": _Index("water index (NDWI, McFeeters)", ("green", "nir")),
        "nbr": _Index("burn ratio (NBR)", ("nir", "swir22")),
    }
)
_BRIGHTNESS = _Index("brightness: mean of blue, green and red", ("blue", "green", "red"))

INDICES = (*_RATIOS, "brightness")


def measure_for(name: str, product: Product) -> Measure:
    """Return a measure by the name of its index or band.

    Raises:
        ImageError: The product has no such band or not those of the index, or is no reflectance with a mask.
    """
    if product.mask_band is None or not product.quantity.is_optical:
        problem = f"{product.name} has no scene classes, so its cloud can't be told from its ground"
        raise ImageError(problem, hint="Use sentinel-2-l2a or landsat-ot-l2")
    if name in _RATIOS:
        bands = _service_bands(name, _RATIOS[name], product)
        first, second = (f"s.{band}" for band in bands)
        expression = f"({first} - {second}) / ({first} + {second})"
        return Measure(name, _RATIOS[name].title, "1", bands, expression)
    if name == "brightness":
        bands = _service_bands(name, _BRIGHTNESS, product)
        total = " + ".join(f"s.{band}" for band in bands)
        return Measure(name, _BRIGHTNESS.title, "reflectance", bands, f"({total}) / {len(bands)}")
    if name not in product.bands:
        known = ", ".join([*INDICES, *product.bands])
        raise ImageError(f"{product.name} has no index or band {name!r}", hint=f"Use one of {known}")
    band = product.bands[name]
    return Measure(name, f"band {name}", "reflectance", (band,), f"s.{band}")


def clear_expression(product: Product) -> str:
    """Return JavaScript that says of a sample ``s`` whether it is clear land or water, by its classes.

    The same classes as `imagery.masks.clear_pixels` takes, without a rim around clouds.
    """
    scheme, band = product.mask_scheme, product.mask_band
    if scheme is None or band is None:
        raise ImageError(f"{product.name} has no scene classes")
    table = class_table(scheme)
    if scheme is MaskScheme.QA:
        covered = sum(1 << bit for bit in range(16) if table[1 << bit] not in CLEAR_CLASSES)
        return f"(s.{band} & {covered}) === 0"
    codes = [code for code in range(table.size) if table[code] in CLEAR_CLASSES]
    return f"{codes}.indexOf(s.{band}) >= 0"


def _service_bands(name: str, index: _Index, product: Product) -> tuple[str, ...]:
    # Landsat's near infrared is as narrow as Sentinel-2's second one, and is called like it.
    nir = "nir" if "nir" in product.bands else "nir08"
    wanted = [nir if band == "nir" else band for band in index.bands]
    lacking = [band for band in wanted if band not in product.bands]
    if lacking:
        raise ImageError(f"{product.name} has no band {', '.join(lacking)}, which {name} needs")
    return tuple(product.bands[band] for band in wanted)
