"""The tables of a note and its parts: which keys a file may hold, in the order they are written."""

from __future__ import annotations

from sites.members import (
    DATE,
    Form,
    Member,
    choice,
    each,
    flag,
    grade,
    listed,
    number,
    numbers,
    text,
    texts,
    write_numbers,
)
from sites.observation import (
    Confidence,
    Evidence,
    Expectation,
    Likelihood,
    Measurement,
    Media,
    Observation,
    ObservationKind,
    Qualifier,
    Source,
    derived_id,
)

SOURCE = Form(
    Source,
    "a source",
    [
        Member("outlet", text),
        Member("title", text),
        Member("author", text),
        Member("published", *DATE),
        Member("language", text),
        Member("url", text),
        Member("archive_url", text),
        Member("reliability", grade),
        Member("credibility", grade),
        Member("specificity", grade),
    ],
    bare="outlet",
)

MEASUREMENT = Form(
    Measurement,
    "a measurement",
    [
        Member("quantity", text),
        Member("value", numbers, write_numbers),
        Member("unit", text),
        Member("qualifier", choice(Qualifier), str),
        Member("low", number),
        Member("high", number),
    ],
)

MEDIA = Form(
    Media,
    "a media entry",
    [
        Member("file", text),
        Member("url", text),
        Member("caption", text),
        Member("date", *DATE),
        Member("credit", text),
        Member("licence", text),
        Member("sha256", text),
        Member("private", flag),
    ],
    bare="file",
)

EVIDENCE = Form(Evidence, "evidence", [Member("kind", text), Member("ref", text)])

OBSERVATION = Form(
    Observation,
    "a note",
    [
        Member("id", text),
        Member("date", *DATE),
        Member("kind", choice(ObservationKind), str),
        Member("text", text),
        Member("author", text),
        Member("expects", choice(Expectation), str),
        Member("measurement", MEASUREMENT.read, MEASUREMENT.write),
        Member("obscured_by", text),
        Member("likelihood", choice(Likelihood), str),
        Member("confidence", choice(Confidence), str),
        Member("supersedes", text),
        Member("contradicts", texts, list),
        Member("sources", listed(SOURCE.read), each(SOURCE.write)),
        Member("media", listed(MEDIA.read), each(MEDIA.write)),
        Member("evidence", listed(EVIDENCE.read), each(EVIDENCE.write)),
        Member("private", flag),
    ],
    derived={"id": lambda values: derived_id(values["date"].text, values["text"])},
)
