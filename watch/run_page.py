"""A run's report for people: as text, and as one self-contained page."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import orjson

from geo.durable import write_bytes
from geo.errors import InputError, Where
from imagery.model import Outcome
from maps.offline import POLICY_MARK, sealed
from watch.periods import in_words
from watch.run_document import report_json

if TYPE_CHECKING:
    from pathlib import Path

    from imagery.model import Detection
    from imagery.provenance import Charge
    from watch.agenda import Plan
    from watch.run_report import RunReport, SiteReport

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff; max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } th { background: #f2f2f2 }
td, th { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ccc; vertical-align: top;
  overflow-wrap: anywhere }
@media (prefers-color-scheme: dark) {
  body { color: #eee; background: #161616 } th { background: #262626 } td, th { border-color: #444 }
}
"""

_CLEAR = (Outcome.UNCHANGED, Outcome.CHANGED, Outcome.LEARNING)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report: sentences, then a table that may be empty."""

    title: str
    words: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def write_report(path: Path, report: RunReport, title: str) -> None:
    """Write a run's report in the format that the ending of `path` names.

    Args:
        path: ``.html``, ``.json`` or ``.txt``.
        report: What the run did.
        title: The workspace's.

    Raises:
        InputError: The ending is none of these.
    """
    write_bytes(path, report_bytes(path, report, title))


def report_bytes(path: Path, report: RunReport, title: str) -> bytes:
    """Return a run's report in the format that the ending of `path` names; see `write_report`."""
    match path.suffix.lower():
        case ".html":
            return report_html(report, title).encode()
        case ".json":
            return orjson.dumps(report_json(report), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        case ".txt":
            return report_text(report, title).encode()
    raise _unknown_ending(path)


def check_ending(path: Path) -> None:
    """Refuse a report whose format nobody could tell, before a run is made for it.

    Raises:
        InputError: The ending is not one of a report.
    """
    if path.suffix.lower() not in {".html", ".json", ".txt"}:
        raise _unknown_ending(path)


def _unknown_ending(path: Path) -> InputError:
    where = Where(field="--report")
    return InputError(
        f"{path.name!r} is no kind of report", where=where, hint="End it in .html, .json or .txt"
    )


def report_text(report: RunReport, title: str) -> str:
    """Return a run's report as plain text."""
    lines = [_heading(report, title), ""]
    for section in sections(report):
        lines += [section.title, *(f"  {words}" for words in section.words)]
        lines += ["  " + " | ".join(row) for row in (section.columns, *section.rows) if section.rows]
        lines.append("")
    return "\n".join(lines)


def report_html(report: RunReport, title: str) -> str:
    """Return a run's report as a page that asks for nothing and runs nothing."""
    heading = escape(_heading(report, title))
    body = "\n".join(_section_html(section) for section in sections(report))
    return sealed(
        f'<!doctype html>\n<html lang="en">\n<head>\n{POLICY_MARK}\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{heading}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{heading}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )


def sections(report: RunReport) -> tuple[Section, ...]:
    """Return what a report says, in order; parts with nothing to say are left out."""
    plan_parts = (
        ()
        if report.plan is None
        else (_due(report.plan, report.spent), _cut(report.plan), _missed(report.plan))
    )
    found = (
        _outcome(report),
        _failures(report),
        _left(report),
        _detections(report),
        _silence(report),
        _how_sure(report),
        *plan_parts,
    )
    return tuple(section for section in (*found, _unjudged(report), _stages(report)) if section is not None)


def verdict(report: RunReport) -> str:
    """Return in one sentence how a run went."""
    wanted = [site for site in report.sites if not site.skipped]
    done = [site for site in wanted if not (site.failure or site.left)]
    return f"{len(done)} of {len(wanted)} sites that were to be looked at were examined to the end."


def _heading(report: RunReport, title: str) -> str:
    return f"{title}: run of {report.now:%Y-%m-%d %H:%M} UTC"


def _outcome(report: RunReport) -> Section:
    looks, total = report.looks, report.looks.total()
    clear = sum(looks[outcome] for outcome in _CLEAR)
    changed, judged = looks[Outcome.CHANGED], looks[Outcome.CHANGED] + looks[Outcome.UNCHANGED]
    words = (
        verdict(report),
        f"{clear} of {total} new looks saw the ground.",
        f"{changed} of the {judged} that could be judged show a change.",
        f"{report.no_scene} windows went by without any image.",
    )
    rows = tuple((outcome.value, f"{looks[outcome]} of {total}") for outcome in Outcome)
    return Section("What was seen", words, ("outcome", "new looks"), rows if total else ())


def _failures(report: RunReport) -> Section | None:
    rows = [(site.site_id, "the site", site.failure) for site in report.sites if site.failure]
    rows += [
        (look.site_id, str(look.solar_day), look.reason)
        for site in report.sites
        for look in site.failed_looks
    ]
    words = ("What failed touches nothing else, and is tried again by the next run that is due.",)
    return Section("What failed, and why", words, ("site", "what", "why"), tuple(rows)) if rows else None


def _left(report: RunReport) -> Section | None:
    rows = tuple((site.site_id, _progress(site), site.left) for site in report.sites if site.left)
    return (
        Section("What was left for the next run", (), ("site", "looks made", "why"), rows) if rows else None
    )


def _progress(site: SiteReport) -> str:
    return f"{site.looks.total()} of {site.pending}"


def _detections(report: RunReport) -> Section | None:
    rows = tuple(
        (
            found.site_id,
            str(found.state),
            found.bracket,
            f"{found.area_m2:,.0f} m2" + (", simulated" if found.simulated else ""),
            discovery_word(found),
            found.id,
        )
        for found in report.detections
    )
    columns = ("site", "state", "between", "area", "discovery", "id")
    return Section("Detections made or changed", (), columns, rows) if rows else None


def discovery_word(found: Detection) -> str:
    """Return in a few words what came of a detection's test among all of them."""
    if found.surety is None or found.surety.discovery is None:
        return "not tested"
    return "yes" if found.surety.discovery else "not sure enough"


def _how_sure(report: RunReport) -> Section | None:
    words = () if report.reckoning is None else report.reckoning.words
    return Section("How sure", words) if words else None


def _due(plan: Plan, spent: Charge) -> Section:
    cost = f"{plan.cost.requests} requests, {plan.cost.processing_units:.2f} processing units"
    cost += f"; spent: {spent.requests} requests, {spent.processing_units:.2f} processing units"
    words: tuple[str, ...] = (f"{len(plan.due)} of {len(plan.sites)} sites; estimated cost: {cost}.",)
    next_due = plan.next_due()
    if next_due is not None:
        words += (f"The next of the others falls due at {next_due:%Y-%m-%d %H:%M} UTC.",)
    rows = tuple((site.site_id, str(site.priority), site.reason) for site in plan.due)
    return Section("What was due", words, ("site", "priority", "why"), rows)


def _cut(plan: Plan) -> Section | None:
    rows = tuple((site.site_id, str(site.priority), site.reason) for site in plan.cut)
    return Section("What the budget cut", (), ("site", "priority", "why"), rows) if rows else None


def _missed(plan: Plan) -> Section | None:
    rows = tuple(
        (
            site.site_id,
            str(len(site.missed)),
            f"{site.missed[0].start:%Y-%m-%d} to {site.missed[-1].end:%Y-%m-%d}",
        )
        for site in plan.sites
        if site.missed
    )
    words = ("Nobody looked while these windows passed; what images there are of them was caught up on.",)
    return Section("What was missed", words, ("site", "windows", "when"), rows) if rows else None


def _unjudged(report: RunReport) -> Section | None:
    rows = tuple(
        (site.site_id, each.series, f"{each.days} days: {each.reason}")
        for site in report.sites
        for each in site.unjudged
    )
    return Section("Kept and not judged", (), ("site", "series", "why"), rows) if rows else None


def _silence(report: RunReport) -> Section | None:
    rows = tuple((each.site_id, each.words) for each in report.silence)
    words = ("This says how often it was looked for, not that nothing happened.",)
    return Section("Expected and not seen", words, ("site", "what"), rows) if rows else None


def _stages(report: RunReport) -> Section:
    total = sum(seconds for _, seconds in report.stages)
    rows = tuple((stage, in_words(seconds)) for stage, seconds in report.stages)
    slowest = max(report.sites, key=lambda site: site.took_s, default=None)
    words: tuple[str, ...] = (f"{in_words(total)} in all.",)
    if slowest is not None and slowest.took_s > 0:
        words += (f"The site that took longest: {slowest.site_id}, {in_words(slowest.took_s)}.",)
    return Section("How long it took", (*words, f"Run {report.run_id}."), ("stage", "time"), rows)


def _section_html(section: Section) -> str:
    parts = [f"<section>\n<h2>{escape(section.title)}</h2>"]
    parts += [f"<p>{escape(words)}</p>" for words in section.words]
    if section.rows:
        head = "".join(f'<th scope="col">{escape(column)}</th>' for column in section.columns)
        rows = "\n".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in section.rows
        )
        parts.append(f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>")
    return "\n".join([*parts, "</section>"])
