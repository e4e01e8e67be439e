"""`sitewatch doctor`."""

from __future__ import annotations

import os

import typer

from watch.cli.options import HERE, Json, Quiet, Workspace


def doctor(workspace: Workspace = HERE, json: Json = False, quiet: Quiet = False) -> None:
    """Say what works and what doesn't: settings, disk, libraries, budget, watch, word, service, clock.

    The watch is bad when it has gone silent: it should have run and has not, or it fails every time. Of the
    sinks of [notify] settings and secrets are looked at; nothing is sent.

    With credentials it asks the service for a token and one pixel, which costs less than 0.01 processing
    units. Exit code 1: something is bad.
    """
    from watch.cli.output import Output
    from watch.doctor import State, examine
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    found = examine(Folder.open(workspace), os.environ)
    output.document([{"what": each.what, "state": each.state.value, "words": each.words} for each in found])
    output.table(["", "state", "what was found"], [(each.what, each.state, each.words) for each in found])
    if any(each.state is State.BAD for each in found):
        raise typer.Exit(1)
