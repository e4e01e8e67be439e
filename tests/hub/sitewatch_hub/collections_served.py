"""Which of the service's collections an archive can stand in for, and what their bands are called.

Names as in the service's own collection pages; right of them the archive's canonical band names.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from sitewatch_hub.messages import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imagery.model import Scene


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection of the service."""

    id: str
    """As in the Catalog and in a payload's ``type``."""
    title: str
    platforms: tuple[str, ...]
    """Archive platforms whose scenes it holds."""
    bands: Mapping[str, str]
    """Service name -> canonical name."""
    mask: tuple[str, str] | None
    """Service name of the class band and the archive's mask scheme; None: it has none."""
    physical_unit: str
    """What a band is in unless asked for ``DN``: ``REFLECTANCE`` or ``LINEAR_POWER``."""
    harmonised: bool
    """``harmonizeValues`` means something: counts of all processing baselines can be made alike."""
    offers_dn: bool = True
    """Its bands can be had as counts too."""
    is_timeless: bool = False
    """A request needs no time range, and the catalogue knows nothing of it."""
    no_data: float = 0.0
    """What a band reads where there is no data."""
    facts: tuple[tuple[str, str], ...] = ()
    """What its granules say where their Items don't."""

    @property
    def units(self) -> tuple[str, ...]:
        """The units that a script may ask for, the default first."""
        return (self.physical_unit, "DN") if self.offers_dn else (self.physical_unit,)


_SENTINEL_2 = ("sentinel-2", "sentinel-2a", "sentinel-2b", "sentinel-2c")

_SENTINEL_2_BANDS = {
    "B01": "coastal",
    "B02": "blue",
    "B03": "green",
    "B04": "red",
    "B05": "rededge1",
    "B06": "rededge2",
    "B07": "rededge3",
    "B08": "nir",
    "B8A": "nir08",
    "B09": "nir09",
    "B11": "swir16",
    "B12": "swir22",
}

_SENTINEL_2_L2A = Collection(
    id="sentinel-2-l2a",
    title="Sentinel 2 L2A",
    platforms=_SENTINEL_2,
    bands=MappingProxyType(_SENTINEL_2_BANDS),
    mask=("SCL", "scl"),
    physical_unit="REFLECTANCE",
    harmonised=True,
)

_SENTINEL_2_L1C = Collection(
    id="sentinel-2-l1c",
    title="Sentinel 2 L1C",
    platforms=_SENTINEL_2,
    bands=MappingProxyType(_SENTINEL_2_BANDS | {"B10": "cirrus"}),
    mask=None,
    physical_unit="REFLECTANCE",
    harmonised=True,
)

_LANDSAT_OLI = Collection(
    id="landsat-ot-l2",
    title="Landsat 8-9 Level 2",
    platforms=("landsat-8", "landsat-9"),
    bands=MappingProxyType(
        {
            "B01": "coastal",
            "B02": "blue",
            "B03": "green",
            "B04": "red",
            "B05": "nir08",
            "B06": "swir16",
            "B07": "swir22",
        }
    ),
    mask=("BQA", "qa"),
    physical_unit="REFLECTANCE",
    harmonised=False,
    offers_dn=False,
    no_data=float("nan"),
)

_SENTINEL_1 = Collection(
    id="sentinel-1-grd",
    title="Sentinel 1 GRD",
    platforms=("sentinel-1", "sentinel-1a", "sentinel-1b", "sentinel-1c", "sentinel-1d"),
    bands=MappingProxyType({"VV": "vv", "VH": "vh", "HH": "hh", "HV": "hv"}),
    mask=None,
    physical_unit="LINEAR_POWER",
    harmonised=False,
    offers_dn=False,
    facts=(("sar:instrument_mode", "IW"), ("s1:polarization", "DV"), ("s1:resolution", "HIGH")),
)

DEM = Collection(
    id="dem",
    title="Copernicus DEM",
    platforms=(),
    bands=MappingProxyType({"DEM": "elevation"}),
    mask=None,
    physical_unit="METERS",
    harmonised=False,
    offers_dn=False,
    is_timeless=True,
)
"""It has no catalogue and no time."""

COLLECTIONS = (_SENTINEL_2_L2A, _SENTINEL_2_L1C, _LANDSAT_OLI, _SENTINEL_1)


def collection_named(name: object) -> Collection:
    """Return a collection by its id.

    Raises:
        RefusedError: 404, as for a collection that the service does not have.
    """
    for collection in COLLECTIONS:
        if collection.id == name:
            return collection
    raise refusal(404, "COMMON_NOT_FOUND", f"Collection {name!r} does not exist.")


def collection_asked(name: object) -> Collection:
    """Return a collection that pixels can be asked of: one of the catalogue, or the heights.

    Raises:
        RefusedError: 404, as for a collection that the service does not have.
    """
    return DEM if name == DEM.id else collection_named(name)


def collection_of(scene: Scene) -> Collection | None:
    """Return the collection that a scene of the archive belongs to, if any.

    Levels of one platform are told apart by their masks: a Sentinel-2 scene without SCL is of Level-1C.
    """
    fitting = [entry for entry in COLLECTIONS if scene.platform in entry.platforms]
    exact = (entry for entry in fitting if entry.mask is not None and entry.mask[1] == scene.mask_scheme)
    bare = (entry for entry in fitting if entry.mask is None)
    return next(exact, None) or next(bare, None) or next(iter(fitting), None)
