from __future__ import annotations

import re
from pathlib import Path

import pytest

from watch.cli.reference import command_paths, command_reference

REFERENCE = command_reference()
PATHS = command_paths()
ROOT = Path(__file__).resolve().parents[2]


def test_the_reference_is_what_the_commands_say() -> None:
    written = (ROOT / "docs" / "commands.md").read_text()
    assert written == REFERENCE, "run scripts/command-reference"


def test_every_command_is_documented_in_a_guide_or_the_readme() -> None:
    texts = "\n".join(path.read_text() for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    guides = texts.replace((ROOT / "docs" / "commands.md").read_text(), "")
    missing = [path for path in PATHS if path not in guides]
    assert missing == []


@pytest.mark.parametrize("path", PATHS)
def test_shared_options_mean_one_thing(path: str) -> None:
    section = REFERENCE.split(f"## {path}\n", 1)[1].split("\n## ", 1)[0]
    words = re.sub(r"\s+", " ", section)
    for option, meaning in {
        "--json": "Print one JSON document on standard output.",
        "--quiet": "Print nothing but errors.",
        "--dry-run": "Say what would be done, and do nothing.",
    }.items():
        if f" {option} " in words:
            assert meaning in words


def documented_calls() -> list[str]:
    """Return every line of the README and the guides that calls sitewatch, continuation lines joined."""
    texts = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    calls = []
    for path in texts:
        if path.name == "commands.md":
            continue
        joined = path.read_text().replace("\\\n", " ")
        calls += re.findall(r"^ {4}sitewatch [^#\n|&]*", joined, flags=re.MULTILINE)
    return sorted({re.sub(r"\s+", " ", call).strip() for call in calls})


@pytest.mark.parametrize("call", documented_calls())
def test_documented_calls_use_options_that_exist(call: str) -> None:
    paths = [path for path in PATHS if f"{call} ".startswith(f"{path} ")]
    assert paths, "no such command"
    section = REFERENCE.split(f"## {paths[0]}\n", 1)[1].split("\n## ", 1)[0]
    outside_quotes = re.sub(r"'[^']*'|\"[^\"]*\"", "", call)
    for option in re.findall(r"(?<= )--[a-z-]+", outside_quotes):
        assert f" {option} " in section
