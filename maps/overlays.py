"""A site's pictures laid onto longitude and latitude, for globes that know no other projection."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from rasterio.crs import CRS
from rasterio.transform import Affine
from rasterio.warp import Resampling, calculate_default_transform, reproject

from maps.drawing import png
from maps.pictures import overlay_pixels

if TYPE_CHECKING:
    from datetime import date

    from maps.pictures import Picture
    from maps.view import SiteEntry

_LEVEL = 3
_WGS84 = CRS.from_epsg(4326)


@dataclass(frozen=True, slots=True)
class Overlay:
    """A picture between two parallels and two meridians."""

    picture: Picture
    png: bytes
    """See-through where the picture has no pixels."""
    west: float
    south: float
    east: float
    north: float
    until: date | None
    """Day of the site's next picture; None for the last one."""


def overlays(entry: SiteEntry) -> list[Overlay]:
    """Return all pictures of a site, oldest first, each until the next."""
    ordered = sorted(_pictures(entry).values(), key=lambda each: (each.solar_day, each.key))
    days = sorted({each.solar_day for each in ordered})
    following = dict(zip_longest(days, days[1:]))
    return [_laid(each, following[each.solar_day]) for each in ordered]


def _pictures(entry: SiteEntry) -> dict[str, Picture]:
    if entry.album is not None:
        return {each.key: each for each in entry.album.pictures}
    shown = [picture for pair in entry.pictures.values() for picture in (pair.before, pair.after)]
    return {each.key: each for each in (*shown, *([] if entry.latest is None else [entry.latest]))}


def _laid(picture: Picture, until: date | None) -> Overlay:
    pixels = overlay_pixels(picture)
    rows, columns = pixels.shape[:2]
    opaque = np.full((rows, columns, 1), 255, np.uint8)
    side_m = picture.metres_per_px * picture.width / columns
    left, top = picture.corner_m
    there = Affine(side_m, 0.0, left, 0.0, -side_m, top)
    here, width, height = calculate_default_transform(
        picture.crs, _WGS84, columns, rows, left, top - rows * side_m, left + columns * side_m, top
    )
    laid = np.zeros((4, height, width), np.uint8)
    reproject(
        np.ascontiguousarray(np.moveaxis(np.dstack([pixels, opaque]), -1, 0)),
        laid,
        src_transform=there,
        src_crs=picture.crs,
        dst_transform=here,
        dst_crs=_WGS84,
        resampling=Resampling.nearest,
    )
    image = Image.fromarray(np.ascontiguousarray(np.moveaxis(laid, 0, -1)))
    west, north = here @ (0, 0)
    east, south = here @ (width, height)
    return Overlay(picture, png(image, level=_LEVEL), west, south, east, north, until)
