"""From files of one acquisition to scenes: which files lie on one frame, and what the scene is called."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.errors import Where
from imagery.errors import ImageError
from imagery.masks import MaskScheme
from imagery.model import NO_MASK, UNKNOWN_GEOMETRY, AcquisitionGeometry
from imagery.outline import Outline
from imagery.quantity import Quantity
from imagery.sensors import in_band_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from shapely.geometry import Polygon

    from imagery.canonical import PixelSource
    from imagery.geotiff import Header
    from imagery.naming import NameFacts
    from imagery.sensors import Sensor


@dataclass(frozen=True, slots=True)
class PlannedScene:
    """A scene whose pixels still lie outside the archive: in files of the user's, or in passing ones."""

    id: str
    """``<platform>_<acquired>_<place>``; the same acquisition of the same ground gets the same id."""
    platform: str
    series: str
    acquired: datetime
    day_only: bool
    bands: tuple[PixelSource, ...]
    mask: PixelSource | None
    mask_scheme: str
    footprint: Polygon
    """``lon, lat`` degrees."""
    simulated: bool
    credit: str
    licence: str
    quantity: Quantity = Quantity.REFLECTANCE
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Further properties of its Item: what it was asked by, made of, and what it cost."""
    geometry: AcquisitionGeometry = UNKNOWN_GEOMETRY
    processing_baseline: str = ""
    cloud_percent: float | None = None
    """As its catalogue says; None: counted from its mask when it is archived."""


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One of the user's files, its header and name read."""

    header: Header
    facts: NameFacts
    sensor: Sensor
    bands: tuple[PixelSource, ...]
    """In the file's order, by their canonical names."""


@dataclass(frozen=True, slots=True)
class SceneLabel:
    """What the user said of all scenes at once."""

    mask_band: str | None
    """The mask that every scene must have; None: the one it has, if any."""
    simulated: bool
    credit: str
    licence: str


def assemble(images: Sequence[ImageFile], label: SceneLabel) -> list[PlannedScene]:
    """Return the scenes of one acquisition of one platform: files of one outline are one scene.

    Args:
        images: All of one acquisition and platform, at least one.
        label: What is the same for every scene.

    Raises:
        ImageError: A band comes twice or lies elsewhere than the others, or the mask is missing.
    """
    tiles: list[tuple[Outline, list[ImageFile]]] = []
    for image in images:
        outline = Outline.of(image.bands[0].file)
        tile = next((members for known, members in tiles if known.same_ground(outline)), None)
        if tile is None:
            tiles.append((outline, [image]))
        else:
            tile.append(image)
    scenes = [_scene(members, label) for _, members in tiles]
    _check_tiles(scenes, images)
    return scenes


def _check_tiles(scenes: Sequence[PlannedScene], images: Sequence[ImageFile]) -> None:
    # Two tiles of one acquisition carry the same bands; a band that lies elsewhere is a mistake.
    first = {source.file.name for source in scenes[0].bands}
    for scene in scenes[1:]:
        names = {source.file.name for source in scene.bands}
        if names != first:
            file = scene.bands[0].file
            problem = (
                f"it covers other ground ({file.crs}) than {images[0].header.path.name} of the same "
                f"acquisition, and has other bands ({', '.join(sorted(names))}; {', '.join(sorted(first))})"
            )
            raise file_error(Path(file.path), "acquired", problem, "Warp the bands of a scene to one frame")


def _scene(images: Sequence[ImageFile], label: SceneLabel) -> PlannedScene:
    sources = _by_name(images)
    mask_name = _mask_name(sources, images[0].header.path, label)
    mask = sources.pop(mask_name) if mask_name else None
    first = images[0]
    if not sources:
        raise file_error(
            first.header.path, "band", "the scene has a mask and no bands", "Add its bands, on the same frame"
        )
    bands = tuple(sources[name] for name in in_band_order(sources))
    _check_calibration(bands)
    outline = Outline.of(bands[0].file)
    acquired, day_only = first.facts.acquired, first.facts.day_only
    return PlannedScene(
        id=f"{first.sensor.platform}_{_moment(acquired, day_only=day_only)}_{_place(outline)}",
        platform=first.sensor.platform,
        series=first.sensor.series,
        acquired=acquired,
        day_only=day_only,
        bands=bands,
        mask=mask,
        mask_scheme=mask_name or NO_MASK,
        footprint=outline.footprint_lonlat(first.header.path),
        simulated=label.simulated,
        credit=label.credit,
        licence=label.licence,
        quantity=first.sensor.quantity,
    )


def _by_name(images: Sequence[ImageFile]) -> dict[str, PixelSource]:
    sources: dict[str, PixelSource] = {}
    for image in images:
        for source in image.bands:
            other = sources.setdefault(source.file.name, source)
            if other is not source:
                moment = image.facts.acquired.isoformat()
                problem = f"band {source.file.name!r} of {moment} is in {other.file.path} too"
                raise file_error(
                    image.header.path, "band", problem, "Tell them apart by acquisition or platform"
                )
    return sources


def _mask_name(sources: Mapping[str, PixelSource], path: Path, label: SceneLabel) -> str | None:
    found = sorted(frozenset(MaskScheme) & sources.keys())
    if label.mask_band is not None and label.mask_band not in found:
        problem = f"its scene has no band {label.mask_band!r}, only {', '.join(sorted(sources))}"
        raise file_error(path, "mask_band", problem, "Add the file, or name the band with --rename")
    if len(found) > 1:
        problem = f"its scene has {len(found)} masks: {', '.join(found)}"
        raise file_error(path, "mask_band", problem, "Leave one of them out")
    return found[0] if found else None


def _check_calibration(bands: Sequence[PixelSource]) -> None:
    calibrated = [source for source in bands if source.file.scale is not None]
    if calibrated and len(calibrated) < len(bands):
        bare = next(source for source in bands if source.file.scale is None)
        problem = f"band {bare.file.name!r} has no scale and band {calibrated[0].file.name!r} has one"
        raise file_error(Path(bare.file.path), "scale", problem, "Give --scale for all")


def _moment(acquired: datetime, *, day_only: bool) -> str:
    if day_only:
        return f"{acquired:%Y%m%d}"
    fraction = f"{acquired.microsecond:06d}" if acquired.microsecond else ""
    return f"{acquired:%Y%m%dT%H%M%S}{fraction}"


def _place(outline: Outline) -> str:
    return hashlib.sha256(outline.canonical_text().encode()).hexdigest()[:8]


def file_error(path: Path, name: str, problem: str, hint: str) -> ImageError:
    """Return the refusal of a file by one of its fields."""
    return ImageError(problem, where=Where(str(path), field=name), hint=hint)
