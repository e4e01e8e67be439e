"""Recipes for the machine's own timer around `run --due`; sitewatch keeps no daemon.

The lock is the run's own, and so is catching up: `run --due` does what has not been done. What a timer adds
is when, with some jitter, and that a machine that was off makes up for it.
"""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from geo.errors import InputError, Where
from watch.plan import EARLY

if TYPE_CHECKING:
    from pathlib import Path

TIMER_LOG = "timer.log"
"""What a run says when it can't even begin; empty as long as all goes well."""
PUBLISHED_AFTER = (0, 3, 4)
"""Exit codes of a run after which there is something to publish."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a timer is to do, and when."""

    root: Path
    """The workspace, absolute."""
    hour: int = 6
    """Hour of the day, 0 to 23."""
    zone: str = ""
    """IANA name of the time zone of `hour`; empty for the machine's own."""
    jitter: timedelta = timedelta(minutes=15)
    """The start is put off by up to so much."""
    deadline: timedelta = timedelta(hours=4)
    """No site is begun once a run has taken this long."""
    pull: bool = False
    """Whether images are pulled first."""
    notify: bool = False
    """Whether word is sent of what is new, to the sinks of [notify]."""
    python: str = sys.executable

    def __post_init__(self) -> None:
        text = f"{self.root}{self.python}"
        if re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", text) or not text.isprintable():
            where = Where(file=repr(str(self.root)))
            problem = "the path holds a line break or another control character, which no timer can be given"
            raise InputError(problem, where=where, hint="Rename the folder")
        if self.jitter > EARLY:
            problem = f"a jitter of {self.jitter} would leave days out"
            raise InputError(problem, where=Where(field="--jitter"), hint="Make it six hours or less: PT6H")

    @property
    def minute(self) -> int:
        """The minute of the hour: the workspace's own, so that many don't start at once."""
        return int.from_bytes(sha256(str(self.root).encode()).digest()[:2], "big") % 60

    @property
    def name(self) -> str:
        """A name that no other workspace on the machine has: ``sitewatch-markets-1f8e2a``."""
        slug = re.sub(r"[^a-z0-9]+", "-", self.root.name.lower()).strip("-")[:40] or "workspace"
        return f"sitewatch-{slug}-{sha256(str(self.root).encode()).hexdigest()[:6]}"

    @property
    def run(self) -> tuple[str, ...]:
        """The words of the run's command."""
        limit = f"PT{int(self.deadline.total_seconds())}S"
        return (*self._command("run", "--due", *self.extras), "--deadline", limit, "--quiet")

    @property
    def extras(self) -> tuple[str, ...]:
        """What the run does besides looking, as options."""
        wanted = {"--pull": self.pull, "--notify": self.notify}
        return tuple(option for option, is_wanted in wanted.items() if is_wanted)

    @property
    def map(self) -> tuple[str, ...]:
        """The words of the command that publishes the map."""
        return (*self._command("map"), "--quiet")

    def _command(self, *words: str) -> tuple[str, ...]:
        return (self.python, "-m", "watch.cli.main", *words, "--workspace", str(self.root))


def cron_lines(recipe: Recipe) -> str:
    """Return crontab lines that look at what is due once a day and publish the map.

    cron knows neither jitter nor time zones: the minute is the workspace's own and the same every day, and
    the hour is the machine's. Days that it was off are caught up on by the next run.

    Raises:
        InputError: A time zone is wanted, or the path can't be written in a crontab.

    >>> from pathlib import Path
    >>> "run --due" in cron_lines(Recipe(Path("/data/markets")))
    True
    """
    if recipe.zone:
        hint = "Leave --zone out, or use systemd, github or run --loop"
        raise InputError("cron has the machine's time zone alone", where=Where(field="--zone"), hint=hint)
    run, publish = shlex.join(recipe.run), shlex.join(recipe.map)
    codes = "|".join(str(code) for code in PUBLISHED_AFTER)
    log = shlex.quote(str(recipe.root / TIMER_LOG))
    job = f"{{ {run}; case $? in {codes}) {publish};; esac; }} >> {log} 2>&1"
    if r"\%" in job:
        hint = "Rename the folder, or use systemd or run --loop"
        raise InputError(r"cron can't be given a path with \%", where=Where(file=str(recipe.root)), hint=hint)
    # cron reads an unescaped per cent sign as the end of the command.
    job = job.replace("%", r"\%")
    head = f"# sitewatch, {recipe.root}: look at what is due, then publish the map"
    return f"{head}\n{recipe.minute} {recipe.hour} * * * {job}\n"


def recipe_files(files: dict[str, str], folder: str) -> str:
    """Return several files as one text in which each is named."""
    return "\n".join(f"# {folder}/{name}\n{text}" for name, text in files.items())
