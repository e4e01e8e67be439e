"""`sitewatch restore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watch.cli.options import Json, Quiet

if TYPE_CHECKING:
    from watch.backup_scenes import WantedScene
    from watch.cli.output import Output


def restore(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What `sitewatch backup` wrote.", show_default=False)
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.", show_default=False)],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a workspace of a backup, whole or not at all; nothing outside the new folder is touched."""
    from watch.cli.output import Output
    from watch.cli.progress import counted
    from watch.restore import restore as make_again

    output = Output(json, quiet)
    with counted(output, "restore") as progress:
        report = make_again(file, folder, progress)
    output.document(
        {
            "workspace": str(report.root),
            "members": len(report.manifest.members),
            "with_archive": report.manifest.with_archive,
            "ledger_rows": report.rows,
            "ledger_elsewhere": report.ledger_elsewhere,
            "wanted": [
                {"id": each.id, "acquired": each.acquired, "from": each.provider} for each in report.wanted
            ],
        }
    )
    if report.rows is not None:
        output.note(f"ledger.sqlite was made of {report.rows:,} rows of a server's ledger.")
    if report.ledger_elsewhere:
        output.note(
            f"The settings keep the ledger elsewhere ({report.ledger_elsewhere}): "
            "to use what was restored, empty `url` of [ledger]."
        )
    _print_wanted(report.wanted, output)
    output.line(f"Made {report.root} of {len(report.manifest.members)} members, each as its digest says.")


def _print_wanted(wanted: tuple[WantedScene, ...], output: Output) -> None:
    from watch.cli.output import number_of

    if not wanted:
        return
    own = sum(each.is_own for each in wanted)
    output.note(f"{number_of(len(wanted), 'scene')} of the archive are not in the backup:")
    if own:
        output.note(f"  {own} of your own files: add them again with `sitewatch archive add`")
    if len(wanted) > own:
        days = sorted(each.acquired[:10] for each in wanted if not each.is_own)
        span = f"{days[0]}/{days[-1]}"
        output.note(f"  {len(wanted) - own} from a service: `sitewatch pull --span {span}` (it costs again)")
