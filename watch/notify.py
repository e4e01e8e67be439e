"""Word to the analysts: what is news goes to every sink once.

    ledger, reviews, catalogue ──> news ──> digest ──> journal ──> sink ──> journal

Each sink has an account of its own, so one that fails gets later what the others have.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from imagery.errors import CredentialsError
from watch.chat import Chat
from watch.credentials import find_secret
from watch.digest import Digest, digest_text, seen_sentences, subject_line
from watch.errors import NotifyError
from watch.lock import NOTIFY_LOCK_FILE, writing
from watch.mail import Mail
from watch.sinks import FEED_FILE, Appended, Feed, Message, Printed, Sink
from watch.situation import digest_for, gather
from watch.told import NOTIFIED_FILE, Told, note_begun, note_done, read_told
from watch.webaddress import checked_address
from watch.webhook import Webhook
from watch.wording import HTML, Wording, find_wording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from watch.credentials import Secret
    from watch.news import Trouble
    from watch.situation import Situation
    from watch.workspace import Workspace

_MAX_SUBJECT = 250
_TEMPLATES = ("subject.txt", "digest.txt", "digest.html")


@dataclass(frozen=True, slots=True)
class SinkReport:
    """What one sink got, or would get."""

    sink: str
    digests: tuple[Digest, ...] = ()
    failure: str = ""
    """Why it did not get what was next; empty when it got everything."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What was told."""

    sinks: tuple[SinkReport, ...]

    @property
    def alerts(self) -> int:
        """The most news that any sink got, signs of life left out."""
        return max((sum(len(each.alerts) for each in sink.digests) for sink in self.sinks), default=0)

    @property
    def failures(self) -> tuple[SinkReport, ...]:
        """The sinks that did not get everything."""
        return tuple(sink for sink in self.sinks if sink.failure)


@dataclass(frozen=True, slots=True)
class Means:
    """What sending takes beside a workspace."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    """Secrets are looked for here first."""
    write: Callable[[str], object] | None = sys.stdout.write
    """Takes what goes to standard output; None where nothing may."""


def notify(
    workspace: Workspace,
    *,
    now: datetime | None = None,
    dry_run: bool = False,
    troubles: Sequence[Trouble] = (),
    means: Means | None = None,
) -> Delivered:
    """Tell every sink what it was not told yet.

    Args:
        workspace: With its settings; without any sink there, words are printed.
        now: Aware instant; the present when absent.
        dry_run: Only return what would be told.
        troubles: How things outside the ledger are doing: the run itself.
        means: Environment and standard output; the process's own when absent.

    Raises:
        WorkspaceBusyError: Another process is sending.
        JournalError: What was told can't be read.
        TemplateError: A template of the user's is refused.
    """
    instant = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    work_means = means or Means()
    path = workspace.root / NOTIFIED_FILE
    with writing(workspace.root, NOTIFY_LOCK_FILE):
        # What can't be printed now is told when it can.
        names = [name for name in sink_names(workspace) if name != "stdout" or work_means.write is not None]
        told = read_told(path)
        situation = gather(workspace, instant, [told.get(name, Told()) for name in names], troubles)
        work = _Work(workspace, situation, _wordings(workspace), work_means, dry_run)
        reports = tuple(_tell(work, name, told.get(name, Told())) for name in names)
    return Delivered(reports)


def sink_names(workspace: Workspace) -> tuple[str, ...]:
    """Return the sinks that are set; standard output where none is."""
    settings = workspace.settings.notify
    wanted = {
        "stdout": settings.stdout,
        "file": bool(settings.file),
        "feed": settings.feed,
        "email": bool(settings.email.host),
        "webhook": settings.webhook,
        "chat": settings.chat,
    }
    return tuple(name for name, is_wanted in wanted.items() if is_wanted) or ("stdout",)


def faults_of_sinks(workspace: Workspace, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what would keep each sink from being told, by its name; empty words where nothing would.

    Settings and secrets are looked at, and nothing is sent.
    """
    return {name: _fault(workspace, name, environment) for name in sink_names(workspace)}


def _fault(workspace: Workspace, name: str, environment: Mapping[str, str]) -> str:
    root, settings = workspace.root, workspace.settings.notify
    try:
        if (
            name == "email"
            and settings.email.user
            and find_secret(root, environment, "smtp", "password") is None
        ):
            return "a user without a password: set SITEWATCH_SMTP_PASSWORD, or [smtp] password"
        if name == "webhook":
            _checked_hook(find_secret(root, environment, "webhook", "url"))
            find_secret(root, environment, "webhook", "secret")
        if name == "chat":
            Chat(find_secret(root, environment, "chat", "urls")).sender()
    except (NotifyError, CredentialsError) as error:
        return str(error)
    return ""


def message_of(digest: Digest, items: int, wordings: Mapping[str, Wording]) -> Message:
    """Return a digest as it is sent: in the user's words where there are templates.

    Args:
        digest: What is told.
        items: At most so many news one by one.
        wordings: The user's, by file name.

    Raises:
        TemplateError: A template can't be filled in.
    """
    document = digest.to_json()
    values = document | {
        "news": [news.to_json() for news in digest.alerts[:items]],
        "more": max(len(digest.alerts) - items, 0),
        "subject": subject_line(digest),
        "seen_sentences": list(seen_sentences(digest)),
    }
    own = {name: wording.fill(values) for name, wording in wordings.items()}
    subject = " ".join(own.get("subject.txt", values["subject"]).split())[:_MAX_SUBJECT]
    html = own.get("digest.html") or Wording(HTML, "built-in", html=True).fill(values)
    return Message(
        digest.id, digest.made, subject, own.get("digest.txt") or digest_text(digest, items), html, document
    )


@dataclass(frozen=True, slots=True)
class _Work:
    workspace: Workspace
    situation: Situation
    wordings: Mapping[str, Wording]
    means: Means
    dry_run: bool


def _wordings(workspace: Workspace) -> dict[str, Wording]:
    found = {name: find_wording(workspace.root, name) for name in _TEMPLATES}
    return {name: wording for name, wording in found.items() if wording is not None}


def _tell(work: _Work, name: str, told: Told) -> SinkReport:
    """Hand over what may not have arrived, word for word, then what is new."""
    path, got = work.workspace.root / NOTIFIED_FILE, list[Digest]()
    try:
        for digest in told.pending:
            _hand_over(work, name, digest, told)
            got.append(digest)
        if told.pending and not work.dry_run:
            told = read_told(path)[name]
        following = digest_for(work.situation, told)
        if following is not None:
            _hand_over(work, name, following, told, is_new=True)
            got.append(following)
    except (NotifyError, CredentialsError) as error:
        return SinkReport(name, tuple(got), str(error))
    return SinkReport(name, tuple(got))


def _hand_over(work: _Work, name: str, digest: Digest, told: Told, *, is_new: bool = False) -> None:
    # All that may be refused comes before the first line in the journal.
    message = message_of(digest, work.workspace.settings.notify.items, work.wordings)
    sink = _sink(work, name, digest, told)
    if work.dry_run:
        return
    path = work.workspace.root / NOTIFIED_FILE
    if is_new:
        note_begun(path, name, digest)
    sink.deliver(message)
    note_done(path, name, digest, work.situation.now)


def _sink(work: _Work, name: str, digest: Digest, told: Told) -> Sink:
    workspace, environment = work.workspace, work.means.environment
    root, settings = workspace.root, workspace.settings.notify
    if name == "stdout" and work.means.write is not None:
        return Printed(work.means.write)
    if name == "file":
        return Appended(root / settings.file)
    if name == "feed":
        path = workspace.public_path / FEED_FILE
        return Feed(path, workspace.settings.title, settings.feed_url, told.digests, digest)
    if name == "email":
        password = find_secret(root, environment, "smtp", "password")
        return Mail(settings.email, password, settings.timeout_s)
    if name == "webhook":
        address = find_secret(root, environment, "webhook", "url")
        secret = find_secret(root, environment, "webhook", "secret")
        return Webhook(_checked_hook(address), secret, settings.timeout_s)
    return Chat(find_secret(root, environment, "chat", "urls"))


def _checked_hook(address: Secret | None) -> str:
    if address is None:
        hint = "Set SITEWATCH_WEBHOOK_URL, or [webhook] url in credentials.toml"
        raise NotifyError("no address of a webhook is set", hint=hint)
    try:
        return checked_address(address.value)
    except ValueError as error:
        raise NotifyError(f"the webhook's address: {error}") from None
