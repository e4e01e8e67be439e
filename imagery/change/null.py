"""How often a quiet place scores as high: an empirical null, and the p-values that it gives.

p = (1 + number of quiet scores at or above s) / (1 + number of quiet scores). When a new score and the quiet
ones of its stratum are exchangeable, P(p <= a) <= a for every a (V. Vovk, A. Gammerman, G. Shafer,
"Algorithmic Learning in a Random World", 2005, section 2.6); nothing is assumed of their distribution. p is
never below 1 / (n + 1), so scores are pooled over sites within a stratum.

Of each stratum the highest scores are kept exactly, the others as order statistics. Between two of these
the count is rounded up, so what is left out can only make a p-value larger.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from imagery.errors import NullFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from numpy.typing import NDArray

MIN_SCORES = 1000
"""A stratum with fewer quiet scores gives way to a coarser one: its p could not be below 0.001."""

TAIL = 512
"""The highest different scores of a stratum, kept one by one."""

BODY = 64
"""How many of the others are kept, evenly spaced in rank."""

LOOKS_BINS = (12, 24, 48)
"""Lower ends of the bins of clear looks in the history; fewer than the first are a bin of their own."""

_FORMAT = "sitewatch-null-1"
_SEASONS = ("winter", "spring", "summer", "autumn")


@dataclass(frozen=True, slots=True, order=True)
class Stratum:
    """Under which circumstances a look was scored; an empty part is pooled over."""

    mode: str
    """``listed`` (the footprint is known) or ``search`` (it is looked for)."""
    season: str = ""
    looks: str = ""
    """Bin of the clear looks in the history, like ``24-47``."""

    def coarser(self) -> tuple[Stratum, ...]:
        """Return itself, then what it backs off to; modes are never pooled."""
        steps = (self, Stratum(self.mode, self.season), Stratum(self.mode))
        return tuple(dict.fromkeys(steps))


def stratum(mode: str, day: date, clear_looks: int) -> Stratum:
    """Return the finest stratum of a look.

    >>> from datetime import date
    >>> stratum("listed", date(2024, 1, 5), 30)
    Stratum(mode='listed', season='winter', looks='24-47')

    Args:
        mode: ``listed`` or ``search``.
        day: Of the look; seasons are those of the northern hemisphere, by month.
        clear_looks: In its history.
    """
    return Stratum(mode, _SEASONS[day.month % 12 // 3], _looks_bin(clear_looks))


def _looks_bin(clear_looks: int) -> str:
    ends = (0, *LOOKS_BINS)
    at = int(np.searchsorted(LOOKS_BINS, clear_looks, side="right"))
    return f"{ends[at]}-{ends[at + 1] - 1}" if at + 1 < len(ends) else f"{ends[at]}+"


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """The quiet scores of one stratum: of some values, how many scores lie above them."""

    count: int
    values: NDArray[np.float32]
    """Ascending, no two equal."""
    above: NDArray[np.int64]
    """How many scores are greater than each value, never less than the truth."""

    def at_or_above(self, score: float) -> int:
        """Return how many quiet scores are at or above `score`: exact in the tail, else rounded up."""
        return self._bound(score, "left")

    def over(self, score: float) -> int:
        """Return how many are above it, exact in the tail, else rounded up."""
        return self._bound(score, "right")

    def _bound(self, score: float, side: Any) -> int:  # noqa: ANN401 - numpy's literal type
        below = int(np.searchsorted(self.values, np.float32(score), side=side))
        return int(self.above[below - 1]) if below else self.count

    def thinned(self) -> Tail:
        """Return the highest values and, of the others, some evenly spaced in rank."""
        rest = len(self.values) - TAIL
        if rest <= BODY:
            return self
        kept = np.r_[
            np.linspace(0, rest - 1, BODY).round().astype(np.intp), np.arange(rest, len(self.values))
        ]
        return Tail(self.count, self.values[kept], self.above[kept])

    def merged(self, other: Tail) -> Tail:
        """Return the null of both samples together."""
        values = np.union1d(self.values, other.values)
        above = np.array([self.over(value) + other.over(value) for value in values], dtype=np.int64)
        return Tail(self.count + other.count, values, above).thinned()


def tail_of(scores: NDArray[np.floating]) -> Tail:
    """Return the tail of a sample; what is not finite is left out."""
    sample = np.sort(np.asarray(scores, dtype=np.float32))
    sample = sample[np.isfinite(sample)]
    values = np.unique(sample)
    above = sample.size - np.searchsorted(sample, values, side="right")
    return Tail(int(sample.size), values, above.astype(np.int64)).thinned()


@dataclass(frozen=True, slots=True)
class PValue:
    """A p-value and what it stands on."""

    p: float
    count: int
    """Quiet scores that it was counted among; p is never below 1 / (count + 1)."""
    stratum: Stratum
    """The stratum that had enough of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Null:
    """Quiet scores by stratum, and where they come from."""

    source: str
    """Like ``simulated``, ``the site's own quiet looks``, ``dismissed by analysts``."""
    tails: Mapping[Stratum, Tail]
    """Every level of pooling is there by itself."""
    min_scores: int = MIN_SCORES

    def p_value(self, score: float, of: Stratum) -> PValue | None:
        """Return the p-value of a score, or None where no null exists.

        Args:
            score: Higher is more changed.
            of: Its finest stratum; with fewer than `min_scores` quiet scores the next coarser one counts.
        """
        if not np.isfinite(score):
            return None
        for candidate in of.coarser():
            tail = self.tails.get(candidate)
            if tail is not None and tail.count >= self.min_scores:
                return PValue((1 + tail.at_or_above(score)) / (1 + tail.count), tail.count, candidate)
        return None

    def merged(self, other: Null) -> Null:
        """Return the null of both; the stricter minimum holds, and both sources are named."""
        tails = dict(self.tails)
        for key, tail in other.tails.items():
            tails[key] = tails[key].merged(tail) if key in tails else tail
        sources = sorted({*self.source.split(" + "), *other.source.split(" + ")})
        return Null(" + ".join(sources), tails, max(self.min_scores, other.min_scores))

    def to_bytes(self) -> bytes:
        """Return the null as JSON: equal nulls give equal bytes."""
        strata = [
            {
                "mode": key.mode,
                "season": key.season,
                "looks": key.looks,
                "count": tail.count,
                # The shortest digits that give the same float32 again.
                "values": [float(str(value)) for value in tail.values],
                "above": tail.above.tolist(),
            }
            for key, tail in sorted(self.tails.items())
        ]
        document = {
            "format": _FORMAT,
            "source": self.source,
            "min_scores": self.min_scores,
            "strata": strata,
        }
        return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


def null_of(scores: Iterable[tuple[Stratum, float]], *, source: str, min_scores: int = MIN_SCORES) -> Null:
    """Return the null of quiet scores, each with its finest stratum.

    Args:
        scores: Of looks at which nothing had changed; what is not finite is left out.
        source: Where they come from, in words that are shown beside every p-value.
        min_scores: See `Null.p_value`.
    """
    pooled: dict[Stratum, list[float]] = defaultdict(list)
    for key, score in scores:
        for each in key.coarser():
            pooled[each].append(score)
    tails = {key: tail_of(np.array(values)) for key, values in pooled.items()}
    return Null(source, tails, min_scores)


def read_null(data: bytes) -> Null:
    """Return the null that `Null.to_bytes` wrote.

    Raises:
        NullFileError: It is no such document, or its numbers contradict each other.
    """
    try:
        document = orjson.loads(data)
        if document["format"] != _FORMAT:
            raise NullFileError(f"an unknown format {document['format']!r}", hint=f"Expected {_FORMAT}")
        tails = dict(_read_stratum(each) for each in document["strata"])
        return Null(str(document["source"]), tails, int(document["min_scores"]))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, NullFileError):
            raise
        raise NullFileError(
            f"not a null distribution: {error}", hint="Make it anew with sitewatch evaluate"
        ) from error


def _read_stratum(record: Mapping[str, Any]) -> tuple[Stratum, Tail]:
    key = Stratum(str(record["mode"]), str(record["season"]), str(record["looks"]))
    tail = Tail(
        int(record["count"]),
        np.array(record["values"], dtype=np.float32),
        np.array(record["above"], dtype=np.int64),
    )
    ordered = (np.diff(tail.values) > 0).all() and (np.diff(tail.above) <= 0).all()
    fits = tail.values.shape == tail.above.shape and not (tail.above > tail.count).any()
    if not (ordered and fits and np.isfinite(tail.values).all() and (tail.above >= 0).all()):
        message = f"stratum {key} contradicts itself"
        raise ValueError(message)
    return key, tail
