"""Chips of a site as files of their own: a GeoTIFF for a GIS, a captioned picture for a reader."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from geo.durable import write_bytes
from geo.errors import InputError, SitewatchError, Where
from imagery.chip_file import chip_geotiff
from imagery.errors import NoClearLookError
from imagery.scene_index import SceneIndex
from imagery.stack import stacked_archive
from maps.chips import DEFAULT_LIMIT, choose
from maps.composites import shared_stretch
from maps.sheets import chip_picture
from watch.publish_chips import place_words
from watch.rowchips import ChipsBehind
from watch.watcher import CLEAR_OUTCOMES, lattices

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date
    from pathlib import Path

    from geo.dates import Span
    from imagery.model import Chip, Look
    from sites.model import Site
    from watch.watcher import Lattice
    from watch.workspace import Workspace

Key = tuple[str, str, "date"]
"""Grid id, series, solar day."""


@dataclass(frozen=True, slots=True)
class ChipFiles:
    """One chip on disk."""

    solar_day: date
    series: str
    simulated: bool
    geotiff: Path
    picture: Path


@dataclass(frozen=True, slots=True)
class ChipExport:
    """What was written, and what could not be."""

    site_id: str
    files: tuple[ChipFiles, ...]
    missing: tuple[str, ...]
    """Days whose chip could not be read, each with its reason."""


def export_chips(
    workspace: Workspace,
    site_id: str,
    out: Path,
    *,
    days: Collection[date] = (),
    span: Span | None = None,
) -> ChipExport:
    """Write the chips of some days of a site, each as a GeoTIFF and as a captioned PNG.

    Pictures of one series share one stretch where their values can be compared.

    Args:
        workspace: Where catalogue, archive and ledger are.
        site_id: Id or former id of a placed site.
        out: Folder of the files; made where it is missing.
        days: Solar days that are wanted.
        span: Days, all images of which are wanted. Without days and span: those that the pages show.

    Raises:
        UnknownSiteError: No such site.
        InputError: The site is not placed.
        NoClearLookError: There is no image of a day that is named, or none at all.
    """
    site = workspace.catalogue().get(site_id)
    if site.area is None:
        raise InputError(f"site {site.id!r} is {site.watch_reason}", hint="Give it a geometry first")
    archive = workspace.archive()
    index = SceneIndex(archive.scenes())
    found = lattices(site, archive, index, until=datetime.now(UTC))
    with workspace.ledger() as ledger:
        looks, detections = ledger.looks(site.id), ledger.detections(site.id)
    chips = ChipsBehind(stacked_archive(archive, index=index), found)
    if days or span is not None:
        keys = _asked(site, found, days, span)
    else:
        clear = [look for look in looks if look.outcome in CLEAR_OUTCOMES and chips.holds(*_key(look))]
        keys = [
            (each.grid_id, each.series, each.solar_day) for each in choose(clear, detections, DEFAULT_LIMIT)
        ]
    if not keys:
        raise NoClearLookError(
            f"site {site.id!r} has no image here", hint="Add some, or name days with --day"
        )
    read, missing = _read(site, chips, keys)
    outcomes = {_key(look): str(look.outcome) for look in looks}
    return ChipExport(site.id, tuple(_written(site, read, outcomes, out)), tuple(missing))


def _key(look: Look) -> Key:
    return look.grid_id, look.series, look.solar_day


def _asked(site: Site, found: Sequence[Lattice], days: Collection[date], span: Span | None) -> list[Key]:
    held = [(lattice.grid.grid_id, lattice.series, day) for lattice in found for day in lattice.scenes]
    for day in sorted(days):
        if not any(each == day for _, _, each in held):
            near = sorted({each for _, _, each in held}, key=lambda each: (abs((each - day).days), each))[:3]
            hint = f"The nearest are {', '.join(map(str, near))}" if near else "Add images first"
            message = f"there is no image of site {site.id!r} of {day}"
            raise NoClearLookError(message, where=Where(field="--day"), hint=hint)
    asked = [key for key in held if key[2] in days or (span is not None and span.contains(key[2]))]
    return sorted(asked, key=lambda key: (key[2], key[1]))


def _read(site: Site, chips: ChipsBehind, keys: Sequence[Key]) -> tuple[list[Chip], list[str]]:
    """Return the chips, and why some could not be read; a damaged scene costs only its own."""
    read: list[Chip] = []
    missing: list[str] = []
    for grid_id, series, day in keys:
        try:
            read.append(chips.read(grid_id, series, day))
        except SitewatchError as error:
            missing.append(f"{site.id}, {day}: {error}")
    return read, missing


def _written(site: Site, read: Sequence[Chip], outcomes: dict[Key, str], out: Path) -> list[ChipFiles]:
    by_series: defaultdict[str, list[Chip]] = defaultdict(list)
    for chip in read:
        by_series[chip.series].append(chip)
    stretches = {series: shared_stretch(chips) for series, chips in by_series.items()}
    # the pictures' font is Latin only
    title = place_words(site) if site.name.isascii() else site.id
    files = []
    for chip in read:
        outcome = outcomes.get((chip.grid.grid_id, chip.series, chip.solar_day), "")
        stem = f"{site.id}_{chip.solar_day.isoformat()}_{chip.series}"
        made = ChipFiles(
            chip.solar_day, chip.series, chip.simulated, out / f"{stem}.tif", out / f"{stem}.png"
        )
        tags = {"name": site.name, "outcome": outcome or "not looked at"}
        write_bytes(made.geotiff, chip_geotiff(chip, tags))
        write_bytes(made.picture, chip_picture(chip, title, stretches[chip.series], outcome))
        files.append(made)
    return files
