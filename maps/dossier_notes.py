"""The notes of a dossier: sources and grades, contradictions side by side, what replaced what."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from maps.data_block import web_address
from maps.markup import NOTHING, Markup, el, joined, words
from maps.timeline import note_order
from maps.words import language_words, measurement_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from maps.view import SiteEntry
    from sites.observation import Media, Observation, Source

RELIABILITY = MappingProxyType(
    {
        "A": "completely reliable",
        "B": "usually reliable",
        "C": "fairly reliable",
        "D": "not usually reliable",
        "E": "unreliable",
        "F": "reliability can't be judged",
    }
)
"""Admiralty scale, the source (NATO AJP-2.1, table of source reliability)."""

CREDIBILITY = MappingProxyType(
    {
        "1": "confirmed by other sources",
        "2": "probably true",
        "3": "possibly true",
        "4": "doubtful",
        "5": "improbable",
        "6": "truth can't be judged",
    }
)
"""Admiralty scale, the information."""


def notes_section(entry: SiteEntry) -> Markup:
    """Return all notes of a site by date; those that contradict one another stand side by side."""
    notes = sorted(entry.site.observations, key=note_order)
    title = el("h2", f"Notes by analysts ({len(notes)})", id="notes-title")
    if not notes:
        return el("section", title, el("p", "None yet."), class_="notes", aria_labelledby="notes-title")
    teller = _Teller(entry, {note.id: note for note in notes})
    parts = [
        teller.versus(group) if len(group) > 1 else teller.article(group[0]) for group in disputes(notes)
    ]
    return el("section", title, *parts, class_="notes", aria_labelledby="notes-title")


def disputes(notes: Sequence[Observation]) -> list[list[Observation]]:
    """Return the notes in groups, in their order: those that contradict one another, by any path, are one.

    A note that nothing contradicts is a group of its own.
    """
    known = {note.id: note for note in notes}
    against: dict[str, set[str]] = {note.id: set() for note in notes}
    for note in notes:
        for other in note.contradicts:
            if other in known:
                against[note.id].add(other)
                against[other].add(note.id)
    groups: list[list[Observation]] = []
    seen: set[str] = set()
    for note in notes:
        if note.id in seen:
            continue
        group, ahead = {note.id}, [note.id]
        while ahead:
            new = against[ahead.pop()] - group
            group |= new
            ahead += sorted(new)
        seen |= group
        groups.append([each for each in notes if each.id in group])
    return groups


class _Teller:
    """Tells the notes of one site."""

    def __init__(self, entry: SiteEntry, known: dict[str, Observation]) -> None:
        self._entry = entry
        self._known = known
        self._replaced_by: dict[str, list[Observation]] = {}
        for note in known.values():
            if note.supersedes is not None:
                self._replaced_by.setdefault(note.supersedes, []).append(note)

    def versus(self, group: Sequence[Observation]) -> Markup:
        """Return notes that contradict one another, side by side."""
        told = (
            f"These {len(group)} notes contradict one another. None of them is taken back; both sides stand."
        )
        columns = el("div", *(self.article(note) for note in group), class_="versus-columns")
        return el("div", el("p", told, class_="versus-told"), columns, class_="versus")

    def article(self, note: Observation) -> Markup:
        replaced = self._replaced_by.get(note.id, [])
        head = el(
            "h3",
            words(note.date.text),
            el("span", str(note.kind), class_="badge kind"),
            el("span", "replaced", class_="badge replaced") if replaced else None,
            el("span", "private: not for readers", class_="badge private") if note.private else None,
        )
        label = self._entry.labels.get(note.id)
        parts = (
            head,
            el("p", words(note.text), class_="note-text"),
            _facts(note),
            el("p", words(f"{label[:1].upper()}{label[1:]}"), class_="marks observable") if label else None,
            *self._threads(note, replaced),
            _sources(note.sources),
            _media(note.media),
        )
        state = "note replaced-note" if replaced else "note"
        return el("article", *parts, class_=state, id=f"note-{note.id}")

    def _threads(self, note: Observation, replaced: Sequence[Observation]) -> Iterable[Markup]:
        for later in replaced:
            yield el("p", "Replaced by ", self._link(later.id), ".", class_="marks")
        if note.supersedes is not None:
            yield el("p", "Replaces ", self._link(note.supersedes), ".", class_="marks")
        if note.contradicts:
            others = joined((self._link(other) for other in note.contradicts), "; ")
            yield el("p", "Contradicts ", others, ".", class_="marks")

    def _link(self, note_id: str) -> Markup:
        note = self._known.get(note_id)
        if note is None:
            return joined(["a note that is not here (", words(note_id), ")"])
        return el("a", "the note of ", words(note.date.text), href=f"#note-{note_id}")


def _facts(note: Observation) -> Markup:
    rows = (
        ("Measured", measurement_words(note.measurement)),
        ("Should show as", note.expects and str(note.expects).replace("_", " ")),
        ("Partly hidden by", note.obscured_by),
        ("Likelihood", note.likelihood and str(note.likelihood).replace("_", " ")),
        ("Confidence in the basis", note.confidence and str(note.confidence)),
        ("Noted by", note.author),
        ("Rests on", ", ".join(f"{each.kind} {each.ref}" for each in note.evidence)),
    )
    told = [el("div", el("dt", label), el("dd", words(text))) for label, text in rows if text]
    return el("dl", *told, class_="note-facts") if told else NOTHING


def _sources(sources: Sequence[Source]) -> Markup:
    if not sources:
        return el("p", "No source is given.", class_="fine no-source")
    return el(
        "ul", *(el("li", _source(source)) for source in sources), class_="sources", aria_label="Sources"
    )


def _source(source: Source) -> Markup:
    title = words(source.title or source.outlet, source.language)
    rest = (
        source.outlet if source.title else None,
        source.author,
        source.published and source.published.text,
    )
    address, archive = web_address(source.url), web_address(source.archive_url)
    parts: list[Markup | str] = [outward(address, title) if address else title]
    parts += [joined([", ", words(part)]) for part in rest if part]
    if archive:
        parts.append(joined([", ", outward(archive, "archived copy")]))
    if source.specificity:
        parts.append(joined([", specificity ", words(source.specificity)]))
    if source.language:
        parts.append(f" ({language_words(source.language)})")
    # The address itself is for paper.
    parts.append(el("span", f" {address}", class_="printed-address") if address else "")
    return joined([*parts, _grade(source)])


def _grade(source: Source) -> Markup:
    if source.reliability is None and source.credibility is None:
        return joined([" ", el("span", "not graded", class_="badge ungraded")])
    code = f"{source.reliability or '-'}{source.credibility or '-'}"
    told = [
        RELIABILITY.get(source.reliability or "", "source not graded"),
        CREDIBILITY.get(source.credibility or "", "information not graded"),
    ]
    return joined(
        [" ", el("span", code, class_="badge grade"), el("span", f" {'; '.join(told)}", class_="fine")]
    )


def outward(address: str, text: Markup | str) -> Markup:
    """Return a link out of the page that tells its target nothing of where the reader comes from."""
    return el("a", text, href=address, target="_blank", rel="noopener noreferrer")


def _media(media: Sequence[Media]) -> Markup:
    shown = [each for each in media if not each.private]
    if not shown:
        return NOTHING
    return el("ul", *(el("li", _medium(each)) for each in shown), class_="sources", aria_label="Media")


def _medium(medium: Media) -> Markup:
    name = words(medium.caption or medium.file or medium.url or "")
    address = web_address(medium.url)
    about = (medium.date and medium.date.text, medium.credit, medium.licence)
    return joined(
        [
            outward(address, name) if address else name,
            *(joined([", ", words(part)]) for part in about if part),
            " (kept in the workspace, not on this page)" if medium.file else None,
        ]
    )
