"""Which county or city a site belongs to: what is written, else a county's name inside the site's own."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from sites.romanisation import plain, sound_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sites.model import Site


@dataclass(frozen=True, slots=True)
class County:
    """The county of one site."""

    name: str
    """In the spelling that most sites use; empty when nothing says it."""
    by_name: bool = False
    """True: not written, but the site's name holds it (``Chongjin Port``)."""


NOWHERE = County("")


def counties(sites: Sequence[Site]) -> tuple[County, ...]:
    """Return the county of each site.

    A county is known when any site of the catalogue is written to lie in it. Sites without one belong to
    the county that the first of their names says first: `Chongjin Port` lies in Chongjin.
    """
    known = _known(sites)
    return tuple(_county(site, known) for site in sites)


def _known(sites: Sequence[Site]) -> Mapping[str, str]:
    spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for site in sites:
        if site.county and (key := sound_key(site.county)):
            spellings[key][site.county] += 1
    return {key: min(found, key=lambda text: (-found[text], text)) for key, found in spellings.items()}


def _county(site: Site, known: Mapping[str, str]) -> County:
    if site.county:
        return County(known.get(sound_key(site.county), site.county))
    for name in site.names:
        for word in plain(name.text).split():
            if (found := known.get(_sound(word))) is not None:
                return County(found, by_name=True)
    return NOWHERE


@lru_cache(maxsize=65_536)
def _sound(word: str) -> str:
    return sound_key(word)
