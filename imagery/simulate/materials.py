"""What the simulated ground is made of: reflectance through the year, and how parcels of it differ.

The values stand in ``materials.toml``, with what they rest on.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

BANDS = ("blue", "green", "red", "nir", "swir16", "swir22")
"""The bands of every simulated scene, in the order of all arrays here."""

DAYS = 366
"""Rows of a curve: one a day of the year, the first twice (days 1 and 366)."""


@dataclass(frozen=True, slots=True, eq=False)
class Materials:
    """All materials as arrays; rows are materials."""

    names: tuple[str, ...]
    curves: NDArray[np.float32]
    """``(material, DAYS, band)``: reflectance on each day of the year."""
    spread: NDArray[np.float32]
    drift: NDArray[np.float32]
    yearly: NDArray[np.float32]
    shift_days: NDArray[np.float32]
    """``(material, 3)``: sd of the timing in days: of a year, of a parcel, of a parcel in a year."""
    wet: NDArray[np.float32]
    snow_hold: NDArray[np.float32]
    freezes: NDArray[np.float32]
    directional: NDArray[np.float32]
    glint: NDArray[np.float32]
    texture: NDArray[np.float32]

    def index(self, name: str) -> int:
        """Return the row of a material.

        Raises:
            ValueError: There is no such material.
        """
        if name not in self.names:
            known = ", ".join(self.names)
            raise ValueError(f"no material {name!r}; there are {known}")
        return self.names.index(name)


@cache
def materials() -> Materials:
    """Return the materials of the table, read once."""
    document = _document()
    names = tuple(document["material"])
    rows = [{**document["default"], **document["material"][name]} for name in names]

    def column(key: str) -> NDArray[np.float32]:
        return _frozen(np.array([row[key] for row in rows], dtype=np.float32))

    return Materials(
        names=names,
        curves=_frozen(np.stack([_curve(row, document["season"]) for row in rows])),
        **{key: column(key) for key in document["default"]},
    )


@cache
def surface(name: str) -> NDArray[np.float32]:
    """Return the reflectance of a surface, ``(band,)``."""
    return _frozen(np.array(_document()["surface"][name], dtype=np.float32))


def _curve(row: Mapping[str, Any], seasons: Mapping[str, Any]) -> NDArray[np.float32]:
    if "surface" in row:
        return np.tile(surface(row["surface"]), (DAYS, 1))
    return season_curve(seasons[row["season"]]["keys"])


def season_curve(keys: Sequence[tuple[float, Mapping[str, float]]]) -> NDArray[np.float32]:
    """Return reflectance a day of the year, ``(DAYS, band)``, from mixtures at key days.

    Args:
        keys: Day of the year, and the weight of each surface, which sum to one; the year is a circle.
    """
    days = np.array([day for day, _ in keys], dtype=np.float64)
    mixed = np.stack([sum(weight * surface(name) for name, weight in mixture.items()) for _, mixture in keys])
    wanted = np.arange(1, DAYS + 1)
    return np.stack(
        [np.interp(wanted, days, mixed[:, band], period=DAYS - 1) for band in range(len(BANDS))], axis=1
    ).astype(np.float32)


@cache
def _document() -> Mapping[str, Any]:
    text = files("imagery").joinpath("simulate", "materials.toml").read_text("utf-8")
    return MappingProxyType(tomllib.loads(text))


def _frozen(array: NDArray[np.float32]) -> NDArray[np.float32]:
    array.setflags(write=False)
    return array
