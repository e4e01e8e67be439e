"""How sites, catalogues and notes show themselves in a notebook. Every text of theirs is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sites.catalogue import Catalogue
    from sites.model import Site
    from sites.observation import Observation, Source

MAX_ROWS = 50
"""Of a catalogue; the rest is counted."""


def catalogue_html(catalogue: Catalogue) -> str:
    """Return a table of the first sites and how each is watched."""
    chosen = [site for site, _ in zip(catalogue, range(MAX_ROWS), strict=False)]
    rows = [
        (site.id, site.name, str(site.category), site.province or "", str(site.watch_mode)) for site in chosen
    ]
    hidden = len(catalogue) - len(chosen)
    more = f"<p>and {hidden} more</p>" if hidden else ""
    title = f"<p><b>{len(catalogue)} sites</b>, {len(catalogue.subjects)} provinces and topics with notes</p>"
    return title + _table(("id", "name", "category", "province", "watched over"), rows) + more


def site_html(site: Site) -> str:
    """Return what is known of a site: names, place, how it is watched, notes."""
    point = site.point
    accuracy = "" if site.coordinate_accuracy_m is None else f" (good to {site.coordinate_accuracy_m:g} m)"
    place = "not placed" if point is None else f"{point.y:.5f}, {point.x:.5f}{accuracy}"
    facts = [
        ("id", site.id),
        ("names", "; ".join(name.text for name in site.names)),
        ("category", str(site.category)),
        ("province", site.province or ""),
        ("latitude, longitude", place),
        ("watching", site.watch_reason),
    ]
    notes = "".join(f"<li>{observation_html(note)}</li>" for note in site.observations)
    return f"<p><b>{escape(site.name)}</b></p>{_table((), facts)}<ul>{notes}</ul>"


def observation_html(note: Observation) -> str:
    """Return a note in one line: date as written, words, sources with their grades."""
    sources = "; ".join(_source(source) for source in note.sources)
    cited = f" <small>{escape(sources)}</small>" if sources else ""
    return f"<b>{escape(str(note.date))}</b> {escape(note.text)} <i>{escape(str(note.kind))}</i>{cited}"


def _source(source: Source) -> str:
    grades = f"{source.reliability or ''}{source.credibility or ''}"
    parts = (source.outlet, source.title, None if source.published is None else str(source.published), grades)
    return ", ".join(part for part in parts if part)


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>"
