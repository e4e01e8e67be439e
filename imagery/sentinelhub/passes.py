"""A pass that the service has as a scene of ours: before its pixels have come, and when they are archived."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine

from imagery.acquisition import with_sun
from imagery.assembly import PlannedScene
from imagery.canonical import PixelSource
from imagery.model import NO_MASK, BandFile, Scene
from imagery.outline import Outline
from imagery.provenance import Provenance
from imagery.quantity import Quantity
from imagery.sentinelhub.orbits import mode_properties, series_of
from imagery.sentinelhub.process import NODATA, PassRequest

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry import Point

    from imagery.frame import Frame
    from imagery.provenance import Charge
    from imagery.sentinelhub.acquisitions import Acquisition
    from imagery.sentinelhub.process import PassPixels
    from imagery.sentinelhub.products import Product

PROVIDER = "sentinelhub"
"""What a scene's provenance calls it."""

_KEY_DIGITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class HubScene(Scene):
    """A pass that the service has; its bands lie in the archive once it was fetched."""

    request: PassRequest = field(hash=False)


def hub_scene(
    product: Product, bands: tuple[str, ...], frame: Frame, acquisition: Acquisition, centre: Point
) -> HubScene:
    """Return a pass as a scene, its bands not there yet.

    Args:
        product: What is asked for.
        bands: Canonical names, in order.
        frame: The pixels that will be asked for.
        acquisition: The pass.
        centre: Of the ground, ``lon, lat``: where the sun is computed.
    """
    request = PassRequest(product, bands, frame, acquisition)
    files = tuple(_band_file(product, name, frame, product.gsd_m(name)) for name in bands)
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
        footprint=Outline(frame.crs, frame.bounds, frame.side_m).footprint_lonlat(Path(acquisition.platform)),
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


def planned_scene(scene: HubScene, pixels: PassPixels, spent: Charge) -> PlannedScene:
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
