"""What a workspace knows, gathered for its pages."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from imagery.change.day import LISTED_RATIOS, SEARCH_RATIOS
from imagery.change.follow import CONFIRMED_DAYS
from imagery.scene_index import SceneIndex
from maps.chips import DEFAULT_LIMIT
from maps.dossier import Around, dossier_path, render_dossier
from maps.filtered import filtered
from maps.filtered_pictures import shown_pictures
from maps.page_folder import INDEX, PageFolder, Swapped, replacing_pages
from maps.site_map import render_site_map
from maps.view import Context, MapView, SiteEntry
from sites.context import read_events, read_series
from watch.observable import labels
from watch.publish_chips import album_of
from watch.publish_data import ALL_FORMATS, data_files, file_links
from watch.publish_looks import page_looks
from watch.publish_settings import profile_of
from watch.reviews import read_reviews
from watch.sinks import FEED_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from imagery.model import Detection
    from maps.profile import Left, LeftOut, Profile
    from maps.tiles import Tiles
    from sites.catalogue import Catalogue
    from sites.model import Site
    from watch.ledger import Ledger
    from watch.publish_data import Format
    from watch.settings import Settings
    from watch.workspace import Workspace

Row = TypeVar("Row", bound="_HasSite")


class Progress(Protocol):
    """Is told how much of the work is done."""

    def __call__(self, done: int, total: int, what: str, /) -> None:
        """Take how many sites are done, of how many, and the last one's id."""


@dataclass(frozen=True, slots=True)
class PublishOptions:
    """Which pages are made."""

    single_file: bool = False
    """The map alone, with everything inside, and nothing beside it."""
    dossiers: bool = True
    """A page for each site, unless it is a single file."""
    sites: tuple[str, ...] = ()
    """Ids of the sites that are on the pages; all when there are none."""
    chips: int = DEFAULT_LIMIT
    """Pictures a site, beyond those that detections need."""
    profile: str | None = None
    """Name of what readers may see; the settings' when None."""
    formats: tuple[Format, ...] | None = None
    """Of the files beside the pages; when None all of them, and none beside a single file."""
    tiles: tuple[Tiles, ...] = ()
    """Tiles that a reader of the map may switch on; none when there are none."""

    @property
    def wanted_formats(self) -> tuple[Format, ...]:
        """The formats that are written."""
        if self.formats is not None:
            return self.formats
        return () if self.single_file else ALL_FORMATS


FOLDER_FORM = PublishOptions()


@dataclass(frozen=True, slots=True)
class Published:
    """Where the pages are, and what could not be shown on them."""

    index: Path
    view: MapView
    missing: tuple[str, ...]
    """Pictures that could not be drawn, each with its reason."""
    files: Swapped
    """What was written, kept and removed."""
    left: LeftOut
    """What the profile took out."""
    dossiers: int = 0
    """Pages of single sites."""
    notify_feed: str = ""
    """Name of a file in the folder that tells all that is new, whatever the profile; empty where none is."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be published."""

    view: MapView
    """Without its pictures."""
    left: LeftOut
    """What the profile takes out of it."""


def publish(
    workspace: Workspace,
    out: Path | None = None,
    *,
    now: datetime | None = None,
    options: PublishOptions = FOLDER_FORM,
    progress: Progress | None = None,
) -> Published:
    """Write the map of the catalogue with its looks and detections, and a dossier for each site.

    All of it is made before anything is put in its place; files of an earlier publication that have no place
    any more are removed, others in the folder are never touched (`maps.page_folder`). Pixels are in memory
    one site at a time, but for what the map itself shows.

    Args:
        workspace: Where catalogue, archive and ledger are.
        out: Folder of the pages; the workspace's `public/` when absent.
        now: Aware instant printed on the map; the present when absent.
        options: Which pages are made.
        progress: Told of each site.

    Raises:
        UnknownSiteError: A site that is named is not in the catalogue.
        WorkspaceError: There is no such profile; nothing is changed.
        PageError: A file that is not ours is in the way, or someone else publishes here; nothing is changed.
    """
    profile = profile_of(workspace.settings, options.profile)
    everything = _view(workspace, options, now or datetime.now(UTC))
    view, left = filtered(everything, profile)
    folder = out or workspace.public_path
    artist = _Artist(workspace, options.chips, profile, everything)
    with replacing_pages(folder) as pages:
        shown = tuple(_each_site(view, artist, pages, progress))
        whole = replace(view, entries=shown, files=file_links(options.wanted_formats))
        pages.write(INDEX, render_site_map(whole))
        for path, data in data_files(whole, options.wanted_formats):
            pages.write(path, data)
    return Published(
        left=left.beside(artist.withheld),
        index=folder / INDEX,
        view=whole,
        missing=tuple(artist.missing),
        files=pages.swapped,
        dossiers=len(shown) if view.dossiers else 0,
        notify_feed=FEED_FILE if (folder / FEED_FILE).exists() else "",
    )


def preview(
    workspace: Workspace,
    *,
    now: datetime | None = None,
    options: PublishOptions = FOLDER_FORM,
    progress: Progress | None = None,
) -> Preview:
    """Return what would be published, without its pictures, and what would be left out; write no page.

    Raises:
        UnknownSiteError: A site that is named is not in the catalogue.
        WorkspaceError: There is no such profile.
    """
    profile = profile_of(workspace.settings, options.profile)
    everything = _view(workspace, options, now or datetime.now(UTC))
    view, left = filtered(everything, profile)
    artist = _Artist(workspace, options.chips, profile, everything)
    for number, entry in enumerate(view.entries, start=1):
        artist.drawn(entry)
        if progress is not None:
            progress(number, len(view.entries), entry.site.id)
    return Preview(view, left.beside(artist.withheld))


def _view(workspace: Workspace, options: PublishOptions, now: datetime) -> MapView:
    """Return what is published, without its pictures."""
    with workspace.ledger() as ledger:
        entries = tuple(_entries(workspace, ledger, options.sites))
    return MapView(
        title=workspace.settings.title,
        made=now,
        entries=entries,
        statement=workspace.settings.statement,
        thresholds=threshold_words(workspace.settings),
        dossiers=options.dossiers and not options.single_file,
        context=Context(read_series(workspace.catalogue_path), read_events(workspace.catalogue_path)),
        tiles=options.tiles,
    )


def _each_site(
    view: MapView, artist: _Artist, pages: PageFolder, progress: Progress | None
) -> Iterator[SiteEntry]:
    """Draw each site and write its dossier; yield what the map shows of it."""
    names = {entry.site.id: entry.site.name for entry in view.entries}
    around = Around(view.title, view.statement, view.thresholds, names)
    for number, entry in enumerate(view.entries, start=1):
        drawn = artist.drawn(entry)
        if view.dossiers:
            pages.write(dossier_path(entry.site.id), render_dossier(drawn, around))
        if progress is not None:
            progress(number, len(view.entries), entry.site.id)
        # The map shows what changed and the latest look; a site's other pictures are in its dossier.
        yield replace(drawn, album=drawn.album.brief()) if view.dossiers and drawn.album else drawn


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
    drawn, searched = LISTED_RATIOS, SEARCH_RATIOS
    changed = (
        f"It is Changed when its score is more than {searched.alone:g} times what the site's own quiet looks "
        f"reach. A detection needs two clear looks that agree ({drawn.agreed:g} times what quiet ones agree "
        f"on where the footprint was drawn, {searched.agreed:g} where an area is searched), three "
        f"({drawn.thrice:g} and {searched.thrice:g}), or several that add up ({drawn.summed:g} and "
        f"{searched.summed:g}). Two later looks that show it too confirm it, {CONFIRMED_DAYS} days after the "
        "first at the earliest."
    )
    return obscured, learning, changed


def _entries(workspace: Workspace, ledger: Ledger, wanted: Sequence[str]) -> Iterator[SiteEntry]:
    """Yield an entry without pictures for each site, or for those that are wanted."""
    looked_at = ledger.looked_at()
    empty = _by_site(ledger.no_scenes())
    found = _by_site(ledger.detections())
    reviews = read_reviews(workspace.reviews_path)
    for site in _chosen(workspace.catalogue(), wanted):
        seen = page_looks(ledger, site.id, found[site.id]) if site.id in looked_at else ()
        yield SiteEntry(
            site,
            looks=seen,
            no_scenes=tuple(empty[site.id]),
            detections=tuple(found[site.id]),
            labels={name: each.words for name, each in labels(site, seen).items()},
            said={key: words for key in _ids(found[site.id]) if (words := reviews.standing(key).words)},
        )


def _chosen(catalogue: Catalogue, wanted: Sequence[str]) -> Iterable[Site]:
    """Return the sites that are wanted, in the catalogue's order; all when none is named."""
    if not wanted:
        return catalogue
    ids = {catalogue.get(site_id).id for site_id in wanted}
    return [site for site in catalogue if site.id in ids]


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


class _Artist:
    """Draws the chips of sites, one site after the other."""

    def __init__(self, workspace: Workspace, chips: int, profile: Profile, everything: MapView) -> None:
        self._archive = workspace.archive()
        self._index = SceneIndex(self._archive.scenes())
        self._limit = chips
        self._profile = profile
        # Chips lie where the site is, and under all ids that it had.
        self._sites = {entry.site.id: entry.site for entry in everything.entries}
        self.missing: list[str] = []
        """What could not be drawn, each with its reason."""
        self.withheld: list[Left] = []
        """What was drawn, and readers may not see."""

    def drawn(self, entry: SiteEntry) -> SiteEntry:
        """Return an entry with its pictures; a damaged scene costs only its picture."""
        if entry.blurred_m:  # none may be shown, and the entry's id need not be the site's
            return entry
        site = self._sites[entry.site.id]
        album, undrawn = album_of(
            site, self._archive, self._index, entry.looks, entry.detections, limit=self._limit
        )
        self.missing += undrawn
        return shown_pictures(replace(entry, album=album), self._profile, self.withheld)
