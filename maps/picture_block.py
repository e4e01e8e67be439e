"""What a page holds of its pictures: a block for each site, and no more than a page may weigh."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maps.errors import PageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maps.album import Album
    from maps.pictures import Picture

PAGE_LIMIT_BYTES = 24_000_000
"""Pictures in one file, as they are; a page writes them as text, which takes a third more."""
INDEX_LIMIT_BYTES = 6_000_000
"""The same for an index whose dossiers hold the rest."""


def album_block(album: Album) -> dict[str, Any]:
    """Return an album as plain JSON values; pictures name each other by their place in the list."""
    place = {each.key: position for position, each in enumerate(album.pictures)}
    return {
        "site": album.site_id,
        "place": album.place,
        "clear": album.clear_looks,
        "pictures": [picture_block(each) for each in album.pictures],
        "pairs": {name: [place[key] for key in pair] for name, pair in album.pairs.items()},
        "latest": None if album.latest is None else place[album.latest],
        "outlines": {
            name: [[list(point) for point in ring] for ring in rings]
            for name, rings in album.outlines.items()
        },
    }


def picture_block(picture: Picture) -> dict[str, Any]:
    """Return one picture as plain JSON values; pixels as base64."""
    return {
        "site": picture.site_id,
        "grid": picture.grid_id,
        "series": picture.series,
        "png": base64.b64encode(picture.png).decode(),
        "veil": base64.b64encode(picture.veil).decode(),
        "width": picture.width,
        "height": picture.height,
        "scale": picture.metres_per_px,
        "resolution": picture.resolution_m,
        "crs": picture.crs,
        "corner": list(picture.corner_m),
        "day": picture.solar_day.isoformat(),
        "platform": picture.platform,
        "bands": picture.bands,
        "reading": picture.reading,
        "stretch": picture.stretch,
        "shared": picture.is_shared,
        "clear": round(picture.clear_fraction, 3),
        "masked": picture.masked,
        "outcome": picture.outcome,
        "credit": picture.credit,
        "simulated": picture.simulated,
    }


@dataclass(frozen=True, slots=True)
class Fitted:
    """Albums that fit into a page, and what is said of the rest."""

    albums: tuple[Album, ...]
    kept: int
    asked: int
    words: str
    """A sentence for the page; empty where nothing was left out."""


def fitted(albums: Sequence[Album], limit_bytes: int = PAGE_LIMIT_BYTES) -> Fitted:
    """Return the albums cut to what a page may hold.

    Pairs around detections come first, the latest changes before earlier ones, then the latest look of each
    site, then the others, one more of each site in turn. A picture that is needed twice is counted once.

    Raises:
        PageError: Two albums are of one site.
    """
    ids = [album.site_id for album in albums]
    if len(set(ids)) != len(ids):
        message = "two albums of one site"
        raise PageError(message)
    sizes = {(a.site_id, p.key): len(p.png) + len(p.veil) for a in albums for p in a.pictures}
    kept: set[tuple[str, str]] = set()
    used = 0
    for site_id, keys in _units(albums):
        new = {(site_id, key) for key in keys} - kept
        cost = sum(sizes[each] for each in new)
        if used + cost <= limit_bytes:
            used += cost
            kept |= new
    cut = tuple(album.only({key for site, key in kept if site == album.site_id}) for album in albums)
    return Fitted(cut, len(kept), len(sizes), _words(cut, len(kept), len(sizes), limit_bytes))


def _units(albums: Sequence[Album]) -> list[tuple[str, tuple[str, ...]]]:
    """Return what is kept or left whole, the most wanted first: site, and keys of its pictures."""
    ranked: list[tuple[tuple[int, int, str, str], str, tuple[str, ...]]] = []
    for album in albums:
        days = {each.key: each.solar_day.toordinal() for each in album.pictures}
        named = {key for pair in album.pairs.values() for key in pair}
        ranked += [
            ((0, -days[pair[1]], album.site_id, name), album.site_id, pair)
            for name, pair in album.pairs.items()
        ]
        if album.latest is not None and album.latest not in named:
            ranked.append(((1, -days[album.latest], album.site_id, ""), album.site_id, (album.latest,)))
        rest = [key for key in days if key not in named | {album.latest}]
        ranked += [
            ((2 + turn, 0, album.site_id, key), album.site_id, (key,))
            for turn, key in enumerate(reversed(rest))
        ]
    return [(site, keys) for _, site, keys in sorted(ranked, key=lambda each: each[0])]


def _words(albums: Sequence[Album], kept: int, asked: int, limit_bytes: int) -> str:
    if kept == asked:
        return ""
    empty = sum(not album.pictures for album in albums)
    sites = f", so {empty:,} of {len(albums):,} sites with clear looks show none here" if empty else ""
    return (
        f"To keep this page below {limit_bytes / 1e6:g} MB of pictures, {asked - kept:,} of {asked:,} "
        f"are left out{sites}. Pairs around detections and the latest looks were kept first."
    )
