"""Which scenes a provider has over a site or a box; nothing is pulled and nothing pinned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import shapely

from geo.errors import CoordinateError, InputError, Where
from geo.grid import DEFAULT_CONTEXT_M, site_grid, utm_crs
from imagery.local import LocalArchive
from imagery.pins import pinned_grid
from imagery.provider import NO_LIMITS

if TYPE_CHECKING:
    from geo.dates import Span
    from geo.grid import Grid
    from imagery.model import Scene
    from imagery.provider import Limits
    from imagery.sentinelhub.provider import SentinelHub
    from watch.workspace import Workspace

BOX_NAME = "box"
_FRAME_M = 10.0
_FRAME_PX = 4000
"""A box of many degrees is searched on a coarser lattice: only its outline counts."""
_M_A_DEGREE = 111_320.0
_NUMBERS = 4
_WHOLE_LON_DEG, _WHOLE_LAT_DEG = 180.0, 90.0


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found."""

    scenes: tuple[Scene, ...]
    """By (acquired, id)."""
    archived: frozenset[str]
    """Ids of those that the archive holds already."""


def site_frame(workspace: Workspace, name: str, *, resolution_m: float = _FRAME_M) -> Grid:
    """Return the frame that is searched for a site: where it is pinned, else by the UTM zone of its centre.

    Raises:
        UnknownSiteError: No such site.
        InputError: It is not placed.
    """
    site = workspace.catalogue().get(name)
    area, point = site.area, site.point
    if area is None or point is None:
        raise InputError(f"site {site.id!r} is {site.watch_reason}", hint="Give it a geometry first")
    context_m = site.watch.context_m or DEFAULT_CONTEXT_M
    archive = workspace.archive()
    kept = pinned_grid(archive, site.id, area, resolution_m=resolution_m, context_m=context_m)
    if kept is not None:
        return kept
    return site_grid(site.id, area, crs=utm_crs(point), resolution_m=resolution_m, context_m=context_m)


def box_frame(text: str) -> Grid:
    """Return the frame of a box, written ``west,south,east,north`` in degrees.

    Raises:
        CoordinateError: It is no box, or crosses the date line.
    """
    where, hint = Where(field="--bbox"), "Write west,south,east,north in degrees, like 124.3,40.0,124.5,40.2"
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != _NUMBERS:
        raise CoordinateError(f"{text!r} is no box", where=where, hint=hint)
    west, south, east, north = numbers
    inside = -_WHOLE_LON_DEG <= west < east <= _WHOLE_LON_DEG
    if not (inside and -_WHOLE_LAT_DEG <= south < north <= _WHOLE_LAT_DEG):
        raise CoordinateError(f"{text!r} is no box on Earth", where=where, hint=hint)
    outline = shapely.box(west, south, east, north)
    # By the equator's degree, so that no side comes out smaller than it is.
    side_m = max(east - west, north - south) * _M_A_DEGREE
    resolution_m = max(_FRAME_M, 10.0 * -(-side_m // (10.0 * _FRAME_PX)))
    crs = utm_crs(outline.centroid)
    return site_grid(BOX_NAME, outline, crs=crs, resolution_m=resolution_m, context_m=0.0)


def search_archive(
    workspace: Workspace, frame: Grid, span: Span | None = None, limits: Limits = NO_LIMITS
) -> Found:
    """Return the scenes of a workspace's own archive.

    Raises:
        ArchiveError: An Item is damaged.
    """
    scenes = LocalArchive(workspace.archive()).search(frame, span, limits)
    return Found(scenes, frozenset(scene.id for scene in scenes))


def search_service(
    hub: SentinelHub, frame: Grid, span: Span | None = None, limits: Limits = NO_LIMITS
) -> Found:
    """Return the passes that a service has, and which of them were pulled already.

    Raises:
        ServiceError: And what else `SentinelHub.search` raises.
    """
    scenes = hub.search(frame, span, limits)
    return Found(scenes, frozenset(scene.id for scene in scenes if hub.holds(scene)))
