"""What speaks for a detection, look by look, and how often quiet places show as much.

Two statistics, each beside quiet scores of its own kind. The look that raised the detection: its score in
units of the candidate threshold, the largest of the whole site. Each look since: its score in the
detection's place, in units of the threshold of a single look. It stands beside what the whole of a quiet
site reaches in one look, which is at least what one place reaches: such a p can only be too large.

Evidence is a function of the pixels. What it weighs follows from the quiet scores that it is set beside, so
it can be weighed anew when there are more of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from imagery.change.null import stratum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imagery.change.null import Null, Stratum

ALONE = "alone"
"""Added to a mode: the scores of single looks, which later looks of a detection are set beside."""


NO_NULL = "no null for this sensor"
"""What stands for a p-value where no quiet scores speak for a detection."""


def alone_mode(mode: str) -> str:
    """Return the mode under which a null keeps the scores of single looks.

    >>> alone_mode("listed")
    'listed alone'
    """
    return f"{mode} {ALONE}"


@dataclass(frozen=True, slots=True)
class Scored:
    """The score of one look."""

    day: date
    clear_looks: int
    """In the history that it was judged by."""
    ratio: float
    """Score in units of its threshold."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The scores that speak for a detection."""

    mode: str
    """``listed`` or ``search``."""
    resolution_m: float
    """Side of the pixels."""
    is_reflectance: bool
    """Whether the counts were calibrated."""
    raised: Scored
    """The largest of the site, in units of the candidate threshold."""
    later: tuple[Scored, ...] = ()
    """The looks since, tested in its place alone, in units of the threshold of a single look."""

    @property
    def settled(self) -> date:
        """The latest look that speaks for or against it."""
        return self.later[-1].day if self.later else self.raised.day

    def with_look(self, day: date, clear_looks: int, ratio: float) -> Evidence:
        """Return it with one more look."""
        return replace(self, later=(*self.later, Scored(day, clear_looks, ratio)))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values: `from_json` gives an equal one."""
        return {
            "mode": self.mode,
            "resolution_m": self.resolution_m,
            "is_reflectance": self.is_reflectance,
            "raised": _scored_json(self.raised),
            "later": [_scored_json(each) for each in self.later],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Evidence:
        """Read what `to_json` wrote."""
        return cls(
            mode=str(document["mode"]),
            resolution_m=float(document["resolution_m"]),
            is_reflectance=bool(document["is_reflectance"]),
            raised=_scored(document["raised"]),
            later=tuple(_scored(each) for each in document["later"]),
        )


def _scored_json(scored: Scored) -> dict[str, Any]:
    return {"day": scored.day.isoformat(), "clear_looks": scored.clear_looks, "ratio": scored.ratio}


def _scored(document: Mapping[str, Any]) -> Scored:
    day = date.fromisoformat(document["day"])
    return Scored(day, int(document["clear_looks"]), float(document["ratio"]))


@dataclass(frozen=True, slots=True)
class Beside:
    """Evidence set beside the looks of quiet places."""

    p: float
    """Share of quiet looks that reach the score of the look which raised it."""
    p_threshold: float
    """The same for the candidate threshold: no detection is raised below it."""
    stratum: str
    """Of those quiet looks, in words."""
    count: int
    """How many they were."""
    source: str
    """Where they come from."""
    later: tuple[float, ...] | None
    """Of the looks since; None where the quiet scores of single looks are not known."""

    @property
    def words(self) -> str:
        """Its p, stratum and source in one line."""
        return f"p = {self.p:.2g} among {self.count:,} quiet looks ({self.stratum}); {self.source}"


def beside(evidence: Evidence, null: Null | None) -> Beside | None:
    """Set evidence beside quiet scores; None where there are none for its sensor and mode."""
    if null is None:
        return None
    first = evidence.raised
    where = stratum(evidence.mode, first.day, first.clear_looks)
    found, least = null.p_value(first.ratio, where), null.p_value(1.0, where)
    if found is None or least is None:
        return None
    mode = alone_mode(evidence.mode)
    later = [null.p_value(each.ratio, stratum(mode, each.day, each.clear_looks)) for each in evidence.later]
    known = tuple(each.p for each in later if each is not None)
    return Beside(
        p=found.p,
        p_threshold=least.p,
        stratum=_stratum_words(found.stratum),
        count=found.count,
        source=null.source,
        later=known if len(known) == len(later) else None,
    )


def _stratum_words(of: Stratum) -> str:
    parts = (of.mode, of.season, f"{of.looks} clear looks" if of.looks else "")
    return ", ".join(part for part in parts if part)
