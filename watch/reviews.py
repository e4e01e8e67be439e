"""What analysts said so far: a file for each reviewer, and what holds of it.

    reviews/anna.jsonl      lines are only added; each is one `Decision`

Of each reviewer the last decision on a subject holds. Two reviewers may disagree, and both stay. Nothing
here changes what the machine judged: a detection keeps its state, and what was said is shown beside it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

from geo.errors import Where
from sites.slugs import slug
from watch.decisions import Decision, Verdict, read_decision
from watch.errors import ReviewError
from watch.journal import append_line, parsed_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime
    from pathlib import Path

    from geo.errors import InputError

ENDING = ".jsonl"


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds of one detection, reviewer by reviewer."""

    decisions: tuple[Decision, ...] = ()
    """Confirmations and dismissals, at most one of each reviewer, in the order of time."""

    @property
    def word(self) -> str:
        """``open``, ``confirmed``, ``dismissed`` or ``disputed``."""
        verdicts = {decision.verdict for decision in self.decisions}
        if not verdicts:
            return "open"
        if len(verdicts) > 1:
            return "disputed"
        return "confirmed" if Verdict.CONFIRM in verdicts else "dismissed"

    @property
    def words(self) -> str:
        """Who said what: ``confirmed by anna; dismissed by bo (cloud shadow)``; empty when nobody did."""
        return "; ".join(_words(decision) for decision in self.decisions)


OPEN = Standing()


@dataclass(frozen=True, slots=True)
class Reviews:
    """Everything in a workspace's `reviews/`."""

    decisions: tuple[Decision, ...] = ()
    """All of them, in the order of time."""
    faults: tuple[InputError, ...] = ()
    """Lines that were refused, each with its file and number."""
    standings: Mapping[str, Standing] = field(default_factory=dict)
    """By detection; those nobody speaks of are left out."""
    mutes: Mapping[str, tuple[Decision, ...]] = field(default_factory=dict)
    """By site: each reviewer's mute that was not taken back, over or not."""

    def standing(self, detection_id: str) -> Standing:
        """Return what holds of a detection."""
        return self.standings.get(detection_id, OPEN)

    @property
    def dismissed(self) -> frozenset[str]:
        """The detections that everybody who decided on them took for no change."""
        return frozenset(key for key, each in self.standings.items() if each.word == "dismissed")

    def muted_until(self, site_ids: Iterable[str], today: date) -> date | None:
        """Return the first day on which a site is spoken of again; None when it is not muted today.

        Args:
            site_ids: The site's id and its former ones.
            today: The day in question.
        """
        ends = [
            mute.until
            for site_id in site_ids
            for mute in self.mutes.get(site_id, ())
            if mute.until is not None
        ]
        return max((end for end in ends if end > today), default=None)


def read_reviews(folder: Path) -> Reviews:
    """Return what a folder of reviews holds; lines that are none are named among the faults."""
    decisions: list[tuple[datetime, Decision]] = []
    faults: list[InputError] = []
    files = sorted(folder.glob(f"*{ENDING}")) if folder.is_dir() else []
    for file in files:
        found, refused = parsed_lines(file, read_decision)
        mine = [decision for decision in found if reviewer_file(decision.by) == file.name]
        faults.extend(refused)
        faults.extend(_strangers(found, file))
        # A file's order is what counts, also where its writer's clock was set back.
        times = accumulate((decision.at for decision in mine), max)
        decisions.extend(zip(times, mine, strict=True))
    ordered = sorted(decisions, key=lambda each: each[0])
    return _gathered([decision for _, decision in ordered], faults)


def write_decision(folder: Path, decision: Decision) -> bool:
    """Add a decision to its reviewer's file; return False where it says what holds already.

    Raises:
        JournalError: The file can't be written.
    """
    path = folder / reviewer_file(decision.by)
    said, _ = parsed_lines(path, read_decision)
    last = next((each for each in reversed(said) if each.subject == decision.subject), None)
    if last is not None and last.says_the_same(decision):
        return False
    if last is None and decision.verdict is Verdict.RETRACT:
        problem = f"{decision.by} has said nothing about {decision.subject!r} that could be taken back"
        raise ReviewError(problem, hint="`sitewatch review list --all` shows who said what")
    append_line(path, decision.to_json())
    return True


def reviewer_file(name: str) -> str:
    """Return the name of a reviewer's file; different names never share one.

    >>> reviewer_file("anna"), reviewer_file("Anna B.")
    ('anna.jsonl', 'anna-b-a8ad2d7c.jsonl')
    """
    plain = slug(name) or "reviewer"
    if plain == name:
        return f"{name}{ENDING}"
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain[:48]}-{digest}{ENDING}"


def _strangers(found: Iterable[Decision], file: Path) -> list[InputError]:
    names = sorted({decision.by for decision in found if reviewer_file(decision.by) != file.name})
    return [
        ReviewError(
            f"lines of {name!r} stand in another's file and don't count",
            where=Where(str(file)),
            hint=f"They belong into {reviewer_file(name)}",
        )
        for name in names
    ]


def _gathered(decisions: list[Decision], faults: list[InputError]) -> Reviews:
    last: dict[tuple[str, str], Decision] = {}
    for decision in decisions:
        # Taken out first, so that the order is that of what holds.
        last.pop((decision.by, decision.subject), None)
        last[decision.by, decision.subject] = decision
    standing: defaultdict[str, list[Decision]] = defaultdict(list)
    mutes: defaultdict[str, list[Decision]] = defaultdict(list)
    for decision in last.values():
        if decision.verdict is Verdict.MUTE:
            mutes[decision.site_id].append(decision)
        elif decision.verdict is not Verdict.RETRACT:
            standing[decision.detection_id].append(decision)
    return Reviews(
        tuple(decisions),
        tuple(faults),
        {key: Standing(tuple(each)) for key, each in standing.items()},
        {key: tuple(each) for key, each in mutes.items()},
    )


def _words(decision: Decision) -> str:
    if decision.verdict is Verdict.CONFIRM:
        return f"confirmed by {decision.by}"
    return f"dismissed by {decision.by} ({decision.because})"
