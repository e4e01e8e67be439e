"""Sentinel Hub as a provider: what it has is pulled into an archive once, and read from there.

The service hands out source pixels on their own edges; they are archived at each band's native side.
What `read` returns is what `LocalArchive` makes of them, so both providers resample by the same rules.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from geo.errors import Where
from geo.grid import grid_box_lonlat
from imagery.errors import ImageError
from imagery.local import DEFAULT_DILATE_PX, LocalArchive
from imagery.provenance import Charge
from imagery.provider import NO_LIMITS, Limits, within
from imagery.scene_index import SceneIndex
from imagery.sentinelhub.acquisitions import find_acquisitions
from imagery.sentinelhub.fetch_frame import fetch_frame
from imagery.sentinelhub.passes import HubScene, hub_scene, planned_scene
from imagery.sentinelhub.process import PROCESS_PATH, TAR, understand_pixels
from imagery.sentinelhub.statistics import fetch_series
from imagery.sentinelhub.terrain import fetch_elevation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from geo.dates import Span
    from geo.grid import Grid
    from imagery.archive import Archive
    from imagery.elevation import Elevation
    from imagery.model import Chip, Scene
    from imagery.provider import Provider
    from imagery.sentinelhub.products import Product
    from imagery.sentinelhub.service import Service
    from imagery.sentinelhub.statistics import Series, StatisticsRequest


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
            (hub_scene(self.product, self.bands, frame, each, box.centroid) for each in passes),
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
        self._archive.add([planned_scene(scene, pixels, spent)], draw_up=False)
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


if TYPE_CHECKING:

    def conforms(hub: SentinelHub) -> Provider:
        """Let the type checker prove that the service is a provider."""
        return hub
