"""A recipe for GitHub Actions: a workflow of a repository that is a workspace."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from watch.schedule import PUBLISHED_AFTER
from watch.timetable import Daily, zone_named

if TYPE_CHECKING:
    from watch.schedule import Recipe

WORKFLOW_FOLDER = ".github/workflows"
KEPT_PATHS = ("archive", "ledger.sqlite", "spend.jsonl", "notified.jsonl", "health.json", "run.log")
"""What a run leaves behind; the rest of a workspace is under version control."""
_MOST_MINUTES = 350
"""A job may take six hours there."""

_WORKFLOW = """\
# The repository is the workspace: sitewatch.toml, catalogue/ and reviews/ are in it; archive and ledger are
# carried from run to run in the cache. Times are UTC{both}.
name: sitewatch
on:
  schedule:
{crons}
  workflow_dispatch:
permissions:
  contents: read
concurrency:
  group: sitewatch
  cancel-in-progress: false
env:
  # What pip installs: a version, or the address of a wheel.
  SITEWATCH: "sitewatch"
jobs:
  watch:
    runs-on: ubuntu-latest
    timeout-minutes: {minutes}
    steps:
      - uses: actions/checkout@v4
        with:
          persist-credentials: false
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: python -m pip install "$SITEWATCH"
      - name: Take up what the last run left
        uses: actions/cache/restore@v4
        with:
          path: |
{paths}
          key: sitewatch-${{{{ github.run_id }}}}-${{{{ github.run_attempt }}}}
          restore-keys: sitewatch-
      - name: Jitter
        if: github.event_name == 'schedule'
        run: sleep "$((RANDOM % {jitter_s}))"
      - name: Look at what is due
{secrets}        run: |
          code=0
          sitewatch run --due {extras}--deadline PT{deadline_s}S --report report.html || code=$?
          case "$code" in
            {codes}) ;;
            *) exit "$code" ;;
          esac
          if [ "$code" != 0 ]; then echo "::warning::done in part, exit code $code: see report.html"; fi
      - name: Publish the map
        run: sitewatch map
      - name: Leave it to the next run
        if: always()
        uses: actions/cache/save@v4
        with:
          path: |
{paths}
          key: sitewatch-${{{{ github.run_id }}}}-${{{{ github.run_attempt }}}}
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: public
          path: |
            public/
            report.html
            health.json
          if-no-files-found: warn
"""

_PULL_SECRETS = ("SITEWATCH_SH_CLIENT_ID", "SITEWATCH_SH_CLIENT_SECRET")
_WORD_SECRETS = (
    "SITEWATCH_SMTP_PASSWORD",
    "SITEWATCH_WEBHOOK_URL",
    "SITEWATCH_WEBHOOK_SECRET",
    "SITEWATCH_CHAT_URLS",
)
"""One that the repository does not have is empty there, and counts as not set."""


def github_workflow(recipe: Recipe, year: int) -> str:
    """Return a workflow that looks at what is due, publishes the map and keeps archive and ledger.

    The service's own timer counts in UTC. Where the hour of a place falls on two hours of UTC in a year,
    both are written: the second run of a day finds nothing due.

    Args:
        recipe: What is to be done; its root is the repository's.
        year: Whose daylight saving is looked up.
    """
    times = utc_times(recipe, year)
    minutes = min(_MOST_MINUTES, int(recipe.deadline.total_seconds()) // 60 + 60)
    return _WORKFLOW.format(
        secrets=_secrets(recipe),
        extras="".join(f"{option} " for option in recipe.extras),
        both="; both are written, for summer and winter" if len(times) > 1 else "",
        crons="\n".join(f'    - cron: "{moment.minute} {moment.hour} * * *"' for moment in times),
        minutes=minutes,
        paths="\n".join(f"            {path}" for path in KEPT_PATHS),
        jitter_s=max(1, int(recipe.jitter.total_seconds())),
        deadline_s=min(int(recipe.deadline.total_seconds()), (_MOST_MINUTES - 60) * 60),
        codes="|".join(str(code) for code in PUBLISHED_AFTER),
    )


def _secrets(recipe: Recipe) -> str:
    names = (*(_PULL_SECRETS if recipe.pull else ()), *(_WORD_SECRETS if recipe.notify else ()))
    lines = [f"          {name}: ${{{{ secrets.{name} }}}}\n" for name in names]
    return "".join(["        env:\n", *lines]) if lines else ""


def utc_times(recipe: Recipe, year: int) -> tuple[time, ...]:
    """Return the hours of UTC on which a recipe's hour falls in a year, in order; UTC without a zone."""
    table = Daily(time(recipe.hour, recipe.minute), zone_named(recipe.zone) if recipe.zone else UTC)
    start = datetime(year, 1, 1, tzinfo=UTC)
    weekly = (table.after(start + timedelta(weeks=week)) for week in range(52))
    return tuple(sorted({moment.time() for moment in weekly}))
