from __future__ import annotations

import re
from pathlib import Path

from watch.schedule import cron_lines


def job(lines: str) -> str:
    return lines.splitlines()[-1]


def test_one_line_a_day_in_the_form_cron_reads() -> None:
    line = job(cron_lines(Path("/data/markets"), hour=4))
    assert re.fullmatch(
        r"[0-9]{1,2} 4 \* \* \* \(.+ run --due --workspace /data/markets .+\) >> \S+ 2>&1", line
    )
    assert "&& " in line
    assert " map --workspace /data/markets" in line


def test_same_workspace_same_minute_other_workspace_another() -> None:
    minutes = {job(cron_lines(Path(f"/data/{n}"))).split()[0] for n in range(40)}
    assert len(minutes) > 10
    assert cron_lines(Path("/data/a")) == cron_lines(Path("/data/a"))
    assert all(0 <= int(minute) < 60 for minute in minutes)


def test_awkward_paths_stay_one_argument() -> None:
    line = job(cron_lines(Path("/data/50% of; rm -rf")))
    assert r"'/data/50\% of; rm -rf'" in line
    assert "%" not in line.replace(r"\%", "")
