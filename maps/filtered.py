"""A view as a profile allows it. Whatever is written is written of the answer, and of nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from imagery.change.card import Card
from imagery.change.detectable_words import SECTION
from imagery.model import DetectionState, Outcome
from maps.blurring import Blur, site_ids
from maps.filtered_context import readable_context
from maps.filtered_notes import kept_media, readable_notes
from maps.filtered_pictures import shown_pictures
from maps.profile import Kind, Left, left_out
from maps.view import MapView, SiteEntry
from sites.model import Name, Relation, Retirement, Site

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from imagery.model import Detection, Look
    from maps.profile import LeftOut, Profile


def filtered(view: MapView, profile: Profile) -> tuple[MapView, LeftOut]:
    """Return what of a view readers may see, and what was taken out.

    Args:
        view: Everything that is known.
        profile: What may stay.
    """
    rows: list[Left] = []
    entries = [entry for entry in view.entries if _stays(entry.site, profile, rows)]
    if profile.is_full:
        whole = tuple(replace(entry, site=_without_private_media(entry.site, rows)) for entry in entries)
        return replace(view, entries=whole), left_out(profile, rows)
    ids = site_ids([entry.site for entry in entries], profile.blur_m)
    blur = Blur(profile.blur_m, rows)
    kept = MapView(
        title=blur.text(view.title),
        made=view.made,
        entries=tuple(_entry(entry, profile, ids, blur) for entry in entries),
        statement=" ".join(part for part in (blur.text(view.statement), profile.statement) if part),
        thresholds=view.thresholds,
        profile=profile.name,
        context=readable_context(view.context, _gone(view, entries, rows), blur),
        dossiers=view.dossiers,
        files=view.files,
        tiles=view.tiles,
    )
    return kept, left_out(profile, rows)


def _gone(view: MapView, kept: Iterable[SiteEntry], rows: Iterable[Left]) -> set[str]:
    """Return the ids of sites and notes that readers don't get."""
    stay = {entry.site.id for entry in kept}
    gone = {row.id for row in rows if row.kind in {Kind.SITE, Kind.NOTE}}
    for entry in view.entries:
        if entry.site.id not in stay:
            gone |= {*entry.site.former_ids, *(note.id for note in entry.site.observations)}
    return gone


def _stays(site: Site, profile: Profile, rows: list[Left]) -> bool:
    members = {**site.feature_foreign, **site.foreign}
    flags = sorted(flag for flag in profile.without_flags if _is_set(members.get(flag)))
    reasons = (
        (f"category {site.category}", site.category in profile.without_categories),
        (f"status {site.watch_mode}", site.watch_mode in profile.without_statuses),
        (f"flag {', '.join(flags)}", bool(flags)),
        ("named by the profile", not profile.without_sites.isdisjoint({site.id, *site.former_ids})),
    )
    why = "; ".join(words for words, holds in reasons if holds)
    if why:
        rows.append(Left(site.id, Kind.SITE, site.id, why))
    return not why


def _is_set(value: object) -> bool:
    """Tell whether a flag is up; a table's cell says it in words."""
    if isinstance(value, str):
        return value.strip().casefold() not in {"", "false", "no", "0"}
    return bool(value)


def _without_private_media(site: Site, rows: list[Left]) -> Site:
    """Return a site without what is never published; the same one where it has no such thing."""
    if not any(medium.private for note in site.observations for medium in note.media):
        return site
    notes = tuple(replace(note, media=kept_media(note, site.id, (), rows)) for note in site.observations)
    return replace(site, observations=notes)


def _entry(entry: SiteEntry, profile: Profile, ids: Mapping[str, str], blur: Blur) -> SiteEntry:
    site, rows = entry.site, blur.rows
    found = [each for each in entry.detections if _is_kept(each, entry, profile, rows)]
    renamed = blur.detection_ids(found)
    withheld = {each.id for each in entry.detections} - set(renamed)
    notes, note_ids = readable_notes(site, profile, withheld, blur)
    shown = shown_pictures(entry, profile, rows, {each.id for each in found})
    said = entry.said if profile.authors else _unsaid(entry, found, rows)
    return SiteEntry(
        site=replace(_site(site, ids, blur), observations=notes),
        looks=tuple(blur.look(_look(each, found, ids[site.id])) for each in entry.looks),
        no_scenes=tuple(replace(window, site_id=ids[site.id]) for window in entry.no_scenes),
        detections=tuple(
            replace(blur.detection(each, renamed[each.id]), site_id=ids[site.id]) for each in found
        ),
        labels={note_ids[key]: blur.text(words) for key, words in entry.labels.items() if key in note_ids},
        said={renamed[key]: blur.text(words) for key, words in said.items() if key in renamed},
        only_confirmed=profile.confirmed_only,
        album=shown.album,
        watched=site.is_watched,
        blurred_m=profile.blur_m,
    )


def _is_kept(detection: Detection, entry: SiteEntry, profile: Profile, rows: list[Left]) -> bool:
    dismissed = "dismissed by" in entry.said.get(detection.id, "")
    if not profile.confirmed_only or (detection.state is DetectionState.CONFIRMED and not dismissed):
        return True
    why = "dismissed" if dismissed else f"it is {detection.state}"
    rows.append(Left(entry.site.id, Kind.DETECTION, detection.id, why))
    return False


def _unsaid(entry: SiteEntry, found: Iterable[Detection], rows: list[Left]) -> dict[str, str]:
    rows += [
        Left(entry.site.id, Kind.AUTHOR, detection.id, "who decided on it, and in which words")
        for detection in found
        if entry.said.get(detection.id)
    ]
    return {}


def _look(look: Look, found: Iterable[Detection], site_id: str) -> Look:
    """Return a look that says how it ended, and of what it saw no more than the detections that stay."""
    section = {} if look.card is None else look.card.sections.get(SECTION, {})
    return replace(
        look,
        site_id=site_id,
        reason=_reason(look, found),
        score=None,
        threshold=None,
        regions=(),
        card=Card(str(look.outcome), (), (), {SECTION: section}) if section else None,
    )


def _reason(look: Look, found: Iterable[Detection]) -> str:
    """Say why a look ended so, in words made here: those of the judge name places and suspicions."""
    match look.outcome:
        case Outcome.CHANGED:
            shown = [each.bracket for each in found if _shows(look, each)]
            if shown:
                return f"shows the change of {', '.join(shown)}"
            return "differs from the looks before it; what it shows is not published"
        case Outcome.UNCHANGED:
            return f"judged against {look.history} earlier clear looks"
        case Outcome.LEARNING:
            return f"{look.history} earlier clear looks are too few to judge by, or none is of this season"
        case Outcome.OBSCURED:
            return "too little of it could be judged"
        case Outcome.FAILED:
            return "the look could not be made"


def _shows(look: Look, detection: Detection) -> bool:
    same = (look.grid_id, look.series) == (detection.grid_id, detection.series)
    return same and detection.first_with <= look.solar_day <= detection.last_with


def _site(site: Site, ids: Mapping[str, str], blur: Blur) -> Site:
    """Return a site without its notes, of fields named here."""
    if site.foreign or site.feature_foreign:
        for key in sorted({*site.foreign, *site.feature_foreign}):
            blur.rows.append(Left(site.id, Kind.MEMBER, key, "a member that no profile knows"))
    plain = Site(
        id=ids[site.id],
        names=tuple(Name(n.text, n.language, n.script, n.scheme, n.span) for n in site.names),
        category=site.category,
        geometry=site.geometry,
        subtype=site.subtype,
        description=site.description,
        province=site.province,
        county=site.county,
        country=site.country,
        operator=site.operator,
        grade=site.grade,
        complex=site.complex,
        footprint=site.footprint,
        coordinate_accuracy_m=site.coordinate_accuracy_m,
        coordinate_source=site.coordinate_source,
        coordinate_licence=site.coordinate_licence,
        opened=site.opened,
        closed=site.closed,
        relations=tuple(Relation(r.kind, ids[r.site]) for r in site.relations if r.site in ids),
        former_ids=site.former_ids,  # pictures and links may go by them
        attributes=tuple(replace(a, source=None, foreign={}) for a in site.attributes),
        retired=site.retired and Retirement(site.retired.date, site.retired.reason),
    )
    return blur.site(plain)
