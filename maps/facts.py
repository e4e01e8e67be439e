"""The facts of a site as labels and words, in the order in which they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maps.lengths import length_words
from maps.words import accuracy_words, country_words

if TYPE_CHECKING:
    from maps.view import SiteEntry


def site_facts(entry: SiteEntry) -> list[tuple[str, str]]:
    """Return what is known of a site; what is not known is left out."""
    site = entry.site
    place = "Not placed yet" if site.point is None else f"{site.point.y:.5f}, {site.point.x:.5f}"
    rows = [
        ("Coordinates", f"{place} ({placing_words(entry)})" if site.point is not None else place),
        ("Coordinate source", site.coordinate_source),
        ("Coordinate licence", site.coordinate_licence),
        ("Country", country_words(site.country)),
        ("Province", site.province),
        ("County", site.county),
        ("Kind", site.subtype),
        ("Operator", site.operator),
        ("Enterprise grade", site.grade),
        ("Part of", site.complex),
        ("Opened", site.opened and site.opened.text),
        ("Closed", site.closed and site.closed.text),
        ("Description", site.description),
    ]
    rows.extend(
        (
            f"{item.quantity[:1].upper()}{item.quantity[1:]}",
            f"{item.value:g} {item.unit}" + (f" ({item.date.text})" if item.date else ""),
        )
        for item in site.attributes
    )
    return [(label, text) for label, text in rows if text]


def placing_words(entry: SiteEntry) -> str:
    """Return how well its place is known, or how coarse it was made."""
    if not entry.blurred_m:
        return accuracy_words(entry.site)
    within = length_words(entry.site.coordinate_accuracy_m or entry.blurred_m)
    return f"made coarse for publication: it lies within {within}"
