"""How QGIS draws the layers of our GeoPackages: the pages' colours, and time switched on."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from PIL import ImageColor

from maps.drawing import OUTLINE_RGB
from maps.symbols import SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Iterator

STYLES_TABLE = (
    "CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256),"
    " f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30),"
    " styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),"
    " update_time DATETIME)"
)
"""As QGIS makes it."""

_BY_FIELDS = 2
"""QgsVectorLayerTemporalProperties.ModeFeatureDateTimeStartAndEndFromFields."""
_INCLUDE_BOTH_ENDS = 1
_SHAPES = {
    **dict.fromkeys(("market", "quarantine", "other"), "circle"),
    **dict.fromkeys(("factory", "storage", "rail"), "square"),
    **dict.fromkeys(("customs", "border_crossing", "bridge"), "diamond"),
    **dict.fromkeys(("mine", "airfield", "port"), "triangle"),
    **dict.fromkeys(("sez", "power_station"), "hexagon"),
}
"""Markers of QGIS that come nearest to the signs of the pages, by category."""


def style_rows() -> Iterator[tuple[str, str, str]]:
    """Yield layer, name of the style and QML."""
    yield "sites", "Categories", _qml(_by_category(3.6), temporal=False)
    yield "notes", "Categories, in time", _qml(_by_category(2.4), temporal=True)
    yield "looks", "Categories, in time", _qml(_by_category(1.8), temporal=True)
    yield "detections", "Outlines, in time", _qml(_outline(), temporal=True)


def _qml(renderer: str, *, temporal: bool) -> str:
    fields = 'startField="start_date" endField="end_date"' if temporal else 'startField="" endField=""'
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.28" styleCategories="Symbology|Temporal">\n'
        f'<temporal enabled="{int(temporal)}" mode="{_BY_FIELDS}" limitMode="{_INCLUDE_BOTH_ENDS}" {fields} '
        'accumulate="0" durationField="" durationUnit="min" fixedDuration="0" startExpression="" '
        'endExpression="">'
        "<fixedRange><start></start><end></end></fixedRange></temporal>\n"
        f"{renderer}\n</qgis>\n"
    )


def _by_category(size_mm: float) -> str:
    categories, symbols = [], []
    for number, (category, symbol) in enumerate(SYMBOLS.items()):
        label = quoteattr(symbol.label)
        categories.append(
            f'<category value="{category}" symbol="{number}" label={label} render="true" type="string"/>'
        )
        options = {"name": _SHAPES[category], "color": _rgba(symbol.colour), "size": f"{size_mm:g}"}
        options |= {"size_unit": "MM", "outline_color": "43,47,49,255", "outline_width": "0.2"}
        symbols.append(_symbol(str(number), "marker", "SimpleMarker", options))
    return (
        '<renderer-v2 type="categorizedSymbol" attr="category" enableorderby="0" forceraster="0">'
        f"<categories>{''.join(categories)}</categories><symbols>{''.join(symbols)}</symbols></renderer-v2>"
    )


def _outline() -> str:
    options = {"style": "no", "outline_style": "solid", "outline_width": "0.6", "outline_width_unit": "MM"}
    options["outline_color"] = ",".join(map(str, (*OUTLINE_RGB, 255)))
    symbol = _symbol("0", "fill", "SimpleFill", options)
    return f'<renderer-v2 type="singleSymbol" enableorderby="0"><symbols>{symbol}</symbols></renderer-v2>'


def _symbol(name: str, kind: str, layer: str, options: dict[str, str]) -> str:
    written = "".join(
        f'<Option name="{key}" type="QString" value={quoteattr(value)}/>' for key, value in options.items()
    )
    return (
        f'<symbol name="{name}" type="{kind}" alpha="1" clip_to_extent="1" force_rhr="0">'
        f'<layer class="{layer}" enabled="1" pass="0" locked="0"><Option type="Map">{written}</Option>'
        "</layer></symbol>"
    )


def _rgba(colour: str) -> str:
    return ",".join(map(str, (*ImageColor.getrgb(colour)[:3], 255)))
