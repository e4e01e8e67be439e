"""Sites in CSV and TSV: any columns in, one row a site out, through the one validator."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from geo.coordinates import parse_coordinate
from geo.errors import InputError, Where
from sites.checks import nearest, shown
from sites.columns import (
    FIELDS,
    NESTED,
    NUMBER_FIELDS,
    TEXT_FIELDS,
    attribute_of,
    field_of,
    nest,
    quoted,
    read_cell,
    title_of,
    write_cell,
)
from sites.errors import CatalogueError
from sites.features import write_feature
from sites.files import explain_encoding, read_bounded
from sites.geojson import MAX_FEATURES, Document, read_features
from sites.model import Attribute, Name, Site
from sites.siteforms import ATTRIBUTE, NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from geo.position import Coordinate

MAX_COLUMNS = 500
MAX_CELL = 10 * 1024 * 1024
"""Characters of one cell: a site's notes stand in one."""

_ORDER = (*TEXT_FIELDS[:4], "aliases", *TEXT_FIELDS[4:12], *NUMBER_FIELDS[:3], *TEXT_FIELDS[12:16])


@dataclass(frozen=True, slots=True)
class TableOptions:
    """How a table is to be understood."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Field of a column, by its title (``--map COLUMN=FIELD``); other columns go by their titles."""
    defaults: Mapping[str, str] = field(default_factory=dict)
    """Cells for fields that a row leaves empty (``--set FIELD=VALUE``)."""


def read_table(path: Path, options: TableOptions | None = None) -> Document:
    """Read a CSV or TSV file; see `parse_table`."""
    return parse_table(read_bounded(path), str(path), options)


def parse_table(data: bytes, file: str, options: TableOptions | None = None) -> Document:
    """Read the sites of a table whose first row holds the titles.

    Args:
        data: The whole file, UTF-8.
        file: Its name as the user wrote it; ``.tsv`` means tabs.
        options: Columns and defaults that the titles don't say.

    Raises:
        CatalogueError: It is no table of sites; faults of single rows are in the answer, with lines.
    """
    chosen = options or TableOptions()
    content = data.removeprefix(b"\xef\xbb\xbf")
    explain_encoding(content, file)
    text = content.decode()
    try:
        rows = _rows(text, "\t" if file.lower().endswith(".tsv") else _delimiter(text))
        titles = next(rows, (0, []))[1]
        fields = _fields(titles, chosen)
        lines, features, faults = _features(rows, fields, chosen.defaults)
    except InputError as error:
        raise error.located(file=file) from None
    document = read_features(features, file, noun="row", lines=lines)
    placed = tuple(fault.located(file=file) for fault in faults)
    ordered = sorted((*document.faults, *placed), key=lambda fault: fault.where.line or 0)
    return replace(document, faults=tuple(ordered))


def write_table(sites: Iterable[Site], *, delimiter: str = ",") -> str:
    """Return sites as a table, by id, that `parse_table` reads back without loss."""
    rows = [_cells(site) for site in sorted(sites, key=lambda site: site.id)]
    used = {column for row in rows for column in row}
    ours = [column for column in (*_ORDER, *FIELDS) if column in used or column in {"id", "name", "category"}]
    titles = [*dict.fromkeys(ours), *sorted(used - set(ours))]
    out = io.StringIO()
    writer = csv.DictWriter(out, titles, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow({title: quoted(title) for title in titles})
    writer.writerows({key: write_cell(key, value) for key, value in row.items()} for row in rows)
    return out.getvalue()


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line and cells of every row that is not empty."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    limit = csv.field_size_limit(MAX_CELL)
    try:
        for count, cells in enumerate(reader):
            if count > MAX_FEATURES:
                raise CatalogueError(f"more than {MAX_FEATURES} rows", hint="Split the file")
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        where = Where(line=reader.line_num)
        raise CatalogueError(f"not a table: {error}", where=where, hint="Look for a stray quote") from None
    finally:
        csv.field_size_limit(limit)


def _fields(titles: list[str], options: TableOptions) -> list[str]:
    """Return the field of every column."""
    if not titles:
        raise CatalogueError("the table is empty", hint="Its first row holds the titles of the columns")
    if len(titles) > MAX_COLUMNS:
        raise CatalogueError(f"{len(titles)} columns are too many; the limit is {MAX_COLUMNS}")
    stripped = [title.strip() for title in titles]
    for column in options.columns:
        if column not in stripped:
            guess = nearest(column, stripped)
            hint = f"Did you mean {guess!r}?" if guess else f"It has {', '.join(map(shown, stripped))}"
            raise CatalogueError(
                f"the table has no column {shown(column)}", where=Where(field="--map"), hint=hint
            )
    fields = [options.columns.get(title) or field_of(title) for title in stripped]
    for position, name in enumerate(fields):
        if name and name in fields[:position]:
            raise CatalogueError(f"two columns mean {name!r}", where=Where(line=1, field=name))
    _want({*fields, *options.defaults})
    return fields


def _want(fields: set[str]) -> None:
    if not fields & {"name", "names", "name_ko"}:
        raise CatalogueError("no column holds the name", where=Where(line=1), hint="Give --map COLUMN=name")
    if "category" not in fields:
        hint = "Give --set category=market, or --map COLUMN=category"
        raise CatalogueError("no column holds the category", where=Where(line=1), hint=hint)


def _features(
    rows: Iterable[tuple[int, list[str]]], fields: list[str], defaults: Mapping[str, str]
) -> tuple[list[int], list[object], list[InputError]]:
    lines: list[int] = []
    features: list[object] = []
    faults: list[InputError] = []
    for line, cells in rows:
        try:
            features.append(_feature(_by_field(cells, fields), defaults))
            lines.append(line)
        except InputError as error:
            faults.append(error.located(line=line))
    return lines, features, faults


def _by_field(cells: list[str], fields: list[str]) -> dict[str, str]:
    extra = [cell for cell in cells[len(fields) :] if cell.strip()]
    if extra:
        problem = f"{len(cells)} cells under {len(fields)} titles"
        raise CatalogueError(problem, hint="Put cells that hold the delimiter in quotes")
    unnamed = [cell for name, cell in zip(fields, cells, strict=False) if not name and cell.strip()]
    if unnamed:
        raise CatalogueError(f"{shown(unnamed[0])} stands in a column without a title")
    return {name: cell.strip() for name, cell in zip(fields, cells, strict=False) if name and cell.strip()}


def _feature(cells: dict[str, str], defaults: Mapping[str, str]) -> dict[str, Any]:
    filled = {name: read_cell(name, cell) for name, cell in {**defaults, **cells}.items()}
    measured = [_attribute(name, filled.pop(name)) for name in list(filled) if attribute_of(name)]
    values = nest(filled)
    geometry = _geometry(values)
    if measured:
        values["attributes"] = [*values.get("attributes", []), *measured]
    return {"type": "Feature", "geometry": geometry, "properties": values}


def _attribute(name: str, value: float) -> dict[str, Any]:
    quantity, unit = attribute_of(name) or (name, "")
    return {"quantity": quantity, "value": value, "unit": unit}


def _geometry(values: dict[str, Any]) -> object:
    """Take the place out of the values, however the table gives it."""
    lon, lat = values.pop("lon", None), values.pop("lat", None)
    pasted, given = values.pop("coordinate", None), values.pop("geometry", None)
    if (lon is None) != (lat is None):
        missing = "lon" if lon is None else "lat"
        raise CatalogueError(f"there is no {missing}", where=Where(field=missing))
    if [lon, pasted, given].count(None) < 2:  # noqa: PLR2004 - of the three ways, one
        raise CatalogueError("the place is given twice", where=Where(field="geometry"))
    if pasted is not None:
        found = _parse(pasted)
        return {"type": "Point", "coordinates": [found.lon, found.lat]}
    return given if lon is None else {"type": "Point", "coordinates": [lon, lat]}


def _parse(pasted: str) -> Coordinate:
    try:
        return parse_coordinate(pasted)
    except InputError as error:
        raise error.located(field="coordinate") from None


def _cells(site: Site) -> dict[str, Any]:
    """Return the cells of a site, by title: plain ones where nothing is lost, JSON where it would be."""
    feature = write_feature(site)
    properties: dict[str, Any] = {"id": site.id} | feature["properties"]
    geometry = feature["geometry"]
    for outer in NESTED:
        for inner, value in properties.pop(outer, {}).items():
            properties[f"{outer}.{inner}"] = value
    place = _place_cells(geometry) | _name_cells(site) | _attribute_cells(site)
    for replaced in ("names", "attributes"):
        properties.pop(replaced, None)
    foreign = {title_of(key): properties.pop(key) for key in site.foreign}
    return properties | place | foreign


def _place_cells(geometry: dict[str, Any] | None) -> dict[str, Any]:
    if geometry is None:
        return {}
    if geometry["type"] != "Point":
        return {"geometry": geometry}
    lon, lat = geometry["coordinates"]
    return {"lon": lon, "lat": lat}


def _name_cells(site: Site) -> dict[str, Any]:
    others = list(site.names[1:])
    cells: dict[str, Any] = {}
    if others and others[0] == Name(others[0].text, language="ko"):
        cells["name_ko"] = others.pop(0).text
    aliases = [name.text for name in others]
    if aliases:
        cells["aliases"] = aliases
    texts = [name.text for name in site.names]
    is_plain = (
        site.names[0] == Name(texts[0])
        and all(name == Name(name.text) for name in others)
        and len(set(texts)) == len(texts)
        and not any(";" in text or text != text.strip() for text in texts)
    )
    return cells if is_plain else {"names": [NAME.write(name) for name in site.names]}


def _attribute_cells(site: Site) -> dict[str, Any]:
    titles = [f"{item.quantity}_{item.unit}" for item in site.attributes]
    is_plain = titles == sorted(set(titles)) and all(
        attribute_of(title) == (item.quantity, item.unit)
        and item == Attribute(item.quantity, item.value, item.unit)
        for title, item in zip(titles, site.attributes, strict=True)
    )
    if is_plain:
        return {title: item.value for title, item in zip(titles, site.attributes, strict=True)}
    return {"attributes": [ATTRIBUTE.write(item) for item in site.attributes]}
