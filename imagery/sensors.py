"""What is known of platforms and their bands; the facts stand in ``sensors.toml``.

A platform that is not in the table is welcome: it is its own series and its bands keep the names
they were given.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from imagery.quantity import Quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

UNKNOWN_PLATFORM = "unknown"
"""The platform of an image that nobody named."""

BAND_ORDER = (
    "coastal",
    "blue",
    "green",
    "red",
    "rededge1",
    "rededge2",
    "rededge3",
    "nir",
    "nir08",
    "nir09",
    "swir16",
    "swir22",
)
"""Order of the bands in every chip, short waves first; others follow by the alphabet."""

_EO_COMMON_NAMES = frozenset(BAND_ORDER) | {"pan", "cirrus", "lwir", "lwir11", "lwir12"}


@dataclass(frozen=True, slots=True)
class SensorBand:
    """One band of an instrument."""

    name: str
    """Canonical name."""
    written: tuple[str, ...]
    """What else file names call it, in lower case."""
    centre_um: float | None
    """Centre wavelength in micrometres; None for radar."""
    gsd_m: float
    """Native pixel side."""

    @property
    def common_name(self) -> str | None:
        """The name in the STAC electro-optical extension 1.1, if it has one."""
        return self.name if self.name in _EO_COMMON_NAMES else None


@dataclass(frozen=True, slots=True)
class Sensor:
    """A platform and the instrument it carries."""

    platform: str
    """Slug: ``landsat-7``."""
    title: str
    series: str
    """Platforms whose pixels may be compared with each other share it."""
    instrument: str | None
    gsd_m: float | None
    bands: tuple[SensorBand, ...]
    quantity: Quantity = Quantity.REFLECTANCE
    """What files of it hold unless something else is known."""

    def band(self, name: str) -> SensorBand | None:
        """Return the band of a canonical name; None where the table has none."""
        return next((band for band in self.bands if band.name == name), None)

    def canonical_band(self, written: str) -> str:
        """Return the canonical name of a band as files write it: ``SR_B3`` is ``red`` on Landsat 7.

        A name that is not in the table comes back in lower case.
        """
        wanted = written.strip().lower()
        for band in self.bands:
            if wanted == band.name or wanted in band.written:
                return band.name
        return wanted


def sensor_for(platform: str) -> Sensor:
    """Return what is known of a platform by its slug or an alias (``LE7``, ``S2A``), or a bare one.

    >>> sensor_for("LE07").platform, sensor_for("KOMPSAT 3").series
    ('landsat-7', 'kompsat-3')
    """
    slug = platform_slug(platform)
    known = _table()
    return known.get(slug) or Sensor(slug, platform.strip() or slug, slug, None, None, ())


def platform_slug(text: str) -> str:
    """Return a platform's name in lower case, words joined by hyphens; `UNKNOWN_PLATFORM` if empty."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or UNKNOWN_PLATFORM


def in_band_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return band names in the order of `BAND_ORDER`, the rest by the alphabet."""
    rank = {name: position for position, name in enumerate(BAND_ORDER)}
    return tuple(sorted(names, key=lambda name: (rank.get(name, len(rank)), name)))


@cache
def _table() -> Mapping[str, Sensor]:
    document = tomllib.loads(files("imagery").joinpath("sensors.toml").read_text("utf-8"))
    bands = {name: _bands(entry["bands"]) for name, entry in document["instrument"].items()}
    table: dict[str, Sensor] = {}
    for platform, entry in document["platform"].items():
        sensor = Sensor(
            platform,
            entry["title"],
            entry["series"],
            entry["instrument"],
            entry["gsd_m"],
            bands[entry["instrument"]],
            Quantity(document["instrument"][entry["instrument"]].get("quantity", Quantity.REFLECTANCE)),
        )
        for name in (platform, *entry["aliases"]):
            table[platform_slug(name)] = sensor
    return MappingProxyType(table)


def _bands(entries: list[dict[str, Any]]) -> tuple[SensorBand, ...]:
    return tuple(
        SensorBand(entry["name"], tuple(entry["written"]), entry.get("centre_um"), entry["gsd_m"])
        for entry in entries
    )
