"""One diff of one site: two clear looks, one score, regions as GeoJSON, a picture.

Two dates alone cannot tell a building from a harvest; that is what `watch.run` is for. What they can do
is show where two images differ by more than their noise and their common shift.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import shapely

from geo.dates import bracket
from geo.durable import write_bytes
from geo.errors import InputError
from imagery.change.pair import PairResult, PairSettings, compare
from imagery.change.regions import regions
from imagery.errors import NoClearLookError
from imagery.local import LocalArchive
from imagery.scene_index import SceneIndex
from watch.nearest import Chosen, distance_days, first_clear, pair_days, require_order
from watch.watcher import Lattice, lattices, watch_spec

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from geo.dates import Edtf
    from imagery.model import Chip, Region
    from sites.model import Site
    from watch.workspace import Workspace

METHOD = "IR-MAD with no-change weights; root of the smoothed statistic over a multiple of its median"


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs between two looks at a site."""

    site: Site
    before: Chosen
    after: Chosen
    result: PairResult
    regions: tuple[Region, ...]
    """Over the whole frame, the largest first."""
    in_footprint: tuple[bool, ...]
    """For each region: whether it touches the site itself, or only the ground around it."""


def detect(
    workspace: Workspace, site_id: str, *, before: Edtf, after: Edtf, assume_clear: bool | None = None
) -> Diff:
    """Compare the clear looks nearest to two dates.

    Args:
        workspace: Where catalogue and archive are.
        site_id: Id or former id of a placed site.
        before: The earlier date; an interval means any day in it.
        after: The later date.
        assume_clear: Take images without a cloud mask as clear; None asks the settings.

    Raises:
        UnknownSiteError: No such site.
        InputError: The site is not placed, or the dates are not in order.
        NoClearLookError: No look near one of the dates is clear enough.
        UnmaskedError: The nearest image has no cloud mask and nobody said that it is clear.
    """
    require_order(before, after)
    site = workspace.catalogue().get(site_id)
    if site.area is None:
        raise InputError(f"site {site.id!r} is {site.watch_reason}", hint="Give it a geometry first")
    archive = workspace.archive()
    trusting = workspace.settings.run.assume_clear if assume_clear is None else assume_clear
    index = SceneIndex(archive.scenes())
    found = lattices(site, archive, index, until=datetime.now(UTC))
    lattice = _nearest_lattice(site, found, before, after)
    spec = watch_spec(site, lattice, workspace.settings.look)
    provider = LocalArchive(archive, index=index)
    early, late = pair_days(list(lattice.scenes), before, after)
    first = first_clear(lattice, early, provider, spec, assume_clear=trusting)
    second = first_clear(lattice, late, provider, spec, assume_clear=trusting)
    return _diff(site, first, second, spec.min_pixels)


def _nearest_lattice(site: Site, found: list[Lattice], before: Edtf, after: Edtf) -> Lattice:
    """Return the series whose days lie nearest to both dates: pixels are compared within a series only."""
    usable = []
    for lattice in found:
        early, late = pair_days(list(lattice.scenes), before, after)
        if early and late:
            usable.append(
                (distance_days(early[0], before) + distance_days(late[0], after), lattice.series, lattice)
            )
    if not usable:
        count = sum(len(lattice.scenes) for lattice in found)
        raise NoClearLookError(
            f"site {site.id!r} has {count} looks in the archive, but none near each of {before} and {after}",
            hint="Add images with: sitewatch archive add",
        )
    return min(usable, key=lambda each: each[:2])[2]


def _diff(site: Site, before: Chosen, after: Chosen, min_pixels: int) -> Diff:
    bands = [name for name in before.chip.bands if name in after.chip.bands]
    days = f"{before.chip.solar_day} and {after.chip.solar_day}"
    if not bands:
        raise NoClearLookError(f"{days} share no band", hint="Try other dates, or add the missing bands")
    settings = PairSettings()
    settings = replace(settings, min_pixels=max(settings.min_pixels, min_pixels))
    result = compare(_values(before.chip, bands), _values(after.chip, bands), settings)
    if not result.judged.any():
        raise NoClearLookError(f"{days} share no clear pixel", hint="Try other dates")
    grid = before.chip.grid
    magnitude = result.score / result.threshold
    found = regions(result.changed, magnitude, result.difference, grid, bands=bands)
    area = site.area
    inside = tuple(bool(area is not None and shapely.intersects(region.geometry, area)) for region in found)
    return Diff(site, before, after, result, found, inside)


def _values(chip: Chip, bands: list[str]) -> NDArray[np.float32]:
    return chip.values()[[chip.bands.index(name) for name in bands]]


def feature_collection(diff: Diff) -> dict[str, Any]:
    """Return the regions as a GeoJSON FeatureCollection (RFC 7946) that says what was compared, and how."""
    before, after = diff.before.chip, diff.after.chip
    features = [
        {
            "type": "Feature",
            "geometry": orjson.loads(shapely.to_geojson(region.geometry)),
            "properties": {
                "site": diff.site.id,
                "bracket": bracket(before.solar_day, after.solar_day),
                "area_m2": round(region.area_m2, 1),
                "pixels": region.pixels,
                "magnitude": round(region.magnitude, 3),
                "p_value": None,
                "in_footprint": inside,
                "difference": {band: round(value, 5) for band, value in region.direction.items()},
            },
        }
        for region, inside in zip(diff.regions, diff.in_footprint, strict=True)
    ]
    return {
        "type": "FeatureCollection",
        "features": features,
        "sitewatch": {
            "site": diff.site.id,
            "before": _chosen_json(diff.before),
            "after": _chosen_json(diff.after),
            "method": METHOD,
            "threshold": round(float(diff.result.threshold), 6),
            "judged_fraction": round(float(diff.result.judged.mean()), 4),
            "grid_id": before.grid.grid_id,
            "crs": before.grid.crs,
            "pixel_m": before.grid.resolution_m,
            "units": "reflectance" if before.scale else "uncalibrated counts",
            "simulated": before.simulated or after.simulated,
        },
    }


def _chosen_json(chosen: Chosen) -> dict[str, Any]:
    chip = chosen.chip
    return {
        "solar_day": str(chip.solar_day),
        "platform": chip.platform,
        "scenes": list(chip.scene_ids),
        "bands": list(chip.bands),
        "mask": chip.mask_scheme,
        "clear_fraction": round(chip.clear_fraction(), 4),
        "credit": chip.credit,
        "passed_over": [{"solar_day": str(each.solar_day), "reason": each.reason} for each in chosen.passed],
    }


def write_diff(diff: Diff, folder: Path) -> tuple[Path, ...]:
    """Write ``score.tif``, ``change.geojson`` and ``picture.png``; each appears whole or not at all."""
    from imagery.score_file import score_geotiff  # noqa: PLC0415 - rasterio is only needed when files are wanted
    from maps.sheets import change_picture  # noqa: PLC0415 - pillow likewise

    before, after, result = diff.before.chip, diff.after.chip, diff.result
    tags = {
        "threshold": f"{result.threshold:.6f}",
        "method": METHOD,
        "before": str(before.solar_day),
        "after": str(after.solar_day),
        "site": diff.site.id,
    }
    # The pictures' font is Latin only.
    caption = diff.site.name if diff.site.name.isascii() else diff.site.id
    picture = change_picture(before, after, result.score, result.changed, caption)
    contents = {
        "score.tif": score_geotiff(result.score, result.changed, before.grid, tags=tags),
        "change.geojson": orjson.dumps(
            feature_collection(diff), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        ),
        "picture.png": picture,
    }
    for name, data in contents.items():
        write_bytes(folder / name, data)
    return tuple(folder / name for name in contents)
