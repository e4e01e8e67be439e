"""The quiet scores that come with the package, and how often the judge was wrong on the sites they are of.

A file of `nulls/` speaks for one series of sensors at one resolution and for one version of the method. To
all else it says nothing, and there is no p-value. `scripts/make-null` makes one of what ``sitewatch
evaluate --out`` wrote.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import orjson

from imagery.change.bounds import Rate, rate
from imagery.change.card import METHOD
from imagery.change.null import Null, read_null
from imagery.errors import NullFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = "nulls"
LEVELS = ("candidate", "probable", "confirmed")

_FORMAT = "sitewatch-shipped-null-1"
_RESOLUTION_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Shipped:
    """Quiet scores, and the false alarms on the same sites."""

    series: str
    resolution_m: float
    method: str
    null: Null
    sites: int
    """Quiet sites that it is made of."""
    false_alarms: Mapping[str, Rate]
    """By level (`LEVELS`): alarms that got to it, retracted ones too."""

    mean_evidence: float = 1.0
    """What quiet candidates that became probable bring on average, as `watch.certainty` weighs them: what is
    above 1 comes of later looks that repeat what misled the first, and is divided out."""

    @property
    def kept_share(self) -> float:
        """The share of quiet candidates that become probable: the others are dropped and never reported.

        With half an alarm added (Jeffreys), so that it is never 0.
        """
        candidates, probable = (self.false_alarms[level].events for level in LEVELS[:2])
        return (probable + 0.5) / (candidates + 1)

    def speaks_for(self, series: str, resolution_m: float, *, is_reflectance: bool) -> bool:
        """Whether it was made for such pixels, by the method as it is now."""
        same_size = abs(resolution_m / self.resolution_m - 1) <= _RESOLUTION_TOLERANCE
        return is_reflectance and series == self.series and same_size and not self.stale

    @property
    def stale(self) -> str:
        """Why it no longer speaks for anything; empty when it does."""
        if self.method == METHOD:
            return ""
        return (
            f"the quiet scores are of method {self.method}, looks are judged by {METHOD}: "
            "remake them with sitewatch evaluate and scripts/make-null"
        )

    def merged(self, other: Null) -> Shipped:
        """Return it with more quiet scores; both sources are named."""
        return replace(self, null=self.null.merged(other))

    def to_bytes(self) -> bytes:
        """Return it as JSON: equal ones give equal bytes."""
        document = {
            "format": _FORMAT,
            "series": self.series,
            "resolution_m": self.resolution_m,
            "method": self.method,
            "sites": self.sites,
            "false_alarms": {
                level: {"events": each.events, "site_years": round(each.site_years, 6)}
                for level, each in self.false_alarms.items()
            },
            "mean_evidence": float(f"{self.mean_evidence:.6g}"),
            "null": orjson.loads(self.null.to_bytes()),
        }
        return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


def read_shipped(data: bytes) -> Shipped:
    """Return what `Shipped.to_bytes` wrote.

    Raises:
        NullFileError: It is no such document.
    """
    try:
        document = orjson.loads(data)
        if document["format"] != _FORMAT:
            raise NullFileError(f"an unknown format {document['format']!r}", hint=f"Expected {_FORMAT}")
        return Shipped(
            series=str(document["series"]),
            resolution_m=float(document["resolution_m"]),
            method=str(document["method"]),
            null=read_null(orjson.dumps(document["null"])),
            sites=int(document["sites"]),
            false_alarms={level: _rate(document["false_alarms"][level]) for level in LEVELS},
            mean_evidence=float(document["mean_evidence"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        problem = f"not a null with its rates: {error}"
        raise NullFileError(problem, hint="Make it anew with scripts/make-null") from error


def _rate(record: Mapping[str, Any]) -> Rate:
    return rate(int(record["events"]), float(record["site_years"]))


@cache
def all_shipped() -> tuple[Shipped, ...]:
    """Return what comes with the package, stale ones too."""
    folder = files("imagery.change").joinpath(FOLDER)
    found = [each for each in folder.iterdir() if each.name.endswith(".json")]
    return tuple(read_shipped(each.read_bytes()) for each in sorted(found, key=lambda each: each.name))


def shipped_null(series: str, resolution_m: float) -> Null | None:
    """Return the quiet scores that come with the package for some pixels, in reflectance.

    None for a sensor that none were made for, and where they are of another version of the method: then
    there is no p-value.

    >>> shipped_null("landsat", 30.0) is None
    True

    Args:
        series: Of comparable sensors (`imagery/sensors.toml`).
        resolution_m: Side of the pixels.
    """
    fits = (each.null for each in all_shipped() if each.speaks_for(series, resolution_m, is_reflectance=True))
    return next(fits, None)
