"""Sites by province, county or category, and what is counted of each group beside its denominators."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from geo.errors import InputError
from imagery.change.bounds import Rate, rate
from maps.counties import counties
from maps.provinces import PROVINCES, How, province_of, whereabouts
from maps.symbols import SYMBOLS
from maps.tally import Count, Tally, Watched, What
from sites.romanisation import sound_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo.dates import Span
    from maps.counties import County
    from maps.provinces import Province, Whereabouts
    from maps.view import SiteEntry
    from sites.categories import Category

    Mask = NDArray[np.bool_]


MOST_GROUPS = 200
"""Counties, or texts that name no province we know, with a group of their own; those with most sites."""


class By(StrEnum):
    """What sites are grouped by."""

    PROVINCE = "province"
    COUNTY = "county"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class Group:
    """Some sites with a name."""

    spec: str
    """What `Regions.group` reads: ``province=chagang``."""
    label: str
    chosen: Mask = field(repr=False)
    """By site."""
    remark: str = ""
    """What must be known of how its sites were found."""


@dataclass(frozen=True, slots=True)
class Row:
    """A group in a span, with everything that is counted and what stands behind it."""

    group: Group
    watched: Watched
    counts: dict[What, Count]
    detected: Rate | None
    """Detections per site-year, with the exact 95 % interval; None where no look could judge anything."""

    @property
    def per_100_looks(self) -> float | None:
        """Detections per 100 looks that could be judged; None where there was none."""
        judged = self.watched.judged
        return 100.0 * self.counts[What.DETECTIONS].count / judged if judged else None


@dataclass(frozen=True, slots=True)
class Regions:
    """The sites of a page, grouped."""

    tally: Tally
    categories: tuple[Category, ...]
    """By site, as all that follow."""
    where: tuple[Whereabouts, ...]
    counties: tuple[County, ...]

    @classmethod
    def of(cls, entries: Sequence[SiteEntry]) -> Regions:
        """Place every site and gather what is counted of it."""
        sites = [entry.site for entry in entries]
        categories = tuple(site.category for site in sites)
        return cls(Tally.of(entries), categories, whereabouts(sites), counties(sites))

    def groups(self, by: By) -> tuple[Group, ...]:
        """Return all groups, those without a site among the provinces too; together they hold every site."""
        if by is By.PROVINCE:
            return (*(self._province(each) for each in PROVINCES), *self._strangers())
        if by is By.CATEGORY:
            return tuple(self._category(each) for each in sorted(set(self.categories)))
        return self._apart("county", [county.name for county in self.counties], "No county known")

    def group(self, text: str) -> Group:
        """Return the group that a text names: a province, a county, a category, or several joined by ``+``.

        ``Pyongyang``, ``county=Sinuiju``, ``factory``, ``Chongjin+factory``.

        Raises:
            InputError: Nothing here is called so; the hint names what is spelt alike.
        """
        parts = [self._named(part.strip()) for part in text.split("+")]
        chosen = np.logical_and.reduce([part.chosen for part in parts])
        spec, label = "+".join(part.spec for part in parts), ", ".join(part.label for part in parts)
        return Group(spec, label, chosen, " ".join(part.remark for part in parts if part.remark))

    def row(self, group: Group, span: Span | None = None) -> Row:
        """Return everything that is counted of a group in a span; all time when None."""
        watched = self.tally.watched(group.chosen, span)
        counts = {what: self.tally.count(what, group.chosen, span) for what in What}
        found = counts[What.DETECTIONS].count
        detected = rate(found, watched.site_years) if watched.judged and watched.site_years else None
        return Row(group, watched, counts, detected)

    def table(self, by: By, span: Span | None = None) -> tuple[Row, ...]:
        """Return a row for each group."""
        return tuple(self.row(group, span) for group in self.groups(by))

    def _province(self, province: Province) -> Group:
        chosen = self._mask([each.province is province for each in self.where])
        remark = "" if province.has_outline else f"{province.name} has no outline of its own on the map."
        return Group(f"province={province.id}", province.name, chosen, remark)

    def _strangers(self) -> tuple[Group, ...]:
        """Return the groups of sites in no province of the DPRK: by what is written, and the rest."""
        said = [each.said if each.how is How.NONE else None for each in self.where]
        return self._apart("province", said, "No province known")

    def _apart(self, key: str, names: Sequence[str | None], unnamed: str) -> tuple[Group, ...]:
        """Return a group for each name, most sites first beyond `MOST_GROUPS`, and one for those without."""
        counts = Counter(name for name in names if name)
        kept = sorted(name for name, _ in counts.most_common(MOST_GROUPS))
        chosen = set(kept)
        make = self._county if key == "county" else self._stranger
        rest = self._mask([name is not None and name not in chosen for name in names])
        others = Group("", unnamed if len(kept) == len(counts) else f"{unnamed}, or another", rest)
        return (*(make(name) for name in kept), *([others] if rest.any() else ()))

    def _stranger(self, text: str) -> Group:
        chosen = self._mask([each.how is How.NONE and each.said == text for each in self.where])
        return Group(f"province={text}", text, chosen, "No province of the basemap.")

    def _county(self, name: str) -> Group:
        chosen = self._mask([county.name == name for county in self.counties])
        by_name = sum(county.name == name and county.by_name for county in self.counties)
        told = f"{by_name} of {int(chosen.sum())} sites are in {name} by their own name alone."
        return Group(f"county={name}", name, chosen, told if by_name else "")

    def _category(self, category: Category) -> Group:
        chosen = self._mask([each == category for each in self.categories])
        return Group(f"category={category}", SYMBOLS[category].label, chosen)

    def _named(self, text: str) -> Group:
        kind, equals, name = text.partition("=")
        tries = {
            "province": self._find_province,
            "county": self._find_county,
            "category": self._find_category,
        }
        asked = [tries[kind]] if equals and kind in tries else list(tries.values())
        name = name if len(asked) == 1 else text
        found = next((group for find in asked if name and (group := find(name)) is not None), None)
        if found is None:
            problem = f"no province, county or category is called {name[:64]!r}"
            raise InputError(problem, hint=self._near(name))
        return found

    def _find_province(self, name: str) -> Group | None:
        province = province_of(name.replace("-", " ")) or province_of(name)
        if province is not None:
            return self._province(province)
        found = self._stranger(name)
        return found if found.chosen.any() else None

    def _find_county(self, name: str) -> Group | None:
        known = {sound_key(county.name): county.name for county in self.counties if county.name}
        found = known.get(sound_key(name))
        return None if found is None else self._county(found)

    def _find_category(self, name: str) -> Group | None:
        plain = name.lower().replace(" ", "_").replace("-", "_")
        return next((self._category(each) for each in set(self.categories) if plain == each), None)

    def _near(self, name: str) -> str:
        known = [group.label for by in By for group in self.groups(by) if group.spec]
        near = get_close_matches(name[:64], known, n=3, cutoff=0.5)
        return f"Did you mean {', '.join(near)}?" if near else "`sitewatch regions` lists the provinces"

    @staticmethod
    def _mask(flags: Sequence[bool]) -> Mask:
        return np.array(flags, bool)
