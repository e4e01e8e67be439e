"""Errors of the application: workspace, ledger, schedule."""

from __future__ import annotations

from geo.errors import InputError, SitewatchError


class WorkspaceError(InputError):
    """There is no workspace here, or its settings can't be read."""


class WorkspaceBusyError(SitewatchError):
    """Another process is writing to this workspace."""


class LedgerError(SitewatchError):
    """The ledger is damaged, locked or of another version."""


class UnmaskedError(InputError):
    """Images without a cloud mask are only judged when the user says that they are clear."""


class FetchError(SitewatchError):
    """Something the demo needs can't be fetched; nothing half-made is left behind."""

    exit_code = 3
