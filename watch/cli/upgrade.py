"""`sitewatch upgrade`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watch.cli.options import HERE, DryRun, Json, Quiet, Workspace

if TYPE_CHECKING:
    from watch.workspace_upgrade import Change


def upgrade(
    dry_run: DryRun = False, workspace: Workspace = HERE, json: Json = False, quiet: Quiet = False
) -> None:
    """Bring a workspace that an older sitewatch made to the present layout; copies of what changes are kept.

    Commands read older workspaces as they are: nothing is changed before you say so.
    """
    from watch.cli.output import Output
    from watch.workspace import workspace_root
    from watch.workspace_upgrade import upgrade as upgrade_workspace

    output = Output(json, quiet)
    report = upgrade_workspace(workspace_root(workspace), dry_run=dry_run)
    output.document(
        {
            "dry_run": dry_run,
            "before": report.before,
            "after": report.after,
            "steps": [
                {
                    "to": step.to,
                    "what": step.words,
                    "files": [change.path for change in step.changes],
                    "copies": None if step.copies is None else str(step.copies),
                }
                for step in report.steps
            ],
        }
    )
    for step in report.steps:
        output.line(f"To version {step.to}: {step.words}.")
        for change in step.changes:
            for line in _difference(change):
                output.line(f"    {line}")
        if step.copies is not None:
            output.line(f"    Kept as they were in {step.copies}.")
    if not report.steps:
        output.line(f"Nothing to do: this workspace has version {report.after}.")
    elif dry_run:
        output.line("Nothing was written.")


def _difference(change: Change) -> list[str]:
    from difflib import unified_diff

    before, after = change.before.splitlines(), change.after.splitlines()
    return list(unified_diff(before, after, change.path, change.path, lineterm="", n=1))
