"""`sitewatch detect`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watch.cli.options import HERE, AssumeClear, Json, Quiet, Workspace

if TYPE_CHECKING:
    from watch.cli.output import Output
    from watch.detect import Diff


def detect(
    site: Annotated[str, typer.Argument(help="Id of the site.")],
    before: Annotated[str, typer.Option(metavar="EDTF", help="The earlier date, like 2015-05-25 or 2015.")],
    after: Annotated[str, typer.Option(metavar="EDTF", help="The later date.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for score.tif, change.geojson and picture.png.", show_default=False),
    ] = None,
    assume_clear: AssumeClear = False,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare the clear looks nearest to two dates.

    What differs by more than the noise and the common shift of the two images is reported as regions. Two
    dates can't tell a building from a harvest: `sitewatch run` judges against a site's own history.
    """
    from geo.dates import parse_edtf
    from watch.cli.output import Output
    from watch.detect import detect as compare_dates
    from watch.detect import feature_collection, write_diff
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    diff = compare_dates(
        Folder.open(workspace),
        site,
        before=parse_edtf(before),
        after=parse_edtf(after),
        assume_clear=assume_clear or None,
    )
    written = write_diff(diff, out) if out else ()
    output.document(feature_collection(diff))
    _print(diff, output)
    for path in written:
        output.line(str(path))


def _print(diff: Diff, output: Output) -> None:
    from watch.cli.output import number_of

    before, after = diff.before.chip, diff.after.chip
    days = [f"{chip.solar_day} ({chip.platform})" for chip in (before, after)]
    output.line(f"{diff.site.name}: {days[0]} against {days[1]}")
    for chosen in (diff.before, diff.after):
        for passed in chosen.passed:
            output.note(f"passed over {passed.solar_day}: {passed.reason}")
    output.table(
        ["area m2#", "pixels#", "times threshold#", "where"],
        [
            (
                f"{region.area_m2:,.0f}",
                region.pixels,
                f"{region.magnitude:.2f}",
                "site" if inside else "surroundings",
            )
            for region, inside in zip(diff.regions[:20], diff.in_footprint, strict=False)
        ],
    )
    if len(diff.regions) > 20:  # noqa: PLR2004 - a screenful
        output.line(f"... and {len(diff.regions) - 20} smaller ones (--json lists all).")
    total = sum(region.area_m2 for region in diff.regions)
    share = f"{diff.result.changed_fraction:.1%} of what was clear on both"
    threshold = f"threshold {diff.result.threshold:.2f}"
    output.line(f"{number_of(len(diff.regions), 'region')}, {total:,.0f} m2, {share}; {threshold}.")
