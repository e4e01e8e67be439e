"""`sitewatch notes`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watch.cli.options import HERE, Json, Quiet, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sites.catalogue import Catalogue
    from sites.model import Site, Subject
    from sites.observation import Observation
    from watch.observable import Observability
    from watch.workspace import Workspace as Folder

app = typer.Typer(name="notes", help="Dated notes with their sources.", no_args_is_help=True)

SubjectId = Annotated[str, typer.Argument(metavar="SITE", help="Id of a site, a province or a topic.")]
Sources = Annotated[
    list[str] | None,
    typer.Option(
        "--source",
        metavar="OUTLET | KEY=VALUE;...",
        help="An outlet, or outlet=...;published=...;url=...;reliability=B;credibility=2. Repeatable.",
    ),
]
Media = Annotated[
    list[Path] | None,
    typer.Option("--media", help="A picture or document; copied into the workspace. Repeatable."),
]


@app.command("add")
def add(
    site: SubjectId,
    date: Annotated[str, typer.Option(metavar="EDTF", help="2016, 2016-06~, 2015-05-25/2016-06-27, ...")],
    text: Annotated[str, typer.Option(help="What was seen or said.")],
    source: Sources = None,
    media: Media = None,
    kind: Annotated[str, typer.Option(help="imagery, report, statistic or visit.")] = "report",
    author: Annotated[str | None, typer.Option(help="Who writes this note.", show_default=False)] = None,
    expects: Annotated[
        str | None,
        typer.Option(
            help="construction, demolition, more_activity, less_activity, closed or reopened.",
            show_default=False,
        ),
    ] = None,
    private: Annotated[
        bool, typer.Option("--private", help="Not for readers: profiles leave it out.")
    ] = False,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Add a dated note to a site, a province or a topic."""
    note = _raw_note(date, text, source, kind=kind, author=author, expects=expects)
    note |= {"private": True} if private else {}
    _add(site, note, media or (), workspace, json=json, quiet=quiet)


@app.command("edit")
def edit(
    site: SubjectId,
    note: Annotated[str, typer.Argument(help="Id of the note; `notes list` shows it.")],
    date: Annotated[str | None, typer.Option(metavar="EDTF", show_default=False)] = None,
    text: Annotated[str | None, typer.Option(show_default=False)] = None,
    source: Sources = None,
    media: Media = None,
    author: Annotated[str | None, typer.Option(help="Who writes the new note.", show_default=False)] = None,
    private: Annotated[
        bool | None,
        typer.Option(
            "--private/--not-private",
            help="Whether readers may see it; as before when absent. A private note hides what it replaces.",
            show_default=False,
        ),
    ] = None,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a note anew; the old one stays, superseded."""
    from sites.errors import CatalogueError
    from sites.forms import OBSERVATION
    from watch.workspace import Workspace as Folder

    record = record_of(Folder.open(workspace).catalogue(), site)
    old = next((each for each in record.observations if each.id == note), None)
    if old is None:
        raise CatalogueError(
            f"{record.id!r} has no note {note!r}", hint=f"See: sitewatch notes list {record.id}"
        )
    raw = {key: value for key, value in OBSERVATION.write(old).items() if key not in {"id", "supersedes"}}
    changes: dict[str, Any] = {"date": date, "text": text, "author": author, "private": private}
    changes["sources"] = raw_sources(source) or None
    raw |= {key: value for key, value in changes.items() if value is not None}
    _add(site, raw | {"supersedes": note}, media or (), workspace, json=json, quiet=quiet)


@app.command("list")
def list_notes(
    site: Annotated[
        str | None,
        typer.Argument(
            metavar="[SITE]", help="Only those of this site, province or topic.", show_default=False
        ),
    ] = None,
    span: Annotated[
        str | None,
        typer.Option(metavar="A/B", help="Only notes that may fall into this time.", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Superseded notes too.")] = False,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List notes by date, with their sources and grades."""
    from watch.cli.output import Output
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    folder = Folder.open(workspace)
    found = _chosen(folder.catalogue(), site, span, everything=everything)
    labels = labels_of(folder, [record for record, _ in found])
    output.document([note_json(record, note) | label_json(labels, record, note) for record, note in found])
    output.table(
        ["date", "about", "note", "sources", "id"],
        [
            (note.date, record.id, _shown(labels, record, note), _sources(note), note.id)
            for record, note in found
        ],
    )
    output.line(f"{len(found)} notes.")


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="Where to; .csv, .tsv or .json.")],
    site: Annotated[str | None, typer.Option(help="Only those of this site.", show_default=False)] = None,
    everything: Annotated[bool, typer.Option("--all", help="Superseded notes too.")] = False,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write notes as a table, one row a note, with the first and last day that each date allows."""
    from geo.durable import write_bytes
    from watch.cli.output import Output
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    found = _chosen(Folder.open(workspace).catalogue(), site, None, everything=everything)
    write_bytes(file, _exported(file, [note_json(record, note) for record, note in found]))
    output.document({"file": str(file), "notes": len(found)})
    output.line(f"{len(found)} notes in {file}.")


def record_of(catalogue: Catalogue, record_id: str) -> Site | Subject:
    """Return the site, province or topic of an id.

    Raises:
        UnknownSiteError: There is none.
    """
    subject = catalogue.subjects.get(record_id)
    return catalogue.get(record_id) if subject is None else subject


def note_json(record: Site | Subject, note: Observation) -> dict[str, Any]:
    """Return a note as JSON values, with what it is about and the bounds of its date."""
    from sites.forms import OBSERVATION

    earliest, latest = note.date.earliest, note.date.latest
    return {
        "about": record.id,
        "earliest": None if earliest is None else str(earliest),
        "latest": None if latest is None else str(latest),
        **OBSERVATION.write(note),
        "id": note.id,
    }


def labels_of(folder: Folder, records: Iterable[Site | Subject]) -> dict[str, dict[str, Observability]]:
    """Return by record and note what the looks kept in a workspace can't show, or not surely."""
    from watch.observable import claimed_side_m, labels

    claiming = {each.id: each for each in records if any(map(claimed_side_m, each.observations))}
    if not (claiming and folder.ledger_path.exists()):
        return {}
    with folder.ledger() as ledger:
        return {name: labels(record, ledger.looks(name)) for name, record in claiming.items()}


def label_json(
    labels: Mapping[str, Mapping[str, Observability]], record: Site | Subject, note: Observation
) -> dict[str, Any]:
    """Return the label of a note as a member of its JSON; none where it has none."""
    label = labels.get(record.id, {}).get(note.id)
    return {} if label is None else {"observable": label.to_json()}


def _shown(
    labels: Mapping[str, Mapping[str, Observability]], record: Site | Subject, note: Observation
) -> str:
    label = labels.get(record.id, {}).get(note.id)
    marks = [*(["private"] if note.private else []), *([] if label is None else [label.words])]
    return " ".join([note.text, *(f"[{mark}]" for mark in marks)])


def _chosen(
    catalogue: Catalogue, record_id: str | None, span: str | None, *, everything: bool
) -> list[tuple[Site | Subject, Observation]]:
    from geo.dates import parse_span
    from sites.editing import current_notes

    wanted = None if span is None else parse_span(span)
    records = (
        [*catalogue, *catalogue.subjects.values()] if record_id is None else [record_of(catalogue, record_id)]
    )
    found = [
        (record, note)
        for record in records
        for note in (record.observations if everything else current_notes(record))
        if wanted is None or note.date.overlaps(wanted)
    ]
    return sorted(found, key=lambda each: (each[1].date.sort_key(), each[0].id, each[1].id))


def _add(
    record_id: str,
    raw: dict[str, Any],
    media: tuple[Path, ...] | list[Path],
    workspace: Path,
    *,
    json: bool,
    quiet: bool,
) -> None:
    from sites.editing import add_note
    from sites.forms import OBSERVATION
    from watch.cli.output import Output
    from watch.lock import writing
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    folder = Folder.open(workspace)
    with writing(folder.root):
        catalogue = folder.catalogue()
        record = record_of(catalogue, record_id)
        raw["media"] = [*raw.get("media", ()), *(_kept(folder, path) for path in media)]
        note = OBSERVATION.read({key: value for key, value in raw.items() if value not in (None, [])})
        catalogue.with_records([add_note(record, note)]).write()
    output.document(note_json(record, note))
    output.line(f"{record.id}: {note.date}  {note.text}  ({note.id})")


def _raw_note(date: str, text: str, source: list[str] | None, **others: str | None) -> dict[str, Any]:
    return {"date": date, "text": text, "sources": raw_sources(source), **others}


def raw_sources(texts: list[str] | None) -> list[dict[str, str]]:
    """Return what ``--source`` said, as a file would hold it."""
    from sites.columns import parse_pairs

    return [
        parse_pairs(text.split(";"), "--source")
        if "=" in text.partition(";")[0]
        else {"outlet": text.strip()}
        for text in texts or ()
    ]


def _kept(folder: Folder, path: Path) -> dict[str, Any]:
    """Copy a file to ``catalogue/media``, named by its content, and return the medium that names it."""
    from hashlib import sha256

    from geo.durable import write_bytes
    from sites.files import read_bounded

    data = read_bounded(path)
    digest = sha256(data).hexdigest()
    ending = path.suffix.lower() if path.suffix[1:].isalnum() else ""
    target = folder.catalogue_path / "media" / f"{digest[:16]}{ending}"
    write_bytes(target, data)
    return {"file": target.relative_to(folder.root).as_posix(), "sha256": digest}


def _exported(file: Path, rows: list[dict[str, Any]]) -> bytes:
    import csv
    import io

    import orjson

    from sites.columns import quoted
    from sites.errors import CatalogueError

    ending = file.suffix.lower()
    if ending == ".json":
        return orjson.dumps(rows, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if ending not in {".csv", ".tsv"}:
        raise CatalogueError(
            f"cannot write {ending or 'a file without an ending'}", hint="Use .csv, .tsv or .json"
        )
    out = io.StringIO()
    columns = ["about", "id", "date", "earliest", "latest", "kind", "text", "author", "sources", "private"]
    writer = csv.DictWriter(out, columns, delimiter="\t" if ending == ".tsv" else ",", extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        flat = row | {"sources": "; ".join(_source_line(source) for source in row.get("sources", ()))}
        # A cell that a spreadsheet would run as a formula is quoted.
        writer.writerow({column: quoted(str(flat.get(column) or "")) for column in columns})
    return out.getvalue().encode("utf-8-sig")


def _sources(note: Observation) -> str:
    from sites.forms import OBSERVATION

    return "; ".join(_source_line(source) for source in OBSERVATION.write(note).get("sources", ()))


def _source_line(source: dict[str, Any]) -> str:
    grade = f"{source.get('reliability', '-')}{source.get('credibility', '-')}"
    parts = [source["outlet"], source.get("published"), None if grade == "--" else f"[{grade}]"]
    return ", ".join(part for part in parts if part)
