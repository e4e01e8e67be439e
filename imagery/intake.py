"""From a user's GeoTIFFs to scenes that are ready to be archived; nothing is written here.

The pixels are checked when they are archived (`imagery.archive`); here each file's header, name and
date are, and files that share acquisition and platform become one scene.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from geo.errors import Where
from imagery.assembly import ImageFile, SceneLabel, assemble, file_error
from imagery.canonical import PixelSource
from imagery.errors import ImageError
from imagery.geotiff import Header, read_header
from imagery.masks import MaskScheme
from imagery.model import BandFile
from imagery.naming import BAND_NAME, NamingRule, file_name_facts
from imagery.sensors import sensor_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from imagery.assembly import PlannedScene
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
class IntakePlan:
    """What would be archived."""

    scenes: tuple[PlannedScene, ...]
    """By acquisition and id."""
    notes: tuple[str, ...]
    """What is worth a second look, in words: bands that some scenes lack, an unknown platform."""


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
    groups: dict[tuple[datetime, str], list[ImageFile]] = defaultdict(list)
    for image in images:
        groups[image.facts.acquired, image.sensor.platform].append(image)
    label = SceneLabel(options.mask_band, options.simulated, options.credit, options.licence)
    scenes = [scene for group in groups.values() for scene in assemble(group, label)]
    scenes.sort(key=lambda scene: (scene.acquired, scene.id))
    return IntakePlan(tuple(scenes), _notes(scenes))


def _unique(files: Iterable[Path]) -> list[Path]:
    # As the user wrote them, because errors name them so.
    written = {Path(path).resolve(): Path(path) for path in files}
    return [written[resolved] for resolved in sorted(written)]


def _image(path: Path, rule: NamingRule, options: IntakeOptions) -> ImageFile:
    facts = file_name_facts(path, rule)
    header = read_header(path)
    sensor = sensor_for(facts.platform or options.platform or "")
    written = _written_bands(header, facts, options)
    names = [_canonical_name(name, sensor, options) for name in written]
    for name in names:
        if not BAND_NAME.fullmatch(name):
            raise file_error(path, "band", f"{name!r} can't be a band name", _BAND_NAME_HINT)
    if len(set(names)) < len(names):
        raise file_error(path, "band", f"two bands of one name among {', '.join(names)}", "Use --rename")
    bands = tuple(_source(header, position, name, options) for position, name in enumerate(names))
    return ImageFile(header, facts, sensor, bands)


def _written_bands(header: Header, facts: NameFacts, options: IntakeOptions) -> tuple[str, ...]:
    if options.bands is not None:
        if len(options.bands) != header.count:
            problem = f"it has {header.count} bands and --bands names {len(options.bands)}"
            raise file_error(header.path, "bands", problem, "Name every band, in order")
        return options.bands
    if facts.band is not None:
        if header.count != 1:
            problem = f"it has {header.count} bands and its name tells one, {facts.band!r}"
            raise file_error(header.path, "band", problem, "Use --bands, without a group named band")
        return (facts.band,)
    described = tuple(text.strip() for text in header.descriptions if text and text.strip())
    if len(described) != header.count:
        problem = "its bands have no names"
        raise file_error(header.path, "bands", problem, "Give --bands red,nir,... in the file's order")
    return described


def _canonical_name(written: str, sensor: Sensor, options: IntakeOptions) -> str:
    wanted = written.strip().lower()
    for name, canonical in options.rename.items():
        if name.strip().lower() == wanted:
            return canonical
    return _MASK_ALIASES.get(wanted) or sensor.canonical_band(wanted)


def _check_renames(images: Sequence[ImageFile], options: IntakeOptions) -> None:
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
            raise file_error(header.path, name, f"{dtype} can't hold class codes", "Give its integers")
        if scale is None:
            problem = f"band {name!r} holds {dtype} and no scale is known"
            raise file_error(
                header.path, "scale", problem, "Give --scale; 1 if the numbers are reflectance 0 to 1"
            )
    file = BandFile(name, str(header.path), header.crs, header.transform, header.shape, nodata, scale, offset)
    return PixelSource(file, position + 1, dtype)


def _nodata(header: Header, position: int, given: float | None) -> float | None:
    if given is None:
        if header.hidden_mask:
            problem = "a mask or an alpha band says which of its pixels are valid, not a nodata value"
            raise file_error(header.path, "nodata", problem, "Burn it in: gdalwarp -dstnodata VALUE")
        return header.nodata[position]
    dtype = np.dtype(header.dtypes[position])
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        if not (float(given).is_integer() and limits.min <= given <= limits.max):
            problem = f"nodata {given:g} can't occur in pixels of type {dtype.name}"
            raise file_error(header.path, "nodata", problem, "Check --nodata")
    return float(given)


def _calibration(header: Header, position: int, options: IntakeOptions) -> tuple[float | None, float]:
    if options.scale is not None:
        return options.scale, options.offset or 0.0
    scale, offset = float(header.scales[position]), float(header.offsets[position])
    if (scale, offset) == (1.0, 0.0):
        return None, 0.0
    if not (math.isfinite(scale) and scale > 0 and math.isfinite(offset)):
        problem = f"the file says scale {scale:g} and offset {offset:g}"
        raise file_error(header.path, "scale", problem, "Give --scale and --offset")
    return scale, offset


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
        notes.append(f"scenes of a platform that the sensor table does not know: {len(unknown)}")
    bare = [scene.id for scene in scenes if scene.mask is None]
    if bare:
        notes.append(f"scenes without a cloud mask (only nodata is masked): {len(bare)}")
    return tuple(notes)


def _option_error(name: str, problem: str, hint: str) -> ImageError:
    return ImageError(problem, where=Where(field=name), hint=hint)
