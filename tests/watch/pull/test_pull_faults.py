"""A bad day of the service: what each fault does to a pull, to the archive and to the account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from imagery.errors import BudgetError, CredentialsError, ServiceError
from sitewatch_hub.faults import (
    Answer,
    Drip,
    ExpireTokens,
    Fault,
    Hang,
    Misstate,
    Reset,
    Truncate,
    html_page,
    quota_used_up,
    server_error,
    too_many_requests,
)
from sitewatch_hub.server import LocalHub
from watch.budget import SpendJournal
from watch.connection import open_journal
from watch.pull import PullReport
from watch.workspace import Workspace

Make = Callable[..., Workspace]
Pull = Callable[..., PullReport]
Everything = Callable[[Path], dict[str, bytes]]

TOKEN = "/token"  # noqa: S105 - part of a path
SITE = "market"
PASSES = 6


@dataclass(frozen=True, slots=True)
class Case:
    """A fault that one request suffers, and how long an exchange may take."""

    fault: Fault
    timeout_s: float = 30.0
    paid_twice: bool = False
    """The service had charged for the answer that did not arrive whole."""


def soon() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)


TRANSIENT = {
    "429, milliseconds": Case(too_many_requests("40")),
    "429, a date": Case(too_many_requests(soon())),
    "429, a fraction": Case(too_many_requests("1.5")),
    "429, garbage": Case(too_many_requests("in a while")),
    "429, nothing": Case(too_many_requests(None)),
    "500": Case(server_error()),
    "503": Case(server_error(503)),
    "a page with 200": Case(html_page(), paid_twice=True),
    "an empty 200": Case(Answer(200, b"", "application/x-tar"), paid_twice=True),
    "cut short": Case(Truncate(0.6), paid_twice=True),
    "length too small": Case(Misstate(-20_000), paid_twice=True),
    "length too large": Case(Misstate(100), paid_twice=True, timeout_s=3.0),
    "drip": Case(Drip(32, 0.05), timeout_s=2.0, paid_twice=True),
    "hang": Case(Hang(30.0), timeout_s=2.0, paid_twice=True),
    "reset": Case(Reset(), paid_twice=True),
    "token expires": Case(ExpireTokens()),
}


def account(workspace: Workspace) -> SpendJournal:
    return open_journal(workspace)


@pytest.mark.parametrize("name", TRANSIENT)
def test_what_passes_is_waited_out(
    make_hub_workspace: Make,
    pull: Pull,
    hub: LocalHub,
    everything: Everything,
    undisturbed: dict[str, bytes],
    name: str,
) -> None:
    case = TRANSIENT[name]
    hub.faults.add(case.fault, nth=2)
    workspace = make_hub_workspace("w", pull="workers = 2")
    report = pull(workspace, SITE, timeout_s=case.timeout_s)
    assert (report.failed, report.stopped) == ({}, None)
    assert everything(workspace.archive_path) == undisturbed
    requests = account(workspace).spent().requests
    assert requests == 1 + PASSES + case.paid_twice


LASTING: dict[str, tuple[Fault, str]] = {
    "500": (server_error(), "did not deliver .* after 4 attempts: it answered with status 500"),
    "a page with 200": (html_page(), "a web page; is there a proxy"),
    "cut short": (Truncate(0.5), "the answer broke off"),
    "hang": (Hang(30.0), "no whole answer within 0.3 seconds"),
    "400": (Answer(400, b'{"error": {"message": "no such band"}}'), "refused the request .*'no such band'"),
}


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_ends_in_words_and_the_rerun_makes_good(
    make_hub_workspace: Make,
    pull: Pull,
    hub: LocalHub,
    everything: Everything,
    undisturbed: dict[str, bytes],
    name: str,
) -> None:
    fault, words = LASTING[name]
    hub.faults.add(fault, nth=3, times=1000)
    workspace = make_hub_workspace("w", pull="workers = 1")
    report = pull(workspace, SITE, timeout_s=0.3 if isinstance(fault, Hang) else 30.0)
    assert isinstance(report.stopped, ServiceError)
    assert report.stopped.exit_code == 1
    with pytest.raises(ServiceError, match=words):
        raise report.stopped
    assert (len(report.pulled), len(report.failed)) == (2, 3)
    assert workspace.archive().verify() == ()
    hub.faults.clear()
    again = pull(workspace, SITE)
    assert len(again.pulled) == PASSES - 2
    assert everything(workspace.archive_path) == undisturbed


def test_a_used_up_quota_is_one_request_and_an_end(
    make_hub_workspace: Make, pull: Pull, hub: LocalHub
) -> None:
    hub.faults.add(quota_used_up(), nth=2, times=1000)
    workspace = make_hub_workspace("w", pull="workers = 1")
    report = pull(workspace, SITE)
    assert isinstance(report.stopped, BudgetError)
    assert (report.stopped.exit_code, len(report.pulled)) == (4, 1)
    assert len(hub.journal.entries("/process")) == 2
    assert account(workspace).spent().requests == 2


def test_a_token_that_is_never_accepted_is_asked_anew_once(
    make_hub_workspace: Make, pull: Pull, hub: LocalHub
) -> None:
    hub.faults.add(ExpireTokens(), times=1000)
    report = pull(make_hub_workspace("w", pull="workers = 1"), SITE)
    assert isinstance(report.stopped, CredentialsError)
    assert len(hub.journal.entries("/process")) == 2
    assert len(hub.journal.entries(TOKEN)) == 2


def test_a_token_near_its_end_is_renewed_before(make_hub_workspace: Make, pull: Pull, hub: LocalHub) -> None:
    hub.tokens.set_lifetime(121.0)
    workspace = make_hub_workspace("w", pull="workers = 1")
    assert len(pull(workspace, SITE, "depot").pulled) == 2 * PASSES
    assert not [entry for entry in hub.journal.entries() if entry.status == 401]


@pytest.mark.parametrize(
    "fault", [too_many_requests("30"), server_error(), html_page(), Truncate(0.5), Reset(), Hang(30.0)]
)
def test_the_token_and_the_search_are_waited_for_too(
    make_hub_workspace: Make, pull: Pull, hub: LocalHub, fault: Fault
) -> None:
    hub.faults.add(fault, path=TOKEN)
    hub.faults.add(fault, path="/search")
    report = pull(make_hub_workspace("w"), SITE, timeout_s=2.0)
    assert len(report.pulled) == PASSES


def test_asked_to_wait_longer_than_there_is_time_for_is_an_end(
    make_hub_workspace: Make, pull: Pull, hub: LocalHub
) -> None:
    hub.faults.add(too_many_requests("3600000"))
    report = pull(make_hub_workspace("w", pull="workers = 1"), SITE)
    assert isinstance(report.stopped, ServiceError)
    assert "asks to wait 36" in str(report.stopped)
    assert len(hub.journal.entries("/process")) == 1


def test_one_told_to_wait_holds_all_back(make_hub_workspace: Make, pull: Pull, hub: LocalHub) -> None:
    hub.faults.add(too_many_requests("1000"), nth=1, times=1)
    workspace = make_hub_workspace("w", pull="workers = 4")
    pull(workspace, SITE)
    statuses = [entry.status for entry in hub.journal.entries("/process")]
    assert statuses.count(429) == 1
    assert statuses.count(200) == PASSES


def test_a_redirect_is_not_followed_and_the_token_stays(
    make_hub_workspace: Make, pull: Pull, hub: LocalHub
) -> None:
    elsewhere = {"Location": "http://127.0.0.1:9/api/v1/process"}
    hub.faults.add(Answer(307, b"", headers=elsewhere), times=1000)
    report = pull(make_hub_workspace("w", pull="workers = 1"), SITE)
    assert "status 307" in str(report.stopped)
    assert {entry.host for entry in hub.journal.entries()} == {hub.base_url.removeprefix("http://")}
