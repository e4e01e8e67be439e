"""What works and what doesn't: settings, disk, libraries, budget, the watch, the service, the clock."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING

import rasterio
from affine import Affine
from shapely.geometry import Point

from geo.errors import SitewatchError
from imagery.errors import CredentialsError
from imagery.frame import Frame
from imagery.sentinelhub.acquisitions import Acquisition, Granule
from imagery.sentinelhub.process import PROCESS_PATH, TAR, PassRequest, understand_pixels
from watch.connection import connected, deployment_of, open_journal
from watch.credentials import credentials_paths, find_credentials
from watch.health import Pulse, pulse, read_health
from watch.lock import holder
from watch.notify import faults_of_sinks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from imagery.sentinelhub.patience import Patience
    from watch.connection import Connection
    from watch.workspace import Workspace

_ENOUGH_BYTES = 2**30
_SKEW_S = 120.0
"""A token is taken to hold until two minutes before its end; a clock that is off by more breaks that."""
_ASK_AT = datetime(2023, 6, 1, tzinfo=UTC)


class State(StrEnum):
    """How a thing is."""

    GOOD = "good"
    NOTE = "note"
    """Not as it could be, and nothing that stops work."""
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: State
    words: str


def examine(
    workspace: Workspace,
    environment: Mapping[str, str],
    *,
    patience: Patience | None = None,
    clock: Callable[[], datetime] | None = None,
) -> tuple[Finding, ...]:
    """Look at everything that a pull needs; nothing is raised for what is found wrong.

    Args:
        workspace: The folder.
        environment: The process's variables.
        patience: How long the service may take.
        clock: Returns the aware present.
    """
    now = clock or _now
    local = [_settings, _disk, _libraries, _archive, _budget]
    found = [_safely(check.__name__.strip("_"), check, workspace) for check in local]
    found.append(_safely("watch", lambda folder: _watch(folder, now()), workspace))
    found.append(_safely("word", lambda folder: _word(folder, environment), workspace))
    return (*found, *_service(workspace, environment, patience, now))


def _settings(workspace: Workspace) -> Finding:
    deployment = deployment_of(workspace)
    return Finding("settings", State.GOOD, f"{workspace.root}; images from {deployment.title}")


def _disk(workspace: Workspace) -> Finding:
    with tempfile.TemporaryFile(dir=workspace.root) as probe:
        probe.write(b"x")
    free = shutil.disk_usage(workspace.root).free
    state = State.GOOD if free >= _ENOUGH_BYTES else State.NOTE
    return Finding("disk", state, f"can be written to; {free / 2**30:.1f} GiB free")


def _libraries(workspace: Workspace) -> Finding:  # noqa: ARG001 - every check takes the workspace
    # pyogrio comes with geopandas and carries a GDAL of its own; two of them may differ.
    ours, theirs = rasterio.__gdal_version__, import_module("pyogrio").__gdal_version_string__
    words = f"GDAL {ours} in rasterio {rasterio.__version__}, GDAL {theirs} in pyogrio"
    return Finding("libraries", State.GOOD, words)


def _archive(workspace: Workspace) -> Finding:
    return Finding("archive", State.GOOD, f"{len(workspace.archive().scenes())} scenes")


def _budget(workspace: Workspace) -> Finding:
    journal, limit = open_journal(workspace), workspace.settings.budget
    spent, unsettled = journal.spent(), journal.unsettled()
    requests = _share(spent.requests, limit.requests_per_month)
    units = _share(round(spent.processing_units, 2), limit.processing_units_per_month)
    words = f"this month {requests} requests, {units} processing units"
    if unsettled:
        words += f"; {unsettled} requests that were cut off count by their estimate"
    used_up = (
        0 < limit.requests_per_month <= spent.requests
        or 0 < limit.processing_units_per_month <= spent.processing_units
    )
    return Finding("budget", State.BAD if used_up else State.GOOD, words)


def _watch(workspace: Workspace, now: datetime) -> Finding:
    health = read_health(workspace.root)
    if health is None:
        return Finding("watch", State.GOOD, "nothing is watched unattended: no run --due was made here yet")
    how, words = pulse(health, now, holder(workspace.root))
    states = {Pulse.WELL: State.GOOD, Pulse.UNWELL: State.NOTE, Pulse.SILENT: State.BAD}
    return Finding("watch", states[how], words)


def _word(workspace: Workspace, environment: Mapping[str, str]) -> Finding:
    """Return whether the sinks of word are set as they have to be; nothing is sent."""
    faults = faults_of_sinks(workspace, environment)
    if list(faults) == ["stdout"]:
        return Finding("word", State.GOOD, "goes to standard output; [notify] names no other sink")
    wrong = "; ".join(f"{name}: {fault}" for name, fault in faults.items() if fault)
    return Finding("word", State.BAD if wrong else State.GOOD, wrong or f"goes to {', '.join(faults)}")


def _share(used: float, limit: float) -> str:
    return f"{used:,g} of {limit:,g}" if limit else f"{used:,g} (no limit)"


def _service(
    workspace: Workspace,
    environment: Mapping[str, str],
    patience: Patience | None,
    now: Callable[[], datetime],
) -> Iterator[Finding]:
    try:
        credentials = find_credentials(workspace.root, environment)
    except CredentialsError as error:
        yield Finding("credentials", State.BAD, str(error))
        return
    if credentials is None:
        file = credentials_paths(workspace.root, environment)[0]
        words = "none; everything but pull works without. Set SITEWATCH_SH_CLIENT_ID and "
        words += f"SITEWATCH_SH_CLIENT_SECRET, or write {file}"
        yield Finding("credentials", State.NOTE, words)
        return
    yield Finding("credentials", State.GOOD, str(credentials))
    try:
        with connected(workspace, environment, given=credentials, patience=patience) as connection:
            yield from _token(connection, now)
            yield _pixel(connection)
    except SitewatchError as error:
        yield Finding("service", State.BAD, str(error))


def _token(connection: Connection, now: Callable[[], datetime]) -> Iterator[Finding]:
    greeting = connection.service.greet()
    yield Finding("token", State.GOOD, f"given, for {greeting.valid_s / 60:.0f} minutes")
    if greeting.server_time is None:
        yield Finding("clock", State.NOTE, "the service does not say what time it is")
        return
    skew_s = (now() - greeting.server_time).total_seconds()
    state = State.GOOD if abs(skew_s) <= _SKEW_S else State.BAD
    words = "agrees with the service's" if state is State.GOOD else "is off: set it, or tokens end early"
    yield Finding("clock", state, f"{words} ({skew_s:+.0f} s)")


def _pixel(connection: Connection) -> Finding:
    product = connection.hub.product
    frame = Frame("EPSG:32652", Affine(10.0, 0.0, 300_000.0, 0.0, -10.0, 4_400_000.0), (1, 1))
    granule = Granule("none", product.generic_platform, _ASK_AT, Point(), None, None, (), simulated=False)
    request = PassRequest(product, product.default_bands[:1], frame, Acquisition((granule,)))
    _, spent = connection.service.post(
        PROCESS_PATH,
        request.document(),
        accept=TAR,
        what="one pixel",
        estimate=request.estimate,
        understand=lambda answer: understand_pixels(answer, request),
        max_bytes=request.max_bytes,
    )
    deployment = connection.service.deployment
    words = f"{deployment.title} answers; that cost {spent.processing_units:g} processing units"
    account = deployment.account_url
    return Finding("one pixel", State.GOOD, words + (f"; the quota stands at {account}" if account else ""))


def _safely(what: str, check: Callable[[Workspace], Finding], workspace: Workspace) -> Finding:
    try:
        return check(workspace)
    except SitewatchError as error:
        return Finding(what, State.BAD, str(error))
    except OSError as error:
        return Finding(what, State.BAD, f"{error.strerror or error} ({workspace.root})")


def _now() -> datetime:
    return datetime.now(UTC)
