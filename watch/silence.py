"""Silence is news: a note expects activity, the site was seen often enough, and nothing showed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagery.model import DetectionState
from sites.editing import current_notes
from watch.observable import Verdict, labels
from watch.seen import CLEAR, JUDGED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from imagery.model import Detection, Look
    from sites.model import Site
    from sites.observation import Observation


@dataclass(frozen=True, slots=True)
class Silence:
    """One note's expectation that nothing was seen of."""

    site_id: str
    note_id: str
    expects: str
    """``construction``, ``more_activity``, ..."""
    noted: str
    """EDTF: the note's date."""
    judged: int
    """Looks after it that could be judged."""
    last_judged: date
    """The latest of them."""


def expecting(site: Site) -> tuple[Observation, ...]:
    """Return the current notes of a site that say what should be visible, and since when."""
    return tuple(
        note
        for note in current_notes(site)
        if note.expects is not None and note.date.earliest is not None and note.date.latest is not None
    )


def silences(
    site: Site, looks: Sequence[Look], detections: Iterable[Detection], *, needed: int
) -> tuple[Silence, ...]:
    """Return the expectations of a site that enough judged looks saw nothing of.

    Only what could have been seen counts: there is a clear look before the note's first day to compare with,
    and the note claims no size that the looks kept here can't show.

    Args:
        site: With its notes.
        looks: Of the site.
        detections: Of the site; one that was not retracted and may fall into the note's time or later is
            what was expected.
        needed: Judged looks after the note's last day.
    """
    live = [each for each in detections if each.state is not DetectionState.RETRACTED]
    hidden = labels(site, looks)
    found = []
    for note in expecting(site):
        label = hidden.get(note.id)
        if label is not None and label.verdict is Verdict.NOT_OBSERVABLE:
            continue
        silence = _silence(site, note, looks, live, needed)
        if silence is not None:
            found.append(silence)
    return tuple(found)


def _silence(
    site: Site, note: Observation, looks: Sequence[Look], live: Sequence[Detection], needed: int
) -> Silence | None:
    first, last = note.date.earliest, note.date.latest
    if first is None or last is None or note.expects is None:
        return None
    after = [look.solar_day for look in looks if look.outcome in JUDGED and look.solar_day > last]
    has_history = any(look.outcome in CLEAR and look.solar_day < first for look in looks)
    was_seen = any(each.first_with >= first for each in live)
    if len(after) < max(needed, 1) or not has_history or was_seen:
        return None
    return Silence(site.id, note.id, note.expects.value, note.date.text, len(after), max(after))
