"""From a user's GeoTIFFs to scenes that are ready to be archived; nothing is written here.

The pixels are checked when they are archived (`imagery.archive`); here each file's header, name and
date are, and files that share acquisition and platform become one scene.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from geo.errors import Where
from imagery.canonical import PixelSource
from imagery.errors import ImageError
from imagery.geotiff import Header, read_header
from imagery.masks import MaskScheme
from imagery.model import NO_MASK, BandFile
from imagery.naming import BAND_NAME, NamingRule, file_name_facts
from imagery.outline import Outline
from imagery.sensors import in_band_order, sensor_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from shapely.geometry import Polygon

    from imagery.naming import NameFacts
    from imagery.sensors import Sensor


@dataclass(frozen=True, slots=True)
class IntakeOptions:
    """What the user says of the files, where the files don't say it themselves."""

    acquired: str | None = None
    """ISO date, or date and time with its zone; for all files."""
    pattern: str | None = None
    """Regular expression with groups ``acquired``, ``band``, ``platform``, searched in the file's name."""
    date_format: str | None = None
    """`strptime` format of the acquisition; None for ISO 8601."""
    bands: tuple[str, ...] | None = None
    """Names of the bands of every file, in order."""
    rename: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Band name as written -> canonical name; goes before what the sensor table says."""
    mask_band: str | None = None
    """``fmask``, ``scl`` or ``qa``: the band of that name holds its codes. None: taken where there is one."""
    scale: float | None = None
    """Reflectance = raw * scale + offset; None: what the file says, else uncalibrated counts."""
    offset: float | None = None
    nodata: float | None = None
    platform: str | None = None
    utc: bool = False
    """Times written without a zone are UTC."""
    simulated: bool = False
    credit: str = ""
    licence: str = ""

    def __post_init__(self) -> None:
        """Refuse options that contradict each other or can't be.

        Raises:
            ImageError: With the option's name as the field.
        """
        if self.mask_band is not None and self.mask_band not in set(MaskScheme):
            known = ", ".join(MaskScheme)
            raise _option_error("mask_band", f"unknown mask {self.mask_band!r}", f"Use one of {known}")
        if self.scale is not None and not (math.isfinite(self.scale) and self.scale > 0):
            raise _option_error("scale", f"{self.scale:g} can't be a scale", "Give a number above zero")
        if self.offset is not None and self.scale is None:
            raise _option_error("offset", "an offset without a scale", "Give --scale too")
        if self.offset is not None and not math.isfinite(self.offset):
            raise _option_error("offset", f"{self.offset:g} can't be an offset", "Give a finite number")
        for name in self.rename.values():
            if not BAND_NAME.fullmatch(name):
                raise _option_error("rename", f"{name!r} can't be a band name", _BAND_NAME_HINT)


@dataclass(frozen=True, slots=True)
class PlannedScene:
    """A scene whose pixels still lie in the user's files."""

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


@dataclass(frozen=True, slots=True)
class IntakePlan:
    """What would be archived."""

    scenes: tuple[PlannedScene, ...]
    """By acquisition and id."""
    notes: tuple[str, ...]
    """What is worth a second look, in words: bands that some scenes lack, an unknown platform."""


@dataclass(frozen=True, slots=True)
class _Image:
    header: Header
    facts: NameFacts
    sensor: Sensor
    bands: tuple[PixelSource, ...]


_BAND_NAME_HINT = "Use a letter, then letters, digits and underscores, 32 at most"
_MASK_NAMES = frozenset(MaskScheme)
_MASK_ALIASES = {"qa_pixel": "qa", "cfmask": "fmask"}


def plan_intake(files: Iterable[Path], options: IntakeOptions) -> IntakePlan:
    """Return the scenes that files make up; nothing is written.

    Raises:
        ImageError: A file or an option is refused; the first one, with its file and field.
    """
    rule = NamingRule(options.acquired, options.pattern, options.date_format, options.utc)
    images = [_image(path, rule, options) for path in _unique(files)]
    if not images:
        raise ImageError("no files were given", hint="Name at least one GeoTIFF")
    _check_renames(images, options)
    groups: dict[tuple[datetime, str], list[_Image]] = defaultdict(list)
    for image in images:
        groups[image.facts.acquired, image.sensor.platform].append(image)
    scenes = [scene for group in groups.values() for scene in _scenes(group, options)]
    scenes.sort(key=lambda scene: (scene.acquired, scene.id))
    return IntakePlan(tuple(scenes), _notes(scenes))


def _unique(files: Iterable[Path]) -> list[Path]:
    return sorted({Path(path).resolve() for path in files})


def _image(path: Path, rule: NamingRule, options: IntakeOptions) -> _Image:
    facts = file_name_facts(path, rule)
    header = read_header(path)
    sensor = sensor_for(facts.platform or options.platform or "")
    written = _written_bands(header, facts, options)
    names = [_canonical_name(name, sensor, options) for name in written]
    for name in names:
        if not BAND_NAME.fullmatch(name):
            raise _file_error(path, "band", f"{name!r} can't be a band name", _BAND_NAME_HINT)
    if len(set(names)) < len(names):
        raise _file_error(path, "band", f"two bands of one name among {', '.join(names)}", "Use --rename")
    bands = tuple(_source(header, position, name, options) for position, name in enumerate(names))
    return _Image(header, facts, sensor, bands)


def _written_bands(header: Header, facts: NameFacts, options: IntakeOptions) -> tuple[str, ...]:
    if options.bands is not None:
        if len(options.bands) != header.count:
            problem = f"it has {header.count} bands and --bands names {len(options.bands)}"
            raise _file_error(header.path, "bands", problem, "Name every band, in order")
        return options.bands
    if facts.band is not None:
        if header.count != 1:
            problem = f"it has {header.count} bands and its name tells one, {facts.band!r}"
            raise _file_error(header.path, "band", problem, "Use --bands, without a group named band")
        return (facts.band,)
    described = tuple(text.strip() for text in header.descriptions if text and text.strip())
    if len(described) != header.count:
        problem = "its bands have no names"
        raise _file_error(header.path, "bands", problem, "Give --bands red,nir,... in the file's order")
    return described


def _canonical_name(written: str, sensor: Sensor, options: IntakeOptions) -> str:
    wanted = written.strip().lower()
    for name, canonical in options.rename.items():
        if name.strip().lower() == wanted:
            return canonical
    return _MASK_ALIASES.get(wanted) or sensor.canonical_band(wanted)


def _check_renames(images: Sequence[_Image], options: IntakeOptions) -> None:
    names = {
        name.strip().lower()
        for image in images
        for name in _written_bands(image.header, image.facts, options)
    }
    for name in options.rename:
        if name.strip().lower() not in names:
            problem = f"no file has a band {name!r}; there are {', '.join(sorted(names))}"
            raise _option_error("rename", problem, "Check the spelling")


def _source(header: Header, position: int, name: str, options: IntakeOptions) -> PixelSource:
    dtype = header.dtypes[position]
    is_mask = name in _MASK_NAMES
    nodata = _nodata(header, position, None if is_mask else options.nodata)
    scale, offset = (None, 0.0) if is_mask else _calibration(header, position, options)
    if np.issubdtype(np.dtype(dtype), np.floating):
        if is_mask:
            raise _file_error(header.path, name, f"{dtype} can't hold class codes", "Give its integers")
        if scale is None:
            problem = f"band {name!r} holds {dtype} and no scale is known"
            raise _file_error(
                header.path, "scale", problem, "Give --scale; 1 if the numbers are reflectance 0 to 1"
            )
    file = BandFile(name, str(header.path), header.crs, header.transform, header.shape, nodata, scale, offset)
    return PixelSource(file, position + 1, dtype)


def _nodata(header: Header, position: int, given: float | None) -> float | None:
    if given is None:
        if header.hidden_mask:
            problem = "a mask or an alpha band says which of its pixels are valid, not a nodata value"
            raise _file_error(header.path, "nodata", problem, "Burn it in: gdalwarp -dstnodata VALUE")
        return header.nodata[position]
    dtype = np.dtype(header.dtypes[position])
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        if not (float(given).is_integer() and limits.min <= given <= limits.max):
            problem = f"nodata {given:g} can't occur in pixels of type {dtype.name}"
            raise _file_error(header.path, "nodata", problem, "Check --nodata")
    return float(given)


def _calibration(header: Header, position: int, options: IntakeOptions) -> tuple[float | None, float]:
    if options.scale is not None:
        return options.scale, options.offset or 0.0
    scale, offset = float(header.scales[position]), float(header.offsets[position])
    if (scale, offset) == (1.0, 0.0):
        return None, 0.0
    if not (math.isfinite(scale) and scale > 0 and math.isfinite(offset)):
        problem = f"the file says scale {scale:g} and offset {offset:g}"
        raise _file_error(header.path, "scale", problem, "Give --scale and --offset")
    return scale, offset


def _scenes(images: Sequence[_Image], options: IntakeOptions) -> list[PlannedScene]:
    """Part one acquisition of one platform into its tiles: files of one outline are one scene."""
    tiles: list[tuple[Outline, list[_Image]]] = []
    for image in images:
        outline = Outline.of(image.bands[0].file)
        tile = next((members for known, members in tiles if known.same_ground(outline)), None)
        if tile is None:
            tiles.append((outline, [image]))
        else:
            tile.append(image)
    scenes = [_scene(members, options) for _, members in tiles]
    _check_tiles(scenes, images)
    return scenes


def _check_tiles(scenes: Sequence[PlannedScene], images: Sequence[_Image]) -> None:
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
            raise _file_error(Path(file.path), "acquired", problem, "Warp the bands of a scene to one frame")


def _scene(images: Sequence[_Image], options: IntakeOptions) -> PlannedScene:
    sources = _by_name(images)
    mask_name = _mask_name(sources, images[0].header.path, options)
    mask = sources.pop(mask_name) if mask_name else None
    first = images[0]
    if not sources:
        raise _file_error(first.header.path, "band", "the scene has a mask and no bands", "Add its bands")
    bands = tuple(sources[name] for name in in_band_order(sources))
    _check_calibration(bands)
    outline = Outline.of(bands[0].file)
    acquired, day_only = first.facts.acquired, first.facts.day_only
    moment = f"{acquired:%Y%m%d}" if day_only else f"{acquired:%Y%m%dT%H%M%S}"
    if acquired.microsecond:
        moment += f"{acquired.microsecond:06d}"
    return PlannedScene(
        id=f"{first.sensor.platform}_{moment}_{_place(outline)}",
        platform=first.sensor.platform,
        series=first.sensor.series,
        acquired=acquired,
        day_only=day_only,
        bands=bands,
        mask=mask,
        mask_scheme=mask_name or NO_MASK,
        footprint=outline.footprint_lonlat(first.header.path),
        simulated=options.simulated,
        credit=options.credit,
        licence=options.licence,
    )


def _by_name(images: Sequence[_Image]) -> dict[str, PixelSource]:
    sources: dict[str, PixelSource] = {}
    for image in images:
        for source in image.bands:
            other = sources.setdefault(source.file.name, source)
            if other is not source:
                moment = image.facts.acquired.isoformat()
                problem = f"band {source.file.name!r} of {moment} is in {other.file.path} too"
                raise _file_error(
                    image.header.path, "band", problem, "Tell them apart by acquisition or platform"
                )
    return sources


def _mask_name(sources: Mapping[str, PixelSource], path: Path, options: IntakeOptions) -> str | None:
    found = sorted(_MASK_NAMES & sources.keys())
    if options.mask_band is not None and options.mask_band not in found:
        problem = f"its scene has no band {options.mask_band!r}, only {', '.join(sorted(sources))}"
        raise _file_error(path, "mask_band", problem, "Add the file, or name the band with --rename")
    if len(found) > 1:
        problem = f"its scene has {len(found)} masks: {', '.join(found)}"
        raise _file_error(path, "mask_band", problem, "Leave one of them out")
    return found[0] if found else None


def _check_calibration(bands: Sequence[PixelSource]) -> None:
    calibrated = [source for source in bands if source.file.scale is not None]
    if calibrated and len(calibrated) < len(bands):
        bare = next(source for source in bands if source.file.scale is None)
        problem = f"band {bare.file.name!r} has no scale and band {calibrated[0].file.name!r} has one"
        raise _file_error(Path(bare.file.path), "scale", problem, "Give --scale for all")


def _place(outline: Outline) -> str:
    return hashlib.sha256(outline.canonical_text().encode()).hexdigest()[:8]


def _notes(scenes: Sequence[PlannedScene]) -> tuple[str, ...]:
    notes = []
    kinds: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for scene in scenes:
        kinds[tuple(source.file.name for source in scene.bands)].append(scene.id)
    if len(kinds) > 1:
        notes += [
            f"{len(ids)} scenes have the bands {' '.join(names)} (the first is {ids[0]})"
            for names, ids in sorted(kinds.items())
        ]
    unknown = [scene.id for scene in scenes if sensor_for(scene.platform).instrument is None]
    if unknown:
        notes.append(f"{len(unknown)} scenes are of a platform that the sensor table does not know")
    bare = [scene.id for scene in scenes if scene.mask is None]
    if bare:
        notes.append(f"{len(bare)} scenes have no cloud mask: only nodata is masked")
    return tuple(notes)


def _option_error(name: str, problem: str, hint: str) -> ImageError:
    return ImageError(problem, where=Where(field=name), hint=hint)


def _file_error(path: Path, name: str, problem: str, hint: str) -> ImageError:
    return ImageError(problem, where=Where(str(path), field=name), hint=hint)
