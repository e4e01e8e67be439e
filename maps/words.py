"""Sentences on the page that must be exact: what looks say, and what they don't."""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING

from imagery.change.detectable_words import sizes_of, sizes_words
from imagery.model import DetectionState, Outcome
from maps.lengths import length_words
from sites.watching import VAGUE_FROM_M

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imagery.model import Detection
    from maps.view import SiteEntry
    from sites.model import Site
    from sites.observation import Measurement

JUDGED = (Outcome.UNCHANGED, Outcome.CHANGED)
"""The outcomes that say whether anything changed."""


_LANGUAGES = MappingProxyType(
    {
        "ko": "Korean",
        "ko-Latn": "Korean, romanised",
        "ko-Hani": "Korean, hanja",
        "en": "English",
        "zh": "Chinese",
        "zh-Latn": "Chinese, romanised",
        "ru": "Russian",
        "ja": "Japanese",
    }
)
_COUNTRIES = MappingProxyType(
    {
        "PRK": "North Korea (DPRK)",
        "KOR": "South Korea",
        "CHN": "China",
        "RUS": "Russia",
        "JPN": "Japan",
        "USA": "United States",
        "ESP": "Spain",
        "BEL": "Belgium",
        "MMR": "Myanmar",
    }
)


def language_words(tag: str | None) -> str:
    """Return the language of a BCP 47 tag; the tag itself where we have no word for it."""
    return "" if tag is None else _LANGUAGES.get(tag, tag)


def country_words(code: str | None) -> str:
    """Return the country of an ISO 3166-1 code; the code itself where we have no word for it."""
    return "" if code is None else _COUNTRIES.get(code, code)


def accuracy_words(site: Site) -> str:
    """Return how well the place is known: ``good to about 25 m``."""
    if site.point is None:
        return "not placed yet"
    accuracy_m = site.coordinate_accuracy_m
    if accuracy_m is None:
        return "accuracy not stated"
    words = length_words(accuracy_m)
    return f"good to about {words}" if accuracy_m < VAGUE_FROM_M else f"only good to about {words}"


def count_outcomes(entries: Iterable[SiteEntry]) -> Counter[str]:
    """Return how many looks ended as what; due windows without an image count as ``NoScene``."""
    counts: Counter[str] = Counter()
    for entry in entries:
        counts.update(look.outcome.value for look in entry.looks)
        counts["NoScene"] += len(entry.no_scenes)
    return counts


def looks_summary(entry: SiteEntry) -> tuple[str, ...]:
    """Return what the looks of a site say about change, and how many of them say nothing."""
    if not entry.looks:
        windows = _windows_sentence(entry)
        return ("Never looked at: nothing is known about change here.", *windows)
    counts = count_outcomes([entry])
    total = len(entry.looks)
    judged = sum(counts[outcome] for outcome in JUDGED)
    sentences = [f"{judged} of {total} {_plural(total, 'look')} could be judged."]
    silent = [
        f"{counts[outcome]} {words}"
        for outcome, words in (
            (Outcome.OBSCURED, "obscured"),
            (Outcome.LEARNING, "still learning"),
            (Outcome.FAILED, "failed"),
        )
        if counts[outcome]
    ]
    if silent:
        sentences.append(
            f"{total - judged} {_say(total - judged)} nothing about change: {', '.join(silent)}."
        )
    sentences.extend(_windows_sentence(entry))
    sentences.append(_change_sentence(entry, judged, counts[Outcome.CHANGED]))
    return tuple(sentences)


def _change_sentence(entry: SiteEntry, judged: int, changed: int) -> str:
    live = [item for item in entry.detections if item.state is not DetectionState.RETRACTED]
    if live:
        others = " Only changes that later looks confirmed are told here." if entry.only_confirmed else ""
        return f"{_detected(live)}.{others}"
    if not judged:
        return "Whether anything changed is not known."
    if changed and entry.only_confirmed:
        return (
            f"{changed} judged {_plural(changed, 'look')} differed from earlier ones; only changes that "
            "later looks confirmed are told here, and there is none."
        )
    if changed:
        return (
            f"{changed} judged {_plural(changed, 'look')} differed from earlier ones, but no two "
            "agreed on where, so no change is reported."
        )
    return f"No change was seen in the judged looks{_sizes_clause(entry)}."


def _sizes_clause(entry: SiteEntry) -> str:
    """Return down to which size the latest look that tells says so."""
    told = [sizes_of(look) for look in sorted(entry.looks, key=lambda each: (each.solar_day, each.series))]
    latest = next((sizes for sizes in reversed(told) if sizes is not None), None)
    return "" if latest is None else f", {sizes_words(latest)}"


def _detected(live: list[Detection]) -> str:
    """Return how many changes were detected, and how many of them no later look has shown yet."""
    open_ = sum(item.state is DetectionState.CANDIDATE for item in live)
    text = f"{len(live)} {_plural(len(live), 'change')} detected"
    if not open_:
        return text
    return f"{text}, {'it' if len(live) == open_ == 1 else open_} not yet shown by a later look"


def _windows_sentence(entry: SiteEntry) -> tuple[str, ...]:
    count = len(entry.no_scenes)
    return (f"{count} due {_plural(count, 'window')} had no image at all.",) if count else ()


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"


def _say(count: int) -> str:
    return "says" if count == 1 else "say"


def measurement_words(measurement: Measurement | None) -> str:
    """Return a size or count as text: ``footprint 17 x 12 m, probable``."""
    if measurement is None:
        return ""
    value = measurement.value
    if value is None:
        low, high = measurement.low, measurement.high
        number = f"{low:g} to {high:g}" if low is not None and high is not None else _one_sided(low, high)
    else:
        sides = value if isinstance(value, tuple) else (value,)
        number = " x ".join(f"{side:g}" for side in sides)
    words = f"{measurement.quantity} {number} {measurement.unit}"
    return f"{words}, {measurement.qualifier}" if measurement.qualifier else words


def _one_sided(low: float | None, high: float | None) -> str:
    return f"at least {low:g}" if low is not None else f"at most {high:g}"
