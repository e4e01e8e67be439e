"""Errors of images and the archive."""

from __future__ import annotations

from geo.errors import InputError, SitewatchError


class ImageError(InputError):
    """An image was refused: not a GeoTIFF, no CRS, no date, too large, wrong bands."""


class ArchiveError(SitewatchError):
    """The archive is damaged or can't be written."""


class NoClearLookError(InputError, LookupError):
    """No look of a site is clear enough for what was asked."""
