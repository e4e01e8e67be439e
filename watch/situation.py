"""What is news right now: everything a digest is made of, read once, and the digest of one sink.

What waits (a site's cooldown, a muted site) is not lost: it is told when it may be, if it still holds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from watch.digest import MAX_NEWS, Digest, seen_sentences, subject_line
from watch.health import Pulse, pulse, read_health
from watch.lock import holder
from watch.news import (
    Kind,
    News,
    Trouble,
    change_news,
    is_over,
    look_troubles,
    silence_news,
    trouble_news,
    withdrawn_news,
)
from watch.reviews import read_reviews
from watch.seen import CLEAR, Seen, seen
from watch.silence import silences_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime
    from pathlib import Path

    from imagery.model import Detection
    from sites.model import Site
    from watch.ledger import LookOutcome
    from watch.notify_settings import NotifySettings
    from watch.reviews import Reviews
    from watch.silence import Silence
    from watch.told import Told
    from watch.workspace import Workspace

TROUBLE_DAYS = 30
"""A site whose last image is older says nothing about whether images can be looked at."""

_ORDER = {Kind.FAILURE: 0, Kind.CHANGE: 1, Kind.SILENCE: 2, Kind.QUIET: 3}
_STATES = {"confirmed": 0, "probable": 1, "retracted": 2}


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that news is made of."""

    title: str
    """Of the workspace."""
    now: datetime
    """Aware UTC."""
    settings: NotifySettings
    sites: Mapping[str, Site]
    """All of the catalogue, by id and by former ids."""
    detections: tuple[Detection, ...]
    looks: tuple[LookOutcome, ...]
    """Of the days that any digest speaks of."""
    last_clear: Mapping[date, Mapping[str, date]]
    """By first day of a span: the last clear day of each site before it."""
    silences: tuple[Silence, ...]
    troubles: tuple[Trouble, ...]
    reviews: Reviews


def gather(
    workspace: Workspace, now: datetime, told: Sequence[Told], troubles: Sequence[Trouble] = ()
) -> Situation:
    """Read what news is made of.

    Args:
        workspace: Where ledger, catalogue and reviews are.
        now: Aware UTC.
        told: The accounts of the sinks that will be told.
        troubles: How things outside the ledger are doing.
    """
    settings = workspace.settings.notify
    catalogue = workspace.catalogue()
    starts = {_start(settings, now, each) for each in told}
    recent = now.date() - timedelta(days=TROUBLE_DAYS)
    watched = {site.id: site for site in catalogue if _is_watched(site)}
    reviews = read_reviews(workspace.reviews_path)
    with workspace.ledger() as ledger:
        detections = tuple(ledger.detections())
        looks = tuple(ledger.outcomes(min(starts | {recent}), now.date()))
        quiet = silences_in(
            watched.values(), ledger, needed=settings.silent_looks, dismissed=reviews.dismissed
        )
        last_clear = {start: ledger.last_days(start, CLEAR) for start in sorted(starts)}
    late = [look for look in looks if look.solar_day >= recent]
    return Situation(
        title=workspace.settings.title,
        now=now,
        settings=settings,
        sites={each: site for site in catalogue for each in (*site.former_ids, site.id)},
        detections=detections,
        looks=looks,
        last_clear=last_clear,
        silences=quiet,
        troubles=(*look_troubles(late, watched), *_run_troubles(workspace.root, now), *troubles),
        reviews=reviews,
    )


def digest_for(situation: Situation, told: Told) -> Digest | None:
    """Return the next digest of a sink; None while there is nothing to say.

    Args:
        situation: As it is.
        told: What the sink was told.
    """
    news, held = fresh(situation, told)
    if not news and not _is_time_for_a_sign(situation, told):
        return None
    counts = _seen_since(situation, _start(situation.settings, situation.now, told))
    waiting = held + len(news[MAX_NEWS:])
    digest = Digest(situation.title, situation.now, tuple(news[:MAX_NEWS]), counts, waiting)
    return digest if news else _with_sign_of_life(digest, told)


def fresh(situation: Situation, told: Told) -> tuple[list[News], int]:
    """Return the news for one sink, the most certain first, and how many wait for a cooldown.

    Muted sites, and detections that all who spoke dismissed, say nothing; they are not counted either.
    """
    audible = [news for news in _candidates(situation, told) if not _is_muted(news, situation)]
    free = [news for news in audible if not _is_cooling(news, situation, told)]
    return sorted(free, key=_rank), len(audible) - len(free)


def _candidates(situation: Situation, told: Told) -> Iterator[News]:
    yield from _changes(situation, told)
    for silence in situation.silences:
        news = silence_news(silence, situation.sites[silence.site_id])
        if news.subject not in told.words:
            yield news
    for trouble in situation.troubles:
        told_of = trouble_news(trouble, told.words.get(trouble.subject))
        if told_of is not None:
            yield told_of


def _changes(situation: Situation, told: Told) -> Iterator[News]:
    known = {detection.id for detection in situation.detections}
    for detection in situation.detections:
        site = situation.sites.get(detection.site_id)
        standing = situation.reviews.standing(detection.id)
        if site is None or standing.word == "dismissed":
            continue
        news = change_news(detection, site, standing.words, told.words.get(detection.id))
        if news is not None:
            yield news
    for subject, last in told.words.items():
        is_gone = last.news.kind is Kind.CHANGE and subject not in known and not is_over(last.state)
        if is_gone and situation.reviews.standing(subject).word != "dismissed":
            yield withdrawn_news(last)


def _run_troubles(root: Path, now: datetime) -> Iterator[Trouble]:
    health = read_health(root)
    if health is not None:
        state, words = pulse(health, now, holder(root))
        yield Trouble("run", "The watch", "" if state is Pulse.WELL else f"{words[:1].upper()}{words[1:]}.")


def _is_watched(site: Site) -> bool:
    return site.is_watched and not site.retired


def _is_muted(news: News, situation: Situation) -> bool:
    site = situation.sites.get(news.site_id)
    ids = (news.site_id,) if site is None else (site.id, *site.former_ids)
    return bool(news.site_id) and situation.reviews.muted_until(ids, situation.now.date()) is not None


def _is_cooling(news: News, situation: Situation, told: Told) -> bool:
    last = told.sites.get(news.site_id)
    if last is None or news.kind is Kind.FAILURE:
        return False
    # A clock that was set back must not silence a site until it has caught up.
    return timedelta(0) <= situation.now - last < timedelta(days=situation.settings.cooldown_days)


def _is_time_for_a_sign(situation: Situation, told: Told) -> bool:
    every = timedelta(days=situation.settings.quiet_days)
    if not every:
        return False
    since = None if told.last_at is None else situation.now - told.last_at
    return since is None or since >= every or since < timedelta(0)


def _start(settings: NotifySettings, now: datetime, told: Told) -> date:
    """Return the first day that a digest speaks of: a week at least, since images may come late."""
    usual = now.date() - timedelta(days=settings.quiet_days or 7)
    return usual if told.last_at is None else min(usual, told.last_at.date())


def _seen_since(situation: Situation, start: date) -> Seen:
    watched = {site.id for site in situation.sites.values() if _is_watched(site)}
    looks = [look for look in situation.looks if look.solar_day >= start]
    return seen(looks, situation.last_clear[start], watched, start=start, end=situation.now.date())


def _with_sign_of_life(digest: Digest, told: Told) -> Digest:
    before = told.words.get("quiet")
    sign = News(
        Kind.QUIET,
        "quiet",
        digest.made.isoformat(),
        subject_line(digest),
        seen_sentences(digest),
        said_before=0 if before is None else before.times,
    )
    return replace(digest, news=(sign,))


def _rank(news: News) -> tuple[int, int, str, str]:
    return _ORDER[news.kind], _STATES.get(news.state, 3), news.site_id, news.subject
