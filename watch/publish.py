"""What a workspace knows, gathered for its pages."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from imagery.change.day import AGREED_RATIO, ALONE_RATIO, SUMMED_RATIO
from imagery.scene_index import SceneIndex
from maps.chips import DEFAULT_LIMIT
from maps.page_manifest import write_manifest
from maps.site_map import write_site_map
from maps.view import MapView, SiteEntry
from watch.observable import labels
from watch.publish_chips import album_of
from watch.reviews import read_reviews

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from imagery.model import Detection
    from watch.ledger import Ledger
    from watch.settings import Settings
    from watch.workspace import Workspace

Row = TypeVar("Row", bound="_HasSite")


@dataclass(frozen=True, slots=True)
class Published:
    """Where the pages are, and what could not be shown on them."""

    index: Path
    view: MapView
    missing: tuple[str, ...]
    """Pictures that could not be drawn, each with its reason."""


def publish(
    workspace: Workspace, out: Path | None = None, *, now: datetime | None = None, chips: int = DEFAULT_LIMIT
) -> Published:
    """Write the site map of everything in the catalogue, with its looks and detections.

    Args:
        workspace: Where catalogue, archive and ledger are.
        out: Folder of the pages; the workspace's `public/` when absent.
        now: Aware instant printed on the page; the present when absent.
        chips: Pictures a site, beyond those that detections need.
    """
    with workspace.ledger() as ledger:
        entries, missing = _entries(workspace, ledger, chips)
    view = MapView(
        title=workspace.settings.title,
        made=now or datetime.now(UTC),
        entries=tuple(entries),
        statement=workspace.settings.statement,
        thresholds=threshold_words(workspace.settings),
    )
    folder = out or workspace.public_path
    index = write_site_map(view, folder)
    write_manifest(folder, [index])
    return Published(index, view, tuple(missing))


def threshold_words(settings: Settings) -> tuple[str, ...]:
    """Return the settings behind the outcomes, one sentence each."""
    look = settings.look
    obscured = (
        f"A look is Obscured when less than {look.min_clear_footprint:.0%} of the footprint or less than "
        f"{look.min_clear_frame:.0%} of the frame is clear, when the whole frame moved further than haze and "
        "light explain, or when what stands out may be snow, a shadow, a flooded paddy, a drying harvest or "
        "the edge of haze."
    )
    learning = (
        f"It is Learning when there are fewer than {look.min_history} earlier clear looks, or none within "
        f"{look.season_half_width_days} days of the same day of the year."
    )
    changed = (
        f"It is Changed when its score is more than {ALONE_RATIO:g} times what the site's own quiet looks "
        f"reach. A detection needs two clear looks that agree ({AGREED_RATIO:g} times what quiet ones agree "
        f"on), or several that add up ({SUMMED_RATIO:g} times); two later looks that show it too confirm it."
    )
    return obscured, learning, changed


def _entries(workspace: Workspace, ledger: Ledger, chips: int) -> tuple[list[SiteEntry], list[str]]:
    """Return an entry for each site, and what could not be drawn."""
    archive = workspace.archive()
    index = SceneIndex(archive.scenes())
    looks = ledger.all_looks()
    empty = _by_site(ledger.no_scenes())
    found = _by_site(ledger.detections())
    reviews = read_reviews(workspace.reviews_path)
    entries: list[SiteEntry] = []
    missing: list[str] = []
    for site in workspace.catalogue():
        album, undrawn = album_of(site, archive, index, looks.get(site.id, []), found[site.id], limit=chips)
        missing += undrawn
        entries.append(
            SiteEntry(
                site,
                looks=tuple(looks.get(site.id, ())),
                no_scenes=tuple(empty[site.id]),
                detections=tuple(found[site.id]),
                pictures={} if album is None else {key: album.before_after(key) for key in album.pairs},
                latest=None if album is None or album.latest is None else album.picture(album.latest),
                album=album,
                labels={name: each.words for name, each in labels(site, looks.get(site.id, ())).items()},
                said={key: words for key in _ids(found[site.id]) if (words := reviews.standing(key).words)},
            )
        )
    return entries, missing


def _ids(found: Iterable[Detection]) -> list[str]:
    return [detection.id for detection in found]


class _HasSite(Protocol):
    @property
    def site_id(self) -> str: ...


def _by_site(rows: Iterable[Row]) -> defaultdict[str, list[Row]]:
    grouped: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row.site_id].append(row)
    return grouped
