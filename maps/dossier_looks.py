"""The looks of a dossier: a calendar with its denominators, counts, sizes that would have been seen."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from types import MappingProxyType
from typing import TYPE_CHECKING

from imagery.change.detectable_words import sizes_of
from imagery.model import NO_MASK, Outcome
from maps.charts import Chart, Dot, Line, svg
from maps.markup import NOTHING, Markup, el, joined, trusted, words
from maps.words import JUDGED, count_outcomes, looks_summary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from imagery.change.detectable_words import Sizes
    from imagery.model import Look
    from maps.view import SiteEntry

MEANINGS = MappingProxyType(
    {
        "Unchanged": "judged, as before",
        "Changed": "judged, differs from before",
        "Learning": "clear, too little history to judge by",
        "Obscured": "cloud, shadow, snow or missing data",
        "Failed": "the look could not be made",
        "NoScene": "due, but no image was taken",
    }
)
_CELLS = MappingProxyType(
    {
        "Unchanged": "c-u",
        "Changed": "c-c",
        "Learning": "c-l",
        "Obscured": "c-o",
        "Failed": "c-f",
        "NoScene": "c-n",
    }
)
_CLEAR = frozenset({Outcome.UNCHANGED, Outcome.CHANGED, Outcome.LEARNING})
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def looks_section(entry: SiteEntry, thresholds: Sequence[str]) -> Markup:
    """Return what the looks of a site can say and what they can't."""
    first, *others = looks_summary(entry)
    verdict = el("p", el("strong", first), *(f" {each}" for each in others), class_="verdict")
    looks = sorted(entry.looks, key=lambda look: (look.solar_day, look.series))
    parts = [el("h2", "Looks", id="looks-title"), verdict]
    if looks or entry.no_scenes:
        parts += [_counts(entry), _calendar(entry, looks), _sizes(looks), _plot(looks), _table(looks)]
        if thresholds:
            parts.append(el("ul", *(el("li", words(each)) for each in thresholds), class_="fine thresholds"))
    return el("section", *parts, class_="looks", aria_labelledby="looks-title")


def _counts(entry: SiteEntry) -> Markup:
    counts = count_outcomes([entry])
    rows = [
        el(
            "tr",
            el("th", _cell(name), f" {_label(name)}", scope="row"),
            el("td", str(counts[name]), class_="number"),
            el("td", meaning, class_="means"),
        )
        for name, meaning in MEANINGS.items()
    ]
    head = el("tr", *(el("th", each, scope="col") for each in ("Outcome", "Looks", "What it means")))
    caption = el("caption", f"How {_number(len(entry.looks), 'look')} ended")
    return el("table", caption, el("thead", head), el("tbody", *rows), class_="outcomes")


def _label(name: str) -> str:
    return "No scene" if name == "NoScene" else name


def _cell(name: str, title: str | None = None) -> Markup:
    # Thousands of them may stand in a page.
    return el("i", class_=_CELLS[name], title=title)


def _calendar(entry: SiteEntry, looks: Sequence[Look]) -> Markup:
    """Return years down, months across; a year without looks is drawn too, because the gap says something."""
    cells: defaultdict[tuple[int, int], list[tuple[date, str, str]]] = defaultdict(list)
    for look in looks:
        kind = " (simulated)" if look.simulated else ""
        title = f"{look.solar_day} {look.outcome}, {look.platform}{kind}"
        cells[look.solar_day.year, look.solar_day.month].append((look.solar_day, look.outcome.value, title))
    for gap in entry.no_scenes:
        title = f"{gap.start} no scene"
        cells[gap.start.year, gap.start.month].append((gap.start, "NoScene", title))
    years = [year for year, _ in cells]
    names = (el("th", el("abbr", month[0], title=month), scope="col") for month in _MONTHS)
    head = el("tr", el("th", "Year", scope="col"), *names, el("th", "Clear", scope="col"))
    rows = [_year(year, cells) for year in range(min(years), max(years) + 1)]
    told = "Looks by month. The last column is the denominator: how many of the year's looks were clear."
    table = el("table", el("caption", told), el("thead", head), el("tbody", *rows), class_="calendar")
    return el("div", table, class_="table-frame", tabindex="0", role="region", aria_label="Calendar of looks")


def _year(year: int, cells: defaultdict[tuple[int, int], list[tuple[date, str, str]]]) -> Markup:
    months = [sorted(cells.get((year, month), ())) for month in range(1, 13)]
    outcomes = Counter(name for month in months for _, name, _ in month if name != "NoScene")
    clear = sum(outcomes[outcome.value] for outcome in _CLEAR)
    share = f"{clear} of {outcomes.total()}" if outcomes else "no look"
    return el(
        "tr", el("th", str(year), scope="row"), *map(_month, months), el("td", share, class_="number share")
    )


def _month(looks: Sequence[tuple[date, str, str]]) -> Markup:
    if not looks:
        return el("td")
    counts = Counter(_label(name).lower() for _, name, _ in looks)
    told = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    return el("td", *(_cell(name, title) for _, name, title in looks), el("span", told, class_="unseen"))


def _sizes(looks: Sequence[Look]) -> Markup:
    """Return how small a building would have been seen, series by series, and since when."""
    told: defaultdict[str, list[tuple[Look, Sizes]]] = defaultdict(list)
    for look in looks:
        sizes = sizes_of(look)
        if sizes is not None:
            told[look.series].append((look, sizes))
    title = el("h3", "The smallest building that would have been seen")
    if not told:
        words_ = "No look kept here tells it yet, so what would have been missed is not known."
        return joined([title, el("p", words_)])
    rows = [_size_row(series, each) for series, each in sorted(told.items())]
    columns = ("Series", "Told since", "Latest", "Half of the time", "Nine times in ten", "Range since")
    caption = el("caption", "Side of a square roof that the latest clear looks would have shown, by series")
    head = el("tr", *(el("th", each, scope="col") for each in columns))
    table = el("table", caption, el("thead", head), el("tbody", *rows), class_="sizes")
    what = next(iter(told.values()))[-1][1]
    note = el(
        "p", f"Of {what.what} in {what.looks} clear looks. What is smaller may have come and gone unseen."
    )
    sentence = [
        el("p", _size_sentence(series, each), class_="verdict") for series, each in sorted(told.items())
    ]
    return joined([title, *sentence, _framed(table, "Smallest building seen"), note])


def _size_sentence(series: str, told: Sequence[tuple[Look, Sizes]]) -> str:
    (first, _), (last, sizes) = told[0], told[-1]
    if math.isinf(sizes.nine_m):
        half = "nothing that was tried" if math.isinf(sizes.half_m) else f"{sizes.half_m:.0f} m"
        return f"{series}: no size that was tried is seen nine times in ten; half of the time, {half}."
    return (
        f"{series}: down to {sizes.nine_m:.0f} m would have been seen, nine times in ten, as of "
        f"{last.solar_day}; such a figure is known since {first.solar_day}."
    )


def _size_row(series: str, told: Sequence[tuple[Look, Sizes]]) -> Markup:
    last, sizes = told[-1]
    known = [each.nine_m for _, each in told]
    cells = (
        told[0][0].solar_day.isoformat(),
        last.solar_day.isoformat(),
        _metres(sizes.half_m),
        _metres(sizes.nine_m),
        _metres(min(known))
        if min(known) == max(known)
        else f"{_metres(min(known))} to {_metres(max(known))}",
    )
    return el("tr", el("th", words(series), scope="row"), *(el("td", each) for each in cells))


def _metres(side_m: float) -> str:
    return "more than was tried" if math.isinf(side_m) else f"{side_m:.0f} m"


def _plot(looks: Sequence[Look]) -> Markup:
    """Return the score of each judged look over its threshold, by series."""
    lines: defaultdict[str, list[Dot]] = defaultdict(list)
    for look in looks:
        if look.outcome in JUDGED and look.score is not None and look.threshold:
            ratio = look.score / look.threshold
            if math.isfinite(ratio):
                lines[look.series].append(Dot(_year_of(look.solar_day), ratio, ratio, ratio))
    if not lines:
        return NOTHING
    places = [dot.x for dots in lines.values() for dot in dots]
    years = range(math.floor(min(places)), math.ceil(max(places)) + 1)
    step = max(1, math.ceil(len(years) / 8))
    chart = Chart(
        title="How much each judged look stood out",
        x_label="year",
        y_label="score over threshold",
        lines=tuple(Line(name, tuple(dots), joined=False) for name, dots in sorted(lines.items())),
        note="Above the dashed line a look stands out; a detection also takes a second look that agrees.",
        x_ticks=tuple((float(year), str(year)) for year in years[::step]),
        levels=(1.0,),
    )
    # it scrolls where it is wider than a phone, so keys must reach it
    return el("div", trusted(svg(chart)), class_="plot", tabindex="0", role="region", aria_label=chart.title)


def _year_of(day: date) -> float:
    return day.year + (day.timetuple().tm_yday - 1) / 366.0


def _table(looks: Sequence[Look]) -> Markup:
    if not looks:
        return NOTHING
    columns = ("Day", "Outcome", "Sensor", "Clear", "Mask", "Why")
    head = el("tr", *(el("th", each, scope="col") for each in columns))
    caption = el("caption", "Every look, the latest first")
    table = el("table", caption, el("thead", head), el("tbody", *map(_row, reversed(looks))))
    summary = el("summary", f"All {_number(len(looks), 'look')} as a table")
    return el("details", summary, _framed(table, "All looks"), class_="all-looks")


def _row(look: Look) -> Markup:
    is_masked = look.mask_scheme != NO_MASK
    badge = el("span", "simulated", class_="badge simulated") if look.simulated else None
    return el(
        "tr",
        el("td", look.solar_day.isoformat(), class_="day"),
        el("td", _cell(look.outcome.value), f" {look.outcome}"),
        el("td", words(look.platform), badge),
        el("td", f"{look.clear_fraction:.0%}" if is_masked else "not known", class_="number"),
        el("td", words(look.mask_scheme)),
        el("td", words(look.reason)),
    )


def _framed(table: Markup, label: str) -> Markup:
    return el("div", table, class_="table-frame", tabindex="0", role="region", aria_label=label)


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
