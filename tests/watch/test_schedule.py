from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InputError
from watch.github import KEPT_PATHS, github_workflow, utc_times
from watch.schedule import Recipe, cron_lines
from watch.systemd import command_line, systemd_units
from watch.workspace import Workspace

Command = Callable[..., tuple[int, str, str]]
HOSTILE = "50% of $HOME; \"rm\" 'x' \\back é ${A} $(b) `c` %n {d} | & # ~"


def job(lines: str) -> str:
    return lines.splitlines()[-1]


def test_one_line_a_day_in_the_form_cron_reads() -> None:
    line = job(cron_lines(Recipe(Path("/data/markets"), hour=4)))
    assert re.fullmatch(
        r"[0-9]{1,2} 4 \* \* \* \{ .+ run --due --workspace /data/markets .+ \} >> \S+ 2>&1", line
    )
    assert " map --workspace /data/markets" in line


def test_a_recipe_may_have_runs_send_word(tmp_path: Path, sitewatch: Command) -> None:
    recipe = Recipe(Path("/data/markets"), notify=True)
    assert "run --due --notify --deadline" in github_workflow(recipe, 2026)
    assert " run --due --notify --workspace /data/markets " in job(cron_lines(recipe))
    (service, _) = systemd_units(recipe).values()
    assert '"run" "--due" "--notify"' in service
    root = str(Workspace.create(tmp_path / "w", builtin=False).root)
    for timer in ("cron", "systemd", "github"):
        plain, told = (
            sitewatch("schedule", "print", timer, *extra, "--workspace", root) for extra in ([], ["--notify"])
        )
        assert plain[0] == told[0] == 0
        assert "notify" not in plain[1]
        assert "notify" in told[1]


def test_same_workspace_same_minute_other_workspace_another() -> None:
    minutes = {job(cron_lines(Recipe(Path(f"/data/{n}")))).split()[0] for n in range(40)}
    assert len(minutes) > 10
    assert cron_lines(Recipe(Path("/data/a"))) == cron_lines(Recipe(Path("/data/a")))
    assert all(0 <= int(minute) < 60 for minute in minutes)


def test_awkward_paths_stay_one_argument() -> None:
    line = job(cron_lines(Recipe(Path("/data/50% of; rm -rf"))))
    assert r"'/data/50\% of; rm -rf'" in line
    assert "%" not in line.replace(r"\%", "")


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4])
def test_the_shell_runs_the_cron_line_as_it_is_meant(tmp_path: Path, code: int) -> None:
    root = tmp_path / HOSTILE
    root.mkdir()
    python = tmp_path / "a python"
    say = 'for word in "$@"; do printf "<%s>\\n" "$word"; done'
    python.write_text(f'#!/bin/sh\n{say}\ncase "$3" in run) exit {code};; esac\n')
    python.chmod(0o755)
    line = job(cron_lines(Recipe(root, python=str(python))))
    command = line.split(" ", 5)[5].replace(r"\%", "%")
    subprocess.run(["/bin/sh", "-c", command], check=False)
    said = (root / "timer.log").read_text()
    assert f"<run>\n<--due>\n<--workspace>\n<{root}>\n" in said
    assert (f"<map>\n<--workspace>\n<{root}>\n" in said) is (code in {0, 3, 4})


def test_cron_refuses_what_it_can_not_do() -> None:
    with pytest.raises(InputError, match="time zone"):
        cron_lines(Recipe(Path("/data/a"), zone="Asia/Pyongyang"))
    with pytest.raises(InputError, match="path"):
        cron_lines(Recipe(Path(r"/data/a\%b")))


@pytest.mark.parametrize("name", ["a\nb", "a\r* * * * * rm", "a\x1b[2J", "a\u2028b", "a\x85b", "a\u202eb"])
def test_a_path_that_would_write_lines_of_its_own_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="control character"):
        Recipe(Path("/data") / name)


def words_of(line: str) -> list[str]:
    """Read a command line as systemd.service(5) says, of double-quoted words and a leading colon."""
    assert line.startswith(":")
    found = re.findall(r'"((?:[^"\\]|\\.)*)"(?: |$)', line[1:])
    return [re.sub(r"\\(.)", r"\1", word.replace("%%", "\0")).replace("\0", "%") for word in found]


@given(
    words=st.lists(st.text(st.characters(exclude_categories=("C", "Z")), max_size=12), min_size=1, max_size=5)
)
def test_a_word_stays_a_word_for_systemd(words: list[str]) -> None:
    line = command_line(words)
    assert words_of(line) == words
    assert re.sub("%%", "", line).count("%") == 0


def test_a_service_and_a_timer_that_catches_up() -> None:
    recipe = Recipe(
        Path("/data/markets"),
        hour=6,
        zone="Asia/Pyongyang",
        jitter=timedelta(minutes=20),
        deadline=timedelta(hours=2),
    )
    units = systemd_units(recipe)
    (service, timer) = units
    assert service.removesuffix(".service") == timer.removesuffix(".timer") == recipe.name
    assert "Type=oneshot" in units[service]
    assert "SuccessExitStatus=3 4\n" in units[service]
    starts = re.findall("^ExecStart=(.*)$", units[service], flags=re.MULTILINE)
    assert [words_of(start) for start in starts] == [list(recipe.run), list(recipe.map)]
    assert f"OnCalendar=*-*-* 06:{recipe.minute:02}:00 Asia/Pyongyang\n" in units[timer]
    assert "Persistent=true\n" in units[timer]
    assert "RandomizedDelaySec=1200\n" in units[timer]
    assert "TimeoutStartSec=14400\n" in units[service]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing")
@pytest.mark.parametrize("name", ["markets", HOSTILE])
def test_systemd_itself_finds_no_fault(tmp_path: Path, name: str) -> None:
    units = systemd_units(Recipe(tmp_path / name, zone="Asia/Pyongyang", python=sys.executable))
    for file, text in units.items():
        (tmp_path / file).write_text(text)
    files = [str(tmp_path / file) for file in units]
    done = subprocess.run(["systemd-analyze", "verify", *files], capture_output=True, text=True, check=False)
    if "Failed to initialize manager" in done.stderr:
        pytest.skip("systemd-analyze can't work here")
    ours = [line for line in done.stderr.splitlines() if "sitewatch-" in line]
    assert (done.returncode, ours) == (0, [])


def test_two_workspaces_of_one_name_have_units_of_their_own() -> None:
    assert Recipe(Path("/a/markets")).name != Recipe(Path("/b/markets")).name
    assert re.fullmatch(r"sitewatch-[a-z0-9-]+-[0-9a-f]{6}", Recipe(Path("/a/%-ü ../x")).name)


def test_a_workflow_names_its_secrets_and_carries_the_ledger_on() -> None:
    recipe = Recipe(Path("/data/markets"), jitter=timedelta(minutes=5), pull=True)
    text = github_workflow(recipe, 2026)
    assert "run --due --pull --deadline" in text
    assert "secret" not in github_workflow(replace(recipe, pull=False), 2026)
    assert "/data" not in text
    assert f'- cron: "{recipe.minute} 6 * * *"' in text
    assert text.count("cron:") == 1
    for name in ("SITEWATCH_SH_CLIENT_ID", "SITEWATCH_SH_CLIENT_SECRET"):
        assert f"{name}: ${{{{ secrets.{name} }}}}\n" in text
    told = github_workflow(replace(recipe, notify=True), 2026)
    assert "run --due --pull --notify --deadline" in told
    for name in ("SMTP_PASSWORD", "WEBHOOK_URL", "WEBHOOK_SECRET", "CHAT_URLS"):
        assert f"SITEWATCH_{name}" not in text
        assert f"          SITEWATCH_{name}: ${{{{ secrets.SITEWATCH_{name} }}}}\n" in told
    for path in KEPT_PATHS:
        assert text.count(f"            {path}\n") >= 2
    assert "cancel-in-progress: false" in text
    assert "contents: read" in text
    assert "{{" not in text.replace("${{", "")
    assert "\t" not in text
    assert all(len(line) - len(line.lstrip()) in range(0, 14, 2) for line in text.splitlines())


def test_the_steps_of_a_workflow_are_shell() -> None:
    text = github_workflow(Recipe(Path("/data/markets")), 2026)
    script = text.split("        run: |\n", 1)[1].split("      - name:", 1)[0]
    for code in range(5):
        stub = f"sitewatch() {{ return {code}; }}\n"
        done = subprocess.run(
            ["bash", "-e", "-c", stub + script], capture_output=True, text=True, check=False
        )
        assert done.returncode == (code if code in {1, 2} else 0), done.stderr
        assert ("::warning::" in done.stdout) is (code in {3, 4})


def test_an_hour_with_daylight_saving_is_two_hours_of_utc() -> None:
    recipe = Recipe(Path("/data/a"), hour=6, zone="Europe/Berlin")
    assert utc_times(recipe, 2026) == (time(4, recipe.minute), time(5, recipe.minute))
    assert utc_times(Recipe(Path("/data/a"), zone="Asia/Pyongyang"), 2026) == (time(21, recipe.minute),)
    assert github_workflow(recipe, 2026).count("- cron:") == 2


def test_the_command_prints_each_or_writes_the_files(tmp_path: Path, sitewatch: Command) -> None:
    folder = str(tmp_path / "w")
    sitewatch("init", folder, "--empty")
    there = ("--workspace", folder)
    code, out, _ = sitewatch("schedule", "print", "cron", *there)
    assert code == 0
    assert shlex.quote(folder) in out
    code, out, _ = sitewatch("schedule", "print", "systemd", *there, "--zone", "Asia/Pyongyang")
    assert out.count("# ~/.config/systemd/user/sitewatch-w-") == 2
    code, out, _ = sitewatch("schedule", "print", "systemd", *there, "--out", str(tmp_path / "units"))
    assert code == 0
    assert sorted(out.split()) == sorted(str(path) for path in (tmp_path / "units").iterdir())
    code, out, _ = sitewatch("schedule", "print", "github", *there)
    assert out.startswith("# .github/workflows/sitewatch.yml\n")
    for wrong in (
        ("--zone", "Asia/Pyongjang"),
        ("--jitter", "15m"),
        ("--jitter", "PT7H"),
        ("--zone", "../../etc/passwd"),
    ):
        code, _, err = sitewatch("schedule", "print", "systemd", *there, *wrong)
        assert code == 2
        assert wrong[0] in err
