"""Coordinates in the addresses of map sites, as copied from a browser, and in ``geo:`` URIs.

A pin is preferred to the centre of the view, where an address holds both. Short addresses
(``maps.app.goo.gl``) hold no coordinates: nothing here opens them. Sites that draw on a shifted datum
are refused: Baidu (BD-09), AMap and Tencent (GCJ-02) are off by 100 to 1,000 m in an undisclosed way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import unquote_plus, urlsplit

from geo.degrees import decimal_step_m, parse_degrees
from geo.errors import CoordinateError
from geo.position import Coordinate, Form
from geo.quoting import shown

MAX_LINK = 4000
"""Characters; addresses of directions with many stops are longer than any that name a place."""

_LAT = r"(?P<lat>[-+]?[0-9]{1,3}(?:\.[0-9]{1,20})?)"
_LON = r"(?P<lon>[-+]?[0-9]{1,3}(?:\.[0-9]{1,20})?)"
_END = r"(?![0-9.])"


@dataclass(frozen=True, slots=True)
class _Site:
    hosts: re.Pattern[str]
    patterns: tuple[re.Pattern[str], ...]
    """Matched against path, query and fragment, unquoted; the first that matches counts."""


def _site(hosts: str, *patterns: str) -> _Site:
    return _Site(
        re.compile(rf"(?:.+\.)?(?:{hosts})"), tuple(re.compile(pattern + _END) for pattern in patterns)
    )


def _either(lat_name: str, lon_name: str) -> str:
    return rf"^(?=.*[?&#]{lat_name}={_LAT}{_END})(?=.*[?&#]{lon_name}={_LON})"


_SITES = (
    _site(
        r"google\.(?:com?\.)?[a-z]{2,3}",
        rf"!3d{_LAT}!4d{_LON}",
        rf"[?&](?:q|query|destination|daddr|viewpoint|ll|center)=(?:loc:)? ?{_LAT}, ?{_LON}",
        rf"/(?:place|search)/{_LAT}, ?{_LON}",
        rf"@{_LAT},{_LON}",
    ),
    _site(
        r"openstreetmap\.org|osm\.org",
        _either("mlat", "mlon"),
        rf"[#&]map=[0-9.]{{1,6}}/{_LAT}/{_LON}",
        _either("lat", "lon"),
    ),
    _site(r"bing\.com", rf"[?&]sp=point\.{_LAT}_{_LON}", rf"[?&](?:cp|where1)={_LAT}[~,] ?{_LON}"),
    _site(r"maps\.apple\.com", rf"[?&](?:coordinate|q|ll|center|sll)={_LAT}, ?{_LON}"),
    _site(
        r"yandex\.[a-z.]{2,6}",
        rf"[?&](?:whatshere\[point\]|pt)={_LON},{_LAT}",
        rf"[?&]ll={_LON},{_LAT}",
    ),
    _site(r"wikimapia\.org", _either("lat", "lon")),
    _site(r"dataspace\.copernicus\.eu|sentinel-hub\.com", _either("lat", "lng")),
)
_SPELLED = re.compile(r"(?:/(?:place|search)/|[?&]q(?:uery)?=)([^/&#?]*°[^/&#?]*)")
"""Degrees, minutes and seconds as the name of a place."""
_PIN = "!3d"
_SHIFTED = re.compile(r"(?:.+\.)?(?:baidu\.com|amap\.com|gaode\.com|map\.qq\.com|google\.cn)")
_SHORTENERS = re.compile(r"(?:.+\.)?(?:goo\.gl|bit\.ly|t\.co|binged\.it)")

_LINK = re.compile(r"(?:https?://|(?=[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,6}/))[^\s]+", re.IGNORECASE)
_GEO_URI = re.compile(
    rf"geo:{_LAT},{_LON}(?:,[-+]?[0-9.]+)?(?P<parameters>(?:;[a-z0-9-]+(?:=[^;?\s]*)?)*)(?:\?(?P<query>.*))?",
    re.IGNORECASE | re.ASCII,
)


def parse_link(text: str) -> Coordinate | None:
    """Read the address of a map; None when the text is not an address.

    >>> parse_link("https://www.openstreetmap.org/#map=15/39.0194/125.7381").lon
    125.7381

    Raises:
        CoordinateError: The site is unknown or draws on a shifted datum, or the address holds no coordinates.
    """
    if not _LINK.fullmatch(text):
        return None
    host, tail = _host_and_tail(text)
    if _SHIFTED.fullmatch(host):
        problem = f"{host} draws on a shifted datum, off by 100 to 1,000 m"
        raise CoordinateError(
            problem, hint="Find the place on a map in WGS 84 and copy its address from there"
        )
    if _SHORTENERS.fullmatch(host):
        hint = "Open it and copy the long address from the browser"
        raise CoordinateError(f"{shown(text)} is a short address without coordinates", hint=hint)
    for site in _SITES:
        if site.hosts.fullmatch(host):
            return _from_tail(site, tail, text)
    hint = "Copy the coordinates themselves, such as 39.0194, 125.7381"
    raise CoordinateError(f"{host or shown(text)} is not a map site that is known here", hint=hint)


def parse_geo_uri(text: str) -> Coordinate | None:
    """Read a ``geo:`` URI (RFC 5870), with the ``?q=`` of Android; None when the text is none.

    The precision is that of the digits, or the uncertainty ``u`` in metres where that is larger.

    Raises:
        CoordinateError: The URI is written wrongly or is not in WGS 84.
    """
    if not text.lower().startswith("geo:"):
        return None
    match = _GEO_URI.fullmatch(text)
    if match is None:
        raise CoordinateError(f"{shown(text)} is not a geo URI", hint="Write geo:39.0194,125.7381")
    named = re.match(rf"(?:.*&)?q={_LAT}, ?{_LON}{_END}", unquote_plus(match["query"] or ""))
    parameters = dict(part.lower().partition("=")[::2] for part in match["parameters"].split(";")[1:])
    if parameters.get("crs", "wgs84") != "wgs84":
        raise CoordinateError(f"{shown(text)} is not in WGS 84", hint="Convert it first")
    if not re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", parameters.get("u", "0")):
        raise CoordinateError(f"{shown(text)} has an uncertainty that is no number of metres")
    return _coordinate(named or match, Form.GEO_URI, uncertainty_m=float(parameters.get("u", "0")))


def _host_and_tail(text: str) -> tuple[str, str]:
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host = (parts.hostname or "").rstrip(".")
    except ValueError as error:
        raise CoordinateError(f"{shown(text)} is not an address: {error}") from None
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return host, unquote_plus(f"{parts.path}?{parts.query}{fragment}")


def _from_tail(site: _Site, tail: str, text: str) -> Coordinate:
    spelled = None if _PIN in tail else _SPELLED.search(tail)
    if spelled:
        return replace(parse_degrees(spelled[1]), form=Form.LINK)
    for pattern in site.patterns:
        places = {(match["lat"], match["lon"]): match for match in pattern.finditer(tail)}
        if len(places) > 1:
            raise CoordinateError(
                f"{shown(text)} holds several places", hint="Copy the address of one of them"
            )
        if places:
            return _coordinate(next(iter(places.values())), Form.LINK)
    hint = "Centre the map on the place, then copy the address"
    raise CoordinateError(f"{shown(text)} holds no coordinates", hint=hint)


def _coordinate(match: re.Match[str], form: Form, *, uncertainty_m: float = 0.0) -> Coordinate:
    step_m = decimal_step_m(match["lat"], match["lon"])
    return Coordinate(float(match["lon"]), float(match["lat"]), form, max(step_m, uncertainty_m))
