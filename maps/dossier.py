"""The dossier of a site: one page with everything that is known of it, that reads and prints without script.

All of it is made here as markup, text escaped by construction (`maps.markup`); script only adds what paper
can't do. The same content gives the same bytes, whenever it is published: the page does not say when.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from imagery.model import DetectionState
from maps.dossier_detections import detections_section
from maps.dossier_facts import facts_section, names_section
from maps.dossier_links import downloads, elsewhere
from maps.dossier_looks import looks_section
from maps.dossier_map import map_section
from maps.dossier_notes import notes_section
from maps.dossier_pictures import (
    Gallery,
    album_data,
    compare_section,
    compares,
    contact_section,
    latest_section,
)
from maps.dossier_timeline import timeline_section
from maps.markup import Markup, document, el, joined, trusted, words
from maps.offline import POLICY_MARK, inline_css, inline_js, read_text, sealed
from maps.symbols import SYMBOLS
from maps.words import JUDGED, country_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maps.view import SiteEntry

FOLDER = "sites"
"""Of the dossiers, beside the index."""

_STYLE, _COMPARE_STYLE = "dossier.css", "compare.css"
_SCRIPTS = ("dom.js", "blocks.js", "looks.js", "pictures.js", "stage.js", "compare.js", "dossier.js")
"""Of a page with two looks or more; others have no script."""


@dataclass(frozen=True, slots=True)
class Around:
    """What a dossier takes from the publication that it is part of."""

    title: str
    statement: str = ""
    thresholds: tuple[str, ...] = ()
    names: Mapping[str, str] | None = None
    """Names of the sites that have a dossier, by id."""


def dossier_path(site_id: str) -> str:
    """Return where a site's dossier lies, beside the index.

    An id is a file name everywhere already (`sites.checks.require_id`): lower case, without dots or slashes,
    and no name of a device.
    """
    return f"{FOLDER}/{site_id}.html"


def render_dossier(entry: SiteEntry, around: Around) -> str:
    """Return the page as text; equal entries give equal text.

    Raises:
        PageError: The page would ask the network for something.
    """
    title = f"{entry.site.name} - {around.title}"
    moves = compares(entry.album)
    head = joined(
        [
            trusted(POLICY_MARK),
            el("meta", charset="utf-8"),
            el("meta", name="viewport", content="width=device-width, initial-scale=1"),
            el("meta", name="referrer", content="no-referrer"),
            el("title", title),
            el("style", trusted(_style(_STYLE))),
            el("style", trusted(_style(_COMPARE_STYLE))) if moves else None,
        ],
        "\n",
    )
    script = el("script", trusted(_script())) if moves else None
    body = joined(
        [_masthead(entry, around), _main(entry, around), _footer(), album_data(entry), script], "\n"
    )
    page = el(
        "html", el("head", head), "\n", el("body", body), lang="en", data_ready=None if moves else "true"
    )
    return sealed(document(f"<!DOCTYPE html>\n{page.text}\n"))


def _masthead(entry: SiteEntry, around: Around) -> Markup:
    site = entry.site
    first = site.names[0]
    place = ", ".join(part for part in (site.county, site.province, country_words(site.country)) if part)
    kicker = el("p", SYMBOLS[site.category].label, ", " if place else "", words(place), class_="kicker")
    simulated = any(look.simulated for look in entry.looks)
    badge = el("span", "simulated images", class_="badge simulated") if simulated else None
    back = el("a", "All sites on the map", href=f"../index.html#site={site.id}", class_="back")
    of = el("p", words(around.title), class_="of")
    statement = el("p", words(around.statement), class_="statement") if around.statement else None
    skip = el("a", "Skip to the page", href="#page", class_="skip")
    title = el("div", el("h1", words(first.text, first.language)), kicker, badge)
    return joined(
        [
            skip,
            el("nav", back, aria_label="Pages"),
            el("header", _sign(entry), title, _digest(entry), el("div", of, statement, class_="about")),
        ]
    )


def _digest(entry: SiteEntry) -> Markup:
    """Return what there is in numbers, each beside what it is counted out of."""
    notes = entry.site.observations
    judged = sum(look.outcome in JUDGED for look in entry.looks)
    live = sum(each.state is not DetectionState.RETRACTED for each in entry.detections)
    seen = f"{judged:,} of {len(entry.looks):,}" if entry.looks else "never looked at"
    changes = f"{live} in {judged:,} judged" if judged else "not known"
    rows = (
        ("Notes", f"{len(notes):,}"),
        ("With a source", f"{sum(bool(note.sources) for note in notes)} of {len(notes):,}"),
        ("Looks judged", seen),
        ("Changes detected", changes),
    )
    told = (el("div", el("dt", label), el("dd", text)) for label, text in rows)
    return el("dl", *told, class_="digest")


def _sign(entry: SiteEntry) -> Markup:
    symbol = SYMBOLS[entry.site.category]
    return el(
        "svg",
        el("path", d=symbol.path, fill=symbol.colour),
        viewBox="0 0 24 24",
        aria_hidden="true",
        class_="sign",
    )


def _main(entry: SiteEntry, around: Around) -> Markup:
    gallery = Gallery.of(entry)
    sections = (
        gallery.definitions,
        names_section(entry.site),
        facts_section(entry, around.names or {}),
        map_section(entry),
        timeline_section(entry),
        looks_section(entry, around.thresholds),
        detections_section(entry, gallery),
        latest_section(gallery, entry.latest),
        compare_section(entry.album),
        contact_section(gallery, entry),
        notes_section(entry),
        elsewhere(entry),
        downloads(entry, around.title),
    )
    return el("main", joined(sections, "\n"), id="page", tabindex="-1")


def _footer() -> Markup:
    told = (
        "Made with sitewatch. Notes are by analysts, detections by machine; the two are never mixed. A look "
        "is one day of one sensor over one site; a place that nobody could see is not a place where nothing "
        "happened. This file asks for nothing: links open only when followed."
    )
    return el("footer", el("p", told))


@lru_cache(maxsize=4)
def _style(name: str) -> str:
    return inline_css(read_text("page", name))


@lru_cache(maxsize=1)
def _script() -> str:
    """Return the scripts as one, in one scope of their own."""
    parts = "\n".join(read_text("page", name) for name in _SCRIPTS)
    return inline_js(f'(() => {{\n"use strict";\n{parts}\n}})();')
