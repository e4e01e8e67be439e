"""Search over all names of all sites, in every script and spelling, with the reason for each match.

Names and queries become sound keys (`sites.romanisation`). Trigrams (`sites.trigrams`) find the names
that are at all alike; the best of them are compared word by word and letter by letter. Words for a
category, a province or a county count for the sites of that kind and place.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Self

import numpy as np

from sites.categories import Category
from sites.query import Words, sound_words
from sites.romanisation import has_hangul, plain
from sites.trigrams import Trigrams

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo.dates import Span
    from sites.model import Site

LEAST_SCORE = 0.35
"""Below this a name is not like the query."""

_KINDS = {category: rank for rank, category in enumerate(Category)}
_COMPARED_SITES = 30
_COMPARED_NAMES = 3
_KIND_BONUS = 0.15
_PLACE_BONUS = 0.15
_WORD_ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class Match:
    """One site that a query may mean."""

    site: Site
    score: float
    """Larger is better; 1 or more for a name written as it is."""
    name: str
    """The name that matched, or the shown one where only kind or place did."""
    why: str
    """In words: ``the name 'Hoeryong Market', romanised otherwise; category market``."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What every match must be; None lets everything through."""

    category: Category | None = None
    province: str | None = None
    """In any spelling."""
    within: BaseGeometry | None = None
    """``lon, lat``; the site's point lies in it."""
    span: Span | None = None
    """The date of one of its notes may fall into it."""

    def admit(self, site: Site) -> bool:
        """Tell whether a site is let through."""
        if self.category is not None and site.category is not self.category:
            return False
        if self.province is not None and not set(_sounds(self.province)) <= set(_sounds(site.province)):
            return False
        if self.within is not None and (site.point is None or not self.within.covers(site.point)):
            return False
        return self.span is None or any(note.date.overlaps(self.span) for note in site.observations)


@dataclass(frozen=True, slots=True, eq=False)
class SiteIndex:
    """The names of a catalogue, ready to be searched."""

    sites: tuple[Site, ...]
    names: tuple[str, ...]
    """All names, site by site."""
    words: tuple[Words, ...]
    """Each name taken apart."""
    first_name: NDArray[np.int64]
    """``(site + 1,)``: where the names of each site begin."""
    trigrams: Trigrams
    """Of the keys of all names, then of all keys without the words for a kind."""
    kinds: NDArray[np.int64]
    """``(site,)``: position of its category among all."""
    places: tuple[frozenset[str], ...]
    """Sounds of every pair of province and county that occurs."""
    place_of: NDArray[np.int64]
    """``(site,)``: position in `places`."""

    @classmethod
    def of(cls, sites: Iterable[Site]) -> Self:
        """Index the names of these sites."""
        chosen = tuple(sites)
        names = tuple(name.text for site in chosen for name in site.names)
        words = tuple(Words.of(name) for name in names)
        counts = [len(site.names) for site in chosen]
        keys = [*(item.key for item in words), *(item.naming_key for item in words)]
        first_name = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        kinds = np.array([_KINDS[site.category] for site in chosen], dtype=np.int64)
        homes = [(site.province, site.county) for site in chosen]
        known = {home: rank for rank, home in enumerate(dict.fromkeys(homes))}
        places = tuple(frozenset((*_sounds(province), *_sounds(county))) for province, county in known)
        place_of = np.array([known[home] for home in homes], dtype=np.int64)
        return cls(chosen, names, words, first_name, Trigrams.of(keys), kinds, places, place_of)

    def search(self, query: str, filters: Filters | None = None, *, limit: int = 10) -> tuple[Match, ...]:
        """Return the sites that a query may mean, best first, at most `limit`.

        Args:
            query: A name or a part of one, in any script; words for kinds and provinces help.
                Without words: every site that the filters let through, by id.
            filters: What every match must be.
            limit: How many.
        """
        admit = (filters or Filters()).admit
        matches: list[Match] = []
        for match in self._ranked(Words.of(query)):
            if len(matches) >= limit:
                break
            if admit(match.site):
                matches.append(match)
        return tuple(matches)

    def _ranked(self, asked: Words) -> Iterator[Match]:
        if not self.sites or not asked.sounds:
            ordered = sorted(self.sites, key=lambda site: site.id)
            yield from (Match(site, 0.0, site.name, "every site") for site in ordered)
            return
        likeness = self._likeness(asked)
        rough = np.maximum.reduceat(likeness, self.first_name[:-1]) + self._bonus(asked)
        order = np.argsort(-rough, kind="stable")
        best = (self._compare(asked, int(rank), likeness) for rank in order[:_COMPARED_SITES])
        found = [match for match in best if match is not None]
        yield from sorted(found, key=lambda match: (-match.score, match.site.id))
        for rank in order[_COMPARED_SITES:]:
            if rough[rank] < _KIND_BONUS:
                return
            match = self._compare(asked, int(rank), likeness)
            if match is not None:
                yield match

    def _likeness(self, asked: Words) -> NDArray[np.float64]:
        """Return the likeness of every name, ``(name,)``, with or without its words for a kind."""
        count = len(self.names)
        whole = self.trigrams.likeness(asked.key)[:count]
        if not asked.naming_key:
            return whole
        return np.maximum(whole, self.trigrams.likeness(asked.naming_key)[count:])

    def _bonus(self, asked: Words) -> NDArray[np.float64]:
        fits_kind = np.array([kind in asked.kinds for kind in _KINDS], dtype=np.float64)
        fits_place = np.array([not place.isdisjoint(asked.naming) for place in self.places], dtype=np.float64)
        return _KIND_BONUS * fits_kind[self.kinds] + _PLACE_BONUS * fits_place[self.place_of]

    def _compare(self, asked: Words, rank: int, likeness: NDArray[np.float64]) -> Match | None:
        """Return the match of one site, its names compared closely; None where it is none."""
        site, first = self.sites[rank], int(self.first_name[rank])
        names = range(first, int(self.first_name[rank + 1]))
        nearest = sorted(names, key=lambda name: -likeness[name])[:_COMPARED_NAMES]
        known = frozenset(sound for name in names for sound in self.words[name].sounds)
        home = self.places[int(self.place_of[rank])]
        letters = {name: _letters(asked, self.words[name]) for name in nearest}
        best = max(nearest, key=lambda name: (self.words[name].plain == asked.plain, letters[name]))
        score = (
            0.25 * float(likeness[best]) + 0.35 * letters[best] + 0.4 * _covered(asked.sounds, known | home)
        )
        fits_kind = site.category in asked.kinds
        fits_place = not home.isdisjoint(asked.naming)
        is_alike = score >= LEAST_SCORE
        reasons = [_reason(asked, self.names[best], self.words[best], score)] if is_alike else []
        reasons += [f"category {site.category}"] if fits_kind else []
        reasons += [f"in {site.province or site.county}"] if fits_place else []
        if not reasons:
            return None
        bonus = _KIND_BONUS * fits_kind + _PLACE_BONUS * fits_place
        is_written_so = 0.1 * any(self.words[name].plain == asked.plain for name in names)
        shown = self.names[best] if is_alike else site.name
        return Match(site, round(score + bonus + is_written_so, 4), shown, "; ".join(reasons))


def _letters(asked: Words, name: Words) -> float:
    """Return how alike two names are letter by letter, 0 to 1; a part of a name counts nearly whole."""
    best = max(_ratio(asked.key, name.key), _ratio(asked.naming_key, name.naming_key))
    is_part = len(asked.key) > 3 and asked.key in name.key  # noqa: PLR2004 - shorter ones are in everything
    return max(best, 0.9) if is_part else best


def _covered(asked: tuple[str, ...], known: frozenset[str]) -> float:
    """Return the share of the words asked for that a site's names and places hold, or nearly so."""
    return sum(1.0 if word in known else _nearest(word, known) for word in asked) / len(asked)


def _nearest(word: str, known: frozenset[str]) -> float:
    pairs = _pairs(word)
    best = 0.0
    for other in known:
        if len(word) > 2 and other.startswith(word):  # noqa: PLR2004 - one or two letters begin anything
            best = max(best, 0.9)
        others = _pairs(other)
        best = max(best, 2 * len(pairs & others) / (len(pairs) + len(others)))
    return best if best >= _WORD_ALIKE else 0.0


def _pairs(word: str) -> set[str]:
    marked = f"^{word}$"
    return {marked[index : index + 2] for index in range(len(marked) - 1)}


def _reason(asked: Words, name: str, words: Words, score: float) -> str:
    if words.plain == asked.plain:
        return f"the name {name!r}"
    if words.plain.replace(" ", "") == asked.plain.replace(" ", ""):
        return f"the name {name!r}, spaced otherwise"
    if words.key == asked.key:
        other = "in another script" if has_hangul(name) != has_hangul(asked.plain) else "romanised otherwise"
        return f"the name {name!r}, {other}"
    if set(asked.sounds) <= set(words.sounds):
        return f"words of the name {name!r}"
    return f"the name {name!r}, alike to {min(score, 0.99):.0%}"


def _sounds(text: str | None) -> tuple[str, ...]:
    return sound_words(plain(text or "").split())


def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio() if one and other else 0.0
