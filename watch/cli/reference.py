"""The command reference as Markdown, drawn from the commands themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer.main
from typer.testing import CliRunner

from watch.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = """\
# Commands

Drawn from the commands' own help by `scripts/command-reference`.

Every command takes `--workspace DIR` where it works on one (default: the current folder or its nearest
parent with a `sitewatch.toml`), `--json` (one document on standard output; remarks and progress go to
standard error) and `--quiet`.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | something failed |
| 2 | usage, or input that was refused: nothing was changed |
| 3 | done in part: a look or site failed, time ran out, input was skipped, or demo images can't be had |
| 4 | budget or quota reached |
"""


def command_reference() -> str:
    """Return the reference of all commands, in the order of ``--help``."""
    return "\n".join([HEAD, *(_section(path) for path in command_paths())])


def command_paths() -> list[str]:
    """Return every command as it is typed: ``sitewatch sites add``."""
    return list(_walk("sitewatch", typer.main.get_command(app)))


def _walk(path: str, command: Any) -> Iterator[str]:  # noqa: ANN401 - typer's own copy of click is untyped
    children = getattr(command, "commands", None)
    if children is None:
        yield path
        return
    for name, child in children.items():
        yield from _walk(f"{path} {name}", child)


def _section(path: str) -> str:
    arguments = [*path.split()[1:], "--help"]
    shown = CliRunner().invoke(app, arguments, prog_name="sitewatch", env={"COLUMNS": "100"})
    help_text = "\n".join(line.rstrip() for line in shown.output.strip().splitlines())
    return f"## {path}\n\n```text\n{help_text}\n```\n"
