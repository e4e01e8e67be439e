"""What a site map shows, gathered by the caller: sites with their looks, detections and pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from maps.errors import PageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from shapely.geometry import MultiPolygon, Polygon

    from imagery.model import Detection, Look, NoScene
    from maps.album import Album
    from maps.pictures import BeforeAfter, Picture
    from maps.tiles import Tiles
    from sites.context import Event, Series
    from sites.model import Site


@dataclass(frozen=True, slots=True)
class SiteEntry:
    """One site and everything that was seen of it."""

    site: Site
    looks: tuple[Look, ...] = ()
    no_scenes: tuple[NoScene, ...] = ()
    """Due windows without any acquisition."""
    detections: tuple[Detection, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    """By the note's id: why the looks kept here could not show what the note claims, or not surely."""
    said: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What analysts said of detections, in words, by the detection's id."""
    album: Album | None = None
    """The site's pictures; the only place where pixels enter a page."""
    only_confirmed: bool = False
    """Detections that no later look confirmed were taken out, if there were any."""
    blurred_m: int = 0
    """The place is told within so many metres only; 0 where it is told as it is known."""
    watched: bool | None = None
    """Whether a run looks at it, where the site as it stands here does not tell; None where it does."""

    def __post_init__(self) -> None:
        known = {self.site.id, *self.site.former_ids}
        rows: tuple[Look | NoScene | Detection, ...] = (*self.looks, *self.no_scenes, *self.detections)
        for row in rows:
            if row.site_id not in known:
                message = f"a row of site {row.site_id!r} was given to site {self.site.id!r}"
                raise PageError(message)
        if self.album is not None:
            self._check_album(self.album, known)
        unknown = set(self.labels) - {note.id for note in self.site.observations}
        if unknown:
            message = f"labels of unknown notes of site {self.site.id!r}: {', '.join(sorted(unknown))}"
            raise PageError(message)

    @property
    def pictures(self) -> dict[str, BeforeAfter]:
        """The pairs around detections, by the detection's id."""
        album = self.album
        return {} if album is None else {name: album.before_after(name) for name in album.pairs}

    @property
    def latest(self) -> Picture | None:
        """The latest clear look."""
        album = self.album
        return None if album is None or album.latest is None else album.picture(album.latest)

    def _check_album(self, album: Album, known: set[str]) -> None:
        if album.site_id not in known:
            message = f"pictures of site {album.site_id!r} were given to site {self.site.id!r}"
            raise PageError(message)
        strangers = set(album.pairs) - {detection.id for detection in self.detections}
        if strangers:
            names = ", ".join(sorted(strangers))
            message = f"pictures of unknown detections of site {self.site.id!r}: {names}"
            raise PageError(message)

    @property
    def is_watched(self) -> bool:
        """Whether a run looks at the site."""
        return self.site.is_watched if self.watched is None else self.watched

    @property
    def watch_reason(self) -> str:
        """How it is watched, in words."""
        if not self.blurred_m:
            return self.site.watch_reason
        return f"{'watched' if self.is_watched else 'not watched'}; where exactly is not published"

    @property
    def area(self) -> Polygon | MultiPolygon | None:
        """The ground that a look judges, ``lon, lat``; None where it is not told."""
        return None if self.blurred_m else self.site.area


@dataclass(frozen=True, slots=True)
class Context:
    """What lies behind the places: figures over time and dated events."""

    series: tuple[Series, ...] = ()
    events: tuple[Event, ...] = ()


NO_CONTEXT = Context()


@dataclass(frozen=True, slots=True)
class MapView:
    """Everything on one site map."""

    title: str
    made: datetime
    """Aware; printed in UTC."""
    entries: tuple[SiteEntry, ...]
    statement: str = ""
    """What the places on this page are, and where: ``Colorado, USA: real Landsat scenes``."""
    thresholds: tuple[str, ...] = ()
    """The settings behind the outcomes, one sentence each: when a look counts as obscured, ..."""
    profile: str = "full"
    """Of publication: what was left out before anything was written (`maps.filtered`)."""
    dossiers: bool = False
    """Whether each site has a page of its own beside this one (`maps.dossier.dossier_path`)."""
    context: Context = NO_CONTEXT
    files: tuple[tuple[str, str], ...] = ()
    """What lies beside the page for other programs: words, and the path from the page."""
    tiles: tuple[Tiles, ...] = ()
    """Tiles that a reader may switch on; none are asked for before."""

    def __post_init__(self) -> None:
        if self.made.tzinfo is None:
            message = f"{self.made.isoformat()} has no time zone"
            raise PageError(message, hint="Give an aware time")
        ids = [entry.site.id for entry in self.entries]
        if len(set(ids)) != len(ids):
            twice = sorted({site for site in ids if ids.count(site) > 1})
            message = f"sites given twice: {', '.join(twice)}"
            raise PageError(message)
