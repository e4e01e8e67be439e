"""What a query says: words that name a site, words for its kind, and fillers."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from sites.categories import Category
from sites.romanisation import key_of, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_QUERY = 200
"""Characters that are looked at."""

FILLERS = frozenset({"a", "an", "and", "at", "by", "in", "near", "of", "on", "the"})

KIND_WORDS: Mapping[str, Category] = MappingProxyType(
    {
        word: category
        for category, words in (
            (Category.MARKET, "market markets sijang jangmadang 시장 장마당"),
            (Category.BRIDGE, "bridge bridges 다리 철교 대교 taegyo daegyo"),
            (Category.CUSTOMS, "customs 세관 segwan"),
            (Category.FACTORY, "factory works mill 공장 kongjang gongjang"),
            (Category.POWER_STATION, "power hydro dam 발전소"),
            (Category.MINE, "mine mines 광산 탄광 kwangsan gwangsan"),
            (Category.PORT, "port harbour harbor 항"),
            (Category.RAIL, "station railway rail 역"),
            (Category.SEZ, "zone sez 지구 지대 특구"),
            (Category.QUARANTINE, "quarantine 검역소"),
            (Category.STORAGE, "storage depot 창고"),
            (Category.BORDER_CROSSING, "crossing border"),
            (Category.AIRFIELD, "airport airfield airbase 비행장 공항"),
        )
        for word in words.split()
    }
)
"""Words that say what kind of place is meant, in English, Korean, and romanised Korean."""


# A single syllable such as 항 or 역 ends too many words that mean no port and no station.
_ENDINGS = tuple(word for word in KIND_WORDS if len(word) > 1)


@dataclass(frozen=True, slots=True)
class Words:
    """A name or a query, taken apart."""

    plain: str
    """Without case, accents and apostrophes."""
    key: str
    """Sound key of all words in a row, fillers left out."""
    naming_key: str
    """The same without the words for a kind."""
    sounds: tuple[str, ...]
    """Sound key of each word."""
    naming: tuple[str, ...]
    """Sound key of each word that is not for a kind."""
    kinds: frozenset[Category]

    @classmethod
    def of(cls, text: str) -> Self:
        """Take a text apart; Korean endings such as 시장 are words of their own."""
        whole = plain(text[:MAX_QUERY])
        words = [word for word in whole.split() if word not in FILLERS]
        ends = [_kind(word) for word in words]
        key, sounds = key_of(words), sound_words(words)
        if not any(ends):
            return cls(whole, key, key, sounds, sounds, frozenset())
        bare = [word.removesuffix(end) for word, end in zip(words, ends, strict=True)]
        kinds = frozenset(KIND_WORDS[end] for end in ends if end)
        return cls(whole, key, key_of(bare), sounds, sound_words(bare), kinds)


def sound_words(words: Iterable[str]) -> tuple[str, ...]:
    """Return the sound key of each plain word that has one."""
    return tuple(sound for word in words if (sound := key_of((word,))))


def _kind(word: str) -> str:
    """Return the word or Korean ending that says a kind, or an empty text."""
    if word in KIND_WORDS:
        return word
    if word.isascii():
        return ""
    return max(filter(word.endswith, _ENDINGS), key=len, default="") if word.endswith(_ENDINGS) else ""
