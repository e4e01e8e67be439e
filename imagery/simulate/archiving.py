"""Simulated sites as scenes in an archive, by the same intake that takes a user's GeoTIFFs.

Bands are stored at 10 m, as services deliver them (those seen at 20 m were brought there when they were
rendered), scene classes at 20 m, counts raised by 1000 from processing baseline 04.00 on. A site's chips
read from such an archive are those that it yields in memory.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from affine import Affine

from imagery.geotiff import GDAL_OPTIONS
from imagery.intake import IntakeOptions, plan_intake
from imagery.masks import MaskScheme
from imagery.model import CANONICAL_SCALE
from imagery.simulate.materials import BANDS
from imagery.simulate.optics import MARGIN_PX
from imagery.simulate.site import CREDIT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from imagery.archive import Archive
    from imagery.assembly import PlannedScene
    from imagery.simulate.acquisitions import Acquisition
    from imagery.simulate.site import SimulatedSite

    Progress = Callable[[int, int, str], None]
    """Called with how many dates are done, of how many, and the site's id."""

_BATCH = 16
"""Dates whose files lie in the passing folder at once."""
_PATTERN = r"^(?P<acquired>\d{8}T\d{6}Z)_(?P<platform>sentinel-2[abc])_"
_MOMENT = "%Y%m%dT%H%M%SZ"
_LICENCE = "simulated; no rights are reserved"


def write_archive(
    sites: Sequence[SimulatedSite], archive: Archive, progress: Progress | None = None
) -> tuple[str, ...]:
    """Write every date of the sites into an archive; return the ids of the scenes that are new.

    Raises:
        ArchiveError: The archive can't be written.
        ImageError: It holds other scenes of these ids: another simulation of the same place.
    """
    total = sum(len(site.acquisitions) for site in sites)
    new: list[str] = []
    done = 0
    for site in sites:
        for first in range(0, len(site.acquisitions), _BATCH):
            batch = site.acquisitions[first : first + _BATCH]
            with TemporaryDirectory() as folder:
                planned = [_planned(site, acquisition, Path(folder)) for acquisition in batch]
                new += archive.add(planned, draw_up=False).new
            done += len(batch)
            if progress is not None:
                progress(done, total, site.spec.site_id)
    archive.draw_up()
    return tuple(new)


def _planned(site: SimulatedSite, acquisition: Acquisition, folder: Path) -> PlannedScene:
    """Write the files of a date and return the scene that they make."""
    picture = site.picture(acquisition.number)
    stem = f"{acquisition.acquired:{_MOMENT}}_{acquisition.platform}"
    corner = site.grid.transform @ Affine.translation(-MARGIN_PX, -MARGIN_PX)
    raw = (picture.counts + _stored_offset(acquisition)).astype(np.uint16)
    files = [
        _write(folder / f"{stem}_bands.tif", raw, BANDS, site.grid.crs, corner),
        _write(
            folder / f"{stem}_scl.tif",
            picture.codes[None],
            (MaskScheme.SCL.value,),
            site.grid.crs,
            corner @ Affine.scale(2),
        ),
    ]
    scenes = plan_intake(files, _options(acquisition)).scenes
    return replace(
        scenes[0], geometry=acquisition.geometry, processing_baseline=acquisition.processing_baseline
    )


def _stored_offset(acquisition: Acquisition) -> int:
    # Where the offset was forgotten, the counts carry it already and nobody says so.
    return 0 if acquisition.unharmonised else acquisition.raised


def _options(acquisition: Acquisition) -> IntakeOptions:
    return IntakeOptions(
        pattern=_PATTERN,
        date_format=_MOMENT,
        mask_band=MaskScheme.SCL.value,
        scale=CANONICAL_SCALE,
        offset=-_stored_offset(acquisition) * CANONICAL_SCALE,
        nodata=0,
        utc=True,
        simulated=True,
        credit=CREDIT,
        licence=_LICENCE,
    )


def _write(path: Path, pixels: NDArray[Any], names: tuple[str, ...], crs: str, transform: Affine) -> Path:
    count, rows, columns = pixels.shape
    profile = {
        "driver": "GTiff",
        "count": count,
        "height": rows,
        "width": columns,
        "dtype": pixels.dtype.name,
        "crs": crs,
        "transform": transform,
    }
    with rasterio.Env(**GDAL_OPTIONS), rasterio.open(path, "w", **profile) as dataset:
        dataset.write(pixels)
        dataset.descriptions = names
    return path
