"""Places that stand in running text: coordinates in any form that people write, found to be taken out.

Finding them to hide them is not reading them: a form too many costs a reader a number, one too few gives a
place away. So whatever looks like half a coordinate counts: a single number with three decimals, a single
angle, a code without its town. What only the parser knows (`geo.coordinates`) is found by asking it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from geo.coordinates import MAX_TEXT, parse_coordinate
from geo.errors import CoordinateError

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHHELD = "[place withheld]"

FINE_M = 20_000.0
"""What is written coarser than this tells of no place: 39, 126 may be numbers of anything."""

_SIGNS = str.maketrans(
    {
        **dict.fromkeys("º˚도度", "°"),
        **dict.fromkeys("′’‘ʹʼ´`분分", "'"),  # noqa: RUF001 - the signs people paste for minutes
        **dict.fromkeys("″”“ʺ초秒", '"'),
        **dict.fromkeys("\N{MINUS SIGN}\N{EN DASH}\N{EM DASH}\N{NON-BREAKING HYPHEN}\N{HYPHEN}", "-"),
        **dict.fromkeys("\N{MIDDLE DOT}\N{DOT OPERATOR}\N{BULLET}\N{IDEOGRAPHIC FULL STOP}", "."),
        **dict.fromkeys("\N{IDEOGRAPHIC COMMA}\N{ARABIC DECIMAL SEPARATOR}", ","),
    }
)
_AXIS = (
    r"(?:북위|남위|동경|서경|[위경][도°]|[北南][纬緯]|[东東西][经經経]|[纬緯经經経][度°]"
    r"|\b(?:latitude|lat|longitude|lon|lng|easting|northing)\b\.?)"
)
_ZONE = r"(?:\bEPSG:?\s?\d{4,6}\W+|\bzone\s?\d{1,2}\W+(?:[A-Z]|north|south)?\W*)"
_PLUS = "[23456789CFGHJMPQRVWX]"
_NUMBER = r"[-+]?\d{1,3}\s?\.\s?\d"

_DEGREES = r"\d{1,3}(?:[.,]\d+)?\s?(?:°(?!\s?[CFK]\b)|deg(?:rees?)?\b)"
_MINUTES = r"\s?\d{1,2}(?:[.,]\d+)?\s?(?:'|min\w*)?"
_SECONDS = r"\s?\d{1,2}(?:[.,]\d+)?\s?(?:\"|''|sec\w*)?"

_SURE = re.compile(
    "|".join(
        (
            # An angle with its sign; a temperature is none.
            rf"(?:\b[NSEW]\s?)?[-+]?{_DEGREES}(?:{_MINUTES}(?:{_SECONDS})?)?(?:\s?[NSEW]\b)?",
            # Half of a pair of decimal degrees, in itself fine enough; with a comma only where no thousand.
            r"(?<![\d.])[-+]?(?:1[0-7]\d|180|\d?\d)\s?\.\s?\d{3,}",
            r"(?<![\d.,])[-+]?(?:1[0-7]\d|180|\d?\d),\d{4,}",
            rf"{_NUMBER}+\s*[NSEW]?\s*[,;/\s]\s*[NSEW]?\s*{_NUMBER}+",
            r"\d{1,3},\d{1,3}\s*[;/]\s*\d{1,3},\d{1,3}",
            # After its name.
            rf"{_AXIS}\W{{0,4}}[-+]?\d[\d.,:°'\"\s]*",
            # Degrees and minutes that only a letter tells.
            r"\b[NSEW]\s?\d{1,3}(?:[\s:.'-]{1,2}\d{1,2}){1,2}(?:\.\d+)?",
            r"\b\d{1,3}(?:[\s:'-]{1,2}\d{1,2}){1,2}(?:\.\d+)?\s?[\"']{0,2}\s?[NSEW]\b",
            r"\b\d{1,3}\s?d\s?\d{1,2}(?:\.\d+)?\s?m?(?:\s?\d{1,2}(?:\.\d+)?\s?s)?\s?[NSEW]\b",
            r"\b\d{4,7}(?:\.\d+)?\s?[NS]\W{0,3}\d{5,8}(?:\.\d+)?\s?[EW]\b",
            r"\b[NS]\s?\d{4,7}(?:\.\d+)?\W{0,3}[EW]\s?\d{5,8}(?:\.\d+)?",
            # MGRS, with its zone or without.
            r"\b\d{1,2}\s?[C-HJ-NP-X]\s?[A-HJ-NP-Z]{2}\s?\d{1,5}[\s-]?\d{1,5}\b",
            r"\b[A-HJ-NP-Z]{2}\s?\d{3,5}\s?\d{3,5}\b",
            # UTM: an easting and a northing; or anything after the word.
            rf"{_ZONE}?\b\d{{6}}(?:[.,]\d+)?\s?m?\s?[EN]?[\s,;/]+(?:[EN]\W?)?\d{{7}}(?:[.,]\d+)?",
            r"\b\d{1,2}\s?[C-HJ-NP-X]\s+E?\s?\d{5,8}(?:\.\d+)?\s?m?E?[,\s]+N?\s?\d{1,8}(?:\.\d+)?",
            r"\bUTM\b[^\n;]{0,20}?\d[\d.,\sA-Z]{5,40}",
            rf"(?<!\w)(?:{_PLUS}{{8}}|{_PLUS}{{6}}|{_PLUS}{{4}}|(?=\d?[A-Z]){_PLUS}{{2}})\+{_PLUS}{{2,7}}(?!\w)",
            rf"(?<!\w){_PLUS}{{2,6}}0{{2,6}}\+",
        )
    )
)
_SURE_IN_ANY_CASE = re.compile(
    "|".join(
        (
            rf"(?<!\w)(?:{_PLUS}{{8}}|{_PLUS}{{6}}|{_PLUS}{{4}})\+{_PLUS}{{2,7}}(?!\w)",
            r"\b\d{1,2}[C-HJ-NP-X]\s?[A-HJ-NP-Z]{2}\s?\d{2,5}\s?\d{2,5}\b",
            rf"{_AXIS}\W{{0,4}}[-+]?\d[\d.,:°'\"\s]*",
            r"\b(?:geohash|quadkey|maidenhead|georef|what3words|w3w)\b\W{0,3}\S+",
            r"///[^\W\d_]+(?:\.[^\W\d_]+){2}",
            r"\bgeo:\S+",
        )
    ),
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(?:https?://|www\.|\b(?:[a-z0-9-]{1,63}\.){1,6}[a-z]{2,24}/)\S+", re.IGNORECASE)
_MAP_HOST = re.compile(
    r"^(?:https?://)?(?:[^/\s]*\.)?(?:(?:maps?|earth|map)\.[^/\s]+|goo\.gl|bit\.ly|t\.co|binged\.it|osm\.org"
    r"|openstreetmap\.org|wikimapia\.org|what3words\.com|w3w\.co|plus\.codes|geohack\.[^/\s]+|baidu\.com"
    r"|amap\.com|gaode\.com|sentinel-hub\.com|dataspace\.copernicus\.eu|worldview\.[^/\s]+"
    r"|(?:google|bing|yandex|naver|kakao)\.[^/\s]+/maps?)",
    re.IGNORECASE,
)
_PART = re.compile(
    r"[(\[]?[-+]?(?:[NSEW]?[\d.,:;/°'\"]*\d[\d.,:;/°'\"]*m?[NSEW]?|[NSEW]|,)[)\],.;]*", re.IGNORECASE
)
_WORD = re.compile(r"\S+")
_EDGES = "()[]{}<>.,;:!?\"' "
_MOST_PARTS = 8
_LEAST_DIGITS = 3
_TABLE_PARTS = 200


def has_place(text: str) -> bool:
    """Tell whether a text, or an address, names a place by coordinates."""
    return any(True for _ in _spans(text))


def without_places(text: str, mark: str = WITHHELD) -> str:
    """Return a text with `mark` in place of every coordinate.

    >>> without_places("A shed at 39.0194, 125.7381, built in 2015-05; 17 x 12 m.")
    'A shed at [place withheld], built in 2015-05; 17 x 12 m.'
    >>> without_places("Nothing here.")
    'Nothing here.'
    """
    out: list[str] = []
    done = 0
    for start, end in _joined(_spans(text)):
        out += [text[done:start], mark]
        done = end
    return "".join([*out, text[done:]])


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where places stand, in no order."""
    for match in _ADDRESS.finditer(text):
        if is_map_address(match[0]):
            yield match.span()
    if not any(map(str.isnumeric, text)) and "///" not in text:
        return
    plain, origin = _plain(text)
    for pattern in (_SURE, _SURE_IN_ANY_CASE):
        for match in pattern.finditer(plain):
            yield _trimmed(text, origin[match.start()], origin[match.end() - 1] + 1)
    for start, end in _parsed(plain):
        yield _trimmed(text, origin[start], origin[end - 1] + 1)


def is_map_address(address: str) -> bool:
    """Tell whether an address is that of a map, a short one that may lead to one, or holds a place."""
    plain = unquote_plus(unquote_plus(address))
    inner = [plain, *re.split(r"(?<=.)(?=https?://)", plain)[1:]]
    if any(_MAP_HOST.match(each) for each in inner):
        return True
    tail = plain.partition("://")[2] or plain
    return _SURE.search(tail.replace("_", " ")) is not None or _SURE_IN_ANY_CASE.search(tail) is not None


def _plain(text: str) -> tuple[str, list[int]]:
    """Return a text in plain signs and digits without what nobody sees, and where each letter stood."""
    if text.isascii():
        return text, list(range(len(text)))
    letters: list[str] = []
    origin: list[int] = []
    for position, shown in enumerate(map(_sign, text)):
        letters.append(shown)
        origin += [position] * len(shown)
    return "".join(letters), origin


@lru_cache(maxsize=16_384)
def _sign(char: str) -> str:
    """Return a letter in plain signs and digits; nothing for one that nobody sees."""
    plain = char.translate(_SIGNS)
    if unicodedata.category(plain) in {"Cf", "Mn"}:
        return ""
    digit = unicodedata.decimal(plain, None)
    return str(digit) if digit is not None else unicodedata.normalize("NFKC", plain)


def _parsed(plain: str) -> Iterator[tuple[int, int]]:
    """Yield what the parser takes for a place, of the words that could be parts of one."""
    run: list[tuple[int, int]] = []
    for match in _WORD.finditer(plain):
        if len(match[0]) <= MAX_TEXT and _PART.fullmatch(match[0]):
            run.append(match.span())
            continue
        yield from _windows(plain, run)
        run = []
    yield from _windows(plain, run)


def _windows(plain: str, run: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    if not run or sum(map(str.isdigit, plain[run[0][0] : run[-1][1]])) < _LEAST_DIGITS:
        return
    if len(run) > _TABLE_PARTS:  # a table of numbers, which could hold anything
        yield run[0][0], run[-1][1]
        return
    first = 0
    while first < len(run):
        for last in range(min(len(run), first + _MOST_PARTS) - 1, first - 1, -1):
            if _is_fine(plain[run[first][0] : run[last][1]].strip(_EDGES)):
                yield run[first][0], run[last][1]
                first = last
                break
        first += 1


def _is_fine(text: str) -> bool:
    if len(text) > MAX_TEXT:
        return False
    try:
        return parse_coordinate(text).precision_m < FINE_M
    except CoordinateError:
        return False


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave the space and the stop after a place where they are."""
    inner = text[start:end].rstrip(" \t\n,.;:")
    return start, start + max(len(inner), 1)


def _joined(spans: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    ordered = sorted(spans)
    if not ordered:
        return []
    out = [ordered[0]]
    for _, (start, end) in pairwise(ordered):
        if start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out
