"""The ground an image covers: the frame of its pixels, and that frame in ``lon, lat``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import shapely

from geo.errors import Where
from imagery.errors import ImageError
from imagery.geotiff import bounds_of

if TYPE_CHECKING:
    from pathlib import Path

    from shapely.geometry import Polygon

    from imagery.model import BandFile

_SEGMENT_M = 20_000.0
"""Edges are cut this fine before they are moved to degrees: a chord then bows by a few metres at most."""

_DIGITS = 7
"""Decimals of a degree that are kept: a centimetre."""


@dataclass(frozen=True, slots=True)
class Outline:
    """The frame of an image's pixels."""

    crs: str
    bounds: tuple[float, float, float, float]
    """Left, bottom, right, top in the CRS."""
    resolution_m: float

    @classmethod
    def of(cls, file: BandFile) -> Self:
        """Return the outline of a band."""
        return cls(file.crs, bounds_of(file.transform, file.shape), float(file.transform.a))

    def same_ground(self, other: Self) -> bool:
        """Return whether two images are of one frame, to a pixel of the coarser.

        Bands of one scene differ by that much when their pixel sides do: Landsat's panchromatic
        frame lies half a pixel outside that of the other bands.
        """
        slack = max(self.resolution_m, other.resolution_m)
        pairs = zip(self.bounds, other.bounds, strict=True)
        return self.crs == other.crs and all(abs(a - b) <= slack for a, b in pairs)

    def canonical_text(self) -> str:
        """Return CRS and bounds to the metre, for ids."""
        return repr((self.crs, tuple(round(value) for value in self.bounds)))

    def footprint_lonlat(self, path: Path) -> Polygon:
        """Return the frame as a ``lon, lat`` polygon.

        Args:
            path: The file, for the error.

        Raises:
            ImageError: The frame crosses the 180th meridian or leaves the CRS's domain.
        """
        from pyproj import Transformer  # noqa: PLC0415 - only intake needs it

        ring = shapely.get_coordinates(shapely.segmentize(shapely.box(*self.bounds), _SEGMENT_M))
        transformer = Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True)
        lon, lat = transformer.transform(ring[:, 0], ring[:, 1])
        if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
            problem = f"its bounds {self.bounds} can't be placed on the Earth by {self.crs}"
            raise ImageError(problem, where=Where(str(path)), hint="Check its CRS and transform")
        if lon.max() - lon.min() > 180.0:  # noqa: PLR2004 - half the globe
            problem = "it crosses the 180th meridian"
            raise ImageError(problem, where=Where(str(path)), hint="Cut it there into two files")
        return shapely.Polygon(np.column_stack([lon, lat]).round(_DIGITS))
