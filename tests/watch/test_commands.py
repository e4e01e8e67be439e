from __future__ import annotations

import re
from pathlib import Path

import pytest

from watch.cli.reference import command_paths, command_reference

ROOT = Path(__file__).resolve().parents[2]


def test_the_reference_is_what_the_commands_say() -> None:
    written = (ROOT / "docs" / "commands.md").read_text()
    assert written == command_reference(), "run scripts/command-reference"


def test_every_command_is_documented_in_a_guide_or_the_readme() -> None:
    texts = "\n".join(path.read_text() for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    guides = texts.replace((ROOT / "docs" / "commands.md").read_text(), "")
    missing = [path for path in command_paths() if path not in guides]
    assert missing == []


@pytest.mark.parametrize("path", command_paths())
def test_shared_options_mean_one_thing(path: str) -> None:
    section = command_reference().split(f"## {path}\n", 1)[1].split("\n## ", 1)[0]
    words = re.sub(r"\s+", " ", section)
    for option, meaning in {
        "--json": "Print one JSON document on standard output.",
        "--quiet": "Print nothing but errors.",
        "--dry-run": "Say what would be done, and do nothing.",
    }.items():
        if f" {option} " in words:
            assert meaning in words
