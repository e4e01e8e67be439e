"""The detections of a dossier: what each rests on, to the number, and what analysts said of it."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING

from imagery.model import NO_MASK, DetectionState
from maps.dossier_pictures import pair_figures
from maps.markup import NOTHING, Markup, el, joined, words

if TYPE_CHECKING:
    from datetime import date

    from imagery.model import Detection, Look
    from maps.dossier_pictures import Gallery
    from maps.view import SiteEntry

_STATES = MappingProxyType(
    {
        DetectionState.CANDIDATE: "clear looks agree on it; no later one was asked yet",
        DetectionState.PROBABLE: "a later look shows it too",
        DetectionState.CONFIRMED: "two later looks show it too",
        DetectionState.RETRACTED: "no longer held to be a change",
    }
)
_HECTARES_FROM_M2 = 1e5


def detections_section(entry: SiteEntry, gallery: Gallery) -> Markup:
    """Return a card for each detection; nothing where there is none."""
    found = sorted(entry.detections, key=lambda each: (each.first_with, each.id))
    if not found:
        return NOTHING
    title = el("h2", f"Detections by machine ({len(found)})", id="detections-title")
    cards = (_card(entry, each, gallery) for each in found)
    return el("section", title, *cards, class_="detections", aria_labelledby="detections-title")


def _card(entry: SiteEntry, detection: Detection, gallery: Gallery) -> Markup:
    after, before = (
        _look(entry, detection, detection.first_with),
        _look(entry, detection, detection.last_without),
    )
    badges = (
        el("span", str(detection.state), class_=f"badge state {detection.state}"),
        el("span", f" {_STATES[detection.state]}", class_="fine"),
        el("span", "simulated", class_="badge simulated") if detection.simulated else None,
    )
    title = f"Changed between {detection.last_without} and {detection.first_with}"
    facts = (el("div", el("dt", label), el("dd", words(text))) for label, text in _facts(detection) if text)
    said = entry.said.get(detection.id) or "nobody has said anything yet"
    return el(
        "article",
        el("h3", title),
        el("p", *badges),
        el("p", "Last clear look without it, first clear look with it.", class_="fine"),
        el("dl", *facts, class_="facts"),
        el("p", "Analysts: ", words(said), ".", class_="said"),
        pair_figures(gallery, detection.id, entry.pictures.get(detection.id)),
        _evidence(before, after),
        class_=f"detection state-{detection.state}",
        id=f"detection-{detection.id}",
    )


def _facts(detection: Detection) -> list[tuple[str, str]]:
    surety = detection.surety
    among = (
        f"{surety.count:,} quiet looks ({surety.stratum}); {surety.source}"
        if surety and surety.source
        else ""
    )
    chance = "no null for this sensor" if detection.p_value is None else f"p = {detection.p_value:.2g}"
    interval = detection.area_interval_m2
    return [
        ("Bracket, EDTF", detection.bracket),
        ("It happened, with 90 %", detection.date_interval_90),
        ("Looks like", detection.kind),
        ("Area", _area(detection.area_m2)),
        ("Area, with 90 %", " to ".join(_area(each) for each in interval) if interval else ""),
        (
            "Strength",
            f"{detection.magnitude:.2f} times the threshold" if math.isfinite(detection.magnitude) else "",
        ),
        ("Seen in", f"{detection.looks_with} looks of {detection.series}, the last on {detection.last_with}"),
        ("Contrast, observed minus predicted", _contrast(detection)),
        ("Chance of a quiet look as high", f"{chance}, among {among}" if among else chance),
        ("Among all detections", surety.words if surety else ""),
        *(("But note", flag) for flag in detection.flags),
        ("Lattice", detection.grid_id),
        ("Id", detection.id),
    ]


def _contrast(detection: Detection) -> str:
    return ", ".join(f"{band} {value:+.3f}" for band, value in detection.direction.items())


def _area(area_m2: float) -> str:
    if not math.isfinite(area_m2):
        return "not known"
    if area_m2 >= _HECTARES_FROM_M2:
        return f"{area_m2 / 1e4:,.1f} ha ({area_m2:,.0f} m²)"
    return f"{area_m2:,.0f} m²"


def _look(entry: SiteEntry, detection: Detection, day: date) -> Look | None:
    """Return the look of a day on the detection's own lattice and series."""
    own = (detection.grid_id, detection.series)
    return next(
        (each for each in entry.looks if (each.grid_id, each.series) == own and each.solar_day == day), None
    )


def _evidence(before: Look | None, after: Look | None) -> Markup:
    """Return what the outcome of the pair rests on: values, thresholds, masks, flags, versions."""
    pair = [("without it", before), ("with it", after)]
    rows = [_pair_row(label, look) for label, look in pair if look is not None]
    if not rows:
        return el("p", "The looks it rests on are not kept here any more.", class_="fine")
    columns = (
        *("Look", "Day", "Outcome", "Sensor", "Footprint clear", "Frame clear"),
        *("Mask", "Score", "Threshold", "Scenes"),
    )
    head = el("tr", *(el("th", each, scope="col") for each in columns))
    table = el(
        "table",
        el("caption", "The pair that it rests on"),
        el("thead", head),
        el("tbody", *rows),
        class_="evidence",
    )
    frame = el("div", table, class_="table-frame", tabindex="0", role="region", aria_label="The pair")
    if after is None or after.card is None:
        return joined([frame, el("p", "No card is kept of the look that raised it.", class_="fine")])
    card = after.card
    summary = el(
        "summary", f"Card of the look of {after.solar_day} (method {card.method}): every number behind it"
    )
    return joined([frame, el("details", summary, el("pre", words(card.text())), class_="card")])


def _pair_row(label: str, look: Look) -> Markup:
    cells = (
        look.solar_day.isoformat(),
        str(look.outcome),
        look.platform,
        _share(look, look.clear_fraction),
        _share(look, look.frame_clear_fraction),
        "" if look.mask_scheme == NO_MASK else look.mask_scheme,
        _number(look.score),
        _number(look.threshold),
        ", ".join(look.scene_ids),
    )
    return el("tr", el("th", label, scope="row"), *(el("td", words(each)) for each in cells))


def _share(look: Look, fraction: float) -> str:
    return "no mask" if look.mask_scheme == NO_MASK else f"{fraction:.0%}"


def _number(value: float | None) -> str:
    return "not judged" if value is None else f"{value:.2f}"
