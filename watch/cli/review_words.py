"""What `sitewatch review` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from watch.cli.output import Output
    from watch.dismissed import Dismissed
    from watch.evidence import Evidence
    from watch.queue import Filters, Waiting
    from watch.reviews import Reviews
    from watch.workspace import Workspace as Folder


def list_queue(folder: Folder, reviews: Reviews, filters: Filters, output: Output, today: date) -> None:
    """Print the queue and how much of it wants a word."""
    from watch.cli.output import number_of
    from watch.dismissed import dismissed
    from watch.queue import orphans, queue

    with folder.ledger() as ledger:
        detections = ledger.detections()
    everything = queue(detections, reviews, folder.catalogue(), today=today)
    shown = [each for each in everything if filters.lets(each)]
    output.document([_waiting_json(each) for each in shown])
    output.table(
        ["id", "site", "state", "between", "m2#", "times#", "p#", "days ago#", "said"],
        [_row(each) for each in shown],
    )
    waiting = sum(each.wants_a_word for each in everything)
    muted = sum(each.muted_until is not None for each in everything)
    lost = len(orphans(reviews.decisions, detections))
    quiet_scores = len(dismissed(detections, reviews))
    said = [each.surety.discovery for each in detections if each.surety is not None]
    tested, found = sum(each is not None for each in said), sum(each is True for each in said)
    parts = [
        f"{number_of(len(shown), 'detection')} shown, {waiting} of {len(everything)} want a word",
        f"{muted} on muted sites" if muted else "",
        f"{quiet_scores} dismissed by all who spoke, kept as quiet scores" if quiet_scores else "",
        f"{found} of {tested} tested are discoveries" if tested else "",
        f"{number_of(lost, 'decision')} on detections that are gone (--orphans)" if lost else "",
    ]
    output.line("; ".join(part for part in parts if part) + ".")


def _row(each: Waiting) -> tuple[object, ...]:
    detection = each.detection
    muted = "" if each.muted_until is None else f"muted until {each.muted_until}"
    return (
        detection.id,
        detection.site_id,
        detection.state,
        detection.bracket,
        f"{detection.area_m2:,.0f}",
        f"{detection.magnitude:.2f}",
        "" if detection.p_value is None else f"{detection.p_value:.2g}",
        each.age_days,
        "; ".join(part for part in (each.standing.words, muted) if part),
    )


def _waiting_json(each: Waiting) -> dict[str, Any]:
    from watch.run_document import detection_json

    return detection_json(each.detection) | {
        "word": each.standing.word,
        "decisions": [decision.to_json() for decision in each.standing.decisions],
        "muted_until": None if each.muted_until is None else str(each.muted_until),
        "age_days": each.age_days,
    }


def list_orphans(folder: Folder, reviews: Reviews, output: Output) -> None:
    """Print what was said of detections that the ledger no longer knows."""
    from watch.cli.output import number_of
    from watch.queue import orphans

    with folder.ledger() as ledger:
        lost = orphans(reviews.decisions, ledger.detections())
    output.document([decision.to_json() for decision in lost])
    output.table(
        ["detection", "site", "said", "by", "when", "because"],
        [
            (each.detection_id, each.site_id, each.verdict, each.by, each.at.date(), each.because)
            for each in lost
        ],
    )
    output.line(f"{number_of(len(lost), 'decision')} on detections that the ledger no longer knows.")


def evidence_json(found: Evidence) -> dict[str, Any]:
    """Return a detection with all that is known of it as JSON values."""
    from watch.cli.looks import look_json
    from watch.run_document import detection_json

    return detection_json(found.detection) | {
        "word": found.standing.word,
        "decisions": [decision.to_json() for decision in found.standing.decisions],
        "muted_until": None if found.muted_until is None else str(found.muted_until),
        "looks": [
            look_json(look) | {"card": None if look.card is None else look.card.to_json()}
            for look in found.looks
        ],
    }


def print_evidence(found: Evidence, output: Output) -> None:
    """Print it as a card for a person."""
    from watch.certainty import sure_words
    from watch.news import area_range

    detection = found.detection
    simulated = ", SIMULATED pixels" if detection.simulated else ""
    output.line(f"{found.site.name} ({found.site.id}), detection {detection.id}{simulated}")
    output.line(
        f"{detection.state}: not there on {detection.last_without}, there on {detection.first_with}, "
        f"last seen on {detection.last_with}, on {detection.looks_with} clear looks ({detection.series})"
    )
    if detection.date_interval_90:
        output.line(f"changed between {detection.date_interval_90.replace('/', ' and ')} with 90 %")
    output.line(
        f"about {detection.area_m2:,.0f} m2{area_range(detection)}; {detection.magnitude:.2f} times its "
        "threshold"
    )
    output.line(sure_words(detection))
    if detection.kind:
        output.line(f"looks like: {detection.kind}")
    for flag in detection.flags:
        output.line(f"but note: {flag}")
    if detection.direction:
        bands = ", ".join(f"{band} {value:+.3f}" for band, value in detection.direction.items())
        output.line(f"observed minus predicted: {bands}")
    output.line(found.standing.words or "nobody has said anything yet")
    if found.muted_until is not None:
        output.line(f"the site is muted until {found.muted_until}")
    output.table(
        ["day", "outcome", "clear %#", "score#", "why"],
        [
            (
                look.solar_day,
                look.outcome,
                f"{look.clear_fraction:.0%}",
                "" if look.score is None else f"{look.score:.2f}",
                look.reason,
            )
            for look in found.looks
        ],
    )
    if found.card is not None:
        output.line(f"card of the look of {detection.first_with} (others: sitewatch looks SITE --day DAY):")
        output.line(found.card.text())


def list_dismissed(found: Sequence[Dismissed], output: Output) -> None:
    """Print dismissed detections with the scores that join the null."""
    from watch.cli.output import number_of

    output.document(
        [
            {
                "detection": each.detection_id,
                "site": each.site_id,
                "day": str(each.first_with),
                "score": each.score,
                "history": each.history,
                "because": list(each.because),
                "by": list(each.by),
            }
            for each in found
        ]
    )
    output.table(
        ["detection", "site", "day", "score#", "because", "by"],
        [
            (
                each.detection_id,
                each.site_id,
                each.first_with,
                f"{each.score:.2f}",
                "; ".join(each.because),
                ", ".join(each.by),
            )
            for each in found
        ],
    )
    output.line(f"{number_of(len(found), 'dismissed detection')}.")
