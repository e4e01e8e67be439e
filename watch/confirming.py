"""A confirmed detection becomes a dated note in the catalogue; the decision follows it.

The note is written first. A process that dies between the two leaves a note without a decision; said
again, the note is found and only the decision is added.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING

from geo.dates import parse_edtf
from imagery.model import DetectionState
from sites.editing import add_note
from sites.observation import (
    Evidence,
    Measurement,
    Observation,
    ObservationKind,
    Qualifier,
    Source,
)
from watch.decisions import Decision, Verdict
from watch.errors import ReviewError
from watch.reviews import write_decision

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from imagery.model import Detection, Look
    from sites.model import Site
    from sites.observation import Expectation
    from watch.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Words:
    """What an analyst writes when confirming."""

    text: str
    sources: tuple[Source, ...] = ()
    """Beside the looks, which are named by themselves."""
    expects: Expectation | None = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a confirmation left."""

    site: Site
    note: Observation
    decision: Decision
    wrote_note: bool
    """False where the note was there already."""
    wrote_decision: bool
    """False where this reviewer's last word was the same."""


def confirm(
    workspace: Workspace, detection: Detection, looks: Sequence[Look], words: Words, *, by: str, at: datetime
) -> Confirmed:
    """Write the note, then the decision; what is there already is not written again.

    Hold the workspace's lock (`watch.lock.writing`).

    Args:
        workspace: Where catalogue and reviews are.
        detection: What is confirmed.
        looks: Of its site; those of its bracket become sources.
        words: The analyst's.
        by: The reviewer's name.
        at: Aware instant of the decision.

    Raises:
        SiteError: The note breaks a rule of the catalogue.
        UnknownSiteError: The site is no longer in the catalogue.
        ReviewError: The detection was retracted by the machine and nothing is left to confirm.
    """
    if detection.state is DetectionState.RETRACTED:
        hint = "Write what you see as a note: sitewatch notes add"
        raise ReviewError(f"{detection.id} was retracted: later looks don't show it", hint=hint)
    catalogue = workspace.catalogue()
    site = catalogue.get(detection.site_id)
    wanted = note_of(detection, looks, words, by=by)
    note, is_new = _placed(site, wanted)
    # Made, and so checked, before anything is written.
    decision = Decision(Verdict.CONFIRM, by, at.astimezone(UTC), site.id, detection.id, note=note.id)
    if is_new:
        catalogue.with_records([add_note(site, note)]).write()
    said = write_decision(workspace.reviews_path, decision)
    return Confirmed(site, note, decision, is_new, said)


def note_of(detection: Detection, looks: Sequence[Look], words: Words, *, by: str) -> Observation:
    """Return the note of a detection: its bracket as date, its area, and the looks it rests on."""
    days = (detection.last_without, detection.first_with)
    seen = [look for day in days for look in looks if _is_at(look, detection, day)]
    sure = Qualifier.CONFIRMED if detection.state is DetectionState.CONFIRMED else Qualifier.PROBABLE
    low, high = detection.area_interval_m2 or (None, None)
    size = Measurement(
        "changed area",
        "m2",
        value=round(detection.area_m2, 1),
        qualifier=sure,
        low=None if low is None else round(low, 1),
        high=None if high is None else round(high, 1),
    )
    return Observation(
        id=detection.id,
        date=parse_edtf(detection.bracket),
        text=words.text,
        kind=ObservationKind.IMAGERY,
        author=by,
        expects=words.expects,
        measurement=size,
        sources=(*words.sources, *(_source(look) for look in seen)),
        evidence=(
            Evidence("detection", detection.id),
            *(Evidence("look", f"{look.grid_id}/{look.series}/{look.solar_day}") for look in seen),
        ),
    )


def _is_at(look: Look, detection: Detection, day: date) -> bool:
    key = (look.grid_id, look.series, look.solar_day)
    return key == (detection.grid_id, detection.series, day)


def _source(look: Look) -> Source:
    simulated = "SIMULATED pixels, not a real image; " if look.simulated else ""
    return Source(
        outlet=look.platform,
        title=f"{simulated}scene {', '.join(look.scene_ids)}",
        published=parse_edtf(look.solar_day.isoformat()),
    )


def _placed(site: Site, wanted: Observation) -> tuple[Observation, bool]:
    """Return the note as it is there already, or as it is to be added; another's note is never touched."""
    known = {note.id: note for note in site.observations}
    first = known.get(wanted.id)
    if first is None:
        return wanted, True
    if _says_the_same(first, wanted):
        return first, False
    digest = hashlib.sha256(f"{wanted.author}\n{wanted.text}".encode()).hexdigest()[:8]
    supersedes = first.id if first.author == wanted.author else None
    further = replace(wanted, id=f"{wanted.id}-{digest}", supersedes=supersedes)
    there = known.get(further.id)
    return (further, True) if there is None else (there, False)


def _says_the_same(one: Observation, other: Observation) -> bool:
    return (one.author, one.text) == (other.author, other.text)
