"""The names and facts of a dossier."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from maps.facts import site_facts
from maps.lengths import length_words
from maps.markup import NOTHING, Markup, el, joined, words
from maps.words import language_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maps.view import SiteEntry
    from sites.model import Name, Placement, Site


def names_section(site: Site) -> Markup:
    """Return the names with their times: dated ones by when they were taken up, the others after them."""
    dated = sorted((name for name in site.names if name.span), key=_taken_up)
    ordered = [*dated, *(name for name in site.names if not name.span)]
    columns = [
        ("In use", [name.span.text if name.span else "not dated" for name in ordered], bool(dated)),
        ("Language", [language_words(name.language) or "not stated" for name in ordered], True),
        ("Romanisation", [name.scheme or "" for name in ordered], any(name.scheme for name in ordered)),
    ]
    shown = [(title, cells) for title, cells, is_told in columns if is_told]
    rows = [
        el(
            "tr",
            el("th", words(name.text, name.language), scope="row"),
            *(el("td", words(cells[row])) for _, cells in shown),
        )
        for row, name in enumerate(ordered)
    ]
    head = el("tr", *(el("th", each, scope="col") for each in ("Name", *(title for title, _ in shown))))
    table = el(
        "table", el("caption", _dated_words(len(rows), len(dated))), el("thead", head), el("tbody", *rows)
    )
    frame = el("div", table, class_="table-frame", tabindex="0", role="region", aria_label="Names")
    return el(
        "section", el("h2", "Names through time", id="names-title"), frame, aria_labelledby="names-title"
    )


def _taken_up(name: Name) -> tuple[date, date, str]:
    return name.span.sort_key() if name.span else (date.max, date.max, "")


def _dated_words(count: int, dated: int) -> str:
    names = f"{count} name{'' if count == 1 else 's'}"
    if not dated:
        return f"{names}; when {'it was' if count == 1 else 'each was'} in use is not stated"
    return f"{names}, {dated} of them dated (EDTF)"


def facts_section(entry: SiteEntry, known: Mapping[str, str]) -> Markup:
    """Return the facts; related sites are links where `known` holds a name for their id."""
    site = entry.site
    rows: list[tuple[str, Markup]] = [(label, words(text)) for label, text in site_facts(entry)]
    rows.append(("Watch plan", words(f"{entry.watch_reason[:1].upper()}{entry.watch_reason[1:]}")))
    rows += [
        (each.kind.replace("_", " ").capitalize(), _related(each.site, known)) for each in site.relations
    ]
    if site.former_ids:
        rows.append(("Former ids", words(", ".join(site.former_ids))))
    rows.append(("Id", words(site.id)))
    told = [el("div", el("dt", words(label)), el("dd", text)) for label, text in rows]
    title = el("h2", "Facts", id="facts-title")
    return el("section", title, el("dl", *told, class_="facts"), _places(site), aria_labelledby="facts-title")


def _related(site_id: str, known: Mapping[str, str]) -> Markup:
    if site_id not in known:
        return words(site_id)
    return el("a", words(known[site_id]), href=f"{site_id}.html")


def _places(site: Site) -> Markup:
    """Return where it was believed to be before."""
    if not site.placements:
        return NOTHING
    return joined(
        [el("h3", "Earlier places"), el("ul", *(el("li", _place(each)) for each in site.placements))]
    )


def _place(placement: Placement) -> Markup:
    point = None if placement.geometry is None else placement.geometry.representative_point()
    where = "not placed" if point is None else f"{point.y:.5f}, {point.x:.5f}"
    about = (
        placement.accuracy_m and f"good to about {length_words(placement.accuracy_m)}",
        placement.source,
        placement.until and f"until {placement.until.text}",
    )
    return joined([where, *(joined([", ", words(part)]) for part in about if part)])
