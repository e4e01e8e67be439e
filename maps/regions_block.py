"""Where each site of a page lies, and what its notes and looks count as: the block ``sitewatch-regions``.

Days and the order of notes are those of the block ``sitewatch-times``, which it is read beside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maps.counties import counties
from maps.provinces import PROVINCES, How, province_of, whereabouts
from maps.regions import MOST_GROUPS
from maps.tally import speaks_of_investment
from maps.timeline import day_number, extent, note_order
from maps.words import JUDGED
from sites.observation import Expectation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from maps.counties import County
    from maps.provinces import Whereabouts
    from maps.view import MapView, SiteEntry
    from sites.context import Series

CONSTRUCTION, INVESTMENT, CHANGES, REPLACED = 1, 2, 4, 8
"""Bits of a note."""


def regions_block(view: MapView) -> dict[str, Any]:
    """Return the block; columns are by site, `bits` by note, ``judged`` by site with a judged look."""
    sites = [entry.site for entry in view.entries]
    where = whereabouts(sites)
    return {
        "provinces": [
            {
                "id": each.id,
                "name": each.name,
                "ko": each.name_ko,
                "outline": each.outline,
                "own": each.has_outline,
            }
            for each in PROVINCES
        ],
        **_strangers(where),
        "how": {str(how): sum(each.how is how for each in where) for how in How},
        **_counties(counties(sites)),
        "bits": [bit for entry in view.entries for bit in _bits(entry)],
        "judged": _judged(view.entries),
        "series": _series(view.context.series),
    }


def _strangers(where: Sequence[Whereabouts]) -> dict[str, Any]:
    """Return by site the position of its province, of its text beyond them, or -1."""
    names = _most(each.said for each in where)
    place = {name: len(PROVINCES) + number for number, name in enumerate(names)}
    known = {each.id: number for number, each in enumerate(PROVINCES)}
    unit = [place.get(each.said, -1) if each.province is None else known[each.province.id] for each in where]
    return {"strangers": names, "unit": unit}


def _counties(found: Sequence[County]) -> dict[str, Any]:
    names = _most(each.name for each in found)
    place = {name: number for number, name in enumerate(names)}
    by_name = [0] * len(names)
    for each in found:
        if each.by_name and each.name in place:
            by_name[place[each.name]] += 1
    return {
        "counties": names,
        "county": [place.get(each.name, -1) for each in found],
        "countyByName": by_name,
    }


def _most(names: Iterable[str]) -> list[str]:
    counts: dict[str, int] = {}
    for name in names:
        if name:
            counts[name] = counts.get(name, 0) + 1
    return sorted(sorted(counts, key=lambda name: (-counts[name], name))[:MOST_GROUPS])


def _bits(entry: SiteEntry) -> Iterable[int]:
    replaced = {note.supersedes for note in entry.site.observations if note.supersedes}
    for note in sorted(entry.site.observations, key=note_order):
        yield (
            CONSTRUCTION * (note.expects is Expectation.CONSTRUCTION)
            + INVESTMENT * speaks_of_investment(note)
            + CHANGES * (note.expects is not None)
            + REPLACED * (note.id in replaced)
        )


def _judged(entries: Sequence[SiteEntry]) -> dict[str, list[int]]:
    """Return, of each site with a look that could be judged, its position and the first and last such day."""
    rows = [
        (number, min(days), max(days))
        for number, entry in enumerate(entries)
        if (days := [day_number(look.solar_day) for look in entry.looks if look.outcome in JUDGED])
    ]
    site, first, last = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    return {"site": site, "first": first, "last": last}


def _series(found: Sequence[Series]) -> list[dict[str, Any]]:
    """Return the figures that are told of more than one province, by quantity and unit.

    Each is its province, then start, length and code of its date, its date as written, its value and flag.
    """
    known = {each.id: number for number, each in enumerate(PROVINCES)}
    grouped: dict[tuple[str, str], list[list[Any]]] = {}
    for series in found:
        province = province_of(series.place)
        if province is None:
            continue
        rows = grouped.setdefault((series.quantity, series.unit), [])
        rows += [
            [known[province.id], *extent(point.date).row, point.date.text, point.value, str(point.flag or "")]
            for point in sorted(series.points, key=lambda point: point.date.sort_key())
        ]
    return [
        {"quantity": quantity.replace("_", " "), "unit": unit, "figures": rows}
        for (quantity, unit), rows in sorted(grouped.items())
        if len({row[0] for row in rows}) > 1
    ]
