"""Simulated sites as scenes in an archive, put together and checked as a user's images are.

Bands are stored at 10 m, as services deliver them (those seen at 20 m were brought there when they were
rendered), scene classes at 20 m, counts raised by 1000 from processing baseline 04.00 on. A site's chips
read from such an archive are those that it yields in memory.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine

from imagery.assembly import ImageFile, SceneLabel, assemble
from imagery.canonical import PixelSource
from imagery.geotiff import Header
from imagery.masks import MaskScheme
from imagery.model import CANONICAL_SCALE, BandFile
from imagery.naming import NameFacts
from imagery.sensors import sensor_for
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
"""Dates that are in memory at once."""
_LABEL = SceneLabel(
    mask_band=MaskScheme.SCL.value,
    simulated=True,
    credit=CREDIT,
    licence="simulated; no rights are reserved",
)


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
            planned = [_planned(site, acquisition) for acquisition in batch]
            new += archive.add(planned, draw_up=False).new
            done += len(batch)
            if progress is not None:
                progress(done, total, site.spec.site_id)
    archive.draw_up()
    return tuple(new)


def _planned(site: SimulatedSite, acquisition: Acquisition) -> PlannedScene:
    """Return a date as a scene whose pixels are in memory."""
    picture = site.picture(acquisition.number)
    corner = site.grid.transform @ Affine.translation(-MARGIN_PX, -MARGIN_PX)
    raw = (picture.counts + _stored_offset(acquisition)).astype(np.uint16)
    offset = -_stored_offset(acquisition) * CANONICAL_SCALE
    where = f"{site.spec.site_id}, {acquisition.acquired:%Y-%m-%dT%H:%M:%SZ}"
    sources = [
        _source(
            BandFile(name, where, site.grid.crs, corner, plane.shape, 0.0, CANONICAL_SCALE, offset), plane
        )
        for name, plane in zip(BANDS, raw, strict=True)
    ]
    coarse = corner @ Affine.scale(2)
    classes = BandFile(
        MaskScheme.SCL.value, where, site.grid.crs, coarse, picture.codes.shape, None, None, 0.0
    )
    image = _image([*sources, _source(classes, picture.codes)], acquisition)
    scenes = assemble([image], _LABEL)
    return replace(
        scenes[0], geometry=acquisition.geometry, processing_baseline=acquisition.processing_baseline
    )


def _source(file: BandFile, pixels: NDArray[Any]) -> PixelSource:
    return PixelSource(file, 1, pixels.dtype.name, np.ascontiguousarray(pixels))


def _image(sources: list[PixelSource], acquisition: Acquisition) -> ImageFile:
    """Return a date as if it had been one file of the user's."""
    file = sources[0].file
    header = Header(
        path=Path(file.path),
        shape=file.shape,
        crs=file.crs,
        transform=file.transform,
        dtypes=tuple(source.dtype for source in sources),
        nodata=tuple(source.file.nodata for source in sources),
        descriptions=tuple(source.file.name for source in sources),
        scales=tuple(source.file.scale or 1.0 for source in sources),
        offsets=tuple(source.file.offset for source in sources),
        hidden_mask=False,
    )
    facts = NameFacts(acquisition.acquired, day_only=False, band=None, platform=acquisition.platform)
    return ImageFile(header, facts, sensor_for(acquisition.platform), tuple(sources))


def _stored_offset(acquisition: Acquisition) -> int:
    # Where the offset was forgotten, the counts carry it already and nobody says so.
    return 0 if acquisition.unharmonised else acquisition.raised
