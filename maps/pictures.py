"""Chips as pictures of a page: one pixel of the chip is one of the picture, and the page enlarges it.

What is drawn over the pixels (hatching, outlines, scale bar) is drawn by the page, so that it stays sharp at
any zoom and can be switched off. A picture says which site and which lattice it is of, and in which place on
the ground it lies; nothing else may decide where it is shown.
"""

from __future__ import annotations

import io
import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from PIL import Image

from imagery.model import NO_MASK
from maps.composites import Stretch, composite, stretch_of, stretch_words
from maps.drawing import Rings, enlarge, hatch, png, veil_png
from maps.errors import PageError

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo.grid import Grid
    from imagery.model import Chip, Region

LARGEST_SIDE_PX = 1024
"""Of a larger chip only every second, third, ... pixel is shown."""

_OVERLAY_SIDE_PX = 384


@dataclass(frozen=True, slots=True)
class Picture:
    """A chip as PNG, with what its caption must say."""

    site_id: str
    """Of the lattice; a picture is never shown at another site."""
    grid_id: str
    series: str
    """Pictures of one series and one shared stretch may be compared."""
    png: bytes
    veil: bytes
    """Where cloud, shadow or snow was seen: a PNG as large, see-through elsewhere; empty where none."""
    width: int
    """Pixels of the picture."""
    height: int
    metres_per_px: float
    """Ground side of one pixel of the picture."""
    resolution_m: float
    """Ground side of one pixel of the chip; less than `metres_per_px` where a large chip was sampled."""
    crs: str
    corner_m: tuple[float, float]
    """Easting and northing of the upper left corner, in `crs`."""
    solar_day: date
    platform: str
    bands: str
    """What the colours are: ``natural colour (red, green, blue)``."""
    reading: str
    """How to read these colours."""
    stretch: str
    """Which values are black and full."""
    clear_fraction: float
    """Of the frame, 0 to 1."""
    masked: bool
    """False where nobody said which pixels are cloud: then all with data count as clear."""
    credit: str
    simulated: bool
    outlines: Rings = ()
    """What is outlined, in pixels of the picture; drawn by the page, so that it can be switched off."""
    is_shared: bool = False
    """Whether the stretch is the one of all the site's pictures of this series."""
    outcome: str = ""
    """How the look ended; empty where it was not asked."""

    @property
    def key(self) -> str:
        """What tells it from the site's other pictures: day, series and lattice."""
        return f"{self.solar_day.isoformat()}.{self.series}.{self.grid_id}"


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """Two pictures of one change."""

    before: Picture
    after: Picture
    same_stretch: bool
    """False where values can't be compared (counts without a scale, no common bands): each has its own."""

    def __post_init__(self) -> None:
        """Refuse two places.

        Raises:
            PageError: The pictures are of two sites or of two lattices.
        """
        if (self.before.site_id, self.before.grid_id) != (self.after.site_id, self.after.grid_id):
            message = (
                f"a picture of {self.before.site_id!r} on lattice {self.before.grid_id} can't stand beside "
                f"one of {self.after.site_id!r} on lattice {self.after.grid_id}"
            )
            raise PageError(message)


def picture(chip: Chip, stretch: Stretch | None = None, outlines: tuple[BaseGeometry, ...] = ()) -> Picture:
    """Return a chip as a picture.

    Args:
        chip: What is shown; pixels that are not clear are greyed, and hatched by the page.
        stretch: Taken from the chip itself when None.
        outlines: ``lon, lat`` polygons to mark.
    """
    stretch = stretch or stretch_of(chip)
    step = sampling_step(chip.grid.shape)
    pixels = np.ascontiguousarray(composite(chip, stretch)[::step, ::step])
    left, _, _, top = chip.grid.bounds
    return Picture(
        site_id=chip.site_id,
        grid_id=chip.grid.grid_id,
        series=chip.series,
        png=png(pixels),
        veil=veil_png((chip.valid & ~chip.clear)[::step, ::step]),
        width=pixels.shape[1],
        height=pixels.shape[0],
        metres_per_px=chip.grid.resolution_m * step,
        resolution_m=chip.grid.resolution_m,
        crs=chip.grid.crs,
        corner_m=(left, top),
        solar_day=chip.solar_day,
        platform=chip.platform,
        bands=stretch.words,
        reading=stretch.reading,
        stretch=stretch_words(stretch),
        clear_fraction=chip.clear_fraction(),
        masked=chip.mask_scheme != NO_MASK,
        credit=chip.credit,
        simulated=chip.simulated,
        outlines=tuple(
            itertools.chain.from_iterable(_pixel_rings(item, chip.grid, step) for item in outlines)
        ),
    )


def before_after(before: Chip, after: Chip, regions: tuple[Region, ...]) -> BeforeAfter:
    """Return two chips of one site with what changed outlined.

    Both have the stretch of the earlier one, unless their values can't be compared.
    """
    shared = set(before.bands) & set(after.bands)
    stretch = stretch_of(before, shared or None)
    same = stretch.serves(after)
    outlines = tuple(region.geometry for region in regions)
    return BeforeAfter(
        before=picture(before, stretch, outlines),
        after=picture(after, stretch if same else stretch_of(after, shared or None), outlines),
        same_stretch=same,
    )


def outlined(shown: Picture, ground: Rings) -> Picture:
    """Return a picture with lines of the ground, metres in its CRS, as its outlines."""
    left, top = shown.corner_m
    side = shown.metres_per_px
    rings = tuple(
        tuple((round((x - left) / side, 2), round((top - y) / side, 2)) for x, y in ring) for ring in ground
    )
    return replace(shown, outlines=rings)


def overlay_png(shown: Picture) -> bytes:
    """Return a picture as other programs show it: enlarged by whole steps, cloud hatched in its pixels."""
    return png(overlay_pixels(shown))


def overlay_pixels(shown: Picture) -> NDArray[np.uint8]:
    """Return the same as ``(y, x, 3)``."""
    factor = max(1, round(_OVERLAY_SIDE_PX / max(shown.width, shown.height)))
    pixels = enlarge(np.asarray(Image.open(io.BytesIO(shown.png)).convert("RGB")), factor)
    if shown.veil:
        alpha = np.asarray(Image.open(io.BytesIO(shown.veil)).convert("RGBA"))[..., 3]
        hatch(pixels, enlarge(alpha, factor) > 0)
    return pixels


def sampling_step(shape: tuple[int, int]) -> int:
    """Return which pixels of a chip are shown: all (1), every second (2), ..."""
    return max(1, math.ceil(max(shape) / LARGEST_SIDE_PX))


def ground_rings(geometry: BaseGeometry, grid: Grid) -> Rings:
    """Return the rings of ``lon, lat`` polygons in metres of a grid's CRS, rounded to centimetres."""
    polygons = [part for part in getattr(geometry, "geoms", [geometry]) if isinstance(part, shapely.Polygon)]
    moved = [part for part in map(grid.to_grid, polygons) if isinstance(part, shapely.Polygon)]
    return tuple(
        tuple((round(x, 2), round(y, 2)) for x, y, *_ in ring.coords)
        for part in moved
        for ring in (part.exterior, *part.interiors)
    )


def _pixel_rings(geometry: BaseGeometry, grid: Grid, step: int) -> Rings:
    inverse = ~grid.transform
    return tuple(
        tuple((round(x / step, 2), round(y / step, 2)) for x, y in (inverse @ point for point in ring))
        for ring in ground_rings(geometry, grid)
    )
