"""Sentinel Hub as a provider: what it has is pulled into an archive once, and read from there.

The service hands out source pixels on their own edges; they are archived at each band's native side.
What `read` returns is what `LocalArchive` makes of them, so both providers resample by the same rules.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine

from geo.errors import Where
from geo.grid import grid_box_lonlat
from imagery.acquisition import with_sun
from imagery.assembly import PlannedScene
from imagery.canonical import PixelSource
from imagery.errors import ImageError
from imagery.local import DEFAULT_DILATE_PX, LocalArchive
from imagery.model import NO_MASK, BandFile, Scene
from imagery.outline import Outline
from imagery.provenance import Charge, Provenance
from imagery.provider import NO_LIMITS, Limits, within
from imagery.quantity import Quantity
from imagery.scene_index import SceneIndex
from imagery.sentinelhub.acquisitions import find_acquisitions
from imagery.sentinelhub.fetch_frame import fetch_frame
from imagery.sentinelhub.orbits import mode_properties, series_of
from imagery.sentinelhub.process import NODATA, PROCESS_PATH, TAR, PassRequest, understand_pixels
from imagery.sentinelhub.statistics import fetch_series
from imagery.sentinelhub.terrain import fetch_elevation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray
    from shapely.geometry import Point

    from geo.dates import Span
    from geo.grid import Grid
    from imagery.archive import Archive
    from imagery.elevation import Elevation
    from imagery.frame import Frame
    from imagery.model import Chip
    from imagery.provider import Provider
    from imagery.sentinelhub.acquisitions import Acquisition
    from imagery.sentinelhub.process import PassPixels
    from imagery.sentinelhub.products import Product
    from imagery.sentinelhub.service import Service
    from imagery.sentinelhub.statistics import Series, StatisticsRequest

PROVIDER = "sentinelhub"
"""What a scene's provenance calls it."""

_KEY_DIGITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class HubScene(Scene):
    """A pass that the service has; its bands lie in the archive once it was fetched."""

    request: PassRequest = field(hash=False)


class SentinelHub:
    """Finds passes at a service, and fetches them into an archive before they are read."""

    def __init__(
        self,
        service: Service,
        archive: Archive,
        product: Product,
        *,
        bands: Sequence[str] | None = None,
        dilate_px: int = DEFAULT_DILATE_PX,
    ) -> None:
        """Take a service and the archive that keeps what it gives.

        Args:
            service: Who is asked.
            archive: Where passes are kept; what it holds is never asked again.
            product: What is asked for.
            bands: Canonical names to fetch; None for the product's default ones.
            dilate_px: Pixels around cloud, cirrus and shadow that count as covered too.

        Raises:
            ImageError: The product has no such band.
        """
        self.product = product
        self.bands = product.chosen(bands)
        self._service = service
        self._archive = archive
        self._dilate_px = dilate_px

    def search(
        self, grid: Grid, span: Span | None = None, limits: Limits = NO_LIMITS
    ) -> tuple[HubScene, ...]:
        """Return the passes that touch a grid's frame, by (acquired, id); see `Provider`.

        Args:
            grid: The lattice; its frame is what is searched.
            span: Solar days at the grid's centre; None for all.
            limits: What to leave out. Judged here and not by the service: a pass must not change with the
                granules that a filter leaves.

        Raises:
            ImageError: The frame is larger than one request may be, or in a CRS without a code.
            ServiceError: And what else `Service.post` raises.
        """
        frame = fetch_frame(grid, self.product, self.bands)
        if not frame.crs.startswith("EPSG:"):
            raise ImageError(f"the service can't be asked in the CRS of the grid of {grid.site_id!r}")
        box = grid_box_lonlat(grid)
        passes = find_acquisitions(self._service, self.product, box, span)
        scenes = sorted(
            (self._scene(frame, each, box.centroid) for each in passes),
            key=lambda scene: (scene.acquired, scene.id),
        )
        return within(scenes, limits, box.centroid.x)

    def holds(self, scene: HubScene) -> bool:
        """Return whether a pass is in the archive and costs nothing more."""
        return self._archive.kept(scene) is not None

    def keeping(self) -> AbstractContextManager[None]:
        """Return what is entered while several threads fetch; see `Archive.held`."""
        return self._archive.held()

    def fetch(self, scene: HubScene, turn: AbstractContextManager[None] | None = None) -> Charge:
        """Put a pass into the archive unless it is there; return what that cost.

        The archive's catalogue is left as it was: `Archive.draw_up` when all are in.

        Args:
            scene: From `search`.
            turn: Entered while the service is asked, and left before what came is archived.

        Raises:
            ServiceError: And what else `Service.post` raises.
            ArchiveError: The archive is damaged or can't be written.
        """
        if self.holds(scene):
            return Charge()
        request = scene.request
        with turn or nullcontext():
            pixels, spent = self._service.post(
                PROCESS_PATH,
                request.document(),
                accept=TAR,
                what=scene.id,
                estimate=request.estimate,
                understand=lambda answer: understand_pixels(answer, request),
                max_bytes=request.max_bytes,
            )
        self._archive.add([_planned(scene, pixels, spent)], draw_up=False)
        return spent

    def read(self, grid: Grid, scenes: Sequence[Scene], bands: Sequence[str] | None = None) -> Chip:
        """Return one solar day of one series on a grid; what is not in the archive is fetched first."""
        fetched = [self._fetched(scene) for scene in scenes]
        self._archive.draw_up()
        chip = self._local.read(grid, [scene for scene, _ in fetched], bands)
        return replace(chip, cost=sum((spent for _, spent in fetched), Charge()))

    def elevation(self, grid: Grid) -> Elevation:
        """Return the heights of the ground on a grid; asked for once, then kept in the archive.

        Raises:
            ImageError: The grid can't be asked for.
            ServiceError: And what else `Service.post` raises.
            ArchiveError: What is kept is damaged, or can't be written.
        """
        return fetch_elevation(self._service, self._archive, grid)[0]

    def statistics(self, request: StatisticsRequest) -> Series:
        """Return statistics of clear pixels, interval by interval, gaps among them; nothing is kept.

        Args:
            request: From `imagery.sentinelhub.statistics.statistics_request`.

        Raises:
            ServiceError: And what else `Service.post` raises.
        """
        return fetch_series(self._service, request)

    @property
    def _local(self) -> LocalArchive:
        return LocalArchive(self._archive, index=SceneIndex([]), dilate_px=self._dilate_px)

    def _fetched(self, scene: Scene) -> tuple[Scene, Charge]:
        if not isinstance(scene, HubScene):
            raise ImageError("it was not found by this provider", where=Where(feature=scene.id))
        spent = self.fetch(scene)
        kept = self._archive.kept(scene)
        if kept is None:
            raise ImageError("it went from the archive while it was read", where=Where(feature=scene.id))
        return kept, spent

    def _scene(self, frame: Frame, acquisition: Acquisition, centre: Point) -> HubScene:
        product = self.product
        request = PassRequest(product, self.bands, frame, acquisition)
        files = tuple(_band_file(product, name, frame, product.gsd_m(name)) for name in self.bands)
        mask = None
        if product.mask_scheme is not None:
            mask = _class_file(product.mask_scheme, frame, product.mask_gsd_m)
        geometry = acquisition.geometry
        if product.quantity is Quantity.REFLECTANCE:
            geometry = with_sun(geometry, acquisition.acquired, centre)
        return HubScene(
            id=_scene_id(acquisition, request),
            platform=acquisition.platform,
            series=series_of(product, acquisition),
            acquired=acquisition.acquired,
            day_only=False,
            bands=files,
            mask=mask,
            mask_scheme=product.mask_scheme or NO_MASK,
            footprint=Outline(frame.crs, frame.bounds, frame.side_m).footprint_lonlat(
                Path(acquisition.platform)
            ),
            content_sha="",
            simulated=any(granule.simulated for granule in acquisition.granules),
            credit=product.credit.format(year=acquisition.acquired.year),
            geometry=geometry,
            processing_baseline=acquisition.processing_baseline,
            cloud_percent=acquisition.cloud_percent,
            provenance=_provenance(request),
            quantity=product.quantity,
            request=request,
        )


def _scene_id(acquisition: Acquisition, request: PassRequest) -> str:
    acquired = acquisition.acquired
    fraction = f"{acquired.microsecond:06d}" if acquired.microsecond else ""
    return f"{acquisition.platform}_{acquired:%Y%m%dT%H%M%S}{fraction}_{request.key[:_KEY_DIGITS]}"


def _band_file(product: Product, name: str, frame: Frame, gsd_m: float) -> BandFile:
    step = _step(frame, gsd_m)
    return BandFile(
        name, "", frame.crs, _scaled(frame, step), _shape(frame, step), NODATA, product.scale, product.offset
    )


def _class_file(name: str, frame: Frame, gsd_m: float) -> BandFile:
    step = _step(frame, gsd_m)
    return BandFile(str(name), "", frame.crs, _scaled(frame, step), _shape(frame, step), None, None, 0.0)


def _step(frame: Frame, gsd_m: float) -> int:
    return max(1, round(gsd_m / frame.side_m))


def _scaled(frame: Frame, step: int) -> Affine:
    return frame.transform @ Affine.scale(step)


def _shape(frame: Frame, step: int) -> tuple[int, int]:
    rows, columns = frame.shape
    return rows // step, columns // step


def _planned(scene: HubScene, pixels: PassPixels, spent: Charge) -> PlannedScene:
    """Return a pass as it is to be archived, its bands at their native pixels."""
    frame = scene.request.frame
    bands = tuple(_source(file, pixels.counts[position], frame) for position, file in enumerate(scene.bands))
    mask = None
    if scene.mask is not None and pixels.classes is not None:
        mask = _source(scene.mask, pixels.classes, frame)
    return PlannedScene(
        id=scene.id,
        platform=scene.platform,
        series=scene.series,
        acquired=scene.acquired,
        day_only=False,
        bands=bands,
        mask=mask,
        mask_scheme=scene.mask_scheme,
        footprint=scene.footprint,
        simulated=scene.simulated,
        credit=scene.credit,
        licence="",
        quantity=scene.quantity,
        provenance=_provenance_properties(scene, spent),
        geometry=scene.geometry,
        processing_baseline=scene.processing_baseline,
        cloud_percent=scene.cloud_percent,
    )


def _source(file: BandFile, asked: NDArray[np.generic], frame: Frame) -> PixelSource:
    # A coarse band came with each of its pixels repeated: one of each block is the pixel itself.
    step = round(file.transform.a / frame.side_m)
    return PixelSource(file, 1, asked.dtype.name, np.ascontiguousarray(asked[::step, ::step]))


def _provenance(request: PassRequest) -> Provenance:
    sources = tuple(granule.id for granule in request.acquisition.granules)
    return Provenance(PROVIDER, request.product.name, (request.key,), sources)


def _provenance_properties(scene: HubScene, spent: Charge) -> dict[str, Any]:
    request, provenance = scene.request, scene.provenance
    granules = request.acquisition.granules
    return {
        "sitewatch:provider": provenance.provider,
        "sitewatch:product": provenance.product,
        "sitewatch:request_key": request.key,
        "sitewatch:source_ids": list(provenance.source_ids),
        "sitewatch:source_crs": sorted({granule.crs for granule in granules if granule.crs}),
        "sitewatch:processing": dict(request.product.processing),
        "sitewatch:spent": {"requests": spent.requests, "processing_units": spent.processing_units},
        "sitewatch:source_facts": [dict(granule.facts) for granule in granules],
        **mode_properties(request.product, request.acquisition),
    }


if TYPE_CHECKING:

    def conforms(hub: SentinelHub) -> Provider:
        """Let the type checker prove that the service is a provider."""
        return hub
