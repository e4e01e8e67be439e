"""Errors of images and the archive, and of the services that images come from."""

from __future__ import annotations

from geo.errors import InputError, SitewatchError


class ImageError(InputError):
    """An image was refused: not a GeoTIFF, no CRS, no date, too large, wrong bands."""


class ArchiveError(SitewatchError):
    """The archive is damaged or can't be written."""


class StateError(ArchiveError):
    """What a series carries from look to look can't be read; its looks are judged again from their chips."""


class NoClearLookError(InputError, LookupError):
    """No look of a site is clear enough for what was asked."""


class ServiceError(SitewatchError):
    """An image service refused, failed or answered with something else than what was asked."""


class CredentialsError(SitewatchError):
    """There are no credentials for a service, or it does not accept them."""


class BudgetError(SitewatchError):
    """The user's limit or the account's quota is used up; nothing more was asked."""

    exit_code = 4


class NullFileError(InputError):
    """A stored null distribution can't be read."""
