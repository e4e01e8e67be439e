"""The site map: one HTML file with all sites, their notes, looks and detections.

Folium makes the map; markers, popups and everything with words from the catalogue are ours, because
folium writes such words into script. Nothing in the file asks for another one.
"""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, cast

import folium
from branca.element import Element, Figure, MacroElement
from folium.template import Template

from geo.durable import write_text
from maps.blocks import element, packed
from maps.context_block import context_block
from maps.data_block import view_block
from maps.detail_blocks import detail_blocks
from maps.offline import inline_css, inline_js, read_text, sealed
from maps.picture_block import INDEX_LIMIT_BYTES, PAGE_LIMIT_BYTES, album_block, fitted
from maps.regions_block import regions_block
from maps.timeline import times_block
from maps.view import NO_CONTEXT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from maps.view import MapView

STYLES = (
    ("vendor", "leaflet-1.9.4", "leaflet.css"),
    ("page", "page.css"),
    ("page", "filters.css"),
    ("page", "panel.css"),
    ("page", "timeline.css"),
    ("page", "regions.css"),
    ("page", "compare.css"),
)
LIBRARIES = (("leaflet-1.9.4", "leaflet.js", "LICENSE"),)
"""Folder, script and licence; whoever gets a page gets the licences of what is in it."""

SCRIPTS = (
    "dom.js",
    "blocks.js",
    "columns.js",
    "data.js",
    "state.js",
    "search.js",
    "filters.js",
    "symbols.js",
    "looks.js",
    "pictures.js",
    "stage.js",
    "compare.js",
    "contact.js",
    "panel.js",
    "dossiers.js",
    "files.js",
    "album.js",
    "basemap.js",
    "clusters.js",
    "tiles.js",
    "sitemap.js",
    "list.js",
    "times.js",
    "timescale.js",
    "timedensity.js",
    "timeglyphs.js",
    "timeitems.js",
    "timelanes.js",
    "timespan.js",
    "timeplay.js",
    "timeview.js",
    "timeline.js",
    "rates.js",
    "classes.js",
    "tally.js",
    "regions.js",
    "comparisonplot.js",
    "comparison.js",
    "main.js",
)
"""Ours, in the order in which they need each other; they share one function's scope."""

BASEMAP = ("world", "korea", "provinces")


class SiteMap(folium.Map):
    """A folium map that brings its libraries along instead of naming their addresses."""

    def __init__(self) -> None:
        """Make a map without tiles, and with a name that is the same each time (branca's is random)."""
        super().__init__(
            location=[40.0, 127.0],
            zoom_start=6,
            tiles=None,
            attribution_control=False,
            world_copy_jump=True,
        )
        # folium keeps its own zoom limits for the tile layer, which we don't have
        self.options |= {"min_zoom": 2, "max_zoom": 18, "zoom_snap": 0.5}
        self._id = "sites"
        self.default_js = []
        self.default_css = []

    def render(self, **kwargs: object) -> None:  # type: ignore[override]  # as folium's own map does
        """Render the map, without what folium puts into the head.

        It would forbid readers to zoom the page, and the page's own style sheet sizes the map.
        """
        super().render(**kwargs)  # type: ignore[no-untyped-call]  # folium annotates it in part
        cast("Figure", self.get_root()).header.add_child(Verbatim("style", ""), name=self.get_name())


class Start(MacroElement):
    """Hands the finished map to our script."""

    _template = Template(
        "{% macro script(this, kwargs) %}startSitewatch({{ this._parent.get_name() }});{% endmacro %}"
    )


class Verbatim(Element):
    """A part of the head that is no template: branca would read braces in scripts as its own."""

    def __init__(self, tag: str, text: str) -> None:
        super().__init__()
        self._markup = f"<{tag}>{text}</{tag}>"

    def render(self, **_: object) -> str:
        """Return the element as it is."""
        return self._markup


class Page(Figure):
    """The document around the map, from `page/shell.html`."""

    def __init__(self, view: MapView) -> None:
        super().__init__(title=escape(view.title))
        self._template = Template(read_text("page", "shell.html"))
        self.blocks = "\n".join(page_blocks(view))


def page_blocks(view: MapView) -> Iterator[str]:
    """Yield the data elements of the page: the index, details in chunks, pictures by site, the rest.

    Where each site has a page of its own with all its pictures, this one holds less of them.
    """
    albums = [entry.album for entry in view.entries if entry.album is not None]
    shown = fitted(albums, INDEX_LIMIT_BYTES if view.dossiers else PAGE_LIMIT_BYTES)
    places = {entry.album.site_id: at for at, entry in enumerate(view.entries) if entry.album is not None}
    starts, elements = detail_blocks(view.entries)
    yield element("sitewatch-data", packed({**view_block(view), "chunks": starts, "leftOut": shown.words}))
    yield from elements
    for album in shown.albums:
        if album.pictures:
            yield element(f"sitewatch-pictures-{places[album.site_id]}", packed(album_block(album)))
    yield element("sitewatch-times", packed(times_block(view)))
    yield element("sitewatch-regions", packed(regions_block(view)))
    if view.context != NO_CONTEXT:
        yield element("sitewatch-context", packed(context_block(view.context)))
    outlines = {name: json.loads(read_text("basemap", f"{name}.json")) for name in BASEMAP}
    yield element("sitewatch-basemap", packed(outlines))


def page_script() -> str:
    """Return our scripts as one, in one scope of its own, leaving a single name behind."""
    parts = "\n".join(read_text("page", name) for name in SCRIPTS)
    return inline_js(f'const startSitewatch = (() => {{\n"use strict";\n{parts}\nreturn start;\n}})();')


def _library(folder: str, script: str, licence: str) -> str:
    text = read_text("vendor", folder, licence).strip()
    return inline_js(f"/*\n{text}\n*/\n{read_text('vendor', folder, script)}")


def render_site_map(view: MapView) -> str:
    """Return the page as text; equal views give equal text.

    Raises:
        PageError: The page would ask the network for something.
    """
    page = Page(view)
    site_map = SiteMap()
    page.add_child(site_map)
    site_map.add_child(Start())  # type: ignore[no-untyped-call]  # branca annotates it in part
    for parts in STYLES:
        page.header.add_child(Verbatim("style", inline_css(read_text(*parts))))
    for library in LIBRARIES:
        page.header.add_child(Verbatim("script", _library(*library)))
    page.header.add_child(Verbatim("script", page_script()))
    return sealed(page.render(), [each.origin for each in view.tiles])


def write_site_map(view: MapView, out: Path) -> Path:
    """Write the page as `out`/index.html, whole or not at all, and return its path.

    Raises:
        PageError: The page would ask the network for something; nothing is written.
    """
    path = out / "index.html"
    write_text(path, render_site_map(view))
    return path
