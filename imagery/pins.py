"""Which lattice a site is pinned to: taken once from the first scene over it, then never moved.

    archive/grids/<site id>.json
        {"site_id": ..., "pins": [{"resolution_m", "frame_sha", "scene_id", "grid"}, ...]}

A pin is found by resolution and frame (footprint and context). Moving the footprint adds pins; the old
ones stay, because looks speak of their `grid_id`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson
import shapely

from geo.durable import write_bytes
from geo.errors import Where
from geo.grid import DEFAULT_CONTEXT_M, Grid, site_grid, utm_crs
from imagery.errors import ArchiveError, ImageError
from imagery.stac import dump

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

    from imagery.archive import Archive
    from imagery.model import BandFile, Scene

_COORDINATE_GRID_DEG = 1e-7
_MAX_SITE_ID = 200


@dataclass(frozen=True, slots=True)
class Pin:
    """One lattice of a site and where it came from."""

    resolution_m: float
    frame_sha: str
    """Digest of footprint and context."""
    scene_id: str | None
    """The scene whose pixel edges it took; None where there was none and UTM's own were taken."""
    grid: Grid


def native_resolution_m(scene: Scene) -> float:
    """Return the side of a scene's finest pixels in metres, to a micrometre."""
    return _resolution(_finest(scene))


def grids_for(
    archive: Archive,
    site_id: str,
    footprint: BaseGeometry,
    *,
    context_m: float = DEFAULT_CONTEXT_M,
    scenes: Sequence[Scene] | None = None,
) -> dict[float, Grid]:
    """Return the grid of a site for each native resolution that the archive has over it.

    Args:
        archive: Its scenes, and the pins in it.
        site_id: The site.
        footprint: Polygon in ``lon, lat`` degrees.
        context_m: Ground around the footprint on each side.
        scenes: The archive's scenes in order, where the caller has read them already.

    Returns:
        Grids by resolution in metres, finest first; empty where no scene covers the site.

    Raises:
        ArchiveError: The file of the site's pins is damaged.
        CoordinateError: The frame is too large.
    """
    first: dict[float, Scene] = {}
    for scene in _covering(archive, footprint, scenes):
        first.setdefault(native_resolution_m(scene), scene)
    wanted = sorted(first.items())
    return {
        resolution: _pinned(archive, site_id, footprint, context_m, resolution, scene)
        for resolution, scene in wanted
    }


def grid_for(
    archive: Archive,
    site_id: str,
    footprint: BaseGeometry,
    *,
    resolution_m: float,
    context_m: float = DEFAULT_CONTEXT_M,
    scenes: Sequence[Scene] | None = None,
) -> Grid:
    """Return the grid of a site at one resolution; by the UTM zone of its centre where no scene is.

    Args and errors are those of `grids_for`.
    """
    resolution = round(resolution_m, 6)
    kept = pinned_grid(archive, site_id, footprint, resolution_m=resolution, context_m=context_m)
    if kept is not None:
        return kept
    found = _covering(archive, footprint, scenes)
    first = next((scene for scene in found if native_resolution_m(scene) == resolution), None)
    return _pinned(archive, site_id, footprint, context_m, resolution, first)


def pinned_grid(
    archive: Archive,
    site_id: str,
    footprint: BaseGeometry,
    *,
    resolution_m: float,
    context_m: float = DEFAULT_CONTEXT_M,
) -> Grid | None:
    """Return the grid that a site is pinned to at one resolution; None where it is not pinned yet.

    Args and errors are those of `grids_for`.
    """
    frame_sha = _frame_sha(footprint, context_m)
    kept = _find(read_pins(archive, site_id), round(resolution_m, 6), frame_sha)
    return kept.grid if kept else None


def read_pins(archive: Archive, site_id: str) -> tuple[Pin, ...]:
    """Return every lattice a site ever had, oldest first.

    Raises:
        ArchiveError: The file is damaged.
    """
    path = _path(archive, site_id)
    try:
        document = orjson.loads(path.read_bytes())
        return tuple(_pin(entry) for entry in document["pins"])
    except FileNotFoundError:
        return ()
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ArchiveError(
            f"damaged pins: {type(error).__name__}: {error}",
            where=Where(str(path)),
            hint="Restore the file: looks are bound to the grids in it",
        ) from error


def adopt_pins(archive: Archive, former_id: str, site_id: str) -> None:
    """Hand the lattices of a renamed site on to its new id, so that none of them moves.

    Raises:
        ArchiveError: The file of the pins of either id is damaged.
    """
    if not _path(archive, former_id).exists():
        return
    with archive.locked("pinning"):
        pins = list(read_pins(archive, site_id))
        for pin in read_pins(archive, former_id):
            if _find(pins, pin.resolution_m, pin.frame_sha) is None:
                pins.append(replace(pin, grid=Grid(site_id, pin.grid.geobox)))
        write_bytes(_path(archive, site_id), dump(_document(site_id, pins)))
        _path(archive, former_id).unlink(missing_ok=True)


def _covering(archive: Archive, footprint: BaseGeometry, scenes: Sequence[Scene] | None) -> tuple[Scene, ...]:
    if scenes is None:
        return archive.scenes(covering=footprint)
    return tuple(scene for scene in scenes if scene.footprint.intersects(footprint))


def _pinned(
    archive: Archive,
    site_id: str,
    footprint: BaseGeometry,
    context_m: float,
    resolution_m: float,
    scene: Scene | None,
) -> Grid:
    frame_sha = _frame_sha(footprint, context_m)
    kept = _find(read_pins(archive, site_id), resolution_m, frame_sha)
    if kept:
        return kept.grid
    grid = _lay(site_id, footprint, context_m, resolution_m, scene)
    with archive.locked("pinning"):
        pins = read_pins(archive, site_id)
        kept = _find(pins, resolution_m, frame_sha)
        if kept:
            return kept.grid
        pin = Pin(resolution_m, frame_sha, scene.id if scene else None, grid)
        write_bytes(_path(archive, site_id), dump(_document(site_id, [*pins, pin])))
    return grid


def _lay(
    site_id: str, footprint: BaseGeometry, context_m: float, resolution_m: float, scene: Scene | None
) -> Grid:
    if scene is None:
        crs, anchor = utm_crs(footprint.centroid), (0.0, 0.0)
    else:
        file = _finest(scene)
        crs, anchor = file.crs, (file.transform.c, file.transform.f)
    return site_grid(
        site_id, footprint, crs=crs, resolution_m=resolution_m, anchor=anchor, context_m=context_m
    )


def _finest(scene: Scene) -> BandFile:
    return min(scene.bands, key=_resolution)


def _resolution(file: BandFile) -> float:
    return round(float(file.transform.a), 6)


def _find(pins: Sequence[Pin], resolution_m: float, frame_sha: str) -> Pin | None:
    return next(
        (pin for pin in pins if pin.resolution_m == resolution_m and pin.frame_sha == frame_sha), None
    )


def _frame_sha(footprint: BaseGeometry, context_m: float) -> str:
    shape = shapely.normalize(shapely.set_precision(footprint, _COORDINATE_GRID_DEG))
    return hashlib.sha256(shapely.to_wkb(shape) + repr(float(context_m)).encode()).hexdigest()[:16]


def _path(archive: Archive, site_id: str) -> Path:
    if not site_id or "/" in site_id or "\0" in site_id or site_id[0] == "." or len(site_id) > _MAX_SITE_ID:
        raise ImageError(f"{site_id!r} can't name a file", hint="Use letters, digits and hyphens")
    return archive.root / "grids" / f"{site_id}.json"


def _document(site_id: str, pins: Sequence[Pin]) -> dict[str, Any]:
    return {
        "site_id": site_id,
        "pins": [
            {
                "resolution_m": pin.resolution_m,
                "frame_sha": pin.frame_sha,
                "scene_id": pin.scene_id,
                "grid": pin.grid.to_json(),
            }
            for pin in pins
        ],
    }


def _pin(entry: dict[str, Any]) -> Pin:
    grid = Grid.from_json(entry["grid"])
    if grid.grid_id != entry["grid"]["grid_id"]:
        raise ValueError(f"grid {entry['grid']['grid_id']} does not match its own numbers")
    return Pin(float(entry["resolution_m"]), str(entry["frame_sha"]), entry["scene_id"], grid)
