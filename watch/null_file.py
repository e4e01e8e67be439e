"""From the records of an evaluation to the null that comes with the package."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from geo.errors import InputError, Where
from imagery.change.evaluation import false_alarms
from imagery.change.evidence import Evidence, Scored, beside
from imagery.change.scorecard import quiet_null
from imagery.change.shipped import Shipped
from imagery.change.tracks import Level
from watch.certainty import weight
from watch.track_record import track_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from imagery.change.null import Null
    from imagery.change.tracks import Alarm, SiteTrack

SERIES = "sentinel-2"
"""What simulated sites look like."""

RESOLUTION_M = 10.0

_DETECTOR = "site"


def null_file(tracks_path: Path, *, method: str = "") -> Shipped:
    """Return the null of the quiet sites of an evaluation.

    Args:
        tracks_path: The ``tracks.json`` that ``sitewatch evaluate --out`` wrote, of simulated sites.
        method: Version of the judge, where the file does not say it.

    Raises:
        InputError: It is of other data, another detector, or says no version.
    """
    document = _document(tracks_path)
    settings, records = document["settings"], document["tracks"].get(_DETECTOR)
    where = Where(file=str(tracks_path))
    if settings.get("data") != "simulated" or not records:
        raise InputError("no simulated sites before the judge of sites", where=where, hint=_HINT)
    known = document.get("method") or method
    if not known:
        raise InputError("the version of the method is not said", where=where, hint="Add it: --method site-1")
    quiet = [record for record in records if record["change"] is None]
    tracks = [track_of(each) for each in quiet]
    made = Shipped(
        series=SERIES,
        resolution_m=RESOLUTION_M,
        method=known,
        null=_told(quiet_null(tracks, source=_source(settings))),
        sites=len(quiet),
        false_alarms={level.name.lower(): false_alarms(tracks, level) for level in Level},
    )
    return replace(made, mean_evidence=_mean_evidence(tracks, made))


_HINT = "Make it with: sitewatch evaluate --out FOLDER"


def _document(path: Path) -> dict[str, Any]:
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"can't be read: {error}", where=Where(file=str(path)), hint=_HINT) from error
    if not isinstance(document, dict) or document.get("format") != "sitewatch-tracks-1":
        raise InputError("no records of an evaluation", where=Where(file=str(path)), hint=_HINT)
    return document


def _told(null: Null) -> Null:
    """Return a null without the strata that have too few scores to be asked."""
    return replace(
        null, tails={key: each for key, each in null.tails.items() if each.count >= null.min_scores}
    )


def _source(settings: Mapping[str, Any]) -> str:
    asked = [
        f"--{name.replace('_', '-')} {settings[name]}"
        for name in ("sites", "changed_sites", "years", "seed")
        if name in settings
    ]
    made = " ".join(["sitewatch evaluate", *asked])
    return f"simulated quiet sites, made by {made}"


def _mean_evidence(tracks: Sequence[SiteTrack], made: Shipped) -> float:
    """Return what the quiet candidates that became probable bring on average; 1 where there is none."""
    found = [
        weight(said, made)
        for track in tracks
        for alarm in track.alarms
        if alarm.probable and (said := beside(_evidence(track, alarm), made.null)) is not None
    ]
    return math.fsum(found) / len(found) if found else 1.0


def _evidence(track: SiteTrack, alarm: Alarm) -> Evidence:
    looks = track.history_looks + sum(day < alarm.day for day in track.days)
    later = tuple(Scored(alarm.day, looks, each) for each in alarm.later)
    raised = Scored(alarm.day, looks, alarm.score)
    return Evidence(track.stratum, RESOLUTION_M, is_reflectance=True, raised=raised, later=later)
