"""Errors of the application: workspace, ledger, schedule."""

from __future__ import annotations

from geo.errors import InputError, SitewatchError


class WorkspaceError(InputError):
    """There is no workspace here, or its settings can't be read."""


class WorkspaceBusyError(SitewatchError):
    """Another process is writing to this workspace."""


class LedgerError(SitewatchError):
    """The ledger is damaged, locked or of another version."""


class JournalError(InputError):
    """A journal or a line of it can't be read or written."""


class ReviewError(InputError):
    """A decision that can't be taken: of nothing, by nobody, or without its reason."""


class NotifyError(SitewatchError):
    """A word could not be delivered; it is tried again next time."""


class TemplateError(InputError):
    """A template of the user's does what templates may not do, or can't be filled in."""


class DamagedLedgerError(LedgerError):
    """What stands in the ledger's place is none."""


class UnmaskedError(InputError):
    """Images without a cloud mask are only judged when the user says that they are clear."""


class WorkerError(SitewatchError):
    """There is nobody to judge sites side by side."""


class FetchError(SitewatchError):
    """Something the demo needs can't be fetched; nothing half-made is left behind."""

    exit_code = 3


class BackupError(SitewatchError):
    """A backup could not be made of what there is at this moment; an older one is untouched."""


class BackupRefusedError(InputError):
    """No backup is made or restored like this; nothing was changed."""
