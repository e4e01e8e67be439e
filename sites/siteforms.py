"""The tables of a site and its parts: which keys a file may hold, in the order they are written."""

from __future__ import annotations

from sites.categories import parse_category
from sites.deferred import read_notes
from sites.forms import OBSERVATION, SOURCE
from sites.members import DATE, DURATION, Form, Member, choice, each, grade, listed, number, text, texts
from sites.model import Attribute, Name, Placement, Relation, Retirement, Site, Subject, WatchRules
from sites.observation import Expectation
from sites.positions import read_geometry, write_geometry

NAME = Form(
    Name,
    "a name",
    [
        Member("text", text),
        Member("language", text),
        Member("script", text),
        Member("scheme", text),
        Member("span", *DATE),
    ],
    bare="text",
)

ATTRIBUTE = Form(
    Attribute,
    "an attribute",
    [
        Member("quantity", text),
        Member("value", number),
        Member("unit", text),
        Member("date", *DATE),
        Member("source", SOURCE.read, SOURCE.write),
    ],
)

RELATION = Form(Relation, "a relation", [Member("kind", text), Member("site", text)])

PLACEMENT = Form(
    Placement,
    "an earlier place",
    [
        Member("geometry", read_geometry, write_geometry),
        Member("footprint", read_geometry, write_geometry),
        Member("accuracy_m", number),
        Member("source", text),
        Member("licence", text),
        Member("until", *DATE),
    ],
)

WATCH = Form(
    WatchRules,
    "the watch rules",
    [
        Member("cadence", *DURATION),
        Member("priority", number),
        Member("min_area_m2", number),
        Member("context_m", number),
        Member("detectors", texts, list),
        Member("expects", choice(Expectation), str),
    ],
)

RETIREMENT = Form(Retirement, "a retirement", [Member("date", *DATE), Member("reason", text)])

SITE = Form(
    Site,
    "a site",
    [
        Member("category", parse_category, str),
        Member("subtype", text),
        Member("description", text),
        Member("country", text),
        Member("province", text),
        Member("county", text),
        Member("operator", text),
        Member("grade", grade),
        Member("complex", text),
        Member("footprint", read_geometry, write_geometry),
        Member("coordinate_accuracy_m", number),
        Member("coordinate_source", text),
        Member("coordinate_licence", text),
        Member("placements", listed(PLACEMENT.read), each(PLACEMENT.write)),
        Member("opened", *DATE),
        Member("closed", *DATE),
        Member("relations", listed(RELATION.read), each(RELATION.write)),
        Member("attributes", listed(ATTRIBUTE.read), each(ATTRIBUTE.write)),
        Member("former_ids", texts, list),
        Member("watch", WATCH.read, WATCH.write),
        Member("retired", RETIREMENT.read, RETIREMENT.write),
        Member("observations", read_notes, each(OBSERVATION.write)),
    ],
)
"""The properties of a feature, all but the id and the names."""

SUBJECT = Form(
    Subject,
    "a subject",
    [Member("observations", read_notes, each(OBSERVATION.write))],
)
"""The properties of a feature whose notes are about a province or a topic, all but `subject`."""
