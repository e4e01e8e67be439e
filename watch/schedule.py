"""Recipes for the machine's own timer; sitewatch keeps no daemon."""

from __future__ import annotations

import shlex
import sys
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def cron_lines(root: Path, *, hour: int = 6) -> str:
    """Return crontab lines that look at what is due once a day and publish the map.

    Missed days need no care: `run --due` catches up by itself, and its lock keeps two runs apart. The
    minute comes from the workspace's path, so that many workspaces don't all start at once, and the same
    workspace always prints the same lines.

    Args:
        root: The workspace, absolute.
        hour: Hour of the day in the machine's own time zone, 0 to 23.

    >>> from pathlib import Path
    >>> "run --due" in cron_lines(Path("/data/markets"))
    True
    """
    minute = int.from_bytes(sha256(str(root).encode()).digest()[:2], "big") % 60
    command = f"{shlex.quote(sys.executable)} -m watch.cli.main"
    where = f"--workspace {shlex.quote(str(root))}"
    log = shlex.quote(str(root / "run.log"))
    job = f"({command} run --due {where} --quiet && {command} map {where} --quiet) >> {log} 2>&1"
    # cron reads an unescaped per cent sign as the end of the command.
    job = job.replace("%", r"\%")
    return f"# sitewatch, {root}: look at what is due, then publish the map\n{minute} {hour} * * * {job}\n"
