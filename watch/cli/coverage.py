"""`sitewatch coverage`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from watch.cli.options import HERE, Json, Quiet, Workspace, closed_span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geo.dates import Span
    from sites.model import Site
    from watch.cli.output import Output
    from watch.coverage import Blind, Coverage, Seen, SiteCoverage
    from watch.silence import Silence


def coverage(
    site: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SITE...]", help="Ids; none means every site.", show_default=False),
    ] = None,
    category: Annotated[
        str | None, typer.Option(help="Only sites of this category.", show_default=False)
    ] = None,
    province: Annotated[
        str | None, typer.Option(help="Only sites in this province.", show_default=False)
    ] = None,
    span: Annotated[
        str | None, typer.Option(metavar="A/B", help="Only these days.", show_default=False)
    ] = None,
    gap_days: Annotated[
        int, typer.Option(metavar="N", min=1, help="Tell spans of more than N days without a clear look.")
    ] = 60,
    months: Annotated[bool, typer.Option("--months", help="Show the months over all sites.")] = False,
    silence: Annotated[
        bool, typer.Option("--silence", help="Show where activity is expected and was not seen.")
    ] = False,
    min_looks: Annotated[
        int, typer.Option(metavar="N", min=1, help="Looks that could tell a change before silence is told.")
    ] = 6,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show how often each site could be seen: clear looks, gaps, windows without a scene.

    A look is clear when it saw enough of the place, and could be judged when it could also tell a change.
    """
    from watch.cli.output import Output
    from watch.coverage import coverage as covered
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    folder = Folder.open(workspace)
    sites = _chosen(folder, site or (), category, province)
    days: Span | None = None if span is None else closed_span(span)
    with folder.ledger() as ledger:
        if silence:
            from watch.reviews import read_reviews
            from watch.silence import silences_in

            dismissed = read_reviews(folder.reviews_path).dismissed
            _show_silence(silences_in(sites, ledger, needed=min_looks, dismissed=dismissed), output)
            return
        # A site that has left the catalogue keeps its looks: they are told when nothing was picked.
        picked = [each.id for each in sites] if site or category or province else None
        watched = [each.id for each in sites if each.is_watched] if picked is None else ()
        found = covered(ledger, picked, span=days, gap_days=gap_days, also=watched)
    output.document(coverage_json(found))
    _show(found, output, months=months)


def coverage_json(found: Coverage) -> dict[str, Any]:
    """Return coverage as JSON values."""
    return {
        "sites": [_site_json(site) for site in found.sites],
        "months": _months_json(found.months),
        "looks": {outcome.value: count for outcome, count in found.outcomes.items()},
        "no_scene": found.no_scene,
    }


def _site_json(site: SiteCoverage) -> dict[str, Any]:
    return {
        "site": site.site_id,
        "span": None if site.span is None else [str(day) for day in site.span],
        "looks": {outcome.value: count for outcome, count in site.outcomes.items()},
        "clear": site.clear,
        "judged": site.judged,
        "judged_share": _rounded(site.judged_share),
        "clear_a_month": _rounded(site.clear_a_month),
        "no_scene": site.no_scene,
        "longest_blind": None if site.longest is None else _blind_json(site.longest),
        "gaps": [_blind_json(each) for each in site.gaps],
        "months": _months_json(site.months),
    }


def _blind_json(blind: Blind) -> dict[str, Any]:
    return {"since": str(blind.since), "until": str(blind.until), "days": blind.days}


def _months_json(months: dict[str, Seen]) -> dict[str, dict[str, int]]:
    return {
        month: {"looks": seen.looks, "clear": seen.clear, "judged": seen.judged}
        for month, seen in months.items()
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _chosen(folder: Any, named: Sequence[str], category: str | None, province: str | None) -> list[Site]:  # noqa: ANN401 - a Workspace, imported lazily
    from sites.categories import parse_category

    catalogue = folder.catalogue()
    wanted = None if category is None else parse_category(category)
    sites: Iterable[Site] = [catalogue.get(each) for each in dict.fromkeys(named)] if named else catalogue
    return [
        site
        for site in sites
        if (wanted is None or site.category == wanted) and (province is None or site.province == province)
    ]


def _show(found: Coverage, output: Output, *, months: bool) -> None:
    from watch.cli.output import number_of

    if months:
        rows = [(month, seen.looks, seen.clear, seen.judged) for month, seen in found.months.items()]
        output.table(["month", "looks#", "clear#", "judged#"], rows)
    else:
        columns = [
            "site",
            "looks#",
            "clear#",
            "a month#",
            "judged#",
            "no scene#",
            "gaps#",
            "longest blind span",
        ]
        output.table(columns, [_row(site) for site in found.sites])
    looks, judged = sum(site.looks for site in found.sites), sum(site.judged for site in found.sites)
    clear = sum(site.clear for site in found.sites)
    share = f" ({judged / looks:.0%})" if looks else ""
    worst = found.longest
    blind = (
        f" The longest blind span is {worst.longest.days} days, at {worst.site_id}."
        if worst is not None and worst.longest is not None
        else ""
    )
    output.line(
        f"{number_of(len(found.sites), 'site')}: {number_of(looks, 'look')}, {clear:,} clear, "
        f"{judged:,} could be judged{share}; {number_of(found.no_scene, 'window')} without a scene.{blind}"
    )


def _row(site: SiteCoverage) -> tuple[object, ...]:
    blind, rate = site.longest, site.clear_a_month
    return (
        site.site_id,
        site.looks,
        site.clear,
        "" if rate is None else f"{rate:.1f}",
        "" if site.judged_share is None else f"{site.judged_share:.0%}",
        site.no_scene,
        len(site.gaps),
        "no look yet" if blind is None else f"{blind.days} days, {blind.since} to {blind.until}",
    )


def _show_silence(found: Sequence[Silence], output: Output) -> None:
    from watch.cli.output import number_of

    output.document([silence.to_json() for silence in found])
    for silence in found:
        output.line(f"{silence.site_id}: {silence.words}.")
    output.line(
        f"{number_of(len(found), 'expectation')} looked for often enough and not seen. "
        "This says how often it was looked for, not that nothing happened."
    )
