"""Which column of a table holds which field of a site, and how a cell is read and written.

Cells are texts. Fields that are lists or objects stand in a cell as JSON; ``aliases`` are parted by
semicolons. A cell that a spreadsheet would run as a formula is written behind an apostrophe, which
the reader takes off again (OWASP, "CSV Injection").
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import orjson

from geo.errors import Where
from sites.checks import refuse, shown
from sites.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TEXT_FIELDS = (
    "id",
    "name",
    "name_ko",
    "category",
    "subtype",
    "description",
    "country",
    "province",
    "county",
    "operator",
    "grade",
    "complex",
    "coordinate_source",
    "coordinate_licence",
    "opened",
    "closed",
    "watch.cadence",
    "watch.expects",
    "retired.date",
    "retired.reason",
)
NUMBER_FIELDS = (
    "lon",
    "lat",
    "coordinate_accuracy_m",
    "watch.priority",
    "watch.min_area_m2",
    "watch.context_m",
)
LIST_FIELDS = ("aliases", "former_ids", "watch.detectors")
JSON_FIELDS = ("names", "geometry", "footprint", "placements", "relations", "attributes", "observations")
OTHER_FIELDS = ("coordinate",)
"""``coordinate``: latitude and longitude in one cell, in any form people paste."""

NESTED = ("watch", "retired")
"""Objects whose members have columns of their own: ``watch.cadence``."""

FIELDS = (*TEXT_FIELDS, *NUMBER_FIELDS, *LIST_FIELDS, *JSON_FIELDS, *OTHER_FIELDS)

MEMBER = "member:"
"""Starts the title of a column that holds a member of this very name, whatever it would mean else."""

ATTRIBUTE_UNITS = frozenset({"m", "m2", "km", "km2", "ha", "mw", "t", "t_a", "usd"})
"""A column ``area_m2`` is the attribute ``area`` in ``m2``."""

_SYNONYMS = {
    "accuracy": "coordinate_accuracy_m",
    "accuracy m": "coordinate_accuracy_m",
    "coord": "coordinate",
    "coordinates": "coordinate",
    "hangul": "name_ko",
    "kind": "category",
    "korean": "name_ko",
    "korean name": "name_ko",
    "lat lon": "coordinate",
    "latitude": "lat",
    "license": "coordinate_licence",
    "lng": "lon",
    "location": "coordinate",
    "long": "lon",
    "longitude": "lon",
    "name korean": "name_ko",
    "site": "name",
    "site id": "id",
    "site name": "name",
    "title": "name",
    "type": "category",
    "x": "lon",
    "y": "lat",
    "경도": "lon",
    "위도": "lat",
    "이름": "name_ko",
}

_EXACT = 2.0**53  # from here on a float does not hold every whole number
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_QUOTED_FORMULA = re.compile(r"'+[=+\-@\t\r]")
_LOOKS_LIKE_JSON = re.compile(
    r'\s*(?:[\[{"]|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?\s*\Z|(?:true|false|null)\s*\Z)'
)
_ATTRIBUTE = re.compile(r"([a-z][a-z0-9_]*?)_([a-z0-9_]+)")


def field_of(column: str) -> str:
    """Return the field that a column's title means; a title nobody knows is a member of its own.

    >>> field_of("Latitude"), field_of("Korean name"), field_of("csis_id")
    ('lat', 'name_ko', 'csis_id')
    """
    title = unquoted(column.strip())
    if title.startswith(MEMBER):
        return title
    plain = title.casefold()
    if plain in FIELDS:
        return plain
    spaced = " ".join(re.split(r"[\s_./-]+", plain)).strip()
    underscored = spaced.replace(" ", "_")
    return _SYNONYMS.get(spaced) or (underscored if underscored in FIELDS else title)


def title_of(member: str) -> str:
    """Return the title of a column for a member that is not ours, so that no reader takes it for one."""
    means_itself = field_of(member) == member and member not in FIELDS and attribute_of(member) is None
    return member if means_itself and member and "." not in member else MEMBER + member


def attribute_of(field: str) -> tuple[str, str] | None:
    """Return quantity and unit of a column such as ``area_m2``; None for any other.

    >>> attribute_of("area_m2"), attribute_of("csis_id")
    (('area', 'm2'), None)
    """
    found = _ATTRIBUTE.fullmatch(field)
    if found is None or field in FIELDS or found[2] not in ATTRIBUTE_UNITS:
        return None
    return found[1], found[2]


def read_cell(field: str, cell: str) -> Any:  # noqa: ANN401 - JSON
    """Return what a cell says, as a file would hold it.

    Raises:
        SiteError: A number is no number, or JSON is no JSON; with the field.
    """
    if field in NUMBER_FIELDS or attribute_of(field) is not None:
        return read_number(field, cell)
    plain = unquoted(cell)
    if field in TEXT_FIELDS or field in OTHER_FIELDS:
        return plain
    if field in LIST_FIELDS:
        return [item.strip() for item in plain.split(";") if item.strip()]
    if field in JSON_FIELDS:
        return _read_json(field, plain)
    return _read_json(field, plain) if _LOOKS_LIKE_JSON.match(plain) else plain


def write_cell(field: str, value: Any) -> str:  # noqa: ANN401 - JSON
    """Return a value as the cell that `read_cell` reads back."""
    if field in LIST_FIELDS:
        return quoted("; ".join(value))
    if field in TEXT_FIELDS:
        return quoted(value)
    if isinstance(value, str) and value and value == value.strip() and not _LOOKS_LIKE_JSON.match(value):
        return quoted(value)
    return orjson.dumps(value).decode()


def quoted(text: str) -> str:
    """Return a text behind an apostrophe where a spreadsheet would run it as a formula.

    >>> quoted("=1+1"), quoted("Haebang")
    ("'=1+1", 'Haebang')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unquoted(text: str) -> str:
    """Take off what `quoted` put on."""
    return text[1:] if _QUOTED_FORMULA.match(text) else text


def read_number(field: str, cell: str) -> float:
    """Return a finite number written with a decimal point."""
    try:
        value = float(cell)
    except ValueError:
        hint = "Write a decimal point" if "," in cell else None
        refuse(f"{shown(cell)} is not a number", field, hint)
    if not math.isfinite(value) or "_" in cell or not cell.isascii():
        refuse(f"{shown(cell)} is not a number", field)
    is_whole = value.is_integer() and abs(value) < _EXACT and not set("e.") & set(cell.lower())
    return int(value) if is_whole else value


def nest(cells: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of dotted fields: ``watch.cadence`` becomes a member of ``watch``."""
    out: dict[str, Any] = {}
    for field, value in cells.items():
        outer, dot, inner = field.partition(".")
        if dot and outer in NESTED:
            out.setdefault(outer, {})[inner] = value
        else:
            out[field.removeprefix(MEMBER)] = value
    return out


def parse_pairs(pairs: Iterable[str], option: str) -> dict[str, str]:
    """Return the left and right sides of ``A=B`` options.

    Raises:
        CatalogueError: One has no ``=`` or no left side; it names the option.
    """
    out: dict[str, str] = {}
    for pair in pairs:
        left, equals, right = pair.partition("=")
        if not equals or not left.strip():
            raise CatalogueError(f"{shown(pair)} is not of the form A=B", where=Where(field=option))
        out[left.strip()] = right.strip()
    return out


def _read_json(field: str, cell: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return orjson.loads(cell)
    except orjson.JSONDecodeError as error:
        return refuse(f"not JSON: {error.msg}, column {error.colno}", field)
