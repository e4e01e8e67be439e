"""Pictures of a dossier: the pixels inside the page, with outline, scale bar and north drawn over them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from maps.drawing import scale_length_m
from maps.lengths import length_words
from maps.markup import NOTHING, Markup, el, words

if TYPE_CHECKING:
    from maps.pictures import BeforeAfter, Picture

VEIL_WORDS = "Hatched: cloud, shadow or snow. Dark: no data."


def latest_section(picture: Picture | None) -> Markup:
    """Return the latest clear look; nothing where there is none."""
    if picture is None:
        return NOTHING
    told = f"{picture.reading} Stretch: {picture.stretch}. {VEIL_WORDS}"
    title = el("h2", "Latest clear look", id="latest-title")
    figure = picture_figure(picture, "Seen")
    return el(
        "section",
        title,
        figure,
        el("p", told, class_="fine"),
        class_="latest",
        aria_labelledby="latest-title",
    )


def pair_figures(pair: BeforeAfter | None) -> Markup:
    """Return two pictures of one change, and whether their colours may be compared."""
    if pair is None:
        return el("p", "No pictures are kept of it.", class_="fine")
    figures = (picture_figure(pair.before, "Before"), picture_figure(pair.after, "After"))
    stretch = (
        f"Same stretch on both: {pair.before.stretch}."
        if pair.same_stretch
        else "Each with its own stretch, because their values can't be compared: "
        f"{pair.before.stretch}; {pair.after.stretch}."
    )
    told = el("p", f"{pair.after.reading} {stretch} {VEIL_WORDS}", class_="fine")
    return el("div", el("div", *figures, class_="pair"), told, class_="pair-box")


def picture_figure(picture: Picture, title: str) -> Markup:
    """Return a picture with all that its caption must say."""
    told = f"{title}: {picture.solar_day}, {picture.platform}, {picture.bands}"
    image = el(
        "img",
        src=f"data:image/png;base64,{base64.b64encode(picture.png).decode()}",
        alt=f"{told}, simulated" if picture.simulated else told,
        width=picture.width,
        height=picture.height,
    )
    badge = el("span", "simulated", class_="badge simulated on-chip") if picture.simulated else None
    clear = f"{picture.clear_fraction:.0%} clear" if picture.masked else "no cloud mask"
    caption = el(
        "figcaption",
        el("strong", f"{title} {picture.solar_day}"),
        el("br"),
        words(picture.platform),
        f", {picture.resolution_m:g} m pixels, {clear}; ",
        words(picture.bands),
        el("span", words(picture.credit), class_="credit") if picture.credit else None,
    )
    return el("figure", el("div", image, _overlay(picture), badge, class_="chip"), caption, class_="picture")


def _overlay(picture: Picture) -> Markup:
    rings = [" ".join(f"{x:g},{y:g}" for x, y in ring) for ring in picture.outlines]
    lines = [el("polygon", points=ring, class_=kind) for ring in rings for kind in ("halo", "line")]
    outlines = el("g", *lines, class_="outlines")
    box = f"0 0 {picture.width} {picture.height}"
    return el("svg", outlines, _scale_bar(picture), _north(picture), viewBox=box, aria_hidden="true")


def _scale_bar(picture: Picture) -> Markup:
    unit = picture.width / 100
    length_m = scale_length_m(picture.width * picture.metres_per_px)
    x, y = 4 * unit, picture.height - 4 * unit
    line = f"M{x:g} {y - 2 * unit:g}V{y:g}H{x + length_m / picture.metres_per_px:g}V{y - 2 * unit:g}"
    label = el("text", length_words(length_m), x=x + unit, y=y - 3.2 * unit, font_size=5.5 * unit)
    return el(
        "g", el("path", d=line, class_="halo"), el("path", d=line, class_="line"), label, class_="scale"
    )


def _north(picture: Picture) -> Markup:
    unit = picture.width / 100
    x, y = picture.width - 7 * unit, 4 * unit
    arrow = f"M{x:g} {y:g}l{3 * unit:g} {8 * unit:g}l{-3 * unit:g} {-2 * unit:g}l{-3 * unit:g} {2 * unit:g}z"
    label = el("text", "N", x=x, y=y + 13.5 * unit, font_size=5.5 * unit, text_anchor="middle")
    return el("g", el("path", d=arrow, class_="arrow"), label, class_="scale")
