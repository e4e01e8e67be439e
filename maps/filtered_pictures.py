"""The pictures of a site as a profile allows them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from maps.profile import Kind, Left

if TYPE_CHECKING:
    from collections.abc import Collection

    from maps.album import Album
    from maps.pictures import Picture
    from maps.profile import Profile
    from maps.view import SiteEntry


def shown_pictures(
    entry: SiteEntry, profile: Profile, rows: list[Left], detections: Collection[str] | None = None
) -> SiteEntry:
    """Return an entry with those of its pictures that readers may see.

    Args:
        entry: Of one site.
        profile: What may stay.
        rows: The account to add to.
        detections: Ids of those that stay; all that the entry has when None.
    """
    if profile.is_full:
        return entry
    stay = {each.id for each in entry.detections} if detections is None else detections
    _tell(entry, profile, rows)
    return replace(entry, album=_album(entry.album, stay, profile))


def may_pass_on(credit: str, profile: Profile) -> bool:
    """Tell whether pixels of this credit may be passed on: each credit that ``;`` joins must be allowed."""
    if not profile.credits:
        return True
    parts = [part.strip().casefold() for part in credit.split(";") if part.strip()]
    allowed = [each.casefold() for each in profile.credits]
    return bool(parts) and all(any(each in part for each in allowed) for part in parts)


def _may_show(picture: Picture, profile: Profile) -> bool:
    return not profile.blur_m and may_pass_on(picture.credit, profile)


def _album(album: Album | None, detections: Collection[str], profile: Profile) -> Album | None:
    """Return an album of the pictures that may be shown; None where there is none."""
    if album is None:
        return None
    around_others = {key for name, pair in album.pairs.items() if name not in detections for key in pair} - {
        key for name, pair in album.pairs.items() if name in detections for key in pair
    }
    keys = {each.key for each in album.pictures if _may_show(each, profile) and each.key not in around_others}
    kept = album.only(keys)
    kept = replace(
        kept,
        pairs={name: pair for name, pair in kept.pairs.items() if name in detections},
        outlines={name: rings for name, rings in kept.outlines.items() if name in detections},
    )
    return kept if kept.pictures else None


def _tell(entry: SiteEntry, profile: Profile, rows: list[Left]) -> None:
    """Add every picture that may not be shown to the account, once."""
    known = {} if entry.album is None else {each.key: each for each in entry.album.pictures}
    if profile.blur_m and entry.looks and not known:  # nobody draws what may not be shown
        rows.append(Left(entry.site.id, Kind.PICTURE, "all of them", "they show the place"))
    rows += [
        Left(
            entry.site.id,
            Kind.PICTURE,
            f"{each.solar_day} {each.series}" if profile.blur_m else key,
            "it shows the place" if profile.blur_m else f"its credit is not allowed: {each.credit!r}",
        )
        for key, each in sorted(known.items())
        if not _may_show(each, profile)
    ]
