"""Korean in Latin letters, and a key that is the same for every way of writing it.

`romanise` spells letter by letter with the Revised Romanisation (Ministry of Culture and Tourism,
notification 2000-8). `sound_key` folds that, McCune-Reischauer (1939, with or without its breves and
apostrophes), the North's own spelling and the usual English habits into one form, so that 회령,
Hoeryong, Hoeryŏng, Hoeryeong and "hoe ryong" meet.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# In the order in which Unicode composes syllables (The Unicode Standard, section 3.12).
_INITIALS = tuple("g kk n d tt r m b pp s ss _ j jj ch k t p h".split())  # noqa: SIM905 - reads as a table
_MEDIALS = tuple("a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split())  # noqa: SIM905 - the same
_FINALS = tuple("_ k k k n n n t l k m l l l p l m p p t t ng t t k t p t".split())  # noqa: SIM905 - the same

# Accents (U+0300 to U+036F) and what stands for an apostrophe.
_MARKS = re.compile("['`\u0300-\u036f\u00b4\u02bb\u02bc\u2018\u2019]")
_NOT_LETTERS = re.compile(r"[\W_]+")
_HANGUL = re.compile("[\uac00-\ud7a3]")

_FIRST_SYLLABLE = 0xAC00
_LAST_SYLLABLE = 0xD7A3
_FINALS_A_MEDIAL = len(_FINALS)
_SYLLABLES_AN_INITIAL = len(_MEDIALS) * _FINALS_A_MEDIAL

# Read in order; each line folds one habit. Sounds that the systems spell apart, or that assimilate
# in speech and then are or are not written so, fall together.
_FOLDS = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"tch|ch|j|zh", "C"),  # McCune-Reischauer ch is Revised j or ch
        (r"c|q|gg|kk|kh|g", "k"),
        (r"dd|tt|th|d", "t"),
        (r"bb|pp|ph|b|f", "p"),
        (r"sh|ss|z", "s"),
        (r"C+", "c"),
        (r"l", "r"),
        (r"yeo|yo", "yo"),
        (r"weo", "wo"),
        (r"eo", "o"),
        (r"oo|eu|ou", "u"),
        (r"ee|ui|eui", "i"),
        (r"ae|ai", "e"),
        (r"oe", "we"),
        (r"nr|rn", "r"),  # Chollima, Cheonrima
        (r"p(?=[nrm])", "m"),  # Amnok, Amrok, Aprok
        (r"(?<=m)r|(?<=nk)r", "n"),
        (r"(?<!n)k(?=[nrm])", "nk"),
        (r"(.)\1+", r"\1"),
    )
)
_FIRST_DROPPED = re.compile(r"[rn](?=[yi])")  # Ryongchon in the North, Yongcheon in the South


def romanise(text: str) -> str:
    """Return a text with its hangul syllables in Latin letters, letter by letter; the rest stays.

    >>> romanise("해방시장"), romanise("Musan")
    ('haebangsijang', 'Musan')
    """
    if text.isascii():
        return text
    return "".join(map(_syllable, unicodedata.normalize("NFC", text)))


def has_hangul(text: str) -> bool:
    """Tell whether a text holds a hangul syllable."""
    return _HANGUL.search(unicodedata.normalize("NFC", text)) is not None


def plain(text: str) -> str:
    """Return a text without case, accents and apostrophes; hangul whole, words parted by spaces.

    >>> plain("Ch'ŏngjin-Steel")
    'chongjin steel'
    """
    folded = unicodedata.normalize("NFKD", text.casefold())
    bare = unicodedata.normalize("NFC", _MARKS.sub("", folded))
    return " ".join(_NOT_LETTERS.sub(" ", bare).split())


def sound_key(text: str) -> str:
    """Return the key under which all spellings of a Korean name meet; without spaces.

    >>> sound_key("Hoeryŏng") == sound_key("hoe ryeong") == sound_key("회령")
    True
    """
    return key_of(plain(text).split())


def key_of(words: Iterable[str]) -> str:
    """Return the key of plain words in a row."""
    return _first_sound("".join(map(_folded, words)))


@lru_cache(maxsize=65_536)
def _folded(word: str) -> str:
    # Names share most of their words, and folding takes two dozen replacements.
    word = romanise(word)
    for pattern, replacement in _FOLDS:
        word = pattern.sub(replacement, word)
    return word


def _first_sound(key: str) -> str:
    """Fold the sound that North and South write apart at the beginning of a name: Rajin, Najin."""
    if _FIRST_DROPPED.match(key):
        return key[1:]
    return f"n{key[1:]}" if key.startswith("r") else key


@lru_cache(maxsize=16_384)
def _syllable(character: str) -> str:
    code = ord(character) - _FIRST_SYLLABLE
    if not 0 <= code <= _LAST_SYLLABLE - _FIRST_SYLLABLE:
        return character
    initial, rest = divmod(code, _SYLLABLES_AN_INITIAL)
    medial, final = divmod(rest, _FINALS_A_MEDIAL)
    return f"{_INITIALS[initial]}{_MEDIALS[medial]}{_FINALS[final]}".replace("_", "")
