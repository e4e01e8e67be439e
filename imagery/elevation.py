"""Heights of the ground under a site's lattice, kept beside the scenes because they have no day.

    archive/elevation/<site id>/<grid id>/elevation.tif     float32 metres, NaN where unknown
    archive/elevation/<site id>/<grid id>/elevation.json    the lattice, where the heights came from, a digest

They are not derived from the archive, cost something, and don't change: `prune` leaves them. No STAC Item
stands for them, because an Item needs a time. A folder appears in one rename.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from geo.durable import new_directory
from geo.errors import Where
from imagery.errors import ArchiveError, ImageError
from imagery.geotiff import open_geotiff, write_cog
from imagery.stac import dump

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from geo.grid import Grid
    from imagery.archive import Archive

ELEVATION_FOLDER = "elevation"


@dataclass(frozen=True, slots=True, eq=False)
class Elevation:
    """The heights on one lattice."""

    grid: Grid
    metres: NDArray[np.float32]
    """``(y, x)``, above the datum that `provenance` names; NaN where unknown. The sea is 0."""
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Model, datum, request, cost and credit, as JSON values."""

    def __post_init__(self) -> None:
        """Refuse heights that don't lie on the grid.

        Raises:
            ImageError: Another shape or type.
        """
        if self.metres.shape != self.grid.shape or self.metres.dtype != np.float32:
            problem = f"heights are {self.metres.dtype} {self.metres.shape}, the grid is {self.grid.shape}"
            raise ImageError(problem, where=Where(feature=self.grid.site_id))


def kept_elevation(archive: Archive, grid: Grid) -> Elevation | None:
    """Return the heights on a lattice from the archive; None where there are none.

    Raises:
        ArchiveError: They are damaged.
    """
    folder = _folder(archive, grid)
    if not folder.is_dir():
        return None
    try:
        document = orjson.loads((folder / "elevation.json").read_bytes())
        with open_geotiff(folder / "elevation.tif") as dataset:
            metres = dataset.read(1)
        if _digest(metres) != document["content_sha"] or document["grid"] != _plain(grid):
            raise ValueError("its pixels or its lattice are not those that were kept")  # noqa: TRY301 - one exit
        return Elevation(grid, metres, MappingProxyType(document["provenance"]))
    except (OSError, KeyError, TypeError, ValueError, ImageError) as error:
        raise ArchiveError(
            f"damaged elevation: {error}",
            where=Where(str(folder)),
            hint="Move that folder away and pull it again with: sitewatch pull --elevation",
        ) from error


def keep_elevation(archive: Archive, elevation: Elevation) -> None:
    """Put the heights on a lattice into the archive; those that are there already stay.

    Raises:
        ArchiveError: They can't be written.
    """
    grid, folder = elevation.grid, _folder(archive, elevation.grid)
    with archive.locked("elevation"):
        if folder.is_dir():
            return
        try:
            with new_directory(folder) as staging:
                _write(staging, elevation)
        except OSError as error:
            problem = f"the elevation of {grid.site_id} can't be written: {error.strerror or error}"
            raise ArchiveError(problem, where=Where(str(folder))) from error


def _write(staging: Path, elevation: Elevation) -> None:
    write_cog(
        staging / "elevation.tif",
        elevation.metres,
        crs=elevation.grid.crs,
        transform=elevation.grid.transform,
        nodata=float("nan"),
        scale=None,
        offset=0.0,
        name="elevation in metres",
    )
    document = {
        "grid": _plain(elevation.grid),
        "provenance": dict(elevation.provenance),
        "content_sha": _digest(elevation.metres),
    }
    (staging / "elevation.json").write_bytes(dump(document))


def _folder(archive: Archive, grid: Grid) -> Path:
    name = grid.site_id
    if not name or "/" in name or "\0" in name or name[0] == ".":
        raise ImageError(f"{name!r} can't name a folder", hint="Use letters, digits and hyphens")
    return archive.root / ELEVATION_FOLDER / name / grid.grid_id


def _plain(grid: Grid) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(orjson.dumps(grid.to_json()))
    return document


def _digest(metres: NDArray[np.float32]) -> str:
    # One bit pattern for what is unknown, whatever the file made of it.
    known = np.where(np.isnan(metres), np.float32(np.nan), metres)
    return hashlib.sha256(np.ascontiguousarray(known, dtype="<f4").tobytes()).hexdigest()
