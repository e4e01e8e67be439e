"""The pictures of a site's pages, read from the archive."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from geo.errors import SitewatchError
from imagery.stack import stacked_archive
from maps.album import Album, Shot, make_album
from maps.chips import DEFAULT_LIMIT, choose
from maps.words import country_words
from watch.rowchips import ChipsBehind
from watch.watcher import CLEAR_OUTCOMES, lattices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imagery.archive import Archive
    from imagery.model import Detection, Look
    from imagery.scene_index import SceneIndex
    from sites.model import Site


def album_of(
    site: Site,
    archive: Archive,
    index: SceneIndex,
    looks: Sequence[Look],
    found: Sequence[Detection],
    *,
    limit: int = DEFAULT_LIMIT,
) -> tuple[Album | None, list[str]]:
    """Return a site's pictures, and what could not be drawn, with its reason.

    A damaged scene costs only its picture. None where no look was clear.

    Args:
        site: Whose looks they are.
        archive: Where the scenes are.
        index: Its scenes.
        looks: All looks of the site.
        found: Its detections.
        limit: Pictures of the site, beyond those that detections need.
    """
    clear = [look for look in looks if look.outcome in CLEAR_OUTCOMES]
    if not clear:
        return None, []
    last = max(look.acquired for look in looks) + timedelta(days=1)
    chips = ChipsBehind(stacked_archive(archive, index=index), lattices(site, archive, index, until=last))
    outcomes = {(look.grid_id, look.series, look.solar_day): str(look.outcome) for look in looks}
    # a site that was moved keeps the looks of its earlier lattice, whose chips are no longer made
    there = [look for look in clear if chips.holds(look.grid_id, look.series, look.solar_day)]
    shots: list[Shot] = []
    missing: list[str] = []
    for wanted in choose(there, found, limit):
        key = wanted.grid_id, wanted.series, wanted.solar_day
        try:
            shots.append(Shot(chips.read(*key), outcomes.get(key, "")))
        except SitewatchError as error:
            missing.append(f"{site.id}, {wanted.solar_day} ({'; '.join(wanted.reasons)}): {error}")
    if not shots:
        return None, missing
    return make_album(site.id, place_words(site), shots, found, clear_looks=len(clear)), missing


def place_words(site: Site) -> str:
    """Return where a site is, as it stands by its pictures: name, province, country."""
    return ", ".join(part for part in (site.name, site.province, country_words(site.country)) if part)
