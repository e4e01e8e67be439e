"""Silence is news: activity is expected, the site was seen often enough, and nothing showed.

It never says that nothing happened: only what was not seen, in how many looks that could have shown it, and
since when. A look that could not tell a change counts for nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from imagery.model import DetectionState, Outcome
from sites.editing import current_notes
from sites.observation import Expectation
from watch.observable import Verdict, labels
from watch.seen import CLEAR, JUDGED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import date

    from imagery.model import Detection, Look, NoScene
    from sites.model import Site
    from sites.observation import Observation
    from watch.ledger import Ledger

ENOUGH_LOOKS = 6
"""Fewer looks that could tell a change than this are no silence yet."""

ACTIVITY = frozenset(
    {
        Expectation.CONSTRUCTION,
        Expectation.DEMOLITION,
        Expectation.MORE_ACTIVITY,
        Expectation.REOPENED,
    }
)
"""What should be seen from above if it is true; of a place that is said to be closed nothing is expected."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Activity that was expected, looked for often enough, and not seen."""

    site_id: str
    note_id: str
    """The note that expects it; empty where the site's watch rules do."""
    expects: str
    """``construction``, ``more_activity``, ..."""
    noted: str
    """EDTF: the note's date; empty for the site's watch rules."""
    since: date
    """Looks after this day count: the note's last day, or the last on which a detection showed; where there
    is none, the day before the first look."""
    looks: int
    clear: int
    """Looks that saw enough of the place."""
    judged: int
    """Looks after it that could be judged."""
    differing: int
    """Looks among them that differed, without a detection coming of it."""
    last_judged: date
    """The latest of them."""
    no_scene: int = 0
    """Due windows after it in which no provider had an acquisition."""

    @property
    def words(self) -> str:
        """What was not seen, and how often it was looked for."""
        who = f"note {self.note_id} of {self.noted}" if self.note_id else "its watch rules"
        differing = f", {self.differing} of which differed without a detection" if self.differing else ""
        windows = f"; {self.no_scene} windows had no scene" if self.no_scene else ""
        return (
            f"{self.expects.replace('_', ' ')} is expected ({who}); no change was detected in {self.judged} "
            f"looks that could tell one since {self.since}{differing}, the last on {self.last_judged} "
            f"({self.looks} looks in all, {self.clear} clear{windows})"
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "site": self.site_id,
            "note": self.note_id or None,
            "expects": self.expects,
            "noted": self.noted or None,
            "since": self.since.isoformat(),
            "looks": self.looks,
            "clear": self.clear,
            "judged": self.judged,
            "differing": self.differing,
            "last_judged": self.last_judged.isoformat(),
            "no_scene": self.no_scene,
            "words": self.words,
        }


def expecting(site: Site) -> tuple[Observation, ...]:
    """Return the current notes of a site that say what should be visible, and since when."""
    return tuple(
        note
        for note in current_notes(site)
        if note.expects in ACTIVITY and note.date.earliest is not None and note.date.latest is not None
    )


def silences_in(
    sites: Iterable[Site], ledger: Ledger, *, needed: int = ENOUGH_LOOKS, dismissed: Collection[str] = ()
) -> tuple[Silence, ...]:
    """Return what was expected of sites and not seen, in their order; sites of which nothing is are not read.

    Args:
        sites: Of the catalogue.
        ledger: Of looks and detections.
        needed: Judged looks, at least; 0: nothing is told.
        dismissed: Ids of detections that analysts took for no change.
    """
    found: list[Silence] = []
    for site in sites:
        if needed and (site.watch.expects in ACTIVITY or expecting(site)):
            shown = [each for each in ledger.detections(site.id) if each.id not in dismissed]
            windows = ledger.no_scenes(site.id)
            found += silences(site, ledger.looks(site.id), shown, needed=needed, no_scenes=windows)
    return tuple(found)


def silences(
    site: Site,
    looks: Sequence[Look],
    detections: Iterable[Detection],
    *,
    needed: int,
    no_scenes: Sequence[NoScene] = (),
) -> tuple[Silence, ...]:
    """Return the expectations of a site that enough judged looks saw nothing of.

    Only what could have been seen counts: there is a clear look before the note's first day to compare with,
    and the note claims no size that the looks kept here can't show. What the site's own watch rules expect
    is expected again and again: looks count since a detection last showed.

    Args:
        site: With its notes.
        looks: Of the site, oldest first.
        detections: Of the site; one that was not retracted and may fall into the note's time or later is
            what was expected.
        needed: Judged looks after the note's last day.
        no_scenes: Of the site.
    """
    live = [each for each in detections if each.state is not DetectionState.RETRACTED]
    counted = _Counted(site.id, looks, no_scenes, max(needed, 1))
    hidden = labels(site, looks)
    found = [_always(site, live, counted)]
    for note in expecting(site):
        label = hidden.get(note.id)
        if label is None or label.verdict is not Verdict.NOT_OBSERVABLE:
            found.append(_of_note(note, live, counted))
    return tuple(each for each in found if each is not None)


@dataclass(frozen=True, slots=True)
class _Counted:
    """What is counted of one site."""

    site_id: str
    looks: Sequence[Look]
    no_scenes: Sequence[NoScene]
    needed: int

    def since(self, day: date, expects: Expectation, note: Observation | None) -> Silence | None:
        """Return what was not seen after a day; None when too few looks could be judged."""
        after = [look for look in self.looks if look.solar_day > day]
        judged = [look for look in after if look.outcome in JUDGED]
        if len(judged) < self.needed:
            return None
        return Silence(
            self.site_id,
            "" if note is None else note.id,
            expects.value,
            "" if note is None else note.date.text,
            day,
            looks=len(after),
            clear=sum(look.outcome in CLEAR for look in after),
            judged=len(judged),
            differing=sum(look.outcome is Outcome.CHANGED for look in judged),
            last_judged=max(look.solar_day for look in judged),
            no_scene=sum(window.start > day for window in self.no_scenes),
        )


def _always(site: Site, live: Sequence[Detection], counted: _Counted) -> Silence | None:
    expects = site.watch.expects
    if expects not in ACTIVITY or not counted.looks:
        return None
    first = min(look.solar_day for look in counted.looks) - timedelta(days=1)
    return counted.since(max((each.last_with for each in live), default=first), expects, None)


def _of_note(note: Observation, live: Sequence[Detection], counted: _Counted) -> Silence | None:
    first, last, expects = note.date.earliest, note.date.latest, note.expects
    if first is None or last is None or expects is None:
        return None
    has_history = any(look.outcome in CLEAR and look.solar_day < first for look in counted.looks)
    was_seen = any(each.first_with >= first for each in live)
    return None if was_seen or not has_history else counted.since(last, expects, note)
