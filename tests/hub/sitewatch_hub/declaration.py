"""What an evalscript's ``setup()`` declares: bands in, outputs out, and how scenes become samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sitewatch_hub.evalscript import OutputSpec
from sitewatch_hub.messages import script_refusal
from sitewatch_hub.sampling import DATA_MASK, Band

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sitewatch_hub.collections_served import Collection

SAMPLE_TYPES = ("UINT8", "UINT16", "INT16", "FLOAT32", "AUTO")
MOSAICKINGS = ("SIMPLE", "ORBIT", "TILE")


@dataclass(frozen=True, slots=True)
class Declaration:
    """A script's ``setup()``, checked against a collection."""

    bands: tuple[Band, ...]
    """In the order of the samples' fields."""
    outputs: tuple[OutputSpec, ...]
    mosaicking: str
    """``SIMPLE``, ``ORBIT`` or ``TILE``."""


def parse_declaration(setup: Mapping[str, Any], collection: Collection, default_type: str) -> Declaration:
    """Read a ``setup()``.

    Args:
        setup: What it returned.
        collection: Whose bands may be asked for.
        default_type: Sample type of outputs that name none.

    Raises:
        RefusedError: An unknown band, unit, mosaicking or sample type, or no output.
    """
    mosaicking = setup.get("mosaicking", "SIMPLE")
    if mosaicking not in MOSAICKINGS:
        raise script_refusal(f"Unknown mosaicking {mosaicking!r}")
    outputs = _outputs(setup.get("output"), default_type)
    return Declaration(_bands(setup.get("input"), collection), outputs, mosaicking)


def _bands(declared: object, collection: Collection) -> tuple[Band, ...]:
    entries = declared if isinstance(declared, list) else [declared]
    if all(isinstance(entry, str) for entry in entries):
        entries = [{"bands": entries}]
    if len(entries) != 1 or not isinstance(entries[0], dict) or "datasource" in entries[0]:
        raise script_refusal("input must be one list of bands; data fusion is not offered by this server")
    names, units = entries[0].get("bands"), entries[0].get("units")
    if not isinstance(names, list) or not names:
        raise script_refusal("input has no bands")
    written = units if isinstance(units, list) else [units] * len(names)
    if len(written) != len(names):
        raise script_refusal("units must be one for all bands, or one for each")
    return tuple(_band(name, unit, collection) for name, unit in zip(names, written, strict=True))


def _band(name: object, unit: object, collection: Collection) -> Band:
    if name == DATA_MASK or (collection.mask is not None and name == collection.mask[0]):
        return Band(str(name), "")
    if name not in collection.bands:
        raise script_refusal(f"Dataset with id: 1 does not have a band: {name}")
    if unit is not None and unit not in collection.units:
        raise script_refusal(f"Band {name} has no units {unit!r}, only {', '.join(collection.units)}")
    return Band(str(name), str(unit or collection.physical_unit))


def _outputs(declared: object, default_type: str) -> tuple[OutputSpec, ...]:
    entries = declared if isinstance(declared, list) else [declared]
    outputs = tuple(_output(entry, default_type) for entry in entries)
    if not outputs or len({output.id for output in outputs}) < len(outputs):
        raise script_refusal("output must be at least one, with different ids")
    return outputs


def _output(entry: object, default_type: str) -> OutputSpec:
    if not isinstance(entry, dict):
        raise script_refusal("setup() must return an output with a number of bands")
    bands = entry.get("bands")
    if isinstance(bands, list):
        bands = len(bands)
    if not isinstance(bands, int | float) or bands < 1 or bands != int(bands):
        raise script_refusal(f"output bands must be a whole number above zero, not {bands!r}")
    sample_type = entry.get("sampleType") or default_type
    if sample_type not in SAMPLE_TYPES:
        raise script_refusal(f"Unknown sampleType {sample_type!r}")
    nodata = entry.get("nodataValue")
    return OutputSpec(
        str(entry.get("id", "default")), int(bands), sample_type, None if nodata is None else float(nodata)
    )
