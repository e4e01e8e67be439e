"""Pictures of a dossier: each one's pixels stand in the page once, and are shown wherever they are needed.

The pixels are defined in one hidden drawing and used by their number, so that a picture can stand beside a
detection, in the contact sheet and as the latest look at the price of one, also on paper and without script.
"""

from __future__ import annotations

import base64
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from maps.blocks import element, packed
from maps.drawing import scale_length_m
from maps.lengths import length_words
from maps.markup import NOTHING, Child, Markup, el, joined, trusted, words
from maps.picture_block import album_block

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maps.album import Album
    from maps.pictures import BeforeAfter, Picture
    from maps.view import SiteEntry

VEIL_WORDS = "Hatched: cloud, shadow or snow. Dark: no data."


@dataclass(frozen=True, slots=True)
class Gallery:
    """The pictures that a page has, by the number under which it has them."""

    numbers: Mapping[str, int]
    """By the picture's key."""
    definitions: Markup
    """Stands in the page once, before any of them is shown."""

    @classmethod
    def of(cls, entry: SiteEntry) -> Gallery:
        """Return the pictures of a site; of none, nothing is defined."""
        pairs = (each for pair in entry.pictures.values() for each in (pair.before, pair.after))
        album = () if entry.album is None else entry.album.pictures
        latest = () if entry.latest is None else (entry.latest,)
        pictures = {each.key: each for each in (*album, *pairs, *latest)}
        if not pictures:
            return cls({}, NOTHING)
        defined = [_definition(number, each) for number, each in enumerate(pictures.values())]
        stripes = el("path", d="M-1 1l2-2M0 4l4-4M3 5l2-2", class_="stripe")
        hatch = el("pattern", stripes, id="hatch", width=4, height=4, patternUnits="userSpaceOnUse")
        drawing = el("svg", el("defs", hatch, *defined), class_="defs", width=0, height=0, aria_hidden="true")
        return cls({key: number for number, key in enumerate(pictures)}, drawing)

    def figure(self, picture: Picture, title: str, *more: Child) -> Markup:
        """Return a picture with all that its caption must say, and what else is told of it."""
        number = self.numbers[picture.key]
        told = f"{title}: {picture.solar_day}, {picture.platform}, {picture.bands}"
        drawing = el(
            "svg",
            el("use", href=f"#px{number}"),
            el("use", href=f"#veil{number}") if picture.veil else None,
            _outlines(picture),
            _scale_bar(picture),
            _north(picture),
            viewBox=f"0 0 {picture.width} {picture.height}",
            role="img",
            aria_label=f"{told}, simulated" if picture.simulated else told,
        )
        badge = el("span", "simulated", class_="badge simulated on-chip") if picture.simulated else None
        return el(
            "figure",
            el("div", drawing, badge, class_="chip"),
            el("figcaption", _caption(picture, title), *more),
            class_="picture",
        )


def latest_section(gallery: Gallery, picture: Picture | None) -> Markup:
    """Return the latest clear look; nothing where there is none."""
    if picture is None:
        return NOTHING
    told = f"{picture.reading} Stretch: {picture.stretch}. {VEIL_WORDS}"
    title = el("h2", "Latest clear look", id="latest-title")
    figure = gallery.figure(picture, "Seen")
    return el(
        "section",
        title,
        figure,
        el("p", told, class_="fine"),
        class_="latest",
        aria_labelledby="latest-title",
    )


def compare_section(album: Album | None) -> Markup:
    """Return where script puts the box that compares two looks; nothing for fewer than two."""
    if not compares(album):
        return NOTHING
    title = el("h2", "Any two looks beside each other", id="compare-title")
    return el("section", title, id="compare", tabindex="-1", hidden=True, aria_labelledby="compare-title")


def compares(album: Album | None) -> bool:
    """Tell whether there are two looks to compare."""
    return album is not None and len(album) > 1


def album_data(entry: SiteEntry) -> Markup:
    """Return what script needs of the pictures, without their pixels, which are in the page already."""
    album = entry.album
    if album is None or not compares(album):
        return NOTHING
    bare = tuple(replace(each, png=b"", veil=b"") for each in album.pictures)
    block = album_block(replace(album, pictures=bare))
    ordered = sorted(entry.detections, key=lambda each: (each.first_with, each.id))
    block["detections"] = [
        {"id": each.id, "words": f"{each.state} change, {each.last_without} to {each.first_with}"}
        for each in ordered
    ]
    return trusted(element("sitewatch-album", packed(block)))


def contact_section(gallery: Gallery, entry: SiteEntry) -> Markup:
    """Return all pictures of the site in the order of time; nothing where they are one or none."""
    album = entry.album
    if album is None or len(album) < 2:  # noqa: PLR2004 - one picture is the latest, and stands above
        return NOTHING
    gaps = _gaps(entry, album)
    figures = (
        gallery.figure(
            each, each.outcome or "Look", el("span", f"Before it, {gap}", class_="gap") if gap else None
        )
        for each, gap in zip(album.pictures, gaps, strict=False)
    )
    after = el("p", f"After the last one, {gaps[-1]}.", class_="fine") if gaps[-1] else None
    told = (
        f"{len(album)} of {album.clear_looks} clear looks, spread over time, with those around each "
        f"detection. {_stretches(album)} {VEIL_WORDS}"
    )
    title = el("h2", "Contact sheet", id="contact-title")
    sheet = joined([el("div", *figures, class_="sheet"), after])
    return el(
        "section",
        title,
        el("p", told, class_="fine"),
        sheet,
        class_="sheets",
        aria_labelledby="contact-title",
    )


def pair_figures(gallery: Gallery, detection_id: str, pair: BeforeAfter | None) -> Markup:
    """Return two pictures of one change, and whether their colours may be compared."""
    if pair is None:
        return el("p", "No pictures are kept of it.", class_="fine")
    figures = (gallery.figure(pair.before, "Before"), gallery.figure(pair.after, "After"))
    stretch = (
        f"Same stretch on both: {pair.before.stretch}."
        if pair.same_stretch
        else "Each with its own stretch, because their values can't be compared: "
        f"{pair.before.stretch}; {pair.after.stretch}."
    )
    told = el("p", f"{pair.after.reading} {stretch} {VEIL_WORDS}", class_="fine")
    return el("div", el("div", *figures, class_="pair"), told, class_="pair-box", data_pair=detection_id)


def _definition(number: int, picture: Picture) -> Markup:
    size = {"width": picture.width, "height": picture.height}
    pixels = el("image", id=f"px{number}", href=_address(picture.png), **size)
    if not picture.veil:
        return pixels
    # The veil is black where clouds are: white would be what a mask lets through.
    veil = el("image", href=_address(picture.veil), class_="veil", **size)
    mask = el("mask", veil, id=f"clouds{number}", **size, maskUnits="userSpaceOnUse")
    hatched = el("rect", id=f"veil{number}", **size, fill="url(#hatch)", mask=f"url(#clouds{number})")
    return joined([pixels, mask, hatched])


def _address(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _caption(picture: Picture, title: str) -> Markup:
    clear = f"{picture.clear_fraction:.0%} clear" if picture.masked else "no cloud mask"
    return joined(
        [
            el("strong", f"{title} {picture.solar_day}"),
            el("br"),
            words(picture.platform),
            f", {picture.resolution_m:g} m pixels, {clear}; ",
            words(picture.bands),
            el("span", words(picture.credit), class_="credit") if picture.credit else None,
        ]
    )


def _gaps(entry: SiteEntry, album: Album) -> list[str]:
    """Return what lies before each picture and has none, and after the last one."""
    shown = {(each.solar_day, each.series, each.grid_id) for each in album.pictures}
    days = [each.solar_day for each in album.pictures]
    counts = [Counter[str]() for _ in range(len(days) + 1)]
    for look in entry.looks:
        if (look.solar_day, look.series, look.grid_id) not in shown:
            counts[bisect_right(days, look.solar_day)][look.outcome.value.lower()] += 1
    told = [", ".join(f"{count} {name}" for name, count in sorted(each.items())) for each in counts]
    return [f"without a picture: {text}" if text else "" for text in told]


def _stretches(album: Album) -> str:
    """Return which of them may be compared by brightness."""
    shared = {each.series for each in album.pictures if each.is_shared}
    own = {each.series for each in album.pictures if not each.is_shared}
    parts = []
    if shared:
        parts.append(f"One stretch for all of {', '.join(sorted(shared))}.")
    if own:
        parts.append(
            f"Those of {', '.join(sorted(own))} have a stretch each, and can't be compared by brightness."
        )
    return " ".join(parts)


def _outlines(picture: Picture) -> Markup:
    rings = [" ".join(f"{x:g},{y:g}" for x, y in ring) for ring in picture.outlines]
    lines = [el("polygon", points=ring, class_=kind) for ring in rings for kind in ("halo", "line")]
    return el("g", *lines, class_="outlines") if lines else NOTHING


def _scale_bar(picture: Picture) -> Markup:
    unit = picture.width / 100
    length_m = scale_length_m(picture.width * picture.metres_per_px)
    x, y = 4 * unit, picture.height - 4 * unit
    line = f"M{x:g} {y - 2 * unit:g}V{y:g}H{x + length_m / picture.metres_per_px:g}V{y - 2 * unit:g}"
    place = {"x": f"{x + unit:g}", "y": f"{y - 3.2 * unit:g}", "font_size": f"{5.5 * unit:g}"}
    label = el("text", length_words(length_m), **place)
    return el(
        "g", el("path", d=line, class_="halo"), el("path", d=line, class_="line"), label, class_="scale"
    )


def _north(picture: Picture) -> Markup:
    unit = picture.width / 100
    x, y = picture.width - 7 * unit, 4 * unit
    arrow = f"M{x:g} {y:g}l{3 * unit:g} {8 * unit:g}l{-3 * unit:g} {-2 * unit:g}l{-3 * unit:g} {2 * unit:g}z"
    place = {"x": f"{x:g}", "y": f"{y + 13.5 * unit:g}", "font_size": f"{5.5 * unit:g}"}
    label = el("text", "N", **place, text_anchor="middle")
    return el("g", el("path", d=arrow, class_="arrow"), label, class_="scale")
