"""`sitewatch review`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watch.cli.notes import Sources
from watch.cli.options import HERE, Json, Quiet, Workspace

if TYPE_CHECKING:
    from datetime import date, datetime

    from watch.cli.output import Output
    from watch.confirming import Words
    from watch.decisions import Decision
    from watch.queue import Filters
    from watch.reviewer import Reviewer
    from watch.reviews import Reviews
    from watch.workspace import Workspace as Folder

PARTLY_DONE = 3

app = typer.Typer(name="review", help="An analyst's word on detections.", no_args_is_help=True)

DetectionId = Annotated[
    str, typer.Argument(metavar="ID", help="Id of the detection, or as much of it as tells it apart.")
]
By = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Who decides; else [review] reviewer, git's user.name, the account's name.",
        show_default=False,
    ),
]


@app.command("list")
def list_detections(
    site: Annotated[list[str] | None, typer.Argument(metavar="[SITE...]", show_default=False)] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(help="candidate, probable, confirmed or retracted. Repeatable.", show_default=False),
    ] = None,
    word: Annotated[
        list[str] | None,
        typer.Option(help="open, confirmed, dismissed or disputed. Repeatable.", show_default=False),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DAY", help="First seen then or later.", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that want no word, too.")] = False,
    orphans: Annotated[
        bool, typer.Option("--orphans", help="What was said of detections that the ledger no longer knows.")
    ] = False,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List the detections that wait for a word, those with the most evidence first.

    Exit code 3: a line of reviews/ was refused; what it says does not count.
    """
    from watch.cli.output import Output
    from watch.cli.review_words import list_orphans, list_queue
    from watch.reviews import read_reviews
    from watch.workspace import Workspace as Folder

    output, folder = Output(json, quiet), Folder.open(workspace)
    reviews = read_reviews(folder.reviews_path)
    if orphans:
        list_orphans(folder, reviews, output)
    else:
        filters = _filters(folder, site, state, word, since, everything=everything)
        list_queue(folder, reviews, filters, output, _now().date())
    _warn(reviews, output)


@app.command("show")
def show(
    detection: DetectionId,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="PNG", help="Write before and after side by side.", show_default=False),
    ] = None,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show what a detection rests on, what was said about it, and the looks since; write its picture."""
    from geo.durable import write_bytes
    from watch.cli.output import Output
    from watch.cli.review_words import evidence_json, print_evidence
    from watch.evidence import before_after_png, find_detection, gather
    from watch.reviews import read_reviews
    from watch.workspace import Workspace as Folder

    output, folder = Output(json, quiet), Folder.open(workspace)
    reviews = read_reviews(folder.reviews_path)
    with folder.ledger() as ledger:
        found = gather(folder, ledger, find_detection(ledger, detection), reviews, _now().date())
    if picture is not None:
        write_bytes(picture, before_after_png(folder, found))
    output.document(evidence_json(found) | ({} if picture is None else {"picture": str(picture)}))
    print_evidence(found, output)
    if picture is not None:
        output.line(str(picture))
    _warn(reviews, output)


@app.command("confirm")
def confirm(
    detection: DetectionId,
    note: Annotated[str, typer.Option(help="What it is, in your words; becomes a note of the site.")],
    source: Sources = None,
    expects: Annotated[
        str | None,
        typer.Option(
            help="construction, demolition, more_activity, less_activity, closed or reopened.",
            show_default=False,
        ),
    ] = None,
    by: By = None,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say that a change is there: writes a dated, measured note with its looks, then the decision."""
    from watch.cli.output import Output
    from watch.confirming import confirm as confirm_detection
    from watch.evidence import find_detection
    from watch.lock import writing
    from watch.workspace import Workspace as Folder

    output, folder = Output(json, quiet), Folder.open(workspace)
    who = _reviewer(folder, by)
    words = _words(note, source, expects)
    with writing(folder.root):
        with folder.ledger() as ledger:
            found = find_detection(ledger, detection)
            looks = ledger.looks(found.site_id)
        done = confirm_detection(folder, found, looks, words, by=who.name, at=_now())
    output.document(
        done.decision.to_json() | {"wrote_note": done.wrote_note, "wrote_decision": done.wrote_decision}
    )
    already = "" if done.wrote_note or done.wrote_decision else "; it was said already"
    output.line(f"{found.id}: confirmed by {who}, note {done.note.id} of {done.site.id}{already}.")


@app.command("dismiss")
def dismiss(
    detection: DetectionId,
    because: Annotated[
        str, typer.Option(metavar="TEXT|CAUSE", help="Why: your words, or a cause like snow or dust.")
    ],
    by: By = None,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say that it is no change, or none that matters; its score then counts as one of a quiet place."""
    from watch.decisions import Decision, Verdict
    from watch.evidence import find_detection
    from watch.workspace import Workspace as Folder

    folder = Folder.open(workspace)
    who = _reviewer(folder, by)
    with folder.ledger() as ledger:
        found = find_detection(ledger, detection)
    decision = Decision(Verdict.DISMISS, who.name, _now(), found.site_id, found.id, because.strip())
    _say(folder, decision, who, f"{found.id}: dismissed", json=json, quiet=quiet)


@app.command("mute")
def mute(
    site: Annotated[str, typer.Argument(metavar="SITE", help="Id of the site.")],
    until: Annotated[
        str, typer.Option(metavar="DAY", help="First day on which it is spoken of again.", show_default=False)
    ],
    because: Annotated[str, typer.Option(metavar="TEXT", help="Why.", show_default=False)] = "",
    by: By = None,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Send no word about a site for a while; it is watched and judged as before."""
    from watch.decisions import Decision, Verdict
    from watch.workspace import Workspace as Folder

    folder = Folder.open(workspace)
    who = _reviewer(folder, by)
    site_id = folder.catalogue().get(site).id
    end = _day(until, "--until")
    decision = Decision(Verdict.MUTE, who.name, _now(), site_id, because=because.strip(), until=end)
    _say(folder, decision, who, f"{site_id}: muted until {end}", json=json, quiet=quiet)


@app.command("retract")
def retract(
    subject: Annotated[
        str,
        typer.Argument(metavar="ID|SITE", help="A detection that you spoke of, or a site that you muted."),
    ],
    by: By = None,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Take back your own last word on a detection or a site; a note that was written stays."""
    from watch.decisions import Decision, Verdict
    from watch.workspace import Workspace as Folder

    folder = Folder.open(workspace)
    who = _reviewer(folder, by)
    site_id, detection_id = _spoken_of(folder, subject)
    decision = Decision(Verdict.RETRACT, who.name, _now(), site_id, detection_id)
    _say(folder, decision, who, f"{decision.subject}: taken back", json=json, quiet=quiet)


@app.command("dismissed")
def dismissed_list(
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List the dismissed detections with the scores that join the empirical null."""
    from watch.cli.output import Output
    from watch.cli.review_words import list_dismissed
    from watch.dismissed import dismissed
    from watch.reviews import read_reviews
    from watch.workspace import Workspace as Folder

    output, folder = Output(json, quiet), Folder.open(workspace)
    reviews = read_reviews(folder.reviews_path)
    with folder.ledger() as ledger:
        found = dismissed(ledger.detections(), reviews)
    list_dismissed(found, output)
    _warn(reviews, output)


def _now() -> datetime:
    from datetime import UTC, datetime

    return datetime.now(UTC).replace(microsecond=0)


def _day(text: str, option: str) -> date:
    from datetime import date

    from geo.errors import DateError, Where

    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise DateError(
            f"{text[:40]!r} is no day", where=Where(field=option), hint="Write it like 2026-11-22"
        ) from error


def _reviewer(folder: Folder, by: str | None) -> Reviewer:
    from watch.reviewer import find_reviewer

    return find_reviewer(folder.root, given=by, setting=folder.settings.review.reviewer)


def _words(note: str, source: list[str] | None, expects: str | None) -> Words:
    from sites.forms import SOURCE
    from sites.observation import Expectation
    from watch.cli.notes import raw_sources
    from watch.confirming import Words as Written
    from watch.errors import ReviewError

    if expects is not None and expects not in set(Expectation):
        raise ReviewError(f"{expects[:40]!r} is nothing that can be expected", hint=", ".join(Expectation))
    sources = tuple(SOURCE.read(raw) for raw in raw_sources(source))
    return Written(note, sources, None if expects is None else Expectation(expects))


def _say(folder: Folder, decision: Decision, who: Reviewer, text: str, *, json: bool, quiet: bool) -> None:
    from watch.cli.output import Output
    from watch.reviews import write_decision

    output = Output(json, quiet)
    said = write_decision(folder.reviews_path, decision)
    output.document(decision.to_json() | {"wrote_decision": said})
    output.line(f"{text} by {who}{'' if said else '; it was said already'}.")


def _spoken_of(folder: Folder, subject: str) -> tuple[str, str]:
    """Return site and detection of what was spoken of: also of detections that are gone."""
    from watch.reviews import read_reviews

    said = read_reviews(folder.reviews_path).decisions
    sites = {each.detection_id: each.site_id for each in said if each.detection_id}
    found = [each for each in sites if each.startswith(subject)] if subject not in sites else [subject]
    if subject and len(found) == 1:
        return sites[found[0]], found[0]
    return folder.catalogue().get(subject).id, ""


def _filters(
    folder: Folder,
    site: list[str] | None,
    state: list[str] | None,
    word: list[str] | None,
    since: str | None,
    *,
    everything: bool,
) -> Filters:
    from imagery.model import DetectionState
    from watch.errors import ReviewError
    from watch.queue import Filters

    for given, known, option in (
        (state, set(DetectionState), "--state"),
        (word, {"open", "confirmed", "dismissed", "disputed"}, "--word"),
    ):
        for each in given or ():
            if each not in known:
                raise ReviewError(f"{option} {each[:40]!r} is none of {', '.join(sorted(known))}")
    catalogue = folder.catalogue()
    return Filters(
        frozenset(catalogue.get(each).id for each in site or ()),
        frozenset(state or ()),
        frozenset(word or ()),
        None if since is None else _day(since, "--since"),
        everything,
    )


def _warn(reviews: Reviews, output: Output) -> None:
    for fault in reviews.faults:
        output.note(f"does not count: {fault}")
    if reviews.faults:
        raise typer.Exit(PARTLY_DONE)
