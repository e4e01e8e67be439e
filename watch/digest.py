"""A digest: what is news, and how often the sites could be seen; as values and as plain text. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Self

from watch.news import Kind, News
from watch.seen import BlindSpan, Seen

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_NEWS = 300
"""More are told by the next digest: one line of the journal holds them all."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What is sent once to one sink."""

    title: str
    """Of the workspace."""
    made: datetime
    """Aware UTC."""
    news: tuple[News, ...]
    seen: Seen
    held: int = 0
    """News that waits: for a site's cooldown, or because there was too much."""

    @property
    def id(self) -> str:
        """From content: the same news told by the same digest has the same id."""
        content = (self.made.isoformat(), *(news.id for news in self.news))
        return f"word-{hashlib.sha256(repr(content).encode()).hexdigest()[:20]}"

    @property
    def alerts(self) -> tuple[News, ...]:
        """The news that is more than a sign of life."""
        return tuple(news for news in self.news if news.kind is not Kind.QUIET)

    def to_json(self) -> dict[str, Any]:
        """Return the digest as JSON values; `from_json` gives it back."""
        span = self.seen.longest
        counts = asdict(self.seen) | {
            "start": self.seen.start.isoformat(),
            "end": self.seen.end.isoformat(),
            "longest": None
            if span is None
            else {
                "site_id": span.site_id,
                "since": None if span.since is None else span.since.isoformat(),
                "until": span.until.isoformat(),
            },
        }
        return {
            "id": self.id,
            "title": self.title,
            "made": self.made.astimezone(UTC).isoformat(),
            "news": [news.to_json() for news in self.news],
            "seen": counts,
            "held": self.held,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return the digest of a line.

        Raises:
            KeyError, TypeError, ValueError: It is none.
        """
        counts = dict(value["seen"])
        span = counts["longest"]
        counts["longest"] = span and BlindSpan(
            span["site_id"],
            span["since"] and date.fromisoformat(span["since"]),
            date.fromisoformat(span["until"]),
        )
        counts |= {key: date.fromisoformat(counts[key]) for key in ("start", "end")}
        return cls(
            title=str(value["title"]),
            made=datetime.fromisoformat(value["made"]).astimezone(UTC),
            news=tuple(News.from_json(each) for each in value["news"]),
            seen=Seen(**counts),
            held=int(value["held"]),
        )


def subject_line(digest: Digest) -> str:
    """Return the digest in one line."""
    alerts = digest.alerts
    if not alerts:
        return f"{digest.title}: no news, {digest.seen.clear} clear of {digest.seen.looks} looks"
    if len(alerts) == 1:
        return alerts[0].title
    sites = len({news.site_id for news in alerts if news.site_id})
    return f"{digest.title}: {len(alerts)} news from {sites} {'site' if sites == 1 else 'sites'}"


def digest_text(digest: Digest, items: int) -> str:
    """Return the digest as plain text.

    Args:
        digest: What is told.
        items: At most so many news one by one; the others are counted.
    """
    alerts = digest.alerts
    parts = ["\n".join((f"* {news.title}", *(f"  {line}" for line in news.lines))) for news in alerts[:items]]
    if len(alerts) > items:
        parts.append(f"... and {len(alerts) - items} more: sitewatch review list")
    if digest.held:
        parts.append(f"{digest.held} more {'waits' if digest.held == 1 else 'wait'} for a later word.")
    parts.append("\n".join(seen_sentences(digest)))
    return "\n\n".join(parts) + "\n"


def seen_sentences(digest: Digest) -> tuple[str, ...]:
    """Return how often the sites could be seen, and what that says about change."""
    seen = digest.seen
    span = f"{seen.start} to {seen.end}"
    if not seen.watched:
        return (f"{span}: no site is watched.",)
    counts = f"{seen.clear} clear, {seen.obscured} obscured, {seen.failed} failed"
    looked = f"{_number(seen.looks, 'look')} at {_sites(seen.watched)}, {counts}"
    nothing = f"no image of any of {_sites(seen.watched)} was looked at"
    sentences = [f"{span}: {looked if seen.looks else nothing}.", _judged_sentence(digest)]
    if seen.unseen_sites:
        sentences.append(f"{_sites(seen.unseen_sites)} could not be seen once in these days.")
    if seen.longest is not None:
        sentences.append(_blind_sentence(seen.longest))
    return tuple(sentences)


def _judged_sentence(digest: Digest) -> str:
    seen = digest.seen
    if not seen.judged:
        return "No look could be judged: whether anything changed in these days is not known."
    which = f"{_number(seen.judged, 'look')} at {_sites(seen.judged_sites)} could be judged"
    unknown = seen.watched - seen.judged_sites
    rest = f" Whether anything changed at the other {_sites(unknown)} is not known." if unknown else ""
    if any(news.kind is Kind.CHANGE for news in digest.news) or digest.held:
        return f"{which}.{rest}"
    return f"{which}; none of them gives a change to tell of.{rest}"


def _blind_sentence(span: BlindSpan) -> str:
    if span.days is None:
        return f"Longest blind span: {span.site_id} was never seen."
    return (
        f"Longest blind span: {span.site_id}, {_number(span.days, 'day')} from {span.since} to {span.until}."
    )


def _sites(number: int) -> str:
    return _number(number, "site")


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
